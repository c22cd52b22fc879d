"""The sentences of the pages on which a report is read and not downloaded."""

from __future__ import annotations

SENTENCES: dict[str, str] = {}
