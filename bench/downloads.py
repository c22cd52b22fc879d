"""Downloads a second: real web processes on loopback, against the same server that sends the plain object."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from bench.figures import Figure, alone, rate_against, time_against
from bench.lender import Lender, inherited, lending
from bench.load import Order, run_load
from bench.parts import FOLDER, MINIO, SQLITE, Parts, best_database, running_parts
from bench.reports import PROJECT, Report
from bench.steps import STEPS, measure_steps
from service.demo import servers
from service.demo.servers import DemoUnavailable, free_port

OURS, PLAIN = "marked and sealed", "same server, unmarked and unsealed"
PROGRAMS = {OURS: ["-m", "service", "serve"], PLAIN: ["-m", "bench.plain_server"]}

CLIENTS = 8
"""At a time: more than the web processes of the bench, fewer than their threads."""

ONE_BY_ONE = 100
"""Downloads of the round with one client: enough for a mean, and not the longest part of the run."""


def measure(
    report: Report, *, shares: int, rounds: int, real_parts: bool, note: Callable[[str], None]
) -> list[Figure]:
    """The figures on a local folder and, with `real_parts`, on MinIO; the database is the best that runs here.

    Parts that cannot run here are left out with a note.
    """
    figures = []
    with tempfile.TemporaryDirectory(prefix="sealmark-bench-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o711)  # PostgreSQL does not run as root: its own user must come through
        database, reason = best_database(_made(folder / "probe")) if real_parts else (SQLITE, "")
        if reason:
            note(f"measured on SQLite: {reason}")
        for store in (FOLDER, MINIO) if real_parts else (FOLDER,):
            try:
                with running_parts(store, database, _made(folder / store)) as parts:
                    figures += _measure_on(parts, report, folder / store, shares, rounds)
            except DemoUnavailable as error:
                note(f"downloads from {store} were left out: {error}")
    return figures


def _measure_on(parts: Parts, report: Report, folder: Path, shares: int, rounds: int) -> list[Figure]:
    where = f"{parts.store}, {parts.database}"
    ports = {name: free_port() for name in PROGRAMS}
    first = _settings(parts, ports[OURS])
    with lending(first, report, shares) as lender, ExitStack() as stack:
        stack.enter_context(_worker(first, folder))
        for name, program in PROGRAMS.items():
            stack.enter_context(_server(program, _settings(parts, ports[name]), ports[name], folder))
        rates = _rates(lender, ports, lender.links, rounds, CLIENTS)
        ones = _rates(lender, ports, lender.links[:ONE_BY_ONE], 1, 1)
        marked, unmarked = measure_steps(lender)
    figures = [
        rate_against(f"downloads: {where}", rates[OURS], PLAIN, rates[PLAIN]),
        time_against(
            f"one client's download over HTTP: {where}", 1000 / ones[OURS], PLAIN, 1000 / ones[PLAIN]
        ),
    ]
    figures += [time_against(f"{step} ({where})", marked[step], PLAIN, unmarked[step]) for step in STEPS]
    return [*figures, alone(f"size of the copies: {where}", lender.copy_bytes, "bytes")]


def _rates(
    lender: Lender, ports: dict[str, int], links: tuple[str, ...], rounds: int, clients: int
) -> dict[str, float]:
    """Median downloads a second of each server over the rounds, in which they take turns; one more is not counted."""
    rates: dict[str, list[float]] = {name: [] for name in ports}
    for number in range(rounds + 1):
        # Who goes first changes, as the machine does.
        for name in sorted(ports, reverse=bool(number % 2)):
            lender.end_deliveries()
            answer = run_load(Order("127.0.0.1", ports[name], links, clients))
            if number > 0:
                rates[name].append(answer.downloads / answer.seconds)
    return {name: median(found) for name, found in rates.items()}


@contextmanager
def _server(program: list[str], environment: dict[str, str], port: int, folder: Path) -> Iterator[None]:
    """A service on this port, ready, until the end of the block."""
    ready = f"http://127.0.0.1:{port}/readyz"
    log = folder / f"server-{port}.log"
    command = [sys.executable, *program]
    with servers.running("the service", command, environment, log, lambda: servers.answers(ready)):
        yield


@contextmanager
def _worker(environment: dict[str, str], folder: Path) -> Iterator[None]:
    """The worker beside both servers, as `make worker` runs it: it works the same for each."""
    command = [sys.executable, "-m", "service", "worker"]
    with servers.running("the worker", command, environment, folder / "worker.log", lambda: True):
        yield


def _settings(parts: Parts, port: int) -> dict[str, str]:
    return {
        **inherited(),
        **parts.settings,
        "PYTHONPATH": str(PROJECT),
        "SEALMARK_URL": f"http://127.0.0.1:{port}",
        "SEALMARK_LISTEN": f"127.0.0.1:{port}",
    }


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder
