"""A real versitygw: a second S3 server, which proves that nothing depends on MinIO alone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import missing
from tests.servers.process import find, free_port, running
from tests.servers.s3 import S3Server, answers

MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"


@contextmanager
def versitygw_server(folder: Path) -> Iterator[S3Server]:
    """versitygw on loopback with its data below `folder`, until the end of the block.

    Its metadata lies beside the data, because not every temporary folder has extended attributes.
    """
    program = find("versitygw")
    if program is None:
        missing("the versitygw server", f"go install {MODULE} (one minute on two cores)")
    port, password = free_port(), secrets.token_urlsafe(24)
    endpoint = f"127.0.0.1:{port}"
    data, metadata = folder / "data", folder / "metadata"
    data.mkdir()
    metadata.mkdir()
    command = [str(program), "--port", endpoint, "--region", "eu-test-1", "--quiet"]
    command += ["posix", "--sidecar", str(metadata), str(data)]
    environment = {
        "HOME": str(folder),
        "ROOT_ACCESS_KEY": "sealmark-test",
        "ROOT_SECRET_KEY": password,
    }
    with running(
        command,
        log=folder / "log",
        ready=lambda: answers(endpoint),
        environment=environment,
        folder=folder,
    ):
        yield S3Server("versitygw", endpoint, "eu-test-1", "sealmark-test", password)
