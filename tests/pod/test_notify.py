# SPDX-License-Identifier: Apache-2.0
"""What an app says by sd_notify(3) reaches the unit that runs its pod: Type=notify end to end (cli 9.3, IM-9)."""
import pathlib
import subprocess

import aci
import pytest

from conftest import HOST_IS_SYSTEMD, wait_for

UNITS = pathlib.Path("/run/systemd/system")

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")

# say LINE...: one message with these lines. Static, for the images have no libraries.
SAY = r"""
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(int argc, char** argv)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char text[8192] = "";
    strncpy(to.sun_path, getenv("NOTIFY_SOCKET"), sizeof to.sun_path - 1);
    for (int index = 1; index < argc; ++index)
        strcat(strcat(text, argv[index]), "\n");
    return sendto(socket(AF_UNIX, SOCK_DGRAM, 0), text, strlen(text), 0, (void*)&to, sizeof to) < 0;
}
"""


@pytest.fixture(scope="module")
def image(images):
    program = images / "say"
    subprocess.run(["gcc", "-static", "-x", "c", "-o", program, "-"], input=SAY.encode(), check=True)
    content = [*aci.busybox(), aci.host_file("rootfs/bin/say", program)]
    return aci.write(images / "say.aci", aci.image("example.com/say", aci.app("/bin/true"), content))


def systemctl(*arguments, check=True):
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def show(field):
    return systemctl("show", "-P", field, "said")


@pytest.fixture
def unit(rocket, image, home):
    """unit(*flags, service=LINES, app=SCRIPT): said.service starts; apps that look for /go/NAME find what go(NAME) makes."""
    (home / "go").mkdir()
    path = UNITS / "said.service"

    def start(*apps, service="", block=True):
        words = rocket.command("--insecure-options=image", "run", "--net=none", f"--volume=go,kind=host,source={home}/go", "--mount=volume=go,target=/go")
        for index, (flags, script) in enumerate(apps):
            (home / f"go/app{index}.sh").write_text(script)
            words += [*(["---"] if index else []), str(image), f"--name=app{index}", "--exec=/bin/sh", *flags, "--", f"/go/app{index}.sh"]
        path.write_text(f"[Service]\nType=notify\nEnvironment=ROCKET_LIBEXEC={rocket.environment.get('ROCKET_LIBEXEC', '')}\n"
                        f"Delegate=yes\nKillMode=mixed\nExecStart={' '.join(words)}\n{service}\n")
        systemctl("daemon-reload")
        systemctl("start", *([] if block else ["--no-block"]), "said")
    start.go = lambda name: (home / "go" / name).touch()
    yield start
    systemctl("stop", "said", check=False)
    systemctl("reset-failed", check=False)
    path.unlink()
    systemctl("daemon-reload")


WAIT = "until test -e /go/{}; do sleep 0.05; done; "


def test_status_reload_and_stop_of_an_app_are_those_of_the_unit(unit):
    """Also an errno; but nothing that would make the unit something else, and nothing that would be two lines."""
    script = (WAIT.format("ready") + "say STATUS=warming; " + WAIT.format("go")
              + "say READY=1 STATUS=serving MAINPID=1 FDSTORE=1 WATCHDOG_USEC=1; " + WAIT.format("reload")
              + "say RELOADING=1 MONOTONIC_USEC=$(($(head -c 9 /proc/uptime | tr -d . | tr -d ' ') * 10000)); " + WAIT.format("reloaded")
              + r"say READY=1 ERRNO=5 'STATUS=a" + "\r" + "b\\c\\'; trap 'say STOPPING=1 STATUS=bye; " + WAIT.format("end") + "exit 0' TERM; "
              + WAIT.format("stop") + "kill $$; sleep 1")
    unit((["--notify=ready"], script), block=False)
    unit.go("ready")
    wait_for(lambda: show("StatusText") == "warming", "the app's first word")
    assert show("ActiveState") == "activating"
    main = show("MainPID")
    unit.go("go")
    wait_for(lambda: show("ActiveState") == "active", "the app's READY")
    assert "serving" in systemctl("status", "--no-pager", "said")
    assert show("MainPID") == main
    unit.go("reload")
    wait_for(lambda: show("ActiveState") == "reloading", "the app's RELOADING")
    unit.go("reloaded")
    wait_for(lambda: show("ActiveState") == "active", "the end of the reload")
    wait_for(lambda: show("StatusErrno") == "5", "the errno")
    assert show("StatusText") == "a\\rb\\c\\"  # one line
    unit.go("stop")
    wait_for(lambda: show("SubState") == "stop-sigterm", "the app's STOPPING")
    assert show("StatusText") == "bye"
    unit.go("end")
    wait_for(lambda: show("ActiveState") == "inactive", "the end")
    assert show("Result") == "success"


def test_one_app_of_a_pod_speaks_for_the_unit(unit):
    """The first that notifies, unless another one is chosen; ready is the pod when all are."""
    tell = "say STATUS=app{0}; " + WAIT.format("go{0}") + "say READY=1 WATCHDOG=trigger; exec sleep 1000"
    unit((["--notify=ready"], tell.format(0).replace("WATCHDOG=trigger", "")), (["--notify=speaker"], tell.format(1)), block=False)
    wait_for(lambda: show("StatusText") == "app1", "the word of the one that was chosen")
    unit.go("go0")
    wait_for(lambda: show("StatusText") == "app1", "nothing of the other")
    assert show("ActiveState") == "activating"


def test_an_app_that_stops_to_feed_the_watchdog_is_started_anew(unit, rocket, home):
    """Who feeds it is told WATCHDOG_USEC. The host's systemd kills the supervisor, and with it the pod."""
    script = ("echo $WATCHDOG_USEC > /go/usec; say READY=1; " + "until test -e /go/hang; do say WATCHDOG=1; sleep 0.2; done; "
              + "rm /go/hang; exec sleep 1000")
    unit((["--notify=ready"], script), service="WatchdogSec=2s\nRestart=on-watchdog\nRestartSec=0\nTimeoutAbortSec=10s")
    assert (home / "go/usec").read_text() == "2000000\n"
    first = show("MainPID")
    wait_for(lambda: show("WatchdogTimestampMonotonic") != "0", "a beat")
    unit.go("hang")
    wait_for(lambda: show("NRestarts") == "1" and show("ActiveState") == "active", "the next start")
    assert show("MainPID") not in ("0", first)
    states = rocket("list", "--no-legend").stdout
    assert states.count("running") == 1


def test_without_an_app_that_speaks_the_supervisor_feeds_the_watchdog(unit, rocket):
    """What is watched then is the supervisor itself."""
    unit(([], "env > /go/env; exec sleep 1000"), service="WatchdogSec=1s")
    first = show("WatchdogTimestampMonotonic")
    wait_for(lambda: int(show("WatchdogTimestampMonotonic")) > int(first) + 1_500_000, "beats for longer than the limit")
    assert show("ActiveState") == "active"


def test_two_apps_cannot_speak_for_one_pod(rocket, image):
    done = rocket.run(image, "--name=a", "--notify=speaker", "---", image, "--name=b", "--notify=speaker", status=254)
    assert 'both app "a" and app "b" are to speak for the pod' in done.stderr
    done = rocket.run(image, "--notify=loudly", status=254)
    assert '"loudly" is none of started, ready, speaker' in done.stderr
