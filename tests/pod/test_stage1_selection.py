# SPDX-License-Identifier: Apache-2.0
"""Which stage1 a pod runs on: flags, configuration, fallback, signatures (cli 5, 3.4, 3.5)."""
import json
import os
import pathlib
import shutil

import aci
import pytest
from conftest import BUILD, wait_for

pytestmark = pytest.mark.bare

INSTALLED = pathlib.Path(os.environ["ROCKET"]).parents[1] / "lib/rocket/stage1-images" if "ROCKET" in os.environ else BUILD / "libexec/stage1-images"
VERSION = next(label["value"] for label in json.loads((INSTALLED / "fly/manifest").read_text())["labels"] if label["name"] == "version")


def members(name="example.com/stage1", version="1", source="fly", says=""):
    """The installed image of fly under another name; its `run` first says which one it is."""
    manifest = json.loads((INSTALLED / source / "manifest").read_text())
    manifest["name"] = name
    for label in manifest["labels"]:
        if label["name"] == "version":
            label["value"] = version
    entries = [aci.host_file(f"rootfs/rocket/{path.name}", path) for path in sorted((INSTALLED / source / "rootfs/rocket").iterdir())]
    if says:
        script = f'#!/bin/sh\necho {says}\nexec {INSTALLED}/{source}/rootfs/rocket/run "$@"\n'
        entries = [aci.file("rootfs/rocket/run", script, 0o755) if info.name.endswith("/run") else (info, data) for info, data in entries]
    return [aci.file("manifest", json.dumps(manifest)), aci.directory("rootfs"), aci.directory("rootfs/rocket"), *entries]


def write_layout(directory, **options):
    (directory / "rootfs/rocket").mkdir(parents=True)
    for info, data in members(**options):
        if info.isreg():
            (directory / info.name).write_bytes(data)
            (directory / info.name).chmod(info.mode)
    return directory


@pytest.fixture
def configure(rocket):
    def write(kind, **content):
        (rocket.local / f"{kind}.d").mkdir(parents=True, exist_ok=True)
        (rocket.local / f"{kind}.d/test.json").write_text(json.dumps({"rktKind": kind, "rktVersion": "v1", **content}))
    return write


@pytest.fixture
def trusted(rocket, signer, home):
    rocket("trust", "--root", "--skip-fingerprint-review", signer.public_key(home / "key.asc"))
    return signer


@pytest.fixture
def app(rocket, busybox, trusted, home):
    """A signed app image in the store: nothing is let in by --insecure-options unless a test says so."""
    image = home / "busybox.aci"
    shutil.copy(busybox, image)
    trusted.sign(image)
    rocket("fetch", image)
    return "example.com/busybox"


@pytest.fixture
def run(rocket, app):
    def run(*flags, insecure="none", **options):
        return rocket(f"--insecure-options={insecure}", "run", "--net=host", *flags, app, "--exec=/bin/readlink", "--", "/proc/self/ns/pid",
                      **options)
    return run


def is_fly(done):
    """Only fly leaves its app in the caller's PID namespace."""
    return os.readlink("/proc/self/ns/pid") in done.stdout


# --- installed images

def test_the_default_is_systemd(run):
    assert not is_fly(run())


@pytest.mark.parametrize("flag", ["--stage1-from-dir=fly", "--stage1-name=coreos.com/rkt/stage1-fly",
                                  f"--stage1-name=coreos.com/rkt/stage1-fly:{VERSION}", f"--stage1-path={INSTALLED}/fly"])
def test_fly_by_every_name_it_has(run, flag):
    assert is_fly(run(flag))


@pytest.mark.parametrize("flags, message", [
    (["--stage1-name=coreos.com/rkt/stage1-fly:0.0.0"], "unable to fetch|cannot find|discover"),
    (["--stage1-name=Not A Name"], ""),
    (["--stage1-hash=sha512-" + 64 * "0"], "failed to fetch stage1 image"),
    (["--stage1-hash=fly"], "is not an image ID"),
    (["--stage1-url=fly"], "is not a URL"),
    (["--stage1-url=ftp://example.com/stage1.aci"], "schemes"),
    (["--stage1-from-dir=nothing"], "no stage1 image at"),
    (["--stage1-from-dir=../fly"], "takes a name, not a path"),
    (["--stage1-path=/nowhere"], "no stage1 image at"),
    (["--stage1-path="], "needs a value"),
    (["--stage1-name=a", "--stage1-name=b"], "--stage1-name already used"),
    (["--stage1-path=/x", "--stage1-url=file:///y"], "flags --stage1-path and --stage1-url are mutually exclusive"),
])
def test_what_a_flag_names_is_that_or_an_error(rocket, run, flags, message):
    done = run(*flags, status=254)
    assert not message or any(word in done.stderr for word in message.split("|")), done.stderr
    assert rocket.uuids() == []


# --- archives

def test_a_signed_archive_goes_into_the_store(rocket, run, trusted, home):
    image = aci.write(home / "stage1.aci", members(says="mine"))
    assert "signature" in run(f"--stage1-path={image}", status=254).stderr
    trusted.sign(image)
    done = run(f"--stage1-path={image}")
    assert is_fly(done) and done.stdout.startswith("mine\n") and "signature verified" in done.stderr
    stored = next(line.split() for line in rocket("image", "list", "--full", "--no-legend").stdout.splitlines() if "stage1" in line)[0]
    for flag in (f"--stage1-hash={stored}", f"--stage1-hash={stored[:20]}", "--stage1-name=example.com/stage1:1", f"--stage1-url=file://{image}"):
        assert run(flag).stdout.startswith("mine\n")


