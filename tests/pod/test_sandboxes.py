# SPDX-License-Identifier: Apache-2.0
"""Sandboxes and the other commands: volumes and user namespaces of apps that are added, trust, stop, export, rm, gc, and what a
killed command leaves (cli 8.17, internals 9, L9, R8)."""
import contextlib
import fcntl
import json
import pathlib
import signal
import tarfile

import aci
import oci
import pytest

from conftest import cgroups_of, wait_for
from sandboxes import add, add_script, finish, run_to_end, states, status


PRIVATE = "--private-users"


@pytest.mark.parametrize("flags", [[], [PRIVATE], [PRIVATE, "--no-overlay"]], ids=["default", "private users", "copy"])
def test_an_added_app_of_a_docker_image_gets_the_images_volumes_filled(rocket, sandbox, home, flags):
    """OMAP-7, F9, as `run` does it; the volume goes with the app. In a user namespace the owners are the image's, inside (S12)."""
    layout = oci.Layout(home / "layout")
    layout.image(oci.busybox(), [aci.directory("data", 0o2750, uid=1000, gid=1001), aci.file("data/word", "of the image\n", 0o640, uid=7, gid=8)],
                 Volumes={"/data": {}, "/none": {}}, Cmd=["/bin/true"])
    process, uuid = sandbox(*flags)
    script = "cat /data/word; stat -c '%a %u %g' /data /data/word; echo mine >/data/word; ls -A /none; id -u; cut -c1-40 /proc/self/uid_map"
    add_script(rocket, uuid, str(layout), "one", script, "--user=0", "--group=0")
    assert run_to_end(rocket, uuid, "one") == 0
    [word] = rocket.data.glob(f"pods/run/{uuid}/volumes/one.*/word")
    assert word.read_text() == "mine\n"
    rocket("app", "rm", "--app=one", uuid)
    assert not word.exists()
    out, _ = finish(process)
    lines = out.splitlines()
    assert lines[:4] == ["of the image", "2750 1000 1001", "640 7 8", "0"]
    assert (lines[4].split()[:2] == ["0", "0"]) == (flags == [])


def test_apps_of_a_sandbox_with_private_users(rocket, sandbox, busybox, home):
    """Added, started, entered, with a terminal, a volume of the host, and removed: nobody's ids on the host all the time."""
    (home / "shared").mkdir()
    (home / "shared").chmod(0o777)
    process, uuid = sandbox(PRIVATE)
    [path] = rocket.data.glob(f"pods/run/{uuid}/private-users")
    first = int(path.read_text().split(":")[0])
    init = int((rocket.data / f"pods/run/{uuid}/pid1").read_text().split()[0])
    script = "echo x >/host/mine; stat -c %u /host/mine /dev/null; read line; tty"
    add_script(rocket, uuid, busybox, "web", script, "--user=1000", "--group=1000", "--stdin=tty", "--stdout=tty", "--stderr=tty",
               f"--mnt-volume=name=h,kind=host,source={home}/shared,target=/host", status=0)
    for app in ("other", "web"):
        if app == "other":
            add_script(rocket, uuid, busybox, "other", "id -u >/id; exec sleep 1000")
        rocket("app", "start", f"--app={app}", uuid)
    assert rocket("app", "exec", "--app=other", uuid, "/bin/cat", "/id").stdout == "0\n"
    uids = {pathlib.Path(f"/proc/{pid}").stat().st_uid for group in cgroups_of(uuid) for pid in pathlib.Path(group, "cgroup.procs").read_text().split()}
    assert uids == {first, first + 1000}
    text = rocket("attach", "--app=web", uuid, input="\n", stdin=None).stdout.replace("\r", "").split()
    assert text == ["1000", "0", "/dev/pts/0"]
    assert (home / "shared/mine").stat().st_uid == 1000, "files of the host are shifted"
    for app in ("web", "other"):
        rocket("app", "rm", f"--app={app}", uuid)
    assert [line for line in pathlib.Path(f"/proc/{init}/mountinfo").read_text().splitlines() if "app-" in line] == []
    add_script(rocket, uuid, busybox, "web", "exit 5")
    assert run_to_end(rocket, uuid, "web") == 5
    finish(process)


