"""A bucket with Object Lock in COMPLIANCE mode: what is put there stays, whoever asks, until its time is over."""

from __future__ import annotations

from datetime import timedelta

from service.adapters.s3 import S3Store
from service.audit import Clock


class LockedBucket:
    """`service.checkpoints.LockedStore` in a bucket of its own. The bucket must have been made with Object Lock."""

    def __init__(self, bucket: S3Store, keep: timedelta, clock: Clock) -> None:
        self._bucket = bucket
        self._keep = keep
        self._clock = clock

    def put(self, key: str, content: bytes) -> None:
        """See `LockedStore.put`. A second put of a key adds a version and replaces none."""
        self._bucket.put_locked(key, content, self._clock() + self._keep)
