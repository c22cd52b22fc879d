"""Fixtures that rooms share: the real servers, each started once a session (and worker), on first use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import minio, postgresql, versitygw
from tests.servers.postgresql import PostgresqlServer
from tests.servers.s3 import S3Server

LONG = ("corpus", "long", "slow")
"""Marks of files whose tests take minutes: begun first, so that none is left to one worker at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files with long tests first."""
    long = {item.path for item in items if any(item.get_closest_marker(mark) for mark in LONG)}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def minio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real MinIO; skips where there is none. Take a `fresh_bucket()` each."""
    with minio.minio_server(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture(scope="session")
def versitygw_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real versitygw, another S3; skips where there is none. Take a `fresh_bucket()` each."""
    with versitygw.versitygw_server(tmp_path_factory.mktemp("versitygw")) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A real PostgreSQL; skips where there is none. Take a `fresh_database()` each."""
    with postgresql.postgresql_server() as server:
        yield server
