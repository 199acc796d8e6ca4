# SPDX-License-Identifier: Apache-2.0
"""Every flag of `run`, `prepare` and `run-prepared` (cli 7.2, 7.3, 8.1 to 8.3), one by one: a row says what its app sees.

Rows of one pod are given together; each prints behind a line of its own. Every pod is made twice: by `run`, and by `prepare` and
`run-prepared`, which take the flags of the place that a row has: of the app, of the pod, or of its start."""
import dataclasses
import json
import os
import pathlib
import pty

import aci
import pytest

from conftest import BUILD



@dataclasses.dataclass
class Row:
    place: str  # app, pod or start
    flag: str
    value: str  # after "=", or None; {home} is the test's directory
    look: str  # what the app's shell runs; or a path in the pod manifest: ["apps", 0 ...]
    sees: object  # all that it prints; a function of that; or the value in the manifest

    def argument(self, home):
        return f"--{self.flag}" + ("" if self.value is None else "=" + self.value.format(home=home))


def app(flag, value, look, sees):
    return Row("app", flag, value, look, sees)


def pod(flag, value, look, sees):
    return Row("pod", flag, value, look, sees)


def start(flag, value, look, sees):
    return Row("start", flag, value, look, sees)


def isolator(name):
    return lambda app: next(one["value"] for one in app["app"]["isolators"] if one["name"] == name)


APP = ["apps", 0]
HEALTH = {"cmd": "true", "interval": "1h", "on-failure": "kill", "retries": "2", "start-interval": "1s", "start-period": "1m", "startup-cmd": "true",
          "startup-interval": "1h", "startup-retries": "3", "startup-success": "2", "startup-timeout": "3s", "timeout": "4s"}  # what they do: test_health.py
