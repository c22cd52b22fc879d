"""The parts that downloads are measured on: real servers where they can run here, else the embedded defaults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

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


def best_database(folder: Path) -> tuple[str, str]:
    """PostgreSQL where it runs here, else SQLite; and the reason why not, empty if there is none."""
    try:
        with running_parts(FOLDER, POSTGRESQL, folder):
            return POSTGRESQL, ""
    except DemoUnavailable as error:
        return SQLITE, str(error)
