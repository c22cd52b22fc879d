"""Errors as RFC 9457 `application/problem+json`: a closed list of types, each with one status and one meaning.

The type's URI leads to a page of this service that says what it means. `instance` is the request id, which also
stands in the log line and in the entries of the request. Nothing here repeats what the caller sent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, g
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from service.blobs import StoreError
from service.errors import DomainError, ManyInvalid, Problem
from service.limits import TooMany
from service.ports import DatabaseUnavailable

log = logging.getLogger("sealmark.web")

MEDIA_TYPE = "application/problem+json"

RETRY_AFTER = 5
"""Seconds after which asking again is worth while: as long as a database or store takes to change over."""

MAX_ERRORS = 20
"""Places that one answer names of a request that has not its form. Who has more mistakes than that has one,
repeated."""

SCHEMA_DETAIL = "The request does not have the form that /openapi.json describes."
RULE_DETAIL = "The request breaks a rule."


@dataclass(frozen=True)
class Meaning:
    """One type: its status, its title, and what to do about it."""

    status: int
    title: str
    text: str


MEANINGS: Mapping[Problem, Meaning] = {
    Problem.INVALID: Meaning(
        422, "Invalid value", "A value cannot be. `errors` names each place and what is expected there."
    ),
    Problem.MALFORMED: Meaning(
        400, "Malformed request", "The request cannot be read: the body is no JSON, or a header is broken."
    ),
    Problem.MISDIRECTED: Meaning(
        421, "Wrong host", "The request names another host than this service's. Use the address of its links."
    ),
    Problem.UNAUTHENTICATED: Meaning(
        401,
        "API key missing or not valid",
        "Send `Authorization: Bearer smk_…` with a key that has neither ended nor been revoked.",
    ),
    Problem.FORBIDDEN: Meaning(
        403,
        "Scope missing",
        "The API key lacks the scope that `fields.scope` names. Ask for a key that has it.",
    ),
    Problem.NOT_FOUND: Meaning(
        404, "Not found", "There is no such thing. List what there is to find its id."
    ),
    Problem.METHOD_NOT_ALLOWED: Meaning(
        405, "Method not allowed", "This address does not answer to this method; `Allow` names those it does."
    ),
    Problem.NDA_REQUIRED: Meaning(
        409,
        "NDA required",
        "The document goes out only under NDA, and none is in force for the recipient. Have it signed, record it "
        "with POST /v1/ndas for the person or the company's mail domain, and ask again.",
    ),
    Problem.WRONG_STATE: Meaning(
        409,
        "Wrong state",
        "The thing is in a state that does not allow this; the detail says which and what to do.",
    ),
    Problem.HELD: Meaning(
        409,
        "Held",
        "A hold on the recipient, their company or a document that was shared with them forbids to erase them. "
        "`fields.holds` names each; they have to be released first.",
    ),
    Problem.MAIL_NOT_CONFIGURED: Meaning(
        409,
        "Mail not configured",
        "This needs a mail to be sent, and no SMTP server is configured. Its operator sets SEALMARK_SMTP and "
        "SEALMARK_MAIL_FROM; the detail says what else can be asked for without.",
    ),
    Problem.RECIPIENT_CONFLICT: Meaning(
        409,
        "Recipient known differently",
        "The mail address is known under another name or company. The name is what the mark says, so a person "
        "settles it: use the one that stands, or ask its owner.",
    ),
    Problem.UNMARKABLE_NAME: Meaning(
        422,
        "Name cannot be printed",
        "Name, company or mail cannot be printed on the mark. `fields` says which and, where it is a font, which.",
    ),
    Problem.FILE_REFUSED: Meaning(422, "File refused", "The file cannot be used; the detail says why."),
    Problem.TOO_LARGE: Meaning(413, "Too large", "The body is larger than is accepted here."),
    Problem.UNSUPPORTED_MEDIA_TYPE: Meaning(
        415, "Wrong media type", "Send the body in the media type that `fields.expected` names."
    ),
    Problem.NOT_ACCEPTABLE: Meaning(
        406, "Not acceptable", "The answer exists in none of the media types that `Accept` names."
    ),
    Problem.IDEMPOTENCY_MISMATCH: Meaning(
        422,
        "Idempotency-Key used before",
        "The key was used for another request. Make a new key for a new request.",
    ),
    Problem.IDEMPOTENCY_RUNNING: Meaning(
        409, "First call still running", "The first call with this Idempotency-Key has not ended. Ask again."
    ),
    Problem.TOO_MANY: Meaning(
        429,
        "Too many requests",
        "A limit is used up. Ask again after `Retry-After`; `fields.limit` names it.",
    ),
    Problem.BUSY: Meaning(503, "Busy", "Something else is at it at this moment. Ask again."),
    Problem.UNAVAILABLE: Meaning(
        503,
        "Unavailable",
        "The database, the store or a key cannot be reached now. Ask again after `Retry-After`.",
    ),
    Problem.INTERNAL: Meaning(
        500, "Failed", "The service failed. Tell its operator the request id; the cause is in the log."
    ),
}

ASK_AGAIN = frozenset({Problem.IDEMPOTENCY_RUNNING, Problem.BUSY, Problem.UNAVAILABLE})
"""What answers with `Retry-After`."""

OF_STATUS: Mapping[int, Problem] = {
    401: Problem.UNAUTHENTICATED,
    403: Problem.FORBIDDEN,
    404: Problem.NOT_FOUND,
    405: Problem.METHOD_NOT_ALLOWED,
    406: Problem.NOT_ACCEPTABLE,
    413: Problem.TOO_LARGE,
    415: Problem.UNSUPPORTED_MEDIA_TYPE,
    421: Problem.MISDIRECTED,
    422: Problem.INVALID,
    429: Problem.TOO_MANY,
    503: Problem.UNAVAILABLE,
}
"""What a framework's error of this status is; all other 4xx are malformed requests."""


