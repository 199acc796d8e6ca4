# SPDX-License-Identifier: Apache-2.0
"""When the images of units are fetched: what is in the store is not fetched again, unless the file says so (Pull=)."""
import pytest

import oci
import registry as registries
from conftest import HOST_IS_SYSTEMD, wait_for
from test_units import files, journal, run  # noqa: F401, a fixture

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")


@pytest.fixture
def server(home):
    served = registries.Registry(home / "registry", tls=False)
    yield served
    served.close()


@pytest.fixture
def push(server, home):
    """push(WORDS): the image that says them, as box:latest; returns its name as Quadlet has it."""
    def pushed(words):
        layout = oci.Layout(home / words.replace(" ", "-"))
        layout.image(oci.busybox(), name="latest", Entrypoint=["/bin/sh", "-c", f"echo {words}; exec sleep 1000"])
        return server.push(f"{layout}:latest", "box:latest").removeprefix("docker://")
    return pushed


def units(files, image, *pulls):  # noqa: F811
    """A unit for each policy of Pull=, called as that; and `declared`, whose image has a file."""
    args = files.args.replace("=image", "=image,http")
    text = f"[Container]\n{args}\nNetwork=none\n"
    files.write(**{f"{pull}_container": f"{text}Image={image}\nPull={pull}\n" for pull in pulls},
                declared_container=text + "Image=box.image\n", box_image=f"[Image]\n{args}\nImage={image}\n")




def test_what_is_in_the_store_is_not_fetched_again(files, server, push):  # noqa: F811
    """Neither by the service of an .image file nor by an implied one; and without the network as well."""
    units(files, push("the only one"), "missing")
    run("systemctl", "start", "declared")
    assert server.requests("/v2/box/"), "the log of the registry shows what is fetched"
    asked = len(server.requests(""))
    run("systemctl", "stop", "declared", "box-image")
    run("systemctl", "start", "declared", "missing")
    assert run("systemctl", "show", "-P", "Result", "box-image", "missing-image").split() == ["success", "success"]
    assert len(server.requests("")) == asked
    server.close()
    run("systemctl", "stop", "declared", "box-image", "missing", "missing-image")
    run("systemctl", "start", "declared", "missing")
    assert run("systemctl", "is-active", "declared", "missing").split() == ["active", "active"]


def test_policies_of_pull(files, server, push):  # noqa: F811
    """As podman's: always asks at every start and needs the answer, newer does without one, never asks."""
    image = push("the first")
    units(files, image, "always", "newer", "missing", "never")
    run("systemctl", "start", "never", check=False)
    assert run("systemctl", "is-failed", "never", check=False).strip() == "failed" and not server.requests("/v2/box/")

    run("systemctl", "start", "missing")
    run("systemctl", "start", "always", "newer", "never")
    push("the second")
    asked = len(server.requests(""))
    run("systemctl", "restart", "missing", "never")
    assert len(server.requests("")) == asked
    for pull in ("newer", "always"):
        run("systemctl", "restart", pull)
        assert len(server.requests("")) > asked
        asked = len(server.requests(""))
        wait_for(lambda pull=pull: "the second" in journal(pull), "the new image's words")

    server.close()
    run("systemctl", "restart", "newer", "missing", "never")
    assert run("systemctl", "is-active", "newer", "missing", "never").split() == ["active"] * 3
    run("systemctl", "restart", "always", check=False)
    assert run("systemctl", "is-active", "always", check=False).strip() != "active"
    wait_for(lambda: "Failed with result" in journal("always-image"), "the failure of what fetches")
