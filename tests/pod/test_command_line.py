# SPDX-License-Identifier: Apache-2.0
"""Invocation, help, errors and exit codes (cli 1, 2, 8.20, 8.21)."""
import os
import re
import subprocess

import pytest

from conftest import HOST_IS_SYSTEMD

pytestmark = pytest.mark.bare

COMMANDS = ["cat-manifest", "completion", "config", "enter", "fetch", "gc", "image cat-manifest", "image export", "image list",
            "image rm", "image verify", "list", "prepare", "rm", "run", "run-prepared", "status", "stop", "trust", "units",
            "version"]


def test_version_is_what_wrappers_match(rocket):
    out = rocket("version").stdout
    assert re.search(r"rkt [vV]ersion[:]? (\d+[.]\d+)", out)
    assert re.search(r"appc [vV]ersion[:]? 0\.8\.11", out)
    assert out.startswith("rkt Version: 1.30.0\nappc Version: 0.8.11\n")


def test_no_command_is_status_2_and_help(rocket):
    done = rocket(status=2)
    assert "missing command" in done.stderr
    assert "COMMANDS:" in done.stdout


def test_root_help_lists_every_command_flattened(rocket):
    out = rocket("help").stdout
    listed = out[out.index("COMMANDS:"):]
    for command in COMMANDS:
        assert re.search(rf"^\t{command}\s", listed, re.M), command
    assert [section for section in re.findall(r"^([A-Z ]+):$", out, re.M)][:3] == ["NAME", "USAGE", "VERSION"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_of_each_command(rocket, command, flag):
    done = rocket(*command.split(), flag)
    assert done.stdout.startswith("NAME:\n") and "USAGE:" in done.stdout and "GLOBAL OPTIONS:" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize("arguments, text", [
    (["list", "--foo"], "unknown flag: --foo"),
    (["list", "-x"], 'unknown shorthand flag: "x" in -x'),
    (["list", "--format"], "flag needs an argument: --format"),
    (["--foo", "list"], "unknown flag: --foo"),
    (["--full", "list"], "unknown flag: --full"),
    (["list", "--full=maybe"], 'invalid argument "maybe" for --full=maybe: '),
    (["gc", "--grace-period=10"], 'invalid argument "10" for --grace-period=10: '),
    (["--insecure-options=nope", "list"], 'unknown option "nope"'),
    (["--insecure-options=image,image", "list"], 'duplicated option "image"'),
])
def test_flag_errors(rocket, arguments, text):
    done = rocket(*arguments, status=254)
    assert done.stderr.startswith(f"Error: {text}") or (done.stderr.startswith("Error: ") and text in done.stderr.splitlines()[0])
    assert "USAGE:" in done.stdout


def test_unknown_command_with_suggestion(rocket):
    done = rocket("lsit", status=254)
    assert done.stderr.startswith('Error: unknown command "lsit" for "rocket"')
    assert "Did you mean this?\n\tlist\n" in done.stderr
    assert done.stderr.rstrip().endswith("Run 'rocket --help' for usage.")
    assert done.stdout == ""


def test_commands_by_unambiguous_prefix(rocket):
    assert rocket("ver").stdout == rocket("version").stdout
    assert rocket("im", "li").returncode == 0
    assert "unknown command" in rocket("r", status=254).stderr


def test_global_flags_before_or_after_the_command(rocket, home):
    assert subprocess.run([rocket.program, "list", f"--dir={home}/x", "--full"], env=rocket.environment, check=False).returncode == 0
    assert subprocess.run([rocket.program, "--dir", f"{home}/x", "list"], env=rocket.environment, check=False).returncode == 0


def test_empty_directory_is_refused(rocket):
    done = subprocess.run([rocket.program, "list", "--dir="], env=rocket.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 254 and '"" is not a valid directory' in done.stderr


@pytest.mark.parametrize("command", [["run", "x"], ["prepare", "x"], ["run-prepared", "x"], ["enter", "x"], ["rm", "x"], ["gc"]])
def test_commands_for_root_say_so(rocket, home, command):
    os.chmod(home, 0o755)
    done = subprocess.run(rocket.command(*command), env=rocket.environment, capture_output=True, text=True, check=False,
                          user=65534, group=65534, extra_groups=[])
    assert done.returncode == 254
    assert done.stderr == f"{command[0]}: cannot run as unprivileged user\n"


def test_help_works_unprivileged(rocket):
    assert subprocess.run([rocket.program, "run", "--help"], env=rocket.environment, user=65534, group=65534, extra_groups=[],
                          capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("arguments, text", [
    ([], "must provide at least one image or specify the pod manifest"),
    (["--name=x", "img"], "--name must follow an image"),
    (["img", "--", "a", "---", "--", "b", "--"], None),
    (["img", "--bogus"], "error parsing app image arguments: unknown flag: --bogus"),
    (["--volume=a,kind=nope", "img"], 'unrecognized volume kind: should be one of "empty", "host"'),
    (["--volume=a,kind=host", "img"], "source for host volume cannot be empty"),
    (["--volume=a,kind=host,source=rel", "img"], "source for host volume must be absolute path"),
    (["img", "--mount=volume=x,target=/x"], 'dangling mount point "/x": volume "x" not found'),
    (["--net=none", "--port=http:80", "img"], "--port flag does not work with 'none' networking"),
    (["--net=host", "--port=http:80", "img"], "--port flag does not work with 'host' networking"),
    (["--interactive", "a", "b"], "interactive option only supports one image"),
    (["--port=http", "img"], "name:[ip:]port format"),
    (["--dns=nope", "--net=none", "img"], "Invalid IP passed to --dns: nope"),
    (["img", "--caps-retain=CAP_CHOWN", "--caps-remove=CAP_KILL"], "cannot use both --caps-retain and --caps-remove on the same image"),
    (["img", "--memory=100"], "memory limit of 100 bytes too low"),
    (["img", "--exec=/a", "--exec=/b"], None),
])
def test_errors_of_run_before_any_work(rocket, arguments, text):
    done = rocket("run", *arguments, status=254)
    assert done.stderr, "an error must say why"
    assert text is None or text in done.stderr
    assert rocket.uuids() == [], "a typing error must not leave a pod behind"


def test_rkt_is_the_same_program(rocket):
    assert "rkt Version: 1.30.0" in subprocess.run(["bash", "-c", 'exec -a rkt "$0" version', rocket.program], capture_output=True,
                                                   text=True, env=rocket.environment, check=True).stdout


def test_pods_are_not_ended_by_a_slip_of_the_hand(rocket, busybox):
    uuid = rocket("--insecure-options=image", "prepare", busybox).stdout.strip()
    for command in ("rm", "stop"):
        assert f'"{uuid[:3]}" is too short to end a pod by' in rocket(command, uuid[:3], status=254).stderr  # Q37
    assert rocket.state(uuid[:3]) == "prepared"
    rocket("rm", uuid.replace("-", ""))
    assert rocket.uuids() == []


@pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="makes /etc/rkt, which only a throw-away host may get")
def test_what_rkt_left_is_noticed(rocket):
    os.mkdir("/etc/rkt")
    try:
        look = [rocket.program, "config"]
        done = subprocess.run(look, env=rocket.environment, capture_output=True, text=True, check=True)
        assert 'config: note: "/etc/rkt" of rkt is not looked at, "/etc/rocket" is not there yet' in done.stderr  # Q67
        done = subprocess.run([*look, f"--local-config={rocket.local}"], env=rocket.environment, capture_output=True, text=True, check=True)
        assert done.stderr == ""
    finally:
        os.rmdir("/etc/rkt")
