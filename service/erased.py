"""What stands in an erased value's place. Formats: crypto/FORMAT.md, Log export."""

from __future__ import annotations

KIND = "recipient.erased"
"""The entry that an erased value names."""

Revealed = dict[str, dict[str, str]]
"""Personal field → value and salt, or the entry that erased them."""


def without_values(revealed: Revealed, entry_id: str) -> Revealed:
    """The same fields, each naming the entry that erased it; what was erased before keeps its entry."""
    return {
        name: shown if shown.keys() == {"erased"} else {"erased": entry_id}
        for name, shown in revealed.items()
    }
