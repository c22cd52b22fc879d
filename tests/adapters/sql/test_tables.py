"""The schema says of each column whether it is personal, and has an index for what the domain looks for."""

from __future__ import annotations

import inspect
from dataclasses import is_dataclass

import pytest
from sqlalchemy import Column, Table

from service import records
from service.adapters.sql.tables import TABLES, metadata

COLUMNS = [column for table in metadata.sorted_tables for column in table.columns]

PERSONAL = {
    "access_requests.company",
    "access_requests.language",
    "access_requests.name",
    "access_requests.purpose",
    "access_rules.domain",
    "answers.sealed",
    "api_keys.name",
    "batch_rows.wanted",
    "checks.mail",
    "copies.company",
    "copies.fill",
    "copies.mail",
    "copies.name",
    "documents.owner_mail",
    "entries.revealed",
    "events.body",
    "holds.reason",
    "holds.subject",
    "inbox.revealed",
    "messages.language",
    "messages.mail",
    "ndas.domain",
    "ndas.reference",
    "recipients.company",
    "recipients.domain",
    "recipients.language",
    "recipients.mail",
    "recipients.name",
    "rule_members.mail",
    "sessions.mail",
    "shares.purpose",
    "signatures.address",
    "signatures.agent",
    "signatures.company",
    "signatures.mail",
    "signatures.name",
    "staff_sessions.name",
    "staff_sessions.subject",
}


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_each_column_says_whether_it_is_personal(column: Column[object]) -> None:
    assert isinstance(column.info.get("personal"), bool)


def test_the_personal_columns_are_these_and_no_others() -> None:
    assert {str(column) for column in COLUMNS if column.info["personal"]} == PERSONAL


def test_every_record_has_a_table() -> None:
    kinds = {kind for _, kind in inspect.getmembers(records, is_dataclass)}

    assert kinds == set(TABLES)
    assert {table.name for table in metadata.sorted_tables} - {table.name for table in TABLES.values()} == {
        "readiness"
    }


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_the_first_column_is_the_key_and_never_absent(table: Table) -> None:
    first = next(iter(table.columns))

    assert not first.nullable
    assert first.primary_key or any(
        list(constraint.columns) == [first]
        for constraint in table.constraints
        if constraint.name in {"inbox_id", "events_id"}
    )


@pytest.mark.parametrize("name", ["inbox", "entries", "tree_nodes", "log_state"])
def test_no_reference_leads_from_or_to_the_log(name: str) -> None:
    log = metadata.tables[name]

    assert not log.foreign_keys
    assert not any(key.column.table is log for column in COLUMNS for key in column.foreign_keys)


@pytest.mark.parametrize(
    "place",
    [
        "versions.document_id",
        "templates.version_id",
        "shares.document_id",
        "shares.recipient_id",
        "links.share_id",
        "copies.share_id",
        "copies.recipient_id",
        "deliveries.share_id",
        "deliveries.link_hash",
        "sends.delivery_id",
        "sends.alive_at",
        "ndas.recipient_id",
        "ndas.domain",
        "recipients.mail",
        "recipients.domain",
        "named_keys.purpose",
        "jobs.run_after",
        "inbox.id",
        "entries.id",
        "entries.kind",
        "entries.time",
        "entries.sequenced",
        "entries.document",
        "entries.share",
        "entries.recipient",
        "entries.outcome",
        "entries.nda",
    ],
)
def test_what_the_domain_looks_for_is_indexed(place: str) -> None:
    name, _, field = place.partition(".")
    table = metadata.tables[name]
    leading = {next(iter(index.columns)).name for index in table.indexes} | {
        next(iter(constraint.columns)).name for constraint in table.constraints if len(constraint.columns)
    }

    assert field in leading
