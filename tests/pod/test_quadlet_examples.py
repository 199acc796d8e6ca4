# SPDX-License-Identifier: Apache-2.0
"""Files as people have them (quadlet-examples/), of every shape: each is translated and starts, all of them together. Their images stand
for what is in the one that is used here; nothing else of them is changed."""
import json
import pathlib
import re
import socket
import subprocess

import aci
import pytest

from conftest import HOST_IS_SYSTEMD, wait_for
from test_units import PLACE, files, journal, run  # noqa: F401, a fixture

EXAMPLES = pathlib.Path(__file__).parent / "quadlet-examples"
SERVE = """#!/bin/sh
echo "serving $@"
ip -4 addr show eth0 2>/dev/null
trap 'exit 0' TERM
while :; do sleep 0.2; done
"""
SERVICES = ["web", "static", "fixed", "db", "worker", "shop-pod", "queue@mail", "private", "sealed", "checked", "pinned", "host", "the-tool"]

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")


@pytest.fixture
def examples(files, images, home):  # noqa: F811
    content = [*aci.busybox(), aci.file("rootfs/bin/serve", SERVE, 0o755), aci.directory("rootfs/run"), aci.directory("rootfs/dev"),
               aci.directory("rootfs/etc/worker")]
    image = aci.write(home / "any.aci", aci.image("example.com/any", aci.app("/bin/serve", ports=[{"name": "80-tcp", "port": 80, "protocol": "tcp"}]), content))
    for name in ("quadlet-token", "quadlet-key"):
        pathlib.Path("/etc/credstore").mkdir(mode=0o700, exist_ok=True)
        pathlib.Path(f"/etc/credstore/{name}").write_text(name)
    pathlib.Path("/etc/quadlet-worker.env").write_text("LEVEL=debug\n")
    pathlib.Path("/srv/quadlet-www").mkdir(parents=True, exist_ok=True)
    for example in EXAMPLES.iterdir():
        text = example.read_text()
        if "Image=built.build" not in text and "Image=pinned.image" not in text:
            text = re.sub(r"^Image=.*$", f"Image={image}", text, flags=re.M)
        for kind in ("Container", "Image"):
            if "Pod=shop.pod" not in text:
                text = text.replace(f"[{kind}]\n", f"[{kind}]\n{files.args}\n")
        text = text.replace("[Pod]\n", f"[Pod]\n{files.args}\n")
        (PLACE / example.name).write_text(text)
    run("systemctl", "daemon-reload")
    yield
    run("systemctl", "stop", "echo.socket", *SERVICES, "lan-network", "inner-network", check=False)


def log(unit):
    return journal(unit) + run("systemctl", "status", "--no-pager", unit, check=False)


@pytest.mark.boot
def test_all_examples_start_together(examples, rocket):
    start = subprocess.run(["systemctl", "start", *SERVICES, "backup", "echo.socket"], capture_output=True, text=True, check=False, timeout=300)
    states = {name: run("systemctl", "is-active", name, check=False).strip() for name in [*SERVICES, "lan-network", "inner-network", "pgdata-volume"]}
    failed = [name for name, state in states.items() if state != "active"]
    assert not failed and start.returncode == 0, start.stderr + "".join(log(name) for name in failed)

    wait_for(lambda: "inet 10.89.77.9/24" in journal("static"), "an address of its own")
    wait_for(lambda: "inet 10.89.77.10/24" in journal("fixed"), "an address of its own, by IP=")
    wait_for(lambda: "serving postgres -c shared_buffers=256MB" in journal("db"), "the database's arguments")
    assert "backed up" in journal("backup")
    connection = socket.create_connection(("127.0.0.1", 19099))
    wait_for(lambda: "fds: 1" in journal("echo"), "the app that the connection has started")
    connection.close()

    pods = json.loads(rocket("list", "--format=json").stdout)
    apps = {app["name"]: app for pod in pods if pod["state"] == "running" for app in pod["apps"]}
    assert {"web", "db", "worker", "shop-app", "shop-cache", "shop-proxy", "queue", "private", "sealed", "checked", "tool"} <= set(apps)
    assert apps["db"]["health"]["status"] == apps["shop-app"]["health"]["status"] == "healthy"


def test_a_timer_starts_the_service_of_a_file(examples):
    """The file is a oneshot; the timer beside it is a unit like any other (systemd.timer(5))."""
    timer = pathlib.Path("/run/systemd/system/backup.timer")
    timer.write_text("[Timer]\nOnActiveSec=100ms\nAccuracySec=1ms\n[Install]\nWantedBy=timers.target\n")
    try:
        run("systemctl", "daemon-reload")
        run("systemctl", "start", "backup.timer")
        wait_for(lambda: "backed up" in journal("backup"), "the backup")
        wait_for(lambda: run("systemctl", "is-active", "backup", check=False).strip() == "inactive", "its end")
        assert run("systemctl", "show", "-P", "TriggeredBy", "backup").strip() == "backup.timer"
        assert run("systemctl", "show", "-P", "Result", "backup").strip() == "success"
    finally:
        run("systemctl", "stop", "backup.timer")
        timer.unlink()


def test_what_has_to_be_built_is_refused(examples):
    """The services are there and fail, saying why."""
    for service, reason in [("built", "images are not built here: name one that is there"), ("built-build", ".build files are not supported")]:
        run("systemctl", "start", service, check=False)
        wait_for(lambda service=service, reason=reason: reason in journal(service), "the reason")
