"""Mailing: what waits is sent, at least once, with a link made for this try alone."""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crypto import tokens
from service.audit import Actor
from service.decision import Allowed, Denial, decide
from service.errors import DomainError, Problem
from service.mail_texts import SAMPLE, MailTexts, TemplateBroken
from service.mailchecks import CodeRefused
from service.mailing import CLAIM, CODE_PAUSES, CODE_WITHIN, PAUSES
from service.outbox import Mail, queue
from service.ports import Letter, MailRefused, MailUnavailable
from service.records import (
    AccessRequest,
    Check,
    Kind,
    Link,
    Listing,
    MailCheck,
    Message,
    NdaMode,
    NdaText,
    RequestState,
    Session,
    Share,
)
from service.settings import SettingError
from tests.service.acting import a_document, a_share, a_version, an_nda
from tests.service.erasing_cases import holders
from tests.service_fixture import OPERATOR, URL, Postbox, Service, mailing_by, service_in

ANA = "ana@acme.example"
STRANGER = Actor("stranger", address="192.0.2.9")
CODE = re.compile(r"^    ([0-9]{6})$", re.MULTILINE)
LINK = re.compile(re.escape(URL) + r"/s/(v1\.[\w.-]+)")


@pytest.fixture
def share(service: Service) -> Share:
    """A share whose link waits in the outbox."""
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    made, message = a_share(service, document, send=True)
    assert isinstance(message, Message)
    return made


def link_in(letter: Letter) -> str:
    """The token of the one link in a mail, the same in both parts."""
    plain, html = set(LINK.findall(letter.text)), set(LINK.findall(letter.html))
    assert plain == html
    (token,) = plain
    return str(token)


def opens(service: Service, token: str) -> Allowed | Denial:
    """What the link of this token is decided to now."""
    sealmark, now = service.sealmark, service.clock()
    read = tokens.verify(token, sealmark.keys.verifying("link"), int(now.timestamp()))
    grant = sealmark.database.grant(read.share_id, tokens.link_hash(read.link_id), now)
    assert grant is not None
    return decide(grant, now, asking=True, checked=True)


def messages(service: Service) -> list[Message]:
    with service.sealmark.database.read() as records:
        return records.find(Message, order="created_at")


def mail_entries(service: Service) -> list[tuple[str, str, str, int]]:
    """Kind, outcome, reason and number of tries of each entry about a mail."""
    return [
        (row["kind"], row["outcome"], row.get("reason") or "", json.loads(row["details"])["attempts"])
        for row in service.entries()
        if row["kind"].startswith("mail.")
    ]


def a_message(service: Service, kind: Mail, about: str, **values: Any) -> Message:
    with service.sealmark.database.write() as records:
        given = {"mail": ANA, **values}
        return queue(records, service.sealmark.random, service.clock(), kind=kind, about=about, **given)


def test_a_link_is_made_when_it_is_mailed_and_not_before(service: Service, share: Share) -> None:
    with service.sealmark.database.read() as records:
        assert records.find(Link, share_id=share.id) == []
    service.clock.advance(hours=2)

    (letter,) = service.mails()

    assert letter.to == ANA
    assert letter.subject == "Lender Example Ltd shares “SOC 2 Type II” with you"
    assert isinstance(opens(service, link_in(letter)), Allowed)
    with service.sealmark.database.read() as records:
        (link,) = records.find(Link, share_id=share.id)
    assert link.expires_at == service.clock() + timedelta(hours=72)
    (created,) = service.entries("link.created")
    (sent,) = service.entries("mail.sent")
    assert (created["link"], created["actor_type"]) == (link.hash, "worker")
    assert (sent["link"], sent["share"], sent["recipient"]) == (link.hash, share.id, share.recipient_id)
    (message,) = messages(service)
    assert json.loads(sent["details"]) == {"message": message.id, "about": share.id, "attempts": 1}
    assert message.sent_at == service.clock()
    assert service.mails() == []


