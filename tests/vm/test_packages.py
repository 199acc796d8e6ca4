# SPDX-License-Identifier: Apache-2.0
"""What dist/build-deb and dist/build-sysext make, installed and used on machines that have no Rocket otherwise."""
import subprocess

# A pod from the command line, and one from a file; both need what the package brings for systemd.
USE = r"""
        rocket run --net=none /images/busybox.aci --exec=/bin/echo -- works
        mkdir -p /etc/rocket/systemd
        printf '[Container]\nImage=/images/busybox.aci\nEntrypoint=/bin/sleep\nExec=1000\nNetwork=none\nGlobalArgs=--insecure-options=image\n' \
            > /etc/rocket/systemd/web.container
        systemctl daemon-reload
        systemctl start web
        systemctl show -P ActiveState web
        systemctl stop web
        stat -c '%U:%G %a' /var/lib/rocket /etc/rocket/trustedkeys
        """


# Where `|| true` stands in these scripts, that the command fails is what is expected; what it prints is compared below.

def test_debian_package(machine_with, deb, images):
    out = machine_with(deb, images)(timeout=480, script=f"""
        type -P rocket || true
        dpkg --install /made/rocket_*.deb >/dev/null 2>/tmp/errors || {{ cat /tmp/errors >&2; false; }}
        dpkg --verify rocket
        {USE}
        systemctl is-enabled rocket-gc.timer; systemctl is-active rocket-gc.timer; systemctl is-enabled rocket-update.timer || true
        dpkg --remove rocket >/dev/null; hash -r
        type -P rocket rkt || true; systemctl is-active rocket-gc.timer || true; ls /usr/lib/rocket 2>/dev/null || true
        ls -d /var/lib/rocket
        dpkg --purge rocket >/dev/null
        find / -xdev -path /made -prune -o -path /run -prune -o -name '*rocket*' -print
        """)
    assert out.splitlines() == ["works", "active", "root:rocket 2750", "root:rocket-admin 2775", "enabled", "active", "disabled",
                                "inactive", "/var/lib/rocket"]


def test_lintian(deb):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on=error,warning", *(deb / "made").glob("*.deb")], capture_output=True, text=True,
                          check=False, timeout=600)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_system_extension(machine_with, sysext, images):
    """On a read-only /usr that has not even the libraries."""
    out = machine_with(sysext, images)(timeout=480, script=f"""
        rm -r /usr/lib/cni /usr/lib/*-linux-gnu/lib{{archive,fmt,gumbo,nftables}}.so.*
        mkdir -p /var/lib/extensions
        mv /made/rocket.raw /var/lib/extensions/
        type -P rocket || true
        systemd-sysext merge 2>/dev/null
        touch /usr/x 2>/dev/null || echo read-only
        systemd-sysusers; systemd-tmpfiles --create 2>/dev/null; systemctl daemon-reload
        {USE}
        rocket run --net=default /images/busybox.aci --exec=/bin/true && echo networked
        ldd "$(type -P rocket)" /usr/lib/rocket/*/rootfs/rocket/network | grep -c 'not found' || true
        systemctl start rocket-gc.timer; systemctl stop rocket-gc.timer
        rocket gc --grace-period=0s >/dev/null 2>&1
        systemd-sysext unmerge 2>/dev/null; hash -r
        type -P rocket || echo gone
        """)
    assert out.splitlines() == ["read-only", "works", "active", "root:rocket 2750", "root:rocket-admin 2775", "networked", "0", "gone"]


def test_a_tree_with_another_prefix_is_no_package(tmp_path):
    (tmp_path / "config.hh").write_text('#define ROCKET_PROGRAM "/usr/local/bin/rocket"\n')
    for program in ("build-deb", "build-sysext"):
        done = subprocess.run([f"dist/{program}", f"--build={tmp_path}", tmp_path / "out"], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "was not built for the prefix /usr" in done.stderr
        assert not (tmp_path / "out").exists()
