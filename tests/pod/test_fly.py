# SPDX-License-Identifier: Apache-2.0
"""The flavour fly: one app in a root of its own, confined as any other, with no PID 1 (internals 12.1, cli 5 and 9.5)."""
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import time

import aci
import pytest
from conftest import BUILD, cgroup_root, cgroups_of, mounts, wait_for

pytestmark = pytest.mark.bare

FLY = "--stage1-from-dir=fly"


@pytest.fixture
def fly(rocket, busybox):
    """fly(SCRIPT, FLAG...) runs a shell script to its end."""
    rocket.fetch(busybox)

    def run(script, *flags, net="host", **options):
        return rocket("--insecure-options=image", "run", f"--net={net}", FLY, "example.com/busybox", "--exec=/bin/sh", *flags,
                      "--", "-c", script, **options)
    return run


@pytest.fixture
def started(rocket, busybox):
    """started(SCRIPT, FLAG...): (process, uuid) of a pod that runs."""
    rocket.fetch(busybox)

    def start(script, *flags, pod=(), **options):
        saved = rocket.home / f"uuid-{time.monotonic_ns()}"
        process = rocket.start("--insecure-options=image", "run", "--net=host", FLY, f"--uuid-file-save={saved}", *pod,
                               "example.com/busybox", "--exec=/bin/sh", *flags, "--", "-c", script, **options)
        wait_for(lambda: saved.exists() and saved.read_text() or process.poll() is not None, "the pod's UUID")
        assert process.poll() is None, process.communicate()
        uuid = saved.read_text()
        rocket("status", "--wait-ready=30s", uuid)
        return process, uuid
    return start


def pod_dir(rocket, uuid):
    return rocket.data / "pods/run" / uuid


def is_alive(pid):
    """A zombie that nobody has reaped yet is not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pids_in(uuid):
    return [int(pid) for group in cgroups_of(uuid) for pid in (pathlib.Path(group) / "cgroup.procs").read_text().split()]


def test_output_status_and_streams_are_the_apps_own(rocket, fly):
    done = fly("cat; echo out; echo err >&2; exit 7", input="from the caller\n", stdin=None, status=7)
    assert (done.stdout, done.stderr) == ("from the caller\nout\n", "err\n")  # no prefix, no journal
    uuid, = rocket.uuids()
    assert "app-busybox=7\n" in rocket("status", uuid).stdout
    info = json.loads(rocket("status", "--format=json", uuid).stdout)
    assert info["exit_status"] == 7 and info["apps"][0]["exit_code"] == 7 and info["apps"][0]["finished_at"]
    assert cgroups_of(uuid) == set()


def test_a_signal_of_the_app_is_the_pods(rocket, fly):
    fly("kill -USR1 $$", status=-signal.SIGUSR1)
    uuid, = rocket.uuids()
    assert f"app-busybox={signal.SIGUSR1:d}\n" in rocket("status", uuid).stdout


def test_one_app_only(rocket, busybox):
    rocket.fetch(busybox)
    done = rocket("--insecure-options=image", "run", "--net=host", FLY, "example.com/busybox", "--name=a", "example.com/busybox",
                  "--name=b", status=254)
    assert "fly only supports 1 application per Pod" in done.stderr


def test_it_sees_the_host_but_for_its_files(fly):
    """S18: a mount namespace and a root of its own, left for good, and no descriptor of the host's; nothing is shared back."""
    done = fly("for i in pid net ipc uts mnt; do readlink /proc/self/ns/$i; done; ls /proc/self/fd; hostname")
    pid, net, ipc, uts, mnt, *rest = done.stdout.split()
    own = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "net", "ipc", "uts")]
    assert [pid, net, ipc, uts] == own and mnt != os.readlink("/proc/self/ns/mnt")
    assert rest[:-1] == ["0", "1", "2", "3"], "3 is what ls reads the directory with"
    assert rest[-1] == os.uname().nodename
    done = fly("ls -d /proc/1/cwd/etc/os-release /../../../etc/os-release 2>&1; mount | grep -c ' on / '", "--cap-retain=CAP_SYS_CHROOT")
    assert done.stdout.count("No such file") + done.stdout.count("Permission denied") == 2 and done.stdout.endswith("1\n")


@pytest.mark.parametrize("flags, kind", [(["--net=none"], "net"), (["--net=host", "--ipc=private"], "ipc"), (["--net=host", "--hostname=box"], "uts")])
def test_namespaces_on_request(rocket, busybox, flags, kind):
    rocket.fetch(busybox)
    done = rocket("--insecure-options=image", "run", *flags, FLY, "example.com/busybox", "--exec=/bin/sh", "--", "-c",
                  f"readlink /proc/self/ns/{kind}; hostname; cat /etc/hostname")
    namespace, name, file = done.stdout.split()
    assert namespace != os.readlink(f"/proc/self/ns/{kind}")
    assert name == file == ("box" if kind == "uts" else os.uname().nodename)


