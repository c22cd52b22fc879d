"""Memory: how much more a fresh process holds at most while a large copy passes through it."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench.compiling import compiled
from bench.figures import MILLISECONDS, Figure, alone
from bench.lent import LentVersion, sealed, sealed_objects
from bench.reports import Report
from bench.timing import milliseconds
from service.records import SealedObject

WARM_UP_BYTES = 512 * 1024
"""Stamped before, so that what is loaded once is not counted: two pieces."""

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_FORGET_PEAK = "5"
"""proc(5): sets the peak of the resident set to what it is now."""


def measure(large: Report) -> list[Figure]:
    """The growth of the peak while `large` is stamped, in a process that has stamped a little of it before."""
    made = compiled(large.pdf)
    with tempfile.TemporaryDirectory(prefix="sealmark-bench-") as folder:
        objects, master = sealed_objects(Path(folder))
        record = sealed(objects, made.template)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
            grown, taken = fresh.submit(_stamp_and_watch, Path(folder), master, record).result()
    megabytes = len(large.pdf) / 1e6
    return [
        alone(f"compile: {large.name}", made.milliseconds, MILLISECONDS),
        alone(f"stamp: {large.name}", taken, MILLISECONDS),
        alone(f"memory: growth of the peak while a copy of {megabytes:.0f} MB is stamped", grown / 1e6, "MB"),
    ]


def _stamp_and_watch(folder: Path, master: bytes, record: SealedObject) -> tuple[int, float]:
    """Bytes that the peak grew by, and the milliseconds that stamping took."""
    objects, _ = sealed_objects(folder, master)
    lent = LentVersion(objects, record)
    lent.pass_by(min(WARM_UP_BYTES, lent.length))
    before = _resident()
    taken = milliseconds(lent.pass_by)
    return max(0, peak() - before), taken


def _resident() -> int:
    """Bytes resident now; the peak starts from here where the system can forget it, else it is the peak so far."""
    try:
        _CLEAR_REFS.write_text(_FORGET_PEAK)
    except OSError:
        return peak()
    return _status("VmRSS")


def peak() -> int:
    """The most bytes that were resident in this process."""
    if _STATUS.exists():
        return _status("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _status(name: str) -> int:
    """One of the sizes that Linux says of this process, in bytes."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{_STATUS} of process {os.getpid()} has no {name}")
