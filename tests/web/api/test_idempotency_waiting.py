"""A call that waits for an equal one says that it runs (409); one whose database is away says so instead (503)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from flask_openapi.openapi import OpenAPI
from werkzeug.test import TestResponse

from service.adapters.sql import engines
from service.adapters.sql.transaction import SqlRecords
from service.answers import Reply
from service.ports import DatabaseUnavailable, Held
from service.records import Answer, ApiKey, Nda
from service.web.application import create_app
from tests.servers.postgresql import PostgresqlServer
from tests.service_fixture import Service, service_in
from tests.web.api.conftest import Caller, problem

NDA = {"domain": "acme.example", "source": "contracts"}
KEY = {"Idempotency-Key": "order-1"}

WAITING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'sealmark' AND wait_event_type = 'Lock'"


def _recorded(service: Service) -> int:
    with service.sealmark.database.read() as records:
        return len(records.find(Nda))


@contextmanager
def _first_call(service: Service, caller: Caller) -> Iterator[None]:
    """While the block runs, a first call of this caller with `KEY` has begun and not ended."""
    with service.sealmark.database.read() as records:
        (api_key,) = records.find(ApiKey)
    begun, end = threading.Event(), threading.Event()

    def call() -> Reply:
        begun.set()
        end.wait(60)
        return Reply(201, b"{}")

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(
            service.sealmark.answers.once, api_key.id, KEY["Idempotency-Key"], b"first", lambda: call
        )
        try:
            assert begun.wait(60)
            yield
        finally:
            end.set()
        running.result()


@pytest.mark.postgresql
class TestOnPostgresql:
    @pytest.fixture
    def service(
        self,
        postgresql_server: PostgresqlServer,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        request: pytest.FixtureRequest,
    ) -> Iterator[Service]:
        """One whose calls wait for each other so many seconds."""
        monkeypatch.setattr(engines, "WAIT", request.param)
        secret = tmp_path / "password"
        secret.write_text(postgresql_server.password)
        url = postgresql_server.fresh_database().replace(f":{postgresql_server.password}@", "@")
        environ = {"SEALMARK_DATABASE": url, "SEALMARK_DATABASE_PASSWORD_FILE": str(secret)}
        with service_in(tmp_path, environ=environ) as made:
            yield made

    @pytest.fixture
    def app(self, service: Service) -> OpenAPI:
        return create_app(service.sealmark)

    @pytest.mark.parametrize("service", [0.3], indirect=True)
    def test_a_first_call_that_does_not_end_in_time_is_said_to_run(
        self, service: Service, caller: Caller
    ) -> None:
        with _first_call(service, caller):
            answer = caller.post("/v1/ndas", NDA, headers=KEY)

        assert problem(answer) == (409, "idempotency-running")
        assert int(answer.headers["Retry-After"]) > 0
        assert _recorded(service) == 0

    @pytest.mark.parametrize("service", [60.0], indirect=True)
    def test_a_connection_that_is_lost_while_waiting_is_unavailable(
        self, app: OpenAPI, service: Service, caller: Caller, postgresql_server: PostgresqlServer
    ) -> None:
        def ask() -> TestResponse:
            return Caller(app.test_client(), caller.key).post("/v1/ndas", NDA, headers=KEY)

        with _first_call(service, caller), ThreadPoolExecutor(1) as pool:
            asking = pool.submit(ask)
            with psycopg.connect(postgresql_server.dsn("postgres"), autocommit=True) as administrator:
                while not (waiting := administrator.execute(WAITING).fetchall()):
                    assert not asking.done(), asking.result().text
                administrator.execute("SELECT pg_terminate_backend(%s)", waiting[0])
            answer = asking.result()

        assert problem(answer) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert _recorded(service) == 0


@pytest.mark.parametrize("step", ["add", "remove", "change"])
def test_a_database_that_fails_at_the_kept_answer_is_unavailable_and_nothing_is_made(
    caller: Caller, service: Service, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    done = getattr(SqlRecords, step)

    def fail(records: SqlRecords, subject: object, *args: object, **values: object) -> object:
        if subject is Answer or isinstance(subject, Answer):
            raise DatabaseUnavailable("away")
        return done(records, subject, *args, **values)

    with monkeypatch.context() as patch:
        patch.setattr(SqlRecords, step, fail)
        answer = caller.post("/v1/ndas", NDA, headers=KEY)

    assert problem(answer) == (503, "unavailable")
    assert _recorded(service) == 0
    assert caller.post("/v1/ndas", NDA, headers=KEY).status_code == 201
    assert _recorded(service) == 1


def test_one_that_another_holds_in_the_middle_of_the_call_is_not_the_first_call(
    caller: Caller, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: object, **__: object) -> None:
        raise Held("held")

    with monkeypatch.context() as patch:
        patch.setattr(service.sealmark.ndas, "add", held)
        answer = caller.post("/v1/ndas", NDA, headers=KEY)

    assert problem(answer) == (503, "unavailable")
