"""`sealmark log …`. Each pull is an entry itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from service.cli.failures import RefusedHere, Unavailable
from service.cli.output import answer, as_dict, json_option, note, table
from service.cli.session import opened, system_user
from service.cli.values import BACK
from service.cli.verify import verify
from service.log import MAX_PAGE, LogFilter, flat, shown

if TYPE_CHECKING:
    from service.app import Sealmark
    from service.exporting import Form

COLUMNS = ("index", "time", "kind", "outcome", "actor_type", "actor", "name", "mail", "document", "share")

SLOW_SECONDS = 5.0
"""The sequencer gives entries their place within a second; one that waits so long has no worker."""


@click.group()
def log() -> None:
    """The access log: who got what, when, from where."""


log.add_command(verify)


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option(
            "--since",
            type=BACK,
            help="From then on: 2026-12-31, 2026-12-31T18:00Z, or 24h for back from now.",
        ),
        click.option("--until", type=BACK, help="Before then."),
        click.option("--kind", help="Only this kind, such as download.granted."),
        click.option("--document", metavar="ID", help="Only about this document (doc_…)."),
        click.option("--recipient", metavar="ID", help="Only about this person (rcp_…)."),
        click.option("--share", metavar="ID", help="Only about this share (shr_…)."),
        click.option("--outcome", help="Only with this outcome, such as denied."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@log.command("list")
@_filters
@click.option(
    "--after", type=int, metavar="INDEX", help="Only those after this index: for the next part of a list."
)
@click.option("--size", type=int, help="What the first part said, so that all parts see one log.")
@click.option(
    "--limit", type=click.IntRange(1, MAX_PAGE), default=100, show_default=True, help="At most so many."
)
@json_option
def list_(after: int | None, size: int | None, limit: int, as_json: bool, **chosen: Any) -> None:
    """List entries in order of their index."""
    with opened() as sealmark:
        bring_up_to_date(sealmark)
        page = sealmark.log.page(system_user(), LogFilter(**chosen), after=after, limit=limit, size=size)
        waiting = sealmark.sequencer.lag()
    if as_json:
        entries = [shown(item) for item in page.entries]
        answer({"items": entries, "next": page.next_after, "size": page.size}, as_json)
    else:
        table([flat(item) for item in page.entries], COLUMNS)
        if page.next_after is not None:
            note(f"there are more: --after {page.next_after} --size {page.size}")
    if waiting > SLOW_SECONDS:
        note(
            f"entries have waited {waiting:.0f} seconds for their place in the log: is `sealmark worker` running?"
        )


@log.command()
@_filters
@click.option(
    "--format",
    "form",
    type=click.Choice(["ndjson", "csv", "ocsf"]),
    default="ndjson",
    show_default=True,
    help="ndjson holds each entry's exact bytes and is the proof; csv is for reading, ocsf for a SIEM.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="A new file, readable by this user only. Default: standard output.",
)
@click.option(
    "--held",
    type=int,
    multiple=True,
    metavar="SIZE",
    help="Prove consistency with the checkpoint of so many entries, which somebody holds; the whole log needs none.",
)
@click.option("--json", "as_json", is_flag=True, help="With --output: say in JSON what was written.")
def export(form: str, output: Path | None, held: tuple[int, ...], as_json: bool, **chosen: Any) -> None:
    """Export all entries of the filter as a stream."""
    if as_json and output is None:
        raise click.UsageError("--json goes with --output; on standard output, ndjson is JSON already.")
    with opened() as sealmark:
        bring_up_to_date(sealmark)
        pieces = sealmark.exports.export(system_user(), LogFilter(**chosen), cast("Form", form), held)
        if output is None:
            stream = sys.stdout.buffer
            for piece in pieces:
                stream.write(piece)
            stream.flush()
            return
        size = write_new(output, pieces)
    said = {"file": str(output), "format": form, "bytes": size}
    answer(said, as_json)


@log.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON: origin, size and the note.")
def checkpoint(as_json: bool) -> None:
    """Print the newest checkpoint, which covers every entry until now. Keep it, or give it to who will check."""
    with opened(sealing=True) as sealmark:
        bring_up_to_date(sealmark)
        made = sealmark.checkpoints.cover()
    if as_json:
        answer({"origin": made.origin, "size": made.size, "note": made.note}, as_json)
    else:
        click.echo(made.note, nl=False)


@log.command()
@json_option
def recover(as_json: bool) -> None:
    """Go on after a restored backup that lacks entries which the log has signed.

    Begins a new origin. Its first entry quotes the checkpoint that was lost, so that everybody who checks sees the gap.
    Stop the other processes first.
    """
    with opened(sealing=True) as sealmark:
        origin = sealmark.checkpoints.recover(system_user())
    answer({"origin": origin}, as_json)


@log.group("keys")
def keys_() -> None:
    """The keys that sign the log."""


@keys_.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """Print the public keys that sign now, the newest first. Who checks the log needs one of them."""
    with opened(sealing=True) as sealmark:
        bring_up_to_date(sealmark)
        sealmark.checkpoints.cover()
        keys = [key.encode() for key in sealmark.checkpoints.public_keys()]
    if as_json:
        answer({"keys": keys}, as_json)
    else:
        click.echo("\n".join(keys))


@keys_.command()
@click.option(
    "--overlap",
    type=click.IntRange(1, 366),
    default=30,
    show_default=True,
    help="Days for which both keys sign.",
)
@json_option
def rotate(overlap: int, as_json: bool) -> None:
    """Put a new signing key in use. The entry that says so names it, and both keys sign for a while."""
    with opened(sealing=True) as sealmark:
        made = sealmark.keys.rotate(system_user(), "log", timedelta(days=overlap))
    answer(as_dict(made), as_json)


def bring_up_to_date(sealmark: Sealmark) -> None:
    """Give waiting entries their place, as a worker does each moment: where none runs, the log is whole too."""
    while sealmark.sequencer.run_once():
        pass


def write_new(path: Path, pieces: Iterator[bytes]) -> int:
    """Write a file that was not there, durably; returns its size. A part is never left."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise RefusedHere(
            f"{path} is there already, and an export overwrites nothing: name a new file."
        ) from None
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error.strerror}") from error
    size = 0
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                size += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Unavailable(f"cannot write {path}: {error.strerror}") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size
