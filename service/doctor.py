"""`sealmark doctor`: looks at each part that the service needs, and says of each what to mend.

It changes nothing that stays: one row of the database is counted up, and one object is put into the store and
deleted again.
"""

from __future__ import annotations

import io
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from reportlab.pdfgen.canvas import Canvas

from crypto import identifiers
from crypto.errors import CryptoError
from service import settings as settings_module
from service.adapters.keyfile import KeyFile, KeyFileUnusable
from service.adapters.sql.migrate import WrongSchema, current_revision, head_revision
from service.app import Sealmark, build
from service.blobs import StoreError
from service.errors import DomainError
from service.keys import PURPOSES
from service.ports import DatabaseUnavailable, MailUnavailable
from service.records import LogState
from service.sequencer import LOG
from service.settings import FolderStore, SettingError, Settings
from watermark.errors import Refused, Unmarkable, WatermarkError
from watermark.fonts import system_fonts
from watermark.sandbox import network_filter_available, run_in_child

OK, WARNING, FAILED = "ok", "warning", "failed"

PROBE = "probe/"
"""Where in the store the object of the check lies while it is there."""

CLOCK_DRIFT = timedelta(seconds=30)
"""How far two clocks may lie apart: an S3 store refuses at fifteen minutes, and entries of the log name times."""

MAX_LAG = 10.0
"""Seconds that an entry waits for its place at most where a worker runs."""

SCRIPTS = {
    "Latin, Greek, Cyrillic": "Ana Αννα Анна",
    "Arabic": "سلمى",
    "Hebrew": "נועה",
    "Devanagari": "अनिता",
    "Thai": "สมชาย",
    "Chinese": "王芳",
    "Japanese": "さくら",
    "Korean": "지은",
}
"""A name in each script that copies are promised for."""

FORESEEN = (
    CryptoError,
    DatabaseUnavailable,
    DomainError,
    KeyFileUnusable,
    MailUnavailable,
    OSError,
    SettingError,
    StoreError,
    WatermarkError,
    WrongSchema,
)


@dataclass(frozen=True)
class Finding:
    """What one check found: `state` is ok, warning or failed; `mend` says what to do, if anything."""

    check: str
    state: str
    detail: str
    mend: str = ""


def examine(environ: Mapping[str, str]) -> list[Finding]:
    """All findings, in the order in which they should be mended. Never raises for what it looks for."""
    findings = [_tried("child process", "Run on Linux, where the child can be confined.", _child)]
    findings += _fonts()
    try:
        settings = settings_module.load(environ)
    except SettingError as error:
        mend = "Set it; `sealmark doctor --list` says what each setting means."
        return [Finding("settings", FAILED, str(error), mend), *findings]
    findings = [_settings(settings), *findings, _key_file(settings)]
    missing = _missing_folder(settings)
    if missing is not None:
        return [*findings, missing]
    try:
        sealmark = build(settings)
    except FORESEEN as error:
        mend = "Mend what it says; then run this again for the rest."
        return [*findings, Finding("store and database", FAILED, str(error), mend)]
    with closing(sealmark):
        return [*findings, *_parts(sealmark)]


def _parts(sealmark: Sealmark) -> Iterator[Finding]:
    yield _tried(
        "store", "See that it runs, and that its user may list, read, write and delete.", _store, sealmark
    )
    schema = _tried("schema", "Run `sealmark migrate`.", _schema, sealmark)
    yield schema
    if schema.state != OK:
        return
    yield _tried("database", "See that it runs, and that its user may write.", _database, sealmark)
    yield _tried("master key", "Restore the key file that belongs to this store.", _master_key, sealmark)
    yield _tried("named keys", "Run `sealmark keys init`.", _named_keys, sealmark)
    yield _tried(
        "log", "Restore a newer backup of the database, or run `sealmark log recover`.", _log, sealmark
    )
    yield _mail(sealmark)
    yield _clock(sealmark)
    yield _worker(sealmark)


def _tried(check: str, mend: str, look: Callable[..., str], *arguments: object) -> Finding:
    """What `look` says, or the failure that it raised."""
    try:
        return Finding(check, OK, look(*arguments))
    except FORESEEN as error:
        return Finding(check, FAILED, str(error), mend)


def _settings(settings: Settings) -> Finding:
    if settings.url.startswith("http:"):
        detail = f"{settings.url}, reachable from this machine only"
        return Finding("settings", WARNING, detail, "For others, set SEALMARK_URL to an https address.")
    return Finding("settings", OK, settings.url)


def _key_file(settings: Settings) -> Finding:
    mend = "Run `sealmark keys init` for a new installation; restore the file for one that holds reports."
    return _tried(
        "key file", mend, lambda: f"{len(KeyFile(settings.key_file).keyring().ids)} keys, mode 0600"
    )


