"""Sections of a report on the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from service.app import Sealmark
    from service.audit import Actor

MAX_DIGITS = 4
"""Of a place: a version's facts have at most a thousand sections. A longer number is a title."""


def section_option(*, required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--section`, which may be given several times."""
    return click.option(
        "--section",
        "sections",
        multiple=True,
        required=required,
        metavar="SECTION",
        help="A section of the version's facts: its title, its kind, or its place from 0. May be repeated.",
    )


def sections_of(given: Sequence[str]) -> list[int | str]:
    """What was given as `--section`: a short number is a place."""
    return [
        int(one) if one.isascii() and one.isdecimal() and len(one) <= MAX_DIGITS else one for one in given
    ]


def check_pinned(given: Sequence[str], pinned: str | None) -> None:
    """Raise `UsageError` where sections are named and not the version that they are of."""
    if given and pinned is None:
        raise click.UsageError("A share of sections is pinned to their version: give --version, too.")


def cut_id_of(
    sealmark: Sealmark, actor: Actor, document: str, pinned: str | None, wanted: Sequence[int | str]
) -> str | None:
    """The cut that a share of these sections covers; None of none. Raises `DomainError` as `Cuts.ready` does."""
    if not wanted or pinned is None:
        return None
    version = sealmark.documents.version(document, pinned)
    return sealmark.cuts.ready(actor, version.id, wanted).id
