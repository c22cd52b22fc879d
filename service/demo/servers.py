"""Processes that the demo runs beside itself: MinIO, PostgreSQL, and the service.

Each listens on loopback, in a group of its own, and ends with the demo, on Linux even when that is killed.
"""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psycopg
from psycopg import sql

MINIO = "go install github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
"""The last of the community server, which ships as source only; its release tags are no module versions."""

PACKAGED = ("lib/postgresql/*/bin/initdb", "pgsql-*/bin/initdb")
"""Where Debian's and PostgreSQL's own packages put the programs, below /usr."""

START_SECONDS = 60.0
"""A server that takes longer to answer is taken for broken."""

STOP_SECONDS = 40.0
"""After a polite signal: the service gives running downloads thirty. Then the process's group is killed."""

USER = "sealmark"
REGION = "eu-demo-1"
BUCKET = "sealmark-demo"


class DemoUnavailable(Exception):
    """A part of the demo cannot run here; the message is one line that says what to do."""


@dataclass(frozen=True)
class Minio:
    """A running MinIO, and the files with its keys."""

    endpoint: str
    access_key_file: Path
    secret_key_file: Path

    @property
    def store(self) -> str:
        """As SEALMARK_STORE has it."""
        return f"s3://{BUCKET}?endpoint={self.endpoint}&region={REGION}&tls=no"


@dataclass(frozen=True)
class Postgresql:
    """A running PostgreSQL, and the file with its password."""

    port: int
    password_file: Path

    @property
    def url(self) -> str:
        """As SEALMARK_DATABASE has it."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{USER}"


@contextmanager
def minio(data: Path, keys: Path) -> Iterator[Minio]:
    """MinIO with its objects in `data` and its credentials in `keys`, both kept for the next time."""
    program = _find("minio")
    if program is None:
        raise DemoUnavailable(
            f"MinIO is not installed: {MINIO} (Go 1.26; three minutes), then run this again"
        )
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = Minio(
        f"127.0.0.1:{free_port()}",
        _secret_file(keys / "minio-access-key", "sealmark-demo"),
        _secret_file(keys / "minio-secret-key", secrets.token_urlsafe(24)),
    )
    environment = {
        "HOME": str(data.parent),
        "MINIO_ROOT_USER": server.access_key_file.read_text(),
        "MINIO_ROOT_PASSWORD": server.secret_key_file.read_text(),
        "MINIO_REGION": REGION,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    command = [str(program), "server", "--quiet", "--address", server.endpoint, str(data)]
    ready = f"http://{server.endpoint}/minio/health/ready"
    with running("MinIO", command, environment, data.parent / "minio.log", lambda: answers(ready)):
        yield server


@contextmanager
def postgresql(data: Path, keys: Path) -> Iterator[Postgresql]:
    """PostgreSQL with its cluster in `data` and its password in `keys`, both kept for the next time.

    It refuses to run as root, so under root it runs as `postgres`, or as `nobody` where that is unknown.
    """
    programs = _postgresql_programs()
    user = _unprivileged()
    server = Postgresql(free_port(), _secret_file(keys / "postgresql-password", secrets.token_urlsafe(24)))
    password = server.password_file.read_text()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if user is not None:
        shutil.chown(data, user, _group(user))
        _let_in(data, user)
    cluster = data / "cluster"
    if not (cluster / "PG_VERSION").exists():
        _initialise(programs, data, cluster, user, password)
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(server.port),
        "unix_socket_directories": "",
        "logging_collector": "off",
    }
    command = [str(programs / "postgres"), "-D", str(cluster)]
    command += [f"--{name}={value}" for name, value in options.items()]
    with running(
        "PostgreSQL",
        command,
        {"HOME": str(data), "LC_ALL": "C.UTF-8"},
        data.parent / "postgresql.log",
        lambda: _database_answers(server, password),
        user=user,
        stop=signal.SIGINT,  # fast shutdown: it breaks off what is still connected
    ):
        _make_database(server, password)
        yield server


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    ready: Callable[[], bool],
    *,
    user: str | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """The command runs, and was `ready`, inside the block; afterwards no process of its group does.

    It sees only `environment`, and writes to the end of `log`. Raises `DemoUnavailable` when it does not come up.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # programs of this machine, nothing of a stranger on the line
            [*_with_its_parent(stop), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
            user=user,
            group=_group(user) if user else None,
            extra_groups=[] if user else None,
        )
    try:
        end = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                raise DemoUnavailable(f"{name} does not come up: see {log}")
            time.sleep(0.05)
        yield process
    finally:
        _end(process, stop)


