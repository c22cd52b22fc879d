"""Find room for the footer near the bottom of a page."""

import numpy as np

from watermark.sample import sample_lines
from watermark.verify import Pixels, pixels_a_point
from watermark.visible import PageView

# Where the footer's lowest baseline may be, in em above the visible bottom: from where printers print, upwards; then
# below that.
_BASELINES = tuple(step / 10 for step in (*range(24, 72, 2), *range(22, 10, -2)))
# White space above and below the footer, in em.
_AROUND = 1.0
# A band of this light, with so few other pixels, needs no box behind the footer.
_LIGHT, _ODD_LEVELS, _ODD_SHARE = 190, 24, 0.004


def footer_room(pixels: Pixels, view: PageView) -> tuple[float, bool]:
    """The baseline in points of the emptiest band near the bottom, and whether the footer needs a box there.

    Among equally empty ones the first with white space above and below is taken: readers that lay text out by blocks,
    as poppler does, else take the footer into one of the page's own.
    """
    lines, leading = sample_lines(view.frame(boxed=False))
    scale = pixels_a_point(view) * view.type_size  # pixels an em
    height, width = pixels.shape
    side = round(view.margin / view.type_size * scale)

    def odd(above: float, below: float) -> tuple[float, float]:
        """The share of pixels unlike the rest, and that rest's level, between these heights in em."""
        first, last = max(0, height - round(above * scale)), max(1, height - round(below * scale))
        band = pixels[first:last, side : max(side + 1, width - side)]
        level = float(np.median(band)) if band.size else 255.0
        return (float(np.mean(np.abs(band - level) > _ODD_LEVELS)) if band.size else 0.0), level

    best: tuple[float, float] | None = None
    chosen, boxed = _BASELINES[0], True
    for baseline in _BASELINES:
        above, below = baseline + (lines - 1) * leading + 1, baseline - 0.4
        if above * scale > height * 0.5:
            continue
        share, level = odd(above, below)
        around, _ = odd(above + _AROUND, max(0.0, below - _AROUND))
        if best is None or (share, around) < best:
            best = share, around
            chosen, boxed = baseline, level < _LIGHT or share > _ODD_SHARE
        if share == around == 0:
            break
    return chosen * view.type_size, boxed
