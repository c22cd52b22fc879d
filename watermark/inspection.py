"""Looks at an uploaded PDF and says what it is, or refuses it with a typed reason. Runs in the child process.

Sound is what qpdf opens, with at least one page, none too small for a legible mark, within the limits. Warnings are
no reason to refuse: a fifth of real reports has some.
"""

import math
import re
import zlib
from collections import Counter
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

from watermark.clean import clean, dictionaries, name_text
from watermark.errors import RefusalReason, Refused
from watermark.producer import producer_of

MIB = 1024 * 1024

# The page as it is shown. Narrower or lower ones hold no footer of three lines at five points beside their content.
MIN_PAGE_WIDTH_PT = 144.0
MIN_PAGE_HEIGHT_PT = 72.0
# Readers compute in single precision: beyond this a point is no longer placed to a tenth.
MAX_COORDINATE = 1_000_000.0
# ISO 32000-1 has no limit; a page without any box is read as US letter by every reader.
LETTER = (0.0, 0.0, 612.0, 792.0)
# All that is not an image: the largest of 778 real reports inflates to a quarter of this.
MAX_INFLATED_BYTES = 256 * MIB
# A page tree is never as deep; a loop of parents is.
MAX_TREE_DEPTH = 1000
# ISO 32000-1, annex H: readers look for the header in the first kilobyte.
HEADER_WINDOW = 1024

# ISO 32000-1, 9.5 and 9.7.
FONT_KINDS = frozenset(
    {"Type0", "Type1", "MMType1", "TrueType", "Type3", "CIDFontType0", "CIDFontType2", "other"}
)
_VERSION = re.compile(r"[0-9]\.[0-9]")


@dataclass(frozen=True)
class PdfLimits:
    """What an accepted PDF may have. Both are settings of the service."""

    max_bytes: int = 100 * MIB
    max_pages: int = 2000


DEFAULT_PDF_LIMITS = PdfLimits()


@dataclass(frozen=True)
class PageGeometry:
    """What of a page is seen: left, bottom, right, top in its own units; clockwise turn; points a unit."""

    box: tuple[float, float, float, float]
    rotation: int
    user_unit: float
    default_box: bool

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points, as the page is shown."""
        width = (self.box[2] - self.box[0]) * self.user_unit
        height = (self.box[3] - self.box[1]) * self.user_unit
        return (height, width) if self.rotation in (90, 270) else (width, height)


@dataclass(frozen=True)
class Inspection:
    """What a sound PDF is. `removes` is what cleaning takes out, `fonts` counts font objects by kind.

    `version` is of the format, such as `1.7`, or `unknown`; `producer` is one of `watermark.producer.PRODUCERS`.
    """

    pages: tuple[PageGeometry, ...]
    version: str
    encrypted: bool
    producer: str
    tagged: bool
    outline: bool
    form: bool
    removes: dict[str, int]
    fonts: dict[str, int]


def inspect_task(pdf: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The task `inspect` of the sandbox: the facts of `inspect_pdf`. Parameters: `max_bytes`, `max_pages`, or none."""
    return asdict(inspect_pdf(pdf, limits_from(parameters))), b""


def limits_from(parameters: dict[str, Any]) -> PdfLimits:
    """The limits among a task's parameters; defaults for those that are absent."""
    return PdfLimits(
        int(parameters.get("max_bytes", DEFAULT_PDF_LIMITS.max_bytes)),
        int(parameters.get("max_pages", DEFAULT_PDF_LIMITS.max_pages)),
    )


def inspect_pdf(pdf: bytes, limits: PdfLimits = DEFAULT_PDF_LIMITS) -> Inspection:
    """What this PDF is. Raises `Refused` if it is not sound."""
    with open_sound_pdf(pdf, limits) as opened:
        return look_at(opened)


def open_sound_pdf(pdf: bytes, limits: PdfLimits = DEFAULT_PDF_LIMITS) -> pikepdf.Pdf:
    """The opened PDF after all that can refuse it: size, password, damage, pages and their boxes, inflated size.

    Raises `Refused`.
    """
    if len(pdf) > limits.max_bytes:
        raise Refused(RefusalReason.TOO_LARGE)
    opened = _open(pdf)
    try:
        count = len(opened.pages)
        if count == 0:
            raise Refused(RefusalReason.NO_PAGES)
        if count > limits.max_pages:
            raise Refused(RefusalReason.TOO_MANY_PAGES)
        for geometry in page_geometries(opened):
            _check_size(geometry)
        _check_inflated(opened)
    except (pikepdf.PdfError, ValueError, RuntimeError) as error:
        opened.close()
        raise Refused(RefusalReason.DAMAGED) from error
    except BaseException:
        opened.close()
        raise
    return opened


