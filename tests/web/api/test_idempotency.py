"""`Idempotency-Key`: the same call makes one thing, whoever is in the way, and has one answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask_openapi.openapi import OpenAPI

from service.web.application import create_app
from tests.servers.postgresql import PostgresqlServer
from tests.service_fixture import Service, service_in
from tests.web.api.conftest import Caller, problem

CALLS = 50

MADE_ONCE = {"recipient.created": 1, "share.created": 1, "link.created": 1}


def _body(document: str, person: str = "ana") -> dict[str, Any]:
    recipient = {"mail": f"{person}@acme.example", "name": "Ana Sample"}
    return {"document": document, "recipient": recipient, "purpose": "Vendor review"}


def _made(service: Service) -> Counter[str]:
    return Counter(entry["kind"] for entry in service.entries() if entry["kind"] in MADE_ONCE)


def _public(caller: Caller) -> str:
    return caller.ready_document(kind="overview", classification="public")


def test_the_same_call_again_has_the_same_answer_to_the_byte(caller: Caller, service: Service) -> None:
    headers = {"Idempotency-Key": "order-1"}
    body = _body(_public(caller))
    first = caller.post("/v1/shares", body, headers=headers)
    service.clock.advance(hours=23)
    again = caller.post("/v1/shares", json=dict(reversed(body.items())), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert first.headers["Location"] == again.headers["Location"]
    assert _made(service) == MADE_ONCE


def test_after_a_day_the_key_is_forgotten(caller: Caller, service: Service) -> None:
    document = _public(caller)
    headers = {"Idempotency-Key": "order-1"}
    first = caller.post("/v1/shares", _body(document), headers=headers)
    service.clock.advance(hours=24)
    assert caller.post("/v1/shares", _body(document), headers=headers).data != first.data


def test_another_request_with_the_same_key_is_refused(caller: Caller, service: Service) -> None:
    document = _public(caller)
    headers = {"Idempotency-Key": "order-1"}
    assert caller.post("/v1/shares", _body(document), headers=headers).status_code == 201
    other = caller.post("/v1/shares", {**_body(document), "purpose": "Audit"}, headers=headers)
    assert problem(other) == (422, "idempotency-mismatch")
    elsewhere = caller.post("/v1/ndas", {"domain": "acme.example", "source": "contracts"}, headers=headers)
    assert problem(elsewhere) == (422, "idempotency-mismatch")
    assert _made(service) == MADE_ONCE


def test_the_key_of_another_caller_is_another_key(caller: Caller, service: Service) -> None:
    document = _public(caller)
    headers = {"Idempotency-Key": "order-1"}
    other = Caller(caller.client, service.api_key())
    answers = [who.post("/v1/shares", _body(document), headers=headers) for who in (caller, other)]
    assert answers[0].data != answers[1].data


def test_a_refusal_is_not_kept(caller: Caller) -> None:
    document = caller.ready_document()
    headers = {"Idempotency-Key": "order-1"}
    assert problem(caller.post("/v1/shares", _body(document), headers=headers)) == (409, "nda-required")
    caller.post("/v1/ndas", {"domain": "acme.example", "source": "contracts", "approved": True})
    assert caller.post("/v1/shares", _body(document), headers=headers).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "ümlaut"])
def test_a_key_that_cannot_be_is_refused(caller: Caller, key: str) -> None:
    answer = caller.post(
        "/v1/ndas", {"domain": "acme.example", "source": "x"}, headers={"Idempotency-Key": key}
    )
    assert problem(answer) == (422, "invalid")
    assert answer.json["errors"][0]["where"] == "Idempotency-Key"  # type: ignore[index]


def test_every_creating_route_answers_once(caller: Caller) -> None:
    document = _public(caller)
    share = caller.share(document).json["id"]  # type: ignore[index]
    for number, (path, body) in enumerate(
        {
            "/v1/documents": {"name": "R", "kind": "other", "owner_mail": "o@lender.example"},
            f"/v1/documents/{document}/versions": {"facts": {}},
            "/v1/ndas": {"domain": "acme.example", "source": "contracts"},
            "/v1/shares": _body(document, "bo"),
            f"/v1/shares/{share}/links": {},
        }.items()
    ):
        headers = {"Idempotency-Key": f"key-{number}"}
        first, again = (caller.post(path, body, headers=headers) for _ in range(2))
        assert first.status_code == 201, first.text
        assert first.data == again.data


def test_the_kept_answer_is_sealed_and_the_key_only_hashed(caller: Caller, service: Service) -> None:
    made = caller.post("/v1/shares", _body(_public(caller)), headers={"Idempotency-Key": "order-4711"})
    token = made.json["link"]["url"].rpartition("/")[2]  # type: ignore[index]
    service.work()
    for path in service.sealmark.settings.data.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert token.encode() not in content
            assert b"order-4711" not in content


def test_fifty_equal_calls_at_once_make_one_share_and_have_one_answer(
    app: OpenAPI, caller: Caller, service: Service
) -> None:
    document = _public(caller)
    answers = _at_once(app, caller, [(_body(document), "order-1")] * CALLS)
    assert {status for status, _ in answers} == {201}, answers
    assert len({body for _, body in answers}) == 1
    assert _made(service) == MADE_ONCE


def test_many_calls_at_once_with_keys_of_their_own_share_one_new_recipient(
    app: OpenAPI, caller: Caller, service: Service
) -> None:
    document = _public(caller)
    answers = _at_once(app, caller, [(_body(document), f"order-{number}") for number in range(CALLS)])
    assert {status for status, _ in answers} == {201}, answers
    assert _made(service) == {"recipient.created": 1, "share.created": CALLS, "link.created": CALLS}


@pytest.mark.postgresql
def test_fifty_equal_calls_of_two_processes_make_one_share_on_postgresql(
    postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    with _on_postgresql(postgresql_server, tmp_path) as service:
        caller, document = _prepared(service)
        answers = _of_two_processes(service, tmp_path, caller, [(_body(document), "order-1")] * CALLS)
        assert {status for status, _ in answers} == {201}, answers
        assert len({body for _, body in answers}) == 1
        assert _made(service) == MADE_ONCE


@pytest.mark.postgresql
def test_calls_of_two_processes_with_keys_of_their_own_share_one_new_recipient_on_postgresql(
    postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    with _on_postgresql(postgresql_server, tmp_path) as service:
        caller, document = _prepared(service)
        calls = [(_body(document), f"order-{number}") for number in range(CALLS)]
        answers = _of_two_processes(service, tmp_path, caller, calls)
        assert {status for status, _ in answers} == {201}, answers
        assert _made(service) == {"recipient.created": 1, "share.created": CALLS, "link.created": CALLS}


def _at_once(app: OpenAPI, caller: Caller, calls: list[tuple[dict[str, Any], str]]) -> list[tuple[int, str]]:
    """Status and body of each call, all begun together, each in a thread of its own."""
    barrier = threading.Barrier(len(calls))

    def one(call: tuple[dict[str, Any], str]) -> tuple[int, str]:
        mine = Caller(app.test_client(), caller.key)
        barrier.wait(60)
        answer = mine.post("/v1/shares", call[0], headers={"Idempotency-Key": call[1]})
        return answer.status_code, answer.text

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def _on_postgresql(server: PostgresqlServer, folder: Path) -> Any:
    url = server.fresh_database()
    secret = folder / "password"
    secret.write_text(server.password)
    environ = {
        "SEALMARK_DATABASE": url.replace(f":{server.password}@", "@"),
        "SEALMARK_DATABASE_PASSWORD_FILE": str(secret),
        "SEALMARK_THREADS": "32",
    }
    return service_in(folder, environ=environ)


def _prepared(service: Service) -> tuple[Caller, str]:
    app = create_app(service.sealmark, pause=lambda seconds: service.work())
    caller = Caller(app.test_client(), service.api_key())
    return caller, _public(caller)


def _of_two_processes(
    service: Service, folder: Path, caller: Caller, calls: list[tuple[dict[str, Any], str]]
) -> list[tuple[int, str]]:
    """Half of the calls in each of two processes, all begun together."""
    settings = service.sealmark.settings
    environ = {
        "SEALMARK_URL": settings.url,
        "SEALMARK_DATA": str(settings.data),
        "SEALMARK_KEY": f"file:{settings.key_file}",
        "SEALMARK_DATABASE": settings.database,
        "SEALMARK_DATABASE_PASSWORD_FILE": str(settings.database_password_file),
        "SEALMARK_THREADS": "32",
    }
    half = len(calls) // 2
    processes = []
    for part in (calls[:half], calls[half:]):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.web.api.calling_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
            env={"PATH": os.defpath, **environ},
        )
        assert process.stdin is not None
        now = service.clock().isoformat()
        process.stdin.write(json.dumps({"key": caller.key, "calls": part, "now": now}) + "\n")
        process.stdin.flush()
        processes.append(process)
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    answers: list[tuple[int, str]] = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        output, _ = process.communicate(timeout=120)
        answers += [(status, body) for status, body in json.loads(output)]
    return answers
