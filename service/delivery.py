"""One download, from the link to the last byte. The order of the steps is the promise.

Asking (`Deliveries.ask`) is steps 1 to 6, sending (`Deliveries.send` and `Sending`) steps 7 to 9; the numbers
are those of docs and architecture. Whatever fails on the way, nothing is served that was not decided, marked and
logged first.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crypto import identifiers, tokens
from crypto.errors import TokenExpired, TokenInvalid
from service.audit import Actor, Clock, Details, Outcome, Random, entry
from service.copies import Copies
from service.decision import Allowed, Denial, decide
from service.denials import Denials
from service.errors import DomainError, Problem
from service.keys import NamedKeys
from service.ports import Database, Records
from service.records import Copy, Delivery, InboxEntry, Link, Send, Share

DELIVERY_LIFE = timedelta(minutes=10)
"""How long a granted download may be (re)started: broken mobile connections come back within it."""

BYTES_PER_DELIVERY = 5
"""A delivery sends at most this many times the file's size: browsers and scanners fetch ranges more than once."""

DECIDE_EVERY = timedelta(seconds=1)
"""How long a running download may outlive a revocation."""

PIECE = 32 * 1024
"""Bytes between two looks at the clock: few enough that a slow client, too, is decided over each second."""

MAX_SENDS = 1000
"""Sends of one delivery: readers that fetch a large report in ranges need hundreds; each is two entries of the log."""

TOUCH_EVERY = timedelta(seconds=10)
"""How often a running send says that it lives: well within the silence that the worker takes for a crash."""


class Unauthentic(Exception):
    """The link is not one of ours: forged, cut, or of another service. One and the same answer for all of them."""


@dataclass(frozen=True)
class Denied:
    """An authentic link that does not open, and why."""

    reason: Denial


@dataclass(frozen=True)
class Page:
    """What the page behind an open link shows."""

    allowed: Allowed
    link: Link
    delivery: Delivery | None  # one that is running: asking again costs nothing


@dataclass(frozen=True)
class Granted:
    """A download that was granted: where it is fetched."""

    delivery: Delivery
    token: str


