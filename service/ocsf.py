"""Entries as events of the Open Cybersecurity Schema Framework, for a SIEM. `docs/siem.md` says which and why.

An event is for searching and alarms: it proves nothing. Its `metadata.uid` and `metadata.sequence` lead to the entry.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from service.records import LoggedEntry

VERSION = "1.6.0"
"""Of the schema: the first in which a File Hosting Activity has the request, and so the program that asked."""

PRODUCT = {"name": "Sealmark", "vendor_name": "Sealmark"}
OTHER = 99


class Class(IntEnum):
    """The classes that are used; the thousands are the category."""

    ENTITY_MANAGEMENT = 3004
    APPLICATION_LIFECYCLE = 6002
    API_ACTIVITY = 6003
    FILE_HOSTING = 6006


class Severity(IntEnum):
    """How much it should worry."""

    INFORMATIONAL = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4


@dataclass(frozen=True)
class Mapped:
    """What an entry of one kind is. `name`: of an activity that the class does not know; `entity`: what it is about."""

    of: Class
    activity: int
    entity: str = ""
    name: str = ""
    severity: Severity = Severity.INFORMATIONAL


def _entity(
    entity: str, activity: int, name: str = "", severity: Severity = Severity.INFORMATIONAL
) -> Mapped:
    return Mapped(Class.ENTITY_MANAGEMENT, activity, entity, name, severity)


def _file(activity: int, severity: Severity = Severity.INFORMATIONAL) -> Mapped:
    return Mapped(Class.FILE_HOSTING, activity, severity=severity)


_CREATE, _READ, _UPDATE, _DELETE, _MOVE, _DISABLE, _ACTIVATE, _DEACTIVATE = 1, 2, 3, 4, 5, 9, 10, 11
_UPLOAD, _DOWNLOAD, _PREVIEW, _SHARE, _UNSHARE, _OPEN, _ACCESS_CHECK = 1, 2, 9, 12, 13, 14, 17

MAPPED: Mapping[str, Mapped] = {
    "access.approved": _entity("access-request", _ACTIVATE),
    "access.denied": _entity("access-request", _DEACTIVATE),
    "access.requested": _entity("access-request", _CREATE),
    "api-key.created": _entity("api-key", _CREATE),
    "api-key.revoked": _entity("api-key", _DISABLE),
    "batch.begun": Mapped(Class.API_ACTIVITY, _CREATE, "batch"),
    "batch.ended": Mapped(Class.API_ACTIVITY, _UPDATE, "batch"),
    "cut.created": _entity("cut", _CREATE),
    "cut.ready": _entity("cut", _ACTIVATE),
    "cut.refused": _entity("cut", _DEACTIVATE, severity=Severity.LOW),
    "document.changed": _entity("document", _UPDATE),
    "document.classified": _entity("document", _UPDATE, severity=Severity.LOW),
    "document.created": _entity("document", _CREATE),
    "document.revoked": _entity("document", _DEACTIVATE),
    "download.begun": _file(_OPEN),
    "download.denied": _file(_ACCESS_CHECK, Severity.LOW),
    "download.ended": _file(_DOWNLOAD),
    "download.granted": _file(_ACCESS_CHECK),
    "evidence.pulled": Mapped(Class.API_ACTIVITY, _READ, "evidence"),
    "hold.placed": _entity("hold", _ACTIVATE),
    "hold.released": _entity("hold", _DEACTIVATE),
    "key.created": _entity("key", _CREATE),
    "key.retired": _entity("key", _DEACTIVATE),
    "key.rotated": _entity("key", _UPDATE),
    "link.created": _file(_SHARE),
    "link.queued": _file(_SHARE),
    "log.archived": _entity("log-archive", _MOVE),
    "log.heartbeat": Mapped(Class.APPLICATION_LIFECYCLE, OTHER, name="Heartbeat"),
    "log.pulled": Mapped(Class.API_ACTIVITY, _READ, "log"),
    "log.recovered": _entity("log", OTHER, "Recover", Severity.HIGH),
    "mail-check.failed": _file(_ACCESS_CHECK, Severity.LOW),
    "mail-check.passed": _file(_ACCESS_CHECK),
    "mail.failed": Mapped(Class.API_ACTIVITY, OTHER, "message", "Mail not delivered", Severity.LOW),
    "mail.sent": Mapped(Class.API_ACTIVITY, OTHER, "message", "Mail sent"),
    "nda-text.created": _entity("nda-text", _CREATE),
    "nda.approved": _entity("nda", _ACTIVATE),
    "nda.created": _entity("nda", _CREATE),
    "nda.evidence": _entity("nda", _UPDATE),
    "nda.evidence-erased": _entity("nda", _UPDATE),
    "nda.record-pulled": Mapped(Class.API_ACTIVITY, _READ, "nda"),
    "nda.revoked": _entity("nda", _DEACTIVATE),
    "nda.signed": _entity("nda", OTHER, "Sign"),
    "nda.timestamped": _entity("nda", _UPDATE),
    "page.drawn": _file(_PREVIEW),
    "page.viewed": _file(_PREVIEW),
    "public.downloaded": _file(_DOWNLOAD),
    "public.throttled": _file(_ACCESS_CHECK, Severity.LOW),
    "recipient.created": _entity("recipient", _CREATE),
    "recipient.erased": _entity("recipient", _DELETE),
    "requests.limited": Mapped(Class.API_ACTIVITY, _READ, "page", severity=Severity.LOW),
    "requests.unauthentic": Mapped(Class.API_ACTIVITY, _READ, "link", severity=Severity.MEDIUM),
    "rule.created": _entity("access-rule", _CREATE),
    "rule.listed": _entity("access-rule", _UPDATE),
    "rule.removed": _entity("access-rule", _DEACTIVATE),
    "share.changed": _entity("share", _UPDATE),
    "share.created": _file(_SHARE),
    "share.revoked": _file(_UNSHARE),
    "staff.denied": Mapped(Class.API_ACTIVITY, _READ, "console", severity=Severity.MEDIUM),
    "staff.signed-in": Mapped(Class.API_ACTIVITY, _READ, "console"),
    "staff.signed-out": Mapped(Class.API_ACTIVITY, _READ, "console"),
    "store.swept": _entity("store", _DELETE),
    "version.created": _entity("version", _CREATE),
    "version.ready": _entity("version", _ACTIVATE),
    "version.refused": _file(_UPLOAD, Severity.LOW),
    "version.uploaded": _file(_UPLOAD),
    "webhook.created": _entity("webhook", _CREATE),
    "webhook.failed": Mapped(Class.API_ACTIVITY, OTHER, "webhook", "Event not delivered", Severity.LOW),
    "webhook.removed": _entity("webhook", _DEACTIVATE),
    "webhook.replayed": Mapped(Class.API_ACTIVITY, OTHER, "webhook", "Events replayed"),
}
"""Each kind of entry, and what it is for a SIEM."""

STATUS = {
    "ok": 1,
    "complete": 1,
    "denied": 2,
    "refused": 2,
    "broken-off": 2,
    "revoked": 2,
    "unknown": 0,
}
"""Success, failure, unknown."""

_SUBJECTS = {
    "access-request": "access",
    "access-rule": "rule",
    "api-key": "key",
    "batch": "batch",
    "cut": "cut",
    "hold": "hold",
    "key": "key",
    "log": "origin",
    "log-archive": "archive",
    "message": "message",
    "nda-text": "text",
    "webhook": "receiver",
}
"""Entities whose id stands in the details, and under which name."""

_USER_TYPES = {"recipient": 1, "staff": 2, "cli": 2, "api-key": 3, "worker": 3, "stranger": 0}
"""User, admin, system, unknown."""

_OWN = ("cli", "worker")
"""Actors that act on the server itself."""

_MAPPED_FIELDS = frozenset(
    {
        *("v", "id", "kind", "time", "sequenced", "actor_type", "actor", "request", "outcome", "reason"),
        "commitments",
    }
)
"""Fields of a leaf that have a place in an event of their own; all others go into `unmapped`."""


def event(logged: LoggedEntry) -> dict[str, Any]:
    """The entry as one event. Personal values are there as they are revealed; erased and withheld ones are absent."""
    body = json.loads(logged.leaf)
    values = {name: shown["value"] for name, shown in logged.revealed.items() if "value" in shown}
    mapped = MAPPED[logged.kind]
    found: dict[str, Any] = {
        "category_uid": mapped.of // 1000,
        "class_uid": int(mapped.of),
        "activity_id": mapped.activity,
        "type_uid": mapped.of * 100 + mapped.activity,
        "severity_id": int(mapped.severity),
        "status_id": STATUS[body["outcome"]],
        "status": body["outcome"],
        "time": _milliseconds(body["time"]),
        "message": logged.kind,
        "metadata": _metadata(logged, body),
    }
    if mapped.name:
        found["activity_name"] = mapped.name
    if "reason" in body:
        found["status_code"] = body["reason"]
    details = body.get("details", {})
    if mapped.of is Class.APPLICATION_LIFECYCLE:
        found["app"] = PRODUCT
    else:
        found |= {"actor": _actor(body, values), "src_endpoint": _endpoint(body, values)}
        found |= _request(body, values)
    if mapped.of is Class.FILE_HOSTING:
        found |= {"file": _file_of(body, details), **_expiry(details)}
    if mapped.of is Class.ENTITY_MANAGEMENT:
        found["entity"] = _entity_of(mapped.entity, body, details, values)
    if mapped.of is Class.API_ACTIVITY:
        found |= {"api": {"operation": logged.kind}, "resources": [{"name": mapped.entity}]}
    if logged.kind == "requests.unauthentic":
        found |= {"count": details["count"], "start_time": _milliseconds(details["since"])}
    unmapped = _unmapped(body, values)
    return {**found, "unmapped": unmapped} if unmapped else found


def line(logged: LoggedEntry) -> bytes:
    """The event as one line."""
    return json.dumps(event(logged), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _metadata(logged: LoggedEntry, body: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "version": VERSION,
        "product": PRODUCT,
        "uid": logged.id,
        "sequence": logged.index,
        "event_code": logged.kind,
        "original_time": body["time"],
        "logged_time": _milliseconds(body["sequenced"]),
    }
    return {**found, "correlation_uid": body["request"]} if "request" in body else found


def _actor(body: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    kind = body["actor_type"]
    if kind == "worker":
        return {"app_name": PRODUCT["name"]}
    uid = body.get("actor") or (body.get("recipient") if kind == "recipient" else None)
    name = values.get("actor") or (None if uid else kind)
    given = {"uid": uid, "name": name, "type_id": _USER_TYPES[kind]}
    return {"user": {field: value for field, value in given.items() if value is not None}}


def _endpoint(body: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    address = values.get("address")
    if address is None:
        return {"name": "sealmark" if body["actor_type"] in _OWN else "not shown"}
    try:
        return {"ip": str(ipaddress.ip_address(address))}
    except ValueError:
        return {"name": address}


def _request(body: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    given = {"uid": body.get("request"), "user_agent": values.get("agent")}
    request = {name: value for name, value in given.items() if value}
    return {"http_request": request} if request else {}


def _file_of(body: Mapping[str, Any], details: Mapping[str, Any]) -> dict[str, Any]:
    """The copy, version or document, by its id: names stand in no entry."""
    uid = body.get("copy") or body.get("version") or body["document"]
    found: dict[str, Any] = {"name": uid, "uid": uid, "type_id": 1, "mime_type": "application/pdf"}
    if "version" in body:
        found["version"] = body["version"]
    if "sha256" in details:
        found["hashes"] = [{"algorithm_id": 3, "algorithm": "SHA-256", "value": details["sha256"]}]
    if "size" in details:
        found["size"] = details["size"]
    return found


def _expiry(details: Mapping[str, Any]) -> dict[str, Any]:
    return {"expiration_time": _milliseconds(details["expires"])} if "expires" in details else {}


def _entity_of(
    entity: str, body: Mapping[str, Any], details: Mapping[str, Any], values: Mapping[str, str]
) -> dict[str, Any]:
    uid = body.get(entity) or details.get(_SUBJECTS.get(entity, "")) or entity
    if entity != "recipient":
        return {"uid": str(uid), "type": entity, "type_id": OTHER}
    mail = values.get("mail", "")
    given = {
        "uid": uid,
        "name": mail,
        "email_addr": mail if mail.isascii() else "",
        "full_name": values.get("name"),
        "org": {"name": values["company"]} if "company" in values else None,
    }
    user = {field: value for field, value in given.items() if value}
    return {"uid": uid, "type": entity, "type_id": 2, "user": user}


def _unmapped(body: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """What the schema has no place for: what the entry refers to, its details, and personal values of an entry."""
    found = {name: value for name, value in body.items() if name not in _MAPPED_FIELDS}
    found |= {name: value for name, value in values.items() if name not in {"actor", "address", "agent"}}
    return found


def _milliseconds(moment: str) -> int:
    """Since 1970, of a time as entries have it."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
