"""The figures of the sample report, drawn as vectors. Sizes and places are in points."""

from __future__ import annotations

from itertools import pairwise

from reportlab.graphics.shapes import Drawing, Line, Polygon, Rect, String
from reportlab.lib.colors import Color, HexColor, white

from service.demo.report_fonts import SANS, SANS_BOLD
from service.demo.report_layout import ACCENT, INK, PALE, RULE, WARN, WARN_PALE, WIDE_WIDTH, WIDTH

_GREEN = HexColor("#e6f1e8")
_DOWN = HexColor("#7ba0b8")
_COMMITTED = 99.9  # per cent of a month

_AVAILABILITY = (
    ("Oct", 99.98), ("Nov", 99.97), ("Dec", 99.91), ("Jan", 99.99), ("Feb", 99.98), ("Mar", 99.99),
    ("Apr", 99.97), ("May", 99.99), ("Jun", 99.98), ("Jul", 99.95), ("Aug", 99.99), ("Sep", 99.99),
)  # fmt: skip

_RISKS = {(1, 2): 6, (1, 3): 9, (1, 4): 4, (1, 5): 2, (2, 1): 5, (2, 2): 8, (2, 3): 11, (2, 4): 5, (3, 1): 4, (3, 2): 7,
          (3, 3): 6, (3, 4): 3, (4, 1): 3, (4, 2): 4, (4, 3): 2, (5, 1): 2, (5, 2): 1}  # fmt: skip


def _box(
    drawing: Drawing, x: float, y: float, width: float, height: float, *lines: str, fill: Color = white
) -> None:
    """A box with centred lines, the first in bold."""
    drawing.add(Rect(x, y, width, height, rx=3, ry=3, fillColor=fill, strokeColor=ACCENT, strokeWidth=0.9))
    base = y + height / 2 + (len(lines) - 1) * 5 - 3
    for number, line in enumerate(lines):
        font, size = (SANS_BOLD, 8) if number == 0 else (SANS, 7)
        drawing.add(
            String(
                x + width / 2,
                base - 10 * number,
                line,
                fontName=font,
                fontSize=size,
                fillColor=INK,
                textAnchor="middle",
            )
        )


def _zone(
    drawing: Drawing,
    x: float,
    y: float,
    width: float,
    height: float,
    title: str,
    fill: Color,
    indent: float = 7,
) -> None:
    """A dashed area with its name at the top, `indent` from its left side."""
    drawing.add(
        Rect(x, y, width, height, fillColor=fill, strokeColor=RULE, strokeWidth=0.8, strokeDashArray=[4, 3])
    )
    drawing.add(
        String(x + indent, y + height - 12, title, fontName=SANS_BOLD, fontSize=7.4, fillColor=ACCENT)
    )


