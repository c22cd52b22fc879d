"""Requests for access: somebody whose mail address was checked asks for a document; a rule or a person decides.

Approving makes the share in the transaction of the decision and its entry, and puts the message with its link into the
outbox. A rule that cannot make its share (there is no agreement, say) decides nothing: the request waits for a person.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crypto import identifiers
from service.access_rules import life_of, matching
from service.audit import Actor, Clock, Outcome, Random, entry
from service.decision import has_ended
from service.errors import DomainError, Problem, invalid, not_found
from service.granting import used_up
from service.lines import is_line
from service.mail import parse_address
from service.ndas import covering, offered_text_id
from service.outbox import Mail, queue
from service.ports import Database, Records, Taken
from service.recipients import CheckMark, admit, check_markable_person, printable
from service.records import (
    AccessRequest,
    Classification,
    Document,
    NdaMode,
    Recipient,
    RequestState,
    Share,
)
from service.sharing import Sharing
from service.terms import MAX_PURPOSE, Terms

MAX_LANGUAGE = 35
"""Characters of a language tag: what RFC 5646 4.4.1 asks everybody to take."""


@dataclass(frozen=True)
class Policy:
    """What the share of an approved request is to be like."""

    expires_at: datetime | None = None  # None: after `sharing.DEFAULT_SHARE_LIFE`
    download_limit: int | None = None
    pinned_version_id: str | None = None
    nda: NdaMode | None = None  # None: ask where none is in force and there is a text to sign
    view_only: bool = False
    mail_check: bool | None = None  # None: the document's policy


@dataclass(frozen=True)
class Asked:
    """A request and who asks. The request has what they typed, the recipient what the mark says."""

    request: AccessRequest
    recipient: Recipient


class AccessRequests:
    """Takes in, lists and decides requests."""

    def __init__(
        self,
        database: Database,
        sharing: Sharing,
        check_mark: CheckMark,
        require_mail: Callable[[], None],
        clock: Clock,
        random: Random,
    ) -> None:
        """`require_mail` raises `DomainError` where no mail can be sent: then nobody would learn of a decision."""
        self._database = database
        self._sharing = sharing
        self._check_mark = check_mark
        self._require_mail = require_mail
        self._clock = clock
        self._random = random

    def ask(
        self,
        actor: Actor,
        *,
        document_id: str,
        mail: str,
        name: str,
        company: str,
        purpose: str,
        language: str,
    ) -> AccessRequest:
        """The request of whoever has shown that this address is theirs; approved at once where a rule says so.

        Whose request is still pending, or whose approved share still opens, gets that one, unchanged. A rule does not
        give again what its recipient has used up: a person decides. An address that is known under another name is no
        reason to refuse: the mark says what the record says.

        Raises `DomainError`: invalid, unmarkable-name (both with `where`: name, company, purpose or mail); not-found;
        wrong-state (revoked, the recipient was erased meanwhile); busy.
        """
        now = self._clock()
        address = parse_address(mail, "mail").mail
        name = printable(name, "name")
        company = printable(company, "company")
        purpose = _purpose(purpose)
        self._check_markable(name, address, company)
        for _ in range(2):
            try:
                with self._database.write() as records:
                    document = _lendable(records, document_id, now)
                    recipient = self._recipient(records, actor, now, address, name, company, language)
                    before = self._standing(records, recipient, document)
                    if before is not None:
                        return before
                    request = AccessRequest(
                        id=identifiers.new_id("acc", self._random(16)),
                        document_id=document.id,
                        recipient_id=recipient.id,
                        name=name,
                        company=company,
                        purpose=purpose,
                        language=_language(language),
                        state=RequestState.PENDING,
                        created_at=now,
                    )
                    records.add(request)
                    said = {"mail": recipient.mail, "name": name, "company": company, "purpose": purpose}
                    self._record(records, "access.requested", actor, now, request, personal=said)
                    if _has_used_up(records, recipient, document, now):
                        return request
                    return self._by_rule(records, actor, now, request, recipient, document)
            except Taken:  # somebody made the same recipient meanwhile: once more, with theirs
                continue
        raise DomainError(Problem.BUSY, "The same recipient is being made by another call. Try again.")

    def waits(self, document_id: str, mail: str) -> bool:
        """Whether a request of this address for this document is pending."""
        with self._database.read() as records:
            known = records.find(Recipient, mail=parse_address(mail).mail, limit=1)
            return bool(known) and bool(
                records.find(
                    AccessRequest,
                    recipient_id=known[0].id,
                    document_id=document_id,
                    state=RequestState.PENDING,
                    limit=1,
                )
            )

    def get(self, request_id: str) -> Asked:
        """One request. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            request = records.get(AccessRequest, request_id)
            if request is None:
                raise not_found("request", request_id)
            return _with_recipients(records, [request])[0]

    def list(
        self,
        *,
        state: RequestState | None = None,
        document: str | None = None,
        recipient: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Sequence[Asked]:
        """Requests in order of their id, those after `after`."""
        given = {"state": state, "document_id": document, "recipient_id": recipient, "id__gt": after}
        where: dict[str, Any] = {name: value for name, value in given.items() if value}
        with self._database.read() as records:
            return _with_recipients(records, records.find(AccessRequest, order="id", limit=limit, **where))

    def approve(self, actor: Actor, request_id: str, policy: Policy | None = None) -> Asked:
        """Approve a pending request: share, entries and message come with the decision, or none of them.

        Raises `DomainError`: not-found, wrong-state (decided before, revoked, not ready), invalid, nda-required,
        mail-not-configured.
        """
        now = self._clock()
        with self._database.write() as records:
            request, recipient = self._pending(records, request_id)
            document = _lendable(records, request.document_id, now)
            approved = self._approve(records, actor, now, request, recipient, document, policy or Policy())
        return Asked(approved, recipient)

    def deny(self, actor: Actor, request_id: str) -> Asked:
        """Deny a pending request, and tell who asked.

        Raises `DomainError`: not-found, wrong-state, mail-not-configured.
        """
        now = self._clock()
        with self._database.write() as records:
            request, recipient = self._pending(records, request_id)
            self._require_mail()
            denied = records.change(request, state=RequestState.DENIED, decided_at=now) or request
            self._record(records, "access.denied", actor, now, request, outcome="denied")
            self._queue(records, now, Mail.DENIED, request, recipient)
        return Asked(denied, recipient)

    def _by_rule(
        self,
        records: Records,
        actor: Actor,
        now: datetime,
        request: AccessRequest,
        recipient: Recipient,
        document: Document,
    ) -> AccessRequest:
        """The request, approved by the first rule that can make its share."""
        service = Actor("worker", request=actor.request)  # who asks does not decide
        for rule in matching(records, document, recipient, now):
            public = document.classification == Classification.PUBLIC
            policy = Policy(
                expires_at=now + life_of(rule),
                download_limit=rule.download_limit,
                nda=NdaMode.REQUIRE if public else rule.nda,
                view_only=rule.view_only,
            )
            try:
                with self._database.write() as within:
                    return self._approve(
                        within, service, now, request, recipient, document, policy, rule_id=rule.id
                    )
            except DomainError:
                continue
        return request

    def _approve(
        self,
        records: Records,
        actor: Actor,
        now: datetime,
        request: AccessRequest,
        recipient: Recipient,
        document: Document,
        policy: Policy,
        rule_id: str | None = None,
    ) -> AccessRequest:
        self._require_mail()
        terms = Terms(
            expires_at=policy.expires_at,
            download_limit=policy.download_limit,
            pinned_version_id=policy.pinned_version_id,
            nda=policy.nda or _nda_mode(records, document, recipient, now),
            view_only=policy.view_only,
            mail_check=policy.mail_check,
        )
        share = self._sharing.lend(records, actor, now, recipient, document.id, request.purpose, terms)
        approved = records.change(
            request, state=RequestState.APPROVED, decided_at=now, rule_id=rule_id, share_id=share.id
        )
        self._record(
            records, "access.approved", actor, now, request, details={"rule": rule_id}, share=share.id
        )
        self._queue(records, now, Mail.APPROVED, request, recipient)
        return approved or request

    def _recipient(
        self,
        records: Records,
        actor: Actor,
        now: datetime,
        mail: str,
        name: str,
        company: str,
        language: str,
    ) -> Recipient:
        """The recipient of this address as the record has them, held until the transaction ends; or a new one."""
        known = records.find(Recipient, mail=mail, limit=1)
        if known:
            name, company = known[0].name, known[0].company
        recipient = admit(records, actor, now, self._random, mail=mail, name=name, company=company)
        spoken = _language(language)
        if spoken and not recipient.language:
            return records.change(recipient, language=spoken) or recipient
        return recipient

    def _standing(self, records: Records, recipient: Recipient, document: Document) -> AccessRequest | None:
        """An earlier request of theirs that is pending, or whose share still opens."""
        earlier = records.find(
            AccessRequest,
            order="-created_at",
            recipient_id=recipient.id,
            document_id=document.id,
            state__ne=RequestState.DENIED,
        )
        for request in earlier:
            if request.state == RequestState.PENDING:
                return request
            if request.share_id and self._sharing.still_open(records, request.share_id):
                return request
        return None

    def _pending(self, records: Records, request_id: str) -> tuple[AccessRequest, Recipient]:
        """A request that waits for its decision, and who asks; nobody else decides it or erases them meanwhile."""
        found = records.get(AccessRequest, request_id)
        if found is None:
            raise not_found("request", request_id)
        # The recipient first, as everywhere.
        recipient = records.get(Recipient, found.recipient_id, lock=True)
        request = records.get(AccessRequest, request_id, lock=True)
        if recipient is None or request is None:
            raise not_found("request", request_id)
        if request.state != RequestState.PENDING:
            raise DomainError(
                Problem.WRONG_STATE,
                f"This request is {request.state} already, and a request is decided once.",
                state=request.state,
            )
        return request, recipient

    def _check_markable(self, name: str, mail: str, company: str) -> None:
        try:
            check_markable_person(self._check_mark, name, mail, company)
        except DomainError as error:
            if error.problem != Problem.UNMARKABLE_NAME:
                raise
            where = str(error.fields.get("field", "name"))
            raise DomainError(error.problem, error.detail, **error.fields, where=where) from error

    def _record(
        self,
        records: Records,
        kind: str,
        actor: Actor,
        now: datetime,
        request: AccessRequest,
        *,
        outcome: Outcome = "ok",
        details: Mapping[str, str | None] | None = None,
        personal: Mapping[str, str | None] | None = None,
        share: str | None = None,
    ) -> None:
        made = entry(
            kind,
            actor,
            now,
            self._random,
            outcome=outcome,
            details={"access": request.id, **(details or {})},
            personal=personal,
            document=request.document_id,
            recipient=request.recipient_id,
            share=share,
        )
        records.add(made)

    def _queue(
        self, records: Records, now: datetime, kind: Mail, request: AccessRequest, recipient: Recipient
    ) -> None:
        queue(
            records,
            self._random,
            now,
            kind=kind,
            about=request.id,
            mail=recipient.mail,
            language=request.language,
            recipient_id=recipient.id,
        )


def _lendable(records: Records, document_id: str, now: datetime) -> Document:
    document = records.get(Document, document_id)
    if document is None:
        raise not_found("document", document_id)
    if document.revoked_at:
        raise DomainError(Problem.WRONG_STATE, "This document is revoked: it is lent to nobody any more.")
    if has_ended(document, now):
        raise DomainError(
            Problem.WRONG_STATE, "This document is past its last day: it is lent to nobody any more."
        )
    return document


def _has_used_up(records: Records, recipient: Recipient, document: Document, now: datetime) -> bool:
    """Whether a share in force of this document leaves them no download."""
    theirs = records.find(
        Share, document_id=document.id, recipient_id=recipient.id, revoked_at=None, expires_at__gt=now
    )
    return any(used_up(share) for share in theirs)


def _nda_mode(records: Records, document: Document, recipient: Recipient, now: datetime) -> NdaMode:
    """Ask only where it is needed and can be done: who asks must also have their mail checked."""
    needless = document.classification == Classification.PUBLIC or covering(records, recipient, now)
    return NdaMode.REQUIRE if needless or offered_text_id(records) is None else NdaMode.ASK


def _with_recipients(records: Records, requests: Sequence[AccessRequest]) -> list[Asked]:
    ids = sorted({request.recipient_id for request in requests})
    known = {found.id: found for found in records.find(Recipient, id__in=ids)} if ids else {}
    return [Asked(request, known[request.recipient_id]) for request in requests]


def _purpose(text: str) -> str:
    """The purpose on one line. Raises `DomainError` (invalid)."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if not is_line(line):
        raise invalid("purpose", "Remove the control characters.")
    if not 1 <= len(line) <= MAX_PURPOSE:
        raise invalid("purpose", f"Say in 1 to {MAX_PURPOSE} characters what you need the document for.")
    return line


def _language(tag: str) -> str:
    """The tag if it can be one, else nothing: it comes from a browser."""
    fits = len(tag) <= MAX_LANGUAGE and tag.isascii() and tag.replace("-", "").isalnum()
    return tag if fits else ""
