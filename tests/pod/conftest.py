# SPDX-License-Identifier: Apache-2.0
"""What the tests of real pods share. They run as root, on a booted systemd host (tier pod), directly on the machine
(tier bare: those marked `bare`) and in the virtual machine (tier vm: those marked `boot`, and those marked `vm`, which
run nowhere else).

The program under test is the build tree's (ROCKET_BUILD, default build/) or, with ROCKET=/usr/bin/rocket, an installed one.
"""
import atexit
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/support"))
import aci  # noqa: E402


def reachable(build):
    """The build tree, where other users can reach it as well, whom the tests act as: below /root, which is closed to
    them, it is a copy."""
    if not build.exists() or all(place.stat().st_mode & 0o001 for place in (build, *build.parents)):
        return build
    copy = pathlib.Path(tempfile.mkdtemp(prefix="build", dir="/var/tmp"))
    atexit.register(shutil.rmtree, copy)
    shutil.copytree(build, copy, symlinks=True, ignore=shutil.ignore_patterns("*.o", "*.a", "*.p"), dirs_exist_ok=True)
    copy.chmod(0o755)
    return copy


BUILD = reachable(pathlib.Path(os.environ.get("ROCKET_BUILD", SOURCE / "build")).resolve())
HOST_IS_SYSTEMD = os.path.isdir("/run/systemd/system")


def pytest_configure(config):
    config.addinivalue_line("markers", "bare: also runs on a machine whose PID 1 is not systemd")
    config.addinivalue_line("markers", "boot: also runs in the virtual machine, after a real boot")
    config.addinivalue_line("markers", "vm: needs a machine of its own (limits, power cuts), runs in the vm tier only")


def pytest_collection_modifyitems(config, items):
    if os.environ.get("ROCKET_TIER") != "vm":
        items[:] = [item for item in items if "vm" not in item.keywords]


class Rocket:
    """The program with a data and configuration directory of its own."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.data, self.local, self.system = self.home / "data", self.home / "local", self.home / "system"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "TERM": "dumb"}
        if "ROCKET" in os.environ:
            self.program = os.environ["ROCKET"]
        else:
            self.program = str(BUILD / "stage0/rocket")
            self.environment["ROCKET_LIBEXEC"] = str(BUILD / "libexec")

    def command(self, *arguments):
        return [self.program, f"--dir={self.data}", f"--local-config={self.local}", f"--system-config={self.system}",
                *map(str, arguments)]

    def __call__(self, *arguments, status=0, timeout=20, env=(), **options):
        """Run to the end; the exit status must be `status` (None: any)."""
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": timeout, **options}
        done = subprocess.run(self.command(*arguments), env={**self.environment, **dict(env)}, check=False, **options)
        if status is not None:
            assert done.returncode == status, f"{arguments}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *arguments, **options):
        """Start in the background; stdout and stderr are pipes."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True,
                   "env": self.environment, **options}
        return subprocess.Popen(self.command(*arguments), **options)

    def as_user(self, *arguments, groups=(), status=0, **options):
        """The command as a user without privilege, a member of these groups only."""
        user = ["setpriv", "--reuid=12345", "--regid=12345", *(["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]), "--"]
        done = subprocess.run([*user, *self.command(*arguments)], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=60, **options)
        if status is not None:
            assert done.returncode == status, f"{arguments}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def fetch(self, archive):
        return self("--insecure-options=image", "fetch", "--full", archive).stdout.strip()

    def run(self, *arguments, **options):
        """A pod without network, from unsigned images."""
        return self("--insecure-options=image", "run", "--net=none", *arguments, **options)

    def sh(self, image, script, *flags, **options):
        """One app that runs a shell script."""
        return self.run(image, "--exec=/bin/sh", *flags, "--", "-c", script, **options)

    def uuids(self):
        lines = self("list", "--full", "--no-legend").stdout.splitlines()
        return [line.split()[0] for line in lines if line and not line[0].isspace()]

    def state(self, uuid):
        return dict(line.split("=", 1) for line in self("status", uuid).stdout.splitlines())["state"]

    def started(self, *arguments, ready=True):
        """A pod that is running: (process, uuid)."""
        saved = self.home / f"uuid-{time.monotonic_ns()}"
        process = self.start("--insecure-options=image", "run", "--net=none", f"--uuid-file-save={saved}", *arguments)
        wait_for(lambda: saved.exists() and saved.read_text() or process.poll() is not None, "the pod's UUID")
        assert process.poll() is None, process.communicate()
        uuid = saved.read_text().strip()
        if ready:
            self("status", "--wait-ready=30s", uuid)
        return process, uuid


def wait_for(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, f"still waiting for {what} after {seconds} s"
        time.sleep(0.01)
    return result


def mounts(about=""):
    return [line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if str(about) in line]


def cgroup_root():
    for line in mounts():
        if " - cgroup2 " in line:
            return pathlib.Path(line.split()[4])
    return None


def cgroups():
    """Names of all cgroups there are; those that vanish meanwhile do not count."""
    root = cgroup_root()
    return {path for path, _, _ in os.walk(root)} if root else set()


def cgroups_of(uuid):
    return {path for path in cgroups() if uuid in path or uuid.replace("-", r"\x2d") in path}


@pytest.fixture
def home():
    """A short path: sockets lie below it."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="rk", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def rocket(home):
    """Every test that uses it also checks that its pods left nothing behind."""
    program = Rocket(home)
    processes = []
    start = program.start
    program.start = lambda *a, **k: processes.append(start(*a, **k)) or processes[-1]
    yield program
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
    assert mounts(home) == [], "a mount stayed on the host"


@pytest.fixture
def sandbox(rocket):
    """sandbox(FLAG...): (process, uuid) of a pod without apps that is ready."""
    def start(*flags):
        saved = rocket.home / f"uuid-{time.monotonic_ns()}"
        process = rocket.start("app", "sandbox", "--net=none", f"--uuid-file-save={saved}", *flags)
        wait_for(lambda: saved.exists() and saved.read_text() or process.poll() is not None, "the pod's UUID")
        assert process.poll() is None, process.communicate()
        uuid = saved.read_text().strip()
        rocket("status", "--wait-ready=30s", uuid)
        return process, uuid
    return start


@pytest.fixture(scope="session")
def images():
    """Where images of the whole session lie."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="aci", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def busybox(images):
    """A shell; by default it exits 0."""
    return aci.write(images / "busybox.aci", aci.image("example.com/busybox", aci.app("/bin/true"), aci.busybox()))


@pytest.fixture(scope="session")
def signer():
    key = aci.Signer()
    yield key
    key.close()


@pytest.fixture
def make(home):
    """make(NAME, APP, CONTENT, ...) writes an image, make.raw(MEMBERS, ...) writes any members; both return the path."""
    def raw(members, name="image", **options):
        return aci.write(home / f"{name}.aci", members, **options)

    def proper(name, app=None, content=(), compression="gz", **fields):
        return raw(aci.image(name, app, content, **fields), name.rsplit("/", 1)[-1], compression=compression)
    proper.raw = raw
    return proper
