"""kill -9 of workers while they work off a batch: each row has its one share, and the log is whole."""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from service.records import BatchRow, LoggedEntry, Recipient, Share
from tests.attacks.killing import Processes
from tests.attacks.running import Client, Installation, agree, install, must, upload
from tests.attacks.test_revoking_under_load import heavy_report
from tests.attacks.wholeness import require_whole
from tests.servers.postgresql import PostgresqlServer

pytestmark = pytest.mark.slow

ROWS = 3000
LEAST_KILLS, MOST_KILLS = 3, 12
DONE_WITHIN = 600.0
"""Seconds, on two cores that others use too."""


def test_a_batch_whose_workers_are_killed_shares_once_with_each_on_sqlite(tmp_path: Path) -> None:
    _kill_while_sharing(install(tmp_path))


@pytest.mark.postgresql
def test_a_batch_whose_workers_are_killed_shares_once_with_each_on_postgresql(
    tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    _kill_while_sharing(install(tmp_path, database=postgresql_server.fresh_database()))


def _kill_while_sharing(installation: Installation) -> None:
    seed = int(os.environ.get("SEALMARK_TEST_SEED") or time.time_ns() % 10**9)
    print(f"SEALMARK_TEST_SEED={seed}")
    random = Random(seed)
    client = Client(installation.port, installation.host, installation.api_key())
    kills = 0
    with ExitStack() as stack:
        processes = Processes(installation)
        stack.callback(processes.stop)
        processes.start()
        document, _ = upload(client, heavy_report())
        agree(client)
        people = [{"mail": f"p{at}@borrower.example", "name": f"Person {at}"} for at in range(ROWS)]
        body = {"document": document, "rows": people, "purpose": "Renewal"}
        key = {"Idempotency-Key": "batch-1"}
        made = must(client.call("POST", "/v1/batches", body, key), 201)
        path = f"/v1/batches/{made['id']}"
        end = time.monotonic() + DONE_WITHIN
        worked = 0
        while not (seen := must(client.call("GET", path), 200))["done_at"]:
            assert time.monotonic() < end
            if seen["worked"] == worked:  # the worker that was started last has not come to it yet
                time.sleep(0.1)
                continue
            assert seen["worked"] > worked
            worked = seen["worked"]
            if kills < MOST_KILLS:
                time.sleep(random.uniform(0.0, 0.4))
                processes.kill("worker", random)
                kills += 1
                processes.start()
                assert must(client.call("POST", "/v1/batches", body, key), 201)["id"] == made["id"]
    with installation.opened() as sealmark:
        while sealmark.sequencer.run_once():
            pass
        with sealmark.database.read() as records:
            rows = records.find(BatchRow)
            shares = records.find(Share)
            recipients = records.find(Recipient)
            kinds = Counter(entry.kind for entry in records.find(LoggedEntry))
        require_whole(sealmark)
    assert kills >= LEAST_KILLS, "no kill met the work"
    assert len(rows) == len({row.share_id for row in rows}) == len(shares) == len(recipients) == ROWS
    assert {row.share_id for row in rows} == {share.id for share in shares}
    assert len({share.recipient_id for share in shares}) == ROWS
    assert kinds["share.created"] == kinds["recipient.created"] == ROWS
    assert kinds["batch.begun"] == kinds["batch.ended"] == 1
