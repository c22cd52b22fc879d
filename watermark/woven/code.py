"""A copy's woven code: one secret bit a word, from the version's weave key and the copy's id. `TEMPLATE.md`, "Code".

Nothing of a code is stored: whoever has the key writes the bits of any copy anew, to stamp it or to trace it.
"""

from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from numpy.typing import NDArray

KEY_SIZE = 32
"""Bytes of a version's weave key."""

BIASES_WITH_WEIGHTS = ((0.1127, 0.332), (0.5, 0.336), (0.8873, 0.332))
"""How probable a 1 is for a word, and how often that is drawn. The best code against five or six who mix their copies:
Nuida, Fujitsu, Hagiwara et al., "An improvement of discrete Tardos fingerprinting codes" (2009)."""

# In 65536ths.
BIASES = np.array([round(bias * 2**16) for bias, _ in BIASES_WITH_WEIGHTS], np.uint16)
_DRAWN_BELOW = tuple(
    round(share * 2**16) for share in accumulate(weight for _, weight in BIASES_WITH_WEIGHTS)
)

_BIAS_LABEL = b"sealmark weave biases v1"
_COPY_LABEL = b"sealmark weave copy v1\x00"
_NONCE_SIZE = 12
_NUMBERS_A_BLOCK = 8  # of AES, 16 bytes


def biases(key: bytes, words: int) -> NDArray[np.uint16]:
    """How probable a 1 is for each word of this version, in 65536ths. Raises `ValueError` for another length of key."""
    drawn = _numbers(key, _BIAS_LABEL, words)
    return BIASES[(drawn >= _DRAWN_BELOW[0]).astype(np.intp) + (drawn >= _DRAWN_BELOW[1])]


def copy_bits(key: bytes, copy_id: str, words: int) -> NDArray[np.uint8]:
    """The bits, 0 or 1, of this copy's words. Raises `ValueError` for another length of key."""
    drawn = _numbers(key, _COPY_LABEL + copy_id.encode(), words)
    return (drawn < biases(key, words)).view(np.uint8)


def bits_of_copies(key: bytes, copy_ids: Sequence[str], first: int, stop: int) -> NDArray[np.bool_]:
    """The bits of words [first, stop) of each of these copies, a row a copy. Raises `ValueError` as `copy_bits`."""
    before = first % _NUMBERS_A_BLOCK
    drawn = np.empty((len(copy_ids), before + stop - first), ">u2")
    for row, copy_id in zip(drawn, copy_ids, strict=True):
        row.data.cast("B")[:] = _key_stream(key, _COPY_LABEL + copy_id.encode(), first - before, stop)
    drawn.byteswap(inplace=True)
    found: NDArray[np.bool_] = drawn.view("<u2")[:, before:] < biases(key, stop)[first:]
    return found


def _numbers(key: bytes, label: bytes, count: int) -> NDArray[np.uint16]:
    """So many numbers of 16 bits: the key stream of AES-256 in counter mode, its nonce made from `label`."""
    return np.frombuffer(_key_stream(key, label, 0, count), ">u2").astype(np.uint16)


def _key_stream(key: bytes, label: bytes, first: int, stop: int) -> bytes:
    """The bytes of the numbers [first, stop) of this label; `first` begins a block."""
    if len(key) != KEY_SIZE:
        raise ValueError(f"a weave key has {KEY_SIZE} bytes, this one {len(key)}")
    counter = sha256(label).digest()[:_NONCE_SIZE] + (first // _NUMBERS_A_BLOCK).to_bytes(4, "big")
    return Cipher(AES256(key), CTR(counter)).encryptor().update(bytes(2 * (stop - first)))
