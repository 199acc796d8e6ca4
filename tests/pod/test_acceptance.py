# SPDX-License-Identifier: Apache-2.0
"""The acceptance pod of appc.md chapter 19 (VAL-1 to VAL-7): two images that look at their pod from inside, app by app and handler by
handler. Each check is a line of their report, by the requirement it is about; the pod's exit status is the verdict."""
import json

import aci
import pytest

pytestmark = pytest.mark.bare

# check ID COMMAND...: one line, and a verdict that sticks.
LIBRARY = r"""
failed=0
check() { local id=$1; shift; if "$@"; then echo "ok $id"; else echo "FAILED $id: $*"; failed=1; fi; }
is() { test "$1" = "$2" || { echo "  '$1' is not '$2'"; return 1; }; }
absent() { test ! -e "$1"; }
fails() { ! "$@" 2>/dev/null; }
refused() { ! eval "$1" 2>/dev/null; }
options_of() { grep " $1 " /proc/self/mountinfo | while read a b c d place options rest; do test "$place" = "$1" && echo ",$options,"; done | { last=; while read line; do last=$line; done; echo "$last"; }; }
has_option() { case $(options_of "$1") in *,$2,*) ;; *) return 1 ;; esac; }
node() { is "$(stat -c '%F %t:%T %a' "$1")" "character special file $2 666"; }
value() { grep "^$1:" /proc/self/status | { read name value rest; echo "$value"; }; }
wait_for() { local n=0; while test ! -e "$1"; do n=$((n + 1)); test $n -lt 100 || return 1; sleep 0.1; done; }
environment() { # every process of an app (ENV-1, APP-13)
    check ENV-1 is "$PATH" /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    check ENV-1 is "$AC_APP_NAME" "$1"
    check ENV-1 is "$container" rocket
    check ENV-6 is "${AC_METADATA_URL-unset}" unset
    check ENV-5 is "${SECRET_OF_THE_CALLER-unset}" unset
}
linux() { # ACE-8 to ACE-14
    check ACE-8 node /dev/null 1:3
    check ACE-8 node /dev/zero 1:5
    check ACE-8 node /dev/full 1:7
    check ACE-8 node /dev/random 1:8
    check ACE-8 node /dev/urandom 1:9
    check ACE-8 node /dev/tty 5:0
    check ACE-8 test -c /dev/console
    check ACE-8 test -c /dev/pts/ptmx
    check ACE-8 test -c /dev/ptmx
    check ACE-8 is "$(stat -c %a /dev/shm)" 1777
    for option in nosuid nodev noexec; do check ACE-8 has_option /proc $option; check ACE-8 has_option /sys $option; done
    check ACE-8 has_option /sys ro
    check ACE-8 has_option /dev/shm nosuid
    check ACE-10 is "$(readlink /dev/fd)" /proc/self/fd
    check ACE-10 test -d /dev/mqueue
    check ACE-11 refused 'echo 1 > /proc/sys/kernel/panic'
    check ACE-11 refused 'echo b > /proc/sysrq-trigger'
    check ACE-11 is "$(head -c 1 /proc/kallsyms | wc -c)" 0
    check ACE-12 grep -q localhost /etc/hosts
    check ACE-13 refused 'mknod /tmp/disk b 8 0 && head -c 1 /tmp/disk'
    check NET-1 grep -q 'lo:' /proc/net/dev
    check ACE-5 is "$(head -c 7 /proc/1/comm)" systemd
}
isolators() { # CAP-2, CAP-5, SEC-11, NNP-1
    check CAP-2 is "$(value CapBnd)" 00000000a80425fb
    check CAP-5 is "$(value CapEff)" 00000000a80425fb
    check CAP-5 is "$(value CapAmb)" 0000000000000000
    check CAP-5 is "$(value CapInh)" 0000000000000000
    check SEC-11 is "$(value Seccomp)" 2
    check SEC-11 refused 'mount -t tmpfs none /tmp'
    check NNP-1 is "$(value NoNewPrivs)" 0
    check USR-7 is "$(id -G)" 0
}
"""

