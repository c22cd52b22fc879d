"""Reading a request into the models of its route: path, query, header and body, each strictly.

An address whose identifier cannot be is not found (404); what else does not fit is invalid (422); a body that is
no JSON is malformed (400).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from service.errors import DomainError, Problem, invalid
from service.web.problems import RequestInvalid

MAX_JSON = 4 * 1024 * 1024
"""Bytes of a JSON body. The largest is a version's facts: some thousand controls and exceptions with their text."""

JSON = "application/json"

M = TypeVar("M", bound=BaseModel)


def read_request(models: Mapping[str, type[BaseModel]], path: Mapping[str, Any]) -> dict[str, BaseModel]:
    """The arguments of a route, by the names `path`, `query`, `header` and `body`, for those it takes."""
    readers = {
        "path": lambda model: read_path(model, path),
        "query": read_query,
        "header": read_header,
        "body": read_body,
    }
    return {name: readers[name](model) for name, model in models.items()}


def read_path(model: type[M], values: Mapping[str, Any]) -> M:
    """Raises `DomainError` (not-found) for what cannot be an identifier."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        detail = "There is nothing at this address: an identifier in it is not one."
        raise DomainError(Problem.NOT_FOUND, detail) from error


def read_query(model: type[M]) -> M:
    """Raises `RequestInvalid`; a name that comes twice is refused, so that nobody reads the other one."""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise invalid(name if name in model.model_fields else "query", "Give each name once.")
    return _validated(model, request.args.to_dict())


def read_header(model: type[M]) -> M:
    """Only the fields that the model names. Raises `RequestInvalid`."""
    names = {field.alias or name for name, field in model.model_fields.items()}
    return _validated(model, {name: request.headers[name] for name in names if name in request.headers})


def read_body(model: type[M]) -> M:
    """Raises `DomainError` (unsupported-media-type, too-large, malformed), `RequestInvalid`."""
    if request.mimetype != JSON:
        raise DomainError(Problem.UNSUPPORTED_MEDIA_TYPE, f"Send the body as {JSON}.", expected=JSON)
    request.max_content_length = MAX_JSON
    try:
        raw = request.get_data(cache=True)
    except RequestEntityTooLarge as error:
        detail = f"A JSON body has at most {MAX_JSON} bytes here."
        raise DomainError(Problem.TOO_LARGE, detail, limit=MAX_JSON) from error
    try:
        return model.model_validate_json(_plain(raw), strict=True)
    except ValidationError as error:
        if any(found["type"] == "json_invalid" for found in error.errors()):
            raise _malformed() from error
        raise RequestInvalid(error) from error


def fingerprint(*, with_body: bool) -> bytes:
    """What makes two requests the same: method, path, and the content of a body that is read, whatever its spelling."""
    body = _plain(request.get_data(cache=True)) if with_body else ""
    return "\n".join([request.method, request.path, body]).encode()


def _plain(raw: bytes) -> str:
    """The same JSON in one spelling: its names in order, whole numbers as such (1.0 is one). Raises `DomainError`."""
    try:
        content = json.loads(raw.decode("utf-8"), parse_float=_number, parse_constant=_no_number)
        return json.dumps(content, sort_keys=True)
    except (ValueError, RecursionError) as error:
        raise _malformed() from error


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _malformed() -> DomainError:
    return DomainError(Problem.MALFORMED, "The body is no JSON in UTF-8.")


def _validated(model: type[M], values: Mapping[str, str]) -> M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise RequestInvalid(error, flat=True) from error
