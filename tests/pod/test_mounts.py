# SPDX-License-Identifier: Apache-2.0
"""What an app sees of mounts, devices, /proc, /sys, volumes and name files, from inside; and what PID 1 of its pod got."""
import json
import os
import pathlib
import re
import subprocess

import pytest

import aci

pytestmark = pytest.mark.bare

NODES = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9", "tty": "5:0", "console": "1:3"}
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
         "ptmx": "pts/ptmx", "log": "/run/systemd/journal/dev-log"}
READ_ONLY = ("/proc/sys", "/proc/sysrq-trigger", "/proc/bus", "/proc/fs", "/proc/irq", "/sys")
HIDDEN = ("/proc/acpi", "/proc/asound", "/proc/config.gz", "/proc/interrupts", "/proc/kallsyms", "/proc/kcore", "/proc/keys",
          "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/sys/fs", "/sys/firmware",
          "/sys/hypervisor", "/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing", "/sys/module", "/sys/power",
          "/sys/devices/virtual/powercap")


class Mount:
    """A line of mountinfo, see proc(5)."""

    def __init__(self, line):
        left, right = line.split(" - ", 1)
        fields = left.split()
        self.root, self.place, self.options, self.tags = fields[3], fields[4], set(fields[5].split(",")), fields[6:]
        self.type, self.source, self.super_options = right.split(None, 2)

    @property
    def peers(self):
        return {tag.split(":")[1] for tag in self.tags if tag.startswith(("shared:", "master:"))}


def mounts_of(text):
    return [Mount(line) for line in text.splitlines()]


def mounts_in(rocket, image, *flags):
    listed = mounts_of(rocket.run(*flags, image, "--exec=/bin/cat", "--", "/proc/self/mountinfo").stdout)
    return {mount.place: mount for mount in listed}  # the last one is on top


# --- the app's root and what is mounted on it

@pytest.mark.parametrize("flags", ([], ["--no-overlay"]), ids=("overlay", "copy"))
def test_flags_of_the_mounts(rocket, busybox, flags):
    mounts = mounts_in(rocket, busybox, *flags)
    expected = {
        "/": ("rw nodev", None if flags else "overlay"), "/proc": ("rw nosuid nodev noexec", "proc"),
        "/sys": ("ro nosuid nodev noexec", "sysfs"), "/dev": ("rw nosuid nodev noexec", "tmpfs"),
        "/dev/pts": ("rw nosuid noexec", "devpts"), "/dev/shm": ("rw nosuid nodev", "tmpfs"),
        "/dev/mqueue": ("rw nosuid nodev noexec", "mqueue"), "/run/systemd/journal": ("ro nosuid nodev noexec", "tmpfs"),
        "/etc/hostname": ("ro nosuid nodev", "tmpfs"),
    }
    for place, (options, kind) in expected.items():
        assert set(options.split()) <= mounts[place].options, place
        assert kind in (None, mounts[place].type), place
    assert "size=65536k" in mounts["/dev/shm"].super_options
    for option in ("mode=620", "ptmxmode=666", "gid=5"):
        assert option in mounts["/dev/pts"].super_options


def test_nothing_but_what_is_ours_is_mounted(rocket, busybox):
    """No mount of the host, of PID 1 or of another app, and none over the other."""
    ours = re.compile(r"/|/(proc|sys)(/.*)?|/dev(/(pts|shm|mqueue|console|null|zero|full|random|urandom|tty))?"
                      r"|/etc/hostname|/run/systemd/(journal|incoming)")
    text = rocket.run(busybox, "--exec=/bin/cat", "--", "/proc/self/mountinfo").stdout
    mounts = mounts_of(text)
    assert [mount.place for mount in mounts if not ours.fullmatch(mount.place)] == []
    places = [mount.place for mount in mounts]
    assert sorted(set(places)) == sorted(places)


