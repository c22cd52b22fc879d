"""One version as the service holds it: sealed in a folder; of it only its keys and slot table stay in memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from crypto import identifiers
from crypto.keys import Keyring, MasterKey, new_key
from crypto.sealing import SealedReader
from service.adapters.folder import FolderStore
from service.objects import SealedObjects
from service.records import SealedObject
from watermark.mark import Mark
from watermark.mint import Fill, mint
from watermark.stamp import stamp
from watermark.template import HEADER_SIZE, SlotTable, table_range
from watermark.woven.code import KEY_SIZE, copy_bits

MARK = Mark(
    name="Ana Silva",
    mail="ana.silva@northmere.example",
    company="Northmere Bank",
    issued=date(2026, 3, 2),
    copy_id="cpy_" + "0123456789abcdefghjkmnpqrs",
)
"""Whose copies are measured."""

WEAVE_KEY = bytes(range(KEY_SIZE))
"""The version's weave key: any will do, the same in each process that measures one version."""


def sealed_objects(folder: Path, master: bytes | None = None) -> tuple[SealedObjects, bytes]:
    """Sealed objects in a local folder, and the master key that they are under (new unless it is given)."""
    store = FolderStore(folder)
    store.ensure_folder(create=True)
    key = master or new_key(os.urandom)
    keyring = Keyring(MasterKey(key), ())
    return SealedObjects(store, lambda: keyring, lambda: datetime.now(UTC), os.urandom), key


class LentVersion:
    """A sealed template, of which only keys and slot table are held, and one minted copy of it."""

    def __init__(self, objects: SealedObjects, record: SealedObject, mark: Mark = MARK) -> None:
        self.reader: SealedReader = objects.open(record)
        header = b"".join(self.reader.read(0, HEADER_SIZE))
        self.table = SlotTable.decode(b"".join(self.reader.read(0, table_range(header)[1])))
        self.fill = mint(self.table, mark).encode()
        self.copy_id = mark.copy_id

    def copy(self) -> bytes:
        """Read, open and stamp the whole template; returns the copy. Its SHA-256 is taken on the way."""
        pieces = []
        digest = hashlib.sha256()
        for piece in self._stamped():
            digest.update(piece)
            pieces.append(piece)
        digest.digest()
        return b"".join(pieces)

    @property
    def length(self) -> int:
        """Bytes of the copy."""
        return Fill.decode(self.fill).copy_length(self.table)

    def pass_by(self, stop: int | None = None) -> str:
        """The same up to `stop`, holding no more than one piece of the copy at a time; returns the SHA-256 in hex."""
        digest = hashlib.sha256()
        for piece in self._stamped(stop):
            digest.update(piece)
        return digest.hexdigest()

    def _stamped(self, stop: int | None = None) -> Iterator[bytes | memoryview]:
        """All that one download computes: fill, code, bytes."""
        bits = copy_bits(WEAVE_KEY, self.copy_id, self.table.words) if self.table.words else None
        return stamp(self.table, Fill.decode(self.fill), self.reader.read, 0, stop, bits=bits)

    def open_only(self) -> bytes:
        """Read, open and hash the whole template, stamp nothing: what any copy costs that rests sealed."""
        pieces = []
        digest = hashlib.sha256()
        for piece in self.reader.read():
            digest.update(piece)
            pieces.append(piece)
        digest.digest()
        return b"".join(pieces)


def sealed(objects: SealedObjects, template: bytes) -> SealedObject:
    """The template, sealed and stored; its record."""
    owner = identifiers.new_id("ver", os.urandom(16))
    return objects.put("template", "version", owner, [template])[0]
