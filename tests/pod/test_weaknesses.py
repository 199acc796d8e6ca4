# SPDX-License-Identifier: Apache-2.0
"""The known weaknesses of rkt (internals chapter 16), and for each the tests that show Rocket does not have it. That the tests
are there is checked here; those that were missing follow below the table."""
import re
import subprocess

import pytest

from conftest import SOURCE

pytestmark = pytest.mark.bare

# id: (the weakness, tests as FILE::FUNCTION). "-": what has it is not part of Rocket, and the text says why.
TABLE = {
    "S1": ("who enters has all capabilities", ["pod/test_confine.py::test_entering_gives_what_the_app_has"]),
    "S2": ("who enters has no seccomp filter", ["pod/test_confine.py::test_every_system_call_fares_the_same_in_run_and_enter"]),
    "S3": ("who enters stays in the caller's cgroup", ["pod/test_confine.py::test_entering_gives_what_the_app_has"]),
    "S4": ("who enters is the host's root", ["pod/test_private_users.py::test_entering_as_another_user",
                                              "pod/test_confine.py::test_entered_process_sees_the_app_and_nothing_of_the_host"]),
    "S5": ("root follows paths of the image", ["pod/test_hostile_images.py::test_all_of_them_at_once", "pod/test_fly.py::test_links_of_the_image_stay_in_its_root",
                                               "pod/test_oci_images.py::test_a_link_of_the_image_leads_a_volume_nowhere_else"]),
    "S6": ("links in the image lead mounts over stage1", ["pod/test_hostile_images.py::test_a_top_directory_that_is_a_link"]),
    "S7": ("mount targets are resolved, then used by name", ["pod/test_hostile_images.py::test_a_link_does_not_lead_one_volume_into_another"]),
    "S8": ("seccomp fails open", ["pod/test_confine.py::test_seccomp_fails_closed", "pod/test_confine.py::test_seccomp_sets"]),
    "S9": ("event handlers are not confined", ["pod/test_confine.py::test_handlers_are_confined_as_the_app_is"]),
    "S10": ("PID 1 has too much and is within reach", ["pod/test_mounts.py::test_init_has_only_what_it_needs",
                                                      "pod/test_hostile_images.py::test_the_init_of_the_pod_is_closed_to_apps"]),
    "S11": ("a user other than root cannot use a capability", ["pod/test_confine.py::test_a_user_other_than_root_has_what_was_asked_for_by_name"]),
    "S12": ("user namespaces at random and without overlay", ["pod/test_private_users.py::test_no_two_pods_share_ids",
                                                             "pod/test_private_users.py::test_volumes_have_the_same_ids_inside_and_on_the_host"]),
    "S13": ("files of the kernel are open", ["pod/test_mounts.py::test_kernel_trees_are_restricted",
                                             "pod/test_exposure.py::test_a_default_pod_exposes_no_more_than_the_tighter_of_its_peers"]),
    "S14": ("a metadata service for everybody", ["pod/test_metadata_service.py::test_pods_ask_about_themselves"]),
    "S15": ("an API for everybody", ["pod/test_api_service.py::test_who_may_ask"]),
    "S16": ("secrets in files for everybody", ["pod/test_weaknesses.py::test_what_an_app_is_told_is_not_for_everybody"]),
    "S17": ("- root without a password in virtual machines: there is no such flavour", []),
    "S18": ("fly is a chroot that can be left", ["pod/test_fly.py::test_it_sees_the_host_but_for_its_files", "pod/test_fly.py::test_confined_as_in_the_default_flavour"]),
    "S19": ("trees are not verified, decisions of trust not kept", ["pod/test_store_repair.py::test_a_damaged_tree_is_rendered_again",
                                                                    "pod/test_images.py::test_insecure_image_does_not_satisfy_a_secure_request"]),
    "S20": ("prepared pods lose what was decided", ["pod/test_weaknesses.py::test_a_prepared_pod_keeps_its_users", "pod/test_fly.py::test_prepared_pods_keep_their_flavour"]),
    "S21": ("devices and set-id files within reach", ["pod/test_workers.py::test_device_nodes_are_the_exception", "pod/test_hostile_archives.py::test_refused"]),
    "S22": ("a pid from a file is signalled", ["pod/test_weaknesses.py::test_a_pid_that_is_anothers_is_not_signalled"]),
    "L1": ("what a pod had stays until gc", ["pod/test_scale.py::test_many_pods_at_once_and_nothing_after_them", "pod/test_pods.py::test_killed_supervisor_leaves_nothing"]),
    "L2": ("mounts on the host", ["pod/test_mounts.py::test_mounts_are_no_peers_of_the_hosts"]),
    "L3": ("no restart, order, policy", ["pod/test_policies.py::test_an_app_that_fails_is_started_again_until_it_ends_well",
                                         "pod/test_policies.py::test_order_of_starts_and_stops", "pod/test_policies.py::test_keep_pod_lets_the_others_live",
                                         "pod/test_units.py::test_each_container_of_a_pod_restarts_by_itself"]),
    "L4": ("signals and times of ends are lost", ["pod/test_supervisor.py::test_status_is_the_apps"]),
    "L5": ("half pods after a kill", ["pod/test_prepared_pods.py::test_killed_at_any_point_prepare_and_gc_leave_no_half_pod", "vm/test_machine.py::test_power_cuts"]),
    "L6": ("a leaked descriptor looks like life", ["pod/test_stage1_contract.py::test_the_lock_is_what_makes_a_pod_run"]),
    "L7": ("polling", ["pod/test_prepared_pods.py::test_status_wait_ends_when_the_pod_goes"]),
    "L8": ("failed networks leak addresses", ["pod/test_networks.py::test_killed_while_a_plugin_works", "pod/test_network_crashes.py::test_somebody_is_killed_at_every_call_of_a_plugin"]),
    "L9": ("- half-added apps of mutable pods: they are tested where the commands are", []),
    "L10": ("units as text", ["pod/test_pods.py::test_arguments_and_environment_are_literal"]),
    "L11": ("checks after the state has changed", ["pod/test_command_line.py::test_errors_of_run_before_any_work", "pod/test_policies.py::test_refused_before_anything_is_made"]),
    "L12": ("stop does not wait", ["pod/test_pods.py::test_stop_lets_apps_end_properly"]),
    "L13": ("units of time that differ, no schema", ["pod/test_schema.py::test_every_state_of_a_pod"]),
    "F1": ("one slow client blocks the app", ["pod/test_attach.py::test_a_slow_client_is_dropped_and_never_blocks_the_app", "pod/test_attach.py::test_every_client_sees_everything"]),
    "F2": ("- logs for Kubernetes: they are tested where the format is", []),
    "F3": ("the order of the environment", ["pod/test_prepared_pods.py::test_environment_has_its_documented_order"]),
    "F4": ("executables are not looked for in volumes", ["pod/test_weaknesses.py::test_an_executable_in_a_volume_is_found", "pod/test_confine.py::test_why_it_cannot_be_executed"]),
    "F5": ("groups of the image's user", ["pod/test_oci_images.py::test_user_in_all_its_forms", "pod/test_confine.py::test_a_hostile_passwd_names_nobody_and_hangs_nothing"]),
    "F6": ("old networks", ["pod/test_networks.py::test_the_calling_contract", "pod/test_published_ports.py::test_a_published_port_is_reached_from_all_sides"]),
    "F7": ("limits of old cgroups", ["pod/test_limits.py::test_memory_flag", "pod/test_limits.py::test_cpu_flag"]),
    "F8": ("isolators are ignored", ["pod/test_pod_isolators.py::test_what_can_neither_be_done_nor_ignored_is_refused", "pod/test_limits.py::test_block_bandwidth_of_an_app_bites",
                                     "pod/test_limits.py::test_memory_of_the_whole_pod"]),
    "F9": ("copies lose attributes and links", ["pod/test_oci_images.py::test_a_volume_of_the_image_has_what_the_image_has_there", "pod/test_prepared_pods.py::test_without_overlay_the_pod_has_its_own_copy"]),
    "F10": ("a read-only root and writable volumes", ["pod/test_mounts.py::test_read_only_root"]),
    "F11": ("export makes a store of its own", ["pod/test_export.py::test_the_export_is_an_image"]),
    "F12": ("- half a measured boot: there is none", []),
    "F13": ("dependencies change after the fetch", ["pod/test_dependencies.py::test_pinned_when_fetched"]),
    "F14": ("the host's name files of yesterday", ["pod/test_network_names.py::test_the_host_s_own_file_is_followed_when_it_is_replaced"]),
    "F15": ("a journal that the host cannot read", ["pod/test_supervisor.py::test_group_of_the_pod_may_read_the_journal"]),
}