class Deliveries:
    """Shows the page of a link, grants downloads and sends them."""

    def __init__(
        self,
        database: Database,
        keys: NamedKeys,
        copies: Copies,
        denials: Denials,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._keys = keys
        self._copies = copies
        self._denials = denials
        self._clock = clock
        self._random = random

    def page(self, text: str, actor: Actor, *, record: bool) -> Page | Denied:
        """What the link shows; consumes nothing. With `record`, the view is an entry (a HEAD is none).

        Raises `Unauthentic`, `DatabaseUnavailable` (then nothing is shown).
        """
        found = self._look(text, tokens.Action.OPEN, actor)
        if isinstance(found, Denied):
            return found
        _, allowed, link = found
        now = self._clock()
        with self._database.read() as records:
            delivery = _running(records, allowed.share, allowed.copy, now)
        if delivery is None and _used_up(allowed.share):
            return self._deny(Denial.USED_UP, allowed.share, link.hash, actor, now)
        if record:
            with self._database.write() as records:
                records.add(self._entry("page.viewed", actor, now, allowed, link.hash))
        return Page(allowed, link, delivery)

    def ask(self, text: str, actor: Actor) -> Granted | Denied:
        """Grant one download, or say why not. Raises `Unauthentic`, `DatabaseUnavailable`, `StoreError`."""
        # 1 to 3. Token, state, decision.
        found = self._look(text, tokens.Action.OPEN, actor)
        if isinstance(found, Denied):
            return found
        _, allowed, link = found
        # 4. Mint the copy if this share has none of this version yet.
        copy = allowed.copy or self._copies.mint(allowed)
        # 5. In one transaction: take one download from the limit, and the entry.
        now = self._clock()
        with self._database.write() as records:
            taken = self._take(records, allowed, copy, link, actor, now)
        if isinstance(taken, Denial):
            return self._deny(taken, allowed.share, link.hash, actor, now)
        # 6. The address of the delivery, which the caller answers with 303.
        return Granted(taken, self._deliver_token(taken))

    def send(self, text: str, actor: Actor, start: int = 0, stop: int | None = None) -> Sending | Denied:
        """Begin to send bytes [start, stop) of a granted download.

        The entry that sending begins is durable when this returns. Raises `Unauthentic`, `DatabaseUnavailable`,
        `StoreError`, `DomainError` (invalid: the range lies outside the copy; nothing is recorded then).
        """
        # 7. Steps 1 to 3 again, at most five times the file's size, and the entry that sending begins.
        found = self.begin(text, actor)
        if isinstance(found, Denied):
            return found
        delivery, allowed, copy = found
        last = copy.length if stop is None else min(stop, copy.length)
        if not 0 <= start < last:
            detail = f"The copy has {copy.length} bytes: ask for a range within them."
            raise DomainError(Problem.INVALID, detail, length=copy.length)
        # The template, if this process has not opened it yet: a store that is away costs no entry then.
        pieces = self._copies.stream(copy, start, last)
        now = self._clock()
        with self._database.write() as records:
            send = self._reserve(records, delivery, allowed, copy, (start, last), actor, now)
        if isinstance(send, Denial):
            pieces.close()
            return self._deny(send, allowed.share, delivery.link_hash, actor, now)
        return Sending(self, pieces, send, delivery, allowed, copy, actor)

    def begin(self, text: str, actor: Actor) -> tuple[Delivery, Allowed, Copy] | Denied:
        """The delivery that this token names, decided anew. Consumes and records nothing (unless denied)."""
        token = self._verify(text, tokens.Action.DELIVER, actor)
        if isinstance(token, Denied):
            return token
        now = self._clock()
        with self._database.read() as records:
            delivery = records.get(Delivery, token.link_id)
            copy = records.get(Copy, delivery.copy_id) if delivery else None
        if delivery is None or copy is None or delivery.share_id != token.share_id:
            self._denials.count_unauthentic(now)
            raise Unauthentic
        decided = Denial.DELIVERY_OVER if delivery.until <= now else self._decide(delivery, now)
        if isinstance(decided, Denial):
            return self._deny_share(decided, delivery, actor, now)
        return delivery, decided, copy

    def still_allowed(self, delivery: Delivery) -> Denial | None:
        """Decide again over a running download; a database that does not answer breaks it off."""
        decided = self._decide(delivery, self._clock())
        return decided if isinstance(decided, Denial) else None

    def end(self, sending: Sending, sent: int, outcome: Outcome) -> None:
        """9. An entry how it ended; the bytes that were reserved and not sent are given back."""
        now = self._clock()
        with self._database.write() as records:
            send = records.get(Send, sending.send.id, lock=True)
            if send is None or send.ended_at:
                return
            close_send(records, send, sent, outcome, sending.actor, now, self._random, sending.references())

    def touch(self, send: Send, sent: int) -> bool:
        """Say that bytes still flow, so that the worker does not take the send for dead. False: it did."""
        with self._database.write() as records:
            changed = records.change(send, expect={"ended_at": None}, alive_at=self._clock(), sent=sent)
        return changed is not None

    def now(self) -> datetime:
        """The service's clock."""
        return self._clock()

    def _look(
        self, text: str, action: tokens.Action, actor: Actor
    ) -> tuple[tokens.LinkToken, Allowed, Link] | Denied:
        # 1. Signature and expiry. No database yet (but for the entry of an authentic link that has expired).
        token = self._verify(text, action, actor)
        if isinstance(token, Denied):
            return token
        # 2. Share, recipient, NDA, document, version and copy in one query.
        now = self._clock()
        link_hash = tokens.link_hash(token.link_id)
        grant = self._database.grant(token.share_id, link_hash, now)
        if grant is None or grant.link is None:
            self._denials.count_unauthentic(now)
            raise Unauthentic
        # 3. Decide.
        decided = decide(grant, now, asking=True)
        if isinstance(decided, Denial):
            return self._deny(decided, grant.share, link_hash, actor, now)
        return token, decided, grant.link

    def _verify(self, text: str, action: tokens.Action, actor: Actor) -> tokens.LinkToken | Denied:
        now = self._clock()
        try:
            token = tokens.verify(text, self._keys.verifying("link"), int(now.timestamp()))
        except TokenExpired as expired:
            if expired.token.action != action:
                self._denials.count_unauthentic(now)
                raise Unauthentic from expired
            return self._deny_expired(expired.token, actor, now)
        except TokenInvalid as forged:
            self._denials.count_unauthentic(now)
            raise Unauthentic from forged
        if token.action != action:
            self._denials.count_unauthentic(now)
            raise Unauthentic
        return token

    def _decide(self, delivery: Delivery, now: datetime) -> Allowed | Denial:
        """Over the share as it is now. A newer version changes nothing: the delivery is of the copy it was granted."""
        grant = self._database.grant(delivery.share_id, delivery.link_hash, now)
        return Denial.SHARE_REVOKED if grant is None else decide(grant, now, asking=False)

    def _take(
        self, records: Records, allowed: Allowed, copy: Copy, link: Link, actor: Actor, now: datetime
    ) -> Delivery | Denial:
        share = records.get(Share, allowed.share.id, lock=True)
        grant = self._database.grant(allowed.share.id, link.hash, now)
        if share is None or grant is None:
            return Denial.SHARE_REVOKED
        decided = decide(grant, now, asking=True)  # once more: minting took time
        if isinstance(decided, Denial):
            return decided
        running = _running(records, share, copy, now)
        if running is not None:
            return running
        if _used_up(share):
            return Denial.USED_UP
        number = share.downloads_taken + 1
        records.change(share, downloads_taken=number)
        delivery = Delivery(
            id=identifiers.new_id("dlv", self._random(16)),
            share_id=share.id,
            copy_id=copy.id,
            link_hash=link.hash,
            granted_at=now,
            # Whole seconds, as its token has: neither outlives the other.
            until=min(now + DELIVERY_LIFE, share.expires_at).replace(microsecond=0),
        )
        records.add(delivery)
        details = {"number": number, "limit": share.download_limit}
        made = self._entry(
            "download.granted",
            actor,
            now,
            allowed,
            link.hash,
            details=details,
            copy=copy.id,
            delivery=delivery.id,
        )
        records.add(made)
        return delivery

    def _reserve(
        self,
        records: Records,
        delivery: Delivery,
        allowed: Allowed,
        copy: Copy,
        span: tuple[int, int],
        actor: Actor,
        now: datetime,
    ) -> Send | Denial:
        current = records.get(Delivery, delivery.id, lock=True)
        length = span[1] - span[0]
        if current is None:
            return Denial.DELIVERY_OVER
        if len(records.find(Send, delivery_id=delivery.id, limit=MAX_SENDS)) >= MAX_SENDS:
            return Denial.TOO_MANY_SENDS
        if current.bytes_sent + length > BYTES_PER_DELIVERY * copy.length:
            return Denial.TOO_MANY_BYTES
        records.change(current, bytes_sent=current.bytes_sent + length)
        send = Send(
            id=identifiers.new_id("snd", self._random(16)),
            delivery_id=delivery.id,
            begun_at=now,
            alive_at=now,
            reserved=length,
        )
        records.add(send)
        details = {"first": span[0], "last": span[1] - 1}
        made = self._entry(
            "download.begun",
            actor,
            now,
            allowed,
            delivery.link_hash,
            details=details,
            version=copy.version_id,  # a newer one may be ready by now
            copy=copy.id,
            delivery=delivery.id,
        )
        records.add(made)
        return send

    def _deliver_token(self, delivery: Delivery) -> str:
        key = self._keys.signing("link")
        token = tokens.LinkToken(
            key_id=key.id,
            share_id=delivery.share_id,
            link_id=delivery.id,
            action=tokens.Action.DELIVER,
            expires=int(delivery.until.timestamp()),
        )
        return tokens.sign(token, key.secret)

    def _deny_expired(self, token: tokens.LinkToken, actor: Actor, now: datetime) -> Denied:
        with self._database.read() as records:
            share = records.get(Share, token.share_id)
            delivery = records.get(Delivery, token.link_id) if token.action == tokens.Action.DELIVER else None
        if share is None or (token.action == tokens.Action.DELIVER and delivery is None):
            self._denials.count_unauthentic(now)
            raise Unauthentic
        if delivery is not None:
            return self._deny(Denial.DELIVERY_OVER, share, delivery.link_hash, actor, now)
        return self._deny(Denial.LINK_EXPIRED, share, tokens.link_hash(token.link_id), actor, now)

    def _deny_share(self, reason: Denial, delivery: Delivery, actor: Actor, now: datetime) -> Denied:
        with self._database.read() as records:
            share = records.get(Share, delivery.share_id)
        if share is None:
            raise Unauthentic
        return self._deny(reason, share, delivery.link_hash, actor, now)

    def _deny(self, reason: Denial, share: Share, link_hash: str, actor: Actor, now: datetime) -> Denied:
        self._denials.record(reason, share, link_hash, actor, now)
        return Denied(reason)

    def _entry(
        self,
        kind: str,
        actor: Actor,
        now: datetime,
        allowed: Allowed,
        link_hash: str,
        *,
        details: Details | None = None,
        **references: Any,
    ) -> InboxEntry:
        known: dict[str, Any] = {
            "share": allowed.share.id,
            "link": link_hash,
            "document": allowed.document.id,
            "version": allowed.version.id,
            "recipient": allowed.recipient.id,
        }
        return entry(kind, actor, now, self._random, details=details, **{**known, **references})


class Sending:
    """8. The bytes of one send, decided over again each second while they flow. Iterate once; it ends itself."""

    def __init__(
        self,
        deliveries: Deliveries,
        pieces: Generator[bytes, None, None],
        send: Send,
        delivery: Delivery,
        allowed: Allowed,
        copy: Copy,
        actor: Actor,
    ) -> None:
        self._deliveries = deliveries
        self._pieces = pieces
        self.send = send
        self.delivery = delivery
        self.allowed = allowed
        self.copy = copy
        self.actor = actor

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        outcome: Outcome = "broken-off"
        decided_at = touched_at = self._deliveries.now()
        try:
            with closing(self._pieces):
                for piece in _in_pieces(self._pieces):
                    now = self._deliveries.now()
                    if abs(now - decided_at) >= DECIDE_EVERY:  # a clock that is set back decides, too
                        if self._deliveries.still_allowed(self.delivery):
                            outcome = "revoked"
                            return
                        decided_at = now
                    if abs(now - touched_at) >= TOUCH_EVERY:
                        if not self._deliveries.touch(self.send, sent):
                            return  # taken for dead and ended: what is sent now would be in no entry
                        touched_at = now
                    yield piece
                    sent += len(piece)
            outcome = "complete"
        finally:
            self._deliveries.end(self, sent, outcome)

    def references(self) -> dict[str, Any]:
        """What the entries of this send refer to."""
        return {
            "share": self.allowed.share.id,
            "link": self.delivery.link_hash,
            "document": self.allowed.document.id,
            "version": self.copy.version_id,
            "recipient": self.allowed.recipient.id,
            "copy": self.copy.id,
            "delivery": self.delivery.id,
        }


def close_send(
    records: Records,
    send: Send,
    sent: int,
    outcome: Outcome,
    actor: Actor,
    now: datetime,
    random: Random,
    references: dict[str, Any],
) -> None:
    """End an open send in the caller's transaction: its row, its delivery's account, its entry."""
    records.change(send, ended_at=now, sent=sent, outcome=outcome)
    delivery = records.get(Delivery, send.delivery_id, lock=True)
    if delivery is not None and outcome != "unknown":
        records.change(delivery, bytes_sent=delivery.bytes_sent - send.reserved + sent)
    details: Details = {"sent": sent}
    records.add(entry("download.ended", actor, now, random, outcome=outcome, details=details, **references))


def _in_pieces(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for at in range(0, len(piece), PIECE):
            yield piece[at : at + PIECE]


def _running(records: Records, share: Share, copy: Copy | None, now: datetime) -> Delivery | None:
    if copy is None:
        return None
    found = records.find(
        Delivery, share_id=share.id, copy_id=copy.id, until__gt=now, order="-granted_at", limit=1
    )
    return found[0] if found else None


def _used_up(share: Share) -> bool:
    return share.download_limit is not None and share.downloads_taken >= share.download_limit
