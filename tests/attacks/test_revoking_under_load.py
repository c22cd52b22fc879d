"""What is revoked stops within a second while everybody downloads: two web processes, a worker, PostgreSQL."""

from __future__ import annotations

import secrets
import socket
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from time import sleep

import pikepdf
import pytest
from pikepdf import Name

from service.records import LoggedEntry, Share
from tests.attacks.running import (
    Answer,
    Client,
    Installation,
    agree,
    ask,
    fetch,
    install,
    link_path,
    must,
    share,
    upload,
)
from tests.servers.postgresql import PostgresqlServer
from tests.watermark.builders import report

pytestmark = [pytest.mark.postgresql, pytest.mark.long]

THREADS = 8
AFTER_REVOCATION = timedelta(seconds=1)
"""The promise: links die within a second."""

CUT_WITHIN = timedelta(seconds=2)
"""A running download is decided over each second; the rest is for its last piece on a busy machine."""

SLOW_PIECE, SLOW_PAUSE = 16 * 1024, 0.05
"""A client of some 300 KB/s: with its report it needs half a minute."""


@dataclass(frozen=True)
class Target:
    """One document, lent to one person under one agreement."""

    document: str
    nda: str
    share: str
    link: str


@contextmanager
def running_apart(folder: Path, server: PostgresqlServer) -> Iterator[tuple[Installation, Client]]:
    """Two web processes, and the worker as a process of its own."""
    environment = {"SEALMARK_PROCESSES": "2", "SEALMARK_THREADS": "24"}
    installation = install(folder, database=server.fresh_database(), environment=environment)
    with installation.served() as port, installation.command("worker"):
        yield installation, Client(port, installation.host, installation.api_key())


def test_nothing_is_granted_or_begun_after_a_revocation_and_what_runs_is_cut(
    tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    with running_apart(tmp_path, postgresql_server) as (installation, client):
        pdf = heavy_report()
        targets = [_target(client, pdf, f"company{number}.example") for number in range(4)]
        revoked, kept = targets[:3], targets[3]
        revocations = (
            f"/v1/shares/{revoked[0].share}/revoke",
            f"/v1/ndas/{revoked[1].nda}/revoke",
            f"/v1/documents/{revoked[2].document}/revoke",
        )
        slow = [_SlowDownload(client, ask(client, target.link)) for target in revoked]
        with _load(client, targets) as counts:
            sleep(1.0)
            for path in revocations:
                assert client.call("POST", path).status == 200
                sleep(1.5)
            for download in slow:
                download.ended.wait(30)
            before = dict(counts)
            sleep(1.0)
        whole = fetch(client, ask(client, kept.link))
    entries = _entries(installation)

    assert all(download.received < len(whole) for download in slow), "a revoked download ended whole"
    assert counts[kept.share] > before[kept.share], "what nobody revoked must go on"
    for target in revoked:
        ended_at = _revocation(entries, target)
        late = [
            entry
            for entry in entries
            if entry.share == target.share
            and entry.kind in ("download.granted", "download.begun")
            and entry.time > ended_at + AFTER_REVOCATION
        ]
        assert late == []
        cut = [
            e
            for e in entries
            if e.share == target.share and e.outcome == "revoked" and e.kind == "download.ended"
        ]
        assert cut, "the running download has no entry that it was cut off"
        assert all(entry.time <= ended_at + CUT_WITHIN for entry in cut)
        assert any(entry.kind == "download.denied" for entry in entries if entry.share == target.share)


def test_twenty_who_ask_at_once_by_several_links_get_one_delivery_that_is_charged_once(
    tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    with running_apart(tmp_path, postgresql_server) as (installation, client):
        document = must(upload(client, report())[1], 200)["document"]
        agree(client)
        made = must(share(client, document, download_limit=1, mail_check=False), 201)
        more = [must(client.call("POST", f"/v1/shares/{made['id']}/links", {}), 201)["url"] for _ in range(3)]
        links = [link_path(url) for url in (made["link"]["url"], *more)]

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda number: client.call("POST", links[number % 4]), range(20)))
        places = {answer.headers["location"] for answer in answers}
        copies = {fetch(client, place) for place in places}

    assert {answer.status for answer in answers} == {303}
    assert len(places) == len(copies) == 1
    with installation.opened() as sealmark, sealmark.database.read() as records:
        (kept,) = records.find(Share)
    assert kept.downloads_taken == 1
    assert [e.kind for e in _entries(installation)].count("download.granted") == 1


