"""The worker: what runs beside requests. Its tasks are safe to run in any number of processes.

What only one may do is fenced by the row that it changes: the log's state (`sequencer`), a job's claim (`compiling`),
a send (`sweeping`). So no process has to be elected, and none that hangs holds up the others.

Each task runs in a thread of its own at its own pace; a task that fails is logged and tried again, and never takes
the others with it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger("sealmark.worker")

RETRY_SECONDS = 2.0
"""How long a task rests after a failure, so that a database that is away is not asked in a tight loop."""


@dataclass(frozen=True)
class Task:
    """One kind of work. `run` returns whether there may be more to do at once; else it rests for `every` seconds."""

    name: str
    run: Callable[[], bool]
    every: float


class Worker:
    """Runs tasks until it is told to stop."""

    def __init__(self, tasks: list[Task]) -> None:
        self._tasks = tasks
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start one thread for each task."""
        for task in self._tasks:
            thread = threading.Thread(
                target=self._loop, args=(task,), name=f"worker-{task.name}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def stop(self, wait: float = 30.0) -> None:
        """Begin nothing new; wait up to so many seconds for what runs."""
        self._stop.set()
        for thread in self._threads:
            thread.join(wait)

    def run(self) -> None:
        """Start, and block until `stop` is called from a signal handler or another thread."""
        self.start()
        self._stop.wait()

    def _loop(self, task: Task) -> None:
        while not self._stop.is_set():
            try:
                rest = 0.0 if task.run() else task.every
            except Exception:
                log.exception("worker task failed", extra={"task": task.name})
                rest = RETRY_SECONDS
            self._stop.wait(rest)
