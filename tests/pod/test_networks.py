# SPDX-License-Identifier: Apache-2.0
"""Networks of pods (cli 7.3, internals 10): the default network, those that are configured, who reaches whom, and that
nothing is left (L1, L8). On a host with a network of its own."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

import aci
import net
from conftest import HOST_IS_SYSTEMD, wait_for

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="would change the machine's own network: runs in tier pod")

RUN = ("--insecure-options=image", "run")
GATEWAY4, GATEWAY6 = "172.16.28.1", "fd72:6f63:6b65:1c::1"


@pytest.fixture(autouse=True)
def nothing_is_left(rocket):
    before = net.remains()
    yield
    running = [uuid for uuid in rocket.uuids() if rocket.state(uuid) == "running"]
    for uuid in running:
        rocket("stop", uuid)
    for uuid in running:
        rocket("status", "--wait=20s", uuid, timeout=30)
    assert net.remains() == before


@pytest.fixture
def outside():
    machine = net.Outside()
    yield machine
    machine.close()


@pytest.fixture
def network(rocket):
    """network(NAME, CONFIGURATION): a file NAME.conflist in the local net.d, of a network NAME or `called`."""
    def write(name, called=None, **config):
        directory = rocket.local / "net.d"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}.conflist").write_text(json.dumps({"cniVersion": "1.0.0", "name": called or name, **config}))
        return name
    return write


@pytest.fixture(params=["nftables", "iptables"])
def firewall(request, rocket, monkeypatch):
    """A host with nftables, and one with iptables only."""
    if request.param == "iptables":
        monkeypatch.setitem(rocket.environment, "ROCKET_NET_FIREWALL", "iptables")
    return request.param


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


@contextlib.contextmanager
def both_families(port, where=()):
    with net.server(port, where), net.server(port, where, family="6"):
        yield


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


def inside(rocket, uuid):
    """The beginning of a command in the pod's network."""
    return ["nsenter", "-t", (rocket.data / "pods/run" / uuid / "pid1").read_text().split()[0], "-n"]


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


def test_pod_and_host_reach_each_other_and_a_pod_sees_the_other(rocket, busybox, started):
    _, first = started(busybox, "--exec=/bin/sleep", "--", "1000")
    where = addresses(rocket, first)
    assert set(where) == {"default:ip4", "default:ip6"}
    with both_families(80, inside(rocket, first)), both_families(5555):
        for family, gateway, own in (("ip4", GATEWAY4, "172.16.28."), ("ip6", GATEWAY6, "fd72:6f63:6b65:1c:")):
            address = where[f"default:{family}"]
            assert net.ask(address, 80) == gateway
            out = rocket(*RUN, busybox, "--exec=/bin/sh", "--", "-c", f"echo ? | nc {gateway} 5555; echo; echo ? | nc {address} 80").stdout.split()
            assert out[0].startswith(own) and out[0] == out[1]


@pytest.mark.parametrize("family, address", [("4", net.OUTSIDE4), ("6", net.OUTSIDE6)])
def test_the_world_outside_sees_the_host(rocket, busybox, outside, family, address):
    with net.server(7777, outside.command(), family=family):
        seen = rocket(*RUN, busybox, "--exec=/bin/sh", "--", "-c", f"echo ? | nc {address} 7777").stdout
    assert seen == (net.HOST6 if family == "6" else net.HOST4)


def test_a_restricted_network_ends_at_the_host(rocket, busybox, outside, started, firewall):
    """Also for a pod that makes itself a route: what it sends is dropped, not only unrouted."""
    with net.server(7777, outside.command()), net.server(7778):
        script = ("ip route add default via 172.31.0.1; ip route | grep -q default && echo has a route; "
                  f"echo ? | nc -w 2 {net.OUTSIDE4} 7777 || echo no way out; echo ? | nc -w 5 172.31.0.1 7778")
        out = rocket(*RUN, "--net=default-restricted", busybox, "--caps-retain=CAP_NET_ADMIN,CAP_NET_BIND_SERVICE", "--exec=/bin/sh", "--", "-c", script).stdout
    assert "has a route\nno way out\n172.31." in out
    assert "default via" not in rocket(*RUN, "--net=default-restricted", busybox, "--exec=/bin/ip", "--", "route").stdout
    process, uuid = started("--net=default-restricted", busybox, "--exec=/bin/sleep", "--", "1000")
    address = addresses(rocket, uuid)["default-restricted:ip4"]
    net.sh(*outside.command("ip", "route", "add", "172.31.0.0/16", "via", net.HOST4))
    with net.server(80, inside(rocket, uuid)):
        assert net.ask(address, 80) == "172.31.0.1"  # the host
        assert net.ask(address, 80, inside=outside.command(), seconds=1, check=False) == ""


