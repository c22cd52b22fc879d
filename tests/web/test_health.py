"""Probes: which part fails, and nothing about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.adapters.sql.database import SqlDatabase
from service.ports import DatabaseUnavailable
from service.web.application import create_app
from service.web.health import MAX_LAG
from tests.service_fixture import OPERATOR, Service

SECRET = "password-in-an-error"


def _ready(service: Service) -> tuple[int, Any]:
    answer = create_app(service.sealmark).test_client().get("/readyz")
    assert SECRET not in answer.text
    return answer.status_code, answer.json


def _failed(service: Service) -> set[str]:
    status, body = _ready(service)
    assert (status, body["status"]) == (503, "failed")
    return {part for part, state in body["parts"].items() if state != "ok"}


def test_a_whole_service_is_ready(service: Service) -> None:
    parts = dict.fromkeys(("database", "store", "log", "key", "sequencer"), "ok")
    assert _ready(service) == (200, {"status": "ok", "parts": parts})


def test_a_database_that_cannot_write_is_named(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: SqlDatabase) -> None:
        raise DatabaseUnavailable(SECRET)

    monkeypatch.setattr(SqlDatabase, "ping_write", fail)
    assert _failed(service) == {"database"}


def test_a_store_that_is_gone_is_named(service: Service, tmp_path: Path) -> None:
    (tmp_path / "data" / "store").rename(tmp_path / "gone")
    assert "store" in _failed(service)


def test_a_key_that_the_store_does_not_know_is_named(service: Service) -> None:
    path = service.sealmark.settings.key_file
    path.rename(path.with_suffix(".old"))
    assert _failed(service) == {"key"}


def test_a_sequencer_that_lags_is_named(service: Service) -> None:
    service.work()
    service.sealmark.keys.rotate(OPERATOR, "link")
    service.clock.advance(seconds=MAX_LAG - 0.1)
    assert _ready(service)[0] == 200
    service.clock.advance(seconds=0.1)
    assert _failed(service) == {"sequencer"}
    service.work()
    assert _ready(service)[0] == 200


def test_the_process_is_alive_whatever_else_fails(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: SqlDatabase) -> None:
        raise DatabaseUnavailable(SECRET)

    monkeypatch.setattr(SqlDatabase, "ping_write", fail)
    answer = create_app(service.sealmark).test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_an_answer_is_kept_for_a_second_so_that_strangers_do_not_make_the_database_write(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(SqlDatabase, "ping_write", lambda self: asked.append(1))
    now = [100.0]
    client = create_app(service.sealmark, seconds=lambda: now[0]).test_client()
    for _ in range(5):
        client.get("/readyz")
    assert len(asked) == 1
    now[0] += 1.0
    client.get("/readyz")
    assert len(asked) == 2
