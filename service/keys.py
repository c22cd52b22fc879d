"""Named keys: independent random keys for link signing, log signing and the service, wrapped by the master key.

Their secrets live in memory only, unwrapped when first needed. A newer key of a purpose signs once every process
must have seen it; older ones verify until what they signed has died.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crypto import identifiers, tokens
from crypto.context import key_context
from crypto.keys import Keyring, WrappedKey, new_key
from crypto.lengths import NONCE_SIZE
from service.audit import Actor, Clock, Details, Random, entry
from service.errors import DomainError, Problem
from service.ports import Database, Records
from service.records import NamedKey

PURPOSES = ("link", "log", "service")
ROTATABLE = ("link",)
"""What may be rotated by hand. Log keys follow with the checkpoints, and the service key seals answers of a day."""

REFRESH_EVERY = timedelta(seconds=5)
"""How old a process's list of keys may be."""

SIGNS_AFTER = 2 * REFRESH_EVERY
"""A new key signs only when every process has it in its list, or its links would be refused there."""

VERIFY_FOR = timedelta(seconds=tokens.MAX_LIFE) + 2 * SIGNS_AFTER
"""How long a replaced link key verifies: its last link's longest life."""


@dataclass(frozen=True)
class NamedSecret:
    """A named key, unwrapped."""

    id: str
    secret: bytes


class NamedKeys:
    """Makes, unwraps and rotates the named keys."""

    def __init__(
        self, database: Database, keyring: Callable[[], Keyring], clock: Clock, random: Random
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._secrets: dict[str, bytes] = {}
        self._listed: list[NamedKey] = []
        self._listed_at: datetime | None = None

    def ensure(self, actor: Actor) -> None:
        """Make the named keys that are missing."""
        now = self._clock()
        with self._database.write() as records:
            for purpose in PURPOSES:
                if not records.find(NamedKey, purpose=purpose, limit=1):
                    self._make(records, actor, purpose, now, "key.created", {})
        self._forget()

    def signing(self, purpose: str) -> NamedSecret:
        """The key that signs now. Raises `DomainError` (unavailable) when there is none."""
        now = self._clock()
        current = [k for k in self._all(now) if k.purpose == purpose and k.verify_until is None]
        replaced = [
            k
            for k in self._all(now)
            if k.purpose == purpose and k.verify_until is not None and now < k.verify_until
        ]
        settled = [key for key in current if key.created_at + SIGNS_AFTER <= now]
        candidates = settled or replaced or current
        if not candidates:
            raise DomainError(Problem.UNAVAILABLE, f"There is no {purpose} key. Run `sealmark keys init`.")
        chosen = max(candidates, key=lambda key: key.created_at)
        return NamedSecret(chosen.id, self._secret(chosen))

    def verifying(self, purpose: str) -> dict[str, bytes]:
        """All keys that verify now, by id."""
        now = self._clock()
        return {
            key.id: self._secret(key)
            for key in self._all(now)
            if key.purpose == purpose and (key.verify_until is None or now < key.verify_until)
        }

    def rotate(self, actor: Actor, purpose: str) -> NamedKey:
        """A new key for this purpose; the ones before it verify on until what they signed has died."""
        if purpose not in ROTATABLE:
            raise DomainError(Problem.INVALID, f"Only these keys rotate by hand: {', '.join(ROTATABLE)}.")
        now = self._clock()
        with self._database.write() as records:
            replaced = records.find(NamedKey, purpose=purpose, verify_until=None)
            for key in replaced:
                records.change(key, verify_until=now + VERIFY_FOR)
            names = " ".join(key.id for key in replaced)
            made = self._make(records, actor, purpose, now, "key.rotated", {"replaces": names})
        self._forget()
        return made

    def listed(self) -> list[NamedKey]:
        """All named keys, by purpose, the newest first."""
        with self._database.read() as records:
            found = records.find(NamedKey, order="-created_at")
        return sorted(found, key=lambda key: key.purpose)

    def _make(
        self,
        records: Records,
        actor: Actor,
        purpose: str,
        now: datetime,
        kind: str,
        details: Details,
    ) -> NamedKey:
        key_id = identifiers.new_id("key", self._random(16))
        secret = new_key(self._random)
        wrapped = self._keyring().wrap(secret, key_context(purpose, key_id), nonce=self._random(NONCE_SIZE))
        record = NamedKey(
            id=key_id,
            purpose=purpose,
            owner_id=None,
            wrapped_key=wrapped.encode(),
            master_id=wrapped.master_id,
            created_at=now,
        )
        records.add(record)
        details = {"key": key_id, "purpose": purpose, **details}
        records.add(entry(kind, actor, now, self._random, details=details))
        return record

    def _all(self, now: datetime) -> list[NamedKey]:
        with self._lock:
            if self._listed_at is not None and now < self._listed_at + REFRESH_EVERY:
                return self._listed
        with self._database.read() as records:
            found = records.find(NamedKey)
        with self._lock:
            self._listed, self._listed_at = found, now
        return found

    def _secret(self, key: NamedKey) -> bytes:
        secret = self._secrets.get(key.id)
        if secret is None:
            wrapped = WrappedKey.decode(key.master_id, key.wrapped_key)
            secret = self._keyring().unwrap(wrapped, key_context(key.purpose, key.id))
            self._secrets[key.id] = secret
        return secret

    def _forget(self) -> None:
        with self._lock:
            self._listed_at = None
