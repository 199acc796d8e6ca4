# SPDX-License-Identifier: Apache-2.0
"""Sockets of the host's systemd for apps (cli 9.3): started on demand, and no connection is lost."""
import os
import socket
import subprocess
import threading
import time

import aci
import pytest

from conftest import HOST_IS_SYSTEMD, wait_for
from test_units import files, journal, run  # noqa: F401

ROUNDS, CLIENTS = map(int, os.environ.get("ROCKET_SOCKET_LOAD", "10x100").split("x"))

# An app that answers on every socket it is handed with the socket's name and its own pid, and ends when it has been idle.
SERVER = """
import os, select, signal, socket, sys, time
assert int(os.environ["LISTEN_PID"]) == os.getpid(), os.environ
names = os.environ["LISTEN_FDNAMES"].split(":")
assert len(names) == int(os.environ["LISTEN_FDS"])
sockets = {socket.socket(fileno=3 + n): name for n, name in enumerate(names)}
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
idle = float(sys.argv[1])
while ready := select.select(list(sockets), [], [], idle)[0]:
    for one in ready:
        if one.type == socket.SOCK_DGRAM:
            data, peer = one.recvfrom(100)
            one.sendto(data + b" to " + sockets[one].encode(), peer)
        else:
            connection, _ = one.accept()
            connection.sendall(sockets[one].encode() + b" " + connection.recv(100))
            connection.close()
"""


def ask(address, text=b"hello", family=socket.AF_INET):
    with socket.socket(family) as client:
        client.settimeout(30)
        client.connect(address)
        client.sendall(text)
        return b"".join(iter(lambda: client.recv(100), b"")).decode()


def server(make, name, **fields):
    """An image that runs the host's Python, which a volume brings."""
    links = [aci.symlink(f"rootfs/{name}", f"usr/{name}") for name in ("bin", "lib", "lib64")]
    app = {**aci.app("/usr/bin/python3", "/server.py", "3600"), "mountPoints": [{"name": "usr", "path": "/usr", "readOnly": True}], **fields}
    return make(name, app, [aci.directory("rootfs/usr"), aci.directory("rootfs/tmp", 0o1777), *links, aci.file("rootfs/server.py", SERVER)])


USR = "--volume=usr,kind=host,source=/usr,readOnly=true"


