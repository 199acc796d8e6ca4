# SPDX-License-Identifier: Apache-2.0
"""The supervisor (stage1 `run`): output, ends, signals, readiness (cli 9, appc ACE-3..5, LOG-1..3)."""
import hashlib
import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import termios
import time
import fcntl
import struct

import aci
import pods
import pytest

from conftest import BUILD, HOST_IS_SYSTEMD, cgroup_root, wait_for

pytestmark = pytest.mark.bare
STAGE1 = pathlib.Path(os.environ.get("ROCKET_STAGE1", BUILD / "libexec/stage1-images/systemd/rootfs"))


# Says on $NOTIFY_SOCKET that it is ready; static, for the images have no libraries.
NOTIFY = """
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path, getenv("NOTIFY_SOCKET"), sizeof to.sun_path - 1);
    sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "READY=1", 7, 0, (void*)&to, sizeof to);
    return pause();
}
"""


@pytest.fixture(scope="module")
def tree(images):
    rootfs = pods.write_tree(images / "tree", aci.busybox())
    subprocess.run(["gcc", "-static", "-x", "c", "-o", rootfs / "bin/notify", "-"], input=NOTIFY.encode(), check=True)
    return rootfs


@pytest.fixture
def pod(home, tree):
    """pod(NAME=SCRIPT, ...): apps that run shell scripts; pod.of(apps) with whole app sections."""
    made = []

    def of(apps, **options):
        made.append(pods.Pod(home / "data", STAGE1, tree, apps, **options))
        return made[-1]

    def scripts(**apps):
        return of({name.replace("_", "-"): {"exec": ["/bin/sh", "-c", script]} for name, script in apps.items()})
    scripts.of = of
    yield scripts
    for one in made:
        one.close()


def nothing_is_left(pod, init=None):
    group = cgroup_root() / pod.group().lstrip("/")
    if HOST_IS_SYSTEMD:  # a scope, which is systemd's to remove
        wait_for(lambda: not group.exists(), "the scope to go")
    assert not group.exists()
    if init:
        assert not pathlib.Path(f"/proc/{init}").exists()


def running(pod):
    """The pod with all its apps up. An app that has to prepare something says so on its stdout: read that."""
    pod.start()
    wait_for(lambda: pod.is_ready() or pod.process.poll() is not None, "the pod to be ready")
    assert pod.process.poll() is None, pod.process.communicate()
    return pod.process


# --- ends

@pytest.mark.parametrize("script, status, code, signal_number", [
    ("exit 0", 0, 0, None),
    ("exit 7", 7, 7, None),
    ("exit 254", 254, 254, None),
    ("kill -TERM $$", 15, None, 15),
    ("kill -KILL $$", 9, None, 9),
    ("kill -SEGV $$", 11, None, 11),
])
def test_status_is_the_apps(pod, script, status, code, signal_number):
    one = pod(a=script)
    before = time.time_ns()
    assert one.run()[0] == status
    result = one.result("a")
    assert (result["code"], result["signal"], result["oom"]) == (code, signal_number, False)
    assert before - 10**9 < result["started_ns"] <= result["finished_ns"] < time.time_ns() + 10**9
    assert (one.dir / "status/a").read_text() == str(status)
    assert one.exit_record()["status"] == status
    nothing_is_left(one)


def test_all_apps_end_with_0(pod):
    one = pod(a="exit 0", b="sleep 0.3; exit 0")
    assert one.run()[0] == 0
    assert one.result("a")["code"] == one.result("b")["code"] == 0
    assert one.exit_record()["reason"] == "all apps ended"


def test_first_failing_app_ends_the_pod_at_once(pod):
    one = pod(a="sleep 0.2; exit 4", b="trap 'echo stopped in order; exit 0' TERM; sleep 100 & wait")
    begin = time.monotonic()
    status, out, _ = one.run()
    assert status == 4
    assert time.monotonic() - begin < 5
    assert out == b"stopped in order\n"
    assert one.exit_record()["reason"] == 'app "a" failed'
    assert one.result("b")["code"] == 0


def test_post_stop_handlers_run_when_the_pod_is_ended(pod):
    handlers = [{"name": "post-stop", "exec": ["/bin/sh", "-c", "echo after b"]}]
    one = pod.of({"a": {"exec": ["/bin/sh", "-c", "sleep 0.2; exit 4"]},
                  "b": {"exec": ["/bin/sleep", "100"], "eventHandlers": handlers}})
    assert one.run()[:2] == (4, b"after b\n")
    assert one.result("b")["signal"] == 15


