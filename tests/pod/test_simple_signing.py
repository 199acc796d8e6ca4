# SPDX-License-Identifier: Apache-2.0
"""Signed Docker images ("simple signing", oci.md OMAP-11): made by skopeo, fetched without any insecure option, and
what is refused. Mirrors of registries (ODIST-14)."""
import contextlib
import json
import os
import subprocess

import aci
import fake_registry
import oci
import pytest
import servers


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return servers.Authority(tmp_path_factory.mktemp("ca"), "127.0.0.1", "127.0.0.2")


@pytest.fixture
def layout(home):
    layout = oci.Layout(home / "layout")
    layout.top = layout.layer([aci.file("top", "top")])
    layout.image(oci.busybox(), layout.top, name="v1", Cmd=["/bin/echo", "signed"])
    return layout


@pytest.fixture
def registry(layout, authority):
    with contextlib.closing(fake_registry.FakeRegistry(layout, authority)) as one:
        yield one


@pytest.fixture
def rocket(rocket, authority):
    rocket.environment["SSL_CERT_FILE"] = str(authority.ca)
    return rocket


def configure(rocket, name="registry", **fields):
    (rocket.local / "registries.d").mkdir(parents=True, exist_ok=True)
    (rocket.local / f"registries.d/{name}.json").write_text(json.dumps({"rktKind": "registry", "rktVersion": "v1", **fields}))


class Signatures:
    """A place for signatures, as skopeo fills one."""

    def __init__(self, rocket, registry, layout, signer):
        self.directory = rocket.home / "signatures"
        self.registry, self.layout, self.signer = registry, layout, signer
        self.manifest = layout.entries[0]["digest"]
        self.prefix = f"{registry.host.replace(':', '_')}/team"
        rocket("trust", "--skip-fingerprint-review", f"--prefix={self.prefix}", signer.public_key(rocket.home / "key.asc"))
        configure(rocket, prefixes=[f"{registry.host}/team"], signatures=str(self.directory))

    def path(self, number=1, digest=None):
        path = self.directory / f"team/box@{(digest or self.manifest).replace(':', '=')}/signature-{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def sign(self, reference=None, digest=None, signer=None, number=1):
        """By skopeo itself."""
        digest = digest or self.manifest
        signer = signer or self.signer
        subprocess.run(["skopeo", "standalone-sign", self.layout.path / "blobs/sha256" / digest.split(":")[1],
                        reference or f"{self.registry.host}/team/box:v1", signer.fingerprint, "--output", self.path(number)],
                       env={**os.environ, "GNUPGHOME": signer.home}, check=True, capture_output=True)

    def sign_text(self, text, *flags, number=1):
        """Anything."""
        source = self.directory.parent / "payload"
        source.write_text(text if isinstance(text, str) else json.dumps(text))
        self.path(number).unlink(missing_ok=True)
        self.signer._gpg(*flags, "--output", str(self.path(number)), "--sign", str(source))

    def claim(self, reference=None, digest=None):
        return {"critical": {"type": "atomic container signature",
                             "image": {"docker-manifest-digest": digest or self.manifest},
                             "identity": {"docker-reference": reference or f"{self.registry.host}/team/box:v1"}},
                "optional": {"creator": "test", "timestamp": 1}}


@pytest.fixture
def signatures(rocket, registry, layout, signer):
    return Signatures(rocket, registry, layout, signer)


def refused(rocket, reference, *words):
    done = rocket("fetch", reference, status=254, timeout=60)
    for word in words:
        assert word in done.stderr, done.stderr
    assert rocket("image", "list", "--no-legend").stdout.strip() == ""


# --- what works

@pytest.mark.bare
def test_a_signed_image_runs_without_an_insecure_option(rocket, registry, signatures):
    signatures.sign()
    done = rocket("run", "--net=none", registry.reference, timeout=60)
    assert done.stdout == "signed\n" and "signature verified:\n  Test <test@example.com>" in done.stderr
    assert "verified" in rocket("image", "list", "--fields=signature").stdout
    count = len(registry.server.log)
    rocket("run", "--net=none", registry.reference)
    assert len(registry.server.log) == count, "it is in the store"
    record, = (rocket.data / "cas/image").glob("*/record.json")
    assert json.loads(record.read_text())["keyFingerprint"] == signatures.signer.fingerprint.lower()


