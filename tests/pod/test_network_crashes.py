# SPDX-License-Identifier: Apache-2.0
"""kill -9 of a pod's supervisor, and of the plugin, at every call of every plugin, of ADD and of DEL, before and after its
work: gc leaves nothing (L1, L8). With both firewalls."""
import contextlib
import os
import signal

import pytest

import net
from conftest import HOST_IS_SYSTEMD, wait_for
from test_networks import (RUN, bridge, bridges, firewall, network, nothing_is_left)  # noqa: F401

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="would change the machine's own network: runs in tier pod")

# Stands before the real plugins in the search path, also for the IPAM plugin that `bridge` calls. In call number HALT it
# says its process id and waits: before the work, or after it.
STAND_IN = """#!/bin/sh
input=$(cat)
echo "$CNI_COMMAND ${0##*/}" >> HOME/calls
work() { printf %s "$input" | /usr/lib/cni/${0##*/}; }
halt() { echo $$ > HOME/reached.new; mv HOME/reached.new HOME/reached; exec sleep 1000; }
[ $(wc -l < HOME/calls) = $(cat HOME/halt) ] || { work; exit; }
[ $(cat HOME/moment) = before ] || work > /dev/null
halt
"""
PLUGINS = ("bridge", "host-local", "tuning", "bandwidth")
CALLS = ["ADD bridge", "ADD host-local", "ADD tuning", "ADD bandwidth", "DEL bandwidth", "DEL tuning", "DEL bridge", "DEL host-local"]


@pytest.mark.parametrize("victim", ["supervisor", "plugin"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_somebody_is_killed_at_every_call_of_a_plugin(rocket, busybox, network, bridges, firewall, moment, victim):  # noqa: F811
    network("a", plugins=[*bridge(1), {"type": "tuning", "mtu": 1400}, {"type": "bandwidth", "ingressRate": 8000000, "ingressBurst": 80000,
                                                                       "egressRate": 8000000, "egressBurst": 80000}])
    rocket.fetch(busybox)
    rocket(*RUN, "--net=a", busybox)  # the bridge stays
    for plugin in PLUGINS:
        stand_in = rocket.local / "net.d" / plugin
        stand_in.write_text(STAND_IN.replace("HOME", str(rocket.home)))
        stand_in.chmod(0o755)
    (rocket.home / "moment").write_text(moment)
    rocket("gc", "--grace-period=0s")
    before = net.remains()
    for number in range(1, len(CALLS) + 1):
        (rocket.home / "halt").write_text(str(number))
        (rocket.home / "calls").write_text("")
        process = rocket.start(*RUN, "--net=a", "--pull-policy=never", "example.com/busybox")
        wait_for((rocket.home / "reached").exists, f"call {number}: {CALLS[number - 1]}")
        if victim == "supervisor":
            process.kill()
        with contextlib.suppress(ProcessLookupError):  # an IPAM plugin outlives the plugin that called it, and is waited for
            os.kill(int((rocket.home / "reached").read_text()), signal.SIGKILL)
        _, said = process.communicate(timeout=60)
        if victim == "plugin" and CALLS[number - 1].startswith("ADD"):
            assert process.returncode == 254 and 'network "a": plugin "' in said, said  # without its network there is no pod
        (rocket.home / "reached").unlink()
        assert (rocket.home / "calls").read_text().splitlines()[number - 1] == CALLS[number - 1]
        (rocket.home / "halt").write_text("0")
        rocket("gc", "--grace-period=0s")
        assert rocket.uuids() == []
        assert net.remains() == before, CALLS[number - 1]