def test_a_retry_ends_the_link_of_the_try_before(service: Service, share: Share) -> None:
    tried: list[str] = []

    class Lost(Postbox):
        """Takes the first mail without confirming it."""

        def send(self, letter: Letter) -> None:
            tried.append(link_in(letter))
            if len(tried) == 1:
                raise MailUnavailable("the connection was lost")

    mailing = mailing_by(Lost(), service.sealmark)
    mailing.run_once()
    assert isinstance(opens(service, tried[0]), Allowed)
    service.clock.advance(seconds=59)
    assert not mailing.run_once()
    service.clock.advance(seconds=1)
    assert mailing.run_once()

    assert opens(service, tried[0]) == Denial.LINK_REVOKED
    assert isinstance(opens(service, tried[1]), Allowed)
    first, second = service.entries("link.created")
    assert json.loads(second["details"])["replaces"] == first["link"]
    assert mail_entries(service) == [("mail.sent", "ok", "", 2)]


def test_each_try_has_an_id_of_its_own_so_that_no_server_drops_the_later_link(
    service: Service, share: Share
) -> None:
    service.postbox.failure = MailUnavailable("too slow")
    service.mails()
    service.postbox.failure = None
    service.clock.advance(minutes=1)
    (second,) = service.mails()
    (message,) = messages(service)
    assert second.id == f"{message.id}.2@reports.lender.example"


@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_sender_that_dies_sends_again_and_the_first_link_ends(
    service: Service, share: Share, dies: str
) -> None:
    tried: list[str] = []

    class Killed(Postbox):
        def send(self, letter: Letter) -> None:
            tried.append(link_in(letter))
            raise SystemExit

    mailing = mailing_by(Killed(), service.sealmark)
    if dies == "before":
        assert mailing._claim() is not None
    else:
        with pytest.raises(SystemExit):
            mailing.run_once()
    assert service.mails() == []  # nobody else takes it meanwhile
    assert mail_entries(service) == []

    service.clock.advance(seconds=CLAIM.total_seconds())
    (letter,) = service.mails()

    assert isinstance(opens(service, link_in(letter)), Allowed)
    assert [opens(service, token) for token in tried] == [Denial.LINK_REVOKED] * len(tried)
    assert mail_entries(service) == [("mail.sent", "ok", "", 2)]


def test_a_server_that_is_away_for_less_than_a_day_gets_it_in_the_end(service: Service, share: Share) -> None:
    assert timedelta(hours=22) < sum(PAUSES, timedelta()) < timedelta(hours=25)
    service.postbox.failure = MailUnavailable("not reached")
    for pause in PAUSES:
        assert service.mails() == []
        service.clock.advance(seconds=pause.total_seconds())
    service.postbox.failure = None

    (letter,) = service.mails()

    assert isinstance(opens(service, link_in(letter)), Allowed)
    assert mail_entries(service) == [("mail.sent", "ok", "", len(PAUSES) + 1)]


def test_after_the_last_try_it_is_given_up_and_its_link_ends(service: Service, share: Share) -> None:
    service.postbox.failure = MailUnavailable("not reached")
    for pause in (*PAUSES, timedelta(days=9)):
        service.mails()
        service.clock.advance(seconds=pause.total_seconds())
    service.postbox.failure = None

    assert service.mails() == []
    assert mail_entries(service) == [("mail.failed", "broken-off", "not-reached", len(PAUSES) + 1)]
    with service.sealmark.database.read() as records:
        assert records.find(Link, share_id=share.id, revoked_at=None) == []


def test_a_sender_that_dies_each_time_does_not_try_for_ever(service: Service, share: Share) -> None:
    for _ in range(len(PAUSES) + 1):
        assert service.sealmark.mailing._claim() is not None
        service.clock.advance(seconds=CLAIM.total_seconds())
    assert service.mails() == []
    assert [entry[:3] for entry in mail_entries(service)] == [("mail.failed", "broken-off", "not-reached")]


def test_what_the_server_refuses_for_good_is_not_tried_again_and_its_link_ends(
    service: Service, share: Share
) -> None:
    service.postbox.failure = MailRefused("recipient refused (550)")
    service.mails()
    service.postbox.failure = None
    service.clock.advance(days=3)

    assert service.mails() == []
    assert mail_entries(service) == [("mail.failed", "refused", "refused", 1)]
    (failed,) = service.entries("mail.failed")
    with service.sealmark.database.read() as records:
        (link,) = records.find(Link, share_id=share.id)
    assert link.revoked_at is not None
    assert (failed["share"], failed["link"]) == (share.id, link.hash)


def _revoked(service: Service, share: Share) -> None:
    service.sealmark.sharing.revoke(OPERATOR, share.id)


