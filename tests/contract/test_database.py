"""SQLite and PostgreSQL keep the promises of a Database, the same tests for both."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from service.adapters.sql.database import SqlDatabase
from service.adapters.sql.tables import TABLES
from service.ports import DatabaseUnavailable, Records, Taken
from service.records import (
    Document,
    InboxEntry,
    Job,
    LoggedEntry,
    Nda,
    NdaState,
    Recipient,
    Share,
    Tally,
    Version,
)
from tests.adapters.sql.samples import (
    HOUR,
    NOW,
    document,
    inbox,
    job,
    key,
    logged,
    nda,
    one_of_each,
    recipient,
    share,
    tally,
    version,
    whole_share,
)
from tests.migrated import migrated_postgresql, migrated_sqlite
from tests.servers.postgresql import PostgresqlServer

PROCESSES, THREADS, INCREMENTS = 2, 2, 50


class Stopped(Exception):
    """What the block of a test raises."""


def count_up(url: str, locking: bool) -> None:
    """Add `INCREMENTS` to the one tally, in each of `THREADS` threads."""
    database = SqlDatabase(url)

    def work() -> None:
        done = 0
        while done < INCREMENTS:
            with database.write() as records:
                held = records.get(Tally, tally().key, lock=locking)
                assert held is not None
                expect = None if locking else {"count": held.count}
                done += records.change(held, expect=expect, count=held.count + 1) is not None

    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(work) for _ in range(THREADS)]:
            future.result()
    database.dispose()


def write_and_die(url: str, inside: bool) -> None:
    """Add a document and be killed: inside the block, or as soon as it has ended."""
    database = SqlDatabase(url)
    with database.write() as records:
        records.add(document())
        if inside:
            os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def in_processes(count: int, target: Callable[..., None], *args: Any) -> list[int | None]:
    """Run `target` in that many new processes; their exit codes."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=target, args=args) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def write(database: SqlDatabase, *steps: Callable[[Records], object]) -> None:
    """Take the steps, one after the other, in one transaction."""
    with database.write() as records:
        for step in steps:
            step(records)


def adding(*added: object) -> Callable[[Records], object]:
    return lambda records: records.add(*added)


