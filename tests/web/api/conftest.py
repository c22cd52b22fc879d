"""The API as a caller sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi.openapi import OpenAPI
from werkzeug.test import TestResponse

from service.web.application import create_app
from tests.service_fixture import URL, Service

FILE = b"%PDF-1.7 a report"


@dataclass
class Caller:
    """Calls the API with one key (None: without)."""

    client: FlaskClient
    key: str | None

    def call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> TestResponse:
        """One request to the service's own host."""
        authorization = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        sent = {**authorization, **(headers or {})}
        return self.client.open(path, method=method, base_url=URL, headers=sent, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("POST", path, json=json, **options) if json is not None else self.call("POST", path)

    def put(self, path: str, **options: Any) -> TestResponse:
        return self.call("PUT", path, **options)

    def document(self, **values: Any) -> str:
        """The id of a new document."""
        body = {"name": "SOC 2 2025", "kind": "soc2-type2", "owner_mail": "owner@lender.example", **values}
        made = self.post("/v1/documents", body)
        assert made.status_code == 201, made.text
        return str(made.json["id"])  # type: ignore[index]

    def version(self, document: str, **facts: Any) -> str:
        """The address of a new version without a file."""
        made = self.post(f"/v1/documents/{document}/versions", {"facts": facts})
        assert made.status_code == 201, made.text
        return str(made.headers["Location"])

    def ready_document(self, **values: Any) -> str:
        """The id of a document whose file is ready."""
        document = self.document(**values)
        path = self.version(document)
        done = self.put(
            f"{path}/file", data=FILE, content_type="application/pdf", headers={"Prefer": "wait=9"}
        )
        assert done.json["state"] == "ready", done.text  # type: ignore[index]
        return document

    def share(self, document: str, mail: str = "ana@acme.example", **values: Any) -> TestResponse:
        """What asking for a share answers."""
        headers = values.pop("headers", None)
        body = {
            "document": document,
            "recipient": {"mail": mail, "name": "Ana Sample", "company": "Acme"},
            "purpose": "Vendor review",
            **values,
        }
        return self.post("/v1/shares", body, headers=headers)


def problem(answer: Any) -> tuple[int, str]:
    """Status and type of an answer that is a problem, whole and with its request id."""
    assert answer.content_type == "application/problem+json", answer.text
    assert answer.json["status"] == answer.status_code
    assert answer.json["instance"] == answer.headers["X-Request-Id"]
    return answer.status_code, answer.json["type"].rpartition("/")[2]


@pytest.fixture
def app(service: Service) -> OpenAPI:
    """The application; to wait is to let the worker work."""

    def work(seconds: float) -> None:
        service.work()

    return create_app(service.sealmark, pause=work, seconds=lambda: service.clock.now.timestamp())


@pytest.fixture
def caller(app: OpenAPI, service: Service) -> Iterator[Caller]:
    """A caller whose key has all scopes."""
    with app.test_client() as client:
        yield Caller(client, service.api_key())
