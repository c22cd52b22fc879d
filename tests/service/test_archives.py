"""Archives: old values leave the database for sealed objects, can be read back, and go when their person is erased."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from crypto.logcheck import check_export
from service import archives as module
from service.archives import ROLE, Archives
from service.audit import entry
from service.blobs import BlobMissing, StoreUnavailable
from service.erased import Revealed
from service.log import LogFilter
from service.records import LogArchive, LoggedEntry, SealedObject
from service.sweeping import ORPHAN_AGE
from tests.service_fixture import OPERATOR, Service, service_in

KEEP = {"SEALMARK_LOG_VALUES_DAYS": "30"}
ANA, BEN = "rcp_ana", "rcp_ben"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Ten days of entries of two people in turn; an archive takes four."""
    monkeypatch.setattr(module, "BATCH", 4)
    with service_in(tmp_path, environ=KEEP) as made:
        for number in range(10):
            add(made, ANA if number % 2 else BEN, f"agent {number}")
            made.clock.advance(days=1)
        yield made


def add(service: Service, recipient: str, name: str) -> None:
    sealmark = service.sealmark
    personal = {"name": name}
    with sealmark.database.write() as records:
        records.add(
            entry(
                "page.viewed",
                OPERATOR,
                service.clock(),
                sealmark.random,
                personal=personal,
                recipient=recipient,
            )
        )
    service.work()


def entries(service: Service) -> list[LoggedEntry]:
    with service.sealmark.database.read() as records:
        return records.find(LoggedEntry, order="index")


def values(service: Service) -> dict[int, Revealed]:
    """What is revealed of each entry, wherever it lies."""
    found = {logged.index: logged.revealed for logged in entries(service)}
    return found | dict(service.sealmark.archives.revealed(0, 10**6))


def objects(service: Service) -> set[str]:
    keys = {blob.key for blob in service.sealmark.store.list(f"objects/{ROLE}/")}
    return {key for key in keys if not key.endswith(".key")}


def archive(service: Service) -> int:
    """Let the worker archive; how many archives there are then."""
    while service.sealmark.archives.run_once():
        pass
    with service.sealmark.database.read() as records:
        return len(records.find(LogArchive))


def test_only_what_is_older_than_the_setting_leaves_and_every_value_is_still_there(service: Service) -> None:
    before, old = values(service), entries(service)
    service.clock.now += timedelta(days=20)
    assert archive(service) >= 1
    border = service.clock() - timedelta(days=30)
    moved = [
        logged for logged in entries(service) if logged.sequenced <= border and logged.kind == "page.viewed"
    ]
    assert moved
    assert all(logged.revealed == {} for logged in moved)
    assert all(
        logged.revealed
        for logged in entries(service)
        if logged.sequenced > border and logged.kind == "page.viewed"
    )
    assert {index: values(service)[index] for index in before} == before
    assert [e.leaf for e in entries(service)][: len(old)] == [e.leaf for e in old]
    service.work()
    assert len(service.entries("log.archived")) == archive(service)
    assert b"agent 0" not in b"".join(b"".join(service.sealmark.store.read(key)) for key in objects(service))


def test_archives_follow_each_other_without_gap_or_overlap_also_from_two_workers(service: Service) -> None:
    service.clock.now += timedelta(days=300)
    archive(service)
    with service.sealmark.database.read() as records:
        found = records.find(LogArchive, order="first")
    assert [a.first for a in found] == [0, *(a.stop for a in found[:-1])]
    add(service, ANA, "late")
    service.clock.now += timedelta(days=300)
    sealmark = service.sealmark
    with sealmark.database.read() as records:
        size = len(records.find(LogArchive))
    kept = timedelta(days=30)
    second = Archives(
        sealmark.database, sealmark.store, sealmark.objects, kept, sealmark.clock, sealmark.random
    )
    put = sealmark.objects.put

    def overtaken(*arguments: object) -> object:
        """Between reading and moving, the other one moves the same."""
        sealmark.objects.put = put  # type: ignore[method-assign]
        assert second.run_once() in (True, False)
        return put(*arguments)  # type: ignore[arg-type]

    sealmark.objects.put = overtaken  # type: ignore[method-assign,assignment]
    sealmark.archives.run_once()
    with sealmark.database.read() as records:
        found = records.find(LogArchive, order="first")
    assert len(found) == size + 1
    assert len(objects(service)) == len(found)


