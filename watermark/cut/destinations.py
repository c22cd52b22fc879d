"""Where links and outline entries lead, resolved while all pages are there."""

from decimal import Decimal

import pikepdf
from pikepdf import Array, Dictionary, Name, NameTree, Object, String

from watermark.clean import name_text

# ISO 32000-1, table 151.
_VIEWS = frozenset(("/XYZ", "/Fit", "/FitH", "/FitV", "/FitR", "/FitB", "/FitBH", "/FitBV"))
_MOST_NUMBERS = 4


class Destinations:
    """Gives destinations that lead to kept pages the form that needs no name; all others are None."""

    def __init__(self, document: pikepdf.Pdf, pages: list[Dictionary], kept: list[int]) -> None:
        """`kept` are places in `pages`."""
        self._pages = pages
        self._kept = {pages[number].objgen for number in kept}
        self._named = _named(document)

    def array(self, target: object) -> Array | None:
        """A destination of a kept page, however it is named, as an array of its own; None for any other."""
        for _ in range(2):  # a name, and the dictionary that it may stand for
            if isinstance(target, String | Name):
                target = self._named.get(name_text(target)[1:] if isinstance(target, Name) else str(target))
            if isinstance(target, Dictionary):
                target = target.get("/D")
        if not isinstance(target, Array) or not len(target):
            return None
        page = self._page(target[0])
        if page is None or page.objgen not in self._kept:
            return None
        view = [target[place] for place in range(1, min(len(target), 2 + _MOST_NUMBERS))]
        if not view or name_text(view[0]) not in _VIEWS:
            return Array([page, Name.Fit])
        return Array([page, view[0], *(item if _is_number(item) else None for item in view[1:])])

    def action(self, action: object) -> Dictionary | None:
        """The action, if it moves within the kept pages or opens a web page; without what would follow it."""
        if not isinstance(action, Dictionary):
            return None
        kind = action.get("/S")
        if kind == Name.GoTo:
            target = self.array(action.get("/D"))
            return None if target is None else Dictionary(S=Name.GoTo, D=target)
        if kind == Name.URI and isinstance(action.get("/URI"), String):
            return Dictionary(S=Name.URI, URI=action.URI)
        if kind == Name.Named and isinstance(action.get("/N"), Name):
            return Dictionary(S=Name.Named, N=action.N)
        return None

    def _page(self, named: object) -> Object | None:
        if isinstance(named, Dictionary):
            return named
        if isinstance(named, int) and 0 <= named < len(self._pages):  # readers take the number of a page, too
            return self._pages[named]
        return None


def _named(document: pikepdf.Pdf) -> dict[str, Object]:
    """What the names of destinations stand for. A tree that cannot be read names none: its links go."""
    found: dict[str, Object] = {}
    old = document.Root.get("/Dests")
    if isinstance(old, Dictionary):
        found.update((name[1:], value) for name, value in old.items())
    names = document.Root.get("/Names")
    tree = names.get("/Dests") if isinstance(names, Dictionary) else None
    if isinstance(tree, Dictionary):
        try:
            found.update(NameTree(tree).items())
        except (pikepdf.PdfError, ValueError, RuntimeError):
            return found
    return found


def _is_number(item: object) -> bool:
    return isinstance(item, int | float | Decimal) and not isinstance(item, bool)