def heavy_report() -> bytes:
    """Pages with pictures that cannot be compressed: some 10 MB, more than the buffers of a connection hold."""
    with pikepdf.open(BytesIO(report())) as made:
        for page in made.pages:
            noise = zlib.compress(secrets.token_bytes(1100 * 1100 * 3), 0)
            picture = pikepdf.Stream(made, b"")
            picture.write(noise, filter=Name.FlateDecode)
            picture.update(
                {
                    "/Type": Name.XObject,
                    "/Subtype": Name.Image,
                    "/Width": 1100,
                    "/Height": 1100,
                    "/BitsPerComponent": 8,
                    "/ColorSpace": Name.DeviceRGB,
                }
            )
            page.add_resource(picture, Name.XObject, Name.Noise)
            page.contents_add(b"q 60 0 0 60 480 60 cm /Noise Do Q\n", prepend=False)
        saved = BytesIO()
        made.save(saved)
    return saved.getvalue()


def _target(client: Client, pdf: bytes, domain: str) -> Target:
    document, uploaded = upload(client, pdf)
    assert must(uploaded, 200)["state"] == "ready"
    nda = agree(client, domain)
    made = must(share(client, document, f"ana@{domain}"), 201)
    return Target(document, nda, made["id"], link_path(made["link"]["url"]))


class _SlowDownload:
    """A client on a thin line: reads a little, and a little later some more."""

    def __init__(self, client: Client, path: str) -> None:
        self.received = 0
        self.ended = Event()
        self._client, self._path = client, path
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        connection = self._client.connect()
        with closing(connection):
            connection.sock = socket.socket()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * SLOW_PIECE)
            connection.sock.connect(("127.0.0.1", self._client.port))
            connection.request("GET", self._path, headers={"Host": self._client.host})
            answer = connection.getresponse()
            try:
                while piece := answer.read(SLOW_PIECE):
                    self.received += len(piece)
                    sleep(SLOW_PAUSE)
            except Exception as cut:  # http.client says it in several ways
                self.cut: Exception = cut
        self.ended.set()


@contextmanager
def _load(client: Client, targets: list[Target]) -> Iterator[dict[str, int]]:
    """Threads that ask and fetch the beginning of a copy, over and over; counts what each share sent."""
    counts = {target.share: 0 for target in targets}
    stop = Event()
    failures: list[Answer] = []

    def work(number: int) -> None:
        target = targets[number % len(targets)]
        while not stop.is_set():
            granted = client.call("POST", target.link)
            if granted.status == 303:
                part = client.call("GET", granted.headers["location"], headers={"Range": "bytes=0-999"})
                counts[target.share] += part.status == 206
                granted = part
            if granted.status >= 500:
                failures.append(granted)

    threads = [Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        yield counts
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


def _entries(installation: Installation) -> list[LoggedEntry]:
    with installation.opened() as sealmark:
        while sealmark.sequencer.run_once():
            pass
        with sealmark.database.read() as records:
            return records.find(LoggedEntry, order="index")


def _revocation(entries: list[LoggedEntry], target: Target) -> datetime:
    """When the share ended: by its own revocation, or by the one of its document."""
    meant: Callable[[LoggedEntry], bool] = lambda entry: (  # noqa: E731
        (entry.kind == "share.revoked" and entry.share == target.share)
        or (entry.kind == "document.revoked" and entry.document == target.document)
    )
    (found,) = [entry for entry in entries if meant(entry)]
    return found.time
