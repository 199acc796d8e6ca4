# SPDX-License-Identifier: Apache-2.0
"""Signatures, keys and the decision about them, with real keys (appc SIG-*, cli 3.7, 4.7, 8.5, security R11)."""
import base64
import contextlib
import glob
import os
import pathlib
import pty
import select
import signal
import subprocess
import time

import aci
import pytest
from conftest import BUILD, wait_for

pytestmark = pytest.mark.bare
CHECKER = pathlib.Path(os.environ["ROCKET"]).resolve().parents[1] / "lib/rocket/verify" if "ROCKET" in os.environ \
    else BUILD / "libexec/verify"


@pytest.fixture(scope="module")
def alice():
    with contextlib.closing(aci.Signer("Alice <alice@example.com>")) as key:
        yield key


@pytest.fixture(scope="module")
def bob():
    with contextlib.closing(aci.Signer("Bob <bob@example.com>")) as key:
        yield key


def workers():
    """Command lines of the program's signature checkers, and of what gpg they run: its home is never a test key's."""
    found = []
    for directory in glob.glob("/proc/[0-9]*"):
        with contextlib.suppress(OSError):
            words = pathlib.Path(directory, "cmdline").read_text().split("\0")
            name = os.path.basename(words[0])
            if name == "verify" and os.readlink(f"{directory}/exe") == str(CHECKER.resolve()) \
                    or name.startswith("gpg") and ("/tmp" in words or "rocket-verify" in " ".join(words)):
                found.append(words)
    return found


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    wait_for(lambda: not workers(), "gpg and the signature checker to be gone", 3)
    assert not glob.glob("/tmp/rocket-verify-*")


@pytest.fixture
def archive(make):
    return make("example.com/app/web", content=[aci.file("rootfs/x", "x")])


def trust(rocket, signer, *flags, **options):
    return rocket("trust", "--skip-fingerprint-review", *(flags or ["--root"]), signer.public_key(rocket.home / "key.asc"),
                  **options)


def refused(rocket, archive, *words):
    done = rocket("fetch", archive, status=254)
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr, done.stderr
    assert rocket("image", "list", "--no-legend").stdout.strip() == "", "a refused image must not be stored"
    return done


def packets(signature):
    """The bytes inside an armoured file."""
    lines = pathlib.Path(signature).read_text().split("\n\n", 1)[1].split("\n")
    return base64.b64decode("".join(line for line in lines if line and line[0] not in "=-"))


def armour(path, data, kind="PGP SIGNATURE"):
    text = base64.encodebytes(data).decode()
    pathlib.Path(path).write_text(f"-----BEGIN {kind}-----\n\n{text}-----END {kind}-----\n")


# --- signature files that are refused unseen

@pytest.mark.parametrize("name, spoil, why", [
    ("binary", lambda a, k: k.sign(a, armor=False), "not ASCII-armoured"),
    ("trailing garbage", lambda a, k: open(k.sign(a), "a").write("more\n"), "something besides"),
    ("leading text", lambda a, k: (s := k.sign(a)).write_text("hello\n" + s.read_text()), "something besides"),
    ("two blocks", lambda a, k: (s := k.sign(a)).write_text(s.read_text() * 2), "more than one armoured block"),
    ("text mode", lambda a, k: k.sign(a, extra=["--textmode"]), "text mode"),
    ("SHA-1", lambda a, k: k.sign(a, extra=["--digest-algo", "SHA1"]), "SHA-1, which is too weak"),
    ("SHA-224", lambda a, k: k.sign(a, extra=["--digest-algo", "SHA224"]), "SHA-224, which is too weak"),
    ("clear-signed", lambda a, k: k._gpg("--output", f"{a}.asc", "--clearsign", __file__), "armour"),
    ("message", lambda a, k: k._gpg("--armor", "--output", f"{a}.asc", "--sign", a), "PGP MESSAGE"),
    ("public key", lambda a, k: k.public_key(f"{a}.asc"), "PGP PUBLIC KEY BLOCK"),
    ("empty", lambda a, k: pathlib.Path(f"{a}.asc").touch(), "not ASCII-armoured"),
    ("damaged", lambda a, k: (s := k.sign(a)).write_text(s.read_text().replace("\n=", "\n=a", 1)), "armour"),
    ("large", lambda a, k: pathlib.Path(f"{a}.asc").write_bytes(b"\n" * 70000), "65536 bytes"),
])
def test_unfit_signature_files(rocket, archive, alice, name, spoil, why):
    trust(rocket, alice)
    spoil(archive, alice)
    refused(rocket, archive, why)
    alice.sign(archive)
    rocket("fetch", archive)


