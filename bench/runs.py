"""What one run measures, and how thoroughly."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from bench import appending, batches, downloads, logging, memory, stamping
from bench.figures import Figure
from bench.reports import filled_up, long_reports, sample
from bench.rivals import NO_QPDF

LENT_BYTES = 1_000_000
"""Of the report that is downloaded: the usual size of the long reports."""

PICTURE_BYTES = 1_000_000
"""Of the pages that fill a report up."""

LIBRARIES = ("pikepdf", "pypdf", "reportlab", "cryptography", "minio", "sqlalchemy", "gunicorn")


@dataclass(frozen=True)
class Run:
    """How much is measured. `turns` of each contender of stamping; `rounds` of `shares` downloads each, and
    of `grants` grants; a batch of `people`."""

    turns: int
    long_reports: bool
    large_bytes: int
    shares: int
    rounds: int
    real_parts: bool
    log_entries: int
    grants: int
    people: int


FULL = Run(
    turns=9,
    long_reports=True,
    large_bytes=100_000_000,
    shares=300,
    rounds=5,
    real_parts=True,
    log_entries=1_000_000,
    grants=3_000,
    people=10_000,
)

QUICK = Run(
    turns=1,
    long_reports=False,
    large_bytes=1_000_000,
    shares=4,
    rounds=1,
    real_parts=False,
    log_entries=1_000,
    grants=60,
    people=40,
)
"""To see that everything runs; its figures mean nothing."""


def run(chosen: Run, note: Callable[[str], None]) -> list[Figure]:
    """All figures. `note` is told what runs, on what machine, and what had to be left out."""
    note(_machine())
    report = sample()
    reports = [report]
    if chosen.long_reports:
        found = long_reports()
        reports += found
        if not found:
            note("no shared folder: only the sample report is measured (SEALMARK_SHARED names the folder)")
    if shutil.which("qpdf") is None:
        note(NO_QPDF)
    note(f"stamping {len(reports)} reports")
    figures = stamping.measure(reports, chosen.turns)
    note("memory")
    large = filled_up(report, chosen.large_bytes, page_bytes=PICTURE_BYTES)
    figures += memory.measure(large)
    note("the log")
    figures += logging.measure(chosen.log_entries, note)
    note("downloads")
    lent = filled_up(report, LENT_BYTES, page_bytes=PICTURE_BYTES // 4)
    figures += downloads.measure(
        lent, shares=chosen.shares, rounds=chosen.rounds, real_parts=chosen.real_parts, note=note
    )
    note("grants")
    figures += appending.measure(
        shares=chosen.grants, rounds=chosen.rounds, real_parts=chosen.real_parts, note=note
    )
    note("batches")
    figures += batches.measure(people=chosen.people, real_parts=chosen.real_parts, note=note)
    note(_load())
    return figures


def _machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}; {libraries}\n{_load()}"


def _load() -> str:
    return "load average " + " ".join(f"{load:.2f}" for load in os.getloadavg())
