"""A share that waits for its agreement, met in a browser without scripts."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from werkzeug.test import Client, TestResponse

from service.facts import Facts
from service.records import Classification, Document, Kind, Listing, NdaMode, NdaText, Recipient, Share
from service.web.application import create_app
from tests.service_fixture import OPERATOR, Service
from tests.web.recipient.browsing import Forms
from tests.web.recipient.lending import FACTS, _At, report_pdf

TEXT = """\
# Non-disclosure agreement

Between the lender and whoever signs. See [our policy](https://lender.example/policy).

## 1. What is confidential

1. The report, and what is *in* it.
2. All copies:
   - files,
   - prints.

> In doubt, ask <legal@lender.example>.

אין להעביר את הדוח.
"""


@dataclass
class Asked:
    """A share that waits, its link, and a browser that opens it."""

    service: Service
    app: Any
    browser: Any
    document: Document
    share: Share
    recipient: Recipient
    text: NdaText
    path: str

    def get(self, path: str = "") -> TestResponse:
        return self.browser.get(self.path + path)

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form of the page that is shown, with its token."""
        return self.browser.post(self.path + path, data={"token": self.token(), **fields})

    def token(self) -> str:
        """The token of the forms that this browser was given."""
        found = re.search(r'name="token" value="([^"]*)"', self.get().text)
        return html.unescape(found[1]) if found else ""

    def check_mail(self) -> None:
        """Pass the mail check, as who reads the recipient's mail does."""
        assert self.post("/check").status_code == 303
        assert self.post("/code", code=issued_code(self.service)).status_code == 303

    def form(self, **changes: str | None) -> dict[str, str]:
        """The form of the page as it is meant to be sent, for the text that was shared; None leaves a field out."""
        hidden = next((fields for path, fields in Forms(self.get().text).forms if path.endswith("/sign")), {})
        typed = {"text": self.text.id, "name": "Ana Lindqvist", "agree": "yes", "electronic": "yes"}
        given = {"token": self.token(), **hidden, **typed, **changes}
        return {name: value for name, value in given.items() if value is not None}

    def sign(self, **changes: str | None) -> TestResponse:
        """Send that form."""
        return self.browser.post(f"{self.path}/sign", data=self.form(**changes))

    def kinds(self) -> list[str]:
        """The kinds of entries since the share's link was made, in order."""
        kinds = [row["kind"] for row in self.service.entries()]
        return kinds[kinds.index("link.created") + 1 :]


def issued_code(service: Service) -> str:
    """The code of the check that was begun last, as the sender of mail makes it."""
    from service.records import Check

    with service.sealmark.database.write() as records:
        check = records.find(Check, order="-created_at", ended_at=None, limit=1)[0]
        code = service.sealmark.mail_checks.issue(records, check.id, service.clock())
    assert code is not None
    return code


def ask(service: Service, *, text: str = TEXT, days: int | None = 365, **options: Any) -> Asked:
    """Upload the report and share it with Ana, who must sign first. Options of the share; `listing`, `app`, `host`."""
    sealmark = service.sealmark
    listing = options.pop("listing", Listing.HIDDEN)
    document = sealmark.documents.create(
        OPERATOR,
        name="Relay report",
        kind=Kind.SOC2_TYPE2,
        classification=Classification.NDA,
        owner_mail="owner@lender.example",
    )
    with sealmark.database.write() as records:
        document = records.change(document, listing=listing) or document
    version = sealmark.documents.add_version(OPERATOR, document.id, Facts.model_validate(FACTS))
    sealmark.documents.upload(OPERATOR, document.id, version.id, [report_pdf()])
    service.work()
    offered = sealmark.nda_texts.add(OPERATOR, markdown=text, days=days)
    given = {
        "mail": "ana@acme.example",
        "name": "Ana Lindqvist",
        "company": "Acme Freight",
        "purpose": "secret purpose of the lender",
        "nda": NdaMode.ASK,
        **options,
    }
    share, recipient, link = sealmark.sharing.create(OPERATOR, document_id=document.id, **given)
    app = create_app(sealmark)
    path = link.url.removeprefix(sealmark.settings.url)
    return Asked(service, app, _At(Client(app)), document, share, recipient, offered, path)
