"""Checkpoints: signed in time and not too often, stored before they are published, never against what was signed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crypto import notes
from crypto.errors import TreeBroken
from crypto.logcheck import WITNESS_KEY, Checkpoint
from service.blobs import StoreError
from service.checkpoints import HEARTBEAT_AFTER, PREFIX, SIGN_AFTER, SIGN_COUNT, SIGN_EVERY, Checkpoints
from service.records import LogCheckpoint, LoggedEntry, LogState, TreeNode
from service.rollback import LATEST, DatabaseBehind
from service.sequencer import LOG
from tests.service.test_log import put
from tests.service_fixture import Service


def settled(service: Service, count: int = 1) -> None:
    """So many entries more, each in its place."""
    put(service, count)
    service.entries()


def rows(service: Service) -> list[LogCheckpoint]:
    with service.sealmark.database.read() as records:
        return records.find(LogCheckpoint, order="size")


def published(service: Service) -> Checkpoint | None:
    found = service.sealmark.checkpoints.published()
    return Checkpoint.decode(found.note) if found else None


def stored(service: Service, key: str = LATEST) -> str:
    return b"".join(service.sealmark.store.read(key)).decode()


def with_parts(service: Service, **parts: Any) -> Checkpoints:
    """Checkpoints of the same log with other parts around them."""
    sealmark = service.sealmark
    return Checkpoints(
        sealmark.database,
        parts.pop("store", sealmark.store),
        sealmark.keys,
        sealmark.rollback,
        sealmark.sequencer,
        "reports.lender.example",
        service.clock,
        sealmark.random,
        **parts,
    )


def test_an_entry_is_covered_after_a_minute_and_not_before(service: Service) -> None:
    settled(service)
    service.sealmark.checkpoints.run_once()
    assert published(service) is None
    service.clock.advance(seconds=SIGN_AFTER.total_seconds() - 0.1)
    service.sealmark.checkpoints.run_once()
    assert published(service) is None
    service.clock.advance(seconds=0.1)
    service.sealmark.checkpoints.run_once()
    found = published(service)
    assert found is not None
    assert found.size == len(service.entries())
    assert found.signed_by(service.sealmark.checkpoints.public_keys()[0]) == 0


def test_256_entries_are_covered_at_once_and_no_two_checkpoints_come_within_a_second(
    service: Service,
) -> None:
    service.entries()
    service.sealmark.checkpoints.cover()
    begin = rows(service)[0].size
    service.clock.advance(seconds=SIGN_EVERY.total_seconds())
    settled(service, SIGN_COUNT - 1)
    service.sealmark.checkpoints.run_once()
    assert [row.size - begin for row in rows(service)] == [0]
    settled(service)
    service.sealmark.checkpoints.run_once()
    assert [row.size - begin for row in rows(service)] == [0, SIGN_COUNT]
    settled(service, SIGN_COUNT)
    service.clock.advance(seconds=SIGN_EVERY.total_seconds() - 0.1)
    service.sealmark.checkpoints.run_once()
    assert len(rows(service)) == 2
    service.clock.advance(seconds=0.1)
    service.sealmark.checkpoints.run_once()
    assert [row.size - begin for row in rows(service)] == [0, SIGN_COUNT, 2 * SIGN_COUNT]


def test_a_log_without_new_entries_is_not_signed_again(service: Service) -> None:
    settled(service)
    first = service.sealmark.checkpoints.cover()
    service.clock.advance(minutes=10)
    service.sealmark.checkpoints.run_once()
    assert service.sealmark.checkpoints.cover() == first
    assert len(rows(service)) == 1


def test_a_silent_log_writes_a_heartbeat_each_hour_and_signs_over_it(service: Service) -> None:
    settled(service)
    service.clock.advance(seconds=SIGN_AFTER.total_seconds())
    for beats in range(1, 4):
        service.clock.advance(seconds=(HEARTBEAT_AFTER - SIGN_AFTER).total_seconds() - 1)
        service.sealmark.checkpoints.run_once()
        assert len(service.entries("log.heartbeat")) == beats - 1
        service.clock.advance(seconds=1)
        service.sealmark.checkpoints.run_once()
        service.sealmark.checkpoints.run_once()
        assert len(service.entries("log.heartbeat")) == beats
        service.clock.advance(seconds=SIGN_AFTER.total_seconds())
        service.sealmark.checkpoints.run_once()
        found = published(service)
        assert found is not None
        assert found.size == len(service.entries())


class Unwilling:
    """A store that does not take what begins so."""

    def __init__(self, service: Service, prefix: str) -> None:
        self._store = service.sealmark.store
        self._prefix = prefix

    def put(self, key: str, chunks: Any) -> int:
        if key.startswith(self._prefix):
            raise StoreError("full")
        return self._store.put(key, chunks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.mark.parametrize("refused", [PREFIX, LATEST])
def test_what_the_store_has_not_is_not_published_and_is_stored_by_the_next_round(
    service: Service, refused: str
) -> None:
    settled(service)
    checkpoints = with_parts(service, store=Unwilling(service, refused))
    with pytest.raises(StoreError):
        checkpoints.cover()
    assert published(service) is None
    assert [row.stored_at for row in rows(service)] == [None]
    service.sealmark.checkpoints.run_once()
    found = published(service)
    assert found is not None
    assert stored(service) == rows(service)[0].note
    assert [blob.key for blob in service.sealmark.store.list(PREFIX)] == [
        f"{PREFIX}{found.origin.rsplit('/', 1)[1]}/{found.size:016d}"
    ]


def change_node(service: Service) -> None:
    """The largest perfect subtree: the last checkpoint stands on it."""
    level = rows(service)[0].size.bit_length() - 1
    with service.sealmark.database.write() as records:
        node = records.get(TreeNode, f"{level}:0")
        assert node is not None
        records.change(node, hash=b"\x01" * 32)


def change_root(service: Service) -> None:
    with service.sealmark.database.write() as records:
        state = records.get(LogState, LOG)
        assert state is not None
        records.change(state, root=b"\x01" * 32)


def cut(service: Service) -> None:
    """Entries are taken off the end, and the state says so."""
    with service.sealmark.database.write() as records:
        state = records.get(LogState, LOG)
        assert state is not None
        records.remove(LoggedEntry, index__ge=state.size - 2)
        records.change(state, size=state.size - 2)


@pytest.mark.parametrize("harm", [change_node, change_root, cut])
def test_what_contradicts_the_last_checkpoint_is_never_signed(
    service: Service, harm: Callable[[Service], None]
) -> None:
    settled(service, 2)
    service.sealmark.checkpoints.cover()
    service.clock.advance(seconds=2)
    settled(service, 1)
    harm(service)
    service.clock.advance(seconds=SIGN_AFTER.total_seconds())
    for sign in (service.sealmark.checkpoints.cover, service.sealmark.checkpoints.run_once):
        with pytest.raises(TreeBroken):
            sign()
    assert len(rows(service)) == 1


def test_a_fork_after_a_checkpoint_is_not_signed(service: Service) -> None:
    """The whole tree is made anew over other leaves, so that it is whole in itself."""
    settled(service, 2)
    service.sealmark.checkpoints.cover()
    sealmark = service.sealmark
    with sealmark.database.write() as records:
        records.remove(LoggedEntry, index__ge=0)
        records.remove(TreeNode, key__ne="")
        records.remove(LogState, name__ne="")
        origin = rows(service)[0].origin
    settled(service, 20)
    with sealmark.database.write() as records:
        state = records.get(LogState, LOG)
        assert state is not None
        records.change(state, origin=origin)
    with pytest.raises(TreeBroken):
        sealmark.checkpoints.cover()


def test_a_witness_that_signs_is_in_the_published_note_and_one_that_is_away_holds_up_nothing(
    service: Service,
) -> None:
    secret = bytes(range(32))
    asked: list[int] = []

    class Witness:
        def cosign(self, checkpoint: LogCheckpoint, proof: Callable[[int], list[bytes]]) -> str:
            asked.append(len(proof(1)))
            text = Checkpoint.decode(checkpoint.note).text
            return checkpoint.note + notes.cosign(text, "witness.example/w", secret, 7)

    settled(service, 3)
    checkpoints = with_parts(service, cosigner=Witness())
    checkpoints.cover()
    assert asked == [], "who pulls the log does not wait for witnesses"
    checkpoints.run_once()
    checkpoints.run_once()
    found = published(service)
    assert found is not None
    assert found.signed_by(notes.public_key("witness.example/w", secret, WITNESS_KEY)) == 7
    assert stored(service) == rows(service)[0].note
    assert len(asked) == 1
    assert asked[0] > 0


def test_a_checkpoint_goes_into_the_locked_bucket_once_and_again_where_that_failed(service: Service) -> None:
    taken: dict[str, bytes] = {}
    fails = [True]

    class Locked:
        def put(self, key: str, content: bytes) -> None:
            if fails:
                raise StoreError("away")
            assert key not in taken
            taken[key] = content

    settled(service)
    checkpoints = with_parts(service, locked=Locked())
    checkpoints.cover()
    with pytest.raises(StoreError):
        checkpoints.run_once()
    assert published(service) is not None
    fails.clear()
    checkpoints.run_once()
    checkpoints.run_once()
    assert list(taken.values()) == [rows(service)[0].note.encode()]


def test_the_store_that_is_ahead_stops_signing(service: Service) -> None:
    settled(service)
    service.sealmark.checkpoints.cover()
    with service.sealmark.database.write() as records:
        records.remove(LogCheckpoint, size__ge=0)
    service.clock.advance(seconds=2)
    with pytest.raises(DatabaseBehind):
        service.sealmark.checkpoints.cover()


class Stalling:
    """A store that calls somebody else just before it takes the newest checkpoint, once."""

    def __init__(self, service: Service, meanwhile: Callable[[], object]) -> None:
        self._store = service.sealmark.store
        self._meanwhile = [meanwhile]

    def put(self, key: str, chunks: Any) -> int:
        if key == LATEST and self._meanwhile:
            self._meanwhile.pop()()
        return self._store.put(key, chunks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_a_stalled_process_leaves_no_older_checkpoint_over_a_newer_one(service: Service) -> None:
    settled(service)

    def others() -> None:
        service.clock.advance(seconds=2)
        settled(service)
        service.sealmark.checkpoints.cover()

    with_parts(service, store=Stalling(service, others)).cover()
    first, second = rows(service)
    assert first.size < second.size
    assert stored(service) == second.note


@pytest.mark.parametrize("by", ["run_once", "cover"])
def test_of_two_processes_that_sign_at_once_one_does(
    service: Service, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(service)
    service.sealmark.checkpoints.cover()
    service.clock.advance(seconds=2)
    settled(service)
    service.clock.now += SIGN_AFTER
    database, others = service.sealmark.database, with_parts(service)
    write = database.write

    def overtaken() -> Any:
        monkeypatch.undo()
        others.cover()
        return write()

    monkeypatch.setattr(database, "write", overtaken)
    getattr(service.sealmark.checkpoints, by)()
    assert len(rows(service)) == 2
    found = published(service)
    assert found is not None
    assert found.size == rows(service)[-1].size


def test_a_log_that_is_shorter_than_what_it_signed_is_not_signed(service: Service) -> None:
    settled(service)
    first = service.sealmark.checkpoints.cover()
    service.clock.advance(seconds=2)
    settled(service)
    service.sealmark.checkpoints.cover()
    with service.sealmark.database.write() as records:
        state = records.get(LogState, LOG)
        assert state is not None
        records.change(state, size=first.size, root=first.root)
    with pytest.raises(TreeBroken, match="restore the database"):
        service.sealmark.checkpoints.cover()
    assert len(rows(service)) == 2


def test_of_several_processes_one_asks_the_witnesses(service: Service) -> None:
    asked: list[int] = []

    class Witness:
        def cosign(self, checkpoint: LogCheckpoint, proof: Callable[[int], list[bytes]]) -> str:
            asked.append(checkpoint.size)
            return checkpoint.note

    processes = [with_parts(service, cosigner=Witness()) for _ in range(3)]
    for _ in range(2):
        settled(service)
        processes[0].cover()
        for process in processes:
            process.run_once()
        service.clock.advance(seconds=2)
    assert asked == [row.size for row in rows(service)]


def test_a_pull_of_a_busy_log_does_not_wait_for_what_comes_meanwhile(service: Service) -> None:
    settled(service)
    service.sealmark.checkpoints.cover()
    settled(service)
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        service.clock.now += timedelta(seconds=seconds)
        settled(service)

    wanted = len(service.entries())
    found = with_parts(service, pause=pause).cover()
    assert found.size >= wanted
    assert len(waited) == 1


def test_the_first_second_after_a_checkpoint_is_waited_for(service: Service) -> None:
    settled(service)
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        service.clock.now += timedelta(seconds=seconds)

    checkpoints = with_parts(service, pause=pause)
    checkpoints.cover()
    settled(service)
    assert checkpoints.cover().size == len(service.entries())
    assert waited == [1.0]