class Listeners:
    """Sockets handed to `rocket run` the way systemd does it."""

    def __init__(self, rocket, *sockets, names):
        self.rocket, self.sockets, self.names = rocket, sockets, names

    def run(self, *arguments, **options):
        command = self.rocket.command("--insecure-options=image", "run", *([] if "--net=default" in arguments else ["--net=none"]), USR, *arguments)
        script = 'export LISTEN_PID=$$; exec "$@"'
        for number, one in enumerate(self.sockets):
            os.dup2(one.fileno(), 200 + number)
        moves = " ".join(f"{3 + n}<&{200 + n} {200 + n}<&-" for n in range(len(self.sockets)))
        try:
            return subprocess.Popen(["bash", "-c", f'exec {moves}; {script}', "-", *command], pass_fds=[200 + n for n in range(len(self.sockets))],
                                    env={**self.rocket.environment, "LISTEN_FDS": str(len(self.sockets)), "LISTEN_FDNAMES": ":".join(self.names)},
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
        finally:
            for number in range(len(self.sockets)):
                os.close(200 + number)


def listener(family=socket.AF_INET, kind=socket.SOCK_STREAM, address=("127.0.0.1", 0)):
    one = socket.socket(family, kind)
    one.bind(address)
    if kind == socket.SOCK_STREAM:
        one.listen()
    return one


@pytest.mark.bare
def test_sockets_of_all_kinds_reach_the_app_by_name(rocket, make, home):
    """Also in a pod that has no network at all."""
    image = server(make, "example.com/server")
    tcp, tcp6 = listener(), listener(socket.AF_INET6, address=("::1", 0))
    udp, unix = listener(kind=socket.SOCK_DGRAM), listener(socket.AF_UNIX, address=str(home / "s"))
    process = Listeners(rocket, tcp, tcp6, udp, unix, names=["web", "web6", "datagrams", "local"]).run(image)
    try:
        assert ask(tcp.getsockname()) == "web hello"  # was there before the app
        assert ask(tcp6.getsockname()[:2], family=socket.AF_INET6) == "web6 hello"
        assert ask(str(home / "s"), family=socket.AF_UNIX) == "local hello"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(30)
            client.sendto(b"hello", udp.getsockname())
            assert client.recv(100) == b"hello to datagrams"
    finally:
        process.terminate()
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr


def test_which_app_takes_which(rocket, make):
    """By the name of a port or of an app, else by the number that a socket-activated port is published at."""
    port = {"name": "http", "port": 80, "protocol": "tcp", "socketActivated": True}
    web, other = server(make, "example.com/web", ports=[port]), server(make, "example.com/other")
    by_port, by_app, by_number = listener(), listener(), listener()
    number = by_number.getsockname()[1]
    process = Listeners(rocket, by_port, by_app, by_number, names=["http", "other", "unit.socket"]).run(
        "--net=default", f"--port=http:{number}", web, "---", other)
    try:
        assert ask(by_port.getsockname()) == "http hello"
        assert ask(by_app.getsockname()) == "other hello"
        assert ask(by_number.getsockname()) == "http hello"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_socket_that_nobody_takes(rocket, make, busybox):
    one = listener()
    process = Listeners(rocket, one, names=["unknown"]).run(server(make, "example.com/web"), "---", busybox)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 254
    assert 'no app takes the socket "unknown" (ListenStream=127.0.0.1:' in stderr and "FileDescriptorName=APP" in stderr


@pytest.mark.bare
def test_a_connection_is_not_a_socket_to_listen_on(rocket, busybox):
    one, other = socket.socketpair()
    with one, other:
        process = Listeners(rocket, one, names=["connection"]).run(busybox)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 254 and "is a connection" in stderr and "Accept=no" in stderr


@pytest.mark.boot
@pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")
def test_started_by_the_first_connection_stopped_by_idleness(files, rocket, make):  # noqa: F811
    """In one line of a .container file. However often the pod starts and ends, every connection is answered."""
    image = server(make, "example.com/web")
    files.write(web_container=f"""[Container]
Image={image}
GLOBAL
Network=none
RocketArgs=--exec=/usr/bin/python3
Exec=/server.py 0.2
Volume=/usr:/usr:ro
[Socket]
ListenStream=127.0.0.1:8111
""")
    run("systemctl", "start", "web.socket")
    assert run("systemctl", "is-active", "web.service", check=False).strip() == "inactive"
    answers = []
    for _ in range(ROUNDS):
        clients = [threading.Thread(target=lambda: answers.append(ask(("127.0.0.1", 8111)))) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        wait_for(lambda: run("systemctl", "is-active", "web.service", check=False).strip() == "inactive", "the end of the idle pod", seconds=30)
    assert answers == ["web hello"] * (ROUNDS * CLIENTS)
    assert run("systemctl", "is-active", "web.socket").strip() == "active"
    run("systemctl", "stop", "web.socket")


NGINX = """
daemon off; user root; error_log stderr; pid /tmp/pid;
events {}
http {
    access_log off;
    client_body_temp_path /tmp/1; proxy_temp_path /tmp/2; fastcgi_temp_path /tmp/3; uwsgi_temp_path /tmp/4; scgi_temp_path /tmp/5;
    server { listen 80; location / { return 200 "it works"; } }
}
"""


@pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")
def test_a_server_that_knows_no_sockets_is_stopped_when_idle(files, make):  # noqa: F811
    """nginx listens for itself. However often its pod is stopped, also right then, and even if it is killed: no connection is lost."""
    links = [aci.symlink(f"rootfs/{name}", f"usr/{name}") for name in ("bin", "lib", "lib64")]
    image = make("example.com/nginx", aci.app("/usr/sbin/nginx", "-c", "/nginx.conf"),
                 [aci.directory("rootfs/usr"), aci.directory("rootfs/tmp", 0o1777), aci.file("rootfs/etc/passwd", "root:x:0:0::/:/bin/sh\n"),
                  aci.file("rootfs/etc/group", "root:x:0:\n"), *links, aci.file("rootfs/nginx.conf", NGINX)])
    files.write(plain_container=f"""[Container]
Image={image}
GLOBAL
Network=none
Volume=/usr:/usr:ro
[Socket]
ListenStream=127.0.0.1:8112
ForwardTo=80
StopWhenIdle=200ms
[Service]
Restart=on-failure
RestartSec=10ms
""")
    run("systemctl", "start", "plain.socket")

    def get():
        answers.append(ask(("127.0.0.1", 8112), b"GET / HTTP/1.0\r\n\r\n").rpartition("\r\n\r\n")[2])

    def state():
        return run("systemctl", "show", "-P", "ActiveState", "plain.service", "plain-proxy.service").split()

    def invocation():
        return run("systemctl", "show", "-P", "InvocationID", "plain.service")

    answers = []
    for _ in range(ROUNDS):
        clients = [threading.Thread(target=get) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        wait_for(lambda: state() == ["inactive", "inactive"], "the end of the idle pod", seconds=30)
    for _ in range(10):  # while it is about to be stopped, or is
        get()
        time.sleep(0.2)
    with socket.create_connection(("127.0.0.1", 8112)):  # it is there as long as somebody is connected
        get()
        killed = invocation()
        run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "plain.service")
        wait_for(lambda: invocation() != killed, "the next start")  # what the dying server had accepted until then dies with it
        get()
    assert answers == ["it works"] * (ROUNDS * CLIENTS + 12)
    wait_for(lambda: state() == ["inactive", "inactive"], "the end of the idle pod", seconds=30)
    assert run("systemctl", "show", "-P", "Result", "plain.service", "plain.socket").split() == ["success", "success"]
    run("systemctl", "stop", "plain.socket")


@pytest.mark.parametrize("arguments, why", [
    (["0123"], "USAGE"), (["0123", "http"], "is not the number of a port"), (["0123", "80"], "there are no sockets"),
    (["0123", "80", "--exit-idle-time=48h"], "from 0s to 24h")])
def test_forwarding_that_cannot_be(rocket, arguments, why):
    done = rocket("forward", *arguments, status=254)
    assert why in done.stdout + done.stderr


@pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")
def test_what_a_socket_section_cannot_say(files, rocket):  # noqa: F811
    files.write(web_container="[Container]\nImage=example.com/web\n[Socket]\nListenStream=80\nAccept=yes\n")
    said = rocket("units", "--check", "/etc/rocket/systemd/web.container", status=1).stderr
    assert "web.container:5: Accept=yes: an app gets sockets that it accepts connections from" in said
