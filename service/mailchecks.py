"""Mail checks: somebody shows that a mail address is theirs, by a code that is mailed there and entered in the browser
that asked for it. No magic links: scanners of mail open them.

A code has six digits, lives ten minutes from when it is sent, works once, and dies with the fifth wrong try. Only its
MAC is stored. What was shown holds for this browser, as a session.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from crypto import identifiers
from service.audit import Actor, Clock, Outcome, Random, entry
from service.keys import NamedKeys
from service.limits import Limit, Limits, network
from service.outbox import Mail, queue
from service.ports import Database, Records
from service.records import Check, Recipient, Session, Share

CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=10)
MAX_TRIES = 5
"""Wrong tries of one code. With all codes of a day, one guess in ten thousand days gets in."""

SESSION_LIFE = timedelta(hours=12)
"""A working day: who reads the report in the morning and comes back in the afternoon is not asked again."""

CODES_AN_HOUR = Limit("codes-an-hour", 5, timedelta(hours=1))
CODES_A_DAY = Limit("codes-a-day", 20, timedelta(days=1))
"""Codes for one share, or one document's address, and mail."""

CODES_TO = Limit("codes-to", 40, timedelta(days=1))
"""Codes that strangers have mailed to one address, at all documents' addresses: nobody's mailbox is flooded by us. A
share's codes do not count here: nobody keeps a recipient from their own link, nor finds out that one was used."""

CODES_FROM = Limit("codes-from", 60, timedelta(hours=1))
TRIES_FROM = Limit("tries-from", 120, timedelta(hours=1))
"""From one network address: an office behind one address, but no machine."""

_CODE = b"sealmark mail check\x00"
_BROWSER = b"sealmark browser\x00"
_SESSION = b"sealmark session\x00"
"""What each hash begins with, so that none stands for another."""


class CodeRefused(StrEnum):
    """Why a code did not pass."""

    WRONG = "wrong"
    OVER = "over"  # too old, used, or tried too often: a new one is needed


