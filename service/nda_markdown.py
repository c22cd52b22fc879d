"""The agreement's text as its owner writes it: Markdown (CommonMark) without HTML, pictures and odd links.

Read once when it is added, where what cannot stay is refused with its line; then rendered for the page and, block by
block, for the signed record. Pure.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from service.errors import DomainError, Problem
from watermark.bidi import strong_rtl

MAX_BYTES = 32 * 1024
"""Bytes of a text in UTF-8: some ten printed pages. Agreements for reading a report have two to five."""

MAX_HTML = 36_000
"""Bytes of the text as it stands on the page, which with all else has at most 50 KB."""

LINKS = ("https://", "mailto:")
"""What a link may lead to: nothing that a page of ours could be made to run or to load unsealed."""

_BIDI_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""Characters that make a text read in another order than it is kept in."""

_DEEPEST = 6
"""The lowest heading of HTML."""

_READER = MarkdownIt("commonmark", {"html": False})

# For looking only: finds what is refused, which the reader above would show as plain characters.
_FINDER = MarkdownIt("commonmark", {"html": True})
_FINDER.validateLink = lambda url: True  # type: ignore[method-assign]


@dataclass(frozen=True)
class Block:
    """One block of the text in plain characters, for where there is no HTML."""

    text: str  # a line break where the owner broke the line
    heading: int = 0  # 1 to 6; 0: none
    depth: int = 0  # lists and quotes around it
    marker: str = ""  # what stands before an item of a list
    rule: bool = False  # a line across the page, without a text


def check(text: str) -> None:
    """Raise `DomainError` (too-large, invalid; with the line where there is one) for a text that cannot be kept."""
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise _refused(1, "The text holds half of a character: save it as UTF-8.") from None
    if size > MAX_BYTES:
        raise DomainError(
            Problem.TOO_LARGE, f"A text of the agreement has at most {MAX_BYTES} bytes.", limit=MAX_BYTES
        )
    for number, line in enumerate(text.split("\n"), start=1):
        for character in line.removesuffix("\r"):
            _check_character(character, number)
    tokens = _FINDER.parse(text)
    for token in tokens:
        _check_token(token)
    if not any(token.type == "inline" and token.content.strip() for token in tokens):
        raise _refused(1, "The text is empty.")
    if len(as_html(text).encode()) > MAX_HTML:
        detail = f"As HTML the text would have more than {MAX_HTML} bytes: shorten it, or use fewer marks."
        raise DomainError(Problem.TOO_LARGE, detail, limit=MAX_HTML)


def as_html(text: str) -> str:
    """The text as HTML below a heading of the first level: its own begin at the second.

    Everything in it is escaped or made here. Each block has the direction of its first letters.
    """
    tokens = _READER.parse(text)
    _direct(tokens)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, _DEEPEST)}"
        for child in token.children or []:
            if child.type == "link_open":
                child.attrSet("rel", "noopener noreferrer")
    return str(_READER.renderer.render(tokens, _READER.options, {}))


def as_blocks(text: str) -> list[Block]:
    """The text block by block, in order; all of its words are there, and where links lead."""
    return list(_blocks(_READER.parse(text)))


def _direct(tokens: list[Token]) -> None:
    """Give each block the direction of its first strong letter.

    `dir=auto` would not do: it looks past what is within a list or quotation and has a direction of its own.
    """
    around: list[Token] = []
    for token in tokens:
        if token.nesting == 1:
            around.append(token)
        elif token.nesting == -1:
            around.pop()
        elif token.type == "inline":
            rtl = strong_rtl(_words(token.children or []))
            for block in around:
                if rtl is not None and "dir" not in block.attrs:
                    block.attrSet("dir", "rtl" if rtl else "ltr")


def _check_character(character: str, line: int) -> None:
    category = unicodedata.category(character)
    hidden = category in {"Cc", "Zl", "Zp"} and character != "\t"
    if hidden or unicodedata.bidirectional(character) in _BIDI_CONTROLS:
        raise _refused(line, f"Remove the control character U+{ord(character):04X}.")


def _check_token(token: Token) -> None:
    line = token.map[0] + 1 if token.map else 1
    if token.type == "html_block":
        raise _refused(line, "The text has no HTML: write it in Markdown.")
    for child in token.children or []:
        if child.type in {"softbreak", "hardbreak"}:
            line += 1
        if child.type == "html_inline":
            raise _refused(line, "The text has no HTML: write it in Markdown.")
        if child.type == "image":
            raise _refused(line, "The text has no pictures: what is agreed to is its words.")
        if child.type == "link_open" and not str(child.attrs.get("href", "")).lower().startswith(LINKS):
            raise _refused(line, f"A link leads to {' or '.join(LINKS)}.")


def _refused(line: int, what: str) -> DomainError:
    return DomainError(Problem.INVALID, f"Line {line}: {what}", where="markdown", line=line)


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    heading, depth, marker = 0, 0, ""
    numbers: list[int | None] = []  # of the lists around: the next item's, or None for one of bullets
    for token in tokens:
        if token.type in {"ordered_list_open", "bullet_list_open", "blockquote_open"}:
            depth += 1
            if token.type != "blockquote_open":
                start = int(token.attrs.get("start", 1)) if token.type == "ordered_list_open" else None
                numbers.append(start)
        elif token.type in {"ordered_list_close", "bullet_list_close", "blockquote_close"}:
            depth -= 1
            if token.type != "blockquote_close":
                numbers.pop()
        elif token.type == "list_item_open":
            number = numbers[-1]
            marker = "•" if number is None else f"{number}{token.markup}"
            numbers[-1] = None if number is None else number + 1
        elif token.type == "list_item_close":
            marker = ""
        elif token.type == "heading_open":
            heading = int(token.tag[1])
        elif token.type in {"fence", "code_block"}:
            yield Block(token.content.rstrip("\n"), depth=depth, marker=marker)
            marker = ""
        elif token.type == "hr":
            yield Block("", depth=depth, rule=True)
        elif token.type == "inline":
            yield Block(_words(token.children or []), heading=heading, depth=depth, marker=marker)
            heading, marker = 0, ""


def _words(children: list[Token]) -> str:
    """The words of a block, and behind those of a link where it leads."""
    words: list[str] = []
    href, began = "", 0
    for child in children:
        if child.type == "link_open":
            href, began = str(child.attrs.get("href", "")), len(words)
        elif child.type == "link_close":
            if "".join(words[began:]) not in {href, href.removeprefix("mailto:")}:
                words.append(f" ({href})")
        elif child.type == "softbreak":
            words.append(" ")
        elif child.type == "hardbreak":
            words.append("\n")
        else:
            words.append(child.content)
    return "".join(words)
