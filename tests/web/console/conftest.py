"""Fixtures: a service with a console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service_fixture import Service, service_in
from tests.web.console.acting import environ


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A whole Sealmark at which staff can sign in."""
    with service_in(tmp_path, environ=environ(tmp_path)) as made:
        yield made
