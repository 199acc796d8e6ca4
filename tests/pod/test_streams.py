# SPDX-License-Identifier: Apache-2.0
"""Where an app's standard streams lead: --stdin, --stdout, --stderr (cli 7.2, internals 8.1)."""
import json
import os
import pty

import pytest

from conftest import wait_for

SAY = "echo to stdout; echo to stderr >&2"


def streams_of(rocket, uuid, app="busybox"):
    manifest = json.loads(rocket("cat-manifest", uuid).stdout)
    annotations = next(one for one in manifest["apps"] if one["name"] == app).get("annotations", [])
    return {one["name"].rsplit("/", 1)[1]: one["value"] for one in annotations}


@pytest.mark.bare
def test_log_and_null(rocket, busybox):
    done = rocket.sh(busybox, SAY)
    assert (done.stdout, done.stderr) == ("to stdout\n", "to stderr\n")
    done = rocket.sh(busybox, SAY, "--stdout=null")
    assert (done.stdout, done.stderr) == ("", "to stderr\n")
    done = rocket.sh(busybox, SAY, "--stdout=log", "--stderr=null")
    assert (done.stdout, done.stderr) == ("to stdout\n", "")
    assert streams_of(rocket, rocket.uuids()[0]).keys() <= {"stdin", "stdout", "stderr"}


def test_null_is_dev_null(rocket, busybox):
    done = rocket.sh(busybox, "exec 3>&1; readlink /proc/self/fd/0 >&2; readlink /proc/self/fd/3 >&2", "--stdout=null")
    assert done.stderr.split() == ["/dev/null", "/dev/null"]


def test_what_is_streamed_goes_nowhere_else(rocket, busybox):
    """Neither to the caller nor to the journal: it is for whoever attaches; and it never blocks the app."""
    script = "seq 1 200000; echo done >&2"
    done = rocket.sh(busybox, script, "--stdout=stream")
    assert (done.stdout, done.stderr) == ("", "done\n")
    uuid = rocket.uuids()[0]
    assert streams_of(rocket, uuid) == {"stdout": "stream"}


def test_tty_is_a_terminal_of_the_apps_own(rocket, busybox):
    script = "tty; stty size; echo TERM=$TERM; : > /dev/tty && echo controls it; ls -ln /dev/pts/0"
    process, uuid = rocket.started(busybox, "--exec=/bin/sh", "--user=1000", "--group=1001", "--stdin=tty", "--stdout=tty", "--stderr=tty",
                                   "--", "-c", f"read line; echo got $line; {script}")
    out = rocket("attach", "--mode=tty", uuid, stdin=None, input="hello\n").stdout.splitlines()
    assert out[:5] == ["hello", "got hello", "/dev/pts/0", "24 80", "TERM=dumb"]
    assert out[5] == "controls it" and out[6].split()[2] == "1000"
    assert process.wait(timeout=20) == 0


@pytest.mark.parametrize("flags, out, err, terminal", [
    (["--stdin=tty"], "out\n", "err\n", ""),
    (["--stdout=tty"], "", "err\n", "out\n"),
    (["--stdin=tty", "--stdout=tty"], "", "err\n", "out\n"),
    (["--stderr=tty", "--stdout=stream"], "", "", "err\n"),
    (["--stdin=tty", "--stdout=null", "--stderr=null"], "", "", ""),
])
def test_each_stream_goes_its_own_way(rocket, busybox, flags, out, err, terminal):
    script = "while [ ! -e /go ]; do sleep 0.05; done; echo out; echo err >&2; while [ ! -e /end ]; do sleep 0.05; done"
    process, uuid = rocket.started(busybox, "--exec=/bin/sh", *flags, "--", "-c", script)
    client = rocket.start("attach", "--mode=tty-out", uuid)
    rocket("enter", uuid, "/bin/touch", "/go")
    if terminal:
        assert client.stdout.readline() == terminal
    rocket("enter", uuid, "/bin/touch", "/end")
    assert client.communicate(timeout=20)[0] == ""
    assert process.communicate(timeout=20) == (out, err)


@pytest.mark.parametrize("flags, words", [
    (["--stdin=log"], "cannot be"), (["--stdin=file"], "cannot be"), (["--stdout=stdin"], "cannot be"), (["--stderr="], "cannot be"),
])
def test_modes_that_there_are_not(rocket, busybox, flags, words):
    assert words in rocket.sh(busybox, "true", *flags, status=254).stderr
    assert rocket.uuids() == []


def test_streams_follow_an_image(rocket, busybox):
    assert "must follow" in rocket.run("--stdout=null", busybox, status=254).stderr


def test_one_app_of_several_is_interactive(rocket, busybox):
    """Q31: --interactive is for pods of one app; --stdin=interactive gives one of several the terminal."""
    assert "only supports one image" in rocket.run("--interactive", busybox, "---", busybox, status=254).stderr
    master, slave = pty.openpty()
    process = rocket.start("--insecure-options=image", "run", "--net=none", busybox, "--name=shell", "--exec=/bin/sh", "--stdin=interactive",
                           "---", busybox, "--name=quiet", "--exec=/bin/sleep", "--stdout=null", "--", "1000",
                           stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""

    def shows(text):
        nonlocal seen
        seen += os.read(master, 65536)
        return text in seen
    os.write(master, b"tty; echo $((6*7))-; exit 3\n")
    wait_for(lambda: shows(b"42-"), "the shell's answer")
    assert b"/dev/pts/0" in seen or b"/dev/console" in seen
    assert process.wait(timeout=20) == 3
    os.close(master)


def test_two_apps_cannot_share_one_terminal(rocket, busybox):
    done = rocket.run(busybox, "--name=a", "--stdin=interactive", "---", busybox, "--name=b", "--stdout=interactive", status=None)
    assert done.returncode == 254 and "only one app of a pod can be interactive" in done.stderr


@pytest.mark.parametrize("flags, said", [(["--stdin=tty"], "to stdout\n"), (["--stdin=tty", "--stderr=tty"], "to stdout\n"),
                                         (["--stdout=tty"], ""), (["--stdout=tty", "--stdin=stream"], "")])
def test_a_terminal_for_some_of_the_streams(rocket, busybox, flags, said):
    """systemd 252 aborts when it has to open a terminal and to take descriptors for one app."""
    done = rocket.sh(busybox, SAY, *flags)
    assert done.stdout == said
