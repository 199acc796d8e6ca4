# SPDX-License-Identifier: Apache-2.0
"""What TAB does, in real shells: each types a line and runs it, and the words that arrive are what counts (cli 8.21)."""
import json
import os
import pty
import select
import shlex
import subprocess
import time

import aci
import pytest

from conftest import BUILD

pytestmark = pytest.mark.bare
PROMPT = "ready> "


@pytest.fixture
def images(rocket, home):
    """An image, and a prepared pod of it."""
    archive = aci.write(home / "web.aci", aci.image("example.com/web", aci.app("/bin/true"), aci.busybox(), version="1.2"))
    rocket.fetch(archive)
    return rocket("--insecure-options=image", "prepare", "example.com/web").stdout.strip()


def environment_with(rocket, home):
    """A `rocket` on PATH that completes as it does, and else writes down what it was given."""
    ran = home / "ran"
    tools = home / "bin"
    tools.mkdir(exist_ok=True)
    environment = " ".join(f"{key}={shlex.quote(value)}" for key, value in rocket.environment.items() if key.startswith("ROCKET"))
    (tools / "rocket").write_text(f"""#!/bin/sh
if [ "$1" = completion ]; then {environment} exec {shlex.join(rocket.command())} "$@"; fi
printf '%s\\n' "$@" > {ran}.new && mv {ran}.new {ran}
""")
    (tools / "rocket").chmod(0o755)
    return {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(home), "ZDOTDIR": str(home), "TERM": "dumb", "LANG": "C.UTF-8",
            "INPUTRC": "/dev/null"}


class Shell:
    """On a terminal."""

    def __init__(self, name, rocket, home):
        self.name, self.ran = name, home / "ran"
        environment = environment_with(rocket, home)
        (home / ".bashrc").write_text(f"PS1='{PROMPT}'; bind 'set enable-bracketed-paste off'; source {BUILD}/dist/rocket\n")
        (home / ".zshrc").write_text(f"PS1='{PROMPT}'; fpath=({BUILD}/dist $fpath); autoload -U compinit; compinit -u -D; unsetopt zle_bracketed_paste\n")
        command = {"bash": ["bash", "--rcfile", str(home / ".bashrc"), "-i"], "zsh": ["zsh", "-d", "-i"]}[name]
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(home)
            os.execvpe(command[0], command, environment)
        self.pid = pid
        self.read_until(lambda seen: PROMPT in seen)

    def read_until(self, is_there, timeout=60):
        seen, end = "", time.monotonic() + timeout
        while not is_there(seen):
            assert time.monotonic() < end, f"{self.name} shows {seen!r}"
            if select.select([self.terminal], [], [], 0.1)[0]:
                seen += os.read(self.terminal, 4096).decode(errors="replace")

    def words(self, line):
        """What rocket is run with, when this is typed."""
        self.ran.unlink(missing_ok=True)
        os.write(self.terminal, f"rocket {line}\n".encode())
        self.read_until(lambda _: self.ran.exists())
        return self.ran.read_text().splitlines()

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


@pytest.fixture(params=["bash", "zsh"])
def shell(request, rocket, images, home):
    made = Shell(request.param, rocket, home)
    yield made
    made.close()


def test_commands_flags_and_values(shell):
    assert shell.words("im\tli\t--no\t") == ["image", "list", "--no-legend"]
    assert shell.words("list --format=json-\t") == ["list", "--format=json-pretty"]
    assert shell.words("image export --over\tx") == ["image", "export", "--overwrite", "x"]


def test_pods_and_images(shell, images):
    assert shell.words(f"run-prepared {images[:6]}\t") == ["run-prepared", images]
    assert shell.words("run --net=none example.com/w\t") == ["run", "--net=none", "example.com/web:1.2"]
    assert shell.words("image rm example.com/web:1\t") == ["image", "rm", "example.com/web:1.2"]


def test_files_are_the_shells_business(shell, home):
    (home / "directory").mkdir()
    (home / "directory/some.aci").touch()
    assert shell.words("fetch ./directory/so\t") == ["fetch", "./directory/some.aci"]
    assert shell.words("status --uuid-file=directory/so\t") == ["status", "--uuid-file=directory/some.aci"]


def test_fish(rocket, images, home):
    (home / "some.aci").touch()
    for line, wanted in {"im": "image", "image li": "list", "image list --no": "--no-legend", "list --format=json-": "--format=json-pretty",
                         f"run-prepared {images[:6]}": images, "image rm example.com/web:1": "example.com/web:1.2",
                         f"fetch {home}/so": f"{home}/some.aci", f"status --uuid-file={home}/so": f"--uuid-file={home}/some.aci"}.items():
        done = subprocess.run(["fish", "--no-config", "-c", f"source {BUILD}/dist/rocket.fish; complete -C $argv[1]", f"rocket {line}"],
                              env=environment_with(rocket, home), capture_output=True, text=True, check=True, timeout=60)
        assert [word.split("\t")[0] for word in done.stdout.splitlines()] == [wanted], line


def test_what_is_asked_of_completion(rocket):
    assert "shell type is not specified" in rocket("completion", status=254).stderr
    assert "'tcsh' shell is not supported" in rocket("completion", "tcsh", status=254).stderr
    assert "too many arguments" in rocket("completion", "bash", "x", status=254).stderr


def candidates(rocket, *words):
    return [line.split("\t")[0] for line in rocket("completion", "--words", "--", *words).stdout.splitlines()]


def test_pods_are_offered_by_their_state(rocket, images):
    assert candidates(rocket, "run-prepared", "") == candidates(rocket, "status", "") == candidates(rocket, "rm", "") == [images]
    assert candidates(rocket, "stop", "") == candidates(rocket, "enter", "") == []
    assert candidates(rocket, "run-prepared", images, "") == []


def test_nothing_is_offered_where_nothing_can_stand(rocket, home):
    for words in (["nonsense", ""], ["list", ""], ["run", "x", "--", "--"], ["run", "--no-such-flag="]):
        assert candidates(rocket, *words) == [], words
    assert candidates(rocket, f"--dir={home}/none", "run", "") == []
    assert not (home / "none").exists(), "asking makes nothing"


def test_global_flags_on_the_line_count(rocket, images, home):
    assert candidates(rocket, "status", "") == [images]
    assert candidates(rocket, f"--dir={home}/other", "status", "") == []
    assert candidates(rocket, "--dir", f"{home}/other", "status", "") == []


def test_every_command_that_takes_images_offers_them(rocket, images):
    commands = json.loads(rocket("help", "--format=json").stdout)["commands"]
    of_images = [c["name"] for c in commands if "IMAGE" in c["arguments"]]
    assert len(of_images) > 6
    before = {"app add": ["UUID"]}
    assert [name for name in of_images if "example.com/web:1.2" not in candidates(rocket, *name.split(), *before.get(name, []), "")] == []
