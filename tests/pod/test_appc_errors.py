# SPDX-License-Identifier: Apache-2.0
"""Every row of the matrix of errors in appc.md chapter 21, in its order: the table ROWS has each item of each row, with
what is said when it is refused. What goes into manifests and archives is in the tables of test_hostile_archives.py."""
import gzip
import json
import os
import pathlib

import aci
import pytest
from test_discovery import ADDRESS, HOSTS, authority, meta, web  # noqa: F401
from test_hostile_archives import HOSTILE, MANIFESTS, ROOTFS

ZERO_UUID = "00000000-0000-0000-0000-000000000000"
HEX = "0123456789abcdef" * 8


class Site:
    """What the rows share: one image in the store, and ways to offer something wrong."""

    def __init__(self, rocket, home, request):
        self.rocket, self.home, self.request = rocket, home, request
        self.image = rocket.fetch(request.getfixturevalue("busybox"))
        self.count = 0

    def refused(self, words, *arguments, insecure="image"):
        self.count += 1
        done = self.rocket(f"--insecure-options={insecure}", *arguments, status=None, timeout=60)
        assert done.returncode == 254, f"accepted: {arguments}: {done}"
        assert done.stdout == "" or done.stdout.startswith("NAME:"), f"{arguments}: {done.stdout}" # the usage
        for word in [words] if isinstance(words, str) else words:
            assert word in done.stderr, f"{arguments}: {word!r} is not in\n{done.stderr}"

    def write(self, content, suffix=".json"):
        path = self.home / f"wrong-{self.count}{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def nothing_came_of_it(self):
        names = self.rocket("image", "list", "--no-legend", "--fields=name").stdout.split()
        assert names in (["example.com/busybox:1"], []), names
        self.rocket("gc", "--grace-period=0s", "--expire-prepared=0s")
        assert self.rocket.uuids() == [], "a pod runs"


# --- ways to be wrong: each gives a function of the site

def manifests(area):
    """All of one area of the table of manifests."""
    def offer(site):
        for wrong in MANIFESTS[area]:
            text = wrong if isinstance(wrong, str) else json.dumps({**aci.manifest("example.com/evil", aci.app("/bin/true")), **wrong})
            site.refused("fetch: ", "fetch", site.write(aci.tar_bytes([aci.file("manifest", text), ROOTFS()]), ".aci"))
    return offer


def archives(*names):
    """These of the table of archives."""
    def offer(site):
        for name in names:
            content, word = HOSTILE[name]
            site.refused(word, "fetch", site.write(content(site.home), ".aci"))
    return offer


def command(words, *arguments):
    return lambda site: site.refused(words, *[argument.replace("IMAGE", site.image).replace("HOME", str(site.home)) for argument in arguments])


def pod(words, *changes, **fields):
    """A pod manifest; changes: app fields of each app, by default one app."""
    def offer(site):
        apps = [{"name": f"app{n}", "image": {"id": site.image}, "app": aci.app("/bin/true"), **change} for n, change in enumerate(changes or [{}])]
        manifest = {"acVersion": "0.8.11", "acKind": "PodManifest", "apps": apps, **fields}
        site.refused(words, "run", "--net=none", f"--pod-manifest={site.write(json.dumps(manifest))}")
    return offer


def told(words, app):
    """Chapter 22 chose to run it, with an empty volume and a warning (VOL-5)."""
    def offer(site):
        apps = [{"name": "app", "image": {"id": site.image}, **app}]
        path = site.write(json.dumps({"acVersion": "0.8.11", "acKind": "PodManifest", "apps": apps}))
        assert words in site.rocket("--insecure-options=image", "run", "--net=none", f"--pod-manifest={path}").stderr
    return offer


def pod_text(words, text):
    return lambda site: site.refused(words, "prepare", f"--pod-manifest={site.write(text)}")


def image_id(value, words="image ID"):
    return pod(words, {"image": {"id": value}})


def volume(words, text):
    return command(words, "prepare", f"--volume={text}", "IMAGE")


