"""A whole Sealmark for tests: SQLite and a folder in a temporary place, a key of its own, a clock that is set."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from service.access import Scope
from service.adapters.sql.migrate import migrate
from service.app import Sealmark, build, open_mailing
from service.audit import Actor
from service.compiling import Compiled, Compiling
from service.log import flat
from service.mailing import Mailing
from service.ports import Letter, Mailer
from service.records import LoggedEntry
from service.settings import load, read_secret
from tests.migrated import migrated_sqlite
from watermark.errors import RefusalReason, Refused

URL = "https://reports.lender.example"
MAIL = {
    "SEALMARK_SMTP": "smtp://127.0.0.1:1?tls=no",  # nobody listens there
    "SEALMARK_MAIL_FROM": "reports@lender.example",
}
"""Mail is configured, as what lends with a mail check needs it. Where mails are read, a mailer stands in its place."""

START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
OPERATOR = Actor("cli", name="tester")

FAKE_PAGES = 40
"""Pages that the fake compiler finds in every file."""

REFUSED_BY_FAKE = b"%PDF-1.7 fake: needs a password"
"""A file that the fake compiler refuses."""


class SettableClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **how_much: float) -> None:
        """Go on by `timedelta(**how_much)`."""
        self.now += timedelta(**how_much)


FAKE_WOVEN = 6
"""Words that the fake compiler says it wove on every page but the first, which has no text."""

SIGNED_BY_FAKE = b"%PDF-1.7 fake: signed"
"""A file in which the fake compiler finds two signatures and a script."""


def fake_compile_in_child(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
    """Not a compiler: it reads the file and says that it has `FAKE_PAGES` pages, or refuses one special file.

    For tests whose subject is not the mark. A copy cannot be minted from its template.
    """
    content = b"".join(source)
    if content == REFUSED_BY_FAKE:
        raise Refused(RefusalReason.NEEDS_PASSWORD)
    count = len(parameters["pages"]) if "pages" in parameters else FAKE_PAGES
    pages = [{"words": 0, "woven": 0}, *[{"words": 9, "woven": FAKE_WOVEN}] * (count - 1)]
    facts = {
        "pages": count,
        "format": 1,
        "fake": True,
        "seed": len(parameters["seed"]),
        "weave": {"pages": pages},
        "removed": {"javascript": 1, "signatures": 2} if content == SIGNED_BY_FAKE else {},
    }
    return Compiled(facts, b"a fake template of a file with %d bytes" % len(content))


@dataclass
class Postbox:
    """A mailer that keeps what it is handed; `failure`, if set, is raised instead."""

    letters: list[Letter] = field(default_factory=list)
    failure: Exception | None = None

    def send(self, letter: Letter) -> None:
        if self.failure is not None:
            raise self.failure
        self.letters.append(letter)

    def check(self) -> str:
        return "keeps what it is handed"


@dataclass
class Service:
    """A Sealmark and what a test does around it."""

    sealmark: Sealmark
    clock: SettableClock
    postbox: Postbox = field(default_factory=Postbox)

    def mails(self) -> list[Letter]:
        """Send what waits and is due in the outbox; what was sent since this was last asked."""
        while self.sealmark.mailing.run_once():
            pass
        sent, self.postbox.letters = self.postbox.letters, []
        return sent

    def api_key(self, *scopes: Scope) -> str:
        """The text of a new API key with these scopes (none given: with all)."""
        chosen = scopes or tuple(Scope)
        return self.sealmark.api_keys.create(OPERATOR, "test", chosen, self.clock() + timedelta(days=90))[1]

    def work(self) -> None:
        """Do all that a worker would do now: compile what waits, and give every entry its place."""
        while self.sealmark.compiling.run_once():
            pass
        while self.sealmark.sequencer.run_once():
            pass

    def entries(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The log as flat rows, in order, after sequencing; only of one kind if it is named."""
        while self.sealmark.sequencer.run_once():
            pass
        where = {} if kind is None else {"kind": kind}
        with self.sealmark.database.read() as records:
            found = records.find(LoggedEntry, order="index", **where)
        return [dict(flat(logged)) for logged in found]


@contextmanager
def service_in(
    folder: Path,
    *,
    environ: Mapping[str, str] | None = None,
    compile_in_child: Callable[[Iterator[bytes], dict[str, Any]], Compiled] | None = fake_compile_in_child,
    clock: SettableClock | None = None,
) -> Iterator[Service]:
    """A migrated service with its keys in `folder`; `environ` overrides settings.

    With `compile_in_child=None` the real compiler is used, in its child process.
    """
    clock = clock or SettableClock()
    given = {
        "SEALMARK_URL": URL,
        "SEALMARK_DATA": str(folder / "data"),
        "SEALMARK_KEY": f"file:{folder / 'keys' / 'master.key'}",
        "SEALMARK_ORGANIZATION": "Lender Example Ltd",
        **MAIL,
        **(environ or {}),
    }
    settings = load(given)
    file = Path(settings.database.removeprefix("sqlite:///"))
    if settings.database.startswith("sqlite:///") and not file.exists():
        migrated_sqlite(file)
    else:
        secret = settings.database_password_file
        migrate(settings.database, read_secret(secret, "DATABASE_PASSWORD_FILE") if secret else None)
    sealmark = build(settings, clock=clock, random=os.urandom)
    sealmark.master_keys.init(OPERATOR)
    if compile_in_child is not None:
        compiling = Compiling(
            sealmark.database,
            sealmark.objects,
            sealmark.keys,
            compile_in_child,
            sealmark.clock,
            sealmark.random,
        )
        sealmark = replace(sealmark, compiling=compiling)
    postbox = Postbox()
    if settings.can_mail:
        sealmark = replace(sealmark, mailing=mailing_by(postbox, sealmark))
    try:
        yield Service(sealmark, clock, postbox)
    finally:
        sealmark.close()


def mailing_by(mailer: Mailer, sealmark: Sealmark) -> Mailing:
    """The service's mailing by another mailer."""
    return open_mailing(
        sealmark.settings,
        sealmark.database,
        sealmark.sharing,
        sealmark.mail_checks.issue,
        sealmark.clock,
        sealmark.random,
        mailer,
    )
