# SPDX-License-Identifier: Apache-2.0
"""What needs a machine of its own: limits, boots, power cuts, a read-only /usr."""

CHECK = """
rocket image list --full --no-legend | while read -r id _; do rocket image verify "$id"; done
rocket list --format=json >/dev/null
rocket gc --grace-period=0s --expire-prepared=0s 2>/dev/null
rocket gc --grace-period=0s --expire-prepared=0s 2>/dev/null
[ -z "$(rocket list --no-legend)" ]
rocket run --net=none /images/busybox.aci --exec=/bin/echo -- works
"""


def test_limits_and_controllers(machine):
    """The tests of tests/pod that are marked `vm` or `boot`, inside the machine."""
    out = machine("cd /usr/lib/rocket-tests; ROCKET=$(type -P rocket) ROCKET_TIER=vm python3 -m pytest -c tests/pytest.ini tests/pod -m 'vm or boot' 2>&1", timeout=900)
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


# A service without root: the unit says who it is, and gives it a place and a group of its own.
OWN_USER = r"""
systemd-sysusers; systemd-tmpfiles --create; systemctl daemon-reload; systemctl enable --now --quiet rocket-users.socket
own() {
    local state=$1; shift
    systemd-run --quiet --pipe --wait -p Delegate=yes -p SupplementaryGroups=rocket -p StateDirectory=$state -p NoNewPrivileges=yes \
        -p ProtectSystem=strict -p ProtectHome=yes -p PrivateTmp=yes -p PrivateDevices=yes "$@" 2>&1
}
games() { own games -p User=games "$@"; }
rocket="$(type -P rocket) --insecure-options=image"
box=/images/busybox.aci
"""

LOOK = "id -u; cat /proc/self/uid_map; cat /proc/1/comm; touch /written /tmp/x; chown 33:44 /tmp/x; stat -c %u:%g /tmp/x"


def test_pods_of_users_who_are_not_root(machine):
    """User= in a system unit: root in the pod is that user on the host, and nobody else has its ids."""
    out = machine(OWN_USER + rf"""
        own web -p User=daemon $rocket run --net=none $box --exec=/bin/sh -- -c '{LOOK}'
        games $rocket run --net=host $box --exec=/bin/sh -- -c 'ls /sys/class/net; exit 7' || echo "status $?"
        games -p MemoryMax=60M $rocket run --net=none $box --exec=/bin/sh -- -c 'x=$(head -c 90000000 /dev/zero | tr "\0" x); echo ${{#x}}' >/dev/null || echo "no memory"
        games $rocket list --no-legend | wc -l
        games $rocket gc --grace-period=0s >/dev/null
        [ -z "$(games $rocket list --no-legend)" ] && echo none
        games $rocket image list --no-legend | wc -l
        find /var/lib/games /var/lib/web -uid 0 -o -gid 0 | wc -l
        cat /var/lib/rocket/users/* | sort -u | wc -l""", timeout=400)
    lines = out.splitlines()
    first, low, count = lines[2].split()
    assert lines[0] == "0" and lines[1].split() == ["0", "1", "1"] and (first, count) == ("1", "65535") and int(low) >= 524288
    assert lines[3:5] == ["systemd", "33:44"]
    assert lines[5:] == ["lo", "status 7", "no memory", "2", "none", "1", "0", "2"]


def test_pods_of_users_who_come_and_go(machine):
    """DynamicUser= in a system unit: no set-id bits, whose names are told; another user later has the same images, with the owners that they came with."""
    out = machine(OWN_USER + r"""
        look='cat /proc/self/uid_map; stat -c "%a %u:%g" /bin/su /owned; chmod 4755 /bin/su 2>/dev/null || echo no'
        dynamic() { own web -p DynamicUser=yes --unit=$1 $rocket "${@:2}"; }
        dynamic one run --net=none /images/owners.aci --exec=/bin/sh -- -c "$look"
        dynamic one run --net=none example.com/owners --exec=/bin/sh -- -c "$look"
        chown 0 /var/lib/private/web  # whoever has that uid by now, it is not the unit
        dynamic two run --net=none example.com/owners --exec=/bin/sh -- -c "$look"
        dynamic two image verify example.com/owners
        find /var/lib/private/web -uid 0 -o -gid 0 | wc -l""", timeout=400)
    lines = out.splitlines()
    inside = ["755 0:0", "644 33:44", "no"]
    warning, first, again = lines[0], lines[1:6], lines[6:11]
    assert 'set-id bits of "rootfs/bin/su"' in warning and first[2:] == inside and again == first
    moved, warning, other = lines[11], lines[12], lines[13:18]
    assert "had another user before" in moved and "set-id" in warning and other[2:] == inside and other[:2] != first[:2]
    assert "successfully verified" in lines[18] and "no set-id bits" in lines[18] and lines[19:] == ["0"]


