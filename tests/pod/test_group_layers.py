# SPDX-License-Identifier: Apache-2.0
"""Images of layers that members of the group fetch without root (cli 1.6): root takes them in when it first uses them,
and believes nothing that a member could have written."""
import json
import shutil

import aci
import oci
import pytest
from test_group_rights import GROUP, as_member, shared, start_as_member  # noqa: F401
from test_simple_signing import authority, layout, registry, rocket, set_policy, signatures  # noqa: F401

pytestmark = pytest.mark.bare


def let_everybody_read(*directories):
    for path in (each for top in directories for each in (top, *top.rglob("*"))):
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
def member(shared, home, authority):  # noqa: F811
    """Runs commands of a member's."""
    shutil.copy(authority.ca, home / "ca.pem")
    (home / "ca.pem").chmod(0o644)
    shared.environment["SSL_CERT_FILE"] = str(home / "ca.pem")

    def run(*words, **options):
        let_everybody_read(*[home / name for name in ("layout", "signatures") if (home / name).exists()], shared.local)
        return shared.as_user(*words, groups=[GROUP], **options)
    return run


def asked(registry, *words):  # noqa: F811
    return [line for line in map(str, registry.server.log) if all(word in line for word in words)]


def test_a_member_fetches_and_root_runs_it(shared, member, registry, signatures):  # noqa: F811
    signatures.sign()
    done = member("fetch", "--full", registry.reference)
    full = done.stdout.strip()
    assert "signature verified" in done.stderr
    directory = shared.data / "cas/image" / full
    assert directory.stat().st_uid == 12345 and not list((shared.data / "cas").glob("layer/*")) and not list((shared.data / "cas/tmp").iterdir())
    assert list((shared.data / "cas/members/partial").iterdir()) == [], "what was downloaded was linked, not copied"
    assert full[:19] in member("image", "list").stdout
    assert json.loads(member("image", "cat-manifest", full).stdout)["app"]["exec"] == ["/bin/echo", "signed"]
    assert "only root can put together" in member("image", "export", full, "/tmp/member-export.aci", status=254).stderr
    count = len(registry.server.log)
    assert member("fetch", "--full", "--pull-policy=new", registry.reference).stdout.strip() == full

    assert "not checked" in shared("image", "list", "--fields=signature").stdout, "a member says so, not root"
    assert shared("run", "--net=none", registry.reference).stdout == "signed\n"
    assert len(registry.server.log) == count, "neither asks the registry"
    assert directory.stat().st_uid == 0 and len(list((shared.data / "cas/layer").iterdir())) == 2
    assert json.loads((directory / "record.json").read_text())["keyFingerprint"] == signatures.signer.fingerprint.lower()
    assert "successfully verified" in shared("image", "verify", full).stdout
    shared("gc", "--grace-period=0s")
    shared("image", "rm", full)
    assert shared("fetch", "--full", registry.reference).stdout.strip() == full, "root finds the same id"


def test_unsigned_images_are_for_whoever_asks_for_them_by_id(shared, member, registry, layout):  # noqa: F811
    full = member("--insecure-options=image", "fetch", "--full", registry.reference).stdout.strip()
    error = shared("run", "--net=none", full, status=254).stderr
    assert "user 12345" in error and "there is no signature" in error and "rocket image rm" in error
    count = len(asked(registry, "blobs"))
    assert shared.run(full).stdout == "signed\n" and len(asked(registry, "blobs")) == count
    # Not by its name: that it came from there is only a member's word.
    layout.entries.clear()
    layout.image(oci.busybox(), [aci.file("new")], name="v1", Cmd=["/bin/echo", "new"])
    other = member("--insecure-options=image", "fetch", "--full", registry.reference).stdout.strip()
    assert other != full
    assert len(asked(registry, "blobs")) == count + 2, "configuration and one layer: root has the other one"
    assert shared.run(registry.reference).stdout == "new\n" and len(asked(registry, "blobs")) == count + 4


