"""`sealmark witness`: countersign the checkpoints of others' logs, without a service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.cli.output import answer, json_option, note

if TYPE_CHECKING:
    from crypto.logcheck import NoteKey

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


@click.group(
    invoke_without_command=True, short_help="Countersign the checkpoints of a log, without a service."
)
@click.option(
    "--key",
    "key_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The key that `witness new` made.",
)
@click.option(
    "--log",
    "logs",
    metavar="VKEY",
    multiple=True,
    help="A public key of a log that is countersigned. Any number.",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of what is remembered: one for each witness, and never an old copy of it.",
)
@click.option("--listen", metavar="ADDRESS:PORT", help="Where it listens, such as 127.0.0.1:8090.")
@click.option("--name", help="Refuse to run unless the key is of this name.")
@click.pass_context
def witness(
    ctx: click.Context,
    key_file: Path | None,
    logs: tuple[str, ...],
    state: Path | None,
    listen: str | None,
    name: str | None,
) -> None:
    """Countersign the checkpoints of logs until SIGTERM (c2sp.org/tlog-witness), without a service.

    It remembers the last checkpoint of each log and signs only what is consistent with it. Needs --key, --log, --state
    and --listen.
    """
    if ctx.invoked_subcommand is not None:
        return
    from service.witness.server import run

    if key_file is None or not logs or state is None or listen is None:
        raise click.UsageError("Name --key, --log, --state and --listen; `sealmark witness new` makes a key.")
    address = _ADDRESS.fullmatch(listen)
    if address is None or int(address[2]) > 65535:
        raise click.UsageError("--listen must be ADDRESS:PORT, such as 127.0.0.1:8090.")
    known = [_log_key(text) for text in logs]
    run(key_file, name, known, state, listen)


@witness.command()
@click.option(
    "--key",
    "key_file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="A new file, readable by this user only.",
)
@click.option("--name", required=True, help="What the witness is called, such as witness.auditor.example/w1.")
@json_option
def new(key_file: Path, name: str, as_json: bool) -> None:
    """Make the key of a witness, and say its public key: whoever reads the log is to know that one."""
    from service.witness.keyfile import new_witness_key

    key = new_witness_key(key_file, name)
    answer({"vkey": key.public.encode(), "file": str(key_file)}, as_json)
    note(f"Keep {key_file} on this machine alone: two witnesses with one key could sign what contradicts.")


def _log_key(text: str) -> NoteKey:
    from crypto.logcheck import LOG_KEY, CheckFailed, NoteKey

    try:
        key = NoteKey.decode(text)
    except CheckFailed as error:
        raise click.UsageError(f"--log: {error}.") from error
    if key.kind != LOG_KEY:
        raise click.UsageError("--log names the key of a witness: a witness signs what logs say.")
    return key