def test_failing_pre_start_handler_fails_the_app(pod):
    handlers = [{"name": "pre-start", "exec": ["/bin/sh", "-c", "exit 3"]}]
    one = pod.of({"a": {"exec": ["/bin/echo", "main"], "eventHandlers": handlers}})
    status, out, err = one.run()
    assert (status != 0, out) == (True, b"")
    assert b'app "a": pre-start handler "/bin/sh" failed' in err


@pytest.mark.parametrize("command, named", [
    ("/bin/missing", "/bin/missing"),
    ("/etc/passwd", "/etc/passwd"),
    ("/tmp/script", "/tmp/script"),
])
def test_exec_failure_is_203_with_a_diagnosis(pod, tree, command, named):
    script = tree / "tmp/script"
    script.write_text("#!/bin/no-such-interpreter\n")
    script.chmod(0o755)
    one = pod.of({"a": {"exec": [command]}})
    status, _, err = one.run()
    assert status == 203
    assert re.search(rf'app "a".*{named}'.encode(), err)
    assert one.result("a")["code"] == 203
    nothing_is_left(one)


# --- output

def test_streams_are_separate_and_unmodified(pod):
    one = pod(a="printf 'out\\r\\n\\033[1m no newline'; printf 'err\\n' >&2")
    assert one.run() == (0, b"out\r\n\033[1m no newline", b"err\n")


def test_ten_binary_megabytes(pod):
    one = pod(a="head -c 10000000 /dev/urandom > /tmp/x; sha256sum /tmp/x >&2; cat /tmp/x")
    (one.dir / "apps/a/upper").chmod(0o755)
    status, out, err = one.run(timeout=120)
    assert (status, len(out)) == (0, 10_000_000)
    assert hashlib.sha256(out).hexdigest() == err.split()[0].decode()


def test_last_bytes_of_many_short_apps(pod):
    names = [f"a{n}" for n in range(8)]
    one = pod(**{name: f"seq 1 2000; echo last of {name} >&2" for name in names})
    status, out, err = one.run()
    assert (status, out.count(b"\n"), out.count(b"2000\n")) == (0, 8 * 2000, 8)
    assert sorted(err.decode().split("\n"))[1:] == [f"last of {name}" for name in names]


def test_slow_reader_blocks_only_its_stream(pod):
    one = pod(a="seq 1 200000; echo done >&2", b="echo quick >&2; sleep 0.2; echo still quick >&2")
    process = one.start()
    err = b""
    while b"still quick" not in err:  # nobody reads stdout yet
        err += os.read(process.stderr.fileno(), 4096)
    assert b"done" not in err
    out, rest = process.communicate(timeout=60)
    assert (process.returncode, out.count(b"\n")) == (0, 200000)
    assert b"done" in rest


def test_reader_that_goes_away_is_tolerated(pod):
    one = pod(a="echo first; sleep 0.3; seq 1 100000; echo last")
    process = one.start()
    assert os.read(process.stdout.fileno(), 6) == b"first\n"
    process.stdout.close()
    assert process.wait(60) == 0
    assert one.journal("-t", "a")[-1] == "last"


def test_full_disk_under_stdout(pod):
    with open("/dev/full", "wb") as full:
        one = pod(a="echo one; echo two; exit 3")
        status, _, err = one.run(stdout=full)
    assert status == 3
    assert err.count(b"the rest of the output is in the pod's journal only: No space left on device") == 1
    assert one.journal("-t", "a") == ["one", "two"]


def test_group_of_the_pod_may_read_the_journal(pod):
    one = pod(a="echo hello")
    os.chown(one.dir, 0, 12345)
    assert one.run()[0] == 0
    [file] = one.dir.glob("journal/*/system.journal")
    assert (file.stat().st_gid, file.stat().st_mode & 0o777) == (12345, 0o640)


def test_user_can_open_dev_stdout(pod):
    one = pod.of({"a": {"exec": ["/bin/sh", "-c", "echo by path > /dev/stdout"], "user": "1000", "group": "1000"}})
    assert one.run()[:2] == (0, b"by path\n")


def test_lines_on_a_terminal(pod):
    one = pod(a="printf 'one\\ntwo'")
    master, slave = pty.openpty()
    process = one.start(stdout=slave, stderr=slave)
    os.close(slave)
    text = read_until_closed(master)
    assert process.wait() == 0
    assert re.fullmatch(rb"\[\d+\.\d{6}\] a\[\d+\]: one\r\n\[\d+\.\d{6}\] a\[\d+\]: two\r\n", text), text


def test_journal_has_everything_by_app_and_stream(pod):
    one = pod(web="echo to stdout; echo to stderr >&2; printf unfinished", db="echo other")
    assert one.run()[0] == 0
    assert sorted(one.journal("-t", "web")) == ["to stderr", "to stdout", "unfinished"]
    assert one.journal("-t", "web", "-p", "warning") == ["to stderr"]


