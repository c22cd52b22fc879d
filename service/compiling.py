"""Compiling: the job that turns an uploaded file into a template, or refuses it with a reason.

The file is opened, and its pipe to the limited child filled, as a stream; the web process never parses it. After
a refusal nothing of the file is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crypto import identifiers
from service.audit import Actor, Clock, Details, Random, entry
from service.blobs import StoreError
from service.cuts import KIND as CUT
from service.cutting import CutFile, Cutting
from service.facts import Facts, beyond_file
from service.keys import NamedKeys
from service.objects import SealedObjects
from service.ports import Database, DatabaseUnavailable, Records
from service.records import Job, SealedObject, Template, Version, VersionState
from watermark.errors import RefusalReason, Refused
from watermark.removal import Removal, removed_of
from watermark.woven.capacity import capacity_of

RETRY_AFTER = timedelta(minutes=25)
"""When a job that nobody ended is taken again: longer than the child's time limit of twenty minutes."""

PAUSE = timedelta(seconds=30)
"""How long a job rests that was put back: what failed (store, database, child) is not the file's doing."""

MAX_ATTEMPTS = 3
"""After so many workers died over one file it is refused: the file is likely why."""

KINDS = ("compile", CUT)
"""Of the jobs that are taken here."""

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
"""(the file's pieces, parameters) → the compiled file, or of it only `pages` if the parameters name them.

Raises `Refused`."""


