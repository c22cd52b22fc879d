"""A real SMTP server on loopback (aiosmtpd), and a certificate authority of its own."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "sealmark", "correct horse"


@dataclass
class Taken:
    """What a server took: the envelope, the bytes, and the mail as a mail program reads it."""

    sender: str
    to: list[str]
    raw: bytes
    utf8: bool
    user: str | None

    @property
    def mail(self) -> EmailMessage:
        read = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(read, EmailMessage)
        return read

    def part(self, kind: str) -> str:
        """The text of the part of this media type."""
        (found,) = [p for p in self.mail.walk() if p.get_content_type() == kind and not p.get_filename()]
        return str(found.get_content())


@dataclass
class SmtpServer:
    """A running server; `answers` are lines that it gives instead of its own, by command."""

    host: str
    port: int
    taken: list[Taken] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    async def handle_MAIL(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        user = session.auth_data.decode() if session.auth_data else None
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(
            Taken(str(envelope.mail_from), list(envelope.rcpt_tos), content, envelope.smtp_utf8, user)
        )
        return "250 OK"

    async def handle_QUIT(self, server: Any, session: Session, envelope: Envelope) -> str:
        return self.answers.get("QUIT", "221 Bye")


@contextmanager
def smtp_server(
    *, port: int = 0, tls: str = "no", certificate: Path | None = None, auth: bool = False, utf8: bool = True
) -> Iterator[SmtpServer]:
    """A server inside the block. `tls` is starttls, implicit or no; with `auth` one must sign in first."""
    from tests.servers.process import free_port

    server = SmtpServer("127.0.0.1", port or free_port())
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)

    def authenticate(_: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=known, handled=False, auth_data=data.login if known else None)

    options: dict[str, Any] = {"enable_SMTPUTF8": utf8}
    if tls == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if tls == "implicit":
        options["ssl_context"] = context
    if auth:
        options |= {
            "authenticator": authenticate,
            "auth_required": True,
            "auth_require_tls": tls == "starttls",
        }
    controller = Controller(server, hostname=server.host, port=server.port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def certificates(folder: Path, address: str = "127.0.0.1") -> tuple[Path, Path]:
    """A certificate authority's file, and the file of a server's key and certificate for this address by it."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
    ca = (
        _certificate(ca_name, ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smtp")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    made = _certificate(name, ca_name, key).add_extension(names, critical=False).sign(ca_key, hashes.SHA256())
    ca_file, server_file = folder / "ca.pem", folder / "server.pem"
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server_file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return ca_file, server_file


def _certificate(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
    )
