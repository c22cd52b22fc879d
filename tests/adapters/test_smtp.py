"""Mails over SMTP, as a real server takes them, refuses them, or is away."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.adapters.smtp import SmtpMailer
from service.ports import Attachment, Letter, MailRefused, MailUnavailable
from tests.servers.process import free_port
from tests.servers.smtp import PASSWORD, USER, SmtpServer, certificates, smtp_server

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = "v1.Zq9-canary-link"


def a_letter(**values: Any) -> Letter:
    given = {
        "id": "msg_1.1@reports.lender.example",
        "to": "ana@acme.example",
        "subject": "A report for you",
        "text": f"Grüße,\n\nhttps://reports.lender.example/s/{SECRET}\n.\nfrom us\n",
        "html": f'<p><a href="https://reports.lender.example/s/{SECRET}">Grüße</a>',
        "date": NOW,
    }
    return Letter(**{**given, **values})


def mailer(port: int, **values: Any) -> SmtpMailer:
    given = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "no",
        "sender": "reports@lender.example",
        "organization": "Lender, Bücher & Söhne",
        "helo": "reports.lender.example",
    }
    return SmtpMailer(**{**given, **values})


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with smtp_server() as running:
        yield running


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate authority's file, and that of a server's key and certificate."""
    return certificates(tmp_path_factory.mktemp("tls"))


def test_a_mail_arrives_with_both_parts_and_the_fields_of_an_automatic_mail(server: SmtpServer) -> None:
    mailer(server.port, reply_to="assurance@lender.example").send(a_letter())

    (taken,) = server.taken
    mail = taken.mail
    assert (taken.sender, taken.to) == ("reports@lender.example", ["ana@acme.example"])
    (sender,) = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Lender, Bücher & Söhne", "reports@lender.example")
    assert mail["To"] == "ana@acme.example"
    assert mail["Subject"] == "A report for you"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == "<msg_1.1@reports.lender.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == "assurance@lender.example"
    assert mail.get_content_type() == "multipart/alternative"
    assert taken.part("text/plain").replace("\r\n", "\n") == a_letter().text
    assert taken.part("text/html").strip() == a_letter().html
    assert taken.raw.isascii()
    assert not taken.utf8
    assert max(len(line) for line in taken.raw.splitlines()) <= 78


@pytest.mark.parametrize("contact", [None, "änne@lender.example"])
def test_without_a_contact_that_every_server_takes_there_is_no_reply_to(
    server: SmtpServer, contact: str | None
) -> None:
    mailer(server.port, reply_to=contact).send(a_letter())
    assert server.taken[0].mail["Reply-To"] is None


def test_an_attachment_keeps_its_bytes(server: SmtpServer) -> None:
    note = "reports.lender.example/log\n4711\nAAAA\n\n— reports.lender.example/log AAAA\n".encode()
    mailer(server.port).send(a_letter(attachments=(Attachment("checkpoint.txt", note),)))

    (attached,) = server.taken[0].mail.iter_attachments()
    assert attached.get_filename() == "checkpoint.txt"
    assert attached.get_payload(decode=True) == note
    assert "Grüße" in server.taken[0].part("text/plain")


def test_subjects_in_any_script_and_long_ids_arrive_whole(server: SmtpServer) -> None:
    subject = "“SOC 2 報告書” سلمى " + "лонг " * 20 + "end"
    mailer(server.port).send(a_letter(subject=subject, id=f"msg_{'a' * 26}.1@{'reports.' * 8}lender.example"))

    mail = server.taken[0].mail
    assert mail["Subject"] == subject
    assert mail["Message-ID"] == f"<msg_{'a' * 26}.1@{'reports.' * 8}lender.example>"


@pytest.mark.parametrize("to", ["ana@xn--bcher-kva.example", '"ana b"@acme.example', "o'neil+x@acme.example"])
def test_addresses_within_ascii_go_out_as_they_are(server: SmtpServer, to: str) -> None:
    mailer(server.port).send(a_letter(to=to))
    (taken,) = server.taken
    assert taken.to == [to]
    assert str(taken.mail["To"].addresses[0].addr_spec) == to
    assert not taken.utf8


def test_a_local_part_beyond_ascii_goes_out_by_smtputf8(server: SmtpServer) -> None:
    mailer(server.port).send(a_letter(to="änne@acme.example"))
    (taken,) = server.taken
    assert (taken.to, taken.utf8) == (["änne@acme.example"], True)
    assert "To: änne@acme.example".encode() in taken.raw


