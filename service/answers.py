"""Idempotency: the same call with the same key gives the same answer, once.

The answer is kept in the transaction of the effect: the record of the key is added first, so that a second call
waits for the first one's end, and finds its answer. It may hold a link, so it is sealed under a key that only the
caller's raw `Idempotency-Key` gives; of that key a hash is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from crypto import replay
from crypto.context import context
from crypto.lengths import NONCE_SIZE
from service.audit import Clock, Random
from service.errors import DomainError, Problem
from service.keys import NamedKeys
from service.ports import Database, Held, Taken
from service.records import Answer

KEPT_FOR = timedelta(hours=24)
MAX_KEY = 255
"""Characters of an Idempotency-Key: room for a UUID with a prefix."""


@dataclass(frozen=True)
class Reply:
    """An answer as it was, and is again: status and exact body."""

    status: int
    body: bytes
    recipient: str | None = None  # whom it tells of, so that erasing finds it


class Answers:
    """Keeps and replays answers, per API key, for 24 hours."""

    def __init__(self, database: Database, keys: NamedKeys, clock: Clock, random: Random) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._random = random

    def once(
        self, caller: str, key: str, request: bytes, prepare: Callable[[], Callable[[], Reply]]
    ) -> Reply:
        """What the call that `prepare` gives answers, or answered before to the same caller, key and request.

        `prepare` runs before the transaction, unless the answer is known, and holds up nobody. Its call runs within
        it: its effect and the kept answer are there both or not at all. An error that either raises keeps nothing.

        Raises `DomainError`: idempotency-mismatch (the key was used for another request), idempotency-running (the
        first call has not ended in time; ask again). Raises `DatabaseUnavailable` when the database does not answer,
        or does not say which of the two it is.
        """
        service_key = self._keys.signing("service").secret
        record_key = f"{caller}:{replay.idempotency_hash(service_key, key)}"
        request_hash = hashlib.sha256(request).hexdigest()
        bound = context("answer", "api-key", caller, record_key)
        call: Callable[[], Reply] | None = None
        for _ in range(2):
            kept = self._kept(record_key)
            if kept is not None:
                return self._replay(kept, key, request_hash, bound, service_key)
            call = call or prepare()
            try:
                return self._run(record_key, key, request_hash, bound, service_key, call)
            except Taken:  # somebody else's call with this key ended meanwhile; or made the same recipient
                continue
        raise DomainError(Problem.IDEMPOTENCY_RUNNING, "A call with this Idempotency-Key is running.")

    def _run(
        self,
        record_key: str,
        key: str,
        request_hash: str,
        bound: bytes,
        service_key: bytes,
        call: Callable[[], Reply],
    ) -> Reply:
        with self._database.write() as records:
            answer = Answer(key=record_key, request_hash=request_hash, created_at=self._clock())
            records.remove(Answer, key=record_key, created_at__lt=self._clock() - KEPT_FOR)
            try:
                records.add(answer)
            except Held as error:  # only this: of a database that is away nobody knows what runs
                detail = "The first call with this Idempotency-Key is still running. Ask again."
                raise DomainError(Problem.IDEMPOTENCY_RUNNING, detail) from error
            reply = call()
            sealed = replay.seal_answer(service_key, key, bound, reply.body, nonce=self._random(NONCE_SIZE))
            records.change(answer, status=reply.status, sealed=sealed, recipient_id=reply.recipient)
        return reply

    def _kept(self, record_key: str) -> Answer | None:
        with self._database.read() as records:
            found = records.get(Answer, record_key)
        return found if found and self._clock() < found.created_at + KEPT_FOR else None

    def _replay(self, kept: Answer, key: str, request_hash: str, bound: bytes, service_key: bytes) -> Reply:
        if kept.status is not None and kept.sealed is None:
            detail = "What this Idempotency-Key made concerned a recipient who was erased: use a new key."
            raise DomainError(Problem.IDEMPOTENCY_MISMATCH, detail)
        if kept.request_hash != request_hash:
            detail = "This Idempotency-Key was used for another request: use a new key."
            raise DomainError(Problem.IDEMPOTENCY_MISMATCH, detail)
        if kept.status is None or kept.sealed is None:
            raise DomainError(Problem.IDEMPOTENCY_RUNNING, "The first call is still running. Ask again.")
        return Reply(kept.status, replay.open_answer(service_key, key, bound, kept.sealed))
