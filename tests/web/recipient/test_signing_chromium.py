"""Signing in real Chromium: on a phone and a desktop, with and without scripts, by keyboard, light and dark.

axe knows of no violation. Screenshots are kept in build/screenshots.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from pypdf import PdfReader

from service.records import Signature
from tests.service_fixture import OPERATOR, Service
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
from tests.web.recipient.signing import Asked, ask, issued_code

pytestmark = pytest.mark.long

RIGHT_TO_LEFT = """\
# اتفاقية عدم الإفصاح

لا يجوز للمتلقي أن يفصح عن التقرير SOC 2 إلى أي طرف ثالث.

1. التقرير سري.
2. اقرأ [السياسة](https://lender.example/policy).
"""

PATTERNS = """\
# One
## Two
### Three
#### Four
##### Five
###### Six

A *b* **c** `d` [e](https://lender.example/e) <f@lender.example>

> quoted

1. one
   - two
     1. three

---

    code that goes on and on and on and on and on and on and on and on and on and on and on and on and on

averyveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryverylongword
"""


@dataclass
class Site:
    """A service on loopback whose link waits for the agreement, and a browser."""

    service: Service
    asked: Asked
    browser: Browser
    url: str

    @contextmanager
    def context(
        self, size: str, *, scripts: bool = True, scheme: str = "light"
    ) -> Iterator[tuple[BrowserContext, Page]]:
        """A browser without memory; fails when anything is loaded from elsewhere."""
        with memoryless(self.browser, self.url, size, scripts=scripts, scheme=scheme) as made:
            yield made

    def check_mail(self, page: Page) -> None:
        """Open the link and pass the mail check."""
        page.goto(self.url + self.asked.path)
        follow(page.get_by_role("button", name="Mail me a code"))
        page.get_by_label("Code").fill(issued_code(self.service))
        follow(page.get_by_role("button", name="Open the document"))
        page.get_by_role("button", name="Sign the agreement").wait_for()

    def signatures(self) -> list[Signature]:
        with self.service.sealmark.database.read() as records:
            return records.find(Signature)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path, browser: Browser) -> Iterator[Site]:
    with site_in(tmp_path, browser) as made:
        yield made


@contextmanager
def site_in(folder: Path, browser: Browser, text: str | None = None) -> Iterator[Site]:
    with service_at(folder) as (service, url):
        asked = ask(service, **({"text": text} if text else {}))
        with listening(asked.app, url):
            yield Site(service, asked, browser, url)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("size", SIZES)
def test_a_person_checks_their_mail_signs_downloads_and_gets_the_record(
    site: Site, size: str, scripts: bool
) -> None:
    with site.context(size, scripts=scripts) as (_, page):
        site.check_mail(page)
        assert page.get_by_role("heading", name="An agreement comes first").is_visible()
        shot(page, f"agreement-{size}-{'scripts' if scripts else 'no-scripts'}")
        page.get_by_label("Your full name").fill("Ana Lindqvist")
        page.get_by_label("I have read the agreement").check()
        page.get_by_label("I agree to sign it electronically").check()
        follow(page.get_by_role("button", name="Sign the agreement"))
        assert page.url == site.url + site.asked.path
        assert page.get_by_role("button", name="Download your copy").is_visible()
        shot(page, f"signed-{size}")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download what you signed").click()
        record = Path(download.value.path()).read_bytes()
        assert "Ana Lindqvist" in PdfReader(io.BytesIO(record)).pages[0].extract_text()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download your copy").click()
        assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    (signature,) = site.signatures()
    assert (signature.name, signature.mail) == ("Ana Lindqvist", "ana@acme.example")
    assert "Chrome" in signature.agent
    kinds = [kind for kind in site.asked.kinds() if kind != "page.viewed"]
    assert kinds == [
        "mail-check.passed",
        *["nda.created", "nda.evidence", "nda.approved", "nda.signed", "nda.record-pulled"],
        *["download.granted", "download.begun", "download.ended"],
    ]


@pytest.mark.parametrize("size", SIZES)
def test_the_browser_itself_lets_nobody_forget_a_box(site: Site, size: str) -> None:
    with site.context(size) as (_, page):
        site.check_mail(page)
        page.get_by_label("Your full name").fill("Ana Lindqvist")
        page.get_by_label("I have read the agreement").check()
        page.get_by_role("button", name="Sign the agreement").click()
        assert page.evaluate("document.activeElement.id") == "electronic"
    assert site.signatures() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_state_of_the_page_has_no_violation_and_fits_the_window(
    site: Site, size: str, scheme: str
) -> None:
    with site.context(size, scheme=scheme) as (_, page):
        site.check_mail(page)
        assert violations(page) == []
        assert not overflows(page)
        # What is missing, as a browser without validation sends it.
        page.evaluate("document.querySelector('form').noValidate = true")
        page.get_by_label("I have read the agreement").check()
        follow(page.get_by_role("button", name="Sign the agreement"))
        assert page.title().startswith("Not signed yet")
        assert page.evaluate("document.activeElement.id") == "errors"
        assert page.get_by_label("I have read the agreement").is_checked()
        assert violations(page) == []
        assert not overflows(page)
        shot(page, f"agreement-errors-{size}-{scheme}")
        page.get_by_role("link", name="Type your full name").click()
        assert page.evaluate("document.activeElement.id") == "name"
        # The text changed meanwhile.
        site.service.sealmark.nda_texts.add(OPERATOR, markdown="# Another text\n")
        page.get_by_label("Your full name").fill("Ana Lindqvist")
        page.get_by_label("I agree to sign it electronically").check()
        follow(page.get_by_role("button", name="Sign the agreement"))
        assert page.get_by_role("heading", name="Another text").is_visible()
        assert not page.get_by_label("I have read the agreement").is_checked()
        assert page.get_by_label("Your full name").input_value() == "Ana Lindqvist"
        assert violations(page) == []
        # Signed, and then asked again.
        page.get_by_label("I have read the agreement").check()
        page.get_by_label("I agree to sign it electronically").check()
        follow(page.get_by_role("button", name="Sign the agreement"))
        assert page.get_by_role("link", name="Download what you signed").is_visible()
        assert violations(page) == []
        site.service.sealmark.nda_texts.add(OPERATOR, markdown="# A third text\n")
        page.goto(site.url + site.asked.path)
        assert page.get_by_text("You have signed here before.").is_visible()
        assert violations(page) == []
        shot(page, f"agreement-again-{size}-{scheme}")


@pytest.mark.parametrize("text", [RIGHT_TO_LEFT, PATTERNS], ids=["right-to-left", "all-of-markdown"])
@pytest.mark.parametrize("size", SIZES)
def test_texts_of_either_direction_and_of_every_form_have_no_violation(
    tmp_path: Path, browser: Browser, size: str, text: str, request: pytest.FixtureRequest
) -> None:
    with site_in(tmp_path, browser, text) as site, site.context(size) as (_, page):
        site.check_mail(page)
        assert violations(page) == []
        assert not overflows(page)
        for block in ("h2", "p", "ol", "li"):
            first = page.locator(f".words {block}").first
            rtl = first.evaluate("element => getComputedStyle(element).direction") == "rtl"
            assert rtl == (text == RIGHT_TO_LEFT)
        page.evaluate("document.documentElement.dir = 'rtl'")
        assert violations(page) == []
        assert not overflows(page)
        shot(page, f"agreement-{request.node.callspec.id}")


def test_it_is_signed_by_keyboard_alone(site: Site) -> None:
    with site.context("desktop") as (_, page):
        site.check_mail(page)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "name"
        page.keyboard.type("Ana Lindqvist")
        for _ in range(2):
            page.keyboard.press("Tab")
            page.keyboard.press("Space")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Download your copy").wait_for()
    assert [signature.name for signature in site.signatures()] == ["Ana Lindqvist"]


def test_the_page_with_all_that_it_loads_stays_small_with_the_longest_text(
    tmp_path: Path, browser: Browser
) -> None:
    loaded: list[int] = []
    text = "A clause of the agreement.\n\n" * 775
    with site_in(tmp_path, browser, text) as site, site.context("phone") as (context, page):
        site.check_mail(page)
        context.on("response", lambda response: loaded.append(len(response.body())))
        page.reload(wait_until="networkidle")
    assert 30_000 < sum(loaded) <= LIMIT_OF_A_PAGE