class DatabasePromises:
    """What holds for every Database. A subclass gives the fixture `url`: an empty, migrated database."""

    @pytest.fixture
    def url(self) -> str:
        raise NotImplementedError("given by the subclass")

    @pytest.fixture
    def database(self, url: str) -> Iterator[SqlDatabase]:
        database = SqlDatabase(url)
        yield database
        database.dispose()

    @pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
    def test_every_kind_of_record_comes_back_as_it_went_in(self, database: SqlDatabase, kind: type) -> None:
        with database.write() as records:
            records.add(*one_of_each())
        stored = next(record for record in one_of_each() if type(record) is kind)

        with database.read() as records:
            assert records.find(kind) == [stored]

    def test_what_is_absent_comes_back_as_none(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(document(), version(capacity=None, size=None))

        with database.read() as records:
            assert records.get(Version, key("ver")) == version(capacity=None, size=None)

    def test_times_come_back_in_utc_and_to_the_microsecond(self, database: SqlDatabase) -> None:
        there = timezone(timedelta(hours=5, minutes=45))
        moments = [
            datetime(2026, 3, 29, 6, 45, 0, 1, tzinfo=there),
            datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        ]
        with database.write() as records:
            records.add(*(job(n, run_after=moment) for n, moment in enumerate(moments)))

        with database.read() as records:
            found = [record.run_after for record in records.find(Job)]
            by_time = records.find(Job, run_after=moments[0])

        assert found == moments
        assert all(moment.tzinfo is UTC for moment in found)
        assert [record.id for record in by_time] == [key("job", 0)]

    def test_a_time_without_a_zone_is_refused(self, database: SqlDatabase) -> None:
        naive = NOW.replace(tzinfo=None)
        with pytest.raises(ValueError, match="zone"), database.write() as records:
            records.add(job(run_after=naive))
        with pytest.raises(ValueError, match="zone"), database.read() as records:
            records.find(Job, run_after__le=naive)

    def test_bytes_come_back_exactly(self, database: SqlDatabase) -> None:
        leaves = [b"", b"\x00", bytes(range(256)) * 300, b'{"b":1, "a":"\\u00e9"}', b"\xff\xfe"]
        with database.write() as records:
            records.add(*(inbox(n, leaf=leaf) for n, leaf in enumerate(leaves)))

        with database.read() as records:
            assert [entry.leaf for entry in records.find(InboxEntry)] == leaves

    @pytest.mark.parametrize("text", ["O'Brien; DROP TABLE shares", "%_\\", "名前 ‎🙂", "", "a\nb\t"])
    def test_text_comes_back_exactly_and_is_found(self, database: SqlDatabase, text: str) -> None:
        with database.write() as records:
            records.add(recipient(name=text), recipient(2, name=text + "x"))

        with database.read() as records:
            assert records.find(Recipient, name=text) == [recipient(name=text)]

    @pytest.mark.parametrize(
        "record",
        [
            recipient(name="a\0b"),
            recipient(name="\ud800"),
            job(attempts=2**63),
            job(attempts="1"),
            job(kind=1),
        ],
        ids=["NUL", "surrogate", "65 bits", "text for a number", "number for text"],
    )
    def test_what_not_every_database_can_store_none_does(self, database: SqlDatabase, record: object) -> None:
        with pytest.raises(ValueError, match=r"text|64 bits"):
            write(database, adding(record))

        with database.read() as records:
            assert records.find(type(record)) == []

    def test_json_keeps_order_numbers_and_escapes(self, database: SqlDatabase) -> None:
        facts = {"z": 1, "a": [None, True, 1.5, 2**53, ""], "é\u0000": {"": "\u2028"}}
        with database.write() as records:
            records.add(document(), version(facts=facts))

        with database.read() as records:
            found = records.get(Version, key("ver"))

        assert found is not None
        assert found.facts == facts
        assert list(found.facts) == list(facts)

    def test_a_write_is_there_for_others_once_its_block_ended(self, database: SqlDatabase, url: str) -> None:
        other = SqlDatabase(url)
        with database.write() as records:
            records.add(document())
            assert records.get(Document, key("doc")) == document()
            with other.read() as unseen:
                assert unseen.find(Document) == []

        with other.read() as seen:
            assert seen.find(Document) == [document()]
        other.dispose()

    @pytest.mark.parametrize(("inside", "kept"), [(False, [document()]), (True, [])], ids=["after", "inside"])
    def test_a_killed_process_leaves_whole_writes_only(
        self, database: SqlDatabase, url: str, inside: bool, kept: list[Document]
    ) -> None:
        assert in_processes(1, write_and_die, url, inside) == [-signal.SIGKILL]

        with database.read() as records:
            assert records.find(Document) == kept

    def test_leaving_a_write_by_an_exception_undoes_it(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(document(2))

        def stop(records: Records) -> None:
            records.add(document())
            records.change(document(2), name="other")
            records.remove(Document, id=key("doc", 2))
            raise Stopped

        with pytest.raises(Stopped):
            write(database, stop)

        with database.read() as records:
            assert records.find(Document) == [document(2)]

    def test_a_write_within_a_write_is_part_of_it(self, database: SqlDatabase) -> None:
        def nest(records: Records) -> None:
            with database.write() as inner:
                inner.add(document())
            with database.read() as inner:
                assert inner.find(Document) == [document()]
            assert records.find(Document) == [document()]
            raise Stopped

        with pytest.raises(Stopped):
            write(database, nest)

        with database.read() as records:
            assert records.find(Document) == []

    def test_a_write_within_a_write_is_undone_alone(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(job())
            with pytest.raises(Taken):
                write(database, adding(document()), adding(job()))
            records.add(document(2))
            with database.write() as inner:
                inner.add(document(3))

        with database.read() as records:
            assert records.find(Document) == [document(2), document(3)]

    def test_a_read_within_a_write_still_only_reads(self, database: SqlDatabase) -> None:
        with (
            database.write(),
            pytest.raises(RuntimeError, match="write"),
            database.read() as inner,
        ):
            inner.add(document())

    def test_a_write_of_another_thread_is_never_joined(self, database: SqlDatabase) -> None:
        def see() -> list[Document]:
            with database.read() as records:
                return records.find(Document)

        with ThreadPoolExecutor(1) as pool, database.write() as records:
            records.add(document())
            assert pool.submit(see).result() == []

    @pytest.mark.parametrize(
        "change",
        [
            lambda records: records.add(document(2)),
            lambda records: records.change(document(), name="other"),
            lambda records: records.remove(Document, id=key("doc")),
            lambda records: records.get(Document, key("doc"), lock=True),
            lambda records: records.find(Document, lock=True),
        ],
        ids=["add", "change", "remove", "get", "find"],
    )
    def test_a_read_neither_changes_nor_locks(
        self, database: SqlDatabase, change: Callable[[Records], Any]
    ) -> None:
        with database.write() as records:
            records.add(document())
        with pytest.raises(RuntimeError, match="write"), database.read() as records:
            change(records)

        with database.read() as records:
            assert records.find(Document) == [document()]

    def test_a_read_sees_one_moment(self, database: SqlDatabase) -> None:
        with database.read() as records:
            assert records.find(Document) == []
            with database.write() as others:
                others.add(document())
            assert records.find(Document) == []

    @pytest.mark.parametrize(
        "again",
        [document(), recipient(2, mail=recipient().mail), version(2, number=1)],
        ids=["key", "mail", "number of version"],
    )
    def test_what_must_be_unique_is_taken(self, database: SqlDatabase, again: object) -> None:
        with database.write() as records:
            records.add(document(), recipient(), version())
        with pytest.raises(Taken):
            write(database, adding(job()), adding(again))

        with database.read() as records:
            assert records.find(Job) == []

    def test_a_change_can_be_taken_too(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(recipient(), recipient(2))
        with pytest.raises(Taken), database.write() as records:
            records.change(recipient(2), mail=recipient().mail)

    def test_nothing_is_kept_of_a_block_that_caught_taken_and_went_on(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(document())

        def go_on(records: Records) -> None:
            records.add(job())
            with pytest.raises(Taken):
                records.add(document())

        with pytest.raises(RuntimeError, match="anew"):
            write(database, go_on)

        with database.read() as records:
            assert records.find(Job) == []

    def test_of_many_that_add_the_same_one_succeeds(self, database: SqlDatabase) -> None:
        def add(_: int) -> bool:
            try:
                with database.write() as records:
                    records.add(recipient())
            except Taken:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(add, range(8))) == [False] * 7 + [True]

    @pytest.mark.parametrize(
        "record",
        [
            share(document_id=key("doc", 9)),
            document(classification="public"),
            nda(domain="buyer.example"),
            share(downloads_taken=4),
        ],
        ids=["reference", "public SOC 2", "person and company", "over the limit"],
    )
    def test_what_breaks_a_rule_of_the_schema_is_refused(self, database: SqlDatabase, record: object) -> None:
        with pytest.raises(ValueError, match="refuses"):
            write(database, adding(recipient()), adding(record))

        with database.read() as records:
            assert records.find(Recipient) == []

    def test_records_may_be_added_before_those_they_refer_to(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(*reversed(whole_share()))

        with database.read() as records:
            assert records.find(Share) == [share()]

    def test_conditions_are_all_met(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(*(job(n, attempts=n, run_after=NOW + n * HOUR) for n in range(5)))
            records.add(job(5, attempts=5, done_at=NOW))
        cases: dict[str, dict[str, Any]] = {
            "2": {"attempts": 2},
            "01345": {"attempts__ne": 2},
            "01": {"attempts__lt": 2},
            "012": {"attempts__le": 2},
            "345": {"attempts__gt": 2},
            "2345": {"attempts__ge": 2},
            "03": {"attempts__in": [0, 3, 9]},
            "": {"attempts__in": []},
            "5": {"done_at__ne": None},
            "01234": {"done_at": None},
            "012345": {"done_at__ne": NOW + HOUR},  # what is absent differs from every value
            "34": {"attempts__gt": 2, "done_at": None},
            "12": {"run_after__gt": NOW, "run_after__le": NOW + 2 * HOUR},
        }

        with database.read() as records:
            found = {
                wanted: "".join(str(one.attempts) for one in records.find(Job, **where))
                for wanted, where in cases.items()
            }

        assert found == {wanted: wanted for wanted in cases}

    @pytest.mark.parametrize(
        "where", [{"colour": 1}, {"attempts__like": 1}, {"attempts__gt": None}, {"done_at__in": [None]}]
    )
    def test_a_condition_that_makes_no_sense_is_refused(
        self, database: SqlDatabase, where: dict[str, Any]
    ) -> None:
        with database.read() as records, pytest.raises(ValueError, match=r"attempts|colour|done_at"):
            records.find(Job, **where)

    def test_a_closed_set_can_be_asked_for_by_its_members(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(recipient(), nda(), nda(2, state=NdaState.PENDING), nda(3, state=NdaState.REVOKED))

        with database.read() as records:
            found = records.find(Nda, state__in=[NdaState.PENDING, NdaState.REVOKED])

        assert [(one.id, one.state) for one in found] == [
            (key("nda", 2), NdaState.PENDING),
            (key("nda", 3), NdaState.REVOKED),
        ]

    def test_order_is_by_field_then_key_and_absent_comes_before_all(self, database: SqlDatabase) -> None:
        late, early = NOW + HOUR, NOW
        with database.write() as records:
            records.add(job(4), job(3, done_at=late), job(2, done_at=early), job(1, done_at=late), job(0))

        with database.read() as records:
            orders = {
                order: [one.id for one in records.find(Job, order=order)]
                for order in ("", "done_at", "-done_at", "-id")
            }

        def keys(*numbers: int) -> list[str]:
            return [key("job", number) for number in numbers]

        assert orders == {
            "": keys(0, 1, 2, 3, 4),
            "done_at": keys(0, 4, 2, 1, 3),
            "-done_at": keys(1, 3, 2, 0, 4),
            "-id": keys(4, 3, 2, 1, 0),
        }

    def test_text_sorts_by_code_point(self, database: SqlDatabase) -> None:
        names = ["", "B", "Z", "_", "a", "b", "é", "中"]
        with database.write() as records:
            records.add(*(document(n, name=name) for n, name in enumerate(reversed(names))))

        with database.read() as records:
            assert [one.name for one in records.find(Document, order="name")] == names

    def test_a_cursor_gives_each_record_once(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(*(logged(index) for index in range(25)))
        seen: list[int] = []
        with database.read() as records:
            while page := records.find(
                LoggedEntry, order="index", limit=10, index__gt=seen[-1] if seen else -1
            ):
                seen += [entry.index for entry in page]

        assert seen == list(range(25))

    def test_the_inbox_numbers_entries_as_they_arrive_and_never_again(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(inbox(9), inbox(3))
            records.add(inbox(7))
        with database.write() as records:
            records.remove(InboxEntry, id=key("ent", 7))
            records.add(inbox(1))

        with database.read() as records:
            found = records.find(InboxEntry, order="position")

        assert [entry.id for entry in found] == [key("ent", 9), key("ent", 3), key("ent", 1)]
        assert found[2].position == 4

    def test_a_change_gives_the_record_as_it_is_now(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(job())
        with database.write() as records:
            changed = records.change(job(attempts=99), done_at=NOW)

        assert changed == replace(job(), done_at=NOW)
        with database.read() as records:
            assert records.get(Job, key("job")) == changed

    @pytest.mark.parametrize("expect", [{"attempts": 1}, {"done_at__ne": None}, {"id": "job_other"}])
    def test_a_change_that_is_not_as_expected_changes_nothing(
        self, database: SqlDatabase, expect: dict[str, Any]
    ) -> None:
        with database.write() as records:
            records.add(job())
        with database.write() as records:
            assert records.change(job(), expect=expect, attempts=7) is None
            assert records.change(job(2), attempts=7) is None

        with database.read() as records:
            assert records.find(Job) == [job()]

    @pytest.mark.parametrize("values", [{}, {"id": "job_other"}, {"colour": 1}])
    def test_a_change_names_fields_but_not_the_key(
        self, database: SqlDatabase, values: dict[str, Any]
    ) -> None:
        with database.write() as records:
            records.add(job())
            with pytest.raises(ValueError, match="jobs"):
                records.change(job(), **values)

    @pytest.mark.parametrize("locking", [False, True], ids=["expect", "lock"])
    def test_no_increment_is_lost_between_threads_and_processes(
        self, database: SqlDatabase, url: str, locking: bool
    ) -> None:
        with database.write() as records:
            records.add(tally(count=0))

        assert in_processes(PROCESSES, count_up, url, locking) == [0] * PROCESSES

        with database.read() as records:
            assert records.get(Tally, tally().key) == tally(count=PROCESSES * THREADS * INCREMENTS)

    def test_a_locked_record_waits_for_its_holder(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(job())
        begun = threading.Event()

        def change() -> Job | None:
            begun.set()
            with database.write() as records:
                found = records.get(Job, key("job"), lock=True)
                return found and records.change(found, attempts=found.attempts + 1)

        with ThreadPoolExecutor(1) as pool:
            with database.write() as records:
                assert records.get(Job, key("job"), lock=True) == job()
                waiting = pool.submit(change)
                begun.wait()
                records.change(job(), attempts=1)
            assert waiting.result() == job(attempts=2)

    def test_workers_that_take_jobs_at_once_never_take_the_same(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(*(job(n) for n in range(20)))

        def take(_: int) -> list[str]:
            taken: list[str] = []
            while True:
                with database.write() as records:
                    due = records.find(Job, order="run_after", limit=1, lock=True, done_at=None)
                    for one in due:
                        records.change(one, done_at=NOW)
                        taken.append(one.id)
                    if not due and not records.find(Job, done_at=None):
                        return taken

        with ThreadPoolExecutor(4) as pool:
            taken = [one for batch in pool.map(take, range(4)) for one in batch]

        assert sorted(taken) == [key("job", n) for n in range(20)]

    def test_removing_says_how_many(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.add(*(job(n, attempts=n) for n in range(5)))
        with database.write() as records:
            assert records.remove(Job, attempts__ge=3) == 2
            assert records.remove(Job, attempts__ge=3) == 0

        with database.read() as records:
            assert len(records.find(Job)) == 3

    def test_removing_everything_must_be_asked_for(self, database: SqlDatabase) -> None:
        with database.write() as records, pytest.raises(ValueError, match="condition"):
            records.remove(Job)

    def test_a_readiness_check_writes(self, database: SqlDatabase) -> None:
        database.ping_write()
        database.ping_write()

        with database.engines.reading.begin() as connection:
            counted = connection.exec_driver_sql("SELECT name, count FROM readiness").all()

        assert [tuple(row) for row in counted] == [("write", 2)]

    def test_a_database_without_a_schema_says_to_migrate(self, empty: str) -> None:
        database = SqlDatabase(empty)
        with pytest.raises(DatabaseUnavailable, match="sealmark migrate"), database.read() as records:
            records.find(Job)
        database.dispose()


class TestSqlite(DatabasePromises):
    @pytest.fixture
    def empty(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/empty.sqlite"

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return migrated_sqlite(tmp_path / "data" / "sealmark.sqlite")


@pytest.mark.postgresql
class TestPostgresql(DatabasePromises):
    @pytest.fixture
    def empty(self, postgresql_server: PostgresqlServer) -> str:
        return postgresql_server.fresh_database()

    @pytest.fixture
    def url(self, postgresql_server: PostgresqlServer) -> str:
        return migrated_postgresql(postgresql_server)
