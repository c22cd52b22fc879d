"""What recipients and auditors are told without asking: once, and only while it is true."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from service.announcing import BATCH, FRESH, NOTICE
from service.outbox import Mail
from service.records import Document, Job, Kind, Message, Share, Throttle
from service.settings import SettingError, load
from tests.service.acting import a_document, a_share, a_version, an_nda
from tests.service.test_mailing import NO_MAIL, link_in, opens
from tests.service_fixture import OPERATOR, START, Service, service_in

AUDITORS = {"SEALMARK_CHECKPOINT_MAILS": "Eve@Auditor.example, bo@auditor.example,eve@auditor.example"}


@pytest.fixture
def lending(service: Service) -> Service:
    """A service with one document that is under NDA for Acme."""
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    return service


def queued(service: Service) -> list[tuple[str, str, str]]:
    """Kind, about and address of all that waits in the outbox."""
    with service.sealmark.database.read() as records:
        found = records.find(Message, sent_at=None, failed_at=None)
    return sorted((message.kind, message.about, message.mail) for message in found)


def announce(service: Service) -> list[tuple[str, str, str]]:
    announcing = service.sealmark.announcing
    announcing.endings()
    while announcing.new_versions():
        pass
    announcing.checkpoint()
    return queued(service)


def lent(service: Service, name: str = "ana", **values: object) -> str:
    """The id of a share of the one document."""
    (document,) = service.sealmark.documents.list()
    mail = f"{name}@acme.example"
    return a_share(service, document, mail=mail, name=name.title(), **values)[0].id


def test_a_share_that_ends_within_a_week_is_said_to_once(lending: Service) -> None:
    share = lent(lending, expires_at=START + timedelta(days=30))
    lending.clock.now = START + timedelta(days=23) - timedelta(seconds=1)
    assert announce(lending) == []
    lending.clock.advance(seconds=1)

    assert announce(lending) == [(Mail.EXPIRING, share, "ana@acme.example")]
    (letter,) = lending.mails()
    lending.clock.advance(days=3)
    assert announce(lending) == []

    assert letter.subject == "Your access to “SOC 2 Type II” ends on 1 April 2026"
    (document,) = lending.sealmark.documents.list()
    assert f"https://reports.lender.example/r/{document.id}\n" in letter.text
    assert "/s/" not in letter.text + letter.html  # the stable address alone opens nothing
    assert [row["share"] for row in lending.entries("mail.sent")] == [share]


def test_a_share_that_was_made_for_a_week_or_has_ended_is_not_said_to_end(lending: Service) -> None:
    lent(lending, "short", expires_at=START + NOTICE)
    revoked = lent(lending, "revoked", expires_at=START + timedelta(days=8))
    lending.sealmark.sharing.revoke(OPERATOR, revoked)
    lent(lending, "over", expires_at=START + timedelta(days=8))
    lending.clock.advance(days=8)
    assert announce(lending) == []


def test_each_of_many_that_end_is_said_to_once(lending: Service) -> None:
    number = BATCH + 3
    for at in range(number):
        lent(lending, f"r{at}", expires_at=START + timedelta(days=8))
    lending.clock.advance(days=2)
    assert len({about for _, about, _ in announce(lending)}) == number
    assert len(announce(lending)) == number


def new_version(service: Service) -> None:
    service.clock.advance(minutes=1)
    (document,) = service.sealmark.documents.list()
    a_version(service, document)


def test_a_new_version_is_told_to_those_whose_shares_follow_it(lending: Service) -> None:
    (document,) = lending.sealmark.documents.list()
    (first,) = lending.sealmark.documents.versions(document.id)
    announce(lending)
    share = lent(lending)
    lent(lending, "pinned", pinned_version_id=first.id)
    lending.sealmark.sharing.revoke(OPERATOR, lent(lending, "revoked"))
    new_version(lending)
    lending.clock.advance(minutes=1)
    lent(lending, "later")

    assert announce(lending) == [(Mail.NEW_VERSION, share, "ana@acme.example")]
    (letter,) = lending.mails()
    assert announce(lending) == []
    assert letter.subject == "A new version of “SOC 2 Type II”"
    assert opens(lending, link_in(letter)).version.number == 2  # type: ignore[union-attr]

    new_version(lending)
    assert len(announce(lending)) == 2


def test_whose_downloads_are_used_up_is_told_neither_of_a_new_version_nor_of_the_end(
    lending: Service,
) -> None:
    announce(lending)
    ends = START + timedelta(days=8)
    left = lent(lending, "left", expires_at=ends, download_limit=2, mail_check=False)
    done = lent(lending, "done", expires_at=ends, download_limit=1, mail_check=False)
    with lending.sealmark.database.write() as records:
        for share in (left, done):
            records.change(lending.sealmark.sharing.get(share), downloads_taken=1)
    new_version(lending)
    assert announce(lending) == [(Mail.NEW_VERSION, left, "left@acme.example")]
    lending.mails()
    lending.clock.advance(days=2)
    assert announce(lending) == [(Mail.EXPIRING, left, "left@acme.example")]


@pytest.fixture
def along(lending: Service) -> tuple[Document, Share, Share]:
    """A bridge letter, its report's share, and its own that goes along."""
    (report,) = lending.sealmark.documents.list()
    letter = a_document(lending, name="Bridge letter Q1", kind=Kind.BRIDGE_LETTER)
    a_version(lending, letter)
    lending.sealmark.documents.change(OPERATOR, letter.id, report=report.id)
    announce(lending)
    share, _ = a_share(lending, report, download_limit=1, mail_check=False)
    with lending.sealmark.database.read() as records:
        (beside,) = records.find(Share, with_id=share.id)
    lending.clock.advance(minutes=1)
    return letter, share, beside


