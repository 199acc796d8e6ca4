# SPDX-License-Identifier: Apache-2.0
"""Networks of the real plugins (cli 7.3, internals 10.4): what they do is
there, CHECK agrees, and nothing is left, also of a pod whose supervisor was killed. ipvlan, vlan and vrf are not in every
kernel: where one is not, the error says so."""
import contextlib
import json
import pathlib
import re
import subprocess

import pytest

import aci
import net
from conftest import HOST_IS_SYSTEMD, wait_for
from test_networks import (RUN, bridge, bridges, kill_and_collect, network, nothing_is_left, outside, started, stop)  # noqa: F401

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="would change the machine's own network: runs in tier pod")

SLEEP = ("--exec=/bin/sleep", "--", "1000")


def host_local(subnet):
    return {"type": "host-local", "ranges": [[{"subnet": subnet}]], "routes": [{"dst": "0.0.0.0/0"}]}


def check(rocket, uuid):
    """CHECK of all plugins of a running pod: its error output."""
    directory = rocket.data / "pods/run" / uuid
    helper = json.loads((directory / "runtime.json").read_text())["stage1_rootfs"] + "/rocket/network"
    return subprocess.run([helper, "check", uuid], cwd=directory, capture_output=True, text=True, check=False, timeout=30).stderr


def host_link(rocket, uuid):
    state = json.loads((rocket.data / "pods/run" / uuid / "net/state.json").read_text())
    return next(i["name"] for i in state["networks"][0]["result"]["interfaces"] if i["name"].startswith("veth"))


