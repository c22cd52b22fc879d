"""`--url`: the same command on a service that runs elsewhere, over its API, with the key of a file."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import click

from service.audit import timestamp
from service.cli.failures import RefusedHere
from service.cli.output import answer, answer_list

if TYPE_CHECKING:
    from sealmark.client import Client

KEY_FILE = "SEALMARK_API_KEY_FILE"

PAGE = 200
"""Things that are asked for at once: the most that the API gives."""

T = TypeVar("T")

url_option = click.option(
    "--url",
    metavar="URL",
    help=f"Ask this service over its API, with the key in the file that {KEY_FILE} names; no other setting is needed.",
)


def client_of(url: str) -> Client:
    """A client with the key of the file that the environment names. Raises `sealmark.errors.SealmarkError`."""
    from sealmark.client import Client

    return Client.with_key_file(url)


def over_http(call: Callable[..., Any], columns: Sequence[str] = ()) -> Callable[[T], T]:
    """Let a command take `--url`, and be then `call(client, …)` with the command's own options.

    With `columns` it gives a list, as tables show it. An option that `call` does not take is refused when it is given.
    """

    def declare(command: Any) -> Any:
        @wraps(command)
        def run(url: str | None, **given: Any) -> None:
            if url is None:
                command(**given)
                return
            as_json = given.pop("as_json", False)
            limit = given.get("limit")
            if limit is not None:
                given["limit"] = min(limit + 1, PAGE)
            found = call(client_of(url), **_taken(call, given))
            if limit is None:
                answer(found, as_json)
            else:
                name = str(command.__module__).rpartition(".")[2]
                answer_list(name, list(islice(found, limit + 1)), columns, limit, as_json)

        return url_option(run)

    return declare


def said(value: Any) -> Any:
    """A value of the command line as the client takes it: what was not said is omitted."""
    from sealmark.calls import OMITTED

    if value is None:
        return OMITTED
    if isinstance(value, datetime):
        return timestamp(value)
    return int(value.total_seconds()) if isinstance(value, timedelta) else value


def said_all(given: dict[str, Any]) -> dict[str, Any]:
    """`said` of each."""
    return {name: said(value) for name, value in given.items()}


def _taken(call: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """The options that `call` takes, as it takes them: by name, and those that were not given not at all."""
    parameters = inspect.signature(call).parameters
    anything = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    taken = {}
    for name, value in given.items():
        if name in parameters:
            taken[name] = value
        elif anything:
            taken[name] = said(value)
        elif value not in (None, False):
            raise RefusedHere(f"--{name.replace('_', '-')} is not for --url.")
    return taken