def test_mounts_are_no_peers_of_the_hosts(rocket, busybox, home):
    """VOL-17: what is mounted in the pod does not appear outside."""
    (home / "v").mkdir()
    inside = mounts_in(rocket, busybox, f"--volume=v,kind=host,source={home}/v", "--mount=volume=v,target=/v")
    outside = {peer for mount in mounts_of(pathlib.Path("/proc/self/mountinfo").read_text()) for peer in mount.peers}
    assert not outside & {peer for mount in inside.values() for peer in mount.peers}


def test_the_root_has_the_mode_and_owner_of_the_image(rocket, make):
    app = aci.app("/bin/stat", "-c", "%a:%u:%g", "/")
    image = make.raw([aci.file("manifest", json.dumps(aci.manifest("example.com/m", app))),
                      aci.directory("rootfs", 0o751, uid=3, gid=4), *aci.busybox()])
    assert rocket.run(image).stdout == "751:3:4\n"


@pytest.mark.parametrize("flags", ([], ["--no-overlay"]), ids=("overlay", "copy"))
def test_read_only_root(rocket, busybox, home, flags):
    (home / "v").mkdir()
    script = "for f in /x /etc/x /tmp/x /run/x; do touch $f 2>/dev/null && echo wrote $f; done; touch /dev/shm/x /v/x && echo rest"
    done = rocket.run(f"--volume=v,kind=host,source={home}/v", *flags, busybox, "--mount=volume=v,target=/v", "--readonly-rootfs=true",
                      "--exec=/bin/sh", "--", "-c", script)
    assert done.stdout == "rest\n"
    assert (home / "v/x").exists()


def test_standard_directories_appear_whatever_the_image_lacks(rocket, make):
    image = make("example.com/bare", aci.app("/bin/sh", "-c", "stat -c %n:%a /etc /tmp /run; cat /etc/hosts; readlink /etc/mtab"),
                 [entry for entry in aci.busybox() if entry[0].name.startswith("rootfs/bin")])
    out = rocket.run(image).stdout
    assert out.startswith("/etc:755\n/tmp:1777\n/run:755\n127.0.0.1\tlocalhost ")
    assert out.endswith("../proc/self/mounts\n")


# --- /dev (ACE-8, ACE-10, ACE-13)

def test_devices_are_these_and_no_others(rocket, busybox):
    script = "cd /dev; for f in *; do if test -h $f; then echo $f '->' $(readlink $f); else stat -c '%n %F %t:%T %a' $f; fi; done"
    found = {}
    for line in rocket.sh(busybox, script).stdout.splitlines():
        name, rest = line.split(" ", 1)
        found[name] = rest
    assert set(found) == {*NODES, *LINKS, "pts", "shm", "mqueue"}
    for name, number in NODES.items():
        assert found[name] == f"character special file {number} 666"
    for name, target in LINKS.items():
        assert found[name] == f"-> {target}"
    assert found["shm"].endswith(" 1777")


def test_devices_work(rocket, busybox):
    script = ("head -c 3 /dev/zero | wc -c; echo gone >/dev/null; head -c 5 /dev/urandom | wc -c; (echo x >/dev/full) 2>/dev/null || echo full; "
              "echo out >/dev/stdout; echo err >/dev/stderr; test -c /dev/ptmx && echo ptmx; echo lost >/dev/console; cat /dev/fd/0")
    done = rocket.sh(busybox, script)
    assert done.stdout == "3\n5\nfull\nout\nptmx\n"
    assert done.stderr == "err\n"


def test_a_new_device_node_cannot_be_opened(rocket, busybox):
    """CAP_MKNOD is among the default capabilities: the node is made, and is of no use."""
    script = ("for d in / /dev /dev/shm /tmp; do mknod $d/z c 1 5 && test -c $d/z && echo made; head -c 1 $d/z; done; "
              "mknod /dev/disk b 8 0; head -c 1 /dev/disk")
    done = rocket.sh(busybox, script + "; exit 0")
    assert done.stdout == "made\n" * 4
    assert done.stderr.count("Permission denied") + done.stderr.count("Operation not permitted") == 5


