# SPDX-License-Identifier: Apache-2.0
"""Images whose files try to reach the host, or to hang Rocket (R3, R4): not one byte, node or directory of the host changes."""
import os

import aci
import pytest

pytestmark = pytest.mark.bare

DIRECTORIES = ["etc", "dev", "run", "var", "proc", "sys", "tmp"]


def snapshot(top):
    return sorted((str(p), p.lstat().st_mode, p.lstat().st_size, p.lstat().st_mtime_ns, p.lstat().st_ino) for p in [top, *top.rglob("*")])


def shell_without(directory):
    return [m for m in aci.busybox() if not (m[0].name == f"rootfs/{directory}" or m[0].name.startswith(f"rootfs/{directory}/"))]


@pytest.fixture
def canary(home):
    """A directory of the host that must stay as it is."""
    top = home / "canary"
    for name in ("sub", "etc", "dev", "log"):
        (top / name).mkdir(parents=True)
    for name in ("passwd", "group", "hosts", "resolv.conf", "hostname", "machine-id", "mtab"):
        (top / name).write_text("untouched\n")
    os.chmod(top, 0o755)
    return top


@pytest.mark.parametrize("how", ["absolute", "relative", "proc/self/root"])
@pytest.mark.parametrize("directory", DIRECTORIES)
@pytest.mark.parametrize("flags", [[], ["--no-overlay"]], ids=["overlay", "copy"])
def test_top_directory_is_a_link_to_the_host(rocket, make, canary, directory, how, flags):
    target = {"absolute": str(canary), "relative": "../" * 20 + str(canary)[1:], "proc/self/root": f"/proc/self/root{canary}"}[how]
    path = make("example.com/evil", aci.app("/bin/echo", "ran"), [*shell_without(directory), aci.symlink(f"rootfs/{directory}", target)])
    before = snapshot(canary)
    done = rocket.run(*flags, path, "--hosts-entry=10.0.0.1=x", "--dns=192.0.2.1", status=None, timeout=30)
    assert snapshot(canary) == before, "the host was changed"
    assert done.returncode == 0 and done.stdout == "ran\n", done.stderr


@pytest.mark.parametrize("how", ["absolute", "proc/self/root"])
def test_working_directory_and_volume_target_are_links(rocket, make, canary, home, how):
    target = str(canary) if how == "absolute" else f"/proc/self/root{canary}"
    (home / "volume").mkdir()
    path = make("example.com/evil", aci.app("/bin/echo", "ran", workingDirectory="/work", mountPoints=[{"name": "m", "path": "/mnt/sub/new"}]),
                [*aci.busybox(), aci.symlink("rootfs/work", target), aci.symlink("rootfs/mnt", target)])
    before = snapshot(canary)
    rocket.run(f"--volume=m,kind=host,source={home}/volume", path, status=None, timeout=30)
    assert snapshot(canary) == before


@pytest.mark.parametrize("leaf", ["etc/hosts", "etc/resolv.conf", "etc/hostname", "etc/passwd", "etc/group", "dev/null", "dev/console", "etc/mtab"])
def test_a_file_that_is_a_link_to_the_host(rocket, make, canary, leaf):
    folder, name = leaf.split("/")
    (canary / name).write_text("untouched\n")
    content = [m for m in aci.busybox() if m[0].name != f"rootfs/{leaf}"]
    if folder != "etc":
        content.append(aci.directory(f"rootfs/{folder}"))
    path = make("example.com/evil", aci.app("/bin/echo", "ran"), [*content, aci.symlink(f"rootfs/{leaf}", str(canary / name))])
    before = snapshot(canary)
    rocket.run(path, "--hosts-entry=10.0.0.1=x", "--dns=192.0.2.1", status=None, timeout=30)
    assert snapshot(canary) == before


@pytest.mark.parametrize("leaf", ["passwd", "group"])
@pytest.mark.parametrize("kind", ["fifo", "directory", "huge", "link to a device", "link to itself"])
def test_user_database_that_is_not_one(rocket, make, leaf, kind):
    """Names cannot be found there, and nothing hangs; numbers work."""
    name = f"rootfs/etc/{leaf}"
    entry = {"fifo": aci.fifo(name), "directory": aci.directory(name), "huge": aci.file(name, b"x" * (3 << 20)),
             "link to a device": aci.symlink(name, "/dev/zero"), "link to itself": aci.symlink(name, leaf)}[kind]
    content = [m for m in aci.busybox() if m[0].name != name]
    path = make("example.com/evil", aci.app("/bin/echo", "ran", user="web", group="web"), [*content, entry])
    assert rocket.run(path, status=254, timeout=30).stdout == ""
    path = make("example.com/fine", aci.app("/bin/echo", "ran", user="12", group="34"), [*content, entry])
    assert rocket.run(path, timeout=30).stdout == "ran\n"


def test_an_app_cannot_make_devices(rocket, busybox):
    out = rocket.sh(busybox, "mknod /dev/x c 1 5 && head -c1 /dev/x; mknod /x c 1 5 && head -c1 /x; echo end").stdout
    assert out == "end\n"


def test_pods_do_not_see_each_other(rocket, busybox):
    _, uuid = rocket.started(busybox, "--exec=/bin/sh", "--", "-c", "echo secret > /secret; sleep 60")
    assert rocket.sh(busybox, "ls / | grep -c secret; ls /proc | grep -c '^[0-9]*$'", status=0).stdout.split()[0] == "0"
    rocket("stop", "--force", uuid)
