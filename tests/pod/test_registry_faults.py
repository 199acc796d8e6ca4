# SPDX-License-Identifier: Apache-2.0
"""Registries that are in trouble, want tokens, or lie (oci.md chapters 2, 3 and 13; security R1, R12)."""
import base64
import contextlib
import hashlib
import json
import urllib.parse

import aci
import fake_registry
import oci
import pytest
import servers
from conftest import wait_for

PULL = "repository:team/box:pull"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return servers.Authority(tmp_path_factory.mktemp("ca"), "127.0.0.1", "127.0.0.2", "localhost")


@pytest.fixture
def layout(home):
    layout = oci.Layout(home / "layout")
    layout.top = layout.layer([aci.file("noise", bytes(range(256)) * 2000)], compression=None)
    layout.image(oci.busybox(), layout.top, name="v1", Cmd=["/bin/true"])
    return layout


@pytest.fixture
def registry(layout, authority):
    with contextlib.closing(fake_registry.FakeRegistry(layout, authority)) as one:
        yield one


@pytest.fixture
def other(authority):
    """A host that has nothing to do with the registry."""
    with contextlib.closing(servers.Server(("127.0.0.2", 0), authority)) as one:
        one.url = f"https://127.0.0.2:{one.server_address[1]}"
        yield one


@pytest.fixture
def rocket(rocket, authority):
    rocket.environment["SSL_CERT_FILE"] = str(authority.ca)
    return rocket


def fetch(rocket, registry, *flags, insecure="image", **options):
    return rocket(f"--insecure-options={insecure}", *flags, "fetch", "--full", registry.reference, timeout=60, **options)


def refused(rocket, registry, *words, **options):
    done = fetch(rocket, registry, status=254, **options)
    for word in words:
        assert word in done.stderr, done.stderr
    assert rocket("image", "list", "--no-legend").stdout.strip() == "", "what was refused must not be stored"
    return done


def login(rocket, registry, **entry):
    """A user's login file."""
    (rocket.home / ".docker").mkdir()
    (rocket.home / ".docker/config.json").write_text(json.dumps({"auths": {registry.host: entry}}))


def password():
    return {"auth": base64.b64encode(b"alice:open:sesame").decode()}


BASIC = "Basic " + base64.b64encode(b"alice:open:sesame").decode()


class Tokens:
    """A token server on `server`, which `registry` sends everybody to."""

    def __init__(self, registry, server, **answer):
        self.registry, self.server, self.answer = registry, server, answer
        self.count, self.uses, self.lives = 0, 0, 1000000 # requests that a token is good for
        self.realm = f"{getattr(server, 'url', registry.url)}/token?x=1"
        self.challenge = f'Bearer realm="{self.realm}",service="a, \\"b\\"",scope="{PULL}"'
        server.routes["/token"] = self.give
        registry.check = self.check

    def give(self, request):
        self.count += 1
        self.uses = 0
        request.answer(200, json.dumps({"token": f"T{self.count}", **self.answer}).encode())

    def check(self, request):
        self.uses += 1
        good = request.headers["Authorization"] == f"Bearer T{self.count}" and self.uses <= self.lives
        return None if good else self.challenge

    def asked(self):
        return [request for request in self.server.log if request.path.startswith("/token")]


# --- tokens

@pytest.mark.bare
def test_one_token_for_a_whole_image(rocket, registry, other):
    """OAUTH-1, 3, 4, 8: what the challenge names is asked for, once, and the token goes to the registry only."""
    tokens = Tokens(registry, other)
    login(rocket, registry, **password())
    fetch(rocket, registry)
    request, = tokens.asked()
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
    assert query == {"x": ["1"], "service": ['a, "b"'], "scope": [PULL]}
    assert request.headers["Authorization"] == BASIC
    assert {each.headers["Authorization"] for each in registry.server.log} == {None, "Bearer T1"}
    assert len([each for each in registry.server.log if each.headers["Authorization"] is None]) == 1


