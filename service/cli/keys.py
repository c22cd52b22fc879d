"""`sealmark keys …`"""

from __future__ import annotations

from dataclasses import asdict

import click

from service.cli.output import answer, as_dict, json_option, note, table
from service.cli.progress import progress
from service.cli.session import opened, system_user


@click.group()
def keys() -> None:
    """Master keys, and the keys that they wrap."""


@keys.command()
@json_option
def init(as_json: bool) -> None:
    """Make the key file (SEALMARK_KEY) and the keys that hang on it; finishes an `init` that was broken off."""
    with opened() as sealmark:
        made = sealmark.master_keys.init(system_user())
        path = sealmark.keyfile.path
    answer({"id": made.id, "file": str(path)}, as_json)
    note(f"Keep a copy of {path} apart from the backups of store and database: without it nothing opens.")


@keys.command()
@click.option(
    "--purpose", type=click.Choice(["master", "link"]), default="master", show_default=True, help="Which key."
)
@json_option
def rotate(purpose: str, as_json: bool) -> None:
    """Put a new key in use: the master key or the one that signs links.

    A new master key wraps all other keys anew and rewrites no report. Broken off, it goes on when run again. The file
    keeps the older one until `keys retire`; copy the file before and after. Links that are out stay valid.
    """
    with opened(sealing=purpose == "link") as sealmark:
        if purpose == "link":
            answer(as_dict(sealmark.keys.rotate(system_user(), "link")), as_json)
            return
        with progress() as line:
            made = sealmark.master_keys.rotate(
                system_user(), lambda done: line.say(f"{done} keys wrapped anew")
            )
        answer({"id": made.id, "file": str(sealmark.keyfile.path)}, as_json)


@keys.command()
@click.argument("key")
@json_option
def retire(key: str, as_json: bool) -> None:
    """Take a master key out of the file, once a full listing shows that nothing needs it."""
    with opened(sealing=True) as sealmark:
        sealmark.master_keys.retire(system_user(), key)
    answer({"id": key, "retired": True}, as_json)


@keys.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List master keys with what needs each (by a full listing of the store), and the keys that they wrap."""
    with opened(sealing=True) as sealmark:
        masters = [asdict(use) for use in sealmark.master_keys.list()]
        named = [as_dict(key) for key in sealmark.keys.listed()]
    if as_json:
        answer({"master_keys": masters, "named_keys": named}, as_json)
        return
    table(masters, ("id", "current", "named_keys", "objects"))
    click.echo()
    table(named, ("id", "purpose", "owner_id", "master_id", "created_at", "verify_until"))
