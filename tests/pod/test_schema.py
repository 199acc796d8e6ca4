# SPDX-License-Identifier: Apache-2.0
"""dist/schema/pods.json says what `list` and `status` print as JSON (L13): real output is valid, and has nothing that is not in it."""
import copy
import json

import pytest

import aci
from conftest import SOURCE

try:
    import jsonschema
except ImportError:  # in the virtual machine, where these tests do not run: their functions fail if they do
    jsonschema = None

pytestmark = pytest.mark.bare


def schema():
    return json.loads((SOURCE / "dist/schema/pods.json").read_text())


def strict(schema):
    """Users may meet properties that came later; today there are none but these."""
    schema = copy.deepcopy(schema)
    for definition in schema["$defs"].values():
        if "properties" in definition:
            definition["additionalProperties"] = False
    return schema


def check(text):
    value = json.loads(text)
    jsonschema.validate(value, strict(schema()), cls=jsonschema.Draft202012Validator)
    return value


def outputs(rocket, *uuids):
    """What both commands print in both forms, checked: the pods by UUID."""
    pods = {pod["name"]: pod for pod in check(rocket("list", "--format=json").stdout) or []}
    assert check(rocket("list", "--format=json-pretty").stdout) == (list(pods.values()) or None)
    for uuid in uuids:
        for form in ("json", "json-pretty"):
            assert check(rocket("status", f"--format={form}", uuid).stdout) == pods[uuid]
    return pods


def test_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(schema())


def test_what_is_not_in_it_is_found():
    for bad in ({"name": "x", "state": "running"}, {"name": 36 * "0", "state": "exited"}, [], {"state": "exited"}):
        with pytest.raises(jsonschema.ValidationError):
            check(json.dumps(bad))


def test_no_pod_is_null(rocket):
    assert outputs(rocket) == {}


def test_every_state_of_a_pod(rocket, busybox, make):
    image = make("example.com/full", aci.app("/bin/sh", "-c", "exit 3", mountPoints=[{"name": "data", "path": "/data"}],
                                             userAnnotations={"who": "<me> & you"}, userLabels={"tier": "web"}), aci.busybox())
    prepared = rocket("--insecure-options=image", "prepare", image).stdout.strip()
    process, running = rocket.started(busybox, "--name=first", "--exec=/bin/sleep", "--", "1000", "---", busybox, "--name=second", "--exec=/bin/sleep", "--", "1000")
    pods = outputs(rocket, prepared, running)
    assert pods[prepared]["state"] == "prepared" and "started_at" not in pods[prepared]
    assert pods[prepared]["apps"][0]["mounts"][0]["container_path"] == "/data"
    assert pods[prepared]["apps"][0]["user_annotations"] == {"who": "<me> & you"}
    assert (pods[running]["state"], pods[running]["app_names"]) == ("running", ["first", "second"])
    rocket("run-prepared", "--net=none", prepared, status=3)
    rocket("stop", running)
    process.wait(timeout=30)
    pods = outputs(rocket, prepared, running)
    ended = pods[prepared]
    assert (ended["state"], ended["exit_status"], ended["apps"][0]["exit_code"]) == ("exited", 3, 3)
    assert ended["apps"][0]["started_at"] <= ended["apps"][0]["finished_at"]
    assert ended["exit_reason"] == 'app "full" failed'
    rocket("gc", "--mark-only")
    assert {pod["state"] for pod in outputs(rocket, prepared, running).values()} == {"exited garbage"}


def test_signals_restarts_and_reports(rocket, busybox):
    again = ["--annotation=rocket/restart=always", "--annotation=rocket/restart-sec=10ms", "--annotation=rocket/start-limit-burst=2"]
    rocket.run(busybox, "--exec=/bin/sh", *again, "--", "-c", "kill -KILL $$", status=9)
    uuid, = rocket.uuids()
    app, = outputs(rocket, uuid)[uuid]["apps"]
    assert (app["exit_code"], app["signal"], app["restarts"]) == (9, 9, 2)


def test_networks(rocket, busybox):
    rocket("--insecure-options=image", "run", "--net=default", busybox, "--exec=/bin/true", timeout=60)
    uuid, = rocket.uuids()
    network, = outputs(rocket, uuid)[uuid]["networks"]
    assert (network["netName"], network["ifName"]) == ("default", "eth0") and network["ip"].count(".") == 3
