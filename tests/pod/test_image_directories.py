# SPDX-License-Identifier: Apache-2.0
"""Images as directories, and images that go: image extract, render, gc (cli 8.16)."""
import json
import os
import shutil
import stat
import time

import aci
import pytest

pytestmark = pytest.mark.bare

CONTENT = [aci.directory("rootfs/d", 0o1777, mtime=1000000000), aci.file("rootfs/d/f", "data", uid=7, gid=8, mode=0o4755),
           aci.hardlink("rootfs/h", "rootfs/d/f"), aci.symlink("rootfs/l", "/d/f"), aci.fifo("rootfs/p")]


def check_tree(root, uid=7, gid=8, mode=0o4755):
    info = os.lstat(root / "d/f")
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (uid, gid, mode)
    assert (root / "d/f").read_text() == "data" and os.stat(root / "h").st_ino == info.st_ino
    assert os.readlink(root / "l") == "/d/f" and (root / "p").is_fifo()
    assert os.stat(root / "d").st_mtime == 1000000000 and {p.name for p in root.iterdir()} == {"d", "h", "l", "p"}


@pytest.mark.parametrize("command", ["extract", "render"])
def test_output_directory(rocket, make, home, command):
    full = rocket.fetch(make("example.com/a", content=CONTENT))
    rocket("image", command, "example.com/a", home / "out")
    check_tree(home / "out/rootfs")
    assert {p.name for p in (home / "out").iterdir()} == {"manifest", "rootfs"}
    assert (home / "out/manifest").read_bytes() == (rocket.data / f"cas/image/{full}/manifest").read_bytes()
    assert stat.S_IMODE((home / "out").stat().st_mode) == 0o755

    assert "output directory exists (try --overwrite)" in rocket("image", command, full, home / "out", status=254).stderr
    (home / "out/rootfs/mine").write_text("x")
    rocket("image", command, "--overwrite", full, home / "out")
    check_tree(home / "out/rootfs")

    rocket("image", command, "--rootfs-only", full[:20], home / "root")
    check_tree(home / "root")
    assert not [p for p in home.iterdir() if p.name.startswith(".")], "nothing temporary may stay"


@pytest.mark.parametrize("command", ["extract", "render"])
def test_output_directory_is_refused(rocket, make, home, command):
    rocket.fetch(make("example.com/a"))
    assert "delete your root" in rocket("image", command, "--overwrite", "example.com/a", "/", status=254).stderr
    os.symlink("/", home / "link")
    assert "delete your root" in rocket("image", command, "--overwrite", "example.com/a", home / "link", status=254).stderr
    (home / "file").write_text("x")
    assert "not a directory" in rocket("image", command, "--overwrite", "example.com/a", home / "file", status=254).stderr
    assert rocket("image", command, "example.com/a", home / "none/out", status=254).stderr
    assert "cannot find" in rocket("image", command, "example.com/none", home / "out", status=254).stderr
    assert not (home / "out").exists() and (home / "file").read_text() == "x"


def test_render_repairs_a_damaged_tree(rocket, make, home):
    full = rocket.fetch(make("example.com/a", content=CONTENT))
    (rocket.data / f"cas/tree/{full}/rootfs/h").write_text("evil")
    done = rocket("image", "render", full, home / "out")
    assert "tree cache is in a bad state" in done.stderr
    check_tree(home / "out/rootfs")


def test_extract_of_a_damaged_archive(rocket, make, home):
    full = rocket.fetch(make("example.com/a", content=CONTENT, compression=None))
    archive = rocket.data / f"cas/image/{full}/archive"
    data = bytearray(archive.read_bytes())
    data[data.index(b"data")] = ord("e")
    archive.write_bytes(data)
    assert "damaged" in rocket("image", "extract", full, home / "out", status=254).stderr
    assert [p.name for p in home.iterdir() if "out" in p.name] == []


def test_extract_without_privilege(rocket, make, home):
    full = rocket.fetch(make("example.com/a", content=[*CONTENT, aci.directory("rootfs/closed", 0o500), aci.file("rootfs/closed/x", "x", mode=0o400)]))
    home.chmod(0o755)
    mine = home / "mine"
    mine.mkdir()
    os.chown(mine, 12345, 12345)
    group = os.stat(rocket.data).st_gid
    rocket.as_user("image", "extract", full, mine / "out", groups=[group])
    root = mine / "out/rootfs"
    assert stat.S_IMODE(os.stat(root / "closed").st_mode) == 0o500 and (root / "closed/x").read_text() == "x"
    shutil.rmtree(root / "closed")
    check_tree(root, 12345, 12345, 0o755)
    assert "cannot run as unprivileged user" in rocket.as_user("image", "render", full, mine / "r", groups=[group], status=254).stderr


# --- gc

def names(rocket):
    return sorted(e["name"].split(":")[0].rsplit("/")[-1] for e in json.loads(rocket("image", "list", "--format=json").stdout) or [])


def age(rocket, full, hours):
    then = time.time() - hours * 3600
    os.utime(rocket.data / f"cas/image/{full}/used", (then, then))


def test_gc_by_age(rocket, make):
    ids = {n: rocket.fetch(make(f"example.com/{n}", content=[aci.file("rootfs/x", n)])) for n in "abc"}
    assert rocket("image", "gc").stdout == "" and names(rocket) == ["a", "b", "c"]
    age(rocket, ids["a"], 25)
    age(rocket, ids["b"], 23)
    done = rocket("image", "gc")
    assert done.stdout == f'successfully removed aci for image: "{ids["a"]}"\n'
    assert f'removed treestore "{ids["a"]}"' in done.stderr and "1 image(s) successfully removed" in done.stderr
    assert names(rocket) == ["b", "c"] and not (rocket.data / f"cas/tree/{ids['a']}").exists()
    rocket("image", "gc", "--grace-period=1h")
    assert names(rocket) == ["c"]
    rocket("image", "gc", "--grace-period=0s")
    assert names(rocket) == [] and not list((rocket.data / "cas/tree").iterdir())
    assert "duration" in rocket("image", "gc", "--grace-period=1", status=254).stderr
    assert "negative" in rocket("image", "gc", "--grace-period=-1h", status=254).stderr


def test_gc_by_size(rocket, make):
    ids = {n: rocket.fetch(make(f"example.com/{n}", content=[aci.file("rootfs/x", os.urandom(1 << 20))])) for n in "abc"}
    for hours, n in enumerate("cab"):  # b is the oldest one
        age(rocket, ids[n], hours)
    rocket("image", "gc", "--max-size=1G")
    assert names(rocket) == ["a", "b", "c"]
    rocket("image", "gc", "--max-size=5M")  # each is 2 MiB: archive and tree
    assert names(rocket) == ["a", "c"]
    rocket("image", "gc", "--max-size=0")
    assert names(rocket) == []
    assert "quantity" in rocket("image", "gc", "--max-size=much", status=254).stderr


def test_gc_keeps_what_pods_use(rocket, make, busybox):
    full = rocket.fetch(busybox)
    uuid = rocket("--insecure-options=image", "prepare", full).stdout.strip()
    age(rocket, full, 100)
    rocket("image", "gc")
    assert names(rocket) == ["busybox"]
    assert f'pod "{uuid}" uses the image' in rocket("image", "rm", full, status=254).stderr
    rocket("run-prepared", "--net=none", uuid)
    age(rocket, full, 100)
    rocket("image", "gc")
    assert names(rocket) == ["busybox"], "the ended pod can still be exported"
    rocket("rm", uuid)
    age(rocket, full, 100)
    rocket("image", "gc")
    assert names(rocket) == []
