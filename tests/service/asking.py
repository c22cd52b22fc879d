"""Short ways to requests for access, and the services that they are tried on."""

from __future__ import annotations

import json
from typing import Any

from service.audit import Actor
from service.outbox import Mail
from service.records import AccessRequest, AccessRule, Document, Listing, Message, RuleKind
from tests.service.acting import a_document, a_version
from tests.service_fixture import OPERATOR, Service

BROWSER = Actor("recipient", request="req_browser", address="192.0.2.7", agent="Browser 1")
CRM = Actor("api-key", id="smk_crm")


def a_listed_document(service: Service, **changes: Any) -> Document:
    """A report with a file that is ready, which the trust page names."""
    listing = changes.pop("listing", Listing.NAMED)
    document = a_document(service, **changes)
    a_version(service, document)
    return service.sealmark.documents.change(OPERATOR, document.id, listing=listing)


def ask(service: Service, document: Document, **changes: Any) -> AccessRequest:
    """Ana of Acme, whose mail was checked, asks."""
    given = {
        "mail": "ana@acme.example",
        "name": "Ana Example",
        "company": "Acme",
        "purpose": "vendor review",
        "language": "de",
        **changes,
    }
    return service.sealmark.access_requests.ask(BROWSER, document_id=document.id, **given)


def a_rule(service: Service, kind: RuleKind, **changes: Any) -> AccessRule:
    """A rule, made a second before all that follows."""
    made = service.sealmark.access_rules.add(CRM, kind=kind, **changes)
    service.clock.advance(seconds=1)
    return made


def queued(service: Service) -> list[tuple[Mail, str, str, str]]:
    """What waits in the outbox: kind, what it is about, address and language."""
    with service.sealmark.database.read() as records:
        found = records.find(Message, order="created_at")
    return [(Mail(one.kind), one.about, one.mail, one.language) for one in found]


def said(service: Service, kind: str) -> list[dict[str, Any]]:
    """The entries of this kind, their details beside their other fields."""
    return [{**row, **json.loads(row["details"] or "{}")} for row in service.entries(kind)]


def kinds_after(service: Service, kind: str) -> list[str]:
    """The kinds of entries from the last one of this kind on."""
    kinds = [entry["kind"] for entry in service.entries()]
    return kinds[len(kinds) - 1 - kinds[::-1].index(kind) :]
