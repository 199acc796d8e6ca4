# SPDX-License-Identifier: Apache-2.0
"""Servers for tests: an authority that certifies them, nginx, and an HTTPS server that does what servers should not."""
import http.server
import pathlib
import re
import socket
import ssl
import subprocess
import threading
import time
import types


class Authority:
    """A certificate authority of its own, and one certificate for all the names of a test run."""

    def __init__(self, directory, *names):
        self.directory = pathlib.Path(directory)
        self.ca, self.key, self.certificate = (self.directory / name for name in ("ca.pem", "server.key", "server.pem"))
        ca_key, request, extensions = (self.directory / name for name in ("ca.key", "server.csr", "names"))
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self._openssl("req", "-x509", *key, "-keyout", ca_key, "-out", self.ca, "-days", "2", "-subj", "/CN=Test authority")
        self._openssl("req", *key, "-keyout", self.key, "-out", request, "-subj", "/CN=test server")
        addresses = ",".join(f"{'IP' if name[0].isdigit() else 'DNS'}:{name}" for name in names)
        extensions.write_text(f"subjectAltName={addresses}\n")
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
                      "-extfile", extensions, "-out", self.certificate)

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def wait_for_port(address, process):
    for _ in range(500):
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            socket.create_connection(address, 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"nobody listens on {address}")


class Nginx:
    """Serves directory/NAME for https://NAME/ and http://NAME/, as the certificate has them."""

    def __init__(self, directory, authority, address, *names, extra=""):
        self.directory = pathlib.Path(directory)
        self.log = self.directory / "access.log"
        blocks = "".join(f"""
            server {{
                listen {address}:443 ssl;
                listen {address}:80;
                server_name {name};
                ssl_certificate {authority.certificate};
                ssl_certificate_key {authority.key};
                root {self.directory / name};
                index index.html;
                {extra}
            }}""" for name in names)
        for name in names:
            (self.directory / name).mkdir()
        self.directory.chmod(0o755)
        (self.directory / "nginx.conf").write_text(f"""
            daemon off; worker_processes 1; pid {self.directory}/pid; error_log {self.directory}/error.log;
            user root;
            events {{}}
            http {{
                types {{ text/html html; application/octet-stream aci asc; }}
                log_format all '$scheme $host $request_method $request_uri $status $http_range $http_authorization';
                access_log {self.log} all;
                client_body_temp_path {self.directory}/t1; proxy_temp_path {self.directory}/t2;
                fastcgi_temp_path {self.directory}/t3; uwsgi_temp_path {self.directory}/t4; scgi_temp_path {self.directory}/t5;
                {blocks}
            }}""")
        self.process = subprocess.Popen(["nginx", "-c", self.directory / "nginx.conf", "-p", self.directory,
                                         "-e", self.directory / "error.log"])
        wait_for_port((address, 443), self.process)

    def requests(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    def close(self):
        self.process.terminate()
        self.process.wait()


class Blob:
    """A file on a Server: with validators and ranges, and with faults on request."""

    def __init__(self, data, etag='"v1"', **headers):
        self.data, self.etag, self.headers = data, etag, {name.replace("_", "-"): value for name, value in headers.items()}
        self.cuts = []          # bytes after which to hang up, one for each of the next requests
        self.stall = None       # bytes after which to wait until the client has gone
        self.stalled = threading.Event()
        self.gone = threading.Event()
        self.sent = 0

    def __call__(self, request):
        if self.etag and request.headers.get("If-None-Match") == self.etag:
            return request.answer(304, b"", {"ETag": self.etag, **self.headers})
        begin = 0
        match = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if match and request.headers.get("If-Range", self.etag) == self.etag:
            begin = int(match[1])
            if begin >= len(self.data):
                return request.answer(416, b"")
        body = self.data[begin:]
        request.send_response(206 if begin else 200)
        if begin:
            request.send_header("Content-Range", f"bytes {begin}-{len(self.data) - 1}/{len(self.data)}")
        if self.etag:
            request.send_header("ETag", self.etag)
        for name, value in {"Content-Length": str(len(body)), **self.headers}.items():
            request.send_header(name, value)
        request.end_headers()
        if self.cuts:
            self.send(request, body[:self.cuts.pop(0)])
            return request.hang_up()
        if self.stall is not None and self.stall >= begin:
            self.send(request, body[:self.stall - begin])
            return self.wait_until_gone(request)
        return self.send(request, body)

    def send(self, request, body):
        self.sent += len(body)
        request.wfile.write(body)
        request.wfile.flush()

    def wait_until_gone(self, request):
        self.stalled.set()
        try:
            request.connection.settimeout(60)
            request.connection.recv(1)
        except OSError:
            pass # a killed client does not say goodbye
        self.gone.set()
        request.close_connection = True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        # a copy: the next request on the same connection has the same handler
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.log.append(types.SimpleNamespace(path=self.path, headers=self.headers, command=self.command, body=self.body))
        if self.server.before and self.server.before(self):
            return None
        route = self.server.routes.get(self.path, self.server.routes.get(self.path.split("?")[0]))
        if route is None:
            return self.answer(404, b"nothing here\n")
        if callable(route):
            return route(self)
        return self.answer(200, route)

    do_HEAD = do_POST = do_GET

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def hang_up(self):
        """A reset, not an end."""
        self.wfile.flush()
        self.close_connection = True
        self.connection.close()

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    """routes: path (with or without its query) -> bytes, or what answers the request; log: the requests, in order."""
    daemon_threads = True

    def __init__(self, address, authority=None):
        super().__init__(address, Handler)
        self.routes, self.log = {}, []
        self.before = None # may answer a request before the routes do, and says whether it has
        self.context = None
        if authority is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(authority.certificate, authority.key)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def finish_request(self, request, client_address):
        if self.context is not None:
            try:
                request.settimeout(20)
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return # the client does not trust us
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass # clients that are killed are the point of some tests

    def paths(self):
        return [request.path for request in self.log]

    def close(self):
        self.shutdown()
        self.server_close()
