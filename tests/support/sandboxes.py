# SPDX-License-Identifier: Apache-2.0
"""What the tests of pods whose apps come and go share; the fixture `sandbox` starts such a pod."""
import json

from conftest import wait_for


def add(rocket, uuid, image, *flags, **options):
    return rocket("--insecure-options=image", "app", "add", uuid, image, *flags, **options)


def add_script(rocket, uuid, image, name, script, *flags, **options):
    return add(rocket, uuid, image, f"--name={name}", "--exec=/bin/sh", *flags, "--", "-c", script, **options)


def states(rocket, uuid):
    return dict(line.split() for line in rocket("app", "list", "--no-legend", uuid).stdout.splitlines() if line)


def status(rocket, uuid, app):
    return json.loads(rocket("app", "status", f"--app={app}", "--format=json", uuid).stdout)


def finish(process):
    process.terminate()
    assert process.wait(timeout=30) == 0
    return process.communicate()


def run_to_end(rocket, uuid, app):
    """Its exit code."""
    rocket("app", "start", f"--app={app}", uuid)
    wait_for(lambda: states(rocket, uuid)[app] == "exited", "the app to end")
    return status(rocket, uuid, app)["exit_code"]
