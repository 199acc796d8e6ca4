# SPDX-License-Identifier: Apache-2.0
"""What confines an app, and whoever enters it, seen from inside (appc chapters 5, 6, 12, 13; security rules R8, R10, R16)."""
import os
import platform
import pty
import re
import select
import signal
import subprocess
import time

import aci
import pytest
from conftest import SOURCE, wait_for

pytestmark = pytest.mark.bare

DEFAULT_CAPABILITIES = 0xA80425FB
# Everything in which a process that enters could differ from the app.
PROBE = ("id; grep -E '^(Cap...|NoNewPrivs|Seccomp|Umask|Groups):' /proc/self/status; tail -n 1 /proc/self/cgroup; "
         "for n in cgroup ipc mnt net pid user uts; do readlink /proc/self/ns/$n; done; "
         "cat /proc/self/oom_score_adj; ulimit -a; ulimit -Ha")


def read_until(fd, text, seconds=20):
    """What comes from a terminal until `text`, or its end."""
    seen, end = b"", time.monotonic() + seconds
    while text not in seen and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                seen += os.read(fd, 4096)
            except OSError:  # EIO: nobody has the other side open any more
                break
    return seen


def status_of(text):
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


# --- enter is run (R8)

@pytest.mark.parametrize("flags", [
    [],
    ["--user=1000", "--group=1001", "--supplementary-gids=7,9"],
    ["--caps-retain=CAP_NET_ADMIN,CAP_SYS_ADMIN"],
    ["--user=1000", "--group=1001", "--caps-retain=CAP_NET_BIND_SERVICE,CAP_CHOWN"],
    ["--caps-remove=CAP_SETUID,CAP_SETGID,CAP_SETPCAP"],
    ["--seccomp=mode=remove,errno=EPERM,mkdir,mkdirat"],
    ["--seccomp=mode=retain,@appc.io/all"],
    ["--seccomp=mode=retain,errno=ENOSYS,@rkt/default-whitelist,openat2,statx,close_range,faccessat2,rseq"],
    ["--oom-score-adj=500"],
], ids=lambda flags: ",".join(flags) or "default")
def test_entering_gives_what_the_app_has(rocket, busybox, flags):
    script = f"{{ {PROBE}; }} > /tmp/probe 2>&1; touch /tmp/done; sleep 60"
    _, uuid = rocket.started(busybox, "--exec=/bin/sh", *flags, "--", "-c", script)
    wait_for(lambda: rocket("enter", uuid, "/bin/ls", "/tmp/done", status=None).returncode == 0, "the app")
    app = rocket("enter", uuid, "/bin/cat", "/tmp/probe").stdout
    assert app.count("\n") > 30
    assert rocket("enter", uuid, "/bin/sh", "-c", PROBE).stdout == app
    rocket("stop", "--force", uuid)


def test_root_in_the_pod_on_request(rocket, busybox):
    _, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--user=1000", "--group=1001", "--", "60")
    out = rocket("enter", "--user=root", uuid, "/bin/sh", "-c", "id -u; id -g; grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status").stdout
    assert out.splitlines() == ["0", "0", f"CapBnd:\t{DEFAULT_CAPABILITIES:016x}", "NoNewPrivs:\t1", "Seccomp:\t2"]
    rocket("stop", "--force", uuid)


def test_entering_with_a_user_directory_and_environment_of_its_own(rocket, busybox):
    _, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--environment=GREETING=hello", "--environment=KEPT=yes", "--", "60")
    flags = ["--user=web", "--group=extra", "--env=GREETING=good day", "--env=EMPTY=", "--env=PATH=/bin"]
    for directory in ("--workdir=/tmp", "--working-dir=/tmp"):
        out = rocket("enter", *flags, directory, uuid, "sh", "-c", "id -u; id -g; pwd; echo $GREETING; echo $KEPT; env | grep EMPTY").stdout
        assert out.splitlines() == ["1000", "1002", "/tmp", "good day", "yes", "EMPTY="]
    rocket("stop", "--force", uuid)