def test_signatures_from_a_server(rocket, registry, signatures, authority):
    signatures.sign()
    data = signatures.path().read_bytes()
    with contextlib.closing(servers.Server(("127.0.0.2", 0), authority)) as lookaside:
        path = f"/sigs/team/box@{signatures.manifest.replace(':', '=')}/signature-"
        lookaside.routes[path + "1"], lookaside.routes[path + "2"] = b"no signature", data
        configure(rocket, prefixes=[registry.host], signatures=f"https://127.0.0.2:{lookaside.server_address[1]}/sigs")
        configure(rocket, "nothing", prefixes=[registry.host + "/te"], signatures="/nowhere")
        rocket("fetch", registry.reference, timeout=60)
        assert lookaside.paths() == [path + "1", path + "2"], "one that is good suffices"


@pytest.mark.parametrize("which", ["index", "manifest"])
def test_an_index_or_what_is_chosen_of_it_is_signed(rocket, registry, layout, signer, which):
    manifest = layout.entries.pop()
    entry = {key: manifest[key] for key in ("mediaType", "digest", "size")}
    index = layout.add(layout.blob({"schemaVersion": 2, "manifests": [
        {**entry, "platform": {"os": "linux", "architecture": oci.GO_ARCH}}]}, oci.INDEX), "v1")
    signatures = Signatures(rocket, registry, layout, signer)
    digest = {"index": index, "manifest": manifest}[which]["digest"]
    signatures.manifest = digest
    signatures.sign_text(signatures.claim())
    rocket("fetch", registry.reference, timeout=60)


def test_by_digest_any_name_in_the_repository_will_do(rocket, registry, signatures):
    signatures.sign(f"{registry.host}/team/box:other")
    refused(rocket, registry.reference, "box:other", "was asked for")
    rocket("fetch", registry.reference.removesuffix(":v1") + "@" + signatures.manifest, timeout=60)


@pytest.mark.parametrize("flags", [["--compress-algo=none"], ["--compress-algo=zip"], ["--compress-algo=zlib"]])
def test_signatures_in_all_packings(rocket, registry, signatures, flags):
    signatures.sign_text(signatures.claim(), *flags)
    rocket("fetch", registry.reference, timeout=60)


def test_unsigned_images_where_the_configuration_takes_them(rocket, registry):
    configure(rocket, prefixes=[registry.host + "/team"], unsigned=True)
    done = rocket("run", "--net=none", registry.reference, timeout=60)
    assert done.stdout == "signed\n" and "needs no signature" in done.stderr
    configure(rocket, prefixes=[registry.host + "/team"], unsigned=False)
    done = rocket("run", "--net=none", registry.reference, status=254)
    assert "nobody says where signatures" in done.stderr and "try --insecure-options=image" in done.stderr


def test_what_was_taken_unsigned_is_fetched_again(rocket, registry, signatures):
    rocket("--insecure-options=image", "fetch", registry.reference, timeout=60)
    rocket("fetch", registry.reference, status=254, timeout=60)
    signatures.sign()
    rocket("fetch", registry.reference, timeout=60)
    assert "verified" in rocket("image", "list", "--fields=signature").stdout


# --- what is refused

def test_no_signature(rocket, registry, signatures):
    refused(rocket, registry.reference, "there is no signature of", "--insecure-options=image")
    assert not registry.asked(signatures.layout.top[0]["digest"]), "without a signature there is no point in the layers"


def test_a_key_that_is_not_trusted(rocket, registry, signatures):
    with contextlib.closing(aci.Signer("Mallory <m@example.com>")) as mallory:
        signatures.sign(signer=mallory)
        refused(rocket, registry.reference, "not trusted for", f"rocket trust --prefix={signatures.prefix}/box KEYFILE")
        signatures.sign(number=2)
        rocket("fetch", registry.reference, timeout=60)


def test_a_key_for_another_prefix(rocket, registry, layout, signer):
    signatures = Signatures(rocket, registry, layout, signer)
    for path in (rocket.local / "trustedkeys/prefix.d").rglob("team"):
        path.rename(path.with_name("tea"))
    signatures.sign()
    refused(rocket, registry.reference, "no key is trusted for", "rocket trust --prefix=")


