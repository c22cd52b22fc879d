"""Weave a document: the content of its pages, and of the forms that they draw."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from watermark.content import Matrix, as_matrix, invert, multiply
from watermark.pages import SourcePage
from watermark.woven.reach import reaches
from watermark.woven.sourcefont import SourceFont, read_font
from watermark.woven.text import Text, Word
from watermark.woven.weave import Woven, weave
from watermark.woven.words import read_text

_MOST_FORMS = 8  # forms within forms
# A form that is drawn so much larger elsewhere stays as it is: its words would move farther there.
_LARGER = 1.01

Id = tuple[int, int]


@dataclass
class Thread:
    """One content stream and what is woven into it: a page's (`form` is None), or a form's."""

    form: Stream | None
    content: bytes
    text: Text
    reach: dict[Word, float]
    woven: Woven

    @classmethod
    def spin(cls, form: Stream | None, content: bytes, text: Text) -> "Thread":
        """A thread in which all words move that may."""
        reach = reaches(text)
        return cls(form, content, text, reach, weave(content, text, reach))

    def fix(self, words: Iterable[Word]) -> None:
        """Let these words stay where they are."""
        for word in words:
            self.reach.pop(word, None)
        self.woven = weave(self.content, self.text, self.reach)

    def keep_wide(self, narrowest: float) -> None:
        """Leave so many em of each gap; words that were fixed stay so."""
        wider = reaches(self.text, narrowest)
        self.reach = {word: wider[word] for word in self.reach if word in wider}
        self.woven = weave(self.content, self.text, self.reach)


@dataclass(frozen=True)
class _Drawn:
    """A form as it was first drawn: how large, and its thread with those of the forms within it."""

    scale: float
    threads: list[Thread]


class Weaver:
    """Spins the threads of one document's pages. A form has one thread, however many pages draw it."""

    def __init__(self) -> None:
        self._fonts: dict[Id, SourceFont | None] = {}
        self._forms: dict[Id, _Drawn] = {}

    def threads(self, source: SourcePage) -> list[Thread]:
        """The page's own thread, then those of the forms that it draws."""
        seen = invert(source.view.matrix)
        if seen is None:
            raise ValueError("a page's view can be inverted")
        resources = source.page.Resources
        text = self._text(source.content, seen, resources)
        drawn = {id(thread): thread for thread in self._drawn(text, resources, 0)}
        return [Thread.spin(None, source.content, text), *drawn.values()]

    def _text(self, content: bytes, matrix: Matrix, resources: pikepdf.Object) -> Text:
        if _sets_fonts_by_states(resources):
            return Text([], [], [])
        fonts = resources.get(Name.Font)
        known = fonts if isinstance(fonts, Dictionary) else Dictionary()
        # A font that stands in the resources itself has no number to be known by.
        return read_text(content, matrix, cache(lambda name: self._font(known, name)))

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

    def _drawn(self, text: Text, resources: pikepdf.Object, depth: int) -> Iterator[Thread]:
        objects = resources.get(Name.XObject)
        if not isinstance(objects, Dictionary) or depth >= _MOST_FORMS:
            return
        for name, matrix in _largest(text.forms).items():
            form = objects.get("/" + name.decode("utf-8", "surrogateescape"))
            if not isinstance(form, Stream) or form.get(Name.Subtype) != Name.Form:
                continue
            drawn = self._forms.get(form.objgen)
            if drawn is None:
                self._forms[form.objgen] = drawn = _Drawn(
                    _scale(matrix), []
                )  # a form that draws itself ends here
                drawn.threads.extend(self._form(form, matrix, resources, depth))
            elif _scale(matrix) > drawn.scale * _LARGER:
                for thread in drawn.threads:
                    thread.fix(list(thread.reach))
            yield from drawn.threads

    def _form(self, form: Stream, matrix: Matrix, resources: pikepdf.Object, depth: int) -> list[Thread]:
        """The form's own thread and those of the forms within."""
        try:
            content = form.read_bytes()
        except pikepdf.PdfError:
            return []
        own = as_matrix(_numbers(form.get(Name.Matrix), 6))
        inner = form.get(Name.Resources)
        inner = inner if isinstance(inner, Dictionary) else resources
        text = self._text(content, multiply(own, matrix) if own else matrix, inner)
        within = list({id(thread): thread for thread in self._drawn(text, inner, depth + 1)}.values())
        return [Thread.spin(form, content, text), *within] if text.lines else within


def _largest(forms: Iterable[tuple[bytes, Matrix]]) -> dict[bytes, Matrix]:
    """Each form once, with that of its matrices which draws it largest."""
    found: dict[bytes, Matrix] = {}
    for name, matrix in forms:
        if name not in found or _scale(matrix) > _scale(found[name]):
            found[name] = matrix
    return found


def _scale(matrix: Matrix) -> float:
    a, b, c, d = matrix[:4]
    return max(math.hypot(a, b), math.hypot(c, d))


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
