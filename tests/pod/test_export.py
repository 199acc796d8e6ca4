# SPDX-License-Identifier: Apache-2.0
"""rocket export: an app's root as its pod has left it, as an image (cli 8.15; internals F9, F11)."""
import json
import os
import stat
import tarfile

import aci
import pytest

pytestmark = pytest.mark.bare

CHANGES = """set -e
rm /etc/passwd; rm -r /old; mkdir /old; echo new > /old/new
echo more >> /etc/group; mkdir -m 1770 /made; echo x > /made/file; chmod 4755 /made/file; ln /made/file /made/link; ln -s ../etc /made/symlink
mkfifo /made/fifo; echo y > /tmp/y; chown 1000:1001 /tmp/y; echo hidden > /v/hidden"""


@pytest.fixture
def image(make):
    content = [*aci.busybox(("sh", "rm", "mkdir", "ln", "mkfifo", "chown", "chmod", "cat", "ls", "test", "stat")),
               aci.directory("rootfs/old"), aci.file("rootfs/old/gone", "x"), aci.directory("rootfs/kept", 0o700), aci.file("rootfs/kept/same", "same")]
    return make("example.com/changing", aci.app("/bin/sh", "-c", CHANGES), content)


def members(path):
    with tarfile.open(path) as archive:
        return {member.name: member for member in archive}


@pytest.mark.parametrize("flags", [[], ["--no-overlay"], ["--private-users"]], ids=["overlay", "copy", "private users"])
def test_what_the_app_changed(rocket, image, home, flags):
    rocket.run(*flags, "--volume=v,kind=empty", image, "--mount=volume=v,target=/v")
    [uuid] = rocket.uuids()
    [layer] = [path for name in ("upper", "rootfs") for path in rocket.data.glob(f"pods/run/{uuid}/apps/changing/{name}")]
    os.mknod(layer / "made/socket", stat.S_IFSOCK | 0o600)
    done = rocket("export", uuid, home / "out.aci")
    found = members(home / "out.aci")
    assert (home / "out.aci").read_bytes()[:2] == b"\x1f\x8b" and os.stat(home / "out.aci").st_mode & 0o777 == 0o644
    assert "rootfs/etc/passwd" not in found and "rootfs/old/gone" not in found and "rootfs/old/new" in found
    assert found["rootfs/kept"].mode == 0o700 and "rootfs/kept/same" in found
    assert found["rootfs/made"].mode == 0o1770 and found["rootfs/made/fifo"].isfifo()
    assert {found["rootfs/made/file"].islnk(), found["rootfs/made/link"].islnk()} == {True, False}
    assert found["rootfs/made/symlink"].linkname == "../etc"
    assert (found["rootfs/tmp/y"].uid, found["rootfs/tmp/y"].gid) == (1000, 1001), "not those of the host"
    assert "rootfs/v" in found and "rootfs/v/hidden" not in found, "volumes are not the app's root"
    assert "rootfs/made/socket" not in found and "1 sockets" in done.stderr
    assert not [name for name in found if ".wh." in name]
    assert set(os.listdir(home)) >= {"out.aci"} and not [name for name in os.listdir(home) if name.startswith(".out")]


def test_the_export_is_an_image(rocket, image, home):
    """It can be fetched and run, and what runs sees the changes."""
    rocket.run("--volume=v,kind=empty", image, "--mount=volume=v,target=/v")
    [uuid] = rocket.uuids()
    rocket("export", "--app=changing", uuid, home / "out.aci")
    script = "cat /old/new /made/file; stat -c %a /made/file; ls /old; test -e /etc/passwd || echo no passwd"
    done = rocket.run(home / "out.aci", "--exec=/bin/sh", "--", "-c", script)
    assert done.stdout.split("\n")[:5] == ["new", "x", "4755", "new", "no passwd"]
    manifest = json.loads(rocket("image", "cat-manifest", "example.com/changing").stdout)
    assert manifest["name"] == "example.com/changing" and manifest["app"]["exec"][0] == "/bin/sh"


def test_the_same_pod_gives_the_same_bytes(rocket, busybox, home):
    rocket.sh(busybox, "echo x > /tmp/x")
    [uuid] = rocket.uuids()
    for name in ("a.aci", "b.aci"):
        rocket("export", uuid, home / name)
    assert (home / "a.aci").read_bytes() == (home / "b.aci").read_bytes()


def test_extended_attributes_are_kept(rocket, busybox, home):
    rocket.sh(busybox, "echo x > /tmp/x; touch /tmp/program")
    [uuid] = rocket.uuids()
    [upper] = rocket.data.glob(f"pods/run/{uuid}/apps/busybox/upper")
    os.setxattr(upper / "tmp/program", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))
    rocket("export", uuid, home / "out.aci")
    assert "SCHILY.xattr.security.capability" in members(home / "out.aci")["rootfs/tmp/program"].pax_headers


def test_refused(rocket, busybox, home):
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "60")
    out = home / "out.aci"
    assert "pod is not exited. Only exited pods can be exported" in rocket("export", uuid, out, status=254).stderr
    rocket("stop", "--force", uuid)
    process.communicate(timeout=20)
    assert "extension must be .aci" in rocket("export", uuid, home / "out.tar", status=254).stderr
    assert "no app \"other\"" in rocket("export", "--app=other", uuid, out, status=254).stderr
    out.write_text("precious")
    assert "target file exists (try --overwrite)" in rocket("export", uuid, out, status=254).stderr
    assert out.read_text() == "precious"
    rocket("export", "--overwrite", uuid, out)
    assert "manifest" in members(out)
    [prepared] = [line for line in rocket("--insecure-options=image", "prepare", busybox).stdout.split()]
    assert "not exited" in rocket("export", prepared, home / "other.aci", status=254).stderr


def test_one_app_of_several(rocket, busybox, home):
    rocket.run(busybox, "--name=a", "--exec=/bin/touch", "--", "/of-a", "---", busybox, "--name=b", "--exec=/bin/touch", "--", "/of-b")
    [uuid] = rocket.uuids()
    refused = rocket("export", uuid, home / "out.aci", status=254)
    assert "pod contains multiple apps:\n\ta\n\tb" in refused.stderr and "rocket export --app=" in refused.stderr
    rocket("export", "--app=b", uuid, home / "out.aci")
    assert "rootfs/of-b" in members(home / "out.aci") and "rootfs/of-a" not in members(home / "out.aci")
