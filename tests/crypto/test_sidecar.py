"""Sidecars: one spelling, and with the master key alone the object opens."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from crypto.context import context
from crypto.errors import CryptoError, SealBroken, SidecarInvalid, WrappedKeyInvalid
from crypto.keys import MasterKey, WrappedKey
from crypto.sealing import SealedReader, seal
from crypto.sidecar import MAX_BYTES, Sidecar

MASTER = MasterKey(bytes(range(32)))
KEY = bytes(range(32, 64))
PLACE = context("original", "version", "ver_a", "obj_a")
PAYLOAD = b"".join(seal(KEY, PLACE, [b"a report"], salt=bytes(24)))
SIDECAR = Sidecar(
    role="original",
    owner_kind="version",
    owner_id="ver_a",
    object_id="obj_a",
    sealed_size=len(PAYLOAD),
    master_id=MASTER.id,
    wrapped_key=MASTER.wrap(KEY, PLACE, nonce=bytes(12)).encode(),
)


def recover(sidecar: bytes, payload: bytes) -> bytes:
    """What an operator does who has the store and the master key, and nothing else."""
    found = Sidecar.decode(sidecar)
    key = MASTER.unwrap(WrappedKey.decode(found.master_id, found.wrapped_key), found.context())
    reader = SealedReader(key, found.context(), lambda start, stop: [payload[start:stop]], found.sealed_size)
    return b"".join(reader.read())


def test_an_object_opens_with_its_sidecar_and_the_master_key_alone() -> None:
    assert recover(SIDECAR.encode(), PAYLOAD) == b"a report"


@pytest.mark.parametrize("field", ["role", "owner_kind", "owner_id", "object_id"])
def test_a_sidecar_that_names_another_place_opens_nothing(field: str) -> None:
    elsewhere = changed(**{field: "other"})
    with pytest.raises(WrappedKeyInvalid):
        recover(elsewhere, PAYLOAD)


@pytest.mark.parametrize("size", [0, len(PAYLOAD) - 1, len(PAYLOAD) + 1])
def test_a_sidecar_that_names_another_size_opens_nothing(size: int) -> None:
    with pytest.raises(SealBroken):
        recover(replace(SIDECAR, sealed_size=size).encode(), PAYLOAD)


def test_no_cut_sidecar_opens_anything() -> None:
    data = SIDECAR.encode()
    for length in range(len(data)):
        with pytest.raises(CryptoError):
            recover(data[:length], PAYLOAD)


def test_it_decodes_to_what_was_encoded() -> None:
    assert Sidecar.decode(SIDECAR.encode()) == SIDECAR


def changed(**members: Any) -> bytes:
    found = {**json.loads(SIDECAR.encode()), **members}
    kept = {name: value for name, value in found.items() if value is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()


def test_the_helper_above_changes_nothing_by_itself() -> None:
    assert changed() == SIDECAR.encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"format"',
        b"\xff",
        SIDECAR.encode() + b"\n",
        SIDECAR.encode().replace(b":", b": ", 1),
        changed(format=2),
        changed(format="1"),
        changed(format=None),
        changed(role=None),
        changed(more="x"),
        changed(role=1),
        changed(role=""),
        changed(owner_id=""),
        changed(role="x" * 256),
        changed(sealed_size="72"),
        changed(sealed_size=-1),
        changed(sealed_size=1.5),
        changed(wrapped_key=["x"]),
        changed(wrapped_key="x" * MAX_BYTES),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(SidecarInvalid):
        Sidecar.decode(data)


def test_one_that_could_not_be_read_again_is_not_written() -> None:
    with pytest.raises(SidecarInvalid, match="at most"):
        replace(SIDECAR, wrapped_key="x" * MAX_BYTES).encode()
    with pytest.raises(SidecarInvalid, match="canonical"):
        replace(SIDECAR, sealed_size=2**53).encode()
    with pytest.raises(SidecarInvalid, match="canonical"):
        replace(SIDECAR, wrapped_key="\ud800").encode()