def _expired(service: Service, share: Share) -> None:
    service.clock.now = share.expires_at


def _document_revoked(service: Service, share: Share) -> None:
    service.sealmark.documents.revoke(OPERATOR, share.document_id)


def _uncovered(service: Service, share: Share) -> None:
    (nda,) = service.sealmark.ndas.list()
    service.sealmark.ndas.revoke(OPERATOR, nda.id)


def _agreement_over(service: Service, share: Share) -> None:
    (nda,) = service.sealmark.ndas.list()
    with service.sealmark.database.write() as records:
        records.change(nda, valid_until=service.clock())


@pytest.mark.parametrize("end", [_revoked, _expired, _document_revoked, _uncovered, _agreement_over])
@pytest.mark.parametrize("kind", [Mail.LINK, Mail.EXPIRING, Mail.NEW_VERSION])
def test_nothing_is_sent_for_a_share_that_has_ended(
    service: Service, share: Share, end: Any, kind: Mail
) -> None:
    service.mails()
    a_message(service, kind, share.id, recipient_id=share.recipient_id)
    end(service, share)

    assert service.mails() == []
    assert mail_entries(service)[1:] == [("mail.failed", "revoked", "ended", 1)]


@pytest.mark.parametrize("kind", list(Mail))
def test_nothing_is_sent_about_what_is_not_there_any_more(service: Service, kind: Mail) -> None:
    message = a_message(service, kind, "of_before_the_database_was_restored")
    assert service.mails() == []
    (failed,) = service.entries("mail.failed")
    assert (failed["outcome"], failed["reason"]) == ("revoked", "ended")
    assert json.loads(failed["details"])["message"] == message.id
    assert service.mails() == []


def test_a_share_that_ends_between_two_tries_takes_the_link_of_the_first_along(
    service: Service, share: Share
) -> None:
    service.postbox.failure = MailUnavailable("too slow")
    service.mails()
    service.clock.now = share.expires_at
    service.postbox.failure = None
    assert service.mails() == []
    with service.sealmark.database.read() as records:
        (link,) = records.find(Link, share_id=share.id)
    assert link.revoked_at is not None


def test_an_erased_recipient_gets_no_mail_and_their_messages_are_gone(service: Service, share: Share) -> None:
    a_message(service, Mail.CODE, "mck_x", mail=ANA)  # from before they were known as a recipient
    a_message(service, Mail.LINK, "shr_x", mail="bo@acme.example")

    service.sealmark.erasing.begin(OPERATOR, share.recipient_id)

    assert [message.mail for message in messages(service)] == ["bo@acme.example"]
    assert service.mails() == []
    assert holders(service, "ana@acme") == set()


def test_erasing_somebody_whose_mail_is_just_being_sent_ends_its_link_and_is_recorded(
    service: Service, share: Share
) -> None:
    tokens_sent: list[str] = []

    class Erasing(Postbox):
        def send(self, letter: Letter) -> None:
            service.sealmark.erasing.begin(OPERATOR, share.recipient_id)
            tokens_sent.append(link_in(letter))

    mailing_by(Erasing(), service.sealmark).run_once()

    assert opens(service, tokens_sent[0]) in {Denial.LINK_REVOKED, Denial.SHARE_REVOKED}
    assert messages(service) == []
    assert [entry[0] for entry in mail_entries(service)] == ["mail.sent"]


def test_a_refusal_of_a_mail_to_somebody_who_was_erased_meanwhile_brings_nothing_of_them_back(
    service: Service, share: Share
) -> None:
    class Refusing(Postbox):
        def send(self, letter: Letter) -> None:
            service.sealmark.erasing.begin(OPERATOR, share.recipient_id)
            raise MailRefused("recipient refused (550)")

    assert mailing_by(Refusing(), service.sealmark).run_once()
    assert (messages(service), mail_entries(service)) == ([], [])
    assert holders(service, "ana@acme") == set()


