"""`service.ports.Mailer` over SMTP: one connection a mail, TLS unless the server is on this machine.

What the server answers is told by its code alone: its text may repeat the address or the mail.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from service.adapters.deadline import Deadline
from service.ports import Letter, MailRefused, MailUnavailable

CONNECT_SECONDS = 10.0
"""For each address of the server: beyond it the server is taken to be away."""

EXCHANGE_SECONDS = 90.0
"""From there to the end, however its bytes come: servers look through a mail before they take it, some for a minute.
With the name's look-up and the connection it stays below `mailing.CLAIM`."""

TOO_LARGE = 552
"""Says so of the mail, and not of us, already where the sender is named."""

_BY_PASSWORD = frozenset({"CRAM-MD5", "PLAIN", "LOGIN"})
"""The ways of signing in that `smtplib` knows."""


class SmtpMailer:
    """Hands mails to one server. Safe to use from many threads."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        tls: str,
        sender: str,
        organization: str,
        helo: str,
        reply_to: str | None = None,
        login: tuple[str, str] | None = None,
        ca_file: Path | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        exchange_seconds: float = EXCHANGE_SECONDS,
    ) -> None:
        """`tls` is starttls, implicit or no; `login` a name and a password; `helo` our name.

        Raises `OSError`, `ssl.SSLError` for a `ca_file` that cannot be used.
        """
        self._host = host
        self._port = port
        self._tls = tls
        self._sender = sender
        self._from = _address(sender, " ".join(organization.split()))
        # Beyond ASCII it would need SMTPUTF8 for mails that need none.
        self._reply_to = _address(reply_to) if reply_to and reply_to.isascii() else None
        self._helo = helo
        self._login = login
        self._context = _trusting(ca_file) if ca_file else None
        self._connect_seconds = connect_seconds
        self._exchange_seconds = exchange_seconds

    def send(self, letter: Letter) -> None:
        """See `Mailer.send`."""
        try:
            message = self._compose(letter)
        except ValueError:  # an address or header that cannot be written, UnicodeError included
            raise MailRefused("cannot be written") from None
        taken = False
        try:
            with self._session() as smtp:
                smtp.send_message(message, self._sender, [letter.to])
                taken = True
                with suppress(smtplib.SMTPException, OSError):
                    smtp.quit()
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _verdict("recipient", max(codes, default=0)) from None
        except smtplib.SMTPDataError as error:
            raise _verdict("mail", error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise MailRefused("the server takes no such address (SMTPUTF8)") from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            if taken:
                return
            if isinstance(error, smtplib.SMTPSenderRefused) and error.smtp_code == TOO_LARGE:
                raise _verdict("mail", error.smtp_code) from None
            raise _passing(error) from None

    def check(self) -> str:
        """See `Mailer.check`."""
        try:
            with self._session() as smtp:
                with suppress(smtplib.SMTPException, OSError):
                    smtp.quit()
                utf8 = "" if smtp.has_extn("smtputf8") else "; takes no addresses beyond ASCII"
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise _passing(error) from None
        signed = ", signed in" if self._login else ""
        said = {"starttls": "STARTTLS", "implicit": "TLS", "no": "no TLS, on loopback"}[self._tls]
        return f"{self._host}:{self._port} answers, {said}{signed}{utf8}"

    @contextmanager
    def _session(self) -> Iterator[_Session]:
        """A connection that may send: greeted, encrypted and signed in as configured."""
        connected = socket.create_connection((self._host, self._port), self._connect_seconds)
        with Deadline(connected, self._exchange_seconds) as deadline:
            if self._tls == "implicit":
                connected = self._encrypted(connected, deadline)
            smtp = _Session(self._host, self._helo, connected)
            smtp.ehlo_or_helo_if_needed()
            if self._tls == "starttls":
                if not smtp.has_extn("starttls"):
                    raise MailUnavailable("the server offers no STARTTLS")
                code, _ = smtp.docmd("STARTTLS")
                if code != 220:
                    raise MailUnavailable(f"STARTTLS was refused ({code})")
                smtp.begin_anew(self._encrypted(connected, deadline))
                smtp.ehlo()
            if self._login:
                if _BY_PASSWORD.isdisjoint(smtp.esmtp_features.get("auth", "").upper().split()):
                    raise MailUnavailable("the server offers no signing in by a password")
                smtp.login(*self._login)
            yield smtp

    def _encrypted(self, connected: socket.socket, deadline: Deadline) -> ssl.SSLSocket:
        if self._context is None:  # not before it is needed: it reads all authorities of the system
            self._context = _trusting(None)
        encrypted = self._context.wrap_socket(
            connected, server_hostname=self._host, do_handshake_on_connect=False
        )
        deadline.guard(encrypted)
        encrypted.do_handshake()
        return encrypted

    def _compose(self, letter: Letter) -> EmailMessage:
        international = not (letter.to + self._sender).isascii()
        message = EmailMessage(policy=policy.SMTP.clone(utf8=international))
        message["From"] = self._from
        message["To"] = _address(letter.to)
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(letter.date)
        message["Message-ID"] = f"<{letter.id}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's out-of-office answers it
        if self._reply_to is not None:
            message["Reply-To"] = self._reply_to
        message.set_content(letter.text, cte="quoted-printable")
        message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
        for attached in letter.attachments:
            message.add_attachment(
                attached.content, maintype="text", subtype="plain", cte="base64", filename=attached.name
            )
        return message


class _Session(smtplib.SMTP):
    """SMTP over a connection that is there already."""

    def __init__(self, host: str, helo: str, connected: socket.socket) -> None:
        self._connected = connected
        super().__init__(host, 1, local_hostname=helo)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._connected

    def begin_anew(self, encrypted: ssl.SSLSocket) -> None:
        """Go on encrypted; what was said before is forgotten (RFC 3207)."""
        self.sock = encrypted
        self.file: Any = None
        self.helo_resp = None
        self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _address(mail: str, name: str = "") -> Address:
    """The address for a header; its local part there without quotes, which the header adds where they are needed."""
    local, _, domain = mail.rpartition("@")
    if local.startswith('"'):
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    return Address(display_name=name, username=local, domain=domain)


def _verdict(what: str, code: int) -> MailRefused | MailUnavailable:
    """A refusal for good (5xx), or one that passes."""
    if 500 <= code <= 599:
        return MailRefused(f"{what} refused ({code})")
    return MailUnavailable(f"{what} not taken now ({code})")


def _passing(error: Exception) -> MailUnavailable:
    """What is not the mail's doing: it may be mended, at the server or in the settings."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return MailUnavailable(f"signing in was refused ({error.smtp_code})")
        case smtplib.SMTPSenderRefused():
            return MailUnavailable(f"sender refused ({error.smtp_code})")
        case smtplib.SMTPResponseException():
            return MailUnavailable(f"the server answered {error.smtp_code}")
        case smtplib.SMTPServerDisconnected():
            return MailUnavailable("the connection was lost")
        case smtplib.SMTPException():
            return MailUnavailable("not SMTP")
        case TimeoutError():
            return MailUnavailable("too slow")
        case ssl.SSLError():
            return MailUnavailable("no trusted TLS")
        case OSError():
            return MailUnavailable("not reached")
        case _:
            return MailUnavailable("cannot be said to the server")
