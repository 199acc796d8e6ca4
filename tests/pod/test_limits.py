# SPDX-License-Identifier: Apache-2.0
"""Resource limits (appc chapter 6, cli 7.2): they need cgroup controllers, so they run in the virtual machine."""
import json

import aci
import pytest

pytestmark = pytest.mark.vm

EAT = "x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo ${#x}"


def test_memory_flag(rocket, busybox):
    assert rocket.sh(busybox, EAT, "--memory=400M", timeout=60).stdout == "60000000\n"
    done = rocket.sh(busybox, EAT, "--memory=30M", status=None, timeout=60)
    assert done.returncode not in (0, 254) and done.stdout == ""


def test_memory_isolator(rocket, make):
    limit = [{"name": "resource/memory", "value": {"request": "20M", "limit": "30M"}}]
    path = make("example.com/eat", aci.app("/bin/sh", "-c", EAT, isolators=limit), aci.busybox())
    assert rocket.run(path, status=None, timeout=60).returncode not in (0, 254)
    records = list((rocket.data / "pods/run").glob("*/status/eat.json"))
    assert json.loads(records[0].read_text())["oom"] is True


def busy_seconds(rocket, image, *flags):
    """CPU time that an app gets in two seconds."""
    script = "end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do :; done; cat /proc/$$/stat"
    fields = rocket.sh(image, script, *flags, timeout=60).stdout.rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / 100


def test_cpu_flag(rocket, busybox):
    assert busy_seconds(rocket, busybox, "--cpu=200m") < 0.6 * busy_seconds(rocket, busybox)



def test_other_pods_do_not_suffer(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "100")
    rocket.sh(busybox, EAT, "--memory=30M", status=None, timeout=60)
    assert process.poll() is None and rocket.state(uuid) == "running"
    rocket("stop", "--force", uuid)
