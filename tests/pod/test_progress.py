# SPDX-License-Identifier: Apache-2.0
"""Progress on a terminal (cli 1.3): a line for the image and one for each layer that is under way, drawn again in place;
no line wraps, whatever the width, and none is left at the end."""
import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import threading

import aci
import fake_registry
import oci
import pytest
from test_simple_signing import authority, registry, rocket  # noqa: F401


@pytest.fixture
def layout(home):
    layout = oci.Layout(home / "layout")
    layers = [layout.layer([aci.file(f"big-{n}", os.urandom(1 << 20))], None) for n in range(3)]
    layout.layers = [layer[0]["digest"] for layer in layers]
    layout.image(oci.busybox(), *layers, name="v1", Cmd=["/bin/true"])
    return layout


class Screen:
    """What a terminal of that size makes of the bytes: no more than Progress needs, and it fails on anything else."""

    def __init__(self, columns, rows):
        self.columns, self.rows, self.lines, self.row, self.column, self.wrapped = columns, rows, [""], 0, 0, False

    def feed(self, text):
        for part in re.findall(r"\x1b\[\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
            if part == "\r":
                self.column = 0
            elif part == "\n":
                self.row += 1
                if self.row == len(self.lines):
                    self.lines.append("")
            elif part.startswith("\x1b"):
                self.control(part)
            else:
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[:self.column] + part + line[self.column + len(part):]
                self.column += len(part)
                self.wrapped = self.wrapped or (self.column > self.columns and "ing layer" in line + part)

    def control(self, sequence):
        if sequence.endswith("A"):
            self.row -= int(sequence[2:-1])
            assert self.row >= 0
        elif sequence == "\x1b[J":
            self.lines[self.row] = self.lines[self.row][:self.column]
            del self.lines[self.row + 1:]
        else:
            raise AssertionError(repr(sequence))


def watch(rocket, registry, columns, wanted, rows=24, command=("fetch",)):  # noqa: F811
    """Fetches on a terminal; all of what was on the screen at any time. Layers halt half-way until `wanted` was there."""
    go_on = threading.Event()
    layers = [registry.blob(digest) for digest in registry.layout.layers]

    def half(request, blob):
        if blob not in layers:
            return blob(request)
        middle = len(blob.data) // 2
        request.send_response(200)
        request.send_header("Content-Length", str(len(blob.data)))
        request.end_headers()
        request.wfile.write(blob.data[:middle])
        request.wfile.flush()
        go_on.wait(60)
        request.wfile.write(blob.data[middle:])
    registry.faults["blobs"] = half
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(rocket.command("--insecure-options=image", *command, registry.reference), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=slave, env=rocket.environment)
    os.close(slave)
    screen, seen = Screen(columns, rows), []
    try:
        while True:
            if process.poll() is not None and not select.select([master], [], [], 0)[0]:
                break
            if not select.select([master], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(master, 65536).decode()
            except OSError:  # the other end is closed
                break
            screen.feed(data)
            seen.append(list(screen.lines))
            if wanted(screen.lines):
                go_on.set()
    finally:
        go_on.set()
        process.communicate()
        os.close(master)
    assert process.returncode == 0 and not screen.wrapped, seen[-3:]
    return seen, screen


def layers_in(lines):
    return [line for line in lines if line.startswith("Downloading layer ")]


@pytest.mark.parametrize("columns", [100, 40])
def test_a_line_for_the_image_and_for_each_layer(rocket, registry, columns):  # noqa: F811
    seen, screen = watch(rocket, registry, columns, lambda lines: len(layers_in(lines)) == 3 and lines[-4].startswith("Downloading layers: "))
    best = max(seen, key=lambda lines: len(layers_in(lines)))
    assert {line.split()[2].rstrip(":") for line in layers_in(best)} == {digest.split(":")[1][:12] for digest in registry.layout.layers}, best
    if columns == 100:
        assert all("KiB" in line or "MiB" in line for line in layers_in(best)), best
    assert [line for line in screen.lines if "ownloading" in line] == [], "nothing is left"
    assert any(" is sha256:" in line for line in screen.lines), "and what was said is still there"


def test_no_more_lines_than_the_terminal_has(rocket, registry):  # noqa: F811
    seen, _ = watch(rocket, registry, 80, lambda lines: len([line for line in lines if line.startswith("Downloading")]) == 2, rows=2)
    assert max(len([line for line in lines if line.startswith("Downloading")]) for lines in seen) == 2


def test_quiet_is_quiet(rocket, registry):  # noqa: F811
    seen, _ = watch(rocket, registry, 80, lambda lines: True, command=["prepare", "--quiet"])
    assert not any("ownloading" in line for lines in seen for line in lines)
