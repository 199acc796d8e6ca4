# SPDX-License-Identifier: Apache-2.0
"""The processes that read archives, seen from outside while they work (R1): what a fault in one of them could reach."""
import os
import pathlib
import signal
import time

import aci
import oci
import pytest

pytestmark = pytest.mark.bare

CHOWN, DAC_OVERRIDE, FOWNER, FSETID, MKNOD, SETFCAP = (1 << n for n in (0, 1, 3, 4, 27, 31))


def children(pid):
    found = {}
    for path in pathlib.Path("/proc").iterdir():
        try:
            if path.name.isdigit() and (path / "stat").read_text().rsplit(")", 1)[1].split()[1] == str(pid):
                words = (path / "cmdline").read_bytes().split(b"\0")
                found[words[1].decode() if len(words) > 1 else ""] = int(path.name)
        except OSError:  # it has ended meanwhile
            continue
    return found


def status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def big_image(make, home, mode):
    files = [(str(n), os.urandom(8 << 20)) for n in range(8)]
    if mode == "extract":
        return make("example.com/big", content=[aci.file(f"rootfs/{name}", data) for name, data in files], compression=None)
    layout = oci.Layout(home / "layout")
    layout.image(layout.layer([aci.device("null", 1, 3), *[aci.file(name, data) for name, data in files]], None))
    return str(layout)


@pytest.fixture(params=["extract", "layer"])
def workers(rocket, make, home, request):
    """Both of them, stopped after they have begun: {mode: pid}."""
    image = big_image(make, home, request.param)
    for _ in range(20):  # it may be through before we have it
        process = rocket.start("--insecure-options=image", "fetch", image)
        end = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < end:
            found = children(process.pid)
            if {request.param, "decompress"} <= set(found):
                try:
                    ready = all(status(pid)["Seccomp"] == "2" for pid in found.values())
                    if ready:
                        os.kill(process.pid, signal.SIGSTOP)  # nothing more comes to them
                        ready = all(status(pid)["Seccomp"] == "2" for pid in found.values())
                        if ready:
                            yield {**found, "writer": found[request.param]}
                            os.kill(process.pid, signal.SIGCONT)
                            assert process.wait(60) == 0
                            return
                        os.kill(process.pid, signal.SIGCONT)
                except (OSError, KeyError):  # a worker has ended meanwhile
                    os.kill(process.pid, signal.SIGCONT)
        process.communicate()
    raise AssertionError("the workers were never seen")


def test_extractor(workers):
    pid = workers["writer"]
    seen = status(pid)
    assert int(seen["CapEff"], 16) == int(seen["CapBnd"], 16) == CHOWN | DAC_OVERRIDE | FOWNER | FSETID | SETFCAP
    assert (seen["NoNewPrivs"], seen["Seccomp"], seen["Uid"].split()) == ("1", "2", ["0"] * 4)
    for name in ("user", "mnt", "net", "ipc", "uts"):
        assert os.readlink(f"/proc/{pid}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}"), name
    # Root in there is root out here, for files and their owners; and for nothing else.
    ours, theirs = (pathlib.Path(f"/proc/{p}/uid_map").read_text().split() for p in ("self", pid))
    assert ours[2] == theirs[2] and theirs[0] == theirs[1]
    mounts = pathlib.Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
    assert len(mounts) == 1 and {"nosuid", "nodev", "noexec"} <= set(mounts[0].split()[5].split(",")), mounts
    assert set(os.listdir(f"/proc/{pid}/root")) <= {"null", *map(str, range(8))}


def test_decompressor(workers):
    pid = workers["decompress"]
    seen = status(pid)
    assert int(seen["CapEff"], 16) == int(seen["CapBnd"], 16) == 0
    assert (seen["NoNewPrivs"], seen["Seccomp"], seen["Groups"].strip()) == ("1", "2", "")
    assert "0" not in seen["Uid"].split()
    assert os.listdir(f"/proc/{pid}/root") == []
    for name in ("user", "mnt", "net", "ipc", "uts"):
        assert os.readlink(f"/proc/{pid}/ns/{name}") != os.readlink(f"/proc/self/ns/{name}"), name
    for fd in os.listdir(f"/proc/{pid}/fd"):
        assert not os.readlink(f"/proc/{pid}/fd/{fd}").startswith(("/var", "/tmp")), "no file of the host is open"


def test_device_nodes_are_the_exception(rocket, make):
    """They are refused; so nothing of the host's privileges is needed."""
    image = make("example.com/dev", content=[aci.device("rootfs/null", 1, 3)])
    assert "device" in rocket("--insecure-options=image", "fetch", image, status=254).stderr


def test_what_capabilities_in_a_user_namespace_must_still_do(rocket, make):
    """Any owner, set-id bits, file capabilities, ACLs: as the host's root would write them."""
    file = aci.file("rootfs/cap", "x", 0o755, uid=4294967294, gid=4294967294)
    capability = b"\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0"  # version 2, effective, CAP_NET_BIND_SERVICE
    file[0].pax_headers = {"SCHILY.xattr.security.capability": capability.decode("latin-1"), "SCHILY.xattr.user.a": "b"}
    full = rocket.fetch(make("example.com/cap", content=[file, aci.file("rootfs/suid", "x", 0o6755, uid=100000, gid=7)]))
    root = rocket.data / f"cas/tree/{full}/rootfs"
    info = os.stat(root / "cap")
    assert (info.st_uid, info.st_gid) == (4294967294, 4294967294)
    assert os.getxattr(root / "cap", "security.capability") == capability and os.getxattr(root / "cap", "user.a") == b"b"
    assert (os.stat(root / "suid").st_mode & 0o7777, os.stat(root / "suid").st_uid) == (0o6755, 100000)
    assert "successfully verified" in rocket("image", "verify", full).stdout
