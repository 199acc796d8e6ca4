# SPDX-License-Identifier: Apache-2.0
"""Debian's docker-registry on the loopback interface, with TLS by a CA of our own and, if wanted, a login."""
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request
import ssl

USER, PASSWORD = "alice", "open:sesame"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificates(directory):
    """ca.pem, and server.pem with server.key for 127.0.0.1 and localhost."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
    directory = pathlib.Path(directory)
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new_key, "-subj", "/CN=Test CA", "-days", 30, "-keyout", directory / "ca.key", "-out", directory / "ca.pem")
    openssl("req", *new_key, "-subj", "/CN=localhost", "-keyout", directory / "server.key", "-out", directory / "server.csr")
    (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", directory / "server.csr", "-CA", directory / "ca.pem", "-CAkey", directory / "ca.key",
            "-CAcreateserial", "-days", 30, "-extfile", directory / "names", "-out", directory / "server.pem")
    return directory


class Registry:
    def __init__(self, directory, tls=True, login=False):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.host = f"localhost:{free_port()}"
        self.tls, self.login = tls, login
        self.log_path = self.directory / "log"
        lines = ["version: 0.1", "log: {level: info}", f"storage: {{filesystem: {{rootdirectory: {self.directory}/data}}}}",
                 "http:", f"  addr: 127.0.0.1:{self.host.split(':')[1]}"]
        if tls:
            make_certificates(self.directory)
            lines.append(f"  tls: {{certificate: {self.directory}/server.pem, key: {self.directory}/server.key}}")
        if login:
            import bcrypt  # here: the virtual machine has no registries, and no such package
            secret = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds=5))
            (self.directory / "htpasswd").write_text(f"{USER}:{secret.decode()}\n")
            lines.append(f"auth: {{htpasswd: {{realm: test, path: {self.directory}/htpasswd}}}}")
        (self.directory / "config.yml").write_text("\n".join(lines) + "\n")
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen(["docker-registry", "serve", self.directory / "config.yml"], stdout=self.log, stderr=self.log)
        self._wait()

    @property
    def environment(self):
        return {"SSL_CERT_FILE": str(self.directory / "ca.pem")} if self.tls else {}

    def _wait(self):
        context = ssl.create_default_context(cafile=self.directory / "ca.pem") if self.tls else None
        end = time.monotonic() + 30
        while True:
            assert self.process.poll() is None and time.monotonic() < end, self.log_path.read_text()
            try:
                urllib.request.urlopen(f"http{'s' if self.tls else ''}://{self.host}/v2/", context=context).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.02)

    def push(self, source, name):
        login = ["--dest-creds", f"{USER}:{PASSWORD}"] if self.login else []
        subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false", *login, source,
                        f"docker://{self.host}/{name}"], check=True)
        return f"docker://{self.host}/{name}"

    def requests(self, word):
        """Lines of the access log, such as '"GET /v2/box/blobs/...'."""
        return [line for line in self.log_path.read_text().splitlines() if '"GET /v2/' in line and word in line]

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
