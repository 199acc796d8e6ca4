# SPDX-License-Identifier: Apache-2.0
"""Docker and OCI images from layouts and archives: layers, their stacking, and what of an image must be refused
(oci.md; the negative tests are the rows of its chapter 13 that need no registry)."""
import json
import os
import pathlib
import struct
import subprocess
import tarfile

import aci
import oci
import pytest


@pytest.fixture
def layout(home):
    return oci.Layout(home / "layout")


@pytest.fixture
def fetch(rocket):
    def run(reference, **options):
        return rocket("--insecure-options=image", "fetch", "--full", str(reference), **options)
    return run


def sh(rocket, image, script, *flags):
    return rocket.run(*flags, image, "--exec=/bin/sh", "--", "-c", script + "; true").stdout


def exported(rocket, image, home):
    """The members of the image as an ACI."""
    path = home / "exported.aci"
    rocket("image", "export", "--overwrite", image, path)
    with tarfile.open(path) as archive:
        return {info.name.removeprefix("rootfs/"): info for info in archive if info.name.startswith("rootfs/")}


# --- running

@pytest.mark.bare
def test_an_image_runs_with_all_its_configuration_says(rocket, layout):
    layout.image(oci.busybox(), Entrypoint=["/bin/sh", "-c"], Cmd=["id; pwd; echo $A $B"], User="web", WorkingDir="/srv/x",
                 Env=["A=1", "B=two words", "A=3", "nothing"], ExposedPorts={"80": {}, "53/UDP": {}}, Volumes={"/data": {}},
                 Labels={"Team": "a"}, StopSignal="SIGINT")
    done = rocket.run(str(layout))
    assert done.stdout == "uid=1000(web) gid=1001(web) groups=1001(web),1002(extra)\n/srv/x\n3 two words\n"
    manifest = json.loads(rocket("image", "cat-manifest", "layout").stdout)
    assert [port["name"] for port in manifest["app"]["ports"]] == ["53-udp", "80-tcp"]
    assert manifest["app"]["mountPoints"] == [{"name": "volume-data", "path": "/data"}]
    assert manifest["app"]["userLabels"] == {"Team": "a"}
    assert {"name": "org.opencontainers.image.stopsignal", "value": "SIGINT"} in manifest["annotations"]


@pytest.mark.parametrize("flags", [[], ["--no-overlay"]], ids=["overlay", "copy"])
def test_layers_are_stacked(rocket, layout, flags):
    layout.image(
        oci.busybox(),
        [aci.directory("a"), aci.file("a/f1", "1"), aci.file("a/f2", "2"), aci.file("b/x", "x"), aci.directory("op", 0o700),
         aci.file("op/old"), aci.directory("d"), aci.file("d/f"), aci.symlink("l", "/etc"), aci.file("f", "shared")],
        [aci.file(".wh.b"), aci.file("a/.wh.f1"), aci.file("a/f3", "3"), aci.file("op/new"), aci.file("op/.wh..wh..opq"),
         aci.symlink("d", "a"), aci.directory("l"), aci.file("l/x"), aci.hardlink("g", "f"), aci.file(".wh.nothing"),
         aci.file("only/.wh.nothing")])
    found = sh(rocket, str(layout), "ls -d /a/* /b /op/* /d /l /l/* /only /only/* /nothing 2>/dev/null; readlink /d; stat -c %a /op; "
               "stat -c %h /f /g; cat /g; echo; ls / | grep -c wh", *flags)
    assert found.splitlines() == ["/a/f2", "/a/f3", "/d", "/l", "/l/x", "/only", "/op/new", "a", "700", "2", "2", "shared", "0"]


def test_export_list_verify_and_rm_work_for_layers(rocket, layout, fetch, home):
    layout.image(oci.busybox(), [aci.file("etc/.wh.group"), aci.hardlink("bin/link", "bin/busybox")], name="v1")
    image = fetch(f"{layout}:v1").stdout.strip()
    members = exported(rocket, image, home)
    assert "etc/passwd" in members and "etc/group" not in members and not [name for name in members if ".wh." in name]
    assert (members["bin/busybox"].islnk() or members["bin/link"].islnk()) and rocket.fetch(home / "exported.aci")
    assert f'"{image}"' in rocket("image", "verify", image).stdout
    assert [each["name"] for each in json.loads(rocket("image", "list", "--format=json").stdout)].count("layout:v1") == 2
    for damaged in (rocket.data / "cas/tree").glob("sha256-*/rootfs/etc/passwd"):
        damaged.write_text("damaged")
    assert "rebuilding" in rocket("image", "verify", image).stdout
    assert "successfully verified" in rocket("image", "verify", image).stdout
    for database in (rocket.data / "cas/db").glob("*"):
        database.unlink()
    assert image[:19] in rocket("image", "list").stdout
    rocket("image", "rm", image)
    assert not list((rocket.data / "cas/layer").iterdir()) and not list((rocket.data / "cas/tree").glob("sha256-*"))


