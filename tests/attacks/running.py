"""Sealmark as it runs for real: installed in a folder of its own, served by processes, reached over HTTP alone."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service.access import Scope
from service.adapters.sql.migrate import migrate
from service.app import Sealmark, build
from service.audit import Actor
from service.settings import load
from tests.servers.process import free_port, running
from tests.shared_folder import PROJECT

ANSWER_SECONDS = 120.0
"""A call waits at most so long: compiling under strace on two cores is slow."""

OPERATOR = Actor("cli", name="tester")
IDEMPOTENCY_KEY = "Idempotency-Key"


@dataclass(frozen=True)
class Answer:
    """One answer of the service. Names of header fields are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Calls one port of loopback, naming the host of the service's own address; with an API key, if it has one."""

    port: int
    host: str
    key: str | None = None

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own; a mapping is sent as JSON. Follows no redirect."""
        with closing(self.connect()) as connection:
            connection.request(method, path, _encoded(body), self._fields(body, headers))
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, fields, answer.read())

    def begin(self, path: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """A GET whose body is read by the caller, who closes the connection."""
        connection = self.connect()
        connection.request("GET", path, headers=self._fields(None, None))
        return connection, connection.getresponse()

    def connect(self) -> http.client.HTTPConnection:
        """A new connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)

    def _fields(
        self, body: bytes | Mapping[str, Any] | None, headers: Mapping[str, str] | None
    ) -> dict[str, str]:
        fields = {"Host": self.host, **(headers or {})}
        if self.key is not None:
            fields.setdefault("Authorization", f"Bearer {self.key}")
        if body is not None:
            fields.setdefault(
                "Content-Type", "application/pdf" if isinstance(body, bytes) else "application/json"
            )
        return fields


