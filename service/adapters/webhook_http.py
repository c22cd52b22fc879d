"""Webhooks over HTTP: one POST each over TLS, to a public address that is looked at and then connected to.

The name is resolved once, every address that it gives must be public, and the connection goes to one of those
numbers: a name that answers differently the next time (DNS rebinding) changes nothing. TLS is checked for the name. No
redirect is followed, no proxy used, nothing of the answer's body read.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from service.adapters.deadline import Deadline
from service.webhook_address import Address, is_public
from service.webhook_sending import HookAnswer, NoAnswer

CONNECT_SECONDS = 5.0
"""For one connection: beyond it a host is taken to be away."""

EXCHANGE_SECONDS = 20.0
"""From there to the head of the answer: Standard Webhooks asks for 15 to 30."""

MAX_ADDRESSES = 3
"""Addresses of one name that are tried: one that is away, one of the other protocol, and one that works."""

Resolve = Callable[[str, int], Sequence[str]]


def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, in the order in which to try them. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


class PinnedPosts:
    """Sends each webhook on a connection of its own. Safe to use from many threads."""

    def __init__(
        self,
        *,
        resolve: Resolve = resolve_by_system,
        may_connect: Callable[[Address], bool] = is_public,
        tls: ssl.SSLContext | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        exchange_seconds: float = EXCHANGE_SECONDS,
    ) -> None:
        """No setting reaches `may_connect`: only a test hands in another one."""
        self._resolve = resolve
        self._may_connect = may_connect
        self._tls = tls
        self._connect_seconds = connect_seconds
        self._exchange_seconds = exchange_seconds

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        """As `Hooks.post`. Raises `NoAnswer`, with no address in it or in what led to it."""
        try:
            return self._post(url, headers, body)
        except TimeoutError:
            raise NoAnswer("too slow") from None
        except ssl.SSLError:
            raise NoAnswer("no trusted TLS") from None
        except http.client.HTTPException:
            raise NoAnswer("not HTTP") from None
        except (OSError, ValueError):
            raise NoAnswer("not reached") from None

    def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> HookAnswer:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        if parts.scheme != "https":
            raise NoAnswer("not https")
        connected = self._connect(self._addresses(host, port), port)
        with Deadline(connected, self._exchange_seconds) as deadline:
            if self._tls is None:  # not before it is needed: it reads all authorities of the system
                self._tls = ssl.create_default_context()
            connected = self._tls.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
            deadline.guard(connected)
            connected.do_handshake()
            connection = http.client.HTTPConnection(parts.netloc)  # the name; it is connected already
            connection.sock = connected
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, dict(headers))
            with connection.getresponse() as response:
                return HookAnswer(response.status, _seconds(response.headers.get("Retry-After")))

    def _addresses(self, host: str, port: int) -> list[Address]:
        """All that the name gives, if all may be connected to: with one that may not, nobody knows who is meant."""
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in self._resolve(host, port)]
        if not found:
            raise NoAnswer("not reached")
        if not all(self._may_connect(address) for address in found):
            raise NoAnswer("not a public address")
        return found[:MAX_ADDRESSES]

    def _connect(self, addresses: Sequence[Address], port: int) -> socket.socket:
        """To the first that answers. An address is a number by now: nothing is resolved again."""
        for address in addresses[:-1]:
            with suppress(OSError):
                return socket.create_connection((str(address), port), self._connect_seconds)
        return socket.create_connection((str(addresses[-1]), port), self._connect_seconds)


def _seconds(retry_after: str | None) -> int | None:
    """Of the form that is a number; a date is not waited for."""
    if retry_after is not None and retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 9:
        return int(retry_after)
    return None
