"""Every page in every state, light and dark, from either side, on a phone and a desktop: axe knows of no violation of
WCAG 2.2 AA, nothing makes one scroll sideways, and nothing is loaded from elsewhere. Screenshots are kept in
build/screenshots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from service.mailchecks import MAX_TRIES
from service.records import Document, Listing
from service.web.application import create_app
from tests.service.acting import a_document, a_version
from tests.service.test_public_files import a_public_document
from tests.service_fixture import OPERATOR, Service
from tests.web.recipient.browsing import mailed_code
from tests.web.recipient.chromium import (
    SIZES,
    follow,
    launched,
    listening,
    memoryless,
    overflows,
    service_at,
    shot,
    violations,
)
from tests.web.recipient.lending import FACTS, report_pdf
from tests.web.recipient.signing import TEXT

pytestmark = pytest.mark.long

SUBMIT = "main form button[type=submit]"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as made:
        yield made


@dataclass
class Visit:
    """One browser on its way through all pages; each state is looked at as it comes."""

    service: Service
    document: Document
    page: Page
    url: str
    name: str
    seen: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def look(self, state: str) -> None:
        """What axe says of the page as it is, in light and dark, and a picture of each."""
        self.seen.append(state)
        if "req_" in self.page.content():
            self.faults.append(f"{state}: something went wrong")
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.faults += [f"{state}, {scheme}: {found}" for found in violations(self.page)]
            shot(self.page, f"{self.name}-{state}-{scheme}")
        if overflows(self.page):
            self.faults.append(f"{state}: one must scroll sideways")

    def goto(self, path: str, state: str) -> None:
        self.page.goto(self.url + path)
        self.look(state)

    def send(self, state: str, place: int = 0) -> None:
        """Press the button of the form at this place, whatever the browser itself would say of its fields."""
        self.page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
        follow(self.page.locator(SUBMIT).nth(place))
        self.look(state)

    def link(self, **options: object) -> str:
        """The path of a new share's link."""
        given: dict[str, object] = {"name": "Ana Lindqvist", "mail": "ana@acme.example", **options}
        link = self.service.sealmark.sharing.create(
            OPERATOR,
            document_id=self.document.id,
            company="Acme",
            purpose="review",
            **given,  # type: ignore[arg-type]
        )[2]
        return str(link.url).removeprefix(self.url)  # type: ignore[union-attr]


def everything(visit: Visit) -> None:
    """Through all pages, in the order in which somebody would meet them."""
    page, sealmark = visit.page, visit.service.sealmark
    visit.goto("/trust", "trust")
    stable = f"/r/{visit.document.id}"
    visit.goto(stable, "stable")
    page.fill("#mail", "nobody")
    visit.send("stable-wrong")
    page.fill("#mail", "bob@acme.example")
    visit.send("stable-code")
    page.fill("#code", "000000")
    visit.send("stable-code-wrong")
    page.fill("#code", mailed_code(visit.service))
    visit.send("ask")
    visit.send("ask-wrong")
    for name in ("name", "company", "purpose"):
        page.fill(f"#{name}", "Bob Example")
    visit.send("ask-pending")
    path = visit.link(nda="ask", download_limit=1)
    visit.goto(path, "check")
    visit.send("check-code")
    for _ in range(MAX_TRIES - 1):
        page.fill("#code", "none")
        follow(page.locator(SUBMIT).first)
    page.fill("#code", "none")
    visit.send("check-over")
    visit.send("check-code-again")
    page.fill("#code", mailed_code(visit.service))
    visit.send("agreement")
    visit.send("agreement-wrong")
    page.fill("#name", "Ana Lindqvist")
    page.check("#agree")
    page.check("#electronic")
    visit.send("report")
    visit.goto(f"{stable}?other=1", "stable-other")
    page.fill("#mail", "ana@acme.example")
    visit.send("stable-code-of-ana")
    page.fill("#code", mailed_code(visit.service))
    visit.send("stable-send")
    visit.send("stable-sent")
    visit.goto("/s/nothing", "not-found")
    visit.goto(f"{path}/check", "wrong-method")
    page.context.clear_cookies()
    visit.goto(path, "check-once-more")
    page.context.clear_cookies()
    visit.send("foreign")
    with visit.service.sealmark.database.read() as records:
        share = records.find(type(sealmark.sharing.list()[0]), document_id=visit.document.id)[0]
    sealmark.sharing.revoke(OPERATOR, share.id)
    visit.goto(path, "withdrawn")


STATES = 24
"""Of every page, so that a path that ends early is seen."""


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("size", SIZES)
def test_no_page_in_any_state_theme_or_direction_has_a_violation(
    tmp_path: Path, browser: Browser, size: str, language: str
) -> None:
    environ = {
        "SEALMARK_CONTACT": "assurance@lender.example",
        "SEALMARK_CALL_URL": "https://calls.lender.example/book",
    }
    with service_at(tmp_path, environ) as (service, url):
        document = a_document(service, name="Relay report")
        a_version(service, document, report_pdf(), **FACTS)
        service.sealmark.documents.change(OPERATOR, document.id, listing=Listing.FACTS)
        a_public_document(service)
        service.sealmark.nda_texts.add(OPERATOR, markdown=TEXT)
        with (
            listening(create_app(service.sealmark), url),
            memoryless(browser, url, size, locale=language) as (_, page),
        ):
            visit = Visit(service, document, page, url, f"{size}-{language}")
            everything(visit)
            assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    assert visit.faults == []
    assert len(visit.seen) == len(set(visit.seen)) == STATES
