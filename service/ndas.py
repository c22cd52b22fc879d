"""Agreements: what puts a recipient, or all people of a company's mail domain, under NDA.

Terms never change: other terms are a new record. Any one in force suffices; when one is revoked or has run out,
the shares that no other covers end with it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

from crypto import identifiers
from service.along import end_along
from service.audit import Actor, Clock, Details, Random, entry, timestamp
from service.blobs import StoreError
from service.errors import DomainError, Problem, invalid, not_found
from service.freemail import is_shared
from service.lines import is_line
from service.mail import parse_domain
from service.objects import Digest, SealedObjects
from service.ports import Database, Records
from service.recipients import CheckMark, admit, check_markable_person
from service.records import (
    Classification,
    Document,
    Nda,
    NdaMode,
    NdaState,
    NdaText,
    Recipient,
    SealedObject,
    Share,
)

MAX_EVIDENCE = 20 * 1024 * 1024
"""Bytes of a signed agreement: a scan of some thirty pages."""

PDF_HEADER_WITHIN = 1024
"""Bytes within which `%PDF-` must begin, as readers accept it."""

SOURCE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Ndas:
    """Adds, approves and revokes agreements, with their evidence."""

    def __init__(
        self,
        database: Database,
        objects: SealedObjects,
        check_mark: CheckMark,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._objects = objects
        self._check_mark = check_mark
        self._clock = clock
        self._random = random

    def add(
        self,
        actor: Actor,
        *,
        mail: str | None = None,
        name: str = "",
        company: str = "",
        domain: str | None = None,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        source: str,
        reference: str = "",
        approved: bool = False,
    ) -> Nda:
        """A new agreement of one person (`mail`, `name`) or of one company (`domain`), pending unless `approved`.

        Raises `DomainError` (invalid, recipient-conflict, unmarkable-name: a person who could not be shared with).
        """
        now = self._clock()
        start = valid_from or now
        if (mail is None) == (domain is None):
            raise invalid("mail", "An agreement covers either a person (mail) or a company (domain).")
        if valid_until is not None and valid_until <= start:
            raise invalid("valid_until", "An agreement ends after it begins.")
        if not SOURCE.fullmatch(source):
            raise invalid("source", "Name the system that holds it in a-z, 0-9 and -, such as ironclad.")
        if len(reference) > 200 or not is_line(reference):
            raise invalid("reference", "A reference has at most 200 characters, and no control characters.")
        if mail is not None:
            check_markable_person(self._check_mark, name, mail, company)
        covered_domain = company_domain(domain) if domain is not None else None
        with self._database.write() as records:
            recipient_id = None
            if mail is not None:
                person = admit(records, actor, now, self._random, mail=mail, name=name, company=company)
                recipient_id = person.id
            nda = Nda(
                id=identifiers.new_id("nda", self._random(16)),
                recipient_id=recipient_id,
                domain=covered_domain,
                state=NdaState.APPROVED if approved else NdaState.PENDING,
                valid_from=start,
                valid_until=valid_until,
                source=source,
                reference=reference,
                created_at=now,
                approved_at=now if approved else None,
            )
            records.add(nda)
            details = {
                "scope": "person" if recipient_id else "company",
                "source": source,
                "from": timestamp(start),
                "until": timestamp(valid_until) if valid_until else None,
            }
            personal = {"reference": reference, "company": covered_domain}
            self._record(records, "nda.created", actor, now, nda, details=details, personal=personal)
            if approved:
                self._record(records, "nda.approved", actor, now, nda)
        return nda

    def attach_evidence(self, actor: Actor, nda_id: str, chunks: Iterable[bytes]) -> Nda:
        """Seal the signed PDF as the agreement's evidence; it is never replaced. The same bytes again change nothing.

        Raises `DomainError` (not-found, wrong-state, too-large, invalid), `SealBroken`, `StoreError`.
        """
        nda = self.get(nda_id)
        if nda.evidence_id:
            digest = Digest()
            deque(digest.over(_evidence(chunks)), maxlen=0)
            self._require_same(nda, digest.sha256)
            return nda
        stored, sha256 = self._objects.put("evidence", "nda", nda.id, _evidence(chunks))
        now = self._clock()
        try:
            with self._database.write() as records:
                current = self._locked(records, nda.id)
                if current.evidence_id is None:
                    records.add(stored)
                    details: Details = {"sha256": sha256, "size": stored.size}
                    self._record(records, "nda.evidence", actor, now, current, details=details)
                    return records.change(current, evidence_id=stored.id) or current
        except DomainError:
            self._discard(stored)
            raise
        self._discard(stored)  # another call has attached it meanwhile
        self._require_same(current, sha256)
        return current

    def approve(self, actor: Actor, nda_id: str) -> Nda:
        """Put a pending agreement in force; approving it again changes nothing."""
        now = self._clock()
        with self._database.write() as records:
            nda = self._locked(records, nda_id)
            if nda.state == NdaState.APPROVED:
                return nda
            if nda.state == NdaState.REVOKED:
                raise DomainError(
                    Problem.WRONG_STATE,
                    "A revoked agreement stays revoked: add the new one.",
                    state=nda.state,
                )
            changed = records.change(nda, state=NdaState.APPROVED, approved_at=now)
            self._record(records, "nda.approved", actor, now, nda)
        return changed or nda

    def revoke(self, actor: Actor, nda_id: str) -> Nda:
        """End an agreement at once, and with it the shares that no other covers."""
        now = self._clock()
        with self._database.write() as records:
            nda = self._locked(records, nda_id)
            if nda.state == NdaState.REVOKED:
                return nda
            changed = records.change(nda, state=NdaState.REVOKED, revoked_at=now)
            self._record(records, "nda.revoked", actor, now, nda)
            end_uncovered(records, actor, now, self._random, nda)
        return changed or nda

    def get(self, nda_id: str) -> Nda:
        """One agreement. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            found = records.get(Nda, nda_id)
        if found is None:
            raise not_found("agreement", nda_id)
        return found

    def list(
        self,
        *,
        recipient: str | None = None,
        domain: str | None = None,
        state: NdaState | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> list[Nda]:
        """Agreements in order of their id, those after `after`."""
        where: dict[str, Any] = {}
        if recipient:
            where["recipient_id"] = recipient
        if domain:
            where["domain"] = parse_domain(domain)
        if state:
            where["state"] = state
        if after:
            where["id__gt"] = after
        with self._database.read() as records:
            return records.find(Nda, order="id", limit=limit, **where)

    def ending(self, within: timedelta) -> Sequence[Nda]:
        """Agreements in force that end within this time, the next one first."""
        now = self._clock()
        with self._database.read() as records:
            return records.find(
                Nda,
                order="valid_until",
                state=NdaState.APPROVED,
                valid_until__gt=now,
                valid_until__le=now + within,
            )

    def _locked(self, records: Records, nda_id: str) -> Nda:
        nda = records.get(Nda, nda_id, lock=True)
        if nda is None:
            raise not_found("agreement", nda_id)
        return nda

    def _record(
        self,
        records: Records,
        kind: str,
        actor: Actor,
        now: datetime,
        nda: Nda,
        *,
        details: Details | None = None,
        personal: Mapping[str, str | None] | None = None,
    ) -> None:
        made = entry(
            kind,
            actor,
            now,
            self._random,
            details=details,
            personal=personal,
            nda=nda.id,
            recipient=nda.recipient_id,
        )
        records.add(made)

    def _discard(self, stored: SealedObject) -> None:
        try:
            self._objects.discard(stored)
        except StoreError:
            return  # the sweeper takes what has no row

    def _require_same(self, nda: Nda, sha256: str) -> None:
        """Raise `DomainError` (wrong-state) unless this is the evidence that is kept."""
        with self._database.read() as records:
            stored = records.get(SealedObject, nda.evidence_id or "")
        kept = Digest()
        deque(kept.over(self._objects.open(stored).read() if stored else ()), maxlen=0)
        if kept.sha256 != sha256:
            detail = "This agreement has its evidence, which is never replaced: add a new agreement."
            raise DomainError(Problem.WRONG_STATE, detail)


def covering(records: Records, recipient: Recipient, now: datetime) -> Nda | None:
    """An agreement in force for this recipient now, if there is one."""
    covers: tuple[dict[str, Any], ...] = ({"recipient_id": recipient.id}, {"domain": recipient.domain})
    for where in covers:
        found = records.find(Nda, order="-created_at", state=NdaState.APPROVED, valid_from__le=now, **where)
        for nda in found:
            outdated = nda.text_id is not None and nda.text_id != offered_text_id(records)
            if not outdated and (nda.valid_until is None or now < nda.valid_until):
                return nda
    return None


def offered_text_id(records: Records) -> str | None:
    """The text of the agreement that is signed on the page now, if there is one."""
    newest = records.find(NdaText, order="-number", limit=1)
    return newest[0].id if newest else None


def was_revoked(records: Records, recipient: Recipient) -> bool:
    """Whether an agreement of this recipient or their company was: then none is offered on the page any more."""
    theirs: tuple[dict[str, Any], ...] = ({"recipient_id": recipient.id}, {"domain": recipient.domain})
    return any(records.find(Nda, limit=1, state=NdaState.REVOKED, **where) for where in theirs)


def has_signed(records: Records, recipient: Recipient) -> bool:
    """Whether this recipient has signed on the page, be it another text: then they are asked again there."""
    return bool(records.find(Nda, limit=1, recipient_id=recipient.id, text_id__ne=None))


def end_uncovered(records: Records, actor: Actor, now: datetime, random: Random, nda: Nda) -> int:
    """End the open shares of `nda` documents that this ended agreement covered and no other covers; how many.

    What can be signed for on the page is not ended: it waits. What nobody may sign for any more is ended with the rest.
    """
    where: dict[str, Any] = {"id": nda.recipient_id} if nda.recipient_id else {"domain": nda.domain}
    ended = 0
    for recipient in records.find(Recipient, **where):
        if covering(records, recipient, now):
            continue
        offered, signed = not was_revoked(records, recipient), has_signed(records, recipient)
        for share in records.find(Share, recipient_id=recipient.id, revoked_at=None, expires_at__gt=now):
            document = records.get(Document, share.document_id)
            if document is None or document.classification == Classification.PUBLIC:
                continue
            if offered and (share.nda == NdaMode.ASK or signed):
                continue  # it waits for a new signature
            ended_now: dict[str, Any] = {"revoked_at": now, "revoked_reason": "nda-ended"}
            if records.change(share, expect={"revoked_at": None}, **ended_now) is None:
                continue  # it went along with one that has just ended
            records.add(
                entry(
                    "share.revoked",
                    actor,
                    now,
                    random,
                    reason="nda-ended",
                    share=share.id,
                    document=share.document_id,
                    recipient=recipient.id,
                    nda=nda.id,
                )
            )
            end_along(records, actor, now, random, share.id)
            ended += 1
    return ended


def company_domain(domain: str) -> str:
    """The domain in its one form. Raises `DomainError` (invalid) for one in which anybody can have an address."""
    parsed = parse_domain(domain)
    if is_shared(parsed):
        detail = "Anybody can have an address there, so it is no company's: cover the person by their mail."
        raise invalid("domain", detail)
    return parsed


def _evidence(chunks: Iterable[bytes]) -> Iterable[bytes]:
    """The chunks as they are; raises `DomainError` when they are too many, or no PDF."""
    stream = iter(chunks)
    head = b""
    for chunk in stream:
        head += chunk
        if len(head) >= PDF_HEADER_WITHIN:
            break
    if b"%PDF-" not in head[:PDF_HEADER_WITHIN]:
        raise invalid("file", "The evidence is the signed agreement as a PDF file.")
    size = 0
    for chunk in chain([head], islice(stream, None)):
        size += len(chunk)
        if size > MAX_EVIDENCE:
            detail = f"A signed agreement has at most {MAX_EVIDENCE} bytes: scan it at a lower resolution."
            raise DomainError(Problem.TOO_LARGE, detail, limit=MAX_EVIDENCE)
        yield chunk