# --- several signatures

def test_one_good_signature_by_a_trusted_key_is_enough(rocket, archive, alice, bob):
    trust(rocket, alice)
    armour(f"{archive}.asc", packets(bob.sign(archive)) + packets(alice.sign(archive)))
    assert f"  {alice.identity}" in rocket("fetch", archive).stderr


def test_a_bad_one_by_a_trusted_key_spoils_it(rocket, archive, make, alice, bob):
    other = packets(bob.sign(make("example.com/other")))
    armour(f"{archive}.asc", packets(alice.sign(archive)) + other)
    trust(rocket, alice)
    trust(rocket, bob, "--prefix=example.com/app")
    refused(rocket, archive, "BAD signature", bob.fingerprint.lower(), bob.identity)


def test_a_bad_one_by_a_stranger_does_not(rocket, archive, make, alice, bob):
    other = packets(bob.sign(make("example.com/other")))
    armour(f"{archive}.asc", packets(alice.sign(archive)) + other)
    trust(rocket, alice)
    rocket("fetch", archive)


# --- keys and signatures that are not what they were

def test_unknown_key(rocket, archive, alice, bob):
    bob.sign(archive)
    refused(rocket, archive, 'no key is trusted for "example.com/app/web"',
            "rocket trust --prefix=example.com/app/web KEYFILE")
    trust(rocket, alice)
    refused(rocket, archive, bob.fingerprint[-16:].lower(), 'is not trusted for "example.com/app/web"',
            "rocket trust --prefix=example.com/app/web KEYFILE")


def test_wrong_file(rocket, archive, make, alice):
    trust(rocket, alice)
    alice.sign(make("example.com/other"), signature=f"{archive}.asc")
    refused(rocket, archive, "BAD signature", alice.fingerprint.lower(), "not the one that was signed")


def test_one_changed_byte(rocket, archive, alice):
    trust(rocket, alice)
    alice.sign(archive)
    with open(archive, "r+b") as file:
        file.seek(9)  # the operating system in the gzip header, which means nothing to anybody
        byte = file.read(1)
        file.seek(9)
        file.write(bytes([byte[0] ^ 1]))
    refused(rocket, archive, "BAD signature")


def test_expired_signature(rocket, archive, home):
    with contextlib.closing(aci.Signer(when="20200101T000000")) as signer:
        signer.sign(archive, when="20200110T000000", extra=["--default-sig-expire", "1d"])
        trust(rocket, signer)
        refused(rocket, archive, f"the signature by key {signer.fingerprint.lower()}", "has expired", "new signature")


def test_expired_key_even_if_it_was_valid_when_signing(rocket, archive):
    with contextlib.closing(aci.Signer(expire="20200201T000000", when="20200101T000000")) as signer:
        signer.sign(archive, when="20200110T000000")
        assert "is expired" in trust(rocket, signer).stderr
        refused(rocket, archive, signer.fingerprint.lower(), "which has expired")
        signer._gpg("--quick-set-expire", signer.fingerprint, "never")
        trust(rocket, signer)  # again: the extended key takes the place of the old one
        rocket("fetch", archive)


def test_revoked_key(rocket, archive):
    with contextlib.closing(aci.Signer()) as signer:
        signer.sign(archive)
        trust(rocket, signer)
        rocket("fetch", archive)
        rocket("image", "rm", "example.com/app/web")
        revocation = pathlib.Path(signer.home, "openpgp-revocs.d", f"{signer.fingerprint}.rev")
        revocation.write_text(revocation.read_text().replace("\n:-----BEGIN", "\n-----BEGIN"))
        signer._gpg("--import", revocation)
        assert "is revoked" in trust(rocket, signer).stderr
        refused(rocket, archive, signer.fingerprint.lower(), "revoked")


