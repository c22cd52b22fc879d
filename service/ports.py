"""What the domain needs from outside: the few protocols that the adapters implement.

A port has at most five methods. `BlobStore` stands in `service/blobs.py`, beside its errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from crypto.keys import Keyring
from service.records import Copy, Cut, Document, Link, Nda, RateWindow, Recipient, Share, Template, Version

R = TypeVar("R")


class Taken(Exception):
    """A record with this key, or with a value that must be unique, is there already."""


class DatabaseUnavailable(Exception):
    """The database did not answer or did not commit; nothing may be served that needed it."""


class Held(DatabaseUnavailable):
    """The database is there, but another transaction held what this one needs for longer than is waited."""


class Records(Protocol):
    """The records of one transaction.

    Conditions are keyword arguments: `field=value` (None means absent), or `field__OP=value` with OP one of
    `ne`, `lt`, `le`, `gt`, `ge`, `in`.
    """

    def add(self, *records: object) -> None:
        """Add records, of one or several kinds. Raises `Taken`."""

    def get(self, kind: type[R], key: str | int, /, *, lock: bool = False) -> R | None:
        """The record with this key; with `lock`, nobody else changes it until this transaction ends."""

    def find(
        self, kind: type[R], /, *, order: str = "", limit: int | None = None, lock: bool = False, **where: Any
    ) -> list[R]:
        """Records that meet all conditions, ordered by a field (`-field`: descending), then by key.

        With `lock`, records that another transaction holds are left out (SKIP LOCKED).
        """

    def change(self, record: R, *, expect: Mapping[str, Any] | None = None, **values: Any) -> R | None:
        """Set values of the stored record with this one's key; returns it as it now is.

        Returns None, and changes nothing, when it is gone or no longer meets `expect`.
        """

    def remove(self, kind: type[object], /, **where: Any) -> int:
        """Delete the records that meet all conditions (at least one must be given); returns how many."""


class EntryGuard(Protocol):
    """Whether entries may be added to the log now; `service.rollback` is it."""

    def refresh(self) -> None:
        """Look anew if the last look is old. Called before a write begins, outside of any transaction."""

    def require(self) -> None:
        """Raise `DatabaseUnavailable` unless they may. Looks at nothing."""


@dataclass(frozen=True)
class Attachment:
    """A text file that goes along with a mail, its bytes as they are."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """One mail as it is to be sent, in plain text and in HTML."""

    id: str  # of this attempt: another one has other links, so it must not pass for the same mail
    to: str
    subject: str
    text: str
    html: str
    date: datetime
    attachments: tuple[Attachment, ...] = ()


class MailRefused(Exception):
    """The mail server does not take this mail, whenever it is sent. The message holds nothing of the mail."""


class MailUnavailable(Exception):
    """The mail was not taken now; later it may be. The message holds nothing of the mail."""


class Mailer(Protocol):
    """Where mails go out."""

    def send(self, letter: Letter) -> None:
        """Hand it over to the mail server, within a bounded time. Raises `MailRefused`, `MailUnavailable`.

        A mail whose taking over was not confirmed may have been taken all the same.
        """

    def check(self) -> str:
        """What the server says that it can, up to signing in; nothing is sent. Raises `MailUnavailable`."""


class MasterKeyHolder(Protocol):
    """Where the master keys are kept. All raise an error whose message is one line that says what to do."""

    def exists(self) -> bool:
        """Whether there is a keyring, of whatever content."""

    def keyring(self) -> Keyring:
        """The keys as they are now; cheap to ask often."""

    def create(self, keyring: Keyring) -> None:
        """Keep this keyring, where there is none: one that is there is never replaced by this."""

    def replace(self, keyring: Keyring) -> None:
        """Keep this keyring instead of the one that is there, whole or not at all."""


@dataclass(frozen=True)
class Grant:
    """All that a decision needs, as it was at one moment."""

    share: Share
    recipient: Recipient
    document: Document
    link: (
        Link | None
    )  # the link that was asked with, if one was named and exists: the report's for what goes along
    nda: (
        Nda | None
    )  # one that is in force for this recipient now, if any; one signed on the page: of today's text
    version: Version | None  # the pinned one, or the newest that is ready
    template: Template | None  # of `version`, or of the share's cut of it
    copy: Copy | None  # of this share and `version`
    text_id: str | None = None  # the text of the agreement that is offered on the page, if there is one
    nda_revoked: bool = False  # an agreement of this recipient or their company was revoked
    nda_signed: bool = False  # this recipient has signed on the page before, be it another text
    cut: Cut | None = None  # that the share covers instead of the whole


@dataclass(frozen=True)
class Window:
    """One more in a window of time, of which at most `number` may be."""

    counted: RateWindow
    number: int


class Counters(Protocol):
    """Counts what is limited. Raises `DatabaseUnavailable`."""

    def count(self, windows: Sequence[Window]) -> int | None:
        """Count one in each window, for all processes at once, unless one of them is full: then in none.

        Returns the place of one that is full, if any. A crash of the machine may forget the newest counts. Not
        to be called within a write.
        """


class Database(Protocol):
    """Where records live. All raise `DatabaseUnavailable`; leaving a block by an exception rolls back."""

    def read(self) -> AbstractContextManager[Records]:
        """A transaction that sees one moment and changes nothing; within a write of this thread, that write."""

    def write(self) -> AbstractContextManager[Records]:
        """A transaction that is durable (synced) when its block has ended without an exception.

        A write within a write of the same thread is part of it, and durable when the outer one is.
        """

    def grant(self, share_id: str, link_hash: str | None, now: datetime) -> Grant | None:
        """The state of one share in one query; None when there is no such share."""

    def grants(self, asked: Mapping[str, str | None], now: datetime) -> dict[str, Grant]:
        """`grant` for several shares, each with the hash of its link, in one query; without those that do not exist."""
