# SPDX-License-Identifier: Apache-2.0
"""Images that try to reach the host through links and special files: they run, or are refused with one line, and not
one byte, node, directory or time stamp changes on the host (R3, R4)."""
import os
import pathlib
import subprocess

import pytest

import aci

pytestmark = pytest.mark.bare

TOP = ("etc", "dev", "run", "var", "proc", "sys", "tmp", "work")
BELOW = ("etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab", "etc/passwd", "etc/group", "dev/pts", "dev/shm", "dev/null",
         "dev/console", "run/systemd")
FORMS = {
    "absolute": "{victim}",
    "relative": "../../../../../../../..{victim}",
    "proc-self": "/proc/self/root{victim}",
    "proc-1": "/proc/1/root{victim}",
    "proc-cwd": "/proc/self/cwd{victim}",
    "dangling": "{victim}/nothing",
    "itself": "{name}",
}
TOUCH = "for d in / /etc /dev /run /var /proc /sys /tmp /work .; do echo x >$d/touched; mkdir $d/made; done 2>/dev/null; "
ALIVE = "test -d /proc/1 && test -d /sys/class && echo x >/dev/null && test -c /dev/pts/ptmx && echo alive"


def fingerprint(directory):
    """Everything about every entry below the directory, times included."""
    found = {}
    for path in [directory, *directory.rglob("*")]:
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_uid, status.st_gid, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found


@pytest.fixture
def victim(home):
    """A directory of the host that an image must not reach; checked at the end."""
    directory = home / "victim"
    for name in ("", "x", "shm", "pts", "systemd", "made"):
        (directory / name).mkdir(mode=0o777)
        (directory / name).chmod(0o777)
    for name in ("passwd", "group", "hosts", "mtab", "hostname"):
        (directory / name).write_text("root:x:0:0::/:/bin/sh\n")
    before = fingerprint(directory)
    yield directory
    assert fingerprint(directory) == before


def image_with(make, links, **fields):
    """The test's busybox with links in place of what it has there."""
    kept = [entry for entry in aci.busybox()
            if not any(entry[0].name == f"rootfs/{name}" or entry[0].name.startswith(f"rootfs/{name}/") for name in links)]
    return make("example.com/hostile", aci.app("/bin/sh", "-c", TOUCH + ALIVE, **fields),
                [*kept, *[aci.symlink(f"rootfs/{name}", target) for name, target in links.items()]])


def target_of(form, name, victim):
    return FORMS[form].format(victim=victim, name=name.rsplit("/", 1)[-1])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", TOP)
def test_a_top_directory_that_is_a_link(rocket, make, victim, name, form):
    done = rocket.run(image_with(make, {name: target_of(form, name, victim)}))
    assert done.stdout == "alive\n"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", ("overlay", "copy"))
def test_all_of_them_at_once(rocket, make, victim, form, mode):
    flags = ["--no-overlay"] if mode == "copy" else []
    image = image_with(make, {name: target_of(form, name, victim) for name in TOP})
    assert rocket.run(*flags, image).stdout == "alive\n"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", ("overlay", "copy"))
def test_links_below_the_top(rocket, make, victim, form, mode):
    """Also where the user asks for files of ours to be put there."""
    flags = ["--no-overlay"] if mode == "copy" else []
    image = image_with(make, {name: target_of(form, name, victim) for name in BELOW})
    done = rocket.run("--dns=192.0.2.1", "--hosts-entry=192.0.2.2=there", *flags, image,
                      "--exec=/bin/sh", "--", "-c", ALIVE + "; cat /etc/resolv.conf /etc/hosts")
    assert done.stdout.startswith("alive\n")
    assert "192.0.2.1" in done.stdout and "there" in done.stdout


@pytest.mark.parametrize("form", FORMS)
def test_a_working_directory_that_is_a_link(rocket, make, victim, form):
    image = image_with(make, {"work": target_of(form, "work", victim)}, workingDirectory="/work")
    done = rocket.run(image, status=None)
    # The place does not exist in the image, so the app may be refused; but never silently put elsewhere on the host.
    assert done.stdout in ("", "alive\n")
    assert done.stdout or done.returncode != 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ("empty", "host"))
def test_a_volume_target_below_a_link(rocket, make, victim, home, form, kind):
    source = home / "source"
    source.mkdir()
    (source / "marker").write_text("mine")
    volume = "v,kind=empty" if kind == "empty" else f"v,kind=host,source={source}"
    image = image_with(make, {"data": target_of(form, "data", victim)})
    done = rocket.run(f"--volume={volume}", image, "--mount=volume=v,target=/data/x/y", status=None)
    assert done.returncode == 0 and done.stdout == "alive\n" or (done.returncode == 254 and "/data/x/y" in done.stderr)
    assert [path.name for path in source.iterdir()] == ["marker"]