@pytest.mark.parametrize("fate, why", [(None, None), ("expired", "has expired"), ("revoked", "revoked")])
def test_signature_by_a_subkey(rocket, archive, fate, why):
    with contextlib.closing(aci.Signer(when="20200101T000000")) as signer:
        old = ["--faked-system-time", "20200102T000000"]
        signer._gpg(*old, "--quick-add-key", signer.fingerprint, "ed25519", "sign", "10d" if fate == "expired" else "never")
        fingerprints = [line.split(":")[9] for line in signer._gpg("--with-colons", "--list-keys").decode().splitlines()
                        if line.startswith("fpr")]
        signer.sign(archive, when="20200103T000000", extra=["--local-user", f"{fingerprints[1]}!"])
        if fate == "revoked":
            subprocess.run(["gpg", "--homedir", signer.home, "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "",
                            "--command-fd", "0", "--edit-key", signer.fingerprint, "key 1", "revkey", "save"],
                           input="y\n1\n\ny\n", text=True, check=True, capture_output=True)
        out = trust(rocket, signer).stdout
        assert f"    Subkey fingerprint: {fingerprints[1][:4]}" in out
        if fate is None:
            full = rocket("fetch", "--full", archive).stdout.strip()
            assert signer.fingerprint.lower() in (rocket.data / f"cas/image/{full}/record.json").read_text()
        else:
            refused(rocket, archive, signer.fingerprint.lower(), why)


# --- the keystore

def key_path(base, signer, scope="root.d"):
    path = base / "trustedkeys" / scope / signer.fingerprint.lower()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_prefixes_are_components(rocket, make, alice):
    trust(rocket, alice, "--prefix=example.com/foo")
    for name in ["example.com/foo", "example.com/foo/bar"]:
        alice.sign(path := make(name))
        rocket("fetch", path)
        rocket("image", "rm", name)
    for name in ["example.com/foobar", "example.com/fo", "example.com", "foo", "example.org/example.com/foo"]:
        alice.sign(path := make(name))
        refused(rocket, path, f'no key is trusted for "{name}"')


def test_masks_and_order_of_sources(rocket, archive, alice):
    alice.sign(archive)
    vendor = alice.public_key(key_path(rocket.system, alice))
    rocket("fetch", archive)
    rocket("image", "rm", "example.com/app/web")
    mask = key_path(rocket.local, alice, "prefix.d/example.com")
    mask.touch()
    refused(rocket, archive, "no key is trusted")
    alice.public_key(key_path(rocket.local, alice, "prefix.d/example.com/app"))  # the longer prefix comes later
    rocket("fetch", archive)
    assert vendor.exists()


