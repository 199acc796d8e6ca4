# SPDX-License-Identifier: Apache-2.0
"""Pods as files: what systemd makes of .container, .pod, .image and .volume files, through the generator."""
import contextlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, HOST_IS_SYSTEMD, wait_for

PLACE = pathlib.Path("/etc/rocket/systemd")
GENERATOR = pathlib.Path("/run/systemd/system-generators/rocket-generator")

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def journal(unit):
    return run("journalctl", "--no-pager", "-o", "cat", "-u", unit)


class Files:
    """Writes files and has the host's systemd read them."""

    def __init__(self, rocket):
        self.args = f"GlobalArgs=--dir={rocket.data} --local-config={rocket.local} --insecure-options=image"

    def write(self, **files):
        for name, text in files.items():
            name = name.replace("__", "@.").replace("_", ".")
            (PLACE / name).write_text(text.replace("GLOBAL", self.args))
        run("systemctl", "daemon-reload")


@contextlib.contextmanager
def generator_of_the_build_tree():
    """And what its units run."""
    GENERATOR.parent.mkdir(parents=True, exist_ok=True)
    GENERATOR.symlink_to(BUILD / "stage0/quadlet/rocket-generator")
    program = pathlib.Path(re.search(r'ROCKET_PROGRAM "(.*)"', (BUILD / "config.hh").read_text())[1])
    program.unlink(missing_ok=True)  # this host is thrown away
    program.write_text(f"#!/bin/sh\nexport ROCKET_LIBEXEC={BUILD}/libexec\nexec {BUILD}/stage0/rocket \"$@\"\n")
    program.chmod(0o755)
    yield
    GENERATOR.unlink()
    program.unlink()


@pytest.fixture
def files(rocket):
    with contextlib.nullcontext() if "ROCKET" in os.environ else generator_of_the_build_tree():
        PLACE.mkdir(parents=True, exist_ok=True)
        yield Files(rocket)
        units = [path.name for path in pathlib.Path("/run/systemd/generator").glob("*.service") if "rocket-generator" in path.read_text()]
        run("systemctl", "stop", *[unit for unit in units if "@" not in unit], check=False)
        run("systemctl", "reset-failed", check=False)
        shutil.rmtree("/etc/rocket")
        shutil.rmtree("/var/lib/rocket-volumes", ignore_errors=True)
        run("systemctl", "daemon-reload")


def test_a_container_is_a_service(files, rocket, busybox):
    files.write(web_container=f"""[Unit]
Description=A web server
[Container]
Image={busybox}
GLOBAL
Network=none
Entrypoint=/bin/sh
Exec=-c "echo hello from %p $GREETING; trap 'exit 0' TERM; while :; do sleep 0.1; done"
Environment=GREETING=42$
[Install]
WantedBy=multi-user.target
""")
    assert "web.service" in run("systemctl", "list-dependencies", "--plain", "multi-user.target")
    run("systemctl", "start", "web")  # Type=notify: the app runs by now
    uuid, = rocket.uuids()
    assert rocket.state(uuid) == "running"
    assert run("systemctl", "show", "-P", "SourcePath", "web").strip() == str(PLACE / "web.container")
    wait_for(lambda: "hello from web" in journal("web"), "the app's words")
    run("systemctl", "stop", "web")
    assert run("systemctl", "show", "-P", "Result", "web").strip() == "success"
    assert rocket.uuids() == []  # taken away by ExecStopPost


def test_several_containers_are_one_pod_with_a_volume_that_stays(files, rocket, busybox):
    files.write(a_container=f"""[Container]
Image={busybox}
GLOBAL
Pod=both.pod
Volume=shared:/data
Entrypoint=/bin/sh
Exec=-c 'echo from a > /data/word; while :; do sleep 1; done'
""", b_container=f"""[Container]
Image={busybox}
Pod=both.pod
Volume=shared.volume:/data:ro
Entrypoint=/bin/sh
Exec=-c 'until cat /data/word; do sleep 0.1; done; while :; do sleep 1; done'
""", both_pod="[Pod]\nNetwork=none\n", shared_volume="[Volume]\n")
    run("systemctl", "start", "both-pod")
    uuid, = rocket.uuids()
    wait_for(lambda: "from a" in journal("both-pod"), "the other app's word")
    assert "both-pod.service" in run("systemctl", "status", "--no-pager", "a.service")  # known by the app's name, too
    assert run("systemctl", "is-active", "shared-volume").strip() == "active"
    run("systemctl", "stop", "both-pod")
    assert pathlib.Path("/var/lib/rocket-volumes/shared/word").read_text() == "from a\n"


