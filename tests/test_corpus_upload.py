"""Every PDF of the corpus through the HTTP API of a running service: accepted and lent, or refused and gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pypdf
import pypdfium2 as pdfium
import pytest

from service.records import Copy, SealedObject, Version, VersionState
from tests.attacks.running import (
    Client,
    Installation,
    agree,
    download,
    install,
    link_path,
    must,
    share,
    upload,
)
from tests.shared_folder import require_shared
from tests.test_corpus import ACCEPT, Expectation, expectations
from watermark.mark import LABEL

pytestmark = pytest.mark.corpus

NAME, MAIL = "Ana Prova", "ana@borrower.example"

GONE_WITHIN = 10.0
"""Seconds: the refusal is durable, and answered, before the worker takes the file away, on a machine that is busy."""


@dataclass(frozen=True)
class Running:
    """One service for the whole corpus."""

    installation: Installation
    client: Client
    store: Path

    def objects(self) -> set[str]:
        """All files of the store but the log's checkpoints, which come by themselves."""
        found = {str(file.relative_to(self.store)) for file in self.store.rglob("*") if file.is_file()}
        return {name for name in found if not name.startswith("log/")}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    installation = install(tmp_path_factory.mktemp("corpus"))
    with installation.served("--with-worker") as port:
        client = Client(port, installation.host, installation.api_key())
        agree(client)
        yield Running(installation, client, installation.folder / "data" / "store")


def _rows() -> list[object]:
    """Each file; those that are compiled, lent and read take minutes together, so they are for CI alone."""
    return [
        pytest.param(row, id=row.file, marks=[pytest.mark.slow] if row.expected == ACCEPT else [])
        for row in expectations()
    ]


@pytest.mark.parametrize("row", _rows())
def test_a_file_is_lent_with_its_mark_or_refused_and_gone(row: Expectation, service: Running) -> None:
    before = service.objects()
    pdf = require_shared("corpus", row.file).read_bytes()
    document, answer = upload(service.client, pdf, name=row.file[:100])
    if not pdf:  # never taken in, so that the version still waits for its file
        assert must(answer, 422)["fields"] == {"reason": row.expected}
        assert service.objects() == before
        return
    version = must(answer, 200)

    if row.expected != ACCEPT:
        assert (version["state"], version["reason"]) == (VersionState.REFUSED, row.expected)
        end = time.monotonic() + GONE_WITHIN
        while service.objects() != before and time.monotonic() < end:
            time.sleep(0.05)
        assert service.objects() == before
        assert _rows_of(service.installation, version["id"]) == 0
        return
    assert version["state"] == VersionState.READY, version
    made = must(share(service.client, document, MAIL), 201)
    copy = download(service.client, link_path(made["link"]["url"]))

    assert _unmarked_pages(copy, _copy_id(service.installation, made["id"])) == []
    assert len(pypdf.PdfReader(BytesIO(copy)).pages) == version["pages"]


def test_the_service_lived_through_all_of_it(service: Running) -> None:
    """Run after the others: no answer was a failure, no task of the worker raised, nobody was started anew."""
    output = service.installation.logs[0].read_text()

    assert '"status": 5' not in output
    assert '"level": "error"' not in output
    assert service.client.call("GET", "/readyz").status == 200


def _rows_of(installation: Installation, version: str) -> int:
    """Sealed objects that the database still has of this version."""
    with installation.opened() as sealmark, sealmark.database.read() as records:
        kept = records.get(Version, version)
        assert kept is not None
        assert kept.original_id is None
        assert kept.template_id is None
        return len(records.find(SealedObject, owner_id=version))


def _copy_id(installation: Installation, share_id: str) -> str:
    with installation.opened() as sealmark, sealmark.database.read() as records:
        (copy,) = records.find(Copy, share_id=share_id)
    return copy.id


def _unmarked_pages(pdf: bytes, copy_id: str) -> list[int]:
    """The pages, from 1, whose text by pypdf (where it cannot read the page: by PDFium) lacks a part of the footer."""
    opened = pypdf.PdfReader(BytesIO(pdf))
    second = pdfium.PdfDocument(pdf)
    lacking = []
    for number, page in enumerate(opened.pages):
        try:
            text = page.extract_text()
        except Exception:  # pypdf raises whatever its parts raise on hostile content
            text = second[number].get_textpage().get_text_bounded()
        squeezed = "".join(text.split())
        parts = (LABEL, NAME, MAIL, copy_id)
        if not all("".join(part.split()) in squeezed for part in parts):
            lacking.append(number + 1)
    return lacking
