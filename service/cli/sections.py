"""Sections of a report on the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

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
