# SPDX-License-Identifier: Apache-2.0
"""Images of layers that members of the group fetch without root (cli 1.6): root takes them in when it first uses them,
and believes nothing that a member could have written."""
import json
import shutil

import aci
import oci
import pytest
from test_group_rights import GROUP, as_member, shared  # noqa: F401
from test_simple_signing import authority, layout, registry, rocket, signatures  # noqa: F401

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
    # One more image of the same layers, by another member's command: what is there is not read from the layout.
    archive = home / "saved.tar"
    archive.write_bytes(b"")
    archive.chmod(0o644)
    assert member("--insecure-options=image", "fetch", f"docker-archive:{archive}", status=254).stderr


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
