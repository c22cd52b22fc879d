"""Timing: rivals take turns in the same process, so that what else the machine does meets all of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping

LEAST_TURNS = 3
"""Turns that even a slow contender gets."""

SECONDS_EACH = 4.0
"""After as much time of its own a contender takes no more turns: the slowest would hold up all others."""


def race(contenders: Mapping[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """The best time of each contender in milliseconds, after one turn that is not counted.

    The best, since whatever disturbs a turn only makes it longer. They take turns one after another; a slow one
    gets fewer than `turns`, but no fewer than `LEAST_TURNS` (or `turns`, if that is less).
    """
    for run in contenders.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(turns):
        for name, run in contenders.items():
            if turn < LEAST_TURNS or sum(times[name]) < SECONDS_EACH * 1000:
                times[name].append(milliseconds(run))
    return {name: min(taken) for name, taken in times.items()}


def milliseconds(run: Callable[[], object]) -> float:
    """How long one call takes, begun with nothing left to collect."""
    gc.collect()
    begin = time.perf_counter_ns()
    run()
    return (time.perf_counter_ns() - begin) / 1e6