def test_the_same_id_for_whoever_fetches(shared, member, layout, home):  # noqa: F811
    layout.image(oci.busybox(), [aci.file("etc/.wh.passwd")], [aci.directory("etc"), aci.file("etc/.wh..wh..opq"), aci.file("etc/group", "users:x:7:web\n")],
                 [aci.symlink("etc/passwd", "/lib/passwd"), aci.file("lib/passwd", "web:x:70:7::/:/bin/sh\n", mode=0), aci.directory("closed", 0)],
                 name="odd", User="web", Cmd=["/bin/true"])
    full = member("--insecure-options=image", "fetch", "--full", f"{layout}:odd").stdout.strip()
    app = json.loads(member("image", "cat-manifest", full).stdout)["app"]
    assert (app["user"], app["group"]) == ("70", "7")
    assert "nothing in this format is signed" in shared("prepare", full, status=254).stderr
    shared("--insecure-options=image", "prepare", full)
    assert shared.fetch(f"{layout}:odd") == full


def test_what_docker_has_saved(shared, member, home):
    """Its layers have no digests but those of their tars, which the configuration tells (ODAR-4)."""
    tar, top = aci.tar_bytes(oci.busybox()), aci.tar_bytes([aci.file("top", "top")])
    config = json.dumps({"architecture": oci.GO_ARCH, "os": "linux", "config": {"Cmd": ["/bin/cat", "/top"]},
                         "rootfs": {"type": "layers", "diff_ids": [oci.digest(tar), oci.digest(top)]}}).encode()
    saved = oci.save(home / "saved.tar", [(config, [aci.compress(tar, "gz"), top], ["box:v1"])])
    saved.chmod(0o644)
    full = member("--insecure-options=image", "fetch", "--full", f"docker-archive:{saved}").stdout.strip()
    directory = shared.data / "cas/image" / full
    assert member("image", "list", "--no-legend", "--fields=name").stdout.strip().endswith("/library/box:v1")
    assert "nothing in this format is signed" in shared("prepare", full, status=254).stderr
    for name in (f"layer-{oci.digest(top)}", oci.digest(config)):
        spoilt = as_member("p = pathlib.Path(sys.argv[1]); t = p.read_bytes(); p.unlink(); p.write_bytes(t.replace(b'top', b'pot'))",
                           directory / name.replace(":", "-"))
        assert spoilt.returncode == 0, spoilt.stderr
        error = shared("--insecure-options=image", "prepare", full, status=254).stderr
        assert full in error and "user 12345" in error and "digest" in error
        shutil.rmtree(directory)
        assert member("--insecure-options=image", "fetch", "--full", f"docker-archive:{saved}").stdout.strip() == full
    assert shared.run(full).stdout == "top"
    assert directory.stat().st_uid == 0
    shared("gc", "--grace-period=0s")
    shared("image", "rm", full)
    assert shared.fetch(f"docker-archive:{saved}") == full, "root finds the same id"
    saved.write_bytes(b"")
    assert "saved.tar" in member("--insecure-options=image", "fetch", f"docker-archive:{saved}", status=254).stderr


def test_no_member_keeps_root_from_sweeping(shared, member, layout):  # noqa: F811
    full = shared.fetch(f"{layout}:v1")
    assert len(list((shared.data / "cas/layer").iterdir())) == 2
    locks = ("import fcntl\nheld = []\nfor path in map(pathlib.Path, sys.argv[1:]):\n"
             "  try: held.append(os.open(path, os.O_RDONLY | (0 if path.is_dir() else os.O_CREAT), 0o640))\n"
             "  except PermissionError: continue\n"
             "  fcntl.flock(held[-1], fcntl.LOCK_SH)\nprint(len(held), flush=True)\nsys.stdin.read()")
    places = [shared.data / name for name in ("locks/layers", "locks", "cas", "cas/layer", "cas/tree", "cas/db")]
    with start_as_member(locks, *places) as holder:
        assert int(holder.stdout.readline()) >= 2, "it could lock something"
        shared("image", "rm", full)
        assert list((shared.data / "cas/layer").iterdir()) == []
        holder.stdin.close()


