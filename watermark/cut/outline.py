"""The outline: entries that lead to kept pages. Where a heading goes, its entries move up."""

from dataclasses import dataclass, field

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from watermark.cut.destinations import Destinations
from watermark.cut.reach import Id

_MOST_DEEP = 200
"""Entries within entries; verification reads 64."""

_LEADING = ("/Dest", "/A", "/SE")


@dataclass
class _Entry:
    source: Dictionary
    target: Array | None
    leads: bool  # somewhere: it has a destination, an action or an element of the structure
    below: list["_Entry"] = field(default_factory=list)


def kept_outline(document: pikepdf.Pdf, outlines: object, leads: Destinations) -> Dictionary | None:
    """The outline of the kept pages, made anew; None when no entry is left.

    An entry that leads to an omitted page, or anywhere but to a page, goes with its title. A heading that leads nowhere
    stays where all below it stays: else its words may be those of an omitted page.
    """
    if not isinstance(outlines, Dictionary):
        return None
    top = _entries(outlines, leads, set(), 0)
    entries, _ = _kept(top)
    if not entries:
        return None
    root = document.make_indirect(Dictionary())
    root["/Count"] = _write(document, root, entries)
    return root


def _entries(holder: Dictionary, leads: Destinations, seen: set[Id], depth: int) -> list[_Entry]:
    found = []
    item = holder.get("/First")
    readable = depth <= _MOST_DEEP
    while readable and isinstance(item, Dictionary) and item.is_indirect and item.objgen not in seen:
        seen.add(item.objgen)
        action = item.get("/A")
        target = leads.array(item.get("/Dest"))
        if target is None and isinstance(action, Dictionary) and action.get("/S") == Name.GoTo:
            target = leads.array(action.get("/D"))
        entry = _Entry(item, target, any(key in item for key in _LEADING))
        entry.below = _entries(item, leads, seen, depth + 1)
        found.append(entry)
        item = item.get("/Next")
    if item is not None:  # what cannot be read counts as an entry that goes
        found.append(_Entry(Dictionary(), None, leads=True))
    return found


def _kept(entries: list[_Entry]) -> tuple[list[_Entry], bool]:
    """The entries that stay, and whether that is all of them."""
    found: list[_Entry] = []
    whole = True
    for entry in entries:
        below, all_below = _kept(entry.below)
        stays = entry.target is not None or (not entry.leads and bool(below) and all_below)
        whole = whole and stays and all_below
        if stays:
            entry.below = below
            found.append(entry)
        else:
            found += below
    return found, whole


def _write(document: pikepdf.Pdf, parent: Object, entries: list[_Entry]) -> int:
    """Hang these entries below `parent`; returns how many of them and of those below are open to view."""
    made = [_item(document, parent, entry) for entry in entries]
    visible = len(made)
    for place, (item, entry) in enumerate(zip(made, entries, strict=True)):
        if place:
            item["/Prev"] = made[place - 1]
            made[place - 1]["/Next"] = item
        if entry.below:
            shown = _write(document, item, entry.below)
            open_ = _is_open(entry.source)
            item["/Count"] = shown if open_ else -shown
            visible += shown if open_ else 0
    parent["/First"], parent["/Last"] = made[0], made[-1]
    return visible


def _item(document: pikepdf.Pdf, parent: Object, entry: _Entry) -> Dictionary:
    item = document.make_indirect(Dictionary(Parent=parent))
    title = entry.source.get("/Title")
    item["/Title"] = title if isinstance(title, String) else String("")
    if entry.target is not None:
        item["/Dest"] = entry.target
    color, style = entry.source.get("/C"), entry.source.get("/F")
    if isinstance(color, Array) and not any(isinstance(part, Array | Dictionary) for part in color):
        item["/C"] = Array(list(color))
    if isinstance(style, int):
        item["/F"] = style
    return item


def _is_open(source: Dictionary) -> bool:
    count = source.get("/Count")
    return isinstance(count, int) and count > 0
