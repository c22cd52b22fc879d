"""What PostgreSQL promises beyond the contract: row locks, durable commits, bounded waits, and coming back."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url

from service.adapters.sql import engines
from service.adapters.sql.database import SqlDatabase
from service.adapters.sql.migrate import migrate
from service.adapters.sql.refusals import translated
from service.ports import DatabaseUnavailable, Held
from service.records import Document, Job
from tests.adapters.sql.samples import document, job, key, share, version
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import free_port

pytestmark = pytest.mark.postgresql


@pytest.fixture
def url(postgresql_server: PostgresqlServer) -> str:
    return migrated_postgresql(postgresql_server)


@pytest.fixture
def database(url: str) -> Iterator[SqlDatabase]:
    database = SqlDatabase(url)
    yield database
    database.dispose()


def shown(database: SqlDatabase, name: str) -> str:
    with database.engines.writing.connect() as connection:
        return str(connection.exec_driver_sql(f"SHOW {name}").scalar())


def administer(url: str, statement: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement.encode())


def test_a_worker_passes_over_a_job_that_another_holds(database: SqlDatabase, url: str) -> None:
    other = SqlDatabase(url)
    with database.write() as records:
        records.add(job(1), job(2))

    with database.write() as one, other.write() as two:
        assert one.find(Job, limit=1, lock=True) == [job(1)]
        assert two.find(Job, limit=1, lock=True) == [job(2)]
        assert two.find(Job, lock=True) == [job(2)]
    other.dispose()


def test_a_locked_record_may_still_be_referred_to(database: SqlDatabase, url: str) -> None:
    other = SqlDatabase(url)
    with database.write() as records:
        records.add(document())

    with database.write() as records:
        assert records.get(Document, key("doc"), lock=True)
        with other.write() as others:
            others.add(version())
    other.dispose()


def test_waiting_for_a_locked_record_is_bounded(
    database: SqlDatabase, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "WAIT", 0.1)
    impatient = SqlDatabase(url)
    with database.write() as records:
        records.add(document())

    with database.write() as records:
        records.get(Document, key("doc"), lock=True)
        with pytest.raises(Held), impatient.write() as others:
            others.change(document(), name="other")
    impatient.dispose()


def test_waiting_for_a_connection_is_bounded(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "WAIT", 0.1)
    small = SqlDatabase(url, threads=1)

    with small.engines.writing.begin(), pytest.raises(DatabaseUnavailable, match="in use"), small.read():
        pass
    small.dispose()


def test_a_statement_that_takes_too_long_is_unavailable(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "STATEMENT_TIMEOUT", 0.05)
    database = SqlDatabase(url)
    with (
        pytest.raises(DatabaseUnavailable) as caught,
        translated(),
        database.engines.reading.begin() as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(60)")
    assert not isinstance(caught.value, Held)
    database.dispose()


def test_a_commit_is_durable_whatever_the_database_says(database: SqlDatabase, url: str) -> None:
    administer(url, f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = off")

    assert shown(database, "synchronous_commit") == "on"


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("statement_timeout", engines.STATEMENT_TIMEOUT),
        ("lock_timeout", engines.WAIT),
        ("idle_in_transaction_session_timeout", engines.IDLE_TIMEOUT),
    ],
)
def test_every_wait_is_bounded_by_its_named_limit(database: SqlDatabase, name: str, seconds: float) -> None:
    with database.engines.writing.connect() as connection:
        set_to = connection.exec_driver_sql(f"SELECT setting FROM pg_settings WHERE name = '{name}'").scalar()

    assert set_to == str(int(seconds * 1000))


def test_times_are_in_utc_whatever_the_database_says(database: SqlDatabase, url: str) -> None:
    administer(url, f"ALTER DATABASE {make_url(url).database} SET timezone = 'Asia/Kathmandu'")
    with database.write() as records:
        records.add(document())

    with database.read() as records:
        assert records.find(Document) == [document()]


def test_no_server_is_unavailable() -> None:
    database = SqlDatabase(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none")

    with pytest.raises(DatabaseUnavailable) as caught, database.read() as records:
        records.find(Document)
    assert not isinstance(caught.value, Held)
    with pytest.raises(DatabaseUnavailable):
        database.grant(share().id, None, document().created_at)
    with pytest.raises(DatabaseUnavailable):
        migrate(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none")


def test_a_server_that_never_answers_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "CONNECT_TIMEOUT", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = SqlDatabase(f"postgresql+psycopg://nobody@127.0.0.1:{silent.getsockname()[1]}/none")

        with pytest.raises(DatabaseUnavailable):
            database.ping_write()


def test_a_connection_that_was_lost_while_idle_is_made_again(
    database: SqlDatabase, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PING_AFTER", 0.0)
    with database.write() as records:
        records.add(document())
    lose_all(url)

    with database.read() as records:
        assert records.find(Document) == [document()]


def test_connections_that_are_lost_in_use_fail_one_call_and_are_all_made_again(
    database: SqlDatabase, url: str
) -> None:
    with database.engines.writing.connect(), database.engines.writing.connect():
        pass  # two connections wait
    lose_all(url)

    with pytest.raises(DatabaseUnavailable), database.read() as records:
        records.find(Document)
    with database.write(), database.engines.writing.connect() as another:
        assert another.exec_driver_sql("SELECT 1").scalar() == 1


def lose_all(url: str) -> None:
    """End all connections of the service from the server's side."""
    administer(
        url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sealmark'"
    )


def test_a_connection_that_is_lost_within_a_write_is_unavailable(database: SqlDatabase, url: str) -> None:
    def lose() -> None:
        with database.write() as records:
            records.add(document())
            administer(
                url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sealmark'",
            )

    with pytest.raises(DatabaseUnavailable):
        lose()

    with database.read() as records:
        assert records.find(Document) == []


def test_the_password_may_come_apart_from_the_url(url: str) -> None:
    parsed = make_url(url)
    bare = parsed.set(password=None).render_as_string()

    assert migrate(bare, str(parsed.password))
    database = SqlDatabase(bare, password=str(parsed.password))
    database.ping_write()
    database.dispose()


def test_a_wrong_password_is_unavailable_and_not_repeated(url: str) -> None:
    database = SqlDatabase(make_url(url).set(password=None).render_as_string(), password="canary")

    with pytest.raises(DatabaseUnavailable) as caught:
        database.ping_write()
    assert "canary" not in f"{caught.value} {caught.value.__cause__}"


def test_text_sorts_by_code_point_in_a_database_of_another_locale(
    postgresql_server: PostgresqlServer,
) -> None:
    with psycopg.connect(postgresql_server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE other_locale TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
        )
    url = postgresql_server.fresh_database()
    url = make_url(url).set(database="other_locale").render_as_string(hide_password=False)
    migrate(url)
    database = SqlDatabase(url)
    with database.write() as records:
        records.add(*(document(n, name=name) for n, name in enumerate(["a", "B", "_", "Z"])))

    with database.read() as records:
        assert [one.name for one in records.find(Document, order="name")] == ["B", "Z", "_", "a"]
    database.dispose()
