"""Visual order of text that mixes directions: Unicode's bidirectional algorithm for one line without embeddings.

UAX #9, rules P2, P3, W1 to W7, N1, N2, I1, I2 and L2. A mark's fields hold no embedding, override or isolate
(`mark.check_mark` refuses them), and each field is laid out by itself, so explicit levels do not occur. Paired brackets
(N0) take their neighbours' direction as other neutrals do.
"""

from dataclasses import dataclass
from itertools import groupby
from unicodedata import bidirectional

_NEUTRAL = frozenset(
    {"B", "S", "WS", "ON", "BN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
)


@dataclass(frozen=True)
class DirectedRun:
    """Characters [start, stop) of the text, all of one direction."""

    start: int
    stop: int
    rtl: bool


def strong_rtl(text: str) -> bool | None:
    """Whether the first strong character of the text runs from right to left; None: it has no strong one."""
    types = (bidirectional(character) for character in text)
    return next((kind != "L" for kind in types if kind in {"L", "R", "AL"}), None)


def runs_rtl(text: str) -> bool:
    """Whether the text's base direction is from right to left: its first strong character gives it."""
    return strong_rtl(text) or False


def visual_runs(text: str, rtl: bool | None = None) -> list[DirectedRun]:
    """The runs of the text from left to right as they are seen.

    `rtl` is its base direction, for a line of a longer text; None: its own.
    """
    types = [bidirectional(character) or "L" for character in text]
    base = int(runs_rtl(text) if rtl is None else rtl)
    levels = _levels(types, base)
    runs = []
    position = 0
    for level, group in groupby(levels):
        length = len(list(group))
        runs.append((level, DirectedRun(position, position + length, bool(level % 2))))
        position += length
    # L2: from the highest level to the lowest odd one, reverse every sequence of runs at that level or higher.
    for level in range(max(levels, default=0), 0, -1):
        reordered = []
        for high, group_of_runs in groupby(runs, key=lambda run: run[0] >= level):
            ordered = list(group_of_runs)
            reordered += ordered[::-1] if high else ordered
        runs = reordered
    return [run for _, run in runs]


def _levels(types: list[str], base: int) -> list[int]:
    resolved = _neutral(_weak(types, "R" if base else "L"), base)
    # I1, I2
    return [
        base + {0: {"L": 0, "R": 1}.get(kind, 2), 1: {"R": 0}.get(kind, 1)}[base % 2] for kind in resolved
    ]


def _weak(types: list[str], start: str) -> list[str]:
    """W1 to W7: numbers, separators and marks resolved to L, R, EN, AN or ON."""
    kinds = []
    previous = start
    for kind in types:  # W1
        previous = previous if kind == "NSM" else kind
        kinds.append(previous)
    strong = start
    for index, kind in enumerate(kinds):  # W2, W3
        if kind in {"L", "R", "AL"}:
            strong = kind
            kinds[index] = "R" if kind == "AL" else kind
        elif kind == "EN" and strong == "AL":
            kinds[index] = "AN"
    for index in range(1, len(kinds) - 1):  # W4
        before, kind, after = kinds[index - 1 : index + 2]
        if before == after and (
            (kind == "CS" and before in {"EN", "AN"}) or (kind == "ES" and before == "EN")
        ):
            kinds[index] = before
    for index, kind in enumerate(kinds):  # W5, towards both sides
        if kind == "EN":
            for step in (-1, 1):
                place = index + step
                while 0 <= place < len(kinds) and kinds[place] == "ET":
                    kinds[place] = "EN"
                    place += step
    strong = start
    for index, kind in enumerate(kinds):  # W6, W7
        if kind in {"L", "R"}:
            strong = kind
        elif kind in {"ES", "ET", "CS"}:
            kinds[index] = "ON"
        elif kind == "EN" and strong == "L":
            kinds[index] = "L"
    return kinds


def _neutral(kinds: list[str], base: int) -> list[str]:
    """N1, N2: neutrals take the direction that both sides share, else the base direction."""
    embedding = "R" if base else "L"
    resolved = []
    before = embedding
    groups = [(neutral, list(group)) for neutral, group in groupby(kinds, key=lambda kind: kind in _NEUTRAL)]
    for index, (neutral, group) in enumerate(groups):
        if not neutral:
            resolved += group
            before = "L" if group[-1] == "L" else "R"
            continue
        after = embedding
        if index + 1 < len(groups):
            after = "L" if groups[index + 1][1][0] == "L" else "R"
        resolved += [before if before == after else embedding] * len(group)
    return resolved
