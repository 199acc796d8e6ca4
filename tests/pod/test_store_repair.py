# SPDX-License-Identifier: Apache-2.0
"""What is damaged in the store is repaired by the next command, and many at once do not damage it (R13, R14)."""
import os

import aci
import pytest
from conftest import wait_for

pytestmark = pytest.mark.bare


def test_the_index_is_only_an_index(rocket, busybox):
    """cas/db may be lost, cut short or overwritten at any time: it is rebuilt from the files."""
    full = rocket.fetch(busybox)
    database = rocket.data / "cas/db"
    for damage in ("removed", "cut", "garbage"):
        for path in list(database.iterdir()):
            if damage == "removed":
                path.unlink()
            else:
                path.write_bytes(path.read_bytes()[:1000] if damage == "cut" else b"\xff" * 5000)
        assert rocket("image", "list", "--full", "--no-legend", "--fields=id").stdout.split() == [full], damage
        rocket("image", "verify", "example.com/busybox")
        assert rocket("image", "cat-manifest", "example.com/busybox").stdout


def test_a_damaged_tree_is_rendered_again(rocket, busybox):
    full = rocket.fetch(busybox)
    root = rocket.data / "cas/tree" / full / "rootfs"
    (root / "bin/busybox").write_bytes(b"not busybox")
    (root / "evil").touch()
    done = rocket("image", "verify", full)
    assert "tree cache verification failed" in done.stdout and "rebuilding" in done.stdout
    assert not (root / "evil").exists()
    assert "successfully verified" in rocket("image", "verify", full).stdout
    assert rocket.sh(full, "exit 3", status=3)


def test_ten_fetches_at_once(rocket, make):
    same = make("example.com/same", content=[aci.file("rootfs/f", os.urandom(3_000_000))])
    paths = [make(f"example.com/n{n}", content=[aci.file("rootfs/f", os.urandom(100_000))]) for n in range(8)]
    running = [rocket.start("--insecure-options=image", "fetch", "--full", path) for path in [same, same, *paths]]
    ids = [process.communicate(timeout=60)[0].strip() for process in running]
    assert [process.returncode for process in running] == [0] * 10
    assert ids[0] == ids[1]
    listed = rocket("image", "list", "--full", "--no-legend", "--fields=id").stdout.split()
    assert sorted(listed) == sorted(set(ids))
    for image in listed:
        assert "successfully verified" in rocket("image", "verify", image).stdout


def test_two_fetches_of_a_file_do_the_work_once(rocket, make):
    path = make("example.com/same", content=[aci.file("rootfs/f", os.urandom(40_000_000))], compression=None)
    first = rocket.start("--insecure-options=image", "--debug", "fetch", path)
    wait_for(lambda: list((rocket.data / "locks").glob("fetch-*")), "the first to begin")
    second = rocket("--insecure-options=image", "--debug", "fetch", path)
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0 and out == second.stdout
    assert "waiting" in second.stderr and "fetching image from" in err and "fetching image from" not in second.stderr
    assert list((rocket.data / "locks").glob("fetch-*")) == []
