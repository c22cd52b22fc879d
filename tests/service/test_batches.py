"""Batches: checked as a whole, each row its own answer, each share once whatever dies in between."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from service import batch_working as working
from service import batches as module
from service import terms as terms_module
from service.audit import Actor
from service.batch_rows import Person, number_of
from service.batch_working import BatchWorking
from service.errors import DomainError, ManyInvalid, Problem
from service.ports import DatabaseUnavailable, Taken
from service.records import BatchRow, Document, InboxEntry, Message, NdaMode, Recipient, Share
from service.sharing import Sharing
from service.terms import Terms
from service.web.logging import JsonLines
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.service.acting import a_document, a_report_under_nda, a_share, an_nda
from tests.service.erasing_cases import on_postgresql
from tests.service_fixture import OPERATOR, Service, service_in


@pytest.fixture
def document(service: Service) -> Document:
    return a_report_under_nda(service)


def _people(number: int, domain: str = "acme.example") -> list[Person]:
    return [Person(f"p{at}@{domain}", f"Person {at}", "Acme") for at in range(number)]


def _begin(service: Service, document: Document, people: list[Person], **changes: Any) -> str:
    given: dict[str, Any] = {"purpose": "renewal", "terms": Terms(), **changes}
    return service.sealmark.batches.begin(OPERATOR, document_id=document.id, people=people, **given).id


def _work(service: Service) -> None:
    while service.sealmark.batch_working.run_once():
        pass


def _all(service: Service, kind: type[Any]) -> list[Any]:
    with service.sealmark.database.read() as records:
        return list(records.find(kind))


def test_a_batch_makes_each_row_its_share_with_entries_in_the_name_of_who_asked(
    service: Service, document: Document
) -> None:
    people = [*_people(3), Person("eve@acme.example", "Eve", "Acme", "a purpose of her own")]
    caller = Actor("api-key", id="key1", request="req_1", address="192.0.2.1")
    batch = service.sealmark.batches.begin(
        caller, document_id=document.id, people=people, purpose="renewal", terms=Terms(download_limit=3)
    )
    _work(service)

    rows = service.sealmark.batches.rows(batch.id)
    assert [number_of(row) for row in rows] == [0, 1, 2, 3]
    shares = [service.sealmark.sharing.get(str(row.share_id)) for row in rows]
    mails = [service.sealmark.recipients.get(share.recipient_id).mail for share in shares]
    assert mails == [person.mail for person in people]
    assert [share.purpose for share in shares] == ["renewal"] * 3 + ["a purpose of her own"]
    assert {share.download_limit for share in shares} == {3}
    made = service.entries("share.created")
    assert [entry["share"] for entry in made] == [share.id for share in shares]
    assert {(entry["actor_type"], entry["actor"], entry["request"]) for entry in made} == {
        ("api-key", "key1", "req_1")
    }
    assert len(service.entries("recipient.created")) == 4
    (begun,), (ended,) = service.entries("batch.begun"), service.entries("batch.ended")
    assert begun["document"] == ended["document"] == document.id
    progress = service.sealmark.batches.get(batch.id)
    assert (progress.worked, progress.problems, progress.batch.done_at) == (4, 0, service.clock())


def test_nothing_of_what_a_row_wanted_is_kept_once_it_is_done(service: Service, document: Document) -> None:
    _begin(service, document, [*_people(2), Person("x@other.example", "X")], skip_problems=True)
    _work(service)
    assert [row.wanted for row in _all(service, BatchRow)] == [{}, {}, {}]


def test_all_that_is_wrong_in_a_list_is_named_at_once_and_nothing_is_shared(
    service: Service, document: Document
) -> None:
    a_share(service, document, mail="known@acme.example", name="Known Person", company="Acme")
    before = len(service.entries())
    people = [
        Person("ana@acme.example", "Ana"),
        Person("no address", "Ana"),
        Person("bob@acme.example", "\u202ebob"),
        Person("ANA@acme.example", "Ana"),
        Person("known@acme.example", "Somebody Else", "Acme"),
        Person("eve@uncovered.example", "Eve"),
        Person("kim@acme.example", "Kim", "Acme", " "),
    ]
    with pytest.raises(ManyInvalid) as caught:
        _begin(service, document, people)
    places = [where for where, _ in caught.value.places]
    assert places == ["rows.1.mail", "rows.2.name", "rows.3.mail", "rows.4", "rows.5", "rows.6.purpose"]
    assert caught.value.fields["rows"] == 6
    assert "6 of 7 rows" in caught.value.detail
    assert (len(service.entries()), len(_all(service, BatchRow)), len(_all(service, Share))) == (before, 0, 1)

    _begin(service, document, people, skip_problems=True)
    _work(service)
    rows = _all(service, BatchRow)
    assert [row.problem for row in sorted(rows, key=lambda row: row.id)] == [
        None,
        *(Problem.INVALID, Problem.UNMARKABLE_NAME, Problem.INVALID),
        *(Problem.RECIPIENT_CONFLICT, Problem.NDA_REQUIRED, Problem.INVALID),
    ]
    assert len(_all(service, Share)) == 2
    assert "eve@uncovered.example" not in {recipient.mail for recipient in _all(service, Recipient)}


def test_a_refusal_names_at_most_so_many_rows_and_says_how_many_there_are(
    service: Service, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_NAMED", 2)
    with pytest.raises(
        ManyInvalid, match="3 of 4 rows cannot be shared with; the first 2 are named"
    ) as caught:
        _begin(service, document, [*_people(1), *[Person("x", "X")] * 3])
    assert len(caught.value.places) == 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"people": []}, Problem.INVALID),
        ({"terms": Terms(download_limit=0)}, Problem.INVALID),
        ({"purpose": ""}, Problem.INVALID),
    ],
)
def test_what_no_batch_can_have_is_refused(
    service: Service, document: Document, change: dict[str, Any], problem: Problem
) -> None:
    given = {"people": _people(2), **change}
    with pytest.raises(DomainError) as caught:
        _begin(service, document, **given)
    assert caught.value.problem == problem
    assert not isinstance(caught.value, ManyInvalid)


def test_a_list_that_is_too_long_is_refused(
    service: Service, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 3)
    with pytest.raises(DomainError, match="1 to 3 rows"):
        _begin(service, document, _people(4))
    _begin(service, document, _people(3))


def test_what_is_wrong_with_the_document_is_stated_once(service: Service, document: Document) -> None:
    unready = a_document(service)
    with pytest.raises(DomainError) as caught:
        _begin(service, unready, _people(3), skip_problems=True)
    assert caught.value.problem == Problem.WRONG_STATE
    with pytest.raises(DomainError) as caught:
        _begin(service, replace(document, id="doc_" + "0" * 26), _people(3))
    assert caught.value.problem == Problem.NOT_FOUND


def test_a_row_that_cannot_be_shared_with_any_more_when_its_turn_comes_leaves_nothing_but_its_answer(
    service: Service, document: Document
) -> None:
    other = an_nda(service, domain="other.example")
    people = [*_people(2), Person("ana@other.example", "Ana")]
    batch = _begin(service, document, people)
    service.sealmark.ndas.revoke(OPERATOR, other.id)
    _work(service)
    rows = service.sealmark.batches.rows(batch)
    assert [row.problem for row in rows] == [None, None, Problem.NDA_REQUIRED]
    assert rows[2].share_id is None
    assert len(_all(service, Recipient)) == len(service.entries("recipient.created")) == 2
    assert service.sealmark.batches.get(batch).problems == 1


def test_the_same_list_under_the_same_word_is_the_same_batch(service: Service, document: Document) -> None:
    first = _begin(service, document, _people(3), same="file 1")
    _work(service)
    assert _begin(service, document, _people(3), same="file 1") == first
    _work(service)
    assert len(_all(service, Share)) == len(service.entries("share.created")) == 3
    assert _begin(service, document, _people(3), same="file 2") != first


class Dies(BaseException):
    """The process ends here: nothing in it catches that."""


@pytest.mark.parametrize("at", range(1, 40, 4))
def test_wherever_the_worker_dies_each_share_is_made_once(
    service: Service, document: Document, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(working, "CHUNK", 4)
    batch = _begin(service, document, _people(10), send=True)
    calls = Counter[str]()
    dying = replace_random(service.sealmark.batch_working, at, calls)
    with pytest.raises(Dies):
        _work(replace(service, sealmark=replace(service.sealmark, batch_working=dying)))
    _work(service)

    rows = service.sealmark.batches.rows(batch)
    assert len({row.share_id for row in rows}) == 10
    shares = _all(service, Share)
    assert Counter(share.recipient_id for share in shares) == {share.recipient_id: 1 for share in shares}
    assert {share.id for share in shares} == {row.share_id for row in rows}
    assert len(_all(service, Message)) == len(service.entries("share.created")) == 10
    assert len(service.entries("batch.ended")) == 1


def replace_random(made_of: BatchWorking, at: int, calls: Counter[str]) -> BatchWorking:
    """The same working, whose process dies when it wants random bytes for the `at`th time."""

    def random(size: int) -> bytes:
        calls["random"] += 1
        if calls["random"] == at:
            raise Dies
        return bytes(made_of._random(size))

    made = object.__new__(BatchWorking)
    vars(made).update({**vars(made_of), "_random": random})
    return made


@pytest.mark.postgresql
def test_a_recipient_that_another_call_makes_meanwhile_is_shared_with_all_the_same(
    tmp_path: Path, postgresql_server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, meanwhile = working.look_ahead, []

    def look_ahead(*given: Any) -> list[Recipient]:
        found = looked(*given)
        if not meanwhile:
            person = {"mail": "p1@acme.example", "name": "Person 1"}
            other = Thread(target=lambda: meanwhile.append(a_share(service, document, **person)))
            other.start()
            other.join()
        return found

    environ = on_postgresql(postgresql_server, tmp_path, migrated_postgresql(postgresql_server))
    with service_in(tmp_path, environ=environ) as service:
        document = a_report_under_nda(service)
        batch = _begin(service, document, _people(2))
        monkeypatch.setattr(working, "look_ahead", look_ahead)
        _work(service)
        assert [row.problem for row in service.sealmark.batches.rows(batch)] == [None, None]
        assert (len(meanwhile), len(_all(service, Recipient)), len(_all(service, Share))) == (1, 2, 3)


def test_with_send_each_link_is_mailed_once_and_no_row_holds_one(
    service: Service, document: Document
) -> None:
    batch = _begin(service, document, _people(3), send=True)
    _work(service)
    letters = service.mails()
    assert sorted(letter.to for letter in letters) == [person.mail for person in _people(3)]
    assert "/s/" not in repr(service.sealmark.batches.rows(batch)) + repr(_all(service, Message))


def test_links_are_made_when_they_are_asked_for_page_by_page(service: Service, document: Document) -> None:
    batch = _begin(service, document, [*_people(3), Person("bad", "B"), *_people(5)[3:]], skip_problems=True)
    _work(service)
    ask = service.sealmark.batches.links
    first = ask(OPERATOR, batch, limit=3, life=timedelta(hours=1))
    rest = ask(OPERATOR, batch, after=first[-1].number, limit=9, life=timedelta(hours=1))
    assert [one.number for one in first + rest] == [0, 1, 2, 4, 5]
    assert len({one.link.url for one in first + rest if one.link}) == 5
    assert len(service.entries("link.created")) == 5
    service.sealmark.sharing.revoke(OPERATOR, first[1].share_id)
    again = ask(OPERATOR, batch, limit=3, life=timedelta(hours=1))
    assert [one.problem for one in again] == [None, Problem.WRONG_STATE, None]
    with pytest.raises(DomainError, match="A link lives"):
        ask(OPERATOR, batch, limit=3, life=timedelta(seconds=1))


def test_who_is_erased_while_their_row_waits_is_shared_with_no_more(
    service: Service, document: Document
) -> None:
    share, _ = a_share(service, document, mail="p1@acme.example", name="Person 1")
    batch = _begin(service, document, _people(3))
    unknown, _ = a_share(service, document, mail="p2@acme.example", name="Person 2")
    for known in (share, unknown):
        service.sealmark.erasing.begin(OPERATOR, known.recipient_id)
        assert service.sealmark.erasing.finish(known.recipient_id)
    assert not any("p2@" in repr(row) or "p1@" in repr(row) for row in _all(service, BatchRow))
    _work(service)
    assert [row.problem for row in service.sealmark.batches.rows(batch)] == [
        None,
        Problem.WRONG_STATE,
        Problem.WRONG_STATE,
    ]


def test_the_policy_of_a_batch_is_that_of_its_shares(service: Service, document: Document) -> None:
    until = service.clock() + timedelta(days=3)
    terms = Terms(expires_at=until, view_only=True, mail_check=True, nda=NdaMode.REQUIRE)
    _begin(service, document, _people(1), terms=terms)
    _work(service)
    (share,) = _all(service, Share)
    assert (share.expires_at, share.view_only, share.mail_check) == (until, True, True)


def test_a_batch_of_nobody_known_writes_each_kind_together(service: Service, document: Document) -> None:
    """What makes one makes many, at a fraction of the statements: entries keep their order all the same."""
    _begin(service, document, _people(20))
    _work(service)
    kinds = [entry["kind"] for entry in service.entries()][-42:]
    assert kinds == ["batch.begun", *["recipient.created", "share.created"] * 20, "batch.ended"]
    assert _all(service, InboxEntry) == []


@pytest.mark.parametrize("odd", ["a\x00b", "a\ud800b"])
@pytest.mark.parametrize("field", ["mail", "name", "company", "purpose"])
def test_what_no_database_takes_is_refused_before_anything_is_taken_in(
    service: Service, document: Document, field: str, odd: str
) -> None:
    person = replace(Person("ana@acme.example", "Ana"), **{field: f"{odd}@acme.example"})
    with pytest.raises(ManyInvalid):
        _begin(service, document, [person])
    with pytest.raises(DomainError):
        _begin(service, document, _people(1), purpose=odd)
    assert _all(service, BatchRow) == []


def test_a_row_that_fails_as_nobody_foresaw_stops_neither_others_nor_later_batches(
    service: Service, document: Document, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(service.sealmark.batch_working, "_pause", pauses.append)
    for where in (module, terms_module):  # so that the database is the first to refuse it
        monkeypatch.setattr(where, "check_purpose", lambda purpose: None)
    people = _people(4)
    people[1] = replace(people[1], purpose="re\x00view")
    first = _begin(service, document, people)
    service.clock.advance(seconds=1)
    second = _begin(service, document, _people(1))
    _work(service)
    rows = service.sealmark.batches.rows(first)
    assert [row.problem for row in rows] == [None, Problem.INTERNAL, None, None]
    assert [row.wanted for row in rows] == [{}] * 4
    assert pauses.count(working.TRY_AGAIN) == working.TRIES - 1
    assert [service.sealmark.batches.get(one).batch.done_at for one in (first, second)] == [
        service.clock()
    ] * 2
    assert len(_all(service, Share)) == len(service.entries("share.created")) == 4
    assert len(service.entries("batch.ended")) == 2
    told = [JsonLines().format(record) for record in caplog.records if record.name == "sealmark.batches"]
    assert len([line for line in told if f'"batch": "{first}", "row": 1' in line]) == working.TRIES
    assert not any("p1@" in line or "Person" in line or "view" in json.loads(line)["event"] for line in told)


def test_a_row_that_fails_once_is_tried_again(
    service: Service, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _begin(service, document, _people(3))
    monkeypatch.setattr(service.sealmark.batch_working, "_pause", lambda seconds: None)
    lend, failures = Sharing.lend, Counter[str]()

    def failing(self: Sharing, records: Any, actor: Any, now: Any, recipient: Recipient, *rest: Any) -> Share:
        failures[recipient.mail] += 1
        if recipient.mail == "p1@acme.example" and failures[recipient.mail] <= 2:
            raise RuntimeError("something passing")
        return lend(self, records, actor, now, recipient, *rest)

    monkeypatch.setattr(Sharing, "lend", failing)
    _work(service)
    assert [row.problem for row in service.sealmark.batches.rows(batch)] == [None] * 3
    assert len(_all(service, Share)) == 3


def test_a_database_that_is_away_is_no_rows_fault(
    service: Service, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _begin(service, document, _people(2))

    def away(*given: Any) -> None:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(Sharing, "lend", away)
        for _ in range(5):
            with pytest.raises(DatabaseUnavailable):
                service.sealmark.batch_working.run_once()
    _work(service)
    assert [row.problem for row in service.sealmark.batches.rows(batch)] == [None, None]


def test_who_is_erased_between_the_check_of_a_list_and_its_taking_in_is_not_made_anew(
    service: Service, document: Document
) -> None:
    share, _ = a_share(service, document, mail="p1@acme.example", name="Person 1", company="Acme")
    batches = service.sealmark.batches
    checked = batches.check(
        OPERATOR, document_id=document.id, people=_people(2), purpose="renewal", terms=Terms()
    )
    service.sealmark.erasing.begin(OPERATOR, share.recipient_id)
    assert service.sealmark.erasing.finish(share.recipient_id)
    batch = batches.take(OPERATOR, checked)
    _work(service)
    rows = batches.rows(batch.id)
    assert [(row.problem, row.wanted) for row in rows] == [(None, {}), (Problem.WRONG_STATE, {})]
    assert rows[1].recipient_id is None
    assert sorted(one.mail.partition("@")[0] for one in _all(service, Recipient)) == [
        "p0",
        share.recipient_id,
    ]


def test_the_same_word_with_something_else_asked_is_refused(service: Service, document: Document) -> None:
    first = _begin(service, document, _people(2), same="file 1", given="in 30 d")
    assert _begin(service, document, _people(2), same="file 1", given="in 30 d") == first
    with pytest.raises(DomainError) as caught:
        _begin(service, document, _people(2), same="file 1", given="in 2 d")
    assert caught.value.problem == Problem.IDEMPOTENCY_MISMATCH
    assert len(_all(service, BatchRow)) == 2


def test_a_check_that_the_service_cannot_make_now_is_no_rows_fault(
    service: Service, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*given: Any) -> None:
        raise DomainError(Problem.BUSY, "Try again.")

    monkeypatch.setattr(Sharing, "lend", busy)
    with pytest.raises(DomainError) as caught:
        _begin(service, document, _people(2), skip_problems=True)
    assert caught.value.problem == Problem.BUSY
    assert _all(service, BatchRow) == []


def test_a_row_that_the_service_cannot_answer_now_waits(
    service: Service, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _begin(service, document, _people(2))

    def busy(*given: Any) -> None:
        raise DomainError(Problem.BUSY, "Try again.")

    with monkeypatch.context() as patch:
        patch.setattr(Sharing, "lend", busy)
        with pytest.raises(DomainError) as caught:
            service.sealmark.batch_working.run_once()
    assert caught.value.problem == Problem.BUSY
    assert [row.wanted != {} for row in service.sealmark.batches.rows(batch)] == [True, True]
    _work(service)
    assert [row.problem for row in service.sealmark.batches.rows(batch)] == [None, None]


def test_recipients_that_others_make_again_and_again_are_shared_with_one_by_one(
    service: Service, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _begin(service, document, _people(3))
    looked, meanwhile, together = working.look_ahead, iter(range(working.TRIES)), list[int]()

    def look_ahead(gathered: Any, mails: Any) -> list[Recipient]:
        together.append(len(mails))
        for _ in meanwhile:
            raise Taken("mail")
        return looked(gathered, mails)

    monkeypatch.setattr(working, "look_ahead", look_ahead)
    _work(service)
    assert together[: working.TRIES + 3] == [3] * working.TRIES + [1] * 3
    assert [row.problem for row in service.sealmark.batches.rows(batch)] == [None] * 3
    assert len(_all(service, Recipient)) == len(service.entries("share.created")) == 3
    assert len(service.entries("batch.ended")) == 1
