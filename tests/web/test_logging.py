"""Logs: one line a request, structured, and nothing in them that opens a report or names a person."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from service.web.application import create_app
from service.web.logging import configure
from tests.service_fixture import URL, Service

CANARY = "canary-value-in-an-error"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """All that this process logs, by the service's own configuration."""
    root = logging.getLogger()
    kept, level = list(root.handlers), root.level
    silenced = [logging.getLogger(name) for name in ("werkzeug", "gunicorn.access")]
    stream = io.StringIO()
    configure(stream)
    try:
        yield stream
    finally:
        root.handlers[:] = kept
        root.setLevel(level)
        for logger in silenced:
            logger.disabled, logger.propagate = False, True


def _read(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_request_is_one_line_with_its_route_and_not_its_path(service: Service, lines: io.StringIO) -> None:
    client = create_app(service.sealmark).test_client()
    key = service.api_key()
    path = f"/v1/documents/doc_{'0' * 26}"
    answer = client.get(f"{path}?x=1", base_url=URL, headers={"Authorization": f"Bearer {key}"})
    answer.close()
    (line,) = [line for line in _read(lines) if line["event"] == "request"]
    assert line["route"] == "/v1/documents/<document_id>"
    assert (line["method"], line["status"], line["bytes"]) == ("GET", 404, len(answer.data))
    assert line["request"] == answer.headers["X-Request-Id"]
    assert key.startswith(line["caller"])
    assert line["time"].endswith("Z")
    assert line["seconds"] >= 0
    assert path not in lines.getvalue()


def test_no_key_token_query_path_mail_or_idempotency_key_is_ever_logged(
    service: Service, lines: io.StringIO
) -> None:
    client = create_app(service.sealmark, pause=lambda seconds: service.work()).test_client()
    key = service.api_key()
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "idem-canary", "Prefer": "wait=5"}

    def call(method: str, path: str, **options: Any) -> Any:
        with client.open(path, method=method, base_url=URL, headers=headers, **options) as answer:
            return answer.json if answer.is_json else None

    body = {
        "name": "Overview",
        "kind": "overview",
        "owner_mail": "o@lender.example",
        "classification": "public",
    }
    document = call("POST", "/v1/documents", json=body)["id"]
    headers["Idempotency-Key"] = "idem-canary-2"
    version = call("POST", f"/v1/documents/{document}/versions", json={"facts": {}})["id"]
    call(
        "PUT",
        f"/v1/documents/{document}/versions/{version}/file",
        data=b"%PDF-",
        content_type="application/pdf",
    )
    headers["Idempotency-Key"] = "idem-canary-3"
    share = {"document": document, "recipient": {"mail": "ana@acme.example", "name": "Ana"}, "purpose": "p"}
    link = call("POST", "/v1/shares", json=share)["link"]["url"]
    token = link.rpartition("/")[2]
    for path in (
        f"/s/{token}",
        f"/s/{token}x",
        f"/d/{token}",
        f"/v/{token}",
        f"/v/{token}/3",
        f"/v/{token}/3.png",
        f"/nothing/{token}",
        f"/v1/recipients?mail={token}",
    ):
        call("GET", path)
    logged = lines.getvalue()
    assert len(_read(lines)) >= 9
    for secret in (token, token[:40], key, key[-43:], "idem-canary", "ana@acme.example", "/nothing/"):
        assert secret not in logged


def test_an_exception_is_logged_with_its_request_and_without_its_values(
    service: Service, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        try:
            raise ValueError(CANARY)
        except ValueError as error:
            raise KeyError(CANARY) from error

    monkeypatch.setattr(service.sealmark.documents, "list", fail)
    client = create_app(service.sealmark).test_client()
    headers = {"Authorization": f"Bearer {service.api_key()}"}
    answer = client.get("/v1/documents", base_url=URL, headers=headers)
    assert answer.status_code == 500
    assert CANARY not in lines.getvalue() + answer.text
    (line,) = [line for line in _read(lines) if line["level"] == "error"]
    assert line["request"] == answer.headers["X-Request-Id"]
    assert line["error"]["types"] == ["builtins.KeyError", "builtins.ValueError"]
    assert any("documents.py" in place for place in line["error"]["places"])


def test_of_other_libraries_only_the_template_and_numbers_are_logged(lines: io.StringIO) -> None:
    logging.getLogger("gunicorn.error").error("Error handling request %s of %d", "/s/secret-token", 7)
    logging.getLogger("werkzeug").error("GET /s/secret-token")
    logging.getLogger("gunicorn.access").error("GET /s/secret-token")
    logging.getLogger("sealmark.test").warning("kept", extra={"part": "store"})
    first, second = _read(lines)
    assert first["event"] == "Error handling request … of 7"
    assert (second["event"], second["part"]) == ("kept", "store")


def test_bytes_are_counted_as_they_leave_and_logged_at_the_end(service: Service, lines: io.StringIO) -> None:
    client = create_app(service.sealmark).test_client()
    service.work()
    headers = {"Authorization": f"Bearer {service.api_key()}", "Accept": "application/x-ndjson"}
    answer = client.get("/v1/log/entries", base_url=URL, headers=headers)
    sent = len(answer.data)
    answer.close()
    assert [line["bytes"] for line in _read(lines) if line["event"] == "request"] == [sent]