def test_apps_have_a_dev_and_terminals_of_their_own(rocket, busybox):
    done = rocket.run(busybox, "--name=a", "--exec=/bin/sh", "--", "-c", "touch /dev/mine /dev/shm/shared",
                      "---", busybox, "--name=b", "--exec=/bin/sh", "--", "-c",
                      "until test -e /dev/shm/shared; do sleep 0.05; done; ls /dev | grep -c mine; exit 0")
    assert done.stdout == "0\n"


def test_a_device_volume(rocket, busybox):
    """A device comes into /dev by a volume only, and with it the right to use it."""
    volume = "--volume=d,kind=host,source=/dev/zero"
    for target in ("/dev/extra", "/dev/dir/extra", "/srv/extra"):
        done = rocket.run(volume, busybox, f"--mount=volume=d,target={target}", "--exec=/bin/sh", "--", "-c", f"head -c 4 {target} | wc -c")
        assert done.stdout == "4\n"


# --- /proc and /sys (ACE-11, internals 6.10)

def test_kernel_trees_are_restricted(rocket, busybox):
    script = f"for f in {' '.join(HIDDEN)}; do test -d $f && ls $f || cat $f; done 2>/dev/null; exit 0"
    assert rocket.sh(busybox, script).stdout == ""
    mounts = mounts_in(rocket, busybox)
    for place in READ_ONLY:
        if os.path.exists(place):
            assert "ro" in mounts[place].options, place
    for place in HIDDEN:
        if os.path.exists(place):
            assert place in mounts, place


def test_kernel_settings_cannot_be_written(rocket, busybox):
    script = ("for f in /proc/sys/kernel/domainname /proc/sys/net/ipv4/ip_forward /proc/sys/vm/drop_caches /proc/sysrq-trigger "
              "/sys/kernel/uevent_helper; do test -e $f && (echo 0 >$f) 2>/dev/null && echo wrote $f; done; exit 0")
    assert rocket.sh(busybox, script).stdout == ""


def test_every_app_is_restricted_alike(rocket, busybox):
    command = ("--exec=/bin/sh", "--", "-c", "cut -d' ' -f5,6 /proc/self/mountinfo")
    first = rocket.run(busybox, *command).stdout.splitlines()
    both = rocket.run(busybox, "--name=a", *command, "---", busybox, "--name=b", *command).stdout.splitlines()
    assert sorted(both) == sorted(first * 2)


def test_restrictions_can_be_switched_off(rocket, busybox):
    command = [f"--insecure-options=image,paths", "run", "--net=none", busybox, "--exec=/bin/cat", "--", "/proc/self/mountinfo"]
    mounts = {mount.place: mount for mount in mounts_of(rocket(*command).stdout)}
    assert "rw" in mounts["/sys"].options
    assert not [place for place in mounts if place.startswith(("/proc/", "/sys/"))]


def test_processes_are_the_pods(rocket, busybox):
    out = rocket.sh(busybox, "cat /proc/1/comm; ls -d /proc/[0-9]* | wc -l").stdout.split()
    assert out[0] == "systemd" and int(out[1]) < 10


# --- volumes (chapter 11)

@pytest.fixture
def shared(rocket, home):  # after rocket, which checks at its end that no mount stayed
    """A host directory with a file, a directory and another file system mounted in it."""
    top = home / "shared"
    (top / "sub").mkdir(parents=True)
    (top / "file").write_text("host\n")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", top / "sub"], check=True)
    (top / "sub/inner").write_text("inner\n")
    yield top
    subprocess.run(["umount", top / "sub"], check=True)


def volume_run(rocket, image, source, script, options="", **more):
    return rocket.run(f"--volume=v,kind=host,source={source}{options}", image, "--mount=volume=v,target=/v", "--exec=/bin/sh", "--",
                      "-c", script, **more)


def test_host_volume_with_what_is_mounted_in_it(shared, rocket, busybox):
    done = volume_run(rocket, busybox, shared, "cat /v/file /v/sub/inner; echo new >/v/made; echo new >/v/sub/made")
    assert done.stdout == "host\ninner\n"
    assert (shared / "made").read_text() == (shared / "sub/made").read_text() == "new\n"


