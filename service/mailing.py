"""Mailing: what waits in the outbox is sent, each message at least once, by any number of workers.

A message is claimed by pushing its time on, so a process that dies only delays it. What it needs (a link, a code) is
made in a transaction of its own just before it is sent, and nowhere kept; the next attempt makes another, and the link
of the one before opens nothing from then on. No row, entry, log line or error holds a link or a code.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from service.audit import Actor, Clock, Details, Outcome, Random, entry
from service.errors import DomainError, Problem
from service.languages import negotiate
from service.letters import Letters, Needs
from service.mail_texts import MailTexts, TemplateBroken
from service.outbox import Mail, MailSettings, require_mail
from service.ports import Database, Letter, Mailer, MailRefused, MailUnavailable, Records
from service.records import Message
from service.sharing import Sharing

__all__ = ["MailSettings", "Mailing", "require_mail"]

log = logging.getLogger("sealmark.mailing")

CLAIM = timedelta(minutes=3)
"""After which a message is taken again whose sender fell silent: longer than `adapters.smtp` takes at most."""

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 480, 480))
"""How long a message waits after each try that failed: almost a day in all, in which a mail server is mended, as
other senders wait; then nobody waits for it any more."""

CODE_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 20, 40, 80))
CODE_WITHIN = timedelta(minutes=5)
"""Somebody sits before the page and waits for the code; later they have asked for another one."""

WORKER = Actor("worker")

ENDED, REFUSED, NOT_REACHED = "ended", "refused", "not-reached"
"""Why a message was not sent: what it tells of is over; the server does not take it; the tries are used up."""

OUTCOMES: Mapping[str, Outcome] = {ENDED: "revoked", REFUSED: "refused", NOT_REACHED: "broken-off"}


class Mailing:
    """Sends the outbox."""

    def __init__(
        self,
        database: Database,
        sharing: Sharing,
        letters: Letters,
        texts: MailTexts,
        mailer: Mailer | None,
        host: str,
        clock: Clock,
        random: Random,
    ) -> None:
        """`host` stands in the mails' ids. Without a `mailer` nothing is sent, and what waits goes on waiting."""
        self._database = database
        self._sharing = sharing
        self._letters = letters
        self._texts = texts
        self._mailer = mailer
        self._host = host
        self._clock = clock
        self._random = random

    @property
    def configured(self) -> bool:
        """Whether mails can be sent."""
        return self._mailer is not None

    def check(self) -> str:
        """What the mail server says that it can. Raises `MailUnavailable`, `DomainError` (mail-not-configured)."""
        if self._mailer is None:
            raise DomainError(Problem.MAIL_NOT_CONFIGURED, "no SMTP server is configured")
        return self._mailer.check()

    def run_once(self) -> bool:
        """Take one message that is due through one try. The worker's task; False: rest before the next one."""
        if self._mailer is None:
            return False
        message = self._claim()
        if message is None:
            return False
        if self._too_late(message):
            self._fail(message, NOT_REACHED, {})
            return True
        needs = self._make(message)
        if needs is None:
            return True
        try:
            self._mailer.send(self._letter(message, needs))
        except MailRefused as error:
            self._tell(message, error)
            self._fail(message, REFUSED, needs.references)
        except (MailUnavailable, TemplateBroken) as error:
            self._tell(message, error)
            self._put_off(message, needs)
            return False
        else:
            self._sent(message, needs)
        return True

    def _claim(self) -> Message | None:
        """A due message, codes first: somebody waits for them. Nobody else takes it before `CLAIM` is over."""
        now = self._clock()
        due: dict[str, Any] = {"sent_at": None, "failed_at": None, "run_after__le": now}
        due |= {"order": "run_after", "limit": 1}
        with self._database.read() as records:
            if not records.find(Message, **due):
                return None
        with self._database.write() as records:
            found = records.find(Message, kind=Mail.CODE, lock=True, **due) or records.find(
                Message, lock=True, **due
            )
            if not found:
                return None
            return records.change(found[0], run_after=now + CLAIM, attempts=found[0].attempts + 1)

    def _too_late(self, message: Message) -> bool:
        """Whether this try is one too many: the ones before ended without a word, or it comes too late."""
        if message.kind == Mail.CODE and self._clock() >= message.created_at + CODE_WITHIN:
            return True
        return message.attempts > len(_pauses(message)) + 1

    def _make(self, message: Message) -> Needs | None:
        """What the message needs, durable; None when it ended here, because there is nothing to send any more."""
        with self._database.write() as records:
            held = records.get(Message, message.id, lock=True)
            if held is None or (held.attempts, held.sent_at, held.failed_at) != (
                message.attempts,
                None,
                None,
            ):
                return None  # erased, or taken by another meanwhile
            needs = self._letters.needs(records, replace(held, language=negotiate(held.language)))
            if needs is None:
                self._write_failed(records, held, ENDED, {})
            elif needs.link_hash is not None:
                records.change(held, link_hash=needs.link_hash)
        return needs

    def _letter(self, message: Message, needs: Needs) -> Letter:
        said = self._texts.render(Mail(message.kind), negotiate(message.language), needs.values)
        return Letter(
            id=f"{message.id}.{message.attempts}@{self._host}",
            to=message.mail,
            subject=said.subject,
            text=said.text,
            html=said.html,
            date=self._clock(),
            attachments=needs.attachments,
        )

    def _sent(self, message: Message, needs: Needs) -> None:
        """It has left, so that is recorded whatever became of the message meanwhile."""
        now = self._clock()
        with self._database.write() as records:
            records.change(message, expect={"sent_at": None}, sent_at=now)
            records.add(self._entry("mail.sent", message, now, "ok", None, needs.references))
        log.info("mail sent", extra={"mail": message.id, "kind": message.kind, "attempts": message.attempts})

    def _put_off(self, message: Message, needs: Needs) -> None:
        pauses = _pauses(message)
        if message.attempts > len(pauses):
            self._fail(message, NOT_REACHED, needs.references)
            return
        with self._database.write() as records:
            records.change(
                message,
                expect={"attempts": message.attempts, "sent_at": None},
                run_after=self._clock() + pauses[message.attempts - 1],
            )

    def _fail(self, message: Message, reason: str, references: Mapping[str, str | None]) -> None:
        with self._database.write() as records:
            held = records.get(Message, message.id, lock=True)
            if held is not None and (held.attempts, held.sent_at) == (message.attempts, None):
                self._write_failed(records, held, reason, references)

    def _write_failed(
        self, records: Records, message: Message, reason: str, references: Mapping[str, str | None]
    ) -> None:
        """It is not tried again, and a link that was made for it opens nothing."""
        now = self._clock()
        if message.link_hash is not None:
            self._sharing.withdraw_link(records, message.link_hash)
        records.change(message, failed_at=now)
        known = {"link": message.link_hash, **references}
        records.add(self._entry("mail.failed", message, now, OUTCOMES[reason], reason, known))

    def _entry(
        self,
        kind: str,
        message: Message,
        now: datetime,
        outcome: Outcome,
        reason: str | None,
        references: Mapping[str, str | None],
    ) -> object:
        share = message.about if message.about.startswith("shr_") else None
        details: Details = {"message": message.id, "about": message.about, "attempts": message.attempts}
        known: dict[str, Any] = {"share": share, "recipient": message.recipient_id, **references}
        return entry(
            kind,
            WORKER,
            now,
            self._random,
            outcome=outcome,
            reason=reason,
            details=details,
            **known,
        )

    def _tell(self, message: Message, error: Exception) -> None:
        extra = {"mail": message.id, "kind": message.kind, "attempts": message.attempts, "why": str(error)}
        log.warning("mail not taken", extra=extra)


def _pauses(message: Message) -> tuple[timedelta, ...]:
    return CODE_PAUSES if message.kind == Mail.CODE else PAUSES
