"""The rival of a download: `python -m bench.plain_server` is the product's own `serve` but for one thing.

`Copies.stream` reads an unmarked, unsealed object of the store instead of opening and stamping a template. Asking,
decisions, minting, entries, HTTP and limits are the product's code.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from bench.lender import PLAIN_OBJECT
from service import serving, settings
from service.app import Sealmark, build
from service.audit import Clock, Random
from service.blobs import BlobStore
from service.copies import Copies
from service.delivery import Deliveries
from service.keys import NamedKeys
from service.objects import SealedObjects
from service.ports import Database
from service.records import Copy


class PlainCopies(Copies):
    """Copies whose bytes are those of the plain object, as many as the copy has."""

    def __init__(
        self,
        database: Database,
        objects: SealedObjects,
        keys: NamedKeys,
        store: BlobStore,
        clock: Clock,
        random: Random,
    ) -> None:
        super().__init__(database, objects, keys, clock, random)
        self._store = store

    def stream(self, copy: Copy, start: int, stop: int) -> Generator[bytes, None, None]:
        """Bytes [start, stop) of the plain object."""
        return self._store.read(PLAIN_OBJECT, start, stop)


def plain(sealmark: Sealmark) -> Sealmark:
    """The same service, sending the plain object."""
    copies = PlainCopies(
        sealmark.database,
        sealmark.objects,
        sealmark.keys,
        sealmark.store,
        sealmark.clock,
        sealmark.random,
    )
    return replace(sealmark, copies=copies, deliveries=deliveries_with(sealmark, copies))


def deliveries_with(sealmark: Sealmark, copies: Copies, kind: type[Deliveries] = Deliveries) -> Deliveries:
    """Deliveries of this service over other copies."""
    return kind(
        sealmark.database,
        sealmark.keys,
        copies,
        sealmark.denials,
        sealmark.tallies,
        sealmark.limits,
        sealmark.clock,
        sealmark.random,
    )


def build_plain(chosen: settings.Settings, **arguments: Any) -> Sealmark:
    """As `service.app.build`, sending the plain object."""
    return plain(build(chosen, **arguments))


if __name__ == "__main__":
    with patch.object(serving, "build", build_plain):
        serving.serve(settings.load(os.environ))
