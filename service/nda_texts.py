"""The texts of the agreement that is signed on the page: numbered, never changed; the newest is the one offered."""

from __future__ import annotations

import hashlib

from crypto import identifiers
from service import nda_markdown
from service.audit import Actor, Clock, Details, Random, entry
from service.errors import DomainError, Problem, invalid, not_found
from service.ports import Database, Records, Taken
from service.records import NdaText

MAX_DAYS = 36525
"""A hundred years; more is a slip of the hand, and is said by leaving it out."""


class NdaTexts:
    """Adds and lists texts of the agreement."""

    def __init__(self, database: Database, clock: Clock, random: Random) -> None:
        self._database = database
        self._clock = clock
        self._random = random

    def add(self, actor: Actor, *, markdown: str, days: int | None = None) -> NdaText:
        """A new text, offered from now on in place of the one before; a signature of it holds `days`, or without end.

        Those who signed an older one on the page are asked again. The text is kept as it is, byte for byte.
        Raises `DomainError` (invalid, with the line; too-large; wrong-state: this text is offered already).
        """
        nda_markdown.check(markdown)
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise invalid("days", f"A signature holds 1 to {MAX_DAYS} days; leave it out for no end.")
        sha256 = hashlib.sha256(markdown.encode("utf-8")).hexdigest()
        for _ in range(2):
            try:
                with self._database.write() as records:
                    return self._add(records, actor, markdown, sha256, days)
            except Taken:  # somebody added one meanwhile: once more, after theirs
                continue
        raise DomainError(Problem.BUSY, "Other texts are being added. Look at them, then try again.")

    def get(self, text_id: str) -> NdaText:
        """One text. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            found = records.get(NdaText, text_id)
        if found is None:
            raise not_found("text of the agreement", text_id)
        return found

    def list(self, *, after: int = 0, limit: int = 50) -> list[NdaText]:
        """Texts in order of their number, those after `after`."""
        with self._database.read() as records:
            return records.find(NdaText, order="number", limit=limit, number__gt=after)

    def current(self) -> NdaText | None:
        """The text that is offered now, if there is one."""
        with self._database.read() as records:
            return newest(records)

    def _add(self, records: Records, actor: Actor, markdown: str, sha256: str, days: int | None) -> NdaText:
        before = newest(records)
        if before is not None and (before.sha256, before.days) == (sha256, days):
            detail = "This text is the one that is offered now. Adding it again would ask everybody again."
            raise DomainError(Problem.WRONG_STATE, detail, text=before.id)
        now = self._clock()
        text = NdaText(
            id=identifiers.new_id("txt", self._random(16)),
            number=before.number + 1 if before else 1,
            markdown=markdown,
            sha256=sha256,
            days=days,
            created_at=now,
        )
        details: Details = {"text": text.id, "number": text.number, "sha256": sha256, "days": days}
        records.add(text, entry("nda-text.created", actor, now, self._random, details=details))
        return text


def newest(records: Records) -> NdaText | None:
    """The text with the highest number, if there is one."""
    found = records.find(NdaText, order="-number", limit=1)
    return found[0] if found else None
