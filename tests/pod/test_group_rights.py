# SPDX-License-Identifier: Apache-2.0
"""Who may do what (cli 1.6): members of one group fetch and look, members of another trust keys, root does the rest."""
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import time

import aci
import oci
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
    for image, mode in ((root, 0o2750), (full, 0o2770)):
        info = os.stat(shared.data / f"cas/image/{image}")
        assert (stat.S_IMODE(info.st_mode), info.st_gid) == (mode, GROUP)
        for path in (shared.data / f"cas/image/{image}").iterdir():
            assert path.stat().st_gid == GROUP and path.stat().st_mode & 0o007 == 0
    shared.as_user("image", "cat-manifest", "example.com/by-root", groups=[GROUP])
    assert stat.S_IMODE(os.stat(shared.data / "cas/tree").st_mode) == 0o2700

    assert not (shared.data / f"cas/tree/{full}").exists(), "only root renders"
    shared("--insecure-options=image", "image", "render", full, shared.home / "out")
    info = os.stat(shared.data / f"cas/tree/{full}/rootfs/x")
    assert (info.st_uid, stat.S_IMODE(info.st_mode)) == (7, 0o4755)
    assert shared.as_user("image", "rm", "example.com/by-root", groups=[GROUP]).stdout
    assert listed(shared) == listed(shared.as_user, groups=[GROUP]) == ["by-member"]
    shared("image", "rm", "example.com/by-member")
    shared.fetch(make("example.com/by-root", content=CONTENT))
    assert [path.name for path in (shared.data / "cas/image").iterdir()] == [root], "what the member took away is gone"


def test_members_fetch_dependencies(shared, make):
    shared.as_user("--insecure-options=image", "fetch", make("example.com/b", content=[aci.file("rootfs/b", "b")]), groups=[GROUP])
    full = shared.as_user("--insecure-options=image", "fetch", "--full", groups=[GROUP], status=0, *[
        make("example.com/a", content=CONTENT, dependencies=[{"imageName": "example.com/b"}], pathWhitelist=["/b"])]).stdout.strip()
    shared("--insecure-options=image", "image", "render", "--rootfs-only", full, shared.home / "out")
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


def member_command(script, *arguments):
    user = ["setpriv", "--reuid=12345", "--regid=12345", f"--groups={GROUP}", "--"]
    return [*user, sys.executable, "-c", f"import json, os, pathlib, shutil, sys\n{script}", *map(str, arguments)]


def as_member(script, *arguments):
    """A member of the group does something to the store that no command does."""
    return subprocess.run(member_command(script, *arguments), capture_output=True, text=True, check=False)


