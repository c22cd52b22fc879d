"""The record of a signature: whole and the same bytes each time, whatever script names and text have."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from service.evidence.signed_record import Signed, signed_record
from service.nda_markdown import MAX_BYTES, check
from service.records import (
    Classification,
    Document,
    Kind,
    Nda,
    NdaState,
    NdaText,
    Recipient,
    Signature,
)

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ARABIC = "لا يجوز للمتلقي أن يفصح عن التقرير SOC 2 إلى أي طرف ثالث دون موافقة خطية مسبقة من الشركة. "


def signed(markdown: str, **changes: Any) -> Signed:
    """A signature of this text; `changes` to the signature."""
    signature = Signature(
        id="sig_1",
        nda_id="nda_1",
        text_id="txt_1",
        recipient_id="rcp_1",
        share_id="shr_1",
        name="Ana Example",
        mail="ana@acme.example",
        company="Acme",
        address="2001:db8::7",
        agent="Firefox",
        consents=["One.", "Two."],
        signed_at=NOW,
        record_sha256="",
    )
    return Signed(
        text=NdaText("txt_1", 3, markdown, "aa" * 32, None, NOW),
        nda=Nda("nda_1", "rcp_1", None, NdaState.APPROVED, NOW, None, "page", "sig_1", NOW),
        signature=replace(signature, **changes),
        recipient=Recipient("rcp_1", "ana@acme.example", "acme.example", "Ana", "Acme", NOW),
        document=Document("doc_1", "SOC 2", Kind.SOC2_TYPE2, Classification.NDA, "o@lender.example", NOW),
        checked_at=NOW - timedelta(minutes=3),
        language="en",
        organization="Lender",
        url="https://lender.example",
    )


def words(pdf: bytes, folder: Path) -> str:
    """All words as poppler reads them, in reading order."""
    (folder / "record.pdf").write_bytes(pdf)
    made = subprocess.run(
        ["pdftotext", "record.pdf", "-"], cwd=folder, check=True, capture_output=True, text=True
    )
    return " ".join(made.stdout.split())


def test_the_same_signature_gives_the_same_bytes() -> None:
    said = signed("# One\n\nשלום\n\n- two\n\n---\n\n    code\n\n    more\n")
    assert signed_record(said) == signed_record(said)
    assert signed_record(said) != signed_record(replace(said, language="de"))


@pytest.mark.fonts
@pytest.mark.parametrize(
    "name", ["سلمى الحسن", "נועה לוי", "अनिता", "สมชาย", "王芳", "さくら", "지은", "Анна Ćwik", "Zoë O’Neil"]
)
def test_names_of_any_script_can_be_read_out_of_it(name: str, tmp_path: Path) -> None:
    found = words(signed_record(signed("# Text\n", name=name)), tmp_path)
    assert name in found.replace("\u202b", "").replace("\u202c", "")


def test_what_no_font_draws_stands_by_its_number_and_the_record_is_made(tmp_path: Path) -> None:
    assert "Ana [U+1F98A]" in words(signed_record(signed("x", name="Ana \U0001f98a")), tmp_path)


@pytest.mark.fonts
def test_a_text_from_right_to_left_runs_over_pages_and_is_whole(tmp_path: Path) -> None:
    text = "# اتفاقية عدم الإفصاح\n\n" + ARABIC * 120 + "\n\n1. " + ARABIC
    check(text)
    pdf = signed_record(signed(text))
    found = words(pdf, tmp_path).replace("\u202b", "").replace("\u202c", "")
    assert len(PdfReader(io.BytesIO(pdf)).pages) >= 3
    assert found.count("SOC 2") >= 121
    assert found.count("للمتلقي") == 121


def test_the_longest_texts_make_a_record() -> None:
    for text in ("word " * (MAX_BYTES // 5), "w" * MAX_BYTES, "> " * 18 + "deep\n\n" + "- " * 18 + "deep"):
        check(text)
        assert signed_record(signed(text)).startswith(b"%PDF-")


def test_the_longest_answers_make_a_record() -> None:
    said = signed("x", name="W" * 200, agent="W" * 300, consents=["W " * 500, "ש" * 1000])
    assert signed_record(replace(said, organization="W" * 500)).startswith(b"%PDF-")
