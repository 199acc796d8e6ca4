# SPDX-License-Identifier: Apache-2.0
"""Sockets and single files of the host as volumes (VOL-1, VOL-9, VOL-13, internals F9)."""
import pathlib
import socket
import subprocess
import threading

import aci
import pytest

from conftest import SOURCE
from sandboxes import add_script, finish, run_to_end

pytestmark = pytest.mark.bare


@pytest.fixture(scope="session")
def talker(images):
    program = images / "say"
    subprocess.run(["cc", "-static", "-O1", "-Wall", "-Werror", "-o", program, SOURCE / "tests/data/say.c"], check=True)
    return aci.write(images / "talker.aci", aci.image("example.com/talker", aci.app("/bin/true"), [
        *aci.busybox(("sh", "cat", "stat")), aci.file("rootfs/bin/say", program.read_bytes(), 0o755)]))


@pytest.fixture
def daemon(home):
    """A daemon of the host that repeats what it hears; where its socket is."""
    path = home / "daemon"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o666)
        server.listen()

        def serve():
            while (peer := server.accept()[0]) and (heard := peer.recv(100)):
                peer.sendall(b"heard " + heard)
                peer.close()
        thread = threading.Thread(target=serve)
        thread.start()
        yield path
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(path))
        thread.join()


SCRIPT = "say /run/daemon.sock hello; cat /etc/ours; echo x >/etc/ours; cat /new/place/file; echo new >/new/place/file; stat -c '%F %u' /new/place/file; true"
EXPECTED = "heard hello\nread-only\nold\nregular file 0\n"


def volumes(home, daemon):
    (home / "ours").write_text("read-only\n")
    (home / "file").write_text("old\n")
    return [("s", daemon, "/run/daemon.sock", ""), ("o", home / "ours", "/etc/ours", ",readOnly=true"), ("f", home / "file", "/new/place/file", "")]


@pytest.mark.parametrize("flags", [["--net=none"], ["--net=none", "--private-users"], ["--net=host", "--stage1-from-dir=fly"]],
                         ids=["default", "private users", "fly"])
def test_of_an_app_of_run(rocket, talker, home, daemon, flags):
    """Their places are made in the app's own layer; what is written is the host's file, and the socket is the daemon's."""
    given = volumes(home, daemon)
    done = rocket("--insecure-options=image", "run", *flags, *[f"--volume={name},kind=host,source={source}{more}" for name, source, _, more in given],
                  talker, *[f"--mount=volume={name},target={target}" for name, _, target, _ in given], "--exec=/bin/sh", "--", "-c", SCRIPT)
    assert "".join(line.rsplit("]: ", 1)[-1] + "\n" for line in done.stdout.splitlines() if "Read-only" not in line) == EXPECTED
    assert "Read-only file system" in done.stdout + done.stderr
    assert (home / "file").read_text() == "new\n" and (home / "ours").read_text() == "read-only\n"


def test_of_an_app_that_is_added(rocket, sandbox, talker, home, daemon):
    process, uuid = sandbox()
    add_script(rocket, uuid, talker, "a", SCRIPT,
               *[f"--mnt-volume=name={name},kind=host,source={source},target={target}{more}" for name, source, target, more in volumes(home, daemon)])
    assert run_to_end(rocket, uuid, "a") == 0
    out, err = finish(process)
    assert out == EXPECTED and "Read-only file system" in err
    assert (home / "file").read_text() == "new\n"
    rocket("gc", "--grace-period=0s")
    rocket("gc", "--grace-period=0s")
    assert pathlib.Path(daemon).is_socket() and (home / "ours").exists(), "gc leaves the host's alone"
