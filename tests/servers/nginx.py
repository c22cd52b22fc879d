"""A real nginx with the configuration that we deploy."""

from __future__ import annotations

import os
import shutil
import socket
import string
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import missing
from tests.servers.process import free_port, running
from tests.shared_folder import PROJECT

TEMPLATE = PROJECT / "deploy" / "proxy" / "sealmark.conf.template"
TLS = TEMPLATE.with_name("tls.conf")

MAIN = string.Template(
    "daemon off; master_process off; pid $folder/nginx.pid; error_log $folder/start.log crit;"
    "events {} http { $places include $folder/sealmark.conf; }"
)
"""Around our configuration: what the image of nginx says otherwise, with every file below one folder."""


@dataclass(frozen=True)
class NginxServer:
    """A running proxy. All that it writes lies below `folder`."""

    port: int
    folder: Path


@contextmanager
def nginx_server(
    folder: Path, upstream_port: int, port: int | None = None, certificate: Path | None = None
) -> Iterator[NginxServer]:
    """nginx on loopback before the service on `upstream_port`, until the end of the block.

    With TLS as it is deployed if a file with a certificate and its key is given.
    """
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        missing("nginx", "apt install nginx")
    port = port or free_port()
    tls = TLS.read_text() if certificate else ""
    for secret in ("tls_certificate", "tls_key"):
        tls = tls.replace(f"/run/secrets/{secret}", str(certificate))
    (folder / "tls.conf").write_text(tls)
    values = {
        "SEALMARK_UPSTREAM": f"127.0.0.1:{upstream_port}",
        "PROXY_LISTEN": f"127.0.0.1:{port}" + (" ssl" if certificate else ""),
        "PROXY_TLS": str(folder / "tls.conf"),
        "PROXY_NAME": "_",
        "PROXY_ACCESS_LOG": str(folder / "access.log"),
        "PROXY_ERROR_LOG": str(folder / "error.log"),
    }
    rendered = TEMPLATE.read_text()
    for name, value in values.items():
        rendered = rendered.replace("${" + name + "}", value)
    if "${" in rendered.replace("${…}", ""):
        raise ValueError(f"{TEMPLATE} has a place that nothing fills")
    (folder / "temporary").mkdir()
    places = "".join(
        f"{kind}_temp_path {folder}/temporary/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "sealmark.conf").write_text(rendered)
    (folder / "nginx.conf").write_text(MAIN.substitute(folder=folder, places=places))
    with running(
        [program, "-p", str(folder), "-c", str(folder / "nginx.conf")],
        log=folder / "output.log",
        ready=lambda: _listens(port),
        environment={"PATH": os.defpath},
        folder=folder,
    ):
        yield NginxServer(port, folder)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
