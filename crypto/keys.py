"""Keys that wrap keys: the master key, wrapped keys, and the keyring that a key file holds.

A wrapped key opens only under the master key that wrapped it and in the context that it was wrapped for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crypto import base64url
from crypto.errors import KeyFileError, KeyInUse, UnknownMasterKey, WrappedKeyInvalid, WrongKeyLength
from crypto.identifiers import RANDOM_BYTES, new_id
from crypto.lengths import KEY_SIZE, NONCE_SIZE, TAG_SIZE, check_key, check_length

MAX_WRAPPED = 4096
"""Bytes of a key that is wrapped. Ours have 32; a private key in DER fits, a document does not."""

MAX_WRAPS = 2**32
"""Wraps under one master key with random nonces (SP 800-38D, section 8.3). Rotate long before."""

MAX_MASTER_KEYS = 64
"""In one key file. Old ones retire after a rotation; more than this is a file that went wrong."""

MASTER_PREFIX = "mst"
WRAPPED_PREFIX = "aes256gcm."

_ID_LABEL = b"sealmark master key id v1\x00"
_FIRST_LINE = "sealmark-keyring 1"
_WARNING = "# Whoever has this file can open every report. Keep it apart from the data, and keep a copy."


def new_key(random: Callable[[int], bytes]) -> bytes:
    """32 bytes from `random` (such as `secrets.token_bytes`). Raises `WrongKeyLength` if it gives other."""
    key = random(KEY_SIZE)
    check_key("what the source of randomness gave", key)
    return key


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key under a master key. Not secret."""

    master_id: str
    nonce: bytes
    ciphertext: bytes  # with its tag

    def encode(self) -> str:
        """The one text of nonce and ciphertext; `master_id` stands beside it."""
        return WRAPPED_PREFIX + base64url.encode(self.nonce + self.ciphertext)

    @classmethod
    def decode(cls, master_id: str, text: str) -> WrappedKey:
        """The wrapped key whose `encode` is exactly `text`. Raises `WrappedKeyInvalid`."""
        body = text.removeprefix(WRAPPED_PREFIX)
        try:
            data = base64url.decode(body)
        except ValueError as error:
            raise WrappedKeyInvalid(
                "the text of a wrapped key is damaged: use the one in the sidecar"
            ) from error
        if body == text or not NONCE_SIZE + TAG_SIZE < len(data) <= NONCE_SIZE + MAX_WRAPPED + TAG_SIZE:
            raise WrappedKeyInvalid(f"this is no wrapped key of the kind {WRAPPED_PREFIX!r}")
        return cls(master_id, data[:NONCE_SIZE], data[NONCE_SIZE:])


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 random bytes that only wrap other keys. Raises `WrongKeyLength`."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_key("a master key", self.key)

    @property
    def id(self) -> str:
        """`mst_…`, made from the key itself, so that one id never means two keys."""
        return new_id(MASTER_PREFIX, hashlib.sha256(_ID_LABEL + self.key).digest()[:RANDOM_BYTES])

    def wrap(self, key: bytes, context: bytes, *, nonce: bytes) -> WrappedKey:
        """`key` (1 to 4,096 bytes) for this context only. `nonce` is 12 random bytes, new each time.

        Raises `WrongKeyLength`, `WrongLength`.
        """
        if not 1 <= len(key) <= MAX_WRAPPED:
            raise WrongKeyLength("a key to wrap", f"1 to {MAX_WRAPPED}", len(key))
        check_length("the nonce of a wrapped key", nonce, NONCE_SIZE)
        return WrappedKey(self.id, nonce, AESGCM(self.key).encrypt(nonce, key, context))

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """The key again. Raises `UnknownMasterKey`, and `WrappedKeyInvalid` in any other context."""
        if wrapped.master_id != self.id:
            raise UnknownMasterKey(wrapped.master_id)
        try:
            return AESGCM(self.key).decrypt(wrapped.nonce, wrapped.ciphertext, context)
        except InvalidTag as error:
            raise WrappedKeyInvalid(
                "a wrapped key does not open: it was changed, or belongs to another object"
            ) from error


@dataclass(frozen=True, slots=True)
class Keyring:
    """One master key that wraps, and older ones that still unwrap, newest first."""

    current: MasterKey
    older: tuple[MasterKey, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The current key's id, then those of the older ones."""
        return tuple(master.id for master in (self.current, *self.older))

    def get(self, master_id: str) -> MasterKey:
        """Raises `UnknownMasterKey`."""
        for master in (self.current, *self.older):
            if master.id == master_id:
                return master
        raise UnknownMasterKey(master_id)

    def wrap(self, key: bytes, context: bytes, *, nonce: bytes) -> WrappedKey:
        """As `MasterKey.wrap`, under the current one."""
        return self.current.wrap(key, context, nonce=nonce)

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """As `MasterKey.unwrap`, with whichever key wrapped it."""
        return self.get(wrapped.master_id).unwrap(wrapped, context)

    def rotated(self, new: MasterKey) -> Keyring:
        """A keyring that wraps under `new` and still unwraps what this one does. Raises `KeyInUse`."""
        if new.id in self.ids:
            raise KeyInUse(f"{new.id} is in this keyring already: rotate to a new key")
        if len(self.ids) >= MAX_MASTER_KEYS:
            raise KeyInUse(f"a keyring holds at most {MAX_MASTER_KEYS} keys: retire old ones first")
        return Keyring(new, (self.current, *self.older))

    def retired(self, master_id: str) -> Keyring:
        """Without this older key: what it wrapped is lost. Raises `KeyInUse`, `UnknownMasterKey`."""
        gone = self.get(master_id)
        if gone == self.current:
            raise KeyInUse(f"{master_id} is the current master key: rotate to another one first")
        return replace(self, older=tuple(master for master in self.older if master != gone))

    def render(self) -> str:
        """The text of the key file: secret."""
        lines = [_FIRST_LINE, _WARNING, _line("current", self.current)]
        return "\n".join([*lines, *(_line("older", master) for master in self.older)]) + "\n"

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """The keyring of a key file's text. Raises `KeyFileError`, which repeats nothing of the text."""
        numbered = enumerate(text.splitlines(), 1)
        lines = [(n, line) for n, line in numbered if line.strip() and not line.startswith("#")]
        if not lines or lines[0][1] != _FIRST_LINE:
            raise KeyFileError(lines[0][0] if lines else 0, f"does not begin with {_FIRST_LINE!r}")
        if len(lines) - 1 > MAX_MASTER_KEYS:
            raise KeyFileError(0, f"has more than {MAX_MASTER_KEYS} keys")
        masters: list[MasterKey] = []
        for number, line in lines[1:]:
            master = _parse_line(number, line, "older" if masters else "current")
            if master in masters:
                raise KeyFileError(number, "repeats a key")
            masters.append(master)
        if not masters:
            raise KeyFileError(0, "holds no key")
        return cls(masters[0], tuple(masters[1:]))


def _line(word: str, master: MasterKey) -> str:
    return f"{word} {master.id} {base64url.encode(master.key)}"


def _parse_line(number: int, line: str, word: str) -> MasterKey:
    fields = line.split(" ")
    if len(fields) != 3 or fields[0] != word:
        raise KeyFileError(number, f"is not '{word}', an id and a key")
    try:
        master = MasterKey(base64url.decode(fields[2]))
    except (ValueError, WrongKeyLength) as error:
        raise KeyFileError(number, "holds no key of 32 bytes in base64url") from error
    if master.id != fields[1]:
        raise KeyFileError(number, "has an id that does not belong to its key")
    return master
