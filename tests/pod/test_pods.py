# SPDX-License-Identifier: Apache-2.0
"""Running pods: what an app sees, what the caller sees, the pod's life (cli 6, 7, 8, 9; appc chapters 5, 6, 7, 12, 13)."""
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import time

import aci
import pytest
from conftest import HOST_IS_SYSTEMD, cgroups_of, wait_for

pytestmark = pytest.mark.bare


# --- exit status and streams (cli 9.4, 9.5)

@pytest.mark.parametrize("script, status", [("exit 0", 0), ("exit 7", 7), ("exit 254", 254), ("kill -TERM $$", 15), ("kill -KILL $$", 9)])
def test_status_of_the_pod_is_the_apps(rocket, busybox, script, status):
    rocket.sh(busybox, script, status=status)
    [uuid] = rocket.uuids()
    shown = rocket("status", uuid).stdout
    assert f"state=exited\n" in shown and f"app-busybox={status}\n" in shown and "exited=true\n" in shown


def test_streams_are_separate_and_unmodified(rocket, busybox):
    done = rocket.sh(busybox, r"printf 'a\0b\r\nno newline'; printf 'err\377' >&2", text=False)
    assert done.stdout == b"a\0b\r\nno newline"
    assert done.stderr == b"err\xff"


def test_much_output_arrives_complete_and_in_order(rocket, busybox):
    assert rocket.sh(busybox, "seq 300000").stdout == "".join(f"{n}\n" for n in range(1, 300001))


def test_stdin_is_empty(rocket, busybox):
    assert rocket.sh(busybox, "cat; echo end", stdin=subprocess.PIPE).stdout == "end\n"


def test_missing_executable_is_203(rocket, busybox):
    done = rocket.run(busybox, "--exec=/no/such/thing", status=203)
    assert "/no/such/thing" in done.stderr + done.stdout


def test_arguments_and_environment_are_literal(rocket, busybox):
    words = ["$HOME", "%n", "a b", "", "'\"", ";", "$$", "é", "--", "-x"]
    done = rocket.run(busybox, "--exec=/bin/sh", "--", "-c", 'for w; do printf "%s\\n" "[$w]"; done', "sh", *words)
    assert done.stdout.splitlines() == [f"[{w}]" for w in words]


def test_one_failing_app_ends_the_pod(rocket, busybox):
    start = time.monotonic()
    rocket.run(busybox, "--name=slow", "--exec=/bin/sleep", "--", "60", "---", busybox, "--name=bad", "--exec=/bin/sh", "--", "-c", "exit 9",
               status=9)
    assert time.monotonic() - start < 20
    assert "app-bad=9\n" in rocket("status", rocket.uuids()[0]).stdout


def test_the_pod_waits_for_all_apps(rocket, busybox):
    done = rocket.run(busybox, "--name=first", "--exec=/bin/true", busybox, "--name=last", "--exec=/bin/sh", "--", "-c", "sleep 0.5; echo last")
    assert done.stdout == "last\n"


# --- what an app sees

def test_environment_is_exact(rocket, make):
    path = make("example.com/env", aci.app("/bin/env", environment=[{"name": "A", "value": "image"}, {"name": "B", "value": "$A"}]), aci.busybox())
    out = rocket.run(path, "--environment=A=flag", env={"LEAK": "1"}).stdout.splitlines()
    assert sorted(out) == sorted(["A=flag", "B=$A", "AC_APP_NAME=env", "container=rocket", "HOME=/root", "LOGNAME=root", "SHELL=/bin/sh", "USER=root",
                                  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])


def test_environment_precedence(rocket, make, home):
    path = make("example.com/env", aci.app("/bin/env", environment=[{"name": "A", "value": "image"}]), aci.busybox())
    (home / "env").write_text("# comment\nA=file\nC=file\n\nD=file\n")
    out = rocket.run(f"--set-env-file={home}/env", "--set-env=D=set", "--inherit-env", path, "--environment=A=app", env={"C": "caller", "E": "caller"})
    assert {"A=app", "C=file", "D=set", "E=caller"} <= set(out.stdout.splitlines())


