"""The tokens read back say what the content is, and keep off what they are told to."""

import random
import zlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watermark.flate.tokens import WINDOW, Tokens, find_tokens, keep_off, read_tokens

REPETITIVE = st.lists(
    st.one_of(st.binary(max_size=12), st.sampled_from([b"[(Seal)-20(mark)]TJ ", b"0" * 300, b"\xff" * 40])),
    max_size=40,
).map(b"".join)


def told(content: bytes, start: int, tokens: Tokens) -> bytes:
    """What the tokens say, where `content[:start]` is known and each literal is the content's byte."""
    said = bytearray(content[:start])
    for begin, length, distance in zip(
        tokens.starts.tolist(), tokens.lengths.tolist(), tokens.distances.tolist(), strict=True
    ):
        assert begin == len(said)
        assert length == 1 if not distance else 3 <= length <= 258
        assert distance <= min(begin, WINDOW)
        for _ in range(length):
            said.append(said[-distance] if distance else content[begin])
    return bytes(said)


@given(REPETITIVE, st.floats(0, 1))
@example(b"", 0)
def test_tokens_tell_the_content(content: bytes, part: float) -> None:
    start = int(len(content) * part)
    assert told(content, start, find_tokens(content, start, len(content))) == content


def test_every_length_and_distance_is_read() -> None:
    chance = random.Random(5)
    alphabet = range(144)  # of eight bits in a fixed block, else zlib would store them
    content = bytearray(chance.choices(alphabet, k=WINDOW))
    for length in [*range(3, 259)] * 2:  # chance makes a match longer now and then
        distance = min(WINDOW, 1 << length % 16) - chance.randrange(1 << max(0, length % 16 - 1))
        begin = len(content) - max(distance, length)
        content += content[begin : begin + length] + bytes(chance.choices(alphabet, k=2))
    tokens = find_tokens(bytes(content), 0, len(content))
    assert told(bytes(content), 0, tokens) == content
    assert set(tokens.lengths.tolist()) >= set(range(4, 259))
    assert tokens.distances.max() > WINDOW // 2


def test_tokens_are_those_of_zlib() -> None:
    content = b"".join(b"%d %d Td (word %d) Tj " % (n % 7, n * n % 91, n) for n in range(3000))
    tokens = find_tokens(content, 0, len(content))
    assert told(content, 0, tokens) == content
    assert (tokens.distances > 0).sum() > len(tokens.starts) / 3
    assert len(tokens.starts) * 2 < len(content)


def test_a_dynamic_block_is_refused() -> None:
    content = b" ".join(b"%d" % (number * number) for number in range(2000))
    with pytest.raises(ValueError, match="dynamic"):
        read_tokens(zlib.compress(content)[2:-4])


@given(REPETITIVE, st.randoms(use_true_random=False))
def test_what_is_blocked_is_neither_covered_nor_referred_to(content: bytes, chance: random.Random) -> None:
    blocked = np.zeros(len(content), bool)
    for _ in range(chance.randrange(4)):
        begin = chance.randrange(len(content) + 1)
        blocked[begin : begin + chance.randrange(1, 8)] = True
    tokens = keep_off(find_tokens(content, 0, len(content)), blocked)
    other = bytes(chance.randrange(256) if hit else byte for byte, hit in zip(content, blocked, strict=True))
    assert told(other, 0, tokens) == other
    for begin, length, distance in zip(tokens.starts, tokens.lengths, tokens.distances, strict=True):
        assert not distance or not blocked[begin : begin + length].any()


def test_what_is_left_of_a_match_stays_a_match() -> None:
    content = b"." + b"0123456789abcdefghij" * 2
    blocked = np.zeros(41, bool)
    blocked[[6, 27, 34]] = True  # referred to; covered; covered
    tokens = keep_off(find_tokens(content, 0, 41), blocked)
    matches = tokens.distances > 0
    assert tokens.starts[matches].tolist() == [21, 28, 35]
    assert tokens.lengths[matches].tolist() == [5, 6, 6]
