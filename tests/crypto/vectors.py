"""Public test vectors: the shared ones where they are, else the copies that the project carries."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
SHARED = (PROJECT / os.environ.get("SEALMARK_SHARED", "../shared")).resolve() / "vectors"
CARRIED = PROJECT / "tests" / "vectors"

COBBLESTONE = "c2sp_chunked_encryption_aes_256_gcm_test.json"
HMAC = "wycheproof_hmac_sha256_test.json"
ED25519 = "wycheproof_ed25519_test.json"
INCLUSION = "merkle_inclusion.json"
CONSISTENCY = "merkle_consistency.json"


def vectors(name: str) -> dict[str, Any]:
    """All of one file of vectors."""
    path = SHARED / name if (SHARED / name).exists() else CARRIED / name
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def groups(name: str) -> list[dict[str, Any]]:
    """The groups of one file of vectors."""
    found: list[dict[str, Any]] = vectors(name)["testGroups"]
    return found


def cases(name: str) -> list[dict[str, Any]]:
    """All cases of one file of vectors."""
    return [case for group in groups(name) for case in group["tests"]]