def test_the_table_is_whole():
    assert list(TABLE) == [f"{kind}{number}" for kind, last in (("S", 22), ("L", 13), ("F", 15)) for number in range(1, last + 1)]


@pytest.mark.parametrize("weakness", TABLE)
def test_there_is_a_test(weakness):
    text, tests = TABLE[weakness]
    assert bool(tests) != text.startswith("- ")
    for test in tests:
        file, function = test.split("::")
        assert re.search(rf"^def {function}\(", (SOURCE / "tests" / file).read_text(), re.M), test


def test_what_an_app_is_told_is_not_for_everybody(rocket, busybox):
    """S16: a variable's value stands in no file, and in no /proc, that a user of the host can read."""
    process, uuid = rocket.started(busybox, "--environment=PASSWORD=swordfish-4711", "--exec=/bin/sleep", "--", "1000")
    assert "swordfish-4711" in rocket("cat-manifest", uuid).stdout
    look = f"grep -rl swordfish-4711 {rocket.data} /run 2>/dev/null; grep -l swordfish-4711 /proc/[0-9]*/environ 2>/dev/null"
    done = subprocess.run(["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "sh", "-c", look], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.stdout == ""
    rocket("stop", "--force", uuid)
    process.wait(timeout=30)


def test_a_prepared_pod_keeps_its_users(rocket, busybox):
    """S20"""
    uuid = rocket("--insecure-options=image", "prepare", "--private-users", busybox, "--exec=/bin/cat", "--", "/proc/self/uid_map").stdout.strip()
    inside, outside, count = rocket("run-prepared", "--net=none", uuid).stdout.split()
    assert (inside, count) == ("0", "65536") and int(outside) >= 524288


def test_a_pid_that_is_anothers_is_not_signalled(rocket, busybox):
    """S22: the pid in the pod directory is taken for what it is, a file."""
    process, uuid = rocket.started(busybox, "--exec=/bin/sleep", "--", "1000")
    bystander = subprocess.Popen(["sleep", "1000"])
    recorded = rocket.data / "pods/run" / uuid / "ppid"
    before = recorded.read_text()
    recorded.write_text(f"{bystander.pid}\n")
    rocket("stop", "--force", uuid, status=None)
    assert bystander.poll() is None
    recorded.write_text(before)
    rocket("stop", "--force", uuid, status=None)
    process.wait(timeout=30)
    bystander.kill()
    bystander.wait()


def test_an_executable_in_a_volume_is_found(rocket, busybox, home):
    """F4: by name, in PATH, and a working directory on a volume, too."""
    (home / "tools").mkdir()
    (home / "tools/hello").write_text("#!/bin/sh\necho hello from $(pwd)\n")
    (home / "tools/hello").chmod(0o755)
    flags = [f"--volume=t,kind=host,source={home}/tools", busybox, "--mount=volume=t,target=/opt/tools", "--environment=PATH=/opt/tools:/bin"]
    assert rocket.run(*flags, "--working-dir=/opt/tools", "--exec=hello").stdout == "hello from /opt/tools\n"
