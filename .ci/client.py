"""Writes `sealmark/operations.py` out of the API's OpenAPI document; `make client`, and compared by a test."""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "sealmark" / "operations.py"
REF = "#/components/schemas/"
JSON = "application/json"

HEAD = '''"""Every operation of the API, typed. Written by `make client` out of the OpenAPI document, never by hand."""

# ruff: noqa

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal, NotRequired, TypedDict, cast

from sealmark.calls import OMITTED, Calls, Omitted, path_of
'''


def source(document: dict[str, Any]) -> str:
    """The module for this document."""
    schemas = document["components"]["schemas"]
    operations = defaultdict(list)
    for path, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            if path.startswith("/v1/"):
                resource, _, name = operation["operationId"].partition("_")
                operations[resource.replace("-", "_")].append((name, method, path, operation))
    used: set[str] = set()
    for found in operations.values():
        for *_, operation in found:
            _gather(operation, schemas, used)
    parts = [HEAD]
    parts += [_schema(name, schemas[name]) for name in sorted(used)]
    names = {}
    for resource, found in operations.items():
        names[resource] = "".join(word.title() for word in resource.split("_")) + "Resource"
        about = found[0][3]["tags"][0]
        described = next(tag["description"] for tag in document["tags"] if tag["name"] == about)
        methods = "\n".join(_method(*one, schemas) for one in sorted(found, key=lambda one: one[0]))
        parts.append(
            f'class {names[resource]}:\n    """{described}"""\n\n    def __init__(self, calls: Calls) -> None:\n'
            f"        self._calls = calls\n\n{methods}"
        )
    lines = "\n".join(f"        self.{resource} = {name}(calls)" for resource, name in names.items())
    parts.append(
        'class Resources:\n    """The resources of the API."""\n\n    def __init__(self, calls: Calls) -> None:\n'
        f"{lines}\n"
    )
    return _formatted("\n\n".join(part.rstrip("\n") + "\n" for part in parts))


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TARGET), "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=TARGET.parent)  # noqa: S603
    return done.stdout


def _gather(node: Any, schemas: dict[str, Any], used: set[str]) -> None:
    """The names of all schemas that are referred to, but the problems': they are errors."""
    if isinstance(node, dict):
        name = str(node.get("$ref", "")).removeprefix(REF)
        if name and name not in used and name not in ("ProblemAnswer",):
            used.add(name)
            _gather(schemas[name], schemas, used)
        for value in node.values():
            _gather(value, schemas, used)
    elif isinstance(node, list):
        for value in node:
            _gather(value, schemas, used)


def _schema(name: str, schema: dict[str, Any]) -> str:
    if schema.get("type") != "object":
        return f"{name} = {_type(schema)}\n"
    about = _line(schema.get("description", ""))
    properties = schema.get("properties", {})
    required = set(schema.get("required", ()))
    if any(not field.isidentifier() or keyword.iskeyword(field) for field in properties):
        fields = ", ".join(
            f'"{field}": {_field(value, field in required)}' for field, value in properties.items()
        )
        return f'{name} = TypedDict("{name}", {{{fields}}})\n'
    if not properties:
        return f"{name} = dict[str, {_additional(schema)}]\n"
    lines = [f"    {field}: {_field(value, field in required)}" for field, value in properties.items()]
    said = f'    """{about}"""\n\n' if about else ""
    return f"class {name}(TypedDict):\n{said}" + "\n".join(lines) + "\n"


def _field(schema: dict[str, Any], required: bool) -> str:
    return _type(schema) if required else f"NotRequired[{_type(schema)}]"


def _additional(schema: dict[str, Any]) -> str:
    more = schema.get("additionalProperties")
    return _type(more) if isinstance(more, dict) and more else "Any"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(REF)
    if "enum" in schema:
        return f"Literal[{', '.join(repr(value).replace(chr(39), chr(34)) for value in schema['enum'])}]"
    if "const" in schema:
        return f'Literal["{schema["const"]}"]'
    for many in ("anyOf", "oneOf"):
        if many in schema:
            return " | ".join(dict.fromkeys(_type(one) for one in schema[many]))
    if "allOf" in schema and len(schema["allOf"]) == 1:
        return _type(schema["allOf"][0])
    kind = schema.get("type")
    if kind == "array":
        return f"builtins.list[{_type(schema.get('items', {}))}]"
    if kind == "object":
        return f"dict[str, {_additional(schema)}]"
    plain = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
    return plain.get(str(kind), "Any")


