"""Granting: one download is taken from a share's limit, once, with its entry in the same transaction.

Of a view-only share it is a *sitting*: pages are shown for a while, and the file is never sent (`viewing`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crypto import identifiers, tokens
from service.audit import Actor, Clock, Random, entry
from service.decision import Allowed, Denial, decide, ends_at
from service.keys import NamedKeys
from service.ports import Database, Records
from service.records import Copy, Delivery, InboxEntry, Link, Share
from service.together import Together

LOG = logging.getLogger("sealmark.granting")

DELIVERY_LIFE = timedelta(minutes=10)
"""How long a granted download may be (re)started: broken mobile connections come back within it."""

SITTING_LIFE = timedelta(hours=2)
"""How long the pages of a view-only share are shown once that was granted: seventy pages at a hundred seconds each."""

TOGETHER = 32
"""Downloads that are granted in one transaction at most: as many as threads wait, and locks of a few milliseconds."""


@dataclass(frozen=True)
class _Wanted:
    """One download that is to be granted."""

    allowed: Allowed
    copy: Copy
    link: Link
    actor: Actor
    checked: bool = False


class Granting:
    """Takes downloads from the limits of shares.

    Those that are wanted at the same moment share one transaction, and so one wait for the disk. Whatever keeps such a
    transaction from its end, or a share out of it, leads to one transaction for each.
    """

    def __init__(self, database: Database, keys: NamedKeys, clock: Clock, random: Random) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._random = random
        self._together: Together[_Wanted, Delivery | Denial] = Together(self._take_together, TOGETHER)

    def take(
        self, allowed: Allowed, copy: Copy, link: Link, actor: Actor, *, checked: bool = False
    ) -> Delivery | Denial:
        """The delivery of this copy: the one that is running, which costs nothing, or a new one with its entry.

        `checked`: the recipient's mail was. Durable when this returns.
        """
        wanted = _Wanted(allowed, copy, link, actor, checked)
        return self._together(wanted) or self._take_alone(wanted)

    def _take_together(self, batch: Sequence[_Wanted]) -> Sequence[Delivery | Denial | None]:
        """What each gets; None for one that must be taken alone."""
        first = {wanted.allowed.share.id: wanted for wanted in reversed(batch)}
        taken: dict[int, Delivery | Denial] = {}
        try:
            with self._database.write() as records:
                # Leaves out what another transaction holds, so nobody here waits for somebody else's share.
                free = [
                    (share, first[share.id]) for share in records.find(Share, id__in=list(first), lock=True)
                ]
                if free:
                    results = self._settle(records, free)
                    taken = {id(one): got for (_, one), got in zip(free, results, strict=True)}
        except Exception:
            LOG.warning("downloads that could not be granted together are granted alone", exc_info=True)
            taken = {}
        return [taken.get(id(wanted)) for wanted in batch]

    def _take_alone(self, wanted: _Wanted) -> Delivery | Denial:
        with self._database.write() as records:
            share = records.get(Share, wanted.allowed.share.id, lock=True)
            return Denial.SHARE_REVOKED if share is None else self._settle(records, [(share, wanted)])[0]

    def _settle(self, records: Records, wanted: Sequence[tuple[Share, _Wanted]]) -> list[Delivery | Denial]:
        """Decide over each once more, since minting took time; take and record what is granted.

        The shares are locked by this transaction, and each is there once.
        """
        now = self._clock()
        grants = self._database.grants({share.id: one.link.hash for share, one in wanted}, now)
        ids = [share.id for share, _ in wanted]
        lives = records.find(Delivery, share_id__in=ids, until__gt=now, order="granted_at")
        alive = {(delivery.share_id, delivery.copy_id): delivery for delivery in lives}
        given: list[Delivery | Denial] = []
        made: list[tuple[Delivery, InboxEntry]] = []
        for share, one in wanted:
            grant = grants.get(share.id)
            decided = (
                Denial.SHARE_REVOKED
                if grant is None
                else decide(grant, now, asking=True, checked=one.checked)
            )
            if isinstance(decided, Denial):
                given.append(decided)
            elif (share.id, one.copy.id) in alive:
                given.append(alive[share.id, one.copy.id])
            elif used_up(share):
                given.append(Denial.USED_UP)
            else:
                records.change(share, downloads_taken=share.downloads_taken + 1)
                made.append(self._new(share, one, now, ends_at(share, decided.document)))
                given.append(made[-1][0])
        records.add(*(delivery for delivery, _ in made), *(entry for _, entry in made))
        return given

    def token(self, delivery: Delivery) -> str:
        """The token by which the delivery is fetched, as long as it lives."""
        key = self._keys.signing("link")
        token = tokens.LinkToken(
            key_id=key.id,
            share_id=delivery.share_id,
            link_id=delivery.id,
            action=tokens.Action.DELIVER,
            expires=int(delivery.until.timestamp()),
        )
        return tokens.sign(token, key.secret)

    def _new(
        self, share: Share, wanted: _Wanted, now: datetime, ends: datetime
    ) -> tuple[Delivery, InboxEntry]:
        delivery = Delivery(
            id=identifiers.new_id("dlv", self._random(16)),
            share_id=share.id,
            copy_id=wanted.copy.id,
            link_hash=wanted.link.hash,
            granted_at=now,
            # Whole seconds, as its token has: neither outlives the other.
            until=min(now + life_of(share), ends).replace(microsecond=0),
        )
        made = entry(
            "download.granted",
            wanted.actor,
            now,
            self._random,
            details={"number": share.downloads_taken + 1, "limit": share.download_limit},
            copy=wanted.copy.id,
            delivery=delivery.id,
            **references(wanted.allowed, wanted.link.hash),
        )
        return delivery, made


def running(records: Records, share: Share, copy: Copy | None, now: datetime) -> Delivery | None:
    """The newest delivery of this copy that still lives, if any."""
    if copy is None:
        return None
    found = records.find(
        Delivery, share_id=share.id, copy_id=copy.id, until__gt=now, order="-granted_at", limit=1
    )
    return found[0] if found else None


def life_of(share: Share) -> timedelta:
    """How long a delivery of this share lives, if the share does."""
    return SITTING_LIFE if share.view_only else DELIVERY_LIFE


def used_up(share: Share) -> bool:
    """Whether the share's limit leaves no download."""
    return share.download_limit is not None and share.downloads_taken >= share.download_limit


def references(allowed: Allowed, link_hash: str) -> dict[str, Any]:
    """What the entries of a request with an open link refer to."""
    return {
        "share": allowed.share.id,
        "link": link_hash,
        "document": allowed.document.id,
        "version": allowed.version.id,
        "recipient": allowed.recipient.id,
    }
