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
    groups = _only_kept(listed, kept)
    if not groups or not isinstance(properties, Dictionary):
        return None
    default = properties.get("/D")
    new = Dictionary()
    if isinstance(default, Dictionary):
        for key in _PLAIN:
            if isinstance(default.get(key), Name):
                new[key] = default[key]
        for key in _LISTS:
            if found := _only_kept(default.get(key), kept):
                new[key] = Array(found)
        order, _ = _ordered(default.get("/Order"), kept, 0)
        if order is not None:
            new["/Order"] = order
        radios = [_only_kept(item, kept) for item in _list(default.get("/RBGroups"))]
        if any(radios):
            new["/RBGroups"] = Array([Array(radio) for radio in radios if radio])
        events = [_event(item, kept) for item in _list(default.get("/AS"))]
        if any(event is not None for event in events):
            new["/AS"] = Array([event for event in events if event is not None])
    return Dictionary(OCGs=Array(groups), D=new)


def _ordered(order: object, kept: set[Id], depth: int) -> tuple[Array | None, bool]:
    """The list without layers that are gone, None when none is left; and whether none is gone.

    Its heading, which is its first item, stays only then: else its words may be those of an omitted page. No other
    text of it stays.
    """
    if not isinstance(order, Array) or depth > _NESTED:
        return None, False
    found: list[Object] = []
    whole = True
    for item in order:
        if isinstance(item, Array):
            inner, all_inner = _ordered(item, kept, depth + 1)
            whole = whole and all_inner
            if inner is not None:
                found.append(inner)
        elif _is_kept(item, kept):
            found.append(item)
        elif not isinstance(item, String):
            whole = False
    if not found:
        return None, whole
    heading = [order[0]] if whole and isinstance(order[0], String) else []
    return Array([*heading, *found]), whole


def _event(event: object, kept: set[Id]) -> Dictionary | None:
    if not isinstance(event, Dictionary):
        return None
    groups = _only_kept(event.get("/OCGs"), kept)
    if not groups:
        return None
    kinds = [item for item in _list(event.get("/Category")) if isinstance(item, Name)]
    when = {"/Event": event.Event} if isinstance(event.get("/Event"), Name) else {}
    return Dictionary({**when, "/Category": Array(kinds), "/OCGs": Array(groups)})


def _only_kept(value: object, kept: set[Id]) -> list[Object]:
    return [item for item in _list(value) if _is_kept(item, kept)]


def _list(value: object) -> list[Object]:
    return list(value) if isinstance(value, Array) else []


def _is_kept(item: object, kept: set[Id]) -> bool:
    return isinstance(item, Dictionary) and item.objgen in kept
