# SPDX-License-Identifier: Apache-2.0
"""Images that depend on other images, and pathWhitelist (appc chapters 8 and 9)."""
import json
import os
import stat

import aci
import pytest

pytestmark = pytest.mark.bare


def depends(*names):
    return [{"imageName": f"example.com/{name}"} if isinstance(name, str) else name for name in names]


def add(rocket, make, name, *content, deps=(), whitelist=(), status=0, **fields):
    """Make and fetch an image; its id."""
    fields = {**({"dependencies": depends(*deps)} if deps else {}), **({"pathWhitelist": list(whitelist)} if whitelist else {}), **fields}
    path = make(f"example.com/{name}", aci.app("/bin/true"), content, **fields)
    done = rocket("--insecure-options=image", "fetch", "--full", path, status=status)
    return done.stdout.strip() if status == 0 else done.stderr


def f(name, data, mode=0o644, **fields):
    return aci.file(f"rootfs/{name}", data, mode, **fields)


def d(name, mode=0o755, **fields):
    return aci.directory(f"rootfs/{name}", mode, **fields)


def look(rocket, full):
    """What is in a rendered tree: path → mode of a directory, content of a file, target of a link."""
    root = rocket.data / f"cas/tree/{full}/rootfs"
    found = {}
    for path in root.rglob("*"):
        info = path.lstat()
        found[str(path.relative_to(root))] = (oct(stat.S_IMODE(info.st_mode)) if path.is_dir() and not path.is_symlink() else
                                              "-> " + os.readlink(path) if path.is_symlink() else path.read_text())
    return found


DIR = "0o755"

