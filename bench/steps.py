"""Where a download's time goes: its steps one after another in this process, without HTTP."""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import median

from bench.lender import RECIPIENT, Lender, token
from bench.plain_server import deliveries_with, plain
from service.audit import Outcome
from service.delivery import Deliveries, Granted, Sending

ASKING = "asking: token, decision, grant and its entry"
BEGINNING = "beginning: the same again, template opened, entry that sending begins"
STREAM = "stream: the bytes"
ENDING = "ending: entry how it ended"
STEPS = (ASKING, BEGINNING, STREAM, ENDING)


class StepFailed(Exception):
    """A download that was to be measured was denied."""


class _TimedDeliveries(Deliveries):
    """Deliveries that say how long the entry at the end took."""

    ending = 0.0

    def end(self, sending: Sending, sent: int, outcome: Outcome) -> None:
        begin = time.perf_counter()
        super().end(sending, sent, outcome)
        self.ending = time.perf_counter() - begin


def measure_steps(lender: Lender) -> tuple[dict[str, float], dict[str, float]]:
    """Median milliseconds of each step of a marked download, and of a plain one; each link is used once a side."""
    sealmark = lender.sealmark
    sides = [
        deliveries_with(sealmark, copies, _TimedDeliveries)
        for copies in (sealmark.copies, plain(sealmark).copies)
    ]
    taken: list[dict[str, list[float]]] = [{step: [] for step in STEPS} for _ in sides]
    half = len(lender.links) // 2
    for links in (lender.links[:half], lender.links[half:]):  # each side goes first as often as the other
        sides.reverse()
        taken.reverse()
        for deliveries, times in zip(sides, taken, strict=True):
            lender.end_deliveries()
            for link in links:
                for step, seconds in _one(deliveries, token(link)).items():
                    times[step].append(seconds * 1000)
    marked, unmarked = ({step: median(times[step]) for step in STEPS} for times in taken)
    return marked, unmarked


def _one(deliveries: Deliveries, link: str) -> Mapping[str, float]:
    assert isinstance(deliveries, _TimedDeliveries)
    begin = time.perf_counter()
    granted = deliveries.ask(link, RECIPIENT)
    asked = time.perf_counter()
    if not isinstance(granted, Granted):
        raise StepFailed(f"asking was denied: {granted.reason}")
    sending = deliveries.send(granted.token, RECIPIENT)
    begun = time.perf_counter()
    if not isinstance(sending, Sending):
        raise StepFailed(f"sending was denied: {sending.reason}")
    for _ in sending:
        pass
    ended = time.perf_counter()
    return {
        ASKING: asked - begin,
        BEGINNING: begun - asked,
        STREAM: ended - begun - deliveries.ending,
        ENDING: deliveries.ending,
    }
