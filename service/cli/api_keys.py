"""`sealmark api-keys …`. Only the answer of `create` holds a key."""

from __future__ import annotations

from datetime import datetime

import click

from service.access import Scope
from service.cli.output import answer, answer_list, as_dict, json_option, note
from service.cli.session import opened, system_user
from service.cli.values import AHEAD

COLUMNS = ("id", "scopes", "expires_at", "last_used_at", "revoked_at", "name")


@click.group("api-keys")
def api_keys() -> None:
    """Keys of the systems that call the API."""


@api_keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([str(scope) for scope in Scope]),
    help="What it may do; give it once for each. No scope includes another.",
)
@click.option(
    "--expires", "expires_at", type=AHEAD, default="90d", show_default=True, help="When it ends: within 366d."
)
@json_option
def create(name: str, scopes: tuple[str, ...], expires_at: datetime, as_json: bool) -> None:
    """Make an API key called NAME (who uses it, for what) and print it, this once."""
    with opened() as sealmark:
        record, text = sealmark.api_keys.create(
            system_user(), name, [Scope(scope) for scope in scopes], expires_at
        )
    answer({**as_dict(record), "key": text}, as_json)
    if not as_json:
        note("The key is shown this once: put it where its caller keeps secrets.")


@api_keys.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List API keys, the newest first."""
    with opened() as sealmark:
        found = [as_dict(key) for key in sealmark.api_keys.list()]
    answer_list("api_keys", found, COLUMNS, max(len(found), 1), as_json)


@api_keys.command()
@click.argument("key")
@json_option
def revoke(key: str, as_json: bool) -> None:
    """End an API key (its id, smk_…) at once."""
    with opened() as sealmark:
        answer(as_dict(sealmark.api_keys.revoke(system_user(), key)), as_json)
