# SPDX-License-Identifier: Apache-2.0
"""Pods with a user namespace of their own (--private-users; internals 11, S12, S4; R17): what they see, what the host sees, and
that nobody else has their ids."""
import os
import pathlib
import re
import subprocess

import pytest

pytestmark = pytest.mark.bare
PRIVATE = "--private-users"
COUNT = 65536


def range_of(rocket, uuid):
    [path] = rocket.data.glob(f"pods/*/{uuid}/private-users")
    first, count = map(int, path.read_text().split(":"))
    return range(first, first + count)


def processes_of(rocket, uuid):
    """Of the pod, as the host sees them: {pid: (uid, command)}."""
    group = next(rocket.data.glob(f"pods/run/{uuid}/subcgroup")).read_text().strip()
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if group in (path / "cgroup").read_text():
                found[int(path.name)] = ((path / "status").read_text(), (path / "comm").read_text().strip())
        except OSError:  # it has ended
            continue
    return {pid: (int(re.search(r"^Uid:\t(\d+)", status, re.M)[1]), comm) for pid, (status, comm) in found.items()}


@pytest.mark.parametrize("mode", ["overlay", "copy"])
def test_ids_inside_and_outside(rocket, busybox, mode):
    """Root of the pod is nobody's id on the host; the image's files are the pod's root's."""
    flags = ["--no-overlay"] if mode == "copy" else []
    process, uuid = rocket.started(PRIVATE, *flags, busybox, "--exec=/bin/sleep", "--", "60")
    ids = range_of(rocket, uuid)
    assert len(ids) == COUNT and ids.start >= 0x80000 and ids.start % COUNT == 0
    seen = processes_of(rocket, uuid)
    assert {comm for _, comm in seen.values()} >= {"systemd", "sleep"}
    assert {uid for uid, _ in seen.values()} == {ids.start}, "every process of the pod is one of its own ids"
    inside = rocket("enter", uuid, "/bin/sh", "-c",
                    "id -u; id -g; cat /proc/self/uid_map; stat -c %u:%g / /bin/busybox /tmp /dev/null /dev/pts/ptmx /proc/1 /root").stdout
    lines = inside.split("\n")
    assert lines[:2] == ["0", "0"]
    assert lines[2].split() == ["0", str(ids.start), str(COUNT)]
    assert lines[3:10] == ["0:0"] * 7
    rocket("stop", uuid)
    process.communicate(timeout=20)
    rocket("rm", uuid)


def test_user_of_an_image(rocket, busybox):
    script = "id -u; id -g; echo x > /dev/stdout; touch /tmp/mine; stat -c %u:%g /tmp/mine"
    done = rocket.run(PRIVATE, busybox, "--exec=/bin/sh", "--user=web", "--group=web", "--", "-c", script)
    assert done.stdout.split() == ["1000", "1001", "x", "1000:1001"]


def test_ids_beyond_the_range_are_refused(rocket, busybox):
    done = rocket.run(PRIVATE, busybox, "--user=65536", status=254)
    assert "65536 is none of the pod's" in done.stderr and "--private-users" in done.stderr


def test_volumes_have_the_same_ids_inside_and_on_the_host(rocket, busybox, home):
    shared = home / "shared"
    shared.mkdir()
    (shared / "old").write_text("x")
    os.chown(shared / "old", 1000, 1001)
    script = """set -e
        stat -c %u:%g /data /data/old
        touch /data/by-root; mkdir /data/dir; chmod 777 /data
        stat -c %u:%g /empty"""
    done = rocket.run(PRIVATE, f"--volume=data,kind=host,source={shared}", "--volume=empty,kind=empty,uid=1000,gid=1001", busybox,
                      "--mount=volume=data,target=/data", "--mount=volume=empty,target=/empty", "--exec=/bin/sh", "--", "-c", script)
    assert done.stdout.split() == ["0:0", "1000:1001", "1000:1001"]
    rocket.run(PRIVATE, f"--volume=data,kind=host,source={shared}", busybox, "--mount=volume=data,target=/data", "--user=web",
               "--group=web", "--exec=/bin/touch", "--", "/data/by-web")
    owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in shared.iterdir()}
    assert owners == {"old": (1000, 1001), "by-root": (0, 0), "dir": (0, 0), "by-web": (1000, 1001)}


def test_what_an_app_writes_is_not_shifted_on_disk(rocket, busybox):
    rocket.run(PRIVATE, busybox, "--exec=/bin/sh", "--", "-c", "touch /tmp/a")
    [uuid] = rocket.uuids()
    [written] = rocket.data.glob(f"pods/run/{uuid}/apps/busybox/upper/tmp/a")
    assert (written.stat().st_uid, written.stat().st_gid) == (0, 0)


def test_the_host_is_out_of_reach(rocket, busybox, home):
    """What root can do to its host without a user namespace, or to other ids of it, fails."""
    secret = home / "secret"
    secret.mkdir(mode=0o700)
    (secret / "key").write_text("x")
    os.chown(secret, 70000, 70000)  # none of the 65536: nobody in the pod
    attempts = ["mknod /tmp/sda b 8 0 && dd if=/tmp/sda of=/dev/null count=1",
                "cat /secret/key", "touch /secret/x", "mount -o remount,rw /sys && echo 1 > /sys/kernel/uevent_seqnum",
                "echo 1 > /proc/sysrq-trigger && cat /proc/sys/kernel/random/nothing", "echo -900 > /proc/self/oom_score_adj",
                "mount -o remount,rw /proc/sys; echo x > /proc/sys/kernel/core_pattern", "dmesg"]
    for what in attempts:
        script = f"( {what} ) 2>/dev/null && echo worked || echo refused"
        done = rocket.run(PRIVATE, f"--volume=secret,kind=host,source={secret}", busybox, "--mount=volume=secret,target=/secret",
                          "--caps-retain=CAP_SYS_ADMIN,CAP_MKNOD,CAP_DAC_OVERRIDE,CAP_SYS_RAWIO,CAP_SYSLOG", "--exec=/bin/sh", "--", "-c", script)
        assert done.stdout.strip() == "refused", what