@pytest.mark.parametrize("native", [True, False], ids=["nftables", "iptables"])
def test_a_host_that_drops_what_it_forwards_lets_pods_through(rocket, make, outside, started, monkeypatch, native):
    """F6: the policy DROP, as other container engines and firewalls set it."""
    if not native:
        monkeypatch.setitem(rocket.environment, "ROCKET_NET_FIREWALL", "iptables")
    image = make("example.com/web", aci.app("/bin/sleep", "1000", ports=[{"name": "www", "protocol": "tcp", "port": 80}]), aci.busybox())
    try:
        for program in ("iptables", "ip6tables"):
            net.sh(program, "-P", "FORWARD", "DROP")
        before = net.remains()
        process, uuid = started("--port=www:8080", image)
        with net.server(7777, outside.command()):
            assert net.ask(net.OUTSIDE4, 7777, inside=inside(rocket, uuid)) == net.HOST4
        with both_families(80, inside(rocket, uuid)):
            assert net.ask(net.HOST4, 8080, inside=outside.command()) == net.OUTSIDE4
            assert net.ask(net.HOST6, 8080, inside=outside.command()) == net.OUTSIDE6
        kill_and_collect(rocket, process, uuid)
        assert net.remains() == before
    finally:
        for program in ("iptables", "ip6tables"):
            net.sh(program, "-P", "FORWARD", "ACCEPT")


@pytest.mark.parametrize("flags, message", [
    ([], 'network "default" needs masquerading'),
    (["--net=default-restricted"], 'network "default-restricted" needs restricting'),
])
def test_a_host_without_any_firewall_is_told_what_to_install(rocket, busybox, flags, message):
    done = rocket(*RUN, *flags, busybox, status=254, env={"ROCKET_NET_FIREWALL": "none"})
    assert message in done.stderr and "install the package iptables, or use --net=none or --net=host" in done.stderr


# --- networks that are configured

def test_several_networks_with_arguments_in_the_order_of_their_files(rocket, busybox, network, bridges):
    network("10-a", called="a", plugins=bridge(1))
    network("20-b", called="b", plugins=[*bridge(2), {"type": "tuning", "sysctl": {"net.ipv4.conf.eth1.log_martians": "1"}}])
    out = rocket(*RUN, "--net=default,b,a:IP=10.88.1.77;MAC=02:00:00:00:00:77", busybox, "--exec=/bin/sh", "--", "-c",
                 "for i in 0 1 2; do ip -4 addr show eth$i | grep -o 'inet [0-9.]*'; done; ip link show eth0 | grep -o 02:00:00:00:00:77; cat /proc/sys/net/ipv4/conf/eth1/log_martians").stdout
    assert re.fullmatch(r"inet 10\.88\.1\.77\ninet 10\.88\.2\.\d+\ninet 172\.16\.28\.\d+\n02:00:00:00:00:77\n1\n", out)


def test_all_networks_and_an_old_configuration(rocket, busybox, network):
    directory = rocket.local / "net.d"
    directory.mkdir(parents=True)
    (directory / "old.conf").write_text(json.dumps({"name": "old", "type": "ptp", "ipam": {"type": "host-local", "subnet": "10.99.0.0/24"}}))
    out = rocket(*RUN, "--net=all", busybox, "--exec=/bin/ip", "--", "-4", "addr").stdout
    for subnet in ("172.16.28.", "172.31.", "10.99.0."):
        assert f"inet {subnet}" in out


def test_a_configured_network_replaces_the_built_in_one_and_says_so(rocket, busybox, network):
    network("default", plugins=[{"type": "ptp", "ipam": {"type": "host-local", "subnet": "10.77.0.0/24"}}])
    done = rocket(*RUN, busybox, "--exec=/bin/ip", "--", "addr", "show", "eth0")
    assert "inet 10.77.0." in done.stdout and "inet6 fd72" not in done.stdout
    assert 'network "default"' in done.stderr and "replaces the built-in network" in done.stderr


