"""Compile: one uploaded PDF into the template that all its copies are stamped from. Runs in the child process.

1. Open, inspect, clean; keep the cleaned PDF to compare with.
2. Give each page its own content, and weave: choose the words that move, and prove that no reader's text changes.
3. Find room for each page's footer, choose where in its content the marks stand.
4. Write the PDF, cut it into a body, note slots and operands.
5. Stamp a sample and verify it page by page; move the marks that do not pass, and do 4 again.
"""

from typing import Any

import pikepdf
from pikepdf import Name

from watermark.clean import clean
from watermark.errors import RefusalReason, Refused
from watermark.inspection import limits_from, open_sound_pdf
from watermark.kept import Kept, read_kept
from watermark.pages import SourcePage, source_pages
from watermark.placing import TRIES, Chance, PagePlan, plan_page
from watermark.room import footer_room
from watermark.sample import SAMPLE, blank_ink, sample, sample_footer, unsafe_bare_sample
from watermark.template import FORMAT
from watermark.verify import PageFinding, Reader, judge_page
from watermark.woven.fidelity import alternating, settle
from watermark.woven.reach import count_words
from watermark.woven.threads import Thread, Weaver
from watermark.writing import TemplateWriting, written


def compile_pdf(pdf: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Facts about the version, and its encoded template. Raises `Refused`.

    `parameters["seed"]` (hex) decides where the marks stand: the same PDF, seed and library versions give the same
    template. `max_bytes` and `max_pages` are the limits of `inspection`. Every page of the template was proved: a
    stamped sample's footer is in pypdf's text, which is else as before, and both marks are in PDFium's pixels.
    """
    chance = Chance(bytes.fromhex(parameters["seed"]))
    with open_sound_pdf(pdf, limits_from(parameters)) as document:
        kept = read_kept(document)
        removed = clean(document)
        sources = list(source_pages(document))
        unmarked = written(document)
        reader = Reader(unmarked)
        try:
            drawn = _woven(document, sources, reader)
            plans = [
                _plan(reader, index, source, threads[0])
                for index, (source, threads) in enumerate(zip(sources, drawn, strict=True))
            ]
            threads = _once(drawn)
            template, moved = _proved(document, plans, threads, kept, chance, reader)
        finally:
            reader.close()
    facts = {
        "pages": len(plans),
        "removed": removed,
        "format": FORMAT,
        "weave": {"pages": _capacity(drawn)},
        "verified": {"pages": len(plans), "moved": moved},
        "sizes": {"source": len(pdf), "cleaned": len(unmarked), "template": len(template)},
    }
    return facts, template


def _woven(document: pikepdf.Pdf, sources: list[SourcePage], unmarked: Reader) -> list[list[Thread]]:
    """The threads that each page draws, its own first, with only those words moving that change no reader's text."""
    weaver = Weaver()
    drawn = [weaver.threads(source) for source in sources]

    def with_bits(parity: int) -> bytes:
        for source, threads in zip(sources, drawn, strict=True):
            for thread in threads:
                content = thread.woven.with_bits(alternating(len(thread.woven.moved), parity))
                if thread.form is None:
                    source.page[Name.Contents] = document.make_stream(content)
                else:
                    thread.form.write(content)
        return written(document)

    settle(drawn, unmarked, with_bits)
    return drawn


def _once(drawn: list[list[Thread]]) -> list[Thread]:
    """Every thread once, in the order in which pages draw them."""
    return list({id(thread): thread for threads in drawn for thread in threads}.values())


def _capacity(drawn: list[list[Thread]]) -> list[dict[str, int]]:
    """How many words each page has, and how many of them are woven. A form counts on the first page that draws it."""
    found = []
    counted: set[int] = set()
    for threads in drawn:
        new = [thread for thread in threads if id(thread) not in counted]
        counted.update(map(id, new))
        words = sum(count_words(thread.text) for thread in new)
        found.append({"words": words, "woven": sum(len(thread.woven.moved) for thread in new)})
    return found


def _proved(
    document: pikepdf.Pdf,
    plans: list[PagePlan],
    threads: list[Thread],
    kept: Kept,
    chance: Chance,
    unmarked: Reader,
) -> tuple[bytes, int]:
    """A template that passed verification, and how many pages had to move a mark. Raises `Refused`."""
    writing = TemplateWriting(document, plans, threads, kept, chance)
    pages = list(range(len(plans)))
    moved: set[int] = set()
    while True:
        template = writing.write(pages)
        marked, bare = Reader(sample(template)), Reader(unsafe_bare_sample(template))
        try:
            if marked.page_count != len(plans) or marked.outline() != unmarked.outline():
                raise Refused(RefusalReason.CANNOT_MARK)
            findings = {index: _judge(unmarked, bare, marked, index, plans[index]) for index in pages}
        finally:
            marked.close()
            bare.close()
        pages = [index for index, finding in findings.items() if not finding.good]
        if not pages:
            return template, len(moved)
        moved.update(pages)
        for index in pages:
            _move(plans[index], findings[index])


def _judge(unmarked: Reader, bare: Reader, marked: Reader, index: int, plan: PagePlan) -> PageFinding:
    view = plan.source.view
    return judge_page(unmarked, bare, marked, index, view, sample_footer(plan), SAMPLE, blank_ink())


def _move(plan: PagePlan, finding: PageFinding) -> None:
    """Try later places for the marks that did not pass. Raises `Refused` when there is none."""
    footer_failed = not (finding.footer_seen and finding.footer_read)
    diagonal_failed = not finding.diagonal_seen
    if not (footer_failed or diagonal_failed):
        # One of them parts a text; which, pypdf does not say.
        footer_failed = diagonal_failed = True
    if (footer_failed and plan.footer_try >= TRIES - 1) or (
        diagonal_failed and plan.diagonal_try >= TRIES - 1
    ):
        raise Refused(RefusalReason.CANNOT_MARK)
    plan.footer_try += footer_failed
    plan.diagonal_try += diagonal_failed


def _plan(reader: Reader, index: int, source: SourcePage, thread: Thread) -> PagePlan:
    baseline, boxed = footer_room(reader.pixels(index, source.view), source.view)
    return plan_page(source, thread, source.view.frame(boxed=boxed), baseline)
