"""Errors: a closed list of problems, never HTML, and never what the caller sent or the service knows."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from crypto.errors import SealBroken, SealFault
from service.blobs import StoreUnavailable
from service.errors import DomainError, Problem
from service.ports import DatabaseUnavailable
from service.web.application import create_app
from service.web.problems import MEANINGS
from tests.service_fixture import URL, Service

SECRET = "smk-very-secret-value"


@pytest.fixture
def client(service: Service) -> FlaskClient:
    """A client with a key of all scopes."""
    made = create_app(service.sealmark).test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {service.api_key()}"
    return made


def _problem(answer: Any) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == answer.status_code
    assert answer.json["instance"] == answer.headers["X-Request-Id"]
    return answer.status_code, answer.json["type"].removeprefix(f"{URL}/problems/")


def test_every_problem_has_one_status_and_a_page_at_its_type(client: FlaskClient) -> None:
    assert MEANINGS.keys() == set(Problem)
    for problem, meaning in MEANINGS.items():
        page = client.get(f"/problems/{problem}", base_url=URL)
        assert page.status_code == 200
        assert str(meaning.status) in page.text
    assert _problem(client.get("/problems/other", base_url=URL)) == (404, "not-found")


@pytest.mark.parametrize(
    ("error", "status", "problem"),
    [
        *((DomainError(problem, "detail"), meaning.status, problem) for problem, meaning in MEANINGS.items()),
        (StoreUnavailable(SECRET), 503, "unavailable"),
        (DatabaseUnavailable(SECRET), 503, "unavailable"),
        (SealBroken(SealFault.CHUNK), 500, "internal"),
        (RuntimeError(SECRET), 500, "internal"),
    ],
)
def test_each_error_is_its_problem_and_says_nothing_that_it_should_not(
    client: FlaskClient,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    problem: str,
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(service.sealmark.documents, "list", fail)
    answer = client.get("/v1/documents", base_url=URL)
    assert _problem(answer) == (status, problem)
    assert SECRET not in answer.text
    assert ("Retry-After" in answer.headers) == (problem in {"unavailable", "busy", "idempotency-running"})


def test_an_unknown_method_is_told_which_there_are(client: FlaskClient) -> None:
    for method in ("DELETE", "PATCH", "OPTIONS", "TRACE"):
        answer = client.open("/v1/documents", method=method, base_url=URL)
        assert _problem(answer) == (405, "method-not-allowed")
        assert answer.headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"\xff\xfe",
        b'{"name": "\\ud800"}',
        b'{"name": NaN}',
        b"[" * 100_000,
        b'{"a":' * 5000,
        b"\xef\xbb\xbf{}",
    ],
)
def test_a_body_that_is_no_json_is_malformed(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/v1/documents", data=body, content_type="application/json", base_url=URL)
    assert _problem(answer) == (400, "malformed")


def test_a_body_of_another_type_or_size_is_refused(client: FlaskClient) -> None:
    form = client.post("/v1/documents", data={"name": "R"}, base_url=URL)
    assert _problem(form) == (415, "unsupported-media-type")
    huge = b'{"name": "' + b"x" * (4 * 1024 * 1024) + b'"}'
    answer = client.post("/v1/documents", data=huge, content_type="application/json", base_url=URL)
    assert _problem(answer) == (413, "too-large")


def test_a_refusal_names_the_place_and_not_the_value(client: FlaskClient) -> None:
    body = {
        "name": "R",
        "kind": SECRET,
        "owner_mail": "o@lender.example",
        SECRET: 1,
        "classification": SECRET,
    }
    answer = client.post("/v1/documents", json=body, base_url=URL)
    assert _problem(answer) == (422, "invalid")
    assert {"kind", "classification"} <= {place["where"] for place in answer.json["errors"]}  # type: ignore[index]
    assert all(SECRET not in place["detail"] for place in answer.json["errors"])  # type: ignore[index]


def test_every_answer_carries_the_headers_that_keep_it_private(client: FlaskClient) -> None:
    for path in ("/v1/documents", "/v1/nothing", "/healthz", "/openapi.json"):
        headers = client.get(path, base_url=URL).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["Strict-Transport-Security"] == "max-age=63072000"
