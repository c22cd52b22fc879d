"""Grants a second, beside how often the same disk can sync: `python -m bench.appending`.

A grant is what `POST /s/…` does without its HTTP: token, decision, one download taken and its entry in one
transaction, answered when that is synced. Two processes of 16 threads grant, as two web processes would; each link is
of a share of its own and is asked once, so every grant is a new one. The disk's own rate is that of a loop that appends
4 KiB and calls fdatasync, by turns with the grants, in the folder where the database lies.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from bench.figures import Figure, rate_against, table
from bench.lender import RECIPIENT, Lender, lending
from bench.parts import each_database
from bench.reports import PROJECT, Report, sample
from crypto import identifiers, tokens
from service import settings
from service.app import Sealmark, build
from service.delivery import Granted
from service.demo import servers
from service.records import Copy, Link, LogState, Share
from service.sequencer import LOG

PROCESSES, THREADS = 2, 16
"""32 writers over 2 processes: a service with the default settings, all of whose threads grant."""

BLOCK = 4096
"""Bytes of one write of the disk's loop: a page of SQLite's log, half a page of PostgreSQL's."""

DISK_SECONDS = 1.0
"""Of each turn of the disk's loop: some thousand syncs, about as long as a turn of the grants."""

PER_DISK = "grants/s"
DISK = "append 4 KiB and fdatasync, in a loop"


class GrantFailed(Exception):
    """A link was not granted; the round is worth nothing."""


def measure(*, shares: int, rounds: int, real_parts: bool, note: Callable[[str], None]) -> list[Figure]:
    """Grants a second on SQLite, and with `real_parts` on PostgreSQL, which is left out with a note if it is not here.

    In each round `shares` links are asked; the figures are of the round with the median ratio.
    """
    figures = []
    with tempfile.TemporaryDirectory(prefix="sealmark-appending-") as scratch:
        databases = each_database("grants", Path(scratch), real_parts=real_parts, note=note)
        for database, place, environment in databases:
            for working in (False, True):
                found = _rounds(environment, place, shares, rounds, working)
                name = f"grants: {database}" + (", the worker beside" if working else "")
                figures.append(_figure(name, found))
    return figures


def disk_rate(folder: Path, seconds: float = DISK_SECONDS) -> float:
    """How often a second a block can be appended and synced in this folder."""
    block = os.urandom(BLOCK)
    with tempfile.NamedTemporaryFile(dir=folder, buffering=0) as file:
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            file.write(block)
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.perf_counter() - begin)


def _rounds(
    environment: Mapping[str, str], folder: Path, shares: int, rounds: int, working: bool
) -> list[tuple[float, float]]:
    """Grants and syncs a second of each round; the disk's turns lie before and after, and between."""
    found = []
    with _lending_many(environment, sample(), shares) as (lender, lend), ExitStack() as stack:
        if working:
            command = [sys.executable, "-m", "service", "worker"]
            log = folder / "worker.log"
            stack.enter_context(servers.running("the worker", command, environment, log, lambda: True))
        before = disk_rate(folder)
        for _ in range(rounds):
            links = lend()
            entries = _entries(lender.sealmark)
            rate = _grant_all(environment, links)
            made = _entries(lender.sealmark) - entries
            if made != len(links):
                raise GrantFailed(f"{len(links)} grants left {made} entries")
            after = disk_rate(folder)
            found.append((rate, (before + after) / 2))
            before = after
    return found


