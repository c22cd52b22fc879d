"""Citations of a document: what its newest version that is ready says of itself, in the owner's wording."""

from __future__ import annotations

from collections.abc import Sequence

from service.audit import Clock
from service.citing import Citation, Report, cite, items_in_words, known_criteria, report_of
from service.errors import DomainError, Problem, not_found
from service.facts import Facts
from service.ports import Database
from service.records import Document, Version, VersionState


class Citations:
    """Cites documents. Reads only, so no entry is made: what a citation says is no more than the facts say."""

    def __init__(self, database: Database, url: str, clock: Clock) -> None:
        self._database = database
        self._url = url
        self._clock = clock

    def cite(self, document_id: str, *, items: str = "", criteria: Sequence[str] = ()) -> Citation:
        """The sentence for these items (`45-72,80`) and criteria.

        Raises `DomainError`: not-found; wrong-state (nothing of it is lent); invalid, for an unknown criterion too.
        """
        report = self.report(document_id)
        return cite(report, items_in_words(items), known_criteria(report, criteria))

    def report(self, document_id: str) -> Report:
        """What citations say of a document now. Raises `DomainError` (not-found, wrong-state)."""
        with self._database.read() as records:
            document = records.get(Document, document_id)
            if document is None:
                raise not_found("document", document_id)
            if document.revoked_at:
                raise DomainError(
                    Problem.WRONG_STATE, "This document is revoked: it is lent to nobody any more."
                )
            if document.ends_on and document.ends_on < self._clock().date():
                detail = (
                    f"This document ended on {document.ends_on.isoformat()}: it is lent to nobody any more."
                )
                raise DomainError(Problem.WRONG_STATE, detail)
            ready = records.find(
                Version, document_id=document.id, state=VersionState.READY, order="-number", limit=1
            )
            bridged = records.get(Document, document.report_id) if document.report_id else None
        if not ready:
            detail = "This document has no file that is ready: upload one, and wait until it is compiled."
            raise DomainError(Problem.WRONG_STATE, detail)
        return report_of(
            Facts.model_validate(ready[0].facts),
            version=ready[0].id,
            kind=document.kind,
            name=document.name,
            classification=document.classification,
            wording=document.citation,
            address=f"{self._url}/r/{document.id}",
            bridged=bridged.kind if bridged else None,
        )