def look_at(pdf: pikepdf.Pdf) -> Inspection:
    """The facts of an opened PDF. Cleans it on the way, to know what that removes. Raises `Refused` if damaged."""
    try:
        producer = producer_of(pdf)
        fonts = Counter(_font_kind(item) for item in dictionaries(pdf) if item.get("/Type") == Name.Font)
        removes = clean(pdf)
        catalog = pdf.Root
        outline, form = catalog.get("/Outlines"), catalog.get("/AcroForm")
        return Inspection(
            pages=page_geometries(pdf),
            version=_version(pdf),
            encrypted=pdf.is_encrypted,
            producer=producer,
            tagged=isinstance(catalog.get("/StructTreeRoot"), Dictionary),
            outline=isinstance(outline, Dictionary) and "/First" in outline,
            form=isinstance(form, Dictionary) and "/Fields" in form,
            removes=removes,
            fonts=dict(sorted(fonts.items())),
        )
    except pikepdf.PdfError as error:
        raise Refused(RefusalReason.DAMAGED) from error


def page_geometries(pdf: pikepdf.Pdf) -> tuple[PageGeometry, ...]:
    """The geometry of each page in order."""
    return tuple(page_geometry(page.obj) for page in pdf.pages)


def page_geometry(page: Object) -> PageGeometry:
    """What of this page is seen, as readers take it: inverted boxes are turned, wrong types count as absent.

    The visible box is the crop box inside the media box, and may have no area. A rotation that is no quarter turn is
    cut down to one, as PDFium does.
    """
    media = _box(_inherited(page, "/MediaBox"))
    crop = _box(_inherited(page, "/CropBox"))
    box = media or LETTER
    if crop:
        box = (max(box[0], crop[0]), max(box[1], crop[1]), min(box[2], crop[2]), min(box[3], crop[3]))
    turn = _number(_inherited(page, "/Rotate")) or 0.0
    unit = _number(page.get("/UserUnit")) or 1.0
    return PageGeometry(box, int(turn / 90) * 90 % 360, unit if unit > 0 else 1.0, media is None)


def _open(pdf: bytes) -> pikepdf.Pdf:
    try:
        return pikepdf.open(BytesIO(pdf), suppress_warnings=True)
    except pikepdf.PasswordError as error:
        raise Refused(RefusalReason.NEEDS_PASSWORD) from error
    except (pikepdf.PdfError, ValueError, RuntimeError) as error:
        if "encryption" in str(error):
            raise Refused(RefusalReason.NEEDS_PASSWORD) from error
        if b"%PDF-" not in pdf[:HEADER_WINDOW]:
            raise Refused(RefusalReason.NOT_A_PDF) from error
        raise Refused(RefusalReason.DAMAGED) from error


def _check_size(geometry: PageGeometry) -> None:
    width, height = geometry.size
    if width < MIN_PAGE_WIDTH_PT or height < MIN_PAGE_HEIGHT_PT:
        raise Refused(RefusalReason.PAGE_TOO_SMALL)
    if max(abs(edge) for edge in geometry.box) > MAX_COORDINATE or max(width, height) > MAX_COORDINATE:
        raise Refused(
            RefusalReason.CANNOT_MARK, "A page is larger than readers can draw. Print the PDF to a new one."
        )


def _check_inflated(pdf: pikepdf.Pdf) -> None:
    """Raise `Refused` if what is not an image, an attachment or metadata inflates beyond the limit."""
    budget = MAX_INFLATED_BYTES
    for thing in pdf.objects:
        if not isinstance(thing, Stream):
            continue
        if thing.get("/Subtype") in (Name.Image, Name.XML) or thing.get("/Type") in (
            Name.EmbeddedFile,
            Name.XRef,
        ):
            continue
        budget -= _inflated_size(thing, budget)
        if budget < 0:
            raise Refused(RefusalReason.TOO_COSTLY)


def _inflated_size(stream: Stream, budget: int) -> int:
    """Bytes after all filters; as soon as it exceeds the budget, some number above it."""
    filters = stream.get("/Filter")
    names = [
        name_text(item) for item in (filters if isinstance(filters, Array) else [filters]) if item is not None
    ]
    try:
        data = stream.read_raw_bytes()
        while names and names[0] in ("/FlateDecode", "/Fl"):
            data = zlib.decompressobj().decompress(data, budget + 1)
            names.pop(0)
            if len(data) > budget:
                break
        else:
            if names:
                data = stream.read_bytes(pikepdf.StreamDecodeLevel.specialized)
    except (zlib.error, pikepdf.PdfError):
        # What cannot be decoded costs nobody anything.
        return 0
    return len(data)


def _inherited(page: Object, key: str) -> object:
    """The page's value or that of the nearest node above it; None if there is none within a sane depth."""
    node: object = page
    for _ in range(MAX_TREE_DEPTH):
        if not isinstance(node, Dictionary):
            return None
        value = node.get(key)
        if value is not None:
            return value
        node = node.get("/Parent")
    return None


def _box(value: object) -> tuple[float, float, float, float] | None:
    if not isinstance(value, Array) or len(value) != 4:
        return None
    numbers = [_number(item) for item in value]
    known = [number for number in numbers if number is not None]
    if len(known) < 4:
        return None
    x0, y0, x1, y1 = known
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _version(pdf: pikepdf.Pdf) -> str:
    """The later one of header and catalog (ISO 32000-1, 7.5.2)."""
    stated = (pdf.pdf_version, name_text(pdf.Root.get("/Version"))[1:])
    return max((text for text in stated if _VERSION.fullmatch(text)), default="unknown")


def _font_kind(font: Object) -> str:
    kind = name_text(font.get("/Subtype"))[1:]
    return kind if kind in FONT_KINDS else "other"
