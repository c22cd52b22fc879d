"""Reading in real Chromium: on a phone and a desktop, with and without scripts, by keyboard, light, dark and from right
to left. axe knows of no violation. Screenshots are kept in build/screenshots.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

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
from tests.web.recipient.lending import Lent, lend

pytestmark = pytest.mark.long

ARABIC_NAME = "محمد علي الهاشمي"


@dataclass
class Site:
    """A service on loopback that lends a report to be read, and a browser."""

    service: Service
    lent: Lent
    browser: Browser
    url: str

    @contextmanager
    def page(
        self, size: str, *, scripts: bool = True, scheme: str = "light", language: str = "en"
    ) -> Iterator[Page]:
        """A browser without memory; fails when anything is loaded from elsewhere."""
        with memoryless(self.browser, self.url, size, scripts=scripts, scheme=scheme, locale=language) as (
            _,
            page,
        ):
            yield page

    def drawn(self) -> list[str]:
        """The details of each entry that a page was shown."""
        return [row["details"] for row in self.service.entries("page.drawn")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path, browser: Browser) -> Iterator[Site]:
    with service_at(tmp_path) as (service, url):
        lent = lend(service, view_only=True, name=ARABIC_NAME)
        lent.path = lent.path.removeprefix(url)
        with listening(lent.app, url):
            yield Site(service, lent, browser, url)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("size", SIZES)
def test_a_person_reads_turns_pages_and_finds_one_by_its_number(site: Site, size: str, scripts: bool) -> None:
    with site.page(size, scripts=scripts) as page:
        page.goto(site.url + site.lent.path)
        assert page.get_by_role("button", name="Download").count() == 0
        shot(page, f"read-link-{size}")
        follow(page.get_by_role("button", name="Read it here"))
        assert "Page 1 of 9" in page.get_by_role("heading", level=1).inner_text()
        picture = page.get_by_role("img", name="Picture of page 1.")
        assert picture.is_visible()
        shot(page, f"read-first-{size}-{'scripts' if scripts else 'no-scripts'}")
        follow(page.get_by_role("link", name="Next page").first)
        assert "Page 2 of 9" in page.title()
        page.get_by_label("Go to page").fill("7")
        follow(page.get_by_role("button", name="Go"))
        assert "Page 7 of 9" in page.title()
        page.get_by_text("Text of page 7").click()
        assert page.get_by_text("Page 7 of an invented report").is_visible()
        assert page.get_by_text("ana@acme.example").is_visible()
        page.get_by_text("Sections", exact=True).click()
        shot(page, f"read-open-{size}")
        follow(page.get_by_role("link", name="The system"))
        assert "Page 4 of 9" in page.title()
        follow(page.get_by_role("link", name="Previous page").last)
        assert "Page 3 of 9" in page.title()
    assert site.drawn() == [f'{{"page": {number}}}' for number in (1, 2, 7, 4, 3)]
    kinds = site.lent.kinds()
    assert kinds == ["page.viewed", "download.granted", *["page.drawn"] * 5]


@pytest.mark.parametrize("size", SIZES)
def test_the_picture_is_as_wide_as_the_page_and_the_page_no_wider_than_the_window(
    site: Site, size: str
) -> None:
    with site.page(size) as page:
        page.goto(site.url + site.lent.path)
        follow(page.get_by_role("button", name="Read it here"))
        assert not overflows(page)
        image = page.locator("figure img")
        assert image.evaluate("image => image.complete && image.naturalWidth") == 910
        shown = image.bounding_box()
        assert shown is not None
        assert shown["width"] > SIZES[size]["width"] * 0.75 - 250 * (size == "desktop")
        assert abs(shown["height"] / shown["width"] - 1287 / 910) < 0.01


def test_a_page_is_reached_and_turned_by_the_keyboard_alone(site: Site) -> None:
    with site.page("desktop") as page:
        page.goto(site.url + site.lent.path)
        page.get_by_role("button", name="Read it here").press("Enter")
        page.wait_for_url("**/v/**")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Next page"
        page.keyboard.press("Enter")
        page.wait_for_url("**/2#page")
        assert "Page 2 of 9" in page.title()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing_on_any_page_of_a_reading(
    site: Site, size: str, scheme: str, language: str
) -> None:
    found = []
    with site.page(size, scheme=scheme, language=language) as page:
        page.goto(site.url + site.lent.path)
        found += violations(page)
        follow(page.locator(".copy button"))
        sitting = page.url
        for number in (1, 5, 9):
            page.goto(f"{sitting}/{number}")
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
            assert not overflows(page)
            shot(page, f"read-{number}-{size}-{scheme}-{language}")
            found += violations(page)
        page.goto(sitting.replace("/v/", "/d/"))
        found += violations(page)
        site.service.clock.advance(hours=2)
        page.goto(sitting)
        found += violations(page)
        assert "invented report" not in page.content()
    assert found == []


def test_a_page_takes_less_than_50_kb_beside_its_picture(site: Site) -> None:
    taken: dict[str, int] = {}
    with site.page("phone") as page:
        page.goto(site.url + site.lent.path)
        page.on(
            "response", lambda answer: taken.update({answer.url: len(answer.body())}) if answer.ok else None
        )
        follow(page.get_by_role("button", name="Read it here"))
        page.wait_for_load_state("networkidle")
    pictures = [url for url in taken if url.endswith((".png", ".jpeg"))]
    assert len(pictures) == 1
    assert sum(size for url, size in taken.items() if url not in pictures) < LIMIT_OF_A_PAGE


def test_a_page_that_is_open_in_a_browser_shows_no_further_one_after_a_revocation(site: Site) -> None:
    with site.page("desktop") as page:
        page.goto(site.url + site.lent.path)
        follow(page.get_by_role("button", name="Read it here"))
        site.service.sealmark.sharing.revoke(OPERATOR, site.lent.share.id)
        follow(page.get_by_role("link", name="Next page").first)
        assert page.get_by_role("heading", name="Your access was withdrawn").is_visible()
        shot(page, "read-revoked")
        page.go_back()
        assert page.get_by_role("img", name="Picture").count() == 0
    assert site.drawn() == ['{"page": 1}']
    assert site.service.entries("download.denied")[0]["reason"] == "share-revoked"
