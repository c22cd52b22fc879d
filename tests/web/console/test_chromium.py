"""Staff in real Chromium with a real OpenID Connect provider: on a phone and a desktop, with and without scripts,
light and dark. axe knows of no violation; nothing makes one scroll sideways. Screenshots are kept in build/screenshots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from service.records import Document, Listing, Share
from service.web.application import create_app
from tests.servers.oidc_provider import CLIENT_ID, CLIENT_SECRET, PEOPLE, OidcServer, oidc_server
from tests.servers.process import free_port
from tests.service.acting import a_document, a_version, an_nda
from tests.service.asking import ask
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
from tests.web.recipient.lending import FACTS, report_pdf

pytestmark = pytest.mark.long

LOOPBACK = "http://127.0.0.1:"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as made:
        yield made


@dataclass
class Site:
    """A service at which staff sign in, with something to do."""

    service: Service
    url: str
    server: OidcServer
    document: Document
    share: Share

    def sign_in(self, page: Page, login: str) -> None:
        """From the console to the provider and back."""
        page.goto(f"{self.url}/console")
        page.get_by_role("link", name="Sign in").click()
        page.wait_for_url(f"{self.server.issuer}/interaction/**")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", "any")
        page.click("button[type=submit]")
        page.wait_for_url(f"{self.url}/console**")

    def staff(self) -> list[dict[str, object]]:
        return [row for row in self.service.entries() if str(row["kind"]).startswith("staff.")]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    secret = tmp_path / "client-secret"
    secret.write_text(CLIENT_SECRET)
    port = free_port()
    environ = {
        "SEALMARK_OIDC_ISSUER": f"{LOOPBACK}{port}",
        "SEALMARK_OIDC_CLIENT_ID": CLIENT_ID,
        "SEALMARK_OIDC_CLIENT_SECRET_FILE": str(secret),
    }
    with service_at(tmp_path, environ) as (service, url):
        service.clock.now = datetime.now(UTC)  # the provider's tokens are of now
        document = a_document(service, name="Relay report")
        version = a_version(service, document, report_pdf(), **FACTS)
        service.sealmark.cuts.ask(OPERATOR, version.id, [0])
        service.work()
        service.sealmark.documents.change(OPERATOR, document.id, listing=Listing.FACTS)
        an_nda(service, valid_until=service.clock() + timedelta(days=30))
        an_nda(service, domain="pending.example", approved=False)
        share = service.sealmark.sharing.create(
            OPERATOR,
            document_id=document.id,
            mail="ana@acme.example",
            name="Ana Lindqvist",
            company="Acme Freight",
            purpose="vendor review",
        )[0]
        ask(service, document, mail="carla@acme.example", name="Carla Example")
        service.work()
        service.sealmark.checkpoints.cover()
        with (
            oidc_server(tmp_path, f"{url}/console/callback", port) as server,
            listening(create_app(service.sealmark), url),
        ):
            yield Site(service, url, server, document, share)


@pytest.mark.parametrize("size", SIZES)
def test_every_page_of_the_console_is_without_a_violation(site: Site, browser: Browser, size: str) -> None:
    faults: list[str] = []
    seen: list[str] = []

    def look(state: str) -> None:
        seen.append(state)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            faults.extend(f"{state}, {scheme}: {found}" for found in violations(page))
            shot(page, f"console-{size}-{state}-{scheme}")
        for direction in ("rtl", "ltr"):  # its sentences are English; what it shows need not be
            page.evaluate("direction => document.documentElement.dir = direction", direction)
            if overflows(page):
                faults.append(f"{state}, {direction}: one must scroll sideways")
            if direction == "rtl":
                faults.extend(f"{state}, {direction}: {found}" for found in violations(page))

    def goto(path: str, state: str) -> None:
        page.goto(site.url + path)
        look(state)

    with memoryless(browser, LOOPBACK, size) as (_, page):
        goto("/console", "sign-in")
        goto("/console/callback?state=x", "again")
        site.sign_in(page, "everything")
        expect(page.get_by_role("heading", level=1)).to_have_text("Who has what")
        expect(
            page.get_by_text("Signed in as Eve Everything (viewer, sharer, approver, auditor)")
        ).to_be_visible()
        look("overview")
        follow(page.get_by_role("link", name="All shares of Relay report"))
        look("document")
        page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
        follow(page.get_by_role("button", name="Share it"))
        expect(page.get_by_role("alert")).to_be_visible()
        look("document-wrong")
        page.get_by_label("Full name").fill("Bob Example")
        page.get_by_label("Work mail address").fill("bob@acme.example")
        page.get_by_label("What they need it for").fill("Vendor review")
        follow(page.get_by_role("button", name="Share it"))
        expect(page.get_by_label("Link")).to_have_value(f"{site.url}/s/" in page.content() and _link(page))
        look("link")
        goto(f"/console/shares/{site.share.id}", "share")
        follow(page.get_by_role("button", name="Mail a new link"))
        look("share-sent")
        follow(page.get_by_role("link", name="Requests"))
        look("requests")
        follow(page.get_by_role("button", name="Approve the request of Carla Example"))
        expect(page.get_by_text("No request waits for a decision.")).to_be_visible()
        look("requests-none")
        follow(page.get_by_role("link", name="Agreements"))
        look("ndas")
        goto("/console/report", "report")
        follow(page.get_by_role("link", name="Log"))
        look("log")
        goto("/console/log?from=yesterday", "log-wrong")
        follow(page.get_by_role("button", name="Check the whole log now"))
        expect(page.get_by_role("heading", level=1)).to_have_text("The log is genuine")
        look("check")
        goto("/console/nowhere", "not-found")
        goto(f"/console/shares/{site.share.id}", "share-again")
        page.get_by_label("Yes, at once").check()
        follow(page.get_by_role("button", name="End this share"))
        expect(page.get_by_text("The share ended")).to_have_count(0)  # its entry has no place yet
        look("share-ended")
        follow(page.get_by_role("button", name="Sign out"))
        expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out here")
        look("signed-out")
    assert faults == []
    assert len(seen) == len(set(seen)) == 19
    revoked = site.service.entries("share.revoked")
    assert [row["actor"] for row in revoked] == [f"{site.server.issuer} everything"]
    assert [row["kind"] for row in site.staff()] == ["staff.signed-in", "staff.signed-out"]


def _link(page: Page) -> str:
    return page.get_by_label("Link").input_value()


@pytest.mark.parametrize("login", PEOPLE)
def test_who_has_an_account_sees_what_their_roles_allow(site: Site, browser: Browser, login: str) -> None:
    offered = {
        "vera": ["Who has what", "Agreements"],
        "shari": ["Who has what", "Agreements"],
        "april": ["Requests", "Agreements"],
        "audrey": ["Log", "For the board"],
        "nobody": [],
        "everything": ["Who has what", "Requests", "Agreements", "Log", "For the board"],
    }
    with memoryless(browser, LOOPBACK, "desktop", scripts=False) as (_, page):
        site.sign_in(page, login)
        assert page.locator("nav.pages a").all_inner_texts() == offered[login]
        if login == "nobody":
            expect(page.get_by_role("heading", level=1)).to_have_text("You may not use the console")
            assert violations_without_scripts(page) == ""
            shot(page, "console-no-role")
    (entry,) = site.staff()
    assert entry["kind"] == ("staff.denied" if login == "nobody" else "staff.signed-in")
    assert (entry["actor"], entry["name"]) == (f"{site.server.issuer} {login}", PEOPLE[login]["name"])


def violations_without_scripts(page: Page) -> str:
    """Nothing on the page is a script; axe cannot look at it here."""
    return "".join(page.locator("script").all_inner_texts())


@pytest.mark.parametrize("size", SIZES)
def test_a_sharer_shares_and_ends_a_share_without_scripts(site: Site, browser: Browser, size: str) -> None:
    with memoryless(browser, LOOPBACK, size, scripts=False) as (_, page):
        loaded: list[int] = []
        site.sign_in(page, "shari")
        page.on("response", lambda answer: loaded.append(len(answer.body())))
        page.goto(f"{site.url}/console")
        page.wait_for_load_state("networkidle")
        assert 0 < sum(loaded) <= LIMIT_OF_A_PAGE
        follow(page.get_by_role("link", name="Story of the share for Ana Lindqvist"))
        page.get_by_role("button", name="End this share").click()
        assert site.service.entries("share.revoked") == []  # the browser asks for the box first
        page.get_by_label("Yes, at once").check()
        follow(page.get_by_role("button", name="End this share"))
        expect(page.get_by_text("revoked")).to_be_visible()
    (entry,) = site.service.entries("share.revoked")
    assert (entry["share"], entry["actor_type"]) == (site.share.id, "staff")


def test_a_code_is_taken_once_by_the_provider_too(site: Site, browser: Browser) -> None:
    with memoryless(browser, LOOPBACK, "desktop") as (context, page):
        taken: list[str] = []
        page.on("request", lambda asked: taken.append(asked.url) if "/callback?" in asked.url else None)
        page.goto(f"{site.url}/console")
        before: list[object] = []
        page.get_by_role("link", name="Sign in").click()
        page.wait_for_url(f"{site.server.issuer}/interaction/**")
        before = context.cookies(site.url)
        page.fill("input[name=login]", "vera")
        page.fill("input[name=password]", "any")
        page.click("button[type=submit]")
        page.wait_for_url(f"{site.url}/console")
        page.goto(taken[0])  # the same address: the flow is over for us
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in once more")
        context.clear_cookies()
        context.add_cookies(before)  # type: ignore[arg-type]
        page.goto(taken[0])  # with the cookie of the flow: the code is over for the provider
        expect(page.get_by_role("heading", level=1)).to_have_text("Your sign-in could not be verified")
    assert [(row["kind"], row.get("reason")) for row in site.staff()] == [
        ("staff.signed-in", None),
        ("staff.denied", "code"),
    ]