def test_commands_know_an_image_by_what_it_was_fetched_by(rocket, layout, fetch):
    layout.image(oci.busybox(), name="v1", Cmd=["/bin/echo", "one"])
    first = fetch(f"{layout}:v1").stdout.strip()
    layout.entries.clear()
    layout.image(oci.busybox(), name="v1", Cmd=["/bin/echo", "two"])
    second = fetch(f"{layout}:v1", cwd=layout.path.parent).stdout.strip()
    for reference in f"{layout}:v1", f"oci:{layout.path.name}:v1":
        manifest = rocket("image", "cat-manifest", reference, cwd=layout.path.parent).stdout
        assert json.loads(manifest)["app"]["exec"] == ["/bin/echo", "two"], "the latest"
    for wrong in f"{layout}", f"{layout}:v2", "docker://example.com/v1":
        assert "no image of the local store is" in rocket("image", "cat-manifest", wrong, status=254).stderr
    for path in "./image.aci", "../image.aci", "/image.aci":
        assert "is a path" in rocket("image", "cat-manifest", path, status=254).stderr
    assert second in rocket("image", "rm", f"{layout}:v1").stdout and first in rocket("image", "rm", f"{layout}:v1").stdout


def test_layers_are_kept_once_and_as_long_as_an_image_needs_them(rocket, layout, fetch):
    base = layout.layer(oci.busybox())
    layout.image(base, [aci.file("one")], name="one")
    layout.image(base, [aci.file("two")], name="two")
    one, two = (fetch(f"{layout}:{name}").stdout.strip() for name in ("one", "two"))
    layers = rocket.data / "cas/layer"
    assert len(list(layers.iterdir())) == 3
    rocket("image", "rm", one)
    assert len(list(layers.iterdir())) == 2
    assert sh(rocket, two, "ls /one /two 2>/dev/null") == "/two\n"


def test_the_same_image_always_has_the_same_id(rocket, layout, fetch):
    layout.image(oci.busybox())
    assert fetch(layout).stdout == fetch(layout).stdout


def several(layout):
    """The tag v1 of an image for this host, and for others."""
    entries = []
    for architecture, variant in (("ppc64le", None), (oci.GO_ARCH, None), ("arm", "v6"), ("arm", "v7")):
        layer = layout.layer(oci.busybox())
        config = layout.config([layer[1]], architecture=architecture, Cmd=["/bin/echo", architecture])
        platform = {"os": "linux", "architecture": architecture, **({"variant": variant} if variant else {})}
        entries.append({**layout.manifest([layer[0]], config, annotations={"variant": variant or ""}), "platform": platform})
    layout.add(layout.blob({"schemaVersion": 2, "manifests": entries}, oci.INDEX), "v1")


@pytest.mark.parametrize("platform, architecture, variant", [
    ("linux/ppc64le", "ppc64le", ""), ("linux/arm", "arm", "v7"), ("linux/arm/v6", "arm", "v6"), ("linux/arm/7", "arm", "v7")])
def test_a_platform_can_be_forced(rocket, layout, platform, architecture, variant):
    """OIDX-9"""
    several(layout)
    done = rocket("--insecure-options=image", "fetch", "--full", f"--platform={platform}", f"{layout}:v1")
    app = json.loads(rocket("image", "cat-manifest", done.stdout.strip()).stdout)["app"]
    assert app["exec"] == ["/bin/echo", architecture] and app["userAnnotations"]["variant"] == variant


