"""The embedded typeface of the sample report: Noto Sans, cut to Latin and to two weights."""

from __future__ import annotations

import io
from functools import cache

from fontpkg_noto_sans import ROOT
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont as EmbeddedFont

SANS = "SampleSans"
SANS_BOLD = "SampleSans-Bold"

_FILE = ROOT / "files" / "NotoSans[wdth,wght].ttf"
_LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2027), 0x2192, 0x2264, 0x2265]


@cache
def register_fonts() -> None:
    """Make SANS and SANS_BOLD known to reportlab, once a process.

    Under PostScript names of their own: reportlab lets fonts of one such name share what they say of missing letters.
    """
    for name, weight, postscript in ((SANS, 400, "SampleSans-Regular"), (SANS_BOLD, 700, "SampleSans-Bold")):
        pdfmetrics.registerFont(EmbeddedFont(name, io.BytesIO(_cut(weight, postscript))))
    pdfmetrics.registerFontFamily(SANS, normal=SANS, bold=SANS_BOLD, italic=SANS, boldItalic=SANS_BOLD)


def _cut(weight: int, postscript: str) -> bytes:
    """The variable font as a static TrueType file of one weight. The same bytes every time: no time is set."""
    font = TTFont(_FILE, recalcTimestamp=False)
    options = subset.Options()
    options.hinting = False
    options.layout_features = []
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=_LATIN)
    subsetter.subset(font)
    instancer.instantiateVariableFont(font, {"wght": weight, "wdth": 100}, inplace=True)
    font["name"].setName(postscript, 6, 3, 1, 0x409)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()
