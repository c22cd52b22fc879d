"""What copies carry and what was removed from their file: as values for JSON, and as lines for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from service.cli.output import note
from watermark.removal import Removal, Removed
from watermark.woven.capacity import Capacity


def capacity_values(capacity: Capacity) -> dict[str, Any]:
    """The capacity as the API shows it."""
    return {
        "total": capacity.total,
        "pages": [
            {"number": page.number, "words": page.words, "woven": page.woven} for page in capacity.pages
        ],
        "bare_pages": list(capacity.bare_pages),
        "textless_pages": list(capacity.textless_pages),
        "statement": capacity.statement,
    }


def removed_values(removed: Iterable[Removed]) -> list[dict[str, Any]]:
    """What was removed, as the API shows it."""
    return [{"code": str(one.code), "count": one.count, "meaning": one.meaning} for one in removed]


def removed_text(removed: Iterable[Removed]) -> str:
    """What was removed, in a line for people."""
    return "; ".join(f"{one.meaning} ({one.count})" for one in removed)


def note_signatures(removed: Iterable[Removed]) -> None:
    """Tell people that the copies are not signed, when their source was."""
    if any(one.code is Removal.SIGNATURES for one in removed):
        note(
            "The source's digital signatures are removed: a mark would break them. The original stays as it is."
        )
