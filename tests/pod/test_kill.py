# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random points of fetch, prepare, run, rm and gc, 200 times: every image verifies, no pod is lost or half there,
nothing stays mounted, no cgroup or process stays, the next command succeeds."""
import os
import pathlib
import random
import subprocess
import time

import aci
import pytest
from conftest import cgroups_of, mounts, wait_for

pytestmark = pytest.mark.bare

ROUNDS = int(os.environ.get("ROCKET_KILL_ROUNDS", "200"))
SEED = int(os.environ.get("ROCKET_KILL_SEED", "0")) or random.randrange(1, 1 << 30)
STATES = {"prepared", "exited", "exited garbage", "garbage", "aborted prepare", "deleting", "exited deleting"}


def processes_of(rocket):
    """Processes that were started for this data directory, or for a pod in it."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            text = process.joinpath("cmdline").read_bytes() + os.readlink(process / "cwd").encode()
        except OSError:
            continue
        if os.fsencode(rocket.data) in text:
            found.append(text)
    return found


def images(rocket):
    return {line.split()[0] for line in rocket("image", "list", "--full", "--no-legend").stdout.splitlines() if line.strip()}


def test_kill_at_random_points(rocket, make):
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    seen = set()  # every pod there ever was
    archives = [make(f"example.com/app{n}", aci.app("/bin/sh", "-c", "echo run; sleep 0.1"),
                     [*aci.busybox(), *[aci.file(f"rootfs/f{i}", os.urandom(2000)) for i in range(300)]]) for n in range(3)]
    kept = rocket.fetch(archives[0])
    longest = {}

    def commands():
        uuids = rocket.uuids()
        seen.update(uuids)
        yield "fetch", ["fetch", dice.choice(archives[1:])]
        yield "prepare", ["prepare", "example.com/app0"]
        yield "prepare --no-overlay", ["prepare", "--no-overlay", "example.com/app0"]
        yield "run", ["run", "--net=none", "example.com/app0"]
        yield "gc", ["gc", "--grace-period=0s", f"--expire-prepared={dice.choice(['0s', '24h'])}"]
        yield "image rm", ["image", "rm", dice.choice(["example.com/app1", "example.com/app2"])]
        if uuids:
            yield "rm", ["rm", *dice.sample(uuids, min(3, len(uuids)))]

    for turn in range(ROUNDS):
        name, arguments = dice.choice(list(commands()))
        start = time.monotonic()
        process = rocket.start("--insecure-options=image", *arguments)
        try:
            process.wait(dice.uniform(0, longest.get(name, 0.3)))
            longest[name] = max(longest.get(name, 0), time.monotonic() - start)
        except subprocess.TimeoutExpired:
            process.kill()
            longest[name] = min(longest.get(name, 0.3) * 1.1, 1.0)
        process.communicate()
        where = f"seed {SEED}, round {turn}: {name}"

        done = rocket("list", "--format=json", status=None)
        assert done.returncode == 0, f"{where}: {done.stderr}"
        if turn % 10 == 9 or turn == ROUNDS - 1:
            wait_for(lambda: not processes_of(rocket), f"{where}: processes to end")
            assert mounts(rocket.home) == [], where
            assert kept in images(rocket), f"{where}: the image is lost"
            for image in images(rocket):
                rocket("image", "verify", image)
            for uuid in rocket.uuids():
                assert rocket.state(uuid) in STATES, where
                if rocket.state(uuid) == "prepared":
                    assert rocket("run-prepared", "--net=none", uuid).stdout == "run\n", where

    # Afterwards everything works, and can be taken away.
    assert rocket.run("example.com/app0").stdout == "run\n"
    for archive in archives:
        rocket.fetch(archive)
    rocket("gc", "--grace-period=0s", "--expire-prepared=0s")
    rocket("gc", "--grace-period=0s", "--expire-prepared=0s")
    assert rocket.uuids() == []
    for state in ("embryo", "prepare", "prepared", "run", "exited-garbage", "garbage"):
        assert list((rocket.data / "pods" / state).glob("*")) == [], state
    assert list((rocket.data / "garbage").glob("*")) == [] and list((rocket.data / "cas/tmp").glob("*")) == []
    assert mounts(rocket.home) == []
    assert seen and not [path for uuid in seen for path in cgroups_of(uuid)], "no cgroup may stay"
