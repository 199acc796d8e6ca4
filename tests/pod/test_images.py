# SPDX-License-Identifier: Apache-2.0
"""Fetching, the store, signatures and trust (cli 4, 8.4, 8.5, 8.16)."""
import gzip
import hashlib
import json
import lzma
import os
import re
import shutil
import sqlite3

import aci
import pytest

pytestmark = pytest.mark.bare


def image_id(archive_bytes):
    return "sha512-" + hashlib.sha512(archive_bytes).hexdigest()[:64]


@pytest.mark.parametrize("compression", [None, "gz", "bz2", "xz"])
def test_fetch_every_compression(rocket, make, compression):
    members = aci.image("example.com/a", content=[aci.file("rootfs/x", b"x" * 1000)])
    path = make.raw(members, compression=compression)
    assert rocket.fetch(path) == image_id(aci.tar_bytes(members))
    rocket("image", "verify", "example.com/a")


def test_fetch_prints_ids_in_order_after_all_succeeded(rocket, make):
    paths = [make(f"example.com/{n}") for n in "abc"]
    out = rocket("--insecure-options=image", "fetch", *paths).stdout.split()
    assert [len(i) for i in out] == [len("sha512-") + 32] * 3
    full = rocket("--insecure-options=image", "fetch", "--full", *paths).stdout.split()
    assert [i[: len(o)] for i, o in zip(full, out)] == out
    assert rocket("--insecure-options=image", "fetch", paths[0], "/nonexistent.aci", status=254).stdout == ""


def test_fetch_by_id_and_name(rocket, make):
    full = rocket.fetch(make("example.com/a"))
    assert rocket("--insecure-options=image", "fetch", "--pull-policy=never", "--full", "example.com/a").stdout.strip() == full
    assert rocket("--insecure-options=image", "fetch", "--full", full[:30]).stdout.strip() == full
    assert "never checked" in rocket("fetch", full[:30], status=254).stderr  # R11
    assert "cannot find" in rocket("fetch", "--pull-policy=never", "example.com/other", status=254).stderr \
        or "unable to fetch image" in rocket("fetch", "--pull-policy=never", "example.com/other", status=254).stderr


def test_fetch_wants_a_signature(rocket, make):
    done = rocket("fetch", make("example.com/a"), status=254)
    assert "signature" in done.stderr
    assert rocket("image", "list", "--no-legend").stdout.strip() == ""


def test_list_fields_formats_and_order(rocket, make):
    ids = {n: rocket.fetch(make(f"example.com/{n}", version=n + "1")) for n in ("b", "a", "c")}
    assert rocket("image", "list").stdout.split("\n")[0].split("\t")[0] == "ID"
    lines = rocket("image", "list", "--no-legend", "--fields=name", "--sort=name", "--order=desc").stdout.split()
    assert lines == ["example.com/c:c1", "example.com/b:b1", "example.com/a:a1"]
    entries = json.loads(rocket("image", "list", "--format=json").stdout)
    assert {e["id"] for e in entries} == set(ids.values())
    assert all(isinstance(e["import_time"], int) and e["size"] > 0 for e in entries)
    assert "wrong sort order" in rocket("image", "list", "--order=up", status=254).stderr
    assert re.match(r"sha512-[0-9a-f]{12}\s", rocket("image", "list", "--no-legend").stdout)


def test_manifest_keeps_unknown_fields(rocket, make):
    rocket.fetch(make("example.com/a", futureField={"x": [1, 2.5, None]}))
    manifest = json.loads(rocket("image", "cat-manifest", "example.com/a").stdout)
    assert manifest["futureField"] == {"x": [1, 2.5, None]}
    assert "\n" not in rocket("image", "cat-manifest", "--pretty-print=false", "example.com/a").stdout.strip()


def test_export_gives_the_same_id(rocket, make, home):
    full = rocket.fetch(make("example.com/a", compression="xz"))
    rocket("image", "export", "example.com/a", home / "out.aci")
    assert image_id((home / "out.aci").read_bytes()) == full
    assert "overwrite" in rocket("image", "export", "example.com/a", home / "out.aci", status=254).stderr
    rocket("image", "export", "--overwrite", "example.com/a", home / "out.aci")


