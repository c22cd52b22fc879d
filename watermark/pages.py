"""A PDF's pages made ready for marking: each with a content stream, boxes, rotation and resources of its own."""

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from watermark.content import Box
from watermark.inspection import MAX_TREE_DEPTH, page_geometry
from watermark.visible import Names, PageView, page_view

# Bytes of content of one page; more is a bomb, not a page (a scanned map has 20 MB).
MAX_CONTENT = 256 * 1024 * 1024

# Resources of more entries are not written anew for each page that shares them.
_MOST_ENTRIES = 200


@dataclass(frozen=True)
class SourcePage:
    """A page before it is marked. `box` is the visible box in its own coordinates."""

    page: Dictionary
    box: Box
    view: PageView
    content: bytes
    forms: frozenset[bytes]


def source_pages(pdf: pikepdf.Pdf) -> Iterator[SourcePage]:
    """Every page in order, its inheritance resolved into itself. Changes the PDF, not how it looks."""
    # Listing the pages lets qpdf repair the tree: a page that stands in it twice becomes two.
    for page in pdf.pages:
        yield source_page(pdf, page.obj)


def source_page(pdf: pikepdf.Pdf, page: Dictionary) -> SourcePage:
    """One page of `source_pages`."""
    geometry = page_geometry(page)
    resources = _inherited_resources(page)
    page[Name.MediaBox] = page[Name.CropBox] = Array([*geometry.box])
    page[Name.Rotate] = geometry.rotation
    if not resources.is_indirect:
        resources = pdf.make_indirect(resources)
    page[Name.Resources] = resources
    view = page_view(geometry.box, geometry.rotation, geometry.user_unit)
    return SourcePage(page, geometry.box, view, _content(page), _forms(resources))


def choose_names(pages: list[SourcePage], count: int) -> list[Names]:
    """So many times names for the mark's resources that no page uses, formed as the document forms its own.

    A page may name what its resources lack, which readers draw with in their own ways: the mark's must not stand there.
    """
    fonts: Counter[str] = Counter()
    states: Counter[str] = Counter()
    for source in pages:
        fonts.update(_names(source.page.Resources, Name.Font))
        states.update(_names(source.page.Resources, Name.ExtGState))
    contents = [source.content for source in pages]
    free_fonts, free_states = _free(fonts, "F", contents), _free(states, "GS", contents)
    return [Names(next(free_fonts), next(free_fonts), next(free_states)) for _ in range(count)]


def add_resources(
    source: SourcePage, fonts: dict[bytes, pikepdf.Object], states: dict[bytes, pikepdf.Object]
) -> None:
    """Let the page know these fonts and graphics states by their names, and no other page that shares its resources.

    Resources with very many entries stay shared.
    """
    resources = source.page.Resources
    if (
        sum(len(part) if isinstance(part, Dictionary) else 1 for _, part in resources.items())
        <= _MOST_ENTRIES
    ):
        resources = source.page[Name.Resources] = Dictionary(dict(resources.items()))
    for category, entries in ((Name.Font, fonts), (Name.ExtGState, states)):
        known = resources.get(category)
        known = Dictionary(dict(known.items())) if isinstance(known, Dictionary) else Dictionary()
        for name, value in entries.items():
            known[Name("/" + name.decode())] = value
        resources[category] = known


def _inherited_resources(page: Dictionary) -> Dictionary:
    """The page's own resources or those of the nearest node above it, made the page's own."""
    node: object = page
    for _ in range(MAX_TREE_DEPTH):
        if not isinstance(node, Dictionary):
            break
        resources = node.get(Name.Resources)
        if isinstance(resources, Dictionary):
            return resources
        node = node.get(Name.Parent)
    return Dictionary()


def _content(page: Dictionary) -> bytes:
    """All content of the page as one stretch; what cannot be decoded ends where readers stop, too."""
    contents = page.get(Name.Contents)
    streams = list(contents) if isinstance(contents, Array) else [contents]
    return b"\n".join(decoded(stream) for stream in streams if isinstance(stream, Stream))


def decoded(stream: Stream) -> bytes:
    """The bytes of a content stream; what cannot be decoded ends where readers stop, too."""
    try:
        return stream.read_bytes()
    except pikepdf.PdfError:
        inflater = zlib.decompressobj()
        try:
            return inflater.decompress(stream.read_raw_bytes(), MAX_CONTENT)
        except (zlib.error, pikepdf.PdfError):
            return b""


def _forms(resources: Dictionary) -> frozenset[bytes]:
    objects = resources.get(Name.XObject)
    if not isinstance(objects, Dictionary):
        return frozenset()
    return frozenset(
        name[1:].encode("utf-8", "surrogateescape")
        for name, value in objects.items()
        if isinstance(value, Stream) and value.get(Name.Subtype) == Name.Form
    )


def _names(resources: pikepdf.Object, category: Name) -> list[str]:
    known = resources.get(category)
    return [str(name)[1:] for name in known] if isinstance(known, Dictionary) else []


def _free(used: Counter[str], default: str, contents: list[bytes]) -> Iterator[bytes]:
    """Names that are not used yet, with the prefix that most used ones have, counted on."""
    prefixes: Counter[str] = Counter()
    highest = 0
    for name, count in used.items():
        match = re.fullmatch(r"([A-Za-z]{1,4}_?)(\d{1,4})", name)
        if match:
            prefixes[match[1]] += count
    prefix = max(prefixes, key=prefixes.__getitem__) if prefixes else default
    for name in used:
        match = re.fullmatch(re.escape(prefix) + r"(\d{1,4})", name)
        highest = max(highest, int(match[1])) if match else highest
    named = re.compile(rb"/%s(\d{1,4})(?!\d)" % prefix.encode())
    highest = max([highest, *(int(number) for content in contents for number in set(named.findall(content)))])
    while True:
        highest += 1
        if f"{prefix}{highest}" not in used:
            yield f"{prefix}{highest}".encode()