def test_journal_knows_the_unit_and_user_of_a_living_app(pod):
    one = pod.of({"db": {"exec": ["/bin/sh", "-c", "echo first; sleep 1; echo second; sleep 1"], "user": "1000", "group": "1001"}})
    assert one.run()[0] == 0
    assert one.journal("_SYSTEMD_UNIT=app-db.service", "_UID=1000", "_GID=1001") == ["first", "second"]


def test_journal_is_not_started_without_output(pod):
    one = pod(a="sleep 0.5")
    assert one.run()[0] == 0
    assert list((one.dir / "journal").iterdir()) == []


def test_journal_loses_nothing_of_a_flood(pod):
    one = pod(a="seq 1 50000")
    assert one.run(timeout=300)[0] == 0  # a busy machine takes its time, and loses nothing
    assert one.journal("-t", "a") == [str(n) for n in range(1, 50001)]


# --- signals

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_in_order(pod, number):
    handlers = [{"name": "post-stop", "exec": ["/bin/echo", "after"]}]
    script = "trap 'echo stopping; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    one = pod.of({"a": {"exec": ["/bin/sh", "-c", script], "eventHandlers": handlers}, "b": {"exec": ["/bin/sleep", "100"]}})
    process, init = running(one), one.init()
    assert os.read(process.stdout.fileno(), 10) == b"up\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, b"stopping\nafter\n")
    assert one.result("b")["signal"] == 15
    assert one.exit_record()["reason"] == "stopped"
    nothing_is_left(one, init)


def test_app_that_fails_while_stopping_says_so(pod):
    one = pod(a="trap 'exit 5' TERM; echo up; while :; do sleep 0.1; done")
    process = running(one)
    assert os.read(process.stdout.fileno(), 10) == b"up\n"
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 5


def test_second_signal_kills(pod):
    one = pod(a="trap '' TERM; echo up; while :; do sleep 0.1; done")
    process = running(one)
    assert os.read(process.stdout.fileno(), 10) == b"up\n"
    init = one.init()
    process.terminate()
    time.sleep(0.3)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=5)
    assert process.returncode == 9
    assert one.result("a")["signal"] == 9
    nothing_is_left(one, init)


def test_signal_before_anything_runs(pod):
    one = pod(a="sleep 100")
    process = one.start()
    process.terminate()  # blocked until the loop runs, whenever that is
    process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM)


def test_kill_of_the_supervisor_leaves_nothing_running(pod):
    one = pod(a="sleep 1000 & sleep 1000", b="sleep 1000")
    process = running(one)
    init, group = one.init(), cgroup_root() / one.group().lstrip("/")
    process.kill()
    process.communicate(timeout=5)
    wait_for(lambda: not group.exists() or "populated 0" in (group / "cgroup.events").read_text(), "its processes to die", 5)
    wait_for(lambda: not pathlib.Path(f"/proc/{init}").exists(), "PID 1 to be reaped by whoever inherits it")
    assert process.returncode == -9


def test_pod_that_powers_itself_off(pod):
    one = pod(a="trap 'echo stopping; exit 0' TERM; echo up; while :; do sleep 0.1; done")
    process = running(one)
    assert os.read(process.stdout.fileno(), 10) == b"up\n"
    os.kill(one.init(), signal.SIGRTMIN + 4)  # what machinectl poweroff sends
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, b"stopping\n"), err
    nothing_is_left(one)


def test_init_that_is_killed(pod):
    one = pod(a="sleep 1000")
    process = running(one)
    os.kill(one.init(), signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == 9
    assert one.exit_record()["reason"] == "the pod's systemd ended"
    nothing_is_left(one)


# --- readiness

class NotifySocket:
    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)
        self.text = ""

    def wait_for(self, word):
        end = time.monotonic() + 30
        while word not in self.text:
            assert time.monotonic() < end, f"no {word} in {self.text}"
            self.text += self.socket.recv(4096).decode() + "\n"

    def has(self, word):
        self.socket.setblocking(False)
        try:
            while True:
                self.text += self.socket.recv(4096).decode() + "\n"
        except BlockingIOError:
            self.socket.settimeout(20)
        return word in self.text


