"""Events for a SIEM: every kind of entry is an event that the published schema of OCSF allows, in all its parts."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from crypto import merkle
from service import ocsf
from service.audit import KINDS, PERSONAL_FIELDS, REFERENCES, Actor, ActorType, entry, timestamp
from service.errors import DomainError
from service.log import LogFilter
from service.records import LoggedEntry
from tests.service.acting import a_document, a_share, a_version, an_nda
from tests.service_fixture import OPERATOR, START, Service

VERSIONS = (ocsf.VERSION, "1.7.0", "1.8.0")
ACTORS: tuple[ActorType, ...] = ("api-key", "cli", "recipient", "worker", "stranger")

PERSONAL = {
    "actor": "root",
    "address": "2001:db8::7",
    "agent": "Browser/9",
    "company": "Acme",
    "mail": "ana@acme.example",
    "name": "Ana Lindqvist",
    "purpose": "vendor review",
    "reference": "NDA 2026-17",
}

NUMBERS = {
    *("count", "first", "last", "sent", "number", "limit", "size", "stop", "pages", "objects", "removed"),
    *("signatures", "lost_size", "format"),
}
MOMENTS = {"expires", "since", "until", "from"}


def value_of(detail: str) -> str | int:
    if detail in NUMBERS:
        return 7
    if detail in MOMENTS:
        return timestamp(START)
    return "ab" * 32 if detail == "sha256" else f"some {detail}"


def logged(kind: str, actor_type: ActorType = "api-key", **changes: Any) -> LoggedEntry:
    """An entry of this kind with all that it can hold, as the sequencer places it."""
    actor = Actor(actor_type, "smk_x", PERSONAL["actor"], "req_x", PERSONAL["address"], PERSONAL["agent"])
    given: dict[str, Any] = {
        "details": {name: value_of(name) for name in KINDS[kind]},
        "personal": {name: PERSONAL[name] for name in PERSONAL_FIELDS - {"actor", "address", "agent"}},
        **{name: f"{name}_x" for name in REFERENCES},
        **changes,
    }
    made = entry(kind, given.pop("actor", actor), START, lambda count: bytes(count), **given)
    leaf = json.dumps({**json.loads(made.leaf), "sequenced": timestamp(START)}).encode()
    return LoggedEntry(5, made.id, leaf, merkle.leaf_hash(leaf), made.revealed, kind, START, START)


@cache
def checker(version: str, class_uid: int) -> Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version))
    return Draft202012Validator(schema.get_class_schema(schema.lookup_class_name_from_uid(class_uid)))


def faults(event: dict[str, Any], version: str = ocsf.VERSION) -> list[str]:
    return [
        f"{error.json_path}: {error.message[:200]}"
        for error in checker(version, event["class_uid"]).iter_errors(event)
    ]


def test_every_kind_of_entry_has_its_event_and_no_other() -> None:
    assert ocsf.MAPPED.keys() == KINDS.keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_kind_is_an_event_that_the_published_schema_allows(version: str) -> None:
    for kind in KINDS:
        event = {**ocsf.event(logged(kind))}
        event["metadata"] = {**event["metadata"], "version": version}
        assert faults(event, version) == [], kind


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_allowed_whoever_acted_and_whatever_is_left_of_the_entry(kind: str) -> None:
    for actor_type in ACTORS:
        full = logged(kind, actor_type)
        nobody = logged(
            kind, actor=Actor(actor_type), personal={}, **dict.fromkeys(REFERENCES - {"document"})
        )
        erased = {name: {"erased": "ent_x"} for name in full.revealed}
        for revealed in (full.revealed, erased, {}):
            left = LoggedEntry(**{**vars(full), "revealed": revealed})
            assert faults(ocsf.event(left)) == []
        assert faults(ocsf.event(nobody)) == []


@pytest.mark.parametrize("outcome", ocsf.STATUS)
def test_every_outcome_is_a_status(outcome: Any) -> None:
    event = ocsf.event(logged("download.ended", outcome=outcome, reason="why"))
    assert faults(event) == []
    assert (event["status"], event["status_code"]) == (outcome, "why")
    assert event["status_id"] == {"ok": 1, "complete": 1, "unknown": 0}.get(outcome, 2)


def test_the_check_finds_what_the_schema_forbids() -> None:
    event = ocsf.event(logged("page.viewed"))
    for broken in (
        {**event, "activity_id": 18},
        {**event, "surplus": 1},
        {**event, "time": "now"},
        {**event, "actor": {}},
        {**event, "file": {"name": "x"}},
        {name: value for name, value in event.items() if name != "src_endpoint"},
    ):
        assert faults(broken)


def test_no_event_names_the_activity_other_where_the_class_has_one() -> None:
    for kind, mapped in ocsf.MAPPED.items():
        event = ocsf.event(logged(kind))
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert (event["activity_id"] == ocsf.OTHER) == bool(mapped.name), kind


def test_personal_values_are_there_as_revealed_and_absent_when_erased_or_withheld() -> None:
    full = logged("recipient.created")
    event = json.dumps(ocsf.event(full), ensure_ascii=False)
    assert all(value in event for value in PERSONAL.values())
    for revealed in ({}, {name: {"erased": "ent_x"} for name in full.revealed}):
        left = json.dumps(ocsf.event(LoggedEntry(**{**vars(full), "revealed": revealed})))
        assert not any(value in left for value in PERSONAL.values())


def test_everything_of_an_entry_is_in_its_event() -> None:
    for kind in KINDS:
        made = logged(kind, reason="why")
        text = json.dumps(ocsf.event(made), ensure_ascii=False)
        leaf = json.loads(made.leaf)
        wanted = [made.id, "why", *(f"{name}_x" for name in REFERENCES if name != "recipient")]
        wanted += [str(value) for value in leaf.get("details", {}).values()]
        assert [value for value in wanted if value not in text] == [], kind


def test_an_address_that_is_none_is_a_name_and_a_mail_beyond_ascii_no_email_address() -> None:
    strange = logged(
        "recipient.created", actor=Actor("stranger", address="unix:"), personal={"mail": "å@x.example"}
    )
    event = ocsf.event(strange)
    assert event["src_endpoint"] == {"name": "unix:"}
    assert "email_addr" not in event["entity"]["user"]
    assert event["entity"]["user"]["name"] == "å@x.example"
    assert faults(event) == []


def test_the_table_of_the_documentation_is_what_the_events_say() -> None:
    page = (Path(__file__).parents[2] / "docs" / "siem.md").read_text("utf-8")
    said = {
        row[0]: row
        for row in re.findall(r"^\| `([a-z.-]+)` \| (.*) \| (.*) \| (\w+) \|$", page, re.MULTILINE)
    }
    classes = {found["uid"]: found for found in get_ocsf_schema(ocsf.VERSION)["classes"].values()}
    expected = {}
    for kind, mapped in ocsf.MAPPED.items():
        found = classes[int(mapped.of)]
        activity = found["attributes"]["activity_id"]["enum"][str(mapped.activity)]["caption"]
        named = f"{activity}: {mapped.name}" if mapped.name else activity
        expected[kind] = (
            kind,
            f"{found['caption']} [{int(mapped.of)}]",
            f"{named} [{mapped.activity}]",
            mapped.severity.name.capitalize(),
        )
    assert said == expected
    assert f"version {ocsf.VERSION}" in page


def test_an_export_is_one_event_a_line_of_the_real_service_and_its_pull_an_entry(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    a_share(service, document)
    count = len(service.entries())
    service.sealmark.checkpoints.cover()
    lines = b"".join(service.sealmark.exports.export(OPERATOR, LogFilter(), "ocsf")).splitlines()
    events = [json.loads(line) for line in lines]
    assert len(events) == count
    assert [event["metadata"]["sequence"] for event in events] == list(range(count))
    assert [fault for event in events for fault in faults(event)] == []
    (pulled,) = service.entries("log.pulled")
    assert json.loads(pulled["details"])["format"] == "ocsf"
    with pytest.raises(DomainError):
        service.sealmark.exports.export(OPERATOR, LogFilter(), "xml")  # type: ignore[arg-type]
