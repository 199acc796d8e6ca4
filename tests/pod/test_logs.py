# SPDX-License-Identifier: Apache-2.0
"""rocket logs: the pod's journal; and log files for Kubernetes (internals 8.3, 8.4, F2, F15)."""
import json
import os
import pathlib
import re
import select
import signal
import subprocess

import pytest

from conftest import wait_for

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def ran(rocket, *arguments, **options):
    """The UUID of a pod that has ended."""
    before = set(rocket.uuids())
    rocket.run(*arguments, **options)
    return (set(rocket.uuids()) - before).pop()


def journal_of(rocket, uuid):
    return rocket.data / "pods/run" / uuid / "journal" / uuid.replace("-", "")


@pytest.mark.bare
def test_what_apps_have_said(rocket, busybox):
    uuid = ran(rocket, busybox, "--name=a", "--exec=/bin/sh", "--", "-c", "echo to stdout; echo to stderr >&2", "---",
               busybox, "--name=b", "--exec=/bin/sh", "--", "-c", "echo 'b speaks'")
    lines = rocket("logs", uuid).stdout.splitlines()
    assert sorted(re.sub(r"\[\d*\]", "", line.split(" ", 1)[1]) for line in lines) == ["a: to stderr", "a: to stdout", "b: b speaks"]
    assert all(TIME.match(line) for line in lines) and [line[:27] for line in lines] == sorted(line[:27] for line in lines)
    assert sorted(rocket("logs", "--app=a", "--format=cat", uuid).stdout.splitlines()) == ["to stderr", "to stdout"]
    assert 'no app "c" in pod' in rocket("logs", "--app=c", uuid, status=254).stderr
    entries = [json.loads(line) for line in rocket("logs", "--format=json", uuid).stdout.splitlines()]
    assert sorted((one["app"], one["stream"], one["message"]) for one in entries) == \
        [("a", "stderr", "to stderr"), ("a", "stdout", "to stdout"), ("b", "stdout", "b speaks")]
    assert [one["time_usec"] for one in entries] == sorted(one["time_usec"] for one in entries)


def test_last_lines_and_since(rocket, busybox):
    uuid = ran(rocket, busybox, "--exec=/bin/seq", "--", "1000")
    cat = ("logs", "--format=cat")
    assert rocket(*cat, "-n", "3", uuid).stdout == "998\n999\n1000\n"
    assert rocket(*cat, "-n0", uuid).stdout == "" and len(rocket(*cat, "--lines=5000", uuid).stdout.split()) == 1000
    assert len(rocket(*cat, "--since=1h", uuid).stdout.split()) == 1000
    assert rocket(*cat, "--since=1ns", uuid).stdout == "" and rocket(*cat, "--until=1h", uuid).stdout == ""
    times = [line.split()[0] for line in rocket("logs", uuid).stdout.splitlines()]
    first, last = times[0], times[499]
    expected = len([time for time in times if time <= last])
    assert rocket(*cat, f"--until={last}", uuid).stdout.split() == [str(n + 1) for n in range(expected)]
    assert len(rocket(*cat, f"--since={first}", "--until=1ns", uuid).stdout.split()) == 1000
    assert rocket(*cat, f"--since={last}", f"--until={last}", "-n1", uuid).stdout == f"{expected}\n"


def test_follow(rocket, busybox):
    """Until the pod ends; also from before the app has said anything."""
    process, uuid = rocket.started(busybox, "--exec=/bin/sh", "--stdin=stream", "--", "-c", "while read line; do echo said $line; done")
    follower = rocket.start("logs", "--follow", "--format=cat", uuid)
    rocket("attach", "--mode=stdin", uuid, input="one\ntwo\n", stdin=None)
    out, err = follower.communicate(timeout=30)
    assert (follower.returncode, out, err) == (0, "said one\nsaid two\n", "")
    process.wait(timeout=30)
    assert rocket("logs", "-f", "--format=cat", uuid).stdout == out


def test_nothing_said(rocket, busybox):
    assert rocket("logs", ran(rocket, busybox)).stdout == ""
    assert rocket("logs", ran(rocket, busybox, "--exec=/bin/echo", "--stdout=null", "--", "x")).stdout == ""


@pytest.mark.parametrize("flags, words", [
    (["--format=xml"], "Invalid format option: xml"), (["--since=soon"], "is not a duration"), (["--since=-1m"], "must be longer"),
    (["-n", "x"], "must be a number"), (["-x"], "unknown shorthand flag"), (["--app=../x"], ""), (["--app=other"], 'no app "other" in pod'),
    (["--until=2026-01-02T03:04:05"], "is not a duration"), (["--until=2026-01-02T03:04:05.1234567Z"], "is not a duration"),
    (["--until=1m", "-f"], "--until does not go with --follow"), (["--since=1m", "--until=2026-01-02T03:04:05.5Z"], "--until is before --since"),
])
def test_refused(rocket, busybox, flags, words):
    uuid = ran(rocket, busybox)
    assert words in rocket("logs", *flags, uuid, status=254).stderr


