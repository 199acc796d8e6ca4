# SPDX-License-Identifier: Apache-2.0
"""--port (cli 7.3, internals 10.6): who reaches a published port, and who may have it (F6)."""
import json

import pytest

import aci
import net
from conftest import HOST_IS_SYSTEMD
from test_networks import (GATEWAY4, RUN, both_families, bridge, bridges, firewall, inside, network, nothing_is_left,  # noqa: F401
                           outside, started, stop)

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="would change the machine's own network: runs in tier pod")

EVERYWHERE = ["127.0.0.1", net.HOST4, net.HOST6]


@pytest.fixture
def web(make):
    """web(PORT...): an image whose app has these ports; what listens on them the tests put there."""
    def image(*ports, name="web"):
        ports = ports or ({"name": "www", "protocol": "tcp", "port": 80},)
        return make(f"example.com/{name}", aci.app("/bin/sleep", "1000", ports=list(ports)), aci.busybox())
    return image


@pytest.mark.parametrize("kind", ["default", "bridge"])
def test_a_published_port_is_reached_from_all_sides(rocket, web, busybox, outside, network, bridges, started, firewall, kind):  # noqa: F811
    network("bridge", plugins=bridge(1))
    rocket(*RUN, "--net=bridge", busybox)  # the bridge stays
    before = net.remains()
    process, uuid = started(f"--net={kind}", "--port=www:8080", web())
    neighbour, other = started(f"--net={kind}", busybox, "--exec=/bin/sleep", "--", "1000")
    with both_families(80, inside(rocket, uuid)):
        for address in EVERYWHERE:
            assert net.ask(address, 8080), f"from the host, {address}"
        with pytest.raises(AssertionError, match="Connection refused"):  # at once: who tries `localhost` goes on to 127.0.0.1
            net.ask("::1", 8080)
        for address, seen in ((net.HOST4, net.OUTSIDE4), (net.HOST6, net.OUTSIDE6)):
            assert net.ask(address, 8080, inside=outside.command()) == seen, f"from outside, {address}"
            assert net.ask(address, 8080, inside=inside(rocket, uuid)), f"from the pod itself, {address}"
            assert net.ask(address, 8080, inside=inside(rocket, other)), f"from its neighbour, {address}"
    stop(process)
    stop(neighbour)
    assert net.ask(net.HOST4, 8080, seconds=1, check=False) == ""
    assert net.remains() == before


def test_only_where_it_is_published(rocket, web, outside, started):  # noqa: F811
    _, first = started("--port=www:127.0.0.1:8080", web())
    with both_families(80, inside(rocket, first)):
        assert net.ask("127.0.0.1", 8080)
        for address in (net.HOST4, net.HOST6):
            assert net.ask(address, 8080, inside=outside.command(), seconds=1, check=False) == ""
    _, second = started(f"--port=www:[{net.HOST6}]:8080", web())
    with both_families(80, inside(rocket, second)):
        assert net.ask(net.HOST6, 8080, inside=outside.command()) == net.OUTSIDE6
        assert net.ask(net.HOST4, 8080, inside=outside.command(), seconds=1, check=False) == ""


def test_ranges(rocket, web, outside, started):  # noqa: F811
    _, uuid = started("--port=a:8000", "--port=b:9000", web({"name": "a", "protocol": "tcp", "port": 8000, "count": 3}, {"name": "b", "protocol": "tcp", "port": 100, "count": 3}))
    for host, pod in ((8002, 8002), (9000, 100), (9002, 102)):
        with both_families(pod, inside(rocket, uuid)):
            assert net.ask(net.HOST4, host, inside=outside.command()) == net.OUTSIDE4
            assert net.ask(net.HOST6, host, inside=outside.command()) == net.OUTSIDE6
            assert net.ask(net.HOST4, host + 1, inside=outside.command(), seconds=1, check=False) == ""


def test_udp_and_sctp(rocket, web, outside, started):  # noqa: F811
    image = web({"name": "dns", "protocol": "udp", "port": 53}, {"name": "sig", "protocol": "sctp", "port": 2905})
    _, uuid = started("--port=dns:5353", "--port=sig:2905", image)
    with net.server(53, inside(rocket, uuid), kind="udp"):
        assert net.ask(net.HOST4, 5353, kind="udp", inside=outside.command()) == net.OUTSIDE4
    assert "sctp dport 2905" in net.sh("nft", "list", "table", "inet", f"rocket-{uuid}")


def test_the_host_s_loopback_is_not_the_pod_s(rocket, web, busybox, started, firewall):  # noqa: F811
    """Publishing on 127.0.0.1 routes it to the pod's interface; the pod must not come back that way."""
    _, uuid = started("--port=www:8080", web())
    veth = json.loads((rocket.data / "pods/run" / uuid / "net/state.json").read_text())["localRoutes"][0]
    assert net.sh("cat", f"/proc/sys/net/ipv4/conf/{veth}/route_localnet") == "1\n"
    pod = inside(rocket, uuid)
    net.sh(*pod, "sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1")
    net.sh(*pod, "ip", "addr", "del", "127.0.0.1/8", "dev", "lo")
    net.sh(*pod, "ip", "route", "del", "table", "local", "127.0.0.0/8", check=False)
    net.sh(*pod, "ip", "route", "add", "127.0.0.1", "via", GATEWAY4)
    with net.server(7777):
        assert net.ask("127.0.0.1", 7777) == "127.0.0.1"
        assert net.ask("127.0.0.1", 7777, inside=pod, seconds=1, check=False) == ""


def test_ports_that_are_taken_are_refused_before_anything_starts(rocket, web, started):  # noqa: F811
    _, first = started("--port=www:8080", web())
    for port in ("8080", "127.0.0.1:8080", "[2001:db8::1]:8080"):
        done = rocket(*RUN, f"--port=www:{port}", web(), status=254)
        assert f'pod "{first}" has published 8080/tcp' in done.stderr
    assert "nothing can be published on the IPv6 loopback" in rocket(*RUN, "--port=www:[::1]:8085", web(), status=254).stderr
    with net.server(8081):
        assert "a program of the host listens on 0.0.0.0 8081" in rocket(*RUN, "--port=www:8081", web(), status=254).stderr
    twice = web({"name": "a", "protocol": "tcp", "port": 80}, {"name": "b", "protocol": "tcp", "port": 81}, name="two")
    assert "already mapped" in rocket(*RUN, "--port=a:8082", "--port=b:8082", twice, status=254).stderr
    assert "could not be found" in rocket(*RUN, "--port=other:8083", web(), status=254).stderr
    assert rocket.uuids() == [first]
    prepared = rocket("--insecure-options=image", "prepare", "--port=www:8080", web()).stdout.strip()
    assert f'pod "{first}" has published' in rocket("run-prepared", prepared, status=254).stderr
    assert rocket.state(prepared) == "prepared"
    assert "--port flag does not work with 'none'" in rocket("run-prepared", "--net=none", prepared, status=254).stderr


def test_the_port_of_a_killed_pod_is_taken_back_by_the_next(rocket, web, started):  # noqa: F811
    """A unit that restarts its pod does not wait for gc (L1)."""
    process, uuid = started("--port=www:8080", web())
    process.kill()
    process.communicate()
    process, second = started("--port=www:8080", web())
    with net.server(80, inside(rocket, second)):
        assert net.ask("127.0.0.1", 8080)
    assert uuid not in net.sh("nft", "list", "tables")
    stop(process)
