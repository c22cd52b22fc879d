"""What is known of a request beside its content: an id that we give, the client's address, the right host."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from crypto import identifiers
from service.audit import Actor, ActorType, Random
from service.errors import DomainError, Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ANY_HOST = frozenset({"/healthz", "/readyz"})
"""Paths that answer whatever host was named: who runs containers asks them by address."""

DEFAULT_PORTS = {"http": "80", "https": "443"}


def identify_requests(app: Flask, url: str, trusted_proxies: Sequence[Network], random: Random) -> None:
    """Give each request an id (`X-Request-Id`; one from outside is ignored) and its client's address.

    A request that names another host than `url` does is refused (421): its answer could not be cached under, nor
    its links be meant for, that host.
    """
    expected = _host(url)
    scheme = urlsplit(url).scheme
    app.wsgi_app = ClientAddress(app.wsgi_app, trusted_proxies)  # type: ignore[method-assign]

    @app.before_request
    def identify() -> None:
        g.request_id = identifiers.new_id("req", random(16))
        if request.path in ANY_HOST:
            return
        if _host(f"{scheme}://{request.headers.get('Host', '')}") != expected:
            raise DomainError(
                Problem.MISDIRECTED, "This service answers only to the host of its own address."
            )

    @app.after_request
    def name_request(response: Response) -> Response:
        if "request_id" in g:
            response.headers["X-Request-Id"] = g.request_id
        return response


def client_address(
    peer: str | None, forwarded_for: Iterable[str], trusted_proxies: Sequence[Network]
) -> str | None:
    """The address nearest to the client that can be believed.

    Each proxy appends the address it was asked from, so the list is read from the right, as long as the one who
    appended is itself a trusted proxy. What cannot be read ends the walk: its writer is the last that is known.
    """
    believed = _address(peer or "")
    if believed is None:
        return None
    hops = [hop for line in forwarded_for for hop in line.split(",")]
    while hops and any(believed in network for network in trusted_proxies):
        before = _address(hops.pop())
        if before is None:
            break
        believed = before
    return str(believed)


class ClientAddress:
    """Sets `REMOTE_ADDR`, and so `request.remote_addr` everywhere, to the client's address."""

    def __init__(self, application: WSGIApplication, trusted_proxies: Sequence[Network]) -> None:
        self._application = application
        self._trusted = trusted_proxies

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
        found = client_address(environ.get("REMOTE_ADDR"), [forwarded], self._trusted)
        environ["REMOTE_ADDR"] = found or ""
        return self._application(environ, start_response)


def actor(kind: ActorType, key: str | None = None) -> Actor:
    """Who sent this request, for the entries of what it does."""
    agent = request.user_agent.string
    return Actor(kind, id=key, request=g.request_id, address=request.remote_addr or None, agent=agent)


def _address(text: str) -> Address | None:
    """The address of one hop, with or without a port, IPv4 in its plain form."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _host(url: str) -> tuple[str, str] | None:
    """Host and port of a URL; None when it has none or they cannot be read."""
    parts = urlsplit(url)
    try:
        port = str(parts.port) if parts.port else DEFAULT_PORTS.get(parts.scheme, "")
    except ValueError:
        return None
    return (parts.hostname.rstrip("."), port) if parts.hostname and "@" not in parts.netloc else None
