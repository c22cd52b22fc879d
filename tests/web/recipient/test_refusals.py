"""Links that do not open: one answer for all that is not authentic, a reason for the others, nothing in an outage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from crypto import identifiers, tokens
from service.adapters.sql.transaction import SqlRecords
from service.blobs import StoreUnavailable
from service.errors import DomainError, Problem
from service.ports import DatabaseUnavailable
from service.records import Delivery, Link, Send
from tests.service_fixture import OPERATOR, Service
from tests.web.recipient.lending import Lent, lend

METHODS = ("GET", "HEAD", "POST")


def token_of(path: str) -> str:
    return path.rsplit("/", 1)[1]


def other_token(lent: Lent, **changes: Any) -> str:
    """A token that this service signs, for something that it never made."""
    key = lent.service.sealmark.keys.signing("link")
    known = tokens.verify(token_of(lent.path), {key.id: key.secret}, int(lent.service.clock().timestamp()))
    return tokens.sign(replace(known, **changes), key.secret)


def unauthentic_paths(lent: Lent) -> dict[str, str]:
    link, delivery = lent.path, lent.granted()
    flipped = link[:-1] + ("A" if link[-1] != "A" else "B")
    unknown = identifiers.new_id("shr", bytes(16))
    return {
        "forged": flipped,
        "cut": link[:-5],
        "lengthened": link + "A",
        "padded": link + "=",
        "with a path behind": link + "/x",
        "empty": "/s/",
        "nothing at all": "/s",
        "word": "/s/hello",
        "not ASCII": "/s/%C3%A9%00%FF",
        "link where a delivery belongs": "/d/" + token_of(link),
        "delivery where a link belongs": "/s/" + token_of(delivery),
        "forged delivery": delivery[:-1] + ("A" if delivery[-1] != "A" else "B"),
        "empty delivery": "/d/",
        "download where a sitting belongs": "/v/" + token_of(delivery),
        "page of a download": "/v/" + token_of(delivery) + "/1",
        "picture of a download": "/v/" + token_of(delivery) + "/1.png",
        "link where a sitting belongs": "/v/" + token_of(link),
        "empty sitting": "/v/",
        "no page of a sitting": "/v/" + token_of(delivery) + "/0",
        "no number of a page": "/v/" + token_of(delivery) + "/" + "9" * 5000,
        "no number of a picture": "/v/" + token_of(delivery) + "/0.png",
        "no picture of a sitting": "/v/" + token_of(delivery) + "/1.gif",
        "unknown share": "/s/" + other_token(lent, share_id=unknown),
        "unknown link of a share": "/s/" + other_token(lent, link_id=identifiers.new_id("lnk", bytes(16))),
        "unknown delivery": "/d/"
        + other_token(lent, link_id=identifiers.new_id("dlv", bytes(16)), action=tokens.Action.DELIVER),
    }


def test_all_that_is_not_authentic_gets_one_and_the_same_answer(lent: Lent) -> None:
    answers = {}
    for name, path in unauthentic_paths(lent).items():
        for method in METHODS:
            if method == "POST" and path.startswith(("/d", "/v")):
                continue
            answer = lent.browser.open(path, method=method)
            fields = sorted((k, v) for k, v in answer.headers if k != "X-Request-Id")
            body = answer.data if method != "HEAD" else b"(head)"
            answers[name, method] = (answer.status_code, fields, body)
    got = {answer for (_, method), answer in answers.items() if method != "HEAD" for answer in [repr(answer)]}
    heads = {repr(answer) for (_, method), answer in answers.items() if method == "HEAD"}
    assert len(got) == 1
    assert len(heads) == 1
    assert answers["forged", "GET"][0] == 404
    assert answers["forged", "GET"][:2] == answers["forged", "HEAD"][:2]
    assert lent.kinds() == ["download.granted"]


def test_an_expired_token_of_the_wrong_kind_is_not_authentic(lent: Lent) -> None:
    path = lent.granted()
    lent.service.clock.advance(days=4)
    assert lent.browser.get("/s/" + token_of(path)).status_code == 404
    assert lent.browser.get("/d/" + token_of(lent.path)).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(lent: Lent, method: str) -> None:
    delivery = lent.granted()
    for path, allowed in ((lent.path, "GET, HEAD, POST"), (delivery, "GET, HEAD")):
        answer = lent.browser.open(path, method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert lent.browser.post(delivery).status_code == 405
    assert lent.kinds() == ["download.granted"]


def revoke_share(lent: Lent) -> None:
    lent.service.sealmark.sharing.revoke(OPERATOR, lent.share.id)


def revoke_document(lent: Lent) -> None:
    lent.service.sealmark.documents.revoke(OPERATOR, lent.document.id)


def revoke_link(lent: Lent) -> None:
    with lent.service.sealmark.database.write() as records:
        link = records.find(Link, share_id=lent.share.id)[0]
        records.change(link, revoked_at=lent.service.clock())


def end_nda(lent: Lent) -> None:
    """Before any worker has ended the share: the decision sees it at once."""
    with lent.service.sealmark.database.write() as records:
        records.change(lent.nda, valid_until=lent.service.clock())


def let_link_expire(lent: Lent) -> None:
    lent.service.clock.advance(hours=72)


@pytest.mark.parametrize(
    ("happens", "status", "reason", "said"),
    [
        (revoke_share, 410, "share-revoked", "Your access was withdrawn"),
        (revoke_document, 410, "document-revoked", "This document was withdrawn"),
        (revoke_link, 410, "link-revoked", "This link was withdrawn"),
        (end_nda, 403, "nda-ended", "There is no agreement in force"),
        (let_link_expire, 410, "link-expired", "This link has expired"),
    ],
)
def test_a_dead_link_says_why_and_leaves_one_entry_a_minute(
    lent: Lent, happens: Callable[[Lent], None], status: int, reason: str, said: str
) -> None:
    happens(lent)
    for method in METHODS:
        answer = lent.browser.open(lent.path, method=method)
        assert answer.status_code == status
        assert method == "HEAD" or said in answer.text
    denied = lent.service.entries("download.denied")
    assert [row["reason"] for row in denied] == [reason]
    assert "download.granted" not in lent.kinds()


def test_a_share_that_has_ended_says_so(service: Service) -> None:
    lent = lend(service)
    with service.sealmark.database.write() as records:
        records.change(lent.share, expires_at=service.clock())
    answer = lent.browser.get(lent.path)
    assert answer.status_code == 410
    assert "Your access has ended" in answer.text


@contextmanager
def refusing(service: Service, monkeypatch: pytest.MonkeyPatch, what: str) -> Iterator[None]:
    """While this holds, the database refuses to `read`, `write` or `grants`."""

    def refuse(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("the database is gone")

    with monkeypatch.context() as patched:
        patched.setattr(service.sealmark.database, what, refuse)
        yield


@pytest.mark.parametrize("what", ["grants", "write"])
def test_without_the_database_nothing_is_served(
    lent: Lent, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    delivery = lent.granted()
    with refusing(lent.service, monkeypatch, what):
        for method, path in (("GET", lent.path), ("POST", lent.path), ("GET", delivery)):
            if what == "write" and method == "POST":
                continue  # the delivery that runs is found without writing
            answer = lent.browser.open(path, method=method)
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "5"
            assert answer.headers["X-Request-Id"] in answer.text
            assert b"%PDF" not in answer.data
    assert lent.kinds() == ["download.granted"]


def test_a_grant_that_cannot_be_recorded_is_no_grant(
    lent_once: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refusing(lent_once.service, monkeypatch, "write"):
        assert lent_once.ask().status_code == 503
    assert lent_once.kinds() == []
    assert lent_once.ask().status_code == 303


def test_without_the_store_nothing_is_served_and_the_send_is_ended(
    lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = lent.granted()

    def refuse(*_: object, **__: object) -> None:
        raise StoreUnavailable("the store is gone")

    with monkeypatch.context() as patched:
        patched.setattr(lent.service.sealmark.store, "read", refuse)
        answer = lent.browser.get(delivery)
    assert answer.status_code == 503
    assert b"%PDF" not in answer.data
    with lent.service.sealmark.database.read() as records:
        assert records.find(Send, ended_at=None) == []
    assert lent.browser.get(delivery).status_code == 200


def test_a_store_that_fails_within_breaks_the_download_off(
    lent: Lent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = lent.granted()
    store = lent.service.sealmark.store
    read = store.read

    def breaking(*given: Any, **named: Any) -> Iterator[bytes]:
        yield from islice(read(*given, **named), 3)
        raise StoreUnavailable("the store is gone")

    with monkeypatch.context() as patched:
        patched.setattr(store, "read", breaking)
        running = lent.begin(path)
        with pytest.raises(ConnectionResetError):
            list(running.body)
        running.close()
    ended = lent.service.entries("download.ended")
    assert [row["outcome"] for row in ended] == ["broken-off"]
    assert token_of(path) not in caplog.text


@pytest.mark.parametrize(
    "mistake",
    [RuntimeError("an inner secret"), DomainError(Problem.WRONG_STATE, "an inner secret")],
    ids=["unforeseen", "of the domain"],
)
def test_a_mistake_of_ours_is_a_page_that_tells_nothing(
    lent: Lent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, mistake: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise mistake

    monkeypatch.setattr(lent.service.sealmark.deliveries, "page", fail)
    answer = lent.browser.get(lent.path)
    assert answer.status_code == 500
    assert "an inner secret" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    assert token_of(lent.path) not in caplog.text


def test_another_host_is_refused_with_a_page(lent: Lent) -> None:
    answer = lent.app.test_client().get(lent.path, base_url="https://elsewhere.example")
    assert answer.status_code == 421
    assert answer.content_type == "text/html; charset=utf-8"
    assert lent.kinds() == []


def test_a_token_that_has_ended_tells_nothing_to_who_forges_its_purpose(lent: Lent) -> None:
    never_made = other_token(lent, share_id=identifiers.new_id("shr", bytes(16)))
    paths = ["/d/" + token_of(lent.path), "/s/" + token_of(lent.granted()), "/s/" + never_made]
    before = lent.kinds()
    lent.service.clock.advance(days=8)

    answers = {path: lent.browser.get(path) for path in paths}

    assert {answer.status_code for answer in answers.values()} == {404}
    assert len({answer.data for answer in answers.values()}) == 1
    assert lent.kinds() == before


def test_an_ended_token_of_a_delivery_that_was_never_made_is_not_authentic(lent: Lent) -> None:
    delivery = identifiers.new_id("dlv", bytes(16))
    path = "/d/" + other_token(lent, link_id=delivery, action=tokens.Action.DELIVER)
    lent.service.clock.advance(days=8)

    assert lent.browser.get(path).status_code == 404
    assert lent.service.entries("download.denied") == []


@contextmanager
def _without_grant(lent: Lent, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Inside the block the state of the share is gone, as if it had been erased."""
    with monkeypatch.context() as patch:
        patch.setattr(lent.service.sealmark.database, "grants", lambda *_: {})
        yield


