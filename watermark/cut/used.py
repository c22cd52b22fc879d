"""What of its resources a content stream uses; the rest of them, which may be all pages' together, is left out."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

from watermark.clean import name_text
from watermark.cut.reach import Id, walk
from watermark.operators import Operators
from watermark.pages import decoded

Used = dict[str, set[bytes]]
"""Category of resources, such as `/Font` → names in it."""

# The operators whose last operand names a resource, and of which category (ISO 32000-1, 7.8.3).
_NAMING = {
    b"Do": "/XObject",
    b"gs": "/ExtGState",
    b"cs": "/ColorSpace",
    b"CS": "/ColorSpace",
    b"scn": "/Pattern",
    b"SCN": "/Pattern",
    b"sc": "/Pattern",
    b"SC": "/Pattern",
    b"sh": "/Shading",
    b"BDC": "/Properties",
    b"DP": "/Properties",
}
# Used without being named (ISO 32000-1, 8.6.5.6).
_DEFAULTS = frozenset((b"DefaultGray", b"DefaultRGB", b"DefaultCMYK"))
_INLINE_SPACE = re.compile(rb"/(?:CS|ColorSpace)[\0\t\n\f\r ]*/([^\0\t\n\f\r ()<>\[\]{}/%]+)")
# What of a form or an image draws it. What it is encoded with, qpdf writes.
_STREAM_KEYS = {
    "/Form": frozenset(
        ("/Type", "/Subtype", "/FormType", "/BBox", "/Matrix", "/Resources", "/Group", "/OC", "/Name")
    ),
    "/Image": frozenset(
        (
            *(
                "/Type",
                "/Subtype",
                "/Width",
                "/Height",
                "/ColorSpace",
                "/BitsPerComponent",
                "/Intent",
                "/ImageMask",
            ),
            *("/Mask", "/SMask", "/SMaskInData", "/Matte", "/Decode", "/Interpolate", "/Name", "/OC"),
        )
    ),
}
_ENCODING = frozenset(("/Length", "/Filter", "/DecodeParms"))
# Of everything else that a page reaches: editors' own data, other files, numbers of a structure tree that is made anew.
_PRIVATE_KEYS = (
    "/PieceInfo",
    "/Metadata",
    "/AF",
    "/LastModified",
    "/Measure",
    "/PtData",
    "/VP",
    "/StructParent",
)


def used_by(content: bytes) -> Used:
    """The names that this content uses, by category."""
    operators = Operators(content)
    used: Used = defaultdict(set)
    before = 0
    for operator, operands, position in operators:
        if operator in _NAMING:
            if name := operators.name(operands):
                used[_NAMING[operator]].add(name)
        elif operator == b"Tf":
            if name := operators.name(operands[:-1]):
                used["/Font"].add(name)
        elif operator == b"EI":
            for found in _INLINE_SPACE.finditer(content, before, position):
                used["/ColorSpace"].add(found[1])
        before = position
    return used


class Pruning:
    """Gives what draws a page resources of its own that hold no more than it uses."""

    def __init__(self, document: pikepdf.Pdf) -> None:
        self._document = document

    def resources(self, resources: Object, contents: Iterable[bytes]) -> Object:
        """These resources, with only what the contents use: by name, or by a form or glyph that has none of its own."""
        used: Used = defaultdict(set, {"/ColorSpace": set(_DEFAULTS)})
        waiting = list(contents)
        seen: set[Id] = set()
        while waiting:
            for category, names in used_by(waiting.pop()).items():
                for name in names - used[category]:
                    used[category].add(name)
                    for thing in _drawn(_entry(resources, category, name)):
                        if thing.objgen not in seen and "/Resources" not in thing:
                            seen.add(thing.objgen)
                            waiting += _contents(thing)
        return self._document.make_indirect(_pruned(resources, used))

    def within(self, pages: list[Dictionary]) -> list[Object]:
        """Prune all that these pages reach, too; returns every dictionary that they then reach."""
        found = []
        mine = {page.objgen for page in pages}
        stops = {page["/Parent"].objgen for page in pages if isinstance(page.get("/Parent"), Dictionary)}
        for thing in walk(pages, stops, set()):
            found.append(thing)
            if thing.objgen in mine:
                continue
            kept = _STREAM_KEYS.get(name_text(thing.get("/Subtype"))) if isinstance(thing, Stream) else None
            for key in list(thing.keys()):
                if key in _PRIVATE_KEYS or (kept is not None and key not in kept and key not in _ENCODING):
                    del thing[key]
            own = thing.get("/Resources")
            if isinstance(own, Dictionary) and _draws(thing):
                thing["/Resources"] = self.resources(own, _contents(thing))
        return found


def _pruned(resources: Object, used: Used) -> Dictionary:
    found = Dictionary()
    for category, value in resources.items():
        if category == "/ProcSet" and isinstance(value, Array):
            found[category] = value
        elif isinstance(value, Dictionary):
            names = used.get(category, set())
            entries = {
                name: item for name, item in value.items() if item is not None and _bytes(name) in names
            }
            if entries:
                found[category] = Dictionary(entries)
    return found


def _entry(resources: Object, category: str, name: bytes) -> object:
    holder = resources.get(category)
    return (
        holder.get("/" + name.decode("utf-8", "surrogateescape")) if isinstance(holder, Dictionary) else None
    )


def _drawn(thing: object) -> Iterator[Object]:
    """The form, pattern or glyphs behind a resource, and the form of its mask."""
    mask = thing.get("/SMask") if isinstance(thing, Dictionary) else None
    for one in (thing, mask.get("/G") if isinstance(mask, Dictionary) else None):
        if isinstance(one, Dictionary | Stream) and _draws(one):
            yield one


def _draws(thing: Object) -> bool:
    """Whether this has content: a form, a tiling pattern, or the glyphs of a Type 3 font."""
    if isinstance(thing, Stream):
        return thing.get("/Subtype") == Name.Form or "/PatternType" in thing
    return thing.get("/Subtype") == Name.Type3


def _contents(thing: Object) -> list[bytes]:
    if isinstance(thing, Stream):
        return [decoded(thing)]
    glyphs = thing.get("/CharProcs")
    streams = [glyph for _, glyph in glyphs.items()] if isinstance(glyphs, Dictionary) else []
    return [decoded(glyph) for glyph in streams if isinstance(glyph, Stream)]


def _bytes(name: str) -> bytes:
    return name[1:].encode("utf-8", "surrogateescape")
