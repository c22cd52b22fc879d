"""The options that say on what terms something is lent: of one share, and of many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from service.records import NdaMode

_OPTIONS = (
    click.option(
        "--downloads", "download_limit", type=int, help="At most so many downloads each. Default: no limit."
    ),
    click.option(
        "--version", "pinned", metavar="ID", help="Only this version (ver_…). Default: the newest ready one."
    ),
    click.option(
        "--nda",
        type=click.Choice([str(one) for one in NdaMode]),
        default=str(NdaMode.REQUIRE),
        show_default=True,
        help="ask: where no agreement is in force, let the recipient sign one on the page first.",
    ),
    click.option("--view-only", is_flag=True, help="Let the report be read on the page, not downloaded."),
    click.option(
        "--mail-check/--no-mail-check",
        default=None,
        help="Mail each recipient a code first. Default: by document.",
    ),
)


def terms_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command these options, in this order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
