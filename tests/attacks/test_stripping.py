"""No line of a script takes the visible mark off while the page stays; where the page's text stays, so do its bits.

What takes the mark off is what knows it: `docs/watermark.md` says what remains, and this test that it says the truth.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from service.demo.report import make_report
from tests.attacks.stripping import GENERAL, INFORMED
from tests.shared_folder import require_shared
from tests.watermark.builders import ANA, ODD_PAGES, bare_copy_of, copy_of, dark, report, template_of

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "watermark.md"
# Of 255 levels: what is the page's own ink, and where footer and diagonal are told apart.
_INK, _FOOTER, _DIAGONAL = 60, 60, 8
# So much of a mark is still readable; with less than so much of its own ink or letters, a page is destroyed.
_READABLE, _DESTROYED = 0.7, 0.5
_ROUNDING = 0.01  # points
_OWN_FONT = b"+NotoSans"
SAMPLE = "the sample report"


def twice(pdf: bytes) -> bytes:
    """The same page two times."""
    with pikepdf.open(BytesIO(pdf)) as document:
        document.pages.append(document.pages[0])
        written = BytesIO()
        document.save(written)
        return written.getvalue()


# Of several pages each: what all pages have is all that one has.
SMALL = {
    "text": lambda: report(4),
    "dark": lambda: twice(dark(0.2)),
    "turned": lambda: twice(ODD_PAGES["rotated-90"]),
    "cropped": lambda: twice(ODD_PAGES["cropped"]),
    "artifacts": lambda: twice(ODD_PAGES["all-marked-content"]),
}
REPORTS = {SAMPLE: make_report, **SMALL}
CORPUS = (
    "ASVS__OWASP_Application_Security_Verification_Standard_4.0.3-en.pdf",
    "Publications__pentest-report_expressvpn-trusted-server.pdf",
    "fedramp-automation__Guide_to_OSCAL-based_FedRAMP_Security_Assessment_Reports__SAR__rev5.pdf",
)

Glyph = tuple[int, float, float]


@dataclass(frozen=True)
class Page:
    """A page as PDFium draws and reads it: its pixels in grey, its text, and where each letter stands, by font."""

    pixels: np.ndarray[tuple[int, ...], np.dtype[np.int16]]
    text: str
    glyphs: tuple[Glyph, ...]
    of_the_mark: tuple[bool, ...]
    fonts: frozenset[bytes]


@dataclass(frozen=True)
class Remains:
    """What an attack left of one page. `in_place` is None where the page's own text is gone, else whether each of its
    letters stands where it stood."""

    footer: bool
    diagonal: bool
    own: bool
    in_place: bool | None

    @property
    def defended(self) -> bool:
        return (self.footer or self.diagonal or not self.own) and self.in_place is not False


@dataclass(frozen=True)
class Target:
    copy: bytes
    pages: tuple[Page, ...]
    bare: tuple[Page, ...]


@cache
def target(name: str) -> Target:
    """The copy of this report, and what there is to see of it with and without its mark."""
    pdf = REPORTS[name]() if name in REPORTS else require_shared("corpus", name).read_bytes()
    template = template_of(pdf)
    copy = copy_of(template)
    return Target(copy, tuple(pages(copy)), tuple(pages(bare_copy_of(template))))


def pages(pdf: bytes) -> Iterator[Page]:
    """The pages of a PDF, as PDFium sees them."""
    document = pypdfium2.PdfDocument(pdf)
    for index in range(len(document)):
        page = document[index]
        pixels = page.render(scale=1).to_numpy()[:, :, :3].mean(axis=2).astype(np.int16)
        text = page.get_textpage()
        yield Page(pixels, text.get_text_range(), *read(text))
        text.close()
        page.close()
    document.close()


def read(text: pypdfium2.PdfTextPage) -> tuple[tuple[Glyph, ...], tuple[bool, ...], frozenset[bytes]]:
    """Every letter that PDFium has not made up, where it stands, whether it is of the mark's font; and other fonts."""
    x, y, flags = ctypes.c_double(), ctypes.c_double(), ctypes.c_int()
    name = ctypes.create_string_buffer(200)
    glyphs: list[Glyph] = []
    of_the_mark: list[bool] = []
    fonts: set[bytes] = set()
    for index in range(text.count_chars()):
        if pdfium.FPDFText_IsGenerated(text, index) == 1:
            continue
        pdfium.FPDFText_GetCharOrigin(text, index, x, y)
        pdfium.FPDFText_GetFontInfo(text, index, name, len(name), flags)
        glyphs.append((pdfium.FPDFText_GetUnicode(text, index), x.value, y.value))
        of_the_mark.append(name.value.endswith(_OWN_FONT))
        fonts.add(name.value)
    return (
        tuple(glyphs),
        tuple(of_the_mark),
        frozenset(font for font in fonts if not font.endswith(_OWN_FONT)),
    )


