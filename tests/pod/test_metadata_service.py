# SPDX-License-Identifier: Apache-2.0
"""The metadata service (chapter 16, cli 10.1), with the units as they are installed: what pods are told, who is refused,
and that the service is there when it is needed, and only then."""
import base64
import hashlib
import hmac
import http.client
import json
import pathlib
import re
import subprocess
import urllib.parse
import uuid as uuids

import aci
import pytest
import services
from conftest import HOST_IS_SYSTEMD, wait_for

pytestmark = pytest.mark.skipif(not HOST_IS_SYSTEMD, reason="needs a network of its own and systemd: runs in tier pod")

GATEWAY, PORT = "172.16.28.1", 18112
RUN = ("--insecure-options=image", "run", "--mds-register")


@pytest.fixture
def image(make):
    return make("example.com/web", aci.app("/bin/sleep", "1000"), aci.busybox(("sh", "sleep", "wget", "cat", "env")),
                annotations=[{"name": "tier", "value": "image"}, {"name": "kept", "value": "yes"}])


@pytest.fixture
def service(rocket):
    services.share_with_group(rocket)
    running = services.Service(rocket, "rocket-metadata", ["metadata-service", "--exit-idle-time=1s"])
    yield running
    running.close()


@pytest.fixture
def started(rocket):
    pods = []

    def start(*arguments):
        saved = rocket.home / f"uuid-{len(pods)}"
        pods.append(rocket.start(*RUN, f"--uuid-file-save={saved}", *arguments))
        wait_for(lambda: saved.exists() and saved.read_text() or pods[-1].poll() is not None, "the pod's UUID")
        assert pods[-1].poll() is None, pods[-1].communicate()
        ready = rocket("status", "--wait-ready=30s", saved.read_text(), timeout=40).stdout
        assert "state=running" in ready, pods[-1].communicate()
        return saved.read_text()
    yield start
    for pod in pods:
        pod.terminate()
        pod.wait(20)


class Pod:
    """Asks from inside, with the URL that the app was given."""

    def __init__(self, rocket, uuid):
        self.rocket, self.uuid = rocket, uuid
        self.url = re.search("(?m)^AC_METADATA_URL=(.*)$", self.sh("env")).group(1)
        self.token = self.url.rsplit("/", 1)[1]

    def sh(self, script, status=0):
        done = self.rocket("enter", self.uuid, "/bin/sh", "-c", script, status=status)
        return done.stdout + done.stderr

    def get(self, path, **form):
        data = f"--post-data '{urllib.parse.urlencode(form)}'" if form else ""
        return self.sh(f"wget -q {data} -O - $AC_METADATA_URL/acMetadata/v1{path}")

    def refused(self, url, **form):
        """The status that is not 200."""
        data = f"--post-data '{urllib.parse.urlencode(form)}'" if form else ""
        return re.search(r"HTTP/1.1 (\d+)", self.sh(f"wget {data} -O - {url}", status=1)).group(1)


def ask(address, path, method="GET", body=None, headers=()):
    """Straight from the host."""
    connection = http.client.HTTPConnection(address, PORT, timeout=10)
    connection.request(method, path, body, dict(headers))
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type"), answer.read()