def _figure(name: str, found: list[tuple[float, float]]) -> Figure:
    rate, disk = sorted(found, key=lambda pair: pair[0] / pair[1])[len(found) // 2]
    return replace(rate_against(name, rate, DISK, disk), unit=PER_DISK)


@contextmanager
def _lending_many(
    environment: Mapping[str, str], report: Report, shares: int
) -> Iterator[tuple[Lender, Callable[[], list[str]]]]:
    """A lender, and a function that gives the tokens of so many new shares.

    They are rows made after the first share, its link and its copy: minting thousands would take minutes, and no byte
    of them is sent.
    """
    with lending(environment, report, 1) as lender:
        sealmark = lender.sealmark
        with sealmark.database.read() as records:
            share, link, copy = records.find(Share)[0], records.find(Link)[0], records.find(Copy)[0]
        share = replace(share, downloads_taken=0)
        key = sealmark.keys.signing("link")

        def lend() -> list[str]:
            made: list[str] = []
            rows: list[list[object]] = [[], [], []]
            for _ in range(shares):
                share_id, link_id = (
                    identifiers.new_id(kind, secrets.token_bytes(16)) for kind in ("shr", "lnk")
                )
                copy_id = identifiers.new_id("cpy", secrets.token_bytes(16))
                expires = int(link.expires_at.timestamp())
                opening = tokens.LinkToken(key.id, share_id, link_id, tokens.Action.OPEN, expires)
                made.append(tokens.sign(opening, key.secret))
                rows[0].append(replace(share, id=share_id))
                rows[1].append(replace(link, hash=tokens.link_hash(link_id), share_id=share_id))
                rows[2].append(replace(copy, id=copy_id, share_id=share_id))
            with sealmark.database.write() as records:
                for kind in rows:
                    records.add(*kind)
            if sealmark.database.dialect == "postgresql":  # its own does it within a minute of such a change
                with sealmark.database.engines.writing.begin() as connection:
                    connection.exec_driver_sql("ANALYZE")
            return made

        yield lender, lend


def _entries(sealmark: Sealmark) -> int:
    """How many entries there are, with and without a place in the tree."""
    while sealmark.sequencer.run_once():
        pass
    with sealmark.database.read() as records:
        state = records.get(LogState, LOG)
    return state.size if state else 0


def _grant_all(environment: Mapping[str, str], links: list[str]) -> float:
    """Ask each link once, from `PROCESSES` with `THREADS` each; grants a second, first begun to last done."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.appending", "--granting"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env=dict(environment),
        )
        for _ in range(PROCESSES)
    ]
    try:
        pipes = [(_there(process.stdin), _there(process.stdout)) for process in started]
        for number, (order, _) in enumerate(pipes):
            order.write(json.dumps(links[number::PROCESSES]) + "\n")
            order.flush()
        for _, said in pipes:
            if said.readline() != "ready\n":
                raise GrantFailed("a process that grants did not come up")
        for order, _ in pipes:
            order.write("go\n")
            order.flush()
        answers = [json.loads(said.readline() or "{}") for _, said in pipes]
    finally:
        for process in started:
            process.kill()
            process.wait()
    for answer in answers:
        if answer.get("failure", True):
            raise GrantFailed(str(answer))
    begun, ended = min(answer["begun"] for answer in answers), max(answer["ended"] for answer in answers)
    return len(links) / (ended - begun)


def _there(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise GrantFailed("a process without its pipes")
    return pipe


def _granting() -> None:
    """One process that grants: reads its links, says that it is ready, waits for the word, says how it went."""
    links = json.loads(sys.stdin.readline())
    with closing(build(settings.load(os.environ))) as sealmark:
        shares = [links[number::THREADS] for number in range(THREADS)]
        failures: list[str] = []
        start = threading.Barrier(THREADS + 1)

        def grant(asked: list[str]) -> None:
            sealmark.keys.verifying(
                "link"
            )  # what a process that has served before has at hand: keys, a connection
            with sealmark.database.read():
                pass
            start.wait()
            for link in asked:
                granted = sealmark.deliveries.ask(link, RECIPIENT)
                if not isinstance(granted, Granted):
                    failures.append(f"denied: {granted.reason}")

        def run(asked: list[str]) -> None:
            try:
                grant(asked)
            except Exception as error:
                failures.append(repr(error))

        threads = [threading.Thread(target=run, args=(asked,), daemon=True) for asked in shares]
        for thread in threads:
            thread.start()
        print("ready", flush=True)
        sys.stdin.readline()
        start.wait()
        begun = time.time()
        for thread in threads:
            thread.join()
        print(json.dumps({"begun": begun, "ended": time.time(), "failure": failures[:3]}), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--granting"]:
        _granting()
    else:
        print(f"load average {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores")
        print(table(measure(shares=3000, rounds=5, real_parts=True, note=print)))
        print(f"load average {os.getloadavg()[0]:.2f}")