def test_platforms_that_are_not_there_or_cannot_be_chosen(rocket, layout, make):
    several(layout)
    fetch = lambda *words: rocket("--insecure-options=image", "fetch", *words, status=254).stderr # noqa: E731
    assert "only for linux/ppc64le" in fetch("--platform=linux/mips", f"{layout}:v1")
    assert "invalid platform" in fetch("--platform=linux", f"{layout}:v1")
    assert "is no Docker or OCI image" in fetch("--platform=linux/arm", make("example.com/x"))
    layout.image(oci.busybox(), name="v2")
    assert "not for linux/ppc64le" in fetch("--platform=linux/ppc64le", f"{layout}:v2")


@pytest.mark.parametrize("compression", [None, "gz", "zst"])
def test_compressions_of_layers(rocket, layout, fetch, compression):
    layout.image(layout.layer(oci.busybox(), compression), layout.layer([], compression))
    assert fetch(layout).stdout.startswith("sha512-")


@pytest.mark.parametrize("user, expected", [
    ("", "uid=0 gid=0 "), ("web", "uid=1000 gid=1001 1002"), ("1000", "uid=1000 gid=1001 1002"), ("web:extra", "uid=1000 gid=1002 "),
    ("1000:5", "uid=1000 gid=5 "), ("77:extra", "uid=77 gid=1002 "), ("web:9", "uid=1000 gid=9 "), ("88", "uid=88 gid=0 ")])
def test_user_in_all_its_forms(rocket, layout, fetch, user, expected):
    layout.image(oci.busybox(), User=user)
    app = json.loads(rocket("image", "cat-manifest", fetch(layout).stdout.strip()).stdout)["app"]
    groups = ",".join(map(str, app.get("supplementaryGIDs", [])))
    assert f"uid={app['user']} gid={app['group']} {groups}" == expected


@pytest.mark.parametrize("app, command", [({"Cmd": ["/bin/a", "b"]}, ["/bin/a", "b"]), ({"Entrypoint": ["/bin/a"]}, ["/bin/a"]),
                                          ({"Entrypoint": ["/a"], "Cmd": ["b"]}, ["/a", "b"]), ({}, []),
                                          ({"Cmd": "echo x"}, ["/bin/sh", "-c", "echo x"])])
def test_entrypoint_and_command(rocket, layout, fetch, app, command):
    layout.image(oci.busybox(), **app)
    assert json.loads(rocket("image", "cat-manifest", fetch(layout).stdout.strip()).stdout)["app"].get("exec", []) == command


def test_archives_made_by_others(rocket, layout, fetch, home):
    layout.image(oci.busybox(), [aci.file("mark", "made")], name="v1")
    for target in (f"oci-archive:{home}/oci.tar:v1", f"docker-archive:{home}/docker.tar:example.com/team/box:2"):
        subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", f"{layout}:v1", target], check=True)
    fetch(f"oci-archive:{home}/oci.tar")
    fetch(f"docker-archive:{home}/docker.tar")
    names = [each["name"] for each in json.loads(rocket("image", "list", "--format=json").stdout)]
    assert sorted(names) == ["example.com/team/box:2", "oci"]
    assert sh(rocket, "example.com/team/box:2", "cat /mark") == "made"
    subprocess.run(["gzip", home / "oci.tar"], check=True)
    fetch(f"oci-archive:{home}/oci.tar.gz:v1")


def test_docker_archives_with_several_images(rocket, fetch, home):
    tar = aci.tar_bytes(oci.busybox())
    configs = [json.dumps({"architecture": oci.GO_ARCH, "os": "linux", "config": {"Cmd": [word]},
                           "rootfs": {"type": "layers", "diff_ids": [oci.digest(tar)]}}).encode() for word in ("/a", "/b")]
    path = oci.save(home / "two.tar", [(configs[0], [tar], ["first:1"]), (configs[1], [tar], None)])
    assert "2 images" in fetch(f"docker-archive:{path}", status=254).stderr
    for name, command in (("first:1", "/a"), ("@1", "/b")):
        image = fetch(f"docker-archive:{path}:{name}").stdout.strip()
        assert json.loads(rocket("image", "cat-manifest", image).stdout)["app"]["exec"] == [command]
    assert "no image" in fetch(f"docker-archive:{path}:@2", status=254).stderr
    other = b"a layer that is a link to the first one"
    place = lambda data: oci.digest(data).split(":")[1] + "/layer.tar" # noqa: E731
    path = oci.save(home / "linked.tar", [(configs[0], [tar], ["first:1"]), (configs[1], [other], None)], links={place(other): "../" + place(tar)})
    image = fetch(f"docker-archive:{path}:@1").stdout.strip()
    assert json.loads(rocket("image", "cat-manifest", image).stdout)["app"]["exec"] == ["/b"]


