"""The readable part of a pack of evidence: a PDF for people. It proves nothing itself, and says so."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reportlab.platypus import Flowable, LongTable

from service.cuts import titles_of
from service.evidence.dossier import Dossier
from service.evidence.facts import evidence_details
from service.evidence.layout import WIDTH, built, facts, moment, said, table_style
from service.facts import Facts
from service.records import LogCheckpoint, LoggedEntry, Nda, Recipient, Share

MAX_ACCESSES = 2000
"""Rows of the history: some forty pages. The entries themselves are all in the pack."""

HAPPENED = {
    "share.created": "shared",
    "share.changed": "from here on asked for a code",
    "share.revoked": "share ended",
    "link.created": "link made",
    "link.queued": "mailing of a link ordered",
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
    story: list[Flowable] = [
        said(f"Evidence about the {dossier.about.noun} {dossier.about.key}", "title"),
        said(
            f"From the access log of {organization}. What is said here is in the log {checkpoint.origin} as it was at "
            f"{checkpoint.size} entries, signed {moment(checkpoint.signed_at)}.",
            "note",
        ),
    ]
    for recipient in dossier.recipients:
        story += [said("Recipient", "heading"), facts(_recipient(recipient))]
    for nda in dossier.ndas:
        story += [said("Agreement (NDA)", "heading"), facts(_agreement(nda, evidence.get(nda.id)))]
    for share in dossier.shares:
        story += [said("Share", "heading"), facts(_share(dossier, share))]
    story += [said("What happened", "heading"), *_history(dossier, history)]
    story += [said("What this does not prove", "heading"), *(said(text, "body") for text in LIMITS)]
    return built(story, f"Evidence about the {dossier.about.noun} {dossier.about.key}", organization)


def _recipient(recipient: Recipient) -> list[tuple[str, str]]:
    if recipient.erased_at:
        return [("Id", recipient.id), ("Erased", f"{moment(recipient.erased_at)}: name and mail are gone")]
    return [
        ("Name", recipient.name),
        ("Mail", recipient.mail),
        ("Company", recipient.company),
        ("Id", recipient.id),
    ]


def _agreement(nda: Nda, logged: LoggedEntry | None) -> list[tuple[str, str]]:
    details = evidence_details(logged) if logged else {}
    until = moment(nda.valid_until) if nda.valid_until else "without end"
    kept = f"{details['size']} bytes, SHA-256 {details['sha256']}" if details else "none was kept"
    return [
        ("Id", nda.id),
        ("Covers", f"all people of {nda.domain}" if nda.domain else "the person"),
        ("State", str(nda.state)),
        ("In force", f"from {moment(nda.valid_from)}, {until if not nda.valid_until else 'until ' + until}"),
        ("Approved", moment(nda.approved_at)),
        ("Revoked", moment(nda.revoked_at)),
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
        ("Extract", _extract(dossier, share)),
        ("To", person.name or person.id if person else share.recipient_id),
        ("Purpose", share.purpose),
        ("Shared", moment(share.created_at)),
        ("Expires", moment(share.expires_at)),
        ("Ended", f"{moment(share.revoked_at)}, {share.revoked_reason}" if share.revoked_at else ""),
        ("Downloads", f"{share.downloads_taken}{limit}"),
        ("Id", share.id),
    ]
    for copy in (copy for copy in dossier.copies if copy.share_id == share.id):
        version = versions.get(copy.version_id)
        number = f" of version {version.number}" if version else ""
        text = f"{copy.id}{number}, issued {copy.issued}, {copy.length} bytes, SHA-256 {copy.sha256}"
        found.append(("Copy", text))
    return found


def _extract(dossier: Dossier, share: Share) -> str:
    """Which sections the share covers; empty where it covers the whole report."""
    cut = next((cut for cut in dossier.cuts if cut.id == share.cut_id), None)
    version = next((version for version in dossier.versions if cut and version.id == cut.version_id), None)
    if cut is None or version is None:
        return ""
    titles = "; ".join(titles_of(Facts.model_validate(version.facts), cut.sections))
    return f"{cut.pages} of {version.pages} pages of version {version.number}: {titles} ({cut.id})"


def _history(dossier: Dossier, history: Sequence[Access]) -> list[Flowable]:
    if not history:
        return [said("Nothing was shared.", "body")]
    several = len(dossier.shares) > 1
    heads = ["Time (UTC)", "What", "How", "Address, program", *(["Share"] if several else [])]
    rows = [[said(head, "label") for head in heads]]
    for access in history[:MAX_ACCESSES]:
        cells = [
            moment(access.time),
            access.happened,
            access.how,
            access.where,
            *([access.share] if several else []),
        ]
        rows.append([said(cell, "cell") for cell in cells])
    shares = [0.22, 0.16, 0.20, 0.24, 0.18] if several else [0.24, 0.18, 0.24, 0.34]
    table = LongTable(rows, colWidths=[part * WIDTH for part in shares], repeatRows=1)
    table.setStyle(table_style())
    more = f"There are more than {MAX_ACCESSES}: the rest stands in entries/."
    return [table, *([said(more, "body")] if len(history) > MAX_ACCESSES else [])]


def _access(logged: LoggedEntry) -> Access:
    body = json.loads(logged.leaf)
    details = body.get("details", {})
    words = [body["outcome"] if body["outcome"] != "ok" else "", body.get("reason", "")]
    if logged.kind == "download.ended":
        words.append(f"{details['sent']} bytes sent")
    if logged.kind == "download.granted":
        limit = f" of {details['limit']}" if "limit" in details else ""
        words.append(f"number {details['number']}{limit}")
    shown = [logged.revealed.get(name, {}).get("value", "") for name in ("address", "agent")]
    erased = "erased" if any("erased" in value for value in logged.revealed.values()) else ""
    return Access(
        time=logged.time,
        share=logged.share or "",
        happened=HAPPENED.get(logged.kind, logged.kind),
        how=", ".join(filter(None, words)),
        where=", ".join(filter(None, shown)) or erased,
    )