def test_a_server_without_smtputf8_cannot_have_such_a_mail() -> None:
    with smtp_server(utf8=False) as server:
        with pytest.raises(MailRefused, match="SMTPUTF8"):
            mailer(server.port).send(a_letter(to="änne@acme.example"))
        mailer(server.port).send(a_letter())
        assert "beyond ASCII" in mailer(server.port).check()
    assert [taken.to for taken in server.taken] == [["ana@acme.example"]]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_tls_and_signing_in_by_an_authority_of_ones_own(pair: tuple[Path, Path], tls: str) -> None:
    ca_file, certificate = pair
    signs_in = tls == "starttls"  # aiosmtpd offers it after STARTTLS only
    login = (USER, PASSWORD) if signs_in else None
    with smtp_server(tls=tls, certificate=certificate, auth=signs_in) as server:
        sender = mailer(server.port, tls=tls, ca_file=ca_file, login=login)
        said = sender.check()
        assert server.taken == []
        sender.send(a_letter())
    assert [taken.user for taken in server.taken] == [USER if signs_in else None]
    assert said.startswith(f"127.0.0.1:{server.port} answers, ")
    assert ("signed in" in said) == signs_in
    assert USER not in said


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_that_is_not_trusted_is_sent_nothing(pair: tuple[Path, Path], tls: str) -> None:
    with smtp_server(tls=tls, certificate=pair[1]) as server:
        for sender in (
            mailer(server.port, tls=tls),
            mailer(server.port, tls=tls, ca_file=pair[0], host="localhost"),  # it is for 127.0.0.1
        ):
            with pytest.raises(MailUnavailable, match="no trusted TLS"):
                sender.send(a_letter())
            with pytest.raises(MailUnavailable, match="no trusted TLS"):
                sender.check()
    assert server.taken == []


def test_where_starttls_is_asked_for_and_not_offered_nothing_is_said_in_clear(server: SmtpServer) -> None:
    with pytest.raises(MailUnavailable, match="no STARTTLS"):
        mailer(server.port, tls="starttls", login=(USER, PASSWORD)).send(a_letter())
    assert server.taken == []


def test_a_wrong_password_is_the_owners_to_mend_and_is_not_repeated(pair: tuple[Path, Path]) -> None:
    with smtp_server(tls="starttls", certificate=pair[1], auth=True) as server:
        sender = mailer(server.port, tls="starttls", ca_file=pair[0], login=(USER, SECRET))
        with pytest.raises(MailUnavailable, match=r"signing in was refused \(535\)") as refused:
            sender.send(a_letter())
    assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_a_server_that_offers_no_signing_in_is_told_so(server: SmtpServer) -> None:
    with pytest.raises(MailUnavailable, match="offers no signing in"):
        mailer(server.port, login=(USER, PASSWORD)).check()


@pytest.mark.parametrize(
    ("command", "answer", "error", "said"),
    [
        ("RCPT", "550 5.1.1 no ana@acme.example here", MailRefused, "recipient refused (550)"),
        ("RCPT", "451 4.7.1 greylisted ana@acme.example", MailUnavailable, "recipient not taken now (451)"),
        ("DATA", f"554 5.7.1 spam: {SECRET}", MailRefused, "mail refused (554)"),
        ("DATA", "452 4.3.1 disk full", MailUnavailable, "mail not taken now (452)"),
        ("MAIL", "550 5.7.1 not your domain", MailUnavailable, "sender refused (550)"),
        ("MAIL", "552 5.3.4 too large", MailRefused, "mail refused (552)"),
        ("MAIL", "421 4.3.2 going down", MailUnavailable, "sender refused (421)"),
    ],
)
def test_a_refusal_for_good_differs_from_one_that_passes_and_neither_repeats_the_server(
    server: SmtpServer, command: str, answer: str, error: type[Exception], said: str
) -> None:
    server.answers[command] = answer
    with pytest.raises(error) as refused:
        mailer(server.port).send(a_letter())
    assert str(refused.value) == said
    told = "".join(traceback.format_exception(refused.value))
    assert "ana@acme" not in told
    assert SECRET not in told


def test_a_mail_that_was_taken_was_sent_however_the_server_takes_leave(server: SmtpServer) -> None:
    server.answers["QUIT"] = "500 no idea"
    mailer(server.port).send(a_letter())
    assert len(server.taken) == 1


def test_a_mail_that_was_taken_was_sent_even_if_the_server_never_takes_leave() -> None:
    heard: list[bytes] = []

    def take(connected: socket.socket) -> None:
        talk = dict.fromkeys((b"EHLO", b"MAIL", b"RCPT"), b"250 OK") | {
            b"DATA": b"354 go on",
            b".": b"250 OK",
        }
        connected.sendall(b"220 here\r\n")
        with connected.makefile("rb") as read:
            for line in read:
                heard.append(line.strip().upper())
                answer = talk.get(line.strip().upper()[:4])
                if answer is not None:
                    connected.sendall(answer + b"\r\n")

    with listening(take) as port:
        mailer(port, exchange_seconds=1.0).send(a_letter())
    assert heard.index(b".") < heard.index(b"QUIT")


def test_a_server_that_is_away_is_asked_again_and_takes_it_when_it_is_back() -> None:
    port = free_port()
    with pytest.raises(MailUnavailable, match="not reached"):
        mailer(port).send(a_letter())
    with smtp_server(port=port) as server:
        mailer(port).send(a_letter())
    assert len(server.taken) == 1


