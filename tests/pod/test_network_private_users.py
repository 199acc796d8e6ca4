# SPDX-License-Identifier: Apache-2.0
"""--private-users with networks and published ports: the pod's network namespace is its user namespace's, and plugins of
the host work on it all the same."""
import pytest

import aci
import net
from conftest import HOST_IS_SYSTEMD
from test_networks import (GATEWAY4, GATEWAY6, RUN, addresses, both_families, firewall, inside, kill_and_collect,  # noqa: F401
                           nothing_is_left, outside, started, stop)

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="would change the machine's own network: runs in tier pod")


def test_private_users_have_networks_and_published_ports(rocket, make, busybox, outside, started, firewall):  # noqa: F811
    image = make("example.com/web", aci.app("/bin/sleep", "1000", ports=[{"name": "www", "protocol": "tcp", "port": 80}]), aci.busybox())
    before = net.remains()
    for killed in (False, True):
        process, uuid = started("--private-users", "--port=www:8080", "--hostname=web", image)
        assert set(addresses(rocket, uuid)) == {"default:ip4", "default:ip6"}
        assert addresses(rocket, uuid)["default:ip4"] in net.sh("machinectl", "list", "--no-legend")
        out = rocket("enter", uuid, "/bin/sh", "-c", f"cat /proc/self/uid_map; ping -c1 -W5 {GATEWAY4} && ping -c1 -W5 {GATEWAY6}").stdout
        assert out.split()[1] != "0" and out.count("0% packet loss") == 2
        with both_families(80, inside(rocket, uuid)):
            assert net.ask("127.0.0.1", 8080)
            for address, seen in ((net.HOST4, net.OUTSIDE4), (net.HOST6, net.OUTSIDE6)):
                assert net.ask(address, 8080, inside=outside.command()) == seen
        kill_and_collect(rocket, process, uuid) if killed else stop(process)
        assert net.remains() == before


def test_private_users_have_no_power_over_the_host_s_network(rocket, busybox, started):  # noqa: F811
    _, uuid = started("--private-users", busybox, "--caps-retain=CAP_NET_ADMIN", "--exec=/bin/sleep", "--", "1000")
    assert rocket("enter", uuid, "/bin/sh", "-c", "ip link set eth0 mtu 1400 && cat /sys/class/net/eth0/mtu").stdout == "1400\n"
    out = rocket("enter", uuid, "/bin/sh", "-c", "ls /sys/class/net").stdout.split()
    assert sorted(out) == ["eth0", "lo"]
