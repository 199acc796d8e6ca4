# SPDX-License-Identifier: Apache-2.0
"""The manual: pages that say what the program says, and that man and mandoc have nothing to say about."""
import json
import os
import re
import shlex
import subprocess

import pytest

from conftest import BUILD, SOURCE

pytestmark = pytest.mark.bare
MANUAL = BUILD / "dist"
PAGES = sorted(page for section in (1, 5, 7) for page in MANUAL.glob(f"man{section}/*.{section}"))


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, **options).stdout


def plain(page):
    return re.sub(r".\x08", "", run("mandoc", "-T", "ascii", "-O", "width=1000", page))


@pytest.fixture
def table(rocket):
    return json.loads(rocket("help", "--format=json").stdout)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_are_clean(page):
    assert run("mandoc", "-T", "lint", "-W", "warning", page) == ""
    done = subprocess.run(["man", "--warnings", "--local-file", page], env={**os.environ, "LC_ALL": "C.UTF-8", "MANPAGER": "cat"},
                          capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "" and "NAME" in done.stdout


def test_every_command_has_a_page_and_no_other(rocket, table):
    commands = {f"rocket-{c['name'].replace(' ', '-')}.1" for c in table["commands"]}
    assert {page.name for page in MANUAL.glob("man1/*")} == commands | {"rocket.1"}
    overview = plain(MANUAL / "man1/rocket.1")
    assert [name for name in commands if f"{name[:-2]}(1)" not in overview] == []
    listed = re.findall(r"^\t(\S+(?: \S+)?)\t", rocket("help").stdout, flags=re.M)
    assert sorted(listed) == sorted(c["name"] for c in table["commands"]), "help and its JSON know the same commands"


def test_pages_say_what_help_says(rocket, table):
    for command in table["commands"]:
        page = plain(MANUAL / f"man1/rocket-{command['name'].replace(' ', '-')}.1")
        local = rocket(*command["name"].split(), "--help").stdout.split("GLOBAL OPTIONS:")[0]
        in_help = dict(re.findall(r"^ +(?:-\w, )?--([a-z0-9-]+)\S*\t+(.*)$", local, flags=re.M))
        heads = set(re.findall(r"^ {7}(?:-\w, )?--([a-z0-9-]+)", page, flags=re.M))
        assert heads == set(in_help), command["name"]
        assert command["purpose"] in page
        for name, text in in_help.items():
            assert text[1:] in page, (command["name"], name)


def test_what_examples_use_is_there(table):
    """Commands and flags in the examples of all pages."""
    flags = {c["name"]: {o["name"] for o in (*c["options"], *table["globalOptions"])} for c in table["commands"]}
    checked = 0
    for page in PAGES:
        for example in plain(page).partition("\nEXAMPLES\n")[2].partition("\nSEE ALSO\n")[0].replace("\\\n", "").splitlines():
            line = example.split("rocket ", 1)
            if len(line) == 2 and re.match(r" *(rocket|systemd-run|source|uuid=)", example):
                words = [word for word in shlex.split(line[1].strip(" )"), comments=True) if word not in ("---", "|")]
                words = words[:words.index("--")] if "--" in words else words
                names = [word for word in words if not word.startswith("-")]
                command = " ".join(names[:2]) if " ".join(names[:2]) in flags else names[0]
                assert command in flags, f"{page.name}: {example}"
                unknown = {word[2:].split("=")[0] for word in words if word.startswith("--")} - flags[command]
                assert unknown == set(), f"{page.name}: {example}"
                checked += 1
    assert checked > 20


def test_the_page_of_unit_files_is_the_table(rocket):
    page = plain(MANUAL / "man5/rocket-systemd.unit.5")
    rows = [re.split(r"\t+", line) for line in rocket("units", "--keys").stdout.splitlines()[1:]]
    parts = {heading: re.split(r"^\S", page.split(f"\n{heading}\n")[1], flags=re.M)[0]
             for heading in ("KEYS THAT ARE REFUSED", *(f"KEYS OF [{kind}]" for kind in ("CONTAINER", "POD", "IMAGE", "NETWORK", "VOLUME")))}
    for section in ("Container", "Pod", "Image", "Network", "Volume"):
        part, known = parts[f"KEYS OF [{section.upper()}]"], [row for row in rows if row[0] == section and row[2] == "supported"]
        assert re.findall(r"^ {7}(\w+)=", part, flags=re.M) == [row[1] for row in known]
        assert all(row[3] in part for row in known)
    refused = [row for row in rows if row[2] == "refused"]
    for section, key, _, reason in refused:
        assert any(f"{'any section' if section == 'any' else f'[{section}]'}" in line and f" {key}=" in line
                   for line in parts["KEYS THAT ARE REFUSED"].splitlines()), (section, key)
        assert reason in parts["KEYS THAT ARE REFUSED"]
    assert len(refused) > 50
    rocket("units", "--keys", "x.container", status=254)


def test_the_page_of_the_configuration_names_the_kinds(rocket, home):
    page = plain(MANUAL / "man5/rocket-config.5")
    kinds = set(re.findall(r"^ +(\w+\.d) +(\w+) ", page, flags=re.M))
    accepted = set()
    for directory in ("auth.d", "images.d", "paths.d", "registries.d", "stage1.d"):
        place = home / "config" / directory
        place.mkdir(parents=True)
        (place / "x.json").write_text('{"rktKind": "none", "rktVersion": "v1"}')
        error = rocket("config", f"--local-config={home}/config", status=254).stderr
        accepted |= {(directory, kind) for kind in re.findall(r'"(\w+)"', error.split("of kinds", 1)[1].split(", but")[0])}
        (place / "x.json").unlink()
    assert kinds == accepted


def test_equal_sources_make_equal_pages(home):
    for name in ("a", "b"):
        run(SOURCE / "dist/build-man", "--rocket", BUILD / "stage0/rocket", "--date", "2026-11-26", home / name,
            env={**os.environ, "HOME": f"/{name}", "USER": name, "COLUMNS": "40"})
    assert run("diff", "-r", home / "a", home / "b") == ""
    assert "~/.config/rocket" in plain(home / "a/man1/rocket.1")


def test_json_of_help_is_for_all_commands(rocket):
    assert "invalid format" in rocket("help", "--format=xml", status=254).stderr
    assert "do not name one" in rocket("help", "--format=json", "run", status=254).stderr
