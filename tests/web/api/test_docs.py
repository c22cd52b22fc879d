"""The API's description: valid OpenAPI 3.1, with scopes and problems, and a page that loads nothing from elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from service.access import Scope
from service.web.api.citations import XLSX
from service.web.application import create_app
from tests.service_fixture import URL, Service
from tests.web.api.test_callers import EXPECTED


@pytest.fixture
def client(service: Service) -> FlaskClient:
    """A client without a key."""
    return create_app(service.sealmark).test_client()


@pytest.fixture
def document(client: FlaskClient) -> Any:
    """The description as it is served."""
    return client.get("/openapi.json", base_url=URL).json


def test_the_description_is_valid_openapi_3_1(document: Any) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1.")
    assert document["servers"] == [{"url": URL}]


def test_every_operation_names_its_one_scope_and_its_problems(document: Any) -> None:
    found: dict[str, Scope | None] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            route = f"{method.upper()} {path.replace('{', '<').replace('}', '>')}"
            scopes = [
                scope for requirement in operation.get("security", []) for scope in requirement["api-key"]
            ]
            found[route] = Scope(*scopes) if scopes else None
            assert operation["summary"], route
            assert ({"401", "403", "503"} if scopes else {"503"}) <= operation["responses"].keys()
            for status, answer in operation["responses"].items():
                if status >= "400":
                    assert list(answer["content"]) == ["application/problem+json"]
    assert found == EXPECTED


def test_no_operation_takes_a_form(document: Any) -> None:
    bodies = {
        media
        for operations in document["paths"].values()
        for operation in operations.values()
        for media in operation.get("requestBody", {}).get("content", {})
    }
    assert bodies == {"application/json", "application/pdf", "text/csv", XLSX}


def test_the_page_to_try_it_has_nothing_inline_and_loads_only_from_here(client: FlaskClient) -> None:
    page = client.get("/docs", base_url=URL)
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert re.findall(r"<script(?! src=)|<style|style=|\son\w+=", page.text) == []
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for address in loaded:
        assert address.startswith("/")
        assert client.get(address, base_url=URL).status_code == 200
    assert client.get("/docs/other.js", base_url=URL).status_code == 404