def test_a_key_that_has_expired(rocket, registry, layout):
    with contextlib.closing(aci.Signer("Old <old@example.com>", expire="1d", when="20200101T000000")) as old:
        signatures = Signatures(rocket, registry, layout, old)
        signatures.sign_text(signatures.claim(), "--faked-system-time", "20200101T010000")
        refused(rocket, registry.reference, "has expired", "rocket trust")


def test_a_signature_that_has_expired(rocket, registry, layout):
    with contextlib.closing(aci.Signer("Old <old@example.com>", when="20200101T000000")) as old:
        signatures = Signatures(rocket, registry, layout, old)
        signatures.sign_text(signatures.claim(), "--faked-system-time", "20200101T010000", "--default-sig-expire", "1d")
        refused(rocket, registry.reference, "the signature by key", "has expired", "ask for a new signature")


def changed(claim, **critical):
    claim["critical"].update(critical)
    return claim


CLAIMS = {
    "another manifest": (lambda s: s.claim(digest="sha256:" + 64 * "0"), ["is of manifest sha256:000", "changed"]),
    "another tag": (lambda s: s.claim(f"{s.registry.host}/team/box:v2"), ["box:v2", "was asked for"]),
    "another repository": (lambda s: s.claim(f"{s.registry.host}/team/bo:v1"), ["team/bo:v1", "was asked for"]),
    "another host": (lambda s: s.claim("example.com/team/box:v1"), ["example.com/team/box:v1", "was asked for"]),
    "no name": (lambda s: s.claim("A..b"), ["was asked for"]),
    "no digest": (lambda s: s.claim(digest="md5:1"), ["what was signed is no image"]),
    "another type": (lambda s: changed(s.claim(), type="cosign"), ["what was signed is no image", "atomic container signature"]),
    "something critical": (lambda s: changed(s.claim(), more={}), ['the member "more", which is unknown']),
    "nothing critical": (lambda s: {"optional": {}}, ["what was signed is no image"]),
    "no JSON": (lambda s: "hello", ["what was signed is no image"]),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_signatures_of_something_else(rocket, registry, signatures, claim):
    make, words = CLAIMS[claim]
    signatures.sign_text(make(signatures))
    refused(rocket, registry.reference, *words)


def damage(data):
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: b"hello", damage, lambda data: data[:-20],
                                   lambda data: data + data, lambda data: data + b"x", lambda data: data * 400,
                                   lambda data: data.replace(b"team/box", b"team/bux")],
                         ids=["empty", "text", "damaged", "cut off", "twice", "more", "huge", "changed"])
def test_signatures_that_are_none(rocket, registry, signatures, spoil):
    signatures.sign_text(signatures.claim(), "--compress-algo=none")
    signatures.path().write_bytes(spoil(signatures.path().read_bytes()))
    refused(rocket, registry.reference)


def test_a_detached_signature_is_none(rocket, registry, signatures, signer):
    signatures.sign_text(signatures.claim())
    signer.sign(rocket.home / "payload", signatures.path(), armor=False)
    refused(rocket, registry.reference, "not a signed OpenPGP message")


@pytest.mark.parametrize("fields, words", [
    ({"prefixes": []}, "no prefixes specified"), ({"prefixes": ["a//b"]}, "is not HOST"),
    ({"prefixes": ["a"], "signatures": "http://a"}, "https"), ({"prefixes": ["a"], "signatures": "a/b"}, "absolute"),
    ({"prefixes": ["a"], "mirrors": ["https://b"]}, "is not HOST"), ({"prefixes": ["a", "a"]}, "already specified")])
def test_configuration_that_is_wrong(rocket, registry, fields, words):
    configure(rocket, **fields)
    assert words in rocket("fetch", registry.reference, status=254).stderr


def test_places_of_the_container_tools(rocket, registry, signatures):
    """registries.d/*.yaml, in our directory or in /etc/containers: containers-registries.d(5)."""
    signatures.sign()
    directory = rocket.local / "registries.d"
    (directory / "registry.json").unlink()
    refused(rocket, registry.reference, "nobody says where signatures", "registries.d")
    text = f"default-docker:\n  lookaside-staging: file:///nowhere\ndocker:\n  {registry.host}/team:\n    lookaside: file://{signatures.directory}\n"
    (directory / "tools.yaml").write_text(text)
    (directory / "more.yaml").write_text(f"docker:\n  {registry.host}:\n    sigstore: file:///nowhere\n")
    assert rocket("run", "--net=none", registry.reference, timeout=60).stdout == "signed\n"
    (directory / "tools.yaml").write_text(text + "  - x\n")
    assert "tools.yaml:6: this is not YAML" in rocket("fetch", registry.reference, status=254).stderr