@pytest.mark.parametrize("flag, says", [
    ("--user=nobody-knows", "nobody-knows"), ("--group=nobody-knows", "nobody-knows"), ("--workdir=/none", "/none"), ("--workdir=tmp", "not absolute"),
    ("--env=NAME", "not NAME=VALUE"), ("--env=container=docker", "the pod's own"), ("--env=a b=c", "a b"),
])
def test_entering_refuses_what_it_cannot_do(rocket, busybox, flag, says):
    _, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "60")
    done = rocket("enter", flag, uuid, "/bin/true", status=None)
    assert done.returncode not in (0, None) and says in done.stderr
    rocket("stop", "--force", uuid)


def test_entered_process_sees_the_app_and_nothing_of_the_host(rocket, busybox, home):
    _, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--environment=SECRET=x y", "--", "60")
    inherited = os.open(home, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    out = rocket("enter", uuid, "/bin/sh", "-c", "for f in /proc/self/fd/*; do readlink $f; done; pwd; env", pass_fds=[inherited],
                 env={"LEAK": "1", "TERM": "xterm"}).stdout
    os.close(inherited)
    assert str(home) not in out
    assert {"AC_APP_NAME=busybox", "container=rocket", "SECRET=x y", "TERM=xterm"} <= set(out.splitlines())
    assert "LEAK" not in out and "SYSTEMD_EXEC_PID" not in out
    # It cannot be traced on its way in, and its program is no file of the host.
    assert "memfd:" not in rocket("enter", uuid, "/bin/sh", "-c", "for p in /proc/[0-9]*; do readlink $p/exe; done; true").stdout
    rocket("stop", "--force", uuid)


def test_status_and_signal_of_the_entered_command(rocket, busybox):
    _, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "60")
    rocket("enter", uuid, "/bin/sh", "-c", "exit 9", status=9)
    assert rocket("enter", uuid, "/bin/sh", "-c", "kill -TERM $$", status=None).returncode == -signal.SIGTERM
    process = rocket.start("enter", uuid, "/bin/sh", "-c", "trap 'echo got it; exit 3' TERM; echo ready; while :; do sleep 0.05; done")
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.communicate(timeout=10)[0] == "got it\n"
    assert process.returncode == 3
    rocket("stop", "--force", uuid)


@pytest.mark.parametrize("command, says", [
    (["/none"], "does not exist"), (["none"], "in none of the directories"), (["/etc"], "not a regular file"),
    (["/etc/passwd"], "may not be executed"),
])
def test_what_cannot_be_entered_is_one_clear_line(rocket, busybox, command, says):
    _, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "60")
    done = rocket("enter", uuid, *command, status=254)
    assert says in done.stderr.splitlines()[0] and not done.stdout
    rocket("stop", "--force", uuid)


def test_an_app_that_has_ended_cannot_be_entered(rocket, busybox):
    _, uuid = rocket.started(busybox, "--name=short", "--exec=/bin/true", busybox, "--name=long", "--exec=/bin/sleep", "--", "60")
    refused = wait_for(lambda: (done := rocket("enter", "--app=short", uuid, "/bin/true", status=None)).returncode == 254 and done,
                       "the end of one app")
    assert "not running" in refused.stderr or "just ended" in refused.stderr
    rocket("enter", "--app=long", uuid, "/bin/true")
    rocket("stop", "--force", uuid)


def test_terminal_of_the_pods_own(rocket, busybox):
    _, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--user=1000", "--group=1001", "--", "60")
    ours, theirs = pty.openpty()
    os.system(f"stty rows 33 cols 77 < {os.ttyname(theirs)}")
    process = rocket.start("enter", uuid, "/bin/sh", "-c", "tty; stty size; ls -l $(tty); read line; echo \"<$line>\"; exit 4",
                           stdin=theirs, stdout=theirs, stderr=theirs, text=False, start_new_session=True)
    os.close(theirs)
    seen = read_until(ours, b"crw")
    os.write(ours, b"hello\r")
    seen += read_until(ours, b"<hello>\r\n")
    assert process.wait(10) == 4
    assert re.search(rb"/dev/pts/\d+\r\n33 77\r\n", seen), seen
    assert b"1000" in seen or b"web" in seen, "the terminal is the user's"
    assert b"<hello>\r\n" in seen
    os.close(ours)
    rocket("stop", "--force", uuid)


