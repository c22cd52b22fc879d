"""Foreseen errors as one line and an exit status."""

from __future__ import annotations

from service.adapters.keyfile import KeyFileUnusable
from service.blobs import StoreError
from service.errors import DomainError, Problem
from service.ports import DatabaseUnavailable
from service.settings import SettingError

REFUSED, USAGE, UNAVAILABLE = 1, 2, 3

_PASSING = frozenset({Problem.BUSY, Problem.IDEMPOTENCY_RUNNING, Problem.INTERNAL, Problem.UNAVAILABLE})
"""Problems that are not the caller's: the same command may work later."""


class Unavailable(Exception):
    """Something that the command needs is not there; the message is one line that says what to do."""


class RefusedHere(Exception):
    """What was asked is refused by the command line itself; the message is one line that says what to do."""


def explain(error: Exception) -> tuple[str, int] | None:
    """The line to print and the exit status; None for an error that nobody foresaw."""
    # Heavy rooms are imported only when something has failed.
    from crypto.errors import CryptoError, KeyInUse, UnknownMasterKey
    from sealmark.errors import ProblemError, SealmarkError
    from service.adapters.sql.migrate import WrongSchema
    from service.demo.servers import DemoUnavailable
    from service.listening import CannotListen
    from service.standalone.errors import FileRefused, FileUnusable
    from watermark.errors import Refused, SandboxUnavailable

    if isinstance(error, DomainError):
        where = error.fields.get("where")
        line = f"{where}: {error.detail}" if where else error.detail
        return line, UNAVAILABLE if error.problem in _PASSING else REFUSED
    if isinstance(error, ProblemError):
        return str(error), UNAVAILABLE if error.type in _PASSING else REFUSED
    if isinstance(error, SettingError):
        return str(error), USAGE
    if isinstance(error, (FileRefused, KeyInUse, UnknownMasterKey, Refused, RefusedHere)):
        return str(error), REFUSED
    unavailable = (
        CannotListen,
        CryptoError,
        DatabaseUnavailable,
        DemoUnavailable,
        FileUnusable,
        KeyFileUnusable,
        SandboxUnavailable,
        SealmarkError,
        StoreError,
        Unavailable,
        WrongSchema,
    )
    if isinstance(error, unavailable):
        return str(error), UNAVAILABLE
    return None
