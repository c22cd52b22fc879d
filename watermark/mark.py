"""What the visible mark says, and whether it can be printed."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from watermark.errors import Unmarkable
from watermark.fonts import Fonts, system_fonts

# A footer has room for this and stays legible; the longest personal name on record is shorter.
MAX_NAME_CODE_POINTS = 200
# RFC 5321, 4.5.3.1.3: a path of 256 octets with its angle brackets. Code points, for internationalised mails.
MAX_MAIL_CODE_POINTS = 254

LABEL = "Prepared for"
PUBLIC = "Public"
COPY_ID = re.compile(r"cpy_[0-9a-hjkmnp-tv-z]{26}")
VERSION_ID = re.compile(r"ver_[0-9a-hjkmnp-tv-z]{26}")
COPY_ID_LENGTH = 30

# Joiners shape Persian and Indic names; every other format character can hide or reorder text.
_ALLOWED_FORMAT_CHARACTERS = "\u200c\u200d"


class Printed(Protocol):
    """What a fill prints on each page; `copy_id`, of `COPY_ID_LENGTH` characters, is woven in, too."""

    @property
    def issued(self) -> date: ...

    @property
    def copy_id(self) -> str: ...

    def fields(self) -> tuple[tuple[str, str], ...]:
        """The parts of the footer in their order, each with the field it shows."""

    def check(self, fonts: Fonts) -> None:
        """Raise `Unmarkable` unless every field is text that the mark can carry and these fonts can draw it all."""


@dataclass(frozen=True)
class Mark:
    """Who a copy is for. `company` may be empty; `issued` is a UTC date; `copy_id` is `cpy_` and 26 base32 letters."""

    name: str
    mail: str
    company: str
    issued: date
    copy_id: str

    def fields(self) -> tuple[tuple[str, str], ...]:
        """The parts of the footer in their order, each with the field it shows."""
        parts = (
            ("label", LABEL),
            ("name", self.name),
            ("mail", f"<{self.mail}>"),
            ("company", self.company),
            ("issued", self.issued.isoformat()),
            ("copy_id", self.copy_id),
        )
        return tuple((field, text) for field, text in parts if text)

    def check(self, fonts: Fonts) -> None:
        """See `Printed.check`."""
        _check_text("name", self.name, MAX_NAME_CODE_POINTS, may_be_empty=False)
        _check_text("mail", self.mail, MAX_MAIL_CODE_POINTS, may_be_empty=False)
        _check_text("company", self.company, MAX_NAME_CODE_POINTS, may_be_empty=True)
        _check_id(self.copy_id, COPY_ID, "A copy id is cpy_ and 26 base32 characters.")
        for field, text in self.fields():
            fonts.check(field, text)


@dataclass(frozen=True)
class PublicMark:
    """That a file is for everybody, whose it is and since when. Its id is the version's own: it names nobody."""

    organization: str
    issued: date
    version_id: str

    @property
    def copy_id(self) -> str:
        """What is woven in; as long as a copy's id."""
        return self.version_id

    def fields(self) -> tuple[tuple[str, str], ...]:
        """The parts of the footer in their order, each with the field it shows."""
        return (
            ("public", PUBLIC),
            ("organization", self.organization),
            ("issued", self.issued.isoformat()),
            ("copy_id", self.version_id),
        )

    def check(self, fonts: Fonts) -> None:
        """See `Printed.check`."""
        _check_text("organization", self.organization, MAX_NAME_CODE_POINTS, may_be_empty=False)
        _check_id(self.version_id, VERSION_ID, "A version id is ver_ and 26 base32 characters.")
        for field, text in self.fields():
            fonts.check(field, text)


def check_mark(mark: Printed, fonts: Fonts | None = None) -> None:
    """Raises `Unmarkable` unless every field is text that the mark can carry and the fonts here can draw it all."""
    mark.check(fonts or system_fonts())


def _check_id(text: str, form: re.Pattern[str], detail: str) -> None:
    if not form.fullmatch(text):
        raise Unmarkable("copy_id", "not-an-identifier", detail)


def _check_text(field: str, text: str, longest: int, *, may_be_empty: bool) -> None:
    if not text.strip():
        if may_be_empty and not text:
            return
        raise Unmarkable(field, "empty", f"The {field} is empty. Give the text that stands on the mark.")
    if len(text) > longest:
        raise Unmarkable(field, "too-long", f"The {field} is longer than {longest} code points. Shorten it.")
    if not unicodedata.is_normalized("NFC", text):
        raise Unmarkable(
            field, "not-nfc", f"The {field} is not in Unicode form NFC. Normalise it before sending."
        )
    for character in text:
        category = unicodedata.category(character)
        if category in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} or (
            category == "Cf" and character not in _ALLOWED_FORMAT_CHARACTERS
        ):
            raise Unmarkable(
                field,
                "forbidden-character",
                f"The {field} holds U+{ord(character):04X}, a control, direction or unassigned character. Remove it.",
            )
