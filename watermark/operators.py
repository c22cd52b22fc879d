"""Read a content stream operator by operator, as far as marking and weaving need it. Every byte keeps its place."""

import math
import re
from collections.abc import Iterator

Token = tuple[str, int, int]
"""Kind (`number`, `name`, `string`, `other`) and the stretch [start, stop) of an operand."""

Operation = tuple[bytes, list[Token], int]
"""An operator, its operands, and the offset just behind it. An inline image is one operation, `EI`."""

_SPACE = rb"[\0\t\n\f\r ]"
_TOKEN = re.compile(
    _SPACE + rb"*(?:"
    rb"(?P<operator>[A-Za-z'\"][^\0\t\n\f\r ()<>\[\]{}/%]*)"
    rb"|(?P<number>[^\0\t\n\f\r ()<>\[\]{}/%A-Za-z'\"][^\0\t\n\f\r ()<>\[\]{}/%]*)"
    rb"|(?P<string>\((?:[^()\\]|\\.)*+\)|<(?!<)[^>]*>)"
    rb"|(?P<name>/[^\0\t\n\f\r ()<>\[\]{}/%]*)"
    rb"|(?P<other><<|>>|[\[\]{}>)])"
    rb"|(?P<comment>%[^\r\n]*)"
    rb"|(?P<nested>\()"
    rb")",
    re.DOTALL,
)
# A number (ISO 32000-1, 7.3.3). Of others, such as `1e5` or `--5`, each reader makes something of its own.
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_PARENTHESIS = re.compile(rb"\\.|[()]", re.DOTALL)
_IMAGE_DATA = re.compile(rb"(?:^|" + _SPACE + rb")ID" + _SPACE + rb"?")
_IMAGE_END = re.compile(_SPACE + rb"EI(?=" + _SPACE + rb"|$)")
# What follows an inline image reads as content: this many bytes of it hold no control character.
_PLAUSIBLE_AFTER_IMAGE = 16
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_BINARY = re.compile(rb"[^\t\n\f\r -~]")


class Operators:
    """The operations of a content stream, in order.

    `complete` is True once all of it was read; it stays False when the content breaks off in the midst of a string or
    an image: what follows there is lost to every reader.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.complete = False

    def __iter__(self) -> Iterator[Operation]:
        content, position, end = self.content, 0, len(self.content)
        operands: list[Token] = []
        match = _TOKEN.match
        while position < end:
            token = match(content, position)
            if token is None:
                # White space at the end, or a string that never ends.
                self.complete = not content[position:].strip(b"\0\t\n\f\r ")
                return
            kind = token.lastgroup
            position = token.end()
            if kind == "operator":
                operator = token[kind]
                if operator == b"BI":
                    past = self._past_image(position)
                    if past is None:
                        return
                    position = past
                    operator = b"EI"
                yield operator, operands, position
                operands = []
            elif kind == "nested":
                past = self._past_string(position)
                if past is None:
                    return
                operands.append(("string", position - 1, past))
                position = past
            elif kind is not None and kind != "comment":
                operands.append((kind, token.start(kind), position))
        self.complete = True

    def numbers(self, operands: list[Token], count: int) -> list[float] | None:
        """The last `count` operands as finite numbers, or None when they are none."""
        if len(operands) < count:
            return None
        found = [self.number(start, stop) for _, start, stop in operands[len(operands) - count :]]
        return found if all(map(math.isfinite, found)) else None

    def number(self, start: int, stop: int) -> float:
        """The number that stands there; not a number where none does, infinite where it is beyond all."""
        match = _NUMBER.fullmatch(self.content, start, stop)
        return math.nan if match is None else float(match.group())

    def name(self, operands: list[Token]) -> bytes:
        """The last operand as a name without its slash, `#20` read as a space; empty when it is none."""
        if not operands or operands[-1][0] != "name":
            return b""
        return _ESCAPED.sub(_unescaped, self.content[operands[-1][1] + 1 : operands[-1][2]])

    def _past_string(self, position: int) -> int | None:
        depth = 1
        for match in _PARENTHESIS.finditer(self.content, position):
            depth += {b"(": 1, b")": -1}.get(match.group(), 0)
            if depth == 0:
                return match.end()
        return None

    def _past_image(self, position: int) -> int | None:
        data = _IMAGE_DATA.search(self.content, position - 1)
        if data is None:
            return None
        for match in _IMAGE_END.finditer(self.content, data.end() - 1):
            if not _BINARY.search(self.content[match.end() : match.end() + _PLAUSIBLE_AFTER_IMAGE]):
                return match.end()
        return None


def _unescaped(match: "re.Match[bytes]") -> bytes:
    return bytes.fromhex(match[1].decode())
