# SPDX-License-Identifier: Apache-2.0
"""Malformed and hostile archives: each refused with one clear line, nothing written outside, the store unchanged."""
import gzip
import json
import os
import tarfile

import aci
import pytest

pytestmark = pytest.mark.bare

HEAD = lambda: aci.image("example.com/evil")
MANIFEST = lambda: aci.file("manifest", json.dumps(aci.manifest("example.com/evil")))
ROOTFS = lambda: aci.directory("rootfs")


def tar(*members):
    return lambda canary: gzip.compress(aci.tar_bytes([*members]), 1)


def bad_header(canary):
    data = bytearray(aci.tar_bytes(HEAD()))
    data[148:156] = b"0000000\0"
    return bytes(data)


def manifest_with(**fields):
    return aci.file("manifest", json.dumps({**aci.manifest("example.com/evil"), **fields}))


# What is wrong → (bytes of the archive, a word that the error must contain)
HOSTILE = {
    "dot-dot name": (tar(*HEAD(), aci.file("rootfs/../../evil", "x")), ".."),
    "dot-dot that stays inside": (tar(*HEAD(), aci.file("rootfs/a/../b", "x")), ".."),
    "absolute name": (tar(*HEAD(), aci.file("/evil", "x")), "absolute"),
    "write through a link, absolute": (lambda canary: gzip.compress(aci.tar_bytes(
        [*HEAD(), aci.symlink("rootfs/l", str(canary)), aci.file("rootfs/l/evil", "x")])), "rootfs/l"),
    "write through a link, relative": (tar(*HEAD(), aci.symlink("rootfs/l", "../../../../../../../tmp"), aci.file("rootfs/l/rocket-evil", "x")),
                                       "rootfs/l"),
    "hard link to outside": (lambda canary: gzip.compress(aci.tar_bytes([*HEAD(), aci.hardlink("rootfs/h", str(canary / "secret"))])), "link"),
    "hard link by dot-dot": (tar(*HEAD(), aci.hardlink("rootfs/h", "rootfs/../manifest")), "link"),
    "hard link to the manifest": (tar(*HEAD(), aci.hardlink("rootfs/h", "manifest")), "link"),
    "hard link to nothing": (tar(*HEAD(), aci.hardlink("rootfs/h", "rootfs/none")), "link"),
    "character device": (tar(*HEAD(), aci.device("rootfs/mem", 1, 1)), "device"),
    "block device": (tar(*HEAD(), aci.device("rootfs/sda", 8, 0, tarfile.BLKTYPE)), "device"),
    "two manifests": (tar(MANIFEST(), ROOTFS(), MANIFEST()), "manifest"),
    "no manifest": (tar(ROOTFS(), aci.file("rootfs/x", "x")), "manifest"),
    "no rootfs": (tar(MANIFEST()), "rootfs"),
    "rootfs is a link": (tar(MANIFEST(), aci.symlink("rootfs", "/")), "rootfs"),
    "rootfs is a file": (tar(MANIFEST(), aci.file("rootfs", "x")), "rootfs"),
    "manifest is a link": (tar(aci.symlink("manifest", "/etc/passwd"), ROOTFS()), "manifest"),
    "manifest is a FIFO": (tar(aci.fifo("manifest"), ROOTFS()), "manifest"),
    "duplicate entry": (tar(*HEAD(), aci.file("rootfs/x", "1"), aci.file("rootfs//x", "2")), "rootfs/x"),
    "unknown top entry": (tar(*HEAD(), aci.file("evil", "x")), "evil"),
    "top entry like rootfs": (tar(*HEAD(), aci.file("rootfsfoo", "x")), "rootfsfoo"),
    "bomb": (lambda canary: aci.compress(aci.tar_bytes([*HEAD(), aci.file("rootfs/zero", bytes(400_000_000))]), "gz"), "ratio"),
    "truncated": (lambda canary: gzip.compress(aci.tar_bytes([*HEAD(), aci.file("rootfs/x", os.urandom(100_000))]))[:50_000], ""),
    "truncated tar": (lambda canary: aci.tar_bytes([*HEAD(), aci.file("rootfs/x", os.urandom(100_000))])[:50_000], ""),
    "wrong checksum of gzip": (lambda canary: gzip.compress(aci.tar_bytes(HEAD()))[:-8] + bytes(8), ""),
    "wrong magic": (lambda canary: os.urandom(4096), ""),
    "empty file": (lambda canary: b"", ""),
    "zip": (lambda canary: b"PK\x03\x04" + bytes(2000), ""),
    "zstd": (lambda canary: aci.compress(aci.tar_bytes(HEAD()), "zst"), ""),
    "gzip in gzip": (lambda canary: gzip.compress(gzip.compress(aci.tar_bytes(HEAD()))), ""),
    "bad header checksum": (bad_header, ""),
    "unknown member type": (tar(*HEAD(), aci.member("rootfs/x", b"Z", 0o644)), "type"),
    "name not of one": (tar(aci.file("manifest", json.dumps(aci.manifest("Not A Name"))), ROOTFS()), "Not A Name"),
    "wrong kind": (tar(manifest_with(acKind="PodManifest"), ROOTFS()), "acKind"),
    "manifest is not JSON": (tar(aci.file("manifest", "{not json"), ROOTFS()), "manifest"),
    "label twice": (tar(manifest_with(labels=[{"name": "os", "value": "linux"}] * 2), ROOTFS()), "os"),
    "deep JSON": (tar(aci.file("manifest", "[" * 5000 + "]" * 5000), ROOTFS()), "manifest"),
    "huge manifest": (tar(aci.file("manifest", b" " * (5 << 20)), ROOTFS()), "manifest"),
    "very long name": (tar(*HEAD(), aci.file("rootfs/" + "n" * 300, "x")), ""),
    "very deep path": (tar(*HEAD(), aci.file("rootfs/" + "d/" * 300 + "x", "x")), ""),
    "terminal escapes in a name": (tar(*HEAD(), aci.file("\x1b[2Jevil", "x")), "evil"),
}


