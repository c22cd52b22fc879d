"""`sealmark evidence`."""

from __future__ import annotations

from pathlib import Path

import click

from service.cli.log import bring_up_to_date, write_new
from service.cli.output import answer, json_option
from service.cli.session import opened, system_user


@click.command()
@click.option("--share", metavar="ID", help="All of one share (shr_…).")
@click.option("--recipient", metavar="ID", help="All of one person (rcp_…).")
@click.option("--company", metavar="DOMAIN", help="All of a company's people, by its mail domain.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A new file, readable by this user only.",
)
@json_option
def evidence(
    share: str | None, recipient: str | None, company: str | None, output: Path, as_json: bool
) -> None:
    """Pack the evidence of a share, a recipient or a company into a zip that checks offline.

    It holds agreements, copies by their hash, entries with their proofs, the program that checks them, and a PDF to
    read. It holds names, mails and addresses, too: send it as carefully as those. The pull is an entry of the log.
    """
    with opened(sealing=True) as sealmark:
        bring_up_to_date(sealmark)
        pack = sealmark.evidence.pull(system_user(), share=share, recipient=recipient, company=company)
        write_new(output, pack.pieces)
    answer({"file": str(output), "bytes": pack.size, "sha256": pack.sha256}, as_json)