def linked_source(inside, path):
    """VOL-15: the source, or a directory on the way to it, is a link."""
    def offer(site):
        (site.home / "real" / inside).mkdir(parents=True, exist_ok=True)
        link = site.home / "link"
        link.unlink(missing_ok=True)
        link.symlink_to("real")
        site.refused("has a symbolic link in its path", "run", "--net=none", f"--volume=v,kind=host,source={site.home / path}", site.image,
                     "--mount=volume=v,target=/v")
    return offer


def strangers_link(site):
    """VOL-15: by the option, links are followed, but none that another user could have made."""
    link = site.home / "strange"
    link.unlink(missing_ok=True)
    link.symlink_to("/etc")
    os.chown(link, 12345, 12345, follow_symlinks=False)
    site.refused("belongs to user 12345", "run", "--net=none", "--follow-volume-links", f"--volume=v,kind=host,source={link}", site.image,
                 "--mount=volume=v,target=/v")


def dependency(words, deps, name="a"):
    def offer(site):
        path = site.write(aci.tar_bytes(aci.image(f"example.com/{name}", dependencies=[{"imageName": "example.com/busybox", **deps}])), ".aci")
        site.refused(words, "fetch", path)
    return offer


def cycle(site):
    """No two images can name each other's ids: they find each other by name, in a store where one was exchanged."""
    with_dependency = [{"imageName": "example.com/one"}]
    first = aci.write(site.home / "one.aci", aci.image("example.com/one"))
    second = aci.write(site.home / "two.aci", aci.image("example.com/two", dependencies=with_dependency))
    ids = [site.rocket.fetch(path) for path in (first, second)]
    record = site.rocket.data / f"cas/image/{ids[0]}/record.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "dependencies": [ids[1]]}))
    manifest = site.rocket.data / f"cas/image/{ids[0]}/manifest"
    manifest.write_text(json.dumps(aci.manifest("example.com/one", dependencies=[{"imageName": "example.com/two"}])))
    site.refused("depends on itself", "prepare", ids[1])
    record.unlink()  # as good as not there
    site.rocket("image", "rm", ids[1])


def signed(words, spoil, prefix="example.com"):
    """An image, a signature that `spoil(archive, signer, site)` has made unfit, a key that is trusted for `prefix`."""
    def offer(site):
        signer = site.request.getfixturevalue("signer")
        archive = aci.write(site.home / f"signed-{site.count}.aci", aci.image("example.com/signed"))
        signer.sign(archive)
        site.rocket("trust", "--skip-fingerprint-review", f"--prefix={prefix}", signer.public_key(site.home / "key.asc"))
        spoil(archive, signer, site)
        site.refused(words, "fetch", archive, insecure="none")
        site.rocket("image", "list")
        pathlib.Path(f"{archive}.asc").unlink(missing_ok=True)
        for path in (site.rocket.local / "trustedkeys/prefix.d").rglob(signer.fingerprint.lower()):
            path.unlink()
    return offer


def by_another_key(archive, signer, site):
    stranger = aci.Signer()
    try:
        stranger.sign(archive)
    finally:
        stranger.close()


def discovered(words, name="images.test/app/web", pages=(), files=(), insecure="image"):
    """A name, and what the site says of it: pages {where: tags}, files {where: content}."""
    def offer(site):
        site.request.getfixturevalue("network")
        served = site.request.getfixturevalue("web")
        for where, tags in dict(pages).items():
            served.page(where, *tags)
        for where, members in dict(files).items():
            served.put(where, gzip.compress(aci.tar_bytes(members)))
        site.refused(words, "fetch", name, insecure=insecure)
    return offer


def app_of(words, script="true", image_fields=(), *flags):
    def offer(site):
        fields = dict(image_fields)
        extra = fields.pop("image", {})
        content = aci.image("example.com/run", {**aci.app("/bin/sh", "-c", script), **fields}, aci.busybox(), **extra)
        site.refused(words, "run", "--net=none", *flags, aci.write(site.home / "run.aci", content))
        site.rocket("gc", "--grace-period=0s")
        site.rocket("image", "rm", "example.com/run", status=None)
    return offer