@pytest.mark.parametrize("user, group, ids", [
    ("0", "0", "uid=0 gid=0"), ("web", "web", "uid=1000 gid=1001"), ("1234", "5678", "uid=1234 gid=5678"), ("/owned", "/owned", "uid=77 gid=88"),
])
def test_user_and_group(rocket, make, user, group, ids):
    path = make("example.com/id", aci.app("/bin/id", user=user, group=group), [*aci.busybox(), aci.file("rootfs/owned", uid=77, gid=88)])
    out = re.sub(r"\(\w+\)", "", rocket.run(path).stdout)
    assert out.startswith(ids), out


@pytest.mark.parametrize("user", ["4294967295", "4294967296", "99999999999999999999", "-1", "+5", " 7", "7 ", "0x10", "nobody-there", "/none"])
def test_ids_out_of_range_are_refused(rocket, make, user):
    path = make("example.com/id", aci.app("/bin/id", user=user), aci.busybox())
    done = rocket.run(path, status=254)
    assert "uid=" not in done.stdout and done.stderr


def test_supplementary_groups_and_flags(rocket, busybox):
    out = rocket.run(busybox, "--exec=/bin/id", "--user=1000", "--group=1001", "--supplementary-gids=5,6,5").stdout
    assert re.search(r"groups=1001\S*,5\S*,6", out) or re.search(r"groups=5\S*,6", out), out


def test_working_directory(rocket, busybox):
    assert rocket.run(busybox, "--exec=/bin/pwd", "--working-dir=/etc").stdout == "/etc\n"
    assert rocket.run(busybox, "--exec=/bin/pwd", "--working-dir=/none", status=None).returncode not in (0,)


def test_confinement_by_default(rocket, busybox):
    out = rocket.sh(busybox, "grep -E '^(CapBnd|CapEff|NoNewPrivs|Seccomp):' /proc/self/status").stdout
    status = dict(line.split(":\t") for line in out.splitlines())
    assert status["Seccomp"] == "2"
    bounded = int(status["CapBnd"], 16)
    assert bounded & (1 << 21) == 0, "CAP_SYS_ADMIN"
    assert bin(bounded).count("1") <= 14
    rocket.sh(busybox, "mknod /tmp/n b 8 0 && cat /tmp/n", status=1)
    rocket.sh(busybox, "mount -t tmpfs x /tmp", status=1)


def test_capabilities_and_seccomp_flags(rocket, busybox):
    out = rocket.run(busybox, "--exec=/bin/grep", "--caps-retain=CAP_CHOWN", "--", "CapBnd", "/proc/self/status").stdout
    assert out == "CapBnd:\t0000000000000001\n"
    out = rocket.run(busybox, "--exec=/bin/grep", "--caps-remove=CAP_CHOWN", "--", "CapBnd", "/proc/self/status").stdout
    assert int(out.split()[1], 16) & 1 == 0
    rocket.run(busybox, "--exec=/bin/mkdir", "--seccomp=mode=remove,errno=ENOSYS,mkdir,mkdirat", "--", "/tmp/x", status=1)


def test_masked_and_read_only_kernel_files(rocket, busybox):
    out = rocket.sh(busybox, "cat /proc/kcore | head -c 1 | wc -c; (echo 1 > /proc/sys/kernel/panic) 2>/dev/null || echo ro; "
                             "(mkdir /sys/fs/cgroup/x) 2>/dev/null || echo ro; ls /sys/firmware 2>/dev/null | wc -l").stdout.split()
    assert out == ["0", "ro", "ro", "0"]


def test_devices(rocket, busybox):
    out = rocket.sh(busybox, "ls /dev; echo x > /dev/null; head -c 3 /dev/zero | wc -c; stat -c %t:%T /dev/urandom; touch /dev/shm/x && echo shm").stdout
    for node in ("null", "zero", "full", "random", "urandom", "tty", "pts", "shm", "ptmx", "3", "1:9", "shm"):
        assert node in out.split()


def test_hostname_and_hosts(rocket, busybox):
    out = rocket.sh(busybox, "hostname; cat /etc/hosts").stdout
    [uuid] = rocket.uuids()
    assert out.startswith(f"rkt-{uuid}\n") and "127.0.0.1" in out
    out = rocket.run("--hostname=web1", "--hosts-entry=10.0.0.1=db", "--dns=192.0.2.1", "--dns-search=example.com", busybox, "--exec=/bin/sh", "--", "-c",
                     "hostname; cat /etc/hosts /etc/resolv.conf").stdout
    assert out.startswith("web1\n") and re.search(r"^10\.0\.0\.1\s+db$", out, re.M) and "nameserver 192.0.2.1" in out and "search example.com" in out


