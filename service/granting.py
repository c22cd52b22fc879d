"""Granting: one download is taken from a share's limit, once, with its entry in the same transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crypto import identifiers, tokens
from service.audit import Actor, Clock, Random, entry
from service.decision import Allowed, Denial, decide
from service.keys import NamedKeys
from service.ports import Database, Records
from service.records import Copy, Delivery, Link, Share

DELIVERY_LIFE = timedelta(minutes=10)
"""How long a granted download may be (re)started: broken mobile connections come back within it."""


class Granting:
    """Takes downloads from the limits of shares."""

    def __init__(self, database: Database, keys: NamedKeys, clock: Clock, random: Random) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._random = random

    def take(self, allowed: Allowed, copy: Copy, link: Link, actor: Actor) -> Delivery | Denial:
        """The delivery of this copy: the one that is running, which costs nothing, or a new one with its entry."""
        now = self._clock()
        with self._database.write() as records:
            share = records.get(Share, allowed.share.id, lock=True)
            grant = self._database.grant(allowed.share.id, link.hash, now)
            if share is None or grant is None:
                return Denial.SHARE_REVOKED
            decided = decide(grant, now, asking=True)  # once more: minting took time
            if isinstance(decided, Denial):
                return decided
            delivery = running(records, share, copy, now)
            if delivery is not None:
                return delivery
            if used_up(share):
                return Denial.USED_UP
            records.change(share, downloads_taken=share.downloads_taken + 1)
            delivery = self._new(share, copy, link, now)
            records.add(delivery)
            made = entry(
                "download.granted",
                actor,
                now,
                self._random,
                details={"number": share.downloads_taken + 1, "limit": share.download_limit},
                copy=copy.id,
                delivery=delivery.id,
                **references(allowed, link.hash),
            )
            records.add(made)
            return delivery

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

    def _new(self, share: Share, copy: Copy, link: Link, now: datetime) -> Delivery:
        return Delivery(
            id=identifiers.new_id("dlv", self._random(16)),
            share_id=share.id,
            copy_id=copy.id,
            link_hash=link.hash,
            granted_at=now,
            # Whole seconds, as its token has: neither outlives the other.
            until=min(now + DELIVERY_LIFE, share.expires_at).replace(microsecond=0),
        )


def running(records: Records, share: Share, copy: Copy | None, now: datetime) -> Delivery | None:
    """The newest delivery of this copy that still lives, if any."""
    if copy is None:
        return None
    found = records.find(
        Delivery, share_id=share.id, copy_id=copy.id, until__gt=now, order="-granted_at", limit=1
    )
    return found[0] if found else None


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
