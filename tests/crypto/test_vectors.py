"""Public vectors: Cobblestone-256 through both readers, HMAC-SHA-256 and Ed25519 as this project calls them."""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from crypto.errors import CryptoError, SealBroken
from crypto.sealing import SALT_SIZE, Opened, SealedReader, open_stream, seal, sealed_size
from tests.crypto.vectors import (
    CARRIED,
    COBBLESTONE,
    CONSISTENCY,
    ED25519,
    HMAC,
    INCLUSION,
    SHARED,
    cases,
    groups,
)  # fmt: skip

CASES = cases(COBBLESTONE)
VALID = [case for case in CASES if case["result"] == "valid"]
INVALID = [case for case in CASES if case["result"] == "invalid"]
PIECE = 5000  # so that chunks lie across pieces


def named(chosen: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "case", chosen, ids=[f"{case['tcId']}-{case['comment']}" for case in chosen]
    )


def sealed_of(case: dict[str, Any]) -> bytes:
    return zlib.decompress(bytes.fromhex(case["ct"]))


def key_and_context(case: dict[str, Any]) -> tuple[bytes, bytes]:
    return bytes.fromhex(case["key"]), bytes.fromhex(case["ctx"])


def pieces(data: bytes) -> list[bytes]:
    return [data[start : start + PIECE] for start in range(0, len(data), PIECE)]


def stream(case: dict[str, Any]) -> Opened:
    return open_stream(*key_and_context(case), pieces(sealed_of(case)))


def reader(case: dict[str, Any]) -> SealedReader:
    sealed = sealed_of(case)
    return SealedReader(*key_and_context(case), lambda start, stop: pieces(sealed[start:stop]), len(sealed))


def collect(plaintext: Iterator[bytes], given: list[bytes]) -> None:
    for piece in plaintext:
        given.append(piece)


def prefix_until_failure(plaintext: Iterator[bytes]) -> bytes:
    """What came before the failure; fails the test if there was none, or if it does not repeat."""
    given: list[bytes] = []
    with pytest.raises(SealBroken):
        collect(plaintext, given)
    for _ in range(3):
        with pytest.raises(SealBroken):
            next(plaintext)
    return b"".join(given)


def is_what_the_case_says(plaintext: bytes, case: dict[str, Any]) -> bool:
    digest = hashlib.sha512(plaintext).hexdigest()
    return (len(plaintext), digest) == (case["msgLength"], case["msgSha512"])


def test_all_published_cases_are_here() -> None:
    assert (len(CASES), len(VALID), len(INVALID)) == (35, 10, 25)


@named(VALID)
def test_valid_opens_as_a_stream(case: dict[str, Any]) -> None:
    assert is_what_the_case_says(b"".join(stream(case)), case)


@named(VALID)
def test_valid_opens_by_range(case: dict[str, Any]) -> None:
    found = reader(case)
    assert found.size == case["msgLength"]
    assert is_what_the_case_says(b"".join(found.read()), case)


@named(VALID)
def test_valid_is_what_sealing_gives(case: dict[str, Any]) -> None:
    plaintext, sealed = b"".join(stream(case)), sealed_of(case)
    again = seal(*key_and_context(case), pieces(plaintext), salt=sealed[:SALT_SIZE])
    assert b"".join(again) == sealed
    assert len(sealed) == sealed_size(len(plaintext))


@named(INVALID)
def test_invalid_fails_as_a_stream_and_keeps_failing(case: dict[str, Any]) -> None:
    if "InvalidKeySize" in case["flags"]:
        with pytest.raises(CryptoError):
            stream(case)
        return
    given = prefix_until_failure(stream(case))
    if "PartialPlaintext" not in case["flags"]:
        assert given == b""
    elif given:
        assert is_what_the_case_says(given, case)


@named(INVALID)
def test_invalid_fails_by_range_and_its_length_only_where_the_last_chunk_is_good(
    case: dict[str, Any],
) -> None:
    if "ValidFinalChunk" not in case["flags"]:
        with pytest.raises(CryptoError):
            reader(case)
        return
    prefix_until_failure(reader(case).read())


@pytest.mark.parametrize("case", cases(HMAC), ids=lambda case: str(case["tcId"]))
def test_hmac_sha256(case: dict[str, Any]) -> None:
    tag = bytes.fromhex(case["tag"])
    made = hmac.digest(bytes.fromhex(case["key"]), bytes.fromhex(case["msg"]), "sha256")[: len(tag)]
    assert hmac.compare_digest(made, tag) == (case["result"] == "valid")


def test_hmac_vectors_cover_the_full_tag() -> None:
    assert {group["tagSize"] for group in groups(HMAC)} == {128, 256}


@pytest.mark.parametrize(
    ("key", "case"),
    [(group["publicKey"]["pk"], case) for group in groups(ED25519) for case in group["tests"]],
    ids=lambda value: str(value["tcId"]) if isinstance(value, dict) else "",
)
def test_ed25519(key: str, case: dict[str, Any]) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
        )
        verified = True
    except InvalidSignature:
        verified = False
    assert verified == (case["result"] == "valid")


@pytest.mark.parametrize("name", [COBBLESTONE, HMAC, ED25519, INCLUSION, CONSISTENCY])
def test_carried_copies_are_unchanged(name: str) -> None:
    if not (SHARED / name).exists():
        pytest.skip("no shared folder here: set SEALMARK_SHARED to compare the carried vectors with it")
    assert (CARRIED / name).read_bytes() == (SHARED / name).read_bytes()
