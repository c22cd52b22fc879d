"""Fixtures: a service with the real compiler, and a report that it lends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service_fixture import Service, service_in
from tests.web.recipient.lending import Lent, compile_here, lend


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A whole Sealmark that compiles, mints and stamps for real."""
    environ = {"SEALMARK_CONTACT": "assurance@lender.example"}
    with service_in(tmp_path, compile_in_child=compile_here, environ=environ) as made:
        yield made


@pytest.fixture
def lent(service: Service) -> Lent:
    """A share without a limit."""
    return lend(service)


@pytest.fixture
def lent_once(service: Service) -> Lent:
    """A share with a limit of one download."""
    return lend(service, limit=1)
