"""Whatever a file does, the child answers within its limits, with acceptance or a typed refusal, and we live on."""

import pytest

from tests.watermark.hostile import HOSTILE
from watermark.errors import RefusalReason, Refused
from watermark.sandbox import ChildLimits, run_in_child

LIMITS = ChildLimits(memory_bytes=1536 << 20, cpu_seconds=60, wall_seconds=120.0)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_a_typed_verdict(name: str) -> None:
    build, expected = HOSTILE[name]
    assert verdict(build()) in (expected or ["accept", *RefusalReason])


def verdict(pdf: bytes) -> str:
    """`accept` or the reason; a failure of ours inside the child is neither."""
    try:
        run_in_child("inspect", [pdf], {}, LIMITS)
    except Refused as refused:
        crashed_on_its_own = (refused.where or "the child ended").startswith("the child ended")
        return refused.reason if crashed_on_its_own else f"failure at {refused.where}"
    return "accept"
