# SPDX-License-Identifier: Apache-2.0
"""Pods on a host that systemd has booted: machines, scopes, units (cli 9.2, 9.3, 9.6)."""
import pathlib
import shlex
import subprocess
import time

import pytest

from conftest import HOST_IS_SYSTEMD, cgroup_root, wait_for

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")


def run(*command, check=True):
    return subprocess.run(command, capture_output=True, text=True, check=check, timeout=60).stdout


def machines():
    return run("machinectl", "list", "--no-legend")


@pytest.fixture
def unit(rocket, busybox):
    """unit(PROPERTIES, RUN-ARGUMENTS...): the name of a unit that runs a pod of one shell script; stopped afterwards."""
    rocket.fetch(busybox)
    names = []

    def start(properties, script, *options):
        names.append(f"rk{time.monotonic_ns()}")
        environment = [f"--setenv={k}={v}" for k, v in rocket.environment.items()]
        run("systemd-run", "--quiet", "--unit", names[-1], *[f"--property={p}" for p in properties], *environment, *options,
            *rocket.command("--insecure-options=image", "run", "--net=none", "example.com/busybox", "--exec=/bin/sh", "--", "-c", script))
        return names[-1]
    yield start
    for name in names:
        run("systemctl", "stop", name, check=False)
        run("systemctl", "reset-failed", name, check=False)


def show(name, value):
    return run("systemctl", "show", "-P", value, name).strip()


# --- from a shell: a scope

def test_machine_in_a_scope(rocket, busybox):
    _, uuid = rocket.started(busybox, "--exec=/bin/sh", "--", "-c", "echo hello; sleep 1000")
    machine = f"rkt-{uuid}"
    shown = dict(line.split("=", 1) for line in run("machinectl", "show", machine).splitlines())
    assert (shown["Class"], shown["Service"], shown["Id"]) == ("container", "rkt", uuid.replace("-", ""))
    assert f"{machine}  <- default" in rocket("explain", uuid).stdout
    scope = "machine-" + machine.replace("-", "\\x2d") + ".scope"
    assert shown["Unit"] == scope
    leader = pathlib.Path(f"/proc/{shown['Leader']}/cgroup").read_text()
    assert f"/machine.slice/{scope}/init.scope" in leader
    status = run("machinectl", "status", "--no-pager", machine)
    assert "app-busybox.service" in status
    wait_for(lambda: "hello" in run("journalctl", "-M", machine, "-t", "busybox", "-o", "cat", check=False), "the journal")
    assert "pod.target" in run("systemctl", "-M", machine, "list-units", "--plain", "--no-legend")


# What an administrator says to machines: the command, its status, and what it says or, where a pod has nothing of that
# kind, why not. MACHINE and UUID stand for the pod's.
WORDS_FOR_MACHINES = [
    ("machinectl list", 0, "rkt-UUID container rkt"),
    ("machinectl status --no-pager MACHINE", 0, "app-busybox.service"),
    ("machinectl show MACHINE", 0, "Name=rkt-UUID"),
    ("machinectl kill --kill-whom=leader --signal=CONT MACHINE", 0, ""),
    ("machinectl copy-from MACHINE /etc/os-release /run/copied", 0, ""),
    ("machinectl shell MACHINE", 0, "rocket enter UUID [COMMAND...]"),
    ("machinectl shell MACHINE /bin/none", 0, "rocket enter UUID [COMMAND...]"),
    ("machinectl login MACHINE", 1, "container-getty@0.service not found"),
    ("machinectl bind MACHINE /etc /mnt", 1, "Failed to bind mount"),
    ("systemctl -M MACHINE is-system-running", 0, "running"),
    ("systemctl -M MACHINE status --no-pager app-busybox", 0, "active (running)"),
    ("systemctl -M MACHINE kill --signal=CONT app-busybox", 0, ""),
    ("systemd-run -M MACHINE --wait --pipe /usr/lib/systemd/systemd --version", 0, "systemd 25"),
    ("systemd-run -M MACHINE --wait /bin/none", 203, "status=203"),
    ("journalctl -M MACHINE --no-pager -o cat -t busybox", 0, "hello"),
    ("busctl -M MACHINE list", 0, "org.freedesktop.systemd1"),
    ("systemd-cgls -M MACHINE --no-pager", 0, "app-busybox.service"),
    ("systemd-cgtop -M MACHINE --batch --iterations=1", 0, "app-busybox.service"),
    ("loginctl list-sessions", 0, ""),
    ("loginctl -M MACHINE list-sessions", 1, "org.freedesktop.login1 was not provided"),
]


