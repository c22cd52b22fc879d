"""Minting gives a fill that depends on mark and table alone, fits every frame, and reads back from its bytes."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

import pikepdf
import pypdf
import pytest

from tests.watermark.builders import (
    ANA,
    COPY_ID,
    NAMES,
    ODD_PAGES,
    copy_of,
    report,
    table_and_fill,
    template_of,
)
from watermark.errors import Unmarkable
from watermark.mark import check_mark
from watermark.mint import Fill, mint
from watermark.template import SlotTable, TemplateError
from watermark.verify import own_strings


@pytest.fixture(scope="module")
def template() -> bytes:
    return template_of(report(2))


def test_the_same_mark_gives_the_same_fill(template: bytes) -> None:
    table, fill = table_and_fill(template)
    assert mint(table, ANA).encode() == fill.encode()
    assert mint(table, replace(ANA, name="Bo")).encode() != fill.encode()


def test_a_fill_reads_back_and_is_refused_when_it_is_cut_or_of_another_version(template: bytes) -> None:
    _, fill = table_and_fill(template)
    encoded = fill.encode()
    assert Fill.decode(encoded) == fill
    for length in (*range(40), len(encoded) - 1):
        with pytest.raises(TemplateError):
            Fill.decode(encoded[:length])
    for changed in (encoded + b"x", b"X" + encoded[1:], encoded[:9] + b"\7" + encoded[10:]):
        with pytest.raises(TemplateError):
            Fill.decode(changed)


@pytest.mark.parametrize("page", ["small", "cropped", "huge", "rotated-90"])
@pytest.mark.parametrize("length", [1, 60, 200])
def test_marks_of_any_length_fit_every_frame_and_are_read_in_full(page: str, length: int) -> None:
    name = ("Maximiliana " * 20)[:length].strip()
    mark = replace(
        ANA,
        name=name,
        mail="m" * (length // 4 + 1) + "@long.example",
        company=("Company " * 30)[:length].strip(),
    )
    text = pypdf.PdfReader(BytesIO(copy_of(template_of(ODD_PAGES[page]), mark))).pages[0].extract_text()
    found = own_strings(COPY_ID).search(text)
    assert found
    seen = "".join(found.group().split())
    for _, part in mark.fields():
        assert "".join(part.split()) in seen


@pytest.mark.fonts
@pytest.mark.parametrize("script", NAMES)
def test_names_of_every_script_are_read_back_from_the_footer(script: str, template: bytes) -> None:
    mark = replace(ANA, name=NAMES[script])
    try:
        check_mark(mark)
    except Unmarkable as missing:
        pytest.skip(missing.message)
    text = pypdf.PdfReader(BytesIO(copy_of(template, mark))).pages[0].extract_text()
    found = own_strings(COPY_ID).search(text)
    assert found
    # Readers differ in how they order right-to-left text; no letter may be missing.
    assert not set(mark.name) - set(found.group()) - {" "}
    if script not in {"arabic", "hebrew"}:
        assert "".join(mark.name.split()) in "".join(found.group().split())


def test_identifier_info_and_xmp_of_a_copy_carry_its_id(template: bytes) -> None:
    with pikepdf.open(BytesIO(copy_of(template))) as copy:
        assert [bytes(part) for part in copy.trailer.ID] == [COPY_ID.encode()] * 2
        assert copy.trailer.Info.Copy == COPY_ID
        assert copy.trailer.Info.Title == "A report & more"
        xmp = copy.Root.Metadata.read_bytes().decode()
        assert len(re.findall(COPY_ID, xmp)) == 3
        with copy.open_metadata() as metadata:
            assert metadata["xmpMM:DocumentID"] == COPY_ID
            assert metadata["dc:title"] == "A report & more"


def test_a_mark_that_cannot_be_printed_is_not_minted(template: bytes) -> None:
    with pytest.raises(Unmarkable):
        mint(SlotTable.decode(template), replace(ANA, name="\u202e"))
