"""Packs of evidence: all that the service knows of one share, recipient or company, as a zip that proves itself.

A pack stands on one published checkpoint. Its entries are filtered exports (`crypto/FORMAT.md`, "Log export"), which
the packed `logcheck.py` checks offline. It is made twice: once to know its size and SHA-256, which the log keeps
before the first byte leaves, and once to be sent; so no plaintext lies anywhere meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from service.archives import Archives
from service.audit import Actor, Clock, Details, Random, entry
from service.checkpoints import Checkpoints
from service.evidence.dossier import Dossier, about_one, collect
from service.evidence.facts import copies_json, facts_json, readme
from service.evidence.packing import Part, as_measured, measured
from service.evidence.summary import MAX_ACCESSES, Access, accesses, summary
from service.exporting import Exports
from service.objects import SealedObjects
from service.ports import Database
from service.records import LogCheckpoint, LoggedEntry, SealedObject


@dataclass(frozen=True)
class Pack:
    """A pack that is recorded as pulled. `pieces` raises `DomainError` (busy) rather than end as other bytes."""

    name: str
    size: int
    sha256: str
    pieces: Iterator[bytes]


@dataclass(frozen=True)
class Chosen:
    """The entries of one file: they meet all conditions of one of `wheres`, and all what the export's filter says."""

    name: str
    said: Mapping[str, str]
    wheres: Sequence[Mapping[str, Any]]


class Evidence:
    """Makes packs of evidence."""

    def __init__(
        self,
        database: Database,
        objects: SealedObjects,
        checkpoints: Checkpoints,
        exports: Exports,
        archives: Archives,
        organization: str,
        base_url: str,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._objects = objects
        self._checkpoints = checkpoints
        self._exports = exports
        self._archives = archives
        self._organization = organization
        self._base_url = base_url
        self._clock = clock
        self._random = random

    def pull(
        self,
        actor: Actor,
        *,
        share: str | None = None,
        recipient: str | None = None,
        company: str | None = None,
    ) -> Pack:
        """The pack about one of them. When it returns, the pull is a durable entry, and nothing has left yet.

        Raises `DomainError` (invalid, not-found, too-large), `DatabaseUnavailable`, `StoreError`, `SealBroken`.
        """
        about = about_one(share=share, recipient=recipient, company=company)
        with self._database.read() as records:
            collect(records, about)  # who names nothing that is there need not wait for a checkpoint
        checkpoint = self._checkpoints.cover()
        with self._database.read() as records:
            dossier = collect(records, about)
        parts = self._parts(dossier, checkpoint)
        found = measured(parts)
        personal = about.key if about.noun == "company" else None
        details: Details = {
            "about": about.noun if personal else about.key,
            "size": found.size,
            "sha256": found.sha256,
        }
        made = entry(
            "evidence.pulled",
            actor,
            self._clock(),
            self._random,
            details=details,
            personal={"company": personal},
            share=about.key if about.noun == "share" else None,
            recipient=None if personal else dossier.recipients[0].id,
        )
        with self._database.write() as records:
            records.add(made)
        name = f"evidence-{about.key}.zip"
        return Pack(name, found.size, found.sha256, as_measured(parts, found))

    def _parts(self, dossier: Dossier, checkpoint: LogCheckpoint) -> list[Part]:
        chosen = _chosen(dossier)
        keys = "".join(key.encode() + "\n" for key in self._checkpoints.public_keys())
        hashes = self._evidence_hashes(dossier, checkpoint.size)
        pdf = summary(
            dossier, self._accesses(dossier, checkpoint.size), checkpoint, self._organization, hashes
        )
        names = [f"entries/{item.name}.ndjson" for item in chosen]
        return [
            Part.of("README.txt", readme(dossier.about, self._organization, self._base_url, names).encode()),
            Part.of("summary.pdf", pdf),
            Part.of("facts.json", facts_json(dossier, hashes)),
            Part.of("copies.json", copies_json(dossier)),
            Part.of("checkpoint.txt", checkpoint.note.encode()),
            Part.of("key.txt", keys.encode()),
            Part.of("logcheck.py", (files("crypto") / "logcheck.py").read_bytes()),
            *(self._entries(name, item, checkpoint) for name, item in zip(names, chosen, strict=True)),
            *(self._agreement(nda, stored) for nda, stored in sorted(dossier.evidence.items())),
            *(
                Part.of(f"nda/{signature.nda_id}.tsr", signature.timestamp)
                for signature in sorted(dossier.signatures, key=lambda signature: signature.nda_id)
                if signature.timestamp and signature.nda_id in dossier.evidence
            ),
        ]

    def _entries(self, name: str, chosen: Chosen, checkpoint: LogCheckpoint) -> Part:
        return Part(name, lambda: self._exports.chosen(checkpoint, chosen.said, *chosen.wheres), large=True)

    def _agreement(self, nda_id: str, stored: SealedObject) -> Part:
        def pieces() -> Iterable[bytes]:
            return self._objects.open(stored).read()

        return Part(f"nda/{nda_id}.pdf", pieces)

    def _accesses(self, dossier: Dossier, size: int) -> list[Access]:
        """What happened to the shares, oldest first; one more than is shown, if there are more."""
        found: list[LoggedEntry] = []
        with self._database.read() as records:
            for share in dossier.shares:
                left = MAX_ACCESSES + 1 - len(found)
                if left <= 0:
                    break
                found += records.find(LoggedEntry, order="index", limit=left, share=share.id, index__lt=size)
        found.sort(key=lambda logged: logged.index)
        return accesses(self._archives.filled(found))

    def _evidence_hashes(self, dossier: Dossier, size: int) -> dict[str, LoggedEntry]:
        """The entry of each agreement's evidence, by the agreement's id."""
        found: dict[str, LoggedEntry] = {}
        with self._database.read() as records:
            for nda in dossier.ndas:
                where: dict[str, Any] = {"kind": "nda.evidence", "nda": nda.id, "index__lt": size}
                for logged in records.find(LoggedEntry, order="index", limit=1, **where):
                    found[nda.id] = logged
        return found


def _chosen(dossier: Dossier) -> list[Chosen]:
    """The files of entries. A filter says only what all entries of its file have in common; some more are met."""
    found: list[Chosen] = []
    for recipient in dossier.recipients:
        theirs = {"recipient": recipient.id}
        if dossier.about.noun == "share":
            # With what says of the person themself, such as their erasing: else what it erased would seem withheld.
            wheres: list[Mapping[str, Any]] = [
                {**theirs, "share": dossier.about.key},
                {**theirs, "share": None},
            ]
            found.append(Chosen(dossier.about.key, theirs, wheres))
        else:
            found.append(Chosen(recipient.id, theirs, [theirs]))
    ids = [nda.id for nda in dossier.ndas if nda.domain]
    if ids:
        # Entries of a company's agreement name nothing else. A filter can say of them only that all of them are `ok`.
        said = {"outcome": "ok"}
        found.append(Chosen("agreements", said, [{**said, "nda__in": ids, "recipient": None}]))
    for document in dossier.documents:
        said = {"document": document.id}
        found.append(Chosen(document.id, said, [{**said, "share": None, "recipient": None}]))
    return found
