"""The readable part of a pack of evidence: a PDF for people. It proves nothing itself, and says so."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, LongTable, SimpleDocTemplate, Spacer, TableStyle

from service.evidence.dossier import Dossier
from service.evidence.drawn_text import FONT, flowable, register_font
from service.evidence.facts import evidence_details
from service.records import LogCheckpoint, LoggedEntry, Nda, Recipient, Share

MAX_ACCESSES = 2000
"""Rows of the history: some forty pages. The entries themselves are all in the pack."""

_MARGIN = 18 * mm
_PADDING = 6
"""Points that reportlab's frame keeps free within the margins."""

_WIDTH = A4[0] - 2 * (_MARGIN + _PADDING)
_GREY = colors.HexColor("#5a6470")
_RULE = colors.HexColor("#d5dae0")

HAPPENED = {
    "share.created": "shared",
    "share.revoked": "share ended",
    "link.created": "link made",
    "page.viewed": "page opened",
    "download.granted": "download granted",
    "download.begun": "sending began",
    "download.ended": "sending ended",
    "download.denied": "refused",
    "evidence.pulled": "evidence pulled",
}
"""What entries of a share say, in words. Others stand by their kind."""

LIMITS = (
    "It is itself no proof. What it says is proven by the files beside it; README.txt says how to check them.",
    "It does not prove that no entry is missing: it holds chosen entries. The export of the whole log shows that, and "
    "only a checkpoint that someone else holds shows that its end was not cut off.",
    "It does not prove who sat before the screen, nor that anybody read the document. The log knows links, network "
    "addresses and bytes that were sent; whoever had a link could open it.",
    "It does not prove that an agreement is valid or its signature authentic: it shows which file was kept as the "
    "agreement, and since when.",
    "Times are UTC, by the clock of the server that wrote them.",
)
"""What a reader must not take from it."""


@dataclass(frozen=True)
class Access:
    """One row of the history."""

    time: datetime
    share: str
    happened: str
    how: str
    where: str


def accesses(entries: Iterable[LoggedEntry]) -> list[Access]:
    """The rows for these entries."""
    return [_access(logged) for logged in entries]


def summary(
    dossier: Dossier,
    history: Sequence[Access],
    checkpoint: LogCheckpoint,
    organization: str,
    evidence: Mapping[str, LoggedEntry],
) -> bytes:
    """The PDF; the same arguments give the same bytes. `evidence`: the entry of each agreement's evidence."""
    register_font()
    story: list[Flowable] = [
        _said(f"Evidence about the {dossier.about.noun} {dossier.about.key}", "title"),
        _said(
            f"From the access log of {organization}. What is said here is in the log {checkpoint.origin} as it was at "
            f"{checkpoint.size} entries, signed {_time(checkpoint.signed_at)}.",
            "note",
        ),
    ]
    for recipient in dossier.recipients:
        story += [_said("Recipient", "heading"), _facts(_recipient(recipient))]
    for nda in dossier.ndas:
        story += [_said("Agreement (NDA)", "heading"), _facts(_agreement(nda, evidence.get(nda.id)))]
    for share in dossier.shares:
        story += [_said("Share", "heading"), _facts(_share(dossier, share))]
    story += [_said("What happened", "heading"), *_history(dossier, history)]
    story += [_said("What this does not prove", "heading"), *(_said(text, "body") for text in LIMITS)]
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"Evidence about the {dossier.about.noun} {dossier.about.key}",
        author=organization,
        invariant=1,
    )
    document.build(story, onFirstPage=_number_page, onLaterPages=_number_page)
    return out.getvalue()


def _recipient(recipient: Recipient) -> list[tuple[str, str]]:
    if recipient.erased_at:
        return [("Id", recipient.id), ("Erased", f"{_time(recipient.erased_at)}: name and mail are gone")]
    return [
        ("Name", recipient.name),
        ("Mail", recipient.mail),
        ("Company", recipient.company),
        ("Id", recipient.id),
    ]


def _agreement(nda: Nda, logged: LoggedEntry | None) -> list[tuple[str, str]]:
    details = evidence_details(logged) if logged else {}
    until = _time(nda.valid_until) if nda.valid_until else "without end"
    kept = f"{details['size']} bytes, SHA-256 {details['sha256']}" if details else "none was kept"
    return [
        ("Id", nda.id),
        ("Covers", f"all people of {nda.domain}" if nda.domain else "the person"),
        ("State", str(nda.state)),
        ("In force", f"from {_time(nda.valid_from)}, {until if not nda.valid_until else 'until ' + until}"),
        ("Approved", _time(nda.approved_at)),
        ("Revoked", _time(nda.revoked_at)),
        ("Held by", " ".join(filter(None, (nda.source, nda.reference)))),
        ("Signed file", kept),
    ]


