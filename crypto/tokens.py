"""Link tokens: what a link to a share or to a delivery says, and the proof that this service said it.

The token is checked before anything else happens, so a stranger's guesses reach no database.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from crypto import base64url
from crypto.errors import LifeInvalid, TokenExpired, TokenFault, TokenInvalid
from crypto.identifiers import RANDOM_BYTES, new_id, parse_id
from crypto.lengths import check_key

DEFAULT_LIFE = 72 * 3600
"""Seconds: over a weekend."""

MAX_LIFE = 7 * 24 * 3600
"""Seconds. A signing key has to verify for this long after its last use."""

MAX_EXPIRES = 2**53 - 1
"""Seconds since 1970 UTC: what the log's canonical JSON can hold."""

VERSION = "v1."
KEY_PREFIX, SHARE_PREFIX = "key", "shr"

_LABEL = b"sealmark link token v1\x00"
_HASH_LABEL = b"sealmark link id v1\x00"
_EXPIRES_BYTES = 8
_MAC_BYTES = 32
_BODY_BYTES = 3 * RANDOM_BYTES + 1 + _EXPIRES_BYTES

TOKEN_LENGTH = len(VERSION) + -(-(_BODY_BYTES + _MAC_BYTES) * 8 // 6)
"""Characters of every token: 122."""


class Action(StrEnum):
    """What a link is for: to open a share's page, or to fetch one delivery."""

    OPEN = "open"
    DELIVER = "deliver"


_CODES = {Action.OPEN: 1, Action.DELIVER: 2}
_ACTIONS = {code: action for action, code in _CODES.items()}
_LINK_PREFIXES = {Action.OPEN: "lnk", Action.DELIVER: "dlv"}


@dataclass(frozen=True, slots=True)
class LinkToken:
    """What a link says: `link_id` is `lnk_…` to open, `dlv_…` to deliver; `expires` in seconds since 1970."""

    key_id: str
    share_id: str
    link_id: str
    action: Action
    expires: int


def expiry(now: int, life: int = DEFAULT_LIFE) -> int:
    """The second from which a link made now is dead. Raises `LifeInvalid` unless 1 <= life <= `MAX_LIFE`."""
    if not 1 <= life <= MAX_LIFE:
        raise LifeInvalid(f"a link lives 1 to {MAX_LIFE} seconds, not {life}")
    return now + life


def sign(token: LinkToken, key: bytes) -> str:
    """The text of the token, 122 characters that need no escaping in a URL.

    `key` is the one that `token.key_id` names. Raises `WrongKeyLength`, `IdentifierInvalid`, `LifeInvalid`.
    """
    body = _body(token)
    return VERSION + base64url.encode(body + _mac(key, body))


def verify(text: str, keys: Mapping[str, bytes], now: int) -> LinkToken:
    """The token that `sign` made into exactly this text, under one of `keys` (key id → key), still alive.

    Raises `TokenExpired`, only for an authentic one, from the second `expires` on; `TokenInvalid` for all
    that is not authentic; `WrongKeyLength` when the key that it names is none.
    """
    # 1. One shape, one spelling.
    if len(text) != TOKEN_LENGTH:
        raise TokenInvalid(TokenFault.LENGTH)
    if not text.startswith(VERSION):
        raise TokenInvalid(TokenFault.VERSION)
    try:
        data = base64url.decode(text.removeprefix(VERSION))
    except ValueError as error:
        raise TokenInvalid(TokenFault.ENCODING) from error
    token = _parsed(data)
    # 2. Said by this service.
    key = keys.get(token.key_id)
    if key is None:
        raise TokenInvalid(TokenFault.KEY)
    if not hmac.compare_digest(_mac(key, data[:_BODY_BYTES]), data[_BODY_BYTES:]):
        raise TokenInvalid(TokenFault.MAC)
    # 3. Still alive.
    if now >= token.expires:
        raise TokenExpired(token)
    return token


def link_hash(link_id: str) -> str:
    """What the database keeps of a link id, in hex. Its 128 random bits are not found by guessing."""
    return hashlib.sha256(_HASH_LABEL + link_id.encode("utf-8")).hexdigest()


def _body(token: LinkToken) -> bytes:
    if not 0 <= token.expires <= MAX_EXPIRES:
        raise LifeInvalid(
            f"a link expires between 0 and {MAX_EXPIRES} seconds after 1970, not {token.expires}"
        )
    return b"".join(
        (
            parse_id(token.key_id, KEY_PREFIX)[1],
            parse_id(token.share_id, SHARE_PREFIX)[1],
            parse_id(token.link_id, _LINK_PREFIXES[token.action])[1],
            bytes((_CODES[token.action],)),
            token.expires.to_bytes(_EXPIRES_BYTES, "big"),
        )
    )


def _parsed(data: bytes) -> LinkToken:
    key, share, link = (data[at : at + RANDOM_BYTES] for at in range(0, 3 * RANDOM_BYTES, RANDOM_BYTES))
    action = _ACTIONS.get(data[3 * RANDOM_BYTES])
    if action is None:
        raise TokenInvalid(TokenFault.ACTION)
    expires = int.from_bytes(data[3 * RANDOM_BYTES + 1 : _BODY_BYTES], "big")
    if expires > MAX_EXPIRES:
        raise TokenInvalid(TokenFault.EXPIRY)
    return LinkToken(
        key_id=new_id(KEY_PREFIX, key),
        share_id=new_id(SHARE_PREFIX, share),
        link_id=new_id(_LINK_PREFIXES[action], link),
        action=action,
        expires=expires,
    )


def _mac(key: bytes, body: bytes) -> bytes:
    check_key("a link signing key", key)
    return hmac.digest(key, _LABEL + body, "sha256")
