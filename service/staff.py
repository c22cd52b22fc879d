"""The lender's own people in the console: who they are, what each role may do, and for how long they are signed in.

Staff are issuer and subject, as the identity provider gives them. Nothing of them is kept but the session, and the
entries of what they do, in which they are a commitment as all people are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Literal, Protocol

from service.audit import Actor, Clock, Random, entry
from service.errors import DomainError, Problem
from service.lines import is_line
from service.ports import Database
from service.records import StaffSession

SESSION_LIFE = timedelta(hours=8)
"""A working day. A role that is taken away at the provider is gone here by the next one."""

MAX_NAME = 200
"""Characters kept of a name; it is only shown."""

MAX_IDENTIFIER = 255
"""Characters of a subject: what OpenID Connect Core 1.0, section 2, allows."""

_SESSION = b"sealmark staff\x00"
"""What the hash of a session begins with, so that it stands for nothing else."""


class Role(StrEnum):
    """What the provider says that somebody is; the claim's values are these names."""

    VIEWER = "viewer"
    SHARER = "sharer"
    APPROVER = "approver"
    AUDITOR = "auditor"


class Act(StrEnum):
    """What can be done in the console."""

    SEE = "see"  # who has which report, and a share's story
    LEND = "lend"  # make and revoke shares, make and send links
    DECIDE = "decide"  # requests, and agreements
    AUDIT = "audit"  # the log, its exports and its checks


MAY: Mapping[Role, frozenset[Act]] = {
    Role.VIEWER: frozenset({Act.SEE}),
    Role.SHARER: frozenset({Act.SEE, Act.LEND}),
    Role.APPROVER: frozenset({Act.DECIDE}),
    Role.AUDITOR: frozenset({Act.AUDIT}),
}
"""What each role may do. No role includes another but as said here; who needs two is given two."""

Refusal = Literal["no-role", "token", "code"]
"""Why somebody was not let in: they have no role; the provider's token is not to be believed; it took no code."""


@dataclass(frozen=True)
class Identity:
    """Whom the provider says that it is. `roles` are the claim's values, whatever they are."""

    issuer: str
    subject: str
    name: str
    roles: tuple[str, ...]


class NotBelieved(Exception):
    """The provider's answer does not show who it is; `reason` for the entry. The message holds nothing of it."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.reason: Refusal = reason


class ProviderUnavailable(Exception):
    """The provider does not answer, or answers what is no OpenID Connect. The message holds nothing of it."""


class Provider(Protocol):
    """Who says who somebody is; `service.adapters.oidc`."""

    def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Where the browser goes to sign in. Raises `ProviderUnavailable`."""

    def identify(self, *, code: str, redirect_uri: str, nonce: str, verifier: str) -> Identity:
        """Who came back with this code. Raises `NotBelieved`, `ProviderUnavailable`."""


class Staff:
    """Keeps sessions. `cookie` is what the browser holds; here stands its hash only. Raises `DatabaseUnavailable`."""

    def __init__(self, database: Database, clock: Clock, random: Random) -> None:
        self._database = database
        self._clock = clock
        self._random = random

    def sign_in(self, actor: Actor, cookie: str, identity: Identity) -> StaffSession | None:
        """Begin a session of eight hours; None, and an entry, for whom the provider gives no role of ours."""
        now = self._clock()
        roles = roles_of(identity.roles)
        session = StaffSession(
            hash=_hash(cookie),
            issuer=identity.issuer,
            subject=identity.subject,
            name=identity.name[:MAX_NAME] if identity.name and is_line(identity.name) else identity.subject,
            roles=[role.value for role in roles],
            created_at=now,
            until=now + SESSION_LIFE,
        )
        said = acting(actor, session)
        personal = {"name": session.name}
        with self._database.write() as records:
            if not roles:
                records.add(
                    entry(
                        "staff.denied",
                        said,
                        now,
                        self._random,
                        outcome="denied",
                        reason="no-role",
                        personal=personal,
                    )
                )
                return None
            records.add(
                session,
                entry(
                    "staff.signed-in",
                    said,
                    now,
                    self._random,
                    details={"roles": " ".join(session.roles)},
                    personal=personal,
                ),
            )
        return session

    def refuse(self, actor: Actor, reason: Refusal) -> None:
        """Record that somebody came back from the provider with what does not show who they are."""
        with self._database.write() as records:
            records.add(
                entry("staff.denied", actor, self._clock(), self._random, outcome="denied", reason=reason)
            )

    def session(self, cookie: str | None) -> StaffSession | None:
        """Who is signed in with this cookie now."""
        if cookie is None:
            return None
        with self._database.read() as records:
            found = records.get(StaffSession, _hash(cookie))
        return found if found is not None and self._clock() < found.until else None

    def sign_out(self, actor: Actor, cookie: str) -> None:
        """End the session at once; where there is none, nothing happens."""
        with self._database.write() as records:
            found = records.get(StaffSession, _hash(cookie), lock=True)
            if found is None:
                return
            records.remove(StaffSession, hash=found.hash)
            records.add(entry("staff.signed-out", acting(actor, found), self._clock(), self._random))


def roles_of(values: Iterable[str]) -> tuple[Role, ...]:
    """The roles among these values, in their order here; others are somebody else's."""
    given = set(values)
    return tuple(role for role in Role if role.value in given)


def allowed(session: StaffSession) -> frozenset[Act]:
    """What who is signed in may do."""
    return frozenset().union(*(MAY[role] for role in roles_of(session.roles)))


def require(session: StaffSession, *acts: Act) -> None:
    """Raise `DomainError` (forbidden) unless who is signed in may do one of these."""
    if not allowed(session) & set(acts):
        raise DomainError(Problem.FORBIDDEN, "Your roles do not allow this.")


def acting(actor: Actor, session: StaffSession) -> Actor:
    """The actor of what this person does: issuer and subject, by which alone staff are known."""
    return replace(actor, type="staff", id=None, name=f"{session.issuer} {session.subject}")


def _hash(cookie: str) -> str:
    return hashlib.sha256(_SESSION + cookie.encode()).hexdigest()
