"""Make the pictures of `watermark.md`: a page before, after, the difference, and the bench's chart. `make pictures`.

The page is one of the sample report. The chart is drawn from the figures that `make bench` left in build/bench.json.
"""

from __future__ import annotations

import hashlib
import io
import json
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pikepdf
import pypdfium2 as pdfium
from PIL import Image

from service.demo.report import make_report
from watermark.clean import clean
from watermark.compile import compile_pdf
from watermark.mark import Mark
from watermark.mint import mint
from watermark.stamp import stamp
from watermark.template import SlotTable
from watermark.woven.code import copy_bits

FOLDER = Path(__file__).parent / "pictures"
BENCH = Path(__file__).parent.parent / "build" / "bench.json"
PAGE = 12  # counted from 1: a page of text
DPI = 100
DETAIL = (150, 330, 400, 110)  # left, top, width, height in pixels at `DPI`, magnified in the detail
MAGNIFIED = 3
MARK = Mark(
    "Ana Silva", "ana.silva@northmere.example", "Northmere Bank", date(2026, 3, 2), "cpy_" + "k3" * 13
)
KEY = hashlib.sha256(b"the key of the pictures").digest()

# The chart: one bar a rival, as long as the logarithm of how many times longer it takes.
WIDTH, ROW, LEFT, DECADE = 760, 22, 330, 110


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    before, after = _drawn(_cleaned()), _drawn(_copy())
    _save("before", before)
    _save("after", after)
    _save("difference", 255 - np.abs(after.astype(int) - before).astype(np.uint8))
    left, top, width, height = DETAIL
    for name, pixels in (("detail-before", before), ("detail-after", after)):
        cut = pixels[top : top + height, left : left + width]
        _save(name, cut.repeat(MAGNIFIED, axis=0).repeat(MAGNIFIED, axis=1))
    if BENCH.is_file():
        (FOLDER / "bench.svg").write_text(_chart(json.loads(BENCH.read_text())), encoding="utf-8")
    else:
        print(f"There is no {BENCH.name}: run `make bench` first for the chart.")


def _cleaned() -> bytes:
    with pikepdf.open(io.BytesIO(make_report())) as document:
        clean(document)
        buffer = io.BytesIO()
        document.save(buffer)
        return buffer.getvalue()


def _copy() -> bytes:
    _, template = compile_pdf(make_report(), {"seed": KEY.hex()})
    table = SlotTable.decode(template)
    view = memoryview(template)
    bits = copy_bits(KEY, MARK.copy_id, table.words)
    return b"".join(stamp(table, mint(table, MARK), lambda start, stop: [view[start:stop]], bits=bits))


def _drawn(pdf: bytes) -> np.ndarray:
    """The page in grey, (height, width) of uint8."""
    document = pdfium.PdfDocument(pdf)
    image = document[PAGE - 1].render(scale=DPI / 72).to_pil().convert("L")
    document.close()
    return np.asarray(image)


def _save(name: str, pixels: np.ndarray) -> None:
    Image.fromarray(pixels.astype(np.uint8)).save(FOLDER / f"{name}.png", optimize=True)
    print(f"docs/pictures/{name}.png")


def _chart(figures: list[dict[str, object]]) -> str:
    """Stamping against its rivals, report by report: how many times longer each rival takes."""
    rows = [
        (
            str(f["name"]).removeprefix("stamp: ")[:24],
            str(f["rival"]).partition(" (")[0],
            float(str(f["ratio"])),
        )
        for f in figures
        if str(f["name"]).startswith("stamp: ") and f["rival"] not in (None, "open and hash only")
    ]
    height = ROW * len(rows) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="12" role="img" aria-label="How many times longer rivals take to mark a report">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for power in range(4):
        x = LEFT + power * DECADE
        parts.append(f'<line x1="{x}" y1="20" x2="{x}" y2="{height}" stroke="#ccc"/>')
        parts.append(f'<text x="{x}" y="14" text-anchor="middle" fill="#444">{10**power} ×</text>')
    for index, (report, rival, ratio) in enumerate(rows):
        y = 26 + ROW * index
        length = max(1.0, DECADE * float(np.log10(max(ratio, 1.0))))
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(report)}, {escape(rival)}</text>'
        )
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{ROW - 6}" fill="#1f5f8b"/>')
        parts.append(f'<text x="{LEFT + length + 6:.1f}" y="{y + 12}">{ratio:g}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
