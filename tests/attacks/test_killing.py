"""kill -9 of web processes and worker while everybody downloads: no byte without its entries, and a whole tree."""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from crypto import tokens
from service.app import Sealmark, build, utc_now
from service.settings import load
from tests.attacks.killing import Heard, Pace, Processes, downloading, lend_many
from tests.attacks.running import Client, Installation, download, install, lend
from tests.attacks.test_revoking_under_load import heavy_report
from tests.attacks.wholeness import Log, require_whole
from tests.servers.postgresql import PostgresqlServer

pytestmark = pytest.mark.slow

ROUNDS = 100
"""On each database, 200 together."""

LOOK_EVERY = 20
SHARES = 20_000
"""More than are asked for in all rounds, so that nearly every asking is a grant."""

VICTIMS = ("web process",) * 6 + ("worker",) * 3 + ("master", "all")
PACES = [Pace()] * 2 + [Pace(16 * 1024, 0.02)] * 4
"""Two read at once; four at some 800 KB/s, so that a kill meets downloads that run."""

SLACK = timedelta(seconds=20)
"""The worker looks for silent sends each five seconds, and may be dead itself for a few more."""


def test_kills_lose_nothing_on_sqlite(tmp_path: Path) -> None:
    _kill_for(ROUNDS, install(tmp_path, environment={"SEALMARK_PROCESSES": "2"}))


@pytest.mark.postgresql
def test_kills_lose_nothing_on_postgresql(tmp_path: Path, postgresql_server: PostgresqlServer) -> None:
    environment = {"SEALMARK_PROCESSES": "2"}
    _kill_for(ROUNDS, install(tmp_path, database=postgresql_server.fresh_database(), environment=environment))


def _kill_for(rounds: int, installation: Installation) -> None:
    seed = int(os.environ.get("SEALMARK_TEST_SEED") or time.time_ns() % 10**9)
    print(f"SEALMARK_TEST_SEED={seed}")
    random = Random(seed)
    client = Client(installation.port, installation.host, installation.api_key())
    with ExitStack() as stack:
        processes = Processes(installation)
        stack.callback(processes.stop)
        processes.start()
        download(client, lend(client, heavy_report()).link)
        sealmark = stack.enter_context(installation.opened())
        links = lend_many(sealmark, SHARES)
        killed: Counter[str] = Counter()
        with downloading(client, links, PACES, random) as heard:
            for number in range(1, rounds + 1):
                time.sleep(random.uniform(0.1, 1.0))
                victim = random.choice(VICTIMS)
                processes.kill(victim, random)
                processes.start()
                killed[victim] += 1
                if number % LOOK_EVERY == 0:
                    _look(sealmark, heard)
            heard_in_all = heard
        log = _look(sealmark, heard_in_all)
    print(f"{dict(killed)}; {_told(heard_in_all, log)}")

    assert any(send.outcome == "unknown" for send in log.sends), "no kill met a send, or nobody ended it"
    assert len(heard_in_all.granted) > rounds, "there was no load"
    _require_that_all_end(installation)


def _look(sealmark: Sealmark, heard: Heard) -> Log:
    """What the clients were told until now is in the log, and the log is whole."""
    granted, received = list(heard.granted), list(heard.received)
    now = sealmark.clock()
    log = require_whole(sealmark)
    silent = timedelta(seconds=sealmark.settings.silent_seconds)
    forgotten = [s for s in log.sends if s.ended_at is None and s.alive_at < now - silent - SLACK]
    assert forgotten == [], "a send that fell silent is still open"
    assert heard.unexpected() == set()
    entries = {leaf["delivery"] for leaf in log.of("download.granted")}
    assert {_delivery(sealmark, token) for token in granted} <= entries, (
        "a grant without its entry was answered"
    )
    begun = Counter((leaf["delivery"], leaf["details"]["first"]) for leaf in log.of("download.begun"))
    sent = Counter((_delivery(sealmark, got.token), got.first) for got in received)
    assert sent.keys() <= {(delivery, first) for delivery, first in begun}, "bytes left without an entry"
    assert all(begun[place] >= count for place, count in sent.items()), "bytes left without an entry"
    return log


def _delivery(sealmark: Sealmark, token: str) -> str:
    now = int(sealmark.clock().timestamp())
    with_life = now - int(timedelta(hours=1).total_seconds())  # a delivery of long ago may be over
    return tokens.verify(token, sealmark.keys.verifying("link"), with_life).link_id


def _require_that_all_end(installation: Installation) -> None:
    """The worker, once the rest has been silent for long enough, leaves no send open."""
    later = timedelta(seconds=load(installation.environment).silent_seconds + 1)
    sealmark = build(load(installation.environment), clock=lambda: utc_now() + later)
    try:
        while sealmark.sweeping.end_silent_sends() or sealmark.sequencer.run_once():
            pass
        log = require_whole(sealmark)
    finally:
        sealmark.close()
    assert [send for send in log.sends if send.ended_at is None] == []
    assert len(log.logged) == len(log.leaves), "an entry was left in the inbox"


def _told(heard: Heard, log: Log) -> str:
    ends = Counter(send.outcome for send in log.sends)
    return (
        f"{len(heard.granted)} grants and {len(heard.received)} downloads heard of, answers {dict(heard.statuses)}, "
        f"broken {dict(heard.broken)}, sends {dict(ends)}, {len(log.logged)} entries in the tree"
    )
