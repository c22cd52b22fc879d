"""Events: what other systems are told as webhooks, made from entries of the log.

The sequencer makes them, in the transaction that gives the entries their place. So an event is there exactly when its
entry is, once, and in the order of the log; nothing that lends a report knows of webhooks or waits for them; and a
kind of effect that is added later cannot forget its event. It costs a second at most: an entry is in the inbox from
its effect's own transaction on, and nothing leaves there but into the tree.

An event's id is derived from what it tells of and from its receiver. So nothing can be told under two ids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from crypto import identifiers
from service.ports import Records
from service.records import Copy, Document, Event, LoggedEntry, Receiver, Recipient, Send


class EventKind(StrEnum):
    """What a receiver may be told of."""

    ACCESS_REQUESTED = "access.requested"
    ACCESS_APPROVED = "access.approved"
    ACCESS_DENIED = "access.denied"
    NDA_SIGNED = "nda.signed"
    SHARE_VIEWED = "share.viewed"  # its page was looked at
    SHARE_DOWNLOADED = "share.downloaded"  # all bytes of a delivery have been sent; once a delivery
    SHARE_REVOKED = "share.revoked"
    SHARE_EXPIRING = "share.expiring"  # told of by `service/share_endings.py`: nothing happens then


FROM_ENTRIES: Mapping[str, EventKind] = {
    "access.requested": EventKind.ACCESS_REQUESTED,
    "access.approved": EventKind.ACCESS_APPROVED,
    "access.denied": EventKind.ACCESS_DENIED,
    "nda.signed": EventKind.NDA_SIGNED,
    "page.viewed": EventKind.SHARE_VIEWED,
    "download.ended": EventKind.SHARE_DOWNLOADED,
    "share.revoked": EventKind.SHARE_REVOKED,
}
"""Which entry becomes which event."""

TOLD = ("share", "document", "version", "copy", "delivery", "nda", "recipient", "reason")
"""What of a leaf an event repeats: identifiers and a closed code, nothing personal."""


AT_ONCE = 500
"""Ids that one statement names: databases bound how many values it may have."""


def wanting(records: Records) -> Sequence[Receiver]:
    """The receivers in force, the oldest first."""
    return records.find(Receiver, order="created_at", removed_at=None)


def of_entries(records: Records, logged: Sequence[LoggedEntry], now: datetime) -> list[Event]:
    """The events of entries that get their place in this transaction, in their order.

    The caller holds the log's state, so that positions have the order of the log, and erasing waits.
    """
    told = [entry for entry in logged if entry.kind in FROM_ENTRIES]
    receivers = wanting(records) if told else ()
    if not receivers:
        return []
    made: dict[str, Event] = {}
    for entry in told:
        kind = FROM_ENTRIES[entry.kind]
        interested = [receiver for receiver in receivers if kind in receiver.kinds]
        if not interested:
            continue
        body: dict[str, Any] = json.loads(entry.leaf)
        about = entry.id
        if kind == EventKind.SHARE_DOWNLOADED:
            if not _is_whole(records, body):
                continue
            about = str(body["delivery"])
        data: dict[str, Any] = {"entry": entry.id, **{name: body[name] for name in TOLD if name in body}}
        if "access" in body.get("details", {}):
            data["request"] = body["details"]["access"]
        for event in events(records, interested, kind, about, str(body["time"]), data, now):
            made.setdefault(event.id, event)
    return new(records, list(made.values()))


def events(
    records: Records,
    receivers: Sequence[Receiver],
    kind: EventKind,
    about: str,
    time: str,
    data: Mapping[str, Any],
    now: datetime,
) -> list[Event]:
    """One event for each of these receivers; `about` is what can be told of only once, `time` when it happened."""
    document = records.get(Document, data["document"]) if "document" in data else None
    recipient = records.get(Recipient, data["recipient"]) if "recipient" in data else None
    said = {**data, **({"document_name": document.name} if document else {})}
    person: dict[str, str] = {}
    if recipient is not None and not recipient.erased_at:
        person = {
            "recipient_mail": recipient.mail,
            "recipient_name": recipient.name,
            "recipient_company": recipient.company,
        }
    made = []
    for receiver in receivers:
        named = person if receiver.personal else {}
        body = {"type": str(kind), "timestamp": time, "data": {**said, **named}}
        event = Event(
            id=_id(receiver.id, kind, about),
            position=None,
            receiver_id=receiver.id,
            kind=kind,
            recipient_id=recipient.id if recipient and named else None,
            body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
            created_at=now,
            tried_from=now,
            run_after=now,
        )
        made.append(event)
    return made


def new(records: Records, made: Sequence[Event]) -> list[Event]:
    """Those that are not there yet. Only what is told once of many entries can be."""
    again = {EventKind.SHARE_DOWNLOADED, EventKind.SHARE_EXPIRING}
    asked = [event.id for event in made if event.kind in again]
    known: set[str] = set()
    for at in range(0, len(asked), AT_ONCE):
        known |= {event.id for event in records.find(Event, id__in=asked[at : at + AT_ONCE])}
    return [event for event in made if event.id not in known]


def _is_whole(records: Records, body: Mapping[str, Any]) -> bool:
    """Whether with this end of a send as many bytes as the copy has were sent: a browser may ask for it in parts."""
    if body.get("outcome") != "complete" or "delivery" not in body or "copy" not in body:
        return False
    copy = records.get(Copy, body["copy"])
    sends = records.find(Send, delivery_id=body["delivery"], ended_at__ne=None)
    return copy is not None and sum(send.sent for send in sends) >= copy.length


def _id(receiver_id: str, kind: EventKind, about: str) -> str:
    source = "\0".join(("sealmark event v1", receiver_id, kind, about))
    return identifiers.new_id("evt", hashlib.sha256(source.encode()).digest()[:16])
