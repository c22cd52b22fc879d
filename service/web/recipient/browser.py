"""The browser that asks: a cookie by which it is known again, and proof that a form was sent from a page of ours.

The cookie holds random bits and nothing else; what the browser has shown is in the database (`service.mailchecks`).
Over https its name begins with `__Host-`, so that no other host can set it.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable

from flask import Response, g, request

from service.audit import Random

COOKIE_BYTES = 32
COOKIE_SECONDS = 30 * 24 * 3600
"""The cookie alone opens nothing; a session in the database ends within hours."""

FIELD = "token"
"""The hidden field of every form."""

MAX_FORM_BYTES = 16 * 1024
"""Of a form: a name, a company, a purpose of some hundred characters, in any script, percent-encoded."""

_CONTEXT = b"sealmark form\x00"
_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


class ForeignForm(Exception):
    """A form that was not sent from a page of ours, in the browser that we gave it to."""


class Browsers:
    """Knows the browser of the current request."""

    def __init__(
        self,
        url: str,
        key: Callable[[], bytes],
        random: Random,
        *,
        name: str = "sealmark",
        seconds: int = COOKIE_SECONDS,
    ) -> None:
        """`url` is the service's public base; `key` the secret under which form tokens are made."""
        self._origin = url
        self._secure = url.startswith("https:")
        self._name = f"__Host-{name}" if self._secure else name
        self._seconds = seconds
        self._key = key
        self._random = random

    def of_request(self) -> str | None:
        """The value of the browser's cookie; None where it has none of ours."""
        value = g.get("new_browser") or request.cookies.get(self._name, "")
        return value if _VALUE.fullmatch(value) else None

    def ensure(self) -> str:
        """The value of the browser's cookie; a new one, which the answer sets, where it has none."""
        return self.of_request() or self.renew()

    def renew(self) -> str:
        """A new value, which the answer sets, whatever the browser has: what was known under the old one is over."""
        browser = _text(self._random(COOKIE_BYTES))
        g.new_browser = browser
        return browser

    def form_token(self) -> str:
        """What a form of this page carries, so that no other site can send it."""
        return self._token(self.ensure())

    def remember(self, response: Response) -> Response:
        """Set the cookie that `ensure` made; for every answer."""
        if "new_browser" in g:
            response.set_cookie(
                self._name,
                g.new_browser,
                max_age=self._seconds,
                secure=self._secure,
                httponly=True,
                samesite="Lax",
                path="/",
            )
        return response

    def refuse_foreign(self) -> None:
        """Raise `ForeignForm` when the browser says that another site sent this.

        Our pages are `no-referrer`, for which browsers send `Origin: null`: that says nothing. A browser that says
        nothing at all is believed here.
        """
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        if site is not None and site not in {"same-origin", "none"}:
            raise ForeignForm
        if site is None and origin not in {None, "null", self._origin}:
            raise ForeignForm

    def require_own_form(self) -> str:
        """The browser that sent this form. Raises `ForeignForm` unless we gave the form to this browser."""
        self.refuse_foreign()
        browser = request.cookies.get(self._name, "")
        given = request.form.get(FIELD, "")
        if not _VALUE.fullmatch(browser) or not hmac.compare_digest(
            given.encode(), self._token(browser).encode()
        ):
            raise ForeignForm
        return browser

    def _token(self, browser: str) -> str:
        return _text(hmac.digest(self._key(), _CONTEXT + browser.encode(), "sha256"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
