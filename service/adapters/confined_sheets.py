"""The tasks of `service.sheets` in the confined child."""

from __future__ import annotations

import threading
from typing import Any

from service.errors import DomainError, Problem
from service.workbooks import MAX_BYTES, MAX_INFLATED
from watermark.sandbox import ChildLimits, ForeignTask, run_in_child

CHILD_SECONDS = 60
"""Of one core, for one pass over a workbook: 20,000 rows of 20 columns take a quarter of it."""

PATIENCE = 20.0
"""Seconds for which a call waits until others are read."""

LIMITS = ChildLimits(
    cpu_seconds=CHILD_SECONDS,
    wall_seconds=2.0 * CHILD_SECONDS,
    input_bytes=MAX_BYTES,
    output_bytes=MAX_INFLATED,
)


class ConfinedSheets:
    """Runs them one at a time in this process: a questionnaire is no reason to fill the machine."""

    def __init__(self, unsafe_without_network_filter: bool) -> None:
        self._unsafe = unsafe_without_network_filter
        self._free = threading.Lock()

    def __call__(self, task: str, content: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """What the task answers. Raises `DomainError` (busy), `Refused`, `SandboxUnavailable`."""
        if not self._free.acquire(timeout=PATIENCE):
            raise DomainError(Problem.BUSY, "Other questionnaires are being read. Ask again.")
        try:
            result = run_in_child(
                ForeignTask(f"service.sheets:{task}_task"),
                [content],
                parameters,
                LIMITS,
                unsafe_without_network_filter=self._unsafe,
            )
        finally:
            self._free.release()
        return result.facts, result.payload
