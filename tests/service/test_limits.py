"""Limits: the named number passes, one more does not, over all processes and on both databases; without the database
nothing passes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.app import build
from service.limits import Limit, TooMany, network
from service.ports import DatabaseUnavailable
from service.records import RateWindow
from service.settings import load
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.service.erasing_cases import on_postgresql
from tests.service_fixture import Service, SettableClock, service_in

THREE_A_MINUTE = Limit("tests", 3, timedelta(minutes=1))
FIVE_AN_HOUR = Limit("tests-slow", 5, timedelta(hours=1))
NUMBER = 40
"""How many of a hundred, which two processes ask for, may pass."""


def take_fifty(environ: dict[str, str]) -> int:
    """Another process: how many of fifty passed."""
    sealmark = build(load(environ), clock=SettableClock())
    wanted = Limit("tests-processes", NUMBER, timedelta(minutes=1))
    passed = sum(sealmark.limits.take((wanted, "ana@acme.example")) is None for _ in range(50))
    sealmark.close()
    return passed


class LimitPromises:
    """What holds on every database. A subclass gives the fixture `service`, and how others reach its database."""

    @pytest.fixture
    def service(self) -> Service:
        raise NotImplementedError("given by the subclass")

    @pytest.fixture
    def environ(self) -> dict[str, str]:
        raise NotImplementedError("given by the subclass")

    def test_the_named_number_passes_and_one_more_does_not_until_the_window_ends(
        self, service: Service
    ) -> None:
        limits = service.sealmark.limits
        taken = [limits.take((THREE_A_MINUTE, "a")) for _ in range(5)]
        assert [exceeded is None for exceeded in taken] == [True, True, True, False, False]
        assert taken[3] is not None
        assert taken[3].until == service.clock() + timedelta(minutes=1)
        assert limits.take((THREE_A_MINUTE, "b")) is None
        assert limits.take((THREE_A_MINUTE.of("shr_1"), "a")) is None
        service.clock.advance(seconds=60)
        assert limits.take((THREE_A_MINUTE, "a")) is None

    def test_what_one_limit_turns_away_counts_against_no_other(self, service: Service) -> None:
        limits = service.sealmark.limits
        for _ in range(20):
            limits.take((FIVE_AN_HOUR, "a"), (THREE_A_MINUTE, "a"))
        service.clock.advance(minutes=1)
        passed = [limits.take((FIVE_AN_HOUR, "a"), (THREE_A_MINUTE, "a")) is None for _ in range(3)]
        assert passed == [True, True, False]

    def test_two_processes_pass_the_named_number_together(
        self, service: Service, environ: dict[str, str]
    ) -> None:
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            assert sum(pool.map(take_fifty, [environ] * 2)) == NUMBER

    def test_who_was_counted_cannot_be_read_from_the_rows_and_they_go_with_their_window(
        self, service: Service
    ) -> None:
        service.sealmark.limits.take((THREE_A_MINUTE, "ana@acme.example"))
        with service.sealmark.database.read() as records:
            (row,) = records.find(RateWindow)
        assert "ana" not in row.key
        assert row.subject == service.sealmark.limits.subject("ana@acme.example")
        service.clock.advance(minutes=1)
        service.sealmark.sweeping.forget_old_rows()
        with service.sealmark.database.read() as records:
            assert records.find(RateWindow) == []

    def test_counting_within_a_write_is_a_mistake_that_is_said_at_once(self, service: Service) -> None:
        with pytest.raises(RuntimeError, match="before the write"), service.sealmark.database.write():
            service.sealmark.limits.take((THREE_A_MINUTE, "a"))


class TestOnSqlite(LimitPromises):
    """On the embedded database."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> Iterator[Service]:
        with service_in(tmp_path) as made:
            yield made

    @pytest.fixture
    def environ(self, tmp_path: Path) -> dict[str, str]:
        return reaching(tmp_path)


class TestOnPostgresql(LimitPromises):
    """On a real PostgreSQL."""

    @pytest.fixture
    def database(self, tmp_path: Path, postgresql_server: PostgresqlServer) -> dict[str, str]:
        return on_postgresql(postgresql_server, tmp_path, migrated_postgresql(postgresql_server))

    @pytest.fixture
    def service(self, tmp_path: Path, database: dict[str, str]) -> Iterator[Service]:
        with service_in(tmp_path, environ=database) as made:
            yield made

    @pytest.fixture
    def environ(self, tmp_path: Path, database: dict[str, str]) -> dict[str, str]:
        return {**reaching(tmp_path), **database}


def reaching(folder: Path) -> dict[str, str]:
    """The settings of `service_in(folder)`."""
    return {
        "SEALMARK_URL": "https://reports.lender.example",
        "SEALMARK_DATA": str(folder / "data"),
        "SEALMARK_KEY": f"file:{folder / 'keys' / 'master.key'}",
    }


def test_without_the_database_nothing_passes(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> None:
        raise DatabaseUnavailable("the database is away")

    service.sealmark.keys.signing("service")
    monkeypatch.setattr(service.sealmark.database, "count", away)
    with pytest.raises(DatabaseUnavailable):
        service.sealmark.limits.require((THREE_A_MINUTE, "a"))


def test_the_error_says_after_how_many_seconds_to_come_back(service: Service) -> None:
    service.clock.advance(seconds=12)
    for _ in range(3):
        service.sealmark.limits.require((THREE_A_MINUTE, "a"))
    with pytest.raises(TooMany) as caught:
        service.sealmark.limits.require((THREE_A_MINUTE, "a"))
    assert caught.value.seconds == 48
    assert caught.value.fields == {"limit": "tests"}


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        (None, ""),
        ("no address", ""),
    ],
)
def test_an_ipv6_client_is_counted_by_its_network(address: str | None, counted: str) -> None:
    assert network(address) == counted
