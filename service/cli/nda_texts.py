"""`sealmark ndas texts …`"""

from __future__ import annotations

from typing import Any, BinaryIO

import click

from service.cli.output import answer, answer_list, as_dict, json_option
from service.cli.session import opened, system_user
from service.errors import invalid
from service.nda_markdown import MAX_BYTES
from service.records import NdaText

COLUMNS = ("number", "id", "sha256", "days", "created_at")

MOST = 1000
"""Texts that are listed: one a day for three years."""


@click.group()
def texts() -> None:
    """Texts of the agreement that recipients sign on the page. The newest is offered."""


@texts.command()
@click.argument("file", type=click.File("rb"))
@click.option("--days", type=int, help="How long a signature holds. Default: without end.")
@json_option
def add(file: BinaryIO, days: int | None, as_json: bool) -> None:
    """Offer the text of a file (Markdown in UTF-8, no HTML; - for standard input) from now on.

    Who signed an older text on the page is asked again.
    """
    content = file.read(MAX_BYTES + 1)
    try:
        markdown = content.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(content) <= MAX_BYTES:
            line = content[: error.start].count(b"\n") + 1
            raise invalid("markdown", f"Line {line}: the text is not UTF-8.") from None
        markdown = content.decode("utf-8", "replace")  # cut within a character: too large all the same
    with opened() as sealmark:
        text = sealmark.nda_texts.add(system_user(), markdown=markdown, days=days)
    answer(_shown(text), as_json)


@texts.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List texts in order of their number; the last is offered."""
    with opened() as sealmark:
        found = sealmark.nda_texts.list(limit=MOST)
    answer_list("texts", [_shown(text) for text in found], COLUMNS, MOST, as_json)


@texts.command()
@click.argument("text")
@json_option
def show(text: str, as_json: bool) -> None:
    """Show one text (txt_…) as it was added."""
    with opened() as sealmark:
        found = sealmark.nda_texts.get(text)
    if as_json:
        answer(as_dict(found), as_json)
    else:
        click.echo(found.markdown, nl=not found.markdown.endswith("\n"))


def _shown(text: NdaText) -> dict[str, Any]:
    return {name: value for name, value in as_dict(text).items() if name != "markdown"}
