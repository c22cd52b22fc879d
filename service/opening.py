"""What a link opens: the steps 1 to 3 of asking and of sending, and the entry of a link that does not open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crypto import tokens
from crypto.errors import TokenExpired, TokenInvalid
from service.audit import Actor, Clock
from service.decision import Allowed, Denial, decide
from service.denials import Denials
from service.keys import NamedKeys
from service.limits import Limits
from service.ports import Database, DatabaseUnavailable, Grant
from service.records import Copy, Delivery, Link, Share
from service.tallies import UNAUTHENTIC, Tallies
from service.together import Together

TOGETHER = 32
"""Links that are loaded by one query at most: as many as threads wait."""


class Unauthentic(Exception):
    """The link is not one of ours: forged, cut, or of another service. One and the same answer for all of them."""


@dataclass(frozen=True)
class Denied:
    """An authentic link that does not open, and why."""

    reason: Denial


class Opening:
    """Reads tokens, loads what they name and records denials. All raise `Unauthentic`, `DatabaseUnavailable`."""

    def __init__(
        self,
        database: Database,
        keys: NamedKeys,
        denials: Denials,
        tallies: Tallies,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keys = keys
        self._denials = denials
        self._tallies = tallies
        self._limits = limits
        self._clock = clock
        self._together = Together(self._load_together, TOGETHER)

    def verify(self, text: str, action: tokens.Action, actor: Actor) -> tokens.LinkToken | Denied:
        """1. A token that we signed for this action and that lives. No database before that is known."""
        now = self._clock()
        try:
            token = tokens.verify(text, self._keys.verifying("link"), int(now.timestamp()))
        except TokenExpired as expired:
            if expired.token.action != action:
                raise self._unauthentic(now) from expired
            return self._deny_expired(expired.token, actor, now)
        except TokenInvalid as forged:
            raise self._unauthentic(now) from forged
        if token.action != action:
            raise self._unauthentic(now)
        return token

    def load(self, token: tokens.LinkToken) -> tuple[Grant, Link]:
        """2. Share, recipient, NDA, document, version and copy that a link leads to, in one query.

        Raises `TooMany` when the share was asked for too often. A link that was withdrawn does not count for it: who
        holds one keeps nobody from the share. A delivery has limits of its own.
        """
        now = self._clock()
        named = token.share_id, tokens.link_hash(token.link_id)
        grant = self._together(named) or self._database.grant(*named, now)
        if grant is None or grant.link is None:
            raise self._unauthentic(now)
        if grant.link.revoked_at is None:
            self._limits.require((self._limits.share_asked_for, token.share_id))
        return grant, grant.link

    def load_along(self, share: Share, with_id: str, link: Link) -> Grant:
        """2. What goes along with the share that a link leads to, in the state that it has with that link.

        Raises `Unauthentic` for what does not: a link opens nothing but its own.
        """
        now = self._clock()
        grant = self._database.grant(with_id, link.hash, now)
        if grant is None or grant.share.with_id != share.id:
            raise self._unauthentic(now)
        return grant

    def load_delivery(self, token: tokens.LinkToken) -> tuple[Delivery, Copy, Grant]:
        """2. The delivery that a token names, the copy it was granted, and its share as it is now."""
        now = self._clock()
        with self._database.read() as records:
            delivery = records.get(Delivery, token.link_id)
            copy = records.get(Copy, delivery.copy_id) if delivery else None
        if delivery is None or copy is None or delivery.share_id != token.share_id:
            raise self._unauthentic(now)
        grant = self._database.grant(delivery.share_id, delivery.link_hash, now)
        if grant is None:
            raise self._unauthentic(now)
        return delivery, copy, grant

    def decide_again(self, delivery: Delivery, *, viewing: bool = False) -> Allowed | Denial:
        """3. Over the share as it is now. A newer version changes nothing: the copy is the one that was granted.

        The mail check is not asked for again: it was a moment ago, where it matters.
        """
        now = self._clock()
        grant = self._database.grant(delivery.share_id, delivery.link_hash, now)
        if grant is None:
            return Denial.SHARE_REVOKED
        return decide(grant, now, asking=False, checked=True, viewing=viewing)

    def deny(self, reason: Denial, share: Share, link_hash: str, actor: Actor) -> Denied:
        """Say why not; the denial is an entry first."""
        self._denials.record(reason, share, link_hash, actor, self._clock())
        return Denied(reason)

    def _load_together(self, batch: Sequence[tuple[str, str]]) -> Sequence[Grant | None]:
        """The state of each share by its link; None for one that must be loaded alone. Asked after all have called."""
        first = {share: (share, link_hash) for share, link_hash in reversed(batch)}
        try:
            grants = self._database.grants(dict(first.values()), self._clock())
        except DatabaseUnavailable:
            return [None] * len(batch)
        return [grants.get(named[0]) if first[named[0]] == named else None for named in batch]

    def _deny_expired(self, token: tokens.LinkToken, actor: Actor, now: datetime) -> Denied:
        with self._database.read() as records:
            share = records.get(Share, token.share_id)
            delivery = records.get(Delivery, token.link_id) if token.action == tokens.Action.DELIVER else None
        if share is None or (token.action == tokens.Action.DELIVER and delivery is None):
            raise self._unauthentic(now)
        if delivery is not None:
            return self.deny(Denial.DELIVERY_OVER, share, delivery.link_hash, actor)
        return self.deny(Denial.LINK_EXPIRED, share, tokens.link_hash(token.link_id), actor)

    def _unauthentic(self, now: datetime) -> Unauthentic:
        self._tallies.count(UNAUTHENTIC, now)
        return Unauthentic()
