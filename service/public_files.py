"""Public files: of a `public` document that the trust page lists, one file for everybody, marked as public.

It is made once a version and kept as a copy is: its bytes depend on its row and its template alone. Each download is
an entry, durable before the first byte. There are only so many a minute: strangers must not fill a log that cannot be
erased. Whether a document is public is decided in the transaction of that entry, and each second while bytes flow.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from service.audit import Actor, Clock, Details, Random, entry
from service.copies import Copies
from service.decision import has_ended
from service.errors import DomainError, Problem
from service.limits import Limit, Limits, TooMany
from service.ports import Database, DatabaseUnavailable, Records, Taken
from service.records import Classification, Document, Listing, PublicCopy, Version, VersionState
from service.sending import DECIDE_EVERY, in_pieces
from service.tallies import PUBLIC
from watermark.errors import Unmarkable
from watermark.mark import PublicMark, check_mark
from watermark.stamp import STAMP_VERSION

DOWNLOADS = Limit("public", 60, timedelta(minutes=1))
"""Entries that one document may cause: more than readers do, and a flood of them stays below a hundred thousand a day,
which the log bears."""


@dataclass(frozen=True)
class PublicFile:
    """A public document and the file that everybody gets of it."""

    document: Document
    version: Version
    copy: PublicCopy


class PublicFiles:
    """Makes public files, and sends them."""

    def __init__(
        self,
        database: Database,
        copies: Copies,
        limits: Limits,
        organization: str,
        url: str,
        clock: Clock,
        random: Random,
    ) -> None:
        """`organization` stands on every page; where the mark's fonts cannot draw it, the host of `url` does."""
        self._database = database
        self._copies = copies
        self._limits = limits
        self._named = (organization, urlsplit(url).hostname or url)
        self._clock = clock
        self._random = random

    def find(self, document_id: str) -> PublicFile | None:
        """The file as it is now, made if nobody asked before; None where there is none for everybody.

        Raises `StoreError`, `CryptoError`, `DomainError` (unavailable).
        """
        with self._database.read() as records:
            document = _public(records.get(Document, document_id), self._clock())
            version = newest_ready(records, document.id) if document else None
            copy = records.get(PublicCopy, version.id) if version else None
        if document is None or version is None or version.template_id is None:
            return None
        return PublicFile(document, version, copy or self._mint(version, version.template_id))

    def send(self, file: PublicFile, actor: Actor, start: int, stop: int) -> Iterator[bytes] | None:
        """Begin to send bytes [start, stop); close it however it ends. None: it is public no more.

        The entry is durable when this returns. Raises `TooMany` (nothing is recorded then but the minute's summary),
        `StoreError`, `CryptoError`, `DomainError` (unavailable).
        """
        document, copy = file.document, file.copy
        limit = DOWNLOADS.of(document.id)
        exceeded = self._limits.take((limit, ""), summed=f"{PUBLIC}{document.id}")
        if exceeded is not None:
            raise TooMany(exceeded, self._clock())
        if copy.stamp_version != STAMP_VERSION:
            detail = f"The public file was stamped by version {copy.stamp_version}: upload the version anew."
            raise DomainError(Problem.UNAVAILABLE, detail)
        pieces = self._copies.stamped(copy.template_id, copy.version_id, copy.fill, start, stop)
        now = self._clock()
        details: Details = {"first": start, "last": stop - 1, "sha256": copy.sha256}
        with self._database.write() as records:
            if _public(records.get(Document, document.id, lock=True), now) is None:
                pieces.close()
                return None
            made = entry(
                "public.downloaded",
                actor,
                now,
                self._random,
                details=details,
                document=document.id,
                version=copy.version_id,
                template=copy.template_id,
            )
            records.add(made)
        return self._watched(document.id, pieces)

    def _watched(self, document_id: str, pieces: Generator[bytes, None, None]) -> Iterator[bytes]:
        """The pieces, until the document is public no more; a database that does not answer ends them too."""
        decided_at = self._clock()
        with closing(pieces):
            for piece in in_pieces(pieces):
                now = self._clock()
                if abs(now - decided_at) >= DECIDE_EVERY:
                    if not self._still_public(document_id, now):
                        return
                    decided_at = now
                yield piece

    def _still_public(self, document_id: str, now: datetime) -> bool:
        try:
            with self._database.read() as records:
                return _public(records.get(Document, document_id), now) is not None
        except DatabaseUnavailable:
            return False

    def _mint(self, version: Version, template_id: str) -> PublicCopy:
        """The file of this version, made now or by whoever was first."""
        now = self._clock()
        mark = self._mark(version, now)
        made = self._copies.make(template_id, mark)
        copy = PublicCopy(
            version_id=version.id,
            template_id=template_id,
            issued=mark.issued,
            stamp_version=STAMP_VERSION,
            length=made.length,
            sha256=made.sha256,
            fill=made.fill,
            minted_at=now,
        )
        try:
            with self._database.write() as records:
                records.add(copy)
        except Taken:
            with self._database.read() as records:
                return records.get(PublicCopy, version.id) or copy
        return copy

    def _mark(self, version: Version, now: datetime) -> PublicMark:
        organization, host = self._named
        mark = PublicMark(organization, now.date(), version.id)
        try:
            check_mark(mark)
        except Unmarkable:
            return PublicMark(host, now.date(), version.id)
        return mark


def newest_ready(records: Records, document_id: str) -> Version | None:
    """The version that is lent now."""
    found = records.find(Version, document_id=document_id, state=VersionState.READY, order="-number", limit=1)
    return found[0] if found else None


def is_listed(document: Document, now: datetime) -> bool:
    """Whether the trust page may name the document."""
    listed = document.listing != Listing.HIDDEN and document.revoked_at is None
    return listed and not has_ended(document, now)


def _public(document: Document | None, now: datetime) -> Document | None:
    """The document if everybody may have it now."""
    if document is None or document.classification != Classification.PUBLIC:
        return None
    return document if is_listed(document, now) else None
