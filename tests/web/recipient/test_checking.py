"""The gate before a report: only who reads the recipient's mail gets in, and scanners of mail use nothing up."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from service.mailchecks import CODES_TO, MAX_TRIES
from service.records import Check, Link, Listing, Message
from tests.service.acting import a_document
from tests.service_fixture import OPERATOR, Service
from tests.web.recipient.browsing import Person, mailed_code, text_of
from tests.web.recipient.lending import Lent, lend


@pytest.fixture
def checked(service: Service) -> Lent:
    """A share with a limit of one download, and so with a mail check."""
    return lend(service, limit=1, mail_check=None)


@pytest.fixture
def ana(checked: Lent) -> Person:
    return Person(checked.app)


def test_who_enters_the_code_meets_the_report_and_downloads_it(checked: Lent, ana: Person) -> None:
    page = ana.get(checked.path)
    assert page.status_code == 200
    assert "Mail me a code" in page.text
    assert "Download your copy" not in page.text
    page = ana.show_mail(checked.service, checked.path)
    assert "Download your copy" in page.text
    granted = ana.post(checked.path)
    assert ana.follow(granted).data.startswith(b"%PDF")
    assert checked.kinds() == [
        *["page.viewed"] * 3,
        "mail.sent",
        "mail-check.passed",
        "page.viewed",
        "download.granted",
        "download.begun",
        "download.ended",
    ]
    views = checked.service.entries("page.viewed")
    assert [entry.get("reason") for entry in views] == ["mail-check"] * 3 + [None]


def test_before_the_check_the_page_says_no_more_than_the_trust_page_does(checked: Lent, ana: Person) -> None:
    secrets = ("Ana", "Lindqvist", "acme", "Larkspur", "secret purpose", "Qualified", "2025")
    page = ana.get(checked.path).text
    assert "A confidential document" in page
    for secret in (*secrets, "Relay report"):
        assert secret not in page
    checked.service.sealmark.documents.change(OPERATOR, checked.document.id, listing=Listing.NAMED)
    page = ana.get(checked.path).text
    assert "Relay report" in page
    for secret in secrets:
        assert secret not in page


def test_without_the_check_no_download_is_granted_and_the_try_is_an_entry(checked: Lent, ana: Person) -> None:
    assert ana.post(checked.path).status_code == 403
    assert checked.kinds() == ["download.denied"]
    assert checked.service.entries("download.denied")[0]["reason"] == "mail-check"


def test_a_wrong_code_says_so_keeps_the_form_and_the_fifth_ends_it(checked: Lent, ana: Person) -> None:
    page = ana.follow(ana.send(ana.get(checked.path), "/check"))
    code = mailed_code(checked.service)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(MAX_TRIES - 1):
        page = ana.send(page, "/code", code=wrong)
        assert page.status_code == 422
        assert "This is not the code" in page.text
        assert 'aria-invalid="true"' in page.text
    page = ana.send(page, "/code", code=wrong)
    assert page.status_code == 422
    assert "This code is over" in page.text
    assert "Mail me a code" in page.text
    assert checked.kinds().count("mail-check.failed") == MAX_TRIES


def test_the_sixth_code_within_an_hour_is_not_sent(checked: Lent, ana: Person) -> None:
    page = ana.get(checked.path)
    for _ in range(5):
        page = ana.follow(ana.send(page, "/check"))
    answer = ana.send(page, "/check")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) == 3600
    assert "too often" in answer.text
    with checked.service.sealmark.database.read() as records:
        assert len(records.find(Message)) == 5


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://reports.lender.example"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_form_of_another_site_is_not_taken(checked: Lent, ana: Person, headers: dict[str, str]) -> None:
    page = ana.get(checked.path)
    token = page.text.split('name="token" value="')[1].split('"')[0]
    answer = ana.post(f"{checked.path}/check", data={"token": token}, headers=headers)
    assert answer.status_code == 403
    ana.show_mail(checked.service, checked.path)
    assert ana.post(checked.path, headers=headers).status_code == 403
    assert "download.granted" not in checked.kinds()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://reports.lender.example"},
        {},
    ],
)
def test_the_own_form_is_taken_though_no_referrer_makes_browsers_send_a_null_origin(
    checked: Lent, ana: Person, headers: dict[str, str]
) -> None:
    page = ana.get(checked.path)
    token = page.text.split('name="token" value="')[1].split('"')[0]
    answer = ana.post(f"{checked.path}/check", data={"token": token}, headers=headers)
    assert answer.status_code == 303


@pytest.mark.parametrize("origin", ["null", None])
def test_neither_a_null_origin_nor_none_replaces_the_token(
    checked: Lent, ana: Person, origin: str | None
) -> None:
    ana.get(checked.path)
    headers = {"Origin": origin} if origin else {}
    for data in ({}, {"token": ""}, {"token": "x" * 43}):
        assert ana.post(f"{checked.path}/check", data=data, headers=headers).status_code == 403
    stranger = Person(checked.app)
    token = ana.get(checked.path).text.split('name="token" value="')[1].split('"')[0]
    stranger.get(checked.path)
    assert stranger.post(f"{checked.path}/check", data={"token": token}).status_code == 403
    with checked.service.sealmark.database.read() as records:
        assert records.find(Check) == []


def test_the_cookie_is_the_hosts_own_and_scripts_do_not_see_it(checked: Lent, ana: Person) -> None:
    cookie = ana.get(checked.path).headers["Set-Cookie"]
    name, _, rest = cookie.partition("=")
    assert name == "__Host-sealmark"
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert f"; {attribute}" in rest
    assert "Domain" not in rest
    assert "Set-Cookie" not in ana.get(checked.path).headers


def test_what_one_browser_has_shown_opens_nothing_in_another(checked: Lent, ana: Person) -> None:
    ana.show_mail(checked.service, checked.path)
    other = Person(checked.app)
    assert "Download your copy" not in other.get(checked.path).text
    assert other.post(checked.path).status_code == 403


def scan(person: Person, path: str) -> list[TestResponse]:
    """What a scanner of mail does within five seconds: look in many ways, follow forms, and post a script's post."""
    answers = [person.get(path) if number % 2 else person.head(path) for number in range(20)]
    answers.append(person.post(path))
    page = person.get(path)
    if "/check" in page.text:
        answers.append(person.send(page, "/check"))
    return answers