def test_loopback_of_its_own(rocket, busybox):
    out = rocket.sh(busybox, "ip addr; ip link | grep -c mtu").stdout
    assert "127.0.0.1/8" in out and out.strip().endswith("1")


def test_host_network(rocket, busybox):
    assert rocket("--insecure-options=image", "run", "--net=host", busybox, "--exec=/bin/readlink", "--", "/proc/self/ns/net").stdout.strip() \
        == os.readlink("/proc/self/ns/net")


def test_other_networks_are_a_clear_error(rocket, busybox):
    done = rocket("--insecure-options=image", "run", "--net=bridge,default,other", busybox, status=254)
    assert "networks not found: bridge, other" in done.stderr
    assert rocket.uuids() == []


def test_apps_share_the_network_and_not_the_files(rocket, busybox):
    # The listener's stdin must not end, or it shuts its side down before the other has spoken.
    listener = "echo mine > /tmp/f; mkfifo /open; exec 3<>/open; nc -l -p 4444 <&3 | head -1"
    out = rocket.run(busybox, "--name=a", "--exec=/bin/sh", "--", "-c", listener,
                     "---", busybox, "--name=b", "--exec=/bin/sh", "--", "-c",
                     "ls /tmp; until echo through loopback | nc -w 1 127.0.0.1 4444; do sleep 0.1; done").stdout
    assert out == "through loopback\n"


def test_pod_processes_only(rocket, busybox):
    out = rocket.sh(busybox, "ls -d /proc/[0-9]* | wc -l").stdout
    assert int(out) < 10


def test_changes_stay_in_the_pod(rocket, busybox):
    for flags in ([], ["--no-overlay"]):
        assert rocket.run(*flags, busybox, "--exec=/bin/sh", "--", "-c", "cat /new 2>/dev/null; echo x > /new; rm /etc/group; cat /new").stdout == "x\n"
    rocket("image", "verify", "example.com/busybox")


def test_read_only_root(rocket, busybox):
    rocket.sh(busybox, "touch /x 2>/dev/null", "--readonly-rootfs=true", status=1)
    rocket.sh(busybox, "touch /tmp/x", "--readonly-rootfs=false")


# --- volumes (cli 7.5)

def test_host_volume(rocket, busybox, home):
    (home / "v/sub").mkdir(parents=True)
    (home / "v/in").write_text("in")
    volume = f"--volume=v,kind=host,source={home}/v"
    out = rocket.run(volume, busybox, "--mount=volume=v,target=/data", "--exec=/bin/sh", "--", "-c", "cat /data/in; echo out > /data/sub/out").stdout
    assert out == "in" and (home / "v/sub/out").read_text() == "out\n"
    rocket.run(volume + ",readOnly=true", busybox, "--mount=volume=v,target=/data", "--exec=/bin/touch", "--", "/data/x", status=1)
    assert not (home / "v/x").exists()


def test_empty_volume_is_shared(rocket, busybox):
    out = rocket.run("--volume=v,kind=empty,mode=0770,uid=5,gid=6", busybox, "--name=a", "--mount=volume=v,target=/v", "--exec=/bin/sh", "--", "-c",
                     "echo hello > /v/f", "---", busybox, "--name=b", "--mount=volume=v,target=/v", "--exec=/bin/sh", "--", "-c",
                     "until cat /v/f 2>/dev/null; do sleep 0.05; done; stat -c %a:%u:%g /v").stdout
    assert out == "hello\n770:5:6\n"


def test_mount_point_without_volume_is_an_empty_one(rocket, make):
    path = make("example.com/m", aci.app("/bin/sh", "-c", "touch /deep/er/x && grep -c ' /deep/er ' /proc/self/mountinfo",
                                         mountPoints=[{"name": "m", "path": "/deep/er"}]), aci.busybox())
    assert rocket.run(path).stdout == "1\n"


def test_volume_source_must_exist(rocket, busybox, home):
    done = rocket.run(f"--volume=v,kind=host,source={home}/none", busybox, "--mount=volume=v,target=/v", status=254)
    assert "none" in done.stderr


# --- event handlers