def test_a_new_version_of_a_letter_that_goes_along_is_told_once_with_the_link_of_its_report(
    lending: Service, along: tuple[Document, Share, Share]
) -> None:
    letter, share, beside = along
    a_version(lending, letter)
    assert announce(lending) == [(Mail.NEW_VERSION, beside.id, "ana@acme.example")]
    (sent,) = lending.mails()
    assert announce(lending) == []
    assert sent.subject == "A new version of “Bridge letter Q1”"
    assert opens(lending, link_in(sent)).share == share  # type: ignore[union-attr]
    assert f"/r/{letter.id}\n" in sent.text
    assert [row["share"] for row in lending.entries("mail.sent")] == [share.id]
    assert lending.entries("mail.failed") == []


def test_a_letter_is_not_told_of_where_its_reports_downloads_are_used_up(
    lending: Service, along: tuple[Document, Share, Share]
) -> None:
    letter, share, _ = along
    with lending.sealmark.database.write() as records:
        records.change(share, downloads_taken=1)
    a_version(lending, letter)
    assert announce(lending) == []


@pytest.mark.parametrize("ended", ["share", "document"])
def test_of_a_letter_that_ended_before_the_mail_left_no_link_is_mailed(
    lending: Service, along: tuple[Document, Share, Share], ended: str
) -> None:
    letter, _, beside = along
    a_version(lending, letter)
    assert len(announce(lending)) == 1
    if ended == "share":
        lending.sealmark.sharing.revoke(OPERATOR, beside.id)
    else:
        lending.sealmark.documents.revoke(OPERATOR, letter.id)
    links = len(lending.entries("link.created"))
    assert lending.mails() == []
    assert [row["reason"] for row in lending.entries("mail.failed")] == ["ended"]
    assert len(lending.entries("link.created")) == links


def test_of_two_versions_at_once_the_newer_is_told(lending: Service) -> None:
    announce(lending)
    share = lent(lending)
    new_version(lending)
    announce(lending)
    new_version(lending)
    assert announce(lending) == [(Mail.NEW_VERSION, share, "ana@acme.example")]


