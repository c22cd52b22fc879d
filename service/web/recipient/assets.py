"""The style sheet and the icon: under addresses that change with their content, so that they may be kept for long."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png"}
STYLE, LOGO = "page.css", "logo.png"
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


def load_assets(rules: str = "", logo: bytes | None = None) -> dict[str, Asset]:
    """The files by name, read once; with `rules` after our own style, and the lender's logo, a PNG, if there is one."""
    bodies = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir())}
    bodies[STYLE] += rules.encode()
    if logo is not None:
        bodies[LOGO] = logo
    return {name: _asset(name, body) for name, body in bodies.items()}


def _asset(name: str, body: bytes) -> Asset:
    digest = hashlib.sha256(body).hexdigest()[:DIGEST_CHARACTERS]
    return Asset(name, digest, body, TYPES[Path(name).suffix])