def test_event_handlers(rocket, make):
    handlers = [{"name": "pre-start", "exec": ["/bin/sh", "-c", "echo pre; echo made > /made"]},
                {"name": "post-stop", "exec": ["/bin/sh", "-c", "echo post; cat /made"]}]
    path = make("example.com/h", aci.app("/bin/sh", "-c", "echo main; cat /made", eventHandlers=handlers), aci.busybox())
    assert rocket.run(path).stdout.split() == ["pre", "main", "made", "post", "made"]


def test_failing_pre_start(rocket, make):
    path = make("example.com/h", aci.app("/bin/echo", "main", eventHandlers=[{"name": "pre-start", "exec": ["/bin/false"]}]), aci.busybox())
    done = rocket.run(path, status=None)
    assert done.returncode not in (0,) and "main" not in done.stdout


# --- the pod's life (cli 6, 8)

def test_prepare_and_run_prepared(rocket, busybox):
    out = rocket("--insecure-options=image", "prepare", "--quiet", busybox, "--exec=/bin/echo", "--", "hello").stdout
    uuid = out.strip()
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid) and out == uuid + "\n"
    assert rocket.state(uuid) == "prepared"
    assert rocket("run-prepared", "--net=none", uuid[:6]).stdout == "hello\n"
    assert "is not prepared" in rocket("run-prepared", "--net=none", uuid, status=254).stderr
    assert rocket("rm", uuid).stdout == f'"{uuid}"\n'
    assert "no matches found" in rocket("status", uuid, status=254).stderr


def test_list_and_status_of_a_running_pod(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "60")
    lines = rocket("list").stdout.splitlines()
    assert re.split(r"\t+", lines[0]) == ["UUID", "APP", "IMAGE NAME", "STATE", "CREATED", "STARTED", "NETWORKS"]
    assert re.split(r"\t+", lines[1])[:4] == [uuid[:8], "busybox", "example.com/busybox:1", "running"]
    [pod] = json.loads(rocket("list", "--format=json").stdout)
    assert pod["name"] == uuid and pod["state"] == "running" and pod["apps"][0]["state"] == "running"
    shown = dict(line.split("=", 1) for line in rocket("status", uuid).stdout.splitlines())
    assert shown["state"] == "running" and shown["exited"] == "false" and int(shown["pid"])
    assert json.loads(rocket("status", "--format=json", uuid).stdout)["name"] == uuid
    assert "is currently running" in rocket("rm", uuid, status=254).stderr
    assert "context deadline exceeded" in rocket("status", "--wait=200ms", uuid, status=254).stderr

    waiting = rocket.start("status", "--wait", uuid)
    assert rocket("stop", uuid).stdout == f'"{uuid}"\n'
    assert process.wait(20) is not None
    assert waiting.wait(10) == 0 and "state=exited" in waiting.stdout.read()
    assert "is already stopped" in rocket("stop", uuid).stdout


def test_cat_manifest(rocket, busybox):
    uuid = rocket("--insecure-options=image", "prepare", busybox, "--name=n", "--annotation=a/b=c").stdout.strip()
    manifest = json.loads(rocket("cat-manifest", uuid).stdout)
    assert manifest["acVersion"] == "0.8.11" and manifest["apps"][0]["name"] == "n"
    assert {"name": "a/b", "value": "c"} in manifest["apps"][0]["annotations"]
    assert rocket("cat-manifest", "--pretty-print=false", uuid).stdout.count("\n") == 1


def test_pod_manifest(rocket, busybox, home):
    image = rocket.fetch(busybox)
    manifest = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": [
        {"name": "one", "image": {"id": image}, "app": aci.app("/bin/echo", "from the pod manifest")}], "volumes": [], "isolators": [], "annotations": []}
    (home / "pod.json").write_text(json.dumps(manifest))
    assert rocket("--insecure-options=image", "run", "--net=none", f"--pod-manifest={home}/pod.json").stdout == "from the pod manifest\n"
    assert "conflicting flags" in rocket("--insecure-options=image", "run", "--net=none", f"--pod-manifest={home}/pod.json", "--volume=a,kind=empty", status=254).stderr


def test_gc(rocket, busybox):
    rocket.run(busybox)
    [uuid] = rocket.uuids()
    assert f'moving pod "{uuid}" to garbage' in rocket("gc", "--mark-only").stderr
    assert rocket.state(uuid) == "exited garbage"
    assert f'pod "{uuid}" not removed: still within grace period (30m0s)' in rocket("gc").stderr
    assert rocket("gc", "--grace-period=0s").stdout == f'Garbage collecting pod "{uuid}"\n'
    assert rocket.uuids() == []
    uuid = rocket("--insecure-options=image", "prepare", busybox).stdout.strip()
    rocket("gc")
    assert rocket.state(uuid) == "prepared"
    rocket("gc", "--expire-prepared=0s")
    assert rocket.uuids() == []


