"""The life of master keys: made, known to the store, rotated, retired.

The master key only wraps. Rotating it rewraps the named keys and the key of each object, and rewrites no payload; it
may be broken off and run again. A key retires only after a full listing shows that nothing uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from crypto.context import context, key_context
from crypto.errors import CryptoError
from crypto.keys import Keyring, MasterKey, WrappedKey, new_key
from crypto.lengths import NONCE_SIZE
from crypto.sidecar import MAX_BYTES as MAX_SIDECAR
from crypto.sidecar import Sidecar
from service.audit import Actor, Clock, Details, Random, entry
from service.blobs import BlobMissing, BlobStore
from service.errors import DomainError, Problem
from service.keys import NamedKeys
from service.objects import PREFIX, SIDECAR, TRASH
from service.ports import Database, MasterKeyHolder
from service.records import NamedKey, SealedObject, Throttle

MARKERS = "masters/"
"""Where the store keeps, for each master key that ever served it, a proof that it is that key."""

STORE_ID = "store"

RETIRE_AFTER = timedelta(hours=1)
"""How long a replaced key stays: longer than any process needs from wrapping a key to the object's row."""

HELD = "master-held:"
"""Begins the key of the row that holds a replaced master key until it may retire."""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class MasterKeyUse:
    """One master key, and how many wrapped keys need it."""

    id: str
    current: bool
    named_keys: int
    objects: int


