"""What is kept of an agreement, handed out to both sides: its signed file, and the file's time stamp.

Each pull of a file is an entry. A file is read once before a byte leaves, so that what was tampered with is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from crypto.tokens import Action
from service.audit import Actor, Clock, Random, entry
from service.decision import MAY_BE_MET, Denial, decide
from service.delivery import Checked
from service.errors import DomainError, Problem, not_found
from service.limits import Limit, Limits
from service.objects import Digest, SealedObjects
from service.opening import Denied, Opening
from service.ports import Database
from service.records import Nda, SealedObject, Share, Signature

RECORDS = Limit("records", 30, timedelta(hours=1))
"""Pulls of a signer's own record for one share: each is read twice from the store, and an entry."""

_STILL_THEIRS = MAY_BE_MET | {Denial.NOT_READY}
"""What keeps the report from a recipient, but not what they signed before."""


@dataclass(frozen=True)
class KeptFile:
    """The signed file of an agreement; `pieces` raises `SealBroken`, `StoreError`."""

    nda: Nda
    size: int
    sha256: str
    pieces: Iterator[bytes]


class NdaFiles:
    """Hands out signed files and time stamps. All raise `DatabaseUnavailable`."""

    def __init__(
        self,
        database: Database,
        objects: SealedObjects,
        opening: Opening,
        limits: Limits,
        clock: Clock,
        random: Random,
    ) -> None:
        self._database = database
        self._limits = limits
        self._objects = objects
        self._opening = opening
        self._clock = clock
        self._random = random

    def pull(self, actor: Actor, nda_id: str) -> KeptFile:
        """The signed file of this agreement; when it returns, the pull is a durable entry and nothing has left yet.

        Raises `DomainError` (not-found; internal: it is not what was signed), `SealBroken`, `StoreError`.
        """
        with self._database.read() as records:
            nda = records.get(Nda, nda_id)
            stored = records.get(SealedObject, nda.evidence_id) if nda and nda.evidence_id else None
            signatures = records.find(Signature, nda_id=nda_id)
        if nda is None or stored is None:
            raise not_found("signed file of the agreement", nda_id)
        return self._pulled(actor, nda, stored, signatures)

    def pull_own(self, text: str, actor: Actor, *, checked: Checked) -> KeptFile | Denied | None:
        """What the recipient behind this link signed last on the page; None: they have signed nothing there.

        `checked`: whether they have shown in this browser that the mail address is theirs; else nothing is given.
        Raises `Unauthentic`, `TooMany`, and what `pull` raises.
        """
        token = self._opening.verify(text, Action.OPEN, actor)
        if isinstance(token, Denied):
            return token
        grant, link = self._opening.load(token)
        mail_checked = checked(grant.share)
        decided = decide(grant, self._clock(), asking=True, checked=mail_checked)
        if isinstance(decided, Denial) and decided not in _STILL_THEIRS:
            return self._opening.deny(decided, grant.share, link.hash, actor)
        if not mail_checked:
            return Denied(Denial.MAIL_CHECK)
        self._limits.require((RECORDS.of(grant.share.id), grant.recipient.mail))
        signature = self.signed_last(grant.share)
        return self.pull(actor, signature.nda_id) if signature else None

    def signed_last(self, share: Share) -> Signature | None:
        """What this share's recipient signed last on the page and is kept; None: nothing."""
        with self._database.read() as records:
            signatures = records.find(Signature, recipient_id=share.recipient_id, order="-signed_at")
            for signature in signatures:
                nda = records.get(Nda, signature.nda_id)
                if nda is not None and nda.evidence_id is not None:
                    return signature
        return None

    def timestamp(self, nda_id: str) -> bytes:
        """The time stamp of the signed file: a TimeStampResp (RFC 3161). Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            found = records.find(Signature, nda_id=nda_id, limit=1)
        if not found or found[0].timestamp is None:
            raise not_found("time stamp of the agreement", nda_id)
        return found[0].timestamp

    def _pulled(
        self, actor: Actor, nda: Nda, stored: SealedObject, signatures: Iterable[Signature]
    ) -> KeptFile:
        digest = Digest()
        for _ in digest.over(self._objects.open(stored).read()):
            pass
        if any(signature.record_sha256 != digest.sha256 for signature in signatures):
            raise DomainError(Problem.INTERNAL, "The file that is kept is not the one that was signed.")
        made = entry(
            "nda.record-pulled",
            actor,
            self._clock(),
            self._random,
            details={"sha256": digest.sha256},
            nda=nda.id,
            recipient=nda.recipient_id,
        )
        with self._database.write() as records:
            current = records.get(Nda, nda.id)
            if current is None or current.evidence_id != stored.id:  # its time was over just now
                raise DomainError(Problem.NOT_FOUND, "The signed file of this agreement was erased.")
            records.add(made)
        return KeptFile(nda, digest.size, digest.sha256, iter(self._objects.open(stored).read()))