def test_stop_lets_apps_end_properly(rocket, busybox, home):
    (home / "v").mkdir()
    process, uuid = rocket.started(f"--volume=v,kind=host,source={home}/v", busybox, "--mount=volume=v,target=/v", "--exec=/bin/sh", "--", "-c",
                                   "trap 'echo bye > /v/bye; exit 0' TERM; while :; do sleep 0.1; done")
    rocket("stop", uuid)
    process.wait(20)
    assert (home / "v/bye").read_text() == "bye\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_to_the_supervisor(rocket, busybox, home, number):
    process, uuid = rocket.started(busybox, "--exec=/bin/sh", "--", "-c", "trap 'echo got it; exit 0' TERM INT; while :; do sleep 0.1; done")
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert "got it" in out
    assert rocket.state(uuid) == "exited"


def test_killed_supervisor_leaves_nothing(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "987654")
    process.kill()
    assert process.wait(10) == -9
    alive = lambda: [p for p in pathlib.Path("/proc").glob("[0-9]*/cmdline") if b"987654" in p.read_bytes() and b"sleep" in p.read_bytes()]

    def gone():
        try:
            return not alive()
        except OSError:
            return False
    wait_for(gone, "the app to be gone")
    assert rocket.state(uuid) == "exited"
    rocket("rm", uuid)
    assert not cgroups_of(uuid), "no cgroup may stay"


