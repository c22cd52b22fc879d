"""API keys: an id that may be seen, and a secret that is shown once and stored as a hash only."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

from crypto import base64url
from crypto.errors import ApiKeyInvalid, IdentifierInvalid
from crypto.identifiers import LETTERS, RANDOM_BYTES, new_id, parse_id
from crypto.lengths import check_length

PREFIX = "smk"

SECRET = 32
"""Random bytes of the secret. With 256 bits there is nothing to guess, so one SHA-256 keeps it as well as a
slow hash would, and every call pays for the check."""

ID_LENGTH = len(PREFIX) + 1 + LETTERS

_LABEL = b"sealmark api key v1\x00"
_SHAPE = re.compile(rf"[a-z0-9_]{{{ID_LENGTH}}}_[A-Za-z0-9_-]{{43}}")


def new_api_key(random: Callable[[int], bytes]) -> str:
    """A new API key as its caller keeps it: secret. Raises `WrongLength` if `random` gives other lengths."""
    key_id = new_id(PREFIX, random(RANDOM_BYTES))
    secret = random(SECRET)
    check_length("the secret of an API key", secret, SECRET)
    return f"{key_id}_{base64url.encode(secret)}"


def api_key_id(text: str) -> str:
    """The id `smk_…` that an API key begins with: no secret, and no proof. Raises `ApiKeyInvalid`."""
    key_id = text[:ID_LENGTH]
    try:
        parse_id(key_id, PREFIX)
        base64url.decode(text[ID_LENGTH + 1 :])
    except (IdentifierInvalid, ValueError) as error:
        raise ApiKeyInvalid from error
    if _SHAPE.fullmatch(text) is None:
        raise ApiKeyInvalid
    return key_id


def hash_secret(text: str) -> str:
    """What the database keeps of a whole API key, in hex. Raises `ApiKeyInvalid`."""
    api_key_id(text)
    return hashlib.sha256(_LABEL + text.encode("ascii")).hexdigest()


def matches(text: str, secret_hash: str) -> bool:
    """Whether `secret_hash` is the one of this API key, in constant time. Raises `ApiKeyInvalid`."""
    return hmac.compare_digest(hash_secret(text).encode(), secret_hash.encode("utf-8", "replace"))
