"""Cutting: the job that compiles a cut out of its version's original, or refuses it with a reason.

The file goes to the limited child as a stream, and comes back as the template of the chosen pages alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crypto import identifiers
from service.audit import Actor, Clock, Random, entry
from service.blobs import StoreError
from service.cuts import pages_of
from service.facts import Facts
from service.keys import NamedKeys
from service.objects import SealedObjects
from service.ports import Database, Records
from service.records import Cut, CutState, Job, SealedObject, Template, Version
from watermark.errors import RefusalReason, Refused

OWNER = "cut"
"""Kind of owner in the context under which a cut's template is sealed."""

WORKER = Actor("worker")

Pieces = Callable[[bytes], Iterator[bytes]]


@dataclass(frozen=True)
class CutFile:
    """A compiled cut as the child answered it."""

    pages: int
    format: int
    template: bytes


CutInChild = Callable[[SealedObject, dict[str, Any]], CutFile]
"""(the version's original, parameters) → the compiled cut. Raises `Refused`."""

Settles = Callable[[Records, Job, datetime], bool]
"""End the job in this transaction, and say whether its claim still holds."""


class Cutting:
    """Ends jobs over cuts, which `service.compiling` claims."""

    def __init__(
        self,
        database: Database,
        objects: SealedObjects,
        keys: NamedKeys,
        pieces: Pieces,
        settles: Settles,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._objects = objects
        self._keys = keys
        self._pieces = pieces
        self._settles = settles
        self._clock = clock
        self._random = random

    def end(self, job: Job, cut_in_child: CutInChild, *, tired: bool) -> None:
        """Compile the cut that the job names and settle it; refuse it at once when it is `tired` of attempts."""
        with self._database.read() as records:
            cut = records.get(Cut, job.subject)
            version = records.get(Version, cut.version_id) if cut else None
            original = records.get(SealedObject, version.original_id or "") if version else None
        if cut is None or version is None or original is None or cut.state != CutState.COMPILING:
            with self._database.write() as records:
                records.change(job, expect={"done_at": None}, done_at=self._clock())
            return
        pages = pages_of(Facts.model_validate(version.facts), cut.sections)
        try:
            if tired:
                raise Refused(RefusalReason.TOO_COSTLY)
            made = cut_in_child(original, {"seed": self._random(32).hex(), "pages": pages})
            if made.pages != len(pages):  # whatever it is, it is not what was asked for
                raise Refused(RefusalReason.CANNOT_CUT, where="the child's cut has other pages")
        except Refused as refusal:
            self._refuse(job, cut, version, str(refusal.reason))
            return
        self._accept(job, cut, version, made)

    def _accept(self, job: Job, cut: Cut, version: Version, made: CutFile) -> None:
        stored, _ = self._objects.put("template", OWNER, cut.id, self._pieces(made.template))
        now = self._clock()
        template = Template(
            id=identifiers.new_id("tpl", self._random(16)),
            version_id=version.id,
            object_id=stored.id,
            format=made.format,
            size=stored.size,
            created_at=now,
            cut_id=cut.id,
        )
        with self._database.write() as records:
            mine = self._mine(records, job, cut, now)
            if mine:
                records.add(stored, template)
                self._keys.ensure_weave(records, WORKER, version.id, now, cut_id=cut.id)
                records.change(
                    cut, state=CutState.READY, template_id=template.id, pages=made.pages, settled_at=now
                )
                done = entry(
                    "cut.ready",
                    WORKER,
                    now,
                    self._random,
                    details={"cut": cut.id, "pages": made.pages},
                    document=version.document_id,
                    version=version.id,
                    template=template.id,
                )
                records.add(done)
        if not mine:
            with suppress(StoreError):  # without its row it is swept
                self._objects.discard(stored)

    def _refuse(self, job: Job, cut: Cut, version: Version, reason: str) -> None:
        now = self._clock()
        with self._database.write() as records:
            if not self._mine(records, job, cut, now):
                return
            records.change(cut, state=CutState.REFUSED, reason=reason, settled_at=now)
            made = entry(
                "cut.refused",
                WORKER,
                now,
                self._random,
                outcome="refused",
                reason=reason,
                details={"cut": cut.id},
                document=version.document_id,
                version=version.id,
            )
            records.add(made)

    def _mine(self, records: Records, job: Job, cut: Cut, now: datetime) -> bool:
        if not self._settles(records, job, now):
            return False
        current = records.get(Cut, cut.id, lock=True)
        return current is not None and current.state == CutState.COMPILING