@pytest.mark.parametrize("field", ["subject", "id", "to"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_nothing_can_bring_header_fields_or_commands(server: SmtpServer, field: str, end: str) -> None:
    with pytest.raises(MailRefused, match="cannot be written"):
        mailer(server.port).send(a_letter(**{field: f"x@acme.example{end}Bcc: eve@evil.example"}))
    assert server.taken == []


def test_an_organization_of_two_lines_is_one_line(server: SmtpServer) -> None:
    mailer(server.port, organization="Lender\r\nBcc: eve@evil.example").send(a_letter())
    (taken,) = server.taken
    assert taken.mail["Bcc"] is None
    assert taken.to == ["ana@acme.example"]


@contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where each connection is talked with; ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(2)

        def serve() -> None:
            try:
                while True:
                    connected, _ = listener.accept()
                    with connected:
                        talk(connected)
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(10)


def silent(connected: socket.socket) -> None:
    connected.settimeout(5)
    connected.recv(1)


def dripping(connected: socket.socket) -> None:
    for _ in range(50):
        connected.sendall(b"2")
        time.sleep(0.1)


@pytest.mark.parametrize("talk", [silent, dripping])
@pytest.mark.parametrize("tls", ["no", "implicit"])
def test_a_server_that_does_not_come_to_an_end_is_left_in_time(
    talk: Callable[[socket.socket], None], tls: str, pair: tuple[Path, Path]
) -> None:
    with listening(talk) as port:
        began = time.monotonic()
        with pytest.raises(MailUnavailable):
            mailer(port, tls=tls, ca_file=pair[0], exchange_seconds=0.5).send(a_letter())
        assert time.monotonic() - began < 3


def test_a_server_that_speaks_something_else_is_no_mail_server() -> None:
    with (
        listening(lambda connected: connected.sendall(b"SSH-2.0-OpenSSH_9.6\r\n" * 3)) as port,
        pytest.raises(MailUnavailable),
    ):
        mailer(port).send(a_letter())


def test_a_server_that_hangs_up_before_it_says_that_it_took_the_mail_may_be_asked_again() -> None:
    def hang_up(connected: socket.socket) -> None:
        connected.sendall(b"220 here\r\n")
        with connected.makefile("rb") as read:
            for line in read:
                if line == b".\r\n":
                    return
                if line.upper().startswith((b"EHLO", b"MAIL", b"RCPT")):
                    connected.sendall(b"250 OK\r\n")
                elif line.upper().startswith(b"DATA"):
                    connected.sendall(b"354 go on\r\n")

    with listening(hang_up) as port, pytest.raises(MailUnavailable, match="connection was lost"):
        mailer(port).send(a_letter())


def answering(
    *said: tuple[bytes, bytes], heard: list[bytes] | None = None
) -> Callable[[socket.socket], None]:
    """A server that answers each command by the first of these beginnings that fits it; `heard` gathers them."""

    def talk(connected: socket.socket) -> None:
        connected.sendall(b"220 here\r\n")
        with connected.makefile("rb") as read:
            for line in read:
                if heard is not None:
                    heard.append(line.split()[0])
                fitting = (answer for begin, answer in said if line.upper().startswith(begin))
                connected.sendall(next(fitting, b"500 what?") + b"\r\n")

    return talk


HELLO = (b"EHLO", b"250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN")


def test_where_starttls_is_offered_and_then_refused_nothing_is_said_in_clear() -> None:
    heard: list[bytes] = []
    with listening(answering(HELLO, (b"STARTTLS", b"454 4.7.0 no TLS now"), heard=heard)) as port:
        sender = mailer(port, tls="starttls", login=(USER, PASSWORD))
        with pytest.raises(MailUnavailable, match=r"STARTTLS was refused \(454\)"):
            sender.send(a_letter())
    assert [command.upper() for command in heard] == [b"EHLO", b"STARTTLS"]


def test_a_server_that_asks_for_signing_in_for_ever_is_left() -> None:
    with (
        listening(answering(HELLO, (b"", b"334 bW9yZQ=="))) as port,
        pytest.raises(MailUnavailable, match="not SMTP"),
    ):
        mailer(port, login=(USER, PASSWORD)).check()


@pytest.mark.parametrize("offered", [b"GSSAPI", b"XOAUTH2 OAUTHBEARER"])
def test_a_server_that_takes_no_password_is_told_so(offered: bytes) -> None:
    with (
        listening(answering((b"EHLO", b"250-here\r\n250 AUTH " + offered))) as port,
        pytest.raises(MailUnavailable, match="offers no signing in"),
    ):
        mailer(port, login=(USER, PASSWORD)).check()


@pytest.mark.parametrize(
    "values", [{"helo": "bücher.example"}, {"login": (USER, "pässword")}], ids=["name", "password"]
)
def test_what_smtp_has_no_letters_for_is_the_owners_to_mend(values: dict[str, Any]) -> None:
    with (
        listening(answering(HELLO, (b"AUTH", b"334 "))) as port,
        pytest.raises(MailUnavailable, match="cannot be said to the server"),
    ):
        mailer(port, **values).check()


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_an_authority_that_cannot_be_read_stops_the_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OSError):  # noqa: PT011  # ssl.SSLError is one
        mailer(25, ca_file=path)
