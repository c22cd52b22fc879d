"""`sealmark versions …`"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
from pydantic import ValidationError

from service.cli.carrying import capacity_values, note_signatures, removed_text, removed_values
from service.cli.failures import RefusedHere, Unavailable
from service.cli.output import answer, as_dict, json_option, limit_option, note, table
from service.cli.progress import Progress, progress
from service.cli.session import opened, system_user
from service.cli.values import SPAN
from service.facts import Facts
from service.records import Job, Version, VersionState
from watermark.removal import removed_of
from watermark.woven.capacity import capacity_of

if TYPE_CHECKING:
    from service.app import Sealmark

COLUMNS = ("id", "number", "state", "reason", "pages", "size", "created_at", "settled_at")

PIECE = 256 * 1024
"""Bytes of one read of the file."""

MAX_FACTS = 4 * 1024 * 1024
"""Bytes of a facts file: 1,000 exceptions with long texts stay below."""

ASK_EVERY = 0.25
"""Seconds between two looks at a version that is being compiled."""

PATIENCE = 3.0
"""Seconds after which a job that nobody took is said to lack a worker: workers look twice a second."""


@click.group()
def versions() -> None:
    """The files of a document, each with its facts."""


@versions.command()
@click.argument("document")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--facts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="JSON file: period, auditor, opinion, criteria, sections, controls, exceptions.",
)
@click.option("--compile", "here", is_flag=True, help="Compile in this process, where no worker runs.")
@click.option(
    "--wait", type=SPAN, default="15m", show_default=True, help="How long to wait for it to be ready."
)
@json_option
def add(document: str, file: Path, facts: Path, here: bool, wait: timedelta, as_json: bool) -> None:
    """Add FILE (a PDF) as the newest version of DOCUMENT (doc_…), and wait until it is ready or refused."""
    stated = read_facts(facts)
    with opened(sealing=True) as sealmark:
        size = file.stat().st_size
        limit = sealmark.settings.max_file_bytes
        if not 0 < size <= limit:
            raise RefusedHere(
                f"{file} has {size} bytes; a report has 1 to {limit} (SEALMARK_MAX_FILE_BYTES)."
            )
        actor = system_user()
        with file.open("rb") as source, progress() as line:
            version = sealmark.documents.add_version(actor, document, stated)
            version = sealmark.documents.upload(actor, document, version.id, _pieces(source, size, line))
            if here:
                _compile_here(sealmark, version, line)
            version = wait_until_settled(sealmark, version, wait.total_seconds(), line)
    _answer(version, as_json)
    if version.state == VersionState.REFUSED:
        raise RefusedHere(f"the file is refused ({version.reason}): {version.message}")


@versions.command("list")
@click.argument("document")
@click.option("--after", type=int, metavar="NUMBER", help="Only those with a lower number.")
@limit_option
@json_option
def list_(document: str, after: int | None, limit: int, as_json: bool) -> None:
    """List the versions of DOCUMENT (doc_…), the newest first."""
    with opened() as sealmark:
        found = sealmark.documents.versions(document, after=after, limit=limit + 1)
    rows = [_listed(version) for version in found[:limit]]
    following = rows[-1]["number"] if len(found) > limit else None
    if as_json:
        answer({"items": rows, "next": following}, as_json)
        return
    table(rows, COLUMNS)
    if following is not None:
        note(f"there are more: --after {following}")


@versions.command()
@click.argument("document")
@click.argument("version")
@json_option
def show(document: str, version: str, as_json: bool) -> None:
    """Show one version (ver_…) of DOCUMENT (doc_…)."""
    with opened() as sealmark:
        found = sealmark.documents.version(document, version)
    _answer(found, as_json)


def read_facts(path: Path) -> Facts:
    """The facts of a JSON file. Raises `RefusedHere` that names the first place that cannot be."""
    with path.open("rb") as file:
        text = file.read(MAX_FACTS + 1)
    if len(text) > MAX_FACTS:
        raise RefusedHere(f"{path} has more than {MAX_FACTS} bytes: facts are short.")
    try:
        return Facts.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(["facts", *(str(part) for part in first["loc"])])
        raise RefusedHere(f"{path}: {where}: {first['msg']}") from None


def wait_until_settled(sealmark: Sealmark, version: Version, seconds: float, line: Progress) -> Version:
    """The version once it is ready or refused. Raises `Unavailable` when that takes longer than `seconds`."""
    begun = time.monotonic()
    said = False
    while version.state == VersionState.COMPILING:
        waited = time.monotonic() - begun
        taken = _is_taken(sealmark, version)
        if waited > seconds:
            what = (
                "The worker still compiles it" if taken else "No worker has taken it: start `sealmark worker`"
            )
            raise Unavailable(f"{what}. The file is kept; look with `sealmark versions show`.")
        if not taken and waited > PATIENCE and not said:
            line.clear()
            note("waiting for a worker: start `sealmark worker`, or add with --compile where none runs")
            said = True
        line.say(f"{'compiling' if taken else 'waiting for the worker'} … {waited:.0f} s")
        time.sleep(ASK_EVERY)
        version = sealmark.documents.version(version.document_id, version.id)
    return version


def _compile_here(sealmark: Sealmark, version: Version, line: Progress) -> None:
    """Run due jobs in this process until this version's is done, or another worker has it."""
    line.say("compiling …")
    while sealmark.documents.version(version.document_id, version.id).state == VersionState.COMPILING:
        if not sealmark.compiling.run_once():
            return


def _is_taken(sealmark: Sealmark, version: Version) -> bool:
    with sealmark.database.read() as records:
        return any(job.attempts for job in records.find(Job, subject=version.id))


def _pieces(file: BinaryIO, size: int, line: Progress) -> Iterator[bytes]:
    done = 0
    while piece := file.read(PIECE):
        yield piece
        done += len(piece)
        line.say(f"sealing … {100 * done // size} %")


def _listed(version: Version) -> dict[str, Any]:
    """A version as lists show it: without what grows with its pages."""
    return {name: value for name, value in as_dict(version).items() if name != "capacity"}


def _answer(version: Version, as_json: bool) -> None:
    """One version; a ready one with what its copies carry and what was removed from its file."""
    shown = _listed(version)
    if version.capacity is None:
        answer({**shown, "capacity": None, "removed": None}, as_json)
        return
    capacity = capacity_of(version.capacity)
    removed = removed_of(version.capacity.get("removed", {}))
    if as_json:
        carried = {"capacity": capacity_values(capacity), "removed": removed_values(removed)}
        answer({**shown, **carried}, as_json)
        return
    answer({**shown, "carries": capacity.statement, "removed": removed_text(removed)}, as_json)
    note_signatures(removed)
