# SPDX-License-Identifier: Apache-2.0
"""Images over HTTP, from servers that are good and servers that are not (cli 4.4-4.7, security R1, R12)."""
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import threading
import time

import aci
import pytest
import servers
from conftest import wait_for

pytestmark = pytest.mark.bare
SIZE = int(os.environ.get("ROCKET_RESUME_MB", "20")) << 20


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return servers.Authority(tmp_path_factory.mktemp("ca"), "127.0.0.1", "localhost")


@pytest.fixture
def server(authority):
    with contextlib.closing(servers.Server(("127.0.0.1", 0), authority)) as one:
        one.url = f"https://127.0.0.1:{one.server_address[1]}"
        yield one


@pytest.fixture
def plain_server():
    with contextlib.closing(servers.Server(("127.0.0.1", 0))) as one:
        one.url = f"http://127.0.0.1:{one.server_address[1]}"
        yield one


@pytest.fixture
def rocket(rocket, authority):
    rocket.environment["SSL_CERT_FILE"] = str(authority.ca)
    return rocket


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The bytes of a small image."""
    path = tmp_path_factory.mktemp("http") / "web.aci"
    return aci.write(path, aci.image("example.com/web", aci.app("/x"), [aci.file("rootfs/x", "x")])).read_bytes()


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """An image that does not get smaller; the path."""
    content = aci.file("rootfs/noise", random.Random(7).randbytes(SIZE))
    return aci.write(tmp_path_factory.mktemp("http") / "large.aci", aci.image("example.com/large", None, [content]),
                     compression=None)


def fetch(rocket, url, *flags, insecure="image", **options):
    return rocket(f"--insecure-options={insecure}", *flags, "fetch", "--full", url, **options)


def refused(rocket, url, *words, **options):
    done = fetch(rocket, url, status=254, timeout=60, **options)
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr, done.stderr
    assert rocket("image", "list", "--no-legend").stdout.strip() == "", "what was refused must not be stored"
    return done


# --- what works

def test_an_image_from_a_url_and_its_signature(rocket, server, image, signer, home):
    archive = home / "web.aci"
    archive.write_bytes(image)
    rocket("trust", "--skip-fingerprint-review", "--prefix=example.com", signer.public_key(home / "key"))
    server.routes["/a/web.aci"] = image
    refused(rocket, server.url + "/a/web.aci", "web.aci.asc", "404", insecure="none")
    assert "/a/web.aci" not in server.paths(), "without a signature there is no point in the image"
    server.routes["/a/web.aci.asc"] = signer.sign(archive).read_bytes()
    done = fetch(rocket, server.url + "/a/web.aci?token=1", insecure="none")
    assert "signature verified:\n  Test <test@example.com>" in done.stderr
    assert "downloaded ACI" in done.stderr # one line in a pipe
    assert server.paths()[-2:] == ["/a/web.aci.asc?token=1", "/a/web.aci?token=1"]
    assert fetch(rocket, archive, insecure="none").stdout == done.stdout


def test_a_signature_elsewhere(rocket, server, image, signer, home):
    archive = home / "web.aci"
    archive.write_bytes(image)
    rocket("trust", "--skip-fingerprint-review", "--root", signer.public_key(home / "key"))
    signature = signer.sign(archive)
    server.routes["/web.aci"] = image
    server.routes["/sig"] = signature.read_bytes()
    rocket("fetch", server.url + "/web.aci", "--signature", server.url + "/sig")
    rocket("fetch", server.url + "/web.aci", "--signature", signature)
    assert server.paths().count("/sig") == 1


def test_a_deferred_signature(rocket, server, image, signer, home):
    archive = home / "web.aci"
    archive.write_bytes(image)
    rocket("trust", "--skip-fingerprint-review", "--root", signer.public_key(home / "key"))
    signature = signer.sign(archive).read_bytes()
    server.routes["/web.aci"] = image
    server.routes["/web.aci.asc"] = lambda request: request.answer(202, b"")
    refused(rocket, server.url + "/web.aci", "deferring the signature download", "defer the download again", insecure="none")
    asked = iter([202, 200])
    server.routes["/web.aci.asc"] = lambda request: request.answer(next(asked), signature)
    server.log.clear()
    assert "deferring" in fetch(rocket, server.url + "/web.aci", insecure="none").stderr
    assert server.paths() == ["/web.aci.asc", "/web.aci", "/web.aci.asc"]


def test_pull_policies_and_revalidation(rocket, server, image):
    blob = server.routes["/web.aci"] = servers.Blob(image)
    url = server.url + "/web.aci"
    done = fetch(rocket, url, "--pull-policy=never", status=254)
    assert "either image was not found in the store" in done.stderr and not server.log
    first = fetch(rocket, url).stdout
    fetch(rocket, url, "--pull-policy=new")
    fetch(rocket, url, "--pull-policy=never")
    assert len(server.log) == 1, "the record is good for both"
    blob.headers = {"Cache-Control": "max-age=600"}
    assert fetch(rocket, url).stdout == first
    assert server.log[1].headers["If-None-Match"] == '"v1"'
    assert fetch(rocket, url).stdout == first
    assert len(server.log) == 2, "the 304 has refreshed the record (Q50)"
    rocket("image", "rm", first.strip())
    fetch(rocket, url)
    assert "If-None-Match" not in server.log[2].headers, "a record of an image that is gone is none"


def test_what_was_not_verified_is_fetched_again(rocket, server, image, signer, home):
    archive = home / "web.aci"
    archive.write_bytes(image)
    server.routes["/web.aci"] = servers.Blob(image, Cache_Control="max-age=600")
    server.routes["/web.aci.asc"] = signer.sign(archive).read_bytes()
    fetch(rocket, server.url + "/web.aci")
    rocket("trust", "--skip-fingerprint-review", "--root", signer.public_key(home / "key"))
    fetch(rocket, server.url + "/web.aci", insecure="none")
    assert server.paths() == ["/web.aci", "/web.aci.asc", "/web.aci"] # R11
    fetch(rocket, server.url + "/web.aci", insecure="none")
    assert len(server.log) == 3


def test_redirects(rocket, server, plain_server, image):
    server.routes["/web.aci"] = image
    hop = lambda to: lambda request: request.answer(302, b"", {"Location": to}) # noqa: E731
    server.routes["/relative.aci"] = hop("../web.aci")
    server.routes["/loop.aci"] = hop("/loop.aci")
    server.routes["/weaker.aci"] = hop(plain_server.url + "/web.aci")
    server.routes["/file.aci"] = hop("file:///etc/passwd.aci")
    server.routes["/nowhere.aci"] = lambda request: request.answer(301, b"")
    plain_server.routes["/web.aci"] = image
    refused(rocket, server.url + "/loop.aci", "too many redirects")
    assert len(server.log) == 11
    refused(rocket, server.url + "/weaker.aci", "redirects us from https to", "--insecure-options=http")
    assert not plain_server.log
    refused(rocket, server.url + "/file.aci", "only https and http can be fetched")
    refused(rocket, server.url + "/nowhere.aci", "does not say where")
    fetch(rocket, server.url + "/relative.aci")
    fetch(rocket, server.url + "/weaker.aci", insecure="image,http")
    assert plain_server.paths() == ["/web.aci"]


def test_servers_that_cannot_prove_who_they_are(rocket, server, image, authority):
    server.routes["/web.aci"] = image
    del rocket.environment["SSL_CERT_FILE"]
    refused(rocket, server.url + "/web.aci", "certificate", "SSL_CERT_FILE")
    refused(rocket, server.url + "/web.aci", "certificate", insecure="image,http,pubkey")
    fetch(rocket, server.url + "/web.aci", insecure="image,tls")
    rocket.environment["SSL_CERT_FILE"] = str(authority.ca)
    other = server.url.replace("127.0.0.1", "127.0.0.2")
    with contextlib.closing(servers.Server(("127.0.0.2", 0), authority)) as stranger:
        stranger.routes["/web.aci"] = image
        other = f"https://127.0.0.2:{stranger.server_address[1]}/web.aci"
        done = fetch(rocket, other, status=254)
        assert "127.0.0.2" in done.stderr, done.stderr
        fetch(rocket, other, insecure="image,tls")


def test_credentials_go_to_their_host_and_over_https_only(rocket, server, plain_server, image, authority):
    host = server.url.removeprefix("https://")
    plain = plain_server.url.removeprefix("http://")
    directory = rocket.local / "auth.d"
    directory.mkdir(parents=True)
    (directory / "a.json").write_text("""{"rktKind": "auth", "rktVersion": "v1", "domains": ["%s", "%s"], "type": "basic",
        "credentials": {"user": "bob", "password": "secret"}}""" % (host, plain))
    (directory / "b.json").write_text("""{"rktKind": "auth", "rktVersion": "v1", "domains": ["localhost:%s"], "type": "oauth",
        "credentials": {"token": "t0ken"}}""" % host.split(":")[1])
    server.routes["/web.aci"] = image
    server.routes["/moved.aci"] = lambda request: request.answer(
        302, b"", {"Location": f"https://localhost:{host.split(':')[1]}/web.aci"})
    plain_server.routes["/web.aci"] = image
    fetch(rocket, server.url + "/moved.aci")
    assert [request.headers["Authorization"] for request in server.log] == ["Basic Ym9iOnNlY3JldA==", "Bearer t0ken"]
    fetch(rocket, plain_server.url + "/web.aci")
    assert plain_server.log[0].headers["Authorization"] is None
    fetch(rocket, plain_server.url + "/web.aci", "--pull-policy=update", insecure="image,http")
    assert plain_server.log[1].headers["Authorization"] == "Basic Ym9iOnNlY3JldA=="


def test_aws_requests_are_signed(rocket, server, image):
    directory = rocket.local / "auth.d"
    directory.mkdir(parents=True)
    (directory / "a.json").write_text("""{"rktKind": "auth", "rktVersion": "v1", "domains": ["%s"], "type": "aws",
        "credentials": {"accessKeyID": "AKID", "secretAccessKey": "secret"}}""" % server.url.removeprefix("https://"))
    server.routes["/web.aci"] = image
    fetch(rocket, server.url + "/web.aci")
    sent = server.log[0].headers
    assert sent["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert "/us-east-1/s3/aws4_request" in sent["Authorization"] and sent["x-amz-date"]


def test_a_proxy_of_the_environment(rocket, plain_server, image):
    """The proxy is asked for the whole URL; no_proxy goes around it."""
    plain_server.routes["http://images.invalid/web.aci"] = image
    fetch(rocket, "http://images.invalid/web.aci", env={"HTTP_PROXY": plain_server.url})
    plain_server.routes["/web.aci"] = image
    fetch(rocket, plain_server.url + "/web.aci", env={"http_proxy": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.1"})
    assert plain_server.paths() == ["http://images.invalid/web.aci", "/web.aci"]


# --- what is refused, or got over

def wrong_range(request, image):
    """Half of it, and then a part that nobody asked for."""
    if "Range" not in request.headers:
        request.send_response(200)
        request.send_header("ETag", '"v1"')
        request.send_header("Content-Length", str(len(image)))
        request.end_headers()
        request.wfile.write(image[:100])
        return request.hang_up()
    return request.answer(206, image[50:], {"Content-Range": f"bytes 50-{len(image) - 1}/{len(image)}", "ETag": '"v1"'})


@pytest.mark.parametrize("name, answer, why", [
    ("compressed", lambda r, i: r.answer(200, i, {"Content-Encoding": "gzip"}), ["Content-Encoding", "not asked for"]),
    ("range unasked", lambda r, i: r.answer(206, i, {"Content-Range": f"bytes 0-{len(i) - 1}/{len(i)}x"}), ["came"]),
    ("wrong range", wrong_range, ["from byte 100 on was asked for"]),
    ("huge headers", lambda r, i: r.answer(200, i, {f"X-{n}": "x" * 8000 for n in range(20)}), ["headers"]),
    ("many headers", lambda r, i: r.answer(200, i, {f"X-{n}": "x" for n in range(300)}), ["headers"]),
    ("endless", lambda r, i: r.answer(200, i, {"Content-Length": str(1 << 50)}), ["which is more than"]),
    ("no HTTP", lambda r, i: r.wfile.write(b"hello\n" * 10) and r.hang_up(), []),
    ("not found", lambda r, i: r.answer(404, b""), ["bad HTTP status code: 404"]),
    ("not yet", lambda r, i: r.answer(202, b""), ["HTTP 202"]),
    ("unauthorized", lambda r, i: r.answer(401, b""), ["401", "auth"]),
    ("no change of nothing", lambda r, i: r.answer(304, b""), ["304"]),
    ("no image", lambda r, i: r.answer(200, b"<html>"), []),
])
def test_bad_answers(rocket, server, image, name, answer, why):
    server.routes["/web.aci"] = lambda request: answer(request, image)
    refused(rocket, server.url + "/web.aci", *why)
    server.routes["/web.aci"] = image
    fetch(rocket, server.url + "/web.aci")


def test_a_server_in_trouble_is_asked_again(rocket, server, image):
    answers = iter([(500, b"no"), (503, b"no"), (200, image)])
    server.routes["/web.aci"] = lambda request: request.answer(*next(answers))
    fetch(rocket, server.url + "/web.aci")
    server.routes["/b.aci"] = lambda request: request.answer(503, b"no", {"Retry-After": "0"})
    server.log.clear()
    done = fetch(rocket, server.url + "/b.aci", status=254)
    assert "bad HTTP status code: 503" in done.stderr and "try again later" in done.stderr
    assert len(server.log) == 4


def test_a_cut_connection_is_gone_on_with(rocket, server, image):
    blob = server.routes["/web.aci"] = servers.Blob(image)
    blob.cuts = [0, 100, 50]
    fetch(rocket, server.url + "/web.aci")
    assert [request.headers["Range"] for request in server.log] == [None, None, "bytes=100-", "bytes=150-"]
    assert all(request.headers["If-Range"] == '"v1"' for request in server.log[2:])


def test_cut_without_a_validator_starts_over(rocket, server, image):
    blob = server.routes["/web.aci"] = servers.Blob(image, etag=None)
    blob.cuts = [100]
    fetch(rocket, server.url + "/web.aci")
    assert [request.headers["Range"] for request in server.log] == [None, None]


def interrupt(rocket, blob, url, point, how=signal.SIGKILL, at_least=1):
    """Kills a fetch when the server has sent that many bytes, and some are here; the size of what was kept."""
    blob.stall = point
    blob.stalled.clear()
    blob.gone.clear()
    process = rocket.start("--insecure-options=image", "fetch", url)
    assert blob.stalled.wait(60), process.communicate()
    wait_for(lambda: kept(rocket) >= at_least, "the first bytes")
    process.send_signal(how)
    process.communicate()
    assert blob.gone.wait(60), "the downloader has outlived its broker"
    return kept(rocket)


def kept(rocket):
    return sum(path.stat().st_size for path in (rocket.data / "cas/partial").glob("*/data"))


def test_interrupted_at_ten_points(rocket, server, large):
    """Each time the rest is asked for from where the file ends, so no byte on disk comes twice; the result is whole."""
    data = large.read_bytes()
    blob = server.routes["/large.aci"] = servers.Blob(data)
    seed = int(os.environ.get("ROCKET_RESUME_SEED", time.time()))
    print("seed", seed)
    points = sorted(random.Random(seed).sample(range(1, len(data)), 10))
    sizes = [0]
    for point in points:
        sizes.append(interrupt(rocket, blob, server.url + "/large.aci", point, at_least=0))
        assert sizes[-2] <= sizes[-1] <= point
    blob.stall = None
    found = fetch(rocket, server.url + "/large.aci", timeout=120).stdout
    ranges = [request.headers["Range"] for request in server.log]
    assert ranges == [f"bytes={size}-" if size else None for size in sizes]
    assert sizes[-1] > len(data) // 10, "nothing was kept"
    assert found == fetch(rocket, large, timeout=60).stdout
    assert not list((rocket.data / "cas/partial").iterdir())


def test_a_download_that_was_replaced_meanwhile(rocket, server, image, large):
    blob = server.routes["/a.aci"] = servers.Blob(large.read_bytes())
    assert interrupt(rocket, blob, server.url + "/a.aci", 1 << 20, signal.SIGTERM) > 0
    blob.data, blob.etag, blob.stall = image, '"v2"', None
    fetch(rocket, server.url + "/a.aci")
    assert server.log[1].headers["If-Range"] == '"v1"'
    assert "example.com/web" in rocket("image", "list").stdout


def test_a_server_that_lies_about_what_it_goes_on_with(rocket, server, large, signer, home):
    """Two halves of different files under one ETag: found out by the signature, and fetched anew."""
    rocket("trust", "--skip-fingerprint-review", "--root", signer.public_key(home / "key"))
    server.routes["/a.aci.asc"] = signer.sign(large, home / "sig").read_bytes()
    blob = server.routes["/a.aci"] = servers.Blob(large.read_bytes())
    assert interrupt(rocket, blob, server.url + "/a.aci", 1 << 20) > 0
    size = kept(rocket)
    blob.stall, good = None, blob.data
    blob.data = good[:size] + bytes(len(good) - size)
    again = iter([blob.data, good])

    def route(request):
        blob.data = next(again)
        return blob(request)
    server.routes["/a.aci"] = route
    fetch(rocket, server.url + "/a.aci", timeout=60, insecure="none")
    assert [request.headers["Range"] for request in server.log if request.path == "/a.aci"] == [None, f"bytes={size}-", None]


def test_a_range_that_is_not_there(rocket, server, image, large):
    blob = server.routes["/a.aci"] = servers.Blob(large.read_bytes())
    assert interrupt(rocket, blob, server.url + "/a.aci", 1 << 20) > 0
    blob.data, blob.stall = image, None # shorter, and has the old one's ETag
    fetch(rocket, server.url + "/a.aci")
    assert len(server.log) == 3


def test_complete_but_not_imported(rocket, server, large):
    """Killed between the last byte and the import: nothing is downloaded again."""
    data = large.read_bytes()
    blob = server.routes["/a.aci"] = servers.Blob(data)
    interrupt(rocket, blob, server.url + "/a.aci", 1 << 20)
    next((rocket.data / "cas/partial").glob("*/data")).write_bytes(data)
    blob.stall, blob.sent = None, 0
    fetch(rocket, server.url + "/a.aci", timeout=60)
    assert blob.sent == 0


def test_two_at_once_do_the_work_once(rocket, server, image):
    blob = servers.Blob(image)
    barrier = threading.Event()

    def route(request):
        barrier.wait(30)
        return blob(request)
    server.routes["/a.aci"] = route
    url = server.url + "/a.aci"
    both = [rocket.start("--debug", "--insecure-options=image", "fetch", url) for _ in range(2)]
    wait_for(lambda: server.log, "the first request")
    waiting = [""]

    def listen(process):
        for line in process.stderr:
            waiting.append(line)
    for process in both:
        threading.Thread(target=listen, args=(process,), daemon=True).start()
    wait_for(lambda: any("waiting" in line for line in waiting), "the second one to wait")
    barrier.set()
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(server.log) == 1


def test_old_partial_downloads_are_swept(rocket, server, image, large):
    blob = server.routes["/a.aci"] = servers.Blob(large.read_bytes())
    server.routes["/web.aci"] = image
    interrupt(rocket, blob, server.url + "/a.aci", 1 << 20)
    data = next((rocket.data / "cas/partial").glob("*/data"))
    fetch(rocket, server.url + "/web.aci")
    assert data.exists()
    os.utime(data, (time.time() - 8 * 24 * 3600,) * 2)
    fetch(rocket, server.url + "/web.aci", "--pull-policy=update")
    assert not data.exists()


# --- who does it

def test_the_downloader_has_no_rights(rocket, server, large):
    """R1: a user id of its own, no capability, a filter; and it ends with the command."""
    blob = server.routes["/a.aci"] = servers.Blob(large.read_bytes())
    blob.stall = 1 << 20
    process = rocket.start("--insecure-options=image", "fetch", server.url + "/a.aci")
    assert blob.stalled.wait(30)
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=True)
    worker, = children.stdout.split()
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{worker}/status").read_text().splitlines()
                  if ":\t" in line)
    assert status["Name"] == "fetch"
    uids = status["Uid"].split()
    assert len(set(uids)) == 1 and 61184 <= int(uids[0]) <= 65519 and status["Groups"].strip() == ""
    assert all(int(status[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    process.kill()
    process.communicate()
    wait_for(lambda: not os.path.exists(f"/proc/{worker}"), "the downloader to be gone")


@pytest.mark.parametrize("url", ["https://", "https://a b/x.aci", "https://u:p@host/x.aci", "https://host:0/x.aci",
                                 "https://host:99999/x.aci", "https://ho%41st/x.aci", "https://host/x.tar", "http:x.aci",
                                 "https://host/x.aci\n", "https://[::1/x.aci"])
def test_no_urls(rocket, url):
    refused(rocket, url, "")


def test_asked_again_as_often_as_wished(rocket, server):
    """After what may pass; an image that is not there stays so."""
    def said(url, *flags):
        return rocket("--insecure-options=image", "fetch", *flags, url, status=254).stderr
    assert said("https://127.0.0.1:1/x.aci", "--retry=2", "--retry-delay=10ms").count("retries left") == 2
    assert "retries left" not in said(server.url + "/none.aci", "--retry=2")
    assert "--retry: \"many\" is not a number" in said("https://127.0.0.1:1/x.aci", "--retry=many")
    assert "--retry-delay" in said("https://127.0.0.1:1/x.aci", "--retry-delay=soon")
