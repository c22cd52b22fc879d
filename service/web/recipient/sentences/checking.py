"""The sentences of the mail check."""

from __future__ import annotations

SENTENCES: dict[str, str] = {}
