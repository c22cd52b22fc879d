"""What many threads ask at once is carried out as few batches, and each gets what it asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from service.together import Together

CALLS = 20


def test_who_comes_while_a_batch_runs_is_in_the_next() -> None:
    begun, go_on, batches = Event(), Event(), []

    def carry_out(asked: Sequence[int]) -> Sequence[str]:
        batches.append(list(asked))
        begun.set()
        assert go_on.wait(10)
        return [f"for {one}" for one in asked]

    together = Together(carry_out, most=8)
    with ThreadPoolExecutor(CALLS) as pool:
        first = pool.submit(together, 0)
        assert begun.wait(10)
        others = [pool.submit(together, number) for number in range(1, CALLS)]
        _until(lambda: len(together._waiting) == CALLS - 1)
        go_on.set()

        assert first.result(10) == "for 0"
        assert [other.result(10) for other in others] == [f"for {number}" for number in range(1, CALLS)]
    assert [len(batch) for batch in batches] == [1, 8, 8, 3]


def test_a_batch_that_fails_leaves_nobody_waiting_and_the_next_runs() -> None:
    begun, go_on = Event(), Event()

    def carry_out(asked: Sequence[int]) -> Sequence[int]:
        begun.set()
        assert go_on.wait(10)
        if 1 in asked:
            raise ValueError("not this one")
        return list(asked)

    together = Together(carry_out, most=CALLS)
    with ThreadPoolExecutor(CALLS) as pool:
        first = pool.submit(together, 5)
        assert begun.wait(10)
        others = [pool.submit(together, 1) for _ in range(4)]
        _until(lambda: len(together._waiting) == 4)
        go_on.set()

        assert first.result(10) == 5
        failures = [other.exception(10) for other in others]
        assert sum(isinstance(failure, ValueError) for failure in failures) == 1
        assert [other.result(10) for other in others if other.exception(10) is None] == [None] * 3
    assert together(7) == 7


def test_too_few_results_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        Together(lambda asked: [], most=1)(1)


def _until(holds: Callable[[], bool]) -> None:
    waiting = Event()
    for _ in range(1000):
        if holds():
            return
        waiting.wait(0.01)
    raise AssertionError("it never came")
