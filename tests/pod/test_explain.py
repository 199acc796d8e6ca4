# SPDX-License-Identifier: Apache-2.0
"""rocket explain: what confines an app, where each piece comes from, and whether the kernel has it so."""
import json

import pytest

from conftest import HOST_IS_SYSTEMD
from sandboxes import add_script, finish
from test_units import PLACE, files, run  # noqa: F401, a fixture


def explained(rocket, name):
    return json.loads(rocket("explain", "--format=json", name, timeout=60).stdout)


def origins(app):
    return {origin["what"]: (origin["from"], origin.get("by", "")) for origin in app["origins"]}


@pytest.mark.bare
def test_each_piece_has_an_origin_and_is_what_the_kernel_has(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sh", "--user=1000", "--caps-retain=CAP_CHOWN,CAP_KILL", "--environment=SECRET=swordfish",
                                   "--name=web", "--", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    pod = explained(rocket, uuid)
    app, = pod["apps"]
    found = origins(app)
    assert found["user"] == ("flag", "--user") and found["group"] == ("image", "")
    assert found["capabilities"] == ("flag", "--caps-retain") and found["system calls"] == ("default", "")
    assert found["variable SECRET"] == ("flag", "--environment") and "swordfish" not in json.dumps(pod)
    kernel = dict(line.split(":", 1) for line in open(f"/proc/{app['pid']}/status") if ":" in line)
    assert app["kernel"]["uid"] == int(kernel["Uid"].split()[0]) == 1000
    assert app["kernel"]["bounding_set"] == "CAP_CHOWN CAP_KILL" and int(kernel["CapBnd"], 16) == 0x21
    assert app["kernel"]["system_call_filter"] and kernel["Seccomp"].strip() == "2"
    assert app["namespaces"]["network"] == "own" and app["namespaces"]["user"] == "host's"
    assert "--net=none" in pod["options"]
    paths = {(path["path"], path["is"]): path["from"] for path in app["paths"]}
    assert paths[("/proc/sys", "read-only")] == paths[("/proc/keys", "masked")] == paths[("/sys/firmware", "masked")] == paths[("/dev/null", "device")] == "default"
    assert [line for line in app["differences"] if not line.startswith(("memory.", "pids.", "cpu."))] == []  # a host may lack controllers
    text = rocket("explain", uuid).stdout
    assert "CAP_CHOWN CAP_KILL" in text and "<- flag: --user" in text
    process.kill()  # whoever is not there any more has nothing in the kernel, but its origins
    process.wait()
    gone = explained(rocket, uuid)
    assert "pid" not in gone["apps"][0] and origins(gone["apps"][0]) == found


@pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")
def test_of_a_unit_the_lines_of_its_file_are_named(files, rocket, busybox):  # noqa: F811
    files.write(web_container=f"[Container]\nImage={busybox}\nGLOBAL\nNetwork=none\nUser=1000\nReadOnly=yes\nEntrypoint=/bin/sleep\nExec=1000\n")
    run("systemctl", "start", "web")
    app, = explained(rocket, "web")["apps"]
    places = {origin["what"]: origin.get("place") for origin in app["origins"]}
    assert places["user"] == f"{PLACE}/web.container:5 User="
    assert places["root file system"] == f"{PLACE}/web.container:6 ReadOnly="
    assert explained(rocket, "web")["source"] == f"{PLACE}/web.container"
    assert '"nothing.service"' in rocket("explain", "nothing", status=254).stderr


def test_a_device_that_was_asked_for_is_told_from_those_of_every_app(rocket, busybox):
    process, uuid = rocket.started("--volume=fuse,kind=host,source=/dev/null", busybox, "--mount=volume=fuse,target=/dev/fuse", "--exec=/bin/sleep", "--", "1000")
    app, = explained(rocket, uuid)["apps"]
    paths = {path["path"]: path for path in app["paths"]}
    assert (paths["/dev/fuse"]["is"], paths["/dev/fuse"]["from"], paths["/dev/fuse"]["by"]) == ("device", "flag", "--mount, --volume")
    assert paths["/dev/zero"]["from"] == "default"
    process.kill()


def test_an_app_that_was_added_has_origins_too(rocket, sandbox, busybox):
    process, uuid = sandbox()
    add_script(rocket, uuid, busybox, "web", "while :; do sleep 1; done", "--user=1000")
    app, = explained(rocket, uuid)["apps"]
    assert origins(app)["user"] == ("flag", "--user") and origins(app)["capabilities"] == ("default", "")
    assert "not recorded" not in rocket("explain", uuid).stdout
    finish(process)


def test_a_confinement_that_is_not_as_it_was_meant_is_said_so(rocket, busybox):
    """Here the record is changed, which nobody but root can."""
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--name=web", "--", "1000")
    record = next(rocket.data.glob(f"pods/run/{uuid}/apps/web/spec.json"))
    record.write_text(record.read_text().replace('"uid":0', '"uid":7'))
    assert "user: meant to be 7, but is 0" in explained(rocket, uuid)["apps"][0]["differences"]
    assert "DIFFERS" in rocket("explain", uuid).stdout
    process.kill()
