# SPDX-License-Identifier: Apache-2.0
"""The contract of rocket-stage1(7), proved by a stage1 that is not ours: tests/support/stage1-example."""
import json
import signal
import time

import aci
import pytest
from conftest import SOURCE, mounts, wait_for

pytestmark = pytest.mark.bare

ENTRY_POINTS = ("run", "enter", "stop", "gc")


def manifest(version="1", entry_points=ENTRY_POINTS, name="example.com/stage1"):
    annotations = {f"coreos.com/rkt/stage1/{entry}": f"/bin/{entry}" for entry in entry_points}
    if version:
        annotations["coreos.com/rkt/stage1/interface-version"] = version
    return aci.manifest(name, annotations=[{"name": key, "value": value} for key, value in annotations.items()])


def write_stage1(directory, **options):
    """An image in layout, used in place."""
    (directory / "rootfs/bin").mkdir(parents=True)
    (directory / "rootfs/bin/example").write_bytes((SOURCE / "tests/support/stage1-example").read_bytes())
    (directory / "rootfs/bin/example").chmod(0o755)
    for entry in ENTRY_POINTS:
        (directory / "rootfs/bin" / entry).symlink_to("example")
    (directory / "manifest").write_text(json.dumps(manifest(**options)))
    return directory


@pytest.fixture
def stage1(home):
    return write_stage1(home / "stage1")


@pytest.fixture
def run(rocket, busybox, stage1):
    rocket.fetch(busybox)

    def run(script, *flags, pod=(), **options):
        return rocket("--insecure-options=image", "run", "--net=host", f"--stage1-path={stage1}", *pod, "example.com/busybox",
                      "--exec=/bin/sh", *flags, "--", "-c", script, **options)
    return run


def test_run_and_its_status(rocket, run):
    done = run("echo hello; id -u; pwd; exit 5", "--user=1000", "--working-dir=/tmp", status=5)
    assert done.stdout.split() == ["hello", "1000", "/tmp"]
    uuid, = rocket.uuids()
    shown = rocket("status", uuid).stdout
    assert "state=exited\n" in shown and "app-busybox=5\n" in shown
    assert json.loads(rocket("status", "--format=json", uuid).stdout)["exit_status"] == 5


def test_without_overlay(run):
    assert run("echo x >/new; cat /new", pod=["--no-overlay"]).stdout == "x\n"


def test_the_life_of_a_pod(rocket, busybox, stage1):
    """enter, stop, rm and gc of a pod that only its own stage1 knows how to handle."""
    rocket.fetch(busybox)
    uuid = rocket("--insecure-options=image", "prepare", f"--stage1-path={stage1}", "example.com/busybox", "--exec=/bin/sh", "--",
                  "-c", "echo up >/mark; trap 'exit 3' TERM; while :; do sleep 0.1; done").stdout.strip()
    process = rocket.start("run-prepared", "--net=host", uuid)
    rocket("status", "--wait-ready=30s", uuid)
    assert rocket.state(uuid) == "running" and f"{process.pid}\n" == (rocket.data / "pods/run" / uuid / "ppid").read_text()
    wait_for(lambda: rocket("enter", uuid, "/bin/cat", "/mark", status=None).stdout == "up\n", "the app's file")
    assert rocket("enter", uuid, "/bin/sh", "-c", "exit 9", status=None).returncode == 9
    assert rocket("rm", uuid, status=254).returncode == 254
    rocket("stop", uuid)
    assert process.wait(timeout=20) == 3
    assert rocket.state(uuid) == "exited" and mounts(rocket.home) == []
    rocket("gc", "--grace-period=0s")
    rocket("gc", "--grace-period=0s")
    assert rocket.uuids() == []


def test_the_lock_is_what_makes_a_pod_run(rocket, busybox, stage1):
    process, uuid = start(rocket, busybox, stage1)
    rocket("stop", "--force", uuid)
    assert process.wait(timeout=20) == -signal.SIGKILL
    wait_for(lambda: rocket.state(uuid) == "exited", "the end of the lock")
    rocket("rm", uuid)
    assert rocket.uuids() == []


def start(rocket, busybox, stage1):
    saved = rocket.home / f"uuid-{time.monotonic_ns()}"
    process = rocket.start("--insecure-options=image", "run", "--net=host", f"--stage1-path={stage1}", f"--uuid-file-save={saved}",
                           busybox, "--exec=/bin/sleep", "--", "1000")
    wait_for(lambda: saved.exists() and saved.read_text(), "the pod's UUID")
    rocket("status", "--wait-ready=30s", saved.read_text())
    return process, saved.read_text()


def test_older_interfaces_are_told_less(rocket, busybox, run, home):
    """Interface versions (internals 3.2): a warning for what is left out; nothing about security is (S20)."""
    done = run("exit 0", pod=["--hostname=box"])
    assert "--hostname needs a stage1 of interface version 2" in done.stderr
    newer = write_stage1(home / "newer", version="6")
    done = rocket("--insecure-options=image", "run", "--net=host", f"--stage1-path={newer}", "--hostname=box", "example.com/busybox", status=1)
    assert "--hostname=box is not supported" in done.stderr  # said by the stage1 itself
    for option in ("capabilities", "paths", "seccomp"):
        done = rocket(f"--insecure-options=image,{option}", "run", "--net=host", f"--stage1-path={home}/stage1", "example.com/busybox", status=254)
        assert "needs a stage1 of interface version 3" in done.stderr


def test_entry_points_that_are_missing(rocket, busybox, home):
    """`run` at once, and before there is a pod; `stop` when it is asked for."""
    rocket.fetch(busybox)
    nothing = write_stage1(home / "nothing", entry_points=())
    done = rocket("--insecure-options=image", "run", "--net=host", f"--stage1-path={nothing}", "example.com/busybox", status=254)
    assert 'no entry point "run"' in done.stderr and rocket.uuids() == []
    endless = write_stage1(home / "endless", entry_points=("run", "enter", "gc"))
    process, uuid = start(rocket, busybox, endless)
    assert 'no entry point "stop"' in rocket("stop", uuid, status=254).stderr
    process.kill()
    process.wait()


def test_entry_points_stay_in_the_image(rocket, busybox, home):
    """A path of the manifest never leads out of the image (R3)."""
    image = write_stage1(home / "image")
    text = json.loads((image / "manifest").read_text())
    text["annotations"][0]["value"] = "/../../../../../../bin/true"
    (image / "manifest").write_text(json.dumps(text))
    rocket.fetch(busybox)
    done = rocket("--insecure-options=image", "run", "--net=host", f"--stage1-path={image}", "example.com/busybox", status=254)
    assert "true" in done.stderr


def test_the_manual_names_what_there_is():
    """rocket-stage1(7) is about the entry points, files and versions that the example uses."""
    manual = (SOURCE / "dist/man/rocket-stage1.7").read_text().replace("\\-", "-")
    for word in (*ENTRY_POINTS, "RKT_LOCK_FD", "runtime.json", "ppid", "pid1", "supervisor-status", "exit.json", "interface-version"):
        assert word in manual
