# SPDX-License-Identifier: Apache-2.0
"""Makes App Container images for the tests: proper ones, hostile ones, and signatures over them.

An image is a list of tar members in the order they are written, so that a test can break exactly one rule:

    write("a.aci", [*image("example.com/a"), symlink("rootfs/evil", "/etc")], compression="xz")
"""
import io
import json
import os
import pathlib
import platform
import shutil
import subprocess
import tarfile
import tempfile

ARCH = {"x86_64": "amd64", "i686": "i386", "aarch64": "aarch64", "armv7l": "armv7l"}.get(platform.machine(), platform.machine())
COMPRESSORS = {None: None, "gz": ["gzip", "-nc"], "bz2": ["bzip2", "-c"], "xz": ["xz", "-c"], "zst": ["zstd", "-qc"]}


# --- tar members

def member(name, kind, mode, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size = kind, mode, len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def file(name, data=b"", mode=0o644, **fields):
    return member(name, tarfile.REGTYPE, mode, data.encode() if isinstance(data, str) else data, **fields)


def directory(name, mode=0o755, **fields):
    return member(name, tarfile.DIRTYPE, mode, **fields)


def symlink(name, target, **fields):
    return member(name, tarfile.SYMTYPE, 0o777, linkname=target, **fields)


def hardlink(name, target, **fields):
    return member(name, tarfile.LNKTYPE, 0o644, linkname=target, **fields)


def device(name, major, minor, kind=tarfile.CHRTYPE, **fields):
    return member(name, kind, 0o666, devmajor=major, devminor=minor, **fields)


def fifo(name, **fields):
    return member(name, tarfile.FIFOTYPE, 0o644, **fields)


def host_file(name, source):
    return file(name, pathlib.Path(source).read_bytes(), os.stat(source).st_mode & 0o777)


# --- images

def app(*command, user="0", group="0", **fields):
    return {"exec": list(command), "user": user, "group": group, **fields}


def manifest(name, app=None, version="1", **fields):
    labels = [{"name": "version", "value": version}, {"name": "os", "value": "linux"}, {"name": "arch", "value": ARCH}]
    content = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": name, "labels": labels}
    if app:
        content["app"] = app
    return {**content, **fields}


def image(name, app=None, content=(), **fields):
    """Members of a proper image."""
    text = json.dumps(manifest(name, app, **fields))
    return [file("manifest", text), directory("rootfs"), *content]


def busybox(applets=("sh", "cat", "echo", "ls", "id", "sleep", "env", "true", "false", "nc", "grep", "mount", "mkdir", "mknod",
                     "touch", "rm", "stat", "hostname", "kill", "ps", "head", "dd", "tr", "readlink", "chmod", "pwd", "wc",
                     "printf", "test", "seq", "ip", "tty", "stty", "dmesg", "df", "find", "ln", "date", "nproc", "mkfifo", "trap")):
    """Contents of a root file system in which a shell works."""
    return [
        directory("rootfs/bin"), host_file("rootfs/bin/busybox", "/bin/busybox"),
        *[symlink(f"rootfs/bin/{applet}", "busybox") for applet in applets],
        directory("rootfs/etc"), file("rootfs/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001:web:/:/bin/sh\n"),
        file("rootfs/etc/group", "root:x:0:\nweb:x:1001:\nextra:x:1002:web\n"),
        directory("rootfs/tmp", 0o1777), directory("rootfs/root", 0o700),
    ]


def tar_bytes(members, format=tarfile.PAX_FORMAT):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def compress(data, compression):
    command = COMPRESSORS[compression]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout if command else data


def write(path, members, compression="gz", format=tarfile.PAX_FORMAT):
    path = pathlib.Path(path)
    path.write_bytes(compress(tar_bytes(members, format), compression))
    return path


# --- signatures

class Signer:
    """A throw-away OpenPGP key in a home of its own (a short path: gpg-agent's socket lies in it)."""

    def __init__(self, identity="Test <test@example.com>", expire="never", when=None):
        self.home = tempfile.mkdtemp(prefix="gpg", dir="/tmp")
        self.identity = identity
        faked = ["--faked-system-time", when] if when else []
        self._gpg(*faked, "--quick-generate-key", identity, "ed25519", "sign", expire)
        listing = self._gpg("--with-colons", "--list-keys").decode()
        self.fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))

    def _gpg(self, *arguments):
        return subprocess.run(["gpg", "--homedir", self.home, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback",
                               "--passphrase", "", *arguments], check=True, capture_output=True).stdout

    def public_key(self, path):
        path = pathlib.Path(path)
        path.write_bytes(self._gpg("--armor", "--export", self.fingerprint))
        return path

    def sign(self, archive, signature=None, armor=True, when=None, extra=()):
        """Detached signature beside the archive, as `fetch` looks for it."""
        signature = pathlib.Path(signature or f"{archive}.asc")
        signature.unlink(missing_ok=True)
        self._gpg(*(["--faked-system-time", when] if when else []), *(["--armor"] if armor else []), *extra,
                  "--output", str(signature), "--detach-sign", str(archive))
        return signature

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=False, capture_output=True)
        shutil.rmtree(self.home, ignore_errors=True)
