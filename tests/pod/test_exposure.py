# SPDX-License-Identifier: Apache-2.0
"""What a default pod shows of the machine, side by side with `podman run` and `systemd-nspawn` (R17): no more than
the tighter of the two, but for the differences listed here, each with its reason. `pytest -s` prints the table."""
import platform
import re
import shutil
import subprocess

import pytest

import aci
from conftest import HOST_IS_SYSTEMD, SOURCE

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="podman and systemd-nspawn want a systemd host: runs in tier pod")

CAPABILITIES = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST "
                "NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE "
                "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM "
                "BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE").split()

# What Rocket shows and one of the others does not, by a pattern, and why. System calls by their numbers on x86_64.
NEWER = "only ever about the caller itself; newer than the list of names of the others, and in Docker's list of today"
REASONS = {
    "capability": {
        "NET_RAW|AUDIT_WRITE|MKNOD": "of the fourteen that appc's CAP-2 promises; devices cannot be opened all the same (DevicePolicy=closed)",
    },
    "call": {
        "149|15[0-2]|325": "mlock and its family: memory limits count it; systemd has it in a set of its own",
        "154": "modify_ldt: a process about itself, as in podman",
        "159|305": "adjtimex, clock_adjtime: reading the clock needs no right, setting it CAP_SYS_TIME; as in podman",
        "301": "fanotify_mark: without fanotify_init there is nothing to mark; as in podman",
        "278|333": "vmsplice, io_pgetevents: as in systemd-nspawn",
        "329|33[01]": "memory protection keys: a process about itself, as in podman",
        "44[4-9]": "landlock, memfd_secret, process_mrelease, futex_waitv: a process takes rights from itself, or waits",
        "451|452|45[4-9]|46[1-6]": "cachestat, fchmodat2, futex, statmount, listmount, lsm, mseal, extended attributes by descriptor: " + NEWER,
    },
    "read": {},
    "write": {},
    "device": {"/dev/console 1:3": "the null device by another name: programs that insist on a console say it to nobody"},
    "mount": {
        "/ nosuid": "set-user-id programs of an image work, as in podman; that of nspawn is on the tests' tmpfs",
        "/dev/shm noexec": "appc promises a tmpfs that is nosuid and nodev (chapter 12), as in systemd-nspawn",
        "/proc/(keys|timer_list) ro": "covered by the null device, which keeps nothing of what is written",
    },
}


class Exposure:
    """What tests/data/exposure.c and syscalls.c say."""

    def __init__(self, seen, calls):
        lines = [line.split(" ", 1) for line in seen.splitlines()]
        status = dict(rest.split(" ", 1) for kind, rest in lines if kind == "status")
        bounding = int(status["CapBnd"], 16)
        self.status = status
        self.capability = {name for number, name in enumerate(CAPABILITIES) if bounding >> number & 1}
        self.device = {rest for kind, rest in lines if kind == "device"}
        self.read = {rest for kind, rest in lines if kind == "read"}
        self.write = {rest for kind, rest in lines if kind == "write"}
        self.mounts = {rest.split()[0]: rest.split() for kind, rest in lines if kind == "mount"}
        self.calls = dict(line.split(" ", 1) for line in calls.splitlines())
        # What a filter refuses says EPERM or ENOSYS, or kills; what gets through is wrong in some other way.
        self.call = {number for number, how in self.calls.items() if how not in ("errno 1", "errno 38") and not how.startswith("signal")}

    def options(self, place):
        return {"ro", "nosuid", "nodev", "noexec"} & set(self.mounts[place][2].split(","))


@pytest.fixture(scope="module")
def root(images):
    """A root file system with the two programs."""
    path = images / "exposure"
    for directory in ("bin", "usr", "etc", "proc", "sys", "dev", "tmp", "run"):
        (path / directory).mkdir(parents=True)
    (path / "etc/os-release").write_text("ID=test\n")
    for program in ("exposure", "syscalls"):
        subprocess.run(["cc", "-static", "-O1", "-o", path / "bin" / program, SOURCE / f"tests/data/{program}.c"], check=True)
    return path


