"""Time stamps of signed records by an authority (RFC 3161), made after the signing, which never waits for them."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Protocol

from crypto.errors import CryptoError
from service.audit import Actor, Clock, Random, entry
from service.blobs import StoreError
from service.objects import SealedObjects
from service.ports import Database
from service.records import Nda, SealedObject, Signature

LOG = logging.getLogger("sealmark.timestamps")

WORKER = Actor("worker")

FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(hours=1)
"""How long this process waits after a failure, doubled each time: authorities limit who asks too often."""


class NoTimestamp(Exception):
    """The authority gave no stamp that proves anything. The message is a word for our logs and holds no address."""


class TimestampAuthority(Protocol):
    """Who confirms that something was there at a time."""

    def stamp(self, content: bytes) -> bytes:
        """A TimeStampResp over the SHA-256 of the content, verified. Ends within a bounded time.

        Raises `NoTimestamp`.
        """


class Timestamps:
    """Gives each signature that has none its time stamp, where there is an authority."""

    def __init__(
        self,
        database: Database,
        objects: SealedObjects,
        authority: TimestampAuthority | None,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._objects = objects
        self._authority = authority
        self._clock = clock
        self._random = random
        self._after = ""  # the signature that was looked at last, so that one that fails holds up no other
        self._not_before: datetime | None = None
        self._wait = FIRST_RETRY

    def run_once(self) -> bool:
        """Stamp one record that has no stamp; whether it was done. The worker's task.

        What fails is tried again later, those of before an authority was configured are stamped too.
        """
        now = self._clock()
        if self._authority is None or (self._not_before is not None and now < self._not_before):
            return False
        waiting = self._next()
        if waiting is None:
            return False
        signature, nda, stored = waiting
        self._after = signature.id
        try:
            content = b"".join(self._objects.open(stored).read())
            stamp = self._authority.stamp(content)
        except (NoTimestamp, StoreError, CryptoError) as error:
            self._not_before, self._wait = now + self._wait, min(2 * self._wait, LAST_RETRY)
            LOG.warning("a signed record has no time stamp yet", extra={"why": str(error)})
            return False
        self._not_before, self._wait = None, FIRST_RETRY
        with self._database.write() as records:
            # One of several workers is first; the stamp of another is as good, and is not kept.
            if records.change(signature, expect={"timestamp": None}, timestamp=stamp) is None:
                return True
            details = {"signature": signature.id, "record": signature.record_sha256}
            records.add(
                entry(
                    "nda.timestamped",
                    WORKER,
                    self._clock(),
                    self._random,
                    details=details,
                    nda=nda.id,
                    recipient=nda.recipient_id,
                )
            )
        return True

    def _next(self) -> tuple[Signature, Nda, SealedObject] | None:
        """The next signature without a stamp whose record is kept, in a round over all of them."""
        for after in dict.fromkeys((self._after, "")):
            with self._database.read() as records:
                for signature in records.find(Signature, timestamp=None, id__gt=after, order="id"):
                    nda = records.get(Nda, signature.nda_id)
                    stored = records.get(SealedObject, nda.evidence_id) if nda and nda.evidence_id else None
                    if nda is not None and stored is not None:
                        return signature, nda, stored
        return None
