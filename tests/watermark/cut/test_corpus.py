"""Real reports: what is kept reads and looks as in the whole, and no line of the omitted pages is left."""

from __future__ import annotations

import re
from io import BytesIO

import pikepdf
import pypdf
import pypdfium2 as pdfium
import pytest

from tests.shared_folder import require_shared
from tests.watermark.builders import SEED, copy_of
from watermark.cut.document import compile_cut, cut_pdf

REPORTS = {
    "word": "ASVS__OWASP_Application_Security_Verification_Standard_4.0.3-en.pdf",
    "latex": "public-pentesting-reports__X41-OSTIF-Gitlab-Git-Security-Audit-20230117-public.pdf",
    "skia": "publications__DFINITY.pdf",
    "tagged": "fedramp-automation__Guide_to_OSCAL-based_FedRAMP_Security_Assessment_Reports__SAR__rev5.pdf",
}
CHOSEN = (1, 2, 7, 8, 9, 20)
LEAST_LINE = 30
"""Characters of a line that tells where it comes from; headers and footers are those of kept pages, too."""

pytestmark = [pytest.mark.corpus, pytest.mark.long]


@pytest.mark.parametrize("name", REPORTS)
def test_a_real_report_is_cut(name: str) -> None:
    pdf = require_shared("corpus", REPORTS[name]).read_bytes()
    made = cut_pdf(pdf, list(CHOSEN))
    whole, cut = pypdf.PdfReader(BytesIO(pdf)), pypdf.PdfReader(BytesIO(made))
    texts = [page.extract_text() for page in whole.pages]
    assert [page.extract_text() for page in cut.pages] == [texts[number - 1] for number in CHOSEN]
    with pdfium.PdfDocument(pdf) as before, pdfium.PdfDocument(made) as after:
        for place, number in enumerate(CHOSEN):
            drawn = [
                document[at].render(scale=0.5).to_numpy()
                for document, at in ((before, number - 1), (after, place))
            ]
            assert (drawn[0] == drawn[1]).all()
    assert [cut.page_labels[at] for at in range(len(CHOSEN))] == [whole.page_labels[n - 1] for n in CHOSEN]
    assert len(made) < len(pdf)
    _no_words_of_others(made, texts)
    _everything_leads_to_its_pages(made)


@pytest.mark.slow
def test_a_copy_of_a_cut_of_a_real_report_holds_nothing_of_the_others() -> None:
    pdf = require_shared("corpus", REPORTS["word"]).read_bytes()
    facts, template = compile_cut(pdf, {**SEED, "pages": list(CHOSEN)})
    assert facts["pages"] == facts["verified"]["pages"] == len(CHOSEN)
    texts = [page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages]
    _no_words_of_others(copy_of(template), texts)


def _no_words_of_others(pdf: bytes, texts: list[str]) -> None:
    """No title, note or word of the structure stands in the file that is a line of omitted pages only."""
    kept = " ".join(" ".join(texts[number - 1].split()) for number in CHOSEN)
    others = {
        " ".join(line.split())
        for number, text in enumerate(texts, 1)
        if number not in CHOSEN
        for line in text.splitlines()
        if len(line) >= LEAST_LINE
    }
    secret = {line for line in others if line not in kept}
    assert len(secret) > 100
    said = []
    with pikepdf.open(BytesIO(pdf)) as opened:
        for thing in opened.objects:
            if isinstance(thing, pikepdf.Dictionary):
                said += [str(value) for _, value in thing.items() if isinstance(value, pikepdf.String)]
    joined = "\n".join(" ".join(re.sub(r"\s+", " ", text).split()) for text in said)
    assert [line for line in secret if line in joined] == []


def _everything_leads_to_its_pages(pdf: bytes) -> None:
    with pikepdf.open(BytesIO(pdf)) as opened:
        pages = {page.obj.objgen for page in opened.pages}
        for thing in opened.objects:
            if isinstance(thing, pikepdf.Dictionary):
                assert thing.get("/Type") != pikepdf.Name.Page or thing.objgen in pages
                if isinstance(thing.get("/Dest"), pikepdf.Array):
                    assert thing.Dest[0].objgen in pages
