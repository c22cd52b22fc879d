"""The parts that downloads are measured on: real servers where they can run here, else the embedded defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.lender import inherited
from bench.reports import PROJECT
from service.demo import servers
from service.demo.servers import DemoUnavailable

FOLDER = "folder"
MINIO = "MinIO"
SQLITE = "SQLite"
POSTGRESQL = "PostgreSQL"


@dataclass(frozen=True)
class Parts:
    """A store and a database that run, and the settings that lead to them."""

    store: str
    database: str
    settings: dict[str, str]


@contextmanager
def running_parts(store: str, database: str, folder: Path) -> Iterator[Parts]:
    """The parts of these names with their data below `folder`, until the end of the block.

    Raises `DemoUnavailable` with one line that says how to get what is missing.
    """
    keys, data = folder / "keys", folder / "data"
    for made in (keys, data):
        made.mkdir(mode=0o700)
    chosen = {
        "SEALMARK_DATA": str(data / "embedded"),
        "SEALMARK_KEY": f"file:{keys / 'master.key'}",
        "SEALMARK_ORGANIZATION": "Lender Example Ltd",
        "SEALMARK_PROCESSES": "2",
        "SEALMARK_REQUESTS_A_MINUTE": "1000000",  # all come from one address
    }
    with ExitStack() as stack:
        if store == MINIO:
            minio = stack.enter_context(servers.minio(data / "minio", keys))
            chosen["SEALMARK_STORE"] = minio.store
            chosen["SEALMARK_STORE_ACCESS_KEY_FILE"] = str(minio.access_key_file)
            chosen["SEALMARK_STORE_SECRET_KEY_FILE"] = str(minio.secret_key_file)
            chosen["SEALMARK_STORE_CREATE"] = "yes"
        if database == POSTGRESQL:
            postgresql = stack.enter_context(servers.postgresql(data / "postgresql", keys))
            chosen["SEALMARK_DATABASE"] = postgresql.url
            chosen["SEALMARK_DATABASE_PASSWORD_FILE"] = str(postgresql.password_file)
        yield Parts(store, database, chosen)


def each_database(
    what: str, folder: Path, *, real_parts: bool, note: Callable[[str], None]
) -> Iterator[tuple[str, Path, dict[str, str]]]:
    """SQLite, and with `real_parts` PostgreSQL, one after the other: its name, its place and the environment of a
    service over it. PostgreSQL is left out with a note, which says of `what`, where it is not here.
    """
    folder.chmod(0o711)  # PostgreSQL does not run as root: its own user must come through
    for database in (SQLITE, POSTGRESQL) if real_parts else (SQLITE,):
        place = folder / database
        place.mkdir(mode=0o700)
        with ExitStack() as stack:
            try:
                parts = stack.enter_context(running_parts(FOLDER, database, place))
            except DemoUnavailable as error:
                note(f"{what} on {database} were left out: {error}")
                continue
            own = {"PYTHONPATH": str(PROJECT), "SEALMARK_URL": "http://127.0.0.1:8080"}
            yield database, place, {**inherited(), **parts.settings, **own}


def best_database(folder: Path) -> tuple[str, str]:
    """PostgreSQL where it runs here, else SQLite; and the reason why not, empty if there is none."""
    try:
        with running_parts(FOLDER, POSTGRESQL, folder):
            return POSTGRESQL, ""
    except DemoUnavailable as error:
        return SQLITE, str(error)
