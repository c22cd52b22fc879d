"""A real time-stamping authority: `openssl ts -reply` behind a small HTTP server on loopback."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

QUERY = "application/timestamp-query"
REPLY = "application/timestamp-reply"

CONFIG = """\
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
{chain}
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = {digests}
ess_cert_id_alg = sha256
"""


@dataclass
class Tsa:
    """A running authority. `distort` changes an answer before it leaves; what was asked is kept."""

    folder: Path
    url: str = ""
    asked: list[bytes] = field(default_factory=list)
    status: int = 200
    kind: str = REPLY
    distort: Callable[[bytes], bytes] = field(default=lambda reply: reply)

    @property
    def root(self) -> Path:
        """The certificate that its own leads to."""
        return self.folder / "root.pem"

    def reply(self, query: bytes) -> bytes:
        """What OpenSSL answers."""
        made = subprocess.run(
            ["openssl", "ts", "-reply", "-queryfile", "/dev/stdin", "-config", "tsa.cnf"],
            cwd=self.folder,
            input=query,
            check=True,
            capture_output=True,
        )
        return made.stdout

    def verifies(self, stamp: bytes, content: bytes) -> bool:
        """Whether OpenSSL itself says that the stamp is this authority's over this content."""
        (self.folder / "stamp.tsr").write_bytes(stamp)
        (self.folder / "content").write_bytes(content)
        made = subprocess.run(
            ["openssl", "ts", "-verify", "-in", "stamp.tsr", "-data", "content", "-CAfile", "root.pem"],
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        return made.returncode == 0 and "Verification: OK" in made.stdout + made.stderr


@contextmanager
def running_tsa(folder: Path, *, digests: str = "sha256", chain: bool = False) -> Iterator[Tsa]:
    """An authority with keys of its own in this folder, as long as the block runs; `chain`: it sends its root, too."""
    folder.mkdir(parents=True, exist_ok=True)
    _make_keys(folder)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(
        CONFIG.format(folder=folder, digests=digests, chain=f"certs = {folder}/root.pem" if chain else "")
    )
    tsa = Tsa(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == QUERY
            tsa.asked.append(query)
            body = tsa.distort(tsa.reply(query))
            self.send_response(tsa.status)
            self.send_header("Content-Type", tsa.kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tsa.url = f"http://127.0.0.1:{server.server_port}/tsr"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield tsa
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _make_keys(folder: Path) -> None:
    root_key, tsa_key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    root_name, tsa_name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Test Root", "Test TSA")
    )
    root = _certificate(root_name, root_name, root_key, root_key, root=True)
    tsa = _certificate(tsa_name, root_name, tsa_key, root_key, root=False)
    (folder / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    (folder / "tsa.pem").write_bytes(tsa.public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "tsa.key").write_bytes(tsa_key.private_bytes(*pem))


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPrivateKey,
    signer: rsa.RSAPrivateKey,
    *,
    root: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if not root:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(signer, hashes.SHA256())
