"""One small report of three sections, as the sources that producers read: headings, paragraphs, a list, a table,
a link, a superscript."""

from __future__ import annotations

import random

_TEXT = (
    "the service stores every report sealed and lends it to named people who signed an agreement while a test found "
    "that requests without a token are refused at once and logged with their time and place so that an auditor can "
    "later check each entry against the public key of the log which no operator may alter"
)
SECTIONS = ("Scope of the test", "Findings and measures", "What was not tested")
LIST = ("Sessions end after ten minutes", "Keys are changed each month", "Copies carry a mark of their own")
TABLE = (
    ("Finding", "Risk", "State"),
    ("Weak key size", "High", "Mended"),
    ("Old library", "Low", "Open until May"),
)
LINK = "https://sealmark.example/report"


def paragraphs(section: int) -> list[str]:
    """Four paragraphs of sixty words, the same each time."""
    chance = random.Random(section)
    return [" ".join(chance.choices(_TEXT.split(), k=60)).capitalize() + "." for _ in range(4)]


def html() -> str:
    """For browsers and word processors."""
    parts = []
    for number, title in enumerate(SECTIONS):
        justified, ragged, third, fourth = paragraphs(number)
        rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in TABLE)
        items = "".join(f"<li>{item}</li>" for item in LIST)
        parts.append(
            f'<div style="page-break-after: always"><h1>{title}</h1>'
            f'<p style="text-align: justify">{justified}</p><p>{ragged}</p><ul>{items}</ul>'
            f"<table border=1>{rows}</table><p>{third} See <a href='{LINK}'>the whole report</a> and note"
            f"<sup>{number + 1}</sup> of it.</p><p style='text-align: justify'>{fourth}</p></div>"
        )
    return (
        f"<html><head><meta charset='utf-8'><title>Report</title></head><body>{''.join(parts)}</body></html>"
    )


def latex() -> str:
    """For pdfTeX, with nothing but what its base has."""
    parts = []
    for number, title in enumerate(SECTIONS):
        justified, ragged, third, fourth = paragraphs(number)
        rows = r"\\ ".join(" & ".join(row) for row in TABLE)
        items = "".join(rf"\item {item}" for item in LIST)
        parts.append(
            rf"\section{{{title}}} {justified}" + "\n\n"
            rf"{{\raggedright {ragged}\par}}\begin{{itemize}}{items}\end{{itemize}}"
            rf"\begin{{tabular}}{{|l|r|l|}}{rows}\end{{tabular}}" + "\n\n"
            rf"{third} See \href{{{LINK}}}{{the whole report}} and note$^{{{number + 1}}}$ of it.\footnote{{A note.}}"
            + "\n\n"
            + rf"{fourth}\newpage"
        )
    body = "\n".join(parts)
    return rf"\documentclass{{article}}\usepackage{{hyperref}}\begin{{document}}\tableofcontents {body}\end{{document}}"


def formatting_objects() -> str:
    """For FOP."""
    parts = []
    for number, title in enumerate(SECTIONS):
        justified, ragged, third, fourth = paragraphs(number)
        cells = "".join(
            "<fo:table-row>"
            + "".join(f"<fo:table-cell><fo:block>{cell}</fo:block></fo:table-cell>" for cell in row)
            + "</fo:table-row>"
            for row in TABLE
        )
        items = "".join(f'<fo:block start-indent="1em">– {item}</fo:block>' for item in LIST)
        parts.append(
            f'<fo:block font-size="18pt" break-before="page">{title}</fo:block>'
            f'<fo:block text-align="justify" space-after="1em">{justified}</fo:block>'
            f"<fo:block>{ragged}</fo:block>{items}"
            f'<fo:table table-layout="fixed" width="100%"><fo:table-body>{cells}</fo:table-body></fo:table>'
            f"<fo:block>{third} See <fo:basic-link external-destination=\"url('{LINK}')\">the whole report"
            f'</fo:basic-link> and note<fo:inline vertical-align="super" font-size="70%">{number + 1}</fo:inline> '
            f'of it.</fo:block><fo:block text-align="justify">{fourth}</fo:block>'
        )
    return (
        '<fo:root xmlns:fo="http://www.w3.org/1999/XSL/Format"><fo:layout-master-set><fo:simple-page-master '
        'master-name="a" page-width="210mm" page-height="297mm" margin="25mm"><fo:region-body/>'
        '</fo:simple-page-master></fo:layout-master-set><fo:page-sequence master-reference="a">'
        f'<fo:flow flow-name="xsl-region-body">{"".join(parts)}</fo:flow></fo:page-sequence></fo:root>'
    )


def troff() -> str:
    """For groff's `ms` macros."""
    parts = [".ds CH", ".ds LH", ".nr PS 11"]
    for number, title in enumerate(SECTIONS):
        justified, ragged, third, fourth = paragraphs(number)
        items = "\n".join(f".IP \\(bu 2\n{item}" for item in LIST)
        rows = "\n".join("\t".join(row) for row in TABLE)
        parts.append(
            f".bp\n.NH\n{title}\n.LP\n{justified}\n.LP\n.ad l\n{ragged}\n.br\n.ad b\n{items}\n"
            f".TS\nl r l.\n{rows}\n.TE\n"
            f".LP\n{third} See the whole report and note\\*{{{number + 1}\\*}} of it.\n.PP\n{fourth}"
        )
    return "\n".join(parts) + "\n"
