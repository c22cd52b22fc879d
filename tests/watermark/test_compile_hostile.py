"""Whatever a file's text does, compiling it in the child ends within the limits, accepted or with a typed refusal.

And weaving is never the reason to refuse: what readers can show is accepted, if need be with nothing woven.
"""

import pytest

from tests.watermark.builders import SEED
from tests.watermark.hostile import HOSTILE
from tests.watermark.hostile_texts import HOSTILE_TEXTS
from watermark.errors import RefusalReason, Refused
from watermark.sandbox import ChildLimits, network_filter_available, run_in_child

pytestmark = pytest.mark.skipif(
    not network_filter_available(), reason="this platform has no system call filter; run the tests on Linux"
)

# A hundredth of a core's day for a file that is made to cost: the service gives a version somewhat more.
LIMITS = ChildLimits(cpu_seconds=240, wall_seconds=500.0)
# One of each kind, for every day.
QUICK = (
    "exponents",
    "steps-beyond-all",
    "size-1e308",
    "stretch-negative",
    "straddling-streams",
    "W-of-wide-ranges",
    "map-of-open-blocks",
    "type3-without-numbers",
    "forms-that-draw-each-other",
)


def verdict(pdf: bytes) -> str:
    """`accept` or the reason; a failure of ours inside the child is neither."""
    try:
        run_in_child("compile", [pdf], SEED, LIMITS)
    except Refused as refused:
        crashed_on_its_own = (refused.where or "the child ended").startswith("the child ended")
        return refused.reason if crashed_on_its_own else f"failure at {refused.where}"
    return "accept"


@pytest.mark.parametrize("name", QUICK)
def test_odd_text_is_never_a_reason_to_refuse(name: str) -> None:
    build, expected = HOSTILE_TEXTS[name]
    assert verdict(build()) in expected


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in HOSTILE_TEXTS if name not in QUICK])
def test_hostile_text_gets_the_verdict_that_it_must(name: str) -> None:
    build, expected = HOSTILE_TEXTS[name]
    assert verdict(build()) in expected


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_a_typed_verdict(name: str) -> None:
    build, expected = HOSTILE[name]
    # What inspection accepts may still not be markable.
    assert verdict(build()) in ([*expected, "cannot-mark"] if expected else ["accept", *RefusalReason])
