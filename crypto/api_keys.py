"""API keys: an id that may be seen, and a secret that is shown once and stored as a hash only."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from crypto import base64url
from crypto.errors import ApiKeyInvalid, IdentifierInvalid
from crypto.identifiers import LETTERS, RANDOM_BYTES, new_id, parse_id
from crypto.lengths import check_length

PREFIX = "smk"

SECRET_SIZE = 32
"""Random bytes of the secret. With 256 bits there is nothing to guess, so one SHA-256 keeps it as well as a
slow hash would, and every call pays for the check."""

ID_LENGTH = len(PREFIX) + 1 + LETTERS
"""Characters of the id that a key begins with: 30."""

_LABEL = b"sealmark api key v1\x00"


def new_api_key(random: Callable[[int], bytes]) -> str:
    """A new API key as its caller keeps it: secret. Raises `WrongLength` if `random` gives other lengths."""
    key_id = new_id(PREFIX, random(RANDOM_BYTES))
    secret = random(SECRET_SIZE)
    check_length("the secret of an API key", secret, SECRET_SIZE)
    return f"{key_id}_{base64url.encode(secret)}"


def api_key_id(text: str) -> str:
    """The id `smk_…` that an API key begins with: no secret, and no proof.

    Raises `ApiKeyInvalid` unless `text` is the one spelling of some API key.
    """
    key_id, separator, secret = text[:ID_LENGTH], text[ID_LENGTH : ID_LENGTH + 1], text[ID_LENGTH + 1 :]
    try:
        parse_id(key_id, PREFIX)
        whole = separator == "_" and len(base64url.decode(secret)) == SECRET_SIZE
    except (IdentifierInvalid, ValueError) as error:
        raise ApiKeyInvalid from error
    if not whole:
        raise ApiKeyInvalid
    return key_id


def hash_secret(text: str) -> str:
    """What the database keeps of a whole API key, in hex. Raises `ApiKeyInvalid`."""
    api_key_id(text)
    return hashlib.sha256(_LABEL + text.encode("ascii")).hexdigest()


def matches(text: str, secret_hash: str) -> bool:
    """Whether `secret_hash` is the one of this API key, in constant time. Raises `ApiKeyInvalid`."""
    return hmac.compare_digest(hash_secret(text).encode(), secret_hash.encode())
