"""The proxy of the deployment, as real nginx: streams both ways, writes no link and no report anywhere."""

from __future__ import annotations

import http.client
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.servers.nginx import nginx_server

CANARY = "v1.canary-link-that-must-not-be-written"
BODY = b"report-bytes-that-must-not-touch-a-disk " * 50_000


@dataclass
class Upstream:
    """A stand-in for the service that says what it saw, and answers in two halves."""

    server: ThreadingHTTPServer
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    protocols: list[str | None] = field(default_factory=list)
    first_upload_bytes: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


def _upstream() -> Upstream:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            upstream.seen.append((self.path, self.headers["X-Forwarded-For"]))
            upstream.protocols.append(self.headers["X-Forwarded-Proto"])
            self.send_response(200)
            self.send_header("Content-Length", str(2 * len(BODY)))
            self.send_header("X-Request-Id", "req_1")
            self.end_headers()
            self.wfile.write(BODY)
            upstream.go_on.wait(20)
            self.wfile.write(BODY)

        def do_PUT(self) -> None:
            self.rfile.read(1000)
            upstream.first_upload_bytes.set()
            self.rfile.read(int(self.headers["Content-Length"]) - 1000)
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            return

    upstream = Upstream(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
    threading.Thread(target=upstream.server.serve_forever, daemon=True).start()
    return upstream


@dataclass
class Proxy:
    port: int
    folder: Path
    upstream: Upstream


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    upstream = _upstream()
    try:
        with nginx_server(tmp_path, upstream.server.server_port) as server:
            yield Proxy(server.port, tmp_path, upstream)
    finally:
        upstream.go_on.set()
        upstream.server.shutdown()
        upstream.server.server_close()


def test_a_download_streams_and_its_link_is_written_nowhere(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    connection.request("GET", f"/d/{CANARY}", headers={"X-Forwarded-For": "203.0.113.9"})
    answer = connection.getresponse()
    half = answer.read(len(BODY))  # arrives while the upstream still holds the other half
    assert half == BODY
    written = b"".join(path.read_bytes() for path in proxy.folder.rglob("*") if path.is_file())
    assert b"report-bytes" not in written
    proxy.upstream.go_on.set()
    assert answer.read() == BODY
    connection.close()
    assert proxy.upstream.seen == [(f"/d/{CANARY}", "127.0.0.1")]
    time.sleep(0.2)
    log = (proxy.folder / "access.log").read_text()
    assert '"request":"req_1"' in log
    written = b"".join(path.read_bytes() for path in proxy.folder.rglob("*") if path.is_file())
    assert CANARY.encode() not in written


def test_an_upload_reaches_the_service_before_it_has_ended(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    connection.putrequest("PUT", "/v1/documents/doc_1/versions/ver_1/file")
    connection.putheader("Content-Length", str(2 * len(BODY)))
    connection.endheaders()
    connection.send(BODY)
    assert proxy.upstream.first_upload_bytes.wait(20)
    connection.send(BODY)
    assert connection.getresponse().status == 202
    written = b"".join(path.read_bytes() for path in proxy.folder.rglob("*") if path.is_file())
    assert b"report-bytes" not in written


def test_over_tls_it_speaks_no_old_version_and_says_that_it_did(tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    making = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"
    names = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        certificate,
        "-out",
        tmp_path / "public.pem",
    ]
    subprocess.run(["openssl", *making.split(), *names], check=True, capture_output=True)
    with certificate.open("a") as file:
        file.write((tmp_path / "public.pem").read_text())
    trusting = ssl.create_default_context(cafile=str(tmp_path / "public.pem"))
    old = ssl.create_default_context(cafile=str(tmp_path / "public.pem"))
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    upstream = _upstream()
    upstream.go_on.set()
    try:
        with nginx_server(tmp_path, upstream.server.server_port, certificate=certificate) as server:
            connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20, context=trusting)
            connection.request("GET", f"/d/{CANARY}")
            assert connection.getresponse().read() == 2 * BODY
            connection.close()
            with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|protocol version"):
                http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20, context=old).connect()
    finally:
        upstream.server.shutdown()
        upstream.server.server_close()
    assert upstream.protocols == ["https"]


def test_a_dead_upstream_leaves_no_link_in_the_logs(proxy: Proxy) -> None:
    proxy.upstream.server.shutdown()
    proxy.upstream.server.server_close()
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    connection.request("GET", f"/s/{CANARY}")
    assert connection.getresponse().status == 502
    time.sleep(0.2)
    written = b"".join(path.read_bytes() for path in proxy.folder.rglob("*") if path.is_file())
    assert CANARY.encode() not in written
