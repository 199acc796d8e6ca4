# SPDX-License-Identifier: Apache-2.0
"""AppArmor profiles of apps and of the pod (AAR-1). SELinux takes a kernel without AppArmor: tests/vm/test_machine.py."""
import json
import subprocess

import aci
import pytest

FLY = "--stage1-from-dir=fly"
SHOW = "cat /proc/self/attr/apparmor/current; echo x >/allowed && echo wrote; echo x >/denied; true"


def isolator(profile):
    return {"name": "os/linux/apparmor-profile", "value": {"profile": profile}}


@pytest.fixture
def image(rocket, make):
    """image(PROFILE): one whose app asks for it."""
    return lambda profile=None, **fields: make("example.com/confined", aci.app(
        "/bin/sh", "-c", SHOW, isolators=[isolator(profile)] if profile else [], **fields), aci.busybox())


@pytest.fixture
def profile():
    text = "profile rocket-{0} flags=(attach_disconnected) {{ file, capability, network, signal, deny /denied w, }}\n"
    text = "".join(text.format(name) for name in ("one", "two"))
    subprocess.run(["apparmor_parser", "--replace", "--skip-cache"], input=text, text=True, check=True)
    yield "rocket-one"
    subprocess.run(["apparmor_parser", "--remove"], input=text, text=True, check=True)


@pytest.mark.vm
@pytest.mark.parametrize("flags, user", [(["--net=none", "--private-users"], "1000"), (["--net=host", FLY], "0")], ids=["default", "fly"])
def test_an_app_is_confined_by_its_profile(rocket, image, profile, flags, user):
    """The app and its handlers, also where no_new_privs is set; one that is not loaded is refused."""
    handlers = [{"name": "pre-start", "exec": ["/bin/cat", "/proc/self/attr/apparmor/current"]}]
    done = rocket("--insecure-options=image", "run", *flags, image(profile, eventHandlers=handlers), f"--user={user}", timeout=120)
    assert done.stdout.count(f"{profile} (enforce)") == 2
    assert "/denied: Permission denied" in done.stdout + done.stderr
    assert user != "0" or "wrote" in done.stdout
    done = rocket("--insecure-options=image", "run", *flags, image("rocket-none"), status=254, timeout=60)
    assert 'AppArmor profile "rocket-none" is not loaded' in done.stderr and "apparmor_parser" in done.stderr


@pytest.mark.vm
def test_the_pods_is_for_apps_without_one(rocket, image, profile, home):
    """And for whoever enters them (R8)."""
    apps = [{"name": name, "image": {"id": rocket.fetch(image())}, "app": {"exec": ["/bin/sh", "-c", "cat /proc/self/attr/apparmor/current; exec sleep 1000"],
             "user": "0", "group": "0", "isolators": isolators}} for name, isolators in (("a", []), ("b", [isolator("rocket-two")]))]
    (home / "pod.json").write_text(json.dumps({"acVersion": "0.8.11", "acKind": "PodManifest", "apps": apps, "isolators": [isolator(profile)]}))
    process, uuid = rocket.started(f"--pod-manifest={home / 'pod.json'}")
    for app, expected in (("a", profile), ("b", "rocket-two")):
        done = rocket("enter", f"--app={app}", uuid, "/bin/sh", "-c", SHOW, timeout=60)
        assert f"{expected} (enforce)" in done.stdout and "wrote" in done.stdout and "Permission denied" in done.stderr
    rocket("stop", uuid, timeout=60)
    out = process.communicate(timeout=60)[0]
    assert f"{profile} (enforce)" in out and "rocket-two (enforce)" in out


@pytest.mark.vm
def test_added_to_a_pod_that_runs(rocket, image, profile):
    process = rocket.start("--insecure-options=image", "app", "sandbox", "--net=none", f"--uuid-file-save={rocket.home / 'uuid'}")
    while not (rocket.home / "uuid").exists() or not (rocket.home / "uuid").read_text():
        assert process.poll() is None
    uuid = (rocket.home / "uuid").read_text()
    rocket("status", "--wait-ready=60s", uuid, timeout=90)
    refused = rocket("--insecure-options=image", "app", "add", uuid, image("rocket-none"), "--name=none", status=None, timeout=60)
    assert refused.returncode != 0 and 'AppArmor profile "rocket-none" is not loaded' in refused.stderr
    rocket("--insecure-options=image", "app", "add", uuid, image(profile), "--name=one", timeout=60)
    rocket("app", "start", uuid, "--app=one", timeout=60)
    rocket("stop", uuid, timeout=60)
    assert f"{profile} (enforce)" in process.communicate(timeout=60)[0]


def test_a_host_without_the_module_says_so(rocket, image):
    """AAR-1, ISO-5. A test host in namespaces has the kernel of its machine, which may have AppArmor."""
    try:
        enabled = open("/sys/module/apparmor/parameters/enabled").read() == "Y\n"
    except FileNotFoundError:
        enabled = False
    done = rocket.run(image("rocket-none"), status=254 if enabled else 0)
    said = "is not loaded" if enabled else "os/linux/apparmor-profile is not in force: the host has no AppArmor"
    assert done.stderr.count(said) == 1
