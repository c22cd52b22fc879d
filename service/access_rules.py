"""Rules that approve requests for access by themselves: by mail domain, by an agreement in force, by a list.

A rule never changes: another policy is a new rule. It is looked at when somebody asks (`access_requests`), so it
applies to requests that are made after it. A list is kept from outside, by a CRM.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from crypto import identifiers
from service.audit import Actor, Clock, Details, Random, entry
from service.errors import DomainError, Problem, invalid, not_found
from service.mail import parse_address
from service.ndas import company_domain, covering
from service.ports import Database, Records
from service.records import (
    AccessRule,
    Document,
    Listing,
    NdaMode,
    Recipient,
    RuleKind,
    RuleMember,
)
from service.terms import DEFAULT_SHARE_LIFE, MAX_DOWNLOADS, MAX_SHARE_LIFE

MAX_RULES = 200
"""Rules in force: each is looked at, some with a query, while somebody waits who asked."""

MAX_MEMBERS = 10_000
"""Addresses on one list: more than a lender has prospects at a time, and still one body of the API (4 MiB)."""

AT_ONCE = 500
"""Addresses that one statement names: databases bound how many values it may have."""


class AccessRules:
    """Adds and removes rules, and keeps their lists."""

    def __init__(self, database: Database, clock: Clock, random: Random) -> None:
        self._database = database
        self._clock = clock
        self._random = random

    def add(
        self,
        actor: Actor,
        *,
        kind: RuleKind,
        document_id: str | None = None,
        domain: str | None = None,
        nda: NdaMode = NdaMode.REQUIRE,
        view_only: bool = False,
        download_limit: int | None = None,
        days: int = DEFAULT_SHARE_LIFE.days,
    ) -> AccessRule:
        """A rule for one document, or, without one, for every document that the trust page lists.

        `days` is how long its shares live. Raises `DomainError` (invalid, not-found, wrong-state).
        """
        now = self._clock()
        if (kind == RuleKind.DOMAIN) != (domain is not None):
            raise invalid("domain", "A rule by mail domain names the domain; any other rule names none.")
        if download_limit is not None and not 1 <= download_limit <= MAX_DOWNLOADS:
            raise invalid("download_limit", f"A limit is 1 to {MAX_DOWNLOADS}; leave it out for none.")
        if not 1 <= days <= MAX_SHARE_LIFE.days:
            raise invalid("days", f"A share lives 1 to {MAX_SHARE_LIFE.days} days.")
        rule = AccessRule(
            id=identifiers.new_id("rul", self._random(16)),
            kind=kind,
            document_id=document_id,
            domain=company_domain(domain) if domain is not None else None,
            nda=nda,
            view_only=view_only,
            download_limit=download_limit,
            days=days,
            created_at=now,
        )
        details: Details = {
            "on": kind,
            "nda": nda,
            "view_only": int(view_only),
            "limit": download_limit,
            "days": days,
        }
        with self._database.write() as records:
            document = records.get(Document, document_id) if document_id else None
            if document_id and document is None:
                raise not_found("document", document_id)
            if document is not None and document.revoked_at:
                raise DomainError(Problem.WRONG_STATE, "This document is revoked: it is lent to nobody.")
            if len(records.find(AccessRule, removed_at=None, limit=MAX_RULES)) >= MAX_RULES:
                detail = f"There are {MAX_RULES} rules in force, which is the most: remove one first."
                raise DomainError(Problem.WRONG_STATE, detail, limit=MAX_RULES)
            records.add(rule)
            records.add(self._entry("rule.created", actor, now, rule, details, company=rule.domain))
        return rule

    def get(self, rule_id: str) -> AccessRule:
        """One rule. Raises `DomainError` (not-found)."""
        with self._database.read() as records:
            return _rule(records, rule_id)

    def list(
        self, *, in_force: bool = False, after: str | None = None, limit: int = 50
    ) -> Sequence[AccessRule]:
        """Rules in order of their id, those after `after`; `in_force`: only those that are not removed."""
        where: dict[str, Any] = {"id__gt": after} if after else {}
        if in_force:
            where["removed_at"] = None
        with self._database.read() as records:
            return records.find(AccessRule, order="id", limit=limit, **where)

    def remove(self, actor: Actor, rule_id: str) -> AccessRule:
        """End a rule and forget its domain or list; what it approved stays approved. Removing again changes nothing."""
        now = self._clock()
        with self._database.write() as records:
            rule = _rule(records, rule_id, lock=True)
            if rule.removed_at:
                return rule
            changed = records.change(rule, removed_at=now, domain=rule.domain and "")
            records.remove(RuleMember, rule_id=rule.id)
            records.add(self._entry("rule.removed", actor, now, rule, {}))
        return changed or rule

    def members(self, rule_id: str, *, after: str | None = None, limit: int = 50) -> Sequence[RuleMember]:
        """The addresses on a rule's list in order of their id, those after `after`. Raises `DomainError`."""
        where: dict[str, Any] = {"id__gt": after} if after else {}
        with self._database.read() as records:
            _require_list(_rule(records, rule_id))
            return records.find(RuleMember, rule_id=rule_id, order="id", limit=limit, **where)

    def put_members(self, actor: Actor, rule_id: str, mails: Iterable[str]) -> int:
        """Make these the whole list; returns how many stand on it. Raises `DomainError` (see `_edit`)."""
        return self._edit(actor, rule_id, mails, whole=True)

    def add_members(self, actor: Actor, rule_id: str, mails: Iterable[str]) -> int:
        """Add these to the list; returns how many stand on it. Raises `DomainError` (see `_edit`)."""
        return self._edit(actor, rule_id, mails)

    def remove_members(self, actor: Actor, rule_id: str, mails: Iterable[str]) -> int:
        """Take these off the list; returns how many stand on it. Raises `DomainError` (see `_edit`)."""
        return self._edit(actor, rule_id, mails, off=True)

    def _edit(
        self, actor: Actor, rule_id: str, mails: Iterable[str], *, whole: bool = False, off: bool = False
    ) -> int:
        """Edit a list in one transaction, with one entry where anything changed. Doing it again changes nothing.

        Raises `DomainError`: invalid (with the place of the address), not-found, wrong-state (no list, removed, full).
        """
        named = _addresses(mails)
        now = self._clock()
        with self._database.write() as records:
            rule = _rule(records, rule_id, lock=True)
            _require_list(rule)
            standing = {member.mail for member in records.find(RuleMember, rule_id=rule.id)}
            gone = standing & named if off else standing - named if whole else set()
            new = set() if off else named - standing
            left = len(standing) - len(gone) + len(new)
            if left > MAX_MEMBERS:
                detail = f"A list has at most {MAX_MEMBERS} addresses; this one would have {left}."
                raise DomainError(Problem.WRONG_STATE, detail, limit=MAX_MEMBERS)
            if not gone and not new:
                return left
            ordered = sorted(gone)
            for at in range(0, len(ordered), AT_ONCE):
                records.remove(RuleMember, rule_id=rule.id, mail__in=ordered[at : at + AT_ONCE])
            records.add(*(self._member(rule, mail, now) for mail in sorted(new)))
            details: Details = {"added": len(new), "removed": len(gone)}
            records.add(self._entry("rule.listed", actor, now, rule, details))
        return left

    def _member(self, rule: AccessRule, mail: str, now: datetime) -> RuleMember:
        return RuleMember(identifiers.new_id("mbr", self._random(16)), rule.id, mail, now)

    def _entry(
        self,
        kind: str,
        actor: Actor,
        now: datetime,
        rule: AccessRule,
        details: Details,
        company: str | None = None,
    ) -> object:
        return entry(
            kind,
            actor,
            now,
            self._random,
            details={"rule": rule.id, **details},
            personal={"company": company},
            document=rule.document_id,
        )