class MailChecks:
    """Begins mail checks, issues and compares codes, and knows what browsers have shown.

    `subject` is what the address is shown for: a share (shr_…), or a document's stable address (doc_…). `browser` is
    the value of its cookie. All raise `DatabaseUnavailable`.
    """

    def __init__(
        self,
        database: Database,
        keys: NamedKeys,
        limits: Limits,
        require_mail: Callable[[], None],
        check_mail: Callable[[str], None],
        clock: Clock,
        random: Random,
    ) -> None:
        """`require_mail` raises `DomainError` where no mail can be sent; `check_mail` for an address that the mark
        cannot print (unmarkable-name)."""
        self._database = database
        self._keys = keys
        self._limits = limits
        self._require_mail = require_mail
        self._check_mail = check_mail
        self._clock = clock
        self._random = random

    def begin(
        self,
        actor: Actor,
        *,
        subject: str,
        recipient_id: str | None,
        mail: str,
        browser: str,
        language: str = "",
    ) -> Check:
        """Queue a code to this address; what this browser had begun for the subject ends.

        Raises `TooMany`, `DomainError`: mail-not-configured; unmarkable-name, at a document's address, where nobody
        with this mail could be lent anything.
        """
        self._require_mail()
        limits = [(CODES_AN_HOUR.of(subject), mail), (CODES_A_DAY.of(subject), mail)]
        if not _is_share(subject):
            self._check_mail(mail)
            limits.append((CODES_TO, mail))
        self._limits.require(*limits, (CODES_FROM, network(actor.address)))
        now = self._clock()
        check = Check(
            id=identifiers.new_id("mck", self._random(16)),
            subject=subject,
            recipient_id=recipient_id,
            mail=mail,
            browser=_hash(_BROWSER, browser),
            created_at=now,
        )
        with self._database.write() as records:
            for older in records.find(Check, subject=subject, browser=check.browser, ended_at=None):
                records.change(older, ended_at=now, outcome="replaced", code=None)
            records.add(check)
            queue(
                records,
                self._random,
                now,
                kind=Mail.CODE,
                about=check.id,
                mail=mail,
                language=language,
                recipient_id=recipient_id,
            )
        return check

    def issue(self, records: Records, check_id: str, now: datetime) -> str | None:
        """The code of this check, made now, in the transaction of whoever mails it; one that was made before is void.

        None: the check is over, and nothing is to be sent.
        """
        check = records.get(Check, check_id, lock=True)
        if check is None or check.ended_at:
            return None
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        records.change(check, code=self._mac(check.id, code), until=now + CODE_LIFE)
        return code

    def waiting(self, subject: str, browser: str | None) -> Check | None:
        """The check that this browser has begun for the subject, if a code can still be entered."""
        if browser is None:
            return None
        with self._database.read() as records:
            check = _newest(records, subject, browser)
        return None if check is None or _over(check, self._clock()) else check

    def enter(self, actor: Actor, *, subject: str, browser: str, code: str) -> Session | CodeRefused:
        """Compare what was entered with the code that was mailed; a wrong one is an entry. Raises `TooMany`."""
        self._limits.require((TRIES_FROM, network(actor.address)))
        now = self._clock()
        with self._database.write() as records:
            newest = _newest(records, subject, browser)
            check = records.get(Check, newest.id, lock=True) if newest else None
            if check is None or check.ended_at:
                return CodeRefused.OVER
            if _over(check, now):
                records.change(check, ended_at=now, outcome="expired", code=None)
                return CodeRefused.OVER
            if check.code is None:  # not sent yet, so nobody can know it
                return CodeRefused.WRONG
            if not hmac.compare_digest(check.code, self._mac(check.id, _digits(code))):
                return self._wrong(records, actor, check, now)
            records.change(check, ended_at=now, outcome="passed", code=None)
            recipient_id = check.recipient_id or _known(records, check.mail)
            session = Session(
                hash=_hash(_SESSION, subject, browser),
                subject=subject,
                recipient_id=recipient_id,
                mail=check.mail,
                created_at=now,
                until=now + SESSION_LIFE,
            )
            records.remove(Session, hash=session.hash)
            records.add(session)
            self._record(records, "mail-check.passed", actor, check, recipient_id, now, "ok", None)
        return session

    def session(self, subject: str, browser: str | None) -> Session | None:
        """What this browser has shown for the subject, if it still holds."""
        if browser is None:
            return None
        with self._database.read() as records:
            found = records.get(Session, _hash(_SESSION, subject, browser))
        return found if found and self._clock() < found.until else None

    def shown(self, share: Share, browser: str | None) -> Session | None:
        """What this browser has shown of the mail of this share's recipient.

        For the share itself or the one that it goes along with, or at its document's stable address.
        """
        subjects = (subject for subject in (share.id, share.with_id, share.document_id) if subject)
        sessions = (self.session(subject, browser) for subject in subjects)
        return next((found for found in sessions if found and found.recipient_id == share.recipient_id), None)

    def checked(self, share: Share, browser: str | None) -> bool:
        """Whether this browser has shown that the mail of this share's recipient is theirs."""
        return self.shown(share, browser) is not None

    def _wrong(self, records: Records, actor: Actor, check: Check, now: datetime) -> CodeRefused:
        tries = check.tries + 1
        last = tries >= MAX_TRIES
        ended: dict[str, Any] = {"ended_at": now, "outcome": "failed", "code": None} if last else {}
        changed = records.change(check, tries=tries, **ended) or check
        reason = "too-many-tries" if last else "wrong-code"
        recipient_id = check.recipient_id or _known(records, check.mail)
        self._record(records, "mail-check.failed", actor, changed, recipient_id, now, "denied", reason)
        return CodeRefused.OVER if last else CodeRefused.WRONG

    def _record(
        self,
        records: Records,
        kind: str,
        actor: Actor,
        check: Check,
        recipient_id: str | None,
        now: datetime,
        outcome: Outcome,
        reason: str | None,
    ) -> None:
        """The entry of a try. The address itself is not in it: without a recipient, erasing could not find it."""
        share = records.get(Share, check.subject) if _is_share(check.subject) else None
        details: dict[str, str | int | None] = {"check": check.id}
        if kind == "mail-check.failed":
            details["tries"] = check.tries
        records.add(
            entry(
                kind,
                actor,
                now,
                self._random,
                outcome=outcome,
                reason=reason,
                details=details,
                share=share.id if share else None,
                document=share.document_id if share else check.subject,
                recipient=recipient_id,
            )
        )

    def _mac(self, check_id: str, code: str) -> bytes:
        key = self._keys.signing("service").secret
        return hmac.digest(key, _CODE + f"{check_id} {code}".encode(), "sha256")


def _is_share(subject: str) -> bool:
    """Whether only who holds a share's link can have come here; else it is a document's address, open to strangers."""
    return subject.startswith("shr_")


def _newest(records: Records, subject: str, browser: str) -> Check | None:
    """The one that is open, else the last one."""
    begun: dict[str, Any] = {"subject": subject, "browser": _hash(_BROWSER, browser)}
    found = records.find(Check, ended_at=None, **begun) or records.find(
        Check, order="-created_at", limit=1, **begun
    )
    return found[0] if found else None


def _over(check: Check, now: datetime) -> bool:
    """A code that is not sent yet is waited for as long as one lives."""
    return check.ended_at is not None or (check.until or check.created_at + CODE_LIFE) <= now


def _known(records: Records, mail: str) -> str | None:
    found = records.find(Recipient, mail=mail, limit=1)
    return found[0].id if found else None


def _digits(entered: str) -> str:
    """What was entered, without what people put between digits."""
    return "".join(entered.split()).replace("-", "")


def _hash(*parts: bytes | str) -> str:
    """SHA-256 over the parts, hex. The browser's cookie has 256 random bits: nobody guesses what is hashed."""
    joined = b"\x00".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    return hashlib.sha256(joined).hexdigest()
