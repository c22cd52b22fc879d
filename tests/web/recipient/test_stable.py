"""The address that lasts: it opens nothing by itself, mails a link to whom the report is shared with, and tells others
nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.outbox import Mail
from service.records import AccessRequest, Message, RequestState
from tests.service.test_mailing import NO_MAIL
from tests.service_fixture import OPERATOR, Service, service_in
from tests.web.recipient.browsing import Forms, Person, mailed_code
from tests.web.recipient.lending import Lent, lend


@pytest.fixture
def person(lent: Lent) -> Person:
    return Person(lent.app)


def address(lent: Lent) -> str:
    return f"/r/{lent.document.id}"


def prove(person: Person, lent: Lent, mail: str) -> str:
    """Give a mail address and enter its code; the text of the page that follows."""
    page = person.follow(person.send(person.get(address(lent)), "/check", mail=mail))
    return person.follow(person.send(page, "/code", code=mailed_code(lent.service))).text


def links(service: Service) -> list[Message]:
    with service.sealmark.database.read() as records:
        return records.find(Message, kind=Mail.LINK)


@pytest.mark.parametrize("typed", [" Ana@ACME.example ", '"ana"@acme.example'])
def test_a_fresh_link_goes_by_mail_to_whom_the_report_is_shared_with(
    lent: Lent, person: Person, typed: str
) -> None:
    assert "Mail me a fresh link" in prove(person, lent, typed)
    answer = person.send(person.get(address(lent)), "/link")
    assert "on its way" in answer.text
    (message,) = links(lent.service)
    assert (message.about, message.mail) == (lent.share.id, "ana@acme.example")
    assert "page.viewed" not in lent.kinds()


def test_a_session_there_opens_the_link_without_a_second_code(lent: Lent, person: Person) -> None:
    share, _, link = lent.service.sealmark.sharing.create(
        OPERATOR,
        document_id=lent.document.id,
        mail="ana@acme.example",
        name="Ana Lindqvist",
        company="Acme Freight",
        purpose="once more",
        mail_check=True,
    )
    assert share.mail_check
    path = link.url.removeprefix("https://reports.lender.example")
    assert "Mail me a code" in person.get(path).text
    prove(person, lent, "ana@acme.example")
    assert "Download your copy" in person.get(path).text


@pytest.mark.parametrize("end", ["revoked", "expired", "stranger"])
def test_nobody_else_is_mailed_anything_but_the_code(lent: Lent, person: Person, end: str) -> None:
    mail = "ana@acme.example"
    if end == "revoked":
        lent.service.sealmark.sharing.revoke(OPERATOR, lent.share.id)
    elif end == "expired":
        lent.service.clock.now = lent.share.expires_at
    else:
        mail = "bob@acme.example"
    text = prove(person, lent, mail)
    assert "Mail me a fresh link" not in text
    token = Forms(person.get(f"{address(lent)}?other=1").text).forms[0][1]["token"]
    answer = person.post(f"{address(lent)}/link", data={"token": token})
    assert answer.headers["Location"] == address(lent)
    assert links(lent.service) == []


def test_the_answer_is_the_same_whether_an_address_is_known_or_not(lent: Lent) -> None:
    pages = []
    for mail in ("ana@acme.example", "bob@acme.example"):
        person = Person(lent.app)
        page = person.follow(person.send(person.get(address(lent)), "/check", mail=mail))
        token = page.text.split('name="token" value="')[1].split('"')[0]
        pages.append(page.text.replace(mail, "…").replace(token, "…"))
    assert pages[0] == pages[1]


def test_what_is_not_there_and_what_was_revoked_get_one_answer(lent: Lent, person: Person) -> None:
    unknown = person.get("/r/doc_00000000000000000000000000")
    lent.service.sealmark.documents.revoke(OPERATOR, lent.document.id)
    revoked = person.get(address(lent))
    assert unknown.status_code == revoked.status_code == 404
    assert unknown.text == revoked.text


def test_a_hidden_document_has_no_name_there(lent: Lent, person: Person) -> None:
    text = person.get(address(lent)).text
    assert "A confidential document" in text
    assert "Relay report" not in text


def test_what_is_no_address_is_said_at_the_field_and_kept(lent: Lent, person: Person) -> None:
    answer = person.send(person.get(address(lent)), "/check", mail="ana at <acme>")
    assert answer.status_code == 422
    assert "This is no mail address" in answer.text
    assert 'value="ana at &lt;acme&gt;"' in answer.text


def test_a_wrong_other_address_is_said_at_the_field_for_the_address(lent: Lent, person: Person) -> None:
    person.follow(person.send(person.get(address(lent)), "/check", mail="ana@acme.example"))
    answer = person.send(person.get(f"{address(lent)}?other=1"), "/check", mail="nonsense")
    assert answer.status_code == 422
    assert "This is no mail address" in answer.text
    assert 'name="mail"' in answer.text
    assert 'value="nonsense"' in answer.text
    assert 'name="code"' not in answer.text


def test_whose_downloads_are_used_up_may_ask_once_the_last_one_is_over(service: Service) -> None:
    lent = lend(service, limit=1)
    lent.granted()
    person = Person(lent.app)
    assert "Mail me a fresh link" in prove(person, lent, "ana@acme.example")  # it leads to the same download
    service.clock.advance(minutes=11)
    page = person.get(address(lent))
    assert "Mail me a fresh link" not in page.text
    page = person.send(page, "/ask", name="Ana Lindqvist", company="Acme Freight", purpose="once more")
    assert "Your request is on its way" in page.text
    with service.sealmark.database.read() as records:
        (request,) = records.find(AccessRequest)
    assert request.state == RequestState.PENDING


def test_where_no_mail_can_be_sent_the_page_says_so(tmp_path: Path) -> None:
    with service_in(tmp_path, environ=NO_MAIL) as service:
        lent = lend(service)
        person = Person(lent.app)
        answer = person.send(person.get(address(lent)), "/check", mail="ana@acme.example")
        assert answer.status_code == 503
        assert "We cannot mail you a code" in answer.text


def test_a_sixth_fresh_link_within_an_hour_is_not_sent(lent: Lent, person: Person) -> None:
    prove(person, lent, "ana@acme.example")
    answers = [person.send(person.get(address(lent)), "/link").status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    assert len(links(lent.service)) == 5


def test_another_address_can_be_given(lent: Lent, person: Person) -> None:
    prove(person, lent, "bob@acme.example")
    page = person.get(f"{address(lent)}?other=1")
    assert "Work mail address" in page.text
    page = person.follow(person.send(page, "/check", mail="ana@acme.example"))
    assert "to ana@acme.example" in page.text
    page = person.follow(person.send(page, "/code", code=mailed_code(lent.service)))
    assert "This document is shared with ana@acme.example" in page.text


def test_a_form_sent_to_the_address_itself_does_nothing(lent: Lent, person: Person) -> None:
    answer = person.post(address(lent), data={"mail": "ana@acme.example"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert links(lent.service) == []
    assert lent.kinds() == []
