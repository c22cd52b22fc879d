"""One file marked for one person, without a service.

The order is the promise: whatever fails before step 5 leaves nothing behind, and no copy is ever in place that the
register does not name.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crypto import identifiers
from crypto.markkey import MarkKey
from service.audit import timestamp
from service.standalone.child import in_child
from service.standalone.errors import FileRefused, FileUnusable
from service.standalone.files import NewFile
from service.standalone.key import keep_key, load_key, make_key
from service.standalone.person import Person
from service.standalone.register import append, register_path
from service.standalone.source import Source, read_source
from watermark.errors import RefusalReason, Refused
from watermark.mark import Mark
from watermark.mint import mint
from watermark.removal import Removed, removed_of
from watermark.stamp import stamp
from watermark.template import SlotTable, TemplateError
from watermark.woven.capacity import Capacity, capacity_of
from watermark.woven.code import copy_bits


@dataclass(frozen=True)
class Order:
    """What the user asked for. `force` replaces what is at `out`."""

    file: Path
    person: Person
    out: Path
    key: Path
    force: bool


@dataclass(frozen=True)
class Origin:
    """What a copy was made from and by. `key_is_new`: the key was made with it."""

    sha256: str
    key_id: str
    key_is_new: bool
    register: Path


@dataclass(frozen=True)
class Marked:
    """The copy that was made, and what it carries."""

    copy_id: str
    marked_at: datetime
    size: int
    sha256: str
    origin: Origin
    capacity: Capacity
    removed: tuple[Removed, ...]

    @property
    def pages(self) -> int:
        """How many pages it has."""
        return len(self.capacity.pages)


def mark_file(
    order: Order,
    now: datetime,
    random: Callable[[int], bytes] = secrets.token_bytes,
    *,
    allow_unconfined: bool = False,
) -> Marked:
    """Make the copy at `order.out`.

    Raises `Refused` for a file that cannot be marked; `StandaloneError` for files that cannot be used;
    `SandboxUnavailable`, `Unmarkable`.
    """
    # 1. Look at the places first: compiling takes its time.
    register = register_path(order.key)
    _check_place(order, register)
    kept = load_key(order.key)
    key = kept or make_key(random)
    # 2. Read the file, and compile it with the seed that belongs to key and file.
    source = read_source(order.file)
    seed = key.seed(source.sha256).hex()
    compiled = in_child("compile", source.data, {"seed": seed}, allow_unconfined=allow_unconfined)
    capacity, removed = capacity_of(compiled.facts), removed_of(compiled.facts.get("removed", {}))
    # 3. Mint: a new copy, though it be for the same person.
    person = order.person
    copy_id = identifiers.new_id("cpy", random(16))
    mark = Mark(person.name, person.mail, person.company, now.date(), copy_id)
    with NewFile(order.out) as copy:
        # 4. Stamp it beside its place, durably.
        size, sha256 = _write(copy, _stamped(compiled.payload, mark, key, source))
        # 5. Keep a new key, then name the copy in the register, durably.
        if kept is None:
            keep_key(order.key, key)
        origin = Origin(source.sha256.hex(), key.id, kept is None, register)
        marked = Marked(copy_id, now, size, sha256, origin, capacity, removed)
        append(register, _line(marked, person))
        # 6. Put it in place, in one step.
        copy.place(replace=order.force)
    return marked


def _write(copy: NewFile, pieces: Iterator[bytes | memoryview]) -> tuple[int, str]:
    """Length and SHA-256 of what is durable afterwards."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        copy.write(piece)
        digest.update(piece)
        size += len(piece)
    copy.finish()
    return size, digest.hexdigest()


def _stamped(template: bytes, mark: Mark, key: MarkKey, source: Source) -> Iterator[bytes | memoryview]:
    """The copy's bytes in pieces. Raises `Refused` (damaged) for a template that is none, `Unmarkable`."""
    view = memoryview(template)
    try:
        table = SlotTable.decode(template)
        fill = mint(table, mark)
        bits = copy_bits(key.weave_key(source.sha256), mark.copy_id, table.words) if table.words else None
        yield from stamp(table, fill, lambda start, stop: [view[start:stop]], bits=bits)
    except TemplateError as error:
        raise Refused(RefusalReason.DAMAGED, where="the child's template") from error


def _line(marked: Marked, person: Person) -> dict[str, Any]:
    return {
        "copy": marked.copy_id,
        "name": person.name,
        "mail": person.mail,
        "company": person.company,
        "marked_at": timestamp(marked.marked_at),
        "source": marked.origin.sha256,
        "sha256": marked.sha256,
        "size": marked.size,
        "pages": marked.pages,
        "key": marked.origin.key_id,
    }


def _check_place(order: Order, register: Path) -> None:
    """Raise `FileRefused` where no copy may be put."""
    for path, what in ((order.file, "the file itself"), (order.key, "the key"), (register, "the register")):
        if _same(order.out, path):
            raise FileRefused(f"{order.out} is {what}: name another place for the copy")
    if not order.out.parent.is_dir():
        raise FileUnusable(f"{order.out.parent} is no folder: make it first")
    if order.out.exists() and not order.out.is_file():
        raise FileRefused(f"{order.out} is no file that can be replaced: name one")
    if os.path.lexists(order.out) and not order.force:
        raise FileRefused(f"{order.out} is there already: name another, or give --force")


def _same(one: Path, other: Path) -> bool:
    if one.resolve() == other.resolve():
        return True
    try:
        return one.samefile(other)
    except OSError:
        return False