def test_stop_export_rm_and_gc(rocket, sandbox, busybox, home):
    process, uuid = sandbox()
    add_script(rocket, uuid, busybox, "a", "echo changed >/made; trap 'exit 3' TERM; echo up >/up; while :; do sleep 0.1; done")
    add(rocket, uuid, busybox, "--name=never-started")
    rocket("app", "start", "--app=a", uuid)
    wait_for(lambda: rocket("app", "exec", "--app=a", uuid, "/bin/cat", "/up", status=None).returncode == 0, "the app's trap")
    assert "is currently running" in rocket("rm", uuid, status=254).stderr
    assert "not exited" in rocket("export", "--app=a", uuid, home / "no.aci", status=254).stderr
    rocket("stop", uuid)
    assert process.wait(timeout=30) == 0
    assert status(rocket, uuid, "a")["exit_code"] == 3 and states(rocket, uuid)["never-started"] == "created"
    rocket("export", "--app=a", uuid, home / "out.aci")
    with tarfile.open(home / "out.aci") as archive:
        assert archive.extractfile("rootfs/made").read() == b"changed\n"
    rocket("rm", uuid)
    assert not list(rocket.data.glob(f"pods/*/{uuid}")) and cgroups_of(uuid) == set()

    process, uuid = sandbox()  # killed: gc does what its supervisor would have done
    add_script(rocket, uuid, busybox, "a", "sleep 1000")
    rocket("app", "start", "--app=a", uuid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: rocket.state(uuid) == "exited", "the pod's end")
    for _ in range(2):
        rocket("gc", "--grace-period=0s")
    assert rocket.uuids() == [] and not list(rocket.data.glob(f"pods/*/{uuid}")) and cgroups_of(uuid) == set()


def test_trust_and_pull_policy_of_app_add(rocket, sandbox, busybox, make):
    """T1: what is not signed is not added unless that is asked for; --pull-policy is that of `run`."""
    process, uuid = sandbox()
    refused = rocket("app", "add", uuid, busybox, status=254).stderr
    assert "signature" in refused and states(rocket, uuid) == {}
    assert rocket("--insecure-options=image", "app", "add", uuid, "example.com/absent", "--pull-policy=never", status=254).stderr
    rocket.fetch(busybox)
    add(rocket, uuid, "example.com/busybox", "--pull-policy=never", "--name=a")
    assert "pull policy" in add(rocket, uuid, "example.com/busybox", "--pull-policy=sometimes", "--name=b", status=254).stderr
    assert states(rocket, uuid) == {"a": "created"}
    finish(process)


def app_processes(uuid, app):
    found = []
    for group in cgroups_of(uuid):
        if group.endswith(f"app-{app}.service"):
            with contextlib.suppress(OSError):  # it goes with its last process
                found += pathlib.Path(group, "cgroup.procs").read_text().split()
    return found


@pytest.mark.parametrize("asked", [False, True], ids=["before the request", "before the answer"])
def test_an_app_does_not_outlive_the_command_that_was_removing_it(rocket, sandbox, busybox, asked):
    """SIGKILL of `app rm` once it has recorded what it wants: the app is not shown any more, so it ends, without a next command (L9)."""
    process, uuid = sandbox()
    directory = rocket.data / "pods/run" / uuid
    for app in ("victim", "other"):
        add_script(rocket, uuid, busybox, app, "sleep 1000")
        rocket("app", "start", f"--app={app}", uuid)
    if asked:  # the supervisor is busy when the command is killed
        process.send_signal(signal.SIGSTOP)
        command = rocket.start("app", "rm", "--app=victim", uuid)
        wait_for(lambda: (directory / "change").read_text() == "victim", "the record")
        command.kill()
        command.wait()
        process.send_signal(signal.SIGCONT)
    else:  # what the command does until then
        with open(directory / "change", "r+") as change:
            fcntl.flock(change, fcntl.LOCK_EX)
            change.write("victim")
    wait_for(lambda: app_processes(uuid, "victim") == [], "the app's end")
    assert states(rocket, uuid) == {"other": "running"}
    add_script(rocket, uuid, busybox, "victim", "exit 6")
    assert run_to_end(rocket, uuid, "victim") == 6 and states(rocket, uuid)["other"] == "running"
    finish(process)


@pytest.mark.vm
def test_limits_of_an_added_app_bite(rocket, sandbox, make):
    """RES-1, RES-5: memory, with `oom` in the status, and disks: four megabytes at one a second, to a volume (a root does not wait)."""
    limit = [{"name": "resource/block-bandwidth", "value": {"default": True, "limit": "1M"}}]
    image = make("example.com/limited", aci.app("/bin/sh", isolators=limit), aci.busybox())
    process, uuid = sandbox()
    add_script(rocket, uuid, image, "eats", "x=0123456789; while :; do x=$x$x; done", "--memory=16M", timeout=60)
    add_script(rocket, uuid, image, "writes", "start=$(date +%s); dd if=/dev/zero of=/data/x bs=1M count=4 conv=fsync 2>/dev/null; "
               "test $(($(date +%s) - start)) -ge 3", "--mnt-volume=name=data,kind=empty,target=/data", timeout=60)
    for app in ("eats", "writes"):
        rocket("app", "start", f"--app={app}", uuid, timeout=60)
    wait_for(lambda: set(states(rocket, uuid).values()) == {"exited"}, "the apps' end", 120)
    apps = {app["name"]: app for app in json.loads(rocket("status", "--format=json", uuid).stdout)["apps"]}
    assert apps["eats"]["oom"] is True and apps["writes"]["exit_code"] == 0
    process.terminate()
    assert process.wait(timeout=60) == 0