@pytest.mark.parametrize("writes", [0, 1])
def test_a_message_that_is_gone_before_it_is_made_is_not_sent(
    service: Service, share: Share, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its recipient is erased when it was found, or when it was taken."""
    database = service.sealmark.database
    write, left = database.write, [None] * writes

    def overtaken() -> Any:
        if left:
            left.pop()
        else:
            monkeypatch.undo()
            service.sealmark.erasing.begin(OPERATOR, share.recipient_id)
        return write()

    monkeypatch.setattr(database, "write", overtaken)
    service.sealmark.mailing.run_once()
    assert service.postbox.letters == []
    assert (messages(service), mail_entries(service)) == ([], [])


def test_two_workers_send_a_message_once(service: Service, share: Share) -> None:
    class Both(Postbox):
        def send(self, letter: Letter) -> None:
            assert not service.sealmark.mailing.run_once()
            super().send(letter)

    both = Both()
    mailing_by(both, service.sealmark).run_once()
    assert (len(both.letters), service.mails()) == (1, [])


def a_check(service: Service, share: Share) -> Check:
    check = Check("mck_1", share.id, share.recipient_id, ANA, "browser", service.clock())
    with service.sealmark.database.write() as records:
        records.add(check)
    a_message(service, Mail.CODE, check.id, recipient_id=share.recipient_id)
    return check


def with_codes(service: Service, *codes: str | None) -> None:
    """Let the codes of checks be these, one a try."""
    given = iter(codes)
    mailing = service.sealmark.mailing
    mailing._letters._issue = lambda records, check, now: next(given)


def test_the_code_that_is_mailed_passes_once_and_the_one_of_the_try_before_does_not(
    service: Service, share: Share
) -> None:
    checks = service.sealmark.mail_checks
    asker = {"subject": share.id, "browser": "a browser"}
    checks.begin(STRANGER, **asker, recipient_id=share.recipient_id, mail=ANA)
    tried: list[Letter] = []

    class Lost(Postbox):
        def send(self, letter: Letter) -> None:
            tried.append(letter)
            raise MailUnavailable("the connection was lost")

    mailing_by(Lost(), service.sealmark).run_once()
    service.clock.advance(seconds=CODE_PAUSES[0].total_seconds())
    code, _ = service.mails()
    first, second = (CODE.findall(letter.text) for letter in (tried[0], code))

    assert first != second
    assert checks.enter(STRANGER, **asker, code=first[0]) == CodeRefused.WRONG
    passed = checks.enter(STRANGER, **asker, code=second[0])
    assert isinstance(passed, Session)
    assert passed.mail == ANA
    assert checks.enter(STRANGER, **asker, code=second[0]) == CodeRefused.OVER


def test_without_a_mail_server_no_check_is_begun(mailless: Service) -> None:
    with pytest.raises(DomainError) as refused:
        mailless.sealmark.mail_checks.begin(
            STRANGER, subject="shr_x", browser="a browser", recipient_id=None, mail=ANA
        )
    assert refused.value.problem == Problem.MAIL_NOT_CONFIGURED
    assert messages(mailless) == []


def test_a_code_goes_before_all_else_and_a_retry_has_a_new_one(service: Service, share: Share) -> None:
    a_check(service, share)
    with_codes(service, "135790", "246813")
    service.postbox.failure = MailUnavailable("not reached")
    service.mails()
    service.postbox.failure = None
    service.clock.advance(seconds=CODE_PAUSES[0].total_seconds())
    code, _ = service.mails()

    assert "246813" in code.text
    assert "246813" in code.html
    assert "135790" not in code.text + code.html
    assert "246813" not in code.subject  # servers log subjects
    assert [row["share"] for row in service.entries("mail.sent")] == [share.id, share.id]


def test_a_code_mail_tells_a_stranger_nothing_of_what_is_lent(service: Service, share: Share) -> None:
    a_check(service, share)
    with_codes(service, "135790")
    code, *_ = service.mails()
    for word in ("SOC", "Ana", "Acme", share.id, share.document_id, "/s/"):
        assert word not in code.subject + code.text + code.html


def test_a_code_is_tried_for_minutes_only(service: Service, share: Share) -> None:
    service.mails()
    a_check(service, share)
    with_codes(service, "135790")
    service.clock.advance(seconds=CODE_WITHIN.total_seconds())
    assert service.mails() == []
    assert mail_entries(service)[1:] == [("mail.failed", "broken-off", "not-reached", 1)]


def test_no_code_is_sent_for_a_check_that_has_ended(service: Service, share: Share) -> None:
    service.mails()
    a_check(service, share)
    with_codes(service, None)
    assert service.mails() == []
    assert mail_entries(service)[1:] == [("mail.failed", "revoked", "ended", 1)]


def asked(service: Service, share: Share, state: RequestState) -> AccessRequest:
    made = AccessRequest(
        id="acc_1",
        document_id=share.document_id,
        recipient_id=share.recipient_id,
        name="Ana Example",
        company="Acme",
        purpose="review",
        language="",
        state=state,
        created_at=service.clock(),
        share_id=share.id if state == RequestState.APPROVED else None,
    )
    with service.sealmark.database.write() as records:
        records.add(made)
    return made


def test_who_is_approved_gets_the_link_and_who_is_denied_no_more_than_the_trust_page_says(
    service: Service, share: Share
) -> None:
    service.mails()
    made = asked(service, share, RequestState.APPROVED)
    a_message(service, Mail.APPROVED, made.id, recipient_id=share.recipient_id)
    a_message(service, Mail.DENIED, made.id, recipient_id=share.recipient_id)
    approved, denied = sorted(service.mails(), key=lambda letter: letter.subject)

    assert approved.subject == "Your access to “SOC 2 Type II” is approved"
    assert isinstance(opens(service, link_in(approved)), Allowed)
    assert denied.subject == "Your request for a document"
    assert "SOC" not in denied.text + denied.html

    service.sealmark.documents.change(OPERATOR, share.document_id, listing=Listing.NAMED)
    a_message(service, Mail.DENIED, made.id, recipient_id=share.recipient_id)
    (denied,) = service.mails()
    assert denied.subject == "Your request for “SOC 2 Type II”"
    assert LINK.findall(denied.text) == []


def test_a_share_that_waits_for_its_agreement_names_the_document_only_as_far_as_the_trust_page_does(
    service: Service,
) -> None:
    document = a_document(service, name="Project Falcon")
    a_version(service, document)
    with service.sealmark.database.write() as records:
        records.add(NdaText("txt_1", 1, "We agree.", "00", None, service.clock()))
    a_share(service, document, nda=NdaMode.ASK, send=True)
    (letter,) = service.mails()

    assert letter.subject == "Lender Example Ltd shares a document with you"
    assert "Falcon" not in letter.text + letter.html
    assert "sign a confidentiality agreement" in letter.text
    assert "we mail you a code" in letter.text


def test_no_row_entry_or_log_line_holds_a_link_or_a_code(
    service: Service, share: Share, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    a_check(service, share)
    with_codes(service, "975318", "864209")
    seen: list[Letter] = []

    class Broken(Postbox):
        def send(self, letter: Letter) -> None:
            seen.append(letter)
            raise MailUnavailable("too slow")

    broken = mailing_by(Broken(), service.sealmark)
    broken._letters = service.sealmark.mailing._letters
    while broken.run_once() or len(seen) < 2:
        pass
    service.clock.advance(minutes=2)
    sent = service.mails()
    links = [link_in(letter) for letter in (*seen, *sent) if "/s/" in letter.text]
    assert len(links) == 2
    for secret in ("975318", "864209", *links, *(link.rsplit(".", 1)[1] for link in links)):
        assert holders(service, secret.casefold()) == set()
        assert secret not in "".join(str(record.__dict__) for record in caplog.records)


def test_a_mail_cannot_bring_header_fields_by_a_name(service: Service) -> None:
    document = a_document(service, name="Report\u2028Bcc: eve@evil.example\u2029X: y")
    a_version(service, document)
    an_nda(service)
    a_share(service, document, send=True)
    (letter,) = service.mails()
    assert letter.subject == "Lender Example Ltd shares “Report Bcc: eve@evil.example X: y” with you"


def test_names_are_text_in_html(service: Service) -> None:
    document = a_document(service, name="<img src=x onerror=alert(1)>")
    a_version(service, document)
    an_nda(service)
    a_share(service, document, name="Ana <b>Bold</b>", send=True)
    (letter,) = service.mails()
    assert "<img" not in letter.html
    assert "&lt;b&gt;Bold" in letter.html
    assert "Ana <b>Bold</b>" in letter.text


def test_sent_messages_are_forgotten_after_a_month_and_waiting_ones_are_not(
    service: Service, share: Share
) -> None:
    service.mails()
    a_message(service, Mail.LINK, share.id)
    service.clock.advance(days=29)
    service.sealmark.sweeping.forget_old_rows()
    assert len(messages(service)) == 2
    service.clock.advance(days=1)
    service.sealmark.sweeping.forget_old_rows()
    (left,) = messages(service)
    assert left.sent_at is None


NO_MAIL = {"SEALMARK_SMTP": "", "SEALMARK_MAIL_FROM": ""}


@pytest.fixture
def mailless(tmp_path: Path) -> Any:
    with service_in(tmp_path / "mailless", environ=NO_MAIL) as made:
        yield made


@pytest.mark.parametrize(
    ("asked", "policy", "said"),
    [
        ({"send": True}, MailCheck.NEVER, "without `send`"),
        ({"mail_check": True}, MailCheck.NEVER, "mail_check: false"),
        ({"download_limit": 1}, MailCheck.LIMITED, "mail_check: false"),
        ({}, MailCheck.ALWAYS, "the document's policy"),
        ({"mail_check": False}, MailCheck.ALWAYS, "the document's policy"),
    ],
)
def test_without_mail_a_share_that_needs_it_is_refused_and_nothing_is_made(
    mailless: Service, asked: dict[str, Any], policy: MailCheck, said: str
) -> None:
    document = a_document(mailless)
    a_version(mailless, document)
    an_nda(mailless)
    mailless.sealmark.documents.change(OPERATOR, document.id, mail_check=policy)
    with pytest.raises(DomainError, match=said) as refused:
        a_share(mailless, document, **asked)
    assert refused.value.problem == Problem.MAIL_NOT_CONFIGURED
    assert "SEALMARK_SMTP" in refused.value.detail
    assert mailless.sealmark.sharing.list() == []
    assert mailless.sealmark.recipients.list() == []


def test_without_mail_there_is_no_server_to_check(mailless: Service) -> None:
    with pytest.raises(DomainError) as caught:
        mailless.sealmark.mailing.check()
    assert caught.value.problem == Problem.MAIL_NOT_CONFIGURED


def test_without_mail_a_share_that_needs_none_is_made_and_no_mail_waits(mailless: Service) -> None:
    document = a_document(mailless)
    a_version(mailless, document)
    an_nda(mailless)
    share, _ = a_share(mailless, document, download_limit=1, mail_check=False)
    with pytest.raises(DomainError) as refused:
        mailless.sealmark.sharing.send(OPERATOR, share.id)
    assert refused.value.problem == Problem.MAIL_NOT_CONFIGURED
    assert not mailless.sealmark.mailing.configured
    assert not mailless.sealmark.mailing.run_once()
    assert messages(mailless) == []


OWN = """Subject: For {{ name }}

{{ organization }} lends you {{ document }}: {{ link }}
"""


def owner(tmp_path: Path, **files: str) -> dict[str, str]:
    folder = tmp_path / "own"
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return {"SEALMARK_MAIL_TEMPLATES": str(folder)}


def test_the_owners_template_stands_in_place_of_ours_and_the_others_stay(tmp_path: Path) -> None:
    with service_in(tmp_path, environ=owner(tmp_path, link__txt=OWN)) as service:
        document = a_document(service)
        a_version(service, document)
        an_nda(service)
        a_share(service, document, send=True)
        (letter,) = service.mails()
    assert letter.subject == "For Ana Example"
    assert letter.text.startswith("Lender Example Ltd lends you SOC 2 Type II: https://")
    assert "Open the document" in letter.html


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"link__txt": "Subject: x\n{{ link }"}, "link.txt, line 2"),
        ({"link__txt": "Subject: x\n{{ linkk }}"}, "link.txt: 'linkk' is undefined"),
        ({"link__txt": "Subject: x\n{{ code }}{{ link }}"}, "link.txt: 'code' is undefined"),
        ({"link__txt": "Subject: x\nno place for it"}, "link.txt prints no {{ link }}"),
        ({"link__html": "<p>no place for it"}, "link.html prints no {{ link }}"),
        ({"code__txt": "Subject: x\nno place"}, "code.txt prints no {{ code }}"),
        ({"link__txt": "{{ link }}"}, "does not begin with a line"),
        ({"link__txt": "Subject:\n{{ link }}"}, "empty subject"),
        ({"link__txt": 'Subject: {{ say("nothing") }}\n{{ link }}'}, "there is no 'nothing"),
        ({"lnik__txt": "Subject: x\n{{ link }}"}, "lnik.txt replaces none of ours"),
        ({"link__txt": "Subject: x\n{{ link.__class__.__mro__ }}{{ link }}"}, "link.txt: "),
        ({"link__txt": "Subject: x\n{{ link }}{{ 1 // 0 }}"}, "link.txt: ZeroDivisionError"),
        ({"layout__html": "{% block body"}, "layout.html, line 1"),
    ],
)
def test_a_broken_template_stops_the_start_with_one_line_that_names_it(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    with (
        pytest.raises(SettingError) as refused,
        service_in(tmp_path, environ=owner(tmp_path, **files)),
    ):
        pass
    assert refused.value.name == "SEALMARK_MAIL_TEMPLATES"
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("contact", [None, "trust@lender.example", "https://lender.example/contact"])
def test_our_own_templates_print_what_they_must_and_nothing_from_elsewhere(contact: str | None) -> None:
    texts = MailTexts("Lender & Co", contact, "reports.lender.example", None)
    texts.try_all()
    for kind in Mail:
        said = texts.render(kind, "", SAMPLE)
        addresses = set(re.findall(r"[a-z]+://[^\s\"'<>]+", said.html + said.text))
        assert addresses <= {SAMPLE["link"], SAMPLE["stable"], f"{contact}."}
        assert not re.search(r"<(img|script|link|iframe|object|form)|url\(|src=", said.html)
        assert (contact or "Questions?") in said.text or contact is None
        assert "Lender & Co" in said.text
        assert "Lender &amp; Co" in said.html
        assert len(said.html) < 6000


def test_a_folder_of_templates_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with (
        pytest.raises(SettingError, match="cannot be read"),
        service_in(tmp_path, environ={"SEALMARK_MAIL_TEMPLATES": str(tmp_path / "missing")}),
    ):
        pass


def test_a_mail_that_cannot_be_written_is_put_off_and_holds_up_no_other(
    service: Service, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = a_document(service, kind=Kind.OTHER, name="Other")
    a_version(service, document)
    service.clock.advance(seconds=1)
    a_share(service, document, send=True)
    render = MailTexts.render

    def broken(texts: MailTexts, kind: Mail, language: str, values: Any) -> Any:
        if values["document"] == "SOC 2 Type II":
            raise TemplateBroken("link.txt: something that only this one's values bring about")
        return render(texts, kind, language, values)

    monkeypatch.setattr(MailTexts, "render", broken)
    assert service.mails() == []
    (second,) = service.mails()
    assert "“Other”" in second.subject
    assert [message.sent_at is None for message in messages(service)] == [True, False]


def test_a_message_that_comes_after_its_recipient_was_erased_is_not_sent(
    service: Service, share: Share
) -> None:
    made = asked(service, share, RequestState.DENIED)
    service.sealmark.erasing.begin(OPERATOR, share.recipient_id)
    a_message(service, Mail.DENIED, made.id, recipient_id=share.recipient_id)
    assert service.mails() == []
    assert mail_entries(service) == [("mail.failed", "revoked", "ended", 1)]


@pytest.mark.parametrize(
    ("tag", "language", "direction", "until"),
    [
        ("", "en", "ltr", "1 April 2026"),
        ("xx", "en", "ltr", "1 April 2026"),
        ("de-AT", "de", "ltr", "1. April 2026"),
        ("ar", "ar", "rtl", "2026"),
    ],
)
def test_a_mail_is_written_in_the_recipients_language(
    service: Service, share: Share, tag: str, language: str, direction: str, until: str
) -> None:
    service.mails()
    a_message(service, Mail.LINK, share.id, language=tag)
    (letter,) = service.mails()
    assert f'<html lang="{language}" dir="{direction}">' in letter.html
    assert until in letter.text
    assert isinstance(opens(service, link_in(letter)), Allowed)


def test_a_subject_is_one_line_without_what_terminals_and_servers_obey(tmp_path: Path) -> None:
    subject = '{{ "a\\u0000b\\u001bc\\u0085d" }}'
    files = {"link__txt": f"Subject: {subject}\n{{{{ link }}}}"}
    with service_in(tmp_path, environ=owner(tmp_path, **files)) as service:
        document = a_document(service)
        a_version(service, document)
        an_nda(service)
        a_share(service, document, send=True)
        (letter,) = service.mails()
    assert letter.subject == "a b c d"
