"""Compile: one uploaded PDF into the template that all its copies are stamped from. Runs in the child process.

1. Open, inspect, clean; keep the cleaned PDF to compare with.
2. Give each page its own content, and weave: choose the words that move, and prove that no reader's text changes.
3. Find room for each page's footer, choose where in its content the marks stand.
4. Write the PDF, cut it into a body, note slots and operands.
5. Stamp a sample and verify it page by page; move the marks that do not pass, and do 4 again.
"""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pikepdf
from pikepdf import Dictionary, Name, Stream, String

from watermark.body import CopyStream, make_body
from watermark.clean import clean
from watermark.errors import RefusalReason, Refused
from watermark.flate.deflate import SlottedStream, deflate
from watermark.fonts import system_fonts
from watermark.inspection import limits_from, open_sound_pdf
from watermark.layout import LEADING, footer
from watermark.mark import Mark
from watermark.mint import Fill, mint, unsafe_bare_fill
from watermark.pages import SourcePage, add_resources, choose_names, source_pages
from watermark.placing import TRIES, Chance, PagePlan, marked_content, plan_page
from watermark.shaping import EM
from watermark.stamp import stamp
from watermark.template import FORMAT, Frame, SlotTable
from watermark.verify import Footer, Ink, PageFinding, Pixels, Reader, ink, judge_page, pixels_a_point
from watermark.visible import DIAGONAL_OPACITY, FOOTER_OPACITY, PageView, diagonal_glyph
from watermark.woven.fidelity import alternating, settle
from watermark.woven.reach import count_words
from watermark.woven.table import Weave
from watermark.woven.text import Word
from watermark.woven.threads import Thread, Weaver

# Nobody's mark, of usual length; verification tries it on every page.
SAMPLE = Mark(
    name="Sample Recipient",
    mail="sample.recipient@recipient.example",
    company="Recipient Example",
    issued=date(2000, 1, 1),
    copy_id="cpy_00000000000000000000000000",
)
# Where the footer's lowest baseline may be, in em above the visible bottom: from where printers print, upwards; then
# below that.
_BASELINES = tuple(step / 10 for step in (*range(24, 72, 2), *range(22, 10, -2)))
# White space above and below the footer, in em.
_AROUND = 1.0
# A band of this light, with so few other pixels, needs no box behind the footer.
_LIGHT, _ODD_LEVELS, _ODD_SHARE = 190, 24, 0.004
_MOST_TITLE = 500
# Pages take turns with so many names and objects for the mark, so that it is not what all pages have in common.
_VARIANTS = 7


@dataclass(frozen=True)
class _Kept:
    """What of the source's metadata a copy keeps: its title, and that it claims to be accessible (PDF/UA)."""

    title: str
    xmp: str