# --- users and groups (chapter 13)

def image_with_users(make, passwd="", user="0", group="0", content=()):
    return make("example.com/id", aci.app("/bin/id", user=user, group=group),
                [m for m in aci.busybox() if m[0].name not in ("rootfs/etc/passwd", "rootfs/etc/group")] + list(content))


@pytest.mark.parametrize("user, uid", [
    ("web", 33), ("1000", 77), ("1001", 1001), ("007", 7), ("4294967294", 4294967294), ("/owned", 55), ("/link", 55), ("root", 0),
])
def test_user_forms(rocket, make, user, uid):
    content = [aci.file("rootfs/etc/passwd", "root:x:0:0::/:/bin/sh\nbroken:x\nweb:x:33:33::/:/bin/sh\n1000:x:77:77::/:/bin/sh\n"),
               aci.file("rootfs/owned", uid=55, gid=66), aci.symlink("rootfs/link", "/owned")]
    image = image_with_users(make, user=user, content=content)
    assert re.match(rf"uid={uid}\b", rocket.run(image).stdout)


@pytest.mark.parametrize("field", ["user", "group"])
@pytest.mark.parametrize("value", ["4294967295", "4294967296", "18446744073709551616", "-1", "+1", " 1", "1 ", "0x10", "nobody-there", "/none"])
def test_ids_that_are_none(rocket, make, field, value):
    image = image_with_users(make, **{field: value})
    done = rocket.run(image, status=254)
    assert "uid=" not in done.stdout and done.stderr.count("\n") <= 2


@pytest.mark.parametrize("special", [
    aci.fifo("rootfs/etc/passwd"), aci.symlink("rootfs/etc/passwd", "/dev/zero"), aci.symlink("rootfs/etc/passwd", "passwd"),
    aci.symlink("rootfs/etc/passwd", "../../../../../../../etc/passwd"), aci.directory("rootfs/etc/passwd"),
], ids=["fifo", "zero", "loop", "escape", "directory"])
def test_a_hostile_passwd_names_nobody_and_hangs_nothing(rocket, make, special):
    content = [special]
    assert "daemon" in rocket.run(image_with_users(make, user="daemon", content=content), status=254, timeout=20).stderr
    numeric = rocket.run(image_with_users(make, user="5", content=content), "--exec=/bin/grep", "--", "Uid", "/proc/self/status", timeout=20)
    assert numeric.stdout.split() == ["Uid:"] + ["5"] * 4  # id(1) itself would wait for a FIFO


# --- seccomp and capabilities (chapter 6)

@pytest.mark.parametrize("flag, status, err", [
    ("mode=remove,errno=ENOSPC,mkdir,mkdirat", 1, "No space left on device"),
    ("mode=remove,errno=EWOULDBLOCK,mkdir,mkdirat", 1, "Resource temporarily unavailable"),
    ("mode=remove,mkdir,mkdirat", int(signal.SIGSYS), ""),
    ("mode=remove,@appc.io/empty", 0, ""),
    ("mode=retain,errno=EPERM,@rkt/default-whitelist", 0, ""),
    ("mode=retain,execve,exit_group", int(signal.SIGSYS), ""),
])
def test_seccomp_sets(rocket, busybox, flag, status, err):
    done = rocket.run(busybox, "--exec=/bin/mkdir", f"--seccomp={flag}", "--", "/tmp/x", status=status)
    assert err in done.stderr


@pytest.fixture(scope="session")
def prober(images):
    """An image whose program tries every system call."""
    program = images / "syscalls"
    subprocess.run(["cc", "-static", "-O1", "-o", program, SOURCE / "tests/data/syscalls.c"], check=True)
    content = [*aci.busybox(), aci.host_file("rootfs/bin/syscalls", program)]
    return aci.write(images / "syscalls.aci", aci.image("example.com/syscalls", aci.app("/bin/sleep", "60"), content))


