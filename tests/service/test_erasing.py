"""Erasing: of an erased person nothing is left but ids, and what the log proves stays proven."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from crypto import canonical, erasures, merkle
from service import erasing as module
from service.adapters.sql.database import SqlDatabase
from service.adapters.sql.tables import metadata
from service.app import build
from service.audit import entry
from service.blobs import StoreUnavailable
from service.decision import Allowed, Denial, decide
from service.erasing import JOB, RETRY, SETTLES, Erasing
from service.errors import DomainError, Problem
from service.ports import DatabaseUnavailable
from service.records import Answer, Copy, Job, Link, LoggedEntry, LogState, Nda, Recipient, Share
from service.sequencer import LOG
from tests.adapters.sql.test_tables import PERSONAL
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.service.erasing_cases import (
    PERSON,
    STRANGER,
    WORD,
    Known,
    archived,
    bytes_of_files,
    everything_about_one,
    file_of,
    holders,
    on_postgresql,
    rows,
    stored_with,
)
from tests.service_fixture import OPERATOR, Service, service_in
from tests.web.recipient.lending import compile_here

REACHED = {
    "access_requests.company",
    "access_requests.language",
    "access_requests.name",
    "access_requests.purpose",
    "answers.sealed",
    "batch_rows.wanted",
    "checks.mail",
    "copies.company",
    "copies.fill",
    "copies.mail",
    "copies.name",
    "entries.revealed",
    "events.body",
    "holds.reason",
    "inbox.revealed",
    "messages.language",
    "messages.mail",
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
}
"""Personal columns that erasing a recipient reaches, of what concerns them."""

NOT_REACHED = {
    "access_rules.domain": "is a company's, which the rule approves for others too; it goes when the rule is removed",
    "api_keys.name": "names a system of the lender's; no recipient has an API key",
    "documents.owner_mail": "is of the lender's own staff",
    "holds.subject": "is the recipient's random id, or a company's domain, which goes when the hold is released",
    "ndas.domain": "is of an agreement with a company, which covers others too; a person's own agreement has none",
    "staff_sessions.name": "is of the lender's own staff, and goes with the session",
    "staff_sessions.subject": "is of the lender's own staff, and goes with the session",
}
"""Personal columns that it leaves, and why."""

ARCHIVING = {"SEALMARK_LOG_VALUES_DAYS": "1"}


def test_each_personal_column_is_reached_by_erasing_or_says_why_not() -> None:
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    marked = {str(column) for column in columns if column.info["personal"]}
    assert marked == REACHED | NOT_REACHED.keys() == PERSONAL
    assert not REACHED & NOT_REACHED.keys()


def leaves(service: Service) -> list[bytes]:
    with service.sealmark.database.read() as records:
        return [logged.leaf for logged in records.find(LoggedEntry, order="index")]


class ErasingPromises:
    """What holds on every database. A subclass gives the fixture `service`."""

    @pytest.fixture
    def service(self) -> Service:
        raise NotImplementedError("given by the subclass")

    @pytest.fixture
    def known(self, service: Service) -> Known:
        return everything_about_one(service)

    def test_the_word_of_a_person_stands_in_every_column_that_erasing_reaches_and_afterwards_nowhere(
        self, known: Known
    ) -> None:
        service = known.service
        readable = REACHED - {"answers.sealed", "copies.fill", "holds.reason"}
        assert readable - {"copies.fill"} <= holders(service)
        with service.sealmark.database.read() as records:
            assert len(records.find(Answer, recipient_id=known.recipient, sealed__ne=None)) == 2
            assert all(copy.fill for copy in records.find(Copy, recipient_id=known.recipient))
        assert any(WORD in json.dumps(values) for values in archived(service).values())

        known.erase()

        assert holders(service) == set()
        assert WORD not in json.dumps(list(archived(service).values()))
        assert stored_with(service) == []
        with service.sealmark.database.read() as records:
            assert records.find(Answer, recipient_id=known.recipient, sealed__ne=None) == []
            assert [c.fill for c in records.find(Copy, recipient_id=known.recipient)] == [b""]
        service.work()
        assert holders(service) == set()

    def test_every_value_in_an_entry_names_the_entry_that_erased_it_and_no_proof_is_broken(
        self, known: Known
    ) -> None:
        service = known.service
        service.work()
        before = leaves(service)
        erased_at = service.clock()
        assert known.erase().erased_at == erased_at
        service.work()
        (made,) = rows(service, "recipient.erased")
        values = archived(service)
        fields = 0
        for logged in known.entries:
            if logged.kind == "recipient.erased":
                assert logged.revealed.keys() == {"actor"}
                continue
            revealed = logged.revealed or values.get(logged.index, {})
            committed = canonical.decode(logged.leaf).get("commitments", {})  # type: ignore[union-attr]
            assert revealed == {name: {"erased": made["id"]} for name in committed}
            fields += len(committed)
        assert fields > 20
        after = leaves(service)
        assert after[: len(before)] == before
        with service.sealmark.database.read() as records:
            state = records.get(LogState, LOG)
        nodes: dict[tuple[int, int], bytes] = {}
        made_nodes, _ = merkle.append_nodes(
            0, [merkle.leaf_hash(leaf) for leaf in after], lambda *at: nodes.get(at)
        )
        nodes.update({(node.level, node.index): node.hash for node in made_nodes})
        assert state is not None
        assert merkle.root(len(after), lambda *at: nodes.get(at)) == state.root

    def test_nothing_of_anybody_else_goes(self, known: Known) -> None:
        service = known.service
        other = known.lent.recipient.id

        def of_the_other() -> list[Any]:
            values = archived(service)
            with service.sealmark.database.read() as records:
                entries = records.find(LoggedEntry, order="index", recipient=other)
                rows = records.find(Share, recipient_id=other), records.find(Recipient, id=other)
            return [*rows, [(e.index, e.revealed or values.get(e.index)) for e in entries]]

        before = of_the_other()
        known.erase()
        assert of_the_other() == before
        assert known.lent.ask().status_code == 303

    def test_what_was_lent_is_closed_with_its_reason_and_the_ids_stay(self, known: Known) -> None:
        with known.service.sealmark.database.read() as records:
            (before,) = records.find(Copy, recipient_id=known.recipient)
        erased = known.erase()
        assert (erased.mail, erased.domain) == (f"{known.recipient}@erased.invalid", "erased.invalid")
        with known.service.sealmark.database.read() as records:
            (share,) = records.find(Share, recipient_id=known.recipient)
            (link,) = records.find(Link, share_id=share.id)
            (copy,) = records.find(Copy, recipient_id=known.recipient)
        assert (share.revoked_at, share.revoked_reason, share.purpose) == (erased.erased_at, "erased", "")
        assert link.revoked_at == erased.erased_at
        assert copy == replace(before, name="", mail="", company="", fill=b"")
        (closed,) = rows(known.service, "share.revoked")
        assert (closed["reason"], closed["share"]) == ("erased", share.id)
        with pytest.raises(DomainError, match="erased"):
            known.service.sealmark.copies.stream(copy, 0, 1)

    def test_a_dead_link_says_so_and_takes_nothing_personal_in_again(self, known: Known) -> None:
        known.erase()
        fields = {"User-Agent": f"Browser {WORD}"}
        assert known.lent.browser.get(known.path, headers=fields).status_code == 410
        assert known.lent.browser.post(known.path, headers=fields).status_code == 410
        assert [row["reason"] for row in rows(known.service, "download.denied")] == [Denial.LINK_REVOKED]
        assert holders(known.service) == set()

    def test_a_running_download_is_cut_off_and_its_end_is_erased_too(self, known: Known) -> None:
        asked = known.lent.browser.post(known.path, headers={"User-Agent": WORD})
        running = known.lent.begin(asked.headers["Location"], {"User-Agent": WORD})
        assert next(running.body)
        known.erase()
        known.service.clock.advance(seconds=2)
        with pytest.raises(ConnectionResetError):
            list(running.body)
        running.close()
        (*_, ended) = rows(known.service, "download.ended")
        assert ended["outcome"] == "revoked"
        assert holders(known.service) == {"entries.revealed"}
        known.service.clock.now += SETTLES
        assert known.service.sealmark.erasing.run_once()
        assert holders(known.service) == set()
        assert not known.service.sealmark.erasing.run_once()
        with known.service.sealmark.database.read() as records:
            assert records.find(Job, kind=JOB) == []

    def test_the_same_address_is_a_new_person_and_erasing_again_changes_nothing(self, known: Known) -> None:
        first = known.erase()
        assert known.erase() == first
        assert len(rows(known.service, "recipient.erased")) == 1
        again = {"document_id": known.lent.document.id, "purpose": "another"}
        sealmark = known.service.sealmark
        sealmark.ndas.add(OPERATOR, source="paper", approved=True, **PERSON)
        share, recipient, _ = sealmark.sharing.create(OPERATOR, **PERSON, **again)
        assert recipient.id != first.id
        assert recipient.mail == PERSON["mail"]
        known.service.clock.now += SETTLES
        assert sealmark.erasing.run_once()
        assert sealmark.sharing.get(share.id).purpose == "another"

    def test_nobody_shares_with_who_was_erased(self, known: Known) -> None:
        erased = known.erase()
        with pytest.raises(DomainError) as caught:
            known.service.sealmark.sharing.create(
                OPERATOR, document_id=known.lent.document.id, mail=erased.mail, name="Any", purpose="x"
            )
        assert caught.value.problem == Problem.WRONG_STATE

    def test_a_kept_answer_is_not_replayed_and_makes_nobody_anew(self, service: Service) -> None:
        known = everything_about_one(service)
        with known.post("/v1/shares", known.asked) as again:
            assert again.status_code == 201
        people = len(service.sealmark.recipients.list())
        known.erase()
        with known.post("/v1/shares", known.asked) as refused:
            assert refused.status_code == 422
            assert refused.json["type"].endswith("/idempotency-mismatch")
            assert WORD not in refused.text
        assert len(service.sealmark.recipients.list()) == people

    def test_a_copy_that_is_being_minted_meanwhile_is_not_kept(self, known: Known) -> None:
        sealmark = known.service.sealmark
        given = {"document_id": known.lent.document.id, "purpose": "second", **PERSON}
        share, _, link = sealmark.sharing.create(OPERATOR, **given)
        with sealmark.database.read() as records:
            (row,) = records.find(Link, share_id=share.id)
        grant = sealmark.database.grant(share.id, row.hash, known.service.clock())
        assert grant is not None
        allowed = decide(grant, known.service.clock(), asking=True)
        assert isinstance(allowed, Allowed)
        known.erase()
        assert sealmark.copies.mint(allowed).name == PERSON["name"]
        assert holders(known.service) == set()
        assert link.url

    def test_one_that_fails_holds_up_no_other(self, known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
        sealmark = known.service.sealmark
        sealmark.erasing.begin(OPERATOR, known.recipient)
        sealmark.erasing.begin(OPERATOR, known.lent.recipient.id)
        put = sealmark.store.put

        def failing(key: str, chunks: Any) -> int:
            if key == f"erased/{known.recipient}":
                raise StoreUnavailable("away")
            return put(key, chunks)

        with monkeypatch.context() as patched:
            patched.setattr(sealmark.store, "put", failing)
            failures = 0
            for _ in range(2):
                try:
                    assert sealmark.erasing.run_once()
                except StoreUnavailable:
                    failures += 1
            assert failures == 1
            assert list(sealmark.store.list(f"erased/{known.lent.recipient.id}"))
        known.service.clock.now += RETRY
        assert sealmark.erasing.run_once()
        assert holders(known.service) == set()

    def test_a_crash_at_any_batch_is_made_good_by_the_worker(
        self, known: Known, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "BATCH", 2)
        sealmark = known.service.sealmark

        def crash(seconds: float) -> None:
            raise DatabaseUnavailable("the process dies here")

        parts = (
            sealmark.database, sealmark.store, sealmark.archives, sealmark.keys, sealmark.limits, sealmark.clock,
            sealmark.random,
        )  # fmt: skip
        dying = Erasing(*parts, crash)
        dying.begin(OPERATOR, known.recipient)
        with pytest.raises(DatabaseUnavailable):
            dying.finish(known.recipient)
        assert known.record.erased_at
        assert holders(known.service)
        assert Erasing(*parts, lambda seconds: None).run_once()
        assert holders(known.service) == set()
        assert WORD not in json.dumps(list(archived(known.service).values()))

    def test_a_store_that_is_away_delays_it_and_loses_nothing(
        self, known: Known, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sealmark = known.service.sealmark

        def away(key: str, chunks: object) -> int:
            raise StoreUnavailable("away")

        with monkeypatch.context() as patched:
            patched.setattr(sealmark.store, "put", away)
            sealmark.erasing.begin(OPERATOR, known.recipient)
            assert not sealmark.erasing.finish(known.recipient)
        assert known.lent.browser.get(known.path).status_code == 410
        assert sealmark.erasing.run_once()
        assert holders(known.service) == set()
        assert (
            json.loads(b"".join(sealmark.store.read(f"erased/{known.recipient}")))["recipient"]
            == known.recipient
        )

    def test_a_list_that_somebody_else_wrote_erases_nobody(
        self, known: Known, caplog: pytest.LogCaptureFixture
    ) -> None:
        sealmark = known.service.sealmark
        forged = erasures.encode(bytes(32), known.recipient, "ent_" + "0" * 26)
        sealmark.store.put(f"erased/{known.recipient}", [forged])
        assert sealmark.erasing.apply_again() == 0
        assert known.record.erased_at is None
        assert "not erased again" in caplog.text

    @pytest.mark.parametrize("on", ["recipient", "company", "document"])
    def test_a_hold_refuses_it_until_it_is_released(self, known: Known, on: str) -> None:
        sealmark = known.service.sealmark
        subject = {
            "recipient": known.recipient,
            "company": f"{WORD}.example",
            "document": known.lent.document.id,
        }
        hold = sealmark.holds.place(OPERATOR, reason="a matter", **{on: subject[on]})
        with pytest.raises(DomainError) as caught:
            sealmark.erasing.begin(OPERATOR, known.recipient)
        assert (caught.value.problem, caught.value.fields) == (Problem.HELD, {"holds": hold.id})
        assert known.record.mail == PERSON["mail"]
        sealmark.holds.release(OPERATOR, hold.id)
        if on != "company":
            known.erase()
            assert holders(known.service) == set()

    def test_sharing_and_erasing_at_once_leave_no_open_share(self, known: Known) -> None:
        sealmark = known.service.sealmark
        given = {"document_id": known.lent.document.id, "purpose": f"race {WORD}", **PERSON}
        together = threading.Barrier(5)

        def share() -> None:
            together.wait()
            try:
                sealmark.sharing.create(OPERATOR, **given)
            except (DomainError, DatabaseUnavailable):
                return

        def erase() -> None:
            together.wait()
            sealmark.erasing.begin(OPERATOR, known.recipient)

        with ThreadPoolExecutor(5) as pool:
            for future in [pool.submit(erase), *(pool.submit(share) for _ in range(4))]:
                future.result()
        with sealmark.database.read() as records:
            shares = records.find(Share, recipient_id=known.recipient)
        assert all(found.revoked_at and found.purpose == "" for found in shares)

    def test_evidence_goes_when_its_retention_ends_and_never_while_a_hold_stands(self, known: Known) -> None:
        service, sealmark = known.service, known.service.sealmark
        with sealmark.database.read() as records:
            evidence = records.get(Nda, known.nda).evidence_id  # type: ignore[union-attr]
        there = [f"objects/evidence/{evidence}", f"objects/evidence/{evidence}.key"]

        def left() -> list[str]:
            while sealmark.discarding.run_once():
                pass
            return [blob.key for blob in sealmark.store.list("objects/evidence/")]

        service.clock.now += timedelta(days=9000)
        assert sealmark.sweeping.erase_evidence() == 0  # of nobody who is not erased
        known.erase()
        service.clock.now += timedelta(days=2555) - timedelta(seconds=1)
        assert sealmark.sweeping.erase_evidence() == 0
        assert left() == there
        service.clock.now += timedelta(seconds=1)
        hold = sealmark.holds.place(OPERATOR, document=known.lent.document.id, reason="a matter")
        assert sealmark.sweeping.erase_evidence() == 0
        sealmark.holds.release(OPERATOR, hold.id)
        assert sealmark.sweeping.erase_evidence() == 1
        assert left() == []
        assert sealmark.sweeping.erase_evidence() == 0
        (made,) = rows(service, "nda.evidence-erased")
        assert (made["nda"], made["recipient"]) == (known.nda, known.recipient)

    def test_a_waiting_entry_cannot_slip_into_the_tree_with_its_values(self, known: Known) -> None:
        sealmark = known.service.sealmark
        with sealmark.database.write() as records:
            for _ in range(50):
                made = entry(
                    "page.viewed", STRANGER, sealmark.clock(), sealmark.random, recipient=known.recipient
                )
                records.add(made)
        stop = threading.Event()

        def sequence() -> None:
            while not stop.is_set():
                sealmark.sequencer.run_once()

        with ThreadPoolExecutor(1) as pool:
            pool.submit(sequence)
            known.erase()
            stop.set()
        known.service.work()
        assert holders(known.service) == set()


class TestOnSqlite(ErasingPromises):
    """On an SQLite file."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> Iterator[Service]:
        with service_in(tmp_path, compile_in_child=compile_here, environ=ARCHIVING) as made:
            yield made

    def test_the_bytes_of_the_file_hold_nothing_of_them_after_a_checkpoint(self, known: Known) -> None:
        assert WORD.encode() in bytes_of_files(known.service)
        known.erase()
        assert WORD.encode() not in bytes_of_files(known.service)

    def test_a_restored_backup_brings_nobody_back(self, known: Known, tmp_path: Path) -> None:
        service, sealmark = known.service, known.service.sealmark
        service.work()
        bytes_of_files(service)
        backup = shutil.copyfile(file_of(service), tmp_path / "backup.db")
        first = known.erase()
        sealmark.close()
        for name in ("", "-wal", "-shm"):
            Path(f"{file_of(service)}{name}").unlink(missing_ok=True)
        shutil.copyfile(backup, file_of(service))

        restored = Service(build(sealmark.settings, clock=service.clock), service.clock)
        try:
            assert "recipients.mail" in holders(restored)
            before = {i: values for i, values in archived(restored).items() if "erased" not in str(values)}
            assert before  # the archive that was rewritten is found, though the old row names another
            service.clock.advance(minutes=5)
            assert restored.sealmark.erasing.apply_again() == 1
            while restored.sealmark.erasing.run_once():
                pass
            assert restored.sealmark.erasing.apply_again() == 0
            assert holders(restored) == set()
            assert WORD not in json.dumps(list(archived(restored).values()))
            assert WORD.encode() not in bytes_of_files(restored)
            (made,) = rows(restored, "recipient.erased")
            assert made["actor_type"] == "worker"
            again = restored.sealmark.recipients.get(known.recipient)
            assert again.erased_at == service.clock() != first.erased_at
        finally:
            restored.sealmark.close()

    @pytest.mark.slow
    def test_a_hundred_thousand_entries_never_hold_the_database_for_long(self, known: Known) -> None:
        sealmark = known.service.sealmark
        start = sealmark.log.size() + 1000
        revealed = {name: {"value": WORD, "salt": "00" * 32} for name in ("address", "agent")}
        leaf, now = b'{"kind":"page.viewed"}' + b" " * 500, sealmark.clock()
        for at in range(start, start + 100_000, 5000):
            rows = [
                LoggedEntry(
                    i, f"ent_{i}", leaf, b"", revealed, "page.viewed", now, now, recipient=known.recipient
                )
                for i in range(at, at + 5000)
            ]
            with sealmark.database.write() as records:
                records.add(*rows)
        other = SqlDatabase(sealmark.settings.database)
        waits, done = [], threading.Event()

        def write() -> None:
            while not done.is_set():
                begun = monotonic()
                other.ping_write()
                waits.append(monotonic() - begun)
                sleep(0.02)

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            begun = monotonic()
            sealmark.erasing.begin(OPERATOR, known.recipient)
            assert monotonic() - begun < 2
            known.erase()
            took = monotonic() - begun
            done.set()
            writing.result()
        other.dispose()
        print(f"erased in {took:.1f} s; {len(waits)} writes beside it waited at most {max(waits):.2f} s")
        assert max(waits) < 2
        assert "entries.revealed" not in holders(known.service)


@pytest.mark.postgresql
class TestOnPostgresql(ErasingPromises):
    """On a real PostgreSQL."""

    @pytest.fixture
    def service(self, tmp_path: Path, postgresql_server: PostgresqlServer) -> Iterator[Service]:
        url = migrated_postgresql(postgresql_server)
        environ = {**ARCHIVING, **on_postgresql(postgresql_server, tmp_path, url)}
        with service_in(tmp_path, compile_in_child=compile_here, environ=environ) as made:
            yield made