def test_host_volume_alone(shared, rocket, busybox):
    assert volume_run(rocket, busybox, shared, "cat /v/file; ls -A /v/sub", ",recursive=false").stdout == "host\n"


def test_read_only_volume_with_what_is_mounted_in_it(shared, rocket, busybox):
    script = "cat /v/sub/inner; for f in /v/x /v/sub/x; do (echo >$f) 2>/dev/null && echo wrote $f; done; exit 0"
    assert volume_run(rocket, busybox, shared, script, ",readOnly=true").stdout == "inner\n"
    assert sorted(path.name for path in (shared / "sub").iterdir()) == ["inner"]


def test_volumes_have_neither_devices_nor_set_user_id(shared, rocket, busybox):
    os.mknod(shared / "zero", 0o020666, os.makedev(1, 5))
    done = volume_run(rocket, busybox, shared, "grep ' /v' /proc/self/mountinfo; head -c 1 /v/zero; exit 0")
    mounts = mounts_of(done.stdout)
    assert {mount.place for mount in mounts} == {"/v", "/v/sub"}
    for mount in mounts:
        assert {"nosuid", "nodev"} <= mount.options
    assert "Permission denied" in done.stderr or "Operation not permitted" in done.stderr


def test_single_file_volume(rocket, busybox, home):
    (home / "f").write_text("content\n")
    done = rocket.run(f"--volume=v,kind=host,source={home}/f", busybox, "--mount=volume=v,target=/new/dir/name", "--exec=/bin/sh", "--", "-c",
                      "cat /new/dir/name; echo more >>/new/dir/name")
    assert done.stdout == "content\n" and (home / "f").read_text() == "content\nmore\n"


@pytest.mark.parametrize("link", ("last", "parent"))
def test_source_with_a_link_is_refused(rocket, busybox, home, link):
    (home / "real/dir").mkdir(parents=True)
    (home / "link").symlink_to(home / ("real/dir" if link == "last" else "real"))
    source = home / ("link" if link == "last" else "link/dir")
    done = volume_run(rocket, busybox, source, "true", status=254)
    assert "symbolic link" in done.stderr and '"v"' in done.stderr


def test_missing_source_is_refused_before_anything_starts(rocket, busybox, home):
    done = volume_run(rocket, busybox, home / "none", "echo started", status=254)
    assert done.stdout == "" and f'source "{home}/none" of volume "v" does not exist' in done.stderr
    assert not (home / "none").exists()


@pytest.mark.parametrize("target", ("/proc", "/proc/x", "/sys", "/sys/fs/cgroup", "/dev", "/dev/null", "/dev/pts/0", "/dev/shm", "/dev/log",
                                    "/x/../proc/y"))
def test_targets_that_are_the_pods_own_are_refused(rocket, busybox, target):
    done = rocket.run("--volume=v,kind=empty", busybox, f"--mount=volume=v,target={target}", status=254)
    assert "cannot be mounted" in done.stderr


def test_only_devices_go_below_dev(rocket, busybox, home):
    (home / "v").mkdir()
    done = rocket.run(f"--volume=v,kind=host,source={home}/v", busybox, "--mount=volume=v,target=/dev/thing", status=254)
    assert "not a device" in done.stderr


@pytest.mark.parametrize("targets", (("/a", "/a/b"), ("/a/b", "/a"), ("/a/b/c", "/a/b")))
def test_overlapping_targets_are_refused(rocket, busybox, targets):
    done = rocket.run("--volume=v,kind=empty", "--volume=w,kind=empty", busybox, f"--mount=volume=v,target={targets[0]}",
                      f"--mount=volume=w,target={targets[1]}", status=254)
    assert "overlap" in done.stderr


def test_missing_parents_of_a_target_are_made(rocket, busybox):
    done = rocket.run("--volume=v,kind=empty,mode=0700,uid=7,gid=8", busybox, "--mount=volume=v,target=/one/two/three",
                      "--exec=/bin/stat", "--", "-c", "%a:%u:%g", "/one", "/one/two", "/one/two/three")
    assert done.stdout == "755:0:0\n755:0:0\n700:7:8\n"


