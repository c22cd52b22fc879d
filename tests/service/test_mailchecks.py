"""Mail checks: a code shows an address once, for ten minutes, in the browser that asked; five tries."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from service.audit import Actor
from service.errors import DomainError, Problem
from service.limits import TooMany
from service.mailchecks import CODE_LIFE, MAX_TRIES, SESSION_LIFE, CodeRefused
from service.outbox import Mail
from service.records import Check, Message, RateWindow, Recipient, Session, Share
from tests.service.acting import a_document, a_share, a_version, an_nda
from tests.service_fixture import Service

ANA = Actor("recipient", address="192.0.2.7")
BROWSER, OTHER = "browser-1", "browser-2"


@pytest.fixture
def share(service: Service) -> Share:
    """Ana's, of a document that is ready."""
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    return a_share(service, document, mail_check=True)[0]


def begin(service: Service, share: Share, browser: str = BROWSER, actor: Actor = ANA) -> Check:
    return service.sealmark.mail_checks.begin(
        actor, subject=share.id, recipient_id=share.recipient_id, mail="ana@acme.example", browser=browser
    )


def issue(service: Service, check: Check) -> str:
    """What the sender of mail does."""
    with service.sealmark.database.write() as records:
        code = service.sealmark.mail_checks.issue(records, check.id, service.clock())
    assert code is not None
    return code


def enter(service: Service, share: Share, code: str, browser: str = BROWSER) -> Session | CodeRefused:
    return service.sealmark.mail_checks.enter(ANA, subject=share.id, browser=browser, code=code)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_the_code_shows_the_address_once_and_for_this_browser(service: Service, share: Share) -> None:
    checks = service.sealmark.mail_checks
    check = begin(service, share)
    code = issue(service, check)
    assert len(code) == 6
    assert code.isdigit()
    assert not checks.checked(share, BROWSER)
    assert enter(service, share, code, OTHER) == CodeRefused.OVER
    session = enter(service, share, f" {code[:3]} {code[3:]} ")
    assert isinstance(session, Session)
    assert session.mail == "ana@acme.example"
    assert checks.checked(share, BROWSER)
    assert not checks.checked(share, OTHER)
    assert not checks.checked(share, None)
    assert enter(service, share, code) == CodeRefused.OVER
    (entry,) = service.entries("mail-check.passed")
    assert (entry["share"], entry["document"], entry["recipient"]) == (
        share.id,
        share.document_id,
        share.recipient_id,
    )


def test_what_was_shown_holds_for_a_working_day(service: Service, share: Share) -> None:
    enter(service, share, issue(service, begin(service, share)))
    service.clock.now += SESSION_LIFE - timedelta(seconds=1)
    assert service.sealmark.mail_checks.checked(share, BROWSER)
    service.clock.advance(seconds=1)
    assert not service.sealmark.mail_checks.checked(share, BROWSER)


def test_a_code_lives_ten_minutes_from_when_it_was_sent(service: Service, share: Share) -> None:
    check = begin(service, share)
    service.clock.advance(minutes=3)  # the mail server was slow
    code = issue(service, check)
    service.clock.now += CODE_LIFE - timedelta(seconds=1)
    assert service.sealmark.mail_checks.waiting(share.id, BROWSER) is not None
    service.clock.advance(seconds=1)
    assert service.sealmark.mail_checks.waiting(share.id, BROWSER) is None
    assert enter(service, share, code) == CodeRefused.OVER
    assert not service.sealmark.mail_checks.checked(share, BROWSER)


def test_the_fifth_wrong_try_ends_the_code_and_each_is_an_entry(service: Service, share: Share) -> None:
    code = issue(service, begin(service, share))
    answers = [enter(service, share, wrong(code)) for _ in range(MAX_TRIES)]
    assert answers == [CodeRefused.WRONG] * (MAX_TRIES - 1) + [CodeRefused.OVER]
    assert enter(service, share, code) == CodeRefused.OVER
    entries = service.entries("mail-check.failed")
    assert [json.loads(entry["details"])["tries"] for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry["reason"] for entry in entries] == ["wrong-code"] * 4 + ["too-many-tries"]
    assert {entry["outcome"] for entry in entries} == {"denied"}
    assert service.entries("mail-check.passed") == []


def test_a_newer_code_takes_the_place_of_the_one_before(service: Service, share: Share) -> None:
    first = begin(service, share)
    old = issue(service, first)
    new = issue(service, begin(service, share))
    with service.sealmark.database.write() as records:
        assert service.sealmark.mail_checks.issue(records, first.id, service.clock()) is None
    if old != new:
        assert enter(service, share, old) == CodeRefused.WRONG
    assert isinstance(enter(service, share, new), Session)


def test_a_code_that_is_sent_again_makes_the_first_one_void(service: Service, share: Share) -> None:
    check = begin(service, share)
    codes = {issue(service, check) for _ in range(4)}
    last = issue(service, check)
    for code in codes - {last}:
        assert not isinstance(enter(service, share, code), Session)
        break
    assert isinstance(enter(service, share, last), Session)


def test_another_browser_does_not_end_what_this_one_began(service: Service, share: Share) -> None:
    code = issue(service, begin(service, share))
    begin(service, share, OTHER)
    assert isinstance(enter(service, share, code), Session)


