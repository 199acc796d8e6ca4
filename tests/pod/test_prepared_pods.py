# SPDX-License-Identifier: Apache-2.0
"""Pods that are made, looked at and removed but never started: prepare, list, status, cat-manifest, rm, gc (cli 6, 8)."""
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

pytestmark = pytest.mark.bare

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


@pytest.fixture
def prepare(rocket, busybox):
    def run(*arguments, **options):
        return rocket("--insecure-options=image", "prepare", busybox, *arguments, **options).stdout.strip()
    return run


def manifest_of(rocket, uuid):
    return json.loads(rocket("cat-manifest", uuid).stdout)


def test_prepare_prints_the_uuid_and_nothing_else(rocket, busybox):
    done = rocket("--insecure-options=image", "prepare", "--quiet", busybox)
    assert re.fullmatch(UUID + "\n", done.stdout)
    assert not done.stderr or "disabling overlay support" in done.stderr


def test_prepare_saves_the_uuid_without_a_newline(rocket, prepare, home):
    uuid = prepare(f"--uuid-file-save={home}/uuid")
    assert (home / "uuid").read_text() == uuid
    assert rocket("status", f"--uuid-file={home}/uuid").stdout.startswith("state=prepared\n")


def test_list_as_a_table(rocket, prepare):
    uuid = prepare("--name=web")
    lines = rocket("list").stdout.splitlines()
    assert re.split("\t+", lines[0]) == ["UUID", "APP", "IMAGE NAME", "STATE", "CREATED", "STARTED", "NETWORKS"]
    assert re.split("\t+", lines[1])[:4] == [uuid[:8], "web", "example.com/busybox:1", "prepared"]
    full = rocket("list", "--full", "--no-legend").stdout.splitlines()
    cells = re.split("\t+", full[0])
    assert cells[0] == uuid and re.fullmatch("sha512-[0-9a-f]{12}", cells[3])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})? [+-]\d{4} \S+", cells[5])


def test_list_shows_pod_columns_on_the_first_app_only(rocket, prepare, busybox):
    prepare("--name=one", busybox, "--name=two")
    first, second = rocket("list", "--no-legend").stdout.splitlines()
    assert first.split("\t")[0] and second.startswith("\t")
    assert re.split("\t+", second.strip("\t")) == ["two", "example.com/busybox:1"]


def test_list_of_nothing(rocket):
    """No pod is no line (Q17), so that a loop over the lines of what there is runs never."""
    assert rocket("list", "--no-legend").stdout == rocket("image", "list", "--no-legend").stdout == ""
    assert rocket("list", "--format=json").stdout == "null\n"
    assert "Invalid format option: xml" in rocket("list", "--format=xml", status=254).stderr


def test_list_and_status_as_json(rocket, prepare):
    uuid = prepare("--name=web", "--volume=d,kind=host,source=/usr", "--mount=volume=d,target=/d", "--user-label=k=a<b")
    (pod,) = json.loads(rocket("list", "--format=json").stdout)
    assert pod["name"] == uuid and pod["state"] == "prepared" and pod["app_names"] == ["web"]
    assert abs(pod["created_at"] - time.time()) < 60 and "started_at" not in pod
    (app,) = pod["apps"]
    assert app["state"] == "created" and app["created_at"] > 10 ** 18
    assert re.fullmatch("sha512-[0-9a-f]{64}", app["image_id"])
    assert app["mounts"] == [{"name": "d", "container_path": "/d", "host_path": "/usr", "read_only": False}]
    text = rocket("status", "--format=json", uuid).stdout
    assert json.loads(text) == pod and r"a\u003cb" in text
    assert rocket("status", "--format=json-pretty", uuid).stdout.startswith("{\n\t\"name\"")


def test_cat_manifest_is_reified(rocket, prepare):
    uuid = prepare("--name=web", "--exec=/bin/echo", "--environment=A=b", "--user=1000", "--readonly-rootfs", "--", "x", "")
    text = rocket("cat-manifest", uuid[:9]).stdout
    assert text.startswith("{\n\t\"")
    assert len(rocket("cat-manifest", "--pretty-print=false", uuid).stdout.splitlines()) == 1
    manifest = json.loads(text)
    assert manifest["acVersion"] == "0.8.11"
    (app,) = manifest["apps"]
    assert app["app"]["exec"] == ["/bin/echo", "x", ""] and app["app"]["user"] == "1000"
    assert app["readOnlyRootFS"] is True
    assert {"name": "A", "value": "b"} in app["app"]["environment"]


def test_environment_has_its_documented_order(rocket, prepare, home):
    (home / "env").write_text("# comment\n\nFILE=file\nBOTH=file\nAPP=file\n")
    uuid = prepare("--inherit-env", f"--set-env-file={home}/env", "--set-env=BOTH=set", "--set-env=APP=set", "--environment=APP=app",
                   env={"CALLER": "caller", "FILE": "caller"})
    environment = {v["name"]: v["value"] for v in manifest_of(rocket, uuid)["apps"][0]["app"]["environment"]}
    assert {"CALLER": "caller", "FILE": "file", "BOTH": "set", "APP": "app"}.items() <= environment.items()


