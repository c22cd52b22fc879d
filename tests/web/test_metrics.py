"""Metrics: few, counted from the log where it proves them, on an address of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from service.adapters.sql.database import SqlDatabase
from service.audit import Actor, entry
from service.ports import DatabaseUnavailable
from service.web.application import create_app
from service.web.metrics import LogTail, serve_metrics
from tests.servers.process import free_port
from tests.service_fixture import URL, Service


def _tail(service: Service) -> LogTail:
    sealmark = service.sealmark
    tail = LogTail(sealmark.database, sealmark.sequencer, sealmark.log.size)
    tail.begin()
    return tail


def _samples(tail: LogTail) -> dict[str, float]:
    found = {}
    for metric in tail.collect():
        for sample in metric.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def _log(service: Service, kind: str, **values: object) -> None:
    sealmark = service.sealmark
    made = entry(kind, Actor("worker"), service.clock(), sealmark.random, **values)  # type: ignore[arg-type]
    with sealmark.database.write() as records:
        records.add(made)


def test_what_the_log_proves_is_counted_from_it_once(service: Service) -> None:
    service.work()
    tail = _tail(service)
    _log(service, "download.granted")
    _log(service, "download.denied", outcome="denied", reason="used-up")
    for sent in (100, 23):
        _log(service, "download.ended", outcome="complete", details={"sent": sent})
    _log(service, "requests.unauthentic", outcome="denied", details={"count": 7, "since": "x"})
    _log(service, "version.ready")
    _log(service, "version.refused", outcome="refused", reason="damaged")
    service.work()
    for _ in range(2):
        found = _samples(tail)
        assert found["sealmark_downloads_total{granted}"] == 1
        assert found["sealmark_downloads_total{used-up}"] == 1
        assert found["sealmark_download_bytes_total"] == 123
        assert found["sealmark_unauthentic_total"] == 7
        assert found["sealmark_compiles_total{ready}"] == 1
        assert found["sealmark_compiles_total{damaged}"] == 1


def test_a_scrape_begins_where_the_log_stood_and_shows_what_waits(service: Service) -> None:
    _log(service, "download.granted")
    service.work()
    tail = _tail(service)
    _log(service, "download.granted")
    service.clock.advance(seconds=4)
    found = _samples(tail)
    assert "sealmark_downloads_total{granted}" not in found
    assert (found["sealmark_inbox_entries"], found["sealmark_sequencer_lag_seconds"]) == (1, 4)


def test_without_the_database_a_scrape_has_what_was_known(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.work()
    tail = _tail(service)
    _log(service, "download.granted")
    service.work()
    _samples(tail)

    def fail(self: SqlDatabase) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(SqlDatabase, "read", fail)
    found = _samples(tail)
    assert found["sealmark_downloads_total{granted}"] == 1
    assert "sealmark_inbox_entries" not in found


def test_requests_are_measured_by_route_and_never_by_path(service: Service) -> None:
    registry = CollectorRegistry()
    client = create_app(service.sealmark, registry=registry).test_client()
    for path in ("/s/some-secret-token", "/v1/documents", "/nothing/at/all"):
        client.get(path, base_url=URL).close()
    text = generate_latest(registry).decode()
    assert 'route="/s/<path:token>"' in text
    assert 'route="/v1/documents",status="401"' in text
    assert 'route="none",status="404"' in text
    assert "secret" not in text
    assert "nothing" not in text


def test_metrics_are_served_on_their_own_address_until_they_are_stopped(service: Service) -> None:
    registry = CollectorRegistry()
    client = create_app(service.sealmark, registry=registry).test_client()
    client.get("/healthz").close()
    port = free_port()
    stop = serve_metrics(f"127.0.0.1:{port}", registry, _tail(service))
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
    finally:
        stop()
    assert "sealmark_request_seconds_count" in text
    assert "sealmark_sequencer_lag_seconds" in text
    assert client.get("/metrics", base_url=URL).status_code == 404
    with pytest.raises(OSError, match="refused"):
        urlopen(f"http://127.0.0.1:{port}/metrics")


def test_several_processes_add_up(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from prometheus_client import CollectorRegistry, generate_latest\n"
        "from prometheus_client.multiprocess import MultiProcessCollector\n"
        "from service.web.metrics import RequestMetrics\n"
        "RequestMetrics(CollectorRegistry()).observe('/v1/documents', 'GET', 200, 0.01)\n"
        "served = CollectorRegistry()\n"
        "MultiProcessCollector(served)\n"
        "sys.stdout.write(generate_latest(served).decode())\n"
    )
    environ = {"PATH": os.defpath, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for expected in ("1.0", "2.0"):
        done = subprocess.run(
            [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
        )
        counted = [line for line in done.stdout.splitlines() if "_seconds_count" in line]
        assert [line.rpartition(" ")[2] for line in counted] == [expected]
