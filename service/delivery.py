"""One download, from the link to the last byte. The order of the steps is the promise.

Asking (`Deliveries.ask`) is steps 1 to 6, sending (`Deliveries.send`) steps 7 to 9; the numbers are those of the
architecture. Whatever fails on the way, nothing is served that was not decided, marked and logged first. What a
step does stands in a module of its own: `opening` (1 to 3), `decision` (3), `copies` (4, 8), `granting` (5, 6),
`sending` (7 to 9).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from crypto.tokens import Action
from service.audit import Actor, Clock, Outcome, Random, entry
from service.copies import Copies
from service.decision import MAY_BE_MET, Allowed, Denial, decide
from service.denials import Denials
from service.errors import DomainError, Problem
from service.granting import Granting, references, running, used_up
from service.keys import NamedKeys
from service.limits import Limits
from service.opening import Denied, Opening
from service.ports import Database, Grant
from service.records import Copy, Delivery, Link, Send, Share
from service.sending import Sending, Sends, Sent
from service.tallies import Tallies

Checked = Callable[[Share], bool]
"""Whether the asker has shown that the mail address of this share's recipient is theirs (`service.mailchecks`)."""


def unchecked(_: Share) -> bool:
    """Nothing was shown."""
    return False


@dataclass(frozen=True)
class Page:
    """What the page behind an open link shows."""

    allowed: Allowed
    link: Link
    delivery: Delivery | None  # one that is running: asking again costs nothing
    along: tuple[Allowed, ...] = ()  # the bridge letters that go along, by their names


@dataclass(frozen=True)
class Waiting:
    """A link that opens once its recipient has done what is missing, on the page."""

    missing: Denial  # one of MAY_BE_MET
    grant: Grant
    link: Link


@dataclass(frozen=True)
class Granted:
    """A download that was granted: where it is fetched."""

    delivery: Delivery
    token: str
    view_only: bool = False  # its pages are shown, its file is not sent