CONFINEMENT = ("grep -E '^(Cap|Seccomp:|NoNewPrivs|Uid|Gid|Groups)' /proc/self/status; pwd; env; mount -t tmpfs none /tmp 2>&1; "
               "echo >/proc/sysrq-trigger 2>&1; cat /proc/kallsyms; cat /proc/keys; ls -A /sys/fs /sys/firmware; "
               "mknod /tmp/sda b 8 0 2>&1; touch /sys/x 2>&1; umask; ls /dev")


@pytest.mark.parametrize("flags", [[], ["--user=1000", "--group=1001", "--supplementary-gids=1002"], ["--cap-remove=CAP_CHOWN"],
                                   ["--seccomp=mode=remove,errno=ENOSYS,mount"], ["--readonly-rootfs=true"],
                                   ["--working-dir=/tmp"]])
def test_confined_as_in_the_default_flavour(rocket, busybox, fly, flags):
    """R8, F3, F4, F5: user, groups, capabilities, filter, environment, directory, /proc, /sys and /dev are the same; but for
    CAP_MKNOD, which in the default flavour the pod's device policy keeps from being of use."""
    def lines(text):  # what a default pod has between time and text, and what only it has: a journal
        lines = [line.rsplit("]: ", 1)[-1] for line in text.replace("\r", "").splitlines()]
        lines = [line for line in lines if line != "log"]
        return [f"{line[:8]}{int(line[8:], 16) & ~(1 << 27):016x}" if line.startswith("Cap") else line for line in lines]
    default = rocket.run("example.com/busybox", "--exec=/bin/sh", *flags, "--", "-c", CONFINEMENT)
    assert lines(fly(CONFINEMENT, *flags).stdout) == lines(default.stdout)


def test_enter_has_what_the_app_has(rocket, started):
    """S1 to S4: the same capabilities, filter, cgroup, root and user as the app."""
    process, uuid = started("echo; sleep 1000", "--user=1000", "--group=1001")
    done = rocket("enter", uuid, "/bin/sh", "-c", "grep -E '^(Cap|Seccomp:|NoNewPrivs|Uid|Gid)' /proc/self/status; ls /; grep 0:: /proc/self/cgroup")
    app = int((pod_dir(rocket, uuid) / "pid1").read_text().split()[0])
    own = [line for line in pathlib.Path(f"/proc/{app}/status").read_text().splitlines() if line.startswith(("Cap", "Seccomp:", "NoNewPrivs", "Uid", "Gid"))]
    assert done.stdout.splitlines()[:len(own)] == own
    assert "home" not in done.stdout and uuid.replace("-", r"\x2d") in done.stdout
    assert rocket("enter", uuid, "/bin/false", status=None).returncode == 1
    rocket("stop", uuid)
    process.wait(timeout=20)
    assert "isn't currently running" in rocket("enter", uuid, "/bin/true", status=254).stderr


def test_stop_status_rm_and_gc(rocket, started):
    process, uuid = started("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.1; done")
    assert rocket.state(uuid) == "running"
    assert f"pid={(pod_dir(rocket, uuid) / 'pid1').read_text().split()[0]}\n" in rocket("status", uuid).stdout
    rocket("stop", uuid)
    assert process.communicate(timeout=20)[0] == "up\nbye\n" and process.returncode == 3
    assert rocket.state(uuid) == "exited" and pids_in(uuid) == []
    rocket("rm", uuid)
    process, uuid = started("sleep 1000")
    rocket("stop", "--force", uuid)
    assert process.wait(timeout=20) == -signal.SIGKILL
    wait_for(lambda: rocket.state(uuid) == "exited", "the pod's end")
    rocket("gc", "--grace-period=0s")
    rocket("gc", "--grace-period=0s")
    assert rocket.uuids() == [] and cgroups_of(uuid) == set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2])
def test_signals_are_passed_on(started, number):
    process, _ = started(f"trap 'echo got {number:d}; exit' {number:d}; echo up; while :; do sleep 0.1; done")
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    assert process.communicate(timeout=20)[0] == f"got {number:d}\n" and process.returncode == 0


def test_a_second_sigterm_kills(rocket, started):
    process, _ = started("trap 'echo no' TERM; echo up; while :; do sleep 0.1; done")
    assert process.stdout.readline() == "up\n"
    process.terminate()
    assert process.stdout.readline() == "no\n"
    process.terminate()
    assert process.wait(timeout=20) == -signal.SIGKILL