class MasterKeys:
    """Makes, rotates, retires and lists master keys."""

    def __init__(
        self,
        database: Database,
        store: BlobStore,
        keyfile: MasterKeyHolder,
        keys: NamedKeys,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._store = store
        self._keyfile = keyfile
        self._keys = keys
        self._clock = clock
        self._random = random

    def init(self, actor: Actor) -> MasterKey:
        """Make the key file and what hangs on it, where there is none yet; finishes an `init` that broke off.

        Raises `DomainError` (wrong-state) when the store was sealed under another key: a new one would open nothing.
        """
        known = [blob.key.removeprefix(MARKERS) for blob in self._store.list(MARKERS)]
        if not self._keyfile.exists():
            if known:
                detail = (
                    f"The store is sealed under {known[0]}: restore its key file; a new one opens nothing."
                )
                raise DomainError(Problem.WRONG_STATE, detail)
            self._keyfile.create(Keyring(MasterKey(new_key(self._random))))
        master = self._keyfile.keyring().current
        if known and master.id not in known:
            detail = f"The store is sealed under {known[0]}, and the key file holds {master.id}: find the right one."
            raise DomainError(Problem.WRONG_STATE, detail)
        if not known:
            self._introduce(actor, master, "key.created", {})
        self._keys.ensure(actor)
        return master

    def require_known(self) -> None:
        """Raise `DomainError` (unavailable) unless the store knows the current master key and it opens its marker."""
        master = self._keyfile.keyring().current
        try:
            marker = Sidecar.decode(b"".join(self._store.read(MARKERS + master.id)))
            wrapped = WrappedKey.decode(marker.master_id, marker.wrapped_key)
            master.unwrap(wrapped, marker.context())
        except (BlobMissing, CryptoError) as error:
            detail = (
                f"The store does not know the master key {master.id}: check SEALMARK_KEY and SEALMARK_STORE."
            )
            raise DomainError(Problem.UNAVAILABLE, detail) from error

    def rotate(self, actor: Actor, progress: Progress = lambda done: None) -> MasterKey:
        """Make a new master key and rewrap all under it. One that broke off is finished first, not begun anew."""
        keyring = self._keyfile.keyring()
        if not self._stale(keyring.current.id):
            old = keyring.current.id
            keyring = keyring.rotated(MasterKey(new_key(self._random)))
            self._keyfile.replace(keyring)
            self._hold(keyring)
            self._introduce(actor, keyring.current, "key.rotated", {"replaces": old})
        elif not self._introduced(keyring.current.id):
            self._hold(keyring)
            self._introduce(actor, keyring.current, "key.rotated", {})
        self._rewrap(keyring, progress)
        return keyring.current

    def retire(self, actor: Actor, master_id: str) -> None:
        """Take a master key out of the file. Raises `DomainError` (wrong-state) while anything needs it.

        Also within an hour of being replaced: an object that was sealed under it may not be listed yet.
        """
        keyring = self._keyfile.keyring()
        with self._database.read() as records:
            held = records.get(Throttle, HELD + master_id)
        if held is not None and held.until > self._clock():
            detail = f"{master_id} was replaced less than an hour ago: retire it after {held.until:%Y-%m-%d %H:%M} UTC."
            raise DomainError(Problem.WRONG_STATE, detail)
        for use in self.list():
            if use.id == master_id and (use.named_keys or use.objects):
                detail = (
                    f"{master_id} wraps {use.named_keys} keys and {use.objects} objects: run `keys rotate`."
                )
                raise DomainError(Problem.WRONG_STATE, detail)
        smaller = keyring.retired(master_id)
        details = {"key": master_id, "purpose": "master"}
        with self._database.write() as records:
            records.add(entry("key.retired", actor, self._clock(), self._random, details=details))
        self._keyfile.replace(smaller)
        self._store.delete(MARKERS + master_id)

    def list(self) -> list[MasterKeyUse]:
        """The master keys of the file, and what needs each: by a full listing of the store and the database."""
        keyring = self._keyfile.keyring()
        objects = dict.fromkeys(keyring.ids, 0)
        for _, sidecar in self._sidecars():
            objects[sidecar.master_id] = objects.get(sidecar.master_id, 0) + 1
        with self._database.read() as records:
            named = records.find(NamedKey)
            rows = records.find(SealedObject)
        for row in rows:
            objects.setdefault(row.master_id, 0)
        return [
            MasterKeyUse(
                id=master_id,
                current=master_id == keyring.current.id,
                named_keys=sum(key.master_id == master_id for key in named),
                objects=max(count, sum(row.master_id == master_id for row in rows)),
            )
            for master_id, count in objects.items()
        ]

    def _hold(self, keyring: Keyring) -> None:
        """Let no key but the current one retire before all processes have stopped wrapping under it."""
        until = self._clock() + RETIRE_AFTER
        with self._database.write() as records:
            for master_id in keyring.ids:
                if master_id != keyring.current.id:
                    records.remove(Throttle, key=HELD + master_id)
                    records.add(Throttle(HELD + master_id, until))

    def _introduce(self, actor: Actor, master: MasterKey, kind: str, details: Details) -> None:
        bound = context("marker", "store", STORE_ID, master.id)
        wrapped = master.wrap(new_key(self._random), bound, nonce=self._random(NONCE_SIZE))
        marker = Sidecar(
            role="marker",
            owner_kind="store",
            owner_id=STORE_ID,
            object_id=master.id,
            sealed_size=0,
            master_id=master.id,
            wrapped_key=wrapped.encode(),
        )
        details = {"key": master.id, "purpose": "master", **details}
        with self._database.write() as records:
            records.add(entry(kind, actor, self._clock(), self._random, details=details))
        self._store.put(MARKERS + master.id, [marker.encode()])

    def _introduced(self, master_id: str) -> bool:
        return any(blob.key == MARKERS + master_id for blob in self._store.list(MARKERS + master_id))

    def _stale(self, current_id: str) -> bool:
        with self._database.read() as records:
            if records.find(NamedKey, master_id__ne=current_id, limit=1):
                return True
            if records.find(SealedObject, master_id__ne=current_id, limit=1):
                return True
        return any(sidecar.master_id != current_id for _, sidecar in self._sidecars())

    def _rewrap(self, keyring: Keyring, progress: Progress) -> None:
        done = 0
        with self._database.write() as records:
            for key in records.find(NamedKey, master_id__ne=keyring.current.id):
                bound = key_context(key.purpose, key.id, key.owner_id or "")
                wrapped = self._wrapped_anew(keyring, key.master_id, key.wrapped_key, bound)
                records.change(key, wrapped_key=wrapped.encode(), master_id=wrapped.master_id)
                done += 1
                progress(done)
        for place, sidecar in self._sidecars():
            if sidecar.master_id == keyring.current.id and self._row_follows(sidecar):
                continue
            self._rewrap_object(keyring, place, sidecar)
            done += 1
            progress(done)

    def _rewrap_object(self, keyring: Keyring, place: str, sidecar: Sidecar) -> None:
        """The sidecar first, since it is authoritative; a row left behind is mended by the next run."""
        if sidecar.master_id != keyring.current.id:
            wrapped = self._wrapped_anew(keyring, sidecar.master_id, sidecar.wrapped_key, sidecar.context())
            sidecar = Sidecar(
                role=sidecar.role,
                owner_kind=sidecar.owner_kind,
                owner_id=sidecar.owner_id,
                object_id=sidecar.object_id,
                sealed_size=sidecar.sealed_size,
                master_id=wrapped.master_id,
                wrapped_key=wrapped.encode(),
            )
            self._store.put(place, [sidecar.encode()])
        with self._database.write() as records:
            row = records.get(SealedObject, sidecar.object_id, lock=True)
            if row is not None:
                records.change(row, wrapped_key=sidecar.wrapped_key, master_id=sidecar.master_id)

    def _row_follows(self, sidecar: Sidecar) -> bool:
        with self._database.read() as records:
            row = records.get(SealedObject, sidecar.object_id)
        return row is None or row.master_id == sidecar.master_id

    def _wrapped_anew(self, keyring: Keyring, master_id: str, text: str, bound: bytes) -> WrappedKey:
        key = keyring.unwrap(WrappedKey.decode(master_id, text), bound)
        return keyring.wrap(key, bound, nonce=self._random(NONCE_SIZE))

    def _sidecars(self) -> Iterator[tuple[str, Sidecar]]:
        for prefix in (PREFIX, TRASH):
            for blob in self._store.list(prefix):
                if blob.key.endswith(SIDECAR) and blob.size <= MAX_SIDECAR:
                    yield blob.key, Sidecar.decode(b"".join(self._store.read(blob.key)))