PLAIN = [
    app("exec", "/bin/sh", "readlink /proc/$$/exe", "/bin/busybox"),
    app("name", "flagged", "echo $AC_APP_NAME", "flagged"),
    app("annotation", "example.com/a=b c", [*APP, "annotations"], lambda found: {"name": "example.com/a", "value": "b c"} in found),
    app("user-annotation", "example.com/a=b", [*APP, "app", "userAnnotations"], {"example.com/a": "b"}),
    app("user-label", "l=m", [*APP, "app", "userLabels"], {"l": "m"}),
    app("notify", "started", [*APP, "annotations"], lambda found: {"name": "rocket/notify", "value": "started"} in found),
    *[app(f"health-{name}", value, [*APP, "annotations"], lambda found, one={"name": f"rocket/health-{name}", "value": value}: one in found)
      for name, value in HEALTH.items()],
    app("caps-retain", "CAP_NET_BIND_SERVICE,CAP_CHOWN", "grep CapBnd /proc/self/status", "CapBnd:\t0000000000000401"),
    app("user", "1000", "id -u", "1000"),
    app("group", "1001", "id -g", "1001"),
    app("supplementary-gids", "7,8", "id -G", "1001 7 8"),
    app("environment", "APP=of the app", "echo $APP", "of the app"),
    app("environment-file", "{home}/env", "echo $FILE", "of the file"),
    app("working-dir", "/bin", "pwd", "/bin"),
    app("mount", "volume=data,target=/place", "cat /place/word", "of the host"),
    app("oom-score-adj", "300", "cat /proc/self/oom_score_adj", "300"),
    app("memory", "512M", APP, lambda found: isolator("resource/memory")(found) == {"limit": "512M", "request": "512M"}),
    app("cpu", "500m", APP, lambda found: isolator("resource/cpu")(found) == {"limit": "500m", "request": "500m"}),
    app("cpu-shares", "512", APP, lambda found: isolator("os/linux/cpu-shares")(found) == 512),
    app("seccomp", "mode=remove,errno=EDOM,mkdir,mkdirat", "mkdir /tmp/q 2>&1", lambda out: "Numerical argument out of domain" in out),
    app("stdin", "stream", "readlink /proc/self/fd/0", lambda out: out.startswith("pipe:")),
    app("stderr", "null", "readlink /proc/self/fd/2; echo lost >&2", "/dev/null"),
    pod("volume", "data,kind=host,source={home}/link", "grep -c ' /place ' /proc/self/mountinfo", "1"),
    pod("follow-volume-links", None, ["volumes", 0, "source"], lambda found: found.endswith("/data")),
    pod("inherit-env", None, "echo $CALLER", "of the caller"),
    pod("set-env", "ALL=of the pod", "echo $ALL", "of the pod"),
    pod("set-env-file", "{home}/env", "echo $FILE", "of the file"),
    start("net", "none", "ls /sys/class/net", "lo"),
    start("dns", "192.0.2.7", "grep nameserver /etc/resolv.conf", "nameserver 192.0.2.7"),
    start("dns-search", "a.example", "grep search /etc/resolv.conf", "search a.example"),
    start("dns-opt", "debug", "grep options /etc/resolv.conf", "options debug"),
    start("dns-domain", "d.example", "grep domain /etc/resolv.conf", "domain d.example"),
    start("hosts-entry", "192.0.2.9=other", "grep -c '^192.0.2.9.other' /etc/hosts", "1"),
    start("hostname", "flagged", "cat /proc/sys/kernel/hostname", "flagged"),
    start("ipc", "parent", "readlink /proc/self/ns/ipc", lambda out: out == os.readlink("/proc/self/ns/ipc")),
]
STRICT = [
    app("caps-remove", "CAP_CHOWN", "grep CapBnd /proc/self/status", lambda out: int(out.split()[1], 16) & 1 == 0),
    app("no-new-privileges", "true", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1"),
    app("readonly-rootfs", "true", "touch /bin/x 2>&1", lambda out: "Read-only" in out),
    pod("sysctl", "kernel.msgmax=5000", "cat /proc/sys/kernel/msgmax", "5000"),
    pod("no-overlay", None, "grep -cE '^[^ ]+ [^ ]+ [^ ]+ [^ ]+ / .* - overlay ' /proc/self/mountinfo", "0"),
    pod("private-users", None, "cut -c1-40 /proc/self/uid_map", lambda out: out.split()[0] == "0" and int(out.split()[1]) >= 0x80000),
    start("net", "none", "ls /sys/class/net", "lo"),
]
NETWORK = [
    app("stdout", "log", "echo said", "said"),
    pod("port", "http:18099", ["ports"], [{"name": "http", "hostPort": 18099}]),
    start("net", None, "cat /sys/class/net/eth0/operstate", "up"),
]
PODS = {"plain": PLAIN, "strict": STRICT, "network": NETWORK}
# Flags whose test is a function below.
APART = {
    "signature": "test_signature", "pull-policy": "test_pull_policy", "pod-manifest": "test_pod_manifest", "interactive": "test_interactive",
    "mds-register": "test_mds_register", "register": "test_register", "uuid-file-save": "test_uuid_file_save", "quiet": "test_quiet",
    **{f"stage1-{way}": "test_stage1" for way in ("from-dir", "hash", "name", "path", "url")},
}
WAYS = ["run", "prepared"]


def test_every_flag_of_the_program_has_a_row(rocket):
    """And no row is about a flag that is no more."""
    table = {command["name"]: {option["name"] for option in command["options"]} for command in json.loads(rocket("help", "--format=json").stdout)["commands"]}
    by_place = {"run": ("app", "pod", "start"), "prepare": ("app", "pod"), "run-prepared": ("start",)}
    rows = {(row.place, row.flag) for rows in PODS.values() for row in rows}
    for command, places in by_place.items():
        tested = {flag for place, flag in rows if place in places} | set(APART)
        assert table[command] - tested == set(), f"flags of {command} without a row"
    everything = table["run"] | table["prepare"] | table["run-prepared"]
    assert {flag for _, flag in rows} | set(APART) <= everything
    assert all(name in globals() for name in APART.values())


@pytest.fixture
def image(rocket, make, home):
    (home / "data").mkdir()
    (home / "link").symlink_to("data")
    (home / "data/word").write_text("of the host\n")
    (home / "env").write_text("FILE=of the file\n")
    applets = ("sh", "cat", "cut", "grep", "id", "ls", "mkdir", "pwd", "readlink", "touch", "true")
    return make("example.com/flags", aci.app("/bin/sh", ports=[{"name": "http", "port": 80, "protocol": "tcp"}]), aci.busybox(applets))


@pytest.fixture(params=WAYS)
def started(rocket, request):
    """started(WORDS of the pod and its apps, FLAGS of its start): the pod by `run`, or by `prepare` and `run-prepared`."""
    def by_run(words, flags=("--net=none",), insecure="image", **options):
        return rocket(f"--insecure-options={insecure}", "run", *flags, *words, **options)

    def by_prepare(words, flags=("--net=none",), insecure="image", env=(), **options):
        prepared = rocket(f"--insecure-options={insecure}", "prepare", *words, env=env)
        done = rocket("run-prepared", *flags, prepared.stdout.strip(), **options)
        done.stderr = prepared.stderr + (done.stderr or "")
        return done
    return by_run if request.param == "run" else by_prepare


@pytest.mark.parametrize("rows", PODS.values(), ids=PODS)
def test_rows(rocket, started, image, home, rows):
    def flags(place):
        return [row.argument(home) for row in rows if row.place == place]

    scripts = [(f"== {row.flag}", row.look) for row in rows if isinstance(row.look, str)]
    script = "\n".join(f"echo '{head}'; {look}" for head, look in scripts)
    exec_flag = [] if any(row.flag == "exec" for row in rows) else ["--exec=/bin/sh"]
    done = started([*flags("pod"), image, *exec_flag, *flags("app"), "--", "-c", script + "\ntrue"], flags("start"),
                   env={"CALLER": "of the caller"}, timeout=60)
    seen = dict(part.split("\n", 1) for part in done.stdout.split("== ")[1:])
    manifest = json.loads(rocket("cat-manifest", rocket.uuids()[0]).stdout)
    for row in rows:
        found = manifest if not isinstance(row.look, str) else seen[row.flag].strip()
        for step in [] if isinstance(row.look, str) else row.look:
            found = found[step]
        assert row.sees(found) if callable(row.sees) else found == row.sees, (row, found)
    assert "lost" not in done.stdout + done.stderr


@pytest.mark.parametrize("way", ["from-dir", "name", "path", "hash", "url"])
def test_stage1(rocket, started, image, home, way):
    """Only fly leaves an app in the caller's PID namespace."""
    installed = pathlib.Path(BUILD / "libexec/stage1-images/fly")
    value = {"from-dir": "fly", "name": "coreos.com/rkt/stage1-fly", "path": installed}.get(way)
    if value is None:
        members = [aci.file("manifest", (installed / "manifest").read_bytes()), aci.directory("rootfs"), aci.directory("rootfs/rocket"),
                   *[aci.host_file(f"rootfs/rocket/{path.name}", path) for path in sorted((installed / "rootfs/rocket").iterdir())]]
        archive = aci.write(home / "stage1.aci", members)
        value = rocket.fetch(archive) if way == "hash" else f"file://{archive}"
    done = started([f"--stage1-{way}={value}", image, "--exec=/bin/readlink", "--", "/proc/self/ns/pid"], ["--net=host"])
    assert done.stdout.strip() == os.readlink("/proc/self/ns/pid")


def test_signature(rocket, started, image, home, signer):
    signature = signer.sign(image, signature=home / "elsewhere.asc")
    words = [image, f"--signature={signature}", "--exec=/bin/true"]
    with pytest.raises(AssertionError, match="keyring|trust"):
        started(words, insecure="none")
    rocket("trust", "--root", "--skip-fingerprint-review", signer.public_key(home / "key.asc"))
    assert "signature verified" in started(words, insecure="none").stderr


def test_pull_policy(rocket, started, image):
    with pytest.raises(AssertionError, match="example.com/flags"):
        started(["--pull-policy=never", "example.com/flags", "--exec=/bin/true"])
    rocket.fetch(image)
    started(["--pull-policy=never", "example.com/flags", "--exec=/bin/true"])


def test_pod_manifest(rocket, started, image, home):
    one = {"name": "listed", "image": {"id": rocket.fetch(image)}, "app": {"exec": ["/bin/sh", "-c", "echo $AC_APP_NAME"], "user": "0", "group": "0"}}
    (home / "pod.json").write_text(json.dumps({"acVersion": "0.8.11", "acKind": "PodManifest", "apps": [one]}))
    assert started([f"--pod-manifest={home / 'pod.json'}"]).stdout == "listed\n"


def test_interactive(rocket, started, image):
    master, slave = pty.openpty()
    started([image, "--exec=/bin/sh", "--", "-c", "test -t 0 && test -t 1 && echo a terminal"], ["--net=none", "--interactive"],
            stdin=slave, stdout=slave, stderr=slave, capture_output=False)
    assert b"a terminal" in os.read(master, 4096)
    os.close(master)
    os.close(slave)


def test_mds_register(started, image):
    """It needs a network in which the service can be reached."""
    with pytest.raises(AssertionError, match="--mds-register flag does not work with --net=none"):
        started([image, "--exec=/bin/true"], ["--net=none", "--mds-register"])


def test_register(started, image):
    """What is asked of the host's services then: test_bus_calls.py."""
    started([image, "--exec=/bin/true"], ["--net=none", "--register=false"])


def test_uuid_file_save(rocket, started, image, home):
    started([f"--uuid-file-save={home / 'uuid'}", image, "--exec=/bin/true"])
    assert (home / "uuid").read_text() == rocket.uuids()[0]


def test_quiet(rocket, image):
    done = rocket("--insecure-options=image", "prepare", "--quiet", image)
    assert done.stdout.strip() == rocket.uuids()[0] and done.stderr == ""
