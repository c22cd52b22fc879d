"""compose.yaml as Compose's own reader understands it: valid, and its parts fit each other and the service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from service.settings import S3Store, load
from tests.servers import missing
from tests.servers.process import find

MODULE = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"
"""The reader that `docker compose` is built on; it needs no engine."""

DEPLOY = Path("deploy")
URL = "https://reports.lender.example"
BROUGHT = {"tls.crt", "tls.key"}
"""Secrets that the operator brings: the certificate of the public name."""


def _reader() -> list[str]:
    docker = find("docker")
    if docker is not None:
        asked = subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return [
                str(docker),
                "compose",
                "-f",
                "compose.yaml",
                "config",
                "--format",
                "json",
                "--no-interpolate",
            ]
    compose = find("compose-go")
    if compose is None:
        how = f"install Docker with Compose, or put the binary of `go install {MODULE}` into the PATH as compose-go"
        missing("a reader of compose files", how)
    return [str(compose), "-format", "json", "-no-interpolation", "compose.yaml"]


@pytest.fixture(scope="module")
def model() -> Any:
    """The file, read and checked for consistency, with its variables as they stand."""
    read = subprocess.run(_reader(), cwd=DEPLOY, capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr
    return json.loads(read.stdout)


def _services(model: Any) -> dict[str, Any]:
    return {name: part for name, part in model["services"].items() if part["image"] == "sealmark:local"}


@pytest.mark.parametrize("name", ["web", "worker", "migrate"])
def test_the_service_accepts_its_settings(model: Any, name: str) -> None:
    environment = {
        key: re.sub(r"^\$\{SEALMARK_URL.*\}$", URL, value)
        for key, value in model["services"][name]["environment"].items()
    }
    settings = load(environment)

    assert settings.url == URL
    assert isinstance(settings.store, S3Store)
    assert settings.store.secure
    assert settings.store.bucket == "sealmark"
    assert settings.store.endpoint.partition(":")[0] in model["services"]
    assert settings.database.startswith("postgresql+psycopg://sealmark@postgres/")
    subnet = model["networks"]["inside"]["ipam"]["config"][0]["subnet"]
    assert [str(network) for network in settings.trusted_proxies] == [subnet]


def test_each_path_of_a_secret_is_one_that_the_container_is_given(model: Any) -> None:
    for name, part in model["services"].items():
        given = {f"/run/secrets/{secret['source']}" for secret in part.get("secrets", [])}
        named = {
            value for value in part.get("environment", {}).values() if str(value).startswith("/run/secrets/")
        }
        assert named <= given, name


def test_each_secret_is_made_by_the_script_or_brought(model: Any, tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "secrets.sh", tmp_path)
    subprocess.run(["bash", tmp_path / "secrets.sh"], check=True, capture_output=True)
    made = {str(path.relative_to(tmp_path / "secrets")) for path in (tmp_path / "secrets").rglob("*")}
    wanted = {secret["file"].rpartition("/secrets/")[2] for secret in model["secrets"].values()}

    assert wanted - made == BROUGHT
    assert {"minio-certs/public.crt", "minio-certs/private.key"} <= made


def test_what_is_waited_for_says_that_it_is_healthy(model: Any) -> None:
    for name, part in model["services"].items():
        for other, needed in part.get("depends_on", {}).items():
            if needed["condition"] == "service_healthy":
                awaited = model["services"][other]
                build = awaited.get("build")
                in_image = build and "HEALTHCHECK" in (Path(build["context"]) / "Dockerfile").read_text()
                assert "healthcheck" in awaited or in_image, f"{name} waits for {other}"


def test_the_service_runs_without_privileges_on_a_read_only_root(model: Any) -> None:
    services = _services(model)
    assert {"web", "worker", "migrate", "minio-setup"} == set(services)
    for part in services.values():
        assert part["read_only"] is True
        assert part["cap_drop"] == ["ALL"]
        assert part["security_opt"] == ["no-new-privileges:true"]
        assert part["ulimits"]["core"] == 0
    writable = [
        name for name, part in services.items() if any(not v.get("read_only") for v in part["volumes"])
    ]
    assert writable == ["migrate"]
    assert re.search(r"^USER 10001:10001$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)


def test_only_the_proxy_is_reached_from_outside(model: Any) -> None:
    services = model["services"]
    assert [name for name, part in services.items() if part.get("ports")] == ["proxy"]
    assert [name for name, part in services.items() if "outside" in part["networks"]] == ["proxy"]
    assert model["networks"]["inside"]["internal"] is True


def test_what_the_images_copy_is_there_and_let_through() -> None:
    let_through = {
        line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().split() if line[0] == "!"
    }
    copied = re.findall(r"^COPY (?!--from)(\S+) ", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)

    assert set(copied) == let_through
    assert [path for path in copied if not Path(path).exists()] == []
    assert os.access(DEPLOY / "secrets.sh", os.X_OK)
