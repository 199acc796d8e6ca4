# SPDX-License-Identifier: Apache-2.0
"""When an app is started, started again and given up: annotations rocket/... of an app (L3)."""
import json
import signal

import pytest

from conftest import wait_for


def app(name, image, script, *annotations):
    """Words of a command line: the image, its flags, what its shell does; `---` ends it."""
    return [image, f"--name={name}", "--exec=/bin/sh", *[f"--annotation=rocket/{one}" for one in annotations], "--", "-c", script, "---"]


def results(rocket, uuid):
    status = json.loads(rocket("status", "--format=json", uuid).stdout)
    return {one["name"]: one for one in status["apps"]}


def record(rocket, uuid, name):
    return json.loads((rocket.data / "pods/run" / uuid / "status" / f"{name}.json").read_text())


def run(rocket, *words, status=0):
    done = rocket.run(*words, status=status, timeout=60)
    uuid, = rocket.uuids()
    return done, uuid


# Counts its starts in a file of its root, which outlives them.
COUNT = "echo x >> /count; echo start $(wc -l < /count); "


@pytest.mark.bare
def test_an_app_that_fails_is_started_again_until_it_ends_well(rocket, busybox):
    script = COUNT + "test $(wc -l < /count) -ge 3"
    done, uuid = run(rocket, *app("a", busybox, script, "restart=on-failure", "restart-sec=20ms"))
    assert done.stdout.splitlines() == ["start 1", "start 2", "start 3"]
    assert (record(rocket, uuid, "a")["code"], record(rocket, uuid, "a")["restarts"]) == (0, 2)


def test_default_is_never_again_and_the_pod_ends(rocket, busybox):
    done, uuid = run(rocket, *app("a", busybox, COUNT + "exit 3"), *app("b", busybox, "sleep 100"), status=3)
    assert done.stdout.count("start") == 1
    assert record(rocket, uuid, "a")["restarts"] == 0


@pytest.mark.parametrize("mode, code, again", [
    ("always", 0, True), ("on-success", 0, True), ("on-success", 1, False), ("on-failure", 0, False),
    ("on-abnormal", 1, False), ("no", 1, False),
])
def test_modes(rocket, busybox, mode, code, again):
    script = COUNT + f"test $(wc -l < /count) -lt 2 || kill -KILL $$; exit {code}"
    words = app("a", busybox, script, f"restart={mode}", "restart-sec=20ms", "start-limit-burst=3")
    done = rocket.run(*words, status=None, timeout=60)
    assert (done.stdout.count("start") > 1) == again


def test_abnormal_is_a_signal(rocket, busybox):
    script = COUNT + "test $(wc -l < /count) -ge 2 || kill -SEGV $$"
    done, _ = run(rocket, *app("a", busybox, script, "restart=on-abnormal", "restart-sec=20ms"))
    assert done.stdout.count("start") == 2


@pytest.mark.bare
def test_too_many_starts_are_a_failure_that_ends_the_pod(rocket, busybox):
    done, uuid = run(rocket, *app("a", busybox, COUNT + "exit 4", "restart=always", "restart-sec=20ms", "start-limit-burst=3"),
                     *app("b", busybox, "sleep 100"), status=4)
    assert done.stdout.count("start") == 3
    assert record(rocket, uuid, "a")["restarts"] == 3


def test_to_end_well_too_often_is_a_failure(rocket, busybox):
    run(rocket, *app("a", busybox, "exit 0", "restart=always", "restart-sec=20ms", "start-limit-burst=2"), status=1)


def test_keep_pod_lets_the_others_live(rocket, busybox):
    script = "while ! test -e /stop; do sleep 0.05; done; echo b ends"
    process, uuid = rocket.started(*app("a", busybox, "exit 6", "on-failure=keep-pod"), *app("b", busybox, script))
    wait_for(lambda: (rocket.data / "pods/run" / uuid / "status/a.json").exists(), "the result of a")
    assert process.poll() is None
    rocket("enter", "--app=b", uuid, "/bin/touch", "/stop")
    out, _ = process.communicate(timeout=30)
    assert "b ends" in out
    assert process.returncode == 6  # how the pod went is still to be seen
    assert json.loads((rocket.data / "pods/run" / uuid / "exit.json").read_text())["reason"] == "all apps ended"


