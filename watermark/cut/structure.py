"""The structure tree: the elements whose content stands on kept pages, made anew with their words.

An element that also held something of an omitted page stays for what is left, and loses its words (alternate and actual
text, expansion, title, attributes, identifier): they were for the whole of it. Where it cannot be known, it did.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream, String

from watermark.clean import name_text
from watermark.cut.attributes import attributes_of_class, attributes_of_element
from watermark.cut.reach import Id
from watermark.pages import SourcePage, decoded

_WORDS = ("/Alt", "/ActualText", "/E", "/T")
_MOST_ROLES = 50
"""Roles that stand for roles."""

_BYTES_A_MARK = 8
"""Of content that an identifier takes at least, `/P<</MCID 0>>BDC EMC` or less: so their numbers are bounded."""


@dataclass
class _Item:
    """What an element holds: another element, or content by its number or object."""

    element: _Element | None = None
    page: Object | None = None
    mark: int | None = None
    stream: Object | None = None  # the form in which the mark stands
    thing: Object | None = None  # an annotation, a form or an image as a whole


@dataclass
class _Element:
    source: Dictionary
    page: Object | None
    items: list[_Item] = field(default_factory=list)
    partial: bool = False
    new: Dictionary = field(default_factory=Dictionary)


class _Kept:
    """What of the pages is left to refer to."""

    def __init__(self, sources: list[SourcePage], shown: list[Object]) -> None:
        self.pages = {source.page.objgen: len(source.content) for source in sources}
        self.shown = {thing.objgen: thing for thing in shown if thing.is_indirect}

    def holds(self, item: _Item) -> bool:
        """Whether this content stands on a kept page."""
        if item.thing is not None and not isinstance(item.thing, Stream):
            return item.thing.objgen in self.shown  # an annotation has one page
        if item.page is None or item.page.objgen not in self.pages:
            return False
        if item.thing is not None:
            return item.thing.objgen in self.shown
        if item.mark is None:
            return False
        length = self.pages[item.page.objgen]
        if item.stream is not None:
            if not isinstance(item.stream, Stream) or item.stream.objgen not in self.shown:
                return False
            length = len(decoded(item.stream))
        return 0 <= item.mark <= length // _BYTES_A_MARK

    def may_omit(self, element: _Element) -> bool:
        """Whether an element without content may have stood on an omitted page."""
        if element.page is None:
            return any(element.source.get(key) is not None for key in _WORDS)
        return element.page.objgen not in self.pages


def kept_structure(
    document: pikepdf.Pdf, sources: list[SourcePage], shown: list[Object]
) -> Dictionary | None:
    """The structure tree of the kept pages; `shown` is every dictionary that they reach. None when nothing is left.

    Pages, forms and annotations get their numbers in it anew; they must have none before.
    """
    root = document.Root.get("/StructTreeRoot")
    if not isinstance(root, Dictionary):
        return None
    top = _read(root)
    _leave(top, _Kept(sources, shown))
    if not top.items:
        return None
    elements = [element for element in _all(top) if element is not top]
    for element in elements:
        element.new = document.make_indirect(Dictionary(Type=Name.StructElem))
    top.new = document.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    parents = _Parents(document)
    known = {
        bytes(element.source.ID)
        for element in elements
        if not element.partial and isinstance(element.source.get("/ID"), String)
    }
    for element in [top, *elements]:
        _write(element, parents, known)
    made = {
        "/ParentTree": parents.tree(),
        "/RoleMap": _roles(root.get("/RoleMap"), elements),
        "/ClassMap": _classes(root.get("/ClassMap"), elements),
        "/IDTree": _identifiers(elements),
    }
    for key, value in made.items():
        if value is not None:
            top.new[key] = value
    top.new["/ParentTreeNextKey"] = parents.next
    return top.new


def _read(root: Dictionary) -> _Element:
    """The tree as the file has it. An element that stands in it twice is read once, and is lost to the other place."""
    top = _Element(root, None)
    seen: set[Id] = set()
    waiting = [top]
    while waiting:
        element = waiting.pop()
        held = element.source.get("/K")
        for one in held if isinstance(held, Array) else [held]:
            item = _item(one, element, seen)
            if item is not None:
                element.items.append(item)
                if item.element is not None:
                    waiting.append(item.element)
            elif one is not None:
                element.partial = True
    return top


def _item(one: object, element: _Element, seen: set[Id]) -> _Item | None:
    if isinstance(one, int):
        return _Item(page=element.page, mark=one)
    if not isinstance(one, Dictionary):
        return None
    own = one.get("/Pg")
    page = own if isinstance(own, Dictionary) else element.page
    kind = name_text(one.get("/Type"))
    if kind == "/MCR":
        mark = one.get("/MCID")
        return _Item(page=page, mark=mark if isinstance(mark, int) else None, stream=one.get("/Stm"))
    if kind == "/OBJR":
        return _Item(page=page, thing=one.get("/Obj"))
    if "/S" not in one or (one.is_indirect and one.objgen in seen):
        return None
    if one.is_indirect:
        seen.add(one.objgen)
    return _Item(element=_Element(one, page))


def _all(top: _Element) -> list[_Element]:
    """The element and all below it, each before what it holds, in the order of reading."""
    found = []
    waiting = [top]
    while waiting:
        element = waiting.pop()
        found.append(element)
        waiting += [item.element for item in reversed(element.items) if item.element is not None]
    return found


def _leave(top: _Element, kept: _Kept) -> None:
    """Take out what is not kept, and note which elements lost something."""
    for element in reversed(_all(top)):
        left = []
        for item in element.items:
            if item.element is None:
                stays = kept.holds(item)
            else:
                stays = bool(item.element.items)
                element.partial = element.partial or item.element.partial
            if stays:
                left.append(item)
            elif item.element is None or kept.may_omit(item.element):
                element.partial = True
        element.items = left


class _Parents:
    """The way back, from content to the element that holds it."""

    def __init__(self, document: pikepdf.Pdf) -> None:
        self._document = document
        self._numbers: dict[Id, int] = {}
        self._marks: dict[int, dict[int, Dictionary]] = defaultdict(dict)
        self._things: dict[int, Dictionary] = {}
        self.next = 0

    def mark(self, owner: Object, number: int, element: Dictionary) -> None:
        """This mark in the content of a page or form is the element's."""
        if owner.objgen not in self._numbers:
            self._numbers[owner.objgen] = owner["/StructParents"] = self._new()
        self._marks[self._numbers[owner.objgen]][number] = element

    def thing(self, owner: Object, element: Dictionary) -> None:
        """This annotation, form or image is the element's."""
        owner["/StructParent"] = number = self._new()
        self._things[number] = element

    def tree(self) -> Dictionary:
        """The tree of all that was said."""
        listed = Array()
        for number in range(self.next):
            listed.append(number)
            if number in self._things:
                listed.append(self._things[number])
            else:
                marks = self._marks[number]
                held = Array([marks.get(mark) for mark in range(max(marks) + 1)])
                listed.append(self._document.make_indirect(held))
        return self._document.make_indirect(Dictionary(Nums=listed))

    def _new(self) -> int:
        self.next += 1
        return self.next - 1