# Name → (images in the order they are fetched: (name, content, dependencies, whitelist); what the last one becomes)
RENDERED = {
    "a: dependency brings a directory": ([("b", [d("x", 0o700)], [], []), ("a", [], ["b"], [])], {"x": "0o700"}),
    "b: top adds a directory": ([("b", [d("x")], [], []), ("a", [d("y")], ["b"], [])], {"x": DIR, "y": DIR}),
    "c: top changes a mode": ([("b", [d("x", 0o700), f("x/f", "b")], [], []), ("a", [d("x", 0o711)], ["b"], [])], {"x": "0o711", "x/f": "b"}),
    "d: file from the dependency": ([("b", [f("f", "b")], [], []), ("a", [], ["b"], [])], {"f": "b"}),
    "e: new file in top": ([("b", [f("f", "b")], [], []), ("a", [f("g", "a")], ["b"], [])], {"f": "b", "g": "a"}),
    "f: file overridden": ([("b", [f("f", "b")], [], []), ("a", [f("f", "a")], ["b"], [])], {"f": "a"}),
    "g: file over a directory": ([("b", [d("x"), f("x/f", "b")], [], []), ("a", [f("x", "a")], ["b"], [])], {"x": "a"}),
    "directory over a file": ([("b", [f("x", "b")], [], []), ("a", [d("x"), f("x/f", "a")], ["b"], [])], {"x": DIR, "x/f": "a"}),
    "implied directory over a file": ([("b", [f("x", "b")], [], []), ("a", [f("x/f", "a")], ["b"], [])], {"x": DIR, "x/f": "a"}),
    "implied directory keeps what is below": ([("b", [d("x", 0o700), f("x/g", "b")], [], []), ("a", [f("x/f", "a")], ["b"], [])],
                                              {"x": "0o700", "x/f": "a", "x/g": "b"}),
    "stated directory, as an implied one looks": ([("b", [d("x", 0o700)], [], []), ("a", [d("x", 0o755, mtime=0)], ["b"], [])], {"x": DIR}),
    "h: whitelist in the dependency": ([("b", [f("f", "b"), f("g", "b")], [], ["/f"]), ("a", [f("h", "a")], ["b"], [])], {"f": "b", "h": "a"}),
    "i: whitelist in top": ([("b", [f("f", "b"), f("g", "b")], [], []), ("a", [f("h", "a"), f("i", "a")], ["b"], ["/g", "/h"])], {"g": "b", "h": "a"}),
    "whitelist without dependency": ([("a", [d("x", 0o700), f("x/f", "a"), f("x/g", "a"), f("f", "a"), d("y")], [], ["x//f/", "/y"])],
                                     {"x": "0o700", "x/f": "a", "y": DIR}),
    "a listed directory is not its content": ([("a", [d("x"), f("x/f", "a"), f("y", "a")], [], ["/x/"])], {"x": DIR}),
    "a listed path that is not there": ([("a", [f("y", "a"), f("z", "a")], [], ["/none", "/y", "/y/below"])], {"y": "a"}),
    "j: two dependencies, whitelists of top and first": (
        [("b", [f("f", "b"), f("g", "b")], [], ["/f"]), ("c", [f("c", "c"), f("d", "c")], [], []), ("a", [f("a", "a")], ["b", "c"], ["/f", "/g", "/c", "/a"])],
        {"f": "b", "c": "c", "a": "a"}),
    "k: two dependencies, whitelists of top and second": (
        [("b", [f("f", "b"), f("g", "b")], [], []), ("c", [f("c", "c"), f("d", "c")], [], ["/d"]), ("a", [], ["b", "c"], ["/f", "/c", "/d"])],
        {"f": "b", "d": "c"}),
    "l: three dependencies on two levels": (
        [("d", [f("f", "d"), f("g", "d")], [], []), ("b", [f("f", "b"), f("h", "b")], [], []), ("c", [f("c", "c")], ["d"], []), ("a", [f("h", "a")], ["b", "c"], [])],
        {"f": "d", "g": "d", "h": "a", "c": "c"}),
    "m: empty rootfs": ([("b", [f("f", "b")], [], []), ("a", [], ["b"], [])], {"f": "b"}),
    "m: empty rootfs with a whitelist": ([("b", [f("f", "b"), f("g", "b")], [], []), ("a", [], ["b"], ["/g"])], {"g": "b"}),
    "n: directory over a link to a directory": (
        [("b", [d("real"), f("real/f", "b"), aci.symlink("rootfs/x", "real")], [], []), ("a", [d("x", 0o700), f("x/g", "a")], ["b"], [])],
        {"real": DIR, "real/f": "b", "x": "0o700", "x/g": "a"}),
    "implied directory over a link to the host": (
        [("b", [aci.symlink("rootfs/etc", "/etc")], [], []), ("a", [f("etc/rocket-evil", "a")], ["b"], [])], {"etc": DIR, "etc/rocket-evil": "a"}),
    "link over a directory": ([("b", [d("x"), f("x/f", "b")], [], []), ("a", [aci.symlink("rootfs/x", "/")], ["b"], [])], {"x": "-> /"}),
    "o: diamond, the second pass overrides": (
        [("d", [f("f", "d"), f("g", "d")], [], []), ("b", [f("f", "b")], ["d"], []), ("c", [f("g", "c")], ["d"], []), ("a", [], ["b", "c"], [])],
        {"f": "d", "g": "c"}),
    "a sibling's whitelist does not leak": (  # REN-14
        [("d", [f("d", "d"), f("e", "d")], [], []), ("b", [f("f", "b")], [], []), ("c", [f("c", "c")], ["d"], ["/d", "/c"]), ("a", [], ["b", "c"], [])],
        {"f": "b", "d": "d", "c": "c"}),
    "every whitelist on the chain": (  # REN-9
        [("c", [f("x", "c"), f("y", "c"), f("z", "c")], [], ["/x", "/y"]), ("b", [], ["c"], ["/y", "/z"]), ("a", [], ["b"], ["/x", "/y", "/z"])], {"y": "c"}),
}