def test_a_share_that_is_gone_opens_nothing(lent: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = lent.granted()

    with _without_grant(lent, monkeypatch):
        assert lent.browser.get(lent.path).status_code == 404
        assert lent.browser.get(delivery).status_code == 404
    assert lent.browser.get(delivery).status_code == 200


def test_a_share_that_goes_while_its_copy_is_sent_ends_the_download(
    lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = lent.begin(lent.granted())
    next(running.body)
    lent.service.clock.advance(seconds=1)

    with _without_grant(lent, monkeypatch), pytest.raises(ConnectionResetError):
        list(running.body)

    running.close()
    assert lent.service.entries("download.ended")[0]["outcome"] == "revoked"


def test_a_share_that_goes_while_its_copy_is_minted_is_not_granted(
    lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    mint = lent.service.sealmark.copies.mint

    def slowly(allowed: Any) -> Any:
        minted = mint(allowed)
        monkeypatch.setattr(lent.service.sealmark.database, "grants", lambda *_: {})
        return minted

    monkeypatch.setattr(lent.service.sealmark.copies, "mint", slowly)

    assert lent.browser.post(lent.path).status_code == 410
    assert lent.service.entries("download.granted") == []


def test_a_delivery_that_goes_before_it_is_sent_is_over(lent: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lent.granted()
    get = SqlRecords.get

    def gone(records: SqlRecords, kind: type[Any], key: str, /, *, lock: bool = False) -> Any:
        return None if kind is Delivery and lock else get(records, kind, key, lock=lock)

    with monkeypatch.context() as patch:
        patch.setattr(SqlRecords, "get", gone)
        assert lent.browser.get(path).status_code == 410

    assert lent.service.entries("download.begun") == []
    assert lent.service.entries("download.denied")[0]["reason"] == "delivery-over"
