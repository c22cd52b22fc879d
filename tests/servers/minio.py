"""A real MinIO server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.servers import missing
from tests.servers.process import find, free_port, running
from tests.servers.s3 import S3Server

MODULE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
"""The last of the community server, which ships as source only; its release tags are no module versions."""


@contextmanager
def minio_server(folder: Path) -> Iterator[S3Server]:
    """MinIO on loopback with its data below `folder`, until the end of the block."""
    program = find("minio")
    if program is None:
        missing("the MinIO server", f"go install {MODULE} (Go 1.26; three minutes on two cores)")
    port, password = free_port(), secrets.token_urlsafe(24)
    endpoint = f"127.0.0.1:{port}"

    def ready() -> bool:
        try:
            with urlopen(f"http://{endpoint}/minio/health/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    data = folder / "data"
    data.mkdir()
    command = [str(program), "server", "--quiet", "--address", endpoint, str(data)]
    environment = {
        "HOME": str(folder),
        "MINIO_ROOT_USER": "sealmark-test",
        "MINIO_ROOT_PASSWORD": password,
        "MINIO_REGION": "eu-test-1",
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    with running(command, log=folder / "log", ready=ready, environment=environment, folder=folder):
        yield S3Server("MinIO", endpoint, "eu-test-1", "sealmark-test", password)