def test_anonymous_tokens_and_a_scope_that_is_missing(rocket, registry):
    tokens = Tokens(registry, registry.server)
    tokens.challenge = f'bearer REALM="{tokens.realm}"'
    fetch(rocket, registry)
    request, = tokens.asked()
    assert request.headers["Authorization"] is None
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query) == {"x": ["1"], "scope": [PULL]}


@pytest.mark.parametrize("challenges", [lambda bearer: f'Basic realm="x", {bearer}', lambda bearer: ['Basic realm="x"', bearer]],
                         ids=["one header", "two headers"])
def test_bearer_comes_before_basic(rocket, registry, challenges):
    tokens = Tokens(registry, registry.server)
    tokens.challenge = challenges(tokens.challenge)
    login(rocket, registry, **password())
    fetch(rocket, registry)
    assert tokens.count == 1 and BASIC not in [request.headers["Authorization"] for request in registry.asked("/v2/")]


def test_access_token_is_as_good(rocket, registry):
    tokens = Tokens(registry, registry.server, token="", access_token="T1")
    fetch(rocket, registry)
    assert tokens.count == 1


@pytest.mark.parametrize("lives", [1, 2, 3])
def test_a_token_that_expires_on_the_way(rocket, registry, lives):
    tokens = Tokens(registry, registry.server)
    tokens.lives = lives
    fetch(rocket, registry)
    assert tokens.count > 1


def test_two_scopes_are_two_parameters(rocket, registry):
    tokens = Tokens(registry, registry.server)
    tokens.challenge = f'Bearer realm="{tokens.realm}",scope="{PULL} repository:other/x:pull"'
    fetch(rocket, registry)
    assert "scope=repository%3Ateam%2Fbox%3Apull&scope=repository%3Aother%2Fx%3Apull" in tokens.asked()[0].path


def test_another_scope_is_asked_for_once_more(rocket, registry):
    tokens = Tokens(registry, registry.server)
    wider = tokens.challenge.replace(":pull", ":pull,push")
    registry.check = lambda request: {None: tokens.challenge, "Bearer T1": wider}.get(request.headers["Authorization"])
    fetch(rocket, registry)
    assert [PULL.replace(":", "%3A").replace("/", "%2F") + end in request.path
            for request, end in zip(tokens.asked(), ("", "%2Cpush"))] == [True, True]


def test_a_token_that_is_refused_is_not_asked_for_forever(rocket, registry):
    tokens = Tokens(registry, registry.server)
    registry.check = lambda request: tokens.challenge
    refused(rocket, registry, "401", "UNAUTHORIZED")
    assert tokens.count == 1


def test_identity_tokens_of_docker_login(rocket, registry, other):
    """OAUTH-5: by POST; where nobody knows that, by GET."""
    tokens = Tokens(registry, other)
    login(rocket, registry, auth=base64.b64encode(b"<token>:").decode(), identitytoken="s&cret")
    done = fetch(rocket, registry)
    request, = tokens.asked()
    fields = urllib.parse.parse_qs(request.body.decode())
    assert request.command == "POST" and fields["grant_type"] == ["refresh_token"] and fields["refresh_token"] == ["s&cret"]
    assert fields["scope"] == [PULL] and "s&cret" not in done.stderr + request.path
    other.log.clear()
    give = tokens.give
    other.routes["/token"] = lambda request: request.answer(405, b"") if request.command == "POST" else give(request)
    rocket("--insecure-options=image", "fetch", "--pull-policy=update", registry.reference)
    assert [request.command for request in tokens.asked()] == ["POST", "GET"]


@pytest.mark.parametrize("answer, words", [
    ((403, b'{"errors":[{"code":"DENIED","message":"not you"}]}'), ["403", "DENIED: not you"]),
    ((401, b"{}"), ["401", "password may be wrong"]),
    ((200, b"no json"), ["token"]),
    ((200, b"{}"), ["gave no token"]),
    ((200, b'{"token": "a\\r\\nX: y"}'), ["gave no token"]),
    ((302, b""), ["does not say where"]),
], ids=lambda value: str(value[0]) if isinstance(value, tuple) else "-")
def test_token_servers_that_refuse(rocket, registry, answer, words):
    tokens = Tokens(registry, registry.server)
    registry.server.routes["/token"] = lambda request: request.answer(*answer)
    login(rocket, registry, **password())
    done = refused(rocket, registry, *words)
    assert len(tokens.asked()) == 1 and "sesame" not in done.stderr and BASIC not in done.stderr