def matching(
    records: Records, document: Document, recipient: Recipient, now: datetime
) -> Sequence[AccessRule]:
    """The rules in force that approve this recipient for this document, the oldest first."""
    rules = records.find(AccessRule, order="created_at", removed_at=None)
    return [rule for rule in rules if _covers(rule, document) and _meets(records, rule, recipient, now)]


def life_of(rule: AccessRule) -> timedelta:
    """How long a share lives that this rule makes."""
    return timedelta(days=rule.days)


def _covers(rule: AccessRule, document: Document) -> bool:
    if rule.document_id is None:
        return document.listing != Listing.HIDDEN
    return rule.document_id == document.id


def _meets(records: Records, rule: AccessRule, recipient: Recipient, now: datetime) -> bool:
    if rule.kind == RuleKind.DOMAIN:
        return rule.domain == recipient.domain
    if rule.kind == RuleKind.NDA:
        return covering(records, recipient, now) is not None
    return bool(records.find(RuleMember, rule_id=rule.id, mail=recipient.mail, limit=1))


def _addresses(mails: Iterable[str]) -> set[str]:
    found = set()
    for place, mail in enumerate(mails):
        if place >= MAX_MEMBERS:
            raise invalid("mails", f"Give at most {MAX_MEMBERS} addresses at once.")
        found.add(parse_address(mail, f"mails.{place}").mail)
    return found


def _rule(records: Records, rule_id: str, *, lock: bool = False) -> AccessRule:
    found = records.get(AccessRule, rule_id, lock=lock)
    if found is None:
        raise not_found("rule", rule_id)
    return found


def _require_list(rule: AccessRule) -> None:
    if rule.kind != RuleKind.LIST:
        raise DomainError(Problem.WRONG_STATE, "This rule has no list: it does not look at one.")
    if rule.removed_at:
        raise DomainError(Problem.WRONG_STATE, "This rule was removed, and its list with it.")
