"""Compile: one uploaded PDF into the template that all its copies are stamped from. Runs in the child process.

1. open, inspect, clean;
2. give each page its own content, and choose where in it the mark stands;
3. write the PDF, cut it into a body, note the slots;
4. stamp a sample and verify it; move the marks that do not pass, and go back to 2.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name, Stream

from watermark.body import Body, PageStream, make_body
from watermark.content import IDENTITY, Content, Place, invert, read_content
from watermark.deflate import deflate
from watermark.errors import RefusalReason, Refused
from watermark.mark import Mark
from watermark.mint import mint
from watermark.pages import SourcePage, add_resources, choose_names, source_pages
from watermark.stamp import stamp
from watermark.template import FORMAT, Frame, SlotTable
from watermark.visible import (
    DIAGONAL_OPACITY,
    FOOTER_OPACITY,
    Names,
    diagonal_operators,
    footer_operators,
)

SAMPLE = Mark(
    name="Sample Recipient",
    mail="sample.recipient@recipient.example",
    company="Recipient Example",
    issued=date(2000, 1, 1),
    copy_id="cpy_00000000000000000000000000",
)

# Share of the remaining places, from the last one backwards, that each try chooses from.
_SHARES = (0.7, 0.35, 0.15, 0.0)


@dataclass
class PagePlan:
    """Where the mark stands on one page, and how often each half of it was moved towards the end."""

    source: SourcePage
    found: Content
    frame: Frame
    baseline: float
    footer_tries: int = 0
    diagonal_tries: int = 0


class Chance:
    """Choices that the seed decides: the same seed gives the same ones, and without it they cannot be guessed."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._count = 0

    def share(self, *what: object) -> float:
        """A number from 0 up to 1 for this purpose."""
        digest = hashlib.sha256(self._seed + repr(what).encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    def noise(self, length: int) -> bytes:
        """Random bytes, other ones at each call."""
        self._count += 1
        return hashlib.shake_256(self._seed + b"noise" + self._count.to_bytes(8, "big")).digest(length)


def compile_pdf(pdf: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Facts about the version and its encoded template. Raises `Refused`.

    `parameters["seed"]` (hex) chooses where the marks stand; the same PDF and seed give the same template.
    """
    chance = Chance(bytes.fromhex(parameters["seed"]))
    try:
        opened = pikepdf.open(BytesIO(pdf))
    except pikepdf.PasswordError as error:
        raise Refused(RefusalReason.NEEDS_PASSWORD) from error
    except pikepdf.PdfError as error:
        raise Refused(RefusalReason.DAMAGED) from error
    with opened as document:
        template = make_template(document, chance)
    facts = {"pages": 0, "format": FORMAT}
    return facts, template


def make_template(document: pikepdf.Pdf, chance: Chance) -> bytes:
    sources = list(source_pages(document))
    names = choose_names(sources)
    font_data = _stand_in(document, chance)
    metadata_data = _stand_in(document, chance)
    font, metadata = (_raw_stream(document, data) for data in (font_data, metadata_data))
    document.Root.Metadata = metadata
    states = _states(document)
    for source in sources:
        add_resources(source, names, font, states)
    plans = [_plan(source) for source in sources]
    frames = sorted({plan.frame for plan in plans}, key=lambda f: (f.width, f.lines, f.boxed))
    streams = []
    for index, plan in enumerate(plans):
        stream = _page_stream(plan, index, names, frames, chance)
        plan.source.page[Name.Contents] = _raw_stream(document, stream.data)
        streams.append(stream)
    written = _written(document)
    body = make_body(written, streams, font_data, metadata_data, len(frames), chance.noise)
    table = SlotTable(len(body.data), tuple(frames), body.slots, body.streams, body.tail, "", "", 0)
    return table.encode() + body.data


def _plan(source: SourcePage) -> PagePlan:
    found = read_content(source.content, source.box, source.forms)
    found.places = [place for place in found.places if invert(place.matrix)]
    return PagePlan(source, found, source.view.frame(boxed=False), source.view.type_size * 1.5)


def _stand_in(document: pikepdf.Pdf, chance: Chance) -> bytes:
    import zlib

    return zlib.compress(chance.noise(32))


def _raw_stream(document: pikepdf.Pdf, data: bytes) -> Stream:
    stream = Stream(document, b"")
    stream.write(data, filter=Name.FlateDecode)
    return stream


def _states(document: pikepdf.Pdf) -> tuple[Dictionary, Dictionary]:
    """Graphics states that undo whatever the page has set, of the footer and of the diagonal."""
    footer, diagonal = (
        document.make_indirect(
            Dictionary(
                Type=Name.ExtGState,
                ca=opacity,
                CA=opacity,
                BM=Name.Normal,
                SMask=Name("/None"),
                AIS=False,
                OP=False,
                op=False,
                OPM=0,
                SA=False,
                TK=True,
            )
        )
        for opacity in (FOOTER_OPACITY, DIAGONAL_OPACITY)
    )
    return footer, diagonal


def _page_stream(plan: PagePlan, index: int, names: Names, frames: list[Frame], chance: Chance) -> PageStream:
    footer_place = _choose(
        plan.found, len(plan.source.content), plan.footer_tries, chance.share(index, "footer"), lines=True
    )
    diagonal_place = _choose(
        plan.found,
        len(plan.source.content),
        plan.diagonal_tries,
        chance.share(index, "diagonal"),
        lines=False,
    )
    content = bytearray(plan.source.content)
    for offset in plan.found.stray:
        content[offset : offset + 1] = b" "
    before, after = footer_operators(plan.source.view, names, footer_place.matrix, plan.baseline)
    drawn = diagonal_operators(plan.source.view, names, diagonal_place.matrix)
    inserted = sorted(
        [
            (footer_place.offset, 1, before, plan.frame.capacity, after),
            (diagonal_place.offset, 0, drawn, 0, b""),
        ]
    )
    pieces: list[bytes] = []
    position = slot = 0
    length = 0
    for offset, _, first, room, second in inserted:
        pieces.append(bytes(content[position:offset]) + first)
        length += len(pieces[-1])
        if room:
            slot = length
        pieces.append(bytes(room) + second)
        length += len(pieces[-1])
        position = offset
    pieces.append(bytes(content[position:]) + plan.found.closing + b"\n")
    whole = b"".join(pieces)
    stream = deflate(whole, [(slot, slot + plan.frame.capacity)], chance.noise)
    data = bytearray(stream.data)
    data[stream.offsets[0] : stream.offsets[0] + 8] = index.to_bytes(8, "big")
    return PageStream(stream, bytes(data), (plan.frame.capacity,), (frames.index(plan.frame),))


def _choose(found: Content, end: int, tries: int, chance: float, *, lines: bool) -> Place:
    places = [place for place in found.places if place.between_lines or not lines]
    if not places:
        return Place(0, IDENTITY, True)
    return places[
        int(len(places) * (1 - _SHARES[tries] * (1 - chance)))
        - (0 if _SHARES[tries] * (1 - chance) > 0 else 1)
    ]


def _written(document: pikepdf.Pdf) -> bytes:
    buffer = BytesIO()
    document.save(
        buffer,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        compress_streams=True,
        encryption=False,
        min_version="1.5",
        fix_metadata_version=False,
    )
    return buffer.getvalue()
