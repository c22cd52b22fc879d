"""Builders of PDFs that are made to hurt. Each is small to write down and named by what it does."""

import zlib
from collections.abc import Callable, Iterable

BOX = b"/MediaBox[0 0 612 792]"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGE = b"<</Type/Page/Parent 2 0 R" + BOX + b"/Contents 4 0 R/Resources<<>>>>"
CONTENT = b"<</Length 4>>stream\nq Q \nendstream"


def pdf(*bodies: bytes, trailer: bytes = b"", header: bytes = b"%PDF-1.7\n") -> bytes:
    """A PDF of these objects, numbered from 1, with a correct cross-reference table. The first is the catalog."""
    out = bytearray(header)
    offsets = []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, trailer, start)
    return bytes(out)


def plain(page: bytes = PAGE, *more: bytes, catalog: bytes = CATALOG, content: bytes = CONTENT) -> bytes:
    """One sound page, with parts exchanged; `more` begins with object 5."""
    return pdf(catalog, PAGES, page, content, *more)


def boxed(box: bytes, extra: bytes = b"") -> bytes:
    """One page with this media box."""
    return plain(b"<</Type/Page/Parent 2 0 R/MediaBox%s%s/Contents 4 0 R>>" % (box, extra))


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object's body."""
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(data), entries, data)


def zeros_deflated(size: int) -> bytes:
    """So many zero bytes, deflated, without ever holding them."""
    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(size >> 20)) + packer.flush()


def bomb(layers: int, size: int) -> bytes:
    """A content stream of this many bytes behind so many layers of deflate."""
    data = zeros_deflated(size)
    for _ in range(layers - 1):
        data = zlib.compress(data, 9)
    filters = b"/FlateDecode " * layers
    return plain(content=stream(data, b"/Filter[%s]" % filters))


def page_tree_loop() -> bytes:
    return pdf(
        CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Pages/Parent 2 0 R/Kids[2 0 R]/Count 1>>"
    )


def parent_loop() -> bytes:
    return pdf(
        CATALOG,
        PAGES,
        b"<</Type/Page/Parent 4 0 R/Contents 5 0 R>>",
        b"<</Type/Pages/Parent 4 0 R>>",
        CONTENT,
    )


def deep_page_tree(depth: int) -> bytes:
    nodes = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (number + 3) for number in range(depth)]
    return pdf(CATALOG, *nodes, b"<</Type/Page/Parent %d 0 R%s>>" % (depth + 1, BOX))


def deep_nesting(depth: int, opening: bytes, closing: bytes) -> bytes:
    return plain(PAGE, opening * depth + closing * depth, catalog=b"<</Type/Catalog/Pages 2 0 R/Odd 5 0 R>>")


def outline_loop(items: int) -> bytes:
    nodes = [
        b"<</Title(x)/Parent 5 0 R/Next %d 0 R/First %d 0 R/A<</S/JavaScript/JS(x)>>>>"
        % (6 + (number + 1) % items, 6 + (number * 7) % items)
        for number in range(items)
    ]
    return plain(
        PAGE,
        b"<</Type/Outlines/First 6 0 R/Last 6 0 R/Count -99999999>>",
        *nodes,
        catalog=b"<</Type/Catalog/Pages 2 0 R/Outlines 5 0 R>>",
    )


def action_loop() -> bytes:
    return plain(
        PAGE,
        b"<</S/GoTo/D[3 0 R/Fit]/Next 6 0 R>>",
        b"<</S/JavaScript/JS(x)/Next[5 0 R 6 0 R]>>",
        catalog=b"<</Type/Catalog/Pages 2 0 R/OpenAction 5 0 R>>",
    )


def xobject_loop() -> bytes:
    form = stream(b"/X Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>")
    page = b"<</Type/Page/Parent 2 0 R%s/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>" % BOX
    return plain(page, form, content=stream(b"/X Do"))


def object_stream_loop() -> bytes:
    """An object stream that says it lies inside itself, found by a cross-reference stream."""
    out = bytearray(b"%PDF-1.7\n")
    start = len(out)
    entries = b"".join(bytes([2, 0, 0, 2, 0]) for _ in range(4)) + bytes([1, 0, 9, 0, 0])
    out += b"5 0 obj\n" + stream(entries, b"/Type/XRef/W[1 2 2]/Size 5/Root 1 0 R") + b"\nendobj\n"
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def xref_loop() -> bytes:
    whole = plain()
    start = int(whole.rsplit(b"startxref\n", 1)[1].split()[0])
    return whole.replace(b"/Size 5", b"/Size 5/Prev %d" % start)


def wrong_types() -> bytes:
    """Every entry that the code reads holds something else."""
    catalog = (
        b"<</Type/Catalog/Pages 2 0 R/OpenAction 7/AA[1]/Names(x)/AcroForm 3.5/Outlines[]/Metadata/Name/AF 5"
        b"/StructTreeRoot true/Collection null/Perms(x)/PieceInfo[1 2]>>"
    )
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox(x)/CropBox[/a/b/c/d]/Rotate/Left/UserUnit(no)/Annots<</A 1>>/A 5 0 R"
        b"/AA 6/Thumb 3/Contents 7>>"
    )
    return plain(page, b"[<</S 1>> <</S/#8dX>> (x) null 5 0 R]", b"<</Type/#8d/Subtype 5/FT[]/EF 7/XFA 1/Next/N>>",
                 catalog=catalog)  # fmt: skip


def many_objects(count: int) -> bytes:
    return plain(PAGE, *(b"<</N %d>>" % number for number in range(count)))


def many_pages(count: int) -> bytes:
    kids = b"".join(b"%d 0 R " % (number + 3) for number in range(count))
    page = b"<</Type/Page/Parent 2 0 R%s>>" % BOX
    return pdf(CATALOG, b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count), *[page] * count)


