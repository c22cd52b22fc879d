"""The deployment's MinIO as compose.yaml starts it: TLS with the certificate of `secrets.sh`, its keys from files."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from deploy.minio.setup import REPORTS
from service.blobs import StoreError
from service.parts import open_store
from service.settings import load
from tests.servers import missing
from tests.servers.minio import MODULE
from tests.servers.process import find, free_port, running

pytestmark = pytest.mark.minio


@dataclass(frozen=True)
class Deployed:
    """A MinIO, and the folder of secrets that it and its callers are given."""

    endpoint: str
    secrets: Path

    def settings(self, ca: Path) -> dict[str, str]:
        """What compose.yaml sets for the service, with this MinIO's place and these secrets."""
        return {
            "SEALMARK_URL": "https://reports.lender.example",
            "SEALMARK_KEY": "file:/keys/master.key",
            "SEALMARK_STORE": f"s3://{REPORTS}?endpoint={self.endpoint}&region=us-east-1",
            "SEALMARK_STORE_ACCESS_KEY_FILE": str(self.secrets / "store_access_key"),
            "SEALMARK_STORE_SECRET_KEY_FILE": str(self.secrets / "store_secret_key"),
            "SEALMARK_STORE_CA_FILE": str(ca),
        }


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    program = find("minio")
    if program is None:
        missing("the MinIO server", f"go install {MODULE} (Go 1.26; three minutes on two cores)")
    folder = tmp_path_factory.mktemp("deployed")
    shutil.copy("deploy/secrets.sh", folder)
    subprocess.run(["bash", folder / "secrets.sh"], check=True, capture_output=True)
    secrets = folder / "secrets"
    endpoint = f"127.0.0.1:{free_port()}"
    (folder / "data").mkdir()
    command = [
        program,
        "server",
        folder / "data",
        "--address",
        endpoint,
        "--certs-dir",
        secrets / "minio-certs",
    ]
    anyone = ssl._create_unverified_context()  # as the image's health check, which asks with `curl -k`

    def live() -> bool:
        try:
            with urlopen(f"https://{endpoint}/minio/health/live", timeout=2, context=anyone) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    with running(
        [str(part) for part in command],
        log=folder / "minio.log",
        ready=live,
        environment={
            "HOME": str(folder),
            "MINIO_ROOT_USER_FILE": str(secrets / "minio_root_user"),
            "MINIO_ROOT_PASSWORD_FILE": str(secrets / "minio_root_password"),
        },
        folder=folder,
    ):
        yield Deployed(endpoint, secrets)


def test_it_is_prepared_and_then_keeps_what_the_service_stores(deployed: Deployed) -> None:
    ca = deployed.secrets / "minio-certs" / "public.crt"
    names = ("minio_root_user", "minio_root_password", "store_access_key", "store_secret_key")
    given = {
        f"{'SEALMARK_' if name.startswith('store') else ''}{name.upper()}_FILE": str(deployed.secrets / name)
        for name in names
    }
    for _ in range(2):
        subprocess.run(
            [sys.executable, "deploy/minio/setup.py"],
            env={"PATH": os.defpath, "MINIO_ENDPOINT": deployed.endpoint, "SSL_CERT_FILE": str(ca), **given},
            check=True,
        )

    store = open_store(load(deployed.settings(ca)))
    store.put("objects/original/obj_1", [b"sealed"])
    assert b"".join(store.read("objects/original/obj_1")) == b"sealed"
    store.delete("objects/original/obj_1")


def test_a_server_with_another_certificate_is_not_believed(deployed: Deployed, tmp_path: Path) -> None:
    shutil.copy("deploy/secrets.sh", tmp_path)
    subprocess.run(["bash", tmp_path / "secrets.sh"], check=True, capture_output=True)

    with pytest.raises(StoreError):
        open_store(load(deployed.settings(tmp_path / "secrets" / "minio-certs" / "public.crt")))
