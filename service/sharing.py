"""Shares and links: the decision that one recipient may have one document, and the URLs that lead to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from crypto import identifiers, tokens
from service.along import WITH_REPORT, end_along, lend_along, letters_of
from service.audit import Actor, Clock, Details, Random, entry, timestamp
from service.decision import end_of, has_ended
from service.ends import in_effect, open_shares
from service.errors import DomainError, Problem, invalid, not_found
from service.granting import running, used_up
from service.keys import NamedKeys
from service.ndas import covering, has_signed, offered_text_id, was_revoked
from service.outbox import Mail, no_mail, queue
from service.ports import Database, Records, Taken
from service.recipients import CheckMark, admit, check_markable_person
from service.records import (
    Classification,
    Cut,
    CutState,
    Document,
    Link,
    MailCheck,
    Message,
    NdaMode,
    Recipient,
    Share,
    Version,
    VersionState,
)
from service.terms import DEFAULT_SHARE_LIFE, Terms, check_terms, mail_checked, why_checked

DEFAULT_LINK_LIFE = timedelta(hours=72)
MAX_LINK_LIFE = timedelta(seconds=tokens.MAX_LIFE)
FOREVER = datetime.max.replace(tzinfo=UTC)


WORKER = Actor("worker")


NO_MAIL_TO_SEND = (
    "No mail can be sent here, so the link cannot be mailed: set SEALMARK_SMTP and SEALMARK_MAIL_FROM, or ask without "
    "`send` and hand on the link of the answer."
)


@dataclass(frozen=True)
class NewLink:
    """A link as it is handed out, this once."""

    url: str
    expires_at: datetime
    hash: str


class Sharing:
    """Makes, lists and revokes shares, and signs links for them."""

    def __init__(
        self,
        database: Database,
        keys: NamedKeys,
        check_mark: CheckMark,
        base_url: str,
        clock: Clock,
        random: Random,
        *,
        can_mail: bool,
    ) -> None:
        """`can_mail`: whether mails can be sent, without which nobody can be asked for a code."""
        self._database = database
        self._keys = keys
        self._check_mark = check_mark
        self._base_url = base_url
        self._clock = clock
        self._random = random
        self._can_mail = can_mail

    def create(
        self,
        actor: Actor,
        *,
        document_id: str,
        mail: str,
        name: str,
        company: str = "",
        purpose: str,
        expires_at: datetime | None = None,
        download_limit: int | None = None,
        pinned_version_id: str | None = None,
        nda: NdaMode = NdaMode.REQUIRE,
        view_only: bool = False,
        mail_check: bool | None = None,
        cut_id: str | None = None,
        link_life: timedelta = DEFAULT_LINK_LIFE,
        send: bool = False,
    ) -> tuple[Share, Recipient, NewLink | Message]:
        """One call: the recipient (made if unknown), the share and its first link.

        With `nda` ask it grants nothing until the recipient has signed on the page, where no agreement is in force.
        With `cut_id` it covers that cut of the pinned version only. `mail_check` overrides the document's policy, but
        not one that says always, nor what waits for a signature.
        With `send` there is a message in the link's place: the link is made when it is mailed to the recipient.

        Raises `DomainError`: not-found, invalid, recipient-conflict, unmarkable-name, nda-required, wrong-state,
        mail-not-configured.
        """
        now = self._clock()
        if send:
            self._require_mail(NO_MAIL_TO_SEND)
        terms = Terms(
            expires_at=expires_at,
            download_limit=download_limit,
            pinned_version_id=pinned_version_id,
            nda=nda,
            view_only=view_only,
            mail_check=mail_check,
            cut_id=cut_id,
        )
        check_terms(terms, purpose, now)
        check_markable_person(self._check_mark, name, mail, company)
        for _ in range(2):
            try:
                with self._database.write() as records:
                    recipient = admit(
                        records, actor, now, self._random, mail=mail, name=name, company=company
                    )
                    share = self.lend(records, actor, now, recipient, document_id, purpose, terms)
                    if send:
                        return share, recipient, self._queue_link(records, share, recipient, now)
                    return share, recipient, self._add_link(records, actor, share, now, link_life)
            except Taken:  # somebody made the same recipient meanwhile: once more, with theirs
                continue
        raise DomainError(Problem.BUSY, "The same recipient is being made by another call. Try again.")

    def lend(
        self,
        records: Records,
        actor: Actor,
        now: datetime,
        recipient: Recipient,
        document_id: str,
        purpose: str,
        terms: Terms,
    ) -> Share:
        """A share without a link, in the caller's transaction, for a recipient whom that transaction holds.

        It ends with its document at the latest, and bridge letters that belong to the report go along (`along`).

        Raises `DomainError`: not-found, invalid, nda-required, wrong-state, mail-not-configured.
        """
        check_terms(terms, purpose, now)
        if terms.cut_id is not None:
            _check_cut(records, terms.cut_id, terms.pinned_version_id)
        document = self._check_document(
            records, document_id, terms.pinned_version_id, recipient, terms.nda, now
        )
        letters = letters_of(records, document.id, now)
        checked = mail_checked(document, terms.nda, terms.download_limit, terms.mail_check)
        checked = checked or any(letter.mail_check == MailCheck.ALWAYS for letter in letters)
        if checked:
            self._require_mail(why_checked(document, terms.nda))
        share = Share(
            id=identifiers.new_id("shr", self._random(16)),
            document_id=document_id,
            recipient_id=recipient.id,
            purpose=purpose.strip(),
            expires_at=min(terms.expires_at or now + DEFAULT_SHARE_LIFE, end_of(document) or FOREVER),
            download_limit=terms.download_limit,
            downloads_taken=0,
            pinned_version_id=terms.pinned_version_id,
            created_at=now,
            nda=terms.nda,
            mail_check=checked,
            view_only=terms.view_only,
            cut_id=terms.cut_id,
        )
        details: Details = {
            "expires": timestamp(share.expires_at),
            "limit": share.download_limit,
            "pinned": share.pinned_version_id,
            "nda": share.nda,
            "mail_check": int(share.mail_check),
            "view_only": int(share.view_only),
            "cut": share.cut_id,
        }
        records.add(share)
        personal = {"purpose": share.purpose}
        records.add(self._entry("share.created", actor, now, share, details, personal))
        for letter in letters:
            lend_along(records, actor, now, self._random, share, letter)
        return share

    def link(self, actor: Actor, share_id: str, life: timedelta = DEFAULT_LINK_LIFE) -> NewLink:
        """A new link for a share that is open. Raises `DomainError` (not-found, wrong-state, nda-required, invalid)."""
        with self._database.write() as records:
            return self.link_in(records, actor, share_id, life)

    def link_in(self, records: Records, actor: Actor, share_id: str, life: timedelta) -> NewLink:
        """As `link`, in the caller's transaction."""
        now = self._clock()
        share, _ = self._require_open(records, share_id, now)
        return self._add_link(records, actor, share, now, life)

    def send(self, actor: Actor, share_id: str) -> Message:
        """Mail the recipient a new link for a share that is open; made when it is sent. Who asked is an entry.

        Raises `DomainError` (not-found, wrong-state, nda-required, mail-not-configured).
        """
        self._require_mail(NO_MAIL_TO_SEND)
        now = self._clock()
        with self._database.write() as records:
            share, recipient = self._require_open(records, share_id, now)
            message = self._queue_link(records, share, recipient, now)
            records.add(self._entry("link.queued", actor, now, share, {"message": message.id}, {}))
        return message

    def mailed_link(self, records: Records, share_id: str, replaces: str | None) -> NewLink | None:
        """A new link for a mail that is about to be sent, in the caller's transaction.

        The link with the hash `replaces`, which an earlier attempt at the same mail made, opens nothing from then
        on. None, and no link: the share has ended, or could not be made now.
        """
        now = self._clock()
        try:
            share, _ = self._require_open(records, share_id, now)
        except DomainError:
            share = None
        if replaces is not None:
            self.withdraw_link(records, replaces)
        if share is None:
            return None
        return self._add_link(records, WORKER, share, now, DEFAULT_LINK_LIFE, replaces=replaces)

    def withdraw_link(self, records: Records, link_hash: str) -> None:
        """Let the link of a mail that did not arrive open nothing, in the caller's transaction."""
        link = records.get(Link, link_hash)
        if link is not None:
            records.change(link, expect={"revoked_at": None}, revoked_at=self._clock())

    def still_open(self, records: Records, share_id: str) -> Share | None:
        """The share if a link that was made for it now would open, be it to sign first; it is not held.

        What is used up opens as long as a download that was granted goes on.
        """
        now = self._clock()
        try:
            share, _ = self._require_open(records, share_id, now, hold=False)
        except DomainError:
            return None
        if used_up(share):
            grant = self._database.grant(share.id, None, now)
            if grant is None or running(records, share, grant.copy, now) is None:
                return None
        return share

    def revoke(self, actor: Actor, share_id: str) -> Share:
        """End a share, its links and what goes along with it at once; ending it again changes nothing."""
        now = self._clock()
        with self._database.write() as records:
            share = records.get(Share, share_id, lock=True)
            if share is None:
                raise not_found("share", share_id)
            if not share.revoked_at:
                share = records.change(share, revoked_at=now, revoked_reason="revoked") or share
                records.add(self._entry("share.revoked", actor, now, share, {}, {}))
                end_along(records, actor, now, self._random, share.id)
            return in_effect(records, [share])[0]

    def get(self, share_id: str) -> Share:
        """One share, with its end in effect (`ends`). Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            found = records.get(Share, share_id)
            if found is None:
                raise not_found("share", share_id)
            return in_effect(records, [found])[0]

    def list(
        self,
        *,
        document: str | None = None,
        recipient: str | None = None,
        active: bool = False,
        after: str | None = None,
        limit: int = 50,
    ) -> list[Share]:
        """Shares in order of their id, those after `after`, with their ends in effect (`ends`).

        `active`: only those neither revoked nor run out.
        """
        now = self._clock()
        where: dict[str, Any] = {}
        if document:
            where["document_id"] = document
        if recipient:
            where["recipient_id"] = recipient
        with self._database.read() as records:
            if active:
                found = open_shares(records, now, after=after or "", batch=limit, **where)
                return list(islice(found, limit))
            shares = records.find(Share, order="id", limit=limit, id__gt=after or "", **where)
            return in_effect(records, shares)

    def _require_open(
        self, records: Records, share_id: str, now: datetime, *, hold: bool = True
    ) -> tuple[Share, Recipient]:
        """The share with its end in effect, and its recipient; with `hold`, nobody changes it until the transaction
        ends.

        Raises `DomainError` unless it is open.
        """
        share = records.get(Share, share_id, lock=hold)
        if share is None:
            raise not_found("share", share_id)
        if share.revoked_at or share.expires_at <= now:
            detail = "This share has ended: make a new one."
            raise DomainError(Problem.WRONG_STATE, detail, reason=share.revoked_reason or "share-expired")
        if share.with_id:
            detail = (
                "This share goes along with a report's and has no link: the page of that one's link has it."
            )
            raise DomainError(Problem.WRONG_STATE, detail, reason=WITH_REPORT, share=share.with_id)
        recipient = records.get(Recipient, share.recipient_id)
        if recipient is None:
            raise not_found("recipient", share.recipient_id)
        nda = NdaMode.ASK if has_signed(records, recipient) else share.nda
        self._check_document(records, share.document_id, share.pinned_version_id, recipient, nda, now)
        return in_effect(records, [share])[0], recipient

    def _require_mail(self, detail: str) -> None:
        if not self._can_mail:
            raise no_mail(detail)

    def _queue_link(self, records: Records, share: Share, recipient: Recipient, now: datetime) -> Message:
        return queue(
            records,
            self._random,
            now,
            kind=Mail.LINK,
            about=share.id,
            mail=recipient.mail,
            language=recipient.language,
            recipient_id=recipient.id,
        )

    def _check_document(
        self,
        records: Records,
        document_id: str,
        pinned_version_id: str | None,
        recipient: Recipient,
        nda: NdaMode,
        now: datetime,
    ) -> Document:
        document = records.get(Document, document_id)
        if document is None:
            raise not_found("document", document_id)
        if document.revoked_at:
            raise DomainError(Problem.WRONG_STATE, "This document is revoked: it is lent to nobody any more.")
        if has_ended(document, now):
            detail = "This document is past its last day: change when it ends, or lend another one."
            raise DomainError(Problem.WRONG_STATE, detail)
        where: dict[str, Any] = {"id": pinned_version_id} if pinned_version_id else {}
        ready = records.find(Version, limit=1, document_id=document.id, state=VersionState.READY, **where)
        if not ready:
            what = "The pinned version" if pinned_version_id else "This document"
            detail = f"{what} has no file that is ready: upload one, and wait until it is compiled."
            raise DomainError(Problem.WRONG_STATE, detail)
        if document.classification == Classification.PUBLIC or covering(records, recipient, now):
            return document
        if nda == NdaMode.ASK:
            if was_revoked(records, recipient):
                detail = (
                    "The agreement with this recipient was revoked, so it is not offered on the page again."
                )
                raise DomainError(Problem.NDA_REQUIRED, detail, document=document.id)
            if offered_text_id(records) is None:
                detail = "There is no text of the agreement to be signed: add one with `POST /v1/nda-texts`."
                raise DomainError(Problem.WRONG_STATE, detail)
            return document
        raise DomainError(
            Problem.NDA_REQUIRED,
            "This document goes out only under NDA, and none is in force for this recipient. Have it signed, "
            "record it with `POST /v1/ndas` (for the person, or for the company's mail domain), and ask again; or let "
            "them sign on the page: `nda: ask`.",
            document=document.id,
            mail_domain=recipient.domain,
        )

    def _add_link(
        self,
        records: Records,
        actor: Actor,
        share: Share,
        now: datetime,
        life: timedelta,
        *,
        replaces: str | None = None,
    ) -> NewLink:
        if not timedelta(minutes=1) <= life <= MAX_LINK_LIFE:
            hours = MAX_LINK_LIFE // timedelta(hours=1)
            raise invalid("link_life", f"A link lives between a minute and {hours} hours.")
        expires_at = min(now + life, share.expires_at).replace(microsecond=0)
        link_id = identifiers.new_id("lnk", self._random(16))
        key = self._keys.signing("link")
        token = tokens.LinkToken(
            key_id=key.id,
            share_id=share.id,
            link_id=link_id,
            action=tokens.Action.OPEN,
            expires=int(expires_at.timestamp()),
        )
        link_hash = tokens.link_hash(link_id)
        records.add(Link(hash=link_hash, share_id=share.id, expires_at=expires_at, created_at=now))
        details: Details = {"expires": timestamp(expires_at), "replaces": replaces}
        records.add(self._entry("link.created", actor, now, share, details, {}, link=link_hash))
        return NewLink(f"{self._base_url}/s/{tokens.sign(token, key.secret)}", expires_at, link_hash)

    def _entry(
        self,
        kind: str,
        actor: Actor,
        now: datetime,
        share: Share,
        details: Details,
        personal: Mapping[str, str | None],
        **references: Any,
    ) -> object:
        return entry(
            kind,
            actor,
            now,
            self._random,
            details=details,
            personal=personal,
            share=share.id,
            document=share.document_id,
            recipient=share.recipient_id,
            **references,
        )


def _check_cut(records: Records, cut_id: str, version_id: str | None) -> None:
    cut = records.get(Cut, cut_id)
    if cut is None:
        raise not_found("cut", cut_id)
    if version_id is None or cut.version_id != version_id:
        raise invalid("version", "A share of sections is pinned to the version that they are of: name it.")
    if cut.state != CutState.READY:
        detail = "These sections are not compiled yet: ask again in a moment."
        raise DomainError(Problem.WRONG_STATE, detail, state=cut.state, cut=cut.id)
