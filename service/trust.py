"""What the trust page lists: documents whose owner lets them be named, each with the version that is lent now."""

from __future__ import annotations

from dataclasses import dataclass

from service.audit import Clock
from service.facts import Facts
from service.ports import Database
from service.public_files import is_listed, newest_ready
from service.records import Classification, Document, Listing, PublicCopy, Version

MAX_LISTED = 60
"""Documents on the page, so that it stays below 50 KB; a lender of more has a site of its own."""


@dataclass(frozen=True)
class Listed:
    """One document of the page. `facts` only where the owner lets them be shown; `size` of a public file, in bytes."""

    document: Document
    version: Version
    facts: Facts | None
    size: int | None


class TrustPage:
    """Finds what is listed. Raises `DatabaseUnavailable`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def listed(self) -> list[Listed]:
        """The documents in the order of their names, at most `MAX_LISTED`."""
        now = self._clock()
        found = []
        with self._database.read() as records:
            named = records.find(
                Document, order="name", revoked_at=None, listing__in=[Listing.NAMED, Listing.FACTS]
            )
            for document in named:
                version = newest_ready(records, document.id) if is_listed(document, now) else None
                if version is None:
                    continue
                shown = document.listing == Listing.FACTS
                facts = Facts.model_validate(version.facts) if shown else None
                public = document.classification == Classification.PUBLIC
                copy = records.get(PublicCopy, version.id) if public else None
                size = (copy.length if copy else version.size) if public else None
                found.append(Listed(document, version, facts, size))
                if len(found) == MAX_LISTED:
                    break
        return found
