"""The trust page and a request for access in real Chromium: on a phone and a desktop, with and without scripts, light
and dark, in either direction. axe knows of no violation. Screenshots are kept in build/screenshots.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Browser, Page, expect

from service.records import AccessRequest, Document, Listing, RequestState
from service.web.application import create_app
from tests.service.acting import a_document, a_version
from tests.service.asking import said
from tests.service.test_public_files import a_public_document
from tests.service_fixture import OPERATOR, Service
from tests.web.recipient.browsing import mailed_code
from tests.web.recipient.chromium import (
    LIMIT_OF_A_PAGE,
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

pytestmark = pytest.mark.long

CALL = "https://calls.lender.example/book"


@dataclass
class Site:
    """A service on loopback with a report that is lent, one that is public, and a browser."""

    service: Service
    report: Document
    public: Document
    browser: Browser
    url: str

    @contextmanager
    def page(self, size: str, *, scripts: bool = True, scheme: str = "light") -> Iterator[Page]:
        """A browser without memory; fails when anything is loaded from elsewhere, or what is loaded is too large."""
        with memoryless(self.browser, self.url, size, scripts=scripts, scheme=scheme) as (_, page):
            yield page

    def requests(self) -> list[AccessRequest]:
        with self.service.sealmark.database.read() as records:
            return records.find(AccessRequest)

    def prove(self, page: Page, mail: str = "ana@acme.example") -> None:
        """From the trust page to the form of a request: the mail check."""
        page.goto(f"{self.url}/trust")
        follow(page.get_by_role("link", name="Request access to Relay report"))
        page.get_by_label("Work mail address").fill(mail)
        follow(page.get_by_role("button", name="Mail me a code"))
        page.get_by_label("Code").fill(mailed_code(self.service))
        follow(page.get_by_role("button", name="Go on"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path, browser: Browser) -> Iterator[Site]:
    environ = {"SEALMARK_CONTACT": "assurance@lender.example", "SEALMARK_CALL_URL": CALL}
    with service_at(tmp_path, environ) as (service, url):
        report = a_document(service, name="Relay report")
        a_version(service, report, report_pdf(), **FACTS)
        service.sealmark.documents.change(OPERATOR, report.id, listing=Listing.FACTS)
        hidden = a_document(service, name="تقرير الأمان")
        a_version(service, hidden, report_pdf())
        service.sealmark.documents.change(OPERATOR, hidden.id, listing=Listing.NAMED)
        public = a_public_document(service)
        with listening(create_app(service.sealmark), url):
            yield Site(service, report, public, browser, url)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("size", SIZES)
def test_a_stranger_downloads_what_is_public_and_finds_how_to_ask_for_the_rest(
    site: Site, size: str, scripts: bool
) -> None:
    with site.page(size, scripts=scripts) as page:
        loaded: list[int] = []
        page.on("response", lambda answer: loaded.append(len(answer.body())))
        page.goto(f"{site.url}/trust")
        page.wait_for_load_state("networkidle")
        assert sum(loaded) <= LIMIT_OF_A_PAGE
        expect(page.get_by_role("heading", level=1)).to_have_text("Security documents of Lender Example Ltd")
        expect(page.get_by_role("heading", level=3)).to_have_count(3)
        expect(page.get_by_text("Larkspur & Vane LLP")).to_be_visible()
        expect(page.get_by_role("link", name="Discuss it in a call")).to_have_attribute("href", CALL)
        shot(page, f"trust-{size}-{'scripts' if scripts else 'no-scripts'}")
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Download Overview").click()
        file = Path(waiting.value.path())
        assert waiting.value.suggested_filename == "Overview (public).pdf"
        text = pypdf.PdfReader(io.BytesIO(file.read_bytes())).pages[0].extract_text()
        assert "Public · Lender Example Ltd" in text
        follow(page.get_by_role("link", name="Request access to Relay report"))
        expect(page.get_by_label("Work mail address")).to_be_visible()
        assert page.url == f"{site.url}/r/{site.report.id}"
    (entry,) = said(site.service, "public.downloaded")
    assert entry["document"] == site.public.id


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("size", SIZES)
def test_who_has_shown_their_mail_asks_mends_what_is_wrong_and_is_told_that_it_waits(
    site: Site, size: str, scripts: bool
) -> None:
    name = f"{size}-{'scripts' if scripts else 'no-scripts'}"
    with site.page(size, scripts=scripts) as page:
        site.prove(page)
        page.get_by_label("Your full name").fill("Ana \U0001f600")
        page.get_by_label("Company").fill("Acme Freight")
        page.get_by_label("What do you need it for?").fill("Vendor review")
        shot(page, f"ask-{name}")
        follow(page.get_by_role("button", name="Send the request"))
        summary = page.get_by_role("alert")
        expect(summary).to_contain_text("cannot be printed on your copy")
        shot(page, f"ask-wrong-{name}")
        summary.get_by_role("link").click()
        expect(page.get_by_label("Company")).to_have_value("Acme Freight")
        expect(page.get_by_label("What do you need it for?")).to_have_value("Vendor review")
        page.get_by_label("Your full name").fill("Ana Lindqvist")
        follow(page.get_by_role("button", name="Send the request"))
        expect(page.get_by_role("heading", level=2)).to_have_text("Your request is on its way")
        shot(page, f"ask-pending-{name}")
    (request,) = site.requests()
    assert (request.name, request.state) == ("Ana Lindqvist", RequestState.PENDING)
    kinds = [row["kind"] for row in site.service.entries()]
    assert kinds[-3:] == ["mail-check.passed", "recipient.created", "access.requested"]


def test_all_of_it_can_be_done_by_keyboard(site: Site) -> None:
    with site.page("desktop") as page:
        page.goto(f"{site.url}/trust")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the documents")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Download Overview")).to_be_focused()
        site.prove(page)
        page.get_by_label("Your full name").focus()
        for typed in ("Ana Lindqvist", "Acme", "Vendor review"):
            page.keyboard.type(typed)
            page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Send the request")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=2)).to_have_text("Your request is on its way")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_in_any_state(site: Site, size: str, scheme: str, direction: str) -> None:
    with site.page(size, scheme=scheme) as page:

        def judge(state: str) -> None:
            page.evaluate("direction => document.documentElement.dir = direction", direction)
            assert violations(page) == []
            assert not overflows(page), state
            if direction == "rtl" or scheme == "dark":
                shot(page, f"{state}-{size}-{scheme}-{direction}")

        page.goto(f"{site.url}/trust")
        judge("trust")
        site.prove(page)
        judge("ask")
        page.locator("form[action$='/ask']").evaluate("form => { form.noValidate = true }")
        follow(page.get_by_role("button", name="Send the request"))
        judge("ask-wrong")
        page.get_by_label("Your full name").fill("Ana Lindqvist")
        page.get_by_label("Company").fill("Acme")
        page.get_by_label("What do you need it for?").fill("Review")
        follow(page.get_by_role("button", name="Send the request"))
        judge("ask-pending")
        for document in (site.report, site.public):
            site.service.sealmark.documents.change(OPERATOR, document.id, listing=Listing.HIDDEN)
        page.goto(f"{site.url}/trust")
        judge("trust-less")
