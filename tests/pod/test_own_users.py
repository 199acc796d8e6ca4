# SPDX-License-Identifier: Apache-2.0
"""Pods in system units with User= or DynamicUser=, and the helper of root's that they need (rocket-users.socket)."""
import json
import os
import pathlib
import shutil
import subprocess

import aci
import pytest
from conftest import BUILD, Rocket, wait_for

UNITS = pathlib.Path("/run/systemd/system")


def systemctl(*words, check=True):
    return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=check).stdout.strip()


class Host:
    """The helper installed, and units of users who are not root."""

    def __init__(self, rocket, images):
        self.rocket, self.images = rocket, images
        self.started = []

    def options(self, state, *options):
        environment = [f"--setenv={name}={value}" for name, value in self.rocket.environment.items()]
        return ["-p", "Delegate=yes", "-p", "SupplementaryGroups=rocket", "-p", f"StateDirectory={state}", *environment, *options]

    @property
    def dynamic(self):
        return ("-p", "DynamicUser=yes", "-p", f"BindReadOnlyPaths={BUILD} {self.rocket.home}")  # which implies PrivateTmp=

    def command(self, *words):
        return [self.rocket.program, "--insecure-options=image", *map(str, words)]

    def run(self, state, *words, options=("-p", "User=games")):
        return subprocess.run(["systemd-run", "--quiet", "--pipe", "--wait", *self.options(state, *options), *self.command(*words)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)

    def start(self, unit, *words, options=("-p", "User=games"), state="games"):
        subprocess.run(["systemd-run", "--quiet", "--no-block", f"--unit={unit}", "-p", "Type=notify", *self.options(state, *options), *self.command(*words)], check=True)
        self.started.append(unit)


@pytest.fixture
def host(home):
    helper = pathlib.Path("/usr/local/libexec/rocket-test/map-ids")  # PrivateTmp= hides the build tree
    helper.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(BUILD / "stage0/users/map-ids", helper)
    subprocess.run("getent group rocket || groupadd --system rocket; mkdir -p /run/rocket", shell=True, check=True, stdout=subprocess.DEVNULL)
    here = pathlib.Path(__file__).resolve().parents[2]
    shutil.copy(here / "units/host/rocket-users.socket", UNITS)
    unit = (here / "units/host/rocket-users.service.in").read_text().replace("@LIBEXECDIR@/map-ids", str(helper)).replace("@DATA_DIR@", "/var/lib/rocket")
    (UNITS / "rocket-users.service").write_text(unit)
    for directory in ("/var/lib/rocket", "/var/lib/games", "/var/lib/private"):
        os.makedirs(directory, mode=0o700 if directory.endswith("private") else 0o755, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=" + ("0700" if directory.endswith("private") else "0755"), "none", directory], check=True)
    box = home / "busybox.aci"
    home.chmod(0o755)
    aci.write(box, aci.image("example.com/busybox", aci.app("/bin/sh"), aci.busybox()))
    rocket = Rocket(home)
    subprocess.run([rocket.program, "--insecure-options=image", "fetch", str(box)], check=True, capture_output=True, env=rocket.environment)
    systemctl("daemon-reload")
    systemctl("start", "rocket-users.socket")
    made = Host(rocket, {"busybox": box})
    yield made
    systemctl("stop", "rocket-users.socket", "rocket-users.service", *made.started, check=False)
    for name in ("rocket-users.socket", "rocket-users.service"):
        (UNITS / name).unlink()
    systemctl("daemon-reload")
    for directory in ("/var/lib/private", "/var/lib/games", "/var/lib/rocket"):
        subprocess.run(["umount", "--lazy", directory], check=True)


SLEEP = ("example.com/busybox", "--exec=/bin/sleep", "--", "1000")


def machines():
    listed = subprocess.run(["machinectl", "list", "--no-legend", "--output=json"], capture_output=True, text=True, check=True).stdout
    return {machine["machine"] for machine in json.loads(listed or "[]")}


def test_pods_of_other_users_are_machines(host):
    """cli 9.2: machinectl knows them by the name that root's pods have; not with --register=false."""
    host.start("quiet", "run", "--net=none", "--register=false", *SLEEP)
    host.start("web", "run", "--net=none", "--uuid-file-save=/var/lib/games/uuid", *SLEEP)
    wait_for(lambda: systemctl("is-active", "web", "quiet", check=False).splitlines() == ["active", "active"], "the pods")
    name = "rkt-" + pathlib.Path("/var/lib/games/uuid").read_text().strip()
    wait_for(lambda: name in machines(), "the machine")
    assert machines() == {name}
    status = subprocess.run(["machinectl", "status", name], capture_output=True, text=True, check=True).stdout
    assert "Unit: web.service" in status and "container" in status
    again = host.run("games", "run", "--net=none", "example.com/busybox", "--exec=/bin/true")
    assert again.returncode == 0 and "not registered" not in again.stderr
    systemctl("kill", "--kill-whom=all", "--signal=KILL", "quiet")
    subprocess.run(["machinectl", "terminate", name], check=True)
    wait_for(lambda: systemctl("is-active", "web", check=False) != "active" and not machines(), "the end")


def explained(host, unit, *words):
    ran = subprocess.run([host.rocket.program, "explain", *words, unit], capture_output=True, text=True, check=True, env=host.rocket.environment)
    return ran.stdout


def test_explain_finds_the_pods_of_services_of_other_users(host):
    """In their own state directories; counts ids as the host does; says who registered the name, and which files lack set-id bits, and why."""
    suid = host.rocket.home / "suid.aci"
    aci.write(suid, aci.image("example.com/suid", aci.app("/bin/sh"), [*aci.busybox(), aci.file("rootfs/bin/su", b"x", mode=0o4755)]))
    host.start("web", "run", "--net=none", *SLEEP)
    host.start("bits", "run", "--net=none", "--register=false", suid, "--exec=/bin/sleep", "--", "1000", options=host.dynamic, state="bits")
    wait_for(lambda: systemctl("is-active", "web", "bits", check=False).splitlines() == ["active", "active"], "the pods")
    wait_for(machines, "the machine")
    whole = json.loads(explained(host, "web", "--format=json"))
    app, = whole["apps"]
    uid = int(subprocess.run(["id", "-u", "games"], capture_output=True, text=True, check=True).stdout)
    assert app["meant"]["uid"] == app["kernel"]["uid"] == uid and app["namespaces"]["user"] == "own"
    assert not [line for line in app["differences"] if line.startswith(("user", "group"))]
    assert whole["machine"]["name"] == "rkt-" + whole["pod"] and whole["machine"]["from"] == "rocket-users.socket"
    assert "set-id bits" not in [origin["what"] for origin in app["origins"]]
    other = explained(host, "bits")
    assert "left out of its files  <- unit: RestrictSUIDSGID=, which DynamicUser= implies" in other and "machine " not in other, other


def test_images_of_the_host_by_pod_manifest_and_for_later(host):
    """A pod that runs at once uses them in place, however it is described; for one that starts later the host does not keep them, which is said."""
    image = subprocess.run([host.rocket.program, "image", "list", "--fields=id", "--full", "--no-legend"], check=True, capture_output=True, text=True, env=host.rocket.environment).stdout.strip()
    described = host.rocket.home / "pod.json"
    app = {"name": "box", "image": {"id": image}, "app": {"exec": ["/bin/echo", "works"], "user": "0", "group": "0"}}
    described.write_text(json.dumps({"acKind": "PodManifest", "acVersion": "0.8.11", "apps": [app]}))
    ran = host.run("games", "run", "--net=none", "--pod-manifest", described)
    assert "works" in ran.stdout and f"using image {image} from the host's store" in ran.stderr, ran
    for words in (["--pod-manifest", described], ["--pull-policy=never", "example.com/busybox"]):
        prepared = host.run("games", "prepare", *words)
        assert prepared.returncode != 0 and "the host's store has it, but serves `rocket run` alone" in prepared.stderr, prepared
    unknown = host.run("games", "prepare", "--pull-policy=never", "example.com/other")
    assert unknown.returncode != 0 and "the host's store" not in unknown.stderr, unknown
    own = host.run("games", "prepare", "--quiet", host.images["busybox"])
    assert own.returncode == 0, own
    assert "works" in host.run("games", "run", "--net=none", "example.com/busybox", "--exec=/bin/echo", "--", "works").stdout


# Option of the unit → what is said of it, and what to do.
FORBIDDEN = {
    "RestrictAddressFamilies=AF_UNIX": "RestrictAddressFamilies= of the unit has to allow AF_INET",
    "ProtectHostname=yes": "ProtectHostname= of the unit may not forbid it",
    "LockPersonality=yes": "neither LockPersonality= nor SystemCallFilter= of the pod's unit",
    "RestrictNamespaces=yes": "neither RestrictNamespaces= of the unit nor",
    "SystemCallFilter=@system-service\nSystemCallErrorNumber=EPERM": "has to allow @mount",
}


def test_options_of_the_unit_that_forbid_what_the_pod_needs(host):
    """Where a process of ours is alive to say it, the error names the option."""
    works = ("run", "--net=none", "example.com/busybox", "--exec=/bin/echo", "--", "works")
    for options, words in FORBIDDEN.items():
        ran = host.run("games", *works, options=[word for option in ["User=games", *options.split("\n")] for word in ("-p", option)])
        assert ran.returncode != 0 and words in ran.stderr, (options, ran)


def test_a_pod_without_machined(host):
    systemctl("mask", "--runtime", "--now", "systemd-machined")
    try:
        ran = host.run("games", "run", "--net=none", "example.com/busybox", "--exec=/bin/sh", "--", "-c", "sleep 0.3; echo works")
    finally:
        systemctl("unmask", "--runtime", "systemd-machined")
    assert ran.returncode == 0 and "works" in ran.stdout, ran
    assert "warning: the pod is not registered as a machine: systemd-machined" in ran.stderr


def test_forty_units_at_once(host):
    """R16: waiting costs no connection that others lack; one start of the helper serves all."""
    host.run("games", "list")
    helper = systemctl("show", "-P", "InvocationID", "rocket-users")
    names = [f"many{number}" for number in range(40)]
    for name in names:
        host.start(name, "run", "--net=none", *SLEEP, options=host.dynamic if name.endswith("0") else ("-p", "User=games"), state=name if name.endswith("0") else "games")
    wait_for(lambda: set(systemctl("is-active", *names, check=False).splitlines()) == {"active"}, "the pods", seconds=60)
    wait_for(lambda: len(machines()) == 40, "the machines", seconds=30)
    assert systemctl("show", "-P", "InvocationID", "rocket-users") == helper != ""
    systemctl("kill", "--kill-whom=all", "--signal=KILL", *names)
    wait_for(lambda: not machines(), "the end", seconds=30)


# What a hostile member of the group says: it makes a namespace, has it mapped, and asks for a machine.
MEMBER = r"""
import ctypes, os, socket, sys, uuid
libc = ctypes.CDLL(None)
def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect("/run/rocket/users.sock"); return s
def ask(s, text, *fds):
    socket.send_fds(s, [text.encode()], list(fds)); return s.recv(4096).decode()
def begin():
    s = connect(); assert libc.unshare(0x10000000) == 0; assert ask(s, "map", os.open("/proc/self/ns/user", os.O_RDONLY)) == "ok"; return s
def child():
    pid = os.fork()
    if pid == 0:
        os.execv("/bin/sleep", ["sleep", "20"])
    return pid
"""


def hostile(script):
    """What `script` says as a member of the group, in a service of its own."""
    return subprocess.run(["systemd-run", "--quiet", "--pipe", "--wait", "-p", "SupplementaryGroups=rocket", "-p", "User=games", "/usr/bin/python3", "-c", MEMBER + script],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def test_nobody_names_what_is_not_theirs(host):
    """R17: the machine is of a living process of the caller's namespace, in the caller's service, one for each, and no pod of the host's own."""
    other = subprocess.Popen(["setpriv", "--reuid=games", "--regid=games", "--clear-groups", "sleep", "30"])
    root = subprocess.Popen(["sleep", "30"])
    prepared = subprocess.run([host.rocket.program, "--insecure-options=image", "prepare", "--quiet", "example.com/busybox"], check=True, capture_output=True, text=True, env=host.rocket.environment).stdout.strip()
    script = f"""
for what, text, pid in (("root", "machine " + str(uuid.uuid4()), {root.pid}), ("other", "machine " + str(uuid.uuid4()), {other.pid}), ("host's", "machine {prepared}", 0),
                        ("no uuid", "machine ../../x", 0), ("no fd", "machine " + str(uuid.uuid4()), None), ("no pidfd", "machine " + str(uuid.uuid4()), -1), ("nonsense", "name me", None)):
    if os.fork() == 0:
        s = begin()
        fds = [] if pid is None else [os.open("/", os.O_RDONLY)] if pid == -1 else [os.pidfd_open(pid or child())]
        print(what, "-", ask(s, text, *fds), flush=True)
        os._exit(0)
    os.wait()
if os.fork() == 0:
    s = begin(); pid = child(); fd = os.pidfd_open(pid); os.kill(pid, 9); os.waitpid(pid, 0)
    print("ended -", ask(s, "machine " + str(uuid.uuid4()), fd), flush=True)
    os._exit(0)
os.wait()
s = begin(); first = child(); name = str(uuid.uuid4())
print("own -", ask(s, "machine " + name, os.pidfd_open(first)))
print("second -", ask(s, "machine " + str(uuid.uuid4()), os.pidfd_open(child())), flush=True)
"""
    said = hostile(script)
    lines = dict(line.split(" - ", 1) for line in said.stdout.splitlines())
    other.kill(), root.kill(), other.wait(), root.wait()
    assert lines["own"] == "ok", said
    for what, words in {"root": "is not in the user namespace", "other": "is not in the user namespace", "host's": "of the host's own", "no uuid": "UUID",
                        "no fd": "one process that leads it", "no pidfd": "not a process", "nonsense": "cannot be read", "ended": "has ended", "second": "one pod has one machine"}.items():
        assert words in lines[what], (what, lines[what])
    assert not machines() or wait_for(lambda: not machines(), "the end of the one")


def test_nobody_keeps_others_waiting(host):
    """A user who holds connections gets no more of them, others do."""
    script = """
held = [connect() for _ in range(130)]
print(held[-1].recv(4096).decode(), flush=True)
input()
"""
    with subprocess.Popen(["systemd-run", "--quiet", "--pipe", "-p", "SupplementaryGroups=rocket", "-p", "User=games", "/usr/bin/python3", "-c", MEMBER + script],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holding:
        assert "going on already" in holding.stdout.readline()
        ran = host.run("dynamic", "run", "--net=none", "example.com/busybox", "--exec=/bin/echo", "--", "works", options=host.dynamic)
        assert ran.stdout == "works\n", ran
        holding.communicate("\n")