def _write(element: _Element, parents: _Parents, known: set[bytes]) -> None:
    """Fill the new element: its kind, its words if nothing of it is gone, and what is left in it.

    `known` are the identifiers of all elements that keep theirs.
    """
    new, source = element.new, element.source
    if name_text(new.get("/Type")) == "/StructElem":
        for key, kind in (("/S", Name), ("/Lang", String)):
            if isinstance(source.get(key), kind):
                new[key] = source[key]
        if not element.partial:
            for key in (*_WORDS, "/ID"):
                if isinstance(source.get(key), String):
                    new[key] = source[key]
            if isinstance(source.get("/C"), Name | Array):
                new["/C"] = source.C
            attributes = attributes_of_element(source.get("/A"), known)
            if attributes is not None:
                new["/A"] = attributes
    held = Array()
    for item in element.items:
        held.append(_reference(item, new, parents))
    new["/K"] = held


def _reference(item: _Item, parent: Dictionary, parents: _Parents) -> Dictionary:
    if item.element is not None:
        item.element.new["/P"] = parent
        return item.element.new
    if item.thing is not None:
        parents.thing(item.thing, parent)
        return Dictionary(Type=Name.OBJR, Obj=item.thing)
    if item.page is None or item.mark is None:
        raise ValueError("kept content has a page and a number")
    reference = Dictionary(Type=Name.MCR, Pg=item.page, MCID=item.mark)
    if item.stream is not None:
        reference["/Stm"] = item.stream
    parents.mark(item.page if item.stream is None else item.stream, item.mark, parent)
    return reference


def _roles(roles: object, elements: list[_Element]) -> Dictionary | None:
    """What the kinds of these elements stand for, as far as it takes."""
    if not isinstance(roles, Dictionary):
        return None
    found: dict[str, Object] = {}
    for kind in {name_text(element.source.get("/S")) for element in elements}:
        name = kind
        for _ in range(_MOST_ROLES):
            role = roles.get(name) if name else None
            if name in found or not isinstance(role, Name):
                break
            found[name] = role
            name = name_text(role)
    return Dictionary(found) if found else None


def _classes(classes: object, elements: list[_Element]) -> Dictionary | None:
    """The attributes of the classes that these elements have."""
    if not isinstance(classes, Dictionary):
        return None
    used = set()
    for element in elements:
        said = element.new.get("/C")
        used |= {name_text(name) for name in (said if isinstance(said, Array) else [said])}
    made = {name: attributes_of_class(value) for name, value in classes.items() if name in used}
    found = {name: value for name, value in made.items() if value is not None}
    return Dictionary(found) if found else None


def _identifiers(elements: list[_Element]) -> Dictionary | None:
    """The elements that have an identifier, by it."""
    found = {
        bytes(element.new.ID): element.new
        for element in elements
        if isinstance(element.new.get("/ID"), String)
    }
    listed = [part for name in sorted(found) for part in (String(name), found[name])]
    if not listed:
        return None
    return Dictionary(Names=Array(listed))