@pytest.mark.parametrize("what", RENDERED)
def test_rendered(rocket, make, what):
    images, expected = RENDERED[what]
    for name, content, deps, whitelist in images:
        full = add(rocket, make, name, *content, deps=deps, whitelist=whitelist)
    assert look(rocket, full) == expected
    assert not os.path.exists("/etc/rocket-evil")
    rocket("image", "verify", full)


def test_everything_about_a_file_is_kept(rocket, make):
    """REN-13, REN-17; the trees share their files, and differ in nothing an app sees."""
    b = add(rocket, make, "b", f("suid", "x", 0o4755, uid=7, gid=8, mtime=1234567890), f("one", "data"), aci.hardlink("rootfs/two", "rootfs/one"),
            aci.hardlink("rootfs/three", "rootfs/one"), aci.fifo("rootfs/p"), d("t", 0o1777, mtime=1000000000))
    a = add(rocket, make, "a", f("t/new", "x"), deps=["b"], whitelist=["/suid", "/two", "/three", "/p", "/t/new"])
    root = rocket.data / f"cas/tree/{a}/rootfs"
    info = os.stat(root / "suid")
    assert (stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, info.st_mtime) == (0o4755, 7, 8, 1234567890)
    assert info.st_ino == os.stat(rocket.data / f"cas/tree/{b}/rootfs/suid").st_ino
    assert not (root / "one").exists() and (root / "two").read_text() == "data"
    assert os.stat(root / "two").st_ino == os.stat(root / "three").st_ino and (root / "p").is_fifo()
    assert stat.S_IMODE(os.stat(root / "t").st_mode) == 0o1777 and os.stat(root / "t").st_mtime == 1000000000

    digest = (rocket.data / f"cas/tree/{a}/digest").read_text()
    rocket("image", "rm", a)
    assert add(rocket, make, "a", f("t/new", "x"), deps=["b"], whitelist=["/suid", "/two", "/three", "/p", "/t/new"]) == a
    assert (rocket.data / f"cas/tree/{a}/digest").read_text() == digest


def test_run_extract_and_render(rocket, make, home):
    add(rocket, make, "base", *aci.busybox())
    full = add(rocket, make, "top", f("etc/motd", "hello from top"), deps=["base"])
    for flags in ((), ("--no-overlay",)):
        done = rocket.run("example.com/top", "--exec=/bin/sh", *flags, "--", "-c", "cat /etc/motd; echo x > /etc/motd; stat -c %a /root", timeout=60)
        assert done.stdout.replace("\r", "").splitlines() == ["hello from top700"]
    rocket("image", "extract", full, home / "own")
    assert [str(p.relative_to(home / "own/rootfs")) for p in sorted((home / "own/rootfs").rglob("*"))] == ["etc", "etc/motd"]
    rocket("image", "render", full, home / "whole")
    assert (home / "whole/rootfs/bin/sh").is_symlink() and (home / "whole/rootfs/etc/motd").read_text() == "hello from top"
    assert os.stat(home / "whole/rootfs/etc/motd").st_nlink == 1


def test_pinned_when_fetched(rocket, make):
    """DEP-12, F13: a newer dependency changes nothing about an image that is there."""
    one = add(rocket, make, "b", f("f", "1"), version="1")
    a = add(rocket, make, "a", deps=["b"])
    two = add(rocket, make, "b", f("f", "2"), version="2")
    record = json.loads((rocket.data / f"cas/image/{a}/record.json").read_text())
    assert [i[:71] for i in record["dependencies"]] == [one]
    assert look(rocket, a) == {"f": "1"}
    other = add(rocket, make, "other", deps=["b"])
    assert look(rocket, other) == {"f": "2"}, "the newest import counts when the image is fetched"
    old = add(rocket, make, "old", deps=[{"imageName": "example.com/b", "labels": [{"name": "version", "value": "1"}]}])
    assert look(rocket, old) == {"f": "1"}
    by_id = add(rocket, make, "by-id", deps=[{"imageName": "example.com/b", "imageID": one}])
    assert look(rocket, by_id) == {"f": "1"}
    assert two != one


