"""Searches for a secret in all spellings that it could have been written in."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

SHORTEST = 12
"""Bytes of the shortest spelling that is searched for: fewer occur by chance."""


def spellings(secret: bytes) -> set[bytes]:
    """The secret as it is, in hex, in percent-encoding, and in base64 wherever in a group of three it begins."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for form in ("%{:02X}", "%{:02x}", "\\x{:02x}"):
        found.add("".join(form.format(byte) for byte in secret).encode())
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + secret)
        begin, end = (0, 2, 3)[shift], -(-4 * (shift + len(secret)) // 3) - 1
        found |= {encoded[begin:end], encoded[begin:end].translate(bytes.maketrans(b"+/", b"-_"))}
    return {spelling for spelling in found if len(spelling) >= SHORTEST}


def hits(secrets: Mapping[str, bytes], places: Mapping[str, bytes]) -> list[str]:
    """`secret in place` for each secret that stands in a place, in any spelling."""
    return [
        f"{name} in {place}"
        for name, secret in secrets.items()
        for spelling in spellings(secret)
        for place, content in places.items()
        if spelling in content
    ]


def files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below the folder: its name and its content, both as they might tell something."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield str(file), str(file).encode() + b"\n" + file.read_bytes()


def tables(url: str) -> Iterator[tuple[str, bytes]]:
    """Every table of a PostgreSQL database: its name and all its values, bytes as they are."""
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in names:
            rows = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name))).fetchall()
            values = (
                value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
            )
            yield f"table {name}", b"\n".join(values)
