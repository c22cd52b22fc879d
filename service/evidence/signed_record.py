"""The record of an agreement that was signed on the page: a PDF with all that makes the signature, for both sides.

The exact text goes along as an attached file, so that its SHA-256 can be checked from the record alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pikepdf
from reportlab.platypus import Flowable, HRFlowable, Indenter

from service.evidence.layout import RULE, built, facts, moment, said
from service.nda_markdown import Block, as_blocks
from service.records import Document, Nda, NdaText, Recipient, Signature
from watermark.bidi import runs_rtl

_INDENT = 14
"""Points by which what stands in a list or a quotation is moved in."""

_DEEPEST = 8
"""Lists within lists beyond this are moved in no further, so that a line always has room."""

SHOWN = (
    "It shows which text was agreed to, who agreed to it and how: a person to whom a code was sent by mail, who "
    "entered that code in the same browser, typed the name above, and ticked each of the sentences above.",
    "It does not show that the name is the person’s own, nor who else reads that mailbox.",
    "Times are UTC, by the clock of the server that made this record. Where a time-stamping authority confirmed the "
    "record, its stamp is kept beside it as a file of its own (RFC 3161).",
    "The text is shown without its emphasis. The text exactly as it was offered is attached to this file; the SHA-256 "
    "is that of the attachment.",
)
"""What a reader may and may not take from it."""


@dataclass(frozen=True)
class Signed:
    """All that the record says. The signature's `record_sha256` is not of it yet."""

    text: NdaText
    nda: Nda
    signature: Signature
    recipient: Recipient
    document: Document
    checked_at: datetime  # when the mail was
    language: str  # of the page
    organization: str
    url: str


def signed_record(signed: Signed) -> bytes:
    """The PDF; the same arguments give the same bytes."""
    title = f"Signed agreement {signed.nda.id}"
    story: list[Flowable] = [
        said(title, "title"),
        said(f"Signed electronically with {signed.organization}, at {signed.url}.", "note"),
        said("What was signed", "heading"),
        facts(_what(signed)),
        said("Who signed", "heading"),
        facts(_who(signed)),
        said("What was agreed to, as it was shown", "heading"),
        *(said(f"• {sentence}", "body", flush=True) for sentence in signed.signature.consents),
        said("What this record shows", "heading"),
        *(said(sentence, "body") for sentence in SHOWN),
        said("The text", "heading"),
        *_text(signed.text.markdown),
    ]
    return _with_text(built(story, title, signed.organization), signed.text)


def _what(signed: Signed) -> list[tuple[str, str]]:
    nda, text = signed.nda, signed.text
    until = f"until {moment(nda.valid_until)}" if nda.valid_until else "without end"
    return [
        ("Agreement", nda.id),
        ("Text", f"number {text.number}, {text.id}"),
        ("SHA-256", text.sha256),
        ("In force", f"from {moment(nda.valid_from)}, {until}"),
        ("Asked for", f"{signed.document.name} ({signed.document.id})"),
        ("Share", signed.signature.share_id),
    ]


def _who(signed: Signed) -> list[tuple[str, str]]:
    signature, recipient = signed.signature, signed.recipient
    known = ", ".join(filter(None, (recipient.name, recipient.company)))
    return [
        ("Name, typed", signature.name),
        ("Mail", signature.mail),
        ("Mail checked", f"{moment(signed.checked_at)}, by a code"),
        ("Known as", f"{known} ({recipient.id})"),
        ("Signed", moment(signature.signed_at)),
        ("Signature", signature.id),
        ("Address", signature.address),
        ("Browser", signature.agent),
        ("Language", signed.language),
    ]


def _text(markdown: str) -> Iterator[Flowable]:
    for block in as_blocks(markdown):
        if block.rule:
            yield HRFlowable(width="100%", color=RULE, spaceBefore=6, spaceAfter=6)
            continue
        for number, line in enumerate(block.text.split("\n")):
            yield from _line(block, line, first=number == 0)


def _line(block: Block, line: str, *, first: bool) -> Iterator[Flowable]:
    shown = f"{block.marker} {line}" if block.marker and first else line
    if not shown.strip():
        return
    style = f"h{min(block.heading, 3)}" if block.heading else "body"
    room = _INDENT * min(block.depth, _DEEPEST)
    left, right = (0, room) if runs_rtl(line) else (room, 0)
    yield Indenter(left, right)
    yield said(shown, style, flush=True)
    yield Indenter(-left, -right)


def _with_text(pdf: bytes, text: NdaText) -> bytes:
    name = f"agreement-{text.number}.md"
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        spec = pikepdf.AttachedFileSpec(
            opened,
            text.markdown.encode("utf-8"),
            filename=name,
            mime_type="text/markdown",
            creation_date="",
            mod_date="",
        )
        opened.attachments[name] = spec
        opened.save(out, deterministic_id=True)
    return out.getvalue()
