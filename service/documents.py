"""Documents and their versions: what a report is, what it says of itself, and its file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from crypto import identifiers
from service import along
from service.audit import Actor, Clock, Details, Random, entry
from service.blobs import StoreError
from service.document_policy import KEEP, Keep, changes_of, check_ends, check_report, details_of
from service.errors import DomainError, Problem, invalid, not_found
from service.facts import Facts, check_kind
from service.mail import parse_address
from service.objects import Digest, SealedObjects
from service.ports import Database, Records
from service.recipients import printable
from service.records import (
    Classification,
    Document,
    Job,
    Kind,
    Listing,
    MailCheck,
    SealedObject,
    Version,
    VersionState,
)
from watermark.errors import RefusalReason

NEVER_PUBLIC = frozenset({Kind.SOC2_TYPE1, Kind.SOC2_TYPE2})
"""A SOC 2 report is a restricted-use report: it is never `public`."""


class Documents:
    """Makes, classifies and revokes documents; adds versions and takes in their files."""

    def __init__(
        self,
        database: Database,
        objects: SealedObjects,
        max_file_size: int,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._objects = objects
        self._max_file_size = max_file_size
        self._clock = clock
        self._random = random

    def create(
        self, actor: Actor, *, name: str, kind: Kind, classification: Classification, owner_mail: str
    ) -> Document:
        """A new document without a version. Raises `DomainError` (invalid)."""
        now = self._clock()
        _check_classification(kind, classification)
        document = Document(
            id=identifiers.new_id("doc", self._random(16)),
            name=printable(name, "name"),
            kind=kind,
            classification=classification,
            owner_mail=parse_address(owner_mail, "owner_mail").mail,
            created_at=now,
        )
        details: Details = {"kind": kind, "classification": classification}
        with self._database.write() as records:
            records.add(document)
            personal = {"mail": document.owner_mail}
            made = entry(
                "document.created",
                actor,
                now,
                self._random,
                details=details,
                personal=personal,
                document=document.id,
            )
            records.add(made)
        return document

    def get(self, document_id: str) -> Document:
        """One document. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            return _document(records, document_id)

    def list(self, *, after: str | None = None, limit: int = 50) -> list[Document]:
        """Documents in order of their id, those after `after`."""
        where: dict[str, Any] = {"id__gt": after} if after else {}
        with self._database.read() as records:
            return records.find(Document, order="id", limit=limit, **where)

    def classify(self, actor: Actor, document_id: str, classification: Classification) -> Document:
        """Change who may have a document. Raises `DomainError` (not-found, invalid)."""
        now = self._clock()
        with self._database.write() as records:
            document = _document(records, document_id, lock=True)
            _check_classification(document.kind, classification)
            if document.classification == classification:
                return document
            changed = records.change(document, classification=classification)
            details: Details = {
                "from": document.classification,
                "to": classification,
            }
            made = entry(
                "document.classified", actor, now, self._random, details=details, document=document.id
            )
            records.add(made)
        return changed or document

    def change(
        self,
        actor: Actor,
        document_id: str,
        *,
        mail_check: MailCheck | None = None,
        listing: Listing | None = None,
        citation: str | None = None,
        report: str | Keep | None = KEEP,
        ends: date | Keep | None = KEEP,
    ) -> Document:
        """Set what is given: the mail check of shares that are made from now on, what the trust page says, the wording
        of citations (empty: Sealmark's own), the report to which a bridge letter belongs, and the last day (UTC) on
        which the document is lent.

        A letter goes along with its report's shares, those that are open too (`along`). One that is taken away (None)
        stays with the shares that have it. Raises `DomainError` (not-found, invalid, wrong-state).
        """
        now = self._clock()
        with self._database.write() as records:
            document = _document(records, document_id, lock=True)
            values = changes_of(document, mail_check, listing, citation, report, ends)
            if not values:
                return document
            if values.get("ends_on"):
                check_ends(values["ends_on"], now)
            if values.get("report_id"):
                check_report(records, document, values["report_id"])
                along.begin(records, now, self._random, document.id, values["report_id"])
            changed = records.change(document, **values)
            details = details_of(values)
            made = entry("document.changed", actor, now, self._random, details=details, document=document.id)
            records.add(made)
        return changed or document

    def revoke(self, actor: Actor, document_id: str) -> Document:
        """Lend a document to nobody any more, at once; revoking it again changes nothing."""
        now = self._clock()
        with self._database.write() as records:
            document = _document(records, document_id, lock=True)
            if document.revoked_at:
                return document
            changed = records.change(document, revoked_at=now)
            records.add(entry("document.revoked", actor, now, self._random, document=document.id))
        return changed or document

    def add_version(self, actor: Actor, document_id: str, facts: Facts) -> Version:
        """A new version, awaiting its file. Raises `DomainError` (not-found, wrong-state, invalid)."""
        now = self._clock()
        with self._database.write() as records:
            document = _document(records, document_id, lock=True)
            if document.revoked_at:
                raise DomainError(Problem.WRONG_STATE, "This document is revoked: make a new one.")
            check_kind(facts, document.kind)
            last = records.find(Version, document_id=document.id, order="-number", limit=1)
            version = Version(
                id=identifiers.new_id("ver", self._random(16)),
                document_id=document.id,
                number=last[0].number + 1 if last else 1,
                state=VersionState.AWAITING_FILE,
                facts=facts.model_dump(mode="json", exclude_none=True),
                created_at=now,
            )
            records.add(version)
            records.add(self._entry("version.created", actor, now, version, {"number": version.number}))
        return version

    def upload(self, actor: Actor, document_id: str, version_id: str, chunks: Iterable[bytes]) -> Version:
        """Seal the file as it arrives and begin to compile it: the version is `compiling` afterwards.

        Uploading the same bytes again changes nothing, and returns the version as it is by then. Memory does not grow
        with the file. Raises `DomainError`: not-found, wrong-state (a version's file never changes), file-refused
        (there are no bytes), too-large; `StoreError`; nothing is left behind then.
        """
        awaiting = self.version(document_id, version_id)
        if awaiting.state != VersionState.AWAITING_FILE:
            digest = Digest()
            deque(digest.over(self._bounded(chunks)), maxlen=0)
            _require_same(awaiting, digest.sha256)
            return awaiting
        try:
            stored, sha256 = self._objects.put("original", "version", version_id, self._bounded(chunks))
        except DomainError as refusal:
            self._record_refusal(actor, awaiting, refusal)
            raise
        try:
            with self._database.write() as records:
                version = _version(records, document_id, version_id, lock=True)
                if version.state == VersionState.AWAITING_FILE:
                    return self._take_in(records, actor, version, stored, sha256)
                _require_same(version, sha256)  # another call has uploaded it meanwhile
        except DomainError:
            self._discard(stored)
            raise
        self._discard(stored)
        return version

    def _take_in(
        self, records: Records, actor: Actor, version: Version, stored: SealedObject, sha256: str
    ) -> Version:
        now = self._clock()
        records.add(stored)
        changed = records.change(
            version,
            state=VersionState.COMPILING,
            original_id=stored.id,
            size=stored.size,
            sha256=sha256,
            uploaded_at=now,
        )
        records.add(
            Job(
                id=identifiers.new_id("job", self._random(16)),
                kind="compile",
                subject=version.id,
                created_at=now,
                run_after=now,
            )
        )
        details: Details = {"sha256": sha256, "size": stored.size}
        records.add(self._entry("version.uploaded", actor, now, version, details))
        return changed or version

    def version(self, document_id: str, version_id: str) -> Version:
        """One version. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            return _version(records, document_id, version_id)

    def versions(self, document_id: str, *, after: int | None = None, limit: int = 50) -> Sequence[Version]:
        """The versions of a document, the newest first, those with a lower number than `after`."""
        where: dict[str, Any] = {"number__lt": after} if after is not None else {}
        with self._database.read() as records:
            _document(records, document_id)
            return records.find(Version, document_id=document_id, order="-number", limit=limit, **where)

    def _bounded(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self._max_file_size:
                limit = self._max_file_size
                detail = f"A file has at most {limit} bytes (SEALMARK_MAX_FILE_BYTES)."
                raise DomainError(Problem.TOO_LARGE, detail, limit=limit)
            yield chunk
        if not size:
            detail = "The body is empty: send the PDF as the raw body."
            raise DomainError(Problem.FILE_REFUSED, detail, reason=RefusalReason.NOT_A_PDF)

    def _record_refusal(self, actor: Actor, version: Version, refusal: DomainError) -> None:
        """The entry of a file that was refused while it arrived; the version awaits another."""
        reasons = {Problem.TOO_LARGE: RefusalReason.TOO_LARGE, Problem.FILE_REFUSED: RefusalReason.NOT_A_PDF}
        made = entry(
            "version.refused",
            actor,
            self._clock(),
            self._random,
            outcome="refused",
            reason=str(reasons.get(refusal.problem, RefusalReason.DAMAGED)),
            document=version.document_id,
            version=version.id,
        )
        with self._database.write() as records:
            records.add(made)

    def _discard(self, stored: SealedObject) -> None:
        try:
            self._objects.discard(stored)
        except StoreError:
            return  # the sweeper takes what has no row

    def _entry(
        self,
        kind: str,
        actor: Actor,
        now: datetime,
        version: Version,
        details: Details,
    ) -> object:
        return entry(
            kind,
            actor,
            now,
            self._random,
            details=details,
            document=version.document_id,
            version=version.id,
        )


def _require_same(version: Version, sha256: str) -> None:
    """Raise `DomainError` (wrong-state) unless the version's file is this one."""
    if version.sha256 != sha256:
        detail = "This version has its file, which never changes: add a new version."
        raise DomainError(Problem.WRONG_STATE, detail, state=version.state)


def _check_classification(kind: Kind, classification: Classification) -> None:
    if kind in NEVER_PUBLIC and classification == Classification.PUBLIC:
        detail = "A SOC 2 report goes out only under NDA: classify it `nda`. A SOC 3 report may be public."
        raise invalid("classification", detail)


def _document(records: Records, document_id: str, *, lock: bool = False) -> Document:
    found = records.get(Document, document_id, lock=lock)
    if found is None:
        raise not_found("document", document_id)
    return found


def _version(records: Records, document_id: str, version_id: str, *, lock: bool = False) -> Version:
    found = records.get(Version, version_id, lock=lock)
    if found is None or found.document_id != document_id:
        raise not_found("version", version_id)
    return found
