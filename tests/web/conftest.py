"""Fixtures of the web tests: a service with the fake compiler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service_fixture import Service, service_in


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A whole Sealmark on SQLite and a folder, with the fake compiler and a clock that stands still."""
    with service_in(tmp_path) as made:
        yield made