def test_stop_force(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sh", "--", "-c", "trap '' TERM; while :; do sleep 0.1; done")
    rocket("stop", "--force", uuid)
    assert process.wait(20) in (-9, 137)


def test_supervisor_is_the_process_that_was_started(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "60")
    assert os.readlink(f"/proc/{process.pid}/cwd").endswith(f"/pods/run/{uuid}")
    rocket("stop", uuid)
    process.wait(20)


def test_uuid_file(rocket, busybox, home):
    rocket.run(f"--uuid-file-save={home}/u", busybox)
    text = (home / "u").read_text()
    assert len(text) == 36
    assert "state=exited" in rocket("status", f"--uuid-file={home}/u").stdout
    rocket("rm", f"--uuid-file={home}/u")
    assert rocket("status", f"--uuid-file={home}/none", status=1).stderr


# --- enter (cli 8.11, R8)

PROBE = "id -u; id -g; grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; for n in mnt pid net ipc uts; do readlink /proc/self/ns/$n; done; cat /proc/self/cgroup | tail -1"


def test_enter_is_the_app(rocket, busybox):
    _, uuid = rocket.started(busybox, "--exec=/bin/sh", "--", "-c", f"{{ {PROBE}; }} > /tmp/probe; sleep 60")
    app = wait_for(lambda: (p := rocket("enter", uuid, "/bin/cat", "/tmp/probe").stdout).count("\n") == 11 and p or None, "the app's answer")
    entered = rocket("enter", uuid, "/bin/sh", "-c", PROBE).stdout
    assert entered == app, "who enters gets what the app has, and no more"
    assert rocket("enter", uuid, "/bin/sh", "-c", "exit 5", status=5)
    out = rocket("enter", uuid, "/bin/sh", "-c", "ls /proc/self/fd | wc -l").stdout
    assert int(out) <= 4, "no descriptor of the host is inherited"
    assert "unable to determine" not in rocket("enter", "--app=busybox", uuid, "/bin/true").stderr
    assert rocket("enter", "--app=none", uuid, "/bin/true", status=254).stderr
    rocket("stop", "--force", uuid)


def test_enter_refuses_what_is_not_running(rocket, busybox):
    rocket.run(busybox)
    assert "isn't currently running" in rocket("enter", rocket.uuids()[0], "/bin/true", status=254).stderr


# --- a terminal (cli 9.4)

def in_terminal(rocket, *arguments):
    """Run with a controlling terminal of 33 rows; (what it printed, status)."""
    child, master = pty.fork()
    if child == 0:
        os.execve(rocket.program, rocket.command(*arguments), rocket.environment)
    import fcntl
    import struct
    import termios
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    return child, master


def read_all(master):
    text = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            return text.decode()
        if not part:
            return text.decode()
        text += part


def test_interactive(rocket, busybox):
    rocket.fetch(busybox)
    child, master = in_terminal(rocket, "--insecure-options=image", "run", "--net=none", "--interactive", "example.com/busybox", "--exec=/bin/sh", "--", "-c",
                                "tty; read line; echo got $line; stty size; exit 3")
    os.write(master, b"hello\n")
    text = read_all(master)
    _, status = os.waitpid(child, 0)
    assert "got hello\r\n" in text and "/dev/" in text and "33 77" in text
    assert os.waitstatus_to_exitcode(status) == 3


def test_prefixed_lines_on_a_terminal(rocket, busybox):
    rocket.fetch(busybox)
    child, master = in_terminal(rocket, "--insecure-options=image", "run", "--net=none", "example.com/busybox", "--exec=/bin/echo", "--", "hello")
    text = read_all(master)
    os.waitpid(child, 0)
    assert re.search(r"^\[\d+\.\d{6}\] busybox\[\d+\]: hello\r\n", text, re.M), text


# --- with the host's systemd

@pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")
class TestOnSystemd:
    def test_machine(self, rocket, busybox):
        process, uuid = rocket.started(busybox, "--exec=/bin/sh", "--", "-c", "echo to the journal; sleep 60")
        machine = f"rkt-{uuid}"
        wait_for(lambda: machine in run("machinectl", "list", "--no-legend"), "the registration")
        assert "rkt" in run("machinectl", "show", machine, "-p", "Service")
        assert "app-busybox.service" in run("systemctl", "-M", machine, "list-units", "--no-pager", "--plain")
        assert "to the journal" in wait_for(lambda: run("journalctl", "-M", machine, "--no-pager", check=False), "the journal")
        run("machinectl", "poweroff", machine)
        process.wait(20)
        wait_for(lambda: machine not in run("machinectl", "list", "--no-legend"), "the machine to go")
        assert rocket.state(uuid) == "exited"

    def test_terminate(self, rocket, busybox):
        process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "60")
        wait_for(lambda: f"rkt-{uuid}" in run("machinectl", "list", "--no-legend"), "the registration")
        run("machinectl", "terminate", f"rkt-{uuid}")
        process.wait(20)
        assert rocket.state(uuid) == "exited"

    def unit(self, rocket, *properties):
        environment = [f"--setenv={k}={v}" for k, v in rocket.environment.items()]
        return ["systemd-run", "--quiet", *[f"--property={p}" for p in properties], *environment]

    def test_notify(self, rocket, busybox):
        rocket.fetch(busybox)
        run(*self.unit(rocket, "Type=notify"), "--unit=notify-test", *rocket.command("--insecure-options=image", "run", "--net=none", "example.com/busybox", "--exec=/bin/sleep", "--", "60"))
        assert run("systemctl", "is-active", "notify-test").strip() == "active"
        [uuid] = rocket.uuids()
        assert rocket.state(uuid) == "running"
        run("systemctl", "stop", "notify-test")
        assert rocket.state(uuid) == "exited"

    @pytest.mark.parametrize("properties", [[], ["KillMode=mixed"], ["Slice=rk.slice"], ["Delegate=yes"]])
    def test_in_a_unit(self, rocket, busybox, properties):
        rocket.fetch(busybox)
        out = run(*self.unit(rocket, *properties), "--wait", "--pipe", *rocket.command("--insecure-options=image", "run", "--net=none", "example.com/busybox", "--exec=/bin/echo", "--", "from a unit"))
        assert out == "from a unit\n"

    def test_restart(self, rocket, busybox):
        rocket.fetch(busybox)
        run(*self.unit(rocket, "Restart=on-failure", "RestartSec=0", "StartLimitBurst=3", "StartLimitIntervalSec=60"), "--unit=restart-test",
            *rocket.command("--insecure-options=image", "run", "--net=none", "example.com/busybox", "--exec=/bin/false"))
        wait_for(lambda: run("systemctl", "show", "-P", "NRestarts", "restart-test").strip() in ("2", "3"), "restarts")
        wait_for(lambda: run("systemctl", "is-failed", "restart-test", check=False).strip() == "failed", "the end")
        run("systemctl", "reset-failed", "restart-test", check=False)


def run(*command, check=True):
    return subprocess.run(command, capture_output=True, text=True, check=check, timeout=60).stdout
