"""Requests to witnesses, auditors and the provider of sign-ins: no redirect, no proxy, an end in time and size.

TLS is checked against the system's authorities; OpenSSL's own `SSL_CERT_FILE` adds a private one.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from service.adapters.deadline import Deadline
from service.witnessing import Answer, NoAnswer, is_loopback

CONNECT_SECONDS = 5.0
"""For a connection: beyond it a host is taken to be away."""

EXCHANGE_SECONDS = 10.0
"""From there to the end of the answer, however its bytes come: a witness syncs one small file, then signs."""


class HttpPosts:
    """Sends each request on a connection of its own. Safe to use from many threads."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        exchange_seconds: float = EXCHANGE_SECONDS,
    ) -> None:
        self._tls = tls
        self._connect_seconds = connect_seconds
        self._exchange_seconds = exchange_seconds

    def post(self, url: str, kind: str, body: bytes, wanted: int) -> Answer:
        """As `Posts.post`. Raises `NoAnswer`, with no address in it or in what led to it."""
        return self.exchange("POST", url, {"Content-Type": kind}, body, wanted)

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, wanted: int
    ) -> Answer:
        """One request, and at most `wanted` bytes of its answer. Raises `NoAnswer`, as `post` does."""
        try:
            return self._exchange(method, url, headers, body, wanted)
        except TimeoutError:
            raise NoAnswer("too slow") from None
        except ssl.SSLError:
            raise NoAnswer("no trusted TLS") from None
        except http.client.HTTPException:
            raise NoAnswer("not HTTP") from None
        except (OSError, ValueError):
            raise NoAnswer("not reached") from None

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, wanted: int
    ) -> Answer:
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        if not secure and not is_loopback(host):
            raise NoAnswer("not https")
        port = parts.port or (443 if secure else 80)
        connected = socket.create_connection((host, port), self._connect_seconds)
        with Deadline(connected, self._exchange_seconds) as deadline:
            if secure:
                if self._tls is None:  # not before it is needed: it reads all authorities of the system
                    self._tls = ssl.create_default_context()
                connected = self._tls.wrap_socket(
                    connected, server_hostname=host, do_handshake_on_connect=False
                )
                deadline.guard(connected)
                connected.do_handshake()
            connection = http.client.HTTPConnection(host, port)
            connection.sock = connected
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, path, body, {**headers, "User-Agent": "sealmark"})
            with connection.getresponse() as response:
                said = response.read(wanted) if wanted else b""
                media = (response.headers.get_content_type()).lower()
        return Answer(response.status, media, said)
