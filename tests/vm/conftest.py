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


@pytest.fixture(scope="session")
def installed():
    """What `meson install` puts on a machine, and the tests beside it."""
    tree = pathlib.Path(tempfile.mkdtemp(prefix="tree", dir="/var/tmp"))
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--strip", "--quiet", f"--destdir={tree}"], check=True, stdout=subprocess.DEVNULL)
    shutil.copytree(SOURCE / "tests", tree / "usr/lib/rocket-tests/tests", ignore=shutil.ignore_patterns("unit", "data", "__pycache__"))
    yield tree
    shutil.rmtree(tree)


@pytest.fixture(scope="session")
def images():
    import sys
    sys.path.insert(0, str(SOURCE / "tests/support"))
    import aci
    tree = pathlib.Path(tempfile.mkdtemp(prefix="tree", dir="/var/tmp"))
    (tree / "images").mkdir()
    aci.write(tree / "images/busybox.aci", aci.image("example.com/busybox", aci.app("/bin/true"), aci.busybox()))
    for number in range(5):
        content = [aci.file(f"rootfs/data{n}", os.urandom(50_000)) for n in range(40)]
        aci.write(tree / f"images/app{number}.aci", aci.image(f"example.com/app{number}", aci.app("/bin/true"), [*aci.busybox(), *content]))
    yield tree
    shutil.rmtree(tree)


@pytest.fixture
def machine(installed, images):
    """boot(SCRIPT): a bash script in the machine; the same disk at every boot of one test."""
    state = pathlib.Path(tempfile.mkdtemp(prefix="vm", dir="/var/tmp"))
    booted = []

    def boot(script, status=0, timeout=240):
        trees = [] if booted else [f"--tree={installed}", f"--tree={images}"]
        booted.append(True)
        done = subprocess.run([SOURCE / "tests/support/vm", f"--timeout={timeout}", f"--state={state}", *trees, "bash", "-c",
                               f"sync; set -e; export PATH=$PATH:/usr/local/bin; rocket() {{ command rocket --insecure-options=image \"$@\"; }}; {script}"],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == status, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout
    yield boot
    shutil.rmtree(state)
