"""Prometheus metrics, on an address of their own, never on the one that recipients reach.

What the access log proves is counted from the log itself (`LogTail`), so it is exact whatever number of processes
writes it; how long requests take, and only that, is measured in each web process.

| metric | labels | is |
|---|---|---|
| `sealmark_request_seconds` | route, method, status | histogram of whole requests, the body included |
| `sealmark_downloads_total` | result | downloads granted, and denials by reason (one a link and minute) |
| `sealmark_download_bytes_total` | | bytes that ended sends have sent |
| `sealmark_unauthentic_total` | | requests whose link is not ours, a minute or two late |
| `sealmark_compiles_total` | result | versions that became ready, and refusals by reason |
| `sealmark_sequencer_lag_seconds` | | how long the oldest entry waits for its place |
| `sealmark_inbox_entries` | | entries that wait, at most `MAX_INBOX` |
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.ports import Database, DatabaseUnavailable
from service.records import InboxEntry, LoggedEntry
from service.sequencer import Sequencer

log = logging.getLogger("sealmark.web.metrics")

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client's own variable: the folder in which several processes add up. Set before this is imported."""

MAX_INBOX = 1000
"""Up to how many waiting entries are counted: beyond it the worker is down, whatever the number."""

BATCH = 1000
"""Entries of the log that one scrape reads at a time."""

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

COUNTED = (
    "download.granted", "download.denied", "download.ended", "requests.unauthentic", "version.ready",
    "version.refused",
)  # fmt: skip


class RequestMetrics:
    """How long requests take, in this process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._seconds = Histogram(
            "sealmark_request_seconds",
            "Seconds of a whole request, by the route's template.",
            ("route", "method", "status"),
            buckets=BUCKETS,
            registry=registry,
        )

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._seconds.labels(route, method, str(status)).observe(seconds)


class LogTail(Collector):
    """Counters out of the access log, from where it stood when this was made; and how the sequencer keeps up.

    When the database does not answer, a scrape has what was known before it, and no gauges.
    """

    def __init__(self, database: Database, sequencer: Sequencer, size: Callable[[], int]) -> None:
        self._database = database
        self._sequencer = sequencer
        self._size = size
        self._last: int | None = None
        self._lock = threading.Lock()
        self._downloads: Counter[str] = Counter()
        self._compiles: Counter[str] = Counter()
        self._bytes = 0
        self._unauthentic = 0

    def begin(self) -> None:
        """Count from the log's present end. Raises `DatabaseUnavailable`."""
        with self._lock:
            self._last = self._size() - 1

    def describe(self) -> list[Metric]:
        """Nothing: registering this asks no database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        gauges: list[Metric] = []
        with self._lock:
            try:
                self._read_on()
                gauges = [
                    GaugeMetricFamily(
                        "sealmark_sequencer_lag_seconds", "Oldest waiting entry.", self._sequencer.lag()
                    ),
                    GaugeMetricFamily("sealmark_inbox_entries", "Waiting entries.", self._waiting()),
                ]
            except DatabaseUnavailable:
                log.warning("metrics without the database")
            yield _counter("sealmark_downloads", "Downloads by result.", self._downloads)
            yield _counter("sealmark_compiles", "Compiled versions by result.", self._compiles)
            yield CounterMetricFamily("sealmark_download_bytes", "Bytes of ended sends.", self._bytes)
            yield CounterMetricFamily(
                "sealmark_unauthentic", "Requests with no link of ours.", self._unauthentic
            )
        yield from gauges

    def _read_on(self) -> None:
        if self._last is None:
            self._last = self._size() - 1
        while True:
            with self._database.read() as records:
                found = records.find(
                    LoggedEntry, order="index", limit=BATCH, index__gt=self._last, kind__in=list(COUNTED)
                )
            for logged in found:
                self._count(logged)
                self._last = logged.index
            if len(found) < BATCH:
                return

    def _count(self, logged: LoggedEntry) -> None:
        leaf = json.loads(logged.leaf)
        details = leaf.get("details", {})
        if logged.kind == "download.granted":
            self._downloads["granted"] += 1
        elif logged.kind == "download.denied":
            self._downloads[leaf["reason"]] += 1
        elif logged.kind == "download.ended":
            self._bytes += details["sent"]
        elif logged.kind == "requests.unauthentic":
            self._unauthentic += details["count"]
        else:
            self._compiles[leaf.get("reason", "ready")] += 1

    def _waiting(self) -> int:
        with self._database.read() as records:
            return len(records.find(InboxEntry, limit=MAX_INBOX))


def serve_metrics(address: str, requests: CollectorRegistry, tail: LogTail) -> Callable[[], None]:
    """Serve `/metrics` at `HOST:PORT` in a thread until the returned function is called.

    One process of a service does this. Where several web processes run, the variable `PROMETHEUS_MULTIPROC_DIR`
    names an empty folder of theirs, and `requests` is then read from there.
    """
    host, _, port = address.rpartition(":")
    served = CollectorRegistry()
    served.register(tail)
    if os.environ.get(MULTIPROCESS):
        MultiProcessCollector(served)  # type: ignore[no-untyped-call]
    else:
        served.register(_Inner(requests))
    server, thread = start_http_server(int(port), host.strip("[]"), registry=served)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


class _Inner(Collector):
    """Another registry's metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        return iter(self._registry.collect())


def _counter(name: str, text: str, counts: Counter[str]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=("result",))
    for result, count in sorted(counts.items()):
        family.add_metric((result,), count)
    return family
