# SPDX-License-Identifier: Apache-2.0
"""Networks of pods (cli 7.3, internals 10): the default network, those that are configured, who reaches whom, and that
nothing is left (L1, L8). On a host with a network of its own."""
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

import net
from conftest import HOST_IS_SYSTEMD, wait_for

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="would change the machine's own network: runs in tier pod")

RUN = ("--insecure-options=image", "run")
GATEWAY4, GATEWAY6 = "172.16.28.1", "fd72:6f63:6b65:1c::1"


@pytest.fixture(autouse=True)
def nothing_is_left(rocket):
    before = net.remains()
    yield
    for uuid in rocket.uuids():
        rocket("stop", "--force", uuid, status=None)
    assert net.remains() == before


@pytest.fixture
def outside():
    machine = net.Outside()
    yield machine
    machine.close()


@pytest.fixture
def network(rocket):
    """network(NAME, CONFIGURATION): a file in the local net.d."""
    def write(name, **config):
        directory = rocket.local / "net.d"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}.conflist").write_text(json.dumps({"cniVersion": "1.0.0", "name": name, **config}))
        return name
    return write


def bridge(number, **more):
    """A bridge with both families; bridges outlive their pods, so each test takes away its own."""
    ipam = {"type": "host-local", "ranges": [[{"subnet": f"10.88.{number}.0/24"}], [{"subnet": f"fd00:88:{number}::/64"}]],
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}
    return [{"type": "bridge", "bridge": f"rk{number}", "isGateway": True, "ipMasq": True, "hairpinMode": True, "ipam": ipam, **more}]


@pytest.fixture
def bridges():
    yield
    for number in range(1, 5):
        net.sh("ip", "link", "del", f"rk{number}", check=False)


@pytest.fixture
def started(rocket):
    """started(ARGUMENTS...): (process, uuid) of a running pod with these arguments, which end with the image's."""
    def start(*arguments, ready=True):
        saved = rocket.home / f"uuid-{len(list(rocket.home.glob('uuid-*')))}"
        process = rocket.start(*RUN, f"--uuid-file-save={saved}", *arguments)
        wait_for(lambda: saved.exists() and saved.read_text() or process.poll() is not None, "the pod's UUID")
        assert process.poll() is None, process.communicate()
        uuid = saved.read_text()
        if ready:
            rocket("status", "--wait-ready=30s", uuid)
        return process, uuid
    return start


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


def addresses(rocket, uuid):
    """{"default:ip4": "172.16.28.2"} as `status` says."""
    line = next(line for line in rocket("status", uuid).stdout.splitlines() if line.startswith("networks="))
    return dict(word.split("=") for word in line.removeprefix("networks=").split(", ") if word)


# --- the default network

def test_without_any_configuration_a_pod_has_a_network(rocket, busybox):
    out = rocket(*RUN, busybox, "--exec=/bin/sh", "--", "-c",
                 f"ip addr show eth0; ip route; ip -6 route; ping -c1 -W5 {GATEWAY4} && ping -c1 -W5 {GATEWAY6}").stdout
    assert "inet 172.16.28." in out and "inet6 fd72:6f63:6b65:1c::" in out
    assert f"default via {GATEWAY4}" in out and f"default via {GATEWAY6}" in out
    assert out.count("0% packet loss") == 2