def test_without_the_setting_nothing_leaves(tmp_path: Path) -> None:
    with service_in(tmp_path) as service:
        add(service, ANA, "a")
        service.clock.now += timedelta(days=9999)
        assert archive(service) == 0


def test_a_part_is_read_without_opening_other_archives(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.clock.now += timedelta(days=300)
    archive(service)
    opened: list[str] = []
    real = service.sealmark.objects.open
    monkeypatch.setattr(
        service.sealmark.objects, "open", lambda record: (opened.append(record.id), real(record))[1]
    )
    index = next(e.index for e in entries(service) if e.recipient == ANA)
    found = dict(service.sealmark.archives.revealed(0, 10**6, wanted={index}))
    assert list(found) == [index]
    assert len(opened) == 1
    assert dict(service.sealmark.archives.revealed(index, index + 1)) == found


def test_erasing_rewrites_the_archives_and_the_old_objects_are_gone(service: Service) -> None:
    service.clock.now += timedelta(days=300)
    archive(service)
    before, old = values(service), objects(service)
    touched = service.sealmark.archives.erase(ANA, "ent_x")
    assert touched > 1
    while service.sealmark.discarding.run_once():
        pass
    for logged in entries(service):
        was = before.get(logged.index, {})
        expected = {name: {"erased": "ent_x"} for name in was} if logged.recipient == ANA else was
        assert values(service)[logged.index] == expected
    assert len(old - objects(service)) == touched
    with service.sealmark.database.read() as records:
        rows = {f"objects/{ROLE}/{stored.id}" for stored in records.find(SealedObject, role=ROLE)}
    assert rows == objects(service)
    assert service.sealmark.archives.erase(ANA, "ent_y") == 0


def rows_of_objects(service: Service) -> set[str]:
    with service.sealmark.database.read() as records:
        return {f"objects/{ROLE}/{stored.id}" for stored in records.find(SealedObject, role=ROLE)}


def test_two_people_who_are_erased_at_once_are_both_gone(service: Service) -> None:
    service.clock.now += timedelta(days=300)
    archive(service)
    sealmark = service.sealmark
    put = sealmark.objects.put

    def overtaken(*arguments: object) -> object:
        """While the one's archive is written anew, the other one's is."""
        sealmark.objects.put = put  # type: ignore[method-assign]
        sealmark.archives.erase(BEN, "ent_ben")
        return put(*arguments)  # type: ignore[arg-type]

    sealmark.objects.put = overtaken  # type: ignore[method-assign,assignment]
    sealmark.archives.erase(ANA, "ent_ana")
    while sealmark.discarding.run_once():
        pass
    archived = dict(sealmark.archives.revealed(0, 10**6))
    for person, erasure in ((ANA, "ent_ana"), (BEN, "ent_ben")):
        theirs = [archived[logged.index] for logged in entries(service) if logged.recipient == person]
        assert [found["name"] for found in theirs] == [{"erased": erasure}] * 5
    assert objects(service) == rows_of_objects(service)


def test_who_reads_an_archive_while_it_is_written_anew_reads_the_new_one(service: Service) -> None:
    service.clock.now += timedelta(days=300)
    archive(service)
    sealmark = service.sealmark
    opens = sealmark.objects.open

    def overtaken(stored: SealedObject) -> object:
        sealmark.objects.open = opens  # type: ignore[method-assign]
        sealmark.archives.erase(ANA, "ent_x")
        while sealmark.discarding.run_once():
            pass
        return opens(stored)

    sealmark.objects.open = overtaken  # type: ignore[method-assign,assignment]
    index = next(logged.index for logged in entries(service) if logged.recipient == ANA)
    assert dict(sealmark.archives.revealed(index, index + 1))[index]["name"] == {"erased": "ent_x"}


def test_an_archive_that_is_lost_is_said_to_be_and_not_read_as_empty(service: Service) -> None:
    service.clock.now += timedelta(days=300)
    assert archive(service) > 1
    sealmark = service.sealmark
    with sealmark.database.read() as records:
        first, *_ = records.find(LogArchive, order="first")
    for blob in list(sealmark.store.list(f"objects/{ROLE}/{first.object_id}")):
        sealmark.store.delete(blob.key)
    with pytest.raises(BlobMissing):
        dict(sealmark.archives.revealed(0, 10**6))
    assert dict(sealmark.archives.revealed(first.stop, 10**6))


def test_a_store_that_fails_in_between_leaves_every_value_where_it_was(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = values(service)
    service.clock.now += timedelta(days=300)
    put, calls = service.sealmark.store.put, []

    def failing(key: str, chunks: object) -> int:
        calls.append(key)
        if len(calls) == 2:
            raise StoreUnavailable("away")
        return put(key, chunks)  # type: ignore[arg-type]

    monkeypatch.setattr(service.sealmark.store, "put", failing)
    with pytest.raises(StoreUnavailable):
        service.sealmark.archives.run_once()
    assert values(service) == before


def test_an_archive_without_a_row_is_deleted_for_good_and_not_kept_in_the_trash(service: Service) -> None:
    sealmark = service.sealmark
    orphan, _ = sealmark.objects.put(ROLE, "log-archive", "arc_nobody", [b"values"])
    newest = max(blob.modified for blob in sealmark.store.list(""))
    service.clock.now = newest + ORPHAN_AGE + timedelta(seconds=1)
    sealmark.sweeping.trash_orphans()
    assert not [blob.key for blob in sealmark.store.list("") if orphan.id in blob.key]


def test_an_object_that_stands_for_one_that_a_restored_database_names_is_kept(service: Service) -> None:
    service.clock.now += timedelta(days=300)
    archive(service)
    sealmark = service.sealmark
    with sealmark.database.read() as records:
        bens = records.find(LoggedEntry, recipient=BEN, order="index")[0].index
        (first,) = records.find(LogArchive, first__le=bens, stop__gt=bens)
        old = records.get(SealedObject, first.object_id)
    assert old is not None
    sealmark.archives.erase(BEN, "ent_x")
    while sealmark.discarding.run_once():
        pass
    with sealmark.database.write() as records:  # as the older database had it
        current = records.get(LogArchive, first.id)
        assert current is not None
        assert current.object_id != old.id
        records.remove(SealedObject, id=current.object_id)
        records.add(old)
        records.change(current, object_id=old.id)
    service.clock.now = max(b.modified for b in sealmark.store.list("")) + ORPHAN_AGE + timedelta(seconds=1)
    sealmark.sweeping.trash_orphans()
    assert f"objects/{ROLE}/{current.object_id}" in objects(service)
    assert dict(sealmark.archives.revealed(first.first, first.stop))


def test_exports_and_pages_show_values_wherever_they_lie_and_all_proofs_hold(service: Service) -> None:
    before = values(service)
    service.clock.now += timedelta(days=400)
    archive(service)
    assert any(not logged.revealed for logged in entries(service))
    sealmark = service.sealmark
    lines = b"".join(sealmark.exports.export(OPERATOR, LogFilter(), "ndjson")).splitlines(keepends=True)
    report = check_export(lines, sealmark.checkpoints.public_keys())
    assert (report.problems, report.withheld, report.erased) == ([], 0, 0)
    shown = {line["index"]: line["revealed"] for line in map(json.loads, lines[1:-1])}
    assert {index: shown[index] for index in before} == before
    page = sealmark.log.page(OPERATOR, LogFilter(), limit=200).entries
    assert {logged.index: logged.revealed for logged in page if logged.index in before} == before
