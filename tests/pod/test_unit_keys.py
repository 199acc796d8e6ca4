# SPDX-License-Identifier: Apache-2.0
"""Keys of podman's Quadlet that say how an app is confined, stopped and reloaded, as its processes find them in force."""
import pathlib
import socket

import pytest

from conftest import HOST_IS_SYSTEMD, wait_for
from test_units import files, journal, run  # noqa: F401, a fixture

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs systemd as PID 1: runs in tier pod")

VOLUMES = pathlib.Path("/var/lib/rocket-volumes")
APP = r"""trap 'echo interrupted; exit 0' INT; grep NoNewPrivs /proc/self/status; \
    echo \"files $(ulimit -n), message $(cat /proc/sys/kernel/msgmax)\"; \
    touch /data/here; echo started; while :; do sleep 0.1; done"""


def test_keys_are_in_force(files, busybox):  # noqa: F811
    files.write(data_volume="[Volume]\nVolumeName=of-app\nServiceName=the-data\n", app_container=f"""[Unit]
Description=An app
After=other.container
[Container]
Image={busybox}
GLOBAL
Network=none
Entrypoint=/bin/sh
Exec=-c "{APP}"
NoNewPrivileges=true
Sysctl=kernel.msgmax=5000
Ulimit=nofile=1234
StopSignal=SIGINT
StopTimeout=60
ReloadCmd=/bin/touch /data/reloaded
Volume=data.volume:/data
[Service]
Restart=on-failure
""", other_container="[Container]\nImage=/none.aci\n")
    run("systemctl", "start", "app")
    wait_for(lambda: "started" in journal("app"), "the app's words")
    said = journal("app")
    assert "NoNewPrivs:\t1" in said and "files 1234, message 5000" in said
    assert run("systemctl", "is-active", "the-data").strip() == "active"
    assert "other.service" in run("systemctl", "show", "-P", "After", "app")
    run("systemctl", "reload", "app")
    assert sorted(path.name for path in (VOLUMES / "of-app").iterdir()) == ["here", "reloaded"]
    run("systemctl", "restart", "app")
    assert "interrupted" in journal("app")
    run("systemctl", "stop", "app")
    assert run("systemctl", "show", "-P", "Result", "app").strip() == "success"


def test_a_template_is_installed_as_its_default_instance(files, busybox):  # noqa: F811
    files.write(web__container=f"""[Container]
Image={busybox}
GLOBAL
Network=none
Entrypoint=/bin/sh
Exec=-c "echo instance %i; exec sleep 1000"
[Install]
WantedBy=multi-user.target
DefaultInstance=blue
""")
    assert "web@blue.service" in run("systemctl", "list-dependencies", "--plain", "multi-user.target")
    run("systemctl", "start", "web@blue", "web@red")
    for name in ("blue", "red"):
        wait_for(lambda name=name: f"instance {name}" in journal(f"web@{name}"), "its word")
    run("systemctl", "stop", "web@blue", "web@red")


def test_a_file_as_people_write_it(files, busybox):  # noqa: F811
    """Quotes within words, a port that the image does not name, a secret that is the app's user's, the time zone by its file, a name with specifiers."""
    credential, variables = pathlib.Path("/etc/credstore/wild-key"), pathlib.Path("/etc/wild.env")
    credential.parent.mkdir(mode=0o700, exist_ok=True)
    credential.write_text("hush")
    variables.write_text("LEVEL=debug\nCOLOR=grey\n")
    files.write(wild__container=f"""[Container]
Image={busybox}
GLOBAL
ContainerName=wild-%i
PublishPort=127.0.0.1:18%i:9810
User=1000
Secret=wild-key,target=key,mode=0440,uid=1000
Volume=/etc/localtime:/etc/localtime:ro
Environment=GREETING='hello there' \\
    # a comment in between
    COLOR=blue
EnvironmentFile={variables}
Entrypoint=/bin/sh
Exec=-c "echo $$GREETING $$COLOR $$LEVEL; cat /run/secrets/key; stat -c ' %%a %%u' /run/secrets/key; test -s /etc/localtime && echo zone; nc -l -p 9810 -e echo over the port"
""")
    run("systemctl", "start", "wild@81", check=False)
    assert run("systemctl", "is-active", "wild@81", check=False).strip() == "active", journal("wild@81")
    wait_for(lambda: "zone" in journal("wild@81"), "its words")
    assert "hello there blue debug\n" in journal("wild@81") and "hush 440 1000\n" in journal("wild@81")

    def answer():
        try:
            with socket.create_connection(("127.0.0.1", 1881), timeout=5) as client:
                return client.recv(100)
        except ConnectionError:  # nobody listens yet
            return b""
    assert wait_for(answer, "an answer") == b"over the port\n"
    wait_for(lambda: run("systemctl", "is-active", "wild@81", check=False).strip() == "inactive", "its end")
    assert not pathlib.Path("/run/rocket-wild@81-secrets").exists()
