"""The sentences of the trust page and of requests for access."""

from __future__ import annotations

SENTENCES: dict[str, str] = {}
