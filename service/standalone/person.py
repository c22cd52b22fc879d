"""For whom a copy is: what the user wrote, checked as the service checks it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from service.copies import check_markable
from service.errors import invalid
from service.mail import parse_address
from service.recipients import printable

_NAMED = re.compile(r'\s*(?:"([^"]*)"|([^<>"]*))\s*<([^<>]*)>\s*')


@dataclass(frozen=True)
class Person:
    """Name, mail and company (may be empty) as they stand on the mark."""

    name: str
    mail: str
    company: str


def read_person(text: str, company: str, today: date) -> Person:
    """The person of `Name <mail>`. Raises `DomainError` (invalid, unmarkable-name) for what no mark can say."""
    found = _NAMED.fullmatch(text)
    if not found:
        raise invalid("--for", 'Write the name and the mail address: --for "Ana Lima <ana@acme.example>".')
    name = printable(found[1] if found[1] is not None else found[2], "--for")
    mail = parse_address(found[3].strip(), "--for").mail
    company = printable(company, "--company") if company else ""
    check_markable(name, mail, company, today)
    return Person(name, mail, company)
