# SPDX-License-Identifier: Apache-2.0
"""Networks that need parts of the kernel which not every machine has, on one that has them."""
import subprocess

import pytest

import aci
import net
from conftest import wait_for
from test_networks import addresses, inside, network, started, stop  # noqa: F401

pytestmark = pytest.mark.vm

SLEEP = ("--exec=/bin/sleep", "--", "1000")
SCTP_SERVER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
s.bind(("", 2905))
s.listen()
while True:
    c, _ = s.accept()
    c.sendall(b"answer to " + c.recv(100))
    c.close()
"""


@pytest.fixture
def link():
    """A link of the host's that leads nowhere."""
    net.sh("modprobe", "-a", "dummy")
    net.sh("ip", "link", "add", "rk-up", "type", "dummy")
    net.sh("ip", "link", "set", "rk-up", "up")
    yield "rk-up"
    net.sh("ip", "link", "del", "rk-up")


@pytest.mark.parametrize("kind", ["ipvlan", "macvlan"])
def test_pods_on_a_link_of_the_host_reach_each_other(rocket, busybox, network, started, link, kind):  # noqa: F811
    ipam = {"type": "host-local", "ranges": [[{"subnet": "10.89.1.0/24", "rangeStart": "10.89.1.10"}]]}
    mode = {"mode": "bridge"} if kind == "macvlan" else {"mode": "l2"}
    network("v", plugins=[{"type": kind, "master": link, "ipam": ipam, **mode}])
    before = net.remains()
    first, one = started("--net=v", busybox, *SLEEP)
    second, two = started("--net=v", busybox, *SLEEP)
    address = rocket("status", one).stdout.split("v:ip4=")[1].split()[0].rstrip(",")
    pid = (rocket.data / "pods/run" / two / "pid1").read_text().split()[0]
    assert " 0% packet loss" in net.sh("nsenter", "-t", pid, "-n", "busybox", "ping", "-c", "2", "-W", "10", address)
    for process in (first, second):
        stop(process)
    rocket("gc", "--grace-period=0s")
    assert net.remains() == before


@pytest.fixture
def far():
    """A namespace at the other end of the link rk-up, where VLAN 7 has an address."""
    net.sh("modprobe", "-a", "8021q", "vrf")
    net.sh("ip", "netns", "add", "rk-far")
    net.sh("ip", "link", "add", "rk-up", "type", "veth", "peer", "name", "far", "netns", "rk-far")
    for words in ("link set far up", "link add link far name far.7 type vlan id 7", "link set far.7 up", "addr add 10.89.7.2/24 dev far.7"):
        net.sh("ip", "-n", "rk-far", *words.split())
    net.sh("ip", "link", "set", "rk-up", "up")
    yield ("ip", "netns", "exec", "rk-far")
    net.sh("ip", "netns", "del", "rk-far")


def test_vlans_routes_by_source_and_vrfs(rocket, busybox, network, started, far):  # noqa: F811
    ipam = {"type": "host-local", "ranges": [[{"subnet": "10.89.7.0/24", "rangeStart": "10.89.7.10"}]], "routes": [{"dst": "0.0.0.0/0"}]}
    network("v", plugins=[{"type": "vlan", "master": "rk-up", "vlanId": 7, "ipam": ipam}, {"type": "sbr"}])
    network("w", plugins=[{"type": "ptp", "ipam": {"type": "host-local", "subnet": "10.89.8.0/24"}}, {"type": "vrf", "vrfname": "blue"}])
    before = net.remains()
    process, uuid = started("--net=v", "--net=w", busybox, *SLEEP)
    address = addresses(rocket, uuid)["v:ip4"]
    assert " 0% packet loss" in net.sh(*far, "busybox", "ping", "-c", "2", "-W", "10", address)
    pid = (rocket.data / "pods/run" / uuid / "pid1").read_text().split()[0]
    here = ("nsenter", "-t", pid, "-n")
    assert f"from {address} lookup" in net.sh(*here, "ip", "rule")
    assert "master blue" in net.sh(*here, "ip", "link", "show", "eth1")
    stop(process)
    rocket("gc", "--grace-period=0s")
    assert net.remains() == before


def test_sctp_is_published(rocket, make, started):  # noqa: F811
    net.sh("modprobe", "-a", "sctp")
    links = [aci.symlink(f"rootfs/{name}", f"usr/{name}") for name in ("bin", "lib", "lib64")]
    app = {**aci.app("/usr/bin/python3", "/server.py"), "mountPoints": [{"name": "usr", "path": "/usr", "readOnly": True}],
           "ports": [{"name": "sig", "protocol": "sctp", "port": 2905}]}
    image = make("example.com/sctp", app, [aci.directory("rootfs/usr"), *links, aci.file("rootfs/server.py", SCTP_SERVER)])
    process, _ = started("--volume=usr,kind=host,source=/usr,readOnly=true", "--port=sig:2906", image)
    client = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132); s.settimeout(20); s.connect(('127.0.0.1', 2906)); s.sendall(b'x'); print(s.recv(99))"
    answer = wait_for(lambda: subprocess.run(["python3", "-c", client], capture_output=True, text=True, check=False).stdout, "an answer", seconds=60)
    assert answer == "b'answer to x'\n"
    stop(process)
