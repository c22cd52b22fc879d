"""The load: `python -m bench.load` reads an order from its input, downloads, and answers how it went.

A process of its own, so that it shares no interpreter with what is measured. Each client keeps its connection, asks
with `POST`, follows the 303 and reads the copy to its end; the next link goes to whichever client is free.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from queue import Empty, SimpleQueue

from bench.reports import PROJECT

PIECE = 256 * 1024
TIMEOUT_SECONDS = 60


class LoadFailed(Exception):
    """A download did not go as it must; the round is worth nothing."""


@dataclass(frozen=True)
class Order:
    """What to download: each of the links once, by so many clients at a time."""

    host: str
    port: int
    links: tuple[str, ...]
    clients: int


@dataclass(frozen=True)
class Answer:
    """How it went: seconds from the first asking to the last byte, downloads, bytes of all copies together."""

    seconds: float
    downloads: int
    received: int


def run_load(order: Order) -> Answer:
    """Carry the order out in a new process. Raises `LoadFailed`."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(order)),
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=False,
    )
    if done.returncode != 0:
        raise LoadFailed(done.stderr.strip()[-2000:])
    return Answer(**json.loads(done.stdout))


def carry_out(order: Order) -> Answer:
    """Download all links of the order. Raises `LoadFailed` for the first that fails."""
    waiting: SimpleQueue[str] = SimpleQueue()
    for link in order.links:
        waiting.put(link)
    received: list[int] = []
    failures: list[Exception] = []
    start = threading.Barrier(order.clients + 1)

    def client() -> None:
        connection = http.client.HTTPConnection(order.host, order.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.connect()
            start.wait()
            while not failures:
                received.append(download(connection, waiting.get_nowait()))
        except Empty:
            pass
        except Exception as error:
            failures.append(error)
            start.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=client, daemon=True) for _ in range(order.clients)]
    for thread in threads:
        thread.start()
    try:
        start.wait()
    except threading.BrokenBarrierError:
        raise LoadFailed(f"no connection: {failures}") from None
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    if failures:
        raise LoadFailed(f"a download failed: {failures[0]!r}")
    return Answer(time.perf_counter() - begin, len(received), sum(received))


def download(connection: http.client.HTTPConnection, link: str) -> int:
    """One download from asking to the last byte; returns its bytes. Raises `LoadFailed`."""
    connection.request("POST", link, headers={"Content-Length": "0"})
    granted = connection.getresponse()
    granted.read()
    location = granted.getheader("Location")
    if granted.status != 303 or location is None:
        raise LoadFailed(f"asking was answered with {granted.status}")
    connection.request("GET", location)
    sent = connection.getresponse()
    if sent.status != 200:
        raise LoadFailed(f"sending was answered with {sent.status}")
    buffer = bytearray(PIECE)
    count = 0
    while got := sent.readinto(buffer):
        count += got
    if count != int(sent.getheader("Content-Length") or -1):
        raise LoadFailed(f"a download broke off after {count} bytes")
    return count


def _main() -> None:
    given = json.load(sys.stdin)
    answer = carry_out(Order(given["host"], given["port"], tuple(given["links"]), given["clients"]))
    json.dump(asdict(answer), sys.stdout)


if __name__ == "__main__":
    _main()