def test_a_target_below_a_link_to_nothing(rocket, make):
    """As Debian's /var/lock -> /run/lock."""
    image = make("example.com/debian", aci.app("/bin/sh", "-c", "echo x >/run/lock/app/f; cat /var/lock/app/f"),
                 [*aci.busybox(), aci.directory("rootfs/var"), aci.symlink("rootfs/var/lock", "/run/lock")])
    assert rocket.run("--volume=v,kind=empty", image, "--mount=volume=v,target=/var/lock/app").stdout == "x\n"


def test_what_a_volume_hides_or_replaces_is_said(rocket, busybox, home):
    (home / "v").mkdir()
    done = rocket.run(f"--volume=v,kind=host,source={home}/v", busybox, "--mount=volume=v,target=/etc", "--exec=/bin/true")
    assert "hides" in done.stderr
    done = rocket.run(f"--volume=v,kind=host,source={home}/v", busybox, "--mount=volume=v,target=/etc/group", "--exec=/bin/ls", "--", "-ld", "/etc/group")
    assert "replaces a file" in done.stderr and done.stdout.startswith("d")
    assert list((home / "v").iterdir()) == []


def test_nothing_of_ours_is_written_into_volumes(rocket, busybox, home):
    """Volumes on /etc, /run/x and /tmp hold the same after as before."""
    for name in ("etc", "run", "tmp"):
        (home / name).mkdir()
    rocket.run(*[f"--volume={name},kind=host,source={home}/{name}" for name in ("etc", "run", "tmp")], busybox,
               "--mount=volume=etc,target=/etc", "--mount=volume=run,target=/run/x", "--mount=volume=tmp,target=/tmp", "--exec=/bin/true")
    for name in ("etc", "run", "tmp"):
        assert list((home / name).iterdir()) == []


def test_a_name_file_that_a_volume_leaves_no_place_for(rocket, busybox, home):
    (home / "etc").mkdir()
    done = rocket.run("--dns=192.0.2.1", f"--volume=v,kind=host,source={home}/etc", busybox, "--mount=volume=v,target=/etc", status=254)
    assert "resolv.conf" in done.stderr
    assert list((home / "etc").iterdir()) == []


# --- name files (ACE-12, internals 10.7)

def image_with_names(make, **files):
    return make("example.com/names", aci.app("/bin/cat", "/etc/hosts", "/etc/resolv.conf"),
                [*aci.busybox(), *[aci.file(f"rootfs/etc/{name.replace('_', '.')}", text) for name, text in files.items()]])


def test_the_images_own_name_files_stay(rocket, make):
    image = image_with_names(make, hosts="192.0.2.9 own\n", resolv_conf="nameserver 192.0.2.8\n")
    assert rocket.run(image).stdout == "192.0.2.9 own\nnameserver 192.0.2.8\n"


def test_asked_for_name_files_win(rocket, make):
    image = image_with_names(make, hosts="192.0.2.9 own\n", resolv_conf="nameserver 192.0.2.8\n")
    out = rocket.run("--dns=192.0.2.1", "--hosts-entry=192.0.2.2=other", image).stdout
    assert "own" not in out and "192.0.2.8" not in out
    assert "nameserver 192.0.2.1" in out and re.search(r"192\.0\.2\.2\s+other", out)


def test_the_hosts_name_files(rocket, make):
    image = image_with_names(make, hosts="192.0.2.9 own\n", resolv_conf="nameserver 192.0.2.8\n")
    resolv_conf = pathlib.Path("/etc/resolv.conf")
    is_made = not resolv_conf.exists()  # the booted host has no network, and goes afterwards
    if is_made:
        resolv_conf.write_text("nameserver 192.0.2.53\n")
    try:
        out = rocket.run("--dns=host", "--hosts-entry=host", image).stdout
        assert out == pathlib.Path("/etc/hosts").read_text() + resolv_conf.read_text()
    finally:
        if is_made:
            resolv_conf.unlink()