def compile_pdf(pdf: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Facts about the version, and its encoded template. Raises `Refused`.

    `parameters["seed"]` (hex) decides where the marks stand: the same PDF, seed and library versions give the same
    template. `max_bytes` and `max_pages` are the limits of `inspection`. Every page of the template was proved: a
    stamped sample's footer is in pypdf's text, which is else as before, and both marks are in PDFium's pixels.
    """
    chance = Chance(bytes.fromhex(parameters["seed"]))
    with open_sound_pdf(pdf, limits_from(parameters)) as document:
        kept = _kept(document)
        removed = clean(document)
        sources = list(source_pages(document))
        unmarked = _written(document)
        reader = Reader(unmarked)
        try:
            drawn = _woven(document, sources, reader)
            plans = [
                _plan(reader, index, source, threads[0])
                for index, (source, threads) in enumerate(zip(sources, drawn, strict=True))
            ]
            threads = _once(drawn)
            template, moved = _proved(document, plans, threads, kept, chance, reader)
        finally:
            reader.close()
    facts = {
        "pages": len(plans),
        "removed": removed,
        "format": FORMAT,
        "weave": {"pages": _capacity(drawn)},
        "verified": {"pages": len(plans), "moved": moved},
        "sizes": {"source": len(pdf), "cleaned": len(unmarked), "template": len(template)},
    }
    return facts, template


def _woven(document: pikepdf.Pdf, sources: list[SourcePage], unmarked: Reader) -> list[list[Thread]]:
    """The threads that each page draws, its own first, with only those words moving that change no reader's text."""
    weaver = Weaver()
    drawn = [weaver.threads(source) for source in sources]

    def written(parity: int) -> bytes:
        for source, threads in zip(sources, drawn, strict=True):
            for thread in threads:
                content = thread.woven.with_bits(alternating(len(thread.woven.moved), parity))
                if thread.form is None:
                    source.page[Name.Contents] = document.make_stream(content)
                else:
                    thread.form.write(content)
        return _written(document)

    settle(drawn, unmarked, written)
    return drawn


def _once(drawn: list[list[Thread]]) -> list[Thread]:
    """Every thread once, in the order in which pages draw them."""
    return list({id(thread): thread for threads in drawn for thread in threads}.values())


def _capacity(drawn: list[list[Thread]]) -> list[dict[str, int]]:
    """How many words each page has, and how many of them are woven. A form counts on the first page that draws it."""
    found = []
    counted: set[int] = set()
    for threads in drawn:
        new = [thread for thread in threads if id(thread) not in counted]
        counted.update(map(id, new))
        words = sum(count_words(thread.text) for thread in new)
        found.append({"words": words, "woven": sum(len(thread.woven.moved) for thread in new)})
    return found


def _proved(
    document: pikepdf.Pdf,
    plans: list[PagePlan],
    threads: list[Thread],
    kept: _Kept,
    chance: Chance,
    unmarked: Reader,
) -> tuple[bytes, int]:
    """A template that passed verification, and how many pages had to move a mark. Raises `Refused`."""
    writing = _Writing(document, plans, threads, kept, chance)
    pages = list(range(len(plans)))
    moved: set[int] = set()
    while True:
        template = writing.write(pages)
        marked, bare = Reader(_sample(template, mint)), Reader(_sample(template, unsafe_bare_fill))
        try:
            if marked.page_count != len(plans) or marked.outline() != unmarked.outline():
                raise Refused(RefusalReason.CANNOT_MARK)
            findings = {index: _judge(unmarked, bare, marked, index, plans[index]) for index in pages}
        finally:
            marked.close()
            bare.close()
        pages = [index for index, finding in findings.items() if not finding.good]
        if not pages:
            return template, len(moved)
        moved.update(pages)
        for index in pages:
            _move(plans[index], findings[index])


def _judge(unmarked: Reader, bare: Reader, marked: Reader, index: int, plan: PagePlan) -> PageFinding:
    view = plan.source.view
    return judge_page(unmarked, bare, marked, index, view, _sample_footer(plan), SAMPLE, _blank_ink())


def _move(plan: PagePlan, finding: PageFinding) -> None:
    """Try later places for the marks that did not pass. Raises `Refused` when there is none."""
    footer_failed = not (finding.footer_seen and finding.footer_read)
    diagonal_failed = not finding.diagonal_seen
    if not (footer_failed or diagonal_failed):
        # One of them parts a text; which, pypdf does not say.
        footer_failed = diagonal_failed = True
    if (footer_failed and plan.footer_try >= TRIES - 1) or (
        diagonal_failed and plan.diagonal_try >= TRIES - 1
    ):
        raise Refused(RefusalReason.CANNOT_MARK)
    plan.footer_try += footer_failed
    plan.diagonal_try += diagonal_failed


class _Writing:
    """Writes the document as a template, again and again while pages change."""

    def __init__(
        self,
        document: pikepdf.Pdf,
        plans: list[PagePlan],
        threads: list[Thread],
        kept: _Kept,
        chance: Chance,
    ) -> None:
        self._document = document
        self._plans = plans
        self._threads = threads
        self._kept = kept
        self._chance = chance
        sources = [plan.source for plan in plans]
        self._names = choose_names(sources, min(len(sources), _VARIANTS))
        self._frames = sorted({plan.frame for plan in plans}, key=lambda f: (f.width, f.lines, f.boxed))
        self._font_data, self._metadata_data = (zlib.compress(chance.noise(32)) for _ in range(2))
        font = _flate_stream(document, self._font_data)
        document.Root[Name.Metadata] = _flate_stream(document, self._metadata_data)
        resources = [
            (
                {names.font: font, names.diagonal_font: diagonal},
                {names.footer_state: _state(document, FOOTER_OPACITY)},
            )
            for names, diagonal in zip(
                self._names, _diagonal_fonts(document, font, len(self._names)), strict=True
            )
        ]
        for index, source in enumerate(sources):
            add_resources(source, *resources[index % len(resources)])
        self._pages: dict[int, CopyStream] = {}
        self._forms = [self._form(thread) for thread in threads if thread.form is not None]

    def write(self, changed: list[int]) -> bytes:
        """The encoded template; only the pages in `changed` are made anew."""
        for index in changed:
            self._pages[index] = stream = self._page(index)
            self._plans[index].source.page[Name.Contents] = _flate_stream(self._document, stream.data)
        streams, words = self._numbered()
        body = make_body(
            _written(self._document),
            streams,
            self._font_data,
            self._metadata_data,
            len(self._frames),
            self._chance.noise,
        )
        table = SlotTable(
            body_length=len(body.data),
            frames=tuple(self._frames),
            slots=body.slots,
            streams=body.streams,
            tail=body.tail,
            title=self._kept.title,
            xmp=self._kept.xmp,
            encoded_length=0,
            weave=Weave.build(words, body.books, body.placed) if words else None,
        )
        return table.encode() + body.data

    def _numbered(self) -> tuple[list[CopyStream], int]:
        """All streams, their words numbered through the document as pages draw them; and how many words there are."""
        pages, forms = iter(self._pages[index] for index in range(len(self._plans))), iter(self._forms)
        streams = []
        words = 0
        for thread in self._threads:
            stream = replace(next(pages if thread.form is None else forms), first_word=words)
            streams.append(stream)
            words += len(thread.woven.moved)
        return streams, words

    def _page(self, index: int) -> CopyStream:
        plan = self._plans[index]
        while True:
            names = self._names[index % len(self._names)]
            marked = marked_content(plan, index, names, self._chance)
            slots = [(marked.start, marked.stop)]
            stream = deflate(marked.content, slots, self._chance.noise, marked.operands)
            stuck = _stuck(plan.thread, stream)
            if not stuck:
                break
            plan.fix(stuck)
        # A slot's bytes do not matter; the page's number in them tells equal pages apart.
        data = bytearray(stream.data)
        data[stream.offsets[0] : stream.offsets[0] + 4] = index.to_bytes(4, "big")
        return CopyStream(
            stream,
            bytes(data),
            (plan.frame.capacity,),
            (self._frames.index(plan.frame),),
            plan.thread.woven.operands,
        )

    def _form(self, thread: Thread) -> CopyStream:
        if thread.form is None:
            raise ValueError("a page's thread is no form's")
        while True:
            woven = thread.woven
            operands = [(operand.start, operand.stop) for operand in woven.operands]
            stream = deflate(woven.content, (), self._chance.noise, operands)
            stuck = _stuck(thread, stream)
            if not stuck:
                break
            thread.fix(stuck)
        thread.form.write(stream.data, filter=Name.FlateDecode)
        return CopyStream(stream, stream.data, operands=woven.operands)


def _stuck(thread: Thread, stream: SlottedStream) -> set[Word]:
    """The words of operands that came to lie so near to others that they cannot be changed."""
    woven = thread.woven
    return {
        woven.moved[word]
        for operand, bit in zip(woven.operands, stream.bits, strict=True)
        if bit < 0
        for word in (operand.left, operand.right)
        if word is not None
    }


def _plan(reader: Reader, index: int, source: SourcePage, thread: Thread) -> PagePlan:
    baseline, boxed = _footer_room(reader.pixels(index, source.view), source.view)
    return plan_page(source, thread, source.view.frame(boxed=boxed), baseline)


def _footer_room(pixels: Pixels, view: PageView) -> tuple[float, bool]:
    """The baseline in points of the emptiest band near the bottom, and whether the footer needs a box there.

    Among equally empty ones the first with white space above and below is taken: readers that lay text out by blocks,
    as poppler does, else take the footer into one of the page's own.
    """
    lines, leading = _sample_lines(view.frame(boxed=False))
    scale = pixels_a_point(view) * view.type_size  # pixels an em
    height, width = pixels.shape
    side = round(view.margin / view.type_size * scale)

    def odd(above: float, below: float) -> tuple[float, float]:
        """The share of pixels unlike the rest, and that rest's level, between these heights in em."""
        first, last = max(0, height - round(above * scale)), max(1, height - round(below * scale))
        band = pixels[first:last, side : max(side + 1, width - side)]
        level = float(np.median(band)) if band.size else 255.0
        return (float(np.mean(np.abs(band - level) > _ODD_LEVELS)) if band.size else 0.0), level

    best: tuple[float, float] | None = None
    chosen, boxed = _BASELINES[0], True
    for baseline in _BASELINES:
        above, below = baseline + (lines - 1) * leading + 1, baseline - 0.4
        if above * scale > height * 0.5:
            continue
        share, level = odd(above, below)
        around, _ = odd(above + _AROUND, max(0.0, below - _AROUND))
        if best is None or (share, around) < best:
            best = share, around
            chosen, boxed = baseline, level < _LIGHT or share > _ODD_SHARE
        if share == around == 0:
            break
    return chosen * view.type_size, boxed


@cache
def _sample_lines(frame: Frame) -> tuple[int, float]:
    """How many lines the sample's footer has in this frame, and their distance in em."""
    lines = footer(SAMPLE, system_fonts(), frame.width * EM // 100, frame.lines)
    return len(lines.lines), LEADING * lines.scale


def _sample_footer(plan: PagePlan) -> Footer:
    lines, leading = _sample_lines(replace(plan.frame, boxed=False))
    return Footer(plan.baseline, lines, leading * plan.source.view.type_size)


def _sample(template: bytes, fill: Callable[[SlotTable, Mark], Fill]) -> bytes:
    """Nobody's copy, filled by this function; its words have the bits 0 and 1 in turn."""
    table = SlotTable.decode(template)
    bits = np.array(alternating(table.words, 0), np.uint8)
    pieces = stamp(
        table, fill(table, SAMPLE), lambda start, stop: [memoryview(template)[start:stop]], bits=bits
    )
    return b"".join(pieces)


@cache
def _blank_ink() -> Ink:
    """The sample's ink on a blank page."""
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(595, 842))
        source = next(source_pages(document))
        unmarked = Reader(_written(document))
        threads = Weaver().threads(source)
        plan = plan_page(source, threads[0], source.view.frame(boxed=False), 2 * source.view.type_size)
        template = _Writing(document, [plan], threads, _Kept("", ""), Chance(b"")).write([0])
        marked = Reader(_sample(template, mint))
        try:
            return ink(
                unmarked.pixels(0, source.view),
                marked.pixels(0, source.view),
                source.view,
                _sample_footer(plan),
            )
        finally:
            unmarked.close()
            marked.close()


def _kept(document: pikepdf.Pdf) -> _Kept:
    info = document.trailer.get("/Info")
    title = info.get("/Title") if isinstance(info, Dictionary) else None
    text = str(title) if isinstance(title, String) else ""
    printable = "".join(character for character in text if character.isprintable())[:_MOST_TITLE]
    metadata = document.Root.get("/Metadata")
    xmp = ""
    if isinstance(metadata, Stream):
        try:
            part = re.search(rb"pdfuaid:part(?:>|=[\"'])([12])", metadata.read_bytes())
        except pikepdf.PdfError:
            part = None
        if part:
            xmp = (
                "<rdf:Description rdf:about='' xmlns:pdfuaid='http://www.aiim.org/pdfua/ns/id/'>"
                f"<pdfuaid:part>{part[1].decode()}</pdfuaid:part></rdf:Description>"
            )
    return _Kept(printable, xmp)


def _flate_stream(document: pikepdf.Pdf, data: bytes) -> Stream:
    stream = Stream(document, b"")
    stream.write(data, filter=Name.FlateDecode)
    return stream


def _state(document: pikepdf.Pdf, opacity: float) -> pikepdf.Object:
    """A graphics state of this opacity, which undoes whatever the page has set."""
    return document.make_indirect(
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
            TK=True,
        )
    )