def test_what_cannot_be_a_code_is_wrong(service: Service, share: Share) -> None:
    check = begin(service, share)
    assert enter(service, share, "000000") == CodeRefused.WRONG  # it is not sent yet
    assert service.entries("mail-check.failed") == []
    issue(service, check)
    assert enter(service, share, "") == CodeRefused.WRONG
    assert enter(service, share, "١٢٣٤٥٦") == CodeRefused.WRONG


def test_neither_code_nor_browser_stands_in_a_row(service: Service, share: Share) -> None:
    code = issue(service, begin(service, share))
    with service.sealmark.database.read() as records:
        (check,) = records.find(Check)
        (message,) = records.find(Message)
    assert code not in repr(check)
    assert BROWSER not in repr(check)
    assert (message.kind, message.about, message.mail) == (Mail.CODE, check.id, "ana@acme.example")
    assert code not in repr(message)


def until_too_many(call: Callable[[int], object]) -> tuple[int, str]:
    """How often it can be called, and the name of the limit that then says no."""
    for number in range(500):
        try:
            call(number)
        except TooMany as error:
            return number, str(error.fields["limit"])
    raise AssertionError("there is no limit")


def test_five_codes_an_hour_and_twenty_a_day_for_a_share_and_mail(service: Service, share: Share) -> None:
    service.clock.now = service.clock.now.replace(hour=0)
    found = []
    for _ in range(5):
        found.append(until_too_many(lambda _: begin(service, share)))
        service.clock.advance(hours=1)
    assert found == [(5, "codes-an-hour")] * 3 + [(5, "codes-a-day"), (0, "codes-a-day")]
    service.clock.advance(days=1)
    begin(service, share)


def begin_anywhere(service: Service, mail: str, subject: str, address: str) -> None:
    service.sealmark.mail_checks.begin(
        Actor("stranger", address=address), subject=subject, recipient_id=None, mail=mail, browser=BROWSER
    )


def test_strangers_have_no_more_than_forty_codes_a_day_mailed_to_one_address(service: Service) -> None:
    found = until_too_many(
        lambda number: begin_anywhere(service, "ana@acme.example", f"doc_{number}", f"198.51.100.{number}")
    )
    assert found == (40, "codes-to")


def test_codes_that_strangers_have_mailed_and_those_of_a_share_are_counted_apart(
    service: Service, share: Share
) -> None:
    service.clock.now = service.clock.now.replace(hour=0)

    def strangers() -> tuple[int, str]:
        return until_too_many(
            lambda number: begin_anywhere(
                service, "ana@acme.example", f"doc_{number}", f"198.51.100.{number}"
            )
        )

    begin(service, share)
    assert strangers() == (40, "codes-to")  # as for somebody who has no share
    assert until_too_many(lambda _: begin(service, share)) == (4, "codes-an-hour")
    assert strangers() == (0, "codes-to")


def test_an_address_that_no_copy_could_be_marked_with_is_refused_before_anything_is_counted_or_mailed(
    service: Service,
) -> None:
    for number in range(10):
        with pytest.raises(DomainError) as caught:
            begin_anywhere(service, "😀@acme.example", "doc_1", f"198.51.100.{number}")
        assert caught.value.problem == Problem.UNMARKABLE_NAME
    with service.sealmark.database.read() as records:
        assert records.find(Check) == records.find(Message) == records.find(RateWindow) == []


def test_one_network_address_begins_sixty_and_tries_a_hundred_and_twenty(service: Service) -> None:
    checks = service.sealmark.mail_checks
    begun = until_too_many(
        lambda number: begin_anywhere(service, f"{number}@acme.example", f"doc_{number}", "192.0.2.7")
    )
    tried = until_too_many(
        lambda number: checks.enter(ANA, subject=f"doc_{number}", browser=BROWSER, code="000000")
    )
    assert (begun, tried) == ((60, "codes-from"), (120, "tries-from"))


def test_at_a_documents_address_the_session_counts_for_the_share_of_who_owns_the_mail_alone(
    service: Service, share: Share
) -> None:
    checks = service.sealmark.mail_checks
    for mail, browser in (("ana@acme.example", BROWSER), ("bob@acme.example", OTHER)):
        check = checks.begin(ANA, subject=share.document_id, recipient_id=None, mail=mail, browser=browser)
        session = checks.enter(ANA, subject=share.document_id, browser=browser, code=issue(service, check))
        assert isinstance(session, Session)
    assert checks.checked(share, BROWSER)
    assert not checks.checked(share, OTHER)
    known, unknown = service.entries("mail-check.passed")
    assert known["recipient"] == share.recipient_id
    assert "recipient" not in unknown
    with service.sealmark.database.read() as records:
        assert records.find(Recipient, mail="bob@acme.example") == []


def test_what_is_over_is_forgotten(service: Service, share: Share) -> None:
    enter(service, share, issue(service, begin(service, share)))
    service.clock.advance(days=1)
    service.sealmark.sweeping.forget_old_rows()
    with service.sealmark.database.read() as records:
        assert records.find(Check) == []
        assert records.find(Session) == []
