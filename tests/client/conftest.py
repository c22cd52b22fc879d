"""A real service over HTTP on loopback, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from sealmark.client import Client
from service.web.application import create_app
from tests.servers.process import free_port
from tests.service_fixture import Service, service_in


@dataclass
class Served:
    """A service that answers at `url`."""

    service: Service
    url: str

    def client(self) -> Client:
        """A client whose key has all scopes, and which waits for nothing."""
        return Client(self.url, self.service.api_key(), pause=lambda seconds: None)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The whole API over HTTP; to wait for a version is to let the worker work."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with service_in(tmp_path, environ={"SEALMARK_URL": url}) as service:
        app = create_app(
            service.sealmark,
            pause=lambda seconds: service.work(),
            seconds=lambda: service.clock.now.timestamp(),
        )
        server = make_server("127.0.0.1", port, app, threaded=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Served(service, url)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture
def client(served: Served) -> Client:
    """A client of the service."""
    return served.client()
