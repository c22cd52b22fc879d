"""Fail when a JUnit report of pytest holds a test that was left out, which in CI none may be.

One that belongs to another system is let through: its reason begins with `only on `.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

ELSEWHERE = "only on "


def left_out(report: str) -> Iterator[str]:
    """A line for each test that was skipped here but need not be: its name and the reason."""
    for case in ElementTree.fromstring(report).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        for skipped in case.iter("skipped"):
            reason = skipped.get("message", "")
            if skipped.get("type") == "pytest.skip" and not reason.startswith(ELSEWHERE):
                yield f"{case.get('classname')}::{case.get('name')}: {reason}"


def main(reports: Sequence[str]) -> int:
    """Check the reports at these paths."""
    lines = [line for report in reports for line in left_out(Path(report).read_text())]
    for line in lines:
        print(f"left out: {line}")
    print(f"{len(lines)} tests left out" if lines else "no test was left out")
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