def test_a_stopped_pod_restarts_nothing(rocket, busybox):
    process, uuid = rocket.started(*app("a", busybox, "sleep 100", "restart=always"), *app("b", busybox, "exit 1", "restart=always", "restart-sec=1h"))
    rocket("stop", uuid)
    assert process.wait(timeout=30) is not None
    assert rocket.state(uuid) == "exited"


def test_order_of_starts_and_stops(rocket, busybox):
    """c after b after a, whatever the order on the command line; they are stopped the other way round."""
    script = "trap 'echo {0} stops >> /log/x; exit 0' TERM; echo {0} starts >> /log/x; while :; do sleep 0.05; done"
    words = ["--volume=log,kind=empty", "--mount=volume=log,target=/log"]
    words += app("c", busybox, script.format("c"), "after=b") + app("b", busybox, script.format("b"), "requires=a") + app("a", busybox, script.format("a"))
    process, uuid = rocket.started(*words)
    log = rocket.data / "pods/run" / uuid / "volumes"

    def lines():
        return [line for path in log.rglob("x") for line in path.read_text().splitlines()]
    wait_for(lambda: len(lines()) == 3, "three starts")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert lines()[3:] == ["c stops", "b stops", "a stops"]


def test_order_waits_for_readiness(rocket, busybox):
    """An app that says itself when it is ready is waited for."""
    early = app("early", busybox, "touch /up; exec sleep 100")
    early.insert(1, "--annotation=appc.io/executor/supports-systemd-notify=true")
    process, uuid = rocket.started(*app("late", busybox, "echo late", "after=early"), *early, ready=False)
    wait_for((rocket.data / "pods/run" / uuid / "apps/early/upper/up").exists, "early to run")
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert "late" not in out
    assert record(rocket, uuid, "late") == {**record(rocket, uuid, "late"), "code": 0, "started_ns": 0}


def test_an_app_is_not_started_without_the_one_it_needs(rocket, busybox):
    failing = app("db", busybox, "exit 7", "on-failure=keep-pod")  # before it has said that it is ready
    failing.insert(1, "--annotation=appc.io/executor/supports-systemd-notify=true")
    done, uuid = run(rocket, *app("web", busybox, "echo web runs", "requires=db", "on-failure=keep-pod"),
                     *app("other", busybox, "echo other runs", "after=db"), *failing, status=7)
    assert "web runs" not in done.stdout
    assert "other runs" in done.stdout
    assert 'app "web" cannot be started: an app that it needs has failed' in done.stderr
    assert record(rocket, uuid, "web")["code"] == 254


def test_a_stop_signal_of_its_own(rocket, busybox):
    script = "trap 'echo got USR1; exit 0' USR1; while :; do sleep 0.05; done"
    process, uuid = rocket.started(*app("a", busybox, script, "stop-signal=USR1"))
    rocket("stop", uuid)
    out, _ = process.communicate(timeout=30)
    assert ("got USR1" in out, process.returncode) == (True, 0)


def test_a_stop_time_out_of_its_own(rocket, busybox):
    process, uuid = rocket.started(*app("a", busybox, "trap '' TERM; while :; do sleep 0.05; done", "stop-timeout-sec=100ms"))
    rocket("stop", uuid)
    process.communicate(timeout=30)
    assert record(rocket, uuid, "a")["signal"] == 9


@pytest.mark.parametrize("annotation, why", [
    ("restart=sometimes", '"sometimes" is none of no, on-success'),
    ("restart-sec=soon", '"soon" is no time'),
    ("after=nobody", 'app "a" cannot be started after "nobody"'),
    ("after=a", 'app "a" cannot be started after "a"'),
    ("on-failure=ignore", "neither end-pod nor keep-pod"),
    ("restrat=no", 'there is no annotation "rocket/restrat"'),
])
def test_refused_before_anything_is_made(rocket, busybox, annotation, why):
    done = rocket.run(*app("a", busybox, "true", annotation), status=254)
    assert why in done.stderr
    assert rocket.uuids() == []


def test_apps_that_wait_for_each_other_are_refused(rocket, busybox):
    done = rocket.run(*app("a", busybox, "true", "after=b"), *app("b", busybox, "true", "requires=a"), status=254)
    assert 'app "a" waits for an app that waits for it' in done.stderr


def test_fly_refuses_what_nobody_would_follow(rocket, busybox):
    done = rocket.run("--stage1-name=coreos.com/rkt/stage1-fly", "--net=host", *app("a", busybox, "true", "restart=always"), status=254)
    assert "in a fly pod nobody follows annotations rocket/" in done.stderr
