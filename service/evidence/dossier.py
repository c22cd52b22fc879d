"""What a pack of evidence is about: the records that concern one share, one recipient or one company."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from crypto import identifiers
from crypto.errors import IdentifierInvalid
from service.ends import in_effect
from service.errors import DomainError, Problem, invalid, not_found
from service.mail import parse_domain
from service.ports import Records
from service.records import Copy, Cut, Document, Link, Nda, Recipient, SealedObject, Share, Signature, Version

MAX_SHARES = 1000
"""Shares, and people, of one pack: their facts are held in memory, some KB each; more than that nobody reads."""

IN_ONE_QUERY = 500
"""Keys of one query: below what databases take as parameters of a statement."""

Noun = Literal["share", "recipient", "company"]
PREFIXES = {"share": "shr", "recipient": "rcp"}

R = TypeVar("R")


@dataclass(frozen=True)
class About:
    """What was asked for: an id, or a company's mail domain."""

    noun: Noun
    key: str


@dataclass(frozen=True)
class Dossier:
    """The records, each list in order of its key."""

    about: About
    recipients: list[Recipient]
    shares: list[Share]
    links: list[Link]
    copies: list[Copy]
    documents: list[Document]
    versions: list[Version]
    ndas: list[Nda]
    evidence: dict[str, SealedObject]  # by the agreement's id
    signatures: list[Signature]  # of the agreements that were signed on the page
    cuts: list[Cut]  # that shares cover instead of whole versions


def about_one(*, share: str | None, recipient: str | None, company: str | None) -> About:
    """What is asked for. Raises `DomainError` (invalid) unless exactly one is named, as such a thing is named."""
    given: dict[Noun, str | None] = {"share": share, "recipient": recipient, "company": company}
    named = [(noun, key) for noun, key in given.items() if key is not None]
    if len(named) != 1:
        raise invalid("share", "Name a share, a recipient or a company: one of them.")
    noun, key = named[0]
    if noun == "company":
        return About(noun, parse_domain(key))
    try:
        identifiers.parse_id(key, PREFIXES[noun])
    except IdentifierInvalid as error:
        raise invalid(noun, f"Name a {noun} by its id, {PREFIXES[noun]}_…; list them to find it.") from error
    return About(noun, key)


def collect(records: Records, about: About) -> Dossier:
    """All records that concern it, as they are now.

    Raises `DomainError`: not-found; too-large for more than `MAX_SHARES`.
    """
    recipients, shares = _concerned(records, about)
    if max(len(shares), len(recipients)) > MAX_SHARES:
        detail = (
            f"A pack has at most {MAX_SHARES} people and shares: pull one for each recipient, or each share."
        )
        raise DomainError(Problem.TOO_LARGE, detail, limit=MAX_SHARES)
    ndas = _agreements(records, about, recipients)
    if not recipients and not ndas:
        raise not_found(about.noun, about.key)
    share_ids = [share.id for share in shares]
    links = _all(records, Link, "share_id", {share.with_id or share.id for share in shares})
    copies = sorted(_all(records, Copy, "share_id", share_ids), key=lambda copy: copy.id)
    pinned = [share.pinned_version_id for share in shares if share.pinned_version_id]
    versions = _all(records, Version, "id", {*(copy.version_id for copy in copies), *pinned})
    objects = _all(records, SealedObject, "id", {nda.evidence_id for nda in ndas if nda.evidence_id})
    return Dossier(
        about=about,
        recipients=recipients,
        shares=in_effect(records, shares),
        links=sorted(links, key=lambda link: (link.created_at, link.hash)),
        copies=copies,
        documents=_all(records, Document, "id", {share.document_id for share in shares}),
        versions=versions,
        ndas=ndas,
        evidence={stored.owner_id: stored for stored in objects},
        signatures=_all(records, Signature, "nda_id", {nda.id for nda in ndas if nda.text_id}),
        cuts=_all(records, Cut, "id", {share.cut_id for share in shares if share.cut_id}),
    )


def _concerned(records: Records, about: About) -> tuple[list[Recipient], list[Share]]:
    if about.noun == "share":
        share = records.get(Share, about.key)
        recipient = records.get(Recipient, share.recipient_id) if share else None
        if share is None or recipient is None:
            raise not_found("share", about.key)
        return [recipient], [share]
    company: dict[str, Any] = {"domain": about.key, "erased_at": None}
    where = {"id": about.key} if about.noun == "recipient" else company
    found = records.find(Recipient, order="id", limit=MAX_SHARES + 1, **where)
    if about.noun == "recipient" and not found:
        raise not_found("recipient", about.key)
    shares = _all(records, Share, "recipient_id", [recipient.id for recipient in found])
    return found, sorted(shares, key=lambda share: share.id)


def _agreements(records: Records, about: About, recipients: Sequence[Recipient]) -> list[Nda]:
    """Those of the people, and those of their companies. Of an erased recipient the company is not known any more."""
    domains = {recipient.domain for recipient in recipients if recipient.erased_at is None}
    domains |= {about.key} if about.noun == "company" else set()
    found = _all(records, Nda, "recipient_id", [recipient.id for recipient in recipients])
    return sorted([*found, *_all(records, Nda, "domain", domains)], key=lambda nda: nda.id)


def _all(records: Records, kind: type[R], field: str, keys: Iterable[str]) -> list[R]:
    wanted = sorted(set(keys))
    found: list[R] = []
    for start in range(0, len(wanted), IN_ONE_QUERY):
        where: dict[str, Any] = {f"{field}__in": wanted[start : start + IN_ONE_QUERY]}
        found += records.find(kind, **where)
    return found