def same_page_often(count: int) -> bytes:
    return pdf(CATALOG, b"<</Type/Pages/Kids[%s]/Count %d>>" % (b"3 0 R " * count, count), PAGE, CONTENT)


def truncated(keep: float) -> bytes:
    """So much of a sound file with an outline, from its beginning."""
    whole = outline_loop(20)
    return whole[: int(len(whole) * keep)]


MIB = 1 << 20

# Name -> builder, and what may become of it: the exact verdict where it is certain, else any typed one.
HOSTILE: dict[str, tuple[Callable[[], bytes], Iterable[str] | None]] = {
    "nothing": (lambda: b"", ["not-a-pdf"]),
    "not-a-pdf": (lambda: b"GIF89a" + bytes(2000), ["not-a-pdf"]),
    "header-only": (lambda: b"%PDF-1.7\n", ["damaged"]),
    "binary-zeros": (lambda: b"%PDF-1.7\n" + bytes(MIB), ["damaged"]),
    "page-tree-loop": (page_tree_loop, ["damaged", "no-pages"]),
    "parent-loop": (parent_loop, None),
    "deep-page-tree": (lambda: deep_page_tree(100_000), None),
    "deep-arrays": (lambda: deep_nesting(100_000, b"[", b"]"), None),
    "deep-dictionaries": (lambda: deep_nesting(100_000, b"<</a", b">>"), None),
    "unclosed-arrays": (lambda: deep_nesting(100_000, b"[", b""), None),
    "outline-loop": (lambda: outline_loop(5_000), ["accept"]),
    "action-loop": (action_loop, ["accept"]),
    "xobject-loop": (xobject_loop, ["accept"]),
    "object-stream-loop": (object_stream_loop, ["damaged", "no-pages"]),
    "xref-loop": (xref_loop, None),
    "flate-bomb": (lambda: bomb(1, 320 * MIB), ["too-costly"]),
    "nested-flate-bomb": (lambda: bomb(2, 320 * MIB), ["too-costly"]),
    "thrice-nested-flate-bomb": (lambda: bomb(3, 320 * MIB), ["too-costly"]),
    "million-filters": (
        lambda: plain(content=stream(b"x", b"/Filter[%s]" % (b"/FlateDecode " * 100_000))),
        ["accept", "damaged"],
    ),
    "run-length-bomb": (
        lambda: plain(content=stream(b"\x81\x00" * (4 * MIB), b"/Filter/RunLengthDecode")),
        ["too-costly"],
    ),
    "huge-box": (lambda: boxed(b"[0 0 1e30 1e30]"), None),
    "larger-than-drawable": (lambda: boxed(b"[0 0 2000000 2000000]"), ["cannot-mark"]),
    "far-from-the-origin": (lambda: boxed(b"[9999000 0 9999612 792]"), ["cannot-mark"]),
    "number-beyond-64-bit": (lambda: boxed(b"[0 0 99999999999999999999999999 792]"), None),
    "not-a-number-box": (lambda: boxed(b"[0 0 nan inf]"), None),
    "negative-box": (lambda: boxed(b"[-612 -792 0 0]"), ["accept"]),
    "inverted-box": (lambda: boxed(b"[612 792 0 0]"), ["accept"]),
    "zero-box": (lambda: boxed(b"[0 0 0 0]"), ["page-too-small"]),
    "flat-box": (lambda: boxed(b"[0 0 612 0.001]"), ["page-too-small"]),
    "narrow-when-turned": (lambda: boxed(b"[0 0 612 143]", b"/Rotate 90"), ["page-too-small"]),
    "crop-beside-media": (lambda: boxed(b"[0 0 612 792]", b"/CropBox[700 0 900 500]"), ["page-too-small"]),
    "tiny-user-unit": (lambda: boxed(b"[0 0 612 792]", b"/UserUnit 0.0001"), ["page-too-small"]),
    "huge-user-unit": (lambda: boxed(b"[0 0 612 792]", b"/UserUnit 1000000"), ["cannot-mark"]),
    "odd-rotation": (lambda: boxed(b"[0 0 612 792]", b"/Rotate 1e18"), None),
    "wrong-types": (wrong_types, ["accept"]),
    "no-catalog": (lambda: pdf(b"(nothing)"), ["damaged"]),
    "a-hundred-thousand-objects": (lambda: many_objects(100_000), None),
    "too-many-pages": (lambda: many_pages(2_001), ["too-many-pages"]),
    "same-page-5000-times": (lambda: same_page_often(5_000), ["too-many-pages"]),
    "trailing-garbage": (lambda: plain() + bytes(range(256)) * 4096, ["accept"]),
    "leading-garbage": (lambda: b"\x00\xff" * 300 + plain(), ["accept"]),
    "no-end-of-file": (lambda: plain().replace(b"%%EOF", b""), ["accept"]),
    "startxref-beyond-end": (lambda: plain().replace(b"startxref\n", b"startxref\n9999999"), ["accept"]),
    "length-lies": (lambda: plain(content=b"<</Length 999999999>>stream\nq Q\nendstream"), None),
    "length-is-itself": (lambda: plain(content=b"<</Length 4 0 R>>stream\nq Q\nendstream"), None),
    "unknown-encryption": (
        lambda: pdf(CATALOG, PAGES, PAGE, CONTENT, b"<</Filter/Nobody/V 9>>", trailer=b"/Encrypt 5 0 R/ID[(a)(a)]"),
        ["needs-password"],
    ),
    **{f"truncated-at-{cut}%": (lambda cut=cut: truncated(cut / 100), None) for cut in range(5, 100, 10)},
}  # fmt: skip
