"""Calls over HTTP: tried again while that can help, safe to repeat by default, their lists read page by page."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, BinaryIO, Final, Literal
from urllib.parse import quote, urlsplit

import urllib3

from sealmark.errors import AnswerUnreadable, ProblemError, SealmarkError, Unreachable, problem

TRIES = 6
"""How often a call is made at most: with the waits between, some half a minute of a service that is away."""

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
"""Seconds between two tries, doubled each time; what `Retry-After` asks for goes before, up to the longest."""

TIMEOUT = 60.0
"""Seconds without a byte after which a call counts as lost: longer than the service works on one."""

AGAIN = frozenset({"too-many", "busy", "unavailable", "idempotency-running"})
"""Problems that pass."""

GATEWAY = frozenset({502, 503, 504})
"""What proxies answer while the service behind them is away."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_ANSWER = 256 * 1024 * 1024
"""Bytes of an answer that are read into memory: the largest is a pack of evidence."""


class Omitted(Enum):
    """What was not said; `None` says that there is none."""

    OMITTED = "omitted"


OMITTED: Final = Omitted.OMITTED

_FIELD = re.compile(r"(?!sha256-)[!-~]{1,255}")
"""What the service takes as an idempotency key; but not what stands for another one."""

Given = Mapping[str, Any]


class Calls:
    """Calls one service with one API key, from any number of threads. Neither is ever shown or logged."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        ca_file: str | None = None,
        tries: int = TRIES,
        timeout: float = TIMEOUT,
        pause: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
        new_key: Callable[[], str] = lambda: secrets.token_urlsafe(24),
    ) -> None:
        """`url` is the service's base. Raises `SealmarkError` for one over which the key would go in the clear."""
        try:
            parsed = urlsplit(url)
            wrong = parsed.port == 0 or not parsed.hostname or parsed.username is not None
        except ValueError:  # brackets, a port or characters that no URL has
            wrong = True
        if wrong or parsed.scheme not in ("http", "https"):
            raise SealmarkError("The service's URL looks like https://reports.acme.example.")
        if parsed.scheme == "http" and parsed.hostname not in LOOPBACK:
            raise SealmarkError("The API key goes over https only: http is for loopback.")
        if not key.isascii() or not key.isprintable() or not key or " " in key:
            raise SealmarkError("The API key is not one: it looks like smk_….")
        self.url = f"{parsed.scheme}://{parsed.netloc}{parsed.path.rstrip('/')}"
        self._fields = {"Authorization": f"Bearer {key}", "User-Agent": "sealmark-client"}
        self._pool = urllib3.PoolManager(
            retries=False, timeout=urllib3.Timeout(timeout), ca_certs=ca_file, cert_reqs="CERT_REQUIRED"
        )
        self._tries = tries
        self._pause = pause
        self._chance = chance
        self._new_key = new_key

    def __repr__(self) -> str:
        return f"<Calls {self.url}>"

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Given | None = None,
        body: Given | None = None,
        headers: Given | None = None,
    ) -> Any:
        """The JSON of an answer. Raises `SealmarkError`."""
        content, fields = _json_body(body)
        return _read(self._send(method, path, query, content, {**fields, **_said(headers)}))

    def once(
        self,
        path: str,
        *,
        idempotency_key: str | None,
        body: Given | None = None,
        query: Given | None = None,
    ) -> Any:
        """`ask` of a call that makes or decides something, with an idempotency key: once, however often it is tried."""
        key = _as_field(idempotency_key) if idempotency_key else self._new_key()
        return self.ask("POST", path, query=query, body=body, headers={"Idempotency-Key": key})

    def pages(self, path: str, *, query: Given) -> Iterator[Any]:
        """The items of a list, page after page; those after `after`, if the query says so."""
        while True:
            page = self.ask("GET", path, query=query)
            yield from page["items"]
            if page["next"] is None:
                return
            query = {**query, "after": page["next"]}

    def raw(
        self,
        method: str,
        path: str,
        *,
        query: Given | None = None,
        file: bytes | BinaryIO | None = None,
        media_type: str = "",
        headers: Given | None = None,
    ) -> bytes:
        """The bytes of an answer to a raw body, or to none. Raises `SealmarkError`."""
        fields = {**_said(headers), **({"Content-Type": media_type} if file is not None else {})}
        return self._send(method, path, query, file, fields)

    def _send(
        self,
        method: str,
        path: str,
        query: Given | None,
        body: bytes | BinaryIO | None,
        fields: Mapping[str, str],
    ) -> bytes:
        start = body.tell() if body is not None and not isinstance(body, bytes) else 0
        for left in range(self._tries - 1, -1, -1):
            if body is not None and not isinstance(body, bytes):
                body.seek(start)
            retry_after = None
            try:
                return self._once(method, path, query, body, fields)
            except ProblemError as error:
                if not left or (error.type not in AGAIN and error.status not in GATEWAY):
                    raise
                retry_after = error.retry_after
            except Unreachable:
                if not left:
                    raise
            self._pause(self._wait(self._tries - 1 - left, retry_after))
        raise AssertionError("a call is tried at least once")

    def _wait(self, number: int, retry_after: float | None) -> float:
        if retry_after is not None:
            return min(retry_after, LONGEST_WAIT)
        longest: float = min(FIRST_WAIT * 2**number, LONGEST_WAIT)
        return longest * (0.5 + self._chance() / 2)  # so that many who wait do not come at once

    def _once(
        self,
        method: str,
        path: str,
        query: Given | None,
        body: bytes | BinaryIO | None,
        fields: Mapping[str, str],
    ) -> bytes:
        said = _said(query)
        address = f"{self.url}{path}" + (f"?{_encoded(said)}" if said else "")
        sent = {**self._fields, **fields}
        if body is not None and not isinstance(body, bytes):
            sent["Content-Length"] = str(_length(body))
        try:
            answer = self._pool.request(
                method, address, body=body, headers=sent, redirect=False, preload_content=False
            )
            try:
                content = answer.read(MAX_ANSWER + 1)
            finally:
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # Without the cause: its text may show the request.
            raise Unreachable(f"{self.url} does not answer ({type(error).__name__}).") from None
        if len(content) > MAX_ANSWER:
            raise AnswerUnreadable(f"An answer has more than {MAX_ANSWER} bytes.")
        if 200 <= answer.status < 300:
            return bytes(content)
        raise _refusal(answer.status, answer.headers, content)


