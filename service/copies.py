"""Copies: minted once for a share and a version, then the same bytes at every download.

Of a version only its data key, weave key and slot table stay in memory; the template itself passes by as a stream.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from crypto import identifiers
from crypto.sealing import SealedReader
from service.audit import Clock, Random
from service.decision import Allowed
from service.errors import DomainError, Problem
from service.keys import NamedKeys
from service.objects import SealedObjects
from service.ports import Database, Taken
from service.records import Copy, Recipient, SealedObject, Template
from watermark.errors import Unmarkable
from watermark.mark import Mark, Printed, check_mark
from watermark.mint import Fill, mint
from watermark.stamp import STAMP_VERSION, stamp
from watermark.template import HEADER_SIZE, SlotTable, table_range
from watermark.woven.code import copy_bits

OPEN_TEMPLATES = 64
"""How many versions' slot tables stay in memory: as many reports as a company lends at a time.

About 75 bytes a woven operand: 1.3 MB for a long report, so 90 MB at the very most where all are long.
"""

SAMPLE_COPY_ID = "cpy_" + "0" * 26
"""For asking whether a name can be marked, before there is a copy."""


@dataclass(frozen=True)
class _OpenTemplate:
    table: SlotTable
    reader: SealedReader
    weave: str  # whose weave key decides its copies' bits: the version's, or the cut's


@dataclass(frozen=True)
class Made:
    """What makes a copy out of its template, and what comes of it."""

    fill: bytes
    length: int
    sha256: str  # hex


class Copies:
    """Mints copies and streams them."""

    def __init__(
        self, database: Database, objects: SealedObjects, keys: NamedKeys, clock: Clock, random: Random
    ) -> None:
        self._database = database
        self._objects = objects
        self._keys = keys
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _OpenTemplate] = OrderedDict()

    def mint(self, allowed: Allowed) -> Copy:
        """The copy of this share and version, made now or by whoever was first.

        Afterwards its row is durable, with its length and SHA-256. Raises `StoreError`, `CryptoError`,
        `DomainError` (unmarkable-name; unavailable: template or weave key are not in the database).
        """
        now = self._clock()
        copy_id = identifiers.new_id("cpy", self._random(16))
        recipient = allowed.recipient
        mark = Mark(
            name=recipient.name,
            mail=recipient.mail,
            company=recipient.company,
            issued=now.date(),
            copy_id=copy_id,
        )
        made = self.make(allowed.template.id, mark)
        copy = Copy(
            id=copy_id,
            share_id=allowed.share.id,
            version_id=allowed.version.id,
            template_id=allowed.template.id,
            recipient_id=recipient.id,
            name=recipient.name,
            mail=recipient.mail,
            company=recipient.company,
            issued=now.date(),
            stamp_version=STAMP_VERSION,
            length=made.length,
            sha256=made.sha256,
            fill=made.fill,
            minted_at=now,
        )
        try:
            with self._database.write() as records:
                current = records.get(Recipient, recipient.id, lock=True)
                if current is not None and current.erased_at:
                    return copy  # not kept: who grants decides once more, and denies
                records.add(copy)
        except Taken:
            return self._existing(copy)
        return copy

    def stream(self, copy: Copy, start: int, stop: int) -> Generator[bytes, None, None]:
        """Bytes [start, stop) of the copy; whoever stops early closes it.

        Raises `StoreError`, `SealBroken` at the first piece or within. Of a template that this process has not
        opened yet, both come at the call; so does what keeps its weave key: `CryptoError`, `DomainError` (unavailable).
        """
        if copy.stamp_version != STAMP_VERSION:
            detail = f"This copy was stamped by version {copy.stamp_version}; make a new share."
            raise DomainError(Problem.UNAVAILABLE, detail)
        if not copy.fill:
            raise DomainError(
                Problem.UNAVAILABLE, "This copy's recipient was erased: it can be stamped no more."
            )
        return self.stamped(copy.template_id, copy.id, copy.fill, start, stop)

    def make(self, template_id: str, mark: Printed) -> Made:
        """What a copy with this mark is to be: nothing is stored. Raises as `mint` does."""
        template = self._template(template_id)
        fill = _mint(template.table, mark)
        bits = self._bits(template, mark.copy_id)
        digest = hashlib.sha256()
        for piece in stamp(template.table, fill, template.reader.read, bits=bits):
            digest.update(piece)
        return Made(fill.encode(), fill.copy_length(template.table), digest.hexdigest())

    def stamped(
        self, template_id: str, copy_id: str, fill: bytes, start: int, stop: int
    ) -> Generator[bytes, None, None]:
        """Bytes [start, stop) of what this fill makes of the template. Raises as `stream` does."""
        template = self._template(template_id)
        bits = self._bits(template, copy_id)
        filled = Fill.decode(fill)
        return _as_bytes(stamp(template.table, filled, template.reader.read, start, stop, bits=bits))

    def _bits(self, template: _OpenTemplate, copy_id: str) -> NDArray[np.uint8] | None:
        """The copy's woven code; None of a template without words, which has been compiled before there were any."""
        if not template.table.words:
            return None
        return copy_bits(self._keys.weave(template.weave), copy_id, template.table.words)

    def _template(self, template_id: str) -> _OpenTemplate:
        with self._lock:
            found = self._open.get(template_id)
            if found is not None:
                self._open.move_to_end(template_id)
                return found
        with self._database.read() as records:
            record = records.get(Template, template_id)
            stored = records.get(SealedObject, record.object_id) if record else None
        if record is None or stored is None:
            raise DomainError(Problem.UNAVAILABLE, f"The template {template_id} is not in the database.")
        reader = self._objects.open(stored)
        header = b"".join(reader.read(0, HEADER_SIZE))
        table = SlotTable.decode(b"".join(reader.read(0, table_range(header)[1])))
        opened = _OpenTemplate(table, reader, record.cut_id or record.version_id)
        with self._lock:
            self._open[template_id] = opened
            while len(self._open) > OPEN_TEMPLATES:
                self._open.popitem(last=False)
        return opened

    def _existing(self, copy: Copy) -> Copy:
        with self._database.read() as records:
            found = records.find(Copy, share_id=copy.share_id, version_id=copy.version_id, limit=1)
        if not found:
            raise DomainError(Problem.BUSY, "The copy is being made by another request. Try again.")
        return found[0]


def _as_bytes(pieces: Iterable[bytes | memoryview]) -> Generator[bytes, None, None]:
    """The pieces as WSGI servers take them."""
    for piece in pieces:
        yield bytes(piece)


def check_markable(name: str, mail: str, company: str, today: date) -> None:
    """Raise `DomainError` (unmarkable-name) for a recipient that the mark cannot print; says which font is missing."""
    try:
        check_mark(Mark(name=name, mail=mail, company=company, issued=today, copy_id=SAMPLE_COPY_ID))
    except Unmarkable as error:
        raise _unmarkable(error) from error


def _mint(table: SlotTable, mark: Printed) -> Fill:
    try:
        return mint(table, mark)
    except Unmarkable as error:
        raise _unmarkable(error) from error


def _unmarkable(error: Unmarkable) -> DomainError:
    return DomainError(
        Problem.UNMARKABLE_NAME, str(error), field=error.field, reason=error.reason, font=error.font
    )
