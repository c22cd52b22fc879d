"""Pages of a copy as pictures with their text, drawn by PDFium in the child process. The parent's half.

`watermark.draw` is the other half. What the child answers is checked here before anybody sees it: a parser that a
page has taken over may answer anything.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from watermark.errors import RefusalReason, Refused
from watermark.sandbox import MIB, ChildLimits, ChildResult, run_in_child

DOTS_AN_INCH = 110
"""Ten-point text is read with ease on a screen as wide as the page. Pages of copies of real reports take 110 to 250 kB
(the median of a report), and 350 kB at most."""

MOST_PIXELS = 4_000_000
"""Of a picture: A4 has 1.2 million, A3 2.3. A larger page is drawn with fewer dots an inch."""

MOST_SIDE = 10_000
"""Pixels of the longer side: browsers draw no picture of much more."""

MOST_PAGES = 8
"""Pages a call: what a child answers is held in memory at once."""

MOST_TEXT = 50_000
"""Characters of a page's text: the densest of 500 pages of real documents has 5,800."""

MOST_LABEL = 40
"""Characters of a printed page number."""

MOST_LABEL_PAGES = 100_000
"""More pages than any copy has."""

_MEMORY_BYTES = 2048 * MIB
# Address space, most of it reserved: opening a copy of 100 MiB takes that once, and a page of 4 million pixels 48 MiB.
_CPU_SECONDS = 20
# The costliest of 500 pages of real documents takes 0.3 s; nobody waits for a page longer than this.
_WALL_SECONDS = 30.0
_OUTPUT_BYTES = 64 * MIB
# A picture of noise in 4 million pixels has 12 MiB as PNG, and less than half of it as JPEG.

DRAW_LIMITS = ChildLimits(
    memory_bytes=_MEMORY_BYTES,
    cpu_seconds=_CPU_SECONDS,
    wall_seconds=_WALL_SECONDS,
    output_bytes=_OUTPUT_BYTES,
)
"""What a child that draws may use; its input is at most what `DEFAULT_LIMITS` say, unless the caller says otherwise."""

Form = Literal["png", "jpeg"]
_BEGINS = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}

# Characters that are no text: control, surrogates, private use, unassigned; and what turns the direction of other text.
_NO_TEXT = frozenset({"Cc", "Cs", "Co", "Cn"})
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# PDFium puts the first two for a hyphen at the end of a line.
_READ = str.maketrans({"\u0002": "-", "\ufffe": "-", "\t": " "})


@dataclass(frozen=True)
class Picture:
    """A page as it is drawn: `width` and `height` in pixels, `form` as its bytes are."""

    form: Form
    width: int
    height: int
    data: bytes


@dataclass(frozen=True)
class DrawnPage:
    """One page: its picture, None where it cannot be drawn; its text, in lines; its printed number, often empty."""

    number: int  # from 1
    picture: Picture | None
    text: str
    whole: bool  # False: the text goes on
    label: str


@dataclass(frozen=True)
class Drawn:
    """What one call drew: neighbouring pages, and how many the document has."""

    count: int
    pages: tuple[DrawnPage, ...]


def draw_pages(
    copy: Iterable[bytes],
    first: int,
    many: int = 1,
    *,
    limits: ChildLimits = DRAW_LIMITS,
    unsafe_without_network_filter: bool = False,
) -> Drawn:
    """Draw `many` pages of the copy from page `first` on; where it ends before, its last one, or fewer.

    At least one page is in the answer, `MOST_PAGES` at most. Raises `Refused` for a copy that cannot be opened
    or drawn within the limits; `SandboxUnavailable`; what `copy` raises. Nothing is written to the disk.
    """
    answer = run_in_child(
        "draw",
        copy,
        {"first": max(1, first), "many": min(max(1, many), MOST_PAGES)},
        limits,
        unsafe_without_network_filter=unsafe_without_network_filter,
    )
    try:
        return _checked(answer)
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(RefusalReason.DAMAGED) from error


def _checked(answer: ChildResult) -> Drawn:
    """Raises `ValueError` and its like for what no child of ours answers."""
    count, pages, start = _whole(answer.facts["count"], 1, MOST_LABEL_PAGES), [], 0
    for found in answer.facts["pages"]:
        picture = None
        if found["picture"] is not None:
            picture = _picture(found["picture"], answer.payload, start)
            start += len(picture.data)
        text, label = _readable(str(found["text"])[:MOST_TEXT]), _readable(str(found["label"])[:MOST_LABEL])
        number = _whole(found["number"], 1, count)
        pages.append(DrawnPage(number, picture, text, bool(found["whole"]), " ".join(label.split())))
    numbers = [page.number for page in pages]
    if not 1 <= len(pages) <= MOST_PAGES or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise ValueError("the pages of an answer are neighbours")
    return Drawn(count, tuple(pages))


def _picture(found: dict[str, Any], payload: bytes, start: int) -> Picture:
    data = payload[start : start + _whole(found["size"], 1, len(payload) - start)]
    form: Form = "jpeg" if found["form"] == "jpeg" else "png"
    if not data.startswith(_BEGINS[form]):
        raise ValueError("a picture begins as its form does")
    return Picture(form, _whole(found["width"], 1, MOST_SIDE), _whole(found["height"], 1, MOST_SIDE), data)


def _whole(value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or not least <= value <= most:
        raise ValueError("a number of an answer is within its bounds")
    return value


def _readable(text: str) -> str:
    """The text in lines, without characters that are none of it or that turn the direction of what follows."""
    lines = text.translate(_READ).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = ("".join(c for c in line if _is_text(c)).strip() for line in lines)
    return "\n".join(line for line in kept if line)


def _is_text(character: str) -> bool:
    return character not in _TURNS and unicodedata.category(character) not in _NO_TEXT
