"""Copies: minted once whoever else mints, bound to the stamp that made them, few templates open at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service import copies as copies_module
from service.decision import Allowed, decide
from service.errors import DomainError, Problem
from service.records import Copy, Link
from tests.service_fixture import OPERATOR
from tests.web.recipient.lending import Lent, lend
from watermark.errors import Unmarkable


def allowed(lent: Lent) -> Allowed:
    """The decision as it is now."""
    database, now = lent.service.sealmark.database, lent.service.clock()
    with database.read() as records:
        (link,) = records.find(Link, share_id=lent.share.id)
    grant = database.grant(lent.share.id, link.hash, now)
    assert grant is not None
    decided = decide(grant, now, asking=True)
    assert isinstance(decided, Allowed)
    return decided


def the_copies(lent: Lent) -> list[Copy]:
    with lent.service.sealmark.database.read() as records:
        return records.find(Copy)


def test_who_mints_second_gets_the_copy_that_was_minted_first(lent: Lent) -> None:
    minting = lent.service.sealmark.copies
    before = allowed(lent)
    first = minting.mint(before)

    assert minting.mint(before) == first  # decided before the first was there
    assert the_copies(lent) == [first]


def test_a_copy_that_cannot_be_stored_nor_found_asks_to_try_again(
    lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    minting = lent.service.sealmark.copies
    fixed = minting._random(16)
    monkeypatch.setattr(minting, "_random", lambda size: fixed)
    minting.mint(allowed(lent))
    other = lend_again(lent)

    with pytest.raises(DomainError) as caught:
        minting.mint(allowed(other))  # the id is taken, by another share's copy

    assert caught.value.problem == Problem.BUSY


def lend_again(lent: Lent) -> Lent:
    share, _, link = lent.service.sealmark.sharing.create(
        OPERATOR,
        document_id=lent.document.id,
        mail="bo@acme.example",
        name="Bo Lindqvist",
        company="Acme Freight",
        purpose="another",
    )
    return replace(lent, share=share, path=link.url)


def test_a_copy_of_another_stamp_is_not_sent_as_if_it_were_the_same(
    lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lent.granted()
    monkeypatch.setattr(copies_module, "STAMP_VERSION", copies_module.STAMP_VERSION + 1)

    assert lent.browser.get(path).status_code == 503
    assert "download.begun" not in lent.kinds()


def test_a_copy_whose_template_is_not_there_is_not_sent(lent: Lent) -> None:
    copy = lent.service.sealmark.copies.mint(allowed(lent))

    with pytest.raises(DomainError) as caught:
        lent.service.sealmark.copies.stream(replace(copy, template_id="tpl_none"), 0, copy.length)

    assert caught.value.problem == Problem.UNAVAILABLE


def test_few_templates_stay_open_and_those_that_were_used_last(
    lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies_module, "OPEN_TEMPLATES", 1)
    first = lent.granted()
    second = lend(lent.service, document="Another report")
    other = second.granted()

    for path in (first, other, first):
        assert lent.browser.get(path).status_code == 200
        assert len(lent.service.sealmark.copies._open) == 1


def test_a_name_that_a_template_cannot_take_is_said_as_one(
    lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Unmarkable("name", "too-long", "It has too many glyphs.")

    monkeypatch.setattr(copies_module, "mint", refuse)

    with pytest.raises(DomainError) as caught:
        lent.service.sealmark.copies.mint(allowed(lent))
    assert caught.value.problem == Problem.UNMARKABLE_NAME
    assert the_copies(lent) == []