def test_rm(rocket, make):
    full = rocket.fetch(make("example.com/a"))
    done = rocket("image", "rm", full)
    assert done.stdout == f'successfully removed aci for image: "{full}"\n'
    assert "1 image(s) successfully removed" in done.stderr
    assert rocket("image", "rm", "example.com/a", status=None).stderr
    assert rocket("image", "list", "--no-legend").stdout.strip() == ""
    assert not [p for p in (rocket.data / "cas/tree").iterdir()]


def test_verify_repairs_a_damaged_tree(rocket, make):
    full = rocket.fetch(make("example.com/a", content=[aci.file("rootfs/x", "good")]))
    damaged = rocket.data / f"cas/tree/{full}/rootfs/x"
    assert damaged.read_text() == "good"
    damaged.write_text("evil")
    done = rocket("image", "verify", "example.com/a")
    assert "verification failed" in done.stdout + done.stderr and "rebuilding" in done.stdout + done.stderr
    assert damaged.read_text() == "good"
    assert "successfully verified checksum for image" in rocket("image", "verify", "example.com/a").stdout


def test_index_can_be_deleted(rocket, make):
    full = rocket.fetch(make("example.com/a"))
    shutil.rmtree(rocket.data / "cas/db")
    assert rocket("--insecure-options=image", "fetch", "--pull-policy=never", "--full", "example.com/a").stdout.strip() == full
    (rocket.data / "cas/db/index.sqlite").write_bytes(b"not a database")
    rocket("image", "verify", full)
    assert full in rocket("image", "list", "--full", "--no-legend").stdout


def test_ten_different_fetches_at_once(rocket, make):
    """None is lost, the index is whole, and each verifies."""
    paths = [make(f"example.com/i{n}", content=[aci.file("rootfs/f", os.urandom(300_000)), aci.file("rootfs/n", str(n))]) for n in range(10)]
    processes = [rocket.start("--insecure-options=image", "fetch", "--full", path) for path in paths]
    ids = []
    for process in processes:
        out, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
        ids.append(out.strip())
    assert len(set(ids)) == 10
    assert sorted(rocket("image", "list", "--full", "--no-legend", "--fields=id").stdout.split()) == sorted(ids)
    with sqlite3.connect(f"file:{rocket.data}/cas/db/index.sqlite?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM image").fetchone() == (10,)
    assert rocket("image", "verify", *ids, timeout=120).stdout.count("successfully verified") == 10
    for number, image in enumerate(ids):
        assert (rocket.data / f"cas/tree/{image}/rootfs/n").read_text() == str(number)


def test_tree_is_faithful(rocket, make):
    full = rocket.fetch(make("example.com/a", content=[
        aci.file("rootfs/suid", "x", mode=0o4755, uid=7, gid=8, mtime=1234567890),
        aci.directory("rootfs/d", 0o1777, mtime=1000000000), aci.file("rootfs/d/f", "data"),
        aci.symlink("rootfs/l", "/d/f"), aci.hardlink("rootfs/h", "rootfs/d/f"), aci.fifo("rootfs/p"),
    ]))
    root = rocket.data / f"cas/tree/{full}/rootfs"
    suid = os.stat(root / "suid")
    assert (suid.st_mode & 0o7777, suid.st_uid, suid.st_gid, suid.st_mtime) == (0o4755, 7, 8, 1234567890)
    assert os.stat(root / "d").st_mode & 0o7777 == 0o1777 and os.stat(root / "d").st_mtime == 1000000000
    assert os.readlink(root / "l") == "/d/f"
    assert os.stat(root / "h").st_ino == os.stat(root / "d/f").st_ino
    assert (root / "p").is_fifo()


# --- trust

@pytest.fixture
def signed(make, signer, home):
    path = make("example.com/app/web", content=[aci.file("rootfs/x", "x")])
    signer.sign(path)
    return path


def trust(rocket, signer, home, *flags, **options):
    return rocket("trust", "--skip-fingerprint-review", *flags, signer.public_key(home / "key.asc"), **options)


@pytest.mark.parametrize("prefix", ["example.com", "example.com/app", "example.com/app/web"])
def test_signed_image_of_a_trusted_prefix(rocket, signed, signer, home, prefix):
    done = trust(rocket, signer, home, f"--prefix={prefix}")
    path = rocket.local / f"trustedkeys/prefix.d/{prefix}/{signer.fingerprint.lower()}"
    assert f'Added key for prefix "{prefix}" at "{path}"' in done.stdout
    assert path.exists() and path.stat().st_mode & 0o777 == 0o644
    done = rocket("fetch", "--full", signed)
    assert "signature verified:" in done.stderr and f"  {signer.identity}" in done.stderr
    assert done.stdout.startswith("sha512-")