def test_each_container_of_a_pod_restarts_by_itself(files, rocket, busybox):
    files.write(a_container=f"""[Unit]
After=b.service
[Container]
Image={busybox}
GLOBAL
Pod=both.pod
Entrypoint=/bin/sh
Exec=-c 'echo x >> /count; echo a: start $$(wc -l < /count); test $$(wc -l < /count) -ge 3 && exec sleep 1000'
[Service]
Restart=on-failure
RestartSec=20ms
""", b_container=f"""[Container]
Image={busybox}
Pod=both.pod
Entrypoint=/bin/sh
Exec=-c 'echo b: start; exec sleep 1000'
""", both_pod="[Pod]\nNetwork=none\n")
    run("systemctl", "start", "both-pod")
    wait_for(lambda: "a: start 3" in journal("both-pod"), "the third start of a")
    assert journal("both-pod").count("b: start") == 1
    assert run("systemctl", "is-active", "both-pod").strip() == "active"
    run("systemctl", "stop", "both-pod")


def test_a_credential_is_a_file_of_the_app(files, busybox):
    os.makedirs("/etc/credstore", mode=0o700, exist_ok=True)
    pathlib.Path("/etc/credstore/rocket-test").write_text("swordfish")
    try:
        files.write(worker_container=f"""[Container]
Image={busybox}
GLOBAL
Network=none
Secret=rocket-test,target=password
Entrypoint=/bin/sh
Exec=-c 'cat /run/secrets/password; echo x > /run/secrets/password || echo read-only'
[Service]
Type=oneshot
""")
        run("systemctl", "start", "worker")
        wait_for(lambda: "read-only" in journal("worker"), "the app's words")
        assert "swordfish" in journal("worker")
    finally:
        os.unlink("/etc/credstore/rocket-test")


def test_what_cannot_be_translated_fails_and_says_why(files):
    files.write(bad_container="[Container]\nImage=x\n\nPodmanArgs=--tty\n[Install]\nWantedBy=multi-user.target\n")
    assert "bad.service" in run("systemctl", "list-dependencies", "--plain", "multi-user.target")
    run("systemctl", "start", "bad", check=False)
    assert run("systemctl", "is-failed", "bad", check=False).strip() == "failed"
    problem = f"{PLACE}/bad.container:4: PodmanArgs=--tty: say RocketArgs= with flags of `rocket run`"
    wait_for(lambda: problem in journal("bad"), "the reason")


def test_an_app_says_itself_when_it_is_ready(files, busybox):
    """Notify=yes: without its word the service goes on starting, though the app runs (IM-9)."""
    files.write(silent_container=f"""[Container]
Image={busybox}
GLOBAL
Network=none
Notify=yes
Entrypoint=/bin/sh
Exec=-c 'echo running; trap "exit 0" TERM; while :; do sleep 0.1; done'
""")
    run("systemctl", "start", "--no-block", "silent")
    wait_for(lambda: "running" in journal("silent"), "the app")
    assert run("systemctl", "is-active", "silent", check=False).strip() == "activating"


def test_units_are_shown_without_being_made(rocket, home):
    (home / "u").mkdir()
    (home / "u/web.container").write_text("[Container]\nImage=example.com/web:1\n")
    (home / "u/odd.container").write_text("[Container]\nImage=example.com/web:1\nColour=red\n")
    done = rocket("units", home / "u", status=1)
    assert "# --- web.service\n" in done.stdout and "docker://example.com/web:1" in done.stdout
    assert done.stderr == f"units: {home}/u/odd.container:3: Colour=red: this key is not supported\n"
    assert rocket("units", home / "u/web.container").stderr == ""
    assert rocket("units", "--check", home / "u/odd.container", status=1).stdout == ""
