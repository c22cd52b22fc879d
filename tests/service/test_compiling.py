"""Compiling: only a worker's death counts against a file, and of two workers one settles a version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from crypto.errors import SealBroken, SealFault
from service.blobs import StoreUnavailable
from service.compiling import MAX_ATTEMPTS, PAUSE, RETRY_AFTER, Compiled, Compiling
from service.facts import Facts
from service.ports import DatabaseUnavailable
from service.records import Job, Version, VersionState
from tests.service.acting import A_PDF, a_document, stored_keys
from tests.service_fixture import OPERATOR, Service, fake_compile_in_child
from watermark.errors import RefusalReason, Refused, SandboxUnavailable

Child = Any


def an_upload(service: Service) -> Version:
    document = a_document(service)
    version = service.sealmark.documents.add_version(OPERATOR, document.id, Facts())
    return service.sealmark.documents.upload(OPERATOR, document.id, version.id, [A_PDF])


def a_worker(service: Service, child: Child = fake_compile_in_child) -> Compiling:
    sealmark = service.sealmark
    return Compiling(
        sealmark.database, sealmark.objects, sealmark.keys, child, sealmark.clock, sealmark.random
    )


def the_job(service: Service) -> Job:
    with service.sealmark.database.read() as records:
        (job,) = records.find(Job, kind="compile")
    return job


def now_of(service: Service, version: Version) -> Version:
    return service.sealmark.documents.version(version.document_id, version.id)


@pytest.mark.parametrize(
    "failure",
    [
        StoreUnavailable("away"),
        DatabaseUnavailable("away"),
        SealBroken(SealFault.CHUNK),
        SandboxUnavailable("no sandbox"),
        KeyboardInterrupt(),
        SystemExit(0),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_what_is_not_the_files_doing_never_refuses_it(service: Service, failure: BaseException) -> None:
    version = an_upload(service)

    def failing(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        raise failure

    worker = a_worker(service, failing)
    for _ in range(MAX_ATTEMPTS + 2):
        with pytest.raises(type(failure)):
            worker.run_once()
        assert the_job(service).attempts == 0
        assert worker.run_once() is False  # not before the pause is over
        service.clock.now += PAUSE
    assert a_worker(service).run_once() is True
    assert now_of(service, version).state == VersionState.READY


def test_a_job_that_could_not_be_put_back_is_put_back_later(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_upload(service)
    worker = service.sealmark.compiling

    def away(*args: object) -> None:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(worker, "_put_back", away)
        patch.setattr(worker, "_accept", away)
        with pytest.raises(DatabaseUnavailable):
            worker.run_once()
    assert the_job(service).attempts == 1
    assert worker.run_once() is False
    assert the_job(service).attempts == 0


def test_a_service_that_closes_puts_its_work_back(service: Service) -> None:
    version = an_upload(service)

    def closing_meanwhile(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        worker.release()
        assert the_job(service).attempts == 0
        return fake_compile_in_child(source, parameters)

    worker = a_worker(service, closing_meanwhile)
    worker.run_once()
    assert now_of(service, version).state == VersionState.COMPILING
    service.clock.now += PAUSE
    service.work()
    assert now_of(service, version).state == VersionState.READY


@pytest.mark.parametrize("late_refuses", [True, False])
def test_a_worker_that_lost_its_job_settles_nothing(service: Service, late_refuses: bool) -> None:
    version = an_upload(service)

    def overtaken(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        service.clock.now += RETRY_AFTER
        assert a_worker(service).run_once() is True
        if late_refuses:
            raise Refused(RefusalReason.TOO_COSTLY)
        return fake_compile_in_child(source, parameters)

    a_worker(service, overtaken).run_once()
    settled = now_of(service, version)
    assert (settled.state, settled.reason) == (VersionState.READY, None)
    assert sorted(key.split("/")[1] for key in stored_keys(service)) == ["original"] * 2 + ["template"] * 2
    assert len(service.entries("version.ready")) == 1
    assert service.entries("version.refused") == []


def test_a_version_that_was_settled_meanwhile_stays_so(service: Service) -> None:
    version = an_upload(service)

    def settled_meanwhile(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        with service.sealmark.database.write() as records:
            records.change(version, state=VersionState.REFUSED)
        return fake_compile_in_child(source, parameters)

    a_worker(service, settled_meanwhile).run_once()
    assert now_of(service, version).state == VersionState.REFUSED
    assert the_job(service).done_at is not None
    assert not any("template" in key for key in stored_keys(service))


def test_the_entry_of_a_ready_version_tells_of_removed_signatures_only_when_there_were_some(
    service: Service,
) -> None:
    def signed(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        compiled = fake_compile_in_child(source, parameters)
        return Compiled({**compiled.facts, "removed": {"signatures": 3, "info": 1}}, compiled.template)

    for child in (fake_compile_in_child, signed):
        an_upload(service)
        a_worker(service, child).run_once()

    plain, told = (json.loads(entry["details"]) for entry in service.entries("version.ready"))
    assert not {"removed", "signatures"} & plain.keys()
    assert (told["removed"], told["signatures"]) == ("info signatures", 3)


@pytest.mark.parametrize(
    "facts",
    [{"weave": {"pages": []}}, {"weave": {"pages": "evil"}}, {"removed": {"evil": 1}}, {"pages": 0}],
)
def test_facts_that_cannot_be_refuse_the_file(service: Service, facts: dict[str, Any]) -> None:
    version = an_upload(service)

    def lying(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        compiled = fake_compile_in_child(source, parameters)
        return Compiled({**compiled.facts, **facts}, compiled.template)

    a_worker(service, lying).run_once()
    settled = now_of(service, version)
    assert (settled.state, settled.reason) == (VersionState.REFUSED, RefusalReason.DAMAGED)
    assert stored_keys(service) == []
