"""A real PostgreSQL server."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.servers import missing
from tests.servers.process import find, free_port, running

USER = "sealmark_test"
HOW = "apt install postgresql (or brew install postgresql), 14 or newer"


@dataclass(frozen=True)
class PostgresqlServer:
    """A running cluster that only the tests use."""

    port: int
    password: str
    log: Path
    """What the server writes; the statements, too, of databases made with `log_statements`."""

    def fresh_database(self, log_statements: bool = False, template: str | None = None) -> str:
        """The URL (`postgresql+psycopg://…`) of a new database, empty or a copy of `template`. It goes with the server.

        With `log_statements` every statement in it, with its parameters, is in `log`.
        """
        name = f"test_{secrets.token_hex(8)}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            source = sql.Identifier(template or "template1")
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))
            if log_statements:
                logged = sql.SQL("ALTER DATABASE {} SET log_statement = 'all'").format(sql.Identifier(name))
                connection.execute(logged)
        return f"postgresql+psycopg://{USER}:{self.password}@127.0.0.1:{self.port}/{name}"

    def dsn(self, database: str) -> str:
        """The address of a database as psycopg itself and libpq's programs write it."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"


@contextmanager
def postgresql_server(*, sync: bool = False) -> Iterator[PostgresqlServer]:
    """PostgreSQL on loopback until the end of the block, with its data in a temporary folder of its own.

    It refuses to run as root, so under root it runs as `postgres`, or as `nobody` where that is unknown.
    Without `sync` commits are not forced to the disk: no test pulls the plug, and all would wait for it.
    """
    folder_of_programs = programs()
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="sealmark-postgresql-"))
    try:
        if user is not None:
            shutil.chown(folder, user, _group(user))
        password = secrets.token_urlsafe(24)
        _initialise(folder_of_programs, folder, user, password)
        server = PostgresqlServer(free_port(), password, folder / "log")
        with running(
            [str(folder_of_programs / "postgres"), "-D", str(folder / "data"), *_options(server.port, sync)],
            log=server.log,
            ready=lambda: _answers(server),
            environment={"HOME": str(folder), "LC_ALL": "C.UTF-8"},
            folder=folder,
            user=user,
            stop=signal.SIGINT,  # PostgreSQL's fast shutdown: it breaks off what is still connected
        ):
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _group(user: str) -> int:
    """The id of the user's own group."""
    return pwd.getpwnam(user).pw_gid


def programs() -> Path:
    """The folder with initdb and postgres, of the newest version that is installed."""
    initdb = find("initdb")
    if initdb is not None:
        return initdb.resolve().parent

    def version(path: Path) -> int:
        number = re.search(r"\d+", path.parts[-3])
        return int(number.group()) if number else 0

    packaged = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), *Path("/usr").glob("pgsql-*/bin/initdb")]
    if not packaged:
        missing("the PostgreSQL server", HOW)
    return max(packaged, key=version).parent


def _unprivileged() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _initialise(programs: Path, folder: Path, user: str | None, password: str) -> None:
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    if user is not None:
        shutil.chown(secret, user)
    command = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", USER, "--auth=scram-sha-256"]
    command += [f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(
        command,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        env={"HOME": str(folder), "PATH": os.defpath},
        user=user,
        group=_group(user) if user else None,
        extra_groups=[] if user else None,
    )
    secret.unlink()


def _options(port: int, sync: bool) -> list[str]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "fsync": "on" if sync else "off",
        "max_connections": "200",
        "logging_collector": "off",
    }
    return [f"--{name}={value}" for name, value in settings.items()]


def _answers(server: PostgresqlServer) -> bool:
    try:
        psycopg.connect(server.dsn("postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
