"""What tests know of a running S3 server, whichever it is."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.error import HTTPError, URLError
from urllib.request import urlopen


@dataclass(frozen=True)
class S3Server:
    """A running server. `endpoint` is host:port, without TLS."""

    name: str
    endpoint: str
    region: str
    access_key: str
    secret_key: str

    def fresh_bucket(self) -> str:
        """A name for a bucket that no other test uses; it is not made yet."""
        return f"test-{secrets.token_hex(8)}"


def answers(endpoint: str) -> bool:
    """Whether something speaks HTTP there, be it to say no."""
    try:
        with urlopen(f"http://{endpoint}/", timeout=2):
            return True
    except HTTPError as exc:
        return exc.code < 500
    except (URLError, OSError):
        return False
