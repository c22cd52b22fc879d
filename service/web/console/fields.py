"""What staff typed into a form or a filter, read. Raises `DomainError` (invalid) that names the field."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from flask import request

from crypto import identifiers
from crypto.errors import IdentifierInvalid
from service.access_requests import Policy
from service.errors import DomainError, Problem, invalid, not_found
from service.records import NdaMode
from service.terms import MAX_DOWNLOADS, MAX_SHARE_LIFE
from service.web.console.sentences import say

MAX_PLACE = 15
"""Digits of an entry's place."""


def text(name: str) -> str:
    """What stands in the field of a form, without the white space around it."""
    return request.form.get(name, "").strip()


def checked(name: str) -> bool:
    """Whether the box of a form is checked."""
    return name in request.form


def number(name: str, least: int, most: int) -> int | None:
    """The whole number in the field of a form; None where it is empty."""
    given = text(name)
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 6 or not least <= int(given) <= most:
        raise invalid(name, say("number", least=least, most=most))
    return int(given)


def policy(now: datetime) -> Policy:
    """The policy that the form of a share asks for."""
    days = number("days", 1, MAX_SHARE_LIFE.days - 1)
    return Policy(
        expires_at=now + timedelta(days=days) if days else None,
        download_limit=number("limit", 1, MAX_DOWNLOADS),
        nda=NdaMode.ASK if checked("nda") else NdaMode.REQUIRE,
        view_only=checked("view_only"),
    )


def confirmed() -> None:
    """Raise unless the box that confirms is checked: a browser asks for it before it sends the form."""
    if not checked("confirm"):
        raise DomainError(Problem.INVALID, "Check the box that says that you are sure.", where="confirm")


def identifier(given: str, prefix: str, what: str) -> str:
    """The identifier that a path names. Raises `DomainError` (not-found) for what is none."""
    try:
        identifiers.parse_id(given, prefix)
    except IdentifierInvalid:
        raise not_found(what, given) from None
    return given


def after(prefix: str, what: str) -> str | None:
    """Where the page of a list begins."""
    given = request.args.get("after")
    return identifier(given, prefix, what) if given else None


def place(name: str) -> int | None:
    """A place in the log."""
    given = request.args.get(name, "")
    if not given:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > MAX_PLACE:
        raise invalid(name, "A place in the log is a whole number.")
    return int(given)


def day(name: str, *, end: bool = False) -> datetime | None:
    """The beginning of the day in a filter, UTC; with `end`, that of the next."""
    given = request.args.get(name, "").strip()
    if not given:
        return None
    try:
        found = datetime.combine(date.fromisoformat(given), time(), UTC)
        return found + timedelta(days=1) if end else found
    except (ValueError, OverflowError):
        raise invalid(name, say("log.date")) from None