def test_dependencies_stay(rocket, make):
    b = add(rocket, make, "b", f("f", "1"))
    c = add(rocket, make, "c", deps=["b"])
    a = add(rocket, make, "a", deps=["c"])
    assert f'image "example.com/c" ({c}) depends on it' in rocket("image", "rm", b, status=254).stderr
    for hours, full in ((100, b), (50, c)):
        then = os.stat(rocket.data / f"cas/image/{full}/used").st_mtime - hours * 3600
        os.utime(rocket.data / f"cas/image/{full}/used", (then, then))
    rocket("image", "gc")
    assert len(rocket("image", "list", "--no-legend").stdout.splitlines()) == 3
    os.utime(rocket.data / f"cas/image/{a}/used", (0, 0))
    done = rocket("image", "gc")
    assert [line.split('"')[1] for line in done.stdout.splitlines()] == [a, c, b]
    assert list((rocket.data / "cas/tree").iterdir()) == []


def test_rm_of_all(rocket, make):
    b = add(rocket, make, "b", f("f", "1"))
    a = add(rocket, make, "a", deps=["b"])
    rocket("image", "rm", a, b)
    assert rocket("image", "list", "--no-legend").stdout.strip() == ""


def test_rendered_again(rocket, make):
    b = add(rocket, make, "b", f("f", "good"))
    a = add(rocket, make, "a", f("g", "good"), deps=["b"])
    (rocket.data / f"cas/tree/{a}/rootfs/f").write_text("evil")  # which is the same file in both trees
    done = rocket("image", "verify", a)
    assert "verification failed" in done.stdout
    assert look(rocket, a) == {"f": "good", "g": "good"} and look(rocket, b) == {"f": "good"}
    for full in (a, b):
        assert "successfully verified" in rocket("image", "verify", full).stdout


DEPENDENCY = {"imageName": "example.com/b"}

# What is wrong → (the dependency, words of the error)
REFUSED = {
    "missing": ({"imageName": "example.com/none"}, ["example.com/none", "not in the local store", "example.com/a"]),
    "missing by label": ({**DEPENDENCY, "labels": [{"name": "version", "value": "7"}]}, ["example.com/b", "version=7", "not in the local store"]),
    "another id": ({**DEPENDENCY, "imageID": "sha512-" + "0" * 128}, ["example.com/b", "sha512-0000", "not in the local store"]),
    "another name for the id": (lambda ids: {"imageName": "example.com/c", "imageID": ids["b"]}, ["example.com/c", 'is called "example.com/b"']),
    "another label for the id": (lambda ids: {**DEPENDENCY, "imageID": ids["b"], "labels": [{"name": "version", "value": "7"}]}, ["has other labels"]),
    "contradicting the rest of the id": (lambda ids: {**DEPENDENCY, "imageID": ids["b"][:71] + "0" * 64}, ["example.com/b", "id"]),
    "larger": ({**DEPENDENCY, "size": 10}, ["bytes and not 10"]),
    "smaller": ({**DEPENDENCY, "size": 10_000_000}, ["bytes and not 10000000"]),
    "no imageName": ({"imageID": "sha512-" + "0" * 128}, ["imageName"]),
    "empty imageName": ({"imageName": ""}, ["imageName"]),
    "sha256": ({**DEPENDENCY, "imageID": "sha256-" + "0" * 64}, ["imageID"]),
    "empty id": ({**DEPENDENCY, "imageID": ""}, ["imageID"]),
    "negative size": ({**DEPENDENCY, "size": -1}, ["size"]),
    "fraction of a byte": ({**DEPENDENCY, "size": 1.5}, ["size"]),
    "label twice": ({**DEPENDENCY, "labels": [{"name": "version", "value": "1"}] * 2}, ["version"]),
    "label called name": ({**DEPENDENCY, "labels": [{"name": "name", "value": "1"}]}, ["name"]),
    "unknown os": ({**DEPENDENCY, "labels": [{"name": "os", "value": "OS/360"}]}, ["OS/360"]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(rocket, make, what):
    """DEP-1..9, appc chapter 21."""
    dependency, words = REFUSED[what]
    ids = {"b": add(rocket, make, "b", f("f", "1"))}
    error = add(rocket, make, "a", deps=[dependency(ids) if callable(dependency) else dependency], status=254)
    assert all(word in error.splitlines()[0] for word in words), error
    assert rocket("image", "list", "--no-legend", "--fields=name").stdout.split() == ["example.com/b:1"]
    assert [p.name for p in (rocket.data / "cas/tree").iterdir()] == [ids["b"]] and not list((rocket.data / "cas/tmp").iterdir())


def test_size_is_that_of_the_archive(rocket, make, home):
    b = add(rocket, make, "b", f("f", "1" * 5000))
    add(rocket, make, "a", deps=[{**DEPENDENCY, "size": (home / "b.aci").stat().st_size, "imageID": b}])


def test_another_platform_is_refused(rocket, make):
    """DEP-8: what was not asked for has to suit the image that asks."""
    labels = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "ppc64le"}]
    add(rocket, make, "b", labels=labels)
    assert "not in the local store" in add(rocket, make, "a", deps=["b"], status=254)
    add(rocket, make, "a", deps=[{**DEPENDENCY, "labels": labels}])
    add(rocket, make, "neutral", f("n", "n"), labels=[])
    assert look(rocket, add(rocket, make, "c", deps=["neutral"])) == {"n": "n"}