def _missing_folder(settings: Settings) -> Finding | None:
    """A finding when store or database are local and not made yet: looking must not make them."""
    mend = "For a new installation run `sealmark migrate`, then `sealmark keys init`; else mend the setting."
    if isinstance(settings.store, FolderStore) and not settings.store.path.is_dir():
        return Finding("store", FAILED, f"there is no folder {settings.store.path}", mend)
    if settings.database.startswith("sqlite:///"):
        file = Path(settings.database.removeprefix("sqlite:///"))
        if not file.is_file():
            return Finding("database", FAILED, f"there is no file {file}", mend)
    return None


def _store(sealmark: Sealmark) -> str:
    """Put, list, read and delete one object; the store's clock is read from it."""
    key = PROBE + identifiers.new_id("obj", sealmark.random(16))
    content = sealmark.random(64)
    sealmark.store.put(key, [content])
    try:
        if b"".join(sealmark.store.read(key)) != content:
            raise StoreError("the store gave back other bytes than were put")
        [listed] = sealmark.store.list(key)
    finally:
        sealmark.store.delete(key)
    apart = abs(listed.modified - sealmark.clock())
    if apart > CLOCK_DRIFT:
        raise StoreError(f"the store's clock and this machine's lie {apart.total_seconds():.0f} s apart")
    return "writes, reads, lists and deletes; its clock agrees"


def _schema(sealmark: Sealmark) -> str:
    found, expected = current_revision(sealmark.database), head_revision()
    if found != expected:
        raise WrongSchema(found, expected)
    return f"revision {found} on {sealmark.database.dialect}"


def _database(sealmark: Sealmark) -> str:
    sealmark.database.ping_write()
    return "commits durably"


def _master_key(sealmark: Sealmark) -> str:
    sealmark.master_keys.require_known()
    return "the store knows it"


def _named_keys(sealmark: Sealmark) -> str:
    for purpose in PURPOSES:
        sealmark.keys.signing(purpose)
    return f"{', '.join(PURPOSES)}: there, and they open"


def _log(sealmark: Sealmark) -> str:
    sealmark.rollback.require_now()
    newest = sealmark.checkpoints.published()
    return "the database has all that was signed" + (f", {newest.size} entries" if newest else "")


def _mail(sealmark: Sealmark) -> Finding:
    """Speak with the mail server up to signing in; no mail is sent."""
    if not sealmark.mailing.configured:
        detail = "none can be sent: no link, no code, so no share with a mail check"
        return Finding("mail", WARNING, detail, "Set SEALMARK_SMTP and SEALMARK_MAIL_FROM (docs/mail.md).")
    mend = "See that the server runs and lets this machine in; mend SEALMARK_SMTP and its neighbours."
    return _tried("mail", mend, sealmark.mailing.check)


def _clock(sealmark: Sealmark) -> Finding:
    with sealmark.database.read() as records:
        state = records.get(LogState, LOG)
    now = sealmark.clock()
    if state is not None and state.sequenced > now:
        detail = f"the log has an entry of {state.sequenced:%Y-%m-%dT%H:%M:%SZ}, which is still to come"
        return Finding("clock", FAILED, detail, "Set this machine's clock (NTP); links expire by it.")
    return Finding("clock", OK, f"{now:%Y-%m-%dT%H:%M:%SZ}, after the log's last entry")


def _worker(sealmark: Sealmark) -> Finding:
    lag = sealmark.sequencer.lag()
    if lag > MAX_LAG:
        return Finding("worker", WARNING, f"entries have waited {lag:.0f} s", "Start `sealmark worker`.")
    return Finding("worker", OK, "no entry waits for long")


def _child() -> str:
    """Compile a page in a child, confined as uploads are."""
    filtered = network_filter_available()
    try:
        run_in_child(
            "compile",
            [_page()],
            {"seed": bytes(32).hex(), "max_bytes": 1_000_000, "max_pages": 10},
            unsafe_without_network_filter=platform.system() != "Linux",
        )
    except Refused as error:
        raise WatermarkError(f"a sound page is refused: {error}") from error
    if not filtered:
        raise WatermarkError("compiles, but without a system call filter: an upload could reach the network")
    return "compiles, without a network"


def _page() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    canvas.drawString(72, 720, "sealmark doctor")
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _fonts() -> list[Finding]:
    found = []
    for script, text in SCRIPTS.items():
        try:
            system_fonts().check("name", text)
        except Unmarkable as error:
            mend = "Install fonts-noto-core and fonts-noto-cjk, or refuse people whose names need it."
            found.append(Finding(f"font {script}", WARNING, str(error), mend))
    if found:
        return found
    return [Finding("fonts", OK, f"for names in {', '.join(SCRIPTS)}")]
