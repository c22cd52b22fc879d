"""Write a document as a template, again and again while its pages' marks move."""

import zlib
from dataclasses import replace
from io import BytesIO

import pikepdf
from pikepdf import Dictionary, Name, Stream

from watermark.body import CopyStream, make_body
from watermark.flate.deflate import SlottedStream, deflate
from watermark.kept import Kept
from watermark.pages import add_resources, choose_names
from watermark.placing import Chance, PagePlan, marked_content
from watermark.template import SlotTable
from watermark.visible import DIAGONAL_OPACITY, FOOTER_OPACITY, diagonal_glyph
from watermark.woven.table import Weave
from watermark.woven.text import Word
from watermark.woven.threads import Thread

# Pages take turns with so many names and objects for the mark, so that it is not what all pages have in common.
_VARIANTS = 7


class TemplateWriting:
    """Writes the document as a template, again and again while pages change."""

    def __init__(
        self,
        document: pikepdf.Pdf,
        plans: list[PagePlan],
        threads: list[Thread],
        kept: Kept,
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
            written(self._document),
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


def written(document: pikepdf.Pdf) -> bytes:
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