def snapshot(directory):
    return sorted((str(p), p.lstat().st_mode, p.lstat().st_size, p.lstat().st_mtime_ns) for p in directory.rglob("*"))


@pytest.mark.parametrize("what", HOSTILE)
def test_refused(rocket, home, what):
    content, word = HOSTILE[what]
    canary = home / "canary"
    canary.mkdir()
    (canary / "secret").write_text("secret")
    before = snapshot(canary)
    path = home / "evil.aci"
    path.write_bytes(content(canary))

    done = rocket("--insecure-options=image", "fetch", path, status=254)
    lines = done.stderr.splitlines()
    assert lines and all(line.startswith("  ") for line in lines[1:]), f"one clear line, then a hint at most:\n{done.stderr}"
    assert lines[0].startswith(("fetch: ", "image: ")) and word in lines[0], lines[0]
    assert all(line.isprintable() for line in lines), "bytes of the image must not reach the terminal"
    assert done.stdout == ""

    assert snapshot(canary) == before and not os.path.exists("/evil") and not os.path.exists("/tmp/rocket-evil")
    assert not (home / "evil").exists()
    assert os.stat(canary / "secret").st_nlink == 1
    assert rocket("image", "list", "--no-legend").stdout.strip() == ""
    left = [p for name in ("image", "tree", "tmp") for p in (rocket.data / "cas" / name).glob("*")]
    assert left == [], "the store must be as before"


@pytest.mark.parametrize("what, members", {
    "manifest last": [aci.directory("rootfs"), aci.file("rootfs/x", "x"), aci.file("manifest", json.dumps(aci.manifest("example.com/ok")))],
    "dots in names": [aci.file("./manifest", json.dumps(aci.manifest("example.com/ok"))), aci.directory("./rootfs/"), aci.file("./rootfs/a//b", "x")],
    "parents without entries": [*aci.image("example.com/ok"), aci.file("rootfs/a/b/c", "x")],
    "links that lead nowhere": [*aci.image("example.com/ok"), aci.symlink("rootfs/etc", "/proc/self/root/etc"), aci.symlink("rootfs/x", "../../../..")],
    "a FIFO as passwd": [*aci.image("example.com/ok"), aci.directory("rootfs/etc"), aci.fifo("rootfs/etc/passwd")],
}.items())
def test_unusual_but_fine(rocket, make, what, members):
    for format in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        rocket.fetch(make.raw(members, format=format))
    rocket("image", "verify", "example.com/ok")


def test_an_image_that_is_a_fifo_or_a_device(rocket, home):
    os.mkfifo(home / "pipe.aci")
    os.mknod(home / "null.aci", 0o600 | 0o020000, os.makedev(1, 5))
    for path in (home / "pipe.aci", home / "null.aci", home):
        assert rocket("--insecure-options=image", "fetch", path, status=254, timeout=10).stderr
