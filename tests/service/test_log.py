"""The log before its proofs: entries are durable with their effect, get one place each, and are pulled with a trace."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from crypto import canonical, commitments, merkle
from service.audit import KINDS, MAX_AGENT, Actor, entry
from service.errors import DomainError
from service.log import LogFilter
from service.records import InboxEntry, Kind, LoggedEntry, LogState, TreeNode
from service.sequencer import BATCH, LOG, Sequencer
from tests.service.acting import a_document
from tests.service_fixture import OPERATOR, Service


def put(service: Service, count: int, kind: str = "page.viewed") -> None:
    sealmark = service.sealmark
    with sealmark.database.write() as records:
        records.add(*(entry(kind, Actor("stranger"), service.clock(), sealmark.random) for _ in range(count)))


def test_a_leaf_holds_commitments_and_never_a_personal_value(service: Service) -> None:
    actor = Actor("cli", name="root", request="req_1", address="203.0.113.7", agent="curl/8 " + "x" * 400)
    made = entry(
        "share.created",
        actor,
        service.clock(),
        service.sealmark.random,
        details={"limit": 3, "pinned": None},
        personal={"purpose": "vendor review", "mail": ""},
        share="shr_1",
        nda=None,
    )
    leaf = canonical.decode(made.leaf)
    assert isinstance(leaf, dict)
    assert leaf["details"] == {"limit": 3}
    assert "nda" not in leaf
    assert set(made.revealed) == {"actor", "address", "agent", "purpose"}
    assert len(made.revealed["agent"]["value"]) == MAX_AGENT
    for name, shown in made.revealed.items():
        assert shown["value"].encode() not in made.leaf
        assert commitments.check(
            leaf["commitments"][name],  # type: ignore[call-overload,index]
            name,
            shown["value"],
            bytes.fromhex(shown["salt"]),
        )


@pytest.mark.parametrize(
    "wrong",
    [{"details": {"mail": "ana"}}, {"personal": {"secret": "x"}}, {"nobody": "rcp_1"}],
    ids=str,
)
def test_what_is_outside_the_closed_lists_is_a_mistake_of_the_program(
    service: Service, wrong: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"entry|personal"):
        entry("page.viewed", OPERATOR, service.clock(), service.sealmark.random, **wrong)  # type: ignore[arg-type]


def test_entries_get_their_place_in_order_and_the_tree_is_theirs(service: Service) -> None:
    put(service, 3)
    service.clock.advance(seconds=5)
    put(service, BATCH + 7)
    service.entries()
    with service.sealmark.database.read() as records:
        logged = records.find(LoggedEntry, order="index")
        state = records.get(LogState, LOG)
        nodes = {node.key: node.hash for node in records.find(TreeNode)}
        assert records.find(InboxEntry) == []
    assert state is not None
    assert [item.index for item in logged] == list(range(state.size))
    assert [item.leaf_hash for item in logged] == [merkle.leaf_hash(item.leaf) for item in logged]
    assert state.root == merkle.root(state.size, lambda level, index: nodes.get(f"{level}:{index}"))
    leaves = [canonical.decode(item.leaf) for item in logged]
    sequenced = [leaf["sequenced"] for leaf in leaves]  # type: ignore[index,call-overload]
    assert sequenced == sorted(sequenced)


def test_a_clock_that_goes_back_never_makes_the_order_of_the_log_go_back(service: Service) -> None:
    put(service, 1)
    service.entries()
    service.clock.advance(hours=-1)
    put(service, 1)
    entries = service.entries()
    assert entries[-1]["sequenced"] == entries[-2]["sequenced"]
    assert entries[-1]["time"] < entries[-2]["time"]


def test_several_sequencers_and_writers_at_once_leave_no_gap_and_lose_nothing(service: Service) -> None:
    before = len(service.entries())
    other = Sequencer(service.sealmark.database, service.clock)

    def write(_: int) -> None:
        put(service, 5)

    def move(sequencer: Sequencer) -> None:
        for _ in range(40):
            sequencer.run_once()

    with ThreadPoolExecutor(6) as pool:
        moving = [pool.submit(move, one) for one in (service.sealmark.sequencer, other)]
        list(pool.map(write, range(40)))
        for task in moving:
            task.result()
    entries = service.entries()
    assert [row["index"] for row in entries] == list(range(before + 200))
    assert len({row["id"] for row in entries}) == before + 200


def test_a_move_that_fails_moves_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service.entries()
    put(service, 2)
    with monkeypatch.context() as patch:
        patch.setattr("service.sequencer.merkle.root", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            service.sealmark.sequencer.run_once()
    with service.sealmark.database.read() as records:
        assert len(records.find(InboxEntry)) == 2
    assert len(service.entries("page.viewed")) == 2


def test_the_lag_is_the_age_of_the_oldest_waiting_entry(service: Service) -> None:
    service.entries()
    assert service.sealmark.sequencer.lag() == 0
    put(service, 1)
    service.clock.advance(seconds=7)
    assert service.sealmark.sequencer.lag() == 7


def test_an_effect_that_fails_leaves_no_entry(service: Service) -> None:
    service.entries()
    with pytest.raises(DomainError):
        a_document(service, owner_mail="nobody")
    assert service.entries("document.created") == []


def test_a_pull_is_an_entry_after_the_size_that_it_fixed(service: Service) -> None:
    a_document(service)
    size = len(service.entries())
    page = service.sealmark.log.page(OPERATOR, LogFilter(kind="document.created"))
    assert (len(page.entries), page.size) == (1, size)
    (pull,) = service.entries("log.pulled")
    assert pull["index"] == size
    details = json.loads(pull["details"])
    assert (details["size"], json.loads(details["filter"])) == (size, {"kind": "document.created"})


def test_pages_go_on_below_the_size_that_the_first_one_fixed_and_each_is_an_entry(service: Service) -> None:
    put(service, 25)
    service.entries()
    log = service.sealmark.log
    page = log.page(OPERATOR, LogFilter(kind="page.viewed"), limit=10)
    seen = [item.index for item in page.entries]
    put(service, 5)
    service.entries()
    pages = 1
    while page.next_after is not None:
        pages += 1
        page = log.page(
            OPERATOR, LogFilter(kind="page.viewed"), limit=10, after=page.next_after, size=page.size
        )
        seen += [item.index for item in page.entries]
    assert len(seen) == len(set(seen)) == 25
    assert len(service.entries("log.pulled")) == pages


def test_filters_hold_together(service: Service) -> None:
    first = a_document(service)
    service.entries()
    service.clock.advance(hours=1)
    moment = service.clock()
    second = a_document(service, kind=Kind.PENTEST)
    service.entries()

    def found(**chosen: object) -> set[str | None]:
        page = service.sealmark.log.page(OPERATOR, LogFilter(kind="document.created", **chosen))  # type: ignore[arg-type]
        return {item.document for item in page.entries}

    assert found() == {first.id, second.id}
    assert found(document=first.id) == {first.id}
    assert found(since=moment) == {second.id}
    assert found(until=moment) == {first.id}
    assert found(since=moment, document=first.id) == set()
    assert found(outcome="denied") == set()
    assert found(until=moment + timedelta(microseconds=1)) == {first.id, second.id}


def test_a_kind_that_does_not_exist_is_refused(service: Service) -> None:
    with pytest.raises(DomainError, match="no such kind"):
        service.sealmark.log.page(OPERATOR, LogFilter(kind="everything"))
    with pytest.raises(DomainError, match="no such kind"):
        service.sealmark.exports.export(OPERATOR, LogFilter(kind="everything"), "csv")


def test_every_kind_of_entry_has_a_closed_set_of_details() -> None:
    assert len(KINDS) == len(set(KINDS))
    assert all(isinstance(details, frozenset) for details in KINDS.values())


@pytest.mark.parametrize(
    "chosen",
    [
        {"recipient": "ana@acme.example"},
        {"document": "SOC 2"},
        {"share": "rcp_" + "0" * 26},
        {"outcome": "Ana Example"},
    ],
    ids=str,
)
def test_nothing_personal_enters_a_leaf_by_the_filter_of_a_pull(
    service: Service, chosen: dict[str, str]
) -> None:
    with pytest.raises(DomainError):
        service.sealmark.log.page(OPERATOR, LogFilter(**chosen))  # type: ignore[arg-type]
    with pytest.raises(DomainError):
        service.sealmark.exports.export(OPERATOR, LogFilter(**chosen), "ndjson")  # type: ignore[arg-type]
    assert service.entries("log.pulled") == []


def test_a_sequencer_that_was_overtaken_moves_nothing_twice(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(service.entries())
    put(service, 3)
    database = service.sealmark.database
    write = database.write
    other = Sequencer(database, service.clock)

    def overtaken() -> Any:
        monkeypatch.setattr(database, "write", write)
        assert other.run_once() == 3
        return write()

    monkeypatch.setattr(database, "write", overtaken)

    assert service.sealmark.sequencer.run_once() == 0
    assert [row["index"] for row in service.entries()] == list(range(before + 3))
