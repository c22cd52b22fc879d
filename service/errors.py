"""What the domain refuses, as one error with a closed list of problems.

The web renders it as RFC 9457 `application/problem+json`, the CLI as one line. Each message says what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any


class Problem(StrEnum):
    """The closed list of problem types; the value is the last part of the type's URI."""

    INVALID = "invalid"
    MALFORMED = "malformed"
    MISDIRECTED = "misdirected"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    NDA_REQUIRED = "nda-required"
    WRONG_STATE = "wrong-state"
    HELD = "held"
    MAIL_NOT_CONFIGURED = "mail-not-configured"
    RECIPIENT_CONFLICT = "recipient-conflict"
    UNMARKABLE_NAME = "unmarkable-name"
    FILE_REFUSED = "file-refused"
    TOO_LARGE = "too-large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    NOT_ACCEPTABLE = "not-acceptable"
    IDEMPOTENCY_MISMATCH = "idempotency-mismatch"
    IDEMPOTENCY_RUNNING = "idempotency-running"
    TOO_MANY = "too-many"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class DomainError(Exception):
    """A request that cannot be met; nothing was changed by it.

    `fields` are facts for the caller (identifiers, limits, places in the body), never secrets.
    """

    def __init__(self, problem: Problem, detail: str, **fields: Any) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.fields = fields


class ManyInvalid(DomainError):
    """Several values cannot be: `places` has each one's place in the body and what is wrong there."""

    def __init__(self, detail: str, places: Sequence[tuple[str, str]], **fields: Any) -> None:
        super().__init__(Problem.INVALID, detail, **fields)
        self.places = tuple(places)


def invalid(where: str, detail: str) -> DomainError:
    """A value that cannot be; `where` is its place in the body, such as `facts.sections.0.last_page`."""
    return DomainError(Problem.INVALID, detail, where=where)


def not_found(what: str, key: str) -> DomainError:
    """There is no such record (or none that the caller may see)."""
    return DomainError(
        Problem.NOT_FOUND, f"There is no {what} {key[:80]!r}. List them to find its id.", what=what
    )
