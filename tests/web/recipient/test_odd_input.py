"""What can be typed, cut or made up is nobody's fault of ours: every route answers it with a page of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.service_fixture import Service, service_in
from tests.web.recipient.browsing import Person, mailed_code
from tests.web.recipient.lending import Lent, compile_here, lend
from tests.web.recipient.signing import ask

ODD = {
    "NUL": "a%00b",
    "line break": "a%0d%0ab",
    "half of a character": "%ed%a0%80",
    "no UTF-8": "%ff",
    "not ASCII": "%F0%9F%98%80",
    "long": "x" * 5000,
    "number": "1",
    "dots": "..%2f..",
    "quotes": "%22%27%3Cb%3E",
}
ENDPOINTS = [
    *[
        "along",
        "check",
        "code",
        "delivery",
        "link",
        "picture",
        "public",
        "reading",
        "record",
        "sign",
        "sitting",
    ],
    *["stable", "stable_ask", "stable_check", "stable_code", "stable_link", "static"],
]
"""Those of the recipients' pages that take something out of their address."""

TYPED = [
    "\x00",
    "\r\nX: y",
    "\ufffe",
    "\U0001f600",
    "\u202e",
    "\ufeff",
    "\u0378",
    "x" * 5000,
    "a" + "\u0301" * 150,
]
"""What a form can hold. Half of a character cannot be sent in one: it comes as U+FFFD."""


@pytest.fixture(scope="module")
def lent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lent]:
    """A share that is only read, with the address limits of a proxy's test, since each test asks hundreds of times."""
    environ = {"SEALMARK_REQUESTS_A_MINUTE": "100000"}
    folder = tmp_path_factory.mktemp("odd")
    with service_in(folder, compile_in_child=compile_here, environ=environ) as made:
        yield lend(made, view_only=True)


def paths(lent: Lent, rule: Rule) -> Iterator[tuple[str, str]]:
    """The path of the rule with each odd value in each of its parts, the others as they are meant; and its name."""
    sitting = lent.granted()
    meant = {
        "document_id": lent.document.id,
        "share_id": lent.share.id,
        "token": (sitting if "/v/" in rule.rule or "/d/" in rule.rule else lent.path).rsplit("/", 1)[1],
        "number": "1",
        "form": "png",
        "name": "style.css",
        "digest": "0" * 16,
    }
    for part in sorted(rule.arguments):
        for name, odd in ODD.items():
            path = rule.rule.replace("<path:", "<")
            for other, value in {**meant, part: odd}.items():
                path = path.replace(f"<{other}>", value)
            assert "<" not in path, f"say what {path} is meant to hold"
            yield f"{part}: {name}", path


def rules_of(app: Flask) -> dict[str, Rule]:
    found = (rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("recipient."))
    return {rule.endpoint.removeprefix("recipient."): rule for rule in found if rule.arguments}


def test_every_route_that_takes_something_out_of_its_address_is_tried(lent: Lent) -> None:
    assert sorted(rules_of(lent.app)) == ENDPOINTS


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_no_address_is_a_fault_of_ours(lent: Lent, endpoint: str, caplog: pytest.LogCaptureFixture) -> None:
    person = Person(lent.app)
    token = _token(person, lent)
    for name, path in paths(lent, rules_of(lent.app)[endpoint]):
        answers = {
            "GET": person.get(path),
            "HEAD": person.head(path),
            "POST": person.post(path),
            "own form": person.post(path, data={"token": token}),
        }
        for method, answer in answers.items():
            assert answer.status_code < 500, (method, name)
    assert [row for row in caplog.records if row.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "query", [f"{name}={odd}" for name in ("language", "other", "page") for odd in ODD.values()]
)
def test_no_query_is_a_fault_of_ours(lent: Lent, query: str) -> None:
    for path in (lent.path, lent.granted(), f"/r/{lent.document.id}", "/trust"):
        assert Person(lent.app).get(f"{path}?{query}").status_code < 500, path


@pytest.mark.parametrize("typed", TYPED, ids=ascii)
def test_nothing_that_is_typed_into_the_forms_of_a_link_is_a_fault_of_ours(
    service: Service, typed: str
) -> None:
    asked = ask(service)
    answers = [asked.post("/check", token=typed), asked.post("/check"), asked.post("/code", code=typed)]
    asked.check_mail()
    fields = ("name", "agree", "text", "language", "sentences")
    answers += [asked.sign(**{field: typed}) for field in fields]
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []


@pytest.mark.parametrize("typed", TYPED, ids=ascii)
def test_nothing_that_is_typed_at_the_address_that_lasts_is_a_fault_of_ours(
    service: Service, typed: str
) -> None:
    lent = lend(service)
    person = Person(lent.app)
    page = person.get(f"/r/{lent.document.id}")
    mails = (typed, f"{typed}@acme.example", f"a@{typed}.example", "bob@acme.example")
    answers = [person.send(page, "/check", mail=mail) for mail in mails]
    page = person.follow(answers[-1])
    answers.append(person.send(page, "/code", code=typed))
    page = person.follow(person.send(page, "/code", code=mailed_code(service)))
    for field in ("name", "company", "purpose"):
        told = {"name": "Bob", "company": "Acme", "purpose": "review", field: typed}
        answers.append(person.send(page, "/ask", **told))
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []


@pytest.mark.parametrize("mail", ["\U0001f600@acme.example", "ana\ue000@acme.example"])
def test_an_address_that_the_mark_cannot_print_is_refused_where_it_is_typed(
    service: Service, mail: str
) -> None:
    lent = lend(service)
    person = Person(lent.app)
    answer = person.send(person.get(f"/r/{lent.document.id}"), "/check", mail=mail)
    assert answer.status_code == 422
    assert "This is no mail address" in answer.text
    assert f'value="{mail}"' in answer.text
    assert service.mails() == []


def test_a_link_that_is_not_authentic_leads_nowhere(lent: Lent) -> None:
    answer = Person(lent.app).get(f"/s/a%0d%0ab/with/{lent.share.id}")
    assert answer.status_code == 404
    assert "Location" not in answer.headers


def _token(person: Person, lent: Lent) -> str:
    """Of the forms that this browser is given."""
    return person.get(f"/r/{lent.document.id}").text.split('name="token" value="')[1].split('"')[0]