def test_a_link_does_not_lead_one_volume_into_another(rocket, make, home):
    """/link/inside would be made in the host's directory if /link -> /data were followed after /data is mounted."""
    source = home / "source"
    source.mkdir()
    image = image_with(make, {"link": "/data"})
    done = rocket.run(f"--volume=v,kind=host,source={source}", "--volume=w,kind=empty", image,
                      "--mount=volume=v,target=/data", "--mount=volume=w,target=/link/inside", status=254)
    assert "overlaps" in done.stderr
    assert list(source.iterdir()) == []


@pytest.mark.parametrize("name", ("passwd", "group"))
@pytest.mark.parametrize("kind", ("fifo", "device", "directory", "huge", "link to a device", "link to itself"))
def test_user_database_in_the_image_that_is_none(rocket, make, name, kind):
    """Names cannot be found there, and nothing hangs; numbers work. A device does not get into the store, and what is
    larger than any user database should be is refused (R16)."""
    path = f"rootfs/etc/{name}"
    entry = {"fifo": aci.fifo(path), "device": aci.device(path, 1, 5), "directory": aci.directory(path),
             "huge": aci.file(path, b"x" * (3 << 20)), "link to a device": aci.symlink(path, "/dev/zero"),
             "link to itself": aci.symlink(path, name)}[kind]
    content = [*[entry for entry in aci.busybox() if entry[0].name != path], entry]
    named = make("example.com/named", aci.app("/bin/echo", "ran", user="web", group="web"), content)
    done = rocket.run(named, status=254, timeout=30)
    assert done.stdout == "" and done.stderr.strip()
    numbered = make("example.com/numbered", aci.app("/bin/echo", "ran", user="12", group="34"), content)
    done = rocket.run(numbered, status=None, timeout=30)
    assert (done.returncode, done.stdout) == ((254, "") if kind in ("device", "huge") else (0, "ran\n"))


@pytest.mark.parametrize("name", ("passwd", "group"))
def test_user_database_in_a_volume_that_is_none(rocket, busybox, home, name):
    """Names are looked up in the app's final root, volumes included."""
    etc = home / "etc"
    etc.mkdir()
    os.mkfifo(etc / name)
    flags = ["--user=nobody-here", "--group=0"] if name == "passwd" else ["--user=0", "--group=nobody-here"]
    for source, target in ((etc, "/etc"), ("/dev/zero", f"/etc/{name}"), (etc / name, f"/etc/{name}")):
        done = rocket.run(f"--volume=v,kind=host,source={source}", busybox, *flags, f"--mount=volume=v,target={target}",
                          status=254, timeout=30)
        assert "nobody-here" in done.stderr
    assert (etc / name).is_fifo()


def test_the_init_of_the_pod_is_closed_to_apps(rocket, busybox):
    """It has more capabilities than an app, so its root, descriptors and environment cannot be had."""
    done = rocket.sh(busybox, "readlink /proc/1/root; readlink /proc/1/exe; readlink /proc/1/fd/3; ls /proc/1/root/; "
                              "cat /proc/1/environ; cat /proc/1/maps; exit 0")
    assert done.stdout == ""


def test_pods_do_not_see_each_other(rocket, busybox):
    process, uuid = rocket.started(busybox, "--exec=/bin/sh", "--", "-c", "echo secret > /secret; exec sleep 60")
    done = rocket.sh(busybox, "ls /; hostname; cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "secret" not in done.stdout and "sleep 60" not in done.stdout and uuid not in done.stdout
    rocket("stop", "--force", uuid)
    process.wait(timeout=20)


def test_the_image_in_the_store_stays_as_it_is(rocket, make, victim):
    image = image_with(make, {name: target_of("absolute", name, victim) for name in TOP})
    identity = rocket.fetch(image)
    tree = next(pathlib.Path(rocket.data).glob("cas/tree/*/rootfs"))
    before = fingerprint(tree)
    rocket.run(identity)
    assert fingerprint(tree) == before
    rocket("image", "verify", identity)


def test_the_host_has_no_new_file_anywhere_we_can_name(rocket, make, home):
    """The classic targets: what other runtimes wrote when /etc, /dev or /run of an image was a link."""
    watched = [pathlib.Path(p) for p in ("/etc", "/dev", "/run", "/var", "/tmp", "/")]
    names = lambda: {str(p): sorted(n for n in os.listdir(p) if n in ("touched", "made", "mtab", "hosts", "hostname", "resolv.conf",
                                                                       "console", "ptmx", "systemd")) for p in watched}
    before = names(), subprocess.run(["stat", "-L", "-c", "%n %s %Y %Z", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"],
                                     capture_output=True, text=True).stdout
    for name in ("etc", "dev", "run", "var", "tmp"):
        rocket.run(image_with(make, {name: f"/proc/self/root/{name}"}))
    after = names(), subprocess.run(["stat", "-L", "-c", "%n %s %Y %Z", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"],
                                    capture_output=True, text=True).stdout
    assert after == before
