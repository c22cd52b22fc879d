"""`sealmark webhooks …`"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import click

from service.cli.output import after_option, answer, answer_list, as_dict, json_option, limit_option
from service.cli.session import opened, system_user
from service.cli.values import BACK
from service.events import EventKind
from service.records import Event, Receiver
from service.webhooks import EventState, state_of

COLUMNS = ("id", "url", "kinds", "personal", "created_at")
EVENT_COLUMNS = ("id", "kind", "state", "attempts", "status", "problem", "created_at")


@click.group()
def webhooks() -> None:
    """Receivers that are told what happens (docs/webhooks.md)."""


@webhooks.command()
@click.argument("url")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice([str(kind) for kind in EventKind]),
    multiple=True,
    help="What it is told of; may be repeated. Default: all.",
)
@click.option("--personal", is_flag=True, help="Its events hold the recipient's mail, name and company.")
@json_option
def add(url: str, kinds: tuple[str, ...], personal: bool, as_json: bool) -> None:
    """Tell URL (https, public) what happens from now on, and print its secret, this once."""
    chosen = [EventKind(kind) for kind in kinds] or list(EventKind)
    with opened(sealing=True) as sealmark:
        receiver, secret = sealmark.webhooks.add(system_user(), url=url, kinds=chosen, personal=personal)
    answer({**_shown(receiver), "secret": secret}, as_json)


@webhooks.command("list")
@limit_option
@after_option
@json_option
def list_(limit: int, after: str | None, as_json: bool) -> None:
    """List receivers."""
    with opened() as sealmark:
        found = sealmark.webhooks.list(after=after, limit=limit + 1)
    answer_list("receivers", [_shown(receiver) for receiver in found], COLUMNS, limit, as_json)


@webhooks.command()
@click.argument("receiver")
@json_option
def remove(receiver: str, as_json: bool) -> None:
    """Send a receiver (whr_…) nothing more; its secret and its delivery log are gone."""
    with opened() as sealmark:
        answer(_shown(sealmark.webhooks.remove(system_user(), receiver)), as_json)


@webhooks.command()
@click.argument("receiver")
@click.option("--since", type=BACK, help="All events from then on. Default: those that failed.")
@json_option
def replay(receiver: str, since: datetime | None, as_json: bool) -> None:
    """Send events of a receiver (whr_…) again, under their ids and in their order."""
    with opened() as sealmark:
        count = sealmark.webhooks.replay(system_user(), receiver, since=since)
    answer({"id": receiver, "events": count}, as_json)


@webhooks.command()
@click.argument("receiver")
@click.option("--state", type=click.Choice(["waiting", "sent", "failed"]), help="Only those.")
@limit_option
@after_option
@json_option
def events(receiver: str, state: str | None, limit: int, after: str | None, as_json: bool) -> None:
    """The delivery log of a receiver (whr_…): what was sent, what waits, what failed."""
    with opened() as sealmark:
        found = sealmark.webhooks.events(
            receiver,
            state=cast(EventState | None, state),
            after=after,
            limit=limit + 1,
        )
    answer_list("events", [_shown_event(event) for event in found], EVENT_COLUMNS, limit, as_json)


def _shown(receiver: Receiver) -> dict[str, Any]:
    return {name: value for name, value in as_dict(receiver).items() if name != "secret"}


def _shown_event(event: Event) -> dict[str, Any]:
    hidden = {"position", "receiver_id", "recipient_id", "tried_from"}
    shown = {name: value for name, value in as_dict(event).items() if name not in hidden}
    return {**shown, "state": state_of(event)}
