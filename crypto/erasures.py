"""What the store keeps of an erasing, so that a restored database can be told: who, by which entry, and our MAC."""

from __future__ import annotations

import hmac

from crypto import canonical
from crypto.errors import CanonicalError, ErasureInvalid
from crypto.lengths import check_key

MAX_BYTES = 1024
"""Of one such object; ours have about 180."""

_LABEL = b"sealmark erasure v1\x00"


def encode(service_key: bytes, recipient_id: str, entry_id: str) -> bytes:
    """The bytes for the store. Raises `WrongKeyLength`."""
    mac = _mac(service_key, recipient_id, entry_id)
    return canonical.encode({"entry": entry_id, "mac": mac, "recipient": recipient_id})


def decode(service_key: bytes, data: bytes) -> tuple[str, str]:
    """Recipient and entry. Raises `ErasureInvalid` for what was not written under this key, `WrongKeyLength`."""
    broken = ErasureInvalid("this list of erased people has a line that is not ours: nobody is erased by it")
    try:
        read = canonical.decode(data)
    except CanonicalError as error:
        raise broken from error
    match read:
        case {"entry": str(entry), "mac": str(mac), "recipient": str(recipient), **rest} if not rest:
            if hmac.compare_digest(mac.encode(), _mac(service_key, recipient, entry).encode()):
                return recipient, entry
    raise broken


def _mac(service_key: bytes, recipient_id: str, entry_id: str) -> str:
    check_key("the service key", service_key)
    message = _LABEL + recipient_id.encode() + b"\x00" + entry_id.encode()
    return hmac.digest(service_key, message, "sha256").hex()