def test_hostname(rocket, make):
    image = image_with_names(make, hostname="image\n")
    script = "test $(hostname) = $(cat /etc/hostname) && hostname"
    assert rocket.run(image, "--exec=/bin/sh", "--", "-c", script).stdout == f"rkt-{rocket.uuids()[0]}\n"
    done = rocket.run("--hostname=box", image, "--exec=/bin/sh", "--", "-c", "hostname; cat /etc/hostname")
    assert done.stdout == "box\nbox\n"


# --- namespaces, and the pod's PID 1

def test_namespaces_are_the_pods_own(rocket, busybox):
    kinds = ("mnt", "pid", "uts", "ipc", "net", "cgroup")
    out = rocket.sh(busybox, f"cd /proc/self/ns; for n in {' '.join(kinds)}; do readlink $n; done").stdout.split()
    assert len(out) == len(kinds)
    for kind, inside in zip(kinds, out):
        assert inside != os.readlink(f"/proc/self/ns/{kind}"), kind
    out = rocket("--insecure-options=image", "run", "--net=host", "--ipc=parent", busybox, "--exec=/bin/sh", "--", "-c",
                 "readlink /proc/self/ns/net; readlink /proc/self/ns/ipc").stdout.split()
    assert out == [os.readlink("/proc/self/ns/net"), os.readlink("/proc/self/ns/ipc")]


def test_loopback_only(rocket, busybox):
    out = rocket.sh(busybox, "ip -o addr; ip -o link").stdout
    assert "127.0.0.1/8" in out and "::1/128" in out and "LOOPBACK,UP" in out
    assert {line.split()[1].rstrip(":") for line in out.splitlines()} == {"lo"}


def test_init_has_only_what_it_needs(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "60")
    status = dict(line.split("=", 1) for line in rocket("status", uuid).stdout.splitlines() if "=" in line)
    proc = pathlib.Path("/proc") / status["pid"]
    fields = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines() if ":\t" in line)
    bounding = int(fields["CapBnd"], 16)
    for name, number in {"net_admin": 12, "sys_module": 16, "sys_rawio": 17, "sys_boot": 22, "sys_time": 25, "mac_admin": 33,
                         "syslog": 34, "perfmon": 38, "bpf": 39}.items():
        assert not bounding >> number & 1, name
    assert fields["CapInh"].strip("0") == "" and fields["CapAmb"].strip("0") == ""
    environment = (proc / "environ").read_bytes().decode().split("\0")
    assert "container=rocket" in environment and f"container_uuid={uuid}" in environment
    assert not [variable for variable in environment if variable.startswith(("HOME=", "TERM=", "ROCKET", "RKT"))]
    opened = [os.readlink(fd) for fd in (proc / "fd").iterdir()]
    assert not [path for path in opened if path.startswith((str(rocket.data), "/tmp", "/home", "/var/lib"))]
    mounts = mounts_of((proc / "mountinfo").read_text())
    root = next(mount for mount in mounts if mount.place == "/")
    assert {"ro", "nosuid", "nodev"} <= root.options
    assert not [mount.place for mount in mounts if mount.peers]  # nothing goes from or to the host
    rocket("stop", "--force", uuid)
    process.wait(timeout=20)


def test_syslog_reaches_the_pods_journal(rocket, busybox):
    # The sockets come right after the apps' start; output has the journal ended in order.
    rocket.sh(busybox, "until test -S /dev/log; do sleep 0.01; done; busybox logger -t tagged from the app; echo said")
    [journal] = pathlib.Path(rocket.data).glob("pods/*/*/journal")
    shown = subprocess.run(["journalctl", "--directory", journal, "-t", "tagged", "-o", "cat", "--no-pager"], capture_output=True, text=True)
    assert shown.stdout == "from the app\n", shown.stderr


def test_the_journals_directory_is_read_only(rocket, busybox):
    rocket.sh(busybox, "touch /run/systemd/journal/x 2>/dev/null", status=1)