# --- mirrors

@pytest.fixture
def mirror(layout, authority):
    with contextlib.closing(fake_registry.FakeRegistry(layout, authority, "127.0.0.2", "hub/team/box")) as one:
        yield one


def fetch(rocket, registry, **options):
    return rocket("--insecure-options=image", "fetch", "--full", registry.reference, timeout=60, **options)


def test_mirrors_are_asked_first_for_what_has_a_digest(rocket, registry, mirror, layout):
    configure(rocket, prefixes=[registry.host], mirrors=["127.0.0.1:1", mirror.host + "/hub"])
    fetch(rocket, registry)
    assert [request.path.split("/")[-2:] for request in registry.server.log] == [["manifests", "v1"]], "what a tag means"
    assert len(mirror.asked("/v2/hub/team/box/blobs/")) == 3


def test_mirrors_may_know_tags(rocket, registry, mirror):
    configure(rocket, prefixes=[registry.host], mirrors=[mirror.host + "/hub"], mirrorTags=True)
    fetch(rocket, registry)
    assert not registry.server.log


def test_what_a_mirror_has_not_got_or_gives_wrongly_comes_from_the_registry(rocket, registry, mirror, layout):
    configure(rocket, prefixes=[registry.host], mirrors=[mirror.host + "/hub"], mirrorTags=True)
    mirror.faults["blobs"] = lambda request, blob: request.answer(200, blob.data[:-1] + b"x")
    fetch(rocket, registry)
    assert len(registry.asked("/blobs/")) == 3
    rocket("image", "rm", rocket("image", "list", "--no-legend", "--fields=id", "--full").stdout.strip())
    mirror.faults["blobs"] = lambda request, blob: fake_registry.refuse(request, 404, "BLOB_UNKNOWN")
    fetch(rocket, registry)
    assert len(registry.asked("/blobs/")) == 6


def test_a_mirror_sees_its_own_credentials_only(rocket, registry, mirror):
    configure(rocket, prefixes=[registry.host], mirrors=[mirror.host + "/hub"])
    (rocket.local / "auth.d").mkdir()
    (rocket.local / "auth.d/a.json").write_text(json.dumps({"rktKind": "dockerAuth", "rktVersion": "v1", "registries": [registry.host],
                                                            "credentials": {"user": "bob", "password": "secret"}}))
    registry.check = lambda request: None if request.headers["Authorization"] else "Basic realm=x"
    fetch(rocket, registry)
    assert all(request.headers["Authorization"] is None for request in mirror.server.log) and mirror.server.log
    mirror.check = lambda request: "Basic realm=x"
    rocket("--insecure-options=image", "fetch", "--pull-policy=update", registry.reference, timeout=60)
    assert all(request.headers["Authorization"] is None for request in mirror.server.log)


def test_signed_images_from_mirrors(rocket, registry, mirror, signatures):
    """The name that counts is the registry's."""
    configure(rocket, prefixes=[f"{registry.host}/team"], signatures=str(signatures.directory), mirrors=[mirror.host + "/hub/team"],
              mirrorTags=True)
    signatures.sign()
    rocket("fetch", registry.reference, timeout=60)
    assert not registry.server.log


# --- the policy of the host's container tools (containers-policy.json(5))

def set_policy(rocket, **docker):
    """As Debian ships it, and what is added for single registries."""
    rocket.local.mkdir(exist_ok=True)
    policy = {"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": docker}}
    (rocket.local / "policy.json").write_text(json.dumps(policy))


