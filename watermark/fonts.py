"""Which font draws which character: Noto Sans, which comes along in a package, and the system's Noto fonts.

A font is opened when a text first needs it, by mapping its file, and kept: the Chinese one has 20 MB.
"""

import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path

import uharfbuzz as hb
from fontTools.unicodedata import script, script_extension, script_name

from watermark.errors import Unmarkable

FONT_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("/opt/homebrew/share/fonts"),
    Path("/Library/Fonts"),
)

_PACKAGED = "NotoSans[wdth,wght].ttf"
_PACKAGED_SCRIPTS = frozenset({"Latn", "Grek", "Cyrl"})
# Scripts of no language: such a character is drawn by the font of its neighbours when that has it.
_SHARED_SCRIPTS = frozenset({"Zyyy", "Zinh", "Zzzz"})
# Index of a regional design inside NotoSansCJK-Regular.ttc, and the name of the font that holds it alone.
_CJK = {"Hira": (0, "JP"), "Kana": (0, "JP"), "Hang": (1, "KR"), "Hani": (2, "SC"), "Bopo": (3, "TC")}
_CORE_PACKAGE, _CJK_PACKAGE = "fonts-noto-core", "fonts-noto-cjk"
# Joiners and variation selectors that a font lacks are left out by HarfBuzz without a trace.
_IGNORABLE = frozenset([0x200C, 0x200D, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])


@dataclass(frozen=True)
class Source:
    """Where a font is looked for: its name as people know it, its package, and its file names with a face's index."""

    name: str
    package: str
    files: tuple[tuple[str, int], ...]


class Face:
    """One opened font. Equal only to itself."""

    def __init__(self, name: str, path: Path, index: int) -> None:
        self.name = name
        self._face = hb.Face(hb.Blob.from_file_path(str(path)), index)
        self.units_per_em: int = self._face.upem
        self.font = hb.Font(self._face)

    def covers(self, text: str) -> bool:
        """Whether the font has a glyph for each character, ignorable ones aside."""
        return all(ord(c) in _IGNORABLE or self.font.get_nominal_glyph(ord(c)) for c in text)


@dataclass(frozen=True)
class FacedRun:
    """Characters [start, stop) of a text that one face draws; `script` is ISO 15924, for HarfBuzz."""

    start: int
    stop: int
    face: Face
    script: str


class Fonts:
    """The fonts under some folders, besides the packaged one."""

    def __init__(self, folders: Iterable[Path] = FONT_FOLDERS) -> None:
        self._folders = tuple(folders)
        self._faces: dict[Source, Face | None] = {}

    @cached_property
    def _paths(self) -> dict[str, Path]:
        """Every Noto Sans file below the folders, by its name."""
        found: dict[str, Path] = {}
        for folder in self._folders:
            for place, _, names in os.walk(folder):
                for name in names:
                    if name.startswith("NotoSans"):
                        found.setdefault(name, Path(place, name))
        return found

    def runs(self, field: str, text: str) -> list[FacedRun]:
        """The text cut where the face or the script changes. Raises `Unmarkable` for what no font here draws."""
        scripts = _scripts(text)
        runs: list[FacedRun] = []
        for start, stop in _clusters(text):
            face = self._face_of(field, text[start:stop], scripts[start], runs[-1] if runs else None)
            last = runs[-1] if runs else None
            if last and last.face is face and last.script == scripts[start]:
                runs[-1] = FacedRun(last.start, stop, face, last.script)
            else:
                runs.append(FacedRun(start, stop, face, scripts[start]))
        return runs

    def check(self, field: str, text: str) -> None:
        """Raises `Unmarkable` when no font here draws all of the text."""
        self.runs(field, text)

    def _face_of(self, field: str, cluster: str, script_code: str, last: FacedRun | None) -> Face:
        source = _source(script_code)
        face = self._open(source)
        if face and face.covers(cluster):
            return face
        if last and last.face.covers(cluster):
            return last.face
        for other in (_source("Latn"), *(_source(code) for code in ("Hani", "Hira", "Hang"))):
            fallback = self._open(other)
            if fallback and fallback.covers(cluster):
                return fallback
        character = f"U+{ord(cluster[0]):04X}"
        if face is None:
            raise Unmarkable(
                field,
                "missing-font",
                f"The {field} holds {character}, which needs the font {source.name}. "
                f"Install the package {source.package} where Sealmark runs.",
                source.name,
            )
        raise Unmarkable(
            field,
            "no-glyph",
            f"The {field} holds {character}, which {source.name} cannot draw. Remove it.",
            source.name,
        )

    def _open(self, source: Source) -> Face | None:
        if source not in self._faces:
            self._faces[source] = self._find(source)
        return self._faces[source]

    def _find(self, source: Source) -> Face | None:
        for name, index in source.files:
            path = (
                Path(str(files("fontpkg_noto_sans") / "files" / name))
                if name == _PACKAGED
                else self._paths.get(name)
            )
            if path and path.is_file():
                return Face(source.name, path, index)
        return None


@cache
def system_fonts() -> Fonts:
    """The fonts of this machine. One object, so that each font is opened once in a process."""
    return Fonts()


@cache
def _source(script_code: str) -> Source:
    if script_code in _PACKAGED_SCRIPTS or script_code in _SHARED_SCRIPTS:
        return Source("Noto Sans", "fontpkg-noto-sans", ((_PACKAGED, 0),))
    if script_code in _CJK:
        index, region = _CJK[script_code]
        names = (
            ("NotoSansCJK-Regular.ttc", index),
            (f"NotoSansCJK{region.lower()}-Regular.otf", 0),
            (f"NotoSans{region}-Regular.otf", 0),
        )
        return Source(f"Noto Sans CJK {region}", _CJK_PACKAGE, names)
    # Noto names its fonts as Unicode names the scripts.
    name = script_name(script_code, default=script_code).replace("_", " ")
    return Source(f"Noto Sans {name}", _CORE_PACKAGE, ((f"NotoSans{name.replace(' ', '')}-Regular.ttf", 0),))


def _scripts(text: str) -> list[str]:
    """A script for each character: its own, or for shared ones that of the text before it, or else after it.

    One that only some scripts share (Unicode's Script_Extensions), such as the Arabic comma, is of one of these.
    Chinese characters in a text with kana are taken for Japanese, with Hangul for Korean.
    """
    own = [script(character) for character in text]
    for region in ("Hira", "Kana", "Hang"):
        if region in own:
            own = [region if code == "Hani" else code for code in own]
            break
    first = next((code for code in own if code not in _SHARED_SCRIPTS), "Latn")
    resolved = []
    for character, code in zip(text, own, strict=True):
        first = first if code in _SHARED_SCRIPTS else code
        resolved.append(_narrowed(character, first, own) if code in _SHARED_SCRIPTS else code)
    return resolved


def _narrowed(character: str, before: str, own: list[str]) -> str:
    """The script of a shared character that follows one of script `before`, in a text of these scripts."""
    sharing = script_extension(character) - _SHARED_SCRIPTS
    if not sharing or before in sharing:
        return before
    here = [code for code in own if code in sharing]
    if here:
        return here[0]
    return "Arab" if "Arab" in sharing else before


def _clusters(text: str) -> list[tuple[int, int]]:
    """Where to cut between faces: a character with the marks and joiners that follow it stays whole."""
    starts = [
        index
        for index, character in enumerate(text)
        if index == 0 or not (unicodedata.category(character).startswith("M") or ord(character) in _IGNORABLE)
    ]
    return list(zip(starts, [*starts[1:], len(text)], strict=True)) if text else []
