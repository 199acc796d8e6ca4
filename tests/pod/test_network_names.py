# SPDX-License-Identifier: Apache-2.0
"""/etc/resolv.conf and /etc/hosts of pods on networks: what plugins say, who finds whom (cli 7.3, internals 10.7)."""
import os
import pathlib

import pytest

import net
from conftest import HOST_IS_SYSTEMD, wait_for
from test_networks import RUN, addresses, network, nothing_is_left, started, stop  # noqa: F401

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="would change the machine's own network: runs in tier pod")


def ptp(number, **more):
    return [{"type": "ptp", "ipam": {"type": "host-local", "subnet": f"10.77.{number}.0/24"}, **more}]


def test_name_servers_of_all_networks(rocket, busybox, network):  # noqa: F811
    network("a", plugins=ptp(1, dns={"nameservers": ["10.77.1.1"], "search": ["a.example"]}))
    network("b", plugins=ptp(2, dns={"nameservers": ["10.77.2.1"], "domain": "b.example", "options": ["ndots:2"]}))

    def resolv_conf(*flags):
        return rocket(*RUN, *flags, busybox, "--exec=/bin/sh", "--", "-c", "cat /etc/resolv.conf 2>&1; true").stdout
    assert resolv_conf("--net=a,b").splitlines()[1:] == ["search a.example", "nameserver 10.77.1.1", "nameserver 10.77.2.1", "options ndots:2", "domain b.example"]
    assert "nameserver 1.1.1.1" in resolv_conf("--net=a", "--dns=1.1.1.1") and "10.77.1.1" not in resolv_conf("--net=a", "--dns=1.1.1.1")
    assert "No such file" in resolv_conf("--net=a", "--dns=none")
    assert "No such file" in resolv_conf("--net=default")  # the image has none, and nobody says anything


def hosts_of(rocket, uuid):
    return rocket("enter", uuid, "/bin/cat", "/etc/hosts").stdout


def test_pods_with_a_name_find_each_other(rocket, busybox, network, started):  # noqa: F811
    network("other", plugins=ptp(3))
    sleep = (busybox, "--exec=/bin/sleep", "--", "1000")
    first, one = started("--hostname=one", *sleep)
    assert f"{addresses(rocket, one)['default:ip4']}\tone\n" in hosts_of(rocket, one)
    second, two = started("--hostname=two", *sleep)
    _, apart = started("--hostname=apart", "--net=other", *sleep)
    _, nameless = started(*sleep)
    for family in ("ip4", "ip6"):
        line = f"{addresses(rocket, two)[f'default:{family}']}\ttwo\n"
        wait_for(lambda: line in hosts_of(rocket, one), "the second pod's name")
        assert f"{addresses(rocket, one)[f'default:{family}']}\tone\n" in hosts_of(rocket, two)
    assert "two" not in hosts_of(rocket, apart) and "two" not in hosts_of(rocket, nameless)
    assert "apart" not in hosts_of(rocket, one)
    with net.server(80, ["nsenter", "-t", (rocket.data / "pods/run" / two / "pid1").read_text().split()[0], "-n"]):
        asked = rocket("enter", one, "/bin/sh", "-c", "echo ? | nc two 80").stdout
    assert asked == addresses(rocket, one)["default:ip4"]
    stop(second)
    wait_for(lambda: "two" not in hosts_of(rocket, one), "the name to be gone")


def test_the_name_of_a_killed_pod_goes_with_gc(rocket, busybox, started):  # noqa: F811
    process, uuid = started("--hostname=one", busybox, "--exec=/bin/sleep", "--", "1000")
    assert pathlib.Path(f"/run/rocket/names/default/{uuid}").exists()
    process.kill()
    process.communicate()
    rocket("gc", "--grace-period=0s")
    assert not pathlib.Path(f"/run/rocket/names/default/{uuid}").exists()


def test_the_host_s_own_file_is_followed_when_it_is_replaced(rocket, busybox, started):  # noqa: F811
    """F14: resolvers replace it by a rename."""
    host = pathlib.Path("/etc/resolv.conf")
    before = host.read_bytes() if host.exists() else None

    def put(server):
        new = host.with_name("resolv.conf.new")
        new.write_text(f"nameserver {server}\n")
        os.rename(new, host)
    host.unlink(missing_ok=True)  # as early in a boot
    try:
        _, uuid = started("--net=none", "--dns=host", busybox, "--exec=/bin/sleep", "--", "1000")
        seen = lambda: rocket("enter", uuid, "/bin/cat", "/etc/resolv.conf").stdout
        assert seen() == ""
        for server in "192.0.2.53", "192.0.2.54":
            put(server)
            wait_for(lambda: seen() == f"nameserver {server}\n", "the new name server")  # noqa: B023
    finally:
        host.unlink(missing_ok=True) if before is None else host.write_bytes(before)