def test_policy(rocket, registry, layout, signer, home):
    reference, host = registry.reference, registry.host
    anything, reject = [{"type": "insecureAcceptAnything"}], [{"type": "reject"}]
    set_policy(rocket, **{"": anything})
    refused(rocket, reference, "nobody says where signatures")  # what lets everything in does not switch our own checks off
    set_policy(rocket, **{f"{host}/other": anything})
    refused(rocket, reference, "nobody says where signatures")
    set_policy(rocket, **{host: anything, f"{host}/team": reject})
    refused(rocket, reference, "is rejected by", f"{rocket.local}/policy.json", f"{host}/team")
    error = rocket("--insecure-options=image", "fetch", reference, status=254).stderr
    assert "is rejected by" in error, "whatever the options"
    set_policy(rocket, **{host: [{"type": "sigstoreSigned"}]})
    refused(rocket, reference, f"{rocket.local}/policy.json", "sigstoreSigned", "type")

    # By a key that the policy names, and nobody else trusts; under a name that it allows.
    signatures = Signatures(rocket, registry, layout, signer)
    for path in (rocket.local / "trustedkeys/prefix.d").rglob(signer.fingerprint.lower()):
        path.unlink()
    stranger = aci.Signer()
    try:
        signatures.sign(signer=stranger)
        by_key = {"type": "signedBy", "keyType": "GPGKeys", "keyPath": str(home / "key.asc")}
        set_policy(rocket, **{host: [by_key]})
        refused(rocket, reference, "not trusted")
        signatures.path().unlink()
        signatures.sign("elsewhere.test/box:v1")
        refused(rocket, reference, "the signature is for")
        set_policy(rocket, **{host: [{**by_key, "signedIdentity": {"type": "exactReference", "dockerReference": "elsewhere.test/box:v1"}}]})
        assert "signature verified" in rocket("fetch", reference).stderr
        rocket("image", "rm", f"{host.replace(':', '_')}/team/box")
        signatures.sign(signer=stranger, number=2)  # both are demanded
        stranger.public_key(home / "stranger.asc")
        set_policy(rocket, **{host: [{**by_key, "signedIdentity": {"type": "exactRepository", "dockerRepository": "elsewhere.test/box"}},
                                     {**by_key, "keyPath": str(home / "stranger.asc")}]})
        assert rocket("run", "--net=none", reference, timeout=60).stdout == "signed\n"
        # What is in the store has to meet what the policy demands when it is used.
        count = len(registry.server.log)
        rocket("fetch", "--pull-policy=never", reference)
        set_policy(rocket, **{host: [by_key]})
        assert "is not in the local store" in rocket("fetch", "--pull-policy=never", reference, status=254).stderr
        image_id = rocket("image", "list", "--no-legend", "--fields=id", "--full").stdout.strip()
        for image in image_id, f"{host.replace(':', '_')}/team/box":
            error = rocket("fetch", "--pull-policy=never", image, status=254).stderr
            assert "has no signature that the policy demands" in error and f"rocket fetch docker://{host}/team/box:v1" in error
        set_policy(rocket, **{host: reject})
        assert "is rejected by" in rocket("--insecure-options=image", "fetch", image_id, status=254).stderr
        set_policy(rocket, **{host: [{**by_key, "keyPath": str(home / "stranger.asc")}]})
        assert rocket("run", "--net=none", reference, timeout=60).stdout == "signed\n" and len(registry.server.log) == count
    finally:
        stranger.close()


def test_policy_lets_in_what_it_names(rocket, registry, layout):
    set_policy(rocket, **{registry.host: [{"type": "insecureAcceptAnything"}]})
    assert rocket("run", "--net=none", registry.reference, timeout=60).stdout == "signed\n"
    assert "not checked" in rocket("image", "list", "--fields=signature").stdout
    image_id = rocket("image", "list", "--no-legend", "--fields=id", "--full").stdout.strip()
    rocket("fetch", image_id)  # as good as by its name
    set_policy(rocket)
    assert "was never checked" in rocket("fetch", image_id, status=254).stderr
    set_policy(rocket, **{registry.host: [{"type": "insecureAcceptAnything"}]})
    refused_layout = rocket("fetch", str(layout) + ":v1", status=254).stderr
    assert "nothing in this format is signed" in refused_layout
    policy = {"default": [{"type": "reject"}], "transports": {"oci": {str(layout.path.parent): [{"type": "insecureAcceptAnything"}]}}}
    (rocket.local / "policy.json").write_text(json.dumps(policy))
    assert rocket("run", "--net=none", str(layout) + ":v1", timeout=60).stdout == "signed\n"
    layout_id = rocket("fetch", str(layout) + ":v1", cwd=layout.path.parent).stdout.strip()
    for image in registry.reference, image_id:
        assert "is rejected by" in rocket("run", "--net=none", image, status=254).stderr, "also what is in the store"
    rocket("fetch", layout_id)
    (rocket.local / "policy.json").write_text(json.dumps({**policy, "transports": {}}))
    assert "is rejected by" in rocket("fetch", layout_id, status=254).stderr
