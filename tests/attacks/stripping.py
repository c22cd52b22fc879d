"""Attacks of a line or a few on a copy's visible mark, as scripts do them that people find and run.

`GENERAL` ones know what marks usually are. `INFORMED` ones know this one: that it is text, its font and operators.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pikepdf
import pypdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from pypdf._writer import ObjectDeletionFlag

Attack = Callable[[bytes], bytes]

_SHOWS = {"Tj", "TJ", "'", '"'}
_ENDS_LINE = re.compile(rb"[^\n]*\n?")


def on_document(change: Callable[[Pdf], None]) -> Attack:
    """The attack that changes the opened document."""

    def attack(copy: bytes) -> bytes:
        with pikepdf.open(BytesIO(copy)) as document:
            change(document)
            written = BytesIO()
            document.save(written)
            return written.getvalue()

    return attack


def on_contents(change: Callable[[bytes], bytes]) -> Attack:
    """The attack that changes every page's content."""

    def attack(document: Pdf) -> None:
        for page in document.pages:
            page.Contents = document.make_stream(change(_content(page)))

    return on_document(attack)


def on_operations(kept: Callable[[pikepdf.Page, list[Any]], list[Any]]) -> Attack:
    """The attack that keeps some operations of every page, by token."""

    def attack(document: Pdf) -> None:
        for page in document.pages:
            operations = [op for op in pikepdf.parse_content_stream(page) if hasattr(op, "operands")]
            page.Contents = document.make_stream(pikepdf.unparse_content_stream(kept(page, operations)))

    return on_document(attack)


def with_pypdf(change: Callable[[pypdf.PdfWriter], object]) -> Attack:
    """The attack that pypdf's writer does."""

    def attack(copy: bytes) -> bytes:
        writer = pypdf.PdfWriter(BytesIO(copy))
        change(writer)
        written = BytesIO()
        writer.write(written)
        return written.getvalue()

    return attack


def _content(page: pikepdf.Page) -> bytes:
    contents = page.get("/Contents")
    streams = contents if isinstance(contents, Array) else [contents]
    return b"\n".join(stream.read_bytes() for stream in streams if isinstance(stream, Stream))


def _resources(document: Pdf, category: str) -> Iterator[Dictionary]:
    """The pages' resources of this kind."""
    for page in document.pages:
        found = page.Resources.get(category)
        if isinstance(found, Dictionary):
            yield found


def _drop_stream(index: int) -> Callable[[Pdf], None]:
    def change(document: Pdf) -> None:
        for page in document.pages:
            streams = list(page.Contents) if isinstance(page.Contents, Array) else [page.Contents]
            streams.pop(index)
            page.Contents = Array(streams)

    return change


def _drop_resources(category: str, doomed: Callable[[object], bool]) -> Callable[[Pdf], None]:
    """Take resources of this kind off every page."""

    def change(document: Pdf) -> None:
        for found in _resources(document, category):
            for name, value in list(found.items()):
                if doomed(value):
                    del found[name]

    return change


def _drop_shared(*categories: str) -> Callable[[Pdf], None]:
    """Take the resources that all pages have off each of them."""

    def change(document: Pdf) -> None:
        for category in categories:
            numbers = [
                {value.objgen for _, value in page.Resources.get(category, Dictionary()).items()}
                for page in document.pages
            ]
            shared = set.intersection(*numbers)
            _drop_resources(category, lambda value, shared=shared: value.objgen in shared)(document)

    return change


def _drop_annotations(document: Pdf) -> None:
    for page in document.pages:
        if "/Annots" in page:
            del page["/Annots"]


def _drop_layers(document: Pdf) -> None:
    if "/OCProperties" in document.Root:
        del document.Root["/OCProperties"]
    for page in document.pages:
        content = re.sub(rb"/OC\s*/\S+\s*BDC.*?EMC", b"", _content(page), flags=re.DOTALL)
        page.Contents = document.make_stream(content)


def _drop_lines_in_common(document: Pdf) -> None:
    contents = [_ENDS_LINE.findall(_content(page)) for page in document.pages]
    shared = {line for line in set.intersection(*map(set, contents)) if len(line) > 12}
    for page, lines in zip(document.pages, contents, strict=True):
        page.Contents = document.make_stream(b"".join(line for line in lines if line not in shared))


def _drop_texts_in_common(document: Pdf) -> None:
    pages = [list(pikepdf.parse_content_stream(page)) for page in document.pages]
    shown = [{_shown(op) for op in operations} - {b""} for operations in pages]
    shared = set.intersection(*shown)
    for page, operations in zip(document.pages, pages, strict=True):
        kept = [op for op in operations if _shown(op) not in shared]
        page.Contents = document.make_stream(pikepdf.unparse_content_stream(kept))


def _shown(operation: object) -> bytes:
    operands = getattr(operation, "operands", [])
    if str(getattr(operation, "operator", "")) not in _SHOWS:
        return b""
    return b" ".join(Array([item]).unparse() for item in operands)


def _without_last_group(page: pikepdf.Page, operations: list[Any]) -> list[Any]:
    names = [str(op.operator) for op in operations]
    depth, begin, last = 0, 0, None
    for index, name in enumerate(names):
        if name == "q":
            begin = index if depth == 0 else begin
            depth += 1
        elif name == "Q" and depth:
            depth -= 1
            last = (begin, index) if depth == 0 else last
    return list(operations) if last is None else [*operations[: last[0]], *operations[last[1] + 1 :]]


