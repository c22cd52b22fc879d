"""Mail addresses: one address is one recipient.

The local part is case-folded and written without quotes and backslashes where it can be, since `"ana"` and `ana` are
one mailbox (RFC 5321 4.1.2); the domain is mapped by UTS 46 to its ASCII form. Nothing else is folded: what a dot or a
plus means is the receiving server's business.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import idna

from service.errors import DomainError, invalid

MAX_LOCAL = 64
"""Octets of a local part, RFC 5321 4.5.3.1.1."""

MAX_ADDRESS = 254
"""Octets of an address that fits a mail path, RFC 5321 4.5.3.1.3."""

_ATOM = r"[^\s\x00-\x1f\x7f\"(),:;<>@\[\\\].]+"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED_STRING = re.compile(r'"((?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])+)"')


@dataclass(frozen=True)
class Address:
    """A mail address in the one form that is stored and compared."""

    mail: str
    domain: str


def parse_address(text: str, where: str = "mail") -> Address:
    """The address in its one form. Raises `DomainError` (invalid) that says what is wrong with it."""
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise invalid(where, "A mail address looks like ana@acme.example.")
    quoted = _QUOTED_STRING.fullmatch(local)
    plain = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else local
    folded = unicodedata.normalize("NFC", plain).casefold()
    fits = _DOT_STRING.fullmatch(folded)
    if not (quoted or fits) or any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in folded):
        raise invalid(where, "The part before the @ is not one that a mail address can have.")
    if not fits:  # what can be said only in quotes keeps them, and no backslash that it can do without
        folded = '"' + re.sub(r'(["\\])', r"\\\1", folded) + '"'
    ascii_domain = parse_domain(domain, where)
    mail = f"{folded}@{ascii_domain}"
    if len(folded.encode()) > MAX_LOCAL or len(mail.encode()) > MAX_ADDRESS:
        detail = f"A mail address has at most {MAX_LOCAL} octets before the @ and {MAX_ADDRESS} in all."
        raise invalid(where, detail)
    return Address(mail, ascii_domain)


def parse_domain(text: str, where: str = "domain") -> str:
    """The domain in its ASCII (A-label) form, lower case. Raises `DomainError` (invalid)."""
    try:
        domain = _ascii(text)
    except (idna.IDNAError, UnicodeError) as error:
        raise _no_domain(where, text) from error
    if "." not in domain or domain.endswith("."):
        raise _no_domain(where, text)
    return domain


@lru_cache(maxsize=1024)  # of a list of people many have the same
def _ascii(text: str) -> str:
    return idna.encode(text, uts46=True).decode("ascii").lower()


def _no_domain(where: str, text: str) -> DomainError:
    return invalid(where, f"{text[:80]!r} is not a mail domain: it looks like acme.example.")