class Place(BaseModel):
    """One value that cannot be."""

    model_config = ConfigDict(extra="forbid")
    where: str = Field(description="Its place in the body, such as `facts.sections.0.last_page`.")
    detail: str


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="forbid")
    type: str = Field(description="URI of the type; a page at it says what the type means.")
    title: str
    status: int
    detail: str = Field(description="What is wrong with this request, and what to do.")
    instance: str = Field(
        description="The request id, as in `X-Request-Id`, the service's log and its entries."
    )
    errors: list[Place] = Field(default=[], description="The places of values that cannot be.")
    fields: dict[str, str | int | None] = Field(default={}, description="Facts for programs.")


def respond(
    base_url: str,
    problem: Problem,
    detail: str,
    *,
    errors: list[Place] | None = None,
    fields: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that states this problem."""
    meaning = MEANINGS[problem]
    body: dict[str, Any] = {
        "type": f"{base_url}/problems/{problem}",
        "title": meaning.title,
        "status": meaning.status,
        "detail": detail,
        "instance": g.get("request_id", ""),
    }
    if errors:
        body["errors"] = [place.model_dump() for place in errors]
    if fields:
        body["fields"] = {
            name: value if isinstance(value, int) else str(value) for name, value in fields.items()
        }
    response = Response(
        json.dumps(body, ensure_ascii=False).encode(), status=meaning.status, content_type=MEDIA_TYPE
    )
    if problem in ASK_AGAIN:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    response.headers.update(headers or {})
    return response


class RequestInvalid(Exception):
    """The request does not fit its model; `error` says where. Its values are never shown.

    With `flat`, as in a query, a place is one name.
    """

    def __init__(self, error: ValidationError, *, flat: bool = False) -> None:
        super().__init__("the request does not fit its model")
        self.error = error
        self.flat = flat

    @property
    def breaks_rule(self) -> bool:
        """Whether it has the described form, and only a rule between its values is broken."""
        return all(found["type"] == "value_error" for found in self.error.errors())

    def places(self) -> list[Place]:
        """Each place and what is expected there, without the value that was sent."""
        found = self.error.errors(include_url=False, include_context=False, include_input=False)
        return [
            Place(
                where=".".join(str(part) for part in item["loc"][: 1 if self.flat else None]) or "body",
                detail=_expected(item["msg"]),
            )
            for item in found
        ]


def handle_errors(app: Flask, base_url: str) -> None:
    """Let every error that leaves a route be answered as a problem, and never as HTML."""

    def domain_error(error: DomainError) -> Response:
        fields = dict(error.fields)
        where = fields.pop("where", None)
        errors = [Place(where=str(where), detail=error.detail)] if where else None
        if isinstance(error, ManyInvalid):
            errors = [Place(where=where, detail=detail) for where, detail in error.places]
        if MEANINGS[error.problem].status >= 500:
            log.warning("unavailable", extra={"problem": str(error.problem)})
        headers = _challenge(error)
        if isinstance(error, TooMany):
            headers["Retry-After"] = str(error.seconds)
        return respond(base_url, error.problem, error.detail, errors=errors, fields=fields, headers=headers)

    def request_invalid(error: RequestInvalid) -> Response:
        detail = RULE_DETAIL if error.breaks_rule else SCHEMA_DETAIL
        return respond(base_url, Problem.INVALID, detail, errors=error.places()[:MAX_ERRORS])

    def unavailable(error: Exception) -> Response:
        log.error("unavailable", exc_info=error)
        return respond(base_url, Problem.UNAVAILABLE, "A part of the service cannot be reached. Ask again.")

    def http_error(error: HTTPException) -> Response:
        problem = OF_STATUS.get(error.code or 500, Problem.MALFORMED)
        if (error.code or 500) >= 500 and problem != Problem.UNAVAILABLE:
            problem = Problem.INTERNAL
        headers = {}
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return respond(base_url, problem, MEANINGS[problem].text, headers=headers)

    def internal(error: Exception) -> Response:
        log.error("failed", exc_info=error)
        return respond(base_url, Problem.INTERNAL, MEANINGS[Problem.INTERNAL].text)

    app.register_error_handler(DomainError, domain_error)
    app.register_error_handler(RequestInvalid, request_invalid)
    app.register_error_handler(StoreError, unavailable)
    app.register_error_handler(DatabaseUnavailable, unavailable)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, internal)


def describe_types(app: Flask, base_url: str) -> None:
    """Serve the page of each type at its URI."""

    @app.route("/problems/<name>")
    def problem_type(name: str) -> Response:
        if name not in set(Problem):
            raise DomainError(Problem.NOT_FOUND, f"There is no such type. Types: {', '.join(Problem)}.")
        meaning = MEANINGS[Problem(name)]
        text = f"{base_url}/problems/{name}\n\n{meaning.title} (status {meaning.status})\n\n{meaning.text}\n"
        return Response(text, content_type="text/plain; charset=utf-8")


def _challenge(error: DomainError) -> dict[str, str]:
    """The challenge of RFC 6750 that belongs to the statuses 401 and 403."""
    if error.problem == Problem.UNAUTHENTICATED:
        return {"WWW-Authenticate": 'Bearer realm="sealmark"'}
    if error.problem == Problem.FORBIDDEN and "scope" in error.fields:
        challenge = f'Bearer realm="sealmark", error="insufficient_scope", scope="{error.fields["scope"]}"'
        return {"WWW-Authenticate": challenge}
    return {}


def _expected(message: str) -> str:
    """pydantic's message; those of our own validators come without its prefix."""
    return message.removeprefix("Value error, ")
