"""What must hold of every document that is woven, whoever produced it."""

from __future__ import annotations

from pathlib import Path

from tests.watermark.builders import COPY_ID, inflated_streams
from tests.watermark.readers import Texts, assert_sound, surroundings, texts
from tests.watermark.woven.documents import Document, assert_pictures_differ_only_at_words
from tests.watermark.woven.positions import assert_moved_as_bits_say
from watermark.verify import without_mark


def assert_unmarked_text_stays(document: Document, folder: Path) -> None:
    """Text of the woven document without a mark is the original's, to the byte, in every reader and mode."""
    before = texts(document.unwoven, folder)
    for parity in (0, 1):
        assert texts(document.alternating(parity), folder) == before


def assert_marked_text_stays(document: Document, folder: Path) -> None:
    """Text of copies is the original's, but for the mark's own strings.

    By default `pdftotext` orders blocks of text by the white space among all of them, and the footer is one more: on
    some pages of some producers the others then come in another order. Their lines must be the same, in any order.
    """
    before = {reader: _lines(pages, "", reader) for reader, pages in texts(document.unwoven, folder).items()}
    for parity in (0, 1):
        found: Texts = texts(document.copy(parity), folder)
        assert {reader: _lines(pages, COPY_ID, reader) for reader, pages in found.items()} == before


def _lines(pages: list[str], copy_id: str, reader: str) -> list[list[str]]:
    lines = [without_mark(page, copy_id).splitlines() for page in pages]
    return [sorted(page) for page in lines] if reader == "pdftotext default" else lines


def assert_copies_are_sound(document: Document, folder: Path) -> None:
    """Every reader opens copies, every stream inflates with a right checksum, and links, tags and forms stay."""
    before = surroundings(document.unwoven)
    for parity in (0, 1):
        copy = document.copy(parity)
        assert list(inflated_streams(copy))
        assert_sound(copy, folder)
        assert surroundings(copy) == before


def assert_pictures_stay(document: Document) -> None:
    """Pages look as before but for where words moved: without a mark, and with the same mark and other bits."""
    assert_pictures_differ_only_at_words(document, document.unwoven, document.alternating(0))
    assert_pictures_differ_only_at_words(document, document.copy(0), document.copy(1))


def assert_positions_say_bits(document: Document) -> None:
    """PDFium sees words move as bits say, and nothing else."""
    assert_moved_as_bits_say(document)