def outcomes(text):
    return {int(number): rest for number, rest in (line.split(" ", 1) for line in text.splitlines())}


@pytest.mark.parametrize("flags", [[], ["--user=1000", "--group=1001"], ["--caps-retain=CAP_SYS_ADMIN,CAP_SYS_PTRACE"],
                                   ["--seccomp=mode=remove,errno=ENOSPC,@rkt/default-blacklist"],
                                   ["--seccomp=mode=retain,errno=ENOSPC,@docker/default-whitelist"]],
                         ids=["default", "user", "capabilities", "remove", "retain"])
def test_every_system_call_fares_the_same_in_run_and_enter(rocket, prober, flags):
    """Two renderings of one policy: PID 1's and ours."""
    _, uuid = rocket.started(prober, *flags)
    by_enter = outcomes(rocket("enter", uuid, "/bin/syscalls").stdout)
    rocket("stop", "--force", uuid)
    by_run = outcomes(rocket.run(prober, "--exec=/bin/syscalls", *flags, "--").stdout)
    assert len(by_run) > 450
    assert {n: (by_run[n], by_enter.get(n)) for n in by_run if by_run[n] != by_enter.get(n)} == {}
    if not flags and platform.machine() == "x86_64":
        assert by_run[165] == "errno 1", "mount"
        assert by_run[435] == by_run[425] == "errno 38", "clone3, io_uring_setup"
        assert by_run[321] == by_run[272] == by_run[308] == "errno 1", "bpf, unshare, setns"
        assert by_run[479] == by_run[460] == "errno 38", "calls that are not on the list, or not there yet"
        assert by_run[39] == "ok", "getpid"


@pytest.mark.parametrize("flag", ["mode=remove,@appc.io/all", "mode=retain,@appc.io/empty", "mode=retain,@nobody/knows", "mode=remove,@"])
def test_seccomp_fails_closed(rocket, busybox, flag):
    done = rocket.run(busybox, f"--seccomp={flag}", status=254)
    assert "seccomp" in done.stderr


@pytest.mark.parametrize("flavour", ["systemd", "fly"])
def test_a_user_other_than_root_has_what_was_asked_for_by_name(rocket, busybox, flavour):
    """And nothing by default, or of what is left over (S11)."""
    stage1 = [f"--stage1-from-dir={flavour}"]
    user = ["--user=1000", "--group=1000"]
    show = "grep -E '^Cap(Eff|Amb|Bnd)' /proc/self/status"
    asked = status_of(rocket.sh(busybox, show, *stage1, *user, "--caps-retain=CAP_NET_BIND_SERVICE").stdout)
    assert {int(value, 16) for value in asked.values()} == {1 << 10}
    for flags in ([], ["--caps-remove=CAP_CHOWN"]):
        default = status_of(rocket.sh(busybox, show, *stage1, *user, *flags).stdout)
        assert int(default["CapEff"], 16) == int(default["CapAmb"], 16) == 0 != int(default["CapBnd"], 16)


def test_such_a_capability_is_of_use(rocket, busybox):
    script = "timeout 1 nc -l -p 80; echo $?"
    user = ["--user=1000", "--group=1000"]
    assert rocket.sh(busybox, script, *user).stdout == "1\n"
    assert rocket.sh(busybox, script, *user, "--caps-retain=CAP_NET_BIND_SERVICE").stdout == "143\n"


def test_no_new_privileges(rocket, make):
    def value(user, *isolators):
        app = aci.app("/bin/grep", "NoNewPrivs", "/proc/self/status", user=user, isolators=list(isolators))
        return rocket.run(make("example.com/nnp", app, aci.busybox())).stdout.split()[1]
    asked = {"name": "os/linux/no-new-privileges", "value": True}
    off = {"name": "os/linux/seccomp-retain-set", "value": {"set": ["@appc.io/all"]}}
    assert [value("0"), value("1000"), value("0", asked), value("1000", off)] == ["0", "1", "1", "0"]


