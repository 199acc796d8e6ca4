# SPDX-License-Identifier: Apache-2.0
"""Isolators of the pod as a whole, in its manifest (ISO-1, ISO-5, RES-5, RES-6, CTL-1, CTL-2; internals F8)."""
import json

import aci
import pytest

pytestmark = pytest.mark.bare


@pytest.fixture
def run(rocket, busybox, home):
    image = rocket.fetch(busybox)

    def run(isolators, script="true", *flags, **options):
        manifest = {"acVersion": "0.8.11", "acKind": "PodManifest", "isolators": isolators,
                    "apps": [{"name": "a", "image": {"id": image}, "app": {"exec": ["/bin/sh", "-c", script], "user": "0", "group": "0"}}]}
        (home / "pod.json").write_text(json.dumps(manifest))
        return rocket("--insecure-options=image", "run", "--net=none", f"--pod-manifest={home / 'pod.json'}", *flags, **options)
    return run


def sysctl(**values):
    return [{"name": "os/unix/sysctl", "value": {key.replace("__", "."): value for key, value in values.items()}}]


@pytest.mark.parametrize("flags", [[], ["--private-users"]], ids=["default", "private users"])
def test_kernel_parameters_of_the_pods_own(run, flags):
    done = run(sysctl(net__ipv4__ip_forward="1", kernel__shmmni="123"), "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni", *flags)
    assert done.stdout.split() == ["1", "123"]
    assert open("/proc/sys/kernel/shmmni").read().strip() != "123"


@pytest.mark.parametrize("name", ["kernel.panic", "vm.swappiness", "net/../kernel/panic"])
def test_kernel_parameters_of_the_hosts_are_refused(run, name):
    done = run([{"name": "os/unix/sysctl", "value": {name: "1"}}], status=254)
    assert f'kernel parameter "{name}" is not the pod\'s to set' in done.stderr


def test_the_callers_network_is_not_the_pods(run):
    done = run(sysctl(net__ipv4__ip_forward="1"), "true", "--net=host", status=254)
    assert "is not the pod's to set" in done.stderr


@pytest.mark.parametrize("name, value", [("example.com/unknown", 7), ("os/linux/no-new-privileges", True)])
def test_what_is_not_in_force_is_said(run, name, value):
    assert name in run([{"name": name, "value": value}]).stderr


def test_what_can_neither_be_done_nor_ignored_is_refused(run, rocket, make):
    """Of the pod and of an app (F8)."""
    isolators = [{"name": "resource/network-bandwidth", "value": {"default": True, "limit": "1M"}}]
    assert "resource/network-bandwidth cannot be enforced" in run(isolators, status=254).stderr
    image = make("example.com/net", aci.app("/bin/true", isolators=isolators), aci.busybox())
    done = rocket.run(image, status=254)
    assert "resource/network-bandwidth cannot be enforced" in done.stderr and "plugin bandwidth" in done.stderr
