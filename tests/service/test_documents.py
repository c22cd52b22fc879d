"""Documents and versions: what cannot be is refused and leaves nothing; a version's file never changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from service.blobs import StoreUnavailable
from service.compiling import RETRY_AFTER
from service.errors import DomainError, Problem
from service.facts import Facts
from service.records import Classification, Kind, Listing, MailCheck, VersionState
from tests.service.acting import A_PDF, a_document, a_version, stored_keys
from tests.service_fixture import FAKE_PAGES, OPERATOR, REFUSED_BY_FAKE, Service


@pytest.mark.parametrize("kind", [Kind.SOC2_TYPE1, Kind.SOC2_TYPE2])
def test_a_soc_2_report_is_never_public(service: Service, kind: Kind) -> None:
    with pytest.raises(DomainError) as caught:
        a_document(service, kind=kind, classification=Classification.PUBLIC)
    assert caught.value.fields["where"] == "classification"
    document = a_document(service, kind=kind)
    with pytest.raises(DomainError):
        service.sealmark.documents.classify(OPERATOR, document.id, Classification.PUBLIC)
    assert service.sealmark.documents.get(document.id).classification == Classification.NDA


def test_a_soc_3_report_may_become_public_and_that_is_an_entry(service: Service) -> None:
    document = a_document(service, kind=Kind.SOC3)
    for _ in range(2):
        service.sealmark.documents.classify(OPERATOR, document.id, Classification.PUBLIC)
    entries = service.entries("document.classified")
    assert [(entry["document"], entry["details"]) for entry in entries] == [
        (document.id, '{"from": "nda", "to": "public"}')
    ]


def test_revoking_a_document_is_one_entry_however_often(service: Service) -> None:
    document = a_document(service)
    for _ in range(2):
        assert service.sealmark.documents.revoke(OPERATOR, document.id).revoked_at is not None
    assert len(service.entries("document.revoked")) == 1
    with pytest.raises(DomainError, match="revoked"):
        service.sealmark.documents.add_version(OPERATOR, document.id, Facts())


def test_an_upload_compiles_to_a_ready_version_with_an_entry_for_each_step(service: Service) -> None:
    document = a_document(service)
    version = a_version(service, document)
    assert (version.state, version.pages, version.size) == (VersionState.READY, FAKE_PAGES, len(A_PDF))
    kinds = [entry["kind"] for entry in service.entries() if entry.get("version") == version.id]
    assert kinds == ["version.created", "version.uploaded", "key.created", "version.ready"]
    roles = sorted(key.split("/")[1] for key in stored_keys(service))
    assert roles == ["original", "original", "template", "template"]


def test_a_refused_file_leaves_nothing_in_the_store(service: Service) -> None:
    version = a_version(service, a_document(service), REFUSED_BY_FAKE)
    assert (version.state, version.reason) == (VersionState.REFUSED, "needs-password")
    assert version.message
    assert stored_keys(service) == []
    (entry,) = service.entries("version.refused")
    assert (entry["reason"], entry["outcome"]) == ("needs-password", "refused")


def test_facts_that_name_pages_beyond_the_file_refuse_it(service: Service) -> None:
    sections = [
        {"kind": "controls", "title": "Controls", "first_page": 1, "last_page": FAKE_PAGES + 1},
    ]
    version = a_version(service, a_document(service), sections=sections)
    assert (version.state, version.reason) == (VersionState.REFUSED, "facts-beyond-file")
    assert stored_keys(service) == []


def test_a_versions_file_never_changes(service: Service) -> None:
    document = a_document(service)
    version = a_version(service, document)
    before = stored_keys(service)
    with pytest.raises(DomainError) as caught:
        service.sealmark.documents.upload(OPERATOR, document.id, version.id, [b"%PDF other"])
    assert caught.value.problem == Problem.WRONG_STATE
    assert stored_keys(service) == before


def test_the_same_file_again_changes_nothing(service: Service) -> None:
    document, documents = a_document(service), service.sealmark.documents
    version = documents.add_version(OPERATOR, document.id, Facts())

    def overtaken() -> Iterator[bytes]:
        documents.upload(OPERATOR, document.id, version.id, [A_PDF])
        yield A_PDF

    compiling = documents.upload(OPERATOR, document.id, version.id, overtaken())
    assert compiling.state == VersionState.COMPILING
    service.work()
    ready = documents.upload(OPERATOR, document.id, version.id, [A_PDF[:5], A_PDF[5:]])
    assert ready == documents.version(document.id, version.id)
    assert ready.state == VersionState.READY
    assert len([key for key in stored_keys(service) if "/original/" in key]) == 2  # payload and sidecar
    assert len(service.entries("version.uploaded")) == 1


@pytest.mark.parametrize("size", [0, 101])
def test_a_file_of_no_or_too_many_bytes_is_refused_and_leaves_nothing(service: Service, size: int) -> None:
    documents = service.sealmark.documents
    documents._max_file_size = 100
    document = a_document(service)
    version = documents.add_version(OPERATOR, document.id, Facts())
    with pytest.raises(DomainError):
        documents.upload(OPERATOR, document.id, version.id, [b"x" * size])
    assert documents.version(document.id, version.id).state == VersionState.AWAITING_FILE
    assert stored_keys(service) == []


def test_an_upload_that_breaks_off_leaves_nothing_and_may_be_repeated(service: Service) -> None:
    def broken_off() -> Iterator[bytes]:
        yield b"%PDF-1.7 the first half"
        raise ConnectionResetError

    documents = service.sealmark.documents
    document = a_document(service)
    version = documents.add_version(OPERATOR, document.id, Facts())
    with pytest.raises(ConnectionResetError):
        documents.upload(OPERATOR, document.id, version.id, broken_off())
    assert stored_keys(service) == []
    documents.upload(OPERATOR, document.id, version.id, [A_PDF])
    service.work()
    assert documents.version(document.id, version.id).state == VersionState.READY


def test_versions_are_numbered_and_listed_newest_first(service: Service) -> None:
    document = a_document(service)
    for _ in range(3):
        service.sealmark.documents.add_version(OPERATOR, document.id, Facts())
    listed = service.sealmark.documents.versions(document.id)
    assert [version.number for version in listed] == [3, 2, 1]
    assert [v.number for v in service.sealmark.documents.versions(document.id, after=2)] == [1]


def test_a_version_is_not_found_under_another_document(service: Service) -> None:
    version = a_version(service, a_document(service))
    with pytest.raises(DomainError) as caught:
        service.sealmark.documents.version(a_document(service).id, version.id)
    assert caught.value.problem == Problem.NOT_FOUND


def test_a_store_that_is_away_leaves_the_job_for_later(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = a_document(service)
    version = service.sealmark.documents.add_version(OPERATOR, document.id, Facts())
    service.sealmark.documents.upload(OPERATOR, document.id, version.id, [A_PDF])

    def away(*args: object, **kwargs: object) -> None:
        raise StoreUnavailable("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(service.sealmark.objects, "open", away)
        with pytest.raises(StoreUnavailable):
            service.sealmark.compiling.run_once()
    assert service.sealmark.compiling.run_once() is False  # not before its time
    service.clock.now += RETRY_AFTER
    service.work()
    assert service.sealmark.documents.version(document.id, version.id).state == VersionState.READY


def test_a_file_over_which_workers_die_is_refused_in_the_end(service: Service) -> None:
    document = a_document(service)
    version = service.sealmark.documents.add_version(OPERATOR, document.id, Facts())
    service.sealmark.documents.upload(OPERATOR, document.id, version.id, [A_PDF])
    for _ in range(3):
        service.sealmark.compiling._claim()  # a worker takes the job and dies
        service.clock.now += RETRY_AFTER
    service.work()
    settled = service.sealmark.documents.version(document.id, version.id)
    assert (settled.state, settled.reason) == (VersionState.REFUSED, "too-costly")


def test_a_job_whose_version_is_settled_is_closed(service: Service) -> None:
    document = a_document(service)
    version = service.sealmark.documents.add_version(OPERATOR, document.id, Facts())
    uploaded = service.sealmark.documents.upload(OPERATOR, document.id, version.id, [A_PDF])
    with service.sealmark.database.write() as records:
        records.change(uploaded, state=VersionState.REFUSED)
    assert service.sealmark.compiling.run_once() is True
    assert service.sealmark.compiling.run_once() is False
    assert replace(uploaded, state=VersionState.REFUSED) == service.sealmark.documents.version(
        document.id, version.id
    )


def test_an_upload_that_was_overtaken_by_another_is_not_kept(service: Service) -> None:
    document = a_document(service)
    documents = service.sealmark.documents
    version = documents.add_version(OPERATOR, document.id, Facts())

    def slowly() -> Iterator[bytes]:
        yield b"%PDF-1.7 mine, "
        documents.upload(OPERATOR, document.id, version.id, [b"%PDF-1.7 the other"])
        yield b"the rest"

    with pytest.raises(DomainError) as caught:
        documents.upload(OPERATOR, document.id, version.id, slowly())

    assert caught.value.problem == Problem.WRONG_STATE
    assert len([key for key in stored_keys(service) if "/original/" in key]) == 2  # payload and sidecar
    assert len(service.entries("version.uploaded")) == 1


def test_a_policy_is_changed_where_it_differs_with_one_entry(service: Service) -> None:
    documents = service.sealmark.documents
    document = a_document(service)
    assert (document.mail_check, document.listing) == (MailCheck.LIMITED, Listing.HIDDEN)

    changed = documents.change(OPERATOR, document.id, listing=Listing.FACTS, mail_check=MailCheck.LIMITED)
    assert documents.change(OPERATOR, document.id, listing=Listing.FACTS) == changed
    assert documents.get(document.id) == changed == replace(document, listing=Listing.FACTS)
    assert [json.loads(entry["details"]) for entry in service.entries("document.changed")] == [
        {"listing": "facts"}
    ]
