"""The sentences of the page on which the agreement is signed."""

from __future__ import annotations

SENTENCES: dict[str, str] = {}
