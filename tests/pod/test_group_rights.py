# SPDX-License-Identifier: Apache-2.0
"""Who may do what (cli 1.6): members of one group fetch and look, members of another trust keys, root does the rest."""
import json
import os
import pathlib
import signal
import stat
import time

import aci
import pytest
from conftest import SOURCE

pytestmark = pytest.mark.bare

GROUP, ADMIN = 54321, 54322  # no names needed: units/host says which groups a host gives these directories to
CONTENT = [aci.file("rootfs/x", "x", uid=7, mode=0o4755)]


@pytest.fixture
def shared(rocket, home):
    """The directories as units/host/tmpfiles.conf makes them."""
    home.chmod(0o755)
    for line in (SOURCE / "units/host/tmpfiles.conf.in").read_text().splitlines():
        if line.startswith("d "):
            _, path, mode, _, group, _ = line.split()
            make_directory(pathlib.Path(path.replace("@DATA_DIR@", str(rocket.data)).replace("@LOCAL_CONFIG_DIR@", str(rocket.local))),
                           int(mode, 8), {"rocket": GROUP, "rocket-admin": ADMIN}[group])
    return rocket


def make_directory(path, mode, group):
    path.mkdir()
    os.chown(path, 0, group)
    path.chmod(mode)


def listed(program, **options):
    lines = program("image", "list", "--no-legend", "--fields=name", **options).stdout.split()
    return sorted(line.split("/")[-1].split(":")[0] for line in lines)


def test_members_fetch_and_list(shared, make):
    root = shared.fetch(make("example.com/by-root", content=CONTENT))
    full = shared.as_user("--insecure-options=image", "fetch", "--full", make("example.com/by-member", content=CONTENT), groups=[GROUP]).stdout.strip()
    assert listed(shared) == listed(shared.as_user, groups=[GROUP]) == ["by-member", "by-root"]
    for image in (root, full):
        info = os.stat(shared.data / f"cas/image/{image}")
        assert (stat.S_IMODE(info.st_mode), info.st_gid) == (0o2770, GROUP)
        for path in (shared.data / f"cas/image/{image}").iterdir():
            assert path.stat().st_gid == GROUP and path.stat().st_mode & 0o007 == 0
    shared.as_user("image", "cat-manifest", "example.com/by-root", groups=[GROUP])
    assert stat.S_IMODE(os.stat(shared.data / "cas/tree").st_mode) == 0o2700

    assert not (shared.data / f"cas/tree/{full}").exists(), "only root renders"
    shared("image", "render", full, shared.home / "out")
    info = os.stat(shared.data / f"cas/tree/{full}/rootfs/x")
    assert (info.st_uid, stat.S_IMODE(info.st_mode)) == (7, 0o4755)
    assert shared.as_user("image", "rm", "example.com/by-root", groups=[GROUP]).stdout
    assert listed(shared) == ["by-member"]


def test_members_fetch_dependencies(shared, make):
    shared.as_user("--insecure-options=image", "fetch", make("example.com/b", content=[aci.file("rootfs/b", "b")]), groups=[GROUP])
    full = shared.as_user("--insecure-options=image", "fetch", "--full", groups=[GROUP], status=0, *[
        make("example.com/a", content=CONTENT, dependencies=[{"imageName": "example.com/b"}], pathWhitelist=["/b"])]).stdout.strip()
    shared("image", "render", "--rootfs-only", full, shared.home / "out")
    assert [p.name for p in (shared.home / "out").iterdir()] == ["b"]


def test_others_do_nothing(shared, make):
    shared.fetch(make("example.com/a", content=CONTENT))
    before = sorted(str(p) for p in shared.data.rglob("*"))
    for words in (["image", "list"], ["list"], ["image", "rm", "example.com/a"], ["image", "cat-manifest", "example.com/a"],
                  ["--insecure-options=image", "fetch", make("example.com/b")]):
        done = shared.as_user(*words, status=254)
        assert "ermission denied" in done.stderr, (words, done.stderr)
    assert sorted(str(p) for p in shared.data.rglob("*")) == before


