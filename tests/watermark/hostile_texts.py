"""Builders of PDFs whose text is made to hurt who weaves it. Each is small to write down and named by what it does."""

from collections.abc import Callable, Iterable

from tests.watermark.hostile import BOX, MIB, many_objects, pdf, stream

CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
HELVETICA = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
LINE = b"BT /F1 10 Tf 72 700 Td (A line of words to move) Tj ET "
FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<</Font<</F1 5 0 R>>/XObject<</X %d 0 R>>>>"


def written(
    content: bytes, *more: bytes, font: bytes = HELVETICA, page: bytes = b"", box: bytes = BOX
) -> bytes:
    """One page with this content; `font` is object 5 and called F1, `more` begins with object 6, which is called X."""
    resources = b"/Resources<</Font<</F1 5 0 R>>" + b"/XObject<</X 6 0 R>>" * bool(more) + b">>"
    entries = b"<</Type/Page/Parent 2 0 R" + box + b"/Contents 4 0 R" + resources + page + b">>"
    return pdf(CATALOG, PAGES, entries, stream(content), font, *more)


def shown(text: bytes, before: bytes = b"", size: bytes = b"10") -> bytes:
    """A page with a line before, then `text` after the operators `before`, then another line."""
    return written(
        LINE + b"BT /F1 %s Tf 72 600 Td %s %s ET " % (size, before, text) + LINE.replace(b"700", b"500")
    )


