"""The forms of values in requests and answers: identifiers, moments, cursors, and lists by page.

Bodies are read strictly: a number is no text and a text no number. Of a query everything is text, and is read
as narrowly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from crypto.identifiers import ALPHABET

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
"""Things on one page of a list: some hundred KB of JSON at most."""

T = TypeVar("T")

_NO_MOMENT = PydanticCustomError(
    "moment", "A time as in RFC 3339 with its zone, such as 2026-03-02T09:00:00Z"
)

_NO_DAY = PydanticCustomError("day", "A day such as 2026-12-31")

_ID = f"[0-7][{ALPHABET}]{{25}}"
_LETTERS = r"^[^\x00-\x1f\x7f]+$"
_WHOLE = re.compile(r"[0-9]{1,15}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def whole(value: Any) -> Any:
    """A number of a query, where everything is text."""
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            raise PydanticCustomError("whole_number", "A whole number in decimal digits")
        return int(value)
    return value


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):  # from the domain, for an answer
        return value
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise _NO_MOMENT
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _NO_MOMENT from error


def _day(value: Any) -> date:
    if isinstance(value, date):  # from the domain, for an answer
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise _NO_DAY
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise _NO_DAY from error


def _written(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _no_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


Optional = Annotated[T | SkipJsonSchema[None], Field(json_schema_extra=_no_default)]
"""May be left out, and is never null: parameters of queries and header fields."""


def identifier(prefix: str) -> Any:
    """The form of identifiers with this prefix."""
    return Annotated[str, Field(pattern=f"^{prefix}_{_ID}$", examples=[f"{prefix}_{'0' * 26}"])]


DocumentId = identifier("doc")
VersionId = identifier("ver")
CutId = identifier("cut")
RecipientId = identifier("rcp")
NdaId = identifier("nda")
TextId = identifier("txt")
ShareId = identifier("shr")
HoldId = identifier("hld")
AccessId = identifier("acc")
RuleId = identifier("rul")
MemberId = identifier("mbr")
EntryId = identifier("ent")
MessageId = identifier("msg")
BatchId = identifier("bat")
ReceiverId = identifier("whr")
EventId = identifier("evt")

Line = Annotated[str, Field(min_length=1, max_length=200, pattern=_LETTERS)]
"""One line of text for people."""

Mail = Annotated[
    str,
    Field(
        min_length=3,
        max_length=320,
        pattern=_LETTERS,
        examples=["ana@acme.example"],
        json_schema_extra={"format": "idn-email"},
    ),
]
Domain = Annotated[
    str,
    Field(
        min_length=3,
        max_length=253,
        pattern=_LETTERS,
        examples=["acme.example"],
        json_schema_extra={"format": "idn-hostname"},
    ),
]

Moment = Annotated[
    datetime,
    BeforeValidator(_moment, json_schema_input_type=str),
    PlainSerializer(_written, return_type=str),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]
"""An instant: RFC 3339 with a zone; answers have UTC with `Z`."""

Day = Annotated[
    date,
    BeforeValidator(_day, json_schema_input_type=str),
    PlainSerializer(date.isoformat, return_type=str),
    Field(json_schema_extra={"type": "string", "format": "date"}),
]
"""A day, in UTC where nothing else is said: RFC 3339 full-date."""

Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT), BeforeValidator(whole)]


class Form(BaseModel):
    """A body, a query or a header: nothing that it does not name."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What an answer holds."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Page(Form):
    """How far a list is read."""

    limit: Limit = DEFAULT_LIMIT


def paged(found: Sequence[T], limit: int, cursor: Any) -> tuple[list[T], str | None]:
    """One page out of `limit + 1` things that were asked for, and where the next begins; None: nowhere."""
    items = list(found[:limit])
    return items, str(cursor(items[-1])) if len(found) > limit else None


class Listed(Answer, Generic[T]):
    """One page of a list. `next` goes into `after` for the next page; null when there is none."""

    items: list[T]
    next: str | None