@dataclass(frozen=True)
class Installation:
    """Settings, schema and keys; nothing runs yet."""

    folder: Path
    port: int
    environment: Mapping[str, str]
    logs: list[Path] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Host and port of the service's own address."""
        return urlsplit(self.environment["SEALMARK_URL"]).netloc

    @contextmanager
    def opened(self) -> Iterator[Sealmark]:
        """The domain over the same parts, in this process: to prepare, and to look at what is there."""
        sealmark = build(load(self.environment))
        try:
            yield sealmark
        finally:
            sealmark.close()

    def api_key(self, *scopes: Scope) -> str:
        """The text of a new API key with these scopes (none given: with all)."""
        with self.opened() as sealmark:
            until = sealmark.clock() + timedelta(days=1)
            return sealmark.api_keys.create(OPERATOR, "test", scopes or tuple(Scope), until)[1]

    @contextmanager
    def served(
        self,
        *options: str,
        port: int | None = None,
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[int]:
        """`sealmark serve` with these options runs in the block; gives the port. `before` begins its command."""
        port = port or self.port
        extra = {"SEALMARK_LISTEN": f"127.0.0.1:{port}", **(environment or {})}
        with self.command("serve", *options, before=before, environment=extra, ready=partial(answers, port)):
            yield port

    @contextmanager
    def command(
        self,
        *words: str,
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        ready: Any = lambda: True,
    ) -> Iterator[Path]:
        """`sealmark …` runs in the block; gives the file with all that it says."""
        log = self.folder / f"output-{len(self.logs)}"
        self.logs.append(log)
        temporary = self.folder / "temporary"
        temporary.mkdir(exist_ok=True)
        plain = {"PATH": os.defpath, "HOME": str(self.folder), "TMPDIR": str(temporary), "LC_ALL": "C.UTF-8"}
        with running(
            [*before, sys.executable, "-m", "service", *words],
            log=log,
            ready=ready,
            environment={**plain, **self.environment, **(environment or {})},
            folder=PROJECT,
        ):
            yield log


def install(
    folder: Path,
    *,
    database: str | None = None,
    environment: Mapping[str, str] | None = None,
    url_port: int | None = None,
) -> Installation:
    """A migrated service with its master key below `folder`.

    `database` is a URL with its password, as `PostgresqlServer.fresh_database` gives it (default: SQLite);
    `url_port` the port of the public address where that is another's, such as a proxy's.
    """
    port = free_port()
    given = {
        "SEALMARK_URL": f"http://127.0.0.1:{url_port or port}",
        "SEALMARK_DATA": str(folder / "data"),
        "SEALMARK_KEY": f"file:{folder / 'keys' / 'master.key'}",
        "SEALMARK_ORGANIZATION": "Lender Example Ltd",
        "SEALMARK_PROCESSES": "1",
        "SEALMARK_REQUESTS_A_MINUTE": "1000000",  # all of a test come from one address
        **(environment or {}),
    }
    password = None
    if database is not None:
        parts = urlsplit(database)
        password = parts.password
        secret = folder / "database-password"
        secret.write_text(password or "")
        given["SEALMARK_DATABASE"] = database.replace(f":{password}@", "@")
        given["SEALMARK_DATABASE_PASSWORD_FILE"] = str(secret)
    migrate(load(given).database, password)
    installation = Installation(folder, port, given)
    with installation.opened() as sealmark:
        sealmark.master_keys.init(OPERATOR)
    return installation


def answers(port: int) -> bool:
    """Whether the service on this port is alive."""
    try:
        return Client(port, "any").call("GET", "/healthz").status == 200
    except OSError:
        return False


@dataclass(frozen=True)
class Lent:
    """What `lend` made. `link` is the path of the link."""

    document: str
    version: str
    share: str
    link: str


def upload(client: Client, pdf: bytes, *, name: str = "Report") -> tuple[str, Answer]:
    """A new document with this file, and the answer of the upload, which waited for the compiler."""
    made = client.call(
        "POST",
        "/v1/documents",
        {"name": name, "kind": "pentest", "classification": "nda", "owner_mail": "owner@lender.example"},
    )
    document = must(made, 201)["id"]
    version = must(client.call("POST", f"/v1/documents/{document}/versions", {}), 201)["id"]
    path = f"/v1/documents/{document}/versions/{version}/file"
    answer = client.call("PUT", path, pdf, {"Prefer": "wait=60"})
    while answer.status == 202 or (answer.status == 200 and answer.json["state"] == "compiling"):
        time.sleep(0.2)
        answer = client.call("GET", path.removesuffix("/file"))
    return document, answer


def agree(client: Client, domain: str = "borrower.example") -> str:
    """An NDA of a company, in force; its id."""
    body = {"domain": domain, "source": "test", "approved": True}
    return str(must(client.call("POST", "/v1/ndas", body), 201)["id"])


def share(
    client: Client,
    document: str,
    mail: str = "ana@borrower.example",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Answer:
    """The answer to one call for a share."""
    person = {"mail": mail, "name": "Ana Prova", "company": "Borrower Example"}
    body = {"document": document, "recipient": person, "purpose": "Vendor review", **more}
    return client.call("POST", "/v1/shares", body, headers)


def link_path(url: str) -> str:
    """The path of a link's address."""
    return urlsplit(url).path


def lend(client: Client, pdf: bytes, **more: Any) -> Lent:
    """Document, version, NDA and share with its link, over HTTP."""
    document, uploaded = upload(client, pdf)
    version = must(uploaded, 200)
    if version["state"] != "ready":
        raise AssertionError(version)
    agree(client)
    made = must(share(client, document, **more), 201)
    return Lent(document, version["id"], made["id"], link_path(made["link"]["url"]))


def download(client: Client, link: str) -> bytes:
    """The copy behind a link: asked for, and sent."""
    return fetch(client, ask(client, link))


def ask(client: Client, link: str) -> str:
    """The path of the delivery that asking for a download gives."""
    granted = client.call("POST", link)
    if granted.status != 303:
        raise AssertionError((granted.status, granted.body[:500]))
    return granted.headers["location"]


def fetch(client: Client, delivery: str) -> bytes:
    """The bytes of a delivery."""
    sent = client.call("GET", delivery)
    if sent.status != 200:
        raise AssertionError((sent.status, sent.body[:500]))
    return sent.body


def must(answer: Answer, status: int) -> Any:
    """The JSON of an answer with this status."""
    if answer.status != status:
        raise AssertionError((answer.status, answer.body[:2000]))
    return answer.json


def _encoded(body: bytes | Mapping[str, Any] | None) -> bytes | None:
    return body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