def test_file_capabilities(rocket, layout):
    """The layer's are kept; what they give to users other than root is for whoever runs the image to say."""
    info, data = next(member for member in oci.busybox() if member[0].name == "bin/busybox")
    info.name, info.pax_headers = "cap/cat", {"SCHILY.xattr.security.capability": struct.pack("<5I", 0x2000001, 1 << 10, 0, 0, 0).decode("latin-1")}
    layout.image(oci.busybox(), [(info, data)], name="v1", User="1000", Cmd=["/cap/cat", "/proc/self/status"])

    def permitted(*flags, insecure="image"):
        lines = rocket(f"--insecure-options={insecure}", "run", "--net=none", f"{layout}:v1", *flags).stdout.splitlines()
        return next(int(line.split()[1], 16) for line in lines if line.startswith("CapPrm"))
    assert permitted() == 0
    assert permitted("--caps-retain=CAP_NET_BIND_SERVICE") == 1 << 10
    assert permitted(insecure="image,seccomp") == 1 << 10


@pytest.mark.parametrize("flags", [[], ["--no-overlay"]], ids=["overlay", "copied"])
def test_a_layer_that_comes_twice(rocket, layout, home, flags):
    """As COPY makes one, of the same files in two places: overlayfs takes no directory twice."""
    again = layout.layer([aci.file("etc/word", "again"), aci.file("etc/.wh.gone")])
    between = layout.layer([aci.file("etc/word", "between"), aci.file("etc/gone"), aci.file("etc/kept", "kept")])
    layout.image(oci.busybox(), again, between, again, name="v1", Cmd=["/bin/sh", "-c", "cat /etc/word /etc/kept; ls /etc/gone"])
    done = rocket.run(*flags, f"{layout}:v1", status=None)
    assert done.stdout == "againkept" and "/etc/gone" in done.stderr, done.stderr
    image, = rocket("image", "list", "--no-legend", "--fields=id", "--full").stdout.split()
    assert "successfully verified" in rocket("image", "verify", image).stdout
    rocket("image", "export", image, home / "flat.aci")
    assert rocket.run(*flags, home / "flat.aci", status=None).stdout == "againkept"


# --- refusing

def test_without_insecure_options_nothing_unsigned_is_fetched(rocket, layout):
    layout.image(oci.busybox())
    assert "--insecure-options=image" in rocket("fetch", str(layout), status=254).stderr


def broken_digest(layout, which):
    layer = layout.layer(oci.busybox())
    config = layout.config([layer[1]])
    manifest = layout.manifest([layer[0]], config)
    layout.add(manifest)
    broken = {"layer": layer[0], "config": config, "manifest": manifest}[which]
    path = layout.path / "blobs/sha256" / broken["digest"].split(":")[1]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def wrong_size(layout, difference):
    layer = layout.layer(oci.busybox())
    layer[0]["size"] += difference
    layout.image(layer)


def one_layer(*members):
    return lambda layout: layout.image(oci.busybox(), list(members))


def platforms(*names, **fields):
    def make(layout):
        layer = layout.layer(oci.busybox())
        manifest = layout.manifest([layer[0]], layout.config([layer[1]]))
        entries = [{**manifest, "platform": dict(zip(("os", "architecture"), name.split("/"))), **fields} for name in names]
        layout.add(layout.blob({"schemaVersion": 2, "manifests": entries}, oci.INDEX))
    return make


def truncated(layout):
    tar = aci.tar_bytes(oci.busybox())
    layout.image((layout.blob(aci.compress(tar, "gz")[:-9], oci.LAYER + "+gzip"), oci.digest(tar)))


def nested(depth):
    def make(layout):
        layer = layout.layer(oci.busybox())
        entry = layout.manifest([layer[0]], layout.config([layer[1]]))
        for _ in range(depth):
            entry = layout.blob({"schemaVersion": 2, "manifests": [entry]}, oci.INDEX)
        layout.add(entry)
    return make