def test_root_key(rocket, signed, signer, home):
    assert "Added root key at" in trust(rocket, signer, home, "--root").stdout
    rocket("fetch", signed)


def test_signature_elsewhere(rocket, signed, signer, home):
    trust(rocket, signer, home, "--root")
    os.rename(f"{signed}.asc", home / "sig")
    assert rocket("fetch", signed, status=254).stderr
    rocket("fetch", signed, f"--signature={home}/sig")


def refused(rocket, path, *words):
    done = rocket("fetch", path, status=254)
    assert done.stdout == ""
    assert any(word in done.stderr for word in words), done.stderr
    assert rocket("image", "list", "--no-legend").stdout.strip() == "", "a refused image must not be stored"


def test_prefix_is_compared_by_component(rocket, make, signer, home):
    trust(rocket, signer, home, "--prefix=example.com/app")
    path = make("example.com/apple")
    signer.sign(path)
    refused(rocket, path, "signature", "trust", "key")


def test_wrong_file_signature(rocket, signed, make, signer, home):
    trust(rocket, signer, home, "--root")
    other = make("example.com/other")
    shutil.copy(f"{signed}.asc", f"{other}.asc")
    refused(rocket, other, "signature")


def test_unknown_key(rocket, signed):
    refused(rocket, signed, "key", "trust")


def test_expired_key(rocket, make, home):
    old = aci.Signer("Old <old@example.com>", expire="20200201T000000", when="20200101T000000")
    try:
        path = make("example.com/a")
        old.sign(path, when="20200110T000000")
        trust(rocket, old, home, "--root")
        refused(rocket, path, "expired")
    finally:
        old.close()


def test_garbage_instead_of_a_signature(rocket, make, signer, home):
    trust(rocket, signer, home, "--root")
    path = make("example.com/a")
    (home / "a.aci.asc").write_text("garbage")
    refused(rocket, path, "signature")
    (home / "a.aci.asc").unlink()
    os.mkfifo(home / "a.aci.asc")
    refused(rocket, path, "signature", "regular file")


def test_masked_key(rocket, signed, signer, home):
    trust(rocket, signer, home, "--root")
    rocket("fetch", signed)
    vendor = rocket.system / "trustedkeys/root.d"
    vendor.mkdir(parents=True)
    local = rocket.local / f"trustedkeys/root.d/{signer.fingerprint.lower()}"
    shutil.move(local, vendor)
    rocket("fetch", signed)
    local.write_text("")
    assert rocket("fetch", signed, status=254).stderr


def test_insecure_image_does_not_satisfy_a_secure_request(rocket, signed, signer, home):
    """R11: an entry fetched with checks off is not taken for a verified one."""
    rocket("--insecure-options=image", "fetch", signed)
    assert rocket("fetch", signed, status=254).stderr
    trust(rocket, signer, home, "--root")
    rocket("fetch", signed)


def test_trust_refuses(rocket, signer, home):
    key = signer.public_key(home / "key.asc")
    assert "implicit unbounded trust" in rocket("trust", key, status=254).stderr
    assert "mutually exclusive" in rocket("trust", "--root", "--prefix=a", key, status=254).stderr
    assert "omit https://" in rocket("trust", "--prefix=https://example.com", key, status=254).stderr
    assert "lack of tty" in rocket("trust", "--prefix=example.com", key, status=254).stderr
    assert "only local files and http or https URLs supported" in rocket("trust", "--root", "ftp://x/y", status=254).stderr


def test_config_redacts(rocket):
    (rocket.local / "auth.d").mkdir(parents=True)
    (rocket.local / "auth.d/a.json").write_text(json.dumps({
        "rktKind": "auth", "rktVersion": "v1", "domains": ["example.com"], "type": "basic",
        "credentials": {"user": "joe", "password": "secret!"}}))
    out = rocket("config").stdout
    assert "secret!" not in out and "example.com" in out
    kinds = [entry["rktKind"] for entry in json.loads(out)["stage0"]]
    assert kinds == ["auth", "paths", "stage1"]
