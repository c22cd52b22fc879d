"""Who has which report: documents with their shares and recipients, and agreements with whom they cover. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from service.audit import Clock
from service.ends import in_effect
from service.errors import not_found
from service.ports import Database, Records
from service.records import Document, Nda, Recipient, Share

SHOWN_OF_EACH = 10
"""Shares shown beside each document of the overview; all of them are on the document's own page."""

T = TypeVar("T")


class Standing(StrEnum):
    """Where a share stands in time."""

    OPEN = "open"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Holding:
    """A share with its end in effect (`ends`), and who holds it."""

    share: Share
    recipient: Recipient
    standing: Standing


@dataclass(frozen=True)
class Shelf:
    """A document and some of its shares; `more`: there are others."""

    document: Document
    holdings: Sequence[Holding]
    more: bool


@dataclass(frozen=True)
class Listed(Generic[T]):
    """Some of a list, and after which id the rest begins (None: there is none)."""

    items: Sequence[T]
    following: str | None


@dataclass(frozen=True)
class Agreement:
    """An agreement and, where it covers a person, who that is."""

    nda: Nda
    recipient: Recipient | None


class Holdings:
    """Reads what is lent. Raises `DatabaseUnavailable`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def overview(self, *, after: str | None = None, limit: int = 20) -> Listed[Shelf]:
        """Documents in order of their id, each with its newest shares that are open."""
        now = self._clock()
        where: dict[str, Any] = {"id__gt": after} if after else {}
        with self._database.read() as records:
            found = records.find(Document, order="id", limit=limit + 1, **where)
            shelves = [self._shelf(records, document, now) for document in found[:limit]]
        return Listed(shelves, found[limit - 1].id if len(found) > limit else None)

    def of(self, document_id: str, *, after: str | None = None, limit: int = 50) -> Listed[Holding]:
        """All shares of a document, ended ones too, in order of their id."""
        now = self._clock()
        where: dict[str, Any] = {"id__gt": after} if after else {}
        with self._database.read() as records:
            found = records.find(Share, order="id", limit=limit + 1, document_id=document_id, **where)
            held = _with_recipients(records, found[:limit], now)
        return Listed(held, found[limit - 1].id if len(found) > limit else None)

    def one(self, share_id: str) -> tuple[Document, Holding]:
        """A share with its document and holder. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            share = records.get(Share, share_id)
            document = records.get(Document, share.document_id) if share else None
            if share is None or document is None:
                raise not_found("share", share_id)
            return document, _with_recipients(records, [share], self._clock())[0]

    def agreements(self, ndas: Sequence[Nda]) -> list[Agreement]:
        """These agreements with the people whom they cover."""
        ids = {nda.recipient_id for nda in ndas if nda.recipient_id}
        with self._database.read() as records:
            known = _recipients(records, ids)
        return [Agreement(nda, known.get(nda.recipient_id or "")) for nda in ndas]

    def names(self, document_ids: Iterable[str]) -> dict[str, str]:
        """The documents' names by id."""
        wanted = sorted(set(document_ids))
        with self._database.read() as records:
            return {found.id: found.name for found in records.find(Document, id__in=wanted)} if wanted else {}

    def _shelf(self, records: Records, document: Document, now: datetime) -> Shelf:
        found = records.find(
            Share,
            order="-created_at",
            limit=SHOWN_OF_EACH + 1,
            document_id=document.id,
            revoked_at=None,
            expires_at__gt=now,
        )
        held = _with_recipients(records, found[:SHOWN_OF_EACH], now)
        held = [one for one in held if one.standing == Standing.OPEN]
        return Shelf(document, held, len(found) > SHOWN_OF_EACH)


def standing(share: Share, now: datetime) -> Standing:
    """Where a share with its end in effect stands now."""
    if share.revoked_at is not None:
        return Standing.REVOKED
    return Standing.OPEN if now < share.expires_at else Standing.EXPIRED


def _with_recipients(records: Records, shares: Sequence[Share], now: datetime) -> list[Holding]:
    known = _recipients(records, {share.recipient_id for share in shares})
    return [
        Holding(share, known[share.recipient_id], standing(share, now))
        for share in in_effect(records, shares)
    ]


def _recipients(records: Records, ids: Iterable[str]) -> dict[str, Recipient]:
    wanted = sorted(ids)
    return {found.id: found for found in records.find(Recipient, id__in=wanted)} if wanted else {}
