"""Gathering: what is held back is found by its key, written once and in order, and dropped without a trace."""

from __future__ import annotations

import pytest

from service.gathering import Gathered
from service.recipients import admit
from service.records import Nda, NdaState, Recipient, Share
from tests.service.acting import an_nda
from tests.service_fixture import OPERATOR, Service


def ana(service: Service, gathered: Gathered) -> Recipient:
    """Ana, made but not written yet."""
    sealmark = service.sealmark
    who = {"mail": "ana@acme.example", "name": "Ana Example", "company": "Acme"}
    return admit(gathered, OPERATOR, service.clock(), sealmark.random, **who)


def test_what_is_gathered_is_found_by_its_key_until_it_is_dropped(service: Service) -> None:
    with service.sealmark.database.write() as records:
        gathered = Gathered(records)
        mark = gathered.mark()
        made = ana(service, gathered)
        assert gathered.get(Recipient, made.id) == made
        assert gathered.get(Share, made.id) is None  # an id is one of its kind alone
        assert gathered.find(Share, recipient_id=made.id) == []
        gathered.drop(mark)
        assert gathered.get(Recipient, made.id) is None
        gathered.write()
        assert records.find(Recipient) == []
    assert service.entries("recipient.created") == []


def test_what_was_read_ahead_is_asked_for_anew_where_more_is_asked_of_it(service: Service) -> None:
    own = {"domain": None, "mail": "ana@acme.example", "name": "Ana Example", "company": "Acme"}
    approved, pending = an_nda(service, **own), an_nda(service, **own, approved=False)
    with service.sealmark.database.read() as records:
        gathered = Gathered(records, dry=True)
        (person,) = gathered.look_ahead(Recipient, "mail", ["ana@acme.example", "bo@acme.example"])
        assert gathered.find(Recipient, mail="bo@acme.example") == []
        gathered.look_ahead(Nda, "recipient_id", [person.id])
        assert {nda.id for nda in gathered.find(Nda, recipient_id=person.id)} == {approved.id, pending.id}
        chosen = gathered.find(Nda, recipient_id=person.id, state=NdaState.APPROVED)
        assert [nda.id for nda in chosen] == [approved.id]


def test_what_is_gathered_dry_is_never_written(service: Service) -> None:
    with service.sealmark.database.write() as records:
        gathered = Gathered(records, dry=True)
        ana(service, gathered)
        with pytest.raises(RuntimeError, match="never written"):
            gathered.write()
        assert records.find(Recipient) == []
    assert service.entries("recipient.created") == []