def answers(url: str) -> bool:
    """Whether 200 is answered there."""
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310  # our own loopback address
            return bool(answer.status == 200)
    except (HTTPError, URLError, OSError):
        return False


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _find(name: str) -> Path | None:
    """The program: on the PATH, among Go's programs, or built for this working copy."""
    gopath = Path(os.environ.get("GOPATH") or Path.home() / "go")
    folders = [*os.get_exec_path(), str(gopath / "bin"), str(Path("build/servers").absolute())]
    found = shutil.which(name, path=os.pathsep.join(folders))
    return Path(found) if found else None


def _postgresql_programs() -> Path:
    """The folder with initdb and postgres, of the newest version that is installed."""
    found = _find("initdb")
    if found is not None:
        return found.resolve().parent

    def version(path: Path) -> int:
        number = re.search(r"\d+", path.parts[-3])
        return int(number.group()) if number else 0

    packaged = [path for pattern in PACKAGED for path in Path("/usr").glob(pattern)]
    if not packaged:
        raise DemoUnavailable(
            "PostgreSQL is not installed: apt install postgresql (or brew install postgresql), then run this again"
        )
    return max(packaged, key=version).parent


def _unprivileged() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def _let_in(data: Path, user: str) -> None:
    """Let `user` pass through the folders of the demo to `data`. Raises `DemoUnavailable` when others bar the way."""
    for folder in (data.parent, data.parent.parent):
        folder.chmod(folder.stat().st_mode | 0o011)
    test = subprocess.run(  # noqa: S603  # as above
        ["/usr/bin/env", "test", "-x", str(data)],
        user=user,
        group=_group(user),
        extra_groups=[],
        check=False,
        env={},
        cwd="/",
    )
    if test.returncode != 0:
        raise DemoUnavailable(
            f"PostgreSQL does not run as root, and {user} may not enter {data}: run the demo as an ordinary user, "
            "or with --folder below a folder that others may enter"
        )


def _initialise(programs: Path, data: Path, cluster: Path, user: str | None, password: str) -> None:
    """Make the cluster beside its place, and move it there whole: one that was broken off is made anew."""
    unfinished = data / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    secret = data / "password"
    secret.unlink(missing_ok=True)
    _secret_file(secret, password)
    if user is not None:
        shutil.chown(secret, user)
    command = [str(programs / "initdb"), "-D", str(unfinished), "-U", USER, "--auth=scram-sha-256"]
    command += [f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    made = subprocess.run(  # noqa: S603  # as above
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        env={"HOME": str(data), "PATH": os.defpath},
        user=user,
        group=_group(user) if user else None,
        extra_groups=[] if user else None,
    )
    secret.unlink()
    if made.returncode != 0:
        raise DemoUnavailable(f"PostgreSQL cannot make its cluster: {made.stderr.strip()[-300:]}")
    unfinished.rename(cluster)


def _dsn(server: Postgresql, password: str, database: str) -> str:
    return psycopg.conninfo.make_conninfo(
        host="127.0.0.1", port=server.port, user=USER, password=password, dbname=database, connect_timeout=2
    )


def _database_answers(server: Postgresql, password: str) -> bool:
    try:
        psycopg.connect(_dsn(server, password, "postgres")).close()
    except psycopg.OperationalError:
        return False
    return True


def _make_database(server: Postgresql, password: str) -> None:
    with psycopg.connect(_dsn(server, password, "postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [USER]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(USER)))


def _secret_file(path: Path, secret: str) -> Path:
    """The file, made with this secret and for this user only unless it is there."""
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secret)
    return path


def _with_its_parent(stop: signal.Signals) -> list[str]:
    """Begins a command that must not outlive the demo, not even when that is killed. Linux only."""
    setpriv = shutil.which("setpriv", path=os.defpath)
    return [setpriv, "--pdeathsig", stop.name.removeprefix("SIG")] if setpriv else []


def _end(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(stop)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # whatever of its group is left
    process.wait()