def test_control_characters_do_not_reach_a_terminal(rocket, busybox):
    uuid = ran(rocket, busybox, "--exec=/bin/printf", "--", r"red \033[31m\n")
    assert "\x1b[31m" in rocket("logs", "--format=cat", uuid).stdout  # a file gets what was said
    master, slave = os.openpty()
    rocket("logs", "--format=cat", uuid, stdout=slave, capture_output=False, stderr=subprocess.PIPE)
    assert os.read(master, 4096) == b"red \\x1b[31m\r\n"
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("damage", ["noise", "cut", "link", "fifo", "huge", "zero"])
def test_hostile_journal_files(rocket, busybox, home, damage):
    """Written by the pod: whatever is in them, the reader survives, and reaches nothing else."""
    uuid = ran(rocket, busybox, "--exec=/bin/echo", "--", "honest")
    directory = journal_of(rocket, uuid)
    (file,) = directory.glob("*.journal")
    (home / "secret").write_text("secret\n")
    (home / "secret").chmod(0o600)
    evil = directory / "evil.journal"
    if damage == "noise":
        evil.write_bytes(os.urandom(1 << 16))
    elif damage == "cut":
        evil.write_bytes(file.read_bytes()[:5000])
    elif damage == "link":
        evil.symlink_to(home / "secret")
    elif damage == "fifo":
        os.mkfifo(evil)
    elif damage == "huge":
        data = bytearray(file.read_bytes())
        data[88:] = os.urandom(4000) + bytes(data[4088:])
        evil.write_bytes(data)
    else:
        data = bytearray(file.read_bytes())
        data[208:4096] = bytes(4096 - 208)
        evil.write_bytes(data)
    done = rocket("logs", "--format=cat", uuid, status=None)
    assert done.returncode in (0, 254) and "secret" not in done.stdout + done.stderr
    assert "honest" in done.stdout or done.returncode == 254


def test_the_reader_is_nobody(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sh", "--", "-c", "echo here; sleep 1000")
    follower = rocket.start("logs", "--follow", "--format=cat", uuid)
    wait_for(lambda: select.select([follower.stdout], [], [], 0)[0], "the first line")
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{follower.pid}/status").read_text().splitlines() if ":\t" in line)
    assert status["Uid"].split() == 4 * ["65534"] and status["Groups"].strip() == "" and int(status["CapEff"], 16) == 0
    follower.terminate()
    process.terminate()


# --- log files for Kubernetes

CRI = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (stdout|stderr) ([PF]) (.*)")


@pytest.fixture
def logged(rocket, busybox, home):
    """logged(SCRIPT, FLAG...): (process, log file) of a sandbox with one app, started."""
    (home / "logs").mkdir()

    def start(script, *flags, path="app.log"):
        saved = home / "uuid"
        process = rocket.start("app", "sandbox", "--net=none", f"--uuid-file-save={saved}", "--annotation=coreos.com/rkt/experiment/logmode=k8s-plain",
                               f"--annotation=coreos.com/rkt/experiment/kubernetes-log-dir={home}/logs")
        uuid = wait_for(lambda: saved.exists() and saved.read_text(), "the pod's UUID")
        rocket("status", "--wait-ready=30s", uuid)
        done = rocket("--insecure-options=image", "app", "add", uuid, busybox, "--name=app", "--exec=/bin/sh",
                      f"--annotation=coreos.com/rkt/experiment/kubernetes-log-path={path}", *flags, "--", "-c", script, status=None)
        if done.returncode == 0:
            rocket("app", "start", "--app=app", uuid)
        return process, done, home / "logs/app.log"
    return start


def cri_lines(path):
    return [CRI.fullmatch(line).groups()[1:] for line in path.read_text().splitlines()]


def test_cri_log(rocket, logged):
    process, _, log = logged("echo out; echo err >&2; printf unfinished; seq -s '' 1 6000; sleep 1000", "--stdout=stream")
    wait_for(lambda: log.exists() and len(cri_lines(log)) >= 3, "the log")
    wait_for(lambda: "6000\n" in log.read_text() and "err\n" in log.read_text(), "all of the long line")  # in any order
    lines = cri_lines(log)
    assert ("stdout", "F", "out") in lines and ("stderr", "F", "err") in lines
    pieces = [(tag, text) for stream, tag, text in lines if stream == "stdout"][1:]
    assert [tag for tag, _ in pieces] == ["P", "F"] and len(pieces[0][1]) == 16384
    assert "".join(text for _, text in pieces) == "unfinished" + "".join(map(str, range(1, 6001)))
    assert log.stat().st_mode & 0o777 == 0o640
    process.terminate()


def test_cri_log_is_opened_again(rocket, logged):
    process, _, log = logged("while read line; do echo $line; done", "--stdin=stream", "--stdout=stream")
    (uuid,) = rocket.uuids()
    client = rocket.start("attach", uuid, stdin=subprocess.PIPE)
    client.stdin.write("before\n")
    client.stdin.flush()
    wait_for(lambda: log.exists() and "before" in log.read_text(), "the line")
    log.rename(log.with_suffix(".1"))
    process.send_signal(signal.SIGUSR1)
    wait_for(log.exists, "the new file")
    client.stdin.write("after\n")
    client.stdin.flush()
    wait_for(lambda: "after" in log.read_text(), "the line")
    assert cri_lines(log) == [("stdout", "F", "after")] and cri_lines(log.with_suffix(".1")) == [("stdout", "F", "before")]
    client.terminate()
    process.terminate()


@pytest.mark.parametrize("path", ["../escaped", "/etc/passwd", "a/b", "", "/rkt/kubernetes/log/../x"])
def test_cri_log_paths_that_lead_elsewhere(rocket, logged, home, path):
    process, done, _ = logged("true", path=path)
    assert done.returncode == 254 and os.listdir(home / "logs") == [] and not (home / "escaped").exists()
    process.terminate()


def test_cri_log_through_a_link(rocket, logged, home):
    (home / "victim").write_text("untouched")
    (home / "logs/app.log").symlink_to(home / "victim")
    process, done, _ = logged("echo x")
    assert done.returncode == 254 and (home / "victim").read_text() == "untouched"
    process.terminate()
