"""Sealed objects: Cobblestone-256 (c2sp.org/chunked-encryption), as a stream and by range.

Sealing and opening take input in pieces of any size and hold a bounded part of it, however large the object.
What is yielded was authenticated. An iterator that has failed fails again each time it is asked.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain, islice

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from crypto.errors import SealBroken, SealFault
from crypto.lengths import KEY_SIZE, NONCE_SIZE, TAG_SIZE, check_key, check_length

CHUNK = 16384
"""Plaintext bytes of a chunk; the last one has fewer."""

SEALED_CHUNK = CHUNK + TAG_SIZE

SALT_SIZE = 24
COMMITMENT_SIZE = 32
HEADER_SIZE = SALT_SIZE + COMMITMENT_SIZE

MAX_CHUNKS = 2**38
"""Of one object (4 PiB): the format's own limit, below the wear-out of AES under one key."""

PIECE_CHUNKS = 16
"""Chunks that are yielded as one piece (256 KiB): few calls, and still little memory for each reader."""

_INFO = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"

Buffer = bytes | bytearray | memoryview


def sealed_size(plain: int) -> int:
    """Bytes of the sealed object for `plain` bytes."""
    return HEADER_SIZE + plain + TAG_SIZE * (plain // CHUNK + 1)


def plain_size(sealed: int) -> int:
    """Bytes of plaintext in a sealed object of `sealed` bytes: a claim until its last chunk was opened.

    Raises `SealBroken` for sizes that no sealed object has.
    """
    if sealed < HEADER_SIZE:
        raise SealBroken(SealFault.SHORT_HEADER)
    full, rest = divmod(sealed - HEADER_SIZE, SEALED_CHUNK)
    if rest < TAG_SIZE:
        raise SealBroken(SealFault.TRUNCATED)
    if full >= MAX_CHUNKS:
        raise SealBroken(SealFault.TOO_LONG)
    return full * CHUNK + rest - TAG_SIZE


def seal(key: bytes, context: bytes, pieces: Iterable[bytes], *, salt: bytes) -> Iterator[bytes]:
    """The sealed object of all `pieces`, in pieces of at most 256 KiB.

    `key` is 32 random bytes, used for this object only; `salt` 24 random bytes, never used with this key
    before. Raises `WrongKeyLength` and `WrongLength` at the call.
    """
    check_length("the salt of a sealed object", salt, SALT_SIZE)
    return _seal(_ObjectKeys(key, context, salt), salt, pieces)


def open_stream(key: bytes, context: bytes, pieces: Iterable[bytes]) -> Opened:
    """The plaintext of a whole sealed object, in pieces of at most 256 KiB, each authenticated.

    That the plaintext ends where it ends is known only when the iterator ends without an error: who must know
    before the first byte leaves uses `SealedReader`. Raises `WrongKeyLength` at the call, `SealBroken` while
    iterating, and from then on at every further step.
    """
    check_key("the key of a sealed object", key)
    return Opened(_open_stream(key, context, pieces))


class Opened(Iterator[bytes]):
    """Plaintext in pieces. Once failed it fails again each time: a generator would seem to have ended well."""

    def __init__(self, pieces: Generator[bytes, None, None]) -> None:
        self._pieces = pieces
        self._failure: Exception | None = None

    def __next__(self) -> bytes:
        if self._failure is not None:
            raise self._failure
        try:
            return next(self._pieces)
        except StopIteration:
            raise
        except Exception as error:
            self._failure = error
            raise

    def close(self) -> None:
        """Whoever stops early calls this: it frees what the store holds open."""
        self._pieces.close()


class SealedReader:
    """Ranges of one sealed object. Holds derived keys, no plaintext; may be kept, and used by many threads.

    `read(start, stop)` gives the bytes of the sealed object from `start` up to `stop`, in pieces. Afterwards
    the commitment is checked, the last chunk was opened, and so `size`, in bytes of plaintext, is authentic.
    Raises `WrongKeyLength` and `SealBroken`, and whatever `read` raises.
    """

    size: int

    def __init__(
        self, key: bytes, context: bytes, read: Callable[[int, int], Iterable[bytes]], sealed_size: int
    ) -> None:
        check_key("the key of a sealed object", key)
        self.size = plain_size(sealed_size)
        self._read = read
        self._sealed_size = sealed_size
        header = b"".join(_limited(HEADER_SIZE, read(0, HEADER_SIZE)))
        self._keys = _ObjectKeys.checked(key, context, header)
        self._check_last_chunk()

    def read(self, start: int = 0, stop: int | None = None) -> Opened:
        """The plaintext from `start` up to `stop` (None: the end), opening only the chunks that hold it.

        Raises `ValueError` unless 0 <= start <= stop <= size; `SealBroken` while iterating, and from then on.
        """
        stop = self.size if stop is None else stop
        if not 0 <= start <= stop <= self.size:
            raise ValueError(f"no range of {self.size} bytes: start {start}, stop {stop}")
        return Opened(self._range(start, stop))

    def _range(self, start: int, stop: int) -> Generator[bytes, None, None]:
        if start == stop:
            return
        first, last = start // CHUNK, (stop - 1) // CHUNK
        begin = HEADER_SIZE + first * SEALED_CHUNK
        end = min(HEADER_SIZE + (last + 1) * SEALED_CHUNK, self._sealed_size)
        skip, left = start - first * CHUNK, stop - start
        with closing(_limited(end - begin, self._read(begin, end))) as pieces:
            for piece in _joined(_open_chunks(self._keys, first, pieces, to_the_end=False)):
                wanted = piece[skip : skip + left]
                skip, left = 0, left - len(wanted)
                yield wanted

    def _check_last_chunk(self) -> None:
        last = self.size // CHUNK
        begin = HEADER_SIZE + last * SEALED_CHUNK
        pieces = _limited(self._sealed_size - begin, self._read(begin, self._sealed_size))
        self._keys.open_chunk(last, b"".join(pieces))


class _ObjectKeys:
    """What HKDF derives for one object."""

    def __init__(self, key: bytes, context: bytes, salt: bytes) -> None:
        check_key("the key of a sealed object", key)
        info = _INFO + salt + context
        derived = HKDFExpand(SHA512(), KEY_SIZE + NONCE_SIZE + COMMITMENT_SIZE, info).derive(key)
        self._aead = AESGCM(derived[:KEY_SIZE])
        self._base_nonce = int.from_bytes(derived[KEY_SIZE : KEY_SIZE + NONCE_SIZE], "big")
        self.commitment = derived[KEY_SIZE + NONCE_SIZE :]

    @classmethod
    def checked(cls, key: bytes, context: bytes, header: bytes) -> _ObjectKeys:
        """The keys of an object with this header. Raises `SealBroken` unless they commit to it."""
        keys = cls(key, context, header[:SALT_SIZE])
        if not hmac.compare_digest(keys.commitment, header[SALT_SIZE:]):
            raise SealBroken(SealFault.COMMITMENT)
        return keys

    def seal_chunk(self, index: int, plain: Buffer) -> bytes:
        return self._aead.encrypt(self._nonce(index), plain, None)

    def open_chunk(self, index: int, sealed: Buffer) -> bytes:
        try:
            return self._aead.decrypt(self._nonce(index), sealed, None)
        except InvalidTag as error:
            raise SealBroken(SealFault.CHUNK) from error

    def _nonce(self, index: int) -> bytes:
        if index >= MAX_CHUNKS:
            raise SealBroken(SealFault.TOO_LONG)
        return (self._base_nonce ^ index).to_bytes(NONCE_SIZE, "big")


def _seal(keys: _ObjectKeys, salt: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield salt + keys.commitment
    yield from _joined(keys.seal_chunk(index, plain) for index, plain in enumerate(_regroup(pieces, CHUNK)))


def _open_stream(key: bytes, context: bytes, pieces: Iterable[bytes]) -> Generator[bytes, None, None]:
    header, rest = _split(pieces, HEADER_SIZE)
    if len(header) < HEADER_SIZE:
        raise SealBroken(SealFault.SHORT_HEADER)
    keys = _ObjectKeys.checked(key, context, header)
    yield from _joined(_open_chunks(keys, 0, rest, to_the_end=True))


def _open_chunks(
    keys: _ObjectKeys, first: int, pieces: Iterable[bytes], *, to_the_end: bool
) -> Generator[bytes, None, None]:
    """The plaintext of chunk `first` and those after it; `to_the_end`: the last one has to be there."""
    for index, sealed in enumerate(_regroup(pieces, SEALED_CHUNK), first):
        if len(sealed) >= TAG_SIZE:
            yield keys.open_chunk(index, sealed)
        elif to_the_end:
            raise SealBroken(SealFault.TRUNCATED)


def _joined(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of `PIECE_CHUNKS` chunks, the last one of fewer; no piece is empty."""
    source = iter(chunks)
    while held := list(islice(source, PIECE_CHUNKS)):
        if piece := b"".join(held):
            yield piece


def _regroup(pieces: Iterable[bytes], size: int) -> Iterator[Buffer]:
    """The same bytes in groups of exactly `size`, and then one shorter group, which may be empty.

    Copies only groups that lie across pieces, each byte once.
    """
    held = bytearray()
    for piece in pieces:
        view = memoryview(piece)
        if held:
            missing = size - len(held)
            held += view[:missing]
            view = view[missing:]
            if len(held) < size:
                continue
            yield held
            held = bytearray()
        whole = len(view) - len(view) % size
        for start in range(0, whole, size):
            yield view[start : start + size]
        held += view[whole:]
    yield held


def _split(pieces: Iterable[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first `size` bytes (fewer only if there are no more), and the pieces of the rest."""
    source = iter(pieces)
    head = bytearray()
    for piece in source:
        missing = size - len(head)
        head += piece[:missing]
        if len(head) == size:
            return bytes(head), chain((piece[missing:],), source)
    return bytes(head), iter(())


def _limited(size: int, pieces: Iterable[bytes]) -> Generator[bytes, None, None]:
    """The same pieces; raises `SealBroken` as soon as they are more than `size` bytes, or when fewer.

    Closes `pieces` in any case: they hold a file or a connection of the store.
    """
    given = 0
    try:
        for piece in pieces:
            given += len(piece)
            if given > size:
                raise SealBroken(SealFault.STORE_LENGTH)
            yield piece
        if given < size:
            raise SealBroken(SealFault.STORE_LENGTH)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
