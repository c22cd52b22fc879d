"""How a page of the console becomes an answer, and what its templates say of times, people and entries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, g, render_template

from service.log import flat
from service.records import LoggedEntry, Share, StaffSession
from service.staff import Act, allowed
from service.web.console.sentences import known, say

PAGES: tuple[tuple[str, str, frozenset[Act]], ...] = (
    ("overview", "/console", frozenset({Act.SEE})),
    ("requests", "/console/requests", frozenset({Act.DECIDE})),
    ("ndas", "/console/ndas", frozenset({Act.SEE, Act.DECIDE})),
    ("log", "/console/log", frozenset({Act.AUDIT})),
    ("report", "/console/report", frozenset({Act.AUDIT})),
)
"""What the navigation offers to whom, in this order; the first that somebody may see is where they begin."""


@dataclass(frozen=True)
class Event:
    """An entry of the log as a line for people."""

    index: int
    id: str
    time: str
    kind: str
    what: str
    by: str
    address: str
    how: str
    about: tuple[tuple[str, str], ...]


def html(template: str, status: int = 200, **values: object) -> Response:
    """The page of this template, `templates/console/<template>.html`."""
    text = render_template(f"console/{template}.html", **values)
    return Response(text, status=status, content_type="text/html; charset=utf-8")


def message(status: int, sentence: str, *, sign_in: bool = False, **values: object) -> Response:
    """A page with one message; `sign_in`: and the way to sign in."""
    return told(status, say(sentence), say(f"{sentence}.text", **values), sign_in=sign_in)


def told(status: int, title: str, text: str, *, sign_in: bool = False) -> Response:
    """A page that says this, with the request's id where it is our fault."""
    numbered = g.get("request_id", "") if status >= 500 else ""
    return html("message", status, title=title, text=text, sign_in=sign_in, request_id=numbered)


def see_other(path: str) -> Response:
    """Go to a page of ours; `path` is never made of what the client sent, but for identifiers that were found."""
    return Response(status=303, headers={"Location": path})


def pages_of(session: StaffSession) -> list[tuple[str, str]]:
    """Name and path of the pages that somebody may see."""
    mine = allowed(session)
    return [(name, path) for name, path, acts in PAGES if acts & mine]


def moment(value: datetime) -> str:
    """`2026-03-02 09:00 UTC`: staff compare times, so they are written as they sort."""
    return value.strftime("%Y-%m-%d %H:%M UTC")


def downloads(share: Share) -> str:
    """How many downloads were taken, and of how many."""
    if share.download_limit is None:
        return say("downloads.unlimited", taken=share.downloads_taken)
    return say("downloads", taken=share.downloads_taken, limit=share.download_limit)


def event(logged: LoggedEntry) -> Event:
    """The entry as a line."""
    row = flat(logged)
    kind = str(row["kind"])
    sentence = f"event.{kind}"
    outcome = str(row["outcome"])
    parts = ["" if outcome == "ok" else outcome, str(row.get("reason", "")), *_details(row)]
    return Event(
        index=logged.index,
        id=str(row["id"]),
        time=str(row["time"])[:19].replace("T", " ") + " UTC",
        kind=kind,
        what=say(sentence) if known(sentence) else kind,
        by=say(f"by.{row['actor_type']}", who=row.get("actor", "")).strip(),
        address=str(row.get("address", "")),
        how=", ".join(part for part in parts if part),
        about=tuple(
            (name, str(row[name])) for name in ("document", "share", "recipient", "nda") if name in row
        ),
    )


def _details(row: Mapping[str, object]) -> list[str]:
    text = row.get("details")
    found: dict[str, Any] = json.loads(str(text)) if text else {}
    return [f"{name} {value}" for name, value in sorted(found.items())]
