# SPDX-License-Identifier: Apache-2.0
"""Many apps in a pod, many pods on a host; and nothing is left of them. ROCKET_MANY_PODS says how many (300 when measuring by hand)."""
import os
import pathlib

import pytest
from conftest import cgroups_of, mounts, wait_for

APPS = 50
PODS = int(os.environ.get("ROCKET_MANY_PODS", "12"))


@pytest.mark.bare
def test_fifty_apps_of_a_pod_run_at_the_same_time(rocket, busybox):
    """Each waits for all the others: were they started one after the other, none would end."""
    script = f"touch /v/$AC_APP_NAME; while test $(ls /v | wc -l) -lt {APPS}; do sleep 0.2; done"
    words = ["--volume=v,kind=empty", "--mount=volume=v,target=/v"]
    for number in range(APPS):
        words += [*(["---"] if number else []), busybox, f"--name=app{number}", "--exec=/bin/sh", "--", "-c", script]
    rocket.run(*words, timeout=120)
    shown = rocket("status", rocket.uuids()[0]).stdout
    assert sum(line.startswith("app-app") and line.endswith("=0") for line in shown.splitlines()) == APPS


def left_of(uuids):
    """Processes, mounts and cgroups of pods that should be none."""
    found = [f"mount {line}" for line in mounts() if any(uuid in line for uuid in uuids)]
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_text()
        except OSError:  # it has ended
            continue
        found += [f"process {text}" for uuid in uuids if uuid in text]
    return found + [group for uuid in uuids for group in cgroups_of(uuid)]


def test_many_pods_at_once_and_nothing_after_them(rocket, busybox):
    rocket.fetch(busybox)
    files = [rocket.home / f"uuid{number}" for number in range(PODS)]
    processes = [rocket.start("--insecure-options=image", "run", "--net=none", f"--uuid-file-save={file}", busybox, "--exec=/bin/sleep",
                              "--", "3600") for file in files]
    wait_for(lambda: all(file.exists() and file.read_text() for file in files), "all UUIDs", seconds=60 + PODS)
    uuids = [file.read_text().strip() for file in files]
    for uuid in uuids:
        rocket("status", "--wait-ready=60s", uuid, timeout=90)
    assert len(set(uuids)) == PODS and all(process.poll() is None for process in processes)
    assert rocket("list", "--no-legend").stdout.count("running") == PODS

    rocket("stop", *uuids, timeout=60 + PODS)
    for process in processes:
        process.communicate(timeout=60)
    rocket("gc", "--grace-period=0s", timeout=60 + PODS)
    wait_for(lambda: not left_of(uuids), "the end of everything of the pods", seconds=60)
    assert rocket.uuids() == []
    assert [str(path) for path in rocket.data.glob("pods/*/*")] + [str(path) for path in rocket.data.glob("garbage/*")] == []
