"""Downloads that are wanted at the same moment: each is decided for itself, charged once, and has its entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from crypto.errors import CanonicalError
from service.decision import Allowed, Denial, decide, end_of
from service.granting import Granting, _Wanted
from service.ports import DatabaseUnavailable
from service.records import Copy, Delivery, Link, Share
from tests.attacks.wholeness import require_whole
from tests.service.test_sweeping import a_copy
from tests.service_fixture import OPERATOR, Service

SHARES = 12

Wanted = tuple[Allowed, Copy, Link]


@pytest.fixture
def wanted(service: Service) -> list[Wanted]:
    """As many shares of one document, each with its link and copy; the second is revoked."""
    copy = a_copy(service)
    database, now = service.sealmark.database, service.clock()
    with database.read() as records:
        share, link = records.find(Share)[0], records.find(Link)[0]
    grant = database.grant(share.id, link.hash, now)
    assert grant is not None
    allowed = decide(grant, now, asking=True)
    assert isinstance(allowed, Allowed)
    made: list[Wanted] = []
    for number in range(SHARES):
        revoked = now if number == 1 else None
        one = replace(share, id=f"shr_{number}", revoked_at=revoked, download_limit=1)
        parts = (
            replace(copy, id=f"cpy_{number}", share_id=one.id),
            replace(link, hash=str(number), share_id=one.id),
        )
        with database.write() as records:
            records.add(one, *parts)
        made.append((replace(allowed, share=one), *parts))
    return made


def _take(service: Service, wanted: Sequence[Wanted]) -> list[Delivery | Denial]:
    """All at once."""
    granting = Granting(
        service.sealmark.database, service.sealmark.keys, service.clock, service.sealmark.random
    )
    together = Barrier(len(wanted))

    def take(one: Wanted) -> Delivery | Denial:
        together.wait()
        return granting.take(*one, OPERATOR)

    with ThreadPoolExecutor(len(wanted)) as pool:
        return list(pool.map(take, wanted))


def test_a_download_ends_with_the_last_day_of_its_document(service: Service, wanted: list[Wanted]) -> None:
    document = wanted[0][0].document
    service.sealmark.documents.change(OPERATOR, document.id, ends=service.clock().date())
    end = end_of(service.sealmark.documents.get(document.id))
    assert end is not None
    service.clock.now = end - timedelta(minutes=3)
    (got,) = _take(service, wanted[:1])
    assert isinstance(got, Delivery)
    assert got.until == end


def _wanted(one: Wanted) -> _Wanted:
    return _Wanted(*one, OPERATOR)


def test_each_gets_its_own_and_a_denied_one_denies_no_other(service: Service, wanted: list[Wanted]) -> None:
    got = _take(service, wanted)

    assert got[1] == Denial.SHARE_REVOKED
    for (allowed, copy, link), delivery in zip(wanted, got, strict=True):
        if isinstance(delivery, Delivery):
            parts = delivery.share_id, delivery.copy_id, delivery.link_hash
            assert parts == (allowed.share.id, copy.id, link.hash)
    granted = require_whole(service.sealmark).of("download.granted")
    assert Counter(leaf["share"] for leaf in granted) == {
        allowed.share.id: 1 for number, (allowed, _, _) in enumerate(wanted) if number != 1
    }


def test_the_same_share_is_charged_once(service: Service, wanted: list[Wanted]) -> None:
    got = _take(service, [wanted[0]] * 16)

    assert len({delivery.id for delivery in got if isinstance(delivery, Delivery)}) == 1
    assert len(require_whole(service.sealmark).of("download.granted")) == 1


def test_one_that_breaks_the_transaction_of_all_fails_alone(service: Service, wanted: list[Wanted]) -> None:
    allowed, copy, link = wanted[3]
    unfit = (allowed, replace(copy, id="half of a pair \ud800"), link)

    granting = Granting(
        service.sealmark.database, service.sealmark.keys, service.clock, service.sealmark.random
    )
    asked = [_wanted(wanted[2]), _wanted(unfit), _wanted(wanted[4])]
    assert granting._take_together(asked) == [None, None, None]

    with pytest.raises(CanonicalError):
        granting.take(*unfit, OPERATOR)
    assert all(isinstance(granting.take(*one, OPERATOR), Delivery) for one in (wanted[2], wanted[4]))
    assert len(require_whole(service.sealmark).of("download.granted")) == 2


def test_without_the_database_nobody_gets_anything(
    service: Service, wanted: list[Wanted], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Any:
        raise DatabaseUnavailable("the database is gone")

    with monkeypatch.context() as patched:
        patched.setattr(service.sealmark.database, "write", refuse)
        with pytest.raises(DatabaseUnavailable):
            _take(service, wanted)
    assert require_whole(service.sealmark).of("download.granted") == []
    assert isinstance(_take(service, wanted)[0], Delivery)
