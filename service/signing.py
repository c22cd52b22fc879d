"""Signing on the page: the recipient of a share that waits agrees to the text that is offered now.

What makes the signature is kept as a sealed record and as a row; both sides can have the record (`service.ndafiles`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from crypto import identifiers
from service.audit import MAX_AGENT, Actor, Clock, Details, Random, entry, timestamp
from service.blobs import StoreError
from service.decision import Allowed, Denial, decide
from service.errors import DomainError, Problem, invalid
from service.evidence.signed_record import Signed, signed_record
from service.limits import Limit, Limits, network
from service.names import has_letter
from service.objects import SealedObjects
from service.ports import Database, Grant, Records
from service.records import Nda, NdaState, NdaText, Recipient, SealedObject, Session, Signature

SOURCE = "page"
"""Where the agreement is held: here, as its signature. `ndas.SOURCE` is the form of it."""

CONSENTS = 2
"""To the text, and to signing electronically. Each is given by itself: one for both would be neither."""

MAX_CONSENT = 1000
"""Characters of the sentence of a consent, in whatever language."""

MAX_NAME = 200
"""Characters of a name as it is typed."""

_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""What would make the name read in another order than it was typed in."""

SIGNINGS = Limit("signings", 10, timedelta(hours=1))
"""For one share and mail: who signs does it once; the rest are double clicks and texts that changed."""

SIGNINGS_FROM = Limit("signings-from", 60, timedelta(hours=1))
"""From one network address, for all shares: making a record takes a tenth of a second of a processor."""

TEXT_CHANGED = "text-changed"
"""The `reason` of `DomainError` when another text is offered by now: it is to be read, and signed, anew."""


@dataclass(frozen=True)
class _Act:
    """What one signing is made from."""

    grant: Grant
    text: NdaText
    session: Session
    actor: Actor
    link_hash: str
    name: str
    consents: list[str]
    language: str
    now: datetime


