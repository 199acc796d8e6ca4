# SPDX-License-Identifier: Apache-2.0
"""rocket update, rollback and history: services get new images, and go back by themselves if these do not run."""
import json
import pathlib
import shutil
import subprocess

import aci
import oci
import pytest
import registry as registries

from conftest import HOST_IS_SYSTEMD, wait_for
from test_host_units import rights

UNITS = pathlib.Path("/run/systemd/system")

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")

SERVES = "echo version {}; trap 'exit 0' TERM; while :; do sleep 0.1; done"
READY_NEVER = "echo version {}; exit 3"
DIES_SOON = "echo version {}; sleep 0.3; exit 4"


def journal():
    return subprocess.run(["journalctl", "--no-pager", "-o", "cat", "-u", "web"], capture_output=True, text=True, check=False).stdout


def systemctl(*arguments, check=True):
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}{journal()}"
    return done.stdout.strip()


class Service:
    """web.service runs whatever lies at one path, like a tag of a registry that is moved on."""

    def __init__(self, rocket, home):
        self.rocket, self.home, self.unit = rocket, home, UNITS / "web.service"
        self.archive = home / "web.aci"

    def publish(self, version, script=SERVES, content=()):
        app = aci.app("/bin/sh", "-c", script.format(version))
        new = aci.write(self.home / "next.aci", aci.image("example.com/web", app, [*aci.busybox(), *content], version=version))
        shutil.move(new, self.archive)
        return version

    def start(self, extra="", flags=()):
        command = " ".join(self.rocket.command("--insecure-options=image", "run", "--net=none", str(self.archive), *flags))
        self.unit.write_text(f"""[Service]
Type=notify
Environment=ROCKET_LIBEXEC={self.rocket.environment.get("ROCKET_LIBEXEC", "")}
Delegate=yes
KillMode=mixed
ExecStart={command}
{extra}
""")
        systemctl("daemon-reload")
        systemctl("start", "web")

    def update(self, *flags, status=0):
        return self.rocket("update", "--settle=1s", *flags, "web", status=status, timeout=60)

    def update_as_unit(self, *globals_, status=0, env=()):
        """As rocket-update.service does it: no more rights than that has."""
        environment = [f"--setenv={key}={value}" for key, value in {**self.rocket.environment, **dict(env)}.items()]
        done = subprocess.run(["systemd-run", "--quiet", "--wait", "--pipe", *rights("rocket-update"), *environment,
                               *self.rocket.command(*globals_, "update", "--settle=1s", "web")], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == status, done
        return done.stdout

    def version(self):
        """Which one runs."""
        running = [pod for pod in json.loads(self.rocket("list", "--format=json").stdout) if pod["state"] == "running"]
        assert len(running) == 1
        manifest = json.loads(self.rocket("cat-manifest", running[0]["name"]).stdout)
        return next(label["value"] for label in manifest["apps"][0]["image"]["labels"] if label["name"] == "version")

    def history(self):
        return json.loads(self.rocket("history", "--format=json", "web").stdout)[0]


@pytest.fixture
def service(rocket, home):
    made = Service(rocket, home)
    yield made
    systemctl("stop", "web", check=False)
    systemctl("reset-failed", check=False)
    made.unit.unlink(missing_ok=True)
    systemctl("daemon-reload")


def test_a_service_is_updated_when_its_image_is_another(service):
    service.publish("1")
    service.start()
    assert service.update().stdout == "web.service: up to date\n"
    service.publish("2")
    assert "would be updated to" in service.update("--check").stdout
    assert service.version() == "1"
    assert "web.service: updated to" in service.update().stdout
    assert service.version() == "2"
    changes = service.history()["changes"]
    assert [change["outcome"] for change in changes] == ["kept"]
    assert changes[0]["before"] != changes[0]["after"]
    assert "kept" in service.rocket("history").stdout


def test_an_update_can_do_its_work_with_the_rights_of_its_unit(service):
    """The image has files of others, a set-user-id program and a device; and it goes back if it has to."""
    service.publish("1")
    service.start()
    service.publish("2", content=[aci.file("rootfs/theirs", b"x", uid=1234, gid=99), aci.file("rootfs/bin/su", b"x", 0o4755), aci.fifo("rootfs/pipe")])
    assert "web.service: updated to" in service.update_as_unit("--insecure-options=image") and service.version() == "2"
    service.publish("3", READY_NEVER)
    assert "web.service: went back to" in service.update_as_unit("--insecure-options=image", status=1) and service.version() == "2"


@pytest.mark.parametrize("script", [READY_NEVER, DIES_SOON])
def test_it_goes_back_when_the_new_image_does_not_run(service, script):
    """Neither when it does not come up nor when it does not stay up; and it stays back when it is started anew."""
    service.publish("1")
    service.start()
    service.publish("2", script)
    done = service.update(status=1)
    assert "web.service does not run with" in done.stderr and "going back" in done.stderr
    assert "web.service: went back to" in done.stdout
    assert service.version() == "1"
    systemctl("restart", "web")
    assert service.version() == "1"
    assert [change["outcome"] for change in service.history()["changes"]] == ["went back"]
    assert "did not run before" in service.update().stdout  # not every night again
    assert service.version() == "1"
    service.publish("3")
    service.update()
    assert service.version() == "3" and service.history()["held_at"] == {}


def test_it_goes_back_when_the_new_image_is_not_healthy(service):
    """It runs, and stays up; but its start waits for its health (--notify=healthy)."""
    def check(status):
        return [aci.file("rootfs/bin/check", f"#!/bin/sh\necho looked\nexit {status}\n", 0o755)]
    service.publish("1", content=check(0))
    service.start(flags=["--notify=healthy", "--health-cmd=check", "--health-interval=100ms"])
    assert service.version() == "1"
    service.publish("2", content=check(1))
    done = service.update(status=1)
    assert "web.service does not run with" in done.stderr and "web.service: went back to" in done.stdout
    assert 'is unhealthy: 3 checks in a row have failed, the last with status 1: looked' in journal()
    assert service.version() == "1"


def test_it_goes_back_when_an_app_is_unhealthy_after_all(service):
    """Nobody waits for its health, and nothing is done about it (HealthOnFailure=none)."""
    def check(status):
        return [aci.file("rootfs/bin/check", f"#!/bin/sh\necho looked\nexit {status}\n", 0o755)]
    service.publish("1", content=check(0))
    service.start(flags=["--health-cmd=check", "--health-interval=100ms", "--health-retries=2"])
    service.publish("2", content=check(1))
    assert 'app "web" is unhealthy: looked; going back' in service.rocket("update", "--settle=3s", "web", status=1, timeout=60).stderr
    assert service.version() == "1"


def test_it_goes_back_when_the_new_image_never_gets_ready(service):
    """The unit would wait for ever."""
    def check(status):
        return [aci.file("rootfs/bin/check", f"#!/bin/sh\nexit {status}\n", 0o755)]
    service.publish("1", content=check(0))
    service.start("TimeoutStartSec=infinity", ["--notify=healthy", "--health-cmd=check", "--health-interval=100ms", "--health-start-period=1h"])
    service.publish("2", content=check(1))
    assert "it did not come up in 4 s; going back" in service.update("--start-timeout=4s", status=1).stderr
    assert service.version() == "1"


def test_how_often_a_service_may_be_started_does_not_keep_it_from_going_back(service):
    service.publish("1")
    service.start("[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=2")
    service.publish("2", READY_NEVER)
    assert "web.service: went back to" in service.update(status=1).stdout
    assert service.version() == "1"


def test_a_service_that_is_restarted_by_itself_counts_as_not_up(service):
    service.publish("1")
    service.start("Restart=always\nRestartSec=0\nStartLimitIntervalSec=0")
    service.publish("2", DIES_SOON)
    service.update(status=1)
    assert service.version() == "1"


def test_rollback(service):
    service.publish("1")
    service.start()
    assert "nothing to go back to" in service.rocket("rollback", "web", status=254).stderr
    service.publish("2")
    service.update()
    assert "rolled back to" in service.rocket("rollback", "--settle=0s", "web", timeout=60).stdout
    assert service.version() == "1"
    assert "has the oldest images that are known of it" in service.rocket("rollback", "web", status=254).stderr
    assert "rolled back from" in service.update().stdout  # somebody had a reason
    assert service.version() == "1"
    service.update("--retry")
    assert service.version() == "2"


def test_a_service_that_was_stopped_is_rolled_back_but_not_started(service):
    service.publish("1")
    service.start()
    service.publish("2")
    service.update()
    systemctl("stop", "web")
    assert "is not running, and will be started with" in service.rocket("rollback", "web").stdout
    assert systemctl("is-active", "web", check=False) == "inactive"
    change = service.history()["changes"][-1]
    assert change["outcome"] == "rolled back" and change["before"] and change["after"] == service.history()["held_at"]
    systemctl("start", "web")
    assert service.version() == "1"


def test_what_may_be_rolled_back_to_is_not_collected(service):
    service.publish("1")
    service.start()
    service.publish("2")
    service.update()
    for uuid in service.rocket.uuids():
        if service.rocket.state(uuid) != "running":
            service.rocket("rm", uuid)
    service.rocket("image", "gc", "--grace-period=0s")
    service.rocket("rollback", "--settle=0s", "web", timeout=60)
    assert service.version() == "1"


def test_an_update_that_was_killed_is_settled_by_the_next(service):
    service.publish("1")
    service.start()
    service.publish("2")
    update = service.rocket.start("update", "--settle=1h", "web")
    record = service.rocket.data / "deployments/web.service.json"
    wait_for(lambda: record.exists() and '"trying"' in record.read_text(), "the restart")
    assert "is being updated by another command" in service.update(status=254).stderr
    wait_for(lambda: systemctl("is-active", "web", check=False) == "active" and service.version() == "2", "the new pod")
    update.kill()
    update.wait()
    assert "up to date" in service.update().stdout
    last, = service.history()["changes"]
    assert (last["outcome"], last["reason"]) == ("kept", "the update was interrupted")


def test_an_update_that_was_killed_goes_back_by_the_next_if_the_image_does_not_run(service):
    service.publish("1")
    service.start()
    service.publish("2", "echo version {}; sleep 1; exit 4")
    update = service.rocket.start("update", "--settle=1h", "web")
    record = service.rocket.data / "deployments/web.service.json"
    wait_for(lambda: record.exists() and '"trying"' in record.read_text(), "the restart")
    update.kill()
    update.wait()
    wait_for(lambda: systemctl("is-active", "web", check=False) == "failed", "the failure of the new image")
    done = service.update(status=1)
    assert "the update was interrupted; going back" in done.stderr and "web.service: went back to" in done.stdout
    assert service.version() == "1"
    assert [change["outcome"] for change in service.history()["changes"]] == ["went back"]


def test_a_service_that_does_not_run_is_not_started(service):
    service.publish("1")
    service.start()
    systemctl("stop", "web")
    service.publish("2")
    assert "is not running" in service.update().stdout
    assert systemctl("is-active", "web", check=False) == "inactive"


def test_what_cannot_be_updated(rocket):
    assert "web2.service" in rocket("update", "web2", status=254).stderr
    assert "is not the name of a service" in rocket("update", "web.socket", status=254).stderr
    assert 'it starts "' in rocket("update", "systemd-journald", status=254).stderr
    theirs = UNITS / "theirs.service"
    theirs.write_text(f"[Service]\nUser=games\nExecStart={' '.join(rocket.command('run', 'example.com/web'))}\n")
    systemctl("daemon-reload")
    assert 'it runs as user "games", and only services of root can be updated' in rocket("update", "theirs", status=254).stderr
    theirs.unlink()
    assert "UNIT..." in rocket("update", status=254).stdout
    assert "UNIT..." in rocket("update", "--all", "web", status=254).stdout


def test_all_are_those_whose_file_says_so(service):
    """AutoUpdate=registry; the timer does it every night, if it is enabled."""
    place = pathlib.Path("/etc/rocket/systemd")
    place.mkdir(parents=True)
    try:
        service.publish("1")
        container = f"[Container]\nImage={service.archive}\nGlobalArgs=--dir={service.rocket.data} --insecure-options=image\nNetwork=none\n"
        (place / "web.container").write_text(container + "AutoUpdate=registry\n")
        (place / "other.container").write_text(container)
        service.start()  # what the generator would have made of the file
        service.publish("2")
        assert "web.service: updated to" in service.rocket("update", "--settle=0s", "--all", timeout=60).stdout
        assert service.version() == "2"
        (place / "web.container").write_text(container + "AutoUpdate=local\n")
        assert "AutoUpdate=local: only registry is supported" in service.rocket("units", "--check", place / "web.container", status=1).stderr
        assert service.rocket("update", "--all").stdout == ""
        (place / "web.container").rename(place / "web@.container")
        (place / "web@.container").write_text(container + "AutoUpdate=registry\n")
        shutil.copy(service.unit, UNITS / "web@.service")
        systemctl("daemon-reload")
        systemctl("start", "web@1")
        service.publish("3")
        assert service.rocket("update", "--settle=0s", "--all", timeout=60).stdout.startswith("web@1.service: updated to")
    finally:
        systemctl("stop", "web@1", check=False)
        (UNITS / "web@.service").unlink(missing_ok=True)
        shutil.rmtree("/etc/rocket")


def test_a_tag_that_is_moved_on(service, tmp_path):
    server = registries.Registry(tmp_path)
    try:
        layout = oci.Layout(service.home / "layout")

        def publish(version):
            layout.image(oci.busybox(), Cmd=["/bin/sh", "-c", SERVES.format(version)], name=version)
            return server.push(f"{layout}:{version}", "team/web:latest")
        service.archive = publish("one")
        fetched = service.rocket("--insecure-options=image", "fetch", "--full", service.archive, env=server.environment).stdout.strip()
        service.start()
        publish("two")
        update = ("update", "--settle=0s", "web")
        assert "web.service: updated to" in service.update_as_unit(env=server.environment)
        change, = service.history()["changes"]
        assert change["before"] == {service.archive: fetched} and change["after"][service.archive] != fetched
        assert service.rocket(*update, timeout=60, env=server.environment).stdout == "web.service: up to date\n"
    finally:
        server.close()
