# SPDX-License-Identifier: Apache-2.0
"""A full disk at any moment of fetch, prepare and run: a clear error, and all is well when there is room again."""
import os
import subprocess

import aci
import pytest

pytestmark = pytest.mark.bare


@pytest.fixture
def small(rocket, home):
    """The data directory on a file system of 24 MiB; grow() gives it room."""
    rocket.data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", rocket.data], check=True)
    yield lambda size: subprocess.run(["mount", "-o", f"remount,size={size}", rocket.data], check=True)
    subprocess.run(["umount", "--lazy", rocket.data], check=True)


@pytest.fixture
def big(make):
    """12 MiB that do not compress, twice: archive and tree do not fit into 24."""
    return make("example.com/big", aci.app("/bin/true"), [*aci.busybox(), aci.file("rootfs/data", os.urandom(12 << 20))])


def clear_error(done):
    assert "no space left" in done.stderr.lower() and done.stderr.count("\n") <= 3, done.stderr


def fill(rocket, leave):
    """Leave only so many bytes."""
    stat = os.statvfs(rocket.data)
    path = rocket.data / "ballast"
    with open(path, "ab") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, max(1, stat.f_bavail * stat.f_frsize - leave))
    return path


def test_fetch(rocket, small, big):
    clear_error(rocket("--insecure-options=image", "fetch", big, status=254))
    assert rocket("image", "list", "--no-legend").stdout.strip() == ""
    small("64m")
    rocket.fetch(big)
    rocket("image", "verify", "example.com/big")


@pytest.mark.parametrize("room", [0, 4096, 16384, 65536, 262144, 1 << 20])
def test_every_command_with_little_room(rocket, small, busybox, room):
    """Whatever fits works, whatever does not says so; afterwards everything works."""
    other = rocket.fetch(busybox)
    ballast = fill(rocket, room)
    for arguments in (["prepare", busybox], ["prepare", "--no-overlay", busybox], ["run", "--net=none", busybox], ["run", "--net=none", "--no-overlay", busybox],
                      ["list"], ["image", "list"], ["gc"]):
        done = rocket("--insecure-options=image", *arguments, status=None)
        assert done.returncode in (0, 254), (arguments, done)
        if done.returncode:
            clear_error(done)
    for uuid in rocket.uuids():
        rocket("rm", uuid, status=None)
    rocket("gc", "--grace-period=0s", "--expire-prepared=0s")
    ballast.unlink()
    rocket("image", "verify", other)
    assert rocket.run(busybox, "--exec=/bin/echo", "--", "fine").stdout == "fine\n"
    for uuid in rocket.uuids():
        rocket("rm", uuid)
    assert rocket.uuids() == []


def test_an_app_that_fills_the_disk(rocket, small, busybox):
    rocket.sh(busybox, "dd if=/dev/zero of=/big bs=1M count=100 2>/dev/null", status=1)
    [uuid] = rocket.uuids()
    assert "app-busybox=1" in rocket("status", uuid).stdout
    rocket("rm", uuid)


@pytest.mark.parametrize("command", [["prepare"], ["prepare", "--no-overlay"], ["run", "--net=none"]])
def test_pods_page_by_page(rocket, small, busybox, command):
    """The moment at which the room ends wanders through the whole command."""
    full, command = rocket.fetch(busybox), ["--insecure-options=image", *command]

    def collect():
        for _ in "mark", "delete":
            rocket("gc", "--grace-period=0s", "--expire-prepared=0s")

    def used():
        info = os.statvfs(rocket.data)
        return (info.f_blocks - info.f_bfree) * info.f_frsize
    rocket(*command, full)
    collect()
    empty, failures = used(), 0
    for pages in [0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 64, 128, 256, 512]:
        small(empty + pages * 4096)
        done = rocket(*command, full, status=None)
        small("24m")
        if done.returncode != 0:
            failures += 1
            assert done.returncode == 254
            clear_error(done)
            assert not [line for line in rocket("list", "--no-legend").stdout.splitlines() if "prepared" in line.split()]
        collect()
        assert used() <= empty + 64 * 1024, f"left over after {pages} pages"
    assert failures > 0
    rocket(*command, full)
