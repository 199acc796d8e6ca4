# SPDX-License-Identifier: Apache-2.0
"""rocket attach: modes, several clients, slow clients, terminals (cli 8.12, internals 8.2 and weakness F1)."""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import select
import socket
import stat
import struct
import subprocess
import termios

import pytest

from conftest import wait_for

STREAMS = ("--stdin=stream", "--stdout=stream", "--stderr=stream")
TTY = ("--stdin=tty", "--stdout=tty", "--stderr=tty")


@pytest.fixture
def pod(rocket, busybox):
    """pod(SCRIPT, FLAG...): UUID of a running pod of one app that runs a shell script."""
    def start(script, *flags):
        return rocket.started(busybox, "--name=app", "--exec=/bin/sh", *flags, "--", "-c", script)
    return start


class Client:
    """An attached client with pipes for its streams."""

    def __init__(self, rocket, uuid, *flags):
        self.process = rocket.start("attach", *flags, uuid, stdin=subprocess.PIPE, text=False)
        self.seen = b""

    def read(self, text):
        """Until `text` has come."""
        def there():
            if select.select([self.process.stdout], [], [], 0)[0]:
                self.seen += os.read(self.process.stdout.fileno(), 1 << 20)
            return text in self.seen
        wait_for(there, text)
        return self.seen

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def close_input(self):
        self.process.stdin.close()
        self.process.stdin = None

    def end(self):
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, self.seen + out, err


def socket_of(rocket, uuid):
    return rocket.data / "pods/run" / uuid / "attach"


def test_streams_of_an_app(rocket, pod):
    process, uuid = pod("while read line; do echo out $line; echo err $line >&2; done; echo end", *STREAMS)
    client = Client(rocket, uuid)
    client.write(b"one\ntwo\n")
    client.read(b"out two\n")
    client.close_input()
    status, out, err = client.end()  # the end of the client's input is the app's
    assert (status, out, err) == (0, b"out one\nout two\nend\n", b"err one\nerr two\n")
    assert process.wait(timeout=20) == 0


def test_list(rocket, pod):
    process, uuid = pod("sleep 1000", "--stdin=stream", "--stdout=stream")
    listed = rocket("attach", "--mode=list", uuid).stdout
    assert not listed.endswith("\n") and '    "version": 1' in listed
    targets = json.loads(listed)["targets"]
    assert [one["name"] for one in targets] == ["stdin", "stdout"]
    assert {(one["domain"], one["address"]) for one in targets} == {("unix", str(socket_of(rocket, uuid)))}
    assert stat.S_IMODE(os.stat(socket_of(rocket, uuid)).st_mode) == 0o600
    process.terminate()


@pytest.mark.parametrize("mode, out, err", [
    ("stdout", b"to stdout\n", b""), ("stderr", b"", b"to stderr\n"), ("stdout,stderr", b"to stdout\n", b"to stderr\n"),
])
def test_chosen_streams(rocket, pod, mode, out, err):
    _, uuid = pod("echo to stdout; echo to stderr >&2; read end", *STREAMS)
    client = Client(rocket, uuid, f"--mode={mode}")
    wait_for(lambda: select.select([client.process.stdout, client.process.stderr], [], [], 0)[0], "the replay")
    rocket("attach", "--mode=stdin", uuid, input="\n", stdin=None)
    assert client.end() == (0, out, err)


def test_whoever_comes_late_sees_the_last_lines(rocket, pod):
    """Bounded, from the beginning of a line on."""
    process, uuid = pod("seq 1 100000; echo done >&2; read end", *STREAMS)
    done = Client(rocket, uuid, "--mode=stderr")
    wait_for(lambda: select.select([done.process.stderr], [], [], 0)[0], "the app to have said all", 60)
    client = Client(rocket, uuid, "--mode=stdout")
    lines = client.read(b"\n100000\n").split(b"\n")
    assert lines[-2] == b"100000" and 1000 < len(lines) < 100000
    assert [int(line) for line in lines[:-1]] == list(range(100000 - len(lines) + 2, 100001))
    process.terminate()


