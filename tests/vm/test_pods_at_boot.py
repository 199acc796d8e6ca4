# SPDX-License-Identifier: Apache-2.0
"""Pods that are declared as files start with the machine, and are there again after whatever ends it."""
import shutil
import subprocess

import pytest
from conftest import scratch

# One program, four apps: says that it is ready; answers on the socket that it was handed, which is its third descriptor;
# takes memory until somebody stops it; does nothing.
PROGRAM = r"""
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char** argv)
{
    (void)argc;
    if (!strcmp(argv[1], "notify")) {
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        strncpy(to.sun_path, getenv("NOTIFY_SOCKET"), sizeof to.sun_path - 1);
        const char said[] = "READY=1\nSTATUS=serving";
        sendto(socket(AF_UNIX, SOCK_DGRAM, 0), said, sizeof said - 1, 0, (struct sockaddr*)&to, sizeof to);
    }
    if (!strcmp(argv[1], "serve"))
        for (int client; (client = accept(3, 0, 0)) >= 0; close(client))
            write(client, "answered\n", 9);
    while (!strcmp(argv[1], "hog"))
        memset(malloc(1 << 20), 1, 1 << 20);
    pause();
}
"""

# The image comes with the operating system; there is no network.
APP = "[Container]\nImage=aci:example.com/apps\nGlobalArgs=--insecure-options=image\nNetwork=none\nExec=%s\n"
INSTALL = "[Service]\nTimeoutStopSec=20\n[Install]\nWantedBy=multi-user.target\n"
FILES = {
    "ready.container": APP % "notify" + "Notify=yes\n" + INSTALL,
    "socket.container": APP % "serve" + "[Socket]\nListenStream=/run/answer\n[Install]\nWantedBy=multi-user.target\n",
    "pair.pod": "[Pod]\nNetwork=none\n" + INSTALL,
    "left.container": APP.replace("Network=none\n", "Pod=pair.pod\n") % "wait",
    "right.container": APP.replace("Network=none\n", "Pod=pair.pod\n") % "wait",
    "limited.container": APP % "hog" + "Memory=32M\n" + INSTALL,
    "broken.container": APP.replace("apps", "none") % "wait" + INSTALL,
}

# What holds after every boot: two run, two have failed, one waits for somebody to come.
SETTLE = """
settled() { [ "$(systemctl is-active ready pair-pod | sort -u)" = active ] && [ "$(systemctl is-failed limited broken-image | sort -u)" = failed ]; }
for try in $(seq 100); do settled && break; sleep 0.2; done
settled || systemctl status --no-pager ready pair-pod limited broken broken-image
"""
CHECK = SETTLE + """
systemctl is-active ready pair-pod socket.socket
systemctl is-active socket || [ $? = 3 ]
systemctl show -P StatusText ready
python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("/run/answer"); print(s.makefile().read(), end="")'
systemctl is-active socket
rocket list --full --no-legend | grep -c running
journalctl -b --no-pager | grep -i 'ordering cycle' || echo no cycle
"""
RESULT = ["active", "active", "active", "inactive", "serving", "answered", "active", "3", "no cycle"]
# Microseconds: since the machine's first, and since its service began to start.
TIMES = """
since() { systemctl show -P "$1"TimestampMonotonic "$2"; }
for unit in ready pair-pod; do
    echo "time $unit $(since ActiveEnter $unit) $(($(since ActiveEnter $unit) - $(since InactiveExit $unit)))"
done
"""


@pytest.fixture
def declared():
    import aci  # tests/support is on the path by now
    tree = scratch()
    subprocess.run(["gcc", "-static", "-O1", "-w", "-o", tree / "app", "-x", "c", "-"], input=PROGRAM, text=True, check=True)
    shipped = tree / f"usr/lib/rocket/images/example.com/apps-latest-linux-{aci.ARCH}.aci"
    shipped.parent.mkdir(parents=True)
    content = [aci.file("rootfs/app", (tree / "app").read_bytes(), mode=0o755)]
    aci.write(shipped, aci.image("example.com/apps", aci.app("/app"), content))
    (tree / "app").unlink()
    place = tree / "etc/rocket/systemd"
    place.mkdir(parents=True)
    for name, text in FILES.items():
        (place / name).write_text(text)
    yield tree
    shutil.rmtree(tree)


def test_pods_from_boot_to_boot(machine_with, installed, images, declared, monkeypatch, record_property):
    monkeypatch.setenv("VM_APPEND", "systemd.wants=multi-user.target")
    machine = machine_with(installed, declared)

    # The files come; a pod runs when the machine is told to reboot, which ends the script as well.
    machine("systemctl daemon-reload; systemctl start ready; systemctl reboot; sleep 100", status=255)

    # They start by themselves; then all that an administrator does; then the power goes.
    out = machine(CHECK + TIMES + """
        systemctl status --no-pager --lines=20 limited broken-image || [ $? = 3 ]
        first=$(systemctl show -P MainPID ready)
        systemctl daemon-reload; systemctl restart ready
        [ "$(systemctl show -P MainPID ready)" != "$first" ] && systemctl is-active ready
        systemctl stop ready pair-pod socket.socket socket
        systemctl show -P Result ready pair-pod socket | sort -u | grep .
        systemctl start ready pair-pod
        sync; systemctl restart ready & echo o > /proc/sysrq-trigger; sleep 60""", status=125)
    lines = out.splitlines()
    assert lines[:len(RESULT)] == RESULT, out
    assert "out of memory" in out and "example.com/none" in out, out
    assert lines[-2:] == ["active", "success"], out  # stopped within the time-out
    for _, unit, at, took in (line.split() for line in lines if line.startswith("time ")):
        print(f"{unit}: ready {int(at) / 1e6:.1f} s after the kernel, {int(took) / 1e6:.2f} s after its start")
        record_property(f"{unit}: ready at boot", f"{int(at) / 1e6:.1f} s, {int(took) / 1e6:.2f} s after its start")

    # They start by themselves once more, the store is whole, and nothing else is left.
    out = machine(CHECK + """
        rocket image list --full --no-legend | while read -r id _; do rocket image verify "$id"; done >/dev/null
        rocket gc --grace-period=0s >/dev/null 2>&1
        rocket list --full --no-legend | grep '^[0-9a-f]' | grep -v running || echo nothing else""")
    assert out.splitlines() == [*RESULT, "nothing else"], out