def path_of(template: str, **places: str) -> str:
    """The path of an operation, each place quoted."""
    return template.format_map({name: quote(str(value), safe="") for name, value in places.items()})


def _as_field(key: str) -> str:
    """An idempotency key as the service takes it: one with other characters, or a longer one, by its hash.

    The same key is always the same field, and no two keys are the same one.
    """
    if _FIELD.fullmatch(key):
        return key
    return f"sha256-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _said(given: Given | None) -> dict[str, str]:
    """What was said, as text."""
    found = {
        name: value for name, value in (given or {}).items() if value is not OMITTED and value is not None
    }
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in found.items()
    }


def _encoded(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())


def _json_body(body: Given | None) -> tuple[bytes | None, dict[str, str]]:
    if body is None:
        return None, {}
    said = {name: value for name, value in body.items() if value is not OMITTED}
    return json.dumps(said).encode(), {"Content-Type": "application/json"}


def _length(file: BinaryIO) -> int:
    start = file.tell()
    end = file.seek(0, io.SEEK_END)
    file.seek(start)
    return end - start


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise AnswerUnreadable("The answer is no JSON: is this the address of a Sealmark?") from None


def _refusal(status: int, headers: Mapping[str, str], content: bytes) -> SealmarkError:
    asked = headers.get("Retry-After", "")
    retry_after = float(asked) if asked.isdigit() else None
    if headers.get("Content-Type", "").startswith("application/problem+json"):
        body = _read(content)
        if isinstance(body, dict):
            return problem(status, body, retry_after)
    if status in GATEWAY:
        kind: Literal["unavailable"] = "unavailable"
        return problem(
            status, {"type": kind, "detail": f"The service is away (status {status})."}, retry_after
        )
    return AnswerUnreadable(f"Status {status} is no answer of a Sealmark: is its address right?")
