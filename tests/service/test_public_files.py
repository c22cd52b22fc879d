"""Public files: one for everybody, marked as public, and never of what is not; only so many a minute, over all
processes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pypdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from service.app import Sealmark, build
from service.audit import Actor
from service.blobs import StoreUnavailable
from service.limits import TooMany
from service.public_files import DOWNLOADS, PublicFile
from service.records import Classification, Document, Kind, Listing, PublicCopy
from service.tallies import sum_up
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.service.acting import a_document, a_version
from tests.service.asking import said
from tests.service.erasing_cases import on_postgresql
from tests.service_fixture import OPERATOR, URL, Service, service_in
from tests.web.recipient.lending import PAGES, compile_here, report_pdf

STRANGER = Actor("stranger", request="req_x", address="192.0.2.7", agent="Browser 1")
UNKNOWN = "doc_" + "0" * 26


def a_public_document(service: Service, **changes: Any) -> Document:
    """An overview for everybody, ready and listed."""
    given = {"name": "Overview", "kind": Kind.OVERVIEW, "classification": Classification.PUBLIC}
    document = a_document(service, **{**given, **changes})
    a_version(service, document, report_pdf())
    return service.sealmark.documents.change(OPERATOR, document.id, listing=Listing.NAMED)


def found(service: Service, document: Document) -> PublicFile:
    file = service.sealmark.public_files.find(document.id)
    assert file is not None
    return file


def sent(sealmark: Sealmark, file: PublicFile, start: int = 0, stop: int | None = None) -> bytes:
    """The bytes that a stranger gets."""
    pieces = sealmark.public_files.send(file, STRANGER, start, file.copy.length if stop is None else stop)
    assert pieces is not None
    return b"".join(pieces)


def downloads(sealmark: Sealmark, file: PublicFile, times: int) -> int:
    """How many of so many downloads of ten bytes are let through."""
    passed = 0
    for _ in range(times):
        try:
            sent(sealmark, file, 0, 10)
        except TooMany:
            continue
        passed += 1
    return passed


class PublicPromises:
    """What holds on every database. A subclass gives the fixture `service`, which compiles for real."""

    @pytest.fixture
    def service(self) -> Service:
        raise NotImplementedError("given by the subclass")

    @pytest.fixture
    def document(self, service: Service) -> Document:
        return a_public_document(service)

    def test_every_page_says_that_it_is_public_and_names_nobody(
        self, service: Service, document: Document
    ) -> None:
        file = found(service, document)
        pdf = sent(service.sealmark, file)
        pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
        assert len(pages) == PAGES
        for page in pages:
            text = " ".join(page.extract_text().split())
            assert f"Public · Lender Example Ltd · 2026-03-02 · {file.version.id}" in text
            assert "Prepared for" not in text
        assert b"cpy_" not in pdf
        with service.sealmark.database.read() as records:
            (copy,) = records.find(PublicCopy)
        assert (copy.length, copy.sha256) == (len(pdf), hashlib.sha256(pdf).hexdigest())

    def test_everybody_gets_the_same_bytes_whole_or_in_parts_from_every_process_on_every_day(
        self, service: Service, document: Document
    ) -> None:
        first = found(service, document)
        whole = sent(service.sealmark, first)
        service.clock.advance(days=3)
        other = build(service.sealmark.settings, clock=service.clock)
        try:
            again = other.public_files.find(document.id)
            assert again == first
            assert sent(other, again) == whole
            assert sent(other, again, 1000, 1500) == whole[1000:1500]
            assert sent(other, again, len(whole) - 5) == whole[-5:]
        finally:
            other.close()

    def test_made_at_the_same_moment_it_is_one_file(self, service: Service, document: Document) -> None:
        with ThreadPoolExecutor(4) as pool:
            files = list(pool.map(lambda _: found(service, document), range(4)))
        assert len({file.copy.sha256 for file in files}) == 1
        with service.sealmark.database.read() as records:
            assert records.find(PublicCopy) == [files[0].copy]

    def test_each_download_is_an_entry_before_its_first_byte(
        self, service: Service, document: Document
    ) -> None:
        file = found(service, document)
        pieces = service.sealmark.public_files.send(file, STRANGER, 100, 2000)
        (entry,) = said(service, "public.downloaded")  # nothing was read yet
        expected = {
            "document": document.id,
            "version": file.version.id,
            "template": file.copy.template_id,
            "first": 100,
            "last": 1999,
            "sha256": file.copy.sha256,
            "actor_type": "stranger",
            "address": "192.0.2.7",
            "agent": "Browser 1",
            "request": "req_x",
        }
        assert {name: entry[name] for name in expected} == expected
        assert "recipient" not in entry
        assert pieces is not None
        assert len(b"".join(pieces)) == 1900

    @pytest.mark.parametrize("listing", [*Listing])
    def test_nothing_of_an_nda_document_leaves_whatever_its_listing(
        self, service: Service, listing: Listing
    ) -> None:
        document = a_public_document(service, kind=Kind.SOC2_TYPE2, classification=Classification.NDA)
        service.sealmark.documents.change(OPERATOR, document.id, listing=listing)
        assert service.sealmark.public_files.find(document.id) is None

    def test_what_is_hidden_revoked_unknown_or_without_a_file_is_not_there(
        self, service: Service, document: Document
    ) -> None:
        sealmark = service.sealmark
        find = sealmark.public_files.find
        hidden, revoked = a_public_document(service), a_public_document(service)
        empty = a_document(service, kind=Kind.OVERVIEW, classification=Classification.PUBLIC)
        sealmark.documents.change(OPERATOR, empty.id, listing=Listing.FACTS)
        sealmark.documents.change(OPERATOR, hidden.id, listing=Listing.HIDDEN)
        sealmark.documents.revoke(OPERATOR, revoked.id)
        assert [find(key) for key in (hidden.id, revoked.id, empty.id, UNKNOWN, "")] == [None] * 5
        assert find(document.id) is not None

    @pytest.mark.parametrize("end", ["classified", "hidden", "revoked"])
    def test_what_is_public_no_more_is_not_sent_and_cut_off_within_a_second(
        self, service: Service, document: Document, end: str
    ) -> None:
        sealmark = service.sealmark
        file = found(service, document)
        running = sealmark.public_files.send(file, STRANGER, 0, file.copy.length)
        assert running is not None
        begun = len(next(running))
        if end == "classified":
            sealmark.documents.classify(OPERATOR, document.id, Classification.NDA)
        elif end == "hidden":
            sealmark.documents.change(OPERATOR, document.id, listing=Listing.HIDDEN)
        else:
            sealmark.documents.revoke(OPERATOR, document.id)
        service.clock.advance(seconds=1)
        assert begun + sum(map(len, running)) < file.copy.length
        assert sealmark.public_files.find(document.id) is None
        assert sealmark.public_files.send(file, STRANGER, 0, 10) is None  # it was found before it ended
        assert len(service.entries("public.downloaded")) == 1

    def test_a_newer_version_has_a_file_of_its_own(self, service: Service, document: Document) -> None:
        first = found(service, document)
        service.clock.advance(days=1)
        a_version(service, document, another_pdf())
        second = found(service, document)
        assert (second.version.number, second.copy.issued) == (2, service.clock().date())
        assert second.copy.sha256 != first.copy.sha256

    def test_the_named_number_a_minute_passes_and_one_more_does_not_over_two_processes(
        self, service: Service, document: Document
    ) -> None:
        service.clock.advance(seconds=20)
        file = found(service, document)
        beside = found(service, a_public_document(service))
        other = build(service.sealmark.settings, clock=service.clock)
        try:
            with ThreadPoolExecutor(2) as pool:
                asked = DOWNLOADS.number // 2 + 4
                passed = pool.map(
                    lambda sealmark: downloads(sealmark, file, asked), (service.sealmark, other)
                )
            assert sum(passed) == DOWNLOADS.number == 60
            assert len(service.entries("public.downloaded")) == 60
            with pytest.raises(TooMany) as caught:
                sent(other, file)
            assert caught.value.seconds == 40  # to the end of the minute
            assert downloads(other, beside, 1) == 1  # another document has a number of its own
            for sealmark in (service.sealmark, other):
                sealmark.tallies.hand_over()
            sum_up(service.sealmark.database, service.clock(), service.sealmark.random)
            (entry,) = said(service, "public.throttled")
            assert (entry["document"], entry["count"], entry["outcome"]) == (document.id, 9, "denied")
            assert entry["since"] == "2026-03-02T09:00:20.000000Z"
            assert entry["actor_type"] == "worker"
            assert service.entries("requests.limited") == []
            service.clock.advance(seconds=40)
            assert downloads(other, file, 2) == 2
        finally:
            other.close()

    def test_a_store_that_is_away_costs_no_entry(
        self, service: Service, document: Document, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = found(service, document)
        other = build(service.sealmark.settings, clock=service.clock)

        def away(*_: object) -> Iterator[bytes]:
            raise StoreUnavailable("away")

        monkeypatch.setattr(other.store, "read", away)
        try:
            with pytest.raises(StoreUnavailable):
                other.public_files.send(file, STRANGER, 0, 10)
        finally:
            other.close()
        assert service.entries("public.downloaded") == []

    def test_until_the_last_day_on_which_it_is_lent(self, service: Service, document: Document) -> None:
        with service.sealmark.database.write() as records:
            records.change(document, ends_on=service.clock().date())
        service.clock.advance(hours=14, minutes=59)
        assert service.sealmark.public_files.find(document.id) is not None
        service.clock.advance(minutes=1)
        assert service.sealmark.public_files.find(document.id) is None


def another_pdf() -> bytes:
    """A report of one page."""
    written = io.BytesIO()
    canvas = Canvas(written, invariant=True)
    canvas.drawString(72, 720, "Another edition")
    canvas.showPage()
    canvas.save()
    return written.getvalue()


class TestOnSqlite(PublicPromises):
    """On SQLite."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> Iterator[Service]:
        with service_in(tmp_path, compile_in_child=compile_here) as made:
            yield made


@pytest.mark.postgresql
class TestOnPostgresql(PublicPromises):
    """On a real PostgreSQL."""

    @pytest.fixture
    def service(self, tmp_path: Path, postgresql_server: PostgresqlServer) -> Iterator[Service]:
        url = migrated_postgresql(postgresql_server)
        environ = on_postgresql(postgresql_server, tmp_path, url)
        with service_in(tmp_path, compile_in_child=compile_here, environ=environ) as made:
            yield made


def test_an_organization_that_the_fonts_cannot_draw_is_named_by_its_host(tmp_path: Path) -> None:
    environ = {"SEALMARK_ORGANIZATION": "Emoji \U0001f600 Ltd"}
    with service_in(tmp_path, compile_in_child=compile_here, environ=environ) as service:
        pdf = sent(service.sealmark, found(service, a_public_document(service)))
        text = " ".join(pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())
        assert f"Public · {URL.removeprefix('https://')} · 2026-03-02" in text
