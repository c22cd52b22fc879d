"""Real servers for the tests: found, started on loopback and a free port, and ended with the tests.

A missing one skips the test and says how to get it; where CI is set it fails instead, so that nothing is left
out there unseen.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

MISSING = "missing on this machine: "
"""Begins the reason of each such skip, so that `.ci/skips.py` can find one that slipped through."""


def missing(what: str, how: str) -> NoReturn:
    """Skip the test because a part of the machine is absent; in CI, fail it. `how`: how to get the part."""
    reason = f"{MISSING}{what}. To have this test run: {how}"
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
