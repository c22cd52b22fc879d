"""Fifty equal calls at once, over two processes, are one call."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from service.records import Link, LoggedEntry, Recipient, Share
from tests.attacks.running import (
    IDEMPOTENCY_KEY,
    Answer,
    Client,
    Installation,
    agree,
    install,
    must,
    share,
    upload,
)
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import free_port
from tests.watermark.builders import report

CALLS = 50


def test_fifty_equal_calls_make_one_share_on_sqlite(tmp_path: Path) -> None:
    _call_at_once(install(tmp_path))


@pytest.mark.postgresql
def test_fifty_equal_calls_make_one_share_on_postgresql(
    tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    _call_at_once(install(tmp_path, database=postgresql_server.fresh_database()))


def _call_at_once(installation: Installation) -> None:
    with installation.served("--with-worker") as port, installation.served(port=free_port()) as second:
        client = Client(port, installation.host, installation.api_key())
        clients = (client, replace(client, port=second))
        document = must(upload(client, report())[1], 200)["document"]
        agree(client)
        together = Barrier(CALLS)

        def call(number: int) -> Answer:
            together.wait()
            return share(clients[number % 2], document, headers={IDEMPOTENCY_KEY: "one-and-the-same"})

        with ThreadPoolExecutor(CALLS) as pool:
            answers = list(pool.map(call, range(CALLS)))
        later = share(client, document, headers={IDEMPOTENCY_KEY: "one-and-the-same"})
        other = share(client, document, headers={IDEMPOTENCY_KEY: "another"})

    assert Counter(answer.status for answer in (*answers, later, other)) == {201: CALLS + 2}
    assert {answer.body for answer in answers} == {later.body}
    assert other.body != later.body
    made = {later.json["id"], other.json["id"]}
    with installation.opened() as sealmark:
        while sealmark.sequencer.run_once():
            pass
        with sealmark.database.read() as records:
            assert {kept.id for kept in records.find(Share)} == made
            assert len(records.find(Link)) == len(made)
            assert len(records.find(Recipient)) == 1
            kinds = Counter(entry.kind for entry in records.find(LoggedEntry))
    assert kinds["share.created"] == kinds["link.created"] == len(made)
    assert kinds["recipient.created"] == 1
