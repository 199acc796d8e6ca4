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


def damaged(compression):
    def content(canary):
        data = bytearray(aci.compress(aci.tar_bytes([*HEAD(), aci.file("rootfs/x", os.urandom(100_000))]), compression))
        data[60_000] ^= 0x55
        return bytes(data)
    return content


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
    # The rest of appc.md chapter 21 about archives
    "absolute manifest": (tar(aci.file("/manifest", json.dumps(aci.manifest("example.com/evil"))), ROOTFS()), "absolute"),
    "two rootfs": (tar(*HEAD(), aci.directory("rootfs/")), "rootfs"),
    "a directory twice": (tar(*HEAD(), aci.directory("rootfs/d"), aci.directory("rootfs/d/")), "rootfs/d"),
    "files do not imply rootfs": (tar(MANIFEST(), aci.file("rootfs/x", "x")), "no rootfs"),
    "manifest is a hard link": (tar(ROOTFS(), aci.file("rootfs/m", "{}"), aci.hardlink("manifest", "rootfs/m")), "manifest"),
    "manifest is a device": (tar(aci.device("manifest", 1, 3), ROOTFS()), "manifest"),
    "manifest is a directory": (tar(aci.directory("manifest"), ROOTFS()), "manifest"),
    "hard link to a later file": (tar(*HEAD(), aci.hardlink("rootfs/h", "rootfs/x"), aci.file("rootfs/x", "x")), "link"),
    "hard link to a directory": (tar(*HEAD(), aci.directory("rootfs/d"), aci.hardlink("rootfs/h", "rootfs/d")), "link"),
    "hard link to itself": (tar(*HEAD(), aci.hardlink("rootfs/h", "rootfs/h")), "link"),
    "file below a file": (tar(*HEAD(), aci.file("rootfs/x", "x"), aci.file("rootfs/x/y", "y")), "rootfs/x"),
    "truncated xz": (lambda canary: aci.compress(aci.tar_bytes([*HEAD(), aci.file("rootfs/x", os.urandom(100_000))]), "xz")[:50_000], ""),
    "truncated bzip2": (lambda canary: aci.compress(aci.tar_bytes([*HEAD(), aci.file("rootfs/x", os.urandom(100_000))]), "bz2")[:50_000], ""),
    "damaged xz": (damaged("xz"), ""),
    "damaged bzip2": (damaged("bz2"), ""),
    "damaged gzip": (damaged("gz"), ""),
    "bytes behind the gzip stream": (lambda canary: gzip.compress(aci.tar_bytes(HEAD())) + b"more", ""),
    "bytes behind the tar": (lambda canary: aci.tar_bytes(HEAD()) + b"more" * 128, ""),
    "text": (lambda canary: json.dumps(aci.manifest("example.com/evil")).encode() * 10, ""),
    "terminal escapes in a name": (tar(*HEAD(), aci.file("\x1b[2Jevil", "x")), "evil"),
}


APP = aci.app("/bin/true")
FULL_ID = "sha512-" + "0" * 128


def app(**fields):
    return {"app": {key: value for key, value in {**APP, **fields}.items() if value is not None}}


def isolator(name, **value):
    return app(isolators=[{"name": name, **value}])


def port(**fields):
    return app(ports=[{"name": "web", "protocol": "tcp", "port": 80, **fields}])


def label(name, value, *more):
    return {"labels": [{"name": name, "value": value}, *more]}


def arch(os_name, arch_name):
    return label("os", os_name, {"name": "arch", "value": arch_name})


MEMORY, CPU_SHARES = "resource/memory", "os/linux/cpu-shares"