def test_a_scanner_leaves_the_one_download_to_the_person_who_comes_later(checked: Lent, ana: Person) -> None:
    answers = scan(Person(checked.app), checked.path)
    assert not any(b"%PDF" in answer.data for answer in answers)
    assert "download.granted" not in checked.kinds()
    checked.service.clock.advance(minutes=15)
    page = ana.show_mail(checked.service, checked.path)
    assert "1 left" in text_of(page.text)
    delivery = ana.post(checked.path).headers["Location"]
    whole = ana.get(delivery).data
    # It broke off after a thousand bytes, and goes on with the same ones, at no cost.
    rest = ana.get(delivery, headers={"Range": "bytes=1000-"})
    assert rest.status_code == 206
    assert whole[1000:] == rest.data
    again = ana.post(checked.path)
    assert again.status_code == 303
    assert ana.follow(again).data == whole
    assert checked.kinds().count("download.granted") == 1
    checked.service.clock.advance(minutes=11)
    assert ana.post(checked.path).status_code == 410


def test_a_link_that_is_asked_for_too_often_rests_for_a_minute(lent: Lent) -> None:
    person = Person(lent.app)
    answers = [
        person.get(lent.path, environ_overrides={"REMOTE_ADDR": f"198.51.100.{number}"}).status_code
        for number in range(121)
    ]
    assert answers == [200] * 120 + [429]
    assert lent.kinds().count("page.viewed") == 120
    lent.service.clock.advance(minutes=1)
    assert person.get(lent.path).status_code == 200


def test_whoever_holds_a_link_that_was_withdrawn_keeps_nobody_from_the_share(lent: Lent) -> None:
    sealmark = lent.service.sealmark
    with sealmark.database.write() as records:
        (withdrawn,) = records.find(Link, share_id=lent.share.id)
        records.change(withdrawn, revoked_at=lent.service.clock())
    link = sealmark.sharing.link(OPERATOR, lent.share.id)
    other = Person(lent.app)
    answers = {
        other.get(lent.path, environ_overrides={"REMOTE_ADDR": f"198.51.100.{number}"}).status_code
        for number in range(130)
    }
    assert answers == {410}
    assert Person(lent.app).get(link.url.removeprefix(sealmark.settings.url)).status_code == 200


def test_a_stranger_cannot_keep_a_recipient_from_the_codes_of_their_own_link(
    checked: Lent, ana: Person
) -> None:
    stranger = Person(checked.app)
    answers = []
    for number in range(8):
        document = a_document(checked.service, name=f"Report {number}")
        for _ in range(5):
            page = stranger.get(f"/r/{document.id}?other=1")
            answers.append(stranger.send(page, "/check", mail="ana@acme.example").status_code)
    assert answers == [303] * CODES_TO.number
    other = a_document(checked.service, name="One more")
    page = stranger.get(f"/r/{other.id}")
    assert stranger.send(page, "/check", mail="ana@acme.example").status_code == 429
    assert ana.send(ana.get(checked.path), "/check").status_code == 303


def test_one_address_may_ask_six_hundred_times_a_minute_whatever_for(lent: Lent) -> None:
    person = Person(lent.app)
    answers = [person.get(f"/s/{number}").status_code for number in range(601)]
    assert answers == [404] * 600 + [429]
    assert person.get("/r/doc_x").status_code == 429
    assert person.get("/d/x").status_code == 429
    lent.service.sealmark.tallies.hand_over()
    assert person.get(lent.path, environ_overrides={"REMOTE_ADDR": "198.51.100.1"}).status_code == 200


def test_a_form_with_more_than_any_of_ours_holds_is_refused(checked: Lent, ana: Person) -> None:
    answer = ana.post(f"{checked.path}/check", data={"token": "x" * 20_000})
    assert answer.status_code == 413