def test_pods_on_a_bridge(rocket, busybox, network, bridges, started):
    network("a", plugins=bridge(1))
    _, first = started("--net=a", busybox, "--exec=/bin/sleep", "--", "1000")
    where = addresses(rocket, first)
    with both_families(80, inside(rocket, first)):
        out = rocket(*RUN, "--net=a", busybox, "--exec=/bin/sh", "--", "-c",
                     f"echo ? | nc {where['a:ip4']} 80; echo; echo ? | nc {where['a:ip6']} 80").stdout.split()
    assert out[0].startswith("10.88.1.") and out[1].startswith("fd00:88:1::")


@pytest.mark.parametrize("flags, message", [
    (["--net=nothing"], "networks not found: nothing"),
    (["--net=broken"], 'needs the CNI plugin "no-such-plugin"'),
    (["--net=a,a"], 'found duplicate netname "a"'),
    (["--net=a", "--net=a"], 'found duplicate netname "a"'),
    (["--net=none", "--net"], 'network "none" cannot be combined'),
])
def test_what_is_not_there_is_refused_before_there_is_a_pod(rocket, busybox, network, flags, message):
    network("broken", plugins=[{"type": "no-such-plugin"}])
    done = rocket(*RUN, *flags, busybox, status=254)
    assert message in done.stderr
    assert rocket.uuids() == []


def test_list_and_status_show_networks(rocket, busybox, started):
    process, uuid = started(busybox, "--exec=/bin/sleep", "--", "100")
    shown = json.loads(rocket("status", "--format=json", uuid).stdout)["networks"]
    assert len(shown) == 1
    assert {**shown[0], "ip": "", "ip6": ""} == {"netName": "default", "netConf": "built-in", "pluginPath": "/usr/lib/cni/ptp", "ifName": "eth0", "args": "",
                                                 "mask": "255.255.255.0", "prefix6": "64", "ip": "", "ip6": ""}
    assert f"default:ip4={shown[0]['ip']}, default:ip6={shown[0]['ip6']}" in rocket("list").stdout
    assert json.loads(rocket("list", "--format=json").stdout)[0]["networks"] == shown
    machine = f"rkt-{uuid}"
    assert shown[0]["ip"] in net.sh("machinectl", "list", "--no-legend")
    assert shown[0]["ip"] in net.sh("machinectl", "status", machine)
    stop(process)
    assert f"networks=default:ip4={shown[0]['ip']}" in rocket("status", uuid).stdout


def test_a_pod_in_a_unit_is_a_machine_with_its_interface(rocket, busybox):
    """cli 9.2: in a unit the pod is registered where it is, when its network is up; from a shell (above) in a scope."""
    saved = rocket.home / "uuid"
    environment = [f"--setenv={name}={value}" for name, value in rocket.environment.items()]
    net.sh("systemd-run", "--quiet", "--unit=networked", "--property=Delegate=yes", *environment,
           *rocket.command(*RUN, f"--uuid-file-save={saved}", busybox, "--exec=/bin/sleep", "--", "1000"))
    try:
        wait_for(lambda: saved.exists() and saved.read_text(), "the pod's UUID")
        uuid = saved.read_text()
        rocket("status", "--wait-ready=30s", uuid, timeout=40)
        address = addresses(rocket, uuid)["default:ip4"]
        wait_for(lambda: address in net.sh("machinectl", "list", "--no-legend"), "the machine's address")
        status = net.sh("machinectl", "status", "--no-pager", f"rkt-{uuid}")
        assert address in status and re.search(r"Iface: veth", status)
    finally:
        net.sh("systemctl", "stop", "networked", check=False)
        net.sh("systemctl", "reset-failed", "networked", check=False)


