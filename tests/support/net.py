# SPDX-License-Identifier: Apache-2.0
"""A small world around the host that the tests run on: a second machine, as a network namespace, behind a link of the
host's; and what a pod's network could leave behind on the host."""
import contextlib
import itertools
import json
import pathlib
import re
import subprocess

HOST4, OUTSIDE4 = "192.0.2.1", "192.0.2.2"
HOST6, OUTSIDE6 = "2001:db8::1", "2001:db8::2"
counter = itertools.count()


def sh(*command, check=True, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=60, **options)
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


class Outside:
    """The second machine: it knows the host's link and has no route to pods."""

    def __init__(self):
        self.name = f"out{next(counter)}"
        sh("ip", "netns", "add", self.name)
        sh("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1", "netns", self.name)
        for prefix, device, v4, v6 in (((), "up0", HOST4, HOST6), (("netns", "exec", self.name, "ip"), "up1", OUTSIDE4, OUTSIDE6)):
            sh("ip", *prefix, "addr", "add", f"{v4}/24", "dev", device)
            sh("ip", *prefix, "addr", "add", f"{v6}/64", "dev", device, "nodad")
            sh("ip", *prefix, "link", "set", device, "up")
        sh(*self.command("ip", "link", "set", "lo", "up"))

    def command(self, *command):
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def close(self):
        sh("ip", "link", "del", "up0", check=False)
        sh("ip", "netns", "del", self.name, check=False)


PEER = """
import socket, sys
kind, family, address, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
s = socket.socket(socket.AF_INET6 if family == "6" else socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
s.settimeout(float(sys.argv[5]) if len(sys.argv) > 5 else 5)
s.connect((address, port))
s.send(b"?\\n")
sys.stdout.write(s.recv(1000).decode())
"""

SERVER = """
import os, socket, sys
kind, family, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_INET6 if family == "6" else socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
if family == "6": s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("", port))
if kind == "udp":
    print("listening", flush=True)
    while True:
        _, who = s.recvfrom(100)
        s.sendto(who[0].encode(), who)
s.listen()
print("listening", flush=True)
while True:
    c, who = s.accept()
    c.recv(100)
    c.sendall(who[0].encode())
    c.close()
"""


def ask(address, port, kind="tcp", inside=(), seconds=5, check=True):
    """What a server there answers; "" if there is no answer and `check` is off."""
    family = "6" if ":" in address else "4"
    return sh(*inside, "/usr/bin/python3", "-c", PEER, kind, family, address, port, seconds, check=check)


@contextlib.contextmanager
def server(port, inside=(), kind="tcp", family="4"):
    """Answers with the address it sees the question come from."""
    process = subprocess.Popen([*inside, "/usr/bin/python3", "-c", SERVER, kind, family, str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "listening\n"
        yield
    finally:
        process.kill()
        process.communicate()


def files_below(*roots):
    """Leases and records, without what plugins keep for themselves."""
    found = set()
    for root in roots:
        for path in pathlib.Path(root).rglob("*"):
            if path.is_file() and path.name != "lock" and not path.name.startswith("last_reserved_ip"):
                found.add(str(path))
    return found


def remains():
    """Everything that a pod's network puts on a host."""
    links = sorted((link["ifname"], [address["local"] for address in link["addr_info"] if address["scope"] == "global"])
                   for link in json.loads(sh("ip", "-j", "addr")))
    iptables = "\n".join(re.sub(r"\[\d+:\d+\]|^#.*$", "", sh(program), flags=re.M) for program in ("iptables-save", "ip6tables-save"))
    rules = [line for line in iptables.splitlines() if line.strip() and not line.startswith((":PREROUTING", ":INPUT", ":OUTPUT", ":POSTROUTING", ":FORWARD", "*", "COMMIT"))]
    rules = [line for line in rules if "CNI-HOSTPORT-" not in line or "CNI-DN-" in line]  # chains that portmap makes once
    tables = [line for line in sh("nft", "list", "tables").splitlines() if "rocket" in line]
    routes = [line.replace(" linkdown", "") for line in sh("ip", "route", "show", "table", "all").splitlines()]  # a bridge is down without pods
    return {"links": links, "iptables": rules, "tables": tables, "routes": sorted(line.strip() for line in routes if not re.search("fe80|ff00|anycast", line)),
            "files": files_below("/run/rocket", "/var/lib/cni"), "processes": sh("pgrep", "-af", "/usr/lib/cni/", check=False)}
