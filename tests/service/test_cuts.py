"""Cuts: the same sections give one cut, compiled by a worker, with a template and a weave key of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest

from crypto.context import context
from crypto.errors import SealBroken
from crypto.sidecar import Sidecar
from service.audit import Actor
from service.compiling import MAX_ATTEMPTS, PAUSE, Compiled, Compiling
from service.cuts import MAX_CUTS, facts_of, pages_of, places_of
from service.decision import Denial, decide
from service.delivery import Granted, Page
from service.errors import DomainError, Problem
from service.facts import Facts, SectionKind
from service.keys import WEAVE
from service.objects import SIDECAR
from service.records import (
    Copy,
    Cut,
    CutState,
    Document,
    Job,
    NamedKey,
    SealedObject,
    Share,
    Template,
    Version,
)
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.service.acting import a_document, a_share, a_version, an_nda, stored_keys, token_of
from tests.service.erasing_cases import on_postgresql
from tests.service_fixture import OPERATOR, Service, fake_compile_in_child, service_in
from tests.watermark.builders import report as a_long_report
from tests.web.recipient.lending import FACTS, compile_here, report_pdf
from watermark.errors import RefusalReason, Refused
from watermark.template import SlotTable
from watermark.woven.code import copy_bits
from watermark.woven.reading import read

READER = Actor("recipient")
OPINION, ASSERTION, SYSTEM, CONTROLS, TESTS = range(5)


@pytest.fixture
def woven(tmp_path: Path) -> Iterator[Service]:
    """A service with the real compiler."""
    with service_in(tmp_path, compile_in_child=compile_here) as made:
        an_nda(made)
        yield made


def a_report(service: Service) -> tuple[Document, Version]:
    document = a_document(service)
    return document, a_version(service, document, report_pdf(), **FACTS)


def a_cut(service: Service, version: Version, *sections: int | str) -> Cut:
    """A cut, settled."""
    cut = service.sealmark.cuts.ask(OPERATOR, version.id, sections)
    service.work()
    return service.sealmark.cuts.get(version.document_id, version.id, cut.id)


def a_share_of(
    service: Service, document: Document, version: Version, *sections: int | str
) -> tuple[Share, str]:
    cut = a_cut(service, version, *sections)
    share, link = a_share(service, document, pinned_version_id=version.id, cut_id=cut.id)
    return share, token_of(link)


def copy_of(service: Service, token: str) -> tuple[Copy, bytes]:
    """The copy behind a link, as it is downloaded."""
    granted = service.sealmark.deliveries.ask(token, READER)
    assert isinstance(granted, Granted)
    with service.sealmark.database.read() as records:
        copy = records.get(Copy, granted.delivery.copy_id)
    assert copy is not None
    sending = service.sealmark.deliveries.send(granted.token, READER)
    return copy, b"".join(sending)  # type: ignore[arg-type]


def test_a_cut_is_compiled_with_entries_a_template_and_a_key_of_its_own(woven: Service) -> None:
    document, version = a_report(woven)
    cut = a_cut(woven, version, "auditors-opinion", "Tests & results")
    assert (cut.state, cut.sections, cut.pages) == (CutState.READY, [OPINION, TESTS], 5)
    with woven.sealmark.database.read() as records:
        template = records.get(Template, cut.template_id or "")
        assert template is not None
        stored = records.get(SealedObject, template.object_id)
        keys = records.find(NamedKey, purpose=WEAVE)
    assert (template.cut_id, template.version_id) == (cut.id, version.id)
    assert cut.template_id != version.template_id
    assert stored is not None
    assert (stored.role, stored.owner_kind, stored.owner_id) == ("template", "cut", cut.id)
    assert {key.owner_id for key in keys} == {version.id, cut.id}
    assert woven.sealmark.keys.weave(cut.id) != woven.sealmark.keys.weave(version.id)
    (created,), (ready,) = woven.entries("cut.created"), woven.entries("cut.ready")
    assert created["document"] == ready["document"] == document.id
    assert created["version"] == ready["version"] == version.id
    assert json.loads(created["details"]) == {"cut": cut.id, "sections": "0 4"}
    assert (json.loads(ready["details"]), ready["template"]) == ({"cut": cut.id, "pages": 5}, template.id)
    made = [row for row in woven.entries("key.created") if row.get("version") == version.id]
    assert len(made) == 2


def test_a_cuts_template_opens_in_no_other_place(woven: Service) -> None:
    _, version = a_report(woven)
    cut = a_cut(woven, version, OPINION)
    with woven.sealmark.database.read() as records:
        template = records.get(Template, cut.template_id or "")
        stored = records.get(SealedObject, template.object_id if template else "")
    assert stored is not None
    place = next(key for key in stored_keys(woven, stored.id) if key.endswith(SIDECAR))
    sidecar = Sidecar.decode(b"".join(woven.sealmark.store.read(place)))
    assert sidecar.context() == context("template", "cut", cut.id, stored.id)
    for moved in (
        replace(stored, owner_kind="version", owner_id=version.id),
        replace(stored, owner_id="cut_x"),
    ):
        with pytest.raises(Exception, match=r".") as caught:
            woven.sealmark.objects.open(moved)
        assert isinstance(caught.value, SealBroken) or "key" in type(caught.value).__name__.lower()


def test_the_same_sections_give_the_same_cut_however_they_are_named(service: Service) -> None:
    _, version = a_report(service)
    first = service.sealmark.cuts.ask(OPERATOR, version.id, [SYSTEM, OPINION])
    assert first.state == CutState.COMPILING
    again = service.sealmark.cuts.ask(
        OPERATOR, version.id, ["Independent auditor’s report", "system-description"]
    )
    assert again == first
    assert service.sealmark.cuts.ask(OPERATOR, version.id, [OPINION]).id != first.id
    assert len(service.entries("cut.created")) == 2
    with service.sealmark.database.read() as records:
        assert [job.subject for job in records.find(Job, kind="cut", order="created_at")].count(first.id) == 1


@pytest.mark.parametrize("sections", [[], [5], [-1], ["No such title"], ["managements-responses"], [0, "x"]])
def test_sections_that_the_facts_do_not_name_are_refused(service: Service, sections: list[int | str]) -> None:
    _, version = a_report(service)
    with pytest.raises(DomainError) as caught:
        service.sealmark.cuts.ask(OPERATOR, version.id, sections)
    assert caught.value.problem == Problem.INVALID
    assert service.entries("cut.created") == []


def test_all_pages_are_no_cut(woven: Service) -> None:
    _, version = a_report(woven)
    with pytest.raises(DomainError) as caught:
        woven.sealmark.cuts.ask(OPERATOR, version.id, [*range(5)])
    assert caught.value.problem == Problem.INVALID


def test_a_version_without_a_file_and_a_revoked_document_give_no_cut(service: Service) -> None:
    document, version = a_report(service)
    waiting = service.sealmark.documents.add_version(OPERATOR, document.id, Facts.model_validate(FACTS))
    with pytest.raises(DomainError) as caught:
        service.sealmark.cuts.ask(OPERATOR, waiting.id, [0])
    assert caught.value.problem == Problem.WRONG_STATE
    service.sealmark.documents.revoke(OPERATOR, document.id)
    with pytest.raises(DomainError) as caught:
        service.sealmark.cuts.ask(OPERATOR, version.id, [0])
    assert caught.value.problem == Problem.WRONG_STATE


def test_what_is_not_there_is_said_and_nothing_of_another_document_is_told(service: Service) -> None:
    document, version = a_report(service)
    other, others = a_report(service)
    cut = a_cut(service, version, OPINION)
    cuts = service.sealmark.cuts
    unknown = "0" * 26
    for asked in (
        lambda: cuts.ask(OPERATOR, f"ver_{unknown}", [OPINION]),
        lambda: cuts.get(other.id, version.id, cut.id),
        lambda: cuts.get(other.id, others.id, cut.id),
        lambda: cuts.get(document.id, version.id, f"cut_{unknown}"),
        lambda: cuts.of_version(other.id, version.id),
        lambda: cuts.titles(f"cut_{unknown}"),
    ):
        with pytest.raises(DomainError) as caught:
            asked()
        assert caught.value.problem == Problem.NOT_FOUND
    assert len(service.entries("cut.created")) == 1


def test_only_cuts_of_the_newest_version_that_is_ready_are_offered(service: Service) -> None:
    empty = a_document(service)
    service.sealmark.documents.add_version(OPERATOR, empty.id, Facts.model_validate(FACTS))
    assert service.sealmark.cuts.offered(empty.id) == []
    document, version = a_report(service)
    cut = a_cut(service, version, OPINION, TESTS)
    service.sealmark.cuts.ask(OPERATOR, version.id, [SYSTEM])  # it is compiled yet
    (offered,) = service.sealmark.cuts.offered(document.id)
    assert offered.cut == cut
    assert offered.titles == ["Independent auditor’s report", "Tests & results"]
    a_version(service, document, **FACTS)
    assert service.sealmark.cuts.offered(document.id) == []


def test_a_version_has_so_many_cuts_and_no_more(service: Service) -> None:
    document = a_document(service)
    sections = [
        {"kind": "other", "title": f"Part {n}", "first_page": 1 + n % 40, "last_page": 1 + n % 40}
        for n in range(MAX_CUTS + 1)
    ]
    version = a_version(service, document, sections=sections)
    for place in range(MAX_CUTS):
        service.sealmark.cuts.ask(OPERATOR, version.id, [place])
    with pytest.raises(DomainError) as caught:
        service.sealmark.cuts.ask(OPERATOR, version.id, [MAX_CUTS])
    assert caught.value.problem == Problem.WRONG_STATE
    assert service.sealmark.cuts.ask(OPERATOR, version.id, [0]).sections == [0]


def worker(service: Service, child: Any) -> Compiling:
    made = service.sealmark
    return Compiling(made.database, made.objects, made.keys, child, made.clock, made.random)


def test_a_cut_that_cannot_be_made_is_refused_with_its_reason_and_the_version_stays(service: Service) -> None:
    document, version = a_report(service)
    cut = service.sealmark.cuts.ask(OPERATOR, version.id, [OPINION])

    def refusing(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        raise Refused(RefusalReason.CANNOT_CUT)

    worker(service, refusing).run_once()
    settled = service.sealmark.cuts.get(document.id, version.id, cut.id)
    assert (settled.state, settled.reason, settled.template_id) == (CutState.REFUSED, "cannot-cut", None)
    assert service.sealmark.documents.version(document.id, version.id) == version
    (entry,) = service.entries("cut.refused")
    assert (entry["reason"], entry["outcome"], entry["version"]) == ("cannot-cut", "refused", version.id)
    assert service.entries("version.refused") == []
    with pytest.raises(DomainError) as caught:
        service.sealmark.cuts.ready(OPERATOR, version.id, [OPINION])
    assert caught.value.problem == Problem.WRONG_STATE


def test_a_child_that_answers_with_other_pages_is_not_believed(service: Service) -> None:
    document, version = a_report(service)
    cut = service.sealmark.cuts.ask(OPERATOR, version.id, [OPINION])

    def whole(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        return fake_compile_in_child(source, {"seed": parameters["seed"]})

    worker(service, whole).run_once()
    settled = service.sealmark.cuts.get(document.id, version.id, cut.id)
    assert (settled.state, settled.reason) == (CutState.REFUSED, "cannot-cut")


def test_what_is_not_the_files_doing_puts_the_cut_back(service: Service) -> None:
    document, version = a_report(service)
    cut = service.sealmark.cuts.ask(OPERATOR, version.id, [OPINION])

    def failing(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        raise KeyboardInterrupt

    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(KeyboardInterrupt):
            worker(service, failing).run_once()
        service.clock.now += PAUSE
    service.work()
    assert service.sealmark.cuts.get(document.id, version.id, cut.id).state == CutState.READY


def test_of_two_workers_one_settles_a_cut_and_the_others_template_goes(service: Service) -> None:
    _, version = a_report(service)
    cut = service.sealmark.cuts.ask(OPERATOR, version.id, [OPINION])
    before = stored_keys(service)

    def slow(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        service.clock.advance(minutes=30)
        worker(service, fake_compile_in_child).run_once()
        return fake_compile_in_child(source, parameters)

    worker(service, slow).run_once()
    assert len(service.entries("cut.ready")) == 1
    assert len(stored_keys(service)) == len(before) + 2
    with service.sealmark.database.read() as records:
        assert len(records.find(Template, cut_id=cut.id)) == 1


def test_a_worker_that_was_too_slow_refuses_nothing_that_another_has_made(service: Service) -> None:
    document, version = a_report(service)
    cut = service.sealmark.cuts.ask(OPERATOR, version.id, [OPINION])

    def slow(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        service.clock.advance(minutes=30)
        worker(service, fake_compile_in_child).run_once()
        raise Refused(RefusalReason.TOO_COSTLY)

    worker(service, slow).run_once()
    assert service.sealmark.cuts.get(document.id, version.id, cut.id).state == CutState.READY
    assert service.entries("cut.refused") == []


def test_a_cut_at_which_every_worker_dies_is_refused_in_the_end(service: Service) -> None:
    document, version = a_report(service)
    cut = service.sealmark.cuts.ask(OPERATOR, version.id, [OPINION])
    with service.sealmark.database.write() as records:
        (job,) = records.find(Job, kind="cut", subject=cut.id)
        records.change(job, attempts=MAX_ATTEMPTS)  # what workers leave that are killed
    tried: list[object] = []

    def killing(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        tried.append(parameters)
        raise AssertionError

    assert worker(service, killing).run_once() is True
    assert tried == []
    settled = service.sealmark.cuts.get(document.id, version.id, cut.id)
    assert (settled.state, settled.reason) == (CutState.REFUSED, "too-costly")
    assert [row["reason"] for row in service.entries("cut.refused")] == ["too-costly"]
    assert worker(service, killing).run_once() is False


def test_a_share_of_a_cut_gives_its_pages_and_no_others(woven: Service) -> None:
    document, version = a_report(woven)
    share, token = a_share_of(woven, document, version, "Independent auditor’s report", "controls")
    assert share.cut_id is not None
    copy, pdf = copy_of(woven, token)
    texts = [page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages]
    assert ["Page 1 of" in texts[0], "Page 2 of" in texts[1], "Page 6 of" in texts[2]] == [True] * 3
    assert len(texts) == 3
    assert all("ana@acme.example" in text.replace("\n", "") for text in texts)
    assert hashlib.sha256(pdf).hexdigest() == copy.sha256
    for number in (3, 4, 5, 7, 8, 9):
        assert f"Page {number} of" not in "".join(texts)
    (created,) = woven.entries("share.created")
    details = json.loads(created["details"])
    assert (details["cut"], details["pinned"]) == (share.cut_id, version.id)
    (granted,) = woven.entries("download.granted")
    assert granted["copy"] == copy.id
    whole, link = a_share(woven, document, mail="bo@acme.example")
    assert whole.cut_id is None
    assert len(pypdf.PdfReader(BytesIO(copy_of(woven, token_of(link))[1])).pages) == 9


def test_a_leaked_copy_of_a_cut_is_traced_by_the_cuts_key(woven: Service) -> None:
    document = a_document(woven)
    sections = [
        {"kind": "other", "title": f"Section {n}", "first_page": n, "last_page": n} for n in (1, 2, 3)
    ]
    version = a_version(woven, document, a_long_report(3), sections=sections)
    share, token = a_share_of(woven, document, version, "Section 2", "Section 3")
    copy, pdf = copy_of(woven, token)
    with woven.sealmark.database.read() as records:
        template = records.get(Template, copy.template_id)
        stored = records.get(SealedObject, template.object_id if template else "")
    assert stored is not None
    reader = woven.sealmark.objects.open(stored)
    table = SlotTable.decode(b"".join(reader.read(0, reader.size)))
    expected = copy_bits(woven.sealmark.keys.weave(share.cut_id or ""), copy.id, table.words)
    others = copy_bits(woven.sealmark.keys.weave(version.id), copy.id, table.words)
    found = read(b"".join(reader.read(0, reader.size)), pdf)
    assert (found.bits == expected).all()
    assert (expected != others).any()


def test_a_share_of_a_cut_stays_with_it_when_a_newer_version_comes(woven: Service) -> None:
    document, version = a_report(woven)
    _, token = a_share_of(woven, document, version, OPINION)
    a_version(woven, document, report_pdf() + b"\n", **FACTS)
    _, pdf = copy_of(woven, token)
    assert len(pypdf.PdfReader(BytesIO(pdf)).pages) == 2


@pytest.mark.parametrize("pinned", [None, "another"])
def test_a_share_of_a_cut_is_pinned_to_its_version(service: Service, pinned: str | None) -> None:
    an_nda(service)
    document, version = a_report(service)
    cut = a_cut(service, version, OPINION)
    other = a_version(service, document, **FACTS)
    with pytest.raises(DomainError) as caught:
        a_share(service, document, cut_id=cut.id, pinned_version_id=other.id if pinned else None)
    assert caught.value.problem == Problem.INVALID


def test_no_share_is_made_of_a_cut_that_is_not_ready(service: Service) -> None:
    an_nda(service)
    document, version = a_report(service)
    cut = service.sealmark.cuts.ask(OPERATOR, version.id, [OPINION])
    with pytest.raises(DomainError) as caught:
        a_share(service, document, cut_id=cut.id, pinned_version_id=version.id)
    assert caught.value.problem == Problem.WRONG_STATE
    with pytest.raises(DomainError) as caught:
        a_share(service, document, cut_id="cut_" + "0" * 26, pinned_version_id=version.id)
    assert caught.value.problem == Problem.NOT_FOUND
    assert service.entries("share.created") == []


def test_whatever_the_database_says_a_cut_is_never_answered_with_the_whole(woven: Service) -> None:
    document, version = a_report(woven)
    _, token = a_share_of(woven, document, version, OPINION)
    page = woven.sealmark.deliveries.page(token, READER, record=False)
    assert isinstance(page, Page)
    with woven.sealmark.database.read() as records:
        template = records.get(Template, version.template_id or "")
    grant = woven.sealmark.database.grant(page.allowed.share.id, page.link.hash, woven.clock())
    assert grant is not None
    decided = decide(replace(grant, template=template), woven.clock(), asking=True)
    assert decided == Denial.NOT_READY
    assert decide(replace(grant, cut=None), woven.clock(), asking=True) == Denial.NOT_READY


def test_keys_of_cuts_are_counted_and_rewrapped_with_all_others(woven: Service) -> None:
    document, version = a_report(woven)
    cut = a_cut(woven, version, OPINION)
    before = woven.sealmark.keys.weave(cut.id)
    old = woven.sealmark.keyfile.keyring().current.id
    uses = {use.id: use for use in woven.sealmark.master_keys.list()}
    with woven.sealmark.database.read() as records:
        assert uses[old].named_keys == len(records.find(NamedKey))
        assert uses[old].objects == len(records.find(SealedObject))
    new = woven.sealmark.master_keys.rotate(OPERATOR)
    with woven.sealmark.database.read() as records:
        (key,) = records.find(NamedKey, purpose=WEAVE, owner_id=cut.id)
        (stored,) = records.find(SealedObject, owner_kind="cut", owner_id=cut.id)
    assert key.master_id == stored.master_id == new.id
    assert woven.sealmark.keys.weave(cut.id) == before
    _, token = a_share_of(woven, document, version, OPINION)
    assert copy_of(woven, token)[1]


def test_no_object_of_a_cut_is_taken_for_an_orphan(service: Service) -> None:
    _, version = a_report(service)
    a_cut(service, version, OPINION)
    before = stored_keys(service)
    service.clock.advance(days=3)
    assert service.sealmark.sweeping.trash_orphans() == 0
    assert stored_keys(service) == before


FACTS_OF = Facts.model_validate(
    {
        **FACTS,
        "controls": [
            {"id": "AC-03", "criteria": ["CC6.2"], "pages": [6, 7]},
            {"id": "AV-04", "criteria": ["A1.3"], "pages": [6]},
            {"id": "XX-01", "criteria": ["CC1.1"], "pages": [4]},
            {"id": "XX-02", "criteria": ["CC1.2"], "pages": []},
        ],
    }
)


def test_pages_of_facts_are_those_of_the_cut() -> None:
    assert pages_of(FACTS_OF, [OPINION, TESTS]) == [1, 2, 7, 8, 9]
    found = facts_of(FACTS_OF, [OPINION, TESTS])
    assert [(one.first_page, one.last_page) for one in found.sections] == [(1, 2), (3, 5)]
    assert [one.pages for one in found.exceptions] == [[3, 4], [5]]
    assert [(one.id, one.pages) for one in found.controls] == [("AC-03", [3]), ("AV-04", [])]
    assert (found.opinion, found.auditor) == (FACTS_OF.opinion, FACTS_OF.auditor)
    assert Facts.model_validate(found.model_dump(mode="json")) == found


def test_what_stands_elsewhere_only_is_not_said() -> None:
    found = facts_of(FACTS_OF, [SYSTEM])
    assert found.opinion is None
    assert found.exceptions == []
    assert [one.id for one in found.controls] == ["XX-01"]
    assert [one.kind for one in found.sections] == [SectionKind.SYSTEM_DESCRIPTION]
    assert places_of(FACTS_OF, ["Assertion", 3]) == [1, 3]


def test_a_response_is_told_only_with_the_section_of_responses_where_there_is_one() -> None:
    tests, last = FACTS["sections"][TESTS], 9
    answers = {**tests, "kind": "managements-responses", "title": "Responses", "first_page": last}
    answered = Facts.model_validate(
        {**FACTS, "sections": [*FACTS["sections"][:TESTS], {**tests, "last_page": last - 1}, answers]}
    )
    responses = TESTS + 1
    for facts, sections, expected in (
        (FACTS_OF, [TESTS], [FACTS["exceptions"][0]["response"], None]),
        (answered, [TESTS, responses], [FACTS["exceptions"][0]["response"], None]),
        (answered, [TESTS], [None]),
    ):
        assert [one.response for one in facts_of(facts, sections).exceptions] == expected


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "promise",
    [
        test_a_cut_is_compiled_with_entries_a_template_and_a_key_of_its_own,
        test_a_share_of_a_cut_gives_its_pages_and_no_others,
        test_the_same_sections_give_the_same_cut_however_they_are_named,
        test_keys_of_cuts_are_counted_and_rewrapped_with_all_others,
    ],
)
def test_it_holds_on_postgresql(
    promise: Callable[[Service], None], tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    environ = on_postgresql(postgresql_server, tmp_path, migrated_postgresql(postgresql_server))
    with service_in(tmp_path, environ=environ, compile_in_child=compile_here) as made:
        an_nda(made)
        promise(made)
