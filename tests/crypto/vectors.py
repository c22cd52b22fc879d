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


def groups(name: str) -> list[dict[str, Any]]:
    """The groups of one file of vectors."""
    path = SHARED / name if (SHARED / name).exists() else CARRIED / name
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["testGroups"]
    return found


def cases(name: str) -> list[dict[str, Any]]:
    """All cases of one file of vectors."""
    return [case for group in groups(name) for case in group["tests"]]