def test_pods_ask_about_themselves(rocket, image, service, started):
    first = Pod(rocket, started("--set-env=AC_METADATA_URL=fake", image, "--annotation=tier=pod"))
    second = Pod(rocket, started(image))

    # What it is (MDS-7..12).
    assert re.fullmatch(rf"http://{GATEWAY}:{PORT}/[0-9a-f]{{32}}", first.url)
    assert first.get("/pod/uuid") == first.uuid
    assert json.loads(first.get("/pod/manifest")) == json.loads(rocket("cat-manifest", first.uuid).stdout)
    assert json.loads(first.get("/pod/annotations")) == []
    assert json.loads(first.get("/apps/web/annotations")) == [{"name": "tier", "value": "pod"}, {"name": "kept", "value": "yes"}]
    assert first.get("/apps/web/annotations/kept") == "yes"
    [image_id] = rocket("image", "list", "--full", "--no-legend", "--fields=id").stdout.split()
    assert first.get("/apps/web/image/id") == image_id
    assert json.loads(first.get("/apps/web/image/manifest")) == json.loads(rocket("image", "cat-manifest", image_id).stdout)
    assert first.refused("$AC_METADATA_URL/acMetadata/v1/apps/none/image/id") == "404"

    # Its token is its own (MDS-20): not another pod's, not the host's, and nobody listens elsewhere.
    assert first.token != second.token and second.get("/pod/uuid") == second.uuid
    assert first.refused(f"http://{GATEWAY}:{PORT}/{second.token}/acMetadata/v1/pod/uuid") == "401"
    assert first.refused(f"http://{GATEWAY}:{PORT}/{'0' * 32}/acMetadata/v1/pod/uuid") == "401"
    assert ask(GATEWAY, f"/{first.token}/acMetadata/v1/pod/uuid")[0] == 401
    with pytest.raises(ConnectionRefusedError):
        ask("127.0.0.1", "/")
    assert first.token not in service.log() and f"{first.uuid} GET /acMetadata/v1/pod/uuid 200" in service.log()

    # Signatures (MDS-13..18): of one pod, verified by the other, as anybody with the key would compute them.
    signature = first.get("/pod/hmac/sign", content="a & b")
    key = pathlib.Path("/var/lib/rocket-metadata/key").read_bytes()
    assert signature == base64.b64encode(hmac.new(key[:64], uuids.UUID(first.uuid).bytes + b"a & b", hashlib.sha512).digest()).decode()
    verify = "$AC_METADATA_URL/acMetadata/v1/pod/hmac/verify"
    right = {"content": "a & b", "uuid": first.uuid, "signature": signature}
    assert second.get("/pod/hmac/verify", **right) == ""
    assert second.refused(verify, **{**right, "uuid": second.uuid}) == "403"
    assert second.refused(verify, uuid=first.uuid, signature=signature) == "400"

    # Killed, it comes back, and knows keys, tokens and pods (MDS-22).
    pid = service.show("MainPID")
    services.systemctl("kill", "--signal=KILL", "rocket-metadata.service")
    wait_for(lambda: service.show("MainPID") not in ("0", pid) and service.show("ActiveState") == "active", "the service to come back")
    assert second.get("/pod/hmac/verify", **right) == "" and first.get("/pod/uuid") == first.uuid

    # A pod that has ended has no token any more; without pods there is no service.
    rocket("stop", first.uuid)
    rocket("status", "--wait=20s", first.uuid)
    assert second.get("/pod/hmac/verify", **right) == ""
    rocket("stop", second.uuid)
    wait_for(lambda: service.show("ActiveState") == "inactive", "the service to end")
    assert service.show("Result") == "success"


def test_pods_on_the_hosts_network_and_limits_of_http(rocket, image, service, started):
    pod = Pod(rocket, started("--net=host", image))
    assert pod.url == f"http://127.0.0.1:{PORT}/{pod.token}" and pod.get("/pod/uuid") == pod.uuid
    base = f"/{pod.token}/acMetadata/v1"
    assert ask("127.0.0.1", f"{base}/pod/uuid") == (200, "text/plain; charset=us-ascii", pod.uuid.encode())  # MDS-3
    assert ask("127.0.0.1", f"{base}/pod/annotations") == (200, "application/json", b"[]")
    assert ask("127.0.0.1", f"{base}/pod/uuid", "POST", "x=y")[0] == 405
    assert ask("127.0.0.1", f"{base}/{'a' * 20000}")[0] == 404
    assert max(map(len, service.log().splitlines())) < 1000
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask("127.0.0.1", f"{base}/pod/hmac/sign", "POST", "content=" + "x" * (1 << 20), form)[0] == 413
    parts = '--part\r\nContent-Disposition: form-data; name="content"\r\n\r\nx\r\n--part--\r\n'  # MDS-16
    signed = ask("127.0.0.1", f"{base}/pod/hmac/sign", "POST", parts, {"Content-Type": "multipart/form-data; boundary=part"})
    assert signed[0] == 200, signed
    assert signed == ask("127.0.0.1", f"{base}/pod/hmac/sign", "POST", "content=x", form)
    assert ask("127.0.0.1", f"{base}/pod/hmac/sign", "POST", '{"content":"x"}', {"Content-Type": "application/json"})[0] == 400

    # A flavour without a PID 1 is registered as well.
    flying = rocket(*RUN, "--stage1-name=coreos.com/rkt/stage1-fly", "--net=host", image, "--exec=/bin/sh", "--", "-c",
                    "wget -q -O - $AC_METADATA_URL/acMetadata/v1/apps/$AC_APP_NAME/annotations/kept")
    assert flying.stdout == "yes"


def test_pods_that_cannot_be_registered(rocket, image, service):
    other = rocket.command(*RUN, "--net=default", image)
    other[1] = f"--dir={rocket.home / 'elsewhere'}"
    done = subprocess.run(other, env=rocket.environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 254 and "failed to register the pod: the metadata service refuses: pod" in done.stderr
    assert f"(pods of {rocket.data})" in done.stderr
    service.close()
    done = rocket(*RUN, image, status=254)
    assert "could not reach the metadata service" in done.stderr and "rocket-metadata.socket" in done.stderr
    assert "AC_METADATA_URL" not in rocket.run(image, "--exec=/bin/env").stdout  # ENV-6: only who asks for it
