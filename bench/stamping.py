"""Stamping: from the sealed template to a copy's bytes and their SHA-256, against those who mark the PDF anew."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from bench.carrying import require_marked
from bench.compiling import cleaned, compiled
from bench.figures import MILLISECONDS, Figure, alone, time_against
from bench.lent import MARK, LentVersion, sealed, sealed_objects
from bench.mark_pages import mark_pages
from bench.reports import Report
from bench.rivals import rivals
from bench.timing import milliseconds, race
from watermark.mint import mint

OURS = "stamp"
FLOOR = "open and hash only"
MINT_TURNS = 5


def measure(reports: Iterable[Report], turns: int) -> list[Figure]:
    """The figures of each report, and their sums where there are several."""
    figures: list[Figure] = []
    sums: dict[str, float] = {}
    measured: list[str] = []
    for report in reports:
        times, more = _measure_one(report, turns)
        figures += [*_against(f"{OURS}: {report.name}", times), *more]
        for name, taken in times.items():
            sums[name] = sums.get(name, 0.0) + taken
        measured.append(report.name)
    if len(measured) > 1:
        figures += _against(f"{OURS}: all {len(measured)} reports together", sums)
    return figures


def _measure_one(report: Report, turns: int) -> tuple[dict[str, float], list[Figure]]:
    made = compiled(report.pdf)
    pages = int(made.facts["pages"])
    original = cleaned(report.pdf)
    with tempfile.TemporaryDirectory(prefix="sealmark-bench-") as folder:
        objects, _ = sealed_objects(Path(folder))
        lent = LentVersion(objects, sealed(objects, made.template))
        with rivals(original, mark_pages(original, MARK)) as others:
            for name, copy in [(OURS, lent.copy), *((name, rival.copy) for name, rival in others.items())]:
                require_marked(f"{name}, {report.name}", copy(), MARK, pages)
            contenders = {OURS: lent.copy, FLOOR: lent.open_only}
            times = race(contenders | {name: rival.copy for name, rival in others.items()}, turns)
    minted = min(milliseconds(lambda: mint(lent.table, MARK)) for _ in range(MINT_TURNS))
    sizes = made.facts["sizes"]
    return times, [
        alone(f"compile: {report.name}", made.milliseconds, MILLISECONDS),
        alone(f"mint: {report.name}", minted, MILLISECONDS),
        alone(f"pages: {report.name}", pages, "pages"),
        alone(f"cleaned original: {report.name}", sizes["cleaned"], "bytes"),
        alone(f"template: {report.name}", sizes["template"] / sizes["cleaned"], "x cleaned original"),
    ]


def _against(name: str, times: dict[str, float]) -> list[Figure]:
    return [time_against(name, times[OURS], rival, taken) for rival, taken in times.items() if rival != OURS]
