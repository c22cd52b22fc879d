"""Page labels: kept pages keep the numbers that are printed on them."""

from dataclasses import dataclass

import pikepdf
from pikepdf import Array, Dictionary, Name, NumberTree, String

from watermark.clean import name_text

_STYLES = frozenset(("/D", "/R", "/r", "/A", "/a"))
# A label may begin anywhere; beyond this no reader counts.
_HIGHEST = 2**31 - 1


@dataclass(frozen=True)
class _Label:
    """How one page is numbered: style (empty: by none), what stands before the number, and the number."""

    style: str
    prefix: bytes
    number: int

    def follows(self, other: "_Label | None") -> bool:
        """Whether a reader that counts on from the other comes to this one."""
        if other is None or (self.style, self.prefix) != (other.style, other.prefix):
            return False
        return not self.style or self.number == other.number + 1


def kept_labels(document: pikepdf.Pdf, kept: list[int]) -> Dictionary:
    """The page labels of these pages (from 0, ascending) when they alone are left; each as it was."""
    ranges = _ranges(document.Root.get("/PageLabels"))
    found = Array()
    last: _Label | None = None
    for place, index in enumerate(kept):
        label = _label(ranges, index)
        if not label.follows(last):
            found.append(place)
            found.append(_written(label))
        last = label
    return Dictionary(Nums=found)


def _ranges(labels: object) -> dict[int, Dictionary]:
    """Where a way of numbering begins, and which; where they cannot be read, pages count from 1."""
    if not isinstance(labels, Dictionary):
        return {}
    try:
        found = {int(index): value for index, value in NumberTree(labels).items()}
    except (pikepdf.PdfError, ValueError, RuntimeError):
        return {}
    return {index: value for index, value in sorted(found.items()) if isinstance(value, Dictionary)}


def _label(ranges: dict[int, Dictionary], index: int) -> _Label:
    begun = max((start for start in ranges if start <= index), default=None)
    if begun is None:
        return _Label("/D", b"", index + 1)
    label = ranges[begun]
    style = name_text(label.get("/S"))
    prefix = label.get("/P")
    first = label.get("/St", 1)
    number = first if isinstance(first, int) and 1 <= first <= _HIGHEST else 1
    return _Label(
        style if style in _STYLES else "",
        bytes(prefix) if isinstance(prefix, String) else b"",
        min(number + index - begun, _HIGHEST),
    )


def _written(label: _Label) -> Dictionary:
    written = Dictionary()
    if label.style:
        written["/S"] = Name(label.style)
        written["/St"] = label.number
    if label.prefix:
        written["/P"] = String(label.prefix)
    return written
