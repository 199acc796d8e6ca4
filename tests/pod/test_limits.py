# SPDX-License-Identifier: Apache-2.0
"""Resource limits (appc chapter 6, cli 7.2): they need cgroup controllers, so they run in the virtual machine."""
import json
import pathlib
import time

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



def app_of(rocket, uuid):
    app, = json.loads(rocket("status", "--format=json", uuid).stdout)["apps"]
    return app


def test_out_of_memory_is_told(rocket, busybox):
    rocket.sh(busybox, EAT, "--memory=30M", status=None, timeout=60)
    app = app_of(rocket, rocket.uuids()[0])
    assert app["oom"] is True and app["exit_code"] != 0


def pod_run(rocket, image, isolators, script, home, **options):
    manifest = {"acVersion": "0.8.11", "acKind": "PodManifest", "isolators": isolators,
                "apps": [{"name": "a", "image": {"id": image}, "app": {"exec": ["/bin/sh", "-c", script], "user": "0", "group": "0"}}]}
    (home / "pod.json").write_text(json.dumps(manifest))
    return rocket("--insecure-options=image", "run", "--net=none", f"--pod-manifest={home / 'pod.json'}", timeout=120, **options)


def test_memory_of_the_whole_pod(rocket, busybox, home):
    image = rocket.fetch(busybox)
    limit = [{"name": "resource/memory", "value": {"limit": "40M"}}]
    assert pod_run(rocket, image, limit, EAT, home, status=None).returncode not in (0, 254)
    assert app_of(rocket, rocket.uuids()[0])["oom"] is True
    assert pod_run(rocket, image, limit, "echo enough", home).stdout == "enough\n"


def test_number_of_tasks(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "100")
    group, = [path for path in pathlib.Path("/sys/fs/cgroup").rglob("app-busybox.service") if (path / "pids.max").exists()]
    assert (group / "pids.max").read_text() == "4096\n"
    rocket("stop", "--force", uuid)
    process.wait(timeout=30)


def test_oom_score(rocket, busybox):
    assert rocket.sh(busybox, "cat /proc/self/oom_score_adj", "--oom-score-adj=321").stdout == "321\n"


def disk_limit(what, value):
    return [{"name": f"resource/{what}", "value": {"default": True, "limit": value}}]


# To a volume: the root of an app is an overlay that does not wait for the disk (it is gone with the pod anyway).
WRITE = "dd if=/dev/zero of=/data/x bs=1M count=6 conv=fsync 2>/dev/null; echo written"
VOLUME = "--volume=data,kind=empty"


def test_block_bandwidth_of_an_app_bites(rocket, make):
    """Six megabytes at one a second."""
    image = make("example.com/io", aci.app("/bin/sh", "-c", WRITE, isolators=disk_limit("block-bandwidth", "1M")), aci.busybox())
    start = time.monotonic()
    done = rocket.run(VOLUME, image, "--mount=volume=data,target=/data", timeout=120)
    assert done.stdout == "written\n" and "not enforced" not in done.stderr
    assert time.monotonic() - start > 5


def test_block_bandwidth_of_a_pod_bites(rocket, busybox, home):
    image = rocket.fetch(busybox)
    manifest = {"acVersion": "0.8.11", "acKind": "PodManifest", "isolators": disk_limit("block-bandwidth", "1M"),
                "volumes": [{"name": "data", "kind": "empty"}],
                "apps": [{"name": "a", "image": {"id": image}, "app": {"exec": ["/bin/sh", "-c", WRITE], "user": "0", "group": "0"},
                          "mounts": [{"volume": "data", "path": "/data"}]}]}
    (home / "pod.json").write_text(json.dumps(manifest))
    start = time.monotonic()
    assert rocket("--insecure-options=image", "run", "--net=none", f"--pod-manifest={home / 'pod.json'}", timeout=120).stdout == "written\n"
    assert time.monotonic() - start > 5


def test_other_pods_do_not_suffer(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "100")
    rocket.sh(busybox, EAT, "--memory=30M", status=None, timeout=60)
    assert process.poll() is None and rocket.state(uuid) == "running"
    rocket("stop", "--force", uuid)