# A CMap (ISO 32000-1, 9.10.3) that maps the diagonal's one code to no text.
_TO_NOTHING = (
    b"/CIDInit/ProcSet findresource begin 12 dict begin begincmap/CMapName/N def/CMapType 2 def\n"
    b"1 begincodespacerange<00><ff>endcodespacerange\n1 beginbfchar\n<20><>\nendbfchar\n"
    b"endcmap CMapName currentdict/CMap defineresource pop end end\n"
)


def _diagonal_fonts(document: pikepdf.Pdf, font: pikepdf.Object, count: int) -> list[pikepdf.Object]:
    """So many Type 3 fonts whose space draws the diagonal with the copy's own font."""
    glyph = document.make_stream(diagonal_glyph(b"F", b"G"))
    state = _state(document, DIAGONAL_OPACITY)
    to_nothing = document.make_stream(_TO_NOTHING)
    return [
        document.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type3,
                FontBBox=[0, 0, 0, 0],
                FontMatrix=[0.001, 0, 0, 0.001, 0, 0],
                FirstChar=32,
                LastChar=32,
                Widths=[0],
                Encoding=Dictionary(Type=Name.Encoding, Differences=[32, Name.space]),
                CharProcs=Dictionary(space=glyph),
                Resources=Dictionary(Font=Dictionary(F=font), ExtGState=Dictionary(G=state)),
                ToUnicode=to_nothing,
            )
        )
        for _ in range(count)
    ]


def _written(document: pikepdf.Pdf) -> bytes:
    """The document as qpdf writes it: with object and cross-reference streams; what is deflated stays as it is."""
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
