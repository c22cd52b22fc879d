"""The client has a method for each operation of the OpenAPI document, with its address, parameters and fields."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from sealmark import errors, operations
from sealmark.calls import OMITTED
from sealmark.operations import Resources
from service.errors import Problem
from service.web.api import description
from service.web.application import create_app
from tests.service_fixture import Service, service_in

SUCCESS = "2"


def _writer() -> Any:
    spec = importlib.util.spec_from_file_location("client_writer", Path(".ci/client.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The service's own document."""
    with service_in(tmp_path_factory.mktemp("document")) as service:
        return _document(service)


def _document(service: Service) -> Any:
    return description.document(create_app(service.sealmark))


def test_the_operations_are_those_of_the_document(document: Any) -> None:
    written = Path(operations.__file__).read_text("utf-8")
    assert written == _writer().source(document), "run `make client`"


class Recorded:
    """Takes calls instead of sending them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    def ask(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        self.calls.append((method, path, given))
        return {}

    def once(self, path: str, **given: Any) -> dict[str, Any]:
        self.calls.append(("POST", path, given))
        return {}

    def pages(self, path: str, **given: Any) -> list[Any]:
        self.calls.append(("GET", path, {**given, "pages": True}))
        return []

    def raw(self, method: str, path: str, **given: Any) -> bytes:
        self.calls.append((method, path, given))
        return b"{}"


def test_each_operation_has_a_method_with_its_address_parameters_and_fields(document: Any) -> None:
    recorded = Recorded()
    resources = Resources(recorded)  # type: ignore[arg-type]
    seen = 0
    for path, methods in document["paths"].items():
        for verb, operation in methods.items():
            if not path.startswith("/v1/"):
                continue
            seen += 1
            resource, _, name = operation["operationId"].replace("-", "_").partition("_")
            if not hasattr(resources, resource):  # a resource of two words
                first, _, name = name.partition("_")
                resource = f"{resource}_{first}"
            method = getattr(getattr(resources, resource), "list" if name == "list_all" else name)
            signature = inspect.signature(method).parameters
            given = {one: f"<{one}>" for one in signature}
            method(**given)
            sent_verb, sent_path, sent = recorded.calls.pop()
            assert sent_verb == verb.upper()
            places = re.findall(r"\{(\w+)\}", path)
            quoted = path.format_map({place: f"%3C{place}%3E" for place in places})
            assert sent_path == quoted
            _require_all(operation, document, sent)
            _require_defaults(operation, document, signature)
    assert seen >= 50


def _require_all(operation: Any, document: Any, sent: dict[str, Any]) -> None:
    """Each parameter and field is sent under its name with the value that was given."""
    parameters = operation.get("parameters", [])
    query = {one["name"]: f"<{one['name']}>" for one in parameters if one["in"] == "query"}
    assert sent.get("query", {}) == query
    headers = {one["name"] for one in parameters if one["in"] == "header"}
    assert (
        set(sent.get("headers", {})) | ({"Idempotency-Key"} if "idempotency_key" in sent else set())
        == headers
    )
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        schema = _resolved(content["application/json"]["schema"], document)
        assert sent["body"] == {field: f"<{field}>" for field in schema["properties"]}
    elif content:
        assert sent["media_type"] == next(iter(content))
        assert sent["file"] == "<file>"


def _require_defaults(operation: Any, document: Any, signature: Any) -> None:
    """What may be left out may be left out, and is not sent then."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        schema = _resolved(content["application/json"]["schema"], document)
        for field in schema["properties"]:
            required = field in schema.get("required", ())
            default = signature[field].default
            assert default is (inspect.Parameter.empty if required else OMITTED)


def _resolved(schema: Any, document: Any) -> Any:
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def test_each_problem_of_the_service_has_its_error() -> None:
    assert set(errors.PROBLEMS) == {str(problem) for problem in Problem}