def test_images_of_the_host_for_other_users(machine):
    """What root has fetched is used in place by a pod of another user, and stays while that runs; the user has no copy."""
    out = machine(OWN_USER + r"""
        command rocket --insecure-options=image fetch /images/owners.aci >/dev/null
        own web -p DynamicUser=yes $rocket run --net=none example.com/owners --exec=/bin/sh -- -c 'stat -c "%a %u:%g" /bin/su /owned; echo more >/owned'
        ls /var/lib/private/web/cas/image /var/lib/private/web/cas/tree | grep sha512 | wc -l
        systemd-run --quiet --unit=long -p Type=notify -p Delegate=yes -p SupplementaryGroups=rocket -p StateDirectory=games -p User=games \
            $rocket run --net=none example.com/owners --exec=/bin/sleep -- 1000
        rocket image rm example.com/owners 2>&1 || echo $?
        rocket image gc --grace-period=0s
        uid=$(games $rocket list --no-legend --full | cut -f1)
        systemctl stop long
        games $rocket export $uid /var/lib/games/left.aci && test -s /var/lib/games/left.aci && echo exported
        rocket image rm example.com/owners | grep -c removed
        games $rocket run --net=none example.com/owners 2>&1 | grep -o "no endpoints discovered"
        ls /run/rocket/image-users
        systemctl list-units --failed --no-legend 'rocket-users*' | wc -l""", timeout=400)
    lines = out.splitlines()
    assert "from the host's store" in lines[0] and lines[1:4] == ["4755 0:0", "644 33:44", "0"]
    assert "a pod uses the image: process" in lines[4] and "stop its unit" in lines[5] and lines[7] == "254"
    assert lines[8:] == ["exported", "1", "no endpoints discovered", "0"]


UNIT_OPTIONS = ["RestrictSUIDSGID=yes", "ProtectKernelTunables=yes", "ProtectKernelModules=yes", "ProtectKernelLogs=yes", "ProtectClock=yes", "PrivateNetwork=yes",
                "ProtectProc=invisible", "ProcSubset=pid", "MemoryDenyWriteExecute=yes", "RestrictRealtime=yes", "CapabilityBoundingSet=", "TasksMax=100",
                "UMask=0077", "Environment=A=b"]


def test_options_of_units_of_other_users(machine):
    """Each beside DynamicUser= and what OWN_USER has; a credential of the unit is a file for the app; a Quadlet file of another user starts."""
    out = machine(OWN_USER + r"""
        own web -p DynamicUser=yes $rocket fetch $box >/dev/null
        for option in """ + " ".join(UNIT_OPTIONS) + r"""; do
            own web -p DynamicUser=yes -p $option $rocket run --net=none example.com/busybox --exec=/bin/true >/tmp/said && echo "$option works" || { echo "$option"; cat /tmp/said; }
        done
        echo -n hush >/root/secret
        own web -p DynamicUser=yes -p LoadCredential=token:/root/secret sh -c \
            "exec $rocket run --net=none --volume=creds,kind=host,source=\$CREDENTIALS_DIRECTORY,readOnly=true --mount=volume=creds,target=/creds example.com/busybox --exec=/bin/cat -- /creds/token"
        echo; mkdir -p /etc/rocket/systemd
        printf '%s\n' '[Container]' Image=/images/busybox.aci GlobalArgs=--insecure-options=image Network=none 'Exec=-c "id -u; exec sleep 1000"' Entrypoint=/bin/sh \
            '[Service]' DynamicUser=yes >/etc/rocket/systemd/own.container
        systemctl daemon-reload
        systemctl start own || journalctl -u own -o cat --no-pager
        ps -o user= -p $(systemctl show -P MainPID own)
        systemctl stop own
        systemctl show -P Result own
        [ ! -e /run/rocket-own ] && echo gone
        journalctl -u own -o cat --no-pager | grep -c "^0$" """, timeout=400)
    lines = out.splitlines()
    assert lines[:len(UNIT_OPTIONS)] == [f"{option} works" for option in UNIT_OPTIONS]
    said, user, *rest = lines[len(UNIT_OPTIONS):]
    assert said == "hush" and 61184 <= int(user) <= 65519 and rest == ["success", "gone", "1"]  # of systemd's dynamic users


def test_what_pods_of_other_users_need(machine):
    """What is missing, and what only root can give, is said with what to do."""
    out = machine(OWN_USER + r"""
        games -p SupplementaryGroups= $rocket run --net=none $box || echo $?
        games -p RestrictNamespaces=yes $rocket run --net=none $box || echo $?
        games -p Delegate=no $rocket run --net=none $box || echo $?
        games $rocket run $box || echo $?
        games $rocket run --net=none --private-users $box || echo $?
        games $rocket run --stage1-name=coreos.com/rkt/stage1-fly --net=host $box || echo $?
        systemd-run --quiet --pipe --wait -p User=games $rocket run --net=none $box 2>&1 || echo $?
        systemctl stop rocket-users.socket
        games $rocket run --net=none $box || echo $?""", timeout=400)
    causes = out.split("254\n")
    for cause, words in zip(causes, (["Permission denied", "SupplementaryGroups=rocket"], ["user namespace", "RestrictNamespaces="], ["payload", "Delegate=yes"],
                                     ["networks", "--net=none"], ["private users", "--private-users"], ["fly", "default stage1"], ["unprivileged user", "StateDirectory="],
                                     ["No such file", "rocket-users.socket"]), strict=False):
        assert all(word in cause for word in words), cause
    assert len(causes) == 9 and causes[-1] == ""
