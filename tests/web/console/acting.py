"""Staff at the console over HTTP, signed in by a provider that is told who comes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from werkzeug.test import TestResponse

from service.staff import Identity
from service.web.application import create_app
from tests.service_fixture import Service
from tests.web.recipient.browsing import Forms, Person
from tests.web.recipient.lending import HOST

ISSUER = "https://id.lender.example"
SUBJECT = "subject-7"


@dataclass
class ToldProvider:
    """Not a provider: it says of each code whom it is told, or raises; and keeps what it was asked."""

    codes: dict[str, Identity | Exception] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    app: Any = None  # made once for all who share this provider

    def authorization_url(self, **given: str) -> str:
        self.asked.append(given)
        return f"{ISSUER}/auth?state={given['state']}"

    def identify(self, **given: str) -> Identity:
        self.asked.append(given)
        found = self.codes[given["code"]]
        if isinstance(found, Exception):
            raise found
        return found


def environ(folder: Path) -> dict[str, str]:
    """The settings of a service with a console."""
    secret = folder / "client-secret"
    secret.write_text("of the tests alone\n")
    return {
        "SEALMARK_OIDC_ISSUER": ISSUER,
        "SEALMARK_OIDC_CLIENT_ID": "sealmark",
        "SEALMARK_OIDC_CLIENT_SECRET_FILE": str(secret),
    }


class CheckedForms(Forms):
    """The forms of a page, without boxes that are not checked."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("type") != "checkbox" or "checked" in given:
            super().handle_starttag(tag, attrs)


class Colleague(Person):
    """One of the lender's people with a browser."""

    def __init__(self, service: Service, *roles: str, provider: ToldProvider | None = None) -> None:
        """Signed in with these roles; with none, only on the way there."""
        self.provider = provider or ToldProvider()
        sealmark = replace(service.sealmark, provider=self.provider)
        self.provider.app = self.provider.app or create_app(sealmark)
        super().__init__(self.provider.app)
        if roles:
            answer = self.sign_in(identity(*roles))
            assert answer.headers["Location"] == "/console", answer.text

    def leave(self) -> str:
        """Begin to sign in; the state that the provider is given."""
        answer = self.get("/console/sign-in")
        assert answer.status_code == 303, answer.text
        return parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]

    def come_back(self, state: str, code: str = "code", **more: str) -> TestResponse:
        """Come back from the provider."""
        return self.get("/console/callback", query_string={"state": state, "code": code, **more})

    def sign_in(self, who: Identity | Exception) -> TestResponse:
        """Go there and come back as this person, or with what the adapter says of the answer."""
        self.provider.codes["code"] = who
        return self.come_back(self.leave())

    def send(self, page: TestResponse, action: str, **typed: str) -> TestResponse:
        """As a browser does: boxes that are not checked are not sent."""
        for path, fields in CheckedForms(page.text).forms:
            if path.endswith(action):
                return self.post(path, data={**fields, **typed})
        raise AssertionError(f"the page has no form to {action}")

    def cookie(self) -> str:
        """The value of the console's cookie."""
        found = self._client.get_cookie("__Host-sealmark-staff", HOST)
        return found.value if found else ""


def identity(*roles: str, **changes: Any) -> Identity:
    """Olga, as the provider names her."""
    given: dict[str, Any] = {"issuer": ISSUER, "subject": SUBJECT, "name": "Olga Example", **changes}
    return Identity(roles=roles, **given)
