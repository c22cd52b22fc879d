"""`sealmark ndas texts …` and `sealmark ndas evidence`."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path

from crypto import tokens
from service.app import build
from service.audit import Actor
from service.nda_markdown import MAX_BYTES
from service.records import NdaMode, Session
from service.settings import load
from tests.cli.conftest import CommandLine
from tests.cli.test_commands import a_ready_document

TEXT = "# Agreement\n\nDo not pass it on.\n"


def a_file(folder: Path, content: bytes = TEXT.encode()) -> Path:
    file = folder / "agreement.md"
    file.write_bytes(content)
    return file


def test_a_text_is_added_listed_and_shown_as_it_was_written(sealmark: CommandLine, tmp_path: Path) -> None:
    made = sealmark.json("ndas", "texts", "add", a_file(tmp_path), "--days", "365")
    assert (made["number"], made["days"]) == (1, 365)
    assert made["sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert "markdown" not in made
    assert sealmark.json("ndas", "texts", "list")["items"] == [made]
    assert made["id"] in sealmark.ok("ndas", "texts", "list")
    assert sealmark.ok("ndas", "texts", "show", made["id"]) == TEXT
    assert sealmark.json("ndas", "texts", "show", made["id"])["markdown"] == TEXT
    entries = sealmark.json("log", "list", "--kind", "nda-text.created")["items"]
    assert len(entries) == 1


def test_what_cannot_stay_is_refused_with_its_line(sealmark: CommandLine, tmp_path: Path) -> None:
    for content, said in (
        (b"One.\n\n<b>two</b>", "Line 3: The text has no HTML"),
        (b"One.\ntwo \xff", "Line 2: the text is not UTF-8"),
        (b"\xc3\xa9" * MAX_BYTES, "at most"),
        (b"x" + b"\xc3\xa9" * MAX_BYTES, "at most"),
    ):
        error = sealmark.refused("ndas", "texts", "add", a_file(tmp_path, content), status=1)
        assert said in error
    sealmark.refused("ndas", "texts", "add", tmp_path / "none.md", status=2)
    assert sealmark.json("ndas", "texts", "list")["items"] == []


def test_the_record_of_a_signature_is_written_to_a_new_file(
    sealmark: CommandLine, pdf: Path, facts: Path, tmp_path: Path
) -> None:
    document = a_ready_document(sealmark, pdf, facts)
    sealmark.ok("ndas", "texts", "add", a_file(tmp_path))
    nda = _signed(sealmark, document)
    file = tmp_path / "record.pdf"
    said = sealmark.json("ndas", "evidence", nda, "-o", file)
    content = file.read_bytes()
    assert content.startswith(b"%PDF-")
    assert said == {
        "file": str(file),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "timestamp": None,
    }
    assert file.stat().st_mode & 0o777 == 0o600
    sealmark.refused("ndas", "evidence", nda, "-o", file, status=1)
    stamped = ("--timestamp", tmp_path / "record.tsr")
    assert "time stamp" in sealmark.refused(
        "ndas", "evidence", nda, "-o", tmp_path / "other.pdf", *stamped, status=1
    )
    assert not (tmp_path / "other.pdf").exists()


def _signed(sealmark: CommandLine, document: str) -> str:
    """The id of an agreement that was signed on the page, as the page does it."""
    service = build(load({**os.environ, **sealmark.environ}))
    try:
        share, recipient, link = service.sharing.create(
            Actor("cli"),
            document_id=document,
            mail="bob@acme.example",
            name="Bob",
            purpose="review",
            nda=NdaMode.ASK,
        )
        now = service.clock()
        named = tokens.verify(
            link.url.rsplit("/", 1)[1], service.keys.verifying("link"), int(now.timestamp())
        )
        session = Session("h", share.id, recipient.id, recipient.mail, now, now + timedelta(hours=1))
        with service.database.write() as records:
            records.add(session)
        text = service.nda_texts.current()
        assert text is not None
        return service.signing.sign(
            Actor("recipient", address="192.0.2.7"),
            share_id=share.id,
            link_hash=tokens.link_hash(named.link_id),
            session=session,
            text_id=text.id,
            name="Bob",
            consents=["One.", "Two."],
            language="en",
        ).id
    finally:
        service.close()