def start_as_member(script, *arguments):
    return subprocess.Popen(member_command(script, *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


FORGE = """
record = pathlib.Path(sys.argv[1], "record.json")
said = json.loads(record.read_text())
said.update(keyFingerprint="a" * 40, insecure=[], **json.loads(sys.argv[2]))
record.unlink()
record.write_text(json.dumps(said))
"""


def refused_to_root(program, image, name, *words):
    """Nothing of root's uses it, and each says which image, whose it is, and what to do."""
    for command in (["run", "--net=none", name], ["prepare", image], ["fetch", "--pull-policy=new", name], ["image", "verify", name], ["image", "export", image, "/nowhere.aci"]):
        error = program(*command, status=254).stderr
        assert image in error and "user 12345" in error, error
        assert all(word in error for word in words), error
        assert "rocket image verify" in error and "rocket image rm" in error, error
    assert not (program.data / f"cas/tree/{image}").exists()


def test_root_believes_no_record_of_a_members(shared, make, signer, home):
    image = make("example.com/app/web", aci.app("/bin/true"), aci.busybox())
    full = shared.as_user("--insecure-options=image", "fetch", "--full", image, groups=[GROUP]).stdout.strip()
    directory = shared.data / "cas/image" / full
    forged = as_member(FORGE, directory, "{}")
    assert forged.returncode == 0, forged.stderr
    assert json.loads((directory / "record.json").read_text())["keyFingerprint"] == "a" * 40
    refused_to_root(shared, full, "example.com/app/web", "it has no signature")

    # A signature of somebody whom root does not trust, and then does.
    signer.sign(image)
    signed = as_member("shutil.copy(sys.argv[1], sys.argv[2])", f"{image}.asc", directory / "signature.asc")
    assert signed.returncode == 0, signed.stderr
    refused_to_root(shared, full, "example.com/app/web", "trust")
    shared("trust", "--skip-fingerprint-review", "--root", signer.public_key(home / "key.asc"))
    assert "verified" in shared("fetch", "--pull-policy=new", "example.com/app/web").stderr
    assert directory.stat().st_uid == 0 and (shared.data / f"cas/tree/{full}").exists()
    assert json.loads((directory / "record.json").read_text())["keyFingerprint"] == signer.fingerprint.lower()


def test_root_believes_no_content_of_a_members(shared, make, signer, home):
    """What root has fetched is taken away, and something else is put there."""
    shared("trust", "--skip-fingerprint-review", "--root", signer.public_key(home / "key.asc"))
    good, bad = make("example.com/good", content=CONTENT), make("example.com/bad", content=[aci.file("rootfs/evil", "x")])
    signer.sign(good)
    full = shared("fetch", "--full", good).stdout.strip()
    whole_id = json.loads((shared.data / f"cas/image/{full}/record.json").read_text())["id"]
    other = shared.as_user("--insecure-options=image", "fetch", "--full", bad, groups=[GROUP]).stdout.strip()
    swapped = as_member("""
store, good, bad = pathlib.Path(sys.argv[1]), *sys.argv[2:]
(store / good).rename(store / "aside")
(store / bad).rename(store / good)
""", shared.data / "cas/image", full, other)
    assert swapped.returncode == 0, swapped.stderr
    shutil.rmtree(shared.data / f"cas/tree/{full}")
    forged = as_member(FORGE, shared.data / "cas/image" / full, json.dumps({"id": whole_id}))
    assert forged.returncode == 0, forged.stderr
    signed = as_member("shutil.copy(sys.argv[1], sys.argv[2])", f"{good}.asc", shared.data / f"cas/image/{full}/signature.asc")
    assert signed.returncode == 0, signed.stderr
    refused_to_root(shared, full, full, "its archive has the id", other)
    assert "its archive has the id" in shared("--insecure-options=image", "prepare", full, status=254).stderr
    shared("image", "rm", full)
    assert shared("fetch", "--full", good).stdout.strip() == full


def test_members_write_nowhere_else(shared, make):
    """All else that decides what root runs: trees, layers, the index, what is remembered of URLs."""
    full = shared.fetch(make("example.com/a", content=CONTENT))
    for path in ("cas/tree", "cas/layer", "cas/db", "cas/image", f"cas/image/{full}/record.json", f"cas/image/{full}/manifest"):
        assert "PermissionError" in as_member("os.rename(sys.argv[1], sys.argv[1] + '-old')", shared.data / path).stderr, path
    for path in ("cas/new", "cas/layer/new", "cas/db/new", "cas/tree/new", f"cas/image/{full}/new", "cas/db/index.sqlite", f"cas/image/{full}/record.json"):
        assert "PermissionError" in as_member("open(sys.argv[1], 'w')", shared.data / path).stderr, path
    assert listed(shared.as_user, groups=[GROUP]) == ["a"], "the index can be read"
    layout = oci.Layout(shared.home / "layout")
    layout.image(oci.busybox())
    shared.fetch(str(layout))
    theirs = {shared.data / path for path in ("cas/image", "cas/tmp", "cas/members")}
    for path in (shared.data / "cas").rglob("*"):
        info = path.lstat()
        is_safe = info.st_uid == 0 and info.st_mode & 0o022 == 0 or path.name == "used"
        assert is_safe or path in theirs or "cas/tree/" in str(path), path
    # A store of before is put right.
    for path in ("cas", "cas/layer", "cas/db"):
        (shared.data / path).chmod(0o2770)
    shared.fetch(make("example.com/b", content=CONTENT))
    assert {stat.S_IMODE((shared.data / path).stat().st_mode) for path in ("cas", "cas/layer", "cas/db")} == {0o2750}
    os.chown(shared.data / "cas/tree", 12345, GROUP)
    assert "belongs to user 12345" in shared("--insecure-options=image", "fetch", make("example.com/c"), status=254).stderr
    os.chown(shared.data / "cas/tree", 0, GROUP)


def test_a_lock_of_a_members_does_not_stop_root_for_ever(shared, busybox):
    """Root waits for a while, and says whose process it is."""
    uuid = shared("--insecure-options=image", "prepare", busybox).stdout.strip()
    code = "import fcntl, sys, time\nf = open(sys.argv[1])\nfcntl.flock(f, fcntl.LOCK_EX)\nprint('held', flush=True)\ntime.sleep(1000)"
    holder = subprocess.Popen(["setpriv", "--reuid=12345", "--regid=12345", f"--groups={GROUP}", "--", sys.executable, "-c", code,
                               str(shared.data / "locks/prepare")], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        error = shared("--insecure-options=image", "prepare", busybox, status=254, timeout=60).stderr
        assert f"process {holder.pid} of user 12345 holds a lock that root waits for" in error
    finally:
        holder.kill()
        holder.communicate()
    shared("--insecure-options=image", "prepare", busybox)
    shared("rm", uuid)


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
    full = shared.as_user("fetch", "--full", image, groups=[GROUP]).stdout.strip()
    assert "verified" in shared.as_user("image", "list", "--fields=signature", groups=[GROUP]).stdout
    assert "not checked" in shared("image", "list", "--fields=signature").stdout, "a member says so, not root"
    assert "signature verified" in shared("image", "verify", full).stderr
    assert "verified" in shared("image", "list", "--fields=signature").stdout
    assert (os.stat(shared.data / f"cas/image/{full}").st_uid, os.stat(shared.data / f"cas/tree/{full}").st_uid) == (0, 0)
    shared("trust", "--skip-fingerprint-review", "--prefix=example.com/app", signer.public_key(home / "key.asc"))
