"""Exports: what comes out of the service is what the auditor's file checks, and each pull leaves an entry after it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from crypto.logcheck import Checkpoint, NoteKey, Report, check_export
from service.audit import Actor, entry
from service.errors import DomainError
from service.exporting import CSV_COLUMNS, MAX_HELD
from service.log import LogFilter
from service.records import LoggedEntry
from tests.service.acting import a_document, a_share, a_version, an_nda
from tests.service.test_log import put
from tests.service_fixture import OPERATOR, Service


def export(service: Service, held: Iterable[int] = (), **chosen: Any) -> list[bytes]:
    service.entries()
    stream = service.sealmark.exports.export(OPERATOR, LogFilter(**chosen), "ndjson", tuple(held))
    return b"".join(stream).splitlines(keepends=True)


def keys(service: Service) -> list[NoteKey]:
    return service.sealmark.checkpoints.public_keys()


def genuine(service: Service, lines: list[bytes], *held: Checkpoint) -> Report:
    report = check_export(lines, keys(service), held)
    assert report.problems == []
    return report


def checkpoint(service: Service) -> Checkpoint:
    service.entries()
    return Checkpoint.decode(service.sealmark.checkpoints.cover().note)


def test_an_export_of_the_whole_is_genuine_and_holds_each_leafs_exact_bytes(service: Service) -> None:
    put(service, 300)
    a_document(service)
    lines = export(service)
    report = genuine(service, lines)
    with service.sealmark.database.read() as records:
        logged = records.find(LoggedEntry, order="index")
    assert (report.whole, report.count, report.size) == (True, len(logged), len(logged))
    assert [json.loads(line)["leaf"] for line in lines[1:-1]] == [item.leaf.decode() for item in logged]


@pytest.mark.parametrize("held", [0, 1, 255, 256, 300])
def test_an_export_of_the_whole_begins_with_every_checkpoint_that_was_held(
    service: Service, held: int
) -> None:
    put(service, max(0, held - len(service.entries())))
    before = checkpoint(service)
    put(service, 20)
    assert before.size >= held
    report = genuine(service, export(service), before)
    assert f"the checkpoint of {before.size:,} entries that you hold" in report.notes[-1]


def test_a_filtered_export_proves_each_entry_and_says_what_it_cannot_show(service: Service) -> None:
    put(service, 40)
    document = a_document(service)
    put(service, 40)
    before = checkpoint(service)
    lines = export(service, held=[before.size], document=document.id)
    report = genuine(service, lines, before)
    assert (report.whole, report.count) == (False, 1)
    assert any("cannot show that none is missing" in line for line in report.lines())


def test_a_range_of_time_is_whole_and_shows_what_stands_beside_it(service: Service) -> None:
    put(service, 5)
    service.entries()
    service.clock.advance(minutes=5)
    put(service, 600)
    service.entries()
    since = service.clock()
    service.clock.advance(minutes=5)
    put(service, 5)
    lines = export(service, since=since, until=since + timedelta(minutes=1))
    report = genuine(service, lines)
    assert (report.whole, report.count) == (True, 600)
    assert len(json.loads(lines[0])["edges"]) == 2


def test_a_range_of_time_without_entries_is_genuine(service: Service) -> None:
    put(service, 5)
    for chosen in (
        {"since": service.clock() + timedelta(days=1)},
        {"until": service.clock() - timedelta(days=1)},
    ):
        assert genuine(service, export(service, **chosen)).count == 0


def test_the_entry_of_a_pull_comes_after_the_size_that_it_fixed(service: Service) -> None:
    put(service, 5)
    lines = export(service)
    (pull,) = service.entries("log.pulled")
    assert json.loads(pull["details"])["size"] == json.loads(lines[-1])["count"] == pull["index"]


def test_an_export_is_as_long_as_the_log_was_when_it_began(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.exporting.PAGE", 4)
    put(service, 10)
    size = len(service.entries())
    stream = service.sealmark.exports.export(OPERATOR, LogFilter(), "ndjson")
    first = next(stream)
    put(service, 10)
    service.entries()
    lines = b"".join([first, *stream]).splitlines(keepends=True)
    assert genuine(service, lines).count == size


def test_an_export_follows_the_log_to_a_new_key(service: Service) -> None:
    put(service, 5)
    held, old = checkpoint(service), keys(service)
    service.sealmark.keys.rotate(OPERATOR, "log", timedelta(hours=2))
    service.entries()
    both = checkpoint(service)
    service.clock.advance(hours=3)
    for _ in range(2):  # the old key signs once more after its overlap, and then no more
        put(service, 5)
        checkpoint(service)
        service.clock.advance(minutes=1)
    put(service, 5)
    lines = export(service)
    last = Checkpoint.decode(json.loads(lines[0])["checkpoint"])
    assert (len(both.lines), len(last.lines)) == (2, 1)
    assert keys(service) != old
    assert last.signed_by(old[0]) is None
    assert check_export(lines, old, [held, both]).problems == []
    assert check_export(lines, keys(service), [both]).problems == []
    broken = [lines[0].replace(b'"chain":[', b'"chain":[],"chain":['), *lines[1:]]
    assert check_export(broken, old).problems


def test_a_size_that_the_log_has_not_is_refused_with_what_it_means(service: Service) -> None:
    size = len(service.entries())
    with pytest.raises(DomainError, match="its end was cut off"):
        export(service, held=[size + 100])
    with pytest.raises(DomainError, match=f"at most {MAX_HELD}"):
        export(service, held=range(MAX_HELD + 1))


def test_one_entry_is_proven_by_itself(service: Service) -> None:
    an_nda(service)
    document = a_document(service)
    a_version(service, document)
    a_share(service, document)
    logged = service.entries("share.created")[0]
    proof = service.sealmark.exports.proof(logged["id"])
    assert proof.splitlines()[:2] == ["c2sp.org/tlog-proof@v1", f"index {logged['index']}"]
    assert Checkpoint.decode(proof.split("\n\n", 1)[1]).signed_by(keys(service)[0]) == 0
    with pytest.raises(DomainError, match="no entry"):
        service.sealmark.exports.proof("ent_" + "0" * 26)


def test_erased_values_are_said_to_be_erased_and_all_proofs_still_hold(service: Service) -> None:
    an_nda(service)
    document = a_document(service)
    a_version(service, document)
    share, _ = a_share(service, document)
    before = checkpoint(service)
    service.sealmark.erasing.begin(OPERATOR, share.recipient_id)
    service.sealmark.erasing.finish(share.recipient_id)
    lines = export(service)
    report = genuine(service, lines, before)
    assert report.erased > 3
    assert report.withheld == 0
    assert b"ana@acme.example" not in b"".join(lines)
    text = b"".join(service.sealmark.exports.export(OPERATOR, LogFilter(share=share.id), "csv")).decode()
    assert {row["mail"] for row in csv.DictReader(io.StringIO(text, newline=""))} <= {"(erased)", ""}
    alone = genuine(service, export(service, share=share.id))
    assert alone.erased == 0  # without the entry that erased them, nothing shows why they are missing
    assert alone.withheld > 0


def test_a_csv_export_runs_no_formula(service: Service) -> None:
    sealmark = service.sealmark
    actor = Actor("cli", name='=HYPERLINK("http://x.example")', agent="@SUM(A1)", address="-1")
    with sealmark.database.write() as records:
        records.add(entry("page.viewed", actor, service.clock(), sealmark.random))
    service.entries()
    text = b"".join(sealmark.exports.export(OPERATOR, LogFilter(kind="page.viewed"), "csv")).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert tuple(rows[0]) == CSV_COLUMNS
    (row,) = [row for row in rows if row["agent"].endswith("@SUM(A1)")]
    assert row["agent"] == "'@SUM(A1)"
    assert row["address"] == "'-1"
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())


def test_a_csv_export_of_nothing_still_names_its_columns(service: Service) -> None:
    text = b"".join(service.sealmark.exports.export(OPERATOR, LogFilter(kind="page.viewed"), "csv")).decode()
    assert text == ",".join(CSV_COLUMNS) + "\r\n"