SPOIL = {
    "a layer": ("for p in d.glob('sha256-*'): p.stat().st_size > 100000 and (os.chmod(p, 0o600), p.write_bytes(p.read_bytes()[:-1] + b'x'))", ["damaged"]),
    "the manifest of the image": ("e = d / json.loads((d / 'pending.json').read_text())['document'].replace(':', '-'); t = e.read_text(); e.unlink(); e.write_text(t + ' ')", ["another digest"]),
    "what was asked for": ("e = d / 'pending.json'; t = e.read_text().replace('team/box', 'team/bar'); e.unlink(); e.write_text(t)", ["team/box", "was asked for"]),
    "another kind": ("e = d / 'pending.json'; t = json.loads(e.read_text()); t['reference'] = '/etc/passwd'; e.unlink(); e.write_text(json.dumps(t))", ["no image of layers"]),
    "a pipe": ("e = d / json.loads((d / 'pending.json').read_text())['document'].replace(':', '-'); e.unlink(); os.mkfifo(e)", ["is not in it"]),
    "a link": ("e = d / json.loads((d / 'pending.json').read_text())['document'].replace(':', '-'); e.unlink(); e.symlink_to('/etc/shadow')", ["symbolic links"]),
    "the signature": ("e = d / 'signature-1'; e.unlink(); e.write_bytes(b'x' * 100)", ["signature"]),
    "the manifest that members see": ("e = d / 'manifest'; t = e.read_text().replace('signed', 'forged'); e.unlink(); e.write_text(t)", []),
}


def test_root_believes_nothing(shared, member, registry, signatures):  # noqa: F811
    signatures.sign()
    full = member("fetch", "--full", registry.reference).stdout.strip()
    directory = shared.data / "cas/image" / full
    for name, (spoil, words) in SPOIL.items():
        shutil.rmtree(directory, ignore_errors=True)
        assert member("fetch", "--full", registry.reference).stdout.strip() == full
        spoilt = as_member(f"d = pathlib.Path(sys.argv[1])\n{spoil}", directory)
        assert spoilt.returncode == 0, f"{name}: {spoilt.stderr}"
        if words:
            error = shared("prepare", full, status=254).stderr
            assert full in error and "user 12345" in error and all(word in error for word in words), f"{name}: {error}"
            assert directory.stat().st_uid == 12345, name
        else: # root makes its own
            shared("prepare", full)
            assert "forged" not in shared("image", "cat-manifest", full).stdout
    # A whole image under another's id.
    shared("gc", "--grace-period=0s", "--expire-prepared=0s")
    shared("image", "rm", full)
    member("fetch", "--full", registry.reference)
    moved = as_member("p = pathlib.Path(sys.argv[1]); p.rename(p.with_name('sha512-' + 32 * 'ab'))\n"
                      "r = p.with_name('sha512-' + 32 * 'ab') / 'record.json'; t = json.loads(r.read_text()); t['id'] = 'sha512-' + 64 * 'ab'; r.unlink(); r.write_text(json.dumps(t))", directory)
    assert moved.returncode == 0, moved.stderr
    assert "what is in it is image" in shared("prepare", "sha512-" + 32 * "ab", status=254).stderr


def test_the_policy_counts_for_what_members_fetched(shared, member, registry, signatures):  # noqa: F811
    """Also where root did not ask for it by its name: by its id, or by an image that depends on it."""
    signatures.sign()
    full = member("fetch", "--full", registry.reference).stdout.strip()
    rejected = {registry.host: [{"type": "reject"}]}
    for options in [], ["--insecure-options=image"]:
        set_policy(shared, **rejected)
        assert "is rejected by" in shared(*options, "prepare", full, status=254).stderr
        assert (shared.data / "cas/image" / full).stat().st_uid == 12345
    set_policy(shared)
    shared("fetch", full)
    assert (shared.data / "cas/image" / full).stat().st_uid == 0
