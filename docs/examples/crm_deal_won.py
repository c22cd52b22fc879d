"""A CRM shares the SOC 2 report when a deal is won: its body on standard input.

Run again within 24 hours of the first time, with the same API key, it shares nothing twice and prints the same; later
it shares once more. A CRM that comes back to old deals keeps the shares that this prints, and leaves out who has one.

    SEALMARK=https://reports.acme.example SEALMARK_API_KEY_FILE=key REPORT=doc_… python crm_deal_won.py < deal.json

The key needs the scope `shares:write` alone. The deal looks like this, with the contacts who are to have the report:

    {"id": "17", "stage": "won", "name": "Renewal 2026", "company": "Acme",
     "contacts": [{"mail": "ana@acme.example", "name": "Ana Lima"}]}
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from sealmark.client import Client
from sealmark.errors import ProblemError


def share(client: Client, report: str, deal: dict[str, Any]) -> list[tuple[str, str]]:
    """The mail of each contact, and their share, or why there is none."""
    told = []
    for contact in deal["contacts"]:
        try:
            made = client.shares.create(
                document=report,
                recipient={**contact, "company": deal["company"]},
                purpose=f"Deal: {deal['name']}",
                nda="ask",  # who has signed nothing yet signs on the page first
                send=True,  # Sealmark mails the link; the CRM never sees it
                idempotency_key=f"deal-{deal['id']}-{contact['mail']}",  # holds for 24 hours
            )
            told.append((contact["mail"], made["id"]))
        except ProblemError as error:  # one person's name or address must not stop the others
            told.append((contact["mail"], f"{error.type}: {error}"))
    return told


def main() -> None:
    """Read a deal, share where it is won, and say what came of it."""
    deal = json.load(sys.stdin)
    if deal["stage"] != "won":
        return
    client = Client.with_key_file(os.environ["SEALMARK"])
    for mail, outcome in share(client, os.environ["REPORT"], deal):
        print(f"{mail}\t{outcome}")


if __name__ == "__main__":
    main()