OVERLAP = [{"volume": "v", "path": "/a"}, {"volume": "v", "path": "/a/b"}]
EMPTY = {"volumes": [{"name": "v", "kind": "empty"}]}
HTTP = {"app": aci.app("/bin/true", ports=[{"name": "http", "protocol": "tcp", "port": 80}])}
LEADS = {"images.test/app": [], "images.test": [meta("images.test https://images.test/it.{ext}")]}

ROWS = {
    "JSON": {
        "image manifests": manifests("JSON"),
        "pod: trailing comma": pod_text("JSON", '{"acKind":"PodManifest","acVersion":"0.8.11","apps":[],}'),
        "pod: trailing text": pod_text("JSON", '{"acKind":"PodManifest","acVersion":"0.8.11","apps":[]} x'),
        "pod: BOM": pod_text("JSON", '\ufeff{"acKind":"PodManifest","acVersion":"0.8.11","apps":[]}'),
        "pod: wrong type": pod("must be a list", apps={}),
        "pod: null kind": pod("acKind", acKind=None),
        "pod: null version": pod("acVersion", acVersion=None),
        "pod: null name": pod("name", {"name": None}),
        "pod: fraction in integer": pod("hostPort", HTTP, ports=[{"name": "http", "hostPort": 80.5}]),
    },
    "Kind/version": {
        "image manifests": manifests("kind and version"),
        **{f"pod: kind {kind!r}": pod("acKind", acKind=kind) for kind in ("ImageManifest", "", "podmanifest")},
        **{f"pod: version {version!r}": pod("acVersion", acVersion=version) for version in ("", "0.0.0", "1", "v1.2.3")},
    },
    "Names": {
        "image manifests": manifests("names"),
        **{f"app {name!r}": pod("apps[0].name", {"name": name}) for name in ("", "A", "a.b", "-a", "a-", "a--b", "a_b")},
        "app twice": pod("another", {"name": "a"}, {"name": "a"}),
        "volume twice": pod("another", volumes=[{"name": "v", "kind": "empty"}] * 2),
        "annotation twice": pod("another", annotations=[{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]),
        "environment twice": pod("another", {"app": aci.app("/bin/true", environment=[{"name": "A", "value": "1"}] * 2)}),
        "handler twice": pod("pre-start", {"app": aci.app("/bin/true", eventHandlers=[{"name": "pre-start", "exec": ["/x"]}] * 2)}),
        "label called name": pod("name", {"image": {"name": "example.com/a", "labels": [{"name": "name", "value": "b"}]}}),
    },
    "Labels": {"image manifests": manifests("labels")},
    "Annotations": {
        "image manifests": manifests("annotations"),
        "pod": pod("homepage", annotations=[{"name": "homepage", "value": "ftp://example.com"}]),
        "app of a pod": pod("created", {"annotations": [{"name": "created", "value": "yesterday"}]}),
    },
    "App": {
        "image manifests": manifests("app"),
        "no user": pod("user", {"app": {"exec": ["/bin/true"], "group": "0"}}),
        "no group": pod("group", {"app": {"exec": ["/bin/true"], "user": "0"}}),
        "relative working directory": pod("workingDirectory", {"app": aci.app("/bin/true", workingDirectory="stuff")}),
        "handler": pod("pre-stop", {"app": aci.app("/bin/true", eventHandlers=[{"name": "pre-stop", "exec": ["/x"]}])}),
        "environment": pod("environment", {"app": aci.app("/bin/true", environment=[{"name": "A=B", "value": "x"}])}),
    },
    "Ports": {
        "image manifests": manifests("ports"),
        "no name": pod("name", {"app": aci.app("/bin/true", ports=[{"protocol": "tcp", "port": 1}])}),
        "no protocol": pod("protocol", {"app": aci.app("/bin/true", ports=[{"name": "a", "port": 1}])}),
        "range": pod("65535", {"app": aci.app("/bin/true", ports=[{"name": "a", "protocol": "tcp", "port": 65000, "count": 1000}])}),
    },
    "Isolators": {
        "image manifests": manifests("isolators"),
        "pod": pod("sysctl", isolators=[{"name": "os/unix/sysctl", "value": {"a": 1}}]),
        "pod: twice": pod("isolators", isolators=[{"name": "os/linux/cpu-shares", "value": 2}] * 2),
    },
    "Quantities": {
        "image manifests": manifests("quantities"),
        **{f"flag {text!r}": command("memory", "prepare", "IMAGE", f"--memory={text}")
           for text in ("1g", "1ki", "1MB", "0x10", ".5i", "aoeu", "1.1.M", "1+1.0M", ".", "-1", " 1")},
    },
    "Hash/UUID": {
        **{value: image_id(value) for value in ("sha512", "sha512-", "-" + HEX, "SHA512-" + HEX, "sha512-" + HEX + "-" + HEX, "md5-" + HEX[:32], "sha512-" + HEX[:-1], "sha512-x" + HEX[1:])},
        "sha256": image_id("sha256-" + HEX[:64]),
        **{f"UUID {uuid}": command("status: ", "status", uuid) for uuid in ("", "1234567", ZERO_UUID + "0", "g" + ZERO_UUID[1:], ZERO_UUID.replace("-", "_"), ZERO_UUID)},
        "UUID of a file": lambda site: site.refused("status: ", "status", f"--uuid-file={site.write(ZERO_UUID)}"),
    },
    "Dependencies": {
        "image manifests": manifests("dependencies"),
        "ID mismatch": dependency("not in the local store", {"imageID": "sha512-" + HEX}),
        "size mismatch": dependency("bytes", {"size": 1}),
        "cycle": cycle,
    },
    "Volumes": {
        "source with empty": volume("source", "v,kind=empty,source=/tmp"),
        "no source with host": volume("source", "v,kind=host"),
        "relative source": volume("source", "v,kind=host,source=tmp"),
        "mode with host": volume("mode", "v,kind=host,source=/tmp,mode=0700"),
        "uid with host": volume("uid", "v,kind=host,source=/tmp,uid=3"),
        "gid with host": volume("gid", "v,kind=host,source=/tmp,gid=3"),
        "unknown kind": volume("kind", "v,kind=magic"),
        "no kind": volume("kind", "v"),
        "no name": volume("name", ",kind=empty"),
        "bad name": volume("#v", "#v,kind=empty"),
        "unknown key": volume("asdf", "v,kind=empty,asdf=asdf"),
        "recursive": volume("recursive", "v,kind=host,source=/tmp,recursive=MAYBE"),
        "in a pod: no name": pod("name", volumes=[{"kind": "empty"}]),
        "in a pod: mode with host": pod("mode", volumes=[{"name": "v", "kind": "host", "source": "/tmp", "mode": "0700"}]),
        "missing source on the host": command("/nowhere", "run", "--net=none", "--volume=v,kind=host,source=/nowhere", "IMAGE", "--mount=volume=v,target=/v"),
        "symlinked source": linked_source("", "link"),
        "symbolic link on the way to the source": linked_source("below", "link/below"),
        "another user's link": strangers_link,
        "overlap": pod("overlapping", {"mounts": OVERLAP}, **EMPTY),
        "unknown volume in mounts": pod("volume", {"mounts": [{"volume": "other", "path": "/a"}]}, **EMPTY),
    },
    "Pod": {
        "duplicate exposed host port": pod("8080", HTTP, ports=[{"name": "http", "hostPort": 8080}] * 2),
        "unknown port name": pod("other", HTTP, ports=[{"name": "other", "hostPort": 8080}]),
        "ambiguous port name": pod("http", HTTP, HTTP, ports=[{"name": "http", "hostPort": 8080}]),
        "hostIP 1.2.3": pod("hostIP", HTTP, ports=[{"name": "http", "hostPort": 8080, "hostIP": "1.2.3"}]),
        "hostIP of IPv6": pod("hostIP", HTTP, ports=[{"name": "http", "hostPort": 8080, "hostIP": "1::2::3"}]),  # proper ones work (cli Q28)
        "unresolved image ID": image_id("sha512-" + HEX, "no image IDs found"),
    },
    "Archive": {
        "ACI-2": archives("unknown top entry", "top entry like rootfs"),
        "ACI-4": archives("absolute manifest"),
        "ACI-5": archives("duplicate entry", "two rootfs", "a directory twice"),
        "ACI-6": archives("files do not imply rootfs"),
        "ACI-7": archives("manifest is a link", "manifest is a hard link", "manifest is a FIFO", "manifest is a device", "manifest is a directory"),
        "ACI-12": archives("hard link to a later file", "hard link to a directory", "hard link to itself"),
        "unknown compression": archives("zstd", "zip", "text", "wrong magic"),
        "truncated": archives("truncated", "truncated tar", "truncated xz", "truncated bzip2"),
        "bad checksum": archives("wrong checksum of gzip", "bad header checksum", "damaged gzip", "damaged xz", "damaged bzip2"),
        "escaping links": archives(*[name for name in HOSTILE if "link" in name and "manifest" not in name]),
    },
    "Signature": {
        "missing": signed("signature", lambda archive, signer, site: os.unlink(f"{archive}.asc")),
        "of wrong data": signed("BAD signature", lambda archive, signer, site: os.replace(signer.sign(aci.write(site.home / "other.aci", aci.image("example.com/other"))), f"{archive}.asc")),
        "by a wrong key": signed("trusted", by_another_key),
        "untrusted prefix": signed("trusted", lambda *_: None, prefix="example.com/elsewhere"),
        "binary": signed("not ASCII-armoured", lambda archive, signer, site: signer.sign(archive, armor=False)),
        "image changed after signing": signed("BAD signature", lambda archive, signer, site: aci.write(archive, aci.image("example.com/signed", content=[aci.file("rootfs/more", "x")]))),
    },
    "Discovery": {
        **{f"DISC-2 {name}": command(("fetch: ", word), "fetch", name) for name, word in (
            ("images.test/a:1:2", "images.test/a:1:2"), ("images.test/a,x=1:2", ":"), ("images.test/a,version", "version"), ("images.test/a,A=1", "A"),
            ("images.test/a:1,version=2", "version"), ("images.test/a,x=1,x=2", "x"), ("images.test/a,name=b", "name"), ("Images.test/a", "Images.test/a"))},
        "no tags on any level": discovered(("no endpoints discovered", "images.test/app"), pages={"images.test/app": [], "images.test": []}),
        "http only": discovered("images.test", pages={}, name="images.test/plain"),
        "an http address": discovered("http", pages={"images.test": [meta("images.test http://images.test/it.{ext}")]}),
        "name mismatch": discovered("expected but", pages=LEADS, files={"images.test/it.aci": aci.image("images.test/other")}),
        "label mismatch": discovered("label", name="images.test/app/web:2", pages=LEADS, files={"images.test/it.aci": aci.image("images.test/app/web")}),
    },
    "Run": {
        "missing working directory": app_of("/nowhere", image_fields={"workingDirectory": "/nowhere"}),
        "unknown user name": app_of("nobody-here", image_fields={"user": "nobody-here"}),
        "unknown group name": app_of("nobody-here", image_fields={"group": "nobody-here"}),
        "no exec": app_of("exec", image_fields={"exec": []}),
        "unloaded AppArmor profile": app_of("apparmor", image_fields={"isolators": [{"name": "os/linux/apparmor-profile", "value": {"name": "not-loaded"}}]}),
        "unsatisfied mount point": told("no volume for mount point", {"app": aci.app("/bin/true", mountPoints=[{"name": "data", "path": "/data"}])}),
    },
}


@pytest.fixture
def network(rocket, home, authority):  # noqa: F811
    """The hosts of the web server, in an /etc/hosts of the program's own."""
    hosts = home / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{ADDRESS} {name}\n" for name in HOSTS))
    command_of = rocket.command
    rocket.command = lambda *arguments: ["unshare", "--mount", "--propagation=private", "/bin/sh", "-c",
                                         'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts), *command_of(*arguments)]
    rocket.environment["SSL_CERT_FILE"] = str(authority.ca)


@pytest.mark.parametrize("row", ROWS)
def test_refused(rocket, home, request, row):
    site = Site(rocket, home, request)
    wrong = []
    for item, offer in ROWS[row].items():
        try:
            offer(site)
        except AssertionError as error:
            wrong.append(f"{item}: {error}")
    assert not wrong, "\n".join(wrong)
    site.nothing_came_of_it()