def test_every_client_sees_everything(rocket, pod):
    _, uuid = pod("while read line; do echo got $line; done; echo bye", *STREAMS)
    clients = [Client(rocket, uuid) for _ in range(5)]
    for index, client in enumerate(clients):
        client.write(b"hello from %d\n" % index)
        for other in clients:
            other.read(b"got hello from %d\n" % index)
    for client in clients[1:]:
        client.close_input()  # one that others are attached to goes on
    clients[0].write(b"still there\n")
    clients[1].read(b"got still there\n")
    clients[1].process.kill()
    clients[0].write(b"after a death\n")
    clients[0].read(b"got after a death\n")
    for client in clients[2:]:
        client.process.terminate()  # detached
        assert client.end()[0] == 0
    clients[0].close_input()
    assert clients[0].end()[:1] == (0,) and clients[0].seen.endswith(b"after a death\n")


def test_a_slow_client_is_dropped_and_never_blocks_the_app(rocket, pod):
    process, uuid = pod("read go; seq 1 2000000; echo done >&2; read end", *STREAMS)
    slow = rocket.start("attach", "--mode=stdout", uuid, text=False)  # nobody reads its stdout
    errors = Client(rocket, uuid, "--mode=stdin,stderr")
    errors.write(b"go\n")
    wait_for(lambda: select.select([errors.process.stderr], [], [], 0)[0], "the app to get through", 60)
    out, err = slow.communicate(timeout=60)
    assert slow.returncode == 254 and b"too slow" in err and not out.endswith(b"\n2000000\n")
    process.terminate()


