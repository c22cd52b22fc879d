"""The access log, before the tree: what an entry is and how an effect records it.

An effect and its entry are one transaction: the domain adds the `InboxEntry` that `entry` makes to the same
`Records` as the effect. `service/sequencer.py` gives it its place. The leaf format is in `crypto/FORMAT.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crypto import canonical, commitments, identifiers
from service.records import InboxEntry

LEAF_VERSION = 1
MAX_AGENT = 300
"""Characters kept of a User-Agent: browsers send up to about 250; the rest would only feed the log."""

ActorType = Literal["api-key", "cli", "staff", "recipient", "worker", "stranger"]
Random = Callable[[int], bytes]
Clock = Callable[[], datetime]
Details = Mapping[str, str | int | None]
Outcome = Literal["ok", "denied", "refused", "complete", "broken-off", "revoked", "unknown"]

PERSONAL_FIELDS = frozenset({"actor", "address", "agent", "company", "mail", "name", "purpose", "reference"})
"""The closed list of fields that enter a leaf as commitments only."""

REFERENCES = frozenset(
    {"share", "link", "document", "version", "template", "copy", "delivery", "nda", "recipient"}
)

KINDS: Mapping[str, frozenset[str]] = {
    "access.approved": frozenset({"access", "rule"}),
    "access.denied": frozenset({"access"}),
    "access.requested": frozenset({"access"}),
    "api-key.created": frozenset({"key", "scopes", "expires"}),
    "api-key.revoked": frozenset({"key"}),
    "batch.begun": frozenset({"batch", "size"}),
    "batch.ended": frozenset({"batch", "shares", "problems"}),
    "cut.created": frozenset({"cut", "sections"}),
    "cut.ready": frozenset({"cut", "pages"}),
    "cut.refused": frozenset({"cut"}),
    "document.changed": frozenset({"mail_check", "listing", "report", "ends", "citation"}),
    "document.classified": frozenset({"from", "to"}),
    "document.created": frozenset({"kind", "classification"}),
    "document.revoked": frozenset(),
    "download.begun": frozenset({"first", "last"}),
    "download.denied": frozenset(),
    "download.ended": frozenset({"sent"}),
    "download.granted": frozenset({"number", "limit"}),
    "evidence.pulled": frozenset({"about", "size", "sha256"}),
    "hold.placed": frozenset({"hold", "on"}),
    "hold.released": frozenset({"hold", "on"}),
    "key.created": frozenset({"key", "purpose", "public"}),
    "key.retired": frozenset({"key", "purpose"}),
    "key.rotated": frozenset({"key", "purpose", "replaces", "public"}),
    "link.created": frozenset({"expires", "replaces"}),
    "link.queued": frozenset({"message"}),
    "log.archived": frozenset({"first", "stop", "archive"}),
    "log.heartbeat": frozenset(),
    "log.pulled": frozenset({"format", "filter", "size"}),
    "log.recovered": frozenset({"origin", "lost_origin", "lost_size", "lost_root"}),
    "mail-check.failed": frozenset({"check", "tries"}),
    "mail-check.passed": frozenset({"check"}),
    "mail.failed": frozenset({"message", "about", "attempts"}),
    "mail.sent": frozenset({"message", "about", "attempts"}),
    "nda-text.created": frozenset({"text", "number", "sha256", "days"}),
    "nda.approved": frozenset(),
    "nda.created": frozenset({"scope", "source", "from", "until"}),
    "nda.evidence": frozenset({"sha256", "size"}),
    "nda.evidence-erased": frozenset(),
    "nda.record-pulled": frozenset({"sha256"}),
    "nda.revoked": frozenset(),
    "nda.signed": frozenset({"text", "sha256", "record", "signature"}),
    "nda.timestamped": frozenset({"signature", "record"}),
    "page.drawn": frozenset({"page"}),
    "page.viewed": frozenset(),
    "public.downloaded": frozenset({"first", "last", "sha256"}),
    "public.throttled": frozenset({"count", "since"}),
    "recipient.created": frozenset(),
    "recipient.erased": frozenset(),
    "requests.limited": frozenset({"limit", "count", "since"}),
    "requests.unauthentic": frozenset({"count", "since"}),
    "rule.created": frozenset({"rule", "on", "nda", "view_only", "limit", "days"}),
    "rule.listed": frozenset({"rule", "added", "removed"}),
    "rule.removed": frozenset({"rule"}),
    "share.changed": frozenset({"mail_check"}),
    "share.created": frozenset(
        {"expires", "limit", "pinned", "nda", "mail_check", "view_only", "cut", "with"}
    ),
    "share.revoked": frozenset(),
    "staff.denied": frozenset(),
    "staff.signed-in": frozenset({"roles"}),
    "staff.signed-out": frozenset(),
    "store.swept": frozenset({"objects"}),
    "version.created": frozenset({"number"}),
    "version.ready": frozenset({"pages", "format", "size", "removed", "signatures"}),
    "version.refused": frozenset(),
    "version.uploaded": frozenset({"sha256", "size"}),
    "webhook.created": frozenset({"receiver", "kinds"}),
    "webhook.failed": frozenset({"receiver", "event", "attempts"}),
    "webhook.removed": frozenset({"receiver"}),
    "webhook.replayed": frozenset({"receiver", "events"}),
}
"""Each kind of entry and the closed set of its details."""


@dataclass(frozen=True)
class Actor:
    """Who acts, in which request and from where.

    `id` is random (an API key's or recipient's) and stands in the leaf; `name` (a user of the system) is personal.
    """

    type: ActorType
    id: str | None = None
    name: str | None = None
    request: str | None = None
    address: str | None = None
    agent: str | None = None


def entry(
    kind: str,
    actor: Actor,
    now: datetime,
    random: Random,
    *,
    outcome: Outcome = "ok",
    reason: str | None = None,
    details: Details | None = None,
    personal: Mapping[str, str | None] | None = None,
    **references: str | None,
) -> InboxEntry:
    """The entry of one effect, ready for the inbox.

    `references` name the records concerned (`REFERENCES`); empty ones are left out. Raises `ValueError` for a
    kind, detail, reference or personal field outside the closed lists: that is a mistake of the program.
    """
    found = {name: value for name, value in (details or {}).items() if value is not None}
    if not found.keys() <= KINDS[kind] or not references.keys() <= REFERENCES:
        raise ValueError(f"entry {kind}: details {sorted(found)}, references {sorted(references)}")
    body: dict[str, object] = {
        "v": LEAF_VERSION,
        "id": identifiers.new_id("ent", random(16)),
        "kind": kind,
        "time": timestamp(now),
        "actor_type": actor.type,
        "outcome": outcome,
    }
    optional = {"actor": actor.id, "request": actor.request, "reason": reason, **references}
    body.update({name: value for name, value in optional.items() if value is not None})
    if found:
        body["details"] = found
    said = {"actor": actor.name, "address": actor.address, "agent": (actor.agent or "")[:MAX_AGENT]}
    revealed = _commit({**said, **(personal or {})}, random)
    if revealed:
        body["commitments"] = {
            name: commitments.commit(name, shown["value"], bytes.fromhex(shown["salt"]))
            for name, shown in revealed.items()
        }
    return InboxEntry(id=str(body["id"]), position=None, leaf=canonical.encode(body), revealed=revealed)


def _commit(values: Mapping[str, str | None], random: Random) -> dict[str, dict[str, str]]:
    given = {name: value for name, value in values.items() if value}
    if not given.keys() <= PERSONAL_FIELDS:
        raise ValueError(f"personal fields {sorted(given)}")
    return {
        name: {"value": value, "salt": random(commitments.SALT_SIZE).hex()} for name, value in given.items()
    }


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and `Z`, so that text sorts as time does."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
