"""`sealmark ndas …`"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from service.cli.log import write_new
from service.cli.nda_texts import texts
from service.cli.output import after_option, answer, answer_list, as_dict, json_option, limit_option
from service.cli.session import opened, system_user
from service.cli.values import AHEAD
from service.records import Nda, NdaState

COLUMNS = (
    "id",
    "state",
    "recipient_id",
    "domain",
    "valid_from",
    "valid_until",
    "source",
    "reference",
    "evidence",
)

PIECE = 256 * 1024
"""Bytes of one read of the evidence file."""


@click.group()
def ndas() -> None:
    """Agreements that put a person or a company under NDA."""


ndas.add_command(texts)


@ndas.command()
@click.option("--mail", help="The person it covers …")
@click.option("--name", default="", help="… with the name that stands on copies …")
@click.option("--company", default="", help="… and the company.")
@click.option("--domain", help="Instead of a person: the company's mail domain, such as acme.example.")
@click.option("--from", "valid_from", type=AHEAD, help="In force from then on. Default: now.")
@click.option("--until", "valid_until", type=AHEAD, help="In force until then. Default: without end.")
@click.option("--source", required=True, help="The system or office that holds it, such as ironclad.")
@click.option("--reference", default="", help="Its number there.")
@click.option("--approved", is_flag=True, help="In force at once; otherwise it waits for `ndas approve`.")
@click.option("--evidence", type=click.File("rb"), help="The signed PDF, kept sealed.")
@json_option
def add(
    mail: str | None,
    name: str,
    company: str,
    domain: str | None,
    valid_from: datetime | None,
    valid_until: datetime | None,
    source: str,
    reference: str,
    approved: bool,
    evidence: BinaryIO | None,
    as_json: bool,
) -> None:
    """Record an agreement of a person (--mail, --name) or of a company (--domain)."""
    with opened(sealing=evidence is not None) as sealmark:
        actor = system_user()
        # With evidence it comes into force only once the evidence is kept.
        nda = sealmark.ndas.add(
            actor,
            mail=mail,
            name=name,
            company=company,
            domain=domain,
            valid_from=valid_from,
            valid_until=valid_until,
            source=source,
            reference=reference,
            approved=approved and evidence is None,
        )
        if evidence is not None:
            nda = sealmark.ndas.attach_evidence(actor, nda.id, _pieces(evidence))
            nda = sealmark.ndas.approve(actor, nda.id) if approved else nda
    answer(_shown(nda), as_json)


@ndas.command()
@click.argument("nda")
@json_option
def approve(nda: str, as_json: bool) -> None:
    """Put a pending agreement in force."""
    with opened() as sealmark:
        answer(_shown(sealmark.ndas.approve(system_user(), nda)), as_json)


@ndas.command()
@click.argument("nda")
@json_option
def revoke(nda: str, as_json: bool) -> None:
    """End an agreement at once, and with it the shares that no other covers."""
    with opened() as sealmark:
        answer(_shown(sealmark.ndas.revoke(system_user(), nda)), as_json)


@ndas.command("list")
@click.option("--recipient", metavar="ID", help="Only those of this person (rcp_…).")
@click.option("--domain", help="Only those of this company's mail domain.")
@click.option(
    "--state", type=click.Choice([str(state) for state in NdaState]), help="Only those in this state."
)
@limit_option
@after_option
@json_option
def list_(
    recipient: str | None, domain: str | None, state: str | None, limit: int, after: str | None, as_json: bool
) -> None:
    """List agreements."""
    chosen = NdaState(state) if state else None
    with opened() as sealmark:
        found = sealmark.ndas.list(
            recipient=recipient, domain=domain, state=chosen, after=after, limit=limit + 1
        )
    answer_list("ndas", [_shown(nda) for nda in found], COLUMNS, limit, as_json)


@ndas.command()
@click.argument("nda")
@json_option
def show(nda: str, as_json: bool) -> None:
    """Show one agreement (nda_…)."""
    with opened() as sealmark:
        answer(_shown(sealmark.ndas.get(nda)), as_json)


@ndas.command()
@click.argument("nda")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A new file, readable by this user only.",
)
@click.option(
    "--timestamp", type=click.Path(path_type=Path), help="A new file for its time stamp (RFC 3161), too."
)
@json_option
def evidence(nda: str, output: Path, timestamp: Path | None, as_json: bool) -> None:
    """Write the signed PDF of an agreement (nda_…) to a file. The pull is an entry of the log."""
    with opened(sealing=True) as sealmark:
        stamp = sealmark.nda_files.timestamp(nda) if timestamp else b""
        kept = sealmark.nda_files.pull(system_user(), nda)
        write_new(output, kept.pieces)
        if timestamp:
            write_new(timestamp, iter([stamp]))
    said = {"file": str(output), "bytes": kept.size, "sha256": kept.sha256}
    answer({**said, "timestamp": str(timestamp) if timestamp else None}, as_json)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _shown(nda: Nda) -> dict[str, Any]:
    return {**as_dict(nda), "evidence": nda.evidence_id is not None}