def test_a_token_server_in_trouble_is_asked_again(rocket, registry):
    tokens = Tokens(registry, registry.server)
    answers = iter([(503, b"", {"Retry-After": "0"}), (429, b"", {"Retry-After": "0"})])

    def give(request):
        answer = next(answers, None)
        return request.answer(*answer) if answer else tokens.give(request)
    registry.server.routes["/token"] = give
    fetch(rocket, registry)
    assert len(tokens.asked()) == 3


def test_tokens_come_over_https_only(rocket, registry):
    with contextlib.closing(servers.Server(("127.0.0.1", 0))) as plain:
        plain.url = f"http://127.0.0.1:{plain.server_address[1]}"
        Tokens(registry, plain)
        login(rocket, registry, **password())
        refused(rocket, registry, "which is not https")
        assert not plain.log
        fetch(rocket, registry, insecure="image,http")
        assert plain.log


def test_a_password_does_not_follow_a_redirect_of_the_token_server(rocket, registry, other):
    tokens = Tokens(registry, registry.server)
    other.routes["/elsewhere"] = tokens.give
    registry.server.routes["/token"] = lambda request: request.answer(307, b"", {"Location": other.url + "/elsewhere"})
    login(rocket, registry, **password())
    fetch(rocket, registry)
    assert [request.headers["Authorization"] for request in other.log] == [None]


def test_a_password_when_the_registry_wants_one(rocket, registry):
    registry.check = lambda request: None if request.headers["Authorization"] == BASIC else "Basic realm=x"
    refused(rocket, registry, "401", "docker login")
    login(rocket, registry, **password())
    fetch(rocket, registry)


# --- platforms

def test_a_forced_platform_is_not_what_this_host_runs(rocket, registry, layout):
    """OIDX-9: both are kept, and only the host's is found for the host."""
    entries = []
    for architecture in ("ppc64le", oci.GO_ARCH):
        config = layout.config([layout.top[1]], architecture=architecture)
        entries.append({**layout.manifest([layout.top[0]], config), "platform": {"os": "linux", "architecture": architecture}})
    layout.entries.clear()
    layout.add(layout.blob({"schemaVersion": 2, "manifests": entries}, oci.INDEX), "v1")
    own = fetch(rocket, registry).stdout
    forced = rocket("--insecure-options=image", "fetch", "--full", "--platform=linux/ppc64le", registry.reference).stdout
    assert own != forced
    count = len(registry.server.log)
    for platform, image in (([], own), (["--platform=linux/ppc64le"], forced)):
        assert rocket("--insecure-options=image", "fetch", "--full", "--pull-policy=never", *platform, registry.reference).stdout == image
    assert len(registry.server.log) == count


# --- redirects

def elsewhere(other, blob_headers):
    def fault(request, blob):
        other.routes["/cdn" + request.path] = blob
        request.answer(307, b"", {"Location": f"{other.url}/cdn{request.path}", **blob_headers})
    return fault


def test_blobs_on_another_host_are_fetched_without_credentials(rocket, registry, other):
    """ODIST-8"""
    Tokens(registry, registry.server)
    registry.faults["blobs"] = elsewhere(other, {})
    fetch(rocket, registry)
    assert len(other.log) == 3 and all(request.headers["Authorization"] is None for request in other.log)


def test_redirects_that_go_nowhere(rocket, registry):
    registry.faults["blobs"] = lambda request, blob: request.answer(302, b"", {"Location": request.path})
    refused(rocket, registry, "too many redirects")
    assert len(registry.asked("/blobs/")) == 11
    registry.faults["blobs"] = lambda request, blob: request.answer(302, b"", {"Location": "http://127.0.0.1:1/x"})
    refused(rocket, registry, "redirects us from https to")


# --- what comes back to life

