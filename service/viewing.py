"""Viewing: a view-only share's report is read page by page, as pictures that a child process draws of its copy.

A *sitting* is the delivery of such a share: asked for, decided and charged once as a download is (`delivery`, steps
1 to 6), and it lives for `granting.SITTING_LIFE`. Each page of it is steps 7 to 9, in `Viewing.show`. The file itself
is sent to nobody: `decision` denies it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from service.audit import Actor, Clock, Random, entry
from service.copies import Copies
from service.decision import Allowed
from service.delivery import Checked, Deliveries, unchecked
from service.errors import DomainError, Problem
from service.kept_pages import KeptPages
from service.limits import Limit, Limits
from service.opening import Denied, Unauthentic
from service.ports import Database, Taken
from service.records import Copy, Cut, Delivery, Template, Throttle, Version
from service.sending import Sent
from watermark.drawn import Drawn, DrawnPage, Picture
from watermark.errors import Refused

LOG = logging.getLogger("sealmark.viewing")

PAGES_SHOWN = Limit("pages-shown", 600, timedelta(hours=1))
"""Of one sitting: a page each six seconds, without a rest, is no reading. A sitting of two hours meets three hours of
the clock, so it shows 1,800 pages at the very most."""

SHOWN_ONCE_A = timedelta(minutes=1)
"""A page that the same browser loads again within it is shown once: its text and its picture are two requests."""

DRAWN_TOGETHER = 4
"""Neighbours that one child draws: it starts in 0.2 s and draws a page in 0.05, so four take half the time of four
alone, and the first of them is there after 0.4 s."""

CHILDREN = 2
"""Children of one process that draw at once: readers wait, downloads go on."""

WAIT_SECONDS = 15.0
"""For a child to be free. A browser waits longer; a reader does not."""

Draw = Callable[[Iterator[bytes], int, int], Drawn]
"""(the copy's pieces, first page, how many) → the drawn pages (`watermark.drawn.draw_pages`). Raises `Refused`."""


@dataclass(frozen=True)
class Sitting:
    """A sitting that goes on."""

    delivery: Delivery
    allowed: Allowed
    copy: Copy


@dataclass(frozen=True)
class Shown:
    """One page, which may be shown now: its entry is durable."""

    sitting: Sitting
    page: DrawnPage
    picture: Picture  # the page's
    count: int  # pages that there are


class NoSuchPage(Exception):
    """The copy ends before; `count` pages are there."""

    def __init__(self, count: int) -> None:
        super().__init__(f"the copy has {count} pages")
        self.count = count


class Undrawable(Exception):
    """The page is there, perhaps, but cannot be drawn within the child's limits. Nothing of it is shown."""


class Viewing:
    """Shows pages. All raise `Unauthentic`, `DatabaseUnavailable`."""

    def __init__(
        self,
        database: Database,
        deliveries: Deliveries,
        copies: Copies,
        draw: Draw,
        limits: Limits,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._deliveries = deliveries
        self._copies = copies
        self._draw = draw
        self._limits = limits
        self._kept = KeptPages(random)
        self._children = threading.BoundedSemaphore(CHILDREN)
        self._clock = clock
        self._random = random

    def begin(self, text: str, actor: Actor, checked: Checked = unchecked) -> Sitting | Denied:
        """7. The sitting of this token: steps 1 to 3 again, the mail check of this browser with them.

        Shows and records nothing (unless denied). A download's token is none of a sitting: `Unauthentic`.
        """
        begun = self._deliveries.begin(text, actor, viewing=True, checked=checked)
        if isinstance(begun, Denied):
            return begun
        delivery, allowed, copy = begun
        if not allowed.share.view_only:
            raise Unauthentic
        return Sitting(delivery, allowed, copy)

    def show(self, text: str, number: int, actor: Actor, checked: Checked = unchecked) -> Shown | Denied:
        """Page `number` (from 1), or why not.

        Raises `NoSuchPage`, `Undrawable`, `TooMany`, `StoreError`, `CryptoError`, `DomainError` (busy, unavailable);
        then nothing is shown, and there is no entry of it.
        """
        # 7. Steps 1 to 3 again.
        sitting = self.begin(text, actor, checked)
        if isinstance(sitting, Denied):
            return sitting
        count = self._count(sitting.copy)
        if count is not None and number > count:  # no child is started for what is not there
            raise NoSuchPage(count)
        # 8. The page, drawn from the minted copy: kept from a moment ago, or by a child.
        drawn = self._drawn(text, sitting, number)
        page = next((page for page in drawn.pages if page.number == number), None)
        if page is None:
            raise NoSuchPage(drawn.count)
        if page.picture is None:
            raise Undrawable
        # 9. Once more, since drawing takes time; then the entry, durable before the first byte.
        denial = self._deliveries.still_allowed(sitting.delivery, viewing=True)
        if denial is not None:
            self._kept.forget(sitting.delivery.id)
            return self._deliveries.deny(denial, sitting.allowed, sitting.delivery, actor)
        self._record(sitting, number, actor)
        return Shown(sitting, page, page.picture, drawn.count)

    def _count(self, copy: Copy) -> int | None:
        """How many pages the copy has, those of the cut or the version that it is of; None where that is not known."""
        with self._database.read() as records:
            template = records.get(Template, copy.template_id)
            cut_id = template.cut_id if template else None
            of = records.get(Cut, cut_id) if cut_id else records.get(Version, copy.version_id)
        return of.pages if of else None

    def _drawn(self, text: str, sitting: Sitting, number: int) -> Drawn:
        """The page, and perhaps others; without it where the copy ends before."""
        delivery = sitting.delivery
        kept = self._kept.get(text, delivery.id, number, self._clock())
        if kept is not None:
            return kept
        with self._child():
            kept = self._kept.get(text, delivery.id, number, self._clock())
            if kept is not None:  # who was before us drew it
                return kept
            drawn = self._draw_group(sitting.copy, number)
            self._kept.put(text, delivery.id, delivery.until, drawn, self._clock())
        return drawn

    def _draw_group(self, copy: Copy, number: int) -> Drawn:
        """The page with its neighbours; alone where one of these is too much. Raises `Undrawable`."""
        first = number - (number - 1) % DRAWN_TOGETHER
        for start, many in ((first, DRAWN_TOGETHER), (number, 1)):
            try:
                with closing(self._copies.stream(copy, 0, copy.length)) as pieces:
                    return self._draw(pieces, start, many)
            except Refused as refused:
                told = {"copy": copy.id, "page": start, "pages": many, "reason": refused.reason}
                LOG.error("pages could not be drawn", extra={**told, "where": refused.where})
        raise Undrawable

    @contextmanager
    def _child(self) -> Iterator[None]:
        if not self._children.acquire(timeout=WAIT_SECONDS):
            raise DomainError(Problem.BUSY, "Too many pages are being drawn just now. Try again in a moment.")
        try:
            yield
        finally:
            self._children.release()

    def _record(self, sitting: Sitting, number: int, actor: Actor) -> None:
        """That the page is shown, unless it was within the minute to the same browser. Raises `TooMany`."""
        viewer = self._limits.subject(
            f"{actor.address} {actor.agent}"
        )  # hashed: who is erased is not found here
        key, now = f"drawn:{sitting.delivery.id}:{number}:{viewer}", self._clock()
        with self._database.read() as records:
            shown = records.get(Throttle, key)
        if shown is not None and now < shown.until:
            return
        self._limits.require((PAGES_SHOWN, sitting.delivery.id))
        refers = Sent(sitting.delivery, sitting.allowed, sitting.copy, actor).references()
        made = entry("page.drawn", actor, now, self._random, details={"page": number}, **refers)
        try:
            with self._database.write() as records:
                shown = records.get(Throttle, key, lock=True)
                if shown is not None and now < shown.until:
                    return
                if shown is None:
                    records.add(Throttle(key, now + SHOWN_ONCE_A))
                else:
                    records.change(shown, until=now + SHOWN_ONCE_A)
                records.add(made)
        except Taken:  # by another request for it, whose entry is durable now
            return
