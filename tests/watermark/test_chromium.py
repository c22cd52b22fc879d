"""A copy in Chromium's own viewer, as recipients see it: it opens, and its mark is seen."""

from __future__ import annotations

import base64
import json
import os
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.servers import missing
from tests.servers.process import find, free_port, running
from tests.watermark.builders import bare_copy_of, copy_of, report, template_of

pytestmark = [pytest.mark.slow, pytest.mark.producers]

FLAGS = (
    *(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-sync",
    ),
    *("--disable-background-networking", "--disable-component-update", "--window-size=900,1100"),
)
SECONDS = 30.0  # until a page is drawn


class Browser:
    """Chromium through chromedriver: WebDriver's commands over HTTP (w3.org/TR/webdriver2)."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._session = ""

    def answers(self) -> bool:
        """Whether chromedriver is there."""
        with suppress(OSError):
            return bool(self._call("GET", "/status")["ready"])
        return False

    def start(self) -> None:
        """Open a window."""
        options = {"binary": str(find("chromium")), "args": list(FLAGS)}
        capabilities = {"alwaysMatch": {"goog:chromeOptions": options}}
        self._session = (
            "/session/" + self._call("POST", "/session", {"capabilities": capabilities})["sessionId"]
        )

    def drawn(self, path: Path) -> np.ndarray:
        """The window with this file in it, in grey, once it stays the same and is not empty."""
        self._call("POST", f"{self._session}/url", {"url": path.as_uri()})
        before = np.zeros(0)
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            png = base64.b64decode(self._call("GET", f"{self._session}/screenshot"))
            after = np.asarray(Image.open(BytesIO(png)).convert("L")).astype(int)
            if np.array_equal(before, after) and len(np.unique(after)) > 20:
                return after
            before = after
            time.sleep(0.5)
        raise AssertionError(f"{path.name} was not drawn within {SECONDS} s")

    def close(self) -> None:
        """Close the window."""
        if self._session:
            self._call("DELETE", self._session)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not find("chromedriver") or not find("chromium"):
        missing("chromium", "apt-get install --no-install-recommends chromium chromium-driver")
    folder = tmp_path_factory.mktemp("chromium")
    port = free_port()
    made = Browser(port)
    command = [str(find("chromedriver")), f"--port={port}"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with running(command, log=folder / "log", ready=made.answers, environment=environment, folder=folder):
        made.start()
        try:
            yield made
        finally:
            made.close()


def test_a_copy_opens_in_chromium_and_shows_its_mark(browser: Browser, tmp_path: Path) -> None:
    template = template_of(report(2))
    drawn = {}
    for name, copy in (("marked", copy_of(template)), ("bare", bare_copy_of(template))):
        path = tmp_path / f"{name}.pdf"
        path.write_bytes(copy)
        drawn[name] = browser.drawn(path)
    marked, bare = drawn["marked"], drawn["bare"]
    assert (bare > 250).mean() > 0.2  # a page is there
    pale = (bare > 250) & (marked > 200) & (marked < 250)
    dark = (bare > 250) & (marked < 190)
    assert pale.sum() > 2000  # the diagonal
    assert dark.sum() > 50  # the footer