def _method(name: str, method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    parameters = operation.get("parameters", [])
    places = re.findall(r"\{(\w+)\}", path)
    query = {one["name"]: one for one in parameters if one["in"] == "query"}
    headers = [one["name"] for one in parameters if one["in"] == "header"]
    content = operation.get("requestBody", {}).get("content", {})
    body_ref = content.get(JSON, {}).get("schema", {}).get("$ref", "").removeprefix(REF)
    raw_type = next((media for media in content if media != JSON), None)
    answer = _answer(operation)
    item = _item(answer, schemas) if method == "get" and "after" in query else None
    once = "Idempotency-Key" in headers

    arguments = [f"{place}: str" for place in places]
    if raw_type:
        arguments.append("file: bytes | BinaryIO")
    named = []
    body = schemas[body_ref] if body_ref else {}
    for field, schema in body.get("properties", {}).items():
        required = field in body.get("required", ())
        named.append((required, f"{field}: {_type(schema)}" + ("" if required else " | Omitted = OMITTED")))
    for field, parameter in query.items():
        required = parameter.get("required", False)
        named.append(
            (
                required,
                f"{field}: {_type(parameter['schema'])}" + ("" if required else " | Omitted = OMITTED"),
            )
        )
    named += [
        (False, f"{_snake(one)}: str | Omitted = OMITTED") for one in headers if one != "Idempotency-Key"
    ]
    if once:
        named.append((False, "idempotency_key: str | None = None"))
    named.sort(key=lambda one: not one[0])
    signature = ", ".join(["self", *arguments, *(["*"] if named else []), *(text for _, text in named)])

    address = repr(path).replace("'", '"')
    if places:
        address = f"path_of({address}, {', '.join(f'{place}={place}' for place in places)})"
    asked = {}
    if query:
        given = ", ".join(f'"{one}": {one}' for one in query)
        asked["query"] = "{" + given + "}"
    if body_ref:
        asked["body"] = "{" + ", ".join(f'"{one}": {one}' for one in body["properties"]) + "}"
    others = [one for one in headers if one != "Idempotency-Key"]
    if others:
        asked["headers"] = "{" + ", ".join(f'"{one}": {_snake(one)}' for one in others) + "}"
    if raw_type:
        asked |= {"file": "file", "media_type": f'"{raw_type}"'}
    if once:
        asked["idempotency_key"] = "idempotency_key"
    words = "".join(f", {key}={value}" for key, value in asked.items())
    verb = f'"{method.upper()}", '
    if item:
        returns, call = f"Iterator[{item}]", f"self._calls.pages({address}{words})"
    elif once:
        returns, call = answer or "Any", f"self._calls.once({address}{words})"
    elif raw_type or answer is None:
        call = f"self._calls.raw({verb}{address}{words})"
        returns = answer or "bytes"
        if answer:
            call = f"json.loads({call})"
    else:
        returns, call = answer, f"self._calls.ask({verb}{address}{words})"
    public = "list" if name == "list_all" else name
    about = _line(operation.get("summary", ""))
    result = call if returns == "bytes" else f"cast({returns!r}, {call})".replace("'", '"')
    return f'    def {public}({signature}) -> {returns}:\n        """{about}"""\n        return {result}\n'


def _answer(operation: dict[str, Any]) -> str | None:
    """The schema of what a success answers in JSON; None: raw bytes."""
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            content = response.get("content", {})
            if set(content) == {JSON}:
                ref = content[JSON]["schema"].get("$ref")
                return ref.removeprefix(REF) if ref else None
    return None


def _item(answer: str | None, schemas: dict[str, Any]) -> str | None:
    properties = schemas[answer]["properties"] if answer else {}
    return _type(properties["items"]["items"]) if {"items", "next"} <= properties.keys() else None


def _snake(name: str) -> str:
    return name.lower().replace("-", "_")


def _line(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")


def document() -> dict[str, Any]:
    """The document of the service as it stands here."""
    sys.path.insert(0, str(TARGET.parent.parent))
    from service.web.api import description
    from service.web.application import create_app
    from tests.service_fixture import service_in

    with tempfile.TemporaryDirectory() as folder, service_in(Path(folder)) as service:
        return description.document(create_app(service.sealmark))


if __name__ == "__main__":
    TARGET.write_text(source(document()), encoding="utf-8")