def test_pod_manifest_is_run_as_it_is(rocket, prepare, home):
    manifest = manifest_of(rocket, prepare("--name=web"))
    manifest["example.com/extra"] = {"kept": True}
    (home / "pod.json").write_text(json.dumps(manifest))
    uuid = rocket("--insecure-options=image", "prepare", f"--pod-manifest={home}/pod.json").stdout.strip()
    assert manifest_of(rocket, uuid) == manifest
    done = rocket("prepare", f"--pod-manifest={home}/pod.json", "--inherit-env", status=254)
    assert "conflicting flags set with --pod-manifest (see --help)" in done.stderr


def test_without_overlay_the_pod_has_its_own_copy(rocket, prepare):
    uuid = prepare("--no-overlay", "--name=web")
    rootfs = rocket.data / "pods/prepared" / uuid / "apps/web/rootfs"
    assert (rootfs / "bin/busybox").is_file() and (rootfs / "bin/sh").is_symlink()
    assert (rootfs / "tmp").stat().st_mode & 0o7777 == 0o1777


@pytest.mark.parametrize("arguments, text", [
    (["--pull-policy=sometimes"], "sometimes"),
    (["--stage1-from-dir=nothing"], "no stage1 image at"),
    (["--stage1-path=/x", "--stage1-from-dir=y"], "flags --stage1-path and --stage1-from-dir are mutually exclusive"),
    (["--set-env=A=1", "--set-env=A=2"], 'key "A" already set'),
    (["--stdout=paper"], 'stdout cannot be "paper"'),
])
def test_what_this_build_does_not_do_is_refused(rocket, busybox, arguments, text):
    done = rocket("--insecure-options=image", "prepare", busybox, *arguments, status=254)
    assert text in done.stderr
    assert rocket.uuids() == []


def test_two_apps_of_one_name_are_refused(rocket, prepare, busybox):
    assert "error: multiple apps with name busybox" in rocket("--insecure-options=image", "prepare", busybox, busybox, status=254).stderr


def test_uuid_arguments(rocket, prepare):
    uuid = prepare()
    assert rocket("status", uuid[:1].upper()).returncode == 0
    assert 'no matches found for "xyz"' in rocket("status", "xyz", status=254).stderr
    assert "UUID cannot be empty" in rocket("status", "", status=254).stderr
    done = rocket("status", status=254)
    assert done.stdout.startswith("NAME:") and not done.stderr
    done = rocket("status", "--uuid-file=/nonexistent", status=1)
    assert done.stderr.startswith("status: unable to resolve UUID from file: ")


def test_status_waits_no_longer_than_asked(rocket, prepare):
    uuid = prepare()
    begin = time.monotonic()
    done = rocket("status", "--wait=200ms", uuid, status=254)
    assert "error waiting for pod to finish: context deadline exceeded" in done.stderr
    assert 0.15 < time.monotonic() - begin < 5
    done = rocket("status", "--wait-ready=50ms", uuid, status=254)
    assert "error waiting for pod readiness: context deadline exceeded" in done.stderr
    assert rocket("status", "--wait=false", uuid).returncode == 0
    assert "invalid argument" in rocket("status", "--wait=5", uuid, status=254).stderr


def test_status_wait_ends_when_the_pod_goes(rocket, prepare):
    uuid = prepare()
    waiting = rocket.start("status", "--wait", uuid)
    time.sleep(0.2)
    assert waiting.poll() is None
    rocket("rm", uuid)
    out, _ = waiting.communicate(timeout=10)
    assert waiting.returncode == 0 and out.startswith("state=gone\n")


def test_commands_that_need_another_state(rocket, prepare):
    uuid = prepare()
    assert f'pod "{uuid}" isn\'t currently running' in rocket("enter", uuid, status=254).stderr
    assert f'pod "{uuid}" is not running' in rocket("stop", uuid, status=254).stderr


def test_rm_removes_everything_and_says_so(rocket, prepare):
    kept, uuid = prepare(), prepare()
    done = rocket("rm", uuid, "nonsense", status=254)
    assert done.stdout == f'"{uuid}"\n'
    assert f'rm: moving expired prepared pod "{uuid}" to garbage' in done.stderr
    assert done.stderr.rstrip().endswith("rm: failed to remove one or more pods")
    assert rocket.uuids() == [kept]
    assert os.listdir(rocket.data / "garbage") == []


def test_gc_expires_prepared_pods(rocket, prepare):
    uuid = prepare()
    assert rocket("gc").stdout == ""
    assert rocket.uuids() == [uuid]
    done = rocket("gc", "--expire-prepared=0s")
    assert done.stdout == f'Garbage collecting pod "{uuid}"\n'
    assert f'gc: moving expired prepared pod "{uuid}" to garbage' in done.stderr
    assert rocket.uuids() == []