def test_one_broken_file_disables_its_own_key_only(rocket, archive, alice, bob):
    alice.sign(archive)
    trust(rocket, alice)
    broken = key_path(rocket.local, bob)
    os.rename(alice.public_key(rocket.home / "k"), broken)  # alice's key under bob's name
    done = rocket("fetch", archive)
    assert f'not using key "{broken}": fingerprint mismatch: "{bob.fingerprint.lower()}"' in done.stderr
    rocket("image", "rm", "example.com/app/web")
    bob.sign(archive)
    refused(rocket, archive, "fingerprint mismatch", "is not trusted")
    for content in [b"garbage", b"\xff" * 1000, b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n"]:
        broken.write_bytes(content)
        alice.sign(archive)
        assert str(broken) in rocket("fetch", archive).stderr
        rocket("image", "rm", "example.com/app/web")


def test_a_fifo_in_the_keystore_hangs_nothing(rocket, archive, alice, bob):
    alice.sign(archive)
    trust(rocket, alice)
    os.mkfifo(key_path(rocket.local, bob))
    assert "not a regular file" in rocket("fetch", archive, timeout=20).stderr


def test_removing_a_key_takes_effect_at_the_next_fetch(rocket, archive, alice):
    alice.sign(archive)
    trust(rocket, alice)
    rocket("fetch", archive)
    # And at the next use, however the image is named.
    kept = key_path(rocket.local, alice)
    kept.rename(rocket.home / "kept")
    image_id = rocket("image", "list", "--no-legend", "--fields=id", "--full").stdout.strip()
    for image in "example.com/app/web", image_id:
        error = rocket("fetch", "--pull-policy=new", image, status=254).stderr
        assert f"was signed by key {alice.fingerprint.lower()}, which is not trusted" in error and "rocket trust" in error
        rocket("--insecure-options=image", "fetch", "--pull-policy=new", image)
    (rocket.home / "kept").rename(kept)
    rocket("fetch", image_id)
    rocket("image", "rm", "example.com/app/web")
    key_path(rocket.local, alice).unlink()
    refused(rocket, archive, "no key is trusted")


# --- trust

def test_all_keys_of_a_file_are_shown_and_stored_each_in_its_own(rocket, archive, home, alice, bob):
    both = home / "both.asc"
    both.write_bytes(alice.public_key(home / "a").read_bytes() + b"# and\n" + bob.public_key(home / "b").read_bytes())
    out = rocket("trust", "--root", "--skip-fingerprint-review", both).stdout
    for signer in [alice, bob]:
        fingerprint = signer.fingerprint
        groups = [fingerprint[i:i + 4] for i in range(0, 40, 4)]
        shown = " ".join(groups[:5]) + "  " + " ".join(groups[5:])
        assert f"gpg key fingerprint is: {shown}\n" in out and f"\t{signer.identity}\n" in out
        path = key_path(rocket.local, signer)
        assert f'Added root key at "{path}"' in out
        listed = subprocess.run(["gpg", "--homedir", signer.home, "--with-colons", "--show-keys", path], check=True,
                                capture_output=True, text=True).stdout
        assert [line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr")] == [fingerprint]
        signer.sign(archive)
        rocket("fetch", archive)
        rocket("image", "rm", "example.com/app/web")


@pytest.mark.parametrize("name, write, why", [
    ("secret key", lambda k, p: p.write_bytes(k._gpg("--armor", "--export-secret-keys")), "secret key"),
    ("binary key", lambda k, p: p.write_bytes(k._gpg("--export")), "not an ASCII-armoured public key"),
    ("no key", lambda k, p: p.write_text("hello"), "not an ASCII-armoured public key"),
    ("signature", lambda k, p: k.sign(__file__, p), "PGP SIGNATURE"),
    ("half a key", lambda k, p: p.write_text(k.public_key(p).read_text()[:200]), "no end"),
    ("fifo", lambda k, p: os.mkfifo(p), "not a regular file"),
    ("huge", lambda k, p: p.write_bytes(b"x" * 300000), "larger than"),
    ("missing", lambda k, p: None, "No such file"),
])
def test_files_that_are_no_keys(rocket, home, alice, name, write, why):
    path = home / "key"
    write(alice, path)
    done = rocket("trust", "--root", "--skip-fingerprint-review", path, status=254)
    assert why in done.stderr and f'"{path}"' in done.stderr, done.stderr
    assert not (rocket.local / "trustedkeys").exists()


def test_an_identity_cannot_write_to_the_terminal(rocket, home):
    with contextlib.closing(aci.Signer("Mallory \u009b2J\u202e <m@example.com>")) as signer:
        out = trust(rocket, signer).stdout
        assert "\u009b" not in out and "\\xc2\\x9b" in out


class Terminal:
    """A program whose stdin and stderr are a terminal."""

    def __init__(self, command, environment):
        self.master, slave = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(command, env=environment, stdin=slave, stderr=slave, stdout=subprocess.PIPE, text=True)
        os.close(slave)

    def read_until(self, text):
        def found():
            if select.select([self.master], [], [], 0)[0]:
                with contextlib.suppress(OSError):
                    self.seen += os.read(self.master, 4096).decode()
            return text in self.seen
        wait_for(found, repr(text))
        self.seen = self.seen.split(text, 1)[1]

    def type(self, line):
        os.write(self.master, line.encode() + b"\n")

    def end(self):
        out = self.process.communicate(timeout=20)[0]
        os.close(self.master)
        return self.process.returncode, out


def test_review(rocket, home, alice, bob):
    keys = [alice.public_key(home / "a"), bob.public_key(home / "b")]
    terminal = Terminal(rocket.command("trust", "--prefix=example.com", *keys), rocket.environment)
    terminal.read_until(f'pubkey: prefix: "example.com"\r\nkey: "{keys[0]}"')
    terminal.read_until("Are you sure you want to trust this key (yes/no)?")
    terminal.type("y")
    terminal.read_until("Please enter 'yes' or 'no'")
    terminal.type("no")
    terminal.read_until(f'pubkey: not trusting "{keys[0]}"')
    terminal.read_until("Are you sure you want to trust this key (yes/no)?")
    terminal.type("yes")
    code, out = terminal.end()
    assert code == 0
    assert f'Trusting "{keys[1]}" for prefix "example.com" after fingerprint review.' in out
    assert "Are you sure" not in out  # stdout carries results only (Q55)
    assert not key_path(rocket.local, alice, "prefix.d/example.com").exists()
    assert key_path(rocket.local, bob, "prefix.d/example.com").exists()
    done = rocket("trust", "--prefix=example.com/app", keys[1])  # trusted for more than that already: no question
    assert "trusted" in done.stdout and "already" in done.stdout


def test_review_without_an_answer(rocket, home, alice):
    terminal = Terminal(rocket.command("trust", "--root", alice.public_key(home / "a")), rocket.environment)
    terminal.read_until("(yes/no)?")
    os.write(terminal.master, b"\x04")  # end of input
    assert terminal.end()[0] == 254
    assert not key_path(rocket.local, alice).exists()


def test_no_question_without_a_terminal(rocket, home, alice):
    done = rocket("trust", "--prefix=example.com", alice.public_key(home / "a"), status=254, input="yes\n", stdin=None)
    assert "error reviewing key: unable to ask user to review fingerprint due to lack of tty" in done.stderr
    assert "--skip-fingerprint-review" in done.stderr
    assert not (rocket.local / "trustedkeys").exists()


@pytest.mark.parametrize("arguments, why", [
    (["--root", "http://x/k"], "--insecure-allow-http required for http URLs"),
    (["--root", "--insecure-allow-http", "http://127.0.0.1:1/k"], "error adding keys: http://127.0.0.1:1/k: Failed to connect"),
    (["--root", "https://127.0.0.1:1/k"], "error adding keys: https://127.0.0.1:1/k: Failed to connect"),
    (["--root", "file:///k"], "only local files and http or https URLs supported"),
    (["--prefix=nowhere.invalid"], "error determining key location"),
    (["--prefix=example.com/*", "k"], "--prefix=example.com"),
    (["--prefix=Example.com", "k"], "Example.com"),
    (["--root"], "--root needs a key file"),
    (["--root", "--insecure-options=image", "k"], "could not get the keystore"),
])
def test_usage(rocket, arguments, why):
    done = rocket("trust", *arguments, status=254)
    assert why in done.stderr and done.stdout == ""


# --- confinement

def test_killing_fetch_leaves_no_checker_behind(rocket, make, alice):
    path = make("example.com/large", content=[aci.file("rootfs/x", os.urandom(100 << 20))], compression=None)
    alice.sign(path)
    trust(rocket, alice)
    process = rocket.start("fetch", path)
    wait_for(lambda: any("--verify" in words for words in workers()), "gpg at work")
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not workers(), "gpg and the signature checker to be gone", 3)
    rocket("fetch", path)


def test_the_checker_does_not_move_with_what_it_reads(rocket, archive, alice):
    """The archive's descriptor is shared with the caller: both read the whole of it."""
    alice.sign(archive)
    trust(rocket, alice)
    full = rocket("fetch", "--full", archive).stdout.strip()
    assert (rocket.data / f"cas/image/{full}/archive").read_bytes() == archive.read_bytes()


# Ever less is there to confine it with; it works all the same.
SURROUNDINGS = {
    "root": [],
    "somebody": ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "--no-new-privs"],
    "container with one id": ["unshare", "--user", "--map-root-user"],
    "no namespaces": ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                      'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$@"',
                      "sh"],
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_surroundings(rocket, home, alice, name):
    key = alice.public_key(home / "k")
    rocket.local.mkdir()
    if name == "somebody":
        for path in [home, key, rocket.local]:
            os.chown(path, 12345, 12345)
    command = [*SURROUNDINGS[name], *rocket.command("trust", "--root", "--skip-fingerprint-review", key)]
    done = subprocess.run(command, env=rocket.environment, capture_output=True, text=True, timeout=60)
    if name != "root" and "Operation not permitted" in done.stderr and "unshare" in done.stderr:
        pytest.skip("this machine does not give user namespaces")
    assert done.returncode == 0, done.stderr
    assert key_path(rocket.local, alice).exists()