class Deliveries:
    """Shows the page of a link, grants downloads and sends them. All raise `Unauthentic`, `DatabaseUnavailable`."""

    def __init__(
        self,
        database: Database,
        keys: NamedKeys,
        copies: Copies,
        denials: Denials,
        tallies: Tallies,
        limits: Limits,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._opening = Opening(database, keys, denials, tallies, limits, clock)
        self._copies = copies
        self._granting = Granting(database, keys, clock, random)
        self._sends = Sends(database, clock, random)
        self._clock = clock
        self._random = random

    def ask(
        self, text: str, actor: Actor, checked: Checked = unchecked, with_id: str | None = None
    ) -> Granted | Denied:
        """Grant one download, or say why not; `with_id`: of that share, which goes along with the link's.

        Raises `StoreError` too.
        """
        # 1. The token's signature and expiry. No database yet.
        token = self._opening.verify(text, Action.OPEN, actor)
        if isinstance(token, Denied):
            return token
        # 2. Share, recipient, NDA, document, version and copy in one query.
        grant, link = self._opening.load(token)
        # 3. Decide.
        shown = checked(grant.share)
        allowed = decide(grant, self._clock(), asking=True, checked=shown)
        if with_id is not None and isinstance(allowed, Allowed):  # for what goes along, both are decided
            grant = self._opening.load_along(grant.share, with_id, link)
            allowed = decide(grant, self._clock(), asking=True, checked=shown)
        if isinstance(allowed, Denial):
            return self._opening.deny(allowed, grant.share, link.hash, actor)
        # 4. Mint the copy if this share has none of this version yet.
        copy = allowed.copy or self._copies.mint(allowed)
        # 5. In one transaction: take one download from the limit, and the entry.
        delivery = self._granting.take(allowed, copy, link, actor, checked=shown)
        if isinstance(delivery, Denial):
            return self._opening.deny(delivery, allowed.share, link.hash, actor)
        # 6. The address of the delivery, which the caller answers with 303.
        return Granted(delivery, self._granting.token(delivery), allowed.share.view_only)

    def send(self, text: str, actor: Actor, start: int = 0, stop: int | None = None) -> Sending | Denied:
        """Begin to send bytes [start, stop) of a granted download.

        The entry that sending begins is durable when this returns. Raises `StoreError`, `DomainError` (invalid:
        the range lies outside the copy; nothing is recorded then).
        """
        # 7. Steps 1 to 3 again …
        begun = self.begin(text, actor)
        if isinstance(begun, Denied):
            return begun
        delivery, allowed, copy = begun
        last = copy.length if stop is None else min(stop, copy.length)
        if not 0 <= start < last:
            detail = f"The copy has {copy.length} bytes: ask for a range within them."
            raise DomainError(Problem.INVALID, detail, length=copy.length)
        # … the template, if this process has not opened it yet: a store that is away costs no entry then …
        pieces = self._copies.stream(copy, start, last)
        # … at most five times the file's size, and the entry that sending begins, durable before the first byte.
        what = Sent(delivery, allowed, copy, actor)
        send = self._sends.reserve(what, start, last)
        if isinstance(send, Denial):
            pieces.close()
            return self._opening.deny(send, allowed.share, delivery.link_hash, actor)
        # 8. Stamp and stream; each second `still_allowed`. 9. However it ends: `end`.
        return Sending(self, pieces, send, what)

    def page(
        self, text: str, actor: Actor, *, record: bool, checked: Checked = unchecked
    ) -> Page | Waiting | Denied:
        """What the link shows: steps 1 to 3. Consumes nothing. With `record`, the view is an entry (a HEAD is none)."""
        token = self._opening.verify(text, Action.OPEN, actor)
        if isinstance(token, Denied):
            return token
        grant, link = self._opening.load(token)
        now = self._clock()
        shown = checked(grant.share)
        allowed = decide(grant, now, asking=True, checked=shown)
        if isinstance(allowed, Denial) and allowed in MAY_BE_MET:
            return self._waiting(allowed, grant, link, actor, now, record=record)
        if isinstance(allowed, Denial):
            return self._opening.deny(allowed, grant.share, link.hash, actor)
        with self._database.read() as records:
            delivery = running(records, allowed.share, allowed.copy, now)
            along = records.find(Share, with_id=allowed.share.id, revoked_at=None)
        if delivery is None and used_up(allowed.share):
            return self._opening.deny(Denial.USED_UP, allowed.share, link.hash, actor)
        if record:
            viewed = entry("page.viewed", actor, now, self._random, **references(allowed, link.hash))
            with self._database.write() as records:
                records.add(viewed)
        return Page(allowed, link, delivery, self._along(along, link, now, checked=shown))

    def _along(
        self, shares: Sequence[Share], link: Link, now: datetime, *, checked: bool
    ) -> tuple[Allowed, ...]:
        """Those that their recipient may have now."""
        if not shares:
            return ()
        grants = self._database.grants({share.id: link.hash for share in shares}, now).values()
        decided = (decide(grant, now, asking=True, checked=checked) for grant in grants)
        allowed = [one for one in decided if isinstance(one, Allowed)]
        return tuple(sorted(allowed, key=lambda one: (one.document.name, one.document.id)))

    def _waiting(
        self, missing: Denial, grant: Grant, link: Link, actor: Actor, now: datetime, *, record: bool
    ) -> Waiting:
        if record:
            viewed = entry(
                "page.viewed",
                actor,
                now,
                self._random,
                reason=missing,
                share=grant.share.id,
                link=link.hash,
                document=grant.document.id,
                recipient=grant.recipient.id,
            )
            with self._database.write() as records:
                records.add(viewed)
        return Waiting(missing, grant, link)

    def begin(
        self, text: str, actor: Actor, *, viewing: bool = False, checked: Checked = unchecked
    ) -> tuple[Delivery, Allowed, Copy] | Denied:
        """The delivery that this token names: steps 1 to 3 again. Consumes and records nothing (unless denied).

        `viewing`: for its pages and not for its file; only then `checked` counts.
        """
        token = self._opening.verify(text, Action.DELIVER, actor)
        if isinstance(token, Denied):
            return token
        delivery, copy, grant = self._opening.load_delivery(token)
        now = self._clock()
        decided: Allowed | Denial = Denial.DELIVERY_OVER
        if now < delivery.until:
            shown = viewing and checked(grant.share)
            decided = decide(grant, now, asking=False, checked=shown, viewing=viewing)
        if isinstance(decided, Denial):
            return self._opening.deny(decided, grant.share, delivery.link_hash, actor)
        return delivery, decided, copy

    def still_allowed(self, delivery: Delivery, *, viewing: bool = False) -> Denial | None:
        """Decide again over a running download or sitting; a database that does not answer breaks it off."""
        decided = self._opening.decide_again(delivery, viewing=viewing)
        return decided if isinstance(decided, Denial) else None

    def deny(self, reason: Denial, allowed: Allowed, delivery: Delivery, actor: Actor) -> Denied:
        """Say why a delivery does not go on; the denial is an entry first."""
        return self._opening.deny(reason, allowed.share, delivery.link_hash, actor)

    def touch(self, send: Send, sent: int) -> bool:
        """Say that bytes still flow, so that the worker does not take the send for dead. False: it did."""
        return self._sends.touch(send, sent)

    def end(self, sending: Sending, sent: int, outcome: Outcome) -> None:
        """9. An entry how it ended; the bytes that were reserved and not sent are given back."""
        self._sends.end(sending.send, sending.what, sent, outcome)

    def now(self) -> datetime:
        """The service's clock."""
        return self._clock()