def test_a_killed_supervisor_leaves_nothing_running(rocket, started):
    """L6, S22: not what the app started in sessions of its own, either; and the pod has not ended before they have."""
    process, uuid = started("(trap '' TERM HUP; exec setsid sleep 1000) & sleep 1001 & echo up; wait")
    assert process.stdout.readline() == "up\n"
    pids = wait_for(lambda: len(found := pids_in(uuid)) >= 3 and found, "the app's processes")
    process.kill()
    wait_for(lambda: rocket.state(uuid) == "exited", "the pod's end")
    assert not [pid for pid in pids if is_alive(pid)]
    assert cgroups_of(uuid) == set()


def test_what_the_app_leaves_behind_ends_with_it(rocket, fly):
    done = fly("(trap '' HUP; exec sleep 1000 </dev/null >/dev/null 2>&1) & echo $!")
    assert not is_alive(done.stdout.strip())


def test_volumes_and_name_files(rocket, busybox, fly, home):
    """VOL, ACE-12, F10, F14, S7; nothing of it shows up on the host (L2)."""
    (home / "volume/sub").mkdir(parents=True)
    (home / "volume/file").write_text("of the host")
    (home / "one").write_text("one file")
    done = rocket("--insecure-options=image", "run", "--net=host", FLY, f"--volume=data,kind=host,source={home}/volume",
                  f"--volume=file,kind=host,source={home}/one,readOnly=true", "--volume=empty,kind=empty,mode=0700,uid=5",
                  "--dns=192.0.2.1", "--hosts-entry=192.0.2.2=other", "example.com/busybox", "--exec=/bin/sh", "--readonly-rootfs=true",
                  "--mount=volume=data,target=/data", "--mount=volume=file,target=/etc/one", "--mount=volume=empty,target=/empty",
                  "--", "-c", "cat /data/file /etc/one /etc/resolv.conf; grep other /etc/hosts; stat -c '%a %u' /empty; echo x >/data/new; "
                  "echo x >/empty/new; echo x >/etc/one; echo x >/new; exit 0")
    assert done.stdout.startswith("of the hostone file") and "nameserver 192.0.2.1" in done.stdout
    assert "192.0.2.2\tother" in done.stdout or "192.0.2.2 other" in done.stdout
    assert done.stdout.endswith("700 5\n") and done.stderr.count("Read-only file system") == 2
    assert (home / "volume/new").read_text() == "x\n"
    assert mounts(home) == []


@pytest.mark.parametrize("target", ["/proc", "/sys/x", "/dev/null", "/link"])
def test_reserved_targets_are_refused(rocket, make, home, target):
    image = make("example.com/linked", aci.app("/bin/true"), [*aci.busybox(), aci.symlink("rootfs/link", "/")])
    done = rocket("--insecure-options=image", "run", "--net=host", FLY, f"--volume=v,kind=host,source={home}", image,
                  f"--mount=volume=v,target={target}", status=254)
    assert "cannot be mounted" in done.stderr


def test_links_of_the_image_stay_in_its_root(rocket, make, home):
    """S5, S6: `etc` and `proc` that lead elsewhere are replaced in the app's layer, and the host is not touched."""
    (home / "host").mkdir()
    image = make("example.com/evil", aci.app("/bin/sh", "-c", "cat /proc/self/comm; ls -A /etc"),
                 [*[part for part in aci.busybox() if not part[0].name.startswith("rootfs/etc")],
                  aci.symlink("rootfs/etc", str(home / "host")), aci.symlink("rootfs/proc", "/usr"), aci.symlink("rootfs/dev", str(home / "host"))])
    done = rocket("--insecure-options=image", "run", "--net=host", FLY, image)
    assert done.stdout.split() == ["cat", "hostname", "hosts", "mtab"] and list((home / "host").iterdir()) == []


def test_what_cannot_be_executed_is_203(rocket, make, fly):
    done = rocket("--insecure-options=image", "run", "--net=host", FLY, "example.com/busybox", "--exec=/bin/nothing", status=203)
    assert "/bin/nothing" in done.stderr
    broken = make("example.com/broken", aci.app("/bin/broken"), [*aci.busybox(), aci.file("rootfs/bin/broken", b"\x7fELF nonsense", 0o755)])
    done = rocket("--insecure-options=image", "run", "--net=host", FLY, broken, status=203)
    assert "executing" in done.stderr
    assert all("app-" in rocket("status", uuid).stdout and "=203\n" in rocket("status", uuid).stdout for uuid in rocket.uuids())


def test_set_up_failures_are_254(fly):
    assert "working directory" in fly("true", "--working-dir=/nowhere", status=254).stderr


def handlers(pre, post):
    return [{"name": name, "exec": ["/bin/sh", "-c", script]} for name, script in (("pre-start", pre), ("post-stop", post))]


IN_CHROOT = ("unshare", "--mount", "sh", "-c", 'mount --rbind / "$0" && exec chroot "$0" "$@"')