MAIN = {
    "prestart": "check VAL-2 absent /prestart; check VAL-2 absent /main; check VAL-2 absent /poststop; touch /prestart\n"
                "environment ace-validator-main; isolators; check VAL-2 is \"$IN_ACE_VALIDATOR\" correct; check APP-15 is $(pwd) /opt/acvalidator",
    "main": "check VAL-3 test -e /prestart; check VAL-3 absent /main; check VAL-3 absent /poststop; touch /main\n"
            "environment ace-validator-main; linux; isolators\n"
            "check VAL-3 is $(pwd) /opt/acvalidator; check VAL-3 is \"$IN_ACE_VALIDATOR\" correct\n"
            "check VAL-3 has_option /db rw; check VOL-17 has_option /db nosuid\n"
            "check ACE-14 touch /written; for fd in 3 4 5 6 7 8 9; do check ACE-7 absent /proc/$$/fd/$fd; done\n"
            "check VAL-3 absent /db/main; touch /db/main; check VAL-3 wait_for /db/sidekick; check POD-10 wait_for /db/seen",
    "poststop": "check VAL-5 test -e /prestart; check VAL-5 test -e /main; check VAL-5 absent /poststop; touch /poststop\n"
                "environment ace-validator-main; isolators\n"
                "test $failed = 0 && touch /db/poststop-passed",
}
SIDEKICK = {
    "sidekick": "check VAL-4 absent /db/sidekick; touch /db/sidekick; check VAL-4 wait_for /db/main\n"
                "environment ace-validator-sidekick; linux; isolators\n"
                "check ACE-14 refused 'touch /written'; check VOL-18 touch /db/written\n"
                "check POD-10 test $(ps | grep -c '[a]ce-validator main') -ge 1; check POD-10 absent /main; touch /db/seen",
}


def validator(parts):
    cases = "".join(f"{name})\n{script}\n;;\n" for name, script in parts.items())
    return aci.file("rootfs/ace-validator", f"#!/bin/sh\n{LIBRARY}\ncase $1 in\n{cases}*) exit 9 ;;\nesac\nexit $failed\n", 0o755)


@pytest.fixture
def main_image(make):
    handlers = [{"name": "pre-start", "exec": ["/ace-validator", "prestart"]}, {"name": "post-stop", "exec": ["/ace-validator", "poststop"]}]
    app = aci.app("/ace-validator", "main", workingDirectory="/opt/acvalidator", eventHandlers=handlers,
                  environment=[{"name": "IN_ACE_VALIDATOR", "value": "correct"}], mountPoints=[{"name": "database", "path": "/db"}],
                  ports=[{"name": "www", "protocol": "tcp", "port": 80}],
                  isolators=[{"name": "resource/memory", "value": {"limit": "1G"}}])
    annotations = [{"name": "created", "value": "2014-10-27T19:32:27.67021798Z"}, {"name": "authors", "value": "Someone <a@example.com>"},
                   {"name": "homepage", "value": "https://example.com"}, {"name": "documentation", "value": "https://example.com/docs"},
                   {"name": "lorem", "value": "ipsum"}]
    content = [*aci.busybox(), aci.directory("rootfs/opt"), aci.directory("rootfs/opt/acvalidator"), validator(MAIN)]
    return make("coreos.com/ace-validator-main", app, content, annotations=annotations)


@pytest.fixture
def sidekick_image(make):
    app = aci.app("/ace-validator", "sidekick", mountPoints=[{"name": "database", "path": "/db"}])
    return make("coreos.com/ace-validator-sidekick", app, [*aci.busybox(), validator(SIDEKICK)])


def run(rocket, main, sidekick, *flags):
    done = rocket.run("--volume=database,kind=empty", *flags, main, "---", sidekick, "--readonly-rootfs=true", status=None, timeout=60,
                      env={"SECRET_OF_THE_CALLER": "x"})
    assert "FAILED" not in done.stdout, "\n".join(line for line in done.stdout.splitlines() if not line.startswith("ok "))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("flags", [[], ["--private-users"], ["--no-overlay"]], ids=["default", "private users", "copies"])
def test_the_acceptance_pod(rocket, main_image, sidekick_image, flags):
    report = run(rocket, main_image, sidekick_image, *flags)
    for requirement in ("VAL-2", "VAL-3", "VAL-4", "VAL-5", "ENV-1", "ACE-8", "ACE-14", "CAP-2", "SEC-11", "POD-10"):
        assert f"ok {requirement}\n" in report
    [uuid] = rocket.uuids()
    assert list(rocket.data.glob(f"pods/*/{uuid}/volumes/*/poststop-passed")), "what post-stop finds does not change the status (APP-11)"
    assert json.loads(rocket("cat-manifest", uuid).stdout)["apps"][0]["name"] == "ace-validator-main"


def test_a_second_run_starts_clean(rocket, main_image, sidekick_image):
    """VAL-7, REN-1."""
    for _ in range(2):
        run(rocket, main_image, sidekick_image)


def test_a_failed_check_is_the_pods_verdict(rocket, main_image, make, busybox):
    """Without the sidekick there is no /db/sidekick; and the report says so."""
    done = rocket.run("--volume=database,kind=empty", main_image, "--environment=IN_ACE_VALIDATOR=wrong", status=1, timeout=60)
    assert "FAILED VAL-2: is wrong correct" in done.stdout
