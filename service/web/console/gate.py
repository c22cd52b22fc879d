"""Who may do what on which page: the gate before every view of the console, and signing in and out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import Response, g, request

from service.app import Sealmark
from service.audit import Actor
from service.limits import Limit, network
from service.records import StaffSession
from service.staff import SESSION_LIFE, Act, NotBelieved, Provider, ProviderUnavailable, acting, require
from service.web.console.rendering import html, message, pages_of, see_other
from service.web.recipient.browser import Browsers
from service.web.requests import actor

LOG = logging.getLogger("sealmark.console")

HOME = "/console"
CALLBACK = "/console/callback"
COOKIE = "sealmark-staff"

FLOW_LIFE = timedelta(minutes=10)
"""From leaving for the provider to coming back: a password, and a second factor that has to be found."""

SIGN_INS_FROM = Limit("sign-ins-from", 120, timedelta(hours=1))
"""Begun at one network address: an office on its first day."""

ANSWERS_FROM = Limit("sign-in-answers-from", SIGN_INS_FROM.number, SIGN_INS_FROM.window)
"""Of the provider, brought by one network address: each makes us ask it. As many as may begin."""

_STATE, _NONCE, _VERIFIER = b"sealmark state\x00", b"sealmark nonce\x00", b"sealmark verifier\x00"
"""What each value of a flow begins with, so that none stands for another."""


@dataclass(frozen=True)
class Visitor:
    """Who is signed in, and as whom they act in this request."""

    session: StaffSession
    actor: Actor


View = Callable[..., Response]


class Gate:
    """Lets in who is signed in and may; signs in and out.

    What a flow needs is derived from the browser's cookie and the time at which it began, under the service key:
    nothing is stored for who only begins, and what is sent to one browser is of no use in another.
    """

    def __init__(self, sealmark: Sealmark, provider: Provider) -> None:
        self._staff = sealmark.staff
        self._limits = sealmark.limits
        self._clock = sealmark.clock
        self._provider = provider
        self._issuer = sealmark.settings.oidc.issuer if sealmark.settings.oidc else ""
        self._redirect_uri = sealmark.settings.url + CALLBACK
        self._keys = sealmark.keys
        self.browsers = Browsers(
            sealmark.settings.url,
            self._secret,
            sealmark.random,
            name=COOKIE,
            seconds=int(SESSION_LIFE.total_seconds()),
        )

    def page(self, view: View, *acts: Act) -> View:
        """The view of a page, for who may do one of `acts`."""

        def served(**path: str) -> Response:
            return self._serve(view, acts, path) if request.method in {"GET", "HEAD"} else wrong("GET, HEAD")

        return served

    def form(self, view: View, *acts: Act) -> View:
        """The view of an address to which a form is sent, for who may do one of `acts`."""

        def served(**path: str) -> Response:
            return self._serve(view, acts, path) if request.method == "POST" else wrong("POST")

        return served

    def _serve(self, view: View, acts: tuple[Act, ...], path: dict[str, str]) -> Response:
        session = self._staff.session(self.browsers.of_request())
        if session is None:
            return message(403, "over", sign_in=True) if request.method == "POST" else see_other(HOME)
        g.visitor = Visitor(session, acting(actor("staff"), session))
        require(session, *acts)
        if request.method == "POST":
            self.browsers.require_own_form()
        return view(g.visitor, **path)

    def home(self, overview: View) -> View:
        """The first page: that of signing in, the overview, or the first one that somebody may see."""

        def served() -> Response:
            if request.method not in {"GET", "HEAD"}:
                return wrong("GET, HEAD")
            session = self._staff.session(self.browsers.of_request())
            if session is None:
                return html("sign_in")
            _, path = pages_of(session)[0]
            return self._serve(overview, (Act.SEE,), {}) if path == HOME else see_other(path)

        return served

    def begin(self) -> Response:
        """Send the browser to the provider."""
        if request.method not in {"GET", "HEAD"}:
            return wrong("GET, HEAD")
        if self._staff.session(self.browsers.of_request()) is not None:
            return see_other(HOME)
        self._limits.require((SIGN_INS_FROM, network(request.remote_addr)))
        browser = self.browsers.renew()
        begun = f"{int(self._clock().timestamp())}"
        challenge = hashlib.sha256(self._value(_VERIFIER, browser, begun).encode()).digest()
        try:
            address = self._provider.authorization_url(
                redirect_uri=self._redirect_uri,
                state=self._state(browser, begun),
                nonce=self._value(_NONCE, browser, begun),
                challenge=_text(challenge),
            )
        except ProviderUnavailable as error:
            return self._unavailable(error)
        return see_other(address)

    def come_back(self) -> Response:
        """Take who comes back from the provider: a session, or a page that says why not."""
        if request.method != "GET":
            return wrong("GET")
        self._limits.require((ANSWERS_FROM, network(request.remote_addr)))
        browser, state = self.browsers.of_request(), request.args.get("state", "")
        begun = state.partition(".")[0]
        if browser is None or not self._is_of_flow(browser, state, begun):
            return message(403, "again", sign_in=True)
        if request.args.get("iss", self._issuer) != self._issuer:  # RFC 9207: another provider's answer
            return message(403, "again", sign_in=True)
        if "code" not in request.args:
            return message(403, "provider_refused", sign_in=True)
        try:
            identity = self._provider.identify(
                code=request.args["code"],
                redirect_uri=self._redirect_uri,
                nonce=self._value(_NONCE, browser, begun),
                verifier=self._value(_VERIFIER, browser, begun),
            )
        except NotBelieved as error:
            LOG.warning("a sign-in was not believed", extra={"reason": error.reason, "detail": str(error)})
            self._staff.refuse(actor("stranger"), error.reason)
            return message(403, "not_believed", sign_in=True)
        except ProviderUnavailable as error:
            return self._unavailable(error)
        # A new cookie, so that who knew the old one is not signed in with it.
        if self._staff.sign_in(actor("staff"), self.browsers.renew(), identity) is None:
            return message(403, "no_role")
        return see_other(HOME)

    def leave(self) -> Response:
        """Sign out. Without a session there is nothing to end, and it is said all the same."""
        if request.method != "POST":
            return wrong("POST")
        browser = self.browsers.require_own_form()
        self._staff.sign_out(actor("staff"), browser)
        self.browsers.renew()
        return message(200, "signed_out", sign_in=True)

    def _unavailable(self, error: ProviderUnavailable) -> Response:
        LOG.error("the provider of sign-ins is unavailable", extra={"detail": str(error)})
        return message(503, "provider")

    def _is_of_flow(self, browser: str, state: str, begun: str) -> bool:
        """Whether this browser began a flow with this state, and not too long ago."""
        if not begun.isascii() or not begun.isdigit() or len(begun) > 12:
            return False
        if not hmac.compare_digest(state.encode(), self._state(browser, begun).encode()):
            return False
        age = int(self._clock().timestamp()) - int(begun)
        return 0 <= age <= FLOW_LIFE.total_seconds()

    def _state(self, browser: str, begun: str) -> str:
        return f"{begun}.{self._value(_STATE, browser, begun)}"

    def _secret(self) -> bytes:
        return self._keys.signing("service").secret

    def _value(self, context: bytes, browser: str, begun: str) -> str:
        return _text(hmac.digest(self._secret(), context + f"{browser} {begun}".encode(), "sha256"))


def wrong(methods: str) -> Response:
    """The page for a method that an address does not answer to."""
    answer = message(405, "method")
    answer.headers["Allow"] = methods
    return answer


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