def test_event_handlers(rocket, make, home):
    """APP-9 to APP-11, S9: before and after the app, as its user and with its rights, in its root; also where Rocket itself is
    in a chroot."""
    show = "id -u; grep CapBnd /proc/self/status; test -e /mark && echo marked"
    app = aci.app("/bin/sh", "-c", "echo main; exit 4", user="1000", eventHandlers=handlers(f"echo pre; {show}; true", f"echo post; {show}; exit 9"))
    image = make("example.com/handlers", app, [*aci.busybox(), aci.file("rootfs/mark")])
    command = rocket.command("--insecure-options=image", "run", "--net=host", FLY, image)
    (home / "chroot").mkdir()
    for place in [], [*IN_CHROOT, home / "chroot"]:
        done = subprocess.run([*place, *command], env=rocket.environment, capture_output=True, text=True, check=False, timeout=20)
        words = done.stdout.splitlines()
        assert done.returncode == 4 and [words[0], words[4], words[5]] == ["pre", "main", "post"], done
        assert words[1:4] == words[6:9] and words[1] == "1000" and words[3] == "marked"


def test_a_failed_pre_start_handler_is_the_end(rocket, make):
    app = aci.app("/bin/sh", "-c", "echo main", eventHandlers=handlers("exit 5", "echo post"))
    done = rocket("--insecure-options=image", "run", "--net=host", FLY, make("example.com/handlers", app, aci.busybox()), status=5)
    assert done.stdout == "" and "pre-start handler" in done.stderr


def test_no_overlay(rocket, busybox):
    rocket.fetch(busybox)
    done = rocket("--insecure-options=image", "run", "--net=host", "--no-overlay", FLY, "example.com/busybox", "--exec=/bin/sh", "--", "-c",
                  "echo x >/new; cat /new")
    assert done.stdout == "x\n"


def test_prepared_pods_keep_their_flavour(rocket, busybox):
    uuid = rocket("--insecure-options=image", "prepare", FLY, busybox, "--exec=/bin/readlink", "--", "/proc/self/ns/pid").stdout.strip()
    assert rocket("run-prepared", "--net=host", uuid).stdout.strip() == os.readlink("/proc/self/ns/pid")


def test_interactive_gives_a_terminal_of_the_pods_own(rocket, busybox):
    """The app cannot type into the caller's terminal: it does not have it."""
    rocket.fetch(busybox)
    master, slave = pty.openpty()
    process = rocket.start("--insecure-options=image", "run", "--net=host", "--interactive", FLY, "example.com/busybox", "--exec=/bin/sh",
                           "--", "-c", "tty; read line; echo got $line $TERM", stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    os.write(master, b"a line\n")
    text = b""
    while select.select([master], [], [], 20)[0]:
        try:
            text += os.read(master, 4096)
        except OSError:
            break
        if b"got" in text and b"\n" in text[text.index(b"got"):]:
            break
    assert b"/dev/pts/0" in text and b"got a line dumb" in text
    assert process.wait(timeout=20) == 0
    os.close(master)


def test_isolators_without_a_controller_are_reported(rocket, fly):
    """ISO-5: a limit is in force, or the user is told that it is not."""
    root = cgroup_root()
    own = next(line[3:] for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    done = fly("sed -n s,0::,,p /proc/self/cgroup", "--memory=64M")
    group = done.stdout.strip()
    has_memory = "memory" in (root / own.lstrip("/") / "cgroup.subtree_control").read_text().split()
    assert group and ("resource/memory is not enforced" in done.stderr) == (not has_memory)


@pytest.mark.vm
def test_limits_bite(rocket, fly):
    """RES-1..6 in a unit that delegates: memory and tasks, and `oom` in status."""
    command = rocket.command("--insecure-options=image", "run", "--net=host", FLY, "example.com/busybox", "--memory=16M", "--exec=/bin/sh",
                             "--", "-c", "cat /proc/self/cgroup; x=0123456789; while :; do x=$x$x; done")
    done = subprocess.run(["systemd-run", "--quiet", "--wait", "--pipe", "-p", "Delegate=yes", *map(str, command)], capture_output=True, text=True,
                          env={**os.environ, **rocket.environment}, timeout=120, check=False)
    assert 'app "busybox" was killed: out of memory' in done.stderr and "not enforced" not in done.stderr, done.stderr  # not a shell's own words
    uuid, = rocket.uuids()
    assert json.loads(rocket("status", "--format=json", uuid).stdout)["apps"][0]["oom"] is True


def test_the_image_is_nothing_but_its_entry_points():
    image = BUILD / "libexec/stage1-images/fly"
    assert sorted(path.name for path in (image / "rootfs").rglob("*")) == ["enter", "gc", "rocket", "run", "stop"]
    assert json.loads((image / "manifest").read_text())["name"] == "coreos.com/rkt/stage1-fly"
