# SPDX-License-Identifier: Apache-2.0
"""rocket doctor: what a host has and lacks."""
import json
import os
import subprocess

import pytest


def findings(rocket, *flags, status=0, **options):
    done = rocket(*flags, "doctor", "--format=json", status=status, **options)
    return {finding["check"]: finding for finding in json.loads(done.stdout)}


@pytest.mark.bare
def test_a_host_that_runs_pods_is_not_broken(rocket):
    found = findings(rocket)
    assert {name for name, finding in found.items() if finding["state"] == "broken"} == set()
    instances = int(open("/proc/sys/fs/inotify/max_user_instances", encoding="ascii").read())
    assert found["inotify"]["finding"] == f"enough for {instances // 3} pods at once"
    assert found["stage1"]["state"] == "fine" and "systemd" in found["stage1"]["finding"]
    assert (found["systemd"]["state"] == "fine") == (os.path.isdir("/run/systemd/system") and os.path.exists("/lib/systemd/systemd-machined"))
    assert "rocket trust" in found["keys"]["advice"]
    text = rocket("doctor").stdout
    assert "-> rocket trust --prefix=NAME KEYFILE" in text


@pytest.mark.bare
def test_what_is_missing_is_named_with_the_next_step(rocket, home):
    found = findings(rocket, env={"ROCKET_LIBEXEC": str(home / "nowhere")}, status=1)
    assert found["stage1"]["state"] == "broken" and "-Dstage1-image=true" in found["stage1"]["advice"]
    (home / "half/stage1-images/systemd").mkdir(parents=True)
    assert "has no manifest" in findings(rocket, env={"ROCKET_LIBEXEC": str(home / "half")}, status=1)["stage1"]["finding"]
    (home / "file").touch()
    assert "is no directory" in findings(rocket, f"--dir={home}/file", status=1)["data"]["finding"]


def test_who_is_not_root_is_told_nothing_wrong(rocket, home):
    home.chmod(0o755)
    found = {finding["check"]: finding for finding in json.loads(rocket.as_user("doctor", "--format=json").stdout)}
    assert found["overlay"]["state"] == "fine" and "for root to find out" in found["overlay"]["finding"]
    assert "broken" not in {finding["state"] for finding in found.values()}


def test_a_place_that_images_cannot_be_shared_in(rocket, home):
    for name in ("lower", "upper", "work", "place"):
        (home / name).mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", home / "upper"], check=True)
    for name in ("u", "w"):
        (home / "upper" / name).mkdir()
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={home}/lower,upperdir={home}/upper/u,workdir={home}/upper/w",
                    home / "place"], check=True)
    try:
        found = findings(rocket, f"--dir={home}/place/data")
        assert found["overlay"]["state"] == "lacking" and "overlayfs" in found["overlay"]["finding"]
        assert not (home / "place/data").exists()  # nothing is made
        subprocess.run(["mount", "-o", "remount,ro", home / "place"], check=True)
        found = findings(rocket, f"--dir={home}/place/data", status=1)
        assert found["data"]["state"] == "broken" and "read-only" in found["data"]["finding"]
    finally:
        for name in ("place", "upper"):
            subprocess.run(["umount", home / name], check=True)


def test_keys_are_counted(rocket, signer, home):
    signer.public_key(home / "key.asc")
    rocket("trust", "--skip-fingerprint-review", "--prefix=example.com", home / "key.asc")
    assert findings(rocket)["keys"]["finding"] == "keys for 1 name prefixes, and 0 for all images"
