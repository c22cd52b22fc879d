"""The bars of coverage hold lines and branches apart, room by room, and nothing measured is below them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_audit import load

bars = load("bars")


def file(lines: int = 100, branches: int = 100) -> dict[str, dict[str, int]]:
    summary = {
        "covered_lines": lines,
        "num_statements": 100,
        "covered_branches": branches,
        "num_branches": 100,
    }
    return {"summary": summary}


WHOLE = {
    "crypto/keys.py": file(),
    "service/app.py": file(96, 96),
    "watermark/mint.py": file(94, 94),
    "sealmark/client.py": file(95, 95),
}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 0),
        ({"crypto/keys.py": file(99, 100)}, 1),
        ({"crypto/keys.py": file(100, 99)}, 1),
        ({"watermark/mint.py": file(94, 93)}, 1),
        ({"service/app.py": file(95, 96)}, 1),
        ({"sealmark/client.py": file(95, 94)}, 1),
        ({"service/app.py": None, "watermark/mint.py": None}, 1),
        ({"tests/test_app.py": file(0, 0)}, 0),
    ],
)
def test_what_is_below_its_bar_fails(
    changed: dict[str, dict[str, dict[str, int]] | None], status: int, tmp_path: Path
) -> None:
    files = {path: found for path, found in {**WHOLE, **changed}.items() if found}
    report = tmp_path / "coverage.json"
    report.write_text(json.dumps({"files": files}))

    assert bars.main([str(report)]) == status
