"""Compiling: the job that turns an uploaded file into a template, or refuses it with a reason.

The file is opened, and its pipe to the limited child filled, as a stream; the web process never parses it. After
a refusal nothing of the file is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from crypto import identifiers
from service.audit import Actor, Clock, Details, Random, entry
from service.blobs import StoreError
from service.facts import Facts, beyond_file
from service.objects import SealedObjects
from service.ports import Database
from service.records import Job, SealedObject, Template, Version, VersionState
from watermark.errors import RefusalReason, Refused

RETRY_AFTER = timedelta(minutes=25)
"""When a job that nobody ended is taken again: longer than the child's time limit of twenty minutes."""

MAX_ATTEMPTS = 3
"""After so many workers died over one file it is refused: the file is likely why."""

SEED_SIZE = 32
"""Bytes of the seed by which compile chooses places."""

PIECE = 256 * 1024
"""Bytes in which a template goes to the store."""

WORKER = Actor("worker")


@dataclass(frozen=True)
class Compiled:
    """What the child answered: facts, and the encoded template."""

    facts: dict[str, Any]
    template: bytes


CompileInChild = Callable[[Iterator[bytes], dict[str, Any]], Compiled]
"""(the file's pieces, parameters) → the compiled file. Raises `Refused`."""


class Compiling:
    """Takes compile jobs one by one. Any number of workers may run it."""

    def __init__(
        self,
        database: Database,
        objects: SealedObjects,
        compile_in_child: CompileInChild,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._objects = objects
        self._compile = compile_in_child
        self._clock = clock
        self._random = random

    def run_once(self) -> bool:
        """Take one job that is due and end it; False when there is none.

        Raises `StoreError`, `DatabaseUnavailable`: the job is taken again later.
        """
        job = self._claim()
        if job is None:
            return False
        with self._database.read() as records:
            version = records.get(Version, job.subject)
            original = records.get(SealedObject, version.original_id or "") if version else None
        if version is None or original is None or version.state != VersionState.COMPILING:
            self._close(job)
            return True
        try:
            if job.attempts > MAX_ATTEMPTS:
                raise Refused(RefusalReason.TOO_COSTLY)
            compiled = self._compile_version(version, original)
        except Refused as refusal:
            self._refuse(job, version, original, refusal.reason, str(refusal))
            return True
        beyond = beyond_file(Facts.model_validate(version.facts), int(compiled.facts["pages"]))
        if beyond is not None:
            self._refuse(job, version, original, "facts-beyond-file", beyond.detail)
            return True
        self._accept(job, version, compiled)
        return True

    def _claim(self) -> Job | None:
        now = self._clock()
        with self._database.write() as records:
            due = records.find(
                Job, kind="compile", done_at=None, run_after__le=now, order="run_after", limit=1, lock=True
            )
            if not due:
                return None
            return records.change(due[0], run_after=now + RETRY_AFTER, attempts=due[0].attempts + 1)

    def _compile_version(self, version: Version, original: SealedObject) -> Compiled:
        reader = self._objects.open(original)
        parameters = {"seed": self._random(SEED_SIZE).hex()}
        return self._compile(reader.read(0, reader.size), parameters)

    def _accept(self, job: Job, version: Version, compiled: Compiled) -> None:
        template_id = identifiers.new_id("tpl", self._random(16))
        pieces = (compiled.template[at : at + PIECE] for at in range(0, len(compiled.template), PIECE))
        stored, _ = self._objects.put("template", "version", version.id, pieces)
        now = self._clock()
        facts = compiled.facts
        template = Template(
            id=template_id,
            version_id=version.id,
            object_id=stored.id,
            format=int(facts["format"]),
            size=stored.size,
            created_at=now,
        )
        with self._database.write() as records:
            records.add(stored)
            records.add(template)
            records.change(
                version,
                state=VersionState.READY,
                template_id=template_id,
                pages=int(facts["pages"]),
                capacity=facts,
                settled_at=now,
            )
            details: Details = {
                "pages": int(facts["pages"]),
                "format": template.format,
                "size": stored.size,
            }
            made = entry(
                "version.ready",
                WORKER,
                now,
                self._random,
                details=details,
                document=version.document_id,
                version=version.id,
                template=template_id,
            )
            records.add(made)
            records.change(job, done_at=now)

    def _refuse(self, job: Job, version: Version, original: SealedObject, reason: str, message: str) -> None:
        now = self._clock()
        with self._database.write() as records:
            records.change(
                version,
                state=VersionState.REFUSED,
                reason=str(reason),
                message=message,
                original_id=None,
                settled_at=now,
            )
            records.remove(SealedObject, id=original.id)
            made = entry(
                "version.refused",
                WORKER,
                now,
                self._random,
                outcome="refused",
                reason=str(reason),
                document=version.document_id,
                version=version.id,
            )
            records.add(made)
            records.change(job, done_at=now)
        try:
            self._objects.discard(original)
        except StoreError:
            return  # without its row it is swept

    def _close(self, job: Job) -> None:
        with self._database.write() as records:
            records.change(job, done_at=self._clock())
