# SPDX-License-Identifier: Apache-2.0
"""Pods whose apps come and go while they run: rocket app ... (cli 8.17, internals 9 and weakness L9)."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import aci
import pytest

from conftest import cgroups_of, wait_for
from sandboxes import add, add_script, finish, states, status


@pytest.mark.bare
def test_life_of_a_sandbox(rocket, sandbox, busybox):
    """Ready without apps; apps end without it; it ends with 0 when it is stopped."""
    process, uuid = sandbox("--annotation=example.com/a=b", "--user-label=x=y")
    assert states(rocket, uuid) == {}
    manifest = json.loads(rocket("cat-manifest", uuid).stdout)
    assert {"name": "coreos.com/rkt/stage1/mutable", "value": "true"} in manifest["annotations"]
    assert {"name": "example.com/a", "value": "b"} in manifest["annotations"] and manifest["userLabels"] == {"x": "y"}

    done = add_script(rocket, uuid, busybox, "one", "echo hello from one; exit 3")
    assert (done.stdout, done.stderr) == ("", "")
    assert states(rocket, uuid) == {"one": "created"}
    rocket("app", "start", "--app=one", uuid)
    wait_for(lambda: states(rocket, uuid) == {"one": "exited"}, "the app to end")
    assert status(rocket, uuid, "one")["exit_code"] == 3
    assert rocket.state(uuid) == "running"
    rocket("app", "rm", "--app=one", uuid)
    assert states(rocket, uuid) == {}
    out, _ = finish(process)
    assert out == "hello from one\n"
    assert rocket.state(uuid) == "exited"
    assert cgroups_of(uuid) == set()


def test_start_stop_and_start_again(rocket, sandbox, busybox):
    process, uuid = sandbox()
    add_script(rocket, uuid, busybox, "web", "echo run >> /runs; trap 'exit 0' TERM; while :; do sleep 0.1; done")
    assert "is not running" in rocket("app", "stop", "--app=web", uuid, status=254).stderr
    for run in range(1, 4):
        rocket("app", "start", "--app=web", uuid)
        rocket("app", "start", "--app=web", uuid)  # it is
        assert states(rocket, uuid) == {"web": "running"}
        wait_for(lambda run=run: rocket("app", "exec", "--app=web", uuid, "/bin/cat", "/runs", status=None).stdout == run * "run\n", "it to run")
        rocket("app", "stop", "--app=web", uuid)
        assert states(rocket, uuid) == {"web": "exited"}
        assert status(rocket, uuid, "web")["exit_code"] == 0
    finish(process)
    assert states(rocket, uuid) == {"web": "exited"}
    assert "is already stopped" in rocket("app", "stop", "--app=web", uuid).stdout


def test_an_app_that_fails_to_start(rocket, sandbox, busybox):
    process, uuid = sandbox()
    add(rocket, uuid, busybox, "--name=missing", "--exec=/no/such/file")
    assert "/no/such/file" in rocket("app", "start", "--app=missing", uuid, status=254).stderr
    assert rocket.state(uuid) == "running"
    finish(process)


AUDIT = r"""
cd /proc/self
grep -E '^(Cap|NoNewPrivs|Seccomp|Uid|Gid|Groups)' status
readlink ns/mnt > /dev/null; cut -d' ' -f5- mountinfo | sed 's/upperdir=[^,]*,workdir=[^ ,]*//; s/lowerdir[^ ]*//' | sort
cat limits; cat /etc/hosts /etc/hostname; env | sort; stat -c '%a %u %g %F %n' /dev/* /dev/pts/*; ls /sys /proc/sys; cat oom_score_adj
"""


@pytest.mark.parametrize("flags", [
    [], ["--user=1000", "--group=1001", "--supplementary-gids=1002"], ["--caps-retain=CAP_NET_BIND_SERVICE,CAP_SYS_TIME"],
    ["--seccomp=mode=remove,errno=EPERM,mkdir,mkdirat"], ["--readonly-rootfs=true", "--environment=A.b=c d"],
    ["--stdin=tty", "--stdout=log"], ["--memory=64M", "--oom-score-adj=100"],
], ids=lambda flags: flags[0].lstrip("-") if flags else "default")
def test_an_added_app_is_confined_as_one_of_run(rocket, sandbox, make, flags):
    applets = ("sh", "cat", "grep", "cut", "sed", "sort", "env", "ls", "readlink", "sleep", "stat")
    image = make("example.com/audit", aci.app("/bin/sh"), aci.busybox(applets))
    hostname = "--hostname=audited"
    ran = rocket.run(hostname, image, "--name=app", "--exec=/bin/sh", *flags, "--", "-c", AUDIT).stdout
    process, uuid = sandbox(hostname)
    add(rocket, uuid, image, "--name=app", "--exec=/bin/sh", *flags, "--", "-c", AUDIT)
    rocket("app", "start", "--app=app", uuid)
    wait_for(lambda: states(rocket, uuid) == {"app": "exited"}, "the audit")
    added, err = finish(process)

    own_filter = any("seccomp" in flag for flag in flags)

    def comparable(text):
        lines = [re.sub(r"(shared|master):\d+", r"\1", line) for line in text.splitlines() if "TERM=" not in line]
        # A filter of its own does not spare an app that of a mutable pod, which apps under the default policy may join.
        return [line for line in lines if not (own_filter and line.startswith("Seccomp_filters"))]
    assert "CapEff" in ran and "/proc/sys" in ran
    assert comparable(added) == comparable(ran), err


def test_volumes_of_added_apps(rocket, sandbox, make, home):
    (home / "shared").mkdir()
    (home / "shared/file").write_text("from the host\n")
    image = make("example.com/volumes", aci.app("/bin/sh", mountPoints=[{"name": "data", "path": "/data"}]), aci.busybox())
    process, uuid = sandbox()
    script = "cat /host/file; echo mine > /data/mine; echo back > /host/back; ls /data"
    add_script(rocket, uuid, image, "a", script, f"--mnt-volume=name=host,kind=host,source={home}/shared,target=/host")
    add_script(rocket, uuid, image, "b", "ls /data | grep -c . ; echo x > /host/x", f"--mnt-volume=name=host,kind=host,source={home}/shared,readOnly=true,target=/host")
    for app in "ab":
        rocket("app", "start", f"--app={app}", uuid)
        wait_for(lambda app=app: states(rocket, uuid)[app] == "exited", "the app to end")
    assert (home / "shared/back").read_text() == "back\n" and not (home / "shared/x").exists()
    mounts = {one["container_path"]: one for one in status(rocket, uuid, "a")["mounts"]}
    assert mounts["/host"]["host_path"] == f"{home}/shared"
    mine = pathlib.Path(mounts["/data"]["host_path"]) / "mine"
    assert mine.read_text() == "mine\n"  # and b had an empty one of its own
    rocket("app", "rm", "--app=a", uuid)
    assert not mine.exists()
    line = f"mounts={home}/shared:/host:(read_only:true)"
    assert line in rocket("app", "status", "--app=b", uuid).stdout
    out, _ = finish(process)
    assert out.splitlines()[:2] == ["from the host", "mine"] and out.splitlines()[2] == "0"


def test_streams_of_added_apps(rocket, sandbox, busybox):
    process, uuid = sandbox()
    add_script(rocket, uuid, busybox, "talker", "while read line; do echo got $line; done", "--stdin=stream", "--stdout=stream")
    for _ in range(2):
        rocket("app", "start", "--app=talker", uuid)
        assert rocket("attach", uuid, input="hello\n", stdin=None).stdout == "got hello\n"
        wait_for(lambda: states(rocket, uuid) == {"talker": "exited"}, "the app to end")
    add_script(rocket, uuid, busybox, "screen", "read line; stty size; tty", "--stdin=tty", "--stdout=tty", "--stderr=tty")
    rocket("app", "start", "--app=screen", uuid)
    assert rocket("attach", "--app=screen", uuid, input="\n", stdin=None).stdout.split() == ["24", "80", "/dev/pts/0"]
    assert "use tty" in add_script(rocket, uuid, busybox, "i", "true", "--stdin=interactive", status=254).stderr
    assert states(rocket, uuid).keys() == {"talker", "screen"}
    finish(process)


def test_removing_leaves_nothing(rocket, sandbox, busybox):
    process, uuid = sandbox()
    directory = rocket.data / "pods/run" / uuid
    init = int((directory / "pid1").read_text().split()[0])

    def mounts():
        return [line for line in pathlib.Path(f"/proc/{init}/mountinfo").read_text().splitlines() if "app-" in line]
    for _ in range(3):  # the same name again and again
        add_script(rocket, uuid, busybox, "app", "echo x > /x; ls /x; sleep 1000", "--user=1000")
        assert mounts() and (directory / "apps/app").is_dir()
        rocket("app", "start", "--app=app", uuid)
        rocket("app", "rm", "--app=app", uuid)
        assert mounts() == [] and not (directory / "apps/app").exists()
        assert os.listdir(directory / "status") == []
        assert (directory / "change").read_text() == ""
        assert json.loads((directory / "pod").read_text())["apps"] in ([], None)
    assert "nonexistent app" in rocket("app", "rm", "--app=app", uuid, status=254).stderr
    finish(process)


def test_twenty_added_in_parallel(rocket, sandbox, busybox):
    process, uuid = sandbox()
    rocket.fetch(busybox)
    adding = [rocket.start("--insecure-options=image", "app", "add", uuid, busybox, f"--name=app-{n}", "--exec=/bin/sleep", "--", "1000")
              for n in range(20)]
    for one in adding:
        _, err = one.communicate(timeout=60)
        assert one.returncode == 0, err
    assert states(rocket, uuid) == {f"app-{n}": "created" for n in range(20)}
    starting = [rocket.start("app", "start", f"--app=app-{n}", uuid) for n in range(20)]
    for one in starting:
        _, err = one.communicate(timeout=60)
        assert one.returncode == 0, err
    assert set(states(rocket, uuid).values()) == {"running"}
    finish(process)
    assert set(states(rocket, uuid).values()) == {"exited"}


def test_the_pod_of_run_is_immutable(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "1000")
    for arguments in (["add", uuid, busybox, "--name=other"], ["start", "--app=busybox", uuid], ["stop", "--app=busybox", uuid],
                      ["rm", "--app=busybox", uuid]):
        assert "immutable pod" in rocket("--insecure-options=image", "app", *arguments, status=254).stderr
    assert not (rocket.data / "pods/run" / uuid / "control").exists()
    assert states(rocket, uuid) == {"busybox": "running"}
    process.terminate()


@pytest.mark.parametrize("arguments, words, code", [
    (["add"], "must provide the pod UUID and an IMAGEID", 254),
    (["add", "UUID"], "must provide the pod UUID and an IMAGEID", 254),
    (["add", "UUID", "IMAGE", "IMAGE"], "must give only one app", 254),
    (["add", "UUID", "IMAGE", "--name=../../etc"], "", 254),
    (["add", "UUID", "IMAGE", "--name=A B"], "", 254),
    (["add", "UUID", "IMAGE", "--mnt-volume=name=v,kind=empty"], "missing target= parameter", 254),
    (["add", "UUID", "IMAGE", "--mnt-volume=name=v,kind=host,source=/no/such/place,target=/v"], "does not exist", 254),
    (["add", "UUID", "IMAGE", "--mount=volume=missing,target=/v"], "", 254),
    (["add", "UUID", "IMAGE", "--user=nobody-here"], "", 254),
    (["add", "UUID", "/no/such.aci"], "", 254),
    (["start", "UUID"], "must provide the app to start", 254),
    (["start", "--app=x"], "must provide the pod UUID", 254),
    (["start", "--app=x", "UUID"], 'nonexistent app "x"', 254),
    (["stop", "--app=x", "UUID"], 'nonexistent app "x"', 254),
    (["rm", "--app=../x", "UUID"], "", 254),
    (["list"], "must provide the pod UUID", 1),
    (["status", "UUID"], "must provide the app", 1),
    (["status", "--app=x", "UUID"], 'nonexistent app "x"', 1),
    (["sandbox", "--annotation=x"], "key=value", 254),
    (["sandbox", "--net=none", "--interactive"], "unknown flag: --interactive", 254),
    (["sandbox", "--net=none", "--port=http:tcp:80::8080"], "--port flag does not work with 'none' networking", 1),
    (["sandbox", "--port=http:8080"], "is not in name:proto:podport:ip:hostport format", 254),
    (["sandbox", "--stage1-from-dir=fly", "--net=host"], "app/add", 1),
])
def test_refused(rocket, sandbox, busybox, arguments, words, code):
    process, uuid = sandbox() if "UUID" in arguments else (None, "")
    place = {"UUID": uuid, "IMAGE": busybox}
    done = rocket("--insecure-options=image", "app", *[place.get(word, word) for word in arguments], status=code)
    assert words in done.stderr
    if process:  # and nothing of it stays
        assert states(rocket, uuid) == {}
        directory = rocket.data / "pods/run" / uuid
        assert os.listdir(directory / "apps") == [] and (not (directory / "change").exists() or (directory / "change").read_text() == "")
        finish(process)


def test_the_name_has_to_be_free(rocket, sandbox, busybox):
    process, uuid = sandbox()
    add(rocket, uuid, busybox, "--name=a")
    assert "multiple apps with name a" in add(rocket, uuid, busybox, "--name=a", status=254).stderr
    assert states(rocket, uuid) == {"a": "created"}
    finish(process)


def whole(rocket, uuid, app):
    """Whether the app is there with everything or, if it is not, nothing of it is left that the next change would not take."""
    directory = rocket.data / "pods/run" / uuid
    listed = app in states(rocket, uuid)
    if listed:
        assert (directory / "apps" / app / "manifest").exists() and (directory / "status" / f"{app}.created").exists()
        rocket("app", "start", f"--app={app}", uuid)
        rocket("app", "exec", f"--app={app}", uuid, "/bin/true")
    return listed


# Fractions of what the command takes, so that a slow machine is killed in as many places as a fast one.
MOMENTS = [0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0]


def killed_after(seconds, process):
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_add_adds_all_or_nothing(rocket, sandbox, busybox, moment):
    """SIGKILL of the command at any point; what is left is gone with the next command (L9)."""
    process, uuid = sandbox()
    rocket.fetch(busybox)
    begun = time.monotonic()
    add(rocket, uuid, busybox, "--name=other", "--exec=/bin/sleep", "--", "1000")
    needed = time.monotonic() - begun
    adding = rocket.start("--insecure-options=image", "app", "add", uuid, busybox, "--name=victim", "--exec=/bin/sleep", "--", "1000")
    killed_after(moment * needed, adding)
    if whole(rocket, uuid, "victim"):
        rocket("app", "rm", "--app=victim", uuid)
    else:
        assert "nonexistent app" in rocket("app", "start", "--app=victim", uuid, status=254).stderr
        assert not (rocket.data / "pods/run" / uuid / "apps/victim").exists()  # that was a command, too
    add(rocket, uuid, busybox, "--name=victim", "--exec=/bin/sleep", "--", "1000")
    assert whole(rocket, uuid, "victim") and whole(rocket, uuid, "other")
    finish(process)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_rm_removes_all_or_nothing(rocket, sandbox, busybox, moment):
    process, uuid = sandbox()
    directory = rocket.data / "pods/run" / uuid
    for app in ("measured", "victim"):
        add(rocket, uuid, busybox, f"--name={app}", "--exec=/bin/sleep", "--", "1000")
        rocket("app", "start", f"--app={app}", uuid)
    begun = time.monotonic()
    rocket("app", "rm", "--app=measured", uuid)
    needed = time.monotonic() - begun
    killed_after(moment * needed, rocket.start("app", "rm", "--app=victim", uuid))
    if not whole(rocket, uuid, "victim"):
        assert "nonexistent app" in rocket("app", "rm", "--app=victim", uuid, status=254).stderr
        assert not (directory / "apps/victim").exists()
        assert [name for name in os.listdir(directory / "status") if name.startswith("victim")] == []
    finish(process)


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.02, 0.04, 0.08])
def test_a_killed_supervisor_takes_the_pod_along(rocket, sandbox, busybox, delay):
    """In the middle of `app add`: the command says so, and everything else works on what is left."""
    process, uuid = sandbox()
    rocket.fetch(busybox)
    add(rocket, uuid, busybox, "--name=first")
    adding = rocket.start("--insecure-options=image", "app", "add", uuid, busybox, "--name=victim")
    time.sleep(delay)  # wherever it is then
    process.kill()
    adding.communicate(timeout=30)
    process.wait(timeout=30)
    wait_for(lambda: rocket.state(uuid) == "exited", "the pod's end")
    assert states(rocket, uuid).keys() in ({"first"}, {"first", "victim"})
    assert set(json.loads(rocket("list", "--format=json").stdout)[0]["app_names"]) == set(states(rocket, uuid))
    rocket("app", "rm", "--app=first", uuid)
    assert "first" not in states(rocket, uuid)
    rocket("rm", uuid)
    wait_for(lambda: cgroups_of(uuid) == set(), "the pod's cgroups to go")


@pytest.mark.parametrize("line", [
    b"add ../../etc\n", b"add\n", b"destroy a\n", b"\n", b"add a b\n", 600 * b"x", b"rm a\x00b\n",
])
def test_hostile_requests(rocket, sandbox, busybox, line):
    process, uuid = sandbox()
    directory = os.open(rocket.data / "pods/run" / uuid, os.O_PATH)
    assert os.stat("control", dir_fd=directory).st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"/proc/self/fd/{directory}/control")
        client.settimeout(20)
        client.sendall(line)
        assert client.recv(4096) != b"ok"
    os.close(directory)
    add(rocket, uuid, busybox, "--name=a")
    finish(process)


def test_hostile_images(rocket, sandbox, make):
    """Links instead of directories, as for `run` (S5, S6)."""
    content = [entry for entry in aci.busybox() if not entry[0].name.startswith(("rootfs/etc", "rootfs/tmp"))]
    links = [aci.symlink(f"rootfs/{name}", "/run/rocket") for name in ("etc", "proc", "sys", "dev", "run", "tmp")]
    image = make("example.com/links", aci.app("/bin/sh", "-c", "ls -d /proc/self /dev/null /sys/kernel"), [*content, *links])
    process, uuid = sandbox()
    add(rocket, uuid, image, "--name=app")
    rocket("app", "start", "--app=app", uuid)
    wait_for(lambda: states(rocket, uuid) == {"app": "exited"}, "the app to end")
    assert status(rocket, uuid, "app")["exit_code"] == 0
    finish(process)


def test_list_and_status_show_the_apps(rocket, sandbox, busybox):
    """Q32: the states of apps are their own; L13."""
    process, uuid = sandbox()
    before = time.time_ns()
    add_script(rocket, uuid, busybox, "a", "exit 7", "--user-annotation=k=v %s")
    add_script(rocket, uuid, busybox, "b", "sleep 1000")
    for app in "ab":
        rocket("app", "start", f"--app={app}", uuid)
    wait_for(lambda: states(rocket, uuid)["a"] == "exited", "the app to end")
    apps = {app["name"]: app for app in json.loads(rocket("status", "--format=json", uuid).stdout)["apps"]}
    assert (apps["a"]["state"], apps["a"]["exit_code"], apps["b"]["state"]) == ("exited", 7, "running")
    assert before <= apps["a"]["created_at"] + 10**9 and apps["a"]["created_at"] <= apps["a"]["started_at"] <= apps["a"]["finished_at"]
    assert "exit_code" not in apps["b"] and "finished_at" not in apps["b"]
    lines = rocket("app", "status", "--app=a", uuid).stdout.splitlines()
    assert lines[:2] == ["name=a", "state=exited"] and "exit_code=7" in lines and "user_annotations=k:v %s" in lines
    assert [line.split("=")[0] for line in lines] == ["name", "state", "image_id", "created_at", "started_at", "finished_at", "exit_code", "user_annotations"]
    table = rocket("app", "list", uuid).stdout.splitlines()
    assert table[0].split() == ["NAME", "STATE"] and table[1].split() == ["a", "exited"]
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: states(rocket, uuid) == {"a": "exited", "b": "exited"}, "the pod's end")


def test_a_sandbox_is_ready_for_systemd(rocket, home):
    """Type=notify: READY=1 when PID 1 is up."""
    address = str(home / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(20)
        process = rocket.start("app", "sandbox", "--net=none", env={**rocket.environment, "NOTIFY_SOCKET": address})
        while b"READY=1" not in listener.recv(4096):
            pass
    finish(process)
