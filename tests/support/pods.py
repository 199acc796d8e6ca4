# SPDX-License-Identifier: Apache-2.0
"""Pods made by hand, as stage0 leaves them in the pod directory, for tests of stage1 alone (its contract: argv, the pod
directory, the lock in RKT_LOCK_FD, the exit status)."""
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import time
import uuid

import aci

IMAGE_ID = "sha512-" + 64 * "a"


def write_tree(directory, members):
    """The rootfs of an image given as tar members (aci.py), unpacked."""
    rootfs = pathlib.Path(directory)
    for info, data in members:
        path = rootfs / pathlib.Path(info.name).relative_to("rootfs")
        if info.isdir():
            path.mkdir(parents=True, exist_ok=True)
        elif info.issym():
            path.symlink_to(info.linkname)
        else:
            path.write_bytes(data)
        if not info.issym():
            path.chmod(info.mode)
    return rootfs


class Pod:
    def __init__(self, data, stage1, tree, apps, annotations=None):
        """apps: {name: fields of its app section, "exec" among them}."""
        self.uuid = str(uuid.uuid4())
        self.machine = f"rkt-{self.uuid}"
        self.dir = pathlib.Path(data) / "pods/run" / self.uuid
        self.stage1 = pathlib.Path(stage1)
        self.process = None
        (self.dir / "journal").mkdir(parents=True)
        manifest = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": []}
        runtime = {"stage1_rootfs": str(self.stage1), "overlay": True, "apps": []}
        for name, fields in apps.items():
            app = {"user": "0", "group": "0", **fields}
            manifest["apps"].append({"name": name, "image": {"name": "example.com/image", "id": IMAGE_ID}, "app": app})
            runtime["apps"].append({"name": name, "image": IMAGE_ID, "trees": [str(tree)]})
            for layer in ("upper", "work"):
                (self.dir / "apps" / name / layer).mkdir(parents=True)
            image = aci.manifest("example.com/image", app, annotations=annotations or [])
            (self.dir / "apps" / name / "manifest").write_text(json.dumps(image))
        (self.dir / "pod").write_text(json.dumps(manifest))
        (self.dir / "runtime.json").write_text(json.dumps(runtime))

    def command(self, *flags):
        return [str(self.stage1 / "rocket/run"), "--net=none", *flags, self.uuid]

    def start(self, *flags, env=(), **options):
        lock = os.open(self.dir, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        self.process = subprocess.Popen(self.command(*flags), cwd=self.dir, pass_fds=[lock],
                                        env={**os.environ, "RKT_LOCK_FD": str(lock), **dict(env)}, **options)
        os.close(lock)
        return self.process

    def run(self, *flags, timeout=60, **options):
        """To the end: (status, stdout, stderr), the latter two as bytes."""
        process = self.start(*flags, **options)
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err

    def result(self, app):
        return json.loads((self.dir / "status" / f"{app}.json").read_text())

    def exit_record(self):
        return json.loads((self.dir / "exit.json").read_text())

    def init(self):
        return int((self.dir / "pid1").read_text().split()[0])

    def group(self):
        return (self.dir / "subcgroup").read_text().strip()

    def is_ready(self):
        return (self.dir / "supervisor-status").exists()

    def journal(self, *options):
        """Messages in the pod's journal files."""
        done = subprocess.run(["journalctl", "-D", self.dir / "journal", "-o", "cat", "--no-pager", *options],
                              capture_output=True, check=True)
        return done.stdout.decode(errors="replace").splitlines()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.remove_group()
        shutil.rmtree(self.dir, ignore_errors=True)

    def remove_group(self):
        """What the supervisor, had it not been killed, or else `rocket gc` would do."""
        mounted = next((line.split()[4] for line in open("/proc/self/mountinfo") if " - cgroup2 " in line), None)
        if not mounted or not (self.dir / "subcgroup").exists():
            return
        group = pathlib.Path(mounted) / self.group().lstrip("/")
        end = time.monotonic() + 5
        while group.exists() and time.monotonic() < end:
            with contextlib.suppress(OSError):  # they may vanish while we look
                for directory in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
                    directory.rmdir()
            with contextlib.suppress(OSError):
                group.rmdir()
            time.sleep(0.01)
