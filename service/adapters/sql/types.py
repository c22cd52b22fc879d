"""How the values of records are stored: alike on both databases, and back exactly as they came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
_INTEGER = BigInteger().with_variant(Integer(), "sqlite")
LEAST, MOST = -(2**63), 2**63 - 1

Tree = JSON(none_as_null=True)
"""dict or list, kept as the text it was (not JSONB), so order of keys and escapes survive; None is NULL."""


class LineType(TypeDecorator[str]):
    """Text that sorts by code point everywhere; a locale's order would differ and could change under an index.

    What not both databases can store is a `ValueError`: NUL, and halves of surrogate pairs.
    """

    impl = _TEXT
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise ValueError(f"text is wanted, not {type(value).__name__}")
        if "\0" in value or not _encodes(value):
            raise ValueError("text holds a character that cannot be stored: NUL or half of a surrogate pair")
        return value


class WholeType(TypeDecorator[int]):
    """Integers of 64 bits. SQLite calls them INTEGER: only that name makes a key the row's own number."""

    impl = _INTEGER
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, int) or not LEAST <= value <= MOST:
            raise ValueError(f"a whole number of 64 bits is wanted (this is of {type(value).__name__})")
        return value


class Moment(TypeDecorator[datetime]):
    """An aware time, to the microsecond, always given back in UTC. A time without a zone is a `ValueError`.

    SQLite has no type for it: there it is the number of microseconds since 1970, which sorts as time does.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Integer() if dialect.name == "sqlite" else DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, datetime) or value.utcoffset() is None:
            raise ValueError("a time without a zone is ambiguous: give an aware datetime, such as one in UTC")
        return (value - EPOCH) // MICROSECOND if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = EPOCH + value * MICROSECOND if dialect.name == "sqlite" else value.astimezone(UTC)
        return moment


class Closed(TypeDecorator[StrEnum]):
    """A member of one `StrEnum`, stored as its value. Anything else is a `ValueError`."""

    impl = _TEXT
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_TEXT)

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        try:
            return self.members(value).value
        except ValueError as error:
            raise ValueError(f"not one of {self.members.__name__}: {', '.join(self.members)}") from error

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.members(value)


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


Line = LineType()
Whole = WholeType()
