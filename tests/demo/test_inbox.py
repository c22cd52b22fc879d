"""The demo's mails: sent as a real installation sends them, shown on the console, and kept nowhere."""

from __future__ import annotations

import smtplib

import pytest

from service.adapters.smtp import SmtpMailer
from service.demo.inbox import MAX_MAIL, inbox
from service.ports import Attachment
from tests.adapters.test_smtp import a_letter, mailer


def test_a_mail_is_shown_as_it_was_written() -> None:
    shown: list[str] = []
    with inbox(shown.append) as port:
        sender: SmtpMailer = mailer(port)
        sender.check()
        sender.send(a_letter(to="änne@acme.example", attachments=(Attachment("note.txt", b"x"),)))
    (text,) = shown
    assert text.splitlines()[:2] == ["To: änne@acme.example", "Subject: A report for you"]
    assert text.endswith(a_letter().text + "[attached: note.txt]")


def test_what_is_no_mail_is_not_shown() -> None:
    shown: list[str] = []
    with inbox(shown.append) as port, smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
        assert smtp.docmd("WHAT")[0] == 502
        with pytest.raises((smtplib.SMTPException, OSError)):
            smtp.sendmail(
                "a@b.example", ["c@d.example"], b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * (MAX_MAIL // 70)
            )
    assert shown == []
