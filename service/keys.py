"""Named keys: independent random keys for link signing, log signing, the service and each version's woven code.

The master key wraps them; their secrets live in memory only, unwrapped when first needed. A newer key of a purpose
signs once every process must have seen it; older ones verify until what they signed has died. A weave key stays.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crypto import identifiers, notes, tokens
from crypto.context import key_context
from crypto.keys import Keyring, WrappedKey, new_key
from crypto.lengths import NONCE_SIZE
from service.audit import Actor, Clock, Details, Random, entry
from service.errors import DomainError, Problem, invalid
from service.ports import Database, Records
from service.records import NamedKey

PURPOSES = ("link", "log", "service")
"""Of these the service has one each, or a set."""

WEAVE = "weave"
"""Of this purpose each version has one, and each cut of it: from it the bits of its copies come."""

OPEN_WEAVES = 64
"""How many weave keys stay unwrapped: of as many versions as templates stay open (`copies.OPEN_TEMPLATES`)."""

ROTATABLE = ("link", "log")
"""What may be rotated by hand. The service key seals answers of a day and the secrets of webhooks, and with another
weave key copies would change and traces of older ones be lost."""

LOG = "log"

OVERLAP = timedelta(days=30)
"""How long a replaced log key signs beside the new one, unless told otherwise: whoever checks the log learns the new
key within it by any checkpoint."""

MIN_OVERLAP = timedelta(hours=1)
MAX_OVERLAP = timedelta(days=366)

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
        self._weaves: OrderedDict[str, bytes] = OrderedDict()
        self._listed: list[NamedKey] = []
        self._listed_at: datetime | None = None

    def weave(self, owner_id: str) -> bytes:
        """The weave key of this version or cut, 32 bytes. Raises `DomainError` (unavailable) when there is none."""
        with self._lock:
            secret = self._weaves.get(owner_id)
            if secret is not None:
                self._weaves.move_to_end(owner_id)
                return secret
        with self._database.read() as records:
            found = records.find(NamedKey, purpose=WEAVE, owner_id=owner_id, limit=1)
        if not found:
            detail = f"The weave key of {owner_id} is not in the database, so its copies cannot be made."
            raise DomainError(Problem.UNAVAILABLE, detail)
        secret = self._unwrapped(found[0])
        with self._lock:
            self._weaves[owner_id] = secret
            while len(self._weaves) > OPEN_WEAVES:
                self._weaves.popitem(last=False)
        return secret

    def ensure_weave(
        self, records: Records, actor: Actor, version_id: str, now: datetime, *, cut_id: str | None = None
    ) -> None:
        """Make the weave key of a version, or of a cut of it, that has none, in the caller's transaction.

        That transaction holds the row of the version or cut.
        """
        owner_id = cut_id or version_id
        if not records.find(NamedKey, purpose=WEAVE, owner_id=owner_id, limit=1):
            self._make(
                records, actor, WEAVE, now, "key.created", {}, owner_id=owner_id, version_id=version_id
            )

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

    def log_signers(self, last_signed: datetime | None) -> list[NamedSecret]:
        """The keys that sign the next checkpoint, the oldest first.

        A replaced key signs beside the new one through its overlap and once more after it, so that at least one
        checkpoint holds the entry that names the new key and is signed by both. Raises `DomainError` (unavailable).
        """
        with self._database.read() as records:
            found = records.find(NamedKey, purpose=LOG, order="created_at")
        if not any(key.verify_until is None for key in found):
            raise DomainError(Problem.UNAVAILABLE, "There is no log key. Run `sealmark keys init`.")
        since = last_signed or self._clock()
        signing = [key for key in found if key.verify_until is None or since < key.verify_until]
        return [NamedSecret(key.id, self._secret(key)) for key in signing]

    def rotate(self, actor: Actor, purpose: str, overlap: timedelta | None = None) -> NamedKey:
        """A new key for this purpose; the ones before it verify on until what they signed has died.

        A log key signs on beside the new one for `overlap`. Raises `DomainError` (invalid).
        """
        if purpose not in ROTATABLE:
            raise DomainError(Problem.INVALID, f"Only these keys rotate by hand: {', '.join(ROTATABLE)}.")
        until = VERIFY_FOR if purpose != LOG else OVERLAP if overlap is None else overlap
        if purpose == LOG and not MIN_OVERLAP <= until <= MAX_OVERLAP:
            raise invalid(
                "overlap", f"Old and new log key sign together for {MIN_OVERLAP} to {MAX_OVERLAP.days} days."
            )
        now = self._clock()
        with self._database.write() as records:
            replaced = records.find(NamedKey, purpose=purpose, verify_until=None)
            for key in replaced:
                records.change(key, verify_until=now + until)
            names = " ".join(key.id for key in replaced)
            made = self._make(records, actor, purpose, now, "key.rotated", {"replaces": names})
        self._forget()
        return made

    def listed(self) -> list[NamedKey]:
        """All named keys, those of versions too, by purpose, the newest first."""
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
        owner_id: str | None = None,
        version_id: str | None = None,
    ) -> NamedKey:
        key_id = identifiers.new_id("key", self._random(16))
        secret = new_key(self._random)
        bound = key_context(purpose, key_id, owner_id or "")
        wrapped = self._keyring().wrap(secret, bound, nonce=self._random(NONCE_SIZE))
        record = NamedKey(
            id=key_id,
            purpose=purpose,
            owner_id=owner_id,
            wrapped_key=wrapped.encode(),
            master_id=wrapped.master_id,
            created_at=now,
        )
        records.add(record)
        details = {"key": key_id, "purpose": purpose, **details}
        if purpose == LOG:  # those who check the log follow it from key to key
            details["public"] = b64encode(notes.public_key(LOG, secret).public).decode()
        records.add(entry(kind, actor, now, self._random, details=details, version=version_id))
        return record

    def _all(self, now: datetime) -> list[NamedKey]:
        """The keys of `PURPOSES`. Weave keys are as many as versions and each is looked up by itself."""
        with self._lock:
            if self._listed_at is not None and now < self._listed_at + REFRESH_EVERY:
                return self._listed
        with self._database.read() as records:
            found = records.find(NamedKey, purpose__in=list(PURPOSES))
        with self._lock:
            self._listed, self._listed_at = found, now
        return found

    def _secret(self, key: NamedKey) -> bytes:
        secret = self._secrets.get(key.id)
        if secret is None:
            secret = self._unwrapped(key)
            self._secrets[key.id] = secret
        return secret

    def _unwrapped(self, key: NamedKey) -> bytes:
        wrapped = WrappedKey.decode(key.master_id, key.wrapped_key)
        return self._keyring().unwrap(wrapped, key_context(key.purpose, key.id, key.owner_id or ""))

    def _forget(self) -> None:
        with self._lock:
            self._listed_at = None
