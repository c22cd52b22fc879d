"""A real OpenID Connect provider on loopback: npm's `oidc-provider`, pinned by `oidc/package-lock.json`."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.servers import missing
from tests.servers.process import BUILT, free_port, running

SOURCE = Path(__file__).parent / "oidc"
CLIENT_ID, CLIENT_SECRET = "sealmark", "a secret: of the tests + alone"
INSTALL_SECONDS = 300

PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "vera": {"name": "Vera Viewer", "roles": ["viewer"]},
    "shari": {"name": "Shari Sharer", "roles": ["sharer"]},
    "april": {"name": "April Approver", "roles": ["approver", "of-something-else"]},
    "audrey": {"name": "Audrey Auditor", "roles": ["auditor"]},
    "nobody": {"name": "Noa Nobody", "roles": ["of-something-else"]},
    "everything": {"name": "Eve Everything", "roles": ["viewer", "sharer", "approver", "auditor"]},
}
"""Who has an account there, by login; every password is taken."""


@dataclass(frozen=True)
class OidcServer:
    """A running provider."""

    issuer: str


@contextmanager
def oidc_server(folder: Path, redirect_uri: str, port: int = 0) -> Iterator[OidcServer]:
    """The provider, for the client that is sent back to `redirect_uri`; skips where Node.js is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        missing("Node.js with npm", "apt-get install nodejs npm (20 or newer)")
    installed = _installed(npm)
    port = port or free_port()
    issuer = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "ISSUER": issuer,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "REDIRECT_URI": redirect_uri,
        "ACCOUNTS": json.dumps(PEOPLE),
    }
    log = folder / "oidc.log"
    with running(
        [node, str(installed / "server.mjs")],
        log=log,
        ready=lambda: _listens(port),
        environment=environment,
        folder=installed,
    ):
        yield OidcServer(issuer)


def _installed(npm: str) -> Path:
    """A folder with the server and what it needs, installed once for these files by whichever test comes first."""
    names = ("package.json", "package-lock.json", "server.mjs")
    digest = sha256(b"".join((SOURCE / name).read_bytes() for name in names)).hexdigest()[:16]
    place = BUILT / f"oidc-{digest}"
    BUILT.mkdir(parents=True, exist_ok=True)
    with (BUILT / "oidc.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            for name in names:
                shutil.copy(SOURCE / name, place / name)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            try:
                subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=INSTALL_SECONDS)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                missing("npm's oidc-provider", "let npm reach its registry, once")
            (place / "done").touch()
    return place


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
