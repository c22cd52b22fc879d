"""Signing: checkpoints as signed notes (c2sp.org/tlog-checkpoint), and cosignatures of witnesses over them.

Reading and checking them is in `logcheck`, which an auditor can hold alone.
"""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.lengths import check_key
from crypto.logcheck import LOG_KEY, WITNESS_KEY, NoteKey


def public_key(name: str, secret: bytes, kind: int = LOG_KEY) -> NoteKey:
    """The public key of an Ed25519 secret of 32 bytes. Raises `WrongKeyLength`."""
    return NoteKey(name, kind, _private(secret).public_key().public_bytes_raw())


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The three lines that are signed."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def sign(text: str, name: str, secret: bytes) -> str:
    """The signature line, with its end, of a log's key under this name. Raises `WrongKeyLength`."""
    return _line(public_key(name, secret), _private(secret).sign(text.encode()))


def cosign(text: str, name: str, secret: bytes, time: int) -> str:
    """The signature line of a witness: at `time`, in seconds since 1970, it saw this checkpoint and none that
    contradicts it (c2sp.org/tlog-cosignature). Raises `WrongKeyLength`."""
    signature = _private(secret).sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    return _line(public_key(name, secret, WITNESS_KEY), time.to_bytes(8, "big") + signature)


def note(text: str, *lines: str) -> str:
    """The signed note of a text and its signature lines."""
    return text + "\n" + "".join(lines)


def _line(key: NoteKey, signature: bytes) -> str:
    return f"— {key.name} {base64.b64encode(key.id + signature).decode()}\n"


def _private(secret: bytes) -> Ed25519PrivateKey:
    check_key("the secret of a signing key", secret)
    return Ed25519PrivateKey.from_private_bytes(secret)
