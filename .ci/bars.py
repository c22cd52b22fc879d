"""Hold what coverage measured to the bars: of each room, and of its lines and branches apart.

Apart, because coverage's own percentage mixes both, and there are five lines to each branch.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

BARS: Mapping[str, float] = {"crypto": 100.0, "service and watermark": 95.0, "sealmark": 95.0}
"""The least percentage of lines, and of branches, by the rooms it is for."""

KINDS = {"lines": ("covered_lines", "num_statements"), "branches": ("covered_branches", "num_branches")}


def measured(report: Mapping[str, Any]) -> Iterator[tuple[str, str, int, int]]:
    """(rooms, lines or branches, how many are covered, how many there are) of coverage's JSON report."""
    for rooms in BARS:
        names = rooms.split(" and ")
        found = [file["summary"] for path, file in report["files"].items() if Path(path).parts[0] in names]
        for kind, (covered, all_of_them) in KINDS.items():
            yield rooms, kind, sum(each[covered] for each in found), sum(each[all_of_them] for each in found)


def main(paths: Sequence[str]) -> int:
    """Check the report at this path; 1 when it is below a bar, or has nothing of a room."""
    below = False
    for rooms, kind, covered, total in measured(json.loads(Path(paths[0]).read_text())):
        bar = BARS[rooms]
        fails = not total or covered * 100 < bar * total
        below |= fails
        share = f"{100 * covered / total:.2f} %" if total else "none"
        print(f"{rooms}: {covered} of {total} {kind}, {share} (bar: {bar:g} %){' BELOW' if fails else ''}")
    return 1 if below else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
