# SPDX-License-Identifier: Apache-2.0
"""What the host's systemd loads (cli 1.6, 9.6): units/host, as it is installed."""
import os
import re
import shutil
import stat
import subprocess

import pytest
import net
from conftest import BUILD, HOST_IS_SYSTEMD, SOURCE, wait_for

pytestmark = pytest.mark.bare


def test_units_are_accepted_by_systemd(home, rocket):
    for name in ["rocket-api.service", "rocket-gc.service", "rocket-metadata.service", "example@.service"]:
        text = (BUILD / "units/host" / name).read_text()
        (home / name).write_text(re.sub(r"(?m)^(Exec\w+=-?)\S+/rocket ", rf"\g<1>{shutil.which(rocket.program)} ", text))
    for name in ["rocket-api.socket", "rocket-api-tcp.socket", "rocket-gc.timer", "rocket-metadata.socket"]:
        shutil.copy(SOURCE / "units/host" / name, home)
    names = ["./rocket-api.service", "./rocket-api.socket", "./rocket-api-tcp.socket", "./rocket-gc.service", "./rocket-gc.timer", "./rocket-metadata.service", "./rocket-metadata.socket", "./example@.service"]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *names], cwd=home, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def exposure(unit, home):
    """What systemd thinks of the unit's sandbox: 0 is best, 10 is none."""
    (home / f"{unit}.service").write_text((BUILD / f"units/host/{unit}.service").read_text())
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", f"./{unit}.service"], cwd=home, capture_output=True, text=True)
    return float(re.search(r"exposure level for .*: ([\d.]+)", done.stdout).group(1))


@pytest.mark.parametrize("unit, most", [("rocket-api", 2.0), ("rocket-metadata", 2.0), ("rocket-gc", 4.5), ("rocket-update", 5.5)])
def test_services_have_no_right_that_they_have_no_use_for(home, unit, most):
    """Those that need no privilege have none; the other two do root's work."""
    assert exposure(unit, home) <= most


def rights(unit):
    """Arguments of systemd-run that make a service like the unit."""
    text = (BUILD / f"units/host/{unit}.service").read_text()
    return [f"--property={line}" for line in text.split("[Service]")[1].splitlines() if re.match(r"\w+=", line) and not line.startswith("Exec")]


@pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs a network of its own and systemd: runs in tier pod")
def test_gc_can_do_its_work_with_the_rights_of_its_unit(rocket, home, busybox):
    """A pod whose supervisor was killed has left a network, a group and files, of users that the host does not have."""
    before = net.remains()
    saved = home / "uuid"
    process = rocket.start("--insecure-options=image", "run", "--net=default", "--private-users", f"--uuid-file-save={saved}", busybox,
                           "--exec=/bin/sh", "--", "-c", "umask 077; mkdir /own; touch /own/file; sleep 1000")
    wait_for(lambda: saved.exists() and saved.read_text(), "the pod's UUID")
    rocket("status", "--wait-ready=30s", saved.read_text())
    process.kill()
    process.wait()
    assert net.remains() != before
    environment = [f"--setenv={key}={value}" for key, value in rocket.environment.items()]
    for _ in range(2):  # it is moved to the garbage, then taken away
        done = subprocess.run(["systemd-run", "--quiet", "--wait", "--pipe", *rights("rocket-gc"), *environment, *rocket.command("gc", "--grace-period=0s")],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done
    assert rocket.uuids() == [] and net.remains() == before


def test_directories_and_groups(home):
    (home / "etc").mkdir()
    root = ["--root", home]
    subprocess.run(["systemd-sysusers", *root, SOURCE / "units/host/sysusers.conf"], check=True, capture_output=True)
    subprocess.run(["systemd-tmpfiles", "--create", *root, BUILD / "units/host/rocket-tmpfiles.conf"], check=True)
    groups = dict(line.split(":")[0:3:2] for line in (home / "etc/group").read_text().splitlines())
    expected = {"var/lib/rocket": (0o2750, "rocket"), "var/lib/rocket/cas/image": (0o2770, "rocket"),
                "var/lib/rocket/cas/tree": (0o2700, "rocket"), "var/lib/rocket/pods/run": (0o2750, "rocket"),
                "etc/rocket/trustedkeys/prefix.d": (0o2775, "rocket-admin")}
    for path, (mode, group) in expected.items():
        info = os.stat(home / path)
        assert (stat.S_IMODE(info.st_mode), str(info.st_gid)) == (mode, groups[group]), path
