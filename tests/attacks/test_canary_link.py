"""A link, and what else opens something, stands nowhere but in the answer that hands it out.

The whole way, through the deployed proxy, against a PostgreSQL that logs each statement with its parameters. A link
that an answer hands out is known to this test alone; so is the key that the caller sends. All that any part has
written is searched, in each spelling.
"""

from __future__ import annotations

import base64
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from crypto import base64url, tokens
from crypto.api_keys import ID_LENGTH
from crypto.identifiers import new_id
from service.records import InboxEntry
from tests.attacks.running import (
    IDEMPOTENCY_KEY,
    Client,
    Installation,
    agree,
    ask,
    fetch,
    install,
    link_path,
    must,
    share,
    upload,
)
from tests.attacks.searching import files_below, hits, spellings, tables
from tests.servers.nginx import NginxServer, nginx_server
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import free_port
from tests.shared_folder import PROJECT
from tests.watermark.builders import report

RAW_KEY = "canary-idempotency-key-7f3c9a51"
MAC_BYTES = 32


@pytest.mark.postgresql
def test_what_opens_something_is_written_nowhere(tmp_path: Path, postgresql_server: PostgresqlServer) -> None:
    database = postgresql_server.fresh_database(log_statements=True)
    metrics, proxy_port = free_port(), free_port()
    (tmp_path / "proxy").mkdir()
    installation = install(
        tmp_path,
        database=database,
        url_port=proxy_port,
        environment={
            "SEALMARK_METRICS": f"127.0.0.1:{metrics}",
            "SEALMARK_TRUSTED_PROXIES": "127.0.0.1/32",
            "SEALMARK_PROCESSES": "2",
        },
    )
    api_key = installation.api_key()
    with (
        installation.served(),
        installation.command("worker"),
        nginx_server(tmp_path / "proxy", installation.port, proxy_port) as proxy,
    ):
        client = Client(proxy.port, installation.host, api_key)
        links, deliveries, known = _the_whole_way(installation, client)
        _wait_for_the_sequencer(installation)
        said = {"metrics": Client(metrics, "any").call("GET", "/metrics").body}
        places = _all_that_was_written(installation, proxy, postgresql_server, database) | said
    places |= _all_that_was_written(installation, proxy, postgresql_server, database)
    secrets = _secrets(links, deliveries, api_key)

    assert hits(secrets, places) == []
    found = hits(known, places)
    log, data = f"in {postgresql_server.log}", f"in {tmp_path}"
    for seen in ("share in table share", f"share {log}", f"document {log}", "request in table "):
        assert any(hit.startswith(seen) for hit in found), (
            f"the search does not find what must be there: {seen}"
        )
    assert any(hit.startswith(f"request {data}/output-") for hit in found)
    assert any(hit.startswith(f"request {data}/proxy/access.log") for hit in found)
    assert b"sealmark_request_seconds" in said["metrics"]


def _the_whole_way(
    installation: Installation, client: Client
) -> tuple[list[str], list[str], Mapping[str, bytes]]:
    """Uses links in each way that comes to mind. Returns the paths of links, of deliveries, and what is no secret."""
    document = must(upload(client, report())[1], 200)["document"]
    agree(client)
    once = {IDEMPOTENCY_KEY: RAW_KEY}
    made = share(client, document, headers=once)
    assert share(client, document, headers=once).body == made.body
    assert share(client, document, "ben@borrower.example", headers=once).status == 422
    share_id = must(made, 201)["id"]
    more = must(
        client.call("POST", f"/v1/shares/{share_id}/links", {}, {IDEMPOTENCY_KEY: RAW_KEY + "2"}), 201
    )
    cold = must(share(client, document, "cleo@borrower.example"), 201)
    links = [link_path(url) for url in (made.json["link"]["url"], more["url"], cold["link"]["url"])]
    links += [_link_by_command(installation, share_id), _expired(installation, links[0])]

    viewed = replace(client, key=None).call("GET", links[0])
    assert viewed.status == 200
    assert client.call("HEAD", links[1]).status == 200
    deliveries = [ask(client, links[0])]
    copy = fetch(client, deliveries[0])
    assert client.call("GET", deliveries[0], headers={"Range": "bytes=10-99"}).body == copy[10:100]
    _misuse(installation, client, links, deliveries[0])
    _break_the_store(installation, client, links[2])
    assert client.call("GET", links[4]).status == 410
    assert client.call("POST", f"/v1/shares/{share_id}/revoke").status == 200
    for path in (links[0], links[1], links[3], deliveries[0]):
        assert client.call("GET", path).status == 410
    known = {
        "share": share_id.encode(),
        "document": document.encode(),
        "request": viewed.headers["x-request-id"].encode(),
    }
    return links, deliveries, known