class Signing:
    """Takes signatures. All raise `DatabaseUnavailable`, `StoreError`."""

    def __init__(
        self,
        database: Database,
        objects: SealedObjects,
        limits: Limits,
        organization: str,
        url: str,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._objects = objects
        self._limits = limits
        self._organization = organization
        self._url = url
        self._clock = clock
        self._random = random

    def sign(
        self,
        actor: Actor,
        *,
        share_id: str,
        link_hash: str,
        session: Session,
        text_id: str,
        name: str,
        consents: Sequence[str],
        language: str,
    ) -> Nda:
        """Put this share's recipient under the agreement that they were shown; from then on the share grants.

        `session`: that their mail was checked in this browser; `consents`: the sentences that were ticked, as they
        were shown; `name`: as it was typed, and kept so. Afterwards agreement, signature, sealed record and their
        entries are durable. Signing what is in force already gives that agreement and changes nothing.
        Raises `TooMany`, `DomainError`: invalid (name, consents); wrong-state, whose `reason` is `TEXT_CHANGED` or a
        `Denial`.
        """
        _check_name(name)
        _check_consents(consents)
        self._limits.require((SIGNINGS.of(share_id), session.mail), (SIGNINGS_FROM, network(actor.address)))
        # 1. What is asked for now, by whom.
        now = self._clock()
        with self._database.read() as records:
            grant, signed = self._decided(records, share_id, link_hash, session, now)
            if signed is not None:
                return signed
            text = records.get(NdaText, text_id)
        if text is None or text.id != grant.text_id:
            raise _changed()
        act = _Act(grant, text, session, actor, link_hash, name, list(consents), language, now)
        # 2. The record, in the store before a row names it.
        signature, nda, pdf = self._made(act)
        stored, sha256 = self._objects.put("evidence", "nda", nda.id, [pdf])
        signature, nda = replace(signature, record_sha256=sha256), replace(nda, evidence_id=stored.id)
        # 3. Once more, since that took time; then all of it, in one transaction.
        try:
            with self._database.write() as records:
                # Of two signings one waits here for the other, and then finds it.
                records.get(Recipient, grant.recipient.id, lock=True)
                current, signed = self._decided(records, share_id, link_hash, session, self._clock())
                if signed is None:
                    if current.text_id != text.id:
                        raise _changed()
                    records.add(stored, nda, signature)
                    records.add(*self._entries(act, nda, signature, stored.size))
        except DomainError:
            self._discard(stored)
            raise
        if signed is not None:
            self._discard(stored)
            return signed
        return nda

    def _decided(
        self, records: Records, share_id: str, link_hash: str, session: Session, now: datetime
    ) -> tuple[Grant, Nda | None]:
        """The state of the share that waits for a signature, or with it the agreement that is in force already."""
        grant = self._database.grant(share_id, link_hash, now)
        if grant is None:
            raise _denied(Denial.LINK_REVOKED)
        kept = records.get(Session, session.hash)
        if kept is None or not _is_of(kept, grant, now):
            raise _denied(Denial.MAIL_CHECK)
        decided = decide(grant, now, asking=True, checked=True)
        if decided == Denial.NDA_ASKED:
            return grant, None
        if grant.nda is not None and (isinstance(decided, Allowed) or decided == Denial.NOT_READY):
            return grant, grant.nda
        raise _denied(decided if isinstance(decided, Denial) else Denial.NDA_ENDED)

    def _made(self, act: _Act) -> tuple[Signature, Nda, bytes]:
        """Signature and agreement, still without their record, and the record."""
        recipient, text = act.grant.recipient, act.text
        signature = Signature(
            id=identifiers.new_id("sig", self._random(16)),
            nda_id=identifiers.new_id("nda", self._random(16)),
            text_id=text.id,
            recipient_id=recipient.id,
            share_id=act.grant.share.id,
            name=act.name,
            mail=act.session.mail,
            company=recipient.company,
            address=act.actor.address or "",
            agent=(act.actor.agent or "")[:MAX_AGENT],
            consents=act.consents,
            signed_at=act.now,
            record_sha256="",
        )
        nda = Nda(
            id=signature.nda_id,
            recipient_id=recipient.id,
            domain=None,
            state=NdaState.APPROVED,
            valid_from=act.now,
            valid_until=act.now + timedelta(days=text.days) if text.days else None,
            source=SOURCE,
            reference=signature.id,
            created_at=act.now,
            approved_at=act.now,
            text_id=text.id,
        )
        said = Signed(
            text=text,
            nda=nda,
            signature=signature,
            recipient=recipient,
            document=act.grant.document,
            checked_at=act.session.created_at,
            language=act.language,
            organization=self._organization,
            url=self._url,
        )
        return signature, nda, signed_record(said)

    def _entries(self, act: _Act, nda: Nda, signature: Signature, size: int) -> list[object]:
        about: dict[str, Any] = {"nda": nda.id, "recipient": nda.recipient_id}
        where: dict[str, Any] = {
            "share": signature.share_id,
            "link": act.link_hash,
            "document": act.grant.document.id,
        }
        created: Details = {
            "scope": "person",
            "source": nda.source,
            "from": timestamp(nda.valid_from),
            "until": timestamp(nda.valid_until) if nda.valid_until else None,
        }
        kept: Details = {"sha256": signature.record_sha256, "size": size}
        signed: Details = {
            "text": act.text.id,
            "sha256": act.text.sha256,
            "record": signature.record_sha256,
            "signature": signature.id,
        }
        typed = {"name": signature.name, "mail": signature.mail, "company": signature.company}
        actor, now, random = act.actor, act.now, self._random
        reference = {"reference": nda.reference}
        return [
            entry("nda.created", actor, now, random, details=created, personal=reference, **about),
            entry("nda.evidence", actor, now, random, details=kept, **about),
            entry("nda.approved", actor, now, random, **about),
            entry("nda.signed", actor, now, random, details=signed, personal=typed, **about, **where),
        ]

    def _discard(self, stored: SealedObject) -> None:
        try:
            self._objects.discard(stored)
        except StoreError:
            return  # the sweeper takes what has no row


def _is_of(session: Session, grant: Grant, now: datetime) -> bool:
    """Whether it says that the mail address of this share's recipient was checked, and still holds."""
    recipient = grant.recipient
    where = session.subject in {grant.share.id, grant.share.document_id}  # the link, or the stable address
    theirs = (session.recipient_id, session.mail) == (recipient.id, recipient.mail)
    return where and theirs and now < session.until


def _check_name(name: str) -> None:
    if not has_letter(name):
        raise invalid("name", "Type your full name.")
    if len(name) > MAX_NAME:
        raise invalid("name", f"A name has at most {MAX_NAME} characters here.")
    for character in name:
        hidden = unicodedata.category(character) in _HIDDEN
        if hidden or unicodedata.bidirectional(character) in _BIDI_CONTROLS:
            raise invalid("name", "Remove the control characters.")


def _check_consents(consents: Sequence[str]) -> None:
    given = {sentence for sentence in consents if sentence.strip() and len(sentence) <= MAX_CONSENT}
    if not len(consents) == len(given) == CONSENTS:
        raise invalid("consents", "Each consent is given by itself.")


def _changed() -> DomainError:
    detail = "The text of the agreement has changed meanwhile. Read it again before you sign."
    return DomainError(Problem.WRONG_STATE, detail, reason=TEXT_CHANGED)


def _denied(reason: Denial) -> DomainError:
    return DomainError(Problem.WRONG_STATE, "There is nothing to sign here now.", reason=reason)