def test_the_network_namespace_is_the_pods(rocket, busybox):
    """Capabilities over it are worth something: a low port, an address."""
    script = "ip addr add 10.1.2.3/32 dev lo && (nc -l -p 80 & sleep 0; kill $!) && ip addr show dev lo | grep -c 10.1.2.3"
    done = rocket.run(PRIVATE, busybox, "--caps-retain=CAP_NET_ADMIN,CAP_NET_BIND_SERVICE", "--exec=/bin/sh", "--", "-c", script)
    assert done.stdout.strip() == "1"


def test_no_two_pods_share_ids(rocket, busybox):
    """Prepared ones count, and several at once; a pod that is gone gives its ids back."""
    command = rocket.command("--insecure-options=image", "prepare", PRIVATE, busybox)
    rocket.fetch(busybox)
    started = [subprocess.Popen(command, env=rocket.environment, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    uuids = [process.communicate(timeout=60)[0].strip() for process in started]
    starts = {range_of(rocket, uuid).start for uuid in uuids}
    assert len(starts) == len(uuids)
    for line in pathlib.Path("/etc/subuid").read_text().splitlines() if os.path.exists("/etc/subuid") else []:
        _, first, count = line.split(":")
        assert not any(first_id < int(first) + int(count) and int(first) < first_id + COUNT for first_id in starts)
    assert rocket("run-prepared", "--net=none", uuids[0]).returncode == 0
    rocket("rm", *uuids)
    assert not list(rocket.data.glob("pods/*/*/private-users"))


def test_several_apps_share_the_namespace(rocket, busybox):
    done = rocket.run(PRIVATE, "--volume=v,kind=empty,mode=1777", "--mount=volume=v,target=/v", busybox, "--name=a", "--user=web", "--group=web",
                      "--exec=/bin/sh", "--", "-c", "echo hello > /v/x.new && ln /v/x.new /v/x; while test ! -e /v/y; do sleep 0.05; done",
                      "---", busybox, "--name=b", "--exec=/bin/sh", "--", "-c",
                      "while test ! -e /v/x; do sleep 0.05; done; stat -c %u /v/x; readlink /proc/self/ns/user; touch /v/y")
    assert done.stdout.split()[0] == "1000" and "user:[" in done.stdout
    assert os.readlink("/proc/self/ns/user") not in done.stdout


def test_terminal_belongs_to_the_app(rocket, busybox):
    import pty
    master, slave = pty.openpty()
    process = rocket.start("--insecure-options=image", "run", "--net=none", PRIVATE, "--interactive", busybox, "--user=web", "--group=web",
                           "--exec=/bin/sh", "--", "-c", "tty; stat -c %u:%g $(tty)", stdin=slave, stdout=slave, stderr=subprocess.PIPE)
    os.close(slave)
    output = b""
    try:
        while chunk := os.read(master, 4096):
            output += chunk
    except OSError:  # the other end is closed
        pass
    os.close(master)
    assert process.wait(timeout=20) == 0, process.stderr.read()
    assert output.split() == [b"/dev/pts/0", b"1000:5"]


def test_a_device_as_a_volume(rocket, busybox):
    script = "stat -c %u:%a /dev/lots; head -c 3 /dev/lots | wc -c"
    done = rocket.run(PRIVATE, "--volume=z,kind=host,source=/dev/zero", busybox, "--mount=volume=z,target=/dev/lots", "--exec=/bin/sh", "--", "-c", script)
    assert done.stdout.split() == ["0:666", "3"]


def test_a_file_system_that_cannot_be_mapped(rocket, busybox):
    done = rocket.run(PRIVATE, "--volume=p,kind=host,source=/proc/sys/kernel,recursive=false", busybox, "--mount=volume=p,target=/mnt", status=254)
    assert "volume \"p\"" in done.stderr and "proc" in done.stderr and "--private-users" in done.stderr, done.stderr


def test_entering_as_another_user(rocket, busybox):
    process, uuid = rocket.started(PRIVATE, busybox, "--user=web", "--group=web", "--exec=/bin/sleep", "--", "60")
    show = ["/bin/sh", "-c", "id -u; id -g; readlink /proc/self/ns/user; grep -c . /proc/self/cgroup; grep CapBnd /proc/self/status"]
    namespace = os.readlink(f"/proc/{next(iter(processes_of(rocket, uuid)))}/ns/user")
    for flags, ids in ([], ["1000", "1001"]), (["--as-root"], ["0", "0"]), (["--user=/bin/busybox", "--group=/bin/busybox"], ["0", "0"]):
        shown = rocket("enter", *flags, uuid, *show).stdout.split()
        assert shown[:2] == ids and shown[2] == namespace
    rocket("stop", "--force", uuid)
    process.communicate(timeout=20)
    rocket("gc", "--grace-period=0s")
    assert rocket.uuids() == []
