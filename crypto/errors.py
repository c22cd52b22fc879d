"""What can go wrong in this package: one root, typed fields, and messages that say what to do.

No message holds a key, a token, a plaintext or a part of one, so each may be logged.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crypto.tokens import LinkToken


class CryptoError(Exception):
    """Root of every error here."""


class WrongLength(CryptoError):
    """A value of fixed length has another one. `what` names it; lengths are in bytes."""

    def __init__(self, what: str, expected: str, actual: int) -> None:
        super().__init__(f"{what} has {actual} bytes; it needs {expected}")
        self.what = what
        self.expected = expected
        self.actual = actual


class WrongKeyLength(WrongLength):
    """A key has another length than its algorithm asks for."""


class IdentifierInvalid(CryptoError):
    """A text is not the one spelling of an identifier."""


class ContextInvalid(CryptoError):
    """A field of a context is empty, too long, or no text."""


class SealFault(StrEnum):
    """Why a sealed object does not open."""

    SHORT_HEADER = "short-header"
    COMMITMENT = "commitment"
    CHUNK = "chunk"
    TRUNCATED = "truncated"
    TOO_LONG = "too-long"
    STORE_LENGTH = "store-length"


_SEAL_MESSAGES = {
    SealFault.SHORT_HEADER: "it ends within its header: restore it from a backup",
    SealFault.COMMITMENT: "its commitment does not match: wrong key, wrong context, or a changed header",
    SealFault.CHUNK: "a chunk was changed, moved, cut or continued: restore the object from a backup",
    SealFault.TRUNCATED: "its end is missing: restore it from a backup",
    SealFault.TOO_LONG: "it has more chunks than the format allows",
    SealFault.STORE_LENGTH: "the store gave more or fewer bytes than were asked for: check the store",
}


class SealBroken(CryptoError):
    """A sealed object is not what was sealed. `reason` is for metrics and entries."""

    def __init__(self, reason: SealFault) -> None:
        super().__init__(f"the sealed object does not open: {_SEAL_MESSAGES[reason]}")
        self.reason = reason


class KeyFileError(CryptoError):
    """The text of a key file is not a keyring. `line` counts from 1, 0 means the whole text."""

    def __init__(self, line: int, problem: str) -> None:
        place = f"line {line} of the key file" if line else "the key file"
        super().__init__(f"{place} {problem}; restore the file from its backup")
        self.line = line


class KeyInUse(CryptoError):
    """A keyring cannot do without this master key."""


class UnknownMasterKey(CryptoError):
    """The keyring does not hold the master key that wrapped a key."""

    def __init__(self, master_id: str) -> None:
        super().__init__(f"this keyring has no master key {master_id}: add the key file that holds it")
        self.master_id = master_id


class WrappedKeyInvalid(CryptoError):
    """A wrapped key is not well-formed, or does not open with this master key in this context."""


class SidecarInvalid(CryptoError):
    """The bytes beside a payload are not a sidecar of a format that this program knows."""


class TokenFault(StrEnum):
    """Why a token was refused: for metrics only, never for whoever holds the token."""

    LENGTH = "length"
    VERSION = "version"
    ENCODING = "encoding"
    ACTION = "action"
    EXPIRY = "expiry"
    KEY = "key"
    MAC = "mac"


class TokenInvalid(CryptoError):
    """Not an authentic token. The message is the same whatever the cause."""

    def __init__(self, cause_code: TokenFault) -> None:
        super().__init__("this link is not valid: ask the sender for a new one")
        self.cause_code = cause_code


class TokenExpired(CryptoError):
    """An authentic token whose time is over; `token` is what it said."""

    def __init__(self, token: LinkToken) -> None:
        super().__init__("this link has expired: ask the sender for a new one")
        self.token = token


class LifeInvalid(CryptoError):
    """A link was to live for no time, or longer than links may."""


class ApiKeyInvalid(CryptoError):
    """A text is not an API key. The message is the same whatever the cause."""

    def __init__(self) -> None:
        super().__init__("this is not an API key: it begins with smk_ and was shown once when it was made")


class IdempotencyKeyInvalid(CryptoError):
    """A raw Idempotency-Key is empty, too long, or no text."""


class AnswerBroken(CryptoError):
    """A kept answer does not open with this Idempotency-Key in this context."""


class ErasureInvalid(CryptoError):
    """What the store keeps of an erasing was not written under the service key."""


class WebhookSecretBroken(CryptoError):
    """The stored secret of a webhook's receiver does not open."""


class CanonicalError(CryptoError):
    """A value or bytes outside canonical JSON as this project restricts it."""


class CommitmentInvalid(CryptoError):
    """The name or value of a field cannot be committed to."""


class TreeBroken(CryptoError):
    """The stored nodes of the log's tree do not fit together. Do not append: restore them first."""


class WitnessRefusal(CryptoError):
    """A witness does not countersign. `status` is what c2sp.org/tlog-witness answers over HTTP.

    `size` is the size of the log that the witness knows, where it answers that (409). `forked`: the log signed two
    trees of one size, which both its checkpoints prove.
    """

    def __init__(self, status: int, detail: str, *, size: int | None = None, forked: bool = False) -> None:
        super().__init__(detail)
        self.status = status
        self.size = size
        self.forked = forked
