# SPDX-License-Identifier: Apache-2.0
"""An image layout (oci.py) as a registry that does, on request, what registries should not."""
import json
import re
import urllib.parse

import oci
import servers

API = re.compile(r"/v2/(?P<repository>.+)/(?P<kind>manifests|blobs)/(?P<reference>[^/?]+)$")


class FakeRegistry:
    """routes of `server` come first; faults: (kind, reference or digest) -> what answers instead."""

    def __init__(self, layout, authority=None, address="127.0.0.1", repository="team/box"):
        self.layout, self.repository = layout, repository
        self.server = servers.Server((address, 0), authority)
        self.server.before = self.answer
        self.host = f"{address}:{self.server.server_address[1]}"
        self.url = f"http{'s' if authority else ''}://{self.host}"
        self.reference = f"docker://{self.host}/{repository}:v1"
        self.check = None  # request -> challenge, if it is not to be answered
        self.faults = {}
        self.blobs = {}

    def close(self):
        self.server.close()

    def blob(self, digest):
        """The one Blob of that digest: with what was sent of it, and faults."""
        if digest not in self.blobs:
            data = (self.layout.path / "blobs/sha256" / digest.split(":")[1]).read_bytes()
            self.blobs[digest] = servers.Blob(data, etag=f'"{digest}"')
        return self.blobs[digest]

    def find(self, kind, reference):
        if kind == "manifests" and ":" not in reference:
            named = [entry for entry in self.layout.entries if entry.get("annotations", {}).get(oci.REF_NAME) == reference]
            reference = named[0]["digest"] if named else ""
        if not (self.layout.path / "blobs/sha256" / reference.split(":")[-1]).is_file():
            return None
        blob = self.blob(reference)
        if kind == "manifests":
            document = json.loads(blob.data)
            blob.headers.setdefault("Content-Type", document.get("mediaType") or (oci.INDEX if "manifests" in document else oci.MANIFEST))
        return blob

    def answer(self, request):
        """Whether it is about an image."""
        match = API.match(urllib.parse.unquote(request.path))
        if not match:
            return False
        challenge = self.check(request) if self.check else None
        if challenge is not None:
            challenges = challenge if isinstance(challenge, list) else [challenge]
            refuse(request, 401, "UNAUTHORIZED", *[("WWW-Authenticate", each) for each in challenges])
            return True
        kind, reference = match["kind"], match["reference"]
        fault = self.faults.get((kind, reference)) or self.faults.get(kind)
        blob = self.find(kind, reference) if match["repository"] == self.repository else None
        if fault is not None:
            fault(request, blob)
        elif blob is None:
            refuse(request, 404, "MANIFEST_UNKNOWN" if kind == "manifests" else "BLOB_UNKNOWN")
        else:
            blob(request)
        return True

    def asked(self, word):
        return [request for request in self.server.log if word in request.path]


def refuse(request, status, code, *headers):
    body = json.dumps({"errors": [{"code": code, "message": "no"}]}).encode()
    request.send_response(status)
    for name, value in (("Content-Length", str(len(body))), *headers):
        request.send_header(name, value)
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)