def _without_texts_of_the_copys_font(page: pikepdf.Page, operations: list[Any]) -> list[Any]:
    fonts = page.Resources.get("/Font", Dictionary())
    own = {name for name, font in fonts.items() if _is_copys(font)}
    kept: list[Any] = []
    inside = False
    for operation in operations:
        operator = str(operation.operator)
        if operator == "Tf":
            inside = str(operation.operands[0]) in own
        if not (inside and operator in _SHOWS):
            kept.append(operation)
        if operator == "Q":
            inside = False
    return kept


def _is_copys(font: object) -> bool:
    return isinstance(font, Dictionary) and str(font.get("/BaseFont", "")).endswith("+NotoSans")


def _is_type3(font: object) -> bool:
    return isinstance(font, Dictionary) and font.get("/Subtype") == Name.Type3


def _empty_copys_font(document: Pdf) -> None:
    for thing in document.objects:
        if _is_copys(thing):
            for key in list(thing.keys()):
                del thing[key]


def _is_transparent(state: object) -> bool:
    return isinstance(state, Dictionary) and min(float(state.get("/ca", 1)), float(state.get("/CA", 1))) < 1


def _into_forms(copy: bytes) -> bytes:
    """Each page as a form on a page of its own, as imposers and pdfcpu do it."""
    with pikepdf.open(BytesIO(copy)) as source, Pdf.new() as target:
        for page in source.pages:
            box = [float(edge) for edge in page.mediabox]
            form = target.copy_foreign(page.as_form_xobject(handle_transformations=False))
            blank = target.add_blank_page(page_size=(box[2] - box[0], box[3] - box[1]))
            blank.obj["/MediaBox"] = blank.obj["/CropBox"] = Array([*page.mediabox])
            blank.obj["/Rotate"] = page.obj.get("/Rotate", 0)
            blank.Resources = Dictionary(XObject=Dictionary(P=form))
            blank.Contents = target.make_stream(b"/P Do")
        written = BytesIO()
        target.save(written)
        return written.getvalue()


def _merged(copy: bytes) -> bytes:
    """Each page merged onto an empty one by pypdf."""
    writer = pypdf.PdfWriter()
    for page in pypdf.PdfReader(BytesIO(copy)).pages:
        blank = writer.add_blank_page(float(page.mediabox.right), float(page.mediabox.top))
        blank.merge_page(page)
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def _without_drawings(writer: pypdf.PdfWriter) -> None:
    for page in writer.pages:
        writer.remove_objects_from_page(page, ObjectDeletionFlag.DRAWING_IMAGES)


GENERAL: dict[str, Attack] = {
    "drop the first content stream of each page": on_document(_drop_stream(0)),
    "drop the last content stream of each page": on_document(_drop_stream(-1)),
    "drop XObjects that all pages draw": on_document(_drop_shared("/XObject")),
    "drop all forms": on_document(
        _drop_resources("/XObject", lambda one: isinstance(one, Stream) and one.get("/Subtype") == Name.Form)
    ),
    "drop fonts, states, XObjects that all pages have": on_document(
        _drop_shared("/Font", "/ExtGState", "/XObject", "/Pattern", "/Properties")
    ),
    "drop annotations": on_document(_drop_annotations),
    "drop optional content": on_document(_drop_layers),
    "drop artifacts": on_contents(
        lambda content: re.sub(rb"/Artifact\b.{0,200}?B[MD]C.*?EMC", b"", content, flags=re.DOTALL)
    ),
    "rebuild each page as a form": _into_forms,
    "merge each page onto an empty one": _merged,
    "drop each page's last q … Q": on_operations(_without_last_group),
    "drop graphics states with transparency": on_document(_drop_resources("/ExtGState", _is_transparent)),
    "drop all graphics states": on_document(_drop_resources("/ExtGState", lambda _: True)),
    "drop Type 3 fonts": on_document(_drop_resources("/Font", _is_type3)),
    "drop lines of content that all pages have": on_document(_drop_lines_in_common),
    "drop texts that all pages show": on_document(_drop_texts_in_common),
    "pypdf: remove annotations": with_pypdf(lambda writer: writer.remove_annotations(None)),
    "pypdf: remove links": with_pypdf(lambda writer: writer.remove_links()),
    "pypdf: remove images": with_pypdf(lambda writer: writer.remove_images()),
    "pypdf: remove vector drawings": with_pypdf(_without_drawings),
}

INFORMED: dict[str, Attack] = {
    "pypdf: remove all text": with_pypdf(lambda writer: writer.remove_text()),
    "take the copy's font off the pages": on_document(_drop_resources("/Font", _is_copys)),
    "drop texts in the copy's font, by token": on_operations(_without_texts_of_the_copys_font),
    "drop the copy's font and all Type 3 fonts": on_document(
        _drop_resources("/Font", lambda font: _is_copys(font) or _is_type3(font))
    ),
    "empty the copy's font": on_document(_empty_copys_font),
    "cut out the footer by its operators": on_contents(
        lambda content: re.sub(rb"\.2 g BT 1\.3 TL.*?ET", b"", content, flags=re.DOTALL)
    ),
    "cut out both by their operators": on_contents(
        lambda content: re.sub(rb"\nq [^\n]* cm [^\n]*\b0 Tr\b[^\n]* Q\n", b"\n", content)
    ),
}
