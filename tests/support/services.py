# SPDX-License-Identifier: Apache-2.0
"""Rocket's own services on a booted host, with the units as they are installed, but for the programs of the build tree and
the data of a test."""
import pathlib
import re
import subprocess

from conftest import BUILD, SOURCE

UNITS = pathlib.Path("/run/systemd/system")


def systemctl(*words, check=True):
    return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=check, timeout=60).stdout.strip()


def make_group_and_users():
    subprocess.run(["systemd-sysusers", SOURCE / "units/host/sysusers.conf"], check=True, capture_output=True)


def share_with_group(rocket):
    """The data directory as tmpfiles.conf makes it: members of the group rocket look at pods."""
    make_group_and_users()
    rocket.home.chmod(0o755)
    for line in (SOURCE / "units/host/tmpfiles.conf.in").read_text().splitlines():
        if line.startswith("d @DATA_DIR@"):
            _, path, mode, user, group, _ = line.split()
            subprocess.run(["install", "-d", "-m", mode, "-o", user, "-g", group, path.replace("@DATA_DIR@", str(rocket.data))], check=True)


class Service:
    """NAME.socket and NAME.service; `command` is what `rocket` is to do."""

    def __init__(self, rocket, name, command, *properties):
        self.name = name
        self.is_open = True
        for kind in ("socket", "service"):
            text = next(path for path in (BUILD / "units/host" / f"{name}.{kind}", SOURCE / "units/host" / f"{name}.{kind}") if path.exists()).read_text()
            (UNITS / f"{name}.{kind}").write_text(re.sub(r"(?m)^(ExecStart=|RequiresMountsFor=).*\n", "", text))
        # The unit sees no /tmp of the host: of what lies there it gets these two.
        drop_in = ["[Service]", f"ExecStart={' '.join(rocket.command(*command))}", *properties, f"BindReadOnlyPaths={BUILD} {rocket.home}",
                   *[f"Environment={key}={value}" for key, value in rocket.environment.items()]]
        (UNITS / f"{name}.service.d").mkdir(exist_ok=True)
        (UNITS / f"{name}.service.d/test.conf").write_text("\n".join(drop_in) + "\n")
        systemctl("daemon-reload")
        systemctl("start", f"{name}.socket")

    def show(self, what):
        return systemctl("show", "-P", what, f"{self.name}.service")

    def log(self):
        return subprocess.run(["journalctl", "-u", f"{self.name}.service", "-o", "cat", "--no-pager"], capture_output=True, text=True, check=True).stdout

    def close(self):
        if not self.is_open:
            return
        self.is_open = False
        systemctl("stop", f"{self.name}.socket", f"{self.name}.service", check=False)
        systemctl("reset-failed", f"{self.name}.socket", f"{self.name}.service", check=False)
        for kind in ("socket", "service"):
            (UNITS / f"{self.name}.{kind}").unlink()
        (UNITS / f"{self.name}.service.d/test.conf").unlink()
        systemctl("daemon-reload")
