"""The API's OpenAPI 3.1 document: what flask-openapi gathers from the routes, with our problems and headers in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from flask_openapi.models import OPENAPI3_REF_PREFIX
from flask_openapi.models.info import Info
from flask_openapi.models.schema import Schema
from flask_openapi.models.security_scheme import SecurityScheme
from flask_openapi.openapi import OpenAPI
from flask_openapi.utils import get_model_schema
from pydantic import BaseModel

from service.access import Scope
from service.errors import Problem
from service.web import problems

VERSION = "3.1.1"
SECURITY = "api-key"

AnswerShape = type[BaseModel] | Mapping[str, type[BaseModel] | None]
"""A model that is answered as JSON; or media types, each with its model or None for text."""

Links = Mapping[str, Mapping[str, str]]
"""Operations that can be called next, and for each of their parameters a place in the answer (`#/id`)."""

EVERYWHERE = frozenset(
    {
        Problem.UNAUTHENTICATED,
        Problem.FORBIDDEN,
        Problem.MISDIRECTED,
        Problem.TOO_MANY,
        Problem.UNAVAILABLE,
        Problem.INTERNAL,
    }
)
"""What every route of the API can answer."""

ABOUT = """\
Lends confidential PDF reports to named people under NDA.

Each call needs an API key with the scope that its operation names: `Authorization: Bearer smk_…`. Errors are
[RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problems of a closed list of types. Calls that make or
decide something take `Idempotency-Key`. Lists are read page by page: what `next` says goes into `after`.
"""

REQUEST_ID = {
    "X-Request-Id": {
        "description": "The id of this request, as in the service's log and in the entries of what it did.",
        "required": True,
        "schema": {"type": "string", "pattern": "^req_[0-9a-z]{26}$"},
    }
}


def new_document(base_url: str) -> dict[str, Any]:
    """What `OpenAPI(...)` is made with."""
    scopes = "\n".join(f"- `{scope}`" for scope in Scope)
    about = (
        f"An API key, made by `sealmark api-keys create`. Scopes, none of which includes another:\n\n{scopes}"
    )
    scheme = SecurityScheme(
        type="http",
        scheme="bearer",
        bearerFormat="smk_…",
        description=about,
    )
    return {
        "info": Info(title="Sealmark", version="1", description=ABOUT),
        "servers": [{"url": base_url}],
        "security_schemes": {SECURITY: scheme},
        "validation_error_model": problems.ProblemAnswer,
        "doc_ui": False,
    }


def document(app: OpenAPI) -> dict[str, Any]:
    """The whole document, as it is served."""
    app.openapi_version = VERSION
    made = app.api_doc
    for path in made["paths"].values():
        for operation in path.values():
            # Added by flask-openapi to what cannot be invalid.
            added = operation["responses"].get("422")
            if added is not None and "application/json" in added.get("content", {}):
                del operation["responses"]["422"]
    return made


def responses(
    app: OpenAPI,
    answers: Mapping[int, AnswerShape],
    stated: Iterable[Problem],
    location: str | None,
    links: Links,
) -> dict[str, Any]:
    """The responses of one operation: its answers, and one for each status of the problems it states."""
    made: dict[str, Any] = {}
    for status, shape in answers.items():
        media = shape if isinstance(shape, Mapping) else {"application/json": shape}
        headers: dict[str, Any] = dict(REQUEST_ID)
        if location:
            headers["Location"] = _header("Where it is found.")
        if status == 202:
            headers["Location"] = _header("Where to see how far it is.")
        content = {name: {"schema": _reference(app, model)} for name, model in media.items()}
        made[str(status)] = {"description": _WORDS[status], "headers": headers, "content": content}
        if status == 201 and links:
            made["201"]["links"] = {
                operation: _link(operation, places) for operation, places in links.items()
            }
    by_status: dict[int, list[Problem]] = defaultdict(list)
    for problem in sorted(stated):
        by_status[problems.MEANINGS[problem].status].append(problem)
    for status, found in by_status.items():
        made[str(status)] = _problem_response(app, status, found)
    return made


def request_body(media_type: str | None) -> dict[str, Any]:
    """The description of a raw body, if the route takes one."""
    if media_type is None:
        return {}
    schema = {"type": "string", "format": "binary", "minLength": 1}
    return {"request_body": {"required": True, "content": {media_type: {"schema": schema}}}}


def _problem_response(app: OpenAPI, status: int, found: list[Problem]) -> dict[str, Any]:
    headers: dict[str, Any] = dict(REQUEST_ID)
    if status == 401:
        headers["WWW-Authenticate"] = _header("The challenge of RFC 6750.")
    if status == 503:
        headers["Retry-After"] = _header("Seconds after which to ask again.")
    return {
        "description": "\n".join(f"`{problem}`: {problems.MEANINGS[problem].text}" for problem in found),
        "headers": headers,
        "content": {problems.MEDIA_TYPE: {"schema": _reference(app, problems.ProblemAnswer)}},
    }


def _link(operation: str, places: Mapping[str, str]) -> dict[str, Any]:
    parameters = {name: f"$response.body{place}" for name, place in places.items()}
    return {"operationId": operation, "parameters": parameters}


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "required": True, "schema": {"type": "string"}}


def _reference(app: OpenAPI, model: type[BaseModel] | None) -> dict[str, Any]:
    if model is None:
        return {"type": "string"}
    name, schemas = _schemas(model)
    app.components_schemas.update(schemas)
    return {"$ref": f"{OPENAPI3_REF_PREFIX}/{name}"}


@cache
def _schemas(model: type[BaseModel]) -> tuple[str, dict[str, Schema]]:
    """The name of a model in the document, and its schema with those that it refers to."""
    schema = get_model_schema(model, mode="serialization")
    schemas = {inner: Schema(**value) for inner, value in schema.pop("$defs", {}).items()}
    name = model.__name__
    return name, {**schemas, name: Schema(**schema)}


_WORDS = {
    200: "What was asked for, or what it now is.",
    201: "It was made, now or by the first call with this Idempotency-Key.",
    202: "The file is taken in, and being compiled.",
}