def test_what_reads_foreign_bytes_can_do_nothing(home):
    """R1, seen from outside while the checker waits for its request."""
    outer = subprocess.Popen([CHECKER, "20"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    children = pathlib.Path(f"/proc/{outer.pid}/task/{outer.pid}/children")

    def status(pid):
        return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())

    def confined():
        pids = children.read_text().split()
        return pids[0] if pids and status(pids[0])["NoNewPrivs"] == "1" and status(pids[0])["CapPrm"].strip("0") == "" else None
    try:
        pid = wait_for(confined, "the confined process")
        assert all(61184 <= int(uid) <= 65519 for uid in status(pid)["Uid"].split() + status(pid)["Gid"].split())
        assert status(pid)["Groups"].strip() == ""
        for namespace in ["net", "ipc", "pid", "mnt"]:
            assert os.readlink(f"/proc/{pid}/ns/{namespace}") != os.readlink(f"/proc/self/ns/{namespace}")
        mounts = [line.split() for line in pathlib.Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
        writable = [mount[4] for mount in mounts if "rw" in mount[5].split(",")]
        assert writable == ["/tmp"]
        assert os.listdir(f"/proc/{pid}/root/tmp") == [] and os.listdir(f"/proc/{pid}/root/proc") == []
        assert {os.path.basename(entry) for entry in os.listdir(f"/proc/{pid}/fd")} <= {"0", "1", "2", "3", "4"}
    finally:
        outer.kill()
        outer.communicate()


def test_time_is_limited(home):
    """The worker by itself: whoever asks and never gets to the end is let go."""
    read, write = os.pipe()
    start = time.monotonic()
    done = subprocess.run([CHECKER, "1"], stdin=read, capture_output=True, timeout=20)
    os.close(write)
    os.close(read)
    assert b"longer than 1 seconds" in done.stdout
    assert 0.9 < time.monotonic() - start < 10


def test_withdrawn_trust_counts_for_what_an_image_depends_on(rocket, make, alice, bob):
    """However deep, and whoever named the image that is run."""
    trust(rocket, alice)
    trust(rocket, bob)
    for name, signer, dependencies in ("base", alice, []), ("middle", bob, ["base"]), ("top", bob, ["middle"]):
        archive = make(f"example.com/{name}", aci.app("/bin/echo", "on top"), aci.busybox() if name == "base" else [],
                       dependencies=[{"imageName": f"example.com/{one}"} for one in dependencies])
        signer.sign(archive, f"{archive}.asc")
        full = rocket("fetch", "--full", archive).stdout.strip()
    kept = key_path(rocket.local, alice)
    kept.rename(rocket.home / "kept")
    for image in full, "example.com/top", archive:
        error = rocket("fetch", "--pull-policy=never", image, status=254).stderr
        assert f"was signed by key {alice.fingerprint.lower()}, which is not trusted for \"example.com/base\"" in error
    rocket("--insecure-options=image", "fetch", full)
    (rocket.home / "kept").rename(kept)
    rocket("fetch", full)
