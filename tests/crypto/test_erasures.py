"""Erasures in the store: ours are read, and nobody else can write one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crypto import canonical, erasures
from crypto.errors import ErasureInvalid, WrongKeyLength

KEY = bytes(range(32))
OURS = erasures.encode(KEY, "rcp_1", "ent_1")


def changed(**values: Any) -> bytes:
    return canonical.encode({**json.loads(OURS), **values})


def test_ours_are_read() -> None:
    assert erasures.decode(KEY, OURS) == ("rcp_1", "ent_1")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        OURS + b" ",
        OURS[:-1],
        changed(recipient="rcp_2"),
        changed(entry="ent_2"),
        changed(mac="00" * 32),
        changed(mac="é"),
        changed(mac=1),
        changed(more="1"),
        erasures.encode(KEY[::-1], "rcp_1", "ent_1"),
    ],
)
def test_what_is_not_ours_erases_nobody(data: bytes) -> None:
    with pytest.raises(ErasureInvalid):
        erasures.decode(KEY, data)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(WrongKeyLength):
        erasures.encode(KEY[:-1], "rcp_1", "ent_1")
