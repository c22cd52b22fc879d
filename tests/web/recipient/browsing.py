"""What a person does on the pages: forms as the page has them, and the code out of the mail that was sent."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from werkzeug.test import Client, TestResponse

from tests.service_fixture import Service
from tests.web.recipient.lending import ADDRESS, HOST


class Forms(HTMLParser):
    """The forms of a page: where each goes and the values of its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        elif tag in {"input", "textarea"} and self.forms and "name" in given:
            self.forms[-1][1][given["name"]] = given.get("value", "")


class Person:
    """One browser with its cookies."""

    def __init__(self, app: Any) -> None:
        self._client = Client(app)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._ask("get", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self._ask("post", path, **options)

    def head(self, path: str, **options: Any) -> TestResponse:
        return self._ask("head", path, **options)

    def send(self, page: TestResponse, action: str, **typed: str) -> TestResponse:
        """Send the form of this page that goes to `…action`, as it is but for what is typed."""
        for path, fields in Forms(page.text).forms:
            if path.endswith(action):
                return self.post(path, data={**fields, **typed})
        raise AssertionError(f"the page has no form to {action}")

    def follow(self, answer: TestResponse) -> TestResponse:
        """Go where the answer to a form leads."""
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["Location"])

    def show_mail(self, service: Service, path: str) -> TestResponse:
        """Pass the mail check of the link or address; the page that opens then."""
        page = self.follow(self.send(self.get(path), "/check"))
        return self.follow(self.send(page, "/code", code=mailed_code(service)))

    def _ask(self, method: str, path: str, **options: Any) -> TestResponse:
        environ = {"REMOTE_ADDR": ADDRESS, **options.pop("environ_overrides", {})}
        ask = getattr(self._client, method)
        answer: TestResponse = ask(path, base_url=f"https://{HOST}", environ_overrides=environ, **options)
        return answer


def mailed_code(service: Service) -> str:
    """The code in the newest mail; what waits in the outbox is sent first."""
    found = [re.search(r"^\s*([0-9]{6})\s*$", letter.text, re.MULTILINE) for letter in service.mails()]
    codes = [match[1] for match in found if match]
    assert codes, "no code was mailed"
    return codes[-1]


def text_of(page: str) -> str:
    """What is read: no tags, single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())
