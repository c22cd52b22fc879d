"""Gathering: `Records` for many things of one kind in one transaction, at a fraction of its statements.

What is added is held back and written at once, kind by kind; what many of them ask alike is read once. So what makes
one thing (`recipients.admit`, `Sharing.lend`) makes many as it is, and what one of them added before it was refused
can be dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from service.ports import Records
from service.records import Cut, Document, InboxEntry, Nda, NdaText, Recipient, Version

R = TypeVar("R")

ALIKE: frozenset[type] = frozenset({Cut, Document, Nda, NdaText, Version})
"""What is read once: nothing that is gathered changes it, and one transaction may see it as it was at one moment."""

AT_ONCE = 500
"""Values that one statement names: databases bound how many it may have."""

LAST = 2
_PLACES: Mapping[type, int] = {Recipient: 0, InboxEntry: LAST}
"""Others refer to recipients; entries keep their order among themselves. All others come between."""


class Gathered:
    """Gathers over the records of an open transaction.

    What was gathered is found by its key alone, not by `find`. `change` and `remove` reach what is stored, at once.
    """

    def __init__(self, records: Records, *, dry: bool = False) -> None:
        """With `dry` nothing is ever written and nothing locked, so the transaction may be one that reads only."""
        self._records = records
        self._dry = dry
        self._new: list[object] = []
        self._by_key: dict[Any, object] = {}
        self._read: dict[tuple[Any, ...], Any] = {}
        self._ahead: dict[tuple[type, str], dict[Any, list[Any]]] = {}
        self._stored: dict[tuple[type, Any], Any] = {}

    def look_ahead(self, kind: type[R], field: str, values: Iterable[Any]) -> list[R]:
        """Read at once what will be asked for by this field, one value at a time; gives all that there is."""
        wanted = sorted(set(values))
        known = self._ahead.setdefault((kind, field), {})
        known.update({value: [] for value in wanted})
        everything: list[R] = []
        for at in range(0, len(wanted), AT_ONCE):
            where: dict[str, Any] = {f"{field}__in": wanted[at : at + AT_ONCE]}
            everything += self._records.find(kind, **where)
        for found in everything:
            known[getattr(found, field)].append(found)
            self._stored[kind, _key(found)] = found
        return everything

    def add(self, *records: object) -> None:
        """Hold them back until `write`."""
        self._new += records
        self._by_key.update({_key(record): record for record in records})

    def get(self, kind: type[R], key: str | int, /, *, lock: bool = False) -> R | None:
        """See `Records.get`."""
        made = self._by_key.get(key)
        if isinstance(made, kind):
            return made
        if self._dry and (kind, key) in self._stored:
            stored: R = self._stored[kind, key]
            return stored
        if lock and not self._dry:
            return self._records.get(kind, key, lock=True)
        read: R | None = self._once(kind, (key,), lambda: self._records.get(kind, key))
        return read

    def find(
        self, kind: type[R], /, *, order: str = "", limit: int | None = None, lock: bool = False, **where: Any
    ) -> list[R]:
        """See `Records.find`. Nothing that is stored refers to what was only gathered."""
        for field, value in where.items():
            if isinstance(value, str) and value in self._by_key:
                return []
            ahead = self._ahead.get((kind, field), {})
            if isinstance(value, str) and value in ahead and not lock:
                if not ahead[value]:
                    return []
                if len(where) == 1 and not order:
                    return ahead[value][:limit]
        asked = (order, limit, *sorted(where.items(), key=lambda item: item[0]))
        read: list[R] = self._once(
            kind,
            asked,
            lambda: self._records.find(kind, order=order, limit=limit, lock=lock and not self._dry, **where),
        )
        return read

    def change(self, record: R, *, expect: Mapping[str, Any] | None = None, **values: Any) -> R | None:
        """See `Records.change`."""
        return self._records.change(record, expect=expect, **values)

    def remove(self, kind: type[object], /, **where: Any) -> int:
        """See `Records.remove`."""
        return self._records.remove(kind, **where)

    def mark(self) -> int:
        """How much is gathered; for `drop`."""
        return len(self._new)

    def drop(self, mark: int) -> None:
        """Forget what was gathered since this mark."""
        for record in self._new[mark:]:
            self._by_key.pop(_key(record), None)
        del self._new[mark:]

    def write(self) -> None:
        """Add all that was gathered. Raises `ports.Taken`: the transaction can then only be left."""
        if self._dry:
            raise RuntimeError("what is gathered dry is never written")
        kinds = dict.fromkeys(type(record) for record in self._new)
        for kind in sorted(kinds, key=lambda kind: _PLACES.get(kind, 1)):
            self._records.add(*(record for record in self._new if type(record) is kind))
        self.drop(0)

    def _once(self, kind: type, asked: tuple[Any, ...], read: Any) -> Any:
        if kind not in ALIKE:
            return read()
        try:
            known = (kind, *asked) in self._read
        except TypeError:  # a list of values
            return read()
        if not known:
            self._read[kind, *asked] = read()
        return self._read[kind, *asked]


def _key(record: object) -> Any:
    """The value of the record's first field."""
    return next(iter(vars(record).values()))