def words_in_lines(count: int, a_line: int) -> bytes:
    """So many words, in lines of `a_line` of them."""
    line = b"(" + b"to " * a_line + b") Tj 0 -1 Td\n"
    return written(b"BT /F1 9 Tf 1 780 Td " + line * (count // a_line) + b"ET")


def straddling() -> bytes:
    """Operands in one stream and their operator in the next; an array that goes on; and an empty stream."""
    parts = (
        *(b"BT /F1 10", b"", b"Tf 72", b"700 Td [(A line) -300", b"(of words)"),
        *(b"] TJ 0", b"-20 Td (more words) Tj ET"),
    )
    entries = b"<</Type/Page/Parent 2 0 R%s/Contents[%s]/Resources<</Font<</F1 4 0 R>>>>>>" % (
        BOX,
        b" ".join(b"%d 0 R" % number for number in range(5, 5 + len(parts))),
    )
    return pdf(CATALOG, PAGES, entries, HELVETICA, *map(stream, parts))


def composite(widths: bytes = b"", cmap: bytes = b"", default: bytes = b"500") -> bytes:
    """A page in a two-byte font with this `W` array and this ToUnicode."""
    font = (
        b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[<</Type/Font/Subtype/CIDFontType2"
        b"/BaseFont/A/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/DW %s/W[%s]>>]"
        b"/ToUnicode 6 0 R>>"
    ) % (default, widths)
    text = b"BT /F1 10 Tf 72 700 Td <0041004200200043004400200045> Tj ET"
    return written(text, stream(cmap), font=font)


def ranges(count: int, entry: bytes) -> bytes:
    """A CMap with so many of this entry."""
    return b"1 begincodespacerange<0000><ffff>endcodespacerange %d beginbfrange %s endbfrange" % (
        count,
        entry * count,
    )


def type3(matrix: bytes, width: bytes) -> bytes:
    """A page in a Type 3 font of this matrix whose letters are so wide."""
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 0 0]/FontMatrix[%s]/FirstChar 32/LastChar 33/Widths[%s %s]"
        b"/Encoding<</Differences[32/space/a]>>/CharProcs<</a 6 0 R/space 6 0 R>>/Resources<<>>>>"
    ) % (matrix, width, width)
    return written(
        b"BT /F1 10 Tf 72 700 Td (!! ! !!! !!) Tj ET", stream(b"500 0 d0 0 0 400 400 re f"), font=font
    )


def simple(widths: bytes, first: bytes = b"0") -> bytes:
    """A page in a one-byte font with these widths."""
    font = b"<</Type/Font/Subtype/TrueType/BaseFont/A/FirstChar %s/LastChar 255/Widths[%s]>>" % (
        first,
        widths,
    )
    return written(LINE, font=font)


def nested_forms(depth: int, draws: int) -> bytes:
    """A form within a form, so deep; each draws the next so often."""
    forms = [
        stream(LINE + b"/X Do " * draws, FORM % (7 + number if number + 1 < depth else 7777))
        for number in range(depth)
    ]
    return written(b"/X Do " * draws, *forms)


def form_often(count: int) -> bytes:
    """One form with a line, drawn so often."""
    return written(b"/X Do " * count, stream(LINE, FORM % 7777))


def recursive_forms() -> bytes:
    """Two forms that draw each other."""
    return written(b"/X Do", stream(LINE + b"/X Do", FORM % 7), stream(LINE + b"/X Do", FORM % 6))


# Name -> builder, and what may become of it. `accept` alone: readers show such a page, so weaving must bear it too.
HOSTILE_TEXTS: dict[str, tuple[Callable[[], bytes], Iterable[str]]] = {
    "million-objects": (lambda: many_objects(1_000_000), ["accept", "too-costly"]),
    "million-words": (lambda: words_in_lines(1_000_000, 100), ["accept", "too-costly"]),
    "line-of-100000-words": (lambda: words_in_lines(100_000, 100_000), ["accept", "too-costly"]),
    "100000-steps": (lambda: shown(b"3 0 Td (a) Tj " * 100_000), ["accept", "too-costly"]),
    "100000-empty-steps": (lambda: shown(b"1 0 Td " * 100_000), ["accept"]),
    "100000-lines-in-one-row": (lambda: shown(b"100 0 Td (a b) Tj " * 50_000), ["accept", "too-costly"]),
    "100000-nested-q": (lambda: written(b"q " * 100_000 + LINE), ["accept"]),
    "100000-stray-Q": (lambda: written(LINE + b"Q " * 100_000 + LINE), ["accept"]),
    "100000-nested-BT": (lambda: written(b"BT " * 100_000 + LINE), ["accept"]),
    "huge-TJ": (lambda: shown(b"[" + b"(a b) -250 " * 100_000 + b"] TJ"), ["accept", "too-costly"]),
    "TJ-of-numbers": (lambda: shown(b"[" + b"1 " * 500_000 + b"(a b)] TJ"), ["accept"]),
    "string-of-10-MB": (lambda: shown(b"(" + b"a" * 10 * MIB + b") Tj"), ["accept", "too-costly"]),
    "string-of-10-MB-parentheses": (lambda: written(LINE + b"(" * 10 * MIB), ["accept"]),
    "hex-string-of-10-MB": (lambda: shown(b"<" + b"41" * 5 * MIB + b"> Tj"), ["accept", "too-costly"]),
    "escapes-of-1-MB": (lambda: shown(b"(" + b"\\)" * MIB + b") Tj"), ["accept", "too-costly"]),
    "million-operands": (lambda: written(LINE + b"1 " * 1_000_000 + b"w " + LINE), ["accept"]),
    "numbers-of-10000-digits": (lambda: shown(b"[(a b) -" + b"9" * 10_000 + b" (c d)] TJ"), ["accept"]),
    "decimals-of-10000-digits": (lambda: shown(b"[(a b) -0." + b"3" * 10_000 + b" (c d)] TJ"), ["accept"]),
    "exponents": (
        lambda: shown(b"[(a b) -1e400 (c d) 1e308 (e f) -1e308 (g)] TJ (more of it) Tj"),
        ["accept"],
    ),
    "no-numbers": (
        lambda: shown(b"[(a b) nan (c d) inf (e f) -- (g h) 1_0 (i)] TJ nan inf Td (more) Tj"),
        ["accept"],
    ),
    "steps-beyond-all": (
        lambda: shown(b"1e308 0 Td (a b) Tj 1e308 0 Td (c d) Tj -1e308 1e308 Td (e) Tj"),
        ["accept"],
    ),
    "spacing-beyond-all": (lambda: shown(b"(a b c d) Tj", b"1e308 Tc 1e308 Tw"), ["accept"]),
    "stretch-0": (lambda: shown(b"(a b c d) Tj", b"0 Tz"), ["accept"]),
    "stretch-negative": (lambda: shown(b"(a b c d) Tj", b"-100 Tz"), ["accept"]),
    "stretch-1e9": (lambda: shown(b"(a b c d) Tj", b"1000000000 Tz"), ["accept"]),
    "stretch-1e308": (lambda: shown(b"[(a b) 1e308 (c d)] TJ", b"1e308 Tz"), ["accept"]),
    "mode-beyond-all": (lambda: shown(b"(a b c d) Tj", b"1e300 Tr"), ["accept"]),
    "leading-beyond-all": (
        lambda: shown(b"T* (a b c d) Tj T* T* (e f) ' 1e308 1e308 (g h) \"", b"1e308 TL"),
        ["accept"],
    ),
    "size-0": (lambda: shown(b"(a b c d) Tj", size=b"0"), ["accept"]),
    "size-1e9": (lambda: shown(b"(a b c d) Tj", size=b"1000000000"), ["accept"]),
    "size-1e-9": (lambda: shown(b"(a b c d) Tj", size=b"0.000000001"), ["accept"]),
    "size-1e308": (lambda: shown(b"[(a b) -250 (c d)] TJ 5 0 Td (e) Tj", size=b"1e308"), ["accept"]),
    "text-matrix-singular": (lambda: shown(b"1 1 1 1 72 600 Tm (a b c d) Tj 5 0 Td (e) Tj"), ["accept"]),
    "text-matrix-zero": (lambda: shown(b"0 0 0 0 0 0 Tm (a b c d) Tj 5 0 Td (e) Tj"), ["accept"]),
    "text-matrix-beyond-all": (
        lambda: shown(b"1e308 1e308 -1e308 1e308 1e308 1e308 Tm (a b c d) Tj 5 0 Td (e) Tj"),
        ["accept"],
    ),
    "matrix-1e-30": (lambda: written(LINE + b"q 1e-30 0 0 1e-30 0 0 cm " + LINE + b"Q " + LINE), ["accept"]),
    "matrix-0.000001": (
        lambda: written(LINE + b"q .000001 0 0 .000001 0 0 cm BT /F1 10000000 Tf 5 0 Td (a b c) Tj ET Q"),
        ["accept"],
    ),
    "matrix-1e30": (lambda: written(LINE + b"q 1e30 0 0 1e30 0 0 cm " + LINE + b"Q " + LINE), ["accept"]),
    "matrix-grows-without-end": (
        lambda: written(LINE + b"q " + b"10 0 0 10 0 0 cm " * 5_000 + LINE + b"Q " + LINE),
        ["accept"],
    ),
    "matrix-shrinks-to-nothing": (
        lambda: written(LINE + b"q " + b".1 0 0 .1 0 0 cm " * 5_000 + LINE + b"Q " + LINE),
        ["accept"],
    ),
    "matrix-for-the-whole-page": (
        lambda: written(b".0000001 0 0 .0000001 0 0 cm " + LINE),
        ["accept", "cannot-mark"],
    ),
    "odd-turn": (lambda: written(LINE, page=b"/Rotate 45"), ["accept"]),
    "user-unit-1e-3": (
        lambda: written(LINE, page=b"/UserUnit .001", box=b"/MediaBox[0 0 612000 792000]"),
        ["accept"],
    ),
    "straddling-streams": (straddling, ["accept"]),
    "W-of-a-million": (lambda: composite(b"1 500 500 " * 333_333), ["accept"]),
    "W-of-wide-ranges": (lambda: composite(b"0 65535 500 " * 3_000), ["accept"]),
    "W-of-one-array": (lambda: composite(b"0[" + b"500 " * 1_000_000 + b"]"), ["accept"]),
    "W-of-nonsense": (lambda: composite(b"0 /A 500 (x) [1 2] -5 -9 1e30 0[-1e30 /B]"), ["accept"]),
    "W-of-ranges-beyond-all": (
        lambda: composite(b"-99999999999 99999999999 500 9223372036854775807 9223372036854775807 1"),
        ["accept"],
    ),
    "default-width-1e30": (lambda: composite(default=b"1e30"), ["accept"]),
    "map-of-100000-ranges": (lambda: composite(cmap=ranges(100_000, b"<0000><ffff><0000>\n")), ["accept"]),
    "map-of-one-endless-array": (
        lambda: composite(cmap=ranges(1, b"<0000><ffff>[" + b"<0020>" * 1_000_000 + b"]")),
        ["accept"],
    ),
    "map-of-endless-codes": (
        lambda: composite(cmap=ranges(3, b"<" + b"f" * 100_000 + b"><" + b"f" * 100_001 + b"><0020>")),
        ["accept"],
    ),
    "map-of-open-blocks": (lambda: composite(cmap=b"beginbfrange beginbfchar " * 150_000), ["accept"]),
    "map-of-odd-digits": (
        lambda: composite(cmap=b"1 beginbfchar <0><1> <041><0> <><> <zz><20> endbfchar"),
        ["accept"],
    ),
    "widths-1e30": (lambda: simple(b"1000000000000000000000000000000.0 " * 256), ["accept", "cannot-mark"]),
    "widths-negative": (lambda: simple(b"-500 " * 256), ["accept"]),
    "widths-0": (lambda: simple(b"0 " * 256), ["accept"]),
    "widths-of-a-million": (lambda: simple(b"500 " * 1_000_000), ["accept"]),
    "first-code-beyond-all": (lambda: simple(b"500 " * 256, first=b"9223372036854775807"), ["accept"]),
    "type3-degenerate": (lambda: type3(b"0 0 0 0 0 0", b"500"), ["accept"]),
    "type3-huge": (lambda: type3(b"1e30 0 0 1e30 0 0", b"1e30"), ["accept"]),
    "type3-tiny": (lambda: type3(b"1e-30 0 0 1e-30 0 0", b"500"), ["accept"]),
    "type3-short-matrix": (lambda: type3(b"1", b"500"), ["accept"]),
    "type3-without-numbers": (lambda: type3(b"/a /b /c /d /e /f", b"/g"), ["accept"]),
    "forms-100-deep": (lambda: nested_forms(100, 1), ["accept"]),
    "forms-that-multiply": (lambda: nested_forms(8, 100), ["too-costly", "damaged"]),
    "forms-that-draw-each-other": (recursive_forms, ["accept"]),
    "form-drawn-100000-times": (lambda: form_often(100_000), ["accept", "too-costly"]),
}
