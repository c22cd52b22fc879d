"""Nobody's copy, stamped of every template before it is used; and what its mark takes of a page."""

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pikepdf

from watermark.fonts import system_fonts
from watermark.kept import Kept
from watermark.layout import LEADING, footer
from watermark.mark import Mark
from watermark.mint import Fill, mint, unsafe_bare_fill
from watermark.pages import source_pages
from watermark.placing import Chance, PagePlan, plan_page
from watermark.shaping import EM
from watermark.stamp import stamp
from watermark.template import Frame, SlotTable
from watermark.verify import Footer, Ink, Reader, ink
from watermark.woven.fidelity import alternating
from watermark.woven.threads import Weaver
from watermark.writing import TemplateWriting, written

# Nobody's mark, of usual length; verification tries it on every page.
SAMPLE = Mark(
    name="Sample Recipient",
    mail="sample.recipient@recipient.example",
    company="Recipient Example",
    issued=date(2000, 1, 1),
    copy_id="cpy_00000000000000000000000000",
)


def sample(template: bytes) -> bytes:
    """Nobody's copy, marked as any; its words have the bits 0 and 1 in turn."""
    table = SlotTable.decode(template)
    return _stamped(template, table, mint(table, SAMPLE))


def unsafe_bare_sample(template: bytes) -> bytes:
    """The same without its visible mark."""
    table = SlotTable.decode(template)
    return _stamped(template, table, unsafe_bare_fill(table))


def _stamped(template: bytes, table: SlotTable, fill: Fill) -> bytes:
    bits = np.array(alternating(table.words, 0), np.uint8)
    view = memoryview(template)
    return b"".join(stamp(table, fill, lambda start, stop: [view[start:stop]], bits=bits))


@cache
def sample_lines(frame: Frame) -> tuple[int, float]:
    """How many lines the sample's footer has in this frame, and their distance in em."""
    lines = footer(SAMPLE, system_fonts(), frame.width * EM // 100, frame.lines)
    return len(lines.lines), LEADING * lines.scale


def sample_footer(plan: PagePlan) -> Footer:
    lines, leading = sample_lines(replace(plan.frame, boxed=False))
    return Footer(plan.baseline, lines, leading * plan.source.view.type_size)


@cache
def blank_ink() -> Ink:
    """The sample's ink on a blank page."""
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(595, 842))
        source = next(source_pages(document))
        unmarked = Reader(written(document))
        threads = Weaver().threads(source)
        plan = plan_page(source, threads[0], source.view.frame(boxed=False), 2 * source.view.type_size)
        template = TemplateWriting(document, [plan], threads, Kept("", ""), Chance(b"")).write([0])
        marked = Reader(sample(template))
        try:
            return ink(
                unmarked.pixels(0, source.view),
                marked.pixels(0, source.view),
                source.view,
                sample_footer(plan),
            )
        finally:
            unmarked.close()
            marked.close()