def failing(*answers):
    """These answers, then the right one."""
    left = list(answers)

    def fault(request, blob):
        if not left:
            return blob(request)
        status, headers = left.pop(0)
        return request.answer(status, b"", headers)
    return fault


@pytest.mark.parametrize("kind", ["manifests", "blobs"])
def test_a_registry_in_trouble_is_asked_again(rocket, registry, kind):
    """ODIST-10"""
    registry.faults[kind] = failing((429, {"Retry-After": "0"}), (500, {"Retry-After": "0"}), (503, {"Retry-After": "0"}))
    fetch(rocket, registry)


def test_but_not_forever(rocket, registry):
    registry.faults["manifests"] = lambda request, blob: request.answer(503, b"", {"Retry-After": "0"})
    refused(rocket, registry, "503", "try again later")
    assert len(registry.server.log) == 6


def test_a_refusal_is_one(rocket, registry):
    registry.faults["manifests"] = lambda request, blob: fake_registry.refuse(request, 403, "DENIED")
    refused(rocket, registry, "403, DENIED: no")
    assert len(registry.server.log) == 1


@pytest.mark.parametrize("etag", [True, False], ids=["with ETag", "without"])
def test_a_layer_that_is_cut_is_gone_on_with(rocket, registry, layout, etag):
    """ODIST-7: its digest proves that it is the same, so no ETag is needed."""
    blob = registry.blob(layout.top[0]["digest"])
    blob.cuts = [1000, 0, 50000]
    if not etag:
        blob.etag = None
    fetch(rocket, registry)
    ranges = [request.headers["Range"] for request in registry.asked(layout.top[0]["digest"])]
    assert ranges == [None, "bytes=1000-", "bytes=1000-", "bytes=51000-"]


def test_a_server_without_ranges_starts_over(rocket, registry, layout):
    blob = registry.blob(layout.top[0]["digest"])
    blob.cuts = [1000]
    registry.faults["blobs", layout.top[0]["digest"]] = lambda request, blob: (
        request.headers.__delitem__("Range") if "Range" in request.headers else None, blob(request))
    fetch(rocket, registry)
    assert len(registry.asked(layout.top[0]["digest"])) == 2


def partial(rocket, digest):
    """Where what has come of a blob is kept."""
    return rocket.data / "cas/partial" / hashlib.sha256(digest.encode()).hexdigest()[:32] / "data"


def kept(rocket, digest):
    path = partial(rocket, digest)
    return path.stat().st_size if path.exists() else 0


def interrupted(rocket, registry, digest, point):
    """A fetch that is killed when that much of the blob has come."""
    blob = registry.blob(digest)
    blob.stall = point
    process = rocket.start("--insecure-options=image", "fetch", registry.reference)
    assert blob.stalled.wait(60), process.communicate()
    wait_for(lambda: kept(rocket, digest) > 0, "the first bytes")
    process.kill()
    process.communicate()
    assert blob.gone.wait(60)
    blob.stall = None
    return kept(rocket, digest)


@pytest.mark.bare
def test_the_next_command_goes_on_where_one_was_killed(rocket, registry, layout):
    digest = layout.top[0]["digest"]
    size = interrupted(rocket, registry, digest, 100000)
    assert 0 < size <= 100000
    fetch(rocket, registry)
    assert [request.headers["Range"] for request in registry.asked(digest)] == [None, f"bytes={size}-"]
    assert not list((rocket.data / "cas/partial").iterdir())


@pytest.mark.parametrize("spoil", [lambda data: b"\0" * len(data), lambda data: b"x" * (1 << 20)], ids=["other bytes", "too many"])
def test_what_an_earlier_command_left_is_not_believed(rocket, registry, layout, spoil):
    digest = layout.top[0]["digest"]
    interrupted(rocket, registry, digest, 100000)
    path = partial(rocket, digest)
    path.write_bytes(spoil(path.read_bytes()))
    fetch(rocket, registry)
    assert registry.asked(digest)[-1].headers["Range"] is None


# --- what is wrong and stays wrong

