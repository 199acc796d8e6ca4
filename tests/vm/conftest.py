# SPDX-License-Identifier: Apache-2.0
"""Tests that drive the virtual machine from outside: each boot takes ten to thirty seconds."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ROCKET_BUILD", SOURCE / "build"))


def scratch():
    return pathlib.Path(tempfile.mkdtemp(prefix="tree", dir="/var/tmp"))


@pytest.fixture(scope="session")
def installed():
    """What `meson install` puts on a machine, and the tests beside it."""
    tree = scratch()
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--strip", "--quiet", f"--destdir={tree}"], check=True, stdout=subprocess.DEVNULL)
    if (tree / "lib").exists():  # what belongs there by the books of systemd's package; /lib is a link in the machine
        shutil.copytree(tree / "lib", tree / "usr/lib", symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(tree / "lib")
    shutil.copytree(SOURCE / "tests", tree / "usr/lib/rocket-tests/tests", ignore=shutil.ignore_patterns("unit", "data", "__pycache__"))
    yield tree
    shutil.rmtree(tree)


@pytest.fixture(scope="session")
def images():
    import sys
    sys.path.insert(0, str(SOURCE / "tests/support"))
    import aci
    tree = scratch()
    (tree / "images").mkdir()
    aci.write(tree / "images/busybox.aci", aci.image("example.com/busybox", aci.app("/bin/true"), aci.busybox()))
    owned = [aci.file("rootfs/bin/su", "x", mode=0o4755), aci.file("rootfs/owned", "x", uid=33, gid=44)]
    aci.write(tree / "images/owners.aci", aci.image("example.com/owners", aci.app("/bin/true"), [*aci.busybox(), *owned]))
    for number in range(5):
        content = [aci.file(f"rootfs/data{n}", os.urandom(50_000)) for n in range(40)]
        aci.write(tree / f"images/app{number}.aci", aci.image(f"example.com/app{number}", aci.app("/bin/true"), [*aci.busybox(), *content]))
    yield tree
    shutil.rmtree(tree)


def made_by(program):
    """A tree with /made, what the program of dist/ makes of the build tree."""
    tree = scratch()
    subprocess.run([SOURCE / "dist" / program, f"--build={BUILD}", tree / "made"], check=True, stdout=subprocess.DEVNULL, timeout=600)
    return tree


@pytest.fixture(scope="session")
def deb():
    tree = made_by("build-deb")
    yield tree
    shutil.rmtree(tree)


@pytest.fixture(scope="session")
def sysext():
    tree = made_by("build-sysext")
    yield tree
    shutil.rmtree(tree)


@pytest.fixture
def machine_with():
    """machine_with(TREE...): a machine that has these trees; boot(SCRIPT) runs a bash script in it, on the same disk each time."""
    states = []

    def make(*trees):
        state = pathlib.Path(tempfile.mkdtemp(prefix="vm", dir="/var/tmp"))
        states.append(state)
        to_copy = [f"--tree={tree}" for tree in trees]

        def boot(script, status=0, timeout=240):
            copied = [to_copy.pop() for _ in range(len(to_copy))]
            done = subprocess.run([SOURCE / "tests/support/vm", f"--timeout={timeout}", f"--state={state}", *copied, "bash", "-c",
                                   "sync; set -e; export PATH=$PATH:/usr/local/bin; "
                                   f"rocket() {{ command rocket --insecure-options=image \"$@\"; }}; {script}"],
                                  capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
            assert done.returncode == status, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
            return done.stdout
        return boot
    yield make
    for state in states:
        shutil.rmtree(state)


@pytest.fixture
def machine(machine_with, installed, images):
    return machine_with(installed, images)
