"""Weave a document: the content of its pages, and of the forms that they draw."""

from collections.abc import Iterator
from dataclasses import dataclass

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from watermark.content import Matrix, as_matrix, invert, multiply
from watermark.pages import SourcePage
from watermark.sourcefont import SourceFont, read_font
from watermark.weaving import NARROWEST, Woven, weave
from watermark.words import Text, read_text

_MOST_FORMS = 8  # forms within forms

Id = tuple[int, int]


@dataclass
class WovenForm:
    """A form that pages draw, woven once however often it is drawn."""

    stream: Stream
    woven: Woven


class Weaver:
    """Weaves the pages of one document, each form with the first page that draws it."""

    def __init__(self) -> None:
        self._fonts: dict[Id, SourceFont | None] = {}
        self._seen: set[Id] = set()

    def page(self, source: SourcePage, narrowest: float = NARROWEST) -> tuple[Woven, list[WovenForm]]:
        """The page's woven content, and the forms that it is the first to draw."""
        seen = invert(source.view.matrix)
        if seen is None:
            raise ValueError("a page's view can be inverted")
        resources = source.page.Resources
        text = self._text(source.content, seen, resources)
        forms = list(self._forms(text, resources, narrowest, 0))
        return weave(source.content, text, narrowest), forms

    def _text(self, content: bytes, matrix: Matrix, resources: pikepdf.Object) -> Text:
        if _sets_fonts_by_states(resources):
            return Text([], [], [], True)
        fonts = resources.get(Name.Font)
        known = fonts if isinstance(fonts, Dictionary) else Dictionary()
        return read_text(content, matrix, lambda name: self._font(known, name))

    def _font(self, fonts: Dictionary, name: bytes) -> SourceFont | None:
        try:
            font = fonts.get("/" + name.decode())
        except UnicodeDecodeError:
            return None
        if font is None:
            return None
        number: Id = font.objgen
        if number == (0, 0):
            return read_font(font)
        if number not in self._fonts:
            self._fonts[number] = read_font(font)
        return self._fonts[number]

    def _forms(
        self,
        text: Text,
        resources: pikepdf.Object,
        narrowest: float,
        depth: int,
    ) -> Iterator[WovenForm]:
        objects = resources.get(Name.XObject)
        if not isinstance(objects, Dictionary) or depth >= _MOST_FORMS:
            return
        for name, matrix in text.forms:
            form = objects.get("/" + name.decode("utf-8", "surrogateescape"))
            if (
                not isinstance(form, Stream)
                or form.get(Name.Subtype) != Name.Form
                or form.objgen in self._seen
            ):
                continue
            self._seen.add(form.objgen)
            try:
                content = form.read_bytes()
            except pikepdf.PdfError:
                continue
            own = as_matrix(_numbers(form.get(Name.Matrix), 6))
            inner = form.get(Name.Resources)
            inner = inner if isinstance(inner, Dictionary) else resources
            inner_text = self._text(content, multiply(own, matrix) if own else matrix, inner)
            yield from self._forms(inner_text, inner, narrowest, depth + 1)
            woven = weave(content, inner_text, narrowest)
            if woven.operands:
                yield WovenForm(form, woven)


def _sets_fonts_by_states(resources: pikepdf.Object) -> bool:
    """Whether a graphics state sets a font, which nobody's does: such text is left as it is."""
    states = resources.get(Name.ExtGState)
    if not isinstance(states, Dictionary):
        return False
    return any(isinstance(state, Dictionary) and Name.Font in state for _, state in states.items())


def _numbers(array: object, count: int) -> list[float] | None:
    if not isinstance(array, Array) or len(array) != count:
        return None
    try:
        return [float(value) for value in array]
    except (TypeError, ValueError):
        return None