class Compiling:
    """Takes compile jobs one by one. Any number of workers may run it."""

    def __init__(
        self,
        database: Database,
        objects: SealedObjects,
        keys: NamedKeys,
        compile_in_child: CompileInChild,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._objects = objects
        self._keys = keys
        self._compile = compile_in_child
        self._clock = clock
        self._random = random
        self._cutting = Cutting(database, objects, keys, _in_pieces, _ends, clock, random)
        self._held: dict[str, Job] = {}  # claimed here, being worked on
        self._owed: list[Job] = []  # to be put back when the database answers again

    def run_once(self) -> bool:
        """Take one job that is due and end it; False when there is none.

        Raises what kept it from a verdict (`StoreError`, `DatabaseUnavailable`, `SealBroken`,
        `SandboxUnavailable`, the end of the process): the job is put back, and it counts as no attempt.
        """
        while self._owed:
            self._put_back(self._owed[-1])
            self._owed.pop()
        job = self._claim()
        if job is None:
            return False
        self._held[job.id] = job
        try:
            self._end(job)
        except BaseException:
            try:
                self._put_back(job)
            except DatabaseUnavailable:
                self._owed.append(job)
            raise
        finally:
            self._held.pop(job.id, None)
        return True

    def release(self) -> None:
        """Put back what is held here: the process ends. A thread that still works on it settles nothing more."""
        with suppress(DatabaseUnavailable):
            for job in [*self._held.values(), *self._owed]:
                self._put_back(job)

    def _put_back(self, job: Job) -> None:
        """Undo the claim, unless the job has ended or passed on to another worker."""
        with self._database.write() as records:
            records.change(
                job, expect=_claim_of(job), attempts=job.attempts - 1, run_after=self._clock() + PAUSE
            )

    def _end(self, job: Job) -> None:
        if job.kind == CUT:
            self._cutting.end(job, self._compile_cut, tired=job.attempts > MAX_ATTEMPTS)
            return
        with self._database.read() as records:
            version = records.get(Version, job.subject)
            original = records.get(SealedObject, version.original_id or "") if version else None
        if version is None or original is None or version.state != VersionState.COMPILING:
            self._close(job)
            return
        try:
            if job.attempts > MAX_ATTEMPTS:
                raise Refused(RefusalReason.TOO_COSTLY)
            compiled = self._compile_version(version, original)
        except Refused as refusal:
            self._refuse(job, version, original, refusal.reason, str(refusal))
            return
        beyond = beyond_file(Facts.model_validate(version.facts), int(compiled.facts["pages"]))
        if beyond is not None:
            self._refuse(job, version, original, "facts-beyond-file", beyond.detail)
            return
        self._accept(job, version, compiled)

    def _claim(self) -> Job | None:
        now = self._clock()
        with self._database.write() as records:
            due = records.find(
                Job,
                kind__in=list(KINDS),
                done_at=None,
                run_after__le=now,
                order="run_after",
                limit=1,
                lock=True,
            )
            if not due:
                return None
            return records.change(due[0], run_after=now + RETRY_AFTER, attempts=due[0].attempts + 1)

    def _compile_version(self, version: Version, original: SealedObject) -> Compiled:
        reader = self._objects.open(original)
        parameters = {"seed": self._random(SEED_SIZE).hex()}
        compiled = self._compile(reader.read(0, reader.size), parameters)
        # Raises for facts that cannot be: they are kept and shown from here on.
        capacity_of(compiled.facts)
        removed_of(compiled.facts.get("removed", {}))
        return compiled

    def _compile_cut(self, original: SealedObject, parameters: dict[str, Any]) -> CutFile:
        reader = self._objects.open(original)
        compiled = self._compile(reader.read(0, reader.size), parameters)
        return CutFile(int(compiled.facts["pages"]), int(compiled.facts["format"]), compiled.template)

    def _accept(self, job: Job, version: Version, compiled: Compiled) -> None:
        template_id = identifiers.new_id("tpl", self._random(16))
        stored, _ = self._objects.put("template", "version", version.id, _in_pieces(compiled.template))
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
            mine = _settles(records, job, version, now)
            if mine:
                records.add(stored, template)
                self._write_ready(records, version, template, facts, now)
        if not mine:
            with suppress(StoreError):  # without its row it is swept
                self._objects.discard(stored)

    def _write_ready(
        self, records: Records, version: Version, template: Template, facts: dict[str, Any], now: datetime
    ) -> None:
        """Let copies be made of it: with the weave key that decides their bits, and both entries."""
        self._keys.ensure_weave(records, WORKER, version.id, now)
        records.change(
            version,
            state=VersionState.READY,
            template_id=template.id,
            pages=int(facts["pages"]),
            capacity=facts,
            settled_at=now,
        )
        details: Details = {
            "pages": int(facts["pages"]),
            "format": template.format,
            "size": template.size,
            **_removed_details(facts),
        }
        made = entry(
            "version.ready",
            WORKER,
            now,
            self._random,
            details=details,
            document=version.document_id,
            version=version.id,
            template=template.id,
        )
        records.add(made)

    def _refuse(self, job: Job, version: Version, original: SealedObject, reason: str, message: str) -> None:
        now = self._clock()
        with self._database.write() as records:
            if not _settles(records, job, version, now):
                return
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
        try:
            self._objects.discard(original)
        except StoreError:
            return  # without its row it is swept

    def _close(self, job: Job) -> None:
        with self._database.write() as records:
            records.change(job, expect={"done_at": None}, done_at=self._clock())


def _removed_details(facts: dict[str, Any]) -> dict[str, str | int | None]:
    """What the entry says was taken out of the file: all codes, and how many source signatures a mark would break."""
    removed = {one.code: one.count for one in removed_of(facts.get("removed", {}))}
    return {"removed": " ".join(removed) or None, "signatures": removed.get(Removal.SIGNATURES)}


def _claim_of(job: Job) -> dict[str, Any]:
    """What the stored job still says while this claim holds."""
    return {"attempts": job.attempts, "run_after": job.run_after, "done_at": None}


def _settles(records: Records, job: Job, version: Version, now: datetime) -> bool:
    """End the job and say whether its claim settles the version: nobody else took or settled it meanwhile."""
    if not _ends(records, job, now):
        return False
    current = records.get(Version, version.id, lock=True)
    return current is not None and current.state == VersionState.COMPILING


def _ends(records: Records, job: Job, now: datetime) -> bool:
    """End the job and say whether its claim still held."""
    return records.change(job, expect=_claim_of(job), done_at=now) is not None


def _in_pieces(template: bytes) -> Iterator[bytes]:
    return (template[at : at + PIECE] for at in range(0, len(template), PIECE))
