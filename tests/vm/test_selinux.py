# SPDX-License-Identifier: Apache-2.0
"""SELinux contexts of apps (SEL-1), on a kernel that boots with SELinux and gets the least policy there is. It is permissive:
what is shown is who gets which context, not what a policy makes of it."""
import subprocess

import pytest
from conftest import SOURCE, scratch, shutil

import sys
sys.path.insert(0, str(SOURCE / "tests/support"))
import aci  # noqa: E402


@pytest.fixture
def policy():
    tree = scratch()
    subprocess.run(["secilc", "-c", "33", "-f", "/dev/null", "-o", tree / "policy", SOURCE / "tests/data/selinux.cil"], check=True)
    for name, kind in (("confined", "confined_t"), ("unknown", "unknown_t")):
        isolators = [{"name": "os/linux/selinux-context", "value": {"user": "system_u", "role": "system_r", "type": kind, "level": "s0:c1"}}]
        aci.write(tree / f"{name}.aci", aci.image(f"example.com/{name}", aci.app("/bin/cat", "/proc/self/attr/current", isolators=isolators), aci.busybox()))
    yield tree
    shutil.rmtree(tree)


def test_apps_have_the_context_they_ask_for(machine_with, installed, policy, monkeypatch):
    """In both flavours, as root and as a user, and whoever enters; a context that the policy does not have is refused."""
    monkeypatch.setenv("VM_APPEND", "security=selinux")
    out = machine_with(installed, policy)("""
        mountpoint -q /sys/fs/selinux || mount -t selinuxfs selinuxfs /sys/fs/selinux
        rocket run --net=none /unknown.aci 2>&1 | tr '\\0' '\\n'
        cat /policy > /sys/fs/selinux/load
        run() { rocket run "$@" | tr -d '\\0'; echo; }
        run --net=none /confined.aci
        run --net=none --private-users /confined.aci --user=1000
        run --net=host --stage1-from-dir=fly /confined.aci
        for flags in --net=none "--net=host --stage1-from-dir=fly"; do
            rocket run $flags /unknown.aci 2>&1 && exit 1
        done
        rocket run --net=none --uuid-file-save=/run/uuid /confined.aci --exec=/bin/sleep -- 1000 &
        for try in $(seq 100); do [ -s /run/uuid ] && rocket status --wait-ready=60s $(cat /run/uuid) >/dev/null && break; sleep 0.2; done
        rocket enter $(cat /run/uuid) /bin/cat /proc/self/attr/current | tr -d '\\0'; echo
        rocket stop $(cat /run/uuid) >/dev/null; wait""")
    lines = out.splitlines()
    assert lines.count("system_u:system_r:confined_t:s0:c1") == 4, out
    assert "os/linux/selinux-context is not in force: the host has no SELinux" in out, "without a policy"
    assert out.count('SELinux context "system_u:system_r:unknown_t:s0:c1" is none of the host\'s policy') == 2, out