@pytest.mark.parametrize("option, field, expected", [
    ("seccomp", "Seccomp", "0"), ("capabilities", "CapBnd", None), ("all-run", "NoNewPrivs", "0"),
])
def test_insecure_options_take_it_away(rocket, busybox, option, field, expected):
    done = rocket("--insecure-options=image," + option, "run", "--net=none", busybox, "--exec=/bin/cat", "--", "/proc/self/status")
    shown = status_of(done.stdout)[field]
    assert shown == expected if expected else int(shown, 16) & (1 << 21), shown


# --- event handlers (APP-9..13)

def handled(make, main, pre=None, post=None, **fields):
    handlers = [{"name": name, "exec": ["/bin/sh", "-c", script]} for name, script in (("pre-start", pre), ("post-stop", post)) if script]
    return make("example.com/events", aci.app("/bin/sh", "-c", main, eventHandlers=handlers, **fields), aci.busybox())


def test_handlers_are_confined_as_the_app_is(rocket, make):
    probe = "id; grep -E '^(Cap...|NoNewPrivs|Seccomp):' /proc/self/status; pwd; env | grep -v SHLVL | sort"
    image = handled(make, f"{{ {probe}; }} > /tmp/main; cmp /tmp/pre /tmp/main && echo same", pre=f"{{ {probe}; }} > /tmp/pre",
                    post=f"{{ {probe}; }} > /tmp/post; cmp /tmp/main /tmp/post && echo same", user="1000", group="1001", workingDirectory="/tmp")
    assert rocket.run(image).stdout == "same\nsame\n"


def test_post_stop_runs_however_the_app_ended_and_changes_nothing(rocket, make):
    assert rocket.run(handled(make, "exit 3", post="echo post; exit 9"), status=3).stdout == "post\n"
    assert rocket.run(handled(make, "kill -KILL $$", post="echo post"), status=9).stdout == "post\n"


def test_post_stop_does_not_run_after_a_failed_pre_start(rocket, make):
    done = rocket.run(handled(make, "echo main", pre="echo pre; exit 5", post="echo post"), status=1)
    assert done.stdout == "pre\n"
    assert rocket.run(handled(make, "echo main", pre="echo pre", post="echo post $EXIT_CODE")).stdout == "pre\nmain\npost\n"


def test_variables_that_systemd_would_not_take(rocket, make):
    environment = [{"name": name, "value": f"{name} $X %n"} for name in ("DEBUG.0", "DEBUG-0", "_0_DEBUG_0_", "DEBUG")]
    image = make("example.com/env", aci.app("/bin/env", user="1000", group="1001", environment=environment), aci.busybox())
    lines = rocket.run(image).stdout.splitlines()
    assert {f"{v['name']}={v['value']}" for v in environment} <= set(lines)
    assert len(lines) == len(environment) + 7


def test_a_handler_that_is_not_there(rocket, make):
    missing = [{"name": "pre-start", "exec": ["/none"]}]
    done = rocket.run(make("example.com/a", aci.app("/bin/true", eventHandlers=missing), aci.busybox()), status=203)
    assert "pre-start handler" in done.stderr and "/none" in done.stderr


# --- what cannot be executed (APP-6, internals 7.6)

@pytest.mark.parametrize("content, says", [
    (aci.file("rootfs/x", "#!/no/such/interpreter\n", 0o755), "/no/such/interpreter"),
    (aci.file("rootfs/x", "just text\n", 0o755), "neither a program nor a script"),
    (aci.file("rootfs/x", "#!/bin/sh\n", 0o644), "may not be executed"),
    (aci.fifo("rootfs/x"), "not a regular file"),
    (aci.symlink("rootfs/x", "x"), "symbolic link"),
], ids=["interpreter", "text", "mode", "fifo", "loop"])
def test_why_it_cannot_be_executed(rocket, make, content, says):
    done = rocket.run(make("example.com/x", aci.app("/x"), [*aci.busybox(), content]), status=203)
    assert says in done.stderr