def remains(before: Page, bare: Page, after: Page) -> Remains:
    """What is left of this page of a copy, `bare` being the same without the mark."""
    if before.pixels.shape != after.pixels.shape:
        # The attack has turned the page, or uncovered what was cut off: only its text can be compared.
        return Remains(_says_all(after), False, True, in_place(before, after))
    mark = np.abs(before.pixels - bare.pixels)
    left = np.abs(after.pixels - bare.pixels) >= mark / 2
    # Other letters in the footer's place are not the footer; a darker diagonal is the diagonal.
    same = np.abs(after.pixels - before.pixels) <= mark / 2
    footer, diagonal = mark >= _FOOTER, (mark >= _DIAGONAL) & (mark < _FOOTER)
    own = np.abs(bare.pixels - np.median(bare.pixels)) >= _INK
    own_left = np.abs(after.pixels - np.median(after.pixels)) >= _INK
    letters = Counter(
        code for (code, _, _), marks in zip(before.glyphs, before.of_the_mark, strict=True) if not marks
    )
    lost = letters - Counter(code for code, _, _ in after.glyphs)
    return Remains(
        footer=_says_all(after) or _share(same, footer) >= _READABLE,
        diagonal=_share(left, diagonal) >= _READABLE,
        own=_share(own_left, own) >= _DESTROYED and lost.total() <= _DESTROYED * letters.total(),
        in_place=in_place(before, after),
    )


def _says_all(page: Page) -> bool:
    said = "".join(page.text.split())
    return all("".join(value.split()) in said for _, value in ANA.fields())


def _share(left: np.ndarray, of: np.ndarray) -> float:
    return float(left[of].mean()) if of.any() else 0.0


def in_place(before: Page, after: Page) -> bool | None:
    """Whether the page's own letters stand where they stood, which is what the reading of bits needs.

    None where some are gone, or all are set in other fonts, which is retyping.
    """
    own = [glyph for glyph, marks in zip(before.glyphs, before.of_the_mark, strict=True) if not marks]
    # The footer's letters do not stand for those that are gone.
    survived = Counter(
        glyph[0] for glyph, marks in zip(after.glyphs, after.of_the_mark, strict=True) if not marks
    )
    if not own or Counter(glyph[0] for glyph in own) - survived or not before.fonts <= after.fonts:
        return None
    places = {(code, round(x / _ROUNDING), round(y / _ROUNDING)) for code, x, y in after.glyphs}
    return all(
        any(
            (code, round(x / _ROUNDING) + a, round(y / _ROUNDING) + b) in places
            for a in (-1, 0, 1)
            for b in (-1, 0, 1)
        )
        for code, x, y in own
    )


def attacked(name: str, attack: str) -> list[Remains]:
    """What this attack leaves of each page of the copy of this report."""
    aim = target(name)
    after = list(pages({**GENERAL, **INFORMED}[attack](aim.copy)))
    return [remains(*page) for page in zip(aim.pages, aim.bare, after, strict=True)]


def test_a_copy_that_nobody_attacked_is_whole_and_one_without_its_mark_is_not() -> None:
    aim = target("text")
    for before, bare in zip(aim.pages, aim.bare, strict=True):
        assert remains(before, bare, before) == Remains(True, True, True, True)
        assert remains(before, bare, bare) == Remains(False, False, True, True)


def test_a_moved_letter_is_noticed() -> None:
    before = target("text").pages[0]
    code, x, y = before.glyphs[0]
    moved = replace(before, glyphs=((code, x + 0.03, y), *before.glyphs[1:]))
    assert not before.of_the_mark[0]
    assert in_place(before, before)
    assert in_place(before, moved) is False


@pytest.mark.parametrize("attack", GENERAL)
@pytest.mark.parametrize("name", [*SMALL, pytest.param(SAMPLE, marks=pytest.mark.slow)])
def test_a_line_leaves_the_mark_or_destroys_the_page(name: str, attack: str) -> None:
    found = attacked(name, attack)
    assert [page for page in found if not page.defended] == []


@pytest.mark.slow
@pytest.mark.corpus
@pytest.mark.parametrize("attack", GENERAL)
@pytest.mark.parametrize("name", CORPUS)
def test_a_line_leaves_the_mark_on_real_reports_or_destroys_the_page(name: str, attack: str) -> None:
    found = attacked(name, attack)
    assert [(index, page) for index, page in enumerate(found) if not page.defended] == []


def row(attack: str) -> str:
    """The line of the documentation's table about this attack."""
    found = attacked(SAMPLE, attack)
    texts = [page.in_place for page in found if page.in_place is not None]
    woven = "–" if not texts else "exact" if all(texts) else "**changed**"
    columns = (
        [page.footer for page in found],
        [page.diagonal for page in found],
        [page.own for page in found],
    )
    return f"| {attack} | {' | '.join(_counted(column) for column in columns)} | {woven} |"


def _counted(pages_with: list[bool]) -> str:
    if all(pages_with) or not any(pages_with):
        return "stays" if all(pages_with) else "gone"
    return f"stays on {sum(pages_with)} of {len(pages_with)} pages"


@pytest.mark.slow
@pytest.mark.parametrize("attack", [*GENERAL, *INFORMED])
def test_the_documentation_says_what_remains(attack: str) -> None:
    assert row(attack) in DOCUMENTATION.read_text().splitlines()
