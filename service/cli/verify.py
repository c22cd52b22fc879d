"""`sealmark log verify`: check an export of the log, offline, with what `crypto/logcheck.py` does alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from service.cli.failures import REFUSED
from service.cli.output import answer, json_option, plain

GENUINE = 0


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    "keys",
    multiple=True,
    required=True,
    metavar="KEY",
    help="Public key of the log or of a witness, as text or a file of such lines. Repeatable.",
)
@click.option(
    "--against",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that you kept: shows what was cut off since, or rolled back. Repeatable.",
)
@click.option(
    "--proof",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The proof of one entry; FILE is then the exact bytes of its leaf.",
)
@json_option
def verify(
    file: Path, keys: tuple[str, ...], against: tuple[Path, ...], proof: Path | None, as_json: bool
) -> int:
    """Check FILE, an export of a log, against the log's public key.

    Needs no service and no settings. Exit status: 0 genuine, 1 not genuine, 2 nothing was checked, since a file or a
    key could not be read. The same check as one file to read and to carry: crypto/logcheck.py.
    """
    from crypto.logcheck import check_file

    try:
        report = check_file(file, keys, against, proof)
    except (ValueError, OSError) as error:
        raise click.UsageError(f"cannot check: {plain(str(error))}") from error
    if as_json:
        answer({"genuine": not report.problems, **asdict(report)}, as_json)
    else:
        click.echo("\n".join(report.lines()))
    return REFUSED if report.problems else GENUINE