def run(*command):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@pytest.fixture
def exposures(rocket, root, home, make):
    content = [aci.directory("rootfs/bin"), *[aci.host_file(f"rootfs/bin/{name}", root / "bin" / name) for name in ("exposure", "syscalls")]]
    image = make("example.com/exposure", aci.app("/bin/exposure"), content)
    podman = ["podman", f"--root={home}/podman", f"--runroot={home}/podman-run"]
    archive = home / "root.tar"
    run("tar", "-C", root, "-cf", archive, ".")
    run(*podman, "import", archive, "localhost/exposure")
    # Limits and cgroups may not be podman's to change here; they expose nothing.
    commands = {
        "rocket": lambda program: rocket.run(image, f"--exec=/bin/{program}").stdout,
        "podman": lambda program: run(*podman, "run", "--rm", "--network=none", "--ulimit=host", "--cgroups=disabled", "localhost/exposure",
                                      f"/bin/{program}"),
        "nspawn": lambda program: run("systemd-nspawn", "-q", "-D", root, "--register=no", "--keep-unit", "--private-network", "--pipe",
                                      f"/bin/{program}"),
    }
    yield {who: Exposure(command("exposure"), command("syscalls")) for who, command in commands.items()}
    subprocess.run([*podman, "system", "reset", "--force"], capture_output=True, check=False, timeout=60)  # mounts of its own
    shutil.rmtree(home / "podman", ignore_errors=True)


def table(exposures):
    rows = [("", *exposures)]
    for name in ("CapBnd", "CapEff", "CapInh", "CapAmb", "NoNewPrivs", "Seccomp"):
        rows.append((name, *[one.status[name] for one in exposures.values()]))
    for what in ("capability", "call", "device", "read", "write"):
        rows.append(({"capability": "capabilities"}.get(what, what + "s"), *[str(len(getattr(one, what))) for one in exposures.values()]))
    rows.append(("mounts", *[str(len(one.mounts)) for one in exposures.values()]))
    return "\n".join("".join(f"{cell:24}" for cell in row).rstrip() for row in rows)


def beyond_the_tighter(exposures, what):
    """{what Rocket shows: who does not}"""
    ours, *others = [getattr(one, what) for one in exposures.values()]
    names = list(exposures)[1:]
    return {item: [name for name, theirs in zip(names, others) if item not in theirs] for item in ours if any(item not in theirs for theirs in others)}


def unexplained(found, what):
    return {item: who for item, who in found.items() if not any(re.fullmatch(pattern, item) for pattern in REASONS[what])}


def looser_mounts(exposures):
    """Places where others, too, have a mount, with a restriction that ours lacks."""
    ours, *others = exposures.values()
    found = {}
    for place in ours.mounts:
        for name, other in zip(list(exposures)[1:], others):
            if place in other.mounts and not other.options(place) <= ours.options(place):
                found[f"{place} {','.join(sorted(other.options(place) - ours.options(place)))}"] = [name]
    return found


def test_what_each_of_them_shows_is_seen(exposures):
    """That the probe finds what is there: else nothing would be more than nothing."""
    ours, podman, nspawn = exposures.values()
    assert "SYS_ADMIN" in nspawn.capability and "SYS_ADMIN" not in ours.capability | podman.capability
    assert len(ours.call) > 250 and len(ours.read) > 1000 and "/dev/null 1:3" in ours.device
    assert nspawn.write > ours.write, "systemd-nspawn leaves parts of /proc/sys to the container"
    assert all(one.status["Seccomp"] == "2" for one in exposures.values())


def test_a_default_pod_exposes_no_more_than_the_tighter_of_its_peers(exposures):
    print("\n" + table(exposures))
    found = {what: beyond_the_tighter(exposures, what) for what in ("capability", "call", "read", "write", "device")}
    found["mount"] = looser_mounts(exposures)
    if platform.machine() != "x86_64":
        found["call"] = {}  # other numbers; which calls get through is a test of its own (test_confine.py)
    left = {what: unexplained(items, what) for what, items in found.items()}
    assert {what: items for what, items in left.items() if items} == {}