def test_check_asks_the_plugins(rocket, busybox, started):
    process, uuid = started(busybox, "--exec=/bin/sleep", "--", "100")
    directory = rocket.data / "pods/run" / uuid
    helper = json.loads((directory / "runtime.json").read_text())["stage1_rootfs"] + "/rocket/network"
    net.sh(helper, "check", uuid, cwd=directory)
    veth = json.loads((directory / "net/state.json").read_text())["networks"][0]["result"]["interfaces"][0]["name"]
    net.sh("ip", "link", "del", veth)
    done = subprocess.run([helper, "check", uuid], cwd=directory, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 254 and 'plugin "ptp" (CHECK)' in done.stderr
    stop(process)
    done = subprocess.run([helper, "check", uuid], cwd=directory, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 254 and "is not running" in done.stderr


def test_apps_wait_for_the_network(rocket, busybox, network):
    """A plugin that takes its time: the app sees what it did, never the time before."""
    slow = rocket.local / "net.d/slow"
    slow.parent.mkdir(parents=True)
    slow.write_text('#!/bin/sh\n[ "$CNI_COMMAND" != ADD ] || sleep 0.5\nexec /usr/lib/cni/ptp\n')
    slow.chmod(0o755)
    network("s", plugins=[{"type": "slow", "ipam": {"type": "host-local", "subnet": "10.77.0.0/24"}}])
    assert "inet 10.77.0." in rocket(*RUN, "--net=s", busybox, "--exec=/bin/ip", "--", "addr").stdout


# --- nothing is left, whatever ends it (L1, L8)

def test_many_pods_at_once_on_one_bridge(rocket, busybox, network, bridges):
    """No address twice, nothing left. ROCKET_NET_PODS says how many; more than 35 need a host that gives root more inotify
    instances (HACKING.md)."""
    pods = int(os.environ.get("ROCKET_NET_PODS", "30"))
    network("a", plugins=bridge(1))
    rocket(*RUN, "--net=a", busybox)  # the bridge stays
    before = net.remains()
    rocket.fetch(busybox)
    processes = [rocket.start(*RUN, "--net=a", "--pull-policy=never", "example.com/busybox", "--exec=/bin/sh", "--", "-c",
                              "ip addr show eth0; trap 'exit 0' TERM; sleep 1000 & wait") for _ in range(pods)]
    wait_for(lambda: sum("a:ip4=" in line for line in rocket("list", "--no-legend", timeout=60).stdout.splitlines()) == pods + 1, "all pods", seconds=180)
    for uuid in rocket.uuids():
        if rocket.state(uuid) == "running":
            rocket("status", "--wait-ready=60s", uuid, timeout=70)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    for pattern in (r"inet (10\.88\.1\.\d+)", r"inet6 (fd00:88:1::[0-9a-f]+)"):
        assert len({re.search(pattern, out)[1] for out in outputs}) == pods
    assert net.remains() == before


def kill_and_collect(rocket, process, uuid):
    process.kill()
    process.communicate()
    wait_for(lambda: rocket.state(uuid) == "exited", "the pod's end")
    rocket("gc", "--grace-period=0s")
    assert rocket.uuids() == []


@pytest.mark.parametrize("flags", [["--net=default"], ["--net=default", "--port=www:8080"]], ids=["plain", "ports"])
def test_a_killed_supervisor_leaves_nothing_after_gc(rocket, make, started, firewall, flags):
    image = make("example.com/web", aci.app("/bin/sleep", "1000", ports=[{"name": "www", "protocol": "tcp", "port": 80}]), aci.busybox())
    before = net.remains()
    process, uuid = started(*flags, image)
    assert net.remains() != before
    kill_and_collect(rocket, process, uuid)
    assert net.remains() == before


def logging_plugin(rocket, name, script):
    """A plugin of our own, on the way to ptp."""
    path = rocket.local / "net.d" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("victim", ["supervisor", "plugin", "helper"])
def test_killed_while_a_plugin_works(rocket, busybox, network, moment, victim):
    """The supervisor, the helper, or the plugin itself is killed before or after the plugin has done its work."""
    stopped = f'echo $PPID $$ > {rocket.home}/reached.new; mv {rocket.home}/reached.new {rocket.home}/reached; exec sleep 100'
    work = 'printf %s "$input" | /usr/lib/cni/ptp'
    logging_plugin(rocket, "halting", 'input=$(cat)\n[ "$CNI_COMMAND" = ADD ] || { ' + work + "; exit; }\n" +
                   (f"{stopped}\n" if moment == "before" else f"{work} > /dev/null\n{stopped}\n"))
    network("h", plugins=[{"type": "halting", "ipam": {"type": "host-local", "subnet": "10.77.0.0/24"}}, {"type": "tuning"}])
    before = net.remains()
    process = rocket.start(*RUN, "--net=h", busybox, "--exec=/bin/sleep", "--", "100")
    wait_for((rocket.home / "reached").exists, "the plugin")
    helper, plugin = map(int, (rocket.home / "reached").read_text().split())
    os.kill({"supervisor": process.pid, "helper": helper, "plugin": plugin}[victim], signal.SIGKILL)
    _, errors = process.communicate(timeout=30)
    if victim != "supervisor":
        assert process.returncode == 254 and "network" in errors
        assert net.remains() == before  # undone at once, not by gc
    rocket("gc", "--grace-period=0s")
    assert rocket.uuids() == []
    assert net.remains() == before


def test_gc_waits_for_a_plugin_that_outlives_its_caller(rocket, busybox, network):
    """What a killed supervisor's plugin has started goes on working: its lease must not come after gc has looked."""
    logging_plugin(rocket, "slow", 'input=$(cat)\n[ "$CNI_COMMAND" != ADD ] || { touch ' + f"{rocket.home}/reached" +
                   '; (sleep 1; printf %s "$input" | /usr/lib/cni/host-local > /dev/null 2>&1) > /dev/null 2>&1 & wait; exit; }\n'
                   'printf %s "$input" | /usr/lib/cni/host-local\n')
    network("s", plugins=[{"type": "slow", "ipam": {"type": "host-local", "subnet": "10.77.0.0/24"}}])
    before = net.remains()
    process = rocket.start(*RUN, "--net=s", busybox, "--exec=/bin/sleep", "--", "100")
    wait_for((rocket.home / "reached").exists, "the plugin")
    process.kill()
    process.communicate()
    rocket("gc", "--grace-period=0s")
    assert rocket.uuids() == []
    assert net.remains() == before


@pytest.mark.parametrize("script, message", [
    ("exit 0", "it printed no result"),
    ("echo nonsense", "what it printed is not valid JSON"),
    ("echo '[]'", "must be an object"),
    ("""echo '{"ips":[{"address":"1.2.3.4; drop"}]}'""", "is not an address with a prefix"),
    ("""echo '{"code":7,"msg":"no more addresses","details":"ask tomorrow"}'; exit 1""", "no more addresses; ask tomorrow"),
    ("echo broken pipe dream >&2; exit 3", "exit status 3: broken pipe dream"),
    ("kill -9 $$", "killed by signal 9"),
    ("""echo '{"code":999}'; exit 11""", "exit status 11"),
    ("""echo '{"ips":[{"gateway":"10.0.0.1"}]}'""", "address"),
    ("""echo '{"interfaces":[{"name":"../../etc"}]}'""", "is no name of an interface"),
    ("""printf %s '{"dns":{"nameservers":["1.1.1.1\\noptions evil"]}}'""", "has no address"),
    ("yes >&2", "it printed more than"),
    ("yes | head -c 3000000", "it printed more than"),
    ("sleep 100", "it did not end within 1 s"),
    ("printf '\\033]0;evil\\007' >&2; exit 1", "\\x1b]0;evil"),
])
def test_a_plugin_that_misbehaves_is_named_and_all_is_undone(rocket, busybox, network, script, message):
    logging_plugin(rocket, "bad", f'cat > /dev/null\n[ "$CNI_COMMAND" = ADD ] || exit 0\n{script}\n')
    network("first", plugins=[{"type": "ptp", "ipMasq": True, "ipam": {"type": "host-local", "subnet": "10.77.0.0/24"}}])
    network("second", plugins=[{"type": "ptp", "ipam": {"type": "host-local", "subnet": "10.78.0.0/24"}}, {"type": "bad"}])
    before = net.remains()
    done = rocket(*RUN, "--net=first,second", busybox, status=254, env={"ROCKET_CNI_TIMEOUT": "1"})
    assert message in done.stderr and 'network "second"' in done.stderr and 'plugin "bad"' in done.stderr
    assert net.remains() == before


@pytest.mark.parametrize("flags, config, message", [
    (["--port=www:8080"], {}, "gave the pod no address"),
    (["--port=www:[2001:db8::1]:8080"], {"ips": [{"address": "10.77.0.5/24"}]}, "gave the pod no IPv6 address"),
    ([], {"restricted": True, "ips": [{"address": "10.77.0.5/24"}]}, "cannot be restricted"),
])
def test_a_result_that_does_not_do_for_what_is_asked_is_an_error(rocket, make, network, flags, config, message):
    """Partial results: not a pod whose ports lead nowhere, or whose network is open."""
    image = make("example.com/web", aci.app("/bin/sleep", "1000", ports=[{"name": "www", "protocol": "tcp", "port": 80}]), aci.busybox())
    result = json.dumps({"cniVersion": "1.0.0", "ips": config.pop("ips", [])})
    logging_plugin(rocket, "partial", f"cat > /dev/null\n[ $CNI_COMMAND != ADD ] || echo '{result}'\n")
    network("p", plugins=[{"type": "partial"}], **config)
    before = net.remains()
    assert message in rocket(*RUN, "--net=p", *flags, image, status=254).stderr
    assert net.remains() == before


@pytest.mark.parametrize("argument, message", [
    ("MAC=02:00:00:00:00:77", 'network "default" did not give the pod\'s interface the address "02:00:00:00:00:77"'),
    ("IP=10.9.9.9", "failed to allocate all requested IPs: 10.9.9.9"),
    ("mac=1", 'unknown args ["mac=1"]'),
])
def test_arguments_that_come_to_nothing_are_errors(rocket, busybox, argument, message):
    before = net.remains()
    assert message in rocket(*RUN, f"--net=default:{argument}", busybox, status=254).stderr
    assert net.remains() == before


def test_a_plugin_that_refuses_all_calls_keeps_no_pod(rocket, busybox, network):
    """Others that had not been called are not, then; those that were are, and keep the pod if they fail."""
    logging_plugin(rocket, "no", """cat > /dev/null; echo '{"code": 100, "msg": "no cable"}'; exit 1\n""")
    logging_plugin(rocket, "never", f"touch {rocket.home}/called; exit 1\n")
    network("10-n", called="n", plugins=[{"type": "ptp", "ipam": {"type": "host-local", "subnet": "10.77.0.0/24"}}, {"type": "no"}, {"type": "never"}])
    network("20-m", called="m", plugins=[{"type": "never"}])
    before = net.remains()
    done = rocket(*RUN, "--net=n,m", busybox, status=254)
    assert 'network "n": plugin "no" (ADD): no cable' in done.stderr and "DEL" not in done.stderr
    assert not (rocket.home / "called").exists() and net.remains() == before
    rocket("gc", "--grace-period=0s")
    assert rocket.uuids() == []


def test_what_a_plugin_prints_in_del_does_not_matter(rocket, busybox, network):
    logging_plugin(rocket, "noisy", 'cat > /dev/null\n[ $CNI_COMMAND != ADD ] || { echo "{}"; exit; }\necho nonsense\n')
    network("n", plugins=[{"type": "noisy"}])
    assert "warning" not in rocket(*RUN, "--net=n", busybox).stderr


def test_the_calling_contract(rocket, busybox, network):
    """What a plugin is given: exactly the specified environment, the list's name and version, the result so far; DEL with the
    same arguments and the final result, from last to first."""
    log = rocket.home / "log"
    logging_plugin(rocket, "spy", f'input=$(cat)\n{{ env | sort | grep -v -e ^PWD= -e ^SHLVL= -e ^_=; printf "%s\\n=\\n" "$input"; }} >> {log}\n'
                   'echo "$input" | sed "s/.*\\"prevResult\\"://; s/}$//"\n')
    network("n", plugins=[{"type": "ptp", "ipam": {"type": "host-local", "subnet": "10.77.0.0/24"}},
                          {"type": "spy", "mine": 1, "capabilities": {"ips": True}}])
    uuid = rocket.home / "uuid"
    rocket(*RUN, f"--uuid-file-save={uuid}", "--net=n:IP=10.77.0.9", busybox)
    calls = [call.rsplit("\n", 1) for call in log.read_text().split("\n=\n")[:-1]]
    add, delete = [(dict(line.split("=", 1) for line in environment.splitlines()), json.loads(text)) for environment, text in calls]
    assert set(add[0]) == {"PATH", "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"}
    assert (add[0]["CNI_COMMAND"], delete[0]["CNI_COMMAND"]) == ("ADD", "DEL")
    assert add[0]["CNI_CONTAINERID"] == uuid.read_text() and add[0]["CNI_IFNAME"] == "eth0" and add[0]["CNI_ARGS"] == "IgnoreUnknown=1;IP=10.77.0.9"
    assert re.fullmatch(r"/proc/\d+/fd/\d+", add[0]["CNI_NETNS"])
    assert {**add[0], "CNI_COMMAND": ""} == {**delete[0], "CNI_COMMAND": ""}
    assert (add[1]["name"], add[1]["cniVersion"], add[1]["mine"]) == ("n", "1.0.0", 1)
    assert add[1]["runtimeConfig"] == {"ips": ["10.77.0.9"]}
    assert add[1]["prevResult"]["ips"][0]["address"] == "10.77.0.9/24"
    assert delete[1] == add[1]
