"""When shares end: each by its own end, or by the last day of its document, which may be set and moved meanwhile.

No share keeps a last day that is set later, so whoever tells or counts an end asks here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from service.decision import ends_at
from service.ports import Records
from service.records import Document, Share

BATCH = 500
"""Shares of one query: below what databases take as parameters of a statement."""

R = TypeVar("R", Document, Share)


def in_effect(records: Records, shares: Sequence[Share]) -> list[Share]:
    """These shares, each with `expires_at` as it is in effect. What goes along ends with its report's share, too."""
    found: list[Share] = []
    for at in range(0, len(shares), BATCH):
        some = shares[at : at + BATCH]
        reports = _by_id(records, Share, {share.with_id for share in some if share.with_id})
        documents = _by_id(records, Document, {one.document_id for one in (*some, *reports.values())})
        for share in some:
            both = [share, *([reports[share.with_id]] if share.with_id else [])]
            found.append(
                replace(share, expires_at=min(ends_at(one, documents[one.document_id]) for one in both))
            )
    return found


def open_shares(
    records: Records, now: datetime, *, after: str = "", batch: int = BATCH, **where: Any
) -> Iterator[Share]:
    """The shares that meet `where` and are neither revoked nor run out, in order of their id, those after `after`, each
    with its end in effect. `batch`: how many are read first, where few are wanted."""
    while True:
        found = records.find(
            Share, order="id", limit=batch, id__gt=after, revoked_at=None, expires_at__gt=now, **where
        )
        yield from (share for share in in_effect(records, found) if now < share.expires_at)
        if len(found) < batch:
            return
        after, batch = found[-1].id, BATCH


def ending_soon(
    records: Records, now: datetime, notice: timedelta, after: str, limit: int
) -> tuple[list[Share], str | None]:
    """Of at most `limit` shares after this id, those that end within `notice`, each with its end in effect; and after
    which id the rest begins (None: there is none).

    Without those that were made for no longer, of which that was said with their link, and without what goes along:
    it ends with its report's share, of which this tells.
    """
    by = now + notice
    first, past = now.astimezone(UTC).date(), by.astimezone(UTC).date()
    last_days = [document.id for document in records.find(Document, ends_on__ge=first, ends_on__lt=past)]
    where: dict[str, Any] = {
        "order": "id",
        "limit": limit,
        "id__gt": after,
        "revoked_at": None,
        "with_id": None,
    }
    found = records.find(Share, expires_at__gt=now, expires_at__le=by, **where)
    if last_days:
        found += records.find(Share, expires_at__gt=by, document_id__in=last_days, **where)
    some = sorted(found, key=lambda share: share.id)[:limit]
    longer = [share for share in some if share.expires_at - share.created_at > notice]
    told = [share for share in in_effect(records, longer) if now < share.expires_at]
    return told, some[-1].id if len(some) == limit else None


def _by_id(records: Records, kind: type[R], ids: Iterable[str]) -> dict[str, R]:
    wanted = sorted(ids)
    return {one.id: one for one in records.find(kind, id__in=wanted)} if wanted else {}
