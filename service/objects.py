"""Sealed objects: a payload in the store, its key sidecar beside it, its row in the database.

Storing goes payload, sidecar, then row (with its entry, by the caller, in one transaction): what a crash leaves
without a row is swept later. The sidecar is authoritative: with the store and the master key alone each object
opens; the row caches its wrapped key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from crypto import identifiers, sealing
from crypto.context import context
from crypto.keys import Keyring, WrappedKey, new_key
from crypto.lengths import NONCE_SIZE
from crypto.sidecar import Sidecar
from service.audit import Clock, Random
from service.blobs import BlobStore
from service.records import SealedObject

PREFIX = "objects/"
SIDECAR = ".key"
TRASH = "trash/"


@dataclass
class Digest:
    """Counts and hashes the bytes that pass by: `size` in bytes, `sha256` in hex, final when all have passed."""

    size: int = 0

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()

    def over(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, counted and hashed."""
        for chunk in chunks:
            self.size += len(chunk)
            self._hash.update(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class SealedObjects:
    """Puts and opens sealed objects. Plaintext never touches the store or a disk."""

    def __init__(
        self, store: BlobStore, keyring: Callable[[], Keyring], clock: Clock, random: Random
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._random = random

    def put(
        self, role: str, owner_kind: str, owner_id: str, chunks: Iterable[bytes]
    ) -> tuple[SealedObject, str]:
        """Seal the chunks under a key of their own; return the row to add, and the plaintext's SHA-256 in hex.

        Memory does not grow with the object. Raises `StoreError`, and whatever `chunks` raises; then no payload
        with a sidecar is left.
        """
        object_id = identifiers.new_id("obj", self._random(16))
        bound = context(role, owner_kind, owner_id, object_id)
        data_key = new_key(self._random)
        digest = Digest()
        sealed = sealing.seal(data_key, bound, digest.over(chunks), salt=self._random(sealing.SALT_SIZE))
        self._keyring()  # without keys, fail before a byte is stored
        sealed_size = self._store.put(payload_key(role, object_id), sealed)
        while True:
            # Wrapped only now: storing takes minutes, in which keys may be rotated and retired.
            wrapped = self._keyring().wrap(data_key, bound, nonce=self._random(NONCE_SIZE))
            sidecar = Sidecar(
                role=role,
                owner_kind=owner_kind,
                owner_id=owner_id,
                object_id=object_id,
                sealed_size=sealed_size,
                master_id=wrapped.master_id,
                wrapped_key=wrapped.encode(),
            )
            self._store.put(sidecar_key(role, object_id), [sidecar.encode()])
            if wrapped.master_id in self._keyring().ids:
                break
        record = SealedObject(
            id=object_id,
            role=role,
            owner_kind=owner_kind,
            owner_id=owner_id,
            size=digest.size,
            wrapped_key=sidecar.wrapped_key,
            master_id=sidecar.master_id,
            created_at=self._clock(),
        )
        return record, digest.sha256

    def open(self, record: SealedObject) -> sealing.SealedReader:
        """A reader of the object's plaintext, its length already proven.

        Raises `SealBroken` when the object is not what was stored here, `StoreError` when it cannot be had.
        """
        bound = context(record.role, record.owner_kind, record.owner_id, record.id)
        wrapped = WrappedKey.decode(record.master_id, record.wrapped_key)
        data_key = self._keyring().unwrap(wrapped, bound)
        key = payload_key(record.role, record.id)
        return sealing.SealedReader(
            data_key,
            bound,
            lambda start, stop: self._store.read(key, start, stop),
            sealing.sealed_size(record.size),
        )

    def discard(self, record: SealedObject) -> None:
        """Delete payload and sidecar of an object whose row is gone, or never came."""
        self._store.delete(payload_key(record.role, record.id))
        self._store.delete(sidecar_key(record.role, record.id))


def payload_key(role: str, object_id: str) -> str:
    """Where the ciphertext lies."""
    return f"{PREFIX}{role}/{object_id}"


def sidecar_key(role: str, object_id: str) -> str:
    """Where the wrapped key lies."""
    return payload_key(role, object_id) + SIDECAR
