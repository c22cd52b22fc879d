"""Several processes append, sequence and sign at once: one tree without gaps, and checkpoints that agree."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from crypto import canonical, merkle
from crypto.logcheck import Checkpoint, Tree, check_consistency
from service.app import Sealmark, build, utc_now
from service.audit import Actor, entry
from service.ports import DatabaseUnavailable
from service.records import InboxEntry, LogCheckpoint, LoggedEntry, LogState, TreeNode
from service.sequencer import LOG
from service.settings import load
from service.tree import from_nodes
from tests.servers.postgresql import PostgresqlServer
from tests.service_fixture import service_in

PROCESSES = 4
ENTRIES = 150
"""Of each process."""


def append(environ: dict[str, str], number: int) -> None:
    """One process: every entry in a transaction of its own; between them it sequences and signs, as all do."""
    sealmark = build(load(environ))

    def add(index: int) -> None:
        with sealmark.database.write() as records:
            actor = Actor("worker", name=f"{number}:{index}")
            records.add(entry("page.viewed", actor, utc_now(), os.urandom))

    for index in range(ENTRIES):
        until_it_answers(lambda: add(index))  # noqa: B023
        if index % 5 == number:
            until_it_answers(sealmark.sequencer.run_once)
        if index % 20 == number:
            until_it_answers(sealmark.checkpoints.cover)
    sealmark.close()


def until_it_answers(call: Callable[[], object]) -> None:
    """Call again where it waited too long for the others: then nothing was done."""
    while True:
        try:
            call()
        except DatabaseUnavailable:
            continue
        return


def check(sealmark: Sealmark) -> None:
    while sealmark.sequencer.run_once():
        pass
    with sealmark.database.read() as records:
        logged = records.find(LoggedEntry, order="index")
        state = records.get(LogState, LOG)
        checkpoints = records.find(LogCheckpoint, order="size")
        nodes = len(records.find(TreeNode))
        assert records.find(InboxEntry) == []
        tree = Tree()
        roots = [tree.root()]
        for item in logged:
            tree.push(0, merkle.leaf_hash(item.leaf))
            roots.append(tree.root())
        assert state is not None
        assert (state.size, state.root) == (len(logged), tree.root())
        assert from_nodes(records, lambda read: merkle.root(len(logged), read)) == tree.root()
        assert nodes == sum(len(logged) >> level for level in range(len(logged).bit_length()))
        assert [item.index for item in logged] == list(range(len(logged)))
        said = [item.revealed["actor"]["value"] for item in logged if item.kind == "page.viewed"]
        assert sorted(said) == sorted(f"{p}:{i}" for p in range(PROCESSES) for i in range(ENTRIES))
        for process in range(PROCESSES):
            own = [text for text in said if text.startswith(f"{process}:")]
            assert own == sorted(own, key=lambda text: int(text.split(":")[1])), (
                "what one process did is in order"
            )
        sequenced = [canonical.decode(item.leaf)["sequenced"] for item in logged]  # type: ignore[call-overload,index]
        assert sequenced == sorted(sequenced)
        assert len(checkpoints) > PROCESSES
        assert len({item.origin for item in checkpoints}) == 1
        for item in checkpoints:
            assert Checkpoint.decode(item.note).root == item.root == roots[item.size]
        for before, after in pairwise(checkpoints):
            proof = sealmark.checkpoints.consistency(before.size, after.size)
            check_consistency(before.size, before.root, after.size, after.root, proof)


def run(folder: Path, environ: dict[str, str]) -> None:
    given = {
        "SEALMARK_URL": "https://reports.lender.example",
        "SEALMARK_DATA": str(folder / "data"),
        "SEALMARK_KEY": f"file:{folder / 'keys' / 'master.key'}",
        **environ,
    }
    with service_in(folder, environ=environ) as service:
        spawn = multiprocessing.get_context("spawn")
        processes = [spawn.Process(target=append, args=(given, number)) for number in range(PROCESSES)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(300)
        assert [process.exitcode for process in processes] == [0] * PROCESSES
        service.clock.now = utc_now()
        check(service.sealmark)


@pytest.mark.slow
def test_on_sqlite(tmp_path: Path) -> None:
    run(tmp_path, {})


@pytest.mark.slow
@pytest.mark.postgresql
def test_on_postgresql(tmp_path: Path, postgresql_server: PostgresqlServer) -> None:
    secret = tmp_path / "password"
    secret.write_text(postgresql_server.password)
    url = postgresql_server.fresh_database().replace(f":{postgresql_server.password}", "")
    run(tmp_path, {"SEALMARK_DATABASE": url, "SEALMARK_DATABASE_PASSWORD_FILE": str(secret)})
