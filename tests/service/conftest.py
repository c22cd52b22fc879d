"""Services for the domain's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service_fixture import Service, service_in


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service with a fake compiler: for tests whose subject is not the mark."""
    with service_in(tmp_path) as made:
        yield made
