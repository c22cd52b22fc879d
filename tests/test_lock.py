"""The lock files pin every package by version and hash, name no registry, and hold what the project asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

LOCKS = ("requirements.lock", "requirements-dev.lock")


def pinned(lock: str) -> dict[str, list[str]]:
    """The hashes of each requirement, by its line without them."""
    text = Path(lock).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return {
        line.split(" --hash=")[0].strip(): re.findall(r"--hash=sha256:([0-9a-f]{64})", line) for line in lines
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_by_version_and_hash(lock: str) -> None:
    found = pinned(lock)

    assert len(found) > 40
    for requirement, hashes in found.items():
        assert re.match(r"[a-z0-9._-]+==[^\s;]+( ;.*)?$", requirement), requirement
        assert hashes, requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_no_registry_is_named(lock: str) -> None:
    text = Path(lock).read_text()

    assert "://" not in text
    assert not re.search(r"^\s*(-i|--(extra-)?index-url|--find-links|--trusted-host)", text, re.MULTILINE)


def test_what_the_project_asks_for_is_locked_and_explained() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())
    runtime = _names(project["project"]["dependencies"])
    development = _names(project["dependency-groups"]["dev"])
    explained = Path("docs/dependencies.md").read_text().lower()

    assert runtime <= _names(pinned("requirements.lock"))
    assert runtime | development <= _names(pinned("requirements-dev.lock"))
    assert {name for name in runtime | development if name not in explained} == set()


def _names(requirements: list[str] | dict[str, list[str]]) -> set[str]:
    return {match[0].lower() for one in requirements if (match := re.match(r"[A-Za-z0-9._-]+", one))}