def test_missing_says_the_chain(rocket, make):
    b = add(rocket, make, "b", f("f", "1"))
    add(rocket, make, "c", deps=["b"])
    add(rocket, make, "a", deps=["c"])
    for path in (rocket.data / f"cas/image/{b}").iterdir():
        path.unlink()
    (rocket.data / f"cas/image/{b}").rmdir()
    done = rocket("--insecure-options=image", "prepare", "example.com/a", status=254)  # DEP-11
    assert all(f'"example.com/{n}' in done.stderr for n in "acb") and "not in the local store" in done.stderr, done.stderr
    add(rocket, make, "b", f("f", "1"))
    rocket("--insecure-options=image", "prepare", "example.com/a")


def test_unverified_dependency_of_a_verified_image(rocket, make, signer, home):
    """R11, DEP-11: each image is verified by its own name."""
    rocket("trust", "--skip-fingerprint-review", "--prefix=example.com/signed", signer.public_key(home / "key.asc"))
    b = make("example.com/signed/b", content=[f("f", "1")])
    rocket("--insecure-options=image", "fetch", b)
    a = make("example.com/signed/a", dependencies=[{"imageName": "example.com/signed/b"}])
    signer.sign(a)
    assert "never checked" in rocket("fetch", a, status=254).stderr
    signer.sign(b)
    rocket("fetch", b)
    rocket("fetch", a)


def test_long_chain(rocket, make):
    """R16: dependency depth."""
    add(rocket, make, "i0", f("f", "0"))
    error = None
    for n in range(1, 40):
        path = make(f"example.com/i{n}", dependencies=depends(f"i{n - 1}"))
        done = rocket("--insecure-options=image", "fetch", path, status=None)
        if done.returncode:
            error = done.stderr
            break
    assert error and "levels deep" in error and n == 33, (n, error)


def test_damaged_record_cannot_loop(rocket, make):
    b = add(rocket, make, "b", f("f", "1"))
    a = add(rocket, make, "a", deps=["b"])
    path = rocket.data / f"cas/image/{b}/record.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "dependencies": [a]}))
    assert "levels deep" in rocket("image", "render", a, rocket.home / "x", status=254).stderr
