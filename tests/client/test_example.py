"""docs/examples/crm_deal_won.py as a CRM runs it, and what docs/client.md shows, over real HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from sealmark.client import Client
from service.access import Scope
from tests.client.conftest import Served
from tests.service.acting import a_document, a_version, an_nda

DEAL = {
    "id": "17",
    "stage": "won",
    "name": "Renewal 2026",
    "company": "Acme",
    "contacts": [
        {"mail": "ana@acme.example", "name": "Ana Lima"},
        {"mail": "no address", "name": "Bo"},
        {"mail": "cy@acme.example", "name": "Cy Roe"},
    ],
}


def _run(served: Served, folder: Path, deal: Any, report: str) -> list[list[str]]:
    key = folder / "key"
    if not key.exists():
        key.write_text(served.service.api_key(Scope.SHARES_WRITE))
    done = subprocess.run(
        [sys.executable, "docs/examples/crm_deal_won.py"],
        input=json.dumps(deal),
        env={
            "PATH": os.environ["PATH"],
            "SEALMARK": served.url,
            "SEALMARK_API_KEY_FILE": str(key),
            "REPORT": report,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_a_deal_that_is_won_shares_once_with_each_contact(served: Served, tmp_path: Path) -> None:
    document = a_document(served.service)
    a_version(served.service, document)
    an_nda(served.service)

    assert _run(served, tmp_path, {**DEAL, "stage": "negotiation"}, document.id) == []
    assert served.service.entries("share.created") == []

    told = _run(served, tmp_path, DEAL, document.id)
    made = served.service.entries("share.created")
    assert [(mail, outcome[:8]) for mail, outcome in told] == [
        ("ana@acme.example", made[0]["share"][:8]),
        ("no address", "invalid:"),
        ("cy@acme.example", made[1]["share"][:8]),
    ]
    assert [told[0][1], told[2][1]] == [entry["share"] for entry in made]
    assert {entry["purpose"] for entry in made} == {"Deal: Renewal 2026"}
    letters = served.service.mails()
    assert sorted(letter.to for letter in letters) == ["ana@acme.example", "cy@acme.example"]


def test_a_deal_is_shared_once_for_a_day_with_contacts_in_any_alphabet(
    served: Served, tmp_path: Path
) -> None:
    document = a_document(served.service)
    a_version(served.service, document)
    an_nda(served.service)
    contacts = [
        {"mail": "łukasz@acme.example", "name": "Łukasz Wu"},
        {"mail": "ana@acme.example", "name": "Ana Lima"},
    ]
    told = [_run(served, tmp_path, {**DEAL, "contacts": contacts}, document.id) for _ in range(2)]
    assert told[0] == told[1]
    assert [mail for mail, _ in told[0]] == ["łukasz@acme.example", "ana@acme.example"]
    assert told[0][1][1] in {entry["share"] for entry in served.service.entries("share.created")}


def test_the_pages_examples_run(served: Served, tmp_path: Path) -> None:
    document = a_document(served.service)
    a_version(served.service, document)
    an_nda(served.service)
    text = Path("docs/client.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    key = tmp_path / "key"
    key.write_text(served.service.api_key())
    places = {
        "https://reports.acme.example": served.url,
        "/run/secrets/sealmark-key": str(key),
        "doc_…": document.id,
    }
    code = "\n".join(blocks)
    for place, value in places.items():
        code = code.replace(place, value)
    names: dict[str, Any] = {"work": served.service.sealmark.batch_working.run_once}
    shows = Client.batch_done

    def batch_done(self: Client, batch_id: str, **options: Any) -> Any:
        return shows(self, batch_id, pause=lambda seconds: names["work"]() and None, **options)

    Client.batch_done = batch_done  # type: ignore[method-assign]
    try:
        exec(compile(code, "docs/client.md", "exec"), names)
    finally:
        Client.batch_done = shows  # type: ignore[method-assign]
    assert len(served.service.entries("share.created")) == 3
