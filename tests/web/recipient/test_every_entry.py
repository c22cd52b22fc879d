"""One service goes through all that may happen to it: each kind of entry is made by what it names, and only then."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from crypto import api_keys
from service.access import Scope
from service.audit import KINDS
from service.errors import DomainError
from service.facts import Facts
from service.log import LogFilter
from service.masterkeys import RETIRE_AFTER
from service.records import Classification, Kind, NamedKey
from service.sweeping import ORPHAN_AGE
from service.tallies import sum_up
from tests.service_fixture import OPERATOR
from tests.web.recipient.lending import Lent

ELSEWHERE = {
    "log.recovered",  # tests/service/test_recovering.py
    *(
        "evidence.pulled",
        "hold.placed",
        "hold.released",
        "log.archived",
        "nda.evidence-erased",
        "recipient.erased",
    ),
    *("access.approved", "access.denied", "access.requested", "rule.created", "rule.listed", "rule.removed"),
    *("public.downloaded", "public.throttled"),  # tests/web/recipient/test_trust.py
    *("document.changed", "requests.limited"),
    *("mail.failed", "mail.sent"),
    *("mail-check.failed", "mail-check.passed"),
    *("nda-text.created", "nda.record-pulled", "nda.signed", "nda.timestamped"),
    "share.changed",  # tests/service/test_along.py
    "page.drawn",  # tests/web/recipient/test_viewing.py
    *("batch.begun", "batch.ended"),
    *("cut.created", "cut.ready", "cut.refused"),
    *("staff.denied", "staff.signed-in", "staff.signed-out"),  # tests/web/console/test_signing_in.py
    *("webhook.created", "webhook.failed", "webhook.removed", "webhook.replayed"),
}
"""Kinds that are made in tests of their own: what they need would end this service's life."""

BEGIN = [
    *["document.created", "version.created", "version.uploaded", "version.ready"],
    *["nda.created", "nda.approved", "recipient.created", "share.created", "link.created"],
]


def test_each_kind_of_entry_is_made_by_what_it_names(lent: Lent) -> None:
    service, sealmark = lent.service, lent.service.sealmark
    seen: Counter[str] = Counter()

    def new() -> list[str]:
        """The kinds of the entries since it was last asked, sorted."""
        now = Counter(row["kind"] for row in service.entries())
        found = sorted((now - seen).elements())
        seen.update(now - seen)
        return found

    with sealmark.database.read() as records:
        named = len(records.find(NamedKey))
    assert new() == sorted(BEGIN + ["key.created"] * (named + 1))  # and the master key

    lent.browser.get(lent.path)
    assert new() == ["page.viewed"]
    delivery = lent.granted()
    assert new() == ["download.granted"]
    lent.browser.get(delivery)
    assert new() == ["download.begun", "download.ended"]

    other = sealmark.documents.create(
        OPERATOR, name="S", kind=Kind.SOC3, classification=Classification.NDA, owner_mail="o@lender.example"
    )
    sealmark.documents.classify(OPERATOR, other.id, Classification.PUBLIC)
    assert new() == ["document.classified", "document.created"]
    version = sealmark.documents.add_version(OPERATOR, other.id, Facts())
    with pytest.raises(DomainError):
        sealmark.documents.upload(OPERATOR, other.id, version.id, [])
    assert new() == ["version.created", "version.refused"]
    sealmark.documents.upload(OPERATOR, other.id, version.id, [b"no PDF"])
    service.work()
    assert new() == ["version.refused", "version.uploaded"]
    sealmark.documents.revoke(OPERATOR, other.id)
    assert new() == ["document.revoked"]

    sealmark.ndas.attach_evidence(OPERATOR, lent.nda.id, [b"%PDF-1.7 signed"])
    assert new() == ["nda.evidence"]
    sealmark.sharing.link(OPERATOR, lent.share.id)
    assert new() == ["link.created"]
    sealmark.sharing.send(OPERATOR, lent.share.id)
    assert new() == ["link.queued"]
    sealmark.ndas.revoke(OPERATOR, lent.nda.id)
    assert new() == ["nda.revoked", "share.revoked"]
    lent.browser.get(lent.path)
    assert new() == ["download.denied"]

    text = service.api_key(Scope.LOG_READ)
    assert new() == ["api-key.created"]
    sealmark.api_keys.revoke(OPERATOR, api_keys.api_key_id(text))
    assert new() == ["api-key.revoked"]
    sealmark.log.page(OPERATOR, LogFilter())
    assert new() == ["log.pulled"]

    old = sealmark.keyfile.keyring().current.id
    sealmark.master_keys.rotate(OPERATOR)
    assert new() == ["key.rotated"]
    service.clock.now += RETIRE_AFTER
    sealmark.master_keys.retire(OPERATOR, old)
    assert new() == ["key.retired"]

    lent.browser.get("/s/nothing")
    sealmark.tallies.hand_over()
    sum_up(sealmark.database, service.clock(), sealmark.random)
    assert new() == ["requests.unauthentic"]
    sealmark.objects.put("original", "version", "ver_1", [b"nobody's"])
    newest = max(blob.modified for blob in sealmark.store.list(""))
    service.clock.now = newest + ORPHAN_AGE + timedelta(seconds=1)
    sealmark.sweeping.trash_orphans()
    assert new() == ["store.swept"]

    service.clock.advance(hours=1)
    sealmark.checkpoints.run_once()
    assert new() == ["log.heartbeat"]

    assert set(seen) == set(KINDS) - ELSEWHERE
