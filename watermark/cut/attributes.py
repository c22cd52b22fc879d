"""Attributes of structure elements: what they say of their own element stays, what they say of others does not."""

from collections.abc import Callable

from pikepdf import Array, Dictionary, Name, Object, Stream, String

# Other elements, by their identifiers: the header cells of a cell, the list that a list continues.
_OTHERS = ("/Headers", "/ContinuedFrom")
# Of the whole report: a namespace has the roles of all elements.
_OF_ALL = ("/NS",)


def attributes_of_element(held: object, known: set[bytes]) -> Object | None:
    """The attributes that an element has as its `/A`, made anew; None where it has none.

    `known` are the identifiers of elements that stay: what names any other is left out.
    """
    return _each(
        held, lambda key, value: key not in _OF_ALL and (key not in _OTHERS or _named(value) <= known)
    )


def attributes_of_class(held: object) -> Object | None:
    """The attributes of a class, made anew and without texts, since a class is for elements of all pages; or None."""
    return _each(held, lambda _, value: _is_plain(value))


def _each(held: object, stays: Callable[[str, object], bool]) -> Object | None:
    """Attribute objects with the entries that stay: one, or an array of them with the numbers of their revisions."""
    listed = list(held) if isinstance(held, Array) else [held]
    made: list[Object | int] = [
        Dictionary({key: value for key, value in one.items() if value is not None and stays(key, value)})
        if isinstance(one, Dictionary)
        else one
        for one in listed
        if isinstance(one, Dictionary | int)
    ]
    if isinstance(held, Array):
        return Array(made) if any(isinstance(one, Dictionary) for one in made) else None
    return made[0] if made and isinstance(made[0], Dictionary) else None


def _named(value: object) -> set[bytes]:
    listed = list(value) if isinstance(value, Array) else [value]
    return {bytes(one) for one in listed if isinstance(one, String)}


def _is_plain(value: object) -> bool:
    """Whether this is a name or a number, or an array of those."""
    if isinstance(value, Array):
        return all(not isinstance(one, Array) and _is_plain(one) for one in value)
    return isinstance(value, Name) or not isinstance(value, String | Dictionary | Stream)
