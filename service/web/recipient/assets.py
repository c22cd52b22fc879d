"""The style sheet and the icon: under addresses that change with their content, so that they may be kept for long."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
DIGEST_CHARACTERS = 16
"""64 bits of SHA-256: enough to tell versions of one file apart."""

KEPT_FOR = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file that pages load."""

    name: str
    digest: str
    body: bytes
    content_type: str

    @property
    def path(self) -> str:
        """Where it is fetched."""
        return f"/static/{self.digest}/{self.name}"


def load_assets() -> dict[str, Asset]:
    """The files by name, read once."""
    found = {}
    for path in sorted(FOLDER.iterdir()):
        body = path.read_bytes()
        digest = hashlib.sha256(body).hexdigest()[:DIGEST_CHARACTERS]
        found[path.name] = Asset(path.name, digest, body, TYPES[path.suffix])
    return found