def _arrow(drawing: Drawing, *points: float, label: str = "", shift: tuple[float, float] = (4, 3)) -> None:
    """A line through the points (x, y, x, y, …) with a head at its end; the label stands by its middle."""
    pairs = list(zip(points[::2], points[1::2], strict=True))
    for (x0, y0), (x1, y1) in pairwise(pairs):
        drawing.add(Line(x0, y0, x1, y1, strokeColor=INK, strokeWidth=0.9))
    (x0, y0), (x1, y1) = pairs[-2:]
    dx, dy = (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
    head = [
        x1,
        y1,
        x1 - 5 * dx - 2.6 * dy,
        y1 - 5 * dy - 2.6 * dx,
        x1 - 5 * dx + 2.6 * dy,
        y1 - 5 * dy + 2.6 * dx,
    ]
    drawing.add(Polygon(head, fillColor=INK, strokeColor=INK, strokeWidth=0.3))
    if label:
        x, y = (x0 + x1) / 2 + shift[0], (y0 + y1) / 2 + shift[1]
        drawing.add(String(x, y, label, fontName=SANS, fontSize=6.6, fillColor=INK))


def architecture() -> Drawing:
    """The production environment: edge, services, stores, administration, recovery."""
    d = Drawing(WIDTH, 330)
    _zone(d, 0, 0, WIDTH, 270, "North region: three availability zones", PALE, 180)
    _zone(d, 12, 96, 300, 152, "Service network", white, 208)
    _zone(d, 12, 10, 300, 78, "Data network", white, 172)
    _zone(d, 326, 96, 142, 152, "Administration", white)
    _box(d, 36, 292, 110, 32, "Users of customers", "browser, API, file drop")
    _box(d, 178, 292, 110, 32, "Suppliers", "browser, e-mail notice")
    _box(d, 342, 292, 110, 32, "Personnel", "managed laptops")
    _box(d, 24, 200, 76, 32, "Edge tier", "TLS, filter, limits", fill=_GREEN)
    _box(d, 122, 200, 76, 32, "Gateway", "authentication", fill=_GREEN)
    _box(d, 222, 200, 78, 32, "Intake", "checks, malware")
    _box(d, 222, 152, 78, 32, "Order graph", "relations, rights")
    _box(d, 122, 152, 76, 32, "Search", "words and facts")
    _box(d, 222, 106, 78, 32, "Notification", "composes notices")
    _box(d, 24, 22, 82, 40, "Document store", "a key each tenant")
    _box(d, 116, 22, 88, 40, "Relational", "databases")
    _box(d, 214, 22, 86, 40, "Search index", "can be rebuilt")
    _box(d, 342, 200, 110, 32, "Access broker", "8 h certificates, recorded", fill=_GREEN)
    _box(d, 342, 152, 110, 32, "Deployment platform", "signs, deploys, withdraws")
    _box(d, 342, 106, 110, 32, "Security log store", "own account, write-once", fill=WARN_PALE)
    _box(d, 342, 22, 110, 40, "Recovery site", "East region", "copies, locked backups", fill=WARN_PALE)
    _arrow(d, 78, 292, 78, 232)
    _arrow(d, 200, 292, 200, 278, 86, 278, 86, 232)
    _arrow(d, 397, 292, 397, 232)
    _arrow(d, 100, 216, 122, 216)
    _arrow(d, 198, 216, 222, 216)
    _arrow(d, 261, 200, 261, 184)
    _arrow(d, 160, 200, 160, 184)
    _arrow(d, 261, 152, 261, 138)
    _arrow(d, 342, 216, 300, 216)
    _arrow(d, 342, 168, 300, 168)
    _arrow(d, 300, 122, 342, 122)
    _arrow(d, 66, 96, 66, 62)
    _arrow(d, 160, 96, 160, 62)
    _arrow(d, 257, 96, 257, 62)
    _arrow(d, 312, 42, 342, 42)
    return d


def organisation() -> Drawing:
    """The functions that operate the system, and to whom they report."""
    d = Drawing(WIDTH, 196)
    centre = WIDTH / 2
    _box(d, centre - 62, 162, 124, 30, "Board of directors", "audit and risk committee", fill=PALE)
    _box(d, centre - 62, 110, 124, 30, "Chief Executive", fill=PALE)
    heads = (
        ("VP Engineering", ("Engineering", "Reliability")),
        ("CISO", ("Security operations", "Identity")),
        ("General Counsel", ("Compliance", "Internal audit")),
        ("Chief Operating", ("Customer support", "People operations")),
    )
    _arrow(d, centre, 140, centre, 162)
    d.add(Line(57, 98, WIDTH - 57, 98, strokeColor=INK, strokeWidth=0.9))
    d.add(Line(centre, 98, centre, 110, strokeColor=INK, strokeWidth=0.9))
    for column, (head, functions) in enumerate(heads):
        x = column * (WIDTH - 114) / 3
        d.add(Line(x + 57, 86, x + 57, 98, strokeColor=INK, strokeWidth=0.9))
        _box(d, x, 60, 114, 26, head, fill=_GREEN)
        for row, function in enumerate(functions):
            _box(d, x + 8, 32 - 30 * row, 98, 24, function)
    return d


def data_flow() -> Drawing:
    """How a document moves from sender to recipient. For a landscape page."""
    d = Drawing(WIDE_WIDTH, 360)
    lanes = (("Customer", 276), ("Edge and gateway", 184), ("Services", 92), ("Stores", 0))
    for name, y in lanes:
        _zone(d, 0, y, WIDE_WIDTH, 84, name, PALE if y % 184 == 0 else white)
    _box(d, 70, 300, 112, 36, "1  Sender", "sends a document")
    _box(d, 500, 300, 118, 36, "8  Recipient", "reads, answers, downloads")
    _box(d, 70, 208, 112, 36, "2  Edge tier", "TLS 1.2 or later", fill=_GREEN)
    _box(d, 226, 208, 112, 36, "3  Gateway", "who, which tenant, may they", fill=_GREEN)
    _box(d, 500, 208, 118, 36, "Gateway", "checks rights at each reading", fill=_GREEN)
    _box(d, 226, 116, 112, 36, "4  Intake", "form, size, malware")
    _box(d, 376, 116, 100, 36, "6  Order graph", "files under its order")
    _box(d, 510, 116, 108, 36, "7  Notification", "notice without content")
    _box(d, 226, 22, 112, 36, "5  Document store", "AES-256, key of the tenant", fill=WARN_PALE)
    _box(d, 376, 22, 100, 36, "Order database", "facts and relations", fill=WARN_PALE)
    _box(d, 510, 22, 108, 36, "History database", "who saw what, when", fill=WARN_PALE)
    _arrow(d, 126, 300, 126, 244, label="HTTPS or SFTP", shift=(4, -15))
    _arrow(d, 182, 226, 226, 226)
    _arrow(d, 282, 208, 282, 152, label="mutual TLS", shift=(4, -15))
    _arrow(d, 282, 116, 282, 58, label="sealed, own key", shift=(4, -15))
    _arrow(d, 338, 134, 376, 134)
    _arrow(d, 426, 116, 426, 58)
    _arrow(d, 476, 134, 510, 134)
    _arrow(d, 564, 152, 564, 208, label="recipient’s request", shift=(4, -15))
    _arrow(d, 564, 244, 564, 300, label="document, over TLS", shift=(4, -15))
    _arrow(d, 564, 116, 564, 58, label="each reading", shift=(4, -15))
    _arrow(d, 338, 48, 357, 48, 357, 226, 500, 226, label="content, opened for this reading", shift=(-60, 4))
    return d


def risk_map() -> Drawing:
    """The register's risks after treatment, by likelihood and impact."""
    d = Drawing(WIDTH, 186)
    left, cell, height = 120.0, 52.0, 28.0
    for (likelihood, impact), fill in (
        ((x, y), WARN_PALE if x + y >= 7 else (HexColor("#f7f3dc") if x + y >= 5 else _GREEN))
        for x in range(1, 6)
        for y in range(1, 6)
    ):
        x, y = left + (likelihood - 1) * cell, 32 + (impact - 1) * height
        d.add(Rect(x, y, cell, height, fillColor=fill, strokeColor=white, strokeWidth=1.5))
        if count := _RISKS.get((likelihood, impact)):
            d.add(
                String(
                    x + cell / 2,
                    y + 10,
                    str(count),
                    fontName=SANS_BOLD,
                    fontSize=9,
                    fillColor=INK,
                    textAnchor="middle",
                )
            )
    for number in range(1, 6):
        for x, y in ((left + (number - 0.5) * cell, 20.0), (left - 10, 32 + (number - 0.5) * height - 3)):
            d.add(String(x, y, str(number), fontName=SANS, fontSize=7.5, fillColor=INK, textAnchor="middle"))
    d.add(
        String(
            left + 2.5 * cell,
            6,
            "Likelihood",
            fontName=SANS_BOLD,
            fontSize=8,
            fillColor=ACCENT,
            textAnchor="middle",
        )
    )
    d.add(
        String(left - 62, 99, "Impact", fontName=SANS_BOLD, fontSize=8, fillColor=ACCENT, textAnchor="middle")
    )
    return d


def availability() -> Drawing:
    """Measured availability of each month against what was committed; the axis begins at 99.85 per cent."""
    d = Drawing(WIDTH, 170)
    left, base, low, scale = 46.0, 24.0, 99.85, 860.0  # scale: points a per cent
    for mark in (99.85, 99.90, 99.95, 100.0):
        y = base + (mark - low) * scale
        d.add(Line(left, y, WIDTH, y, strokeColor=RULE, strokeWidth=0.5))
        d.add(
            String(left - 6, y - 3, f"{mark:.2f}", fontName=SANS, fontSize=7, fillColor=INK, textAnchor="end")
        )
    step = (WIDTH - left) / len(_AVAILABILITY)
    for number, (month, value) in enumerate(_AVAILABILITY):
        x = left + number * step + 6
        top = (value - low) * scale
        fill = WARN if value - _COMMITTED < 0.02 else _DOWN
        d.add(Rect(x, base, step - 12, top, fillColor=fill, strokeColor=None))
        d.add(
            String(
                x + step / 2 - 6,
                base + top + 3,
                f"{value:.2f}",
                fontName=SANS,
                fontSize=6.4,
                fillColor=INK,
                textAnchor="middle",
            )
        )
        d.add(
            String(x + step / 2 - 6, 12, month, fontName=SANS, fontSize=7, fillColor=INK, textAnchor="middle")
        )
    y = base + (_COMMITTED - low) * scale
    d.add(Line(left, y, WIDTH, y, strokeColor=WARN, strokeWidth=1.1, strokeDashArray=[5, 3]))
    return d
