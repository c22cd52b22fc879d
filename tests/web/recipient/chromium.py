"""A real Chromium that meets a service on loopback, and what is asked of every page in it."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright
from werkzeug.serving import make_server

from tests.servers import missing
from tests.service_fixture import Service, service_in
from tests.web.recipient.lending import compile_here

NAMES = ("chromium", "chromium-browser", "google-chrome")
"""Under which the browser is looked for."""

SIZES = {"phone": {"width": 360, "height": 740}, "desktop": {"width": 1280, "height": 800}}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SCREENSHOTS = Path("build/screenshots")

LIMIT_OF_A_PAGE = 50_000
"""Bytes of a page with all that it loads, without PDFs and pictures of their pages."""


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser of its own; without one on this machine the test is skipped, or fails in CI."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        missing("Chromium", "apt install chromium")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield made
        made.close()


@contextmanager
def service_at(folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[tuple[Service, str]]:
    """A service whose address is a free port of loopback, and that address; nothing listens there yet."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    given = {"SEALMARK_URL": url, **(environ or {})}
    with service_in(folder, compile_in_child=compile_here, environ=given) as service:
        yield service, url


@contextmanager
def listening(app: Flask, url: str) -> Iterator[None]:
    """The application listens at this address, in a thread."""
    server = make_server("127.0.0.1", int(url.rsplit(":", 1)[1]), app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def memoryless(
    browser: Browser, url: str, size: str, *, scripts: bool = True, scheme: str = "light", **options: Any
) -> Iterator[tuple[BrowserContext, Page]]:
    """A browser without memory; fails when anything is loaded from elsewhere."""
    context = browser.new_context(
        viewport=SIZES[size],  # type: ignore[arg-type]
        java_script_enabled=scripts,
        color_scheme=scheme,  # type: ignore[arg-type]
        has_touch=size == "phone",
        accept_downloads=True,
        **options,
    )
    asked_for: list[str] = []
    context.on("request", lambda request: asked_for.append(request.url))
    try:
        yield context, context.new_page()
    finally:
        context.close()
    assert all(address.startswith(url) for address in asked_for), asked_for


def follow(leads_on: Locator) -> None:
    """Press what leads to another page, and wait until that one is there with all that it loads."""
    with leads_on.page.expect_navigation():
        leads_on.click()


def shot(page: Page, name: str) -> None:
    """Keep what the page looks like, as build output."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def violations(page: Page) -> list[str]:
    """What axe finds, all of it, with the place."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}}).response
    assert found["passes"]
    return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]


def overflows(page: Page) -> bool:
    """Whether one must scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
