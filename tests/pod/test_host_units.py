# SPDX-License-Identifier: Apache-2.0
"""What the host's systemd loads (cli 1.6, 9.6): units/host, as it is installed."""
import os
import re
import shutil
import stat
import subprocess

import pytest
from conftest import BUILD, SOURCE

pytestmark = pytest.mark.bare


def test_units_are_accepted_by_systemd(home, rocket):
    for name in ["rocket-gc.service", "rocket-metadata.service", "example@.service"]:
        text = (BUILD / "units/host" / name).read_text()
        (home / name).write_text(re.sub(r"(?m)^(Exec\w+=-?)\S+/rocket ", rf"\g<1>{shutil.which(rocket.program)} ", text))
    for name in ["rocket-gc.timer", "rocket-metadata.socket"]:
        shutil.copy(SOURCE / "units/host" / name, home)
    names = ["./rocket-gc.service", "./rocket-gc.timer", "./rocket-metadata.service", "./rocket-metadata.socket", "./example@.service"]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *names], cwd=home, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


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
