"""The header fields that every answer to a recipient carries, errors included."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from flask import Response

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""Own style sheet, own icon, own form; nothing inline, no script, in nobody's frame."""

SECURITY = {
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "no-referrer",  # the address is the secret
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

MAX_FILE_NAME = 80
"""Characters of a suggested file name before its ending: file systems take 255 bytes, and a character up to four."""

_NOT_ASCII_TOKEN = re.compile(r"[^A-Za-z0-9._-]+")
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
"""What some file system refuses in a name."""

_DIRECTED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that are not seen but change how a name reads."""


def protect(response: Response) -> Response:
    """Add the fields that are missing. Nothing is kept by a browser or proxy unless the answer says so itself."""
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def attachment(document_name: str, copy_id: str) -> str:
    """The `Content-Disposition` of a copy: a name in ASCII, and the full one as RFC 6266 has it.

    The last eight characters of the copy's id tell copies of one report apart in a folder.
    """
    clean, plain = _clean(document_name), plain_name(document_name)
    short = copy_id[-8:]
    encoded = quote(f"{clean} ({short}).pdf", safe="")
    return f"attachment; filename=\"{plain}-{short}.pdf\"; filename*=UTF-8''{encoded}"


def plain_name(document_name: str) -> str:
    """The document's name in the letters, digits, dots and hyphens that every address and file system takes."""
    plain = unicodedata.normalize("NFKD", _clean(document_name)).encode("ascii", "ignore").decode("ascii")
    return _NOT_ASCII_TOKEN.sub("-", plain).strip("-.") or "report"


def _clean(document_name: str) -> str:
    seen = "".join(c for c in document_name if unicodedata.category(c) not in _DIRECTED)
    return " ".join(_NOT_IN_NAMES.sub(" ", seen).split())[:MAX_FILE_NAME].strip(" .") or "report"
