"""Weave keys: one a version, made when it is ready, never another; without it no copy of its words is made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from crypto.errors import CryptoError
from service.audit import Actor
from service.copies import Copies
from service.decision import Allowed
from service.delivery import Page
from service.errors import DomainError, Problem
from service.keys import OPEN_WEAVES, WEAVE, NamedKeys
from service.masterkeys import RETIRE_AFTER
from service.records import Document, NamedKey, VersionState
from tests.service.acting import a_document, a_share, a_version, an_nda, token_of
from tests.service_fixture import OPERATOR, REFUSED_BY_FAKE, Service, service_in
from tests.watermark.builders import reading
from tests.web.recipient.lending import compile_here, report_pdf
from watermark.mint import Fill
from watermark.stamp import stamp
from watermark.template import SlotTable
from watermark.woven.code import KEY_SIZE, copy_bits


def wordless_pdf() -> bytes:
    """A page without words."""
    written = BytesIO()
    canvas = Canvas(written)
    canvas.rect(72, 700, 200, 20)
    canvas.save()
    return written.getvalue()


@pytest.fixture
def woven(tmp_path: Path) -> Iterator[Service]:
    with service_in(tmp_path, compile_in_child=compile_here) as made:
        an_nda(made)
        yield made


def allowed_to(service: Service, document: Document, mail: str = "ana@acme.example") -> Allowed:
    _, link = a_share(service, document, mail=mail)
    page = service.sealmark.deliveries.page(token_of(link), Actor("recipient"), record=False)
    assert isinstance(page, Page)
    return page.allowed


def weave_keys(service: Service) -> list[NamedKey]:
    return [key for key in service.sealmark.keys.listed() if key.purpose == WEAVE]


def remove_weave_keys(service: Service) -> NamedKeys:
    """Returns the keys as a process sees them that begins afterwards."""
    with service.sealmark.database.write() as records:
        records.remove(NamedKey, purpose=WEAVE)
    return a_new_process(service)


def a_new_process(service: Service) -> NamedKeys:
    sealmark = service.sealmark
    return NamedKeys(sealmark.database, sealmark.keyfile.keyring, sealmark.clock, sealmark.random)


def copies_with(service: Service, keys: NamedKeys) -> Copies:
    sealmark = service.sealmark
    return Copies(sealmark.database, sealmark.objects, keys, sealmark.clock, sealmark.random)


def test_a_copy_carries_the_bits_of_its_versions_key_and_its_own_id(woven: Service) -> None:
    document = a_document(woven)
    version = a_version(woven, document, report_pdf())
    template = compile_here([report_pdf()], {}).template
    table = SlotTable.decode(template)
    found = set()
    for mail in ("ana@acme.example", "bo@acme.example"):
        copy = woven.sealmark.copies.mint(allowed_to(woven, document, mail))
        bits = copy_bits(woven.sealmark.keys.weave(version.id), copy.id, table.words)
        expected = b"".join(stamp(table, Fill.decode(copy.fill), reading(template), bits=bits))
        assert b"".join(woven.sealmark.copies.stream(copy, 0, copy.length)) == expected
        assert b"".join(woven.sealmark.copies.stream(copy, 777, copy.length - 9)) == expected[777:-9]
        assert copy.sha256 == hashlib.sha256(expected).hexdigest()
        found.add(bits.tobytes())
    assert len(found) == 2


def test_a_version_gets_its_own_key_with_an_entry_when_it_is_ready(service: Service) -> None:
    document = a_document(service)
    first, second = a_version(service, document), a_version(service, document, b"%PDF-1.7 another")
    keys = weave_keys(service)
    assert {key.owner_id for key in keys} == {first.id, second.id}
    secrets = {service.sealmark.keys.weave(version.id) for version in (first, second)}
    assert [len(secret) for secret in secrets] == [KEY_SIZE, KEY_SIZE]
    created = [entry for entry in service.entries("key.created") if entry.get("version")]
    assert {(entry["version"], WEAVE in entry["details"]) for entry in created} == {
        (first.id, True),
        (second.id, True),
    }


def test_a_refused_version_gets_no_key(service: Service) -> None:
    version = a_version(service, a_document(service), REFUSED_BY_FAKE)
    assert version.state == VersionState.REFUSED
    assert weave_keys(service) == []


def test_key_and_readiness_come_in_one_transaction(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    made = service.sealmark.keys.ensure_weave

    def then_fail(*arguments: Any) -> None:
        made(*arguments)
        raise RuntimeError("after the key")

    monkeypatch.setattr(service.sealmark.keys, "ensure_weave", then_fail)
    document = a_document(service)
    with pytest.raises(RuntimeError, match="after the key"):
        a_version(service, document)
    assert weave_keys(service) == []
    assert service.entries("version.ready") == []
    monkeypatch.undo()
    service.clock.advance(minutes=1)
    service.work()
    assert len(weave_keys(service)) == len(service.entries("version.ready")) == 1


def test_a_version_never_gets_a_second_key(service: Service) -> None:
    version = a_version(service, a_document(service))
    secret = service.sealmark.keys.weave(version.id)
    with service.sealmark.database.write() as records:
        service.sealmark.keys.ensure_weave(records, OPERATOR, version.id, service.clock())
    assert len(weave_keys(service)) == 1
    assert a_new_process(service).weave(version.id) == secret
    with pytest.raises(DomainError) as caught:
        service.sealmark.keys.rotate(OPERATOR, WEAVE)
    assert caught.value.problem == Problem.INVALID


def test_without_its_key_no_copy_of_a_version_with_words_is_made_or_sent(woven: Service) -> None:
    document = a_document(woven)
    a_version(woven, document, report_pdf())
    allowed = allowed_to(woven, document)
    copy = woven.sealmark.copies.mint(allowed)
    copies = copies_with(woven, remove_weave_keys(woven))
    with pytest.raises(DomainError, match="weave key") as caught:
        copies.stream(copy, 0, copy.length)
    assert caught.value.problem == Problem.UNAVAILABLE
    with pytest.raises(DomainError, match="weave key"):
        copies.mint(allowed)


def test_a_version_without_words_needs_no_key(tmp_path: Path) -> None:
    """As versions that were compiled before words were woven."""
    with service_in(tmp_path, compile_in_child=compile_here) as service:
        an_nda(service)
        document = a_document(service)
        a_version(service, document, wordless_pdf())
        copies = copies_with(service, remove_weave_keys(service))
        copy = copies.mint(allowed_to(service, document))
        assert len(b"".join(copies.stream(copy, 0, copy.length))) == copy.length


def test_a_weave_key_outlives_the_master_key_that_wrapped_it(service: Service) -> None:
    version = a_version(service, a_document(service))
    secret = service.sealmark.keys.weave(version.id)
    old = service.sealmark.keyfile.keyring().current.id
    service.sealmark.master_keys.rotate(OPERATOR)
    service.clock.now += RETIRE_AFTER + timedelta(seconds=1)
    service.sealmark.master_keys.retire(OPERATOR, old)
    assert a_new_process(service).weave(version.id) == secret
    (key,) = weave_keys(service)
    assert (key.owner_id, key.master_id) == (version.id, service.sealmark.keyfile.keyring().current.id)


def test_a_weave_key_opens_for_its_version_only(service: Service) -> None:
    version = a_version(service, a_document(service))
    with service.sealmark.database.write() as records:
        (key,) = records.find(NamedKey, purpose=WEAVE)
        records.remove(NamedKey, id=key.id)
        records.add(replace(key, owner_id="ver_" + "0" * 26))
    with pytest.raises(CryptoError):
        a_new_process(service).weave("ver_" + "0" * 26)
    with pytest.raises(DomainError):
        a_new_process(service).weave(version.id)


def test_weave_keys_are_looked_up_one_by_one_and_few_are_held(service: Service) -> None:
    """However many versions there are, the list that links are checked with stays as short."""
    versions = [f"ver_{number:026d}" for number in range(OPEN_WEAVES + 5)]
    keys = service.sealmark.keys
    with service.sealmark.database.write() as records:
        for version in versions:
            keys.ensure_weave(records, OPERATOR, version, service.clock())
    service.clock.advance(minutes=1)
    assert len(keys.verifying("link")) == 1
    assert keys.verifying(WEAVE) == {}
    assert len(keys._listed) == 3
    assert len({keys.weave(version) for version in versions}) == len(versions)
    assert keys.weave(versions[0]) == a_new_process(service).weave(versions[0])
    assert len(keys._weaves) == OPEN_WEAVES