@pytest.mark.parametrize("stage", ["embryo", "prepare", "garbage"])
def test_gc_takes_what_a_killed_command_left(rocket, prepare, stage):
    prepare()
    left = rocket.data / "pods" / stage / "11111111-2222-4333-8444-555555555555"
    (left / "apps/x").mkdir(parents=True)
    if stage == "prepare":
        assert ["11111111", "-", "-", "aborted prepare"] in [re.split("\t+", line)[:4] for line in rocket("list").stdout.splitlines()]
    rocket("gc")
    assert not left.exists()
    assert len(rocket.uuids()) == 1


def test_a_pod_that_ended_is_marked_kept_and_removed(rocket, prepare):
    uuid = prepare()
    for name in ("prepared", "run"):
        (rocket.data / "pods" / name).mkdir(exist_ok=True)
    os.rename(rocket.data / "pods/prepared" / uuid, rocket.data / "pods/run" / uuid)
    assert rocket.state(uuid) == "exited"
    assert f'gc: moving pod "{uuid}" to garbage' in rocket("gc", "--mark-only").stderr
    assert rocket.state(uuid) == "exited garbage"
    assert "still within grace period (30m0s)" in rocket("gc").stderr
    assert rocket("gc", "--grace-period=0s").stdout == f'Garbage collecting pod "{uuid}"\n'
    assert rocket.uuids() == []


def test_a_broken_pod_does_not_hide_the_others(rocket, prepare):
    good, bad = prepare(), prepare()
    (rocket.data / "pods/prepared" / bad / "pod").write_text("{")
    done = rocket("list", "--no-legend", "--full", status=254)
    assert good in done.stdout
    assert done.stderr.startswith("list: 1 error(s) encountered when listing pods:\nlist: " + "-" * 40 + "\n")
    assert "list: misc:\nlist:   rocket's appc version: 0.8.11\n" in done.stderr
    assert rocket("rm", bad).returncode == 0


def test_a_thousand_pods_are_listed_fast(rocket, prepare):
    uuid = prepare()
    source = rocket.data / "pods/prepared" / uuid
    for i in range(1000):
        target = source.parent / f"{i:08x}-0000-4000-8000-000000000000"
        target.mkdir()
        for name in ("pod", "pod-created"):
            (target / name).write_bytes((source / name).read_bytes())
    begin = time.monotonic()
    lines = rocket("list", "--no-legend").stdout.splitlines()
    assert len(lines) == 1001
    assert time.monotonic() - begin < 1, "one file per pod and no process: 0.04 s on a small machine"


def test_killed_at_any_point_prepare_and_gc_leave_no_half_pod(rocket, busybox):
    prepare = ["--insecure-options=image", "prepare", "--no-overlay", busybox]
    begin = time.monotonic()
    rocket(*prepare)
    whole = time.monotonic() - begin
    for i in range(40):
        command = prepare if i % 2 == 0 else ["gc", "--expire-prepared=0s"]
        process = rocket.start(*command)
        time.sleep(whole * (i % 20) / 20)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for uuid in rocket.uuids():
            assert rocket.state(uuid) in ("prepared", "aborted prepare")
    rocket("gc", "--expire-prepared=0s")
    assert rocket.uuids() == []
    for name in ("embryo", "prepare", "prepared", "garbage"):
        assert os.listdir(rocket.data / "pods" / name) == []
    assert os.listdir(rocket.data / "garbage") == []
    rocket(*prepare)


def test_prepare_asks_a_waiting_manager_for_time(rocket, busybox, home):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(home / "notify"))
    manager.settimeout(5)
    rocket("--insecure-options=image", "prepare", "--no-overlay", busybox, env={"NOTIFY_SOCKET": str(home / "notify")})
    assert re.fullmatch(rb"EXTEND_TIMEOUT_USEC=\d+", manager.recv(1000))
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(1000)  # not one per file: preparing took less than the interval
    manager.close()


def test_what_a_power_cut_leaves_of_a_pod_that_ran(rocket, busybox):
    """Its files are not waited for (R13: it is dead then anyway), so they may be empty: it can be seen and taken away."""
    image = rocket.fetch(busybox)
    rocket.run(busybox)
    uuid, = rocket.uuids()
    for name in ("pod", "runtime.json", "stage1/manifest"):
        os.truncate(rocket.data / "pods/run" / uuid / name, 0)
    assert rocket("list", "--full", "--no-legend").stdout.split()[:4] == [uuid, "-", "-", "-"]
    assert json.loads(rocket("list", "--format=json").stdout)[0]["state"] == "exited"
    assert rocket("status", uuid).stdout.startswith("state=exited\n")
    rocket("image", "rm", image)
    assert rocket("gc", "--grace-period=0s").stderr.count("error") == 0
    assert rocket.uuids() == []


def test_prepared_pods_are_on_disk_and_others_do_not_wait_for_it(rocket, busybox, tmp_path):
    rocket.fetch(busybox)
    def calls(*command):
        trace = tmp_path / "trace"
        done = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=fsync,syncfs,execve", *rocket.command(*command)],
                              env=rocket.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("(")[0].split()[-1] for line in trace.read_text().splitlines()]
    assert calls("--insecure-options=image", "prepare", "example.com/busybox").count("fsync") > 5
    assert "fsync" not in calls("--insecure-options=image", "run", "--net=none", "example.com/busybox")