def _share(dossier: Dossier, share: Share) -> list[tuple[str, str]]:
    documents = {document.id: document for document in dossier.documents}
    people = {recipient.id: recipient for recipient in dossier.recipients}
    versions = {version.id: version for version in dossier.versions}
    document, person = documents.get(share.document_id), people.get(share.recipient_id)
    limit = "" if share.download_limit is None else f" of {share.download_limit}"
    found = [
        ("Document", f"{document.name} ({document.kind})" if document else ""),
        ("To", person.name or person.id if person else share.recipient_id),
        ("Purpose", share.purpose),
        ("Shared", _time(share.created_at)),
        ("Expires", _time(share.expires_at)),
        ("Ended", f"{_time(share.revoked_at)}, {share.revoked_reason}" if share.revoked_at else ""),
        ("Downloads", f"{share.downloads_taken}{limit}"),
        ("Id", share.id),
    ]
    for copy in (copy for copy in dossier.copies if copy.share_id == share.id):
        version = versions.get(copy.version_id)
        number = f" of version {version.number}" if version else ""
        text = f"{copy.id}{number}, issued {copy.issued}, {copy.length} bytes, SHA-256 {copy.sha256}"
        found.append(("Copy", text))
    return found


def _history(dossier: Dossier, history: Sequence[Access]) -> list[Flowable]:
    if not history:
        return [_said("Nothing was shared.", "body")]
    several = len(dossier.shares) > 1
    heads = ["Time (UTC)", "What", "How", "Address, program", *(["Share"] if several else [])]
    rows = [[_said(head, "label") for head in heads]]
    for access in history[:MAX_ACCESSES]:
        cells = [
            _time(access.time),
            access.happened,
            access.how,
            access.where,
            *([access.share] if several else []),
        ]
        rows.append([_said(cell, "cell") for cell in cells])
    shares = [0.22, 0.16, 0.20, 0.24, 0.18] if several else [0.24, 0.18, 0.24, 0.34]
    table = LongTable(rows, colWidths=[part * _WIDTH for part in shares], repeatRows=1)
    table.setStyle(_table_style())
    more = f"There are more than {MAX_ACCESSES}: the rest stands in entries/."
    return [table, *([_said(more, "body")] if len(history) > MAX_ACCESSES else [])]


def _access(logged: LoggedEntry) -> Access:
    body = json.loads(logged.leaf)
    details = body.get("details", {})
    said = [body["outcome"] if body["outcome"] != "ok" else "", body.get("reason", "")]
    if logged.kind == "download.ended":
        said.append(f"{details['sent']} bytes sent")
    if logged.kind == "download.granted":
        limit = f" of {details['limit']}" if "limit" in details else ""
        said.append(f"number {details['number']}{limit}")
    shown = [logged.revealed.get(name, {}).get("value", "") for name in ("address", "agent")]
    erased = "erased" if any("erased" in value for value in logged.revealed.values()) else ""
    return Access(
        time=logged.time,
        share=logged.share or "",
        happened=HAPPENED.get(logged.kind, logged.kind),
        how=", ".join(filter(None, said)),
        where=", ".join(filter(None, shown)) or erased,
    )


def _facts(rows: Sequence[tuple[str, str]]) -> Flowable:
    """Names and values; those without a value are left out."""
    cells = [[_said(name, "label"), _said(value, "cell")] for name, value in rows if value]
    table = LongTable(cells, colWidths=[0.17 * _WIDTH, 0.83 * _WIDTH])
    table.setStyle(_table_style())
    return table


def _said(text: str, style: str) -> Flowable:
    return flowable(text, _styles()[style]) if text else Spacer(0, 0)


def _time(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S Z") if moment else ""


@cache
def _styles() -> dict[str, Any]:
    sizes = {
        "title": (15, 20, 0, 4),
        "heading": (11, 15, 12, 4),
        "body": (9, 13, 0, 4),
        "note": (9, 13, 0, 4),
        "cell": (8.5, 11.5, 0, 0),
        "label": (8.5, 11.5, 0, 0),
    }
    return {
        name: ParagraphStyle(
            name,
            fontName=FONT,
            fontSize=size,
            leading=leading,
            spaceBefore=before,
            spaceAfter=after,
            keepWithNext=name == "heading",
            textColor=_GREY if name in {"label", "note"} else colors.black,
        )
        for name, (size, leading, before, after) in sizes.items()
    }


def _table_style() -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ]
    )


def _number_page(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFont(FONT, 8)
    canvas.setFillColor(_GREY)
    canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, f"{document.title} · {canvas.getPageNumber()}")
    canvas.restoreState()