@contextlib.contextmanager
def dhcp(rocket, outside, leases):  # noqa: F811
    """A server on the second machine, for one address of its network; and the plugin's daemon."""
    config = rocket.home / "udhcpd.conf"
    config.write_text(f"start 192.0.2.50\nend 192.0.2.50\ninterface up1\nlease_file {leases}\npidfile {rocket.home}/udhcpd.pid\n"
                      "option subnet 255.255.255.0\noption router 192.0.2.2\noption lease 600\n")
    leases.touch()
    server = subprocess.Popen(outside.command("busybox", "udhcpd", "-f", config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    daemon = subprocess.Popen(["/usr/lib/cni/dhcp", "daemon", "-socketpath", rocket.home / "dhcp.sock"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for((rocket.home / "dhcp.sock").exists, "the plugin's daemon")
        yield
    finally:
        for process in (daemon, server):
            process.kill()
            process.communicate()


def test_an_address_from_a_dhcp_server(rocket, busybox, network, outside, started):  # noqa: F811
    before = net.remains()
    with dhcp(rocket, outside, rocket.home / "leases"):
        network("d", plugins=[{"type": "macvlan", "master": "up0", "ipam": {"type": "dhcp", "daemonSocketPath": str(rocket.home / "dhcp.sock")}}])
        for end in (stop, None):
            process, uuid = started("--net=d", busybox, *SLEEP)
            assert "networks=d:ip4=192.0.2.50" in rocket("status", uuid).stdout
            pod = ["nsenter", "-t", (rocket.data / "pods/run" / uuid / "pid1").read_text().split()[0], "-n"]
            assert "default via 192.0.2.2" in net.sh(*pod, "ip", "route")
            with net.server(7777, outside.command()):
                assert net.ask(net.OUTSIDE4, 7777, inside=pod) == "192.0.2.50"
            assert check(rocket, uuid) == ""
            stop(process) if end else kill_and_collect(rocket, process, uuid)
    while_daemon = net.remains()
    assert {**while_daemon, "processes": ""} == {**before, "processes": ""}


def test_without_the_dhcp_daemon_the_error_says_so(rocket, busybox, network, outside):  # noqa: F811
    network("d", plugins=[{"type": "macvlan", "master": "up0", "ipam": {"type": "dhcp", "daemonSocketPath": f"{rocket.home}/none.sock"}}])
    before = net.remains()
    assert "none.sock" in rocket(*RUN, "--net=d", busybox, status=254).stderr
    assert net.remains() == before


def test_bandwidth(rocket, busybox, network, started):  # noqa: F811
    network("b", plugins=[{"type": "ptp", "ipam": host_local("10.77.0.0/24")},
                          {"type": "bandwidth", "ingressRate": 8000000, "ingressBurst": 80000, "egressRate": 16000000, "egressBurst": 80000}])
    before = net.remains()
    for killed in (False, True):
        process, uuid = started("--net=b", busybox, *SLEEP)
        assert "tbf" in net.sh("tc", "qdisc", "show", "dev", host_link(rocket, uuid))
        assert any(name.startswith("bwp") for name, _ in net.remains()["links"])  # the other direction
        assert check(rocket, uuid) == ""
        kill_and_collect(rocket, process, uuid) if killed else stop(process)
        assert net.remains() == before


def test_tuning(rocket, busybox, network, started):  # noqa: F811
    network("t", plugins=[{"type": "ptp", "ipam": host_local("10.77.0.0/24")},
                          {"type": "tuning", "capabilities": {"mac": True}, "mtu": 1400, "sysctl": {"net.core.somaxconn": "99"}}])
    _, uuid = started("--net=t:IgnoreUnknown=1;MAC=02:00:00:00:00:77", busybox, *SLEEP)
    out = rocket("enter", uuid, "/bin/sh", "-c", "ip link show eth0; cat /proc/sys/net/core/somaxconn").stdout
    assert "mtu 1400" in out and "02:00:00:00:00:77" in out and out.endswith("99\n")
    assert check(rocket, uuid) == ""


def test_firewall(rocket, busybox, network, started):  # noqa: F811
    network("f", plugins=[{"type": "ptp", "ipam": host_local("10.77.0.0/24")}, {"type": "firewall", "backend": "iptables"}])
    rules = lambda: [line for line in net.sh("iptables-save").splitlines() if "10.77.0." in line]
    try:
        for killed in (False, True):
            process, uuid = started("--net=f", busybox, *SLEEP)
            assert len(rules()) == 2
            assert check(rocket, uuid) == ""
            kill_and_collect(rocket, process, uuid) if killed else stop(process)
            assert rules() == []
    finally:  # the plugin's own chains, made once for all
        for command in ("-F FORWARD", "-F CNI-FORWARD", "-F CNI-ADMIN", "-X CNI-FORWARD", "-X CNI-ADMIN"):
            net.sh("iptables", *command.split(), check=False)


def test_portmap_where_it_is_configured(rocket, make, network, outside, started):  # noqa: F811
    """Then it publishes, and Rocket does not. (Its CHECK asks for rules of families that the pod has no address of.)"""
    network("p", plugins=[{"type": "ptp", "ipMasq": True, "ipam": host_local("10.77.0.0/24")}, {"type": "portmap", "snat": True, "capabilities": {"portMappings": True}}])
    image = make("example.com/web", aci.app("/bin/sleep", "1000", ports=[{"name": "www", "protocol": "tcp", "port": 80}]), aci.busybox())
    before = net.remains()
    for killed in (False, True):
        process, uuid = started("--net=p", "--port=www:8080", image)
        with net.server(80, ["nsenter", "-t", (rocket.data / "pods/run" / uuid / "pid1").read_text().split()[0], "-n"]):
            assert net.ask(net.HOST4, 8080, inside=outside.command()) == net.OUTSIDE4
        assert "dnat" not in net.sh("nft", "list", "table", "inet", f"rocket-{uuid}")
        kill_and_collect(rocket, process, uuid) if killed else stop(process)
        assert net.remains() == before


def test_macvlan(rocket, busybox, network, outside, started):  # noqa: F811
    network("m", plugins=[{"type": "macvlan", "master": "up0", "ipam": {"type": "static", "addresses": [{"address": "192.0.2.100/24"}]}}])
    process, uuid = started("--net=m", busybox, *SLEEP)
    with net.server(7777, outside.command()):
        assert rocket("enter", uuid, "/bin/sh", "-c", f"echo ? | nc {net.OUTSIDE4} 7777").stdout == "192.0.2.100"
    assert check(rocket, uuid) == ""
    stop(process)


def test_ipvlan_or_what_the_kernel_says(rocket, busybox, network, outside):  # noqa: F811
    network("i", plugins=[{"type": "ipvlan", "master": "up0", "mode": "l2", "ipam": {"type": "static", "addresses": [{"address": "192.0.2.101/24"}]}}])
    has_ipvlan = "ipvlan" in net.sh("ip", "link", "add", "probe", "link", "up0", "type", "ipvlan", check=False) or pathlib.Path("/sys/class/net/probe").exists()
    net.sh("ip", "link", "del", "probe", check=False)
    before = net.remains()
    if has_ipvlan:
        with net.server(7777, outside.command()):
            assert rocket(*RUN, "--net=i", busybox, "--exec=/bin/sh", "--", "-c", f"echo ? | nc {net.OUTSIDE4} 7777").stdout == "192.0.2.101"
    else:
        assert 'network "i": plugin "ipvlan" (ADD): failed to create ipvlan: operation not supported' in rocket(*RUN, "--net=i", busybox, status=254).stderr
    assert net.remains() == before


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"])
def test_single_configurations_of_every_version(rocket, busybox, started, version):  # noqa: F811
    directory = rocket.local / "net.d"
    directory.mkdir(parents=True)
    (directory / "one.conf").write_text(json.dumps({"cniVersion": version, "name": "one", "type": "ptp", "ipMasq": True, "ipam": {"type": "host-local", "subnet": "10.99.0.0/24"}}))
    process, uuid = started("--net=one", busybox, *SLEEP)
    assert re.search(r"^networks=one:ip4=10\.99\.0\.\d+$", rocket("status", uuid).stdout, re.M)
    assert check(rocket, uuid) == ""  # plugins know it from 0.4.0 on; before, none is called
    stop(process)
