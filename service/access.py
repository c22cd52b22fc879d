"""Callers of the API: keys with scopes, an expiry, and a secret that is shown once and stored as a hash."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from crypto import api_keys
from crypto.errors import ApiKeyInvalid
from service.audit import Actor, Clock, Random, entry, timestamp
from service.errors import DomainError, Problem, invalid, not_found
from service.ports import Database
from service.records import ApiKey

LAST_USE_EVERY = timedelta(minutes=1)
"""How exact `last_used_at` is: finer would cost each request a durable write."""

MAX_LIFE = timedelta(days=366)
"""An API key ends within a year, so that a forgotten one does."""


class Scope(StrEnum):
    """What a key may do; no scope includes another."""

    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_WRITE = "documents:write"
    DOCUMENTS_CLASSIFY = "documents:classify"
    DOCUMENTS_REVOKE = "documents:revoke"
    RECIPIENTS_READ = "recipients:read"
    RECIPIENTS_ERASE = "recipients:erase"
    HOLDS_WRITE = "holds:write"
    NDAS_READ = "ndas:read"
    NDAS_WRITE = "ndas:write"
    NDAS_APPROVE = "ndas:approve"
    SHARES_READ = "shares:read"
    SHARES_WRITE = "shares:write"
    SHARES_REVOKE = "shares:revoke"
    REQUESTS_READ = "requests:read"
    REQUESTS_DECIDE = "requests:decide"
    RULES_WRITE = "rules:write"
    LOG_READ = "log:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


class ApiKeys:
    """Makes, checks and revokes API keys."""

    def __init__(self, database: Database, clock: Clock, random: Random) -> None:
        self._database = database
        self._clock = clock
        self._random = random

    def create(
        self, actor: Actor, name: str, scopes: Iterable[Scope], expires_at: datetime
    ) -> tuple[ApiKey, str]:
        """A new key and its text, which is shown this once."""
        now = self._clock()
        if not name or len(name) > 100:
            raise invalid("name", "Give the key a name of 1 to 100 characters: who uses it, for what.")
        if not now < expires_at <= now + MAX_LIFE:
            raise invalid("expires_at", f"A key ends in the future, within {MAX_LIFE.days} days.")
        chosen = sorted(set(scopes))
        if not chosen:
            raise invalid("scopes", "Give the key at least one scope: " + ", ".join(Scope))
        text = api_keys.new_api_key(self._random)
        record = ApiKey(
            id=api_keys.api_key_id(text),
            name=name,
            secret_hash=api_keys.hash_secret(text),
            scopes=[str(scope) for scope in chosen],
            created_at=now,
            expires_at=expires_at,
        )
        details = {"key": record.id, "scopes": " ".join(record.scopes), "expires": timestamp(expires_at)}
        with self._database.write() as records:
            records.add(record)
            records.add(entry("api-key.created", actor, now, self._random, details=details))
        return record, text

    def authenticate(self, text: str) -> ApiKey:
        """The key in force that this text is. One and the same error for all that is not."""
        refusal = DomainError(
            Problem.UNAUTHENTICATED, "This needs a valid API key: `Authorization: Bearer smk_…`."
        )
        try:
            key_id = api_keys.api_key_id(text)
        except ApiKeyInvalid:
            raise refusal from None
        now = self._clock()
        with self._database.read() as records:
            record = records.get(ApiKey, key_id)
        if record is None or not api_keys.matches(text, record.secret_hash):
            raise refusal
        if record.revoked_at or record.expires_at <= now:
            raise refusal
        if record.last_used_at is None or record.last_used_at + LAST_USE_EVERY <= now:
            with self._database.write() as records:
                records.change(record, last_used_at=now)
        return record

    def list(self) -> list[ApiKey]:
        """All keys, the newest first."""
        with self._database.read() as records:
            return records.find(ApiKey, order="-created_at")

    def revoke(self, actor: Actor, key_id: str) -> ApiKey:
        """End a key at once; ending it again changes nothing."""
        now = self._clock()
        with self._database.write() as records:
            record = records.get(ApiKey, key_id, lock=True)
            if record is None:
                raise not_found("API key", key_id)
            if record.revoked_at:
                return record
            changed = records.change(record, revoked_at=now)
            records.add(entry("api-key.revoked", actor, now, self._random, details={"key": key_id}))
        return changed or record