def test_ready_and_stopping_are_notified(pod, home):
    notify = NotifySocket(home)
    one = pod(a="sleep 1000", b="sleep 1000")
    process = one.start(env={"NOTIFY_SOCKET": notify.path})
    notify.wait_for("READY=1")
    assert one.is_ready()
    assert "STOPPING=1" not in notify.text
    process.terminate()
    notify.wait_for("STOPPING=1")
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_app_that_notifies_itself(pod, home):
    notify = NotifySocket(home)
    annotations = [{"name": "appc.io/executor/supports-systemd-notify", "value": "true"}]
    script = """
        echo $NOTIFY_SOCKET
        while ! test -e /tmp/go; do sleep 0.05; done
        exec /bin/notify"""
    one = pod.of({"a": {"exec": ["/bin/sh", "-c", script]}}, annotations=annotations)
    process = one.start(env={"NOTIFY_SOCKET": notify.path})
    assert os.read(process.stdout.fileno(), 100).strip() != b""
    time.sleep(0.3)
    assert not notify.has("READY=1")
    assert not one.is_ready()
    (pathlib.Path(f"/proc/{one.init()}/root/run/host/app-a/tmp/go")).touch()
    notify.wait_for("READY=1")
    assert one.is_ready()
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


# --- interactive

def read_until_closed(master, wanted=None, seconds=20):
    """All there will be; or, if something is wanted, what there is next."""
    text, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            bytes_ = os.read(master, 4096)
        except OSError:
            return text
        text += bytes_
        if not bytes_ or wanted:
            return text
    raise AssertionError(f"time out; so far: {text!r}")


class Interactive:
    def __init__(self, pod, rows=31, columns=97):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.seen = b""
        self.slave = slave

        def become_session():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.process = pod.start("--interactive", stdin=slave, stdout=slave, stderr=slave, preexec_fn=become_session)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys)

    def expect(self, text):
        """Everything up to and including `text`; what comes after it is kept for the next time."""
        while text not in self.seen:
            self.seen += read_until_closed(self.master, text)
        found, _, self.seen = self.seen.partition(text)
        return found + text

    def end(self):
        status = self.process.wait(30)
        assert termios.tcgetattr(self.slave) == self.before, "the terminal's modes were not restored"
        return status


def test_interactive_terminal(pod):
    one = pod(a="tty; stty size; read line; echo got:$line; trap 'echo interrupted; exit 6' INT; echo ready; while :; do sleep 0.1; done")
    shell = Interactive(one)
    assert b"31 97" in shell.expect(b"31 97\r\n")
    shell.type(b"hello\n")
    shell.expect(b"got:hello\r\n")
    shell.expect(b"ready")
    shell.type(b"\x03")
    shell.expect(b"interrupted")
    assert shell.end() == 6


def test_interactive_window_change(pod):
    one = pod(a="trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.1; done")
    shell = Interactive(one)
    shell.expect(b"ready")
    shell.resize(50, 120)
    assert b"50 120" in shell.expect(b"50 120\r\n")
    assert shell.end() == 0


def test_interactive_escape_kills(pod):
    one = pod(a="trap '' TERM INT HUP; echo ready; while :; do sleep 0.1; done")
    shell = Interactive(one)
    shell.expect(b"ready")
    shell.type(b"\x1d\x1d")
    time.sleep(1.5)
    assert shell.process.poll() is None
    shell.type(b"\x1d\x1d\x1d")
    assert shell.end() == 9
    nothing_is_left(one)


def test_interactive_without_terminal_passes_descriptors(pod):
    one = pod(a="read line; echo got:$line; echo err >&2")
    process = one.start("--interactive", stdin=subprocess.PIPE)
    assert process.communicate(b"hello\n", timeout=30) == (b"got:hello\n", b"err\n")
    assert process.returncode == 0


# --- cgroups

@pytest.mark.skipif(HOST_IS_SYSTEMD, reason="on a booted host the group is machined's or the unit's")
def test_group_below_the_callers(pod):
    one = pod(a="sleep 1000")
    running(one)
    scope = "machine-rkt\\x2d" + one.uuid.replace("-", "\\x2d") + ".scope"
    own = pathlib.Path("/proc/self/cgroup").read_text().split("0::")[1].split("\n")[0].rstrip("/")
    assert one.group() == f"{own}/{scope}"
    assert str(one.init()) in (cgroup_root() / one.group().lstrip("/") / "init.scope/cgroup.procs").read_text().split()


def test_contract_files(pod):
    one = pod(a="sleep 1000")
    process = running(one)
    assert (one.dir / "ppid").read_text() == f"{process.pid}\n"
    pid, start = (one.dir / "pid1").read_text().split()
    assert pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[19] == start
    assert (one.dir / "supervisor-status").read_text() == "ready"


@pytest.mark.parametrize("flags, message", [
    (["--net=default"], b"net/plan.json"),
    (["--colour=red"], b'does not support "--colour=red"'),
    (["--ipc=other"], b'unknown value for --ipc parameter: "other"'),
])
def test_refused_arguments(pod, flags, message):
    status, _, err = pod(a="exit 0").run(*flags)
    assert status == 254
    assert message in err