def wrong(**headers):
    return lambda request, blob: request.answer(200, blob.data, {name.replace("_", "-"): value for name, value in headers.items()})


def slow(request, blob):
    request.send_response(200)
    request.send_header("Content-Length", str(len(blob.data)))
    request.end_headers()
    blob.wait_until_gone(request)


FAULTS = {
    "other digest of a layer": ("top", lambda r, b: r.answer(200, b.data[:-1] + b"x"), ["digest"]),
    "other digest of the configuration": ("config", lambda r, b: r.answer(200, b.data[:-1] + b" "), ["configuration sha256:", "another digest"]),
    "too short": ("top", lambda r, b: r.answer(200, b.data[:-1000]), ["bytes instead of"]),
    "too long": ("top", lambda r, b: r.answer(200, b.data + b"x"), ["more than"]),
    "too long without saying so": ("top", lambda r, b: (r.send_response(200), r.end_headers(), r.wfile.write(b.data + b"x"), r.hang_up()),
                                   ["there are more than"]),
    "layer gone": ("top", lambda r, b: fake_registry.refuse(r, 404, "BLOB_UNKNOWN"), ["404", "BLOB_UNKNOWN"]),
    "compressed on the way": ("top", wrong(Content_Encoding="gzip"), ["Content-Encoding"]),
    "huge headers": ("top", wrong(**{f"X_{n}": "x" * 8000 for n in range(20)}), ["headers"]),
    "many headers": ("manifest", wrong(**{f"X_{n}": "x" for n in range(300)}), ["headers"]),
    "manifest too large": ("manifest", lambda r, b: r.answer(200, b" " * (5 << 20)), ["more than"]),
    "type and content differ": ("manifest", wrong(Content_Type=oci.INDEX), ["index"]),
    "schema 1 by type": ("manifest", lambda r, b: r.answer(200, b'{"schemaVersion":1}', {
        "Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}), ["schema 1"]),
    "no JSON": ("manifest", lambda r, b: r.answer(200, b"<html>", {"Content-Type": "text/html"}), []),
    "no change of nothing": ("manifest", lambda r, b: r.answer(304, b""), ["304"]),
    "no HTTP": ("manifest", lambda r, b: r.wfile.write(b"hello\n" * 10) and r.hang_up(), []),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_registries_do_wrong(rocket, registry, layout, fault):
    which, answer, words = FAULTS[fault]
    manifest = json.loads(registry.blob(layout.entries[0]["digest"]).data)
    reference = {"top": layout.top[0]["digest"], "config": manifest["config"]["digest"], "manifest": "v1"}[which]
    registry.faults["manifests" if which == "manifest" else "blobs", reference] = answer
    refused(rocket, registry, *words)
    registry.faults.clear()
    fetch(rocket, registry)


def test_warnings_are_passed_on_once(rocket, registry, layout):
    """ODIST-11"""
    for entry in layout.path.glob("blobs/sha256/*"):
        registry.blob(f"sha256:{entry.name}").headers["Warning"] = '299 - "it \x1b[1m moves"'
    done = fetch(rocket, registry)
    assert done.stderr.count(f"{registry.host} warns: it ") == 1 and "\x1b" not in done.stderr


# --- layers that may not be redistributed (OMAN-4)

def test_foreign_layers_come_from_their_urls(rocket, registry, layout, other):
    tar = aci.tar_bytes([aci.file("foreign", "yes")])
    descriptor = layout.blob(tar, "application/vnd.oci.image.layer.nondistributable.v1.tar",
                             urls=[other.url + "/gone", other.url + "/layer"])
    layout.entries.clear()
    layout.image(oci.busybox(), (descriptor, oci.digest(tar)), name="v1")
    registry.faults["blobs", descriptor["digest"]] = lambda request, blob: fake_registry.refuse(request, 404, "BLOB_UNKNOWN")
    other.routes["/layer"] = tar[:-1] + b"x"
    refused(rocket, registry, "digest")
    other.routes["/layer"] = tar
    fetch(rocket, registry)
    assert [request.path for request in other.log] == ["/gone", "/layer"] * 2