def test_many_are_told_in_batches_and_a_worker_that_dies_between_them_tells_nobody_twice(
    lending: Service,
) -> None:
    announce(lending)
    number = BATCH + 3
    for at in range(number):
        lent(lending, f"r{at}")
    new_version(lending)
    announcing = lending.sealmark.announcing
    assert announcing.new_versions()
    assert len(queued(lending)) == BATCH

    assert len(announce(lending)) == number
    with lending.sealmark.database.read() as records:
        assert records.find(Job, kind="new-version", done_at=None) == []


def test_a_version_of_long_ago_is_no_news(lending: Service) -> None:
    lent(lending)
    new_version(lending)
    lending.clock.advance(seconds=FRESH.total_seconds())
    assert announce(lending) == []


def test_what_stands_for_a_version_outlives_the_time_in_which_it_is_news(lending: Service) -> None:
    lent(lending)
    new_version(lending)
    announce(lending)
    lending.mails()
    lending.clock.advance(seconds=FRESH.total_seconds() - 1)
    lending.sealmark.sweeping.forget_old_rows()
    assert announce(lending) == []


def test_auditors_get_the_newest_checkpoint_once_a_day(tmp_path: Path) -> None:
    with service_in(tmp_path, environ=AUDITORS) as service:
        assert announce(service) == []  # there is none yet
        service.work()
        service.sealmark.checkpoints.cover()
        newest = service.sealmark.checkpoints.published()
        assert newest is not None
        addresses = ["bo@auditor.example", "eve@auditor.example"]
        assert announce(service) == [(Mail.CHECKPOINT, newest.id, mail) for mail in addresses]
        letters = service.mails()
        assert announce(service) == []
        service.clock.advance(days=1)
        assert len(announce(service)) == 2

    for letter in letters:
        (attached,) = letter.attachments
        assert attached.content == newest.note.encode()
        assert attached.name == f"checkpoint-{newest.signed_at:%Y-%m-%dT%H%M%SZ}-{newest.size}.txt"
        for line in newest.note.splitlines():
            assert line in letter.text
        assert newest.note.splitlines()[2].replace("+", "&#43;") in letter.html.replace("+", "&#43;")


def test_a_mail_to_an_auditor_leaves_no_address_in_the_log(tmp_path: Path) -> None:
    with service_in(tmp_path, environ=AUDITORS) as service:
        service.work()
        service.sealmark.checkpoints.cover()
        announce(service)
        service.mails()
        rows = service.entries("mail.sent")
    assert len(rows) == 2
    assert "auditor" not in json.dumps(rows)


def test_without_mail_nothing_is_queued(tmp_path: Path) -> None:
    with service_in(tmp_path, environ=NO_MAIL) as service:
        a_version(service, a_document(service))
        an_nda(service)
        lent(service, expires_at=START + timedelta(days=8))
        new_version(service)
        service.clock.advance(days=1, hours=2)
        assert announce(service) == []
        with service.sealmark.database.read() as records:
            assert records.find(Job, kind="new-version") == []
            assert records.find(Throttle) == []


def test_checkpoints_for_auditors_need_a_mail_server() -> None:
    least = {"SEALMARK_URL": "https://reports.acme.example", "SEALMARK_KEY": "file:/etc/master.key"}
    with pytest.raises(SettingError, match="set SEALMARK_SMTP too"):
        load({**least, **AUDITORS})


def test_what_goes_along_with_another_share_is_not_said_to_end_by_itself(lending: Service) -> None:
    report = lent(lending, expires_at=START + timedelta(days=8))
    letter = lent(lending, expires_at=START + timedelta(days=8))
    sealmark = lending.sealmark
    with sealmark.database.write() as records:
        records.change(sealmark.sharing.get(letter), with_id=report)
    lending.clock.advance(days=2)
    assert [about for _, about, _ in announce(lending)] == [report]
