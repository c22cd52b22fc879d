"""The public overview of the demo: one page of the invented company for everybody, downloaded from its trust page."""

from __future__ import annotations

import io
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import LETTER
from reportlab.platypus import Paragraph, SimpleDocTemplate

from service.demo.facts import Sample
from service.demo.report_fonts import register_fonts
from service.demo.report_identity import AUDITOR, COMPANY, CONTACT_MAIL, OVERVIEW, PERIOD, SYSTEM
from service.demo.report_layout import BODY, BOTTOM, DIVIDER, SIDE, TOP

_TEXTS = (
    f"{COMPANY} is an invented company, and so is all that is said of it here. This page is what such a company would "
    "give to everybody: a short account of how its service is protected.",
    f"An independent auditor, {AUDITOR}, has examined the controls of {SYSTEM} over the period {PERIOD}. The report is "
    "confidential: ask for it on the trust page, and it is lent to you by name, under a non-disclosure agreement.",
    "Customer data is encrypted at rest and in transit. Access is granted by role, approved by a second person and "
    "reviewed each quarter. Backups are restored for practice. Changes are reviewed before they are released.",
    f"Questions are answered at {CONTACT_MAIL}.",
)


def make_overview() -> Sample:
    """The overview as a PDF, without facts. The same bytes every time."""
    register_fonts()
    out = io.BytesIO()
    margins = {"leftMargin": SIDE, "rightMargin": SIDE, "topMargin": TOP, "bottomMargin": BOTTOM}
    template = SimpleDocTemplate(out, pagesize=LETTER, title=OVERVIEW, author=COMPANY, invariant=1, **margins)
    template.build(
        [Paragraph(escape(OVERVIEW), DIVIDER), *(Paragraph(escape(text), BODY) for text in _TEXTS)]
    )
    return Sample(out.getvalue(), {})
