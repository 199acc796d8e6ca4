# SPDX-License-Identifier: Apache-2.0
"""Makes OCI images for the tests: layers from tar members (aci.py), and layouts, in which a test can break one thing."""
import hashlib
import io
import json
import pathlib
import tarfile

import aci

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
SUFFIX = {None: "", "gz": "+gzip", "zst": "+zstd"}
GO_ARCH = {"aarch64": "arm64", "i386": "386"}.get(aci.ARCH, aci.ARCH)
REF_NAME = "org.opencontainers.image.ref.name"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def busybox():
    """A base layer with a shell: the members of aci.busybox(), below the root."""
    members = aci.busybox()
    for info, _ in members:
        info.name = info.name.removeprefix("rootfs/")
    return members


class Layout:
    """An image layout, made piece by piece."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        (self.path / "blobs/sha256").mkdir(parents=True)
        (self.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.entries = []
        self.index()

    def blob(self, data, media_type, **fields):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        (self.path / "blobs/sha256" / digest(data).split(":")[1]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest(data), "size": len(data), **fields}

    def layer(self, members, compression="gz"):
        """(descriptor, diff id)"""
        tar = members if isinstance(members, bytes) else aci.tar_bytes(members)
        return self.blob(aci.compress(tar, compression), LAYER + SUFFIX[compression]), digest(tar)

    def config(self, diff_ids, architecture=GO_ARCH, os="linux", rootfs_type="layers", **app):
        return self.blob({"architecture": architecture, "os": os, "config": app,
                          "rootfs": {"type": rootfs_type, "diff_ids": diff_ids}}, CONFIG)

    def manifest(self, layers, config, **fields):
        return self.blob({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers, **fields}, MANIFEST)

    def image(self, *layers, name=None, **app):
        """Layers as members or as (descriptor, diff id); returns the manifest's descriptor, which is in the index."""
        pairs = [layer if isinstance(layer, tuple) else self.layer(layer) for layer in layers]
        return self.add(self.manifest([pair[0] for pair in pairs], self.config([pair[1] for pair in pairs], **app)), name)

    def add(self, descriptor, name=None):
        self.entries.append({**descriptor, **({"annotations": {REF_NAME: name}} if name else {})})
        self.index()
        return descriptor

    def index(self, **fields):
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": self.entries, **fields}))

    def __str__(self):
        return f"oci:{self.path}"


def save(path, images, links=()):
    """An archive as of `docker save`: images are (config, [tar of a layer], tags)."""
    manifest, members = [], {}
    for config, layers, tags in images:
        name = hashlib.sha256(config).hexdigest() + ".json"
        members[name] = config
        paths = []
        for tar in layers:
            paths.append(hashlib.sha256(tar).hexdigest() + "/layer.tar")
            members[paths[-1]] = tar
        manifest.append({"Config": name, "RepoTags": tags, "Layers": paths})
    members["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            if name in dict(links):
                info.type, info.linkname = tarfile.SYMTYPE, dict(links)[name]
                archive.addfile(info)
                continue
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path