# Area of appc.md chapter 21 → what the manifest has in place of the right thing: fields, or the whole text.
MANIFESTS = {
    "JSON": [
        '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/a",}', '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/a"} x',
        '\ufeff{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/a"}', "[]", '"x"', "", "null",
        {"labels": {}}, {"labels": "x"}, {"app": []}, {"annotations": 7}, {"dependencies": {}}, {"pathWhitelist": "/x"}, {"pathWhitelist": [7]},
        {"name": 7}, {"name": None}, {"acKind": None}, {"acVersion": None}, port(port=80.5),
    ],
    "kind and version": [
        {"acKind": "PodManifest"}, {"acKind": ""}, {"acKind": "imagemanifest"}, {"acVersion": ""}, {"acVersion": "0.0.0"}, {"acVersion": "1"},
        {"acVersion": "v1.2.3"}, {"acVersion": "1.0.0"}, {"acVersion": "0.8"}, {"acVersion": "0.8.11 "},
    ],
    "names": [
        {"name": ""}, {"name": "Example.com/a"}, {"name": "/a"}, {"name": "a/"}, {"name": "a//b"}, {"name": "a b"}, {"name": "-a"}, {"name": "a\n"},
        label("name", "x"), label("Version", "1"), label("version", "1", {"name": "version", "value": "2"}),
        {"annotations": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}, app(environment=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]),
        app(eventHandlers=[{"name": "pre-start", "exec": ["/x"]}, {"name": "pre-start", "exec": ["/x"]}]),
        app(mountPoints=[{"name": "Data", "path": "/x"}]), app(mountPoints=[{"name": "a", "path": ""}]), app(mountPoints=[{"path": "/x"}]),
    ],
    "labels": [label("os", "OS/360"), label("os", ""), arch("linux", "arm64"), arch("linux", "arm"), arch("linux", "ppc64l"), arch("linux", "S390x"),
               arch("freebsd", "armv7b"), {"labels": [{"name": "os"}, {"value": "x"}]}],
    "annotations": [{"annotations": [{"name": name, "value": value}]} for name, value in (
        ("created", "yesterday"), ("created", "2020-13-01T00:00:00Z"), ("homepage", "ftp://example.com"), ("documentation", "example.com"), ("homepage", ""))],
    "app": [app(user=None), app(group=None), app(user=""), app(workingDirectory="stuff"), app(workingDirectory="../home/fred"),
            app(eventHandlers=[{"name": "pre-stop", "exec": ["/x"]}]),
            app(eventHandlers=[{"name": "", "exec": ["/x"]}]), *[app(environment=[{"name": name, "value": "x"}]) for name in ("", "A=B", "1A", "A B")],
            app(exec="/bin/true"), app(supplementaryGIDs=[-1])],
    "ports": [port(port=0), port(port=65536), port(port=-1), port(port=65530, count=10), port(name=""), port(name="Web"), port(protocol="")],
    "isolators": [
        *[isolator(CPU_SHARES, value=value) for value in (1, 262145, "pants", 1024.0)], isolator("os/linux/oom-score-adj", value=-2500),
        *[isolator("os/linux/no-new-privileges", value=value) for value in (123, "foo", {})],
        *[isolator("os/linux/capabilities-retain-set", value=value) for value in ({"set": []}, {"set": "CAP_KILL"}, {})],
        isolator("os/linux/seccomp-retain-set", value={"set": []}), isolator("os/linux/seccomp-remove-set", value={"set": ["x"], "errno": "eperm"}),
        app(isolators=[{"name": "os/linux/seccomp-retain-set", "value": {"set": ["read"]}}, {"name": "os/linux/seccomp-remove-set", "value": {"set": ["write"]}}]),
        app(isolators=[{"name": "os/linux/seccomp-retain-set", "value": {"set": ["read"]}}] * 2),
        isolator("resource/block-bandwidth", value={"limit": "1M"}), isolator("resource/network-bandwidth", value={"default": True, "request": "1M"}),
        isolator(MEMORY, value={"default": True, "limit": "1G"}), isolator("os/linux/selinux-context", value={"user": ""}), isolator("os/linux/apparmor-profile", value={"name": ""}),
        isolator("os/unix/sysctl", value={"net.ipv4.ip_forward": 1}), isolator(MEMORY), isolator(MEMORY, value=None),
    ],
    "quantities": [isolator(MEMORY, value={"limit": quantity}) for quantity in ("", "x", "1 G", "-1", "1GiB", "1e", "--1", "1.2.3", "0x10", "1g", ".", "1 0")],
    "dependencies": [{"dependencies": [dependency]} for dependency in (
        {}, {"imageName": ""}, {"imageName": "A"}, {"imageName": "a", "imageID": "sha256-" + "0" * 64}, {"imageName": "a", "imageID": FULL_ID[:-1]},
        {"imageName": "a", "imageID": FULL_ID.upper()}, {"imageName": "a", "size": -1}, {"imageName": "a", "size": 1.5}, {"imageName": "a", "size": "1"})],
}


@pytest.mark.parametrize("area", MANIFESTS)
def test_refused_manifest(rocket, make, area):
    for number, wrong in enumerate(MANIFESTS[area]):
        text = wrong if isinstance(wrong, str) else json.dumps({**aci.manifest("example.com/evil", APP), **wrong})
        path = make.raw([aci.file("manifest", text), ROOTFS()], f"evil{number}", compression=None)
        done = rocket("--insecure-options=image", "fetch", path, status=None)
        assert done.returncode == 254 and done.stdout == "", f"accepted: {wrong}"
        assert done.stderr.startswith("fetch: ") and done.stderr.isascii() and all(line.isprintable() for line in done.stderr.splitlines()), done.stderr
    assert rocket("image", "list", "--no-legend").stdout.strip() == ""


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