def test_members_are_not_root(shared, make):
    full = shared.fetch(make("example.com/a", content=CONTENT))
    for words in (["run", full], ["prepare", full], ["gc"], ["image", "verify", full], ["image", "render", full, "/tmp/x"], ["image", "gc"]):
        assert "cannot run as unprivileged user" in shared.as_user(*words, groups=[GROUP, ADMIN], status=254).stderr
    assert listed(shared.as_user, groups=[GROUP]) == ["a"]


def test_members_look_at_pods(shared, busybox):
    uuid = shared("--insecure-options=image", "prepare", busybox).stdout.strip()
    assert uuid in shared.as_user("list", "--full", groups=[GROUP]).stdout
    assert "prepared" in shared.as_user("status", uuid, groups=[GROUP]).stdout
    assert json.loads(shared.as_user("cat-manifest", uuid, groups=[GROUP]).stdout)["acKind"] == "PodManifest"
    assert "ermission" in shared.as_user("status", uuid, status=254).stderr
    shared("rm", uuid)


@pytest.mark.parametrize("first", ["fetch", "prepare"])
def test_store_without_tmpfiles(rocket, home, busybox, make, first):
    """Whichever command of root's makes the directories, members can use them."""
    home.chmod(0o755)
    make_directory(rocket.data, 0o2750, GROUP)
    rocket("--insecure-options=image", first, busybox)
    rocket.as_user("--insecure-options=image", "fetch", make("example.com/a"), groups=[GROUP])
    rocket.as_user("image", "rm", "example.com/a", groups=[GROUP])
    assert listed(rocket) == ["busybox"]
    assert rocket.as_user("list", "--no-legend", groups=[GROUP]).stdout.count("prepared") == (first == "prepare")


def test_leftovers_of_root_stop_nobody(shared, make):
    """Staging directories and locks of a command of root's, running or killed."""
    big = make("example.com/big", content=[aci.file(f"rootfs/{n}", os.urandom(4 << 20)) for n in range(10)], compression=None)
    process = shared.start("--insecure-options=image", "fetch", big)
    while process.poll() is None and not list((shared.data / "cas/tmp").glob("*/*") if (shared.data / "cas/tmp").exists() else []):
        time.sleep(0.001)
    process.send_signal(signal.SIGSTOP)
    try:
        shared.as_user("--insecure-options=image", "fetch", make("example.com/a"), groups=[GROUP])
    finally:
        process.kill()
        process.communicate()
    shared.as_user("--insecure-options=image", "fetch", make("example.com/b"), groups=[GROUP])
    assert {"a", "b"} <= set(listed(shared))
    shared.fetch(big)
    assert list((shared.data / "cas/tmp").iterdir()) == [] and listed(shared) == ["a", "b", "big"]


def test_admins_trust_keys(shared, make, signer, home):
    key = signer.public_key(home / "key.asc")
    flags = ["trust", "--skip-fingerprint-review", "--prefix=example.com/app", key]
    assert "ermission denied" in shared.as_user(*flags, groups=[GROUP], status=254).stderr
    shared.as_user(*flags, groups=[ADMIN])
    path = shared.local / f"trustedkeys/prefix.d/example.com/app/{signer.fingerprint.lower()}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644 and path.stat().st_gid == ADMIN
    for directory in path.relative_to(shared.local).parents:
        info = (shared.local / directory).stat()
        assert (info.st_gid, info.st_mode & 0o2075) == (ADMIN, 0o2075), f"another admin has to be able to add keys: {directory}"

    image = make("example.com/app/web", content=CONTENT)
    signer.sign(image)
    shared.as_user("fetch", image, groups=[GROUP])
    assert "verified" in shared("image", "list", "--fields=signature").stdout
    shared("trust", "--skip-fingerprint-review", "--prefix=example.com/app", signer.public_key(home / "key.asc"))
