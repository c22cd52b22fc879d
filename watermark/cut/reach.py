"""What is reached from where in a PDF: the objects that would be written."""

from collections.abc import Iterable, Iterator

from pikepdf import Array, Dictionary, Object, Stream

Id = tuple[int, int]


def reached(starts: Iterable[object], stops: set[Id]) -> set[Id]:
    """The numbers of all objects that these reach, their own included, not going into `stops`. Never recurses."""
    seen: set[Id] = set()
    for _ in walk(starts, stops, seen):
        pass
    return seen


def walk(starts: Iterable[object], stops: set[Id], seen: set[Id]) -> Iterator[Object]:
    """Every dictionary that these reach, once, before what it holds; `seen` gathers the numbers of all objects."""
    waiting = [thing for thing in starts if isinstance(thing, Array | Dictionary | Stream)]
    waiting.reverse()
    while waiting:
        thing = waiting.pop()
        if thing.is_indirect:
            if thing.objgen in seen or thing.objgen in stops:
                continue
            seen.add(thing.objgen)
        if isinstance(thing, Array):
            waiting += [item for item in thing if isinstance(item, Array | Dictionary | Stream)]
        else:
            yield thing
            waiting += [item for _, item in thing.items() if isinstance(item, Array | Dictionary | Stream)]
