"""Optional content: the layers of kept pages, and how they are shown."""

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from watermark.cut.reach import Id

_NESTED = 50
"""Lists within lists of a reader's panel."""

_PLAIN = ("/BaseState", "/Intent", "/ListMode")
_LISTS = ("/ON", "/OFF", "/Locked")


def kept_layers(document: pikepdf.Pdf, shown: list[Object]) -> Dictionary | None:
    """The properties of the layers among these dictionaries; None where there is none."""
    properties = document.Root.get("/OCProperties")
    listed = properties.get("/OCGs") if isinstance(properties, Dictionary) else None
    kept = {thing.objgen for thing in shown if thing.is_indirect and thing.get("/Type") == Name.OCG}
    groups = [item for item in _list(listed) if _is_kept(item, kept)]
    if not groups or not isinstance(properties, Dictionary):
        return None
    default = properties.get("/D")
    new = Dictionary()
    if isinstance(default, Dictionary):
        for key in _PLAIN:
            if isinstance(default.get(key), Name):
                new[key] = default[key]
        for key in _LISTS:
            found = [item for item in _list(default.get(key)) if _is_kept(item, kept)]
            if found:
                new[key] = Array(found)
        for key in ("/Order", "/RBGroups"):
            if (order := _ordered(default.get(key), kept, 0)) is not None:
                new[key] = order
        events = [_event(item, kept) for item in _list(default.get("/AS"))]
        if any(event is not None for event in events):
            new["/AS"] = Array([event for event in events if event is not None])
    return Dictionary(OCGs=Array(groups), D=new)


def _ordered(order: object, kept: set[Id], depth: int) -> Array | None:
    """The list without layers that are gone; a heading goes with the last of its layers."""
    if not isinstance(order, Array) or depth > _NESTED:
        return None
    found: list[Object] = []
    heading: list[Object] = []
    for item in order:
        if isinstance(item, Array):
            inner = _ordered(item, kept, depth + 1)
            if inner is not None:
                found.append(inner)
        elif isinstance(item, String):
            heading.append(item)
        elif _is_kept(item, kept):
            found.append(item)
    return Array([*heading, *found]) if found else None


def _event(event: object, kept: set[Id]) -> Dictionary | None:
    if not isinstance(event, Dictionary):
        return None
    groups = [item for item in _list(event.get("/OCGs")) if _is_kept(item, kept)]
    if not groups:
        return None
    plain = {key: event[key] for key in ("/Event", "/Category") if isinstance(event.get(key), Name | Array)}
    return Dictionary({**plain, "/OCGs": Array(groups)})


def _list(value: object) -> list[Object]:
    return list(value) if isinstance(value, Array) else []


def _is_kept(item: object, kept: set[Id]) -> bool:
    return isinstance(item, Dictionary) and item.objgen in kept