def test_tools_for_machines(rocket, busybox):
    _, uuid = rocket.started(busybox, "--exec=/bin/sh", "--", "-c", "echo hello; sleep 1000")
    machine = f"rkt-{uuid}"
    wait_for(lambda: "hello" in run("journalctl", "-M", machine, "-t", "busybox", "-o", "cat", check=False), "the journal")
    for words, status, said in WORDS_FOR_MACHINES:
        done = subprocess.run(shlex.split(words.replace("MACHINE", machine)), capture_output=True, text=True, timeout=60, check=False,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == status, f"{words}: {done}"
        assert said.replace("UUID", uuid) in done.stdout + done.stderr, f"{words}: {done}"
    assert rocket.state(uuid) == "running"


@pytest.mark.parametrize("word", ["terminate", "poweroff", "reboot"])
def test_words_that_end_a_machine(rocket, busybox, word):
    """A pod that is to start over is started anew by its service, not by itself."""
    process, uuid = rocket.started(busybox, "--exec=/bin/sh", "--", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    wait_for(lambda: uuid in machines(), "the registration")
    run("machinectl", word, f"rkt-{uuid}")
    process.wait(20)
    assert rocket.state(uuid) == "exited"
    wait_for(lambda: uuid not in machines(), "the machine to go")


def test_machinectl_kill_reaches_the_apps(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "1000")
    run("machinectl", "kill", "--signal=KILL", f"rkt-{uuid}")
    process.wait(20)
    assert process.returncode == 9
    wait_for(lambda: uuid not in machines(), "the machine to go")
    wait_for(lambda: not list((cgroup_root() / "machine.slice").glob(f"*{uuid[:8]}*.scope")), "the scope to go")


def test_journal_of_an_ended_pod_is_part_of_the_hosts(rocket, busybox):
    pathlib.Path("/var/log/journal").mkdir(parents=True, exist_ok=True)
    process, uuid = rocket.started(busybox, "--exec=/bin/sh", "--", "-c", "echo still there; sleep 1000")
    process.terminate()
    process.wait(20)
    machine_id = uuid.replace("-", "")
    assert "still there" in run("journalctl", "-m", f"_MACHINE_ID={machine_id}", "-t", "busybox", "-o", "cat")
    rocket("rm", uuid)
    assert not pathlib.Path(f"/var/log/journal/{machine_id}").is_symlink()


# --- in a unit: its own cgroup

@pytest.mark.parametrize("properties", [[], ["Delegate=yes"], ["KillMode=mixed"], ["Slice=rktest.slice"]])
def test_machine_in_a_unit(rocket, unit, properties):
    name = unit(["Type=notify", *properties], "sleep 1000")
    [uuid] = rocket.uuids()
    wait_for(lambda: uuid in machines(), "the registration")
    assert run("machinectl", "show", "--value", "-p", "Unit", f"rkt-{uuid}").strip() == f"{name}.service"
    group = cgroup_root() / show(name, "ControlGroup").lstrip("/")
    init = run("machinectl", "show", "--value", "-p", "Leader", f"rkt-{uuid}").strip()
    assert init in (group / "payload/init.scope/cgroup.procs").read_text().split()
    run("systemctl", "stop", name)
    assert show(name, "Result") == "success"
    assert not group.exists()
    wait_for(lambda: uuid not in machines(), "the machine to go")


def test_status_of_the_unit_is_the_apps(unit):
    name = unit([], "exit 7", "--remain-after-exit")
    wait_for(lambda: show(name, "ActiveState") == "failed", "the unit to end")
    assert (show(name, "ExecMainStatus"), show(name, "Result")) == ("7", "exit-code")


def test_type_notify_waits_for_the_apps_and_stops_them_in_order(rocket, unit):
    name = unit(["Type=notify", "KillMode=mixed"], "trap 'sleep 0.5; exit 0' TERM; while :; do sleep 0.1; done")
    assert show(name, "ActiveState") == "active"
    assert show(name, "StatusText") == "1 app is running"
    [uuid] = rocket.uuids()
    run("systemctl", "stop", name)
    assert show(name, "Result") == "success"
    assert "app-busybox=0" in rocket("status", uuid).stdout


def test_terminate_of_a_machine_in_a_unit_stops_the_unit(rocket, unit):
    name = unit(["Type=notify"], "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    [uuid] = rocket.uuids()
    wait_for(lambda: uuid in machines(), "the registration")
    run("machinectl", "terminate", f"rkt-{uuid}")
    wait_for(lambda: show(name, "ActiveState") != "active", "the unit to stop")
    assert rocket.state(uuid) in ("exited", "running")
    wait_for(lambda: rocket.state(uuid) == "exited", "the pod to end")


def test_kill_of_the_supervisor_and_restart(rocket, unit):
    name = unit(["Type=notify", "Restart=always", "RestartSec=0", "KillMode=mixed"], "sleep 1000")
    first = show(name, "MainPID")
    run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", name)
    wait_for(lambda: show(name, "NRestarts") == "1" and show(name, "ActiveState") == "active", "the restart")
    assert show(name, "MainPID") != first
    states = {rocket.state(uuid): uuid for uuid in rocket.uuids()}
    assert sorted(states) == ["exited", "running"]
    wait_for(lambda: "rkt-" + states["running"] in machines(), "the machine")
    assert "rkt-" + states["exited"] not in machines()  # which machined keeps for as long as the unit is active
