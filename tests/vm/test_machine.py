# SPDX-License-Identifier: Apache-2.0
"""What needs a machine of its own: limits, boots, power cuts, a read-only /usr."""

CHECK = """
rocket image list --full --no-legend | while read -r id _; do [ -z "$id" ] || rocket image verify "$id"; done
rocket list --format=json >/dev/null
rocket gc --grace-period=0s --expire-prepared=0s 2>/dev/null
rocket gc --grace-period=0s --expire-prepared=0s 2>/dev/null
[ -z "$(rocket list --no-legend)" ]
rocket run --net=none /images/busybox.aci --exec=/bin/echo -- works
"""


def test_limits_and_controllers(machine):
    """The tests of tests/pod that are marked `vm`, inside the machine."""
    out = machine("cd /usr/lib/rocket-tests; ROCKET=$(type -P rocket) ROCKET_TIER=vm python3 -m pytest -c tests/pytest.ini tests/pod -m vm 2>&1", timeout=480)
    assert " passed" in out


def test_pods_running_at_reboot(machine):
    machine("""
        systemd-run --quiet --unit=web -p Type=notify -p KillMode=mixed "$(type -P rocket)" --insecure-options=image run --net=none /images/busybox.aci --exec=/bin/sleep -- 1000
        rocket list --no-legend | grep running
        systemctl reboot --force --force
        sleep 60""", status=125)
    out = machine("rocket list --no-legend; " + CHECK)
    assert "exited" in out.splitlines()[0] and out.endswith("works\n")


def test_power_cuts(machine):
    """The power goes while images are fetched and pods are made and run: after each cut everything is whole."""
    for delay in ("0.7", "1.9", "3.3"):
        machine(f"""
            (while :; do
                for n in 0 1 2 3 4; do
                    rocket fetch /images/app$n.aci; rocket prepare example.com/app$n; rocket run --net=none example.com/app$n
                done
                rocket image rm example.com/app0 example.com/app1; rocket gc --grace-period=0s
            done) >/dev/null 2>&1 &
            sleep {delay}; echo o > /proc/sysrq-trigger; sleep 60""", status=125)
        out = machine(CHECK)
        assert out.endswith("works\n"), out


def test_unit_of_the_manual(machine):
    """The unit of cli 9.6, and the units that Rocket installs."""
    out = machine(r"""
        mkdir -p /etc/systemd/system
        bin=$(dirname "$(type -P rocket)")
        cat > /etc/systemd/system/web.service <<UNIT
[Service]
Slice=machine.slice
Delegate=true
ExecStartPre=$bin/rocket --insecure-options=image fetch /images/busybox.aci
ExecStart=$bin/rocket --insecure-options=image run --inherit-env --net=none --uuid-file-save=/run/web.uuid example.com/busybox --exec=/bin/sleep -- 1000
ExecStopPost=$bin/rkt rm --uuid-file=/run/web.uuid
ExecStopPost=$bin/rkt gc --mark-only
KillMode=mixed
Restart=always
UNIT
        systemctl daemon-reload
        systemctl start web
        for try in $(seq 100); do [ -s /run/web.uuid ] && rocket status --wait-ready=60s "$(cat /run/web.uuid)" && break; sleep 0.2; done
        machinectl list --no-legend
        first=$(cat /run/web.uuid)
        systemctl kill --kill-whom=main --signal=KILL web
        for try in $(seq 200); do [ "$(cat /run/web.uuid)" != "$first" ] && break; sleep 0.2; done
        [ "$(cat /run/web.uuid)" != "$first" ] && echo restarted
        systemctl stop web
        systemctl show -P Result web
        rocket list --no-legend
        systemd-analyze verify rocket-gc.service rocket-gc.timer && systemctl start rocket-gc.timer rocket-gc.service && systemctl is-active rocket-gc.timer
        """)
    lines = out.splitlines()
    assert "state=running" in lines and any(line.startswith("rkt-") for line in lines)
    assert "restarted" in lines and lines[-1] == "active"


def test_read_only_usr(machine):
    out = machine("""
        mount --bind /usr /usr; mount -o remount,bind,ro /usr; ! touch /usr/x 2>/dev/null
        rocket run --net=none /images/busybox.aci --exec=/bin/echo -- works; rocket gc""")
    assert out == "works\n"
