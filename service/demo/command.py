"""`sealmark demo`: a whole service with a sample report, on this machine alone, until Ctrl-C.

What it makes stays below one folder and is used again: `demo` holds the data, `demo-key` what must lie apart from it.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service import settings
from service.access import Scope
from service.adapters.sql.migrate import migrate
from service.app import Sealmark, build
from service.audit import Actor
from service.cli.output import answer, plain
from service.cli.session import system_user
from service.demo import servers
from service.demo.inbox import inbox
from service.demo.report_identity import CONTACT_MAIL, OVERVIEW, TITLE
from service.demo.servers import DemoUnavailable
from service.errors import DomainError
from service.facts import Facts
from service.records import Classification, Document, Kind, Listing, NdaState, Version, VersionState
from service.sharing import NewLink

if TYPE_CHECKING:
    from service.demo.facts import Sample

PREFERRED_PORT = 8080
PORTS_TRIED = 100

COMPILE_SECONDS = 150.0
"""The sample compiles in seconds; a machine that needs longer would miss the three minutes anyway."""

KEY_LIFE = timedelta(days=90)

MAIL, NAME, COMPANY = "ana.silva@northmere.example", "Ana Silva", "Northmere Bank"
PURPOSE = "Vendor security review"
API_KEY_NAME = "demo: reads the log"


@dataclass(frozen=True)
class Places:
    """Where the demo keeps what it makes."""

    data: Path
    keys: Path

    @property
    def environment(self) -> Path:
        """The settings of the running demo, for a shell; paths only, no secret."""
        return self.data / "environment"

    @property
    def header(self) -> Path:
        """The API key as a header that curl reads."""
        return self.keys / "log-reader.header"


@dataclass(frozen=True)
class Ready:
    """What the demo ends with."""

    url: str
    link: str
    log_command: str
    cli_command: str
    document: str
    recipient: str


def run_demo(store: str, database: str, folder: Path, *, exit_after_ready: bool, as_json: bool) -> None:
    """Run until Ctrl-C or SIGTERM; afterwards nothing of it runs. Raises `DemoUnavailable`."""
    with _interruptible(), ExitStack() as stack:
        parts = "".join(f"-{part}" for part in (store, database) if part not in {"folder", "sqlite"})
        places = _make_places(folder.absolute(), f"demo{parts}")
        _say(f"Data in {_short(places.data)}, keys apart from it in {_short(places.keys)}")
        environment = _start_parts(stack, places, store, database)
        chosen = settings.load(environment)
        _prepare(chosen, environment, places)
        _say(f"Starting the service with its worker at {chosen.url}")
        service = _start_service(stack, chosen, environment, places)
        with closing(build(chosen)) as sealmark:
            ready = _load(sealmark, places)
        _show(ready, as_json)
        if not exit_after_ready:
            _watch(service, places)


def _start_parts(stack: ExitStack, places: Places, store: str, database: str) -> dict[str, str]:
    """Start the real parts that were asked for; returns the settings of the whole."""
    port = _port()
    chosen = {
        "SEALMARK_URL": f"http://127.0.0.1:{port}",
        "SEALMARK_LISTEN": f"127.0.0.1:{port}",
        "SEALMARK_DATA": str(places.data),
        "SEALMARK_KEY": f"file:{places.keys / 'master.key'}",
        "SEALMARK_PROCESSES": "1",
        "SEALMARK_ORGANIZATION": "Quernhollow Data (sample)",
        "SEALMARK_CONTACT": CONTACT_MAIL,
        "SEALMARK_SMTP": f"smtp://127.0.0.1:{stack.enter_context(inbox(_show_mail))}?tls=no",
        "SEALMARK_MAIL_FROM": CONTACT_MAIL,
    }
    if store == "minio":
        _say("Starting MinIO")
        minio = stack.enter_context(servers.minio(places.data / "minio", places.keys))
        chosen["SEALMARK_STORE"] = minio.store
        chosen["SEALMARK_STORE_ACCESS_KEY_FILE"] = str(minio.access_key_file)
        chosen["SEALMARK_STORE_SECRET_KEY_FILE"] = str(minio.secret_key_file)
        chosen["SEALMARK_STORE_CREATE"] = "yes"
    if database == "postgresql":
        _say("Starting PostgreSQL")
        postgresql = stack.enter_context(servers.postgresql(places.data / "postgresql", places.keys))
        chosen["SEALMARK_DATABASE"] = postgresql.url
        chosen["SEALMARK_DATABASE_PASSWORD_FILE"] = str(postgresql.password_file)
    return chosen


def _prepare(chosen: settings.Settings, environment: Mapping[str, str], places: Places) -> None:
    """Schema and keys."""
    _say("Bringing the database to its schema")
    password = None
    if chosen.database_password_file:
        password = settings.read_secret(chosen.database_password_file, "DATABASE_PASSWORD_FILE")
    migrate(chosen.database, password)
    with closing(build(chosen)) as sealmark:
        if not sealmark.keyfile.exists():
            _say(f"Making a master key in {_short(chosen.key_file)}")
        sealmark.master_keys.init(system_user())
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()]
    places.environment.write_text("".join(lines))


def _start_service(
    stack: ExitStack, chosen: settings.Settings, environment: Mapping[str, str], places: Places
) -> subprocess.Popen[bytes]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(settings.PREFIX)}
    command = [sys.executable, "-m", "service", "serve", "--with-worker"]
    log = places.data / "service.log"
    return stack.enter_context(
        servers.running(
            "the service",
            command,
            {**inherited, **environment},
            log,
            lambda: servers.answers(f"{chosen.url}/readyz"),
        )
    )


def _load(sealmark: Sealmark, places: Places) -> Ready:
    """The sample report, its recipient under NDA, a share with a new link, and a key that reads the log."""
    actor = system_user()
    document = _document(sealmark, actor, TITLE, Kind.SOC2_TYPE2, Classification.NDA)
    _file(sealmark, actor, document, "report", _sample)
    overview = _document(sealmark, actor, OVERVIEW, Kind.OVERVIEW, Classification.PUBLIC)
    _file(sealmark, actor, overview, "overview", _overview)
    _agreement(sealmark, actor)
    _say(f"Sharing it with {NAME}")
    link = _link(sealmark, actor, document)
    _api_key(sealmark, actor, places)
    url = sealmark.settings.url
    header = shlex.quote(_short(places.header))
    curl = f"curl -sS -H @{header} -H 'Accept: application/x-ndjson' {url}/v1/log/entries"
    program = Path(sys.executable).with_name("sealmark")
    cli = (
        f"(. {shlex.quote(_short(places.environment, dotted=True))}; {shlex.quote(_short(program))} log list)"
    )
    return Ready(url, link.url, curl, cli, document.id, MAIL)


def _document(
    sealmark: Sealmark, actor: Actor, name: str, kind: Kind, classification: Classification
) -> Document:
    """The document of this name, which the trust page tells of: from before, or new."""
    document = _known(sealmark, name) or sealmark.documents.create(
        actor, name=name, kind=kind, classification=classification, owner_mail=CONTACT_MAIL
    )
    return sealmark.documents.change(actor, document.id, listing=Listing.FACTS)


def _known(sealmark: Sealmark, name: str) -> Document | None:
    after = None
    while found := sealmark.documents.list(after=after):
        for document in found:
            if document.name == name and document.revoked_at is None:
                return document
        after = found[-1].id
    return None


def _sample() -> Sample:
    from service.demo.facts import make_sample

    return make_sample()


def _overview() -> Sample:
    from service.demo.overview import make_overview

    return make_overview()


def _file(
    sealmark: Sealmark, actor: Actor, document: Document, what: str, make: Callable[[], Sample]
) -> None:
    """A version that is ready: one from before, one that is being compiled, or a new one."""
    found = sealmark.documents.versions(document.id)
    if any(version.state == VersionState.READY for version in found):
        _say(f"The sample {what} is there")
        return
    version: Version | None = next((v for v in found if v.state == VersionState.COMPILING), None)
    if version is None:
        _say(f"Making the sample {what}")
        sample = make()
        version = sealmark.documents.add_version(actor, document.id, Facts.model_validate(sample.facts))
        version = sealmark.documents.upload(actor, document.id, version.id, [sample.pdf])
    _say("Compiling it (the worker does, in a child process)")
    end = time.monotonic() + COMPILE_SECONDS
    while version.state == VersionState.COMPILING:
        if time.monotonic() > end:
            raise DemoUnavailable(
                f"the sample {what} is not compiled in time: see service.log in the data folder"
            )
        time.sleep(0.1)
        version = sealmark.documents.version(document.id, version.id)
    if version.state != VersionState.READY:
        raise DemoUnavailable(f"the sample {what} is refused ({version.reason}): {version.message}")


def _agreement(sealmark: Sealmark, actor: Actor) -> None:
    known = sealmark.recipients.list(mail=MAIL)
    approved = sealmark.ndas.list(recipient=known[0].id, state=NdaState.APPROVED) if known else []
    if any(nda.valid_until is None or nda.valid_until > sealmark.clock() for nda in approved):
        return
    _say(f"Approving an NDA for {NAME} of {COMPANY}")
    nda = sealmark.ndas.add(actor, mail=MAIL, name=NAME, company=COMPANY, source="demo", reference="DEMO-1")
    sealmark.ndas.approve(actor, nda.id)


def _link(sealmark: Sealmark, actor: Actor, document: Document) -> NewLink:
    known = sealmark.recipients.list(mail=MAIL)
    shares = sealmark.sharing.list(document=document.id, recipient=known[0].id, active=True) if known else []
    if shares:
        return sealmark.sharing.link(actor, shares[0].id)
    share, _, link = sealmark.sharing.create(
        actor, document_id=document.id, mail=MAIL, name=NAME, company=COMPANY, purpose=PURPOSE
    )
    return link if isinstance(link, NewLink) else sealmark.sharing.link(actor, share.id)


def _api_key(sealmark: Sealmark, actor: Actor, places: Places) -> None:
    """A key that reads the log, in a file for curl; the one from before while it is in force."""
    prefix = "Authorization: Bearer "
    with suppress(OSError, DomainError):
        kept = places.header.read_text().strip().removeprefix(prefix)
        if sealmark.api_keys.authenticate(kept).expires_at > sealmark.clock() + timedelta(days=1):
            return
    _say("Making an API key that reads the log")
    ends = sealmark.clock() + KEY_LIFE
    _, text = sealmark.api_keys.create(actor, API_KEY_NAME, [Scope.LOG_READ], ends)
    places.header.unlink(missing_ok=True)
    handle = os.open(places.header, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{prefix}{text}\n")


def _show(ready: Ready, as_json: bool) -> None:
    if as_json:
        answer(ready.__dict__, as_json)
        sys.stdout.flush()
        return
    click.echo(
        f"\nReady. All of it is on this machine only.\n"
        f"\n  Open the report as {NAME} would:\n    {ready.link}\n"
        f"\n  See what everybody sees:\n    {ready.url}/trust\n"
        f"\n  Pull the log over the API:\n    {ready.log_command}\n"
        f"\n  Read the log on the command line:\n    {ready.cli_command}\n"
        f"\nMails that it sends are shown here. Ctrl-C ends it.\n"
    )
    sys.stdout.flush()


def _show_mail(text: str) -> None:
    """A mail on the console, marked off from what else is said there."""
    _say("\n".join(["", *(f"  | {plain(line)}".rstrip() for line in ["Mail", *text.splitlines()]), ""]))


def _watch(service: subprocess.Popen[bytes], places: Places) -> None:
    while service.poll() is None:
        time.sleep(0.5)
    raise DemoUnavailable(f"the service has ended: see {_short(places.data / 'service.log')}")


def _make_places(folder: Path, name: str) -> Places:
    places = Places(folder / name, folder / f"{name}-key")
    for made in (places.data, places.keys):
        try:
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DemoUnavailable(f"cannot make {made}: {error.strerror}") from error
    return places


def _port() -> int:
    for port in range(PREFERRED_PORT, PREFERRED_PORT + PORTS_TRIED):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    return servers.free_port()


def _short(path: Path, *, dotted: bool = False) -> str:
    """The path from here if it lies below; `dotted` for a shell's `.`, which would look for a bare name elsewhere."""
    here = Path.cwd()
    if not path.is_relative_to(here):
        return str(path)
    short = str(path.relative_to(here))
    return f"./{short}" if dotted else short


def _say(text: str) -> None:
    click.echo(text, err=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Inside the block SIGTERM is as Ctrl-C, and both end the block as if it were done."""

    def interrupt(number: int, frame: Any) -> None:
        # What remains is to end the servers, within bounded time: nothing may break that off.
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    for number in signals:
        signal.signal(number, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        _say("Ended; nothing is left running.")