def _misuse(installation: Installation, client: Client, links: list[str], delivery: str) -> None:
    """Forged and cut links, links in wrong places, methods and hosts, and requests that are no HTTP."""
    token = links[0].removeprefix("/s/")
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    for path in (
        f"/s/{forged}",
        f"/s/{token[:-9]}",
        f"/s/{token}/more",
        f"/s/{token}%00",
        f"/s/{quote(token, safe='')}?again={token}",
        f"/d/{token}",
        f"/v1/shares/{token}",
        f"/v1/shares?after={token}",
        f"/{token}",
        delivery.replace("/d/", "/s/"),
    ):
        assert client.call("GET", path).status < 500
    assert client.call("DELETE", links[0]).status == 405
    assert replace(client, host="other.example").call("GET", links[0]).status == 421
    assert (
        client.call(
            "POST", "/v1/shares", b'{"link": "' + token.encode() + b'"', {"Content-Type": "application/json"}
        ).status
        == 400
    )
    for port in (client.port, installation.port):
        for request in (
            f"GET {links[0]} HTTP/9.9\r\n\r\n",
            f"GET {links[0]} nonsense\r\nHost x\r\n\r\n",
            f"GET {links[0]}{'a' * 9000} HTTP/1.1\r\nHost: x\r\n\r\n",
            f"GET {links[0]} HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
            f"{token} {links[0]}\r\n\r\n",
        ):
            with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as plain:
                plain.sendall(request.encode())
                plain.shutdown(socket.SHUT_WR)
                while plain.recv(65536):
                    pass


def _break_the_store(installation: Installation, client: Client, link: str) -> None:
    """Ask for a download that fails within: no process has this template open under a store that is away."""
    store = installation.folder / "data" / "store"
    away = store.rename(store.with_name("away"))
    try:
        answers = {client.call("POST", link).status for _ in range(4)}
    finally:
        away.rename(store)
    assert answers == {503}
    assert fetch(client, ask(client, link))


def _link_by_command(installation: Installation, share_id: str) -> str:
    """A link that the command line makes: on its standard output, and not in what it says beside."""
    finished = subprocess.run(
        [sys.executable, "-m", "service", "shares", "link", share_id],
        env=dict(installation.environment),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    (url,) = (word for word in finished.stdout.split() if "/s/" in word)
    assert link_path(url) not in finished.stderr
    return link_path(url)


def _expired(installation: Installation, link: str) -> str:
    """The same link, as it was signed for a time that is over."""
    with installation.opened() as sealmark:
        key = sealmark.keys.signing("link")
        token = tokens.verify(link.removeprefix("/s/"), sealmark.keys.verifying("link"), int(time.time()))
        return "/s/" + tokens.sign(replace(token, expires=int(time.time()) - 5), key.secret)


def _wait_for_the_sequencer(installation: Installation) -> None:
    with installation.opened() as sealmark:
        for _ in range(200):
            with sealmark.database.read() as records:
                if not records.find(InboxEntry, limit=1):
                    return
            time.sleep(0.05)
    raise AssertionError("the worker does not give entries their place")


def _all_that_was_written(
    installation: Installation, proxy: NginxServer, server: PostgresqlServer, database: str
) -> dict[str, bytes]:
    """Every file of the installation (data, temporary, metrics, output) and the proxy, every table, every statement."""
    assert proxy.folder.is_relative_to(installation.folder)
    written = dict(files_below(installation.folder))
    return written | dict(tables(database)) | {str(server.log): server.log.read_bytes()}


def _secrets(links: list[str], deliveries: list[str], api_key: str) -> dict[str, bytes]:
    """What opens something, whole and in the parts that must stay secret for themselves."""
    found = {
        "the secret of the API key": api_key[ID_LENGTH + 1 :].encode(),
        "the bytes of that secret": base64url.decode(api_key[ID_LENGTH + 1 :]),
        "the Idempotency-Key": RAW_KEY.encode(),
    }
    for number, path in enumerate([*links, *deliveries]):
        token = path[3:]
        body = base64url.decode(token.removeprefix("v1."))
        found |= {
            f"token {number}": token.encode(),
            f"the end of token {number}": token[-40:].encode(),
            f"the bytes of token {number}": body,
            f"the MAC of token {number}": body[-MAC_BYTES:],
        }
    for number, path in enumerate(links):
        body = base64url.decode(path[3:].removeprefix("v1."))
        link_id = body[32:48]  # after the ids of key and share, of 16 bytes each
        found |= {f"link id {number}": link_id, f"link id {number} in words": _as_identifier(link_id)}
    return found


def _as_identifier(raw: bytes) -> bytes:
    return new_id("lnk", raw).removeprefix("lnk_").encode()


@pytest.mark.parametrize("before", [b"", b"x", b"xx"])
def test_each_spelling_is_found(before: bytes) -> None:
    secret = b"a secret\xff\xfe of some length\x00"
    written = {
        "plain": before + secret,
        "hex": secret.hex().encode(),
        "base64": base64.b64encode(before + secret + b"y"),
        "base64 of URLs": base64.urlsafe_b64encode(before + secret),
        "percent": "".join(f"%{byte:02X}" for byte in secret).encode(),
    }

    assert set(hits({"it": secret}, written)) == {f"it in {place}" for place in written}
    assert hits({"it": b"another secret of some length"}, written) == []
    assert len(spellings(secret)) > 6
