# SPDX-License-Identifier: Apache-2.0
"""Health checks of apps: what decides, what is shown, what is done about it; and HEALTHCHECK of Docker images."""
import json

import aci
import oci
import pytest

from conftest import wait_for

FAST = ("--health-interval=100ms", "--health-retries=2")
SERVE = "trap 'exit 0' TERM; while :; do sleep 0.1; done"


@pytest.fixture
def go(home):
    (home / "go").mkdir()
    (home / "go").chmod(0o777)
    return home / "go"


@pytest.fixture
def shared(go):
    return [f"--volume=go,kind=host,source={go}", "--mount=volume=go,target=/go"]


def health(rocket, uuid, app=0):
    return json.loads(rocket("status", "--format=json", uuid).stdout)["apps"][app].get("health", {})


def test_an_app_is_starting_healthy_unhealthy_and_healthy_again(rocket, busybox, go, shared):
    """Checks are confined as the app is: its user, environment and root, nothing more (R8)."""
    check = "test -e /go/well && { id -u; echo $WHO; grep -E 'CapBnd|NoNewPrivs|Seccomp:' /proc/self/status > /go/check; }"
    app = "grep -E 'CapBnd|NoNewPrivs|Seccomp:' /proc/self/status > /go/app; " + SERVE
    _, uuid = rocket.started(*shared, busybox, "--exec=/bin/sh", "--user=1000", "--group=1001", "--environment=WHO=me", *FAST,
                             f"--health-cmd={check}", "--name=web", "--", "-c", app)
    wait_for(lambda: health(rocket, uuid).get("status") == "unhealthy", "the app's misery")
    assert health(rocket, uuid)["exit_code"] == 1
    assert "health-web=unhealthy" in rocket("status", uuid).stdout
    assert [line.split("\t")[-1] for line in rocket("list").stdout.splitlines()] == ["HEALTH", "unhealthy"]
    assert json.loads(rocket("list", "--format=json").stdout)[0]["apps"][0]["health"]["status"] == "unhealthy"
    assert [line.split() for line in rocket("app", "list", uuid).stdout.splitlines()] == [["NAME", "STATE", "HEALTH"], ["web", "running", "unhealthy"]]
    assert [(app["name"], app["state"], app["health"]["status"]) for app in json.loads(rocket("app", "list", "--format=json", uuid).stdout)] == [("web", "running", "unhealthy")]
    assert "health=unhealthy\n" in rocket("app", "status", "--app=web", uuid).stdout
    assert json.loads(rocket("app", "status", "--app=web", "--format=json", uuid).stdout)["health"]["status"] == "unhealthy"
    (go / "well").touch()
    wait_for(lambda: health(rocket, uuid)["status"] == "healthy", "the app's recovery")
    found = health(rocket, uuid)
    assert found["exit_code"] == 0 and found["failing_streak"] == 0 and found["checked_at"] > 0
    assert found["output"] == r"1000\nme"
    assert (go / "check").read_text() == (go / "app").read_text()
    rocket("stop", uuid)


def test_ready_is_an_app_when_it_is_healthy(rocket, busybox, go, shared):
    """And a check that hangs is killed, with what it has started."""
    check = "test -e /go/well || { sleep 1000 & sleep 1000; }"
    _, uuid = rocket.started(*shared, busybox, "--exec=/bin/sh", "--notify=healthy", f"--health-cmd={check}", "--health-interval=100ms",
                             "--health-timeout=300ms", "--health-start-period=1h", "--health-start-interval=100ms", "--", "-c",
                             "echo > /go/runs; " + SERVE, ready=False)
    wait_for(lambda: health(rocket, uuid).get("exit_code") == 9, "the end of a check that takes too long")
    assert health(rocket, uuid)["status"] == "starting"  # it is in its start period
    assert rocket("status", "--wait-ready=0.3s", uuid, status=None).returncode != 0
    (go / "well").touch()
    rocket("status", "--wait-ready=20s", uuid)
    rocket("stop", uuid)


def test_never_healthy_is_never_started(rocket, busybox):
    done = rocket.sh(busybox, SERVE, "--notify=healthy", "--health-cmd=echo no way; false", *FAST, "--name=web", status=1)
    assert 'app "web" is unhealthy: 2 checks in a row have failed, the last with status 1: no way' in done.stderr


@pytest.mark.parametrize("action, status", [("kill", 9), ("stop", 1)])
def test_an_unhealthy_app_is_ended_and_that_is_a_failure(rocket, busybox, action, status):
    rocket.sh(busybox, SERVE, "--health-cmd=false", *FAST, f"--health-on-failure={action}", status=status)


def test_an_unhealthy_app_is_started_anew(rocket, busybox, go, shared):
    """It is stopped in order; what has been said against it does not count for its next run."""
    script = "echo start >> /go/log; trap 'echo stop >> /go/log; exit 0' TERM; while :; do sleep 0.1; done"
    _, uuid = rocket.started(*shared, busybox, "--exec=/bin/sh", "--health-on-failure=restart", "--name=web",
                             '--health-cmd=["/bin/test","-e","/go/well"]', *FAST, "--", "-c", script)
    wait_for(lambda: (go / "log").exists() and (go / "log").read_text().startswith("start\nstop\nstart\n"), "the second start")
    (go / "well").touch()
    wait_for(lambda: health(rocket, uuid)["status"] == "healthy", "its health")
    assert "state=running" in rocket("status", uuid).stdout
    rocket("stop", uuid)


def test_healthcheck_of_a_docker_image(rocket, home):
    """With --health-cmd=image; what the flags say wins. Without, nothing of an image is executed but its app."""
    layout = oci.Layout(home / "layout")
    layout.image(oci.busybox(), Cmd=["/bin/sh", "-c", SERVE],
                 Healthcheck={"Test": ["CMD-SHELL", "echo by image; exit 3"], "Interval": 100_000_000, "Retries": 9})
    image = f"oci:{home}/layout"
    _, uuid = rocket.started(image, "--health-cmd=image", "--health-retries=1", "---", image, "--name=b", "--health-cmd=echo mine", "---", image, "--name=c")
    wait_for(lambda: health(rocket, uuid).get("status") == "unhealthy", "the image's check")
    assert (health(rocket, uuid)["output"], health(rocket, uuid)["exit_code"]) == ("by image", 3)
    wait_for(lambda: health(rocket, uuid, 1).get("output") == "mine", "a check of our own")
    assert health(rocket, uuid, 2) == {}
    rocket("stop", uuid)


def test_what_cannot_be_is_refused(rocket, busybox):
    for flags, why in [(["--health-interval=1s"], "rocket/health-... without rocket/health-cmd"),
                       (["--health-cmd=x", "--health-interval=soon"], '"soon" is no time'),
                       (["--health-cmd=x", "--health-on-failure=reboot"], '"reboot" is none of none, kill, restart, stop'),
                       (["--health-cmd=image", "--health-retries=1"], "its image has no health check"),
                       (['--health-cmd=["/no/such"]'], "health check: "),
                       (["--notify=healthy"], "rocket/health-cmd is missing"),
                       (["--health-cmd=x"], "in a fly pod nobody follows annotations")]:
        stage1 = ["--stage1-from-dir=fly"] if "fly" in why else []
        done = rocket("--insecure-options=image", "run", "--net=none", *stage1, busybox, *flags, status=None)
        assert done.returncode in (203, 254) and why in done.stderr, (flags, done.stderr)
