"""Short ways to the states that domain tests begin in."""

from __future__ import annotations

from typing import Any

from service.facts import Facts
from service.records import Classification, Document, Kind, Nda, Share, Version
from service.sharing import NewLink
from tests.service_fixture import OPERATOR, Service

A_PDF = b"%PDF-1.7 not read by the fake compiler"


def a_document(service: Service, **changes: Any) -> Document:
    """A SOC 2 Type II report, without a version."""
    given = {
        "name": "SOC 2 Type II",
        "kind": Kind.SOC2_TYPE2,
        "classification": Classification.NDA,
        "owner_mail": "trust@lender.example",
        **changes,
    }
    return service.sealmark.documents.create(OPERATOR, **given)


def a_version(service: Service, document: Document, content: bytes = A_PDF, **facts: Any) -> Version:
    """A version of the document, uploaded and settled."""
    documents = service.sealmark.documents
    version = documents.add_version(OPERATOR, document.id, Facts.model_validate(facts))
    documents.upload(OPERATOR, document.id, version.id, [content])
    service.work()
    return documents.version(document.id, version.id)


def an_nda(service: Service, **changes: Any) -> Nda:
    """An agreement in force that covers all of acme.example."""
    given = {"domain": "acme.example", "source": "paper", "approved": True, **changes}
    return service.sealmark.ndas.add(OPERATOR, **given)


def a_report_under_nda(service: Service) -> Document:
    """A report that is ready, with an agreement for all of Acme."""
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    return document


def a_share(service: Service, document: Document, **changes: Any) -> tuple[Share, NewLink]:
    """A share for Ana of Acme."""
    given = {
        "document_id": document.id,
        "mail": "ana@acme.example",
        "name": "Ana Example",
        "company": "Acme",
        "purpose": "vendor review",
        **changes,
    }
    share, _, link = service.sealmark.sharing.create(OPERATOR, **given)
    return share, link


def token_of(link: NewLink) -> str:
    """The token in a link's URL."""
    return link.url.rsplit("/", 1)[1]


def stored_keys(service: Service, part: str = "") -> list[str]:
    """All keys of the store but the master keys' markers; with `part`, those that hold it."""
    keys = [blob.key for blob in service.sealmark.store.list("")]
    return [key for key in keys if part in key and not key.startswith("masters/")]
