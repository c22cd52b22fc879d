"""A service that lends one small report, and a browser without memory that meets its pages."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

from flask import Flask
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from werkzeug.test import Client, EnvironBuilder, TestResponse

from service.compiling import Compiled
from service.facts import Facts
from service.records import Classification, Document, Kind, Nda, Recipient, Share
from service.web.application import create_app
from tests.service_fixture import OPERATOR, Service
from watermark.compile import compile_pdf
from watermark.cut.document import compile_cut

PAGES = 9
NOISE_SIDE = 700
"""Pixels of a picture of noise, which does not compress: a file of 1.5 MB, so that a download has many pieces."""

HOST = "reports.lender.example"
ADDRESS = "192.0.2.7"

FACTS: dict[str, Any] = {
    "period_start": "2025-01-01",
    "period_end": "2025-12-31",
    "auditor": "Larkspur & Vane LLP",
    "opinion": "qualified",
    "criteria": ["security", "availability"],
    "sections": [
        {
            "kind": "auditors-opinion",
            "title": "Independent auditor’s report",
            "first_page": 1,
            "last_page": 2,
        },
        {"kind": "managements-assertion", "title": "Assertion", "first_page": 3, "last_page": 3},
        {"kind": "system-description", "title": "The system", "first_page": 4, "last_page": 5},
        {"kind": "controls", "title": "Controls in place", "first_page": 6, "last_page": 6},
        {"kind": "test-results", "title": "Tests & results", "first_page": 7, "last_page": 9},
    ],
    "exceptions": [
        {
            "control": "AC-03",
            "criterion": "CC6.2",
            "deviation": "For 2 of 40 grants the approval was late.",
            "response": "A second approval is now enforced.",
            "remediated": True,
            "pages": [7, 8],
        },
        {
            "control": "AV-04",
            "criterion": "A1.3",
            "deviation": "One restore test was not performed.",
            "remediated": False,
            "pages": [9],
        },
    ],
}


@cache
def report_pdf() -> bytes:
    """Nine pages, the first with a picture of noise."""
    noise = random.Random(3).randbytes(3 * NOISE_SIDE**2)
    picture = ImageReader(Image.frombytes("RGB", (NOISE_SIDE, NOISE_SIDE), noise))
    written = BytesIO()
    canvas = Canvas(written, invariant=True)
    canvas.drawImage(picture, 72, 300, 200, 200)
    for number in range(1, PAGES + 1):
        canvas.drawString(72, 720, f"Page {number} of an invented report")
        canvas.showPage()
    canvas.save()
    return written.getvalue()


def compile_here(source: Iterable[bytes], parameters: dict[str, Any]) -> Compiled:
    """The real compiler, in this process: what is tested here is not the child's confinement."""
    return _compiled(b"".join(source), tuple(parameters.get("pages", ())))


@cache
def _compiled(pdf: bytes, pages: tuple[int, ...]) -> Compiled:
    """Once for all tests: where the mark stands does not matter here."""
    parameters = {"seed": "00" * 32, "max_bytes": len(pdf), "max_pages": PAGES}
    if pages:
        return Compiled(*compile_cut(pdf, {**parameters, "pages": list(pages)}))
    return Compiled(*compile_pdf(pdf, parameters))


@dataclass
class Lent:
    """One report, one share of it and its link; `browser` asks the real application."""

    service: Service
    app: Flask
    browser: Client
    document: Document
    nda: Nda
    recipient: Recipient
    share: Share
    path: str

    def ask(self) -> TestResponse:
        """Press the button."""
        return self.browser.post(self.path)

    def granted(self) -> str:
        """Press the button; the path of the delivery."""
        answer = self.ask()
        assert answer.status_code == 303
        return answer.headers["Location"]

    def begin(self, path: str, headers: dict[str, str] | None = None) -> Running:
        """Begin to fetch, without reading further than the server sends by itself."""
        return Running(self.app, path, headers or {})

    def kinds(self) -> list[str]:
        """The kinds of entries since the share was made, in order."""
        kinds = [row["kind"] for row in self.service.entries()]
        return kinds[kinds.index("link.created") + 1 :]


class Running:
    """An answer as a WSGI server holds it: status, header fields, and a body that it reads piece by piece."""

    def __init__(self, app: Flask, path: str, headers: dict[str, str]) -> None:
        environ = EnvironBuilder(path=path, headers=headers, base_url=f"https://{HOST}").get_environ()
        environ["REMOTE_ADDR"] = ADDRESS
        self.body: Iterator[bytes]
        self._iterable: Any = app(environ, self._start)
        self.body = iter(self._iterable)

    def _start(self, status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
        self.status = int(status.split()[0])
        self.headers = dict(headers)

    def close(self) -> None:
        """What a server does at the end, however it came."""
        self._iterable.close()


def lend(service: Service, **options: Any) -> Lent:
    """Upload the report, approve its reader and share it.

    Options: facts, kind, classification, name, limit, view_only, pdf.
    """
    sealmark = service.sealmark
    document = sealmark.documents.create(
        OPERATOR,
        name=options.get("document", "Relay report"),
        kind=options.get("kind", Kind.SOC2_TYPE2),
        classification=options.get("classification", Classification.NDA),
        owner_mail="owner@lender.example",
    )
    facts = Facts.model_validate(options.get("facts", FACTS))
    version = sealmark.documents.add_version(OPERATOR, document.id, facts)
    sealmark.documents.upload(OPERATOR, document.id, version.id, [options.get("pdf", report_pdf())])
    service.work()
    nda = sealmark.ndas.add(OPERATOR, domain="acme.example", source="test", approved=True)
    share, recipient, link = sealmark.sharing.create(
        OPERATOR,
        document_id=document.id,
        mail="ana@acme.example",
        name=options.get("name", "Ana Lindqvist"),
        company="Acme Freight",
        purpose="secret purpose of the lender",
        download_limit=options.get("limit"),
        mail_check=options.get("mail_check", False),
        view_only=options.get("view_only", False),
    )
    app = create_app(service.sealmark)
    browser = Client(app)
    path = link.url.removeprefix(f"https://{HOST}")
    return Lent(service, app, _At(browser), document, nda, recipient, share, path)  # type: ignore[arg-type]


class _At:
    """A client that names the service's own host."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, method: str) -> Any:
        def ask(path: str, environ_overrides: dict[str, Any] | None = None, **options: Any) -> TestResponse:
            environ = {"REMOTE_ADDR": ADDRESS, **(environ_overrides or {})}
            return getattr(self._client, method)(
                path, base_url=f"https://{HOST}", environ_overrides=environ, **options
            )

        return ask
