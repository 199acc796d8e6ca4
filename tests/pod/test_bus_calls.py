# SPDX-License-Identifier: Apache-2.0
"""What a start of a pod asks of the host's services: many at once do not choke the bus of its PID 1."""
import collections
import json
import os
import subprocess
import threading

import pytest

from conftest import HOST_IS_SYSTEMD, wait_for
from test_units import files, run  # noqa: F401

# Machined looks at the unit of a machine whenever that has changed, and sees to its end: that is no part of a start.
OF_MACHINED = {"Get", "StopUnit", "UnrefUnit"}
STARTS = int(os.environ.get("ROCKET_UNIT_STARTS", "24"))  # of each pod's systemd, root has three inotify instances

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")


class Calls:
    """The method calls on the host's system bus."""

    def __init__(self):
        self.process = subprocess.Popen(["busctl", "monitor", "--json=short", "--match=type='method_call'"], stdout=subprocess.PIPE, text=True)
        self.seen, self.marks = [], 0
        self.reader = threading.Thread(target=lambda: self.seen.extend(json.loads(line) for line in self.process.stdout), daemon=True)
        self.reader.start()

    def mark(self):
        """Makes a call, which the bus refuses: its path, by which it is known."""
        self.marks += 1
        run("busctl", "call", "org.freedesktop.DBus", f"/mark{self.marks}", "org.freedesktop.DBus.Peer", "Ping", check=False)
        return f"/mark{self.marks}"

    def has_seen(self, path):
        return any(one["path"] == path for one in self.seen)

    def counted(self):
        """How many there were since the last time, by service and name: those to machined and to PID 1."""
        mark = self.mark()
        wait_for(lambda: self.has_seen(mark), "our own call")
        seen, self.seen[:] = self.seen[:], []
        services = {"/org/freedesktop/machine1": "machined", "/org/freedesktop/systemd1": "PID 1"}
        machined = json.loads(run("busctl", "call", "--json=short", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                  "GetNameOwner", "s", "org.freedesktop.machine1"))["data"][0]
        return collections.Counter((service, one["member"]) for one in seen for path, service in services.items()
                                   if one["path"].startswith(path) and not (one["sender"] == machined and one["member"] in OF_MACHINED))

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.reader.join(timeout=20)


@pytest.fixture
def calls():
    run("machinectl", "list")  # machined runs, and has asked PID 1 what it wants to know
    opened = Calls()
    try:
        wait_for(lambda: opened.has_seen(opened.mark()), "the monitor")
        opened.counted()
        yield opened
    finally:
        opened.close()


def test_a_pod_of_a_shell_is_one_call_and_that_makes_its_scope(rocket, busybox, calls):
    rocket.run(busybox)
    found = calls.counted()
    assert found.pop(("machined", "CreateMachineWithNetwork")) == 1
    assert found.pop(("PID 1", "StartTransientUnit")) == 1  # by machined
    assert not found, found


def test_a_pod_that_is_not_to_be_registered_is_no_call(rocket, busybox, calls):
    process, uuid = rocket.started("--register=false", busybox, "--exec=/bin/sleep", "--", "1000")
    assert not calls.counted()
    assert uuid not in run("machinectl", "list")  # asks about every machine that there is
    calls.counted()
    process.terminate()
    process.wait()
    assert not calls.counted()


def test_many_units_that_start_at_once(files, busybox, calls):  # noqa: F811
    files.write(many__container=f"""[Container]
Image={busybox}
GLOBAL
Network=none
[Service]
Type=oneshot
""")
    calls.counted()  # those of the reload
    run("systemctl", "start", *[f"many@{number}" for number in range(STARTS)])
    found = calls.counted()
    assert found.pop(("machined", "RegisterMachineWithNetwork")) == STARTS
    assert not found, found  # PID 1 is asked for nothing
