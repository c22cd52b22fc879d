"""Together: calls that many threads make at the same time, carried out by one of them as one batch."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")


class _Place(Generic[Asked, Given]):
    """One waiting call. `called` is released when its result is there, or when it is its turn to carry out."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.given: Given | None = None
        self.done = False
        self.called = threading.Semaphore(0)


class Together(Generic[Asked, Given]):
    """Carries out calls in batches, one batch at a time: who comes while one runs is in the next.

    A call that comes alone is a batch of its own and waits for nobody. `carry_out` gives a result for each, in order;
    what it raises is raised in the thread that ran it, and the others of the batch get None.
    """

    def __init__(self, carry_out: Callable[[Sequence[Asked]], Sequence[Given | None]], most: int) -> None:
        """A batch has at most so many calls."""
        self._carry_out = carry_out
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Place[Asked, Given]] = deque()
        self._running = False

    def __call__(self, asked: Asked) -> Given | None:
        """The result of this call."""
        place = _Place[Asked, Given](asked)
        with self._lock:
            self._waiting.append(place)
            waits, self._running = self._running, True
        if waits:
            place.called.acquire()
        if not place.done:
            self._run(place)
        return place.given

    def _run(self, own: _Place[Asked, Given]) -> None:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            given = self._carry_out([place.asked for place in batch])
            for place, result in zip(batch, given, strict=True):
                place.given = result
        finally:
            with self._lock:
                self._running = bool(self._waiting)
                if self._running:
                    self._waiting[0].called.release()
            for place in batch:
                place.done = True
                if place is not own:
                    place.called.release()