REFUSED = {
    "digest of the manifest": (lambda l: broken_digest(l, "manifest"), "digest"),
    "digest of the configuration": (lambda l: broken_digest(l, "config"), "digest"),
    "digest of a layer": (lambda l: broken_digest(l, "layer"), "gzip data is damaged|digest|ends too early"),
    "size too small": (lambda l: wrong_size(l, -1), "bytes instead of"),
    "size too large": (lambda l: wrong_size(l, 1), "bytes instead of"),
    "diff id": (lambda l: l.image((l.layer(oci.busybox())[0], oci.digest(b"other"))), "tar has the digest"),
    "number of layers": (lambda l: l.add(l.manifest([l.layer(oci.busybox())[0]], l.config([]))), "configuration knows 0"),
    "no layers": (lambda l: l.image(), "no layers"),
    "type of rootfs": (lambda l: l.image(oci.busybox(), rootfs_type="other"), "layers"),
    "schema 1": (lambda l: l.add(l.blob({"schemaVersion": 1, "fsLayers": []}, oci.MANIFEST)), "schema 1"),
    "no matching platform": (platforms("windows/amd64", "linux/mips"), "only for windows/amd64, linux/mips"),
    "attestations only": (platforms(f"linux/{oci.GO_ARCH}", annotations={"vnd.docker.reference.type": "attestation-manifest"}),
                          "no image"),
    "unknown type of configuration": (lambda l: l.add(l.manifest([], l.blob({}, "application/vnd.cncf.helm.config.v1+json"))),
                                      "helm"),
    "encrypted layer": (lambda l: l.image((l.blob(b"x", oci.LAYER + "+gzip+encrypted"), oci.digest(b"x"))), "is encrypted"),
    "unknown type of layer": (lambda l: l.image((l.blob(b"x", "application/x-thing"), oci.digest(b"x"))), "unknown type"),
    "ambiguous document": (lambda l: l.add(l.blob({"schemaVersion": 2, "manifests": [], "layers": []}, oci.MANIFEST)), "ambiguous"),
    "truncated gzip": (truncated, "ends too early"),
    "too many indexes": (nested(12), "one inside the other"),
    "dot dot": (one_layer(aci.file("../evil")), 'contains \\".."|\\.\\.'),
    "parent is a symbolic link": (one_layer(aci.symlink("s", "/"), aci.file("s/evil")), "not"),
    "parent is a symbolic link below": (one_layer(aci.file("bin/sh/evil")), "symbolic link"),
    "hard link to nothing": (one_layer(aci.hardlink("h", "nothing")), "no file of an earlier layer"),
    "hard link out": (one_layer(aci.hardlink("h", "../../etc/passwd")), "hard link"),
    "hard link to what is taken away": (one_layer(aci.hardlink("h", "bin/busybox"), aci.file("bin/.wh.busybox")), "takes away"),
    "white-out of nothing": (one_layer(aci.file(".wh.")), "white-out"),
    "white-out of the parent": (one_layer(aci.file("a/.wh...")), "white-out"),
    "white-out as overlayfs has it": (one_layer(aci.device("x", 0, 0)), "white-out"),
    "missing blob": (lambda l: [path.unlink() for path in (l.path / "blobs/sha256").iterdir()] if l.image(oci.busybox()) else 0,
                     "there is no"),
    "no image": (lambda l: None, "no image"),
    "several images": (lambda l: [l.image(oci.busybox(), [aci.file(name)], name=name) for name in ("a", "b")], "there are a, b"),
    "volume on the root": (lambda l: l.image(oci.busybox(), Volumes={"/": {}}), "volume"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_refused(rocket, layout, fetch, fault):
    make, words = REFUSED[fault]
    make(layout)
    error = fetch(layout, status=254).stderr
    assert any(word in error for word in words.replace("\\", "").split("|")), error
    assert rocket("image", "list", "--no-legend").stdout.strip() == ""
    assert not os.path.exists("/evil")


@pytest.mark.parametrize("name, make", {
    "index in an index": nested(2),
    "absolute name": one_layer(aci.file("/abs")),
    "device node": one_layer(aci.device("null", 1, 3), aci.fifo("fifo")),
    "twice": one_layer(aci.file("twice", "1"), aci.directory("twice"), aci.file("twice/x"), aci.file("twice", "2")),
    "aufs": one_layer(aci.file(".wh..wh.plnk"), aci.file(".wh..wh.aufs")),
    "platforms": platforms("linux/mips", f"linux/{oci.GO_ARCH}"),
}.items(), ids=lambda value: value if isinstance(value, str) else "")
def test_accepted(layout, fetch, name, make):
    make(layout)
    assert fetch(layout).stdout.startswith("sha512-")


def test_a_layout_that_umoci_has_made(rocket, fetch, home):
    """Another writer of layers: white-outs and changed directories as it has them."""
    def umoci(*words):
        subprocess.run(["umoci", *map(str, words)], check=True, capture_output=True)
    layout, bundle = home / "umoci", home / "bundle"
    root = bundle / "rootfs"
    umoci("init", "--layout", layout)
    umoci("new", "--image", f"{layout}:v1")
    umoci("unpack", "--image", f"{layout}:v1", bundle)
    (root / "bin").mkdir()
    (root / "bin/busybox").write_bytes(pathlib.Path("/bin/busybox").read_bytes())
    (root / "bin/busybox").chmod(0o755)
    for name in ("sh", "ls", "cat", "gone"):
        (root / "bin" / name).symlink_to("busybox")
    (root / "old").mkdir()
    (root / "old/file").write_text("old")
    umoci("repack", "--refresh-bundle", "--image", f"{layout}:v1", bundle)
    (root / "bin/gone").unlink()
    subprocess.run(["rm", "-r", root / "old"], check=True)
    (root / "old").mkdir(0o700)
    (root / "old/new").write_text("new\n")
    umoci("repack", "--image", f"{layout}:v1", bundle)
    umoci("config", "--image", f"{layout}:v1", "--config.user", "7:8", "--config.env", "A=b", "--config.cmd", "/bin/sh", "--config.cmd", "-c",
          "--config.cmd", "ls /bin; echo $A; cat /old/new || echo no")
    image = fetch(f"oci:{layout}:v1").stdout.strip()
    assert rocket.run(image).stdout.split() == ["busybox", "cat", "ls", "sh", "b", "no"]
    assert rocket.run(image, "--user=0", "--exec=/bin/sh", "--", "-c", "ls -A /old; cat /old/new").stdout == "new\nnew\n"
    assert "successfully verified" in rocket("image", "verify", image).stdout


def test_device_nodes_are_made_without_a_worker_that_could(rocket, layout, fetch):
    """They have their attributes, links and the times of what they are in, and survive a check; none can be used (OLYR-5)."""
    layout.image(oci.busybox(), [aci.directory("d", mtime=10**9), aci.device("d/null", 1, 3, uid=7, gid=8, mtime=10**9), aci.hardlink("d/link", "d/null"),
                                 aci.device("d/sda", 8, 1, kind=tarfile.BLKTYPE, mtime=10**9), aci.device("d/gone", 1, 5), aci.file("d/gone", "a file")],
                 Cmd=["/bin/sh", "-c", "stat -c '%n %F %a %u:%g %h %t:%T %Y' /d /d/*; cat /d/null"])
    full = fetch(layout).stdout.strip()
    done = rocket.run(str(layout), status=None)
    assert done.stdout.splitlines()[:1] == ["/d directory 755 0:0 2 0:0 1000000000"]
    assert [line for line in done.stdout.splitlines()[1:] if "gone" not in line] == [
        "/d/link character special file 666 7:8 2 1:3 1000000000", "/d/null character special file 666 7:8 2 1:3 1000000000",
        "/d/sda block special file 666 0:0 1 8:1 1000000000"]
    assert "/d/gone regular file" in done.stdout and "ermission denied" in done.stderr and done.returncode != 0
    assert "successfully verified" in rocket("image", "verify", full).stdout
    subprocess.run(["rm", "-r", rocket.data / "cas/tree"], check=True)
    (rocket.data / "cas/tree").mkdir(0o700)
    assert rocket.run(str(layout), status=None).stdout == done.stdout, "unpacked again from the archive"
    assert "successfully verified" in rocket("image", "verify", full).stdout


# --- volumes of images (OMAP-7, F9, S5)

PROBE = "cd /data && stat -c '%n %a %u:%g %h %Y %F' . * | sort; cat word; ls -l link | grep -o 'link ->.*'"


@pytest.mark.parametrize("flags", [[], ["--no-overlay"], ["--private-users"]], ids=["overlay", "copy", "private users"])
def test_a_volume_of_the_image_has_what_the_image_has_there(rocket, layout, flags):
    layout.image(
        oci.busybox(),
        [aci.directory("real", 0o2750, uid=1000, gid=1001, mtime=10**9), aci.file("real/word", "from the image\n", 0o4640, uid=7, gid=8, mtime=10**9),
         aci.hardlink("real/other", "real/word"), aci.symlink("real/link", "/etc/passwd"), aci.directory("real/sub", 0o700), aci.file("real/gone")],
        [aci.symlink("data", "/real"), aci.file("real/.wh.gone")], Volumes={"/data": {}}, Cmd=["/bin/true"])
    out = sh(rocket, str(layout), PROBE + "; grep ' /real ' /proc/self/mountinfo | wc -l", *flags).splitlines()
    assert out == [". 2750 1000:1001 3 1000000000 directory", "link 777 0:0 1 0 symbolic link", "other 4640 7:8 2 1000000000 regular file",
                   "sub 700 0:0 2 0 directory", "word 4640 7:8 2 1000000000 regular file", "from the image", "link -> /etc/passwd", "1"]
    volume, = json.loads(rocket("cat-manifest", rocket.uuids()[0]).stdout)["volumes"]
    assert (volume["mode"], volume["uid"], volume["gid"]) == ("2750", 1000, 1001)


def test_a_volume_of_the_image_is_filled_once(rocket, layout):
    """When the pod is prepared; what apps change later stays, and the image does not change."""
    layout.image(oci.busybox(), [aci.directory("data"), aci.file("data/word", "image\n")], Volumes={"/data": {}}, Cmd=["/bin/sh", "-c", "cat /data/word; echo app > /data/word"])
    uuid = rocket("--insecure-options=image", "prepare", str(layout)).stdout.strip()
    word = rocket.data / "pods/prepared" / uuid / "volumes/layout-volume-data/word"
    assert word.read_text() == "image\n"
    word.write_text("changed\n")
    assert rocket("run-prepared", "--net=none", uuid).stdout == "changed\n"
    assert rocket.run(str(layout)).stdout == "image\n"


@pytest.mark.parametrize("volume", ["--volume=v,kind=empty", "--volume=volume-data,kind=empty", "--volume=v,kind=host,source=SOURCE"])
def test_a_volume_that_the_user_gives_is_left_as_it_is(rocket, layout, home, volume):
    (home / "source").mkdir()
    layout.image(oci.busybox(), [aci.directory("data"), aci.file("data/word", "image\n")], Volumes={"/data": {}}, Cmd=["/bin/true"])
    mount = [] if "volume-data" in volume else ["--mount=volume=v,target=/data"]
    assert sh(rocket, str(layout), "ls -A /data", volume.replace("SOURCE", f"{home}/source"), *mount) == ""


def test_a_volume_over_nothing_is_empty(rocket, layout):
    layout.image(oci.busybox(), Volumes={"/data": {}, "/etc/passwd": {}}, Cmd=["/bin/true"])
    assert sh(rocket, str(layout), "stat -c '%a %u:%g' /data /etc/passwd; ls -A /data /etc/passwd | grep -v :") == "755 0:0\n755 0:0\n\n"


def test_a_link_of_the_image_leads_a_volume_nowhere_else(rocket, layout, home):
    (home / "secret").mkdir()
    (home / "secret/file").write_text("of the host")
    layout.image(oci.busybox(), [aci.symlink("data", f"../../../..{home}/secret")], Volumes={"/data": {}}, Cmd=["/bin/true"])
    done = rocket.run(str(layout), "--exec=/bin/sh", "--", "-c", "find /tmp | grep secret; cat /data/file", status=None)
    assert "of the host" not in done.stdout


def test_the_stop_signal_of_an_image(rocket, layout):
    """OMAP-8; --annotation wins."""
    layout.image(oci.busybox(), StopSignal="SIGRTMIN+3", Cmd=["/bin/sh", "-c", "trap 'echo 37; exit 0' 37; trap 'echo 12; exit 0' 12; while :; do sleep 0.05; done"])
    for flags, word in [([], "37"), (["--annotation=rocket/stop-signal=USR2"], "12")]:
        process, uuid = rocket.started(str(layout), *flags)
        rocket("stop", uuid)
        assert (process.communicate(timeout=30)[0], process.returncode) == (word + "\n", 0)