def test_an_unsigned_archive_on_request_only(run, home):
    """R11: and what was let in that way is not there for whoever did not ask for it."""
    image = aci.write(home / "stage1.aci", members(says="mine"))
    assert run(f"--stage1-path={image}", insecure="image").stdout.startswith("mine\n")
    assert "never checked" in run("--stage1-name=example.com/stage1", status=254).stderr
    assert "signature" in run(f"--stage1-path={image}", status=254).stderr


def test_an_archive_that_is_no_stage1(rocket, run, app, home):
    done = run("--stage1-name=example.com/busybox", status=254)
    assert 'no entry point "run"' in done.stderr and rocket.uuids() == []


# --- configuration and fallback

def test_the_store_comes_first(rocket, run, trusted, home):
    """NAME:VERSION of the default, if its signature was checked."""
    image = aci.write(home / "stage1.aci", members("coreos.com/rkt/stage1-systemd", VERSION, says="store"))
    rocket("--insecure-options=image", "fetch", image)
    assert "store" not in run().stdout
    trusted.sign(image)
    rocket("fetch", image)
    assert run().stdout.startswith("store\n")


def test_a_configured_name_and_version(rocket, run, configure, trusted, home):
    configure("stage1", name="example.com/stage1", version="7")
    assert not is_fly(run())  # neither in the store nor installed: the built-in location
    image = aci.write(home / "stage1.aci", members(version="7", says="seven"))
    trusted.sign(image)
    rocket("fetch", image)
    assert run().stdout.startswith("seven\n")
    configure("stage1", name="coreos.com/rkt/stage1-fly", version=VERSION)
    assert is_fly(run())


def test_a_dirty_version_is_not_looked_for_in_the_store(rocket, run, configure, trusted, home):
    image = aci.write(home / "stage1.aci", members(version="7-dirty", says="dirty"))
    trusted.sign(image)
    rocket("fetch", image)
    configure("stage1", name="example.com/stage1", version="7-dirty")
    assert "dirty" not in run().stdout


def test_a_configured_location(run, configure, trusted, home):
    layout = write_layout(home / "layout", says="layout")
    configure("stage1", location=str(layout))
    assert run().stdout.startswith("layout\n")
    image = aci.write(home / "stage1.aci", members(says="archive"))
    configure("stage1", location=str(image))
    assert "failed to fetch stage1 image" in run(status=254).stderr  # not below the built-in directory: to be signed
    trusted.sign(image)
    assert run().stdout.startswith("archive\n")
    configure("stage1", location=f"file://{image}")
    assert run().stdout.startswith("archive\n")
    configure("stage1", location="/nowhere/stage1.aci")
    assert "failed to fetch stage1 image" in run(status=254).stderr
    assert is_fly(run("--stage1-from-dir=fly"))  # a flag does not ask it


def test_the_file_beside_the_program_is_the_last_resort(rocket, run, configure, home):
    """By its base name, without a signature; for a location that is a path."""
    program = home / "bin/rocket"
    program.parent.mkdir()
    shutil.copy(rocket.program, program)
    aci.write(program.parent / "stage1-mine.aci", members(says="beside"))
    rocket.program = str(program)
    configure("stage1", location="/nowhere/stage1-mine.aci")
    assert run().stdout.startswith("beside\n")
    (program.parent / "stage1-mine.aci").write_bytes(b"broken")
    assert "failed to fall back to stage1 image in the rocket directory" in run(status=254).stderr


def test_the_configured_directory_of_images(run, configure, trusted, home):
    (home / "images").mkdir()
    write_layout(home / "images/one", says="one")
    aci.write(home / "images/two.aci", members(says="two"))
    configure("paths", **{"stage1-images": str(home / "images")})
    assert run("--stage1-from-dir=one").stdout.startswith("one\n")
    assert "signature" in run("--stage1-from-dir=two.aci", status=254).stderr
    trusted.sign(home / "images/two.aci")
    assert run("--stage1-from-dir=two.aci").stdout.startswith("two\n")
    assert "no stage1 image at" in run("--stage1-from-dir=fly", status=254).stderr


# --- what a pod keeps

def test_a_pod_keeps_its_stage1_from_being_removed(rocket, run, app, trusted, home):
    image = aci.write(home / "stage1.aci", members())
    trusted.sign(image)
    stage1 = rocket("fetch", "--full", image).stdout.strip()
    uuid = rocket("prepare", "--stage1-name=example.com/stage1", app, "--exec=/bin/sleep", "--", "1000").stdout.strip()
    runtime = json.loads((rocket.data / "pods/prepared" / uuid / "runtime.json").read_text())
    assert runtime["stage1_image"] == stage1
    assert f'pod "{uuid}" uses the image' in rocket("image", "rm", stage1, status=254).stderr
    process = rocket.start("run-prepared", "--net=host", uuid)
    rocket("status", "--wait-ready=30s", uuid)
    assert f'pod "{uuid}" uses the image' in rocket("image", "rm", stage1, status=254).stderr
    rocket("stop", uuid)
    process.wait(timeout=20)
    wait_for(lambda: rocket.state(uuid) == "exited", "the pod's end")
    rocket("rm", uuid)
    rocket("image", "rm", stage1)
