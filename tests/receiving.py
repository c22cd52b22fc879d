"""Receivers of webhooks as others run them: a real server on loopback with real TLS, that can be away and come back."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.adapters.webhook_http import PinnedPosts

HOST = "hooks.crm.example"
"""No such name is in the DNS: the resolver of these tests knows it."""

DOCS = Path(__file__).parents[1] / "docs" / "webhooks.md"


def documented_reader() -> Callable[..., Any]:
    """`read_webhook` as docs/webhooks.md gives it to whoever receives webhooks."""
    (example,) = re.findall(r"^```python\n(.*?)^```", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    return names["read_webhook"]  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Got:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class ReceiverServer:
    """A server for `HOST`: what it got, in order; `answer` says the status (and header fields) of each."""

    port: int
    certificate: Path
    got: list[Got] = field(default_factory=list)
    answer: Callable[[Got], int | tuple[int, dict[str, str]]] = lambda _: 204
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/hooks/sealmark?from=tests"

    def start(self) -> None:
        """Listen, on the port that it had before."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                outer.got.append(got)
                answer = outer.answer(got)
                status, fields = (answer, {}) if isinstance(answer, int) else answer
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        # The handshake is the handler's own, so that a client that stalls in it holds up no other.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.port, self._server = server.server_address[1], server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Be away: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def posts(certificate: Path, **changes: Any) -> PinnedPosts:
    """Webhooks that find such servers: the name is known, loopback allowed, the certificate trusted."""
    given: dict[str, Any] = {
        "resolve": lambda host, _: {HOST: ["127.0.0.1"]}[host],
        "may_connect": lambda address: address.is_loopback,
        "tls": ssl.create_default_context(cafile=str(certificate)),
        **changes,
    }
    return PinnedPosts(**given)


@contextmanager
def receiving(folder: Path) -> Iterator[ReceiverServer]:
    """A server that listens on a free port until the block ends. Those of one folder have one certificate."""
    certificate = folder / "hooks.pem"
    server = ReceiverServer(0, certificate if certificate.exists() else make_certificate(certificate))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def make_certificate(path: Path, host: str = HOST) -> Path:
    """A certificate of this name that vouches for itself, and its key, in one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path