def test_terminal(rocket, pod):
    _, uuid = pod("while read line; do eval \"$line\"; done", *TTY)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    before = termios.tcgetattr(slave)
    client = rocket.start("attach", uuid, stdin=slave, stdout=slave, stderr=slave)
    seen = b""

    def shows(text):
        nonlocal seen
        if select.select([master], [], [], 0)[0]:
            seen += os.read(master, 65536)
        return text in seen
    os.write(master, b"stty size; tty\n")
    wait_for(lambda: shows(b"33 99\r\n"), "the size of the window")
    wait_for(lambda: shows(b"/dev/pts/0\r\n"), "the name of the terminal")
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 50, 0, 0))
    os.kill(client.pid, 28)  # SIGWINCH, which the kernel sends to a foreground process only
    os.write(master, b"sleep 0.2; stty size\n")
    wait_for(lambda: shows(b"20 50\r\n"), "the new size")
    other = Client(rocket, uuid, "--mode=tty-out")
    other.read(b"20 50\r\n")  # sees the same
    os.write(master, b"\x10x\x10\x11")  # ctrl-p alone is typed, ctrl-p ctrl-q detaches
    assert client.wait(timeout=20) == 0
    assert termios.tcgetattr(slave) == before
    assert other.process.poll() is None
    last = Client(rocket, uuid, "--mode=tty")
    last.write(b"\nexit 5\n")
    assert last.end()[0] == 0 and other.end()[0] == 0
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("keys, typed, detaches", [
    ("ctrl-x,d", b"\x18d", True), ("ctrl-x,d", b"\x10\x11", False), ("", b"\x10\x11", False),
])
def test_detach_keys(rocket, pod, keys, typed, detaches):
    process, uuid = pod("stty raw -echo; echo ready; head -c 2 > /dev/null; echo 'was typed'; sleep 1000", *TTY)
    master, slave = pty.openpty()
    client = rocket.start("attach", f"--detach-keys={keys}", uuid, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert client.stdout.readline().strip() == "ready"
    os.write(master, typed)
    if detaches:
        assert client.wait(timeout=20) == 0
    else:
        assert client.stdout.readline().strip() == "was typed"
        client.terminate()
    process.terminate()
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("flags, words", [
    (["--mode=stdin,tty"], 'incompatible endpoints "stdin,tty", cannot simultaneously attach TTY and streams'),
    (["--mode=bogus"], 'invalid attach mode: unknown endpoint "bogus"'),
    (["--mode=stdout,"], "unknown endpoint"),
    (["--mode=tty"], 'app "app" has no tty-in to attach to'),
    (["--mode=stderr"], 'app "app" has no stderr to attach to'),
    (["--app=other"], 'no app "other" in pod'),
    (["--app=../x"], "no app"),
    (["--detach-keys=ctrl-p,enter"], "is not a key to detach with"),
])
def test_refused(rocket, pod, flags, words):
    process, uuid = pod("sleep 1000", "--stdout=stream")
    assert words in rocket("attach", *flags, uuid, status=254).stderr
    process.terminate()


def test_logged_apps_and_ended_pods_cannot_be_attached_to(rocket, pod):
    process, uuid = pod("sleep 1000")
    refused = rocket("attach", uuid, status=254).stderr
    assert "has nothing to attach to" in refused and "rocket logs" in refused
    assert not socket_of(rocket, uuid).exists()
    process.terminate()
    process.wait(timeout=20)
    assert "isn't currently running" in rocket("attach", uuid, status=254).stderr


def hello(app, wanted=0):
    payload = bytes([wanted]) + app
    return struct.pack("<BBHI", 1, 0, 0, len(payload)) + payload


@pytest.mark.parametrize("frames", [
    pytest.param(b"\xff" * 4096, id="noise"),
    pytest.param(struct.pack("<BBHI", 1, 0, 0, 0xffffffff), id="a hello of 4 GB"),
    pytest.param(struct.pack("<BBHI", 2, 1, 0, 1) + b"x", id="no hello"),
    pytest.param(hello(b"app") + hello(b"app"), id="two hellos"),
    pytest.param(hello(b"app") + struct.pack("<BBHI", 2, 3, 0, 1) + b"x", id="two endpoints at once"),
    pytest.param(hello(b"app") + struct.pack("<BBHI", 2, 2, 0, 1) + b"x", id="bytes for an output"),
    pytest.param(hello(b"app") + struct.pack("<BBHI", 4, 8, 0, 4) + b"abcd", id="a window without a terminal"),
    pytest.param(hello(b"../../etc"), id="a path for an app"),
    pytest.param(hello(b"app", 0x80), id="an endpoint that there is not"),
])
def test_hostile_clients(rocket, pod, frames):
    """Told, or not, and dropped; the pod goes on."""
    process, uuid = pod("while read line; do echo got $line; done", *STREAMS)
    with socket.socket(socket.AF_UNIX) as client:
        directory = os.open(socket_of(rocket, uuid).parent, os.O_PATH)
        client.connect(f"/proc/self/fd/{directory}/attach")
        os.close(directory)
        client.settimeout(20)
        with contextlib.suppress(BrokenPipeError):
            client.sendall(frames)
        with contextlib.suppress(ConnectionResetError):
            while client.recv(65536):
                pass
    assert rocket("attach", uuid, input="fine\n", stdin=None).stdout == "got fine\n"
    assert process.wait(timeout=20) == 0


def test_only_root_may(rocket, pod):
    process, uuid = pod("sleep 1000", "--stdout=stream")
    os.chmod(rocket.home, 0o755)
    for path in [rocket.data, rocket.data / "pods", rocket.data / "pods/run", socket_of(rocket, uuid).parent]:
        os.chmod(path, 0o755)
    script = "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", script, str(socket_of(rocket, uuid))],
                          capture_output=True, text=True, check=False)
    assert "PermissionError" in done.stderr
    assert pathlib.Path(socket_of(rocket, uuid)).is_socket()
    process.terminate()
