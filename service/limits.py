"""Rate limits: how often somebody may do something in a window of time, counted in the database for all processes.

Windows are fixed (whole minutes, hours, days of UTC), so at the turn of one up to twice the number may pass within its
length. Who is counted stands there as a keyed hash. Without the database nothing passes.
"""

from __future__ import annotations

import hmac
import ipaddress
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from service.audit import Clock
from service.errors import DomainError, Problem
from service.keys import NamedKeys
from service.ports import Counters, Window
from service.records import RateWindow
from service.tallies import LIMITED, Tallies

CONTEXT = b"sealmark limit\x00"
"""Sets these hashes apart from all else that the service key makes."""

SHARES_PART = 5
"""How many times more may come from an address than for one share, 120 a minute by default: each look at a page is an
entry in a log that cannot be erased, and nobody reads a page twice a second."""

NETWORK_V6 = 64
"""Bits of an IPv6 address that count: its owner has at least all that follow."""


@dataclass(frozen=True)
class Limit:
    """So many in a window; `scope` narrows it to one thing, such as a share."""

    name: str
    number: int
    window: timedelta
    scope: str = ""

    def of(self, scope: str) -> Limit:
        """The same limit for this thing alone."""
        return replace(self, scope=scope)


@dataclass(frozen=True)
class Exceeded:
    """The limit that is used up, and when its window ends."""

    limit: Limit
    until: datetime


class TooMany(DomainError):
    """A limit is used up; `seconds` from now its window ends."""

    def __init__(self, exceeded: Exceeded, now: datetime) -> None:
        self.seconds = max(1, math.ceil((exceeded.until - now).total_seconds()))
        detail = f"Too many requests. Ask again in {self.seconds} seconds."
        super().__init__(Problem.TOO_MANY, detail, limit=exceeded.limit.name)


class Limits:
    """Counts against limits. Raises `DatabaseUnavailable`: then nothing may pass."""

    def __init__(
        self, counters: Counters, keys: NamedKeys, tallies: Tallies, requests_a_minute: int, clock: Clock
    ) -> None:
        """`requests_a_minute`: without an API key, from one network address."""
        self._counters = counters
        self._keys = keys
        self._tallies = tallies
        self._clock = clock
        share = max(1, requests_a_minute // SHARES_PART)
        self._requests_from = Limit("requests-from", requests_a_minute, timedelta(minutes=1))
        self.share_asked_for = Limit("share-asked-for", share, timedelta(minutes=1))

    def request_from(self, address: str | None) -> None:
        """Count a request of a client at this address, which showed no key. Raises `TooMany`."""
        self.require((self._requests_from, network(address)))

    def take(self, *wanted: tuple[Limit, str], summed: str = "") -> Exceeded | None:
        """Count one against each limit for its subject (an address, a mail), unless one is used up: then against none.

        None: all pass. Exact over all processes. What does not pass is summed up in an entry a minute, under the name
        `summed` if it has one of its own (`tallies`). Not to be called within a write.
        """
        now = self._clock()
        windows = [self._window(limit, subject, now) for limit, subject in wanted]
        full = self._counters.count(windows)
        if full is None:
            return None
        limit = wanted[full][0]
        self._tallies.count(summed or f"{LIMITED}{limit.name}", now)
        return Exceeded(limit, windows[full].counted.until)

    def require(self, *wanted: tuple[Limit, str]) -> None:
        """`take`, or raise `TooMany`."""
        exceeded = self.take(*wanted)
        if exceeded is not None:
            raise TooMany(exceeded, self._clock())

    def subject(self, subject: str) -> str:
        """What stands in the database for this subject, by which erasing finds it."""
        key = self._keys.signing("service").secret
        return hmac.digest(key, CONTEXT + subject.encode(), "sha256")[:16].hex()

    def _window(self, limit: Limit, subject: str, now: datetime) -> Window:
        length = int(limit.window.total_seconds())
        start = int(now.timestamp()) // length * length
        hashed = self.subject(subject)
        return Window(
            counted=RateWindow(
                key=f"{limit.name}:{limit.scope}:{hashed}:{start}",
                subject=hashed,
                count=1,
                until=datetime.fromtimestamp(start + length, UTC),
            ),
            number=limit.number,
        )


def network(address: str | None) -> str:
    """What of a client's address is counted: all of IPv4, the network of IPv6; empty where there is none."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, NETWORK_V6), strict=False))
    return str(found)
