"""Who calls: an API key with the scope that the route declares. A route without a scope answers nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from flask import Flask, g, request

from service.access import Scope
from service.app import Sealmark
from service.audit import Actor
from service.errors import DomainError, Problem
from service.records import ApiKey
from service.web.requests import actor

API = "/v1/"
SCHEME = "bearer "


@dataclass(frozen=True)
class Call:
    """What a route works with: the service, and who calls it."""

    sealmark: Sealmark
    key: ApiKey
    actor: Actor
    recipients: list[str] = field(default_factory=list)
    """Whom the answer tells of: noted by `concerns`."""

    def concerns(self, recipient_id: str | None) -> None:
        """Note that the answer tells of this recipient, so that erasing them finds it if it is kept."""
        if recipient_id is not None:
            self.recipients.append(recipient_id)

    def may(self, scope: Scope) -> bool:
        """Whether the caller has this scope too."""
        return scope in self.key.scopes

    def require(self, scope: Scope) -> None:
        """Raise `DomainError` (forbidden) unless the caller has this scope too."""
        if not self.may(scope):
            raise DomainError(
                Problem.FORBIDDEN, f"This needs an API key with the scope {scope}.", scope=scope
            )


def authenticate_callers(app: Flask, sealmark: Sealmark, scopes: dict[str, Scope | None]) -> None:
    """Before every route, before anything of the request is read: is the key in force, and has it the scope?

    `scopes` holds the scope of each endpoint, or None where anybody may read without a key. Who has none is counted
    with the visitors of the pages.
    """

    @app.before_request
    def authenticate() -> None:
        if not request.path.startswith(API) or request.routing_exception is not None:
            return
        endpoint = request.endpoint or ""
        if endpoint not in scopes:
            raise RuntimeError("a route of the API declares no scope")
        scope = scopes[endpoint]
        if scope is None:
            sealmark.limits.request_from(request.remote_addr)
            return
        try:
            key = sealmark.api_keys.authenticate(_bearer())
        except DomainError:
            sealmark.limits.request_from(request.remote_addr)
            raise
        g.caller = key.id
        call = Call(sealmark, key, actor("api-key", key.id))
        call.require(scope)
        g.call = call


def current_call() -> Call:
    """The call that was let in."""
    return cast(Call, g.call)


def _bearer() -> str:
    header = request.headers.get("Authorization", "")
    return header[len(SCHEME) :].strip() if header[: len(SCHEME)].lower() == SCHEME else ""
