"""The key of a user who marks files without a service: its file, and what is derived from it for each source.

The same key and the same source give the same seed and the same weave key, so nothing of a template needs to be kept
to trace a copy: it is compiled again.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from crypto import base64url
from crypto.errors import KeyFileError, WrongKeyLength
from crypto.identifiers import RANDOM_BYTES, new_id
from crypto.lengths import check_key, check_length

MARK_PREFIX = "mrk"
DIGEST_SIZE = 32

_ID_LABEL = b"sealmark mark key id v1\x00"
_SEED_LABEL = b"sealmark mark seed v1\x00"
_WEAVE_LABEL = b"sealmark mark weave key v1\x00"
_FIRST_LINE = "sealmark-mark-key 1"
_WARNING = "# Keep this file to yourself, and keep a copy: copies marked with it are traced by it, and by nothing else."


@dataclass(frozen=True, slots=True)
class MarkKey:
    """32 random bytes from which others are derived. Raises `WrongKeyLength`."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_key("a marking key", self.key)

    @property
    def id(self) -> str:
        """`mrk_…`, made from the key itself, so that one id never means two keys."""
        return new_id(MARK_PREFIX, hashlib.sha256(_ID_LABEL + self.key).digest()[:RANDOM_BYTES])

    def seed(self, source_sha256: bytes) -> bytes:
        """32 bytes by which compile chooses places in the file of this SHA-256. Raises `WrongLength`."""
        return self._derived(_SEED_LABEL, source_sha256)

    def weave_key(self, source_sha256: bytes) -> bytes:
        """32 bytes: the key of the woven code of all copies of the file of this SHA-256. Raises `WrongLength`."""
        return self._derived(_WEAVE_LABEL, source_sha256)

    def render(self) -> str:
        """The text of the key file: secret."""
        return f"{_FIRST_LINE}\n{_WARNING}\nkey {self.id} {base64url.encode(self.key)}\n"

    @classmethod
    def parse(cls, text: str) -> MarkKey:
        """The key of a key file's text. Raises `KeyFileError`, which repeats nothing of the text."""
        numbered = enumerate(text.splitlines(), 1)
        lines = [(n, line) for n, line in numbered if line.strip() and not line.startswith("#")]
        if not lines or lines[0][1] != _FIRST_LINE:
            raise KeyFileError(lines[0][0] if lines else 0, f"does not begin with {_FIRST_LINE!r}")
        if len(lines) != 2:
            raise KeyFileError(0, "holds not exactly one key")
        number, line = lines[1]
        fields = line.split(" ")
        if len(fields) != 3 or fields[0] != "key":
            raise KeyFileError(number, "is not 'key', an id and a key")
        try:
            found = cls(base64url.decode(fields[2]))
        except (ValueError, WrongKeyLength) as error:
            raise KeyFileError(number, "holds no key of 32 bytes in base64url") from error
        if found.id != fields[1]:
            raise KeyFileError(number, "has an id that does not belong to its key")
        return found

    def _derived(self, label: bytes, source_sha256: bytes) -> bytes:
        check_length("the SHA-256 of a source", source_sha256, DIGEST_SIZE)
        return hmac.digest(self.key, label + source_sha256, "sha256")
