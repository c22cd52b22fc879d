"""The lender's own look: a logo and a colour, by settings. Checked when the service starts, so that pages stay legible.

Contrast is WCAG 2.2's (1.4.3): text on a button has at least 4.5:1, whatever colour was chosen.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from service.settings import SettingError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_HEADER = struct.Struct(">8sI4sII")
"""Signature, length and type of the first chunk, which is IHDR, width and height (PNG, 5.2 and 11.2.1)."""

MAX_LOGO_BYTES = 20_000
"""A page with all that it loads stays within 50 kB."""

LOGO_HEIGHT = 28
"""CSS pixels in which it is shown; a picture of twice that is sharp everywhere."""

MAX_LOGO_SIDE = 2000

LEAST_CONTRAST = 4.5
STEPS = 64
"""In how many steps a colour is moved towards black or white until it can be read."""

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
INK_ON_LIGHT = (0x0D, 0x1F, 0x1D)
"""Text on a light button, as in `static/page.css`; about as dark as the page in dark mode."""

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Logo:
    """A PNG, and its size in CSS pixels."""

    body: bytes
    width: int
    height: int


def read_logo(path: Path) -> Logo:
    """The PNG in this file. Raises `SettingError`."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise SettingError("LOGO", f"cannot read the file that it names: {type(error).__name__}") from None
    if len(body) > MAX_LOGO_BYTES:
        raise SettingError("LOGO", f"the picture has {len(body)} bytes; at most {MAX_LOGO_BYTES} are shown")
    if len(body) < PNG_HEADER.size:
        raise SettingError("LOGO", "the file that it names is no PNG")
    signature, _, first, width, height = PNG_HEADER.unpack_from(body)
    if signature != PNG_SIGNATURE or first != b"IHDR":
        raise SettingError("LOGO", "the file that it names is no PNG")
    if not (0 < width <= MAX_LOGO_SIDE and 0 < height <= MAX_LOGO_SIDE):
        raise SettingError("LOGO", f"the picture is at most {MAX_LOGO_SIDE} pixels wide and high")
    return Logo(body, max(1, round(width * LOGO_HEIGHT / height)), LOGO_HEIGHT)


def color_rules(color: str) -> str:
    """The style rules that put this colour, `#rrggbb`, in place of ours, in light and in dark mode."""
    chosen: Rgb = (int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16))
    light, on_light = _readable(chosen)
    dark = _moved(chosen, WHITE, lambda moved: _contrast(moved, INK_ON_LIGHT) >= LEAST_CONTRAST)
    return (
        f":root {{ {_variables(light, on_light, BLACK)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(dark, INK_ON_LIGHT, WHITE)} }} }}\n"
    )


def _variables(accent: Rgb, on_accent: Rgb, towards: Rgb) -> str:
    hover = _mixed(accent, towards, 0.15)
    if _contrast(hover, on_accent) < LEAST_CONTRAST:
        hover = accent
    return f"--accent: {_hex(accent)}; --accent-hover: {_hex(hover)}; --on-accent: {_hex(on_accent)};"


def _readable(accent: Rgb) -> tuple[Rgb, Rgb]:
    """The colour, darkened where neither white nor dark text can be read on it, and the text on it."""
    for text in (WHITE, INK_ON_LIGHT):
        if _contrast(accent, text) >= LEAST_CONTRAST:
            return accent, text
    return _moved(accent, BLACK, lambda moved: _contrast(moved, WHITE) >= LEAST_CONTRAST), WHITE


def _moved(color: Rgb, towards: Rgb, enough: Callable[[Rgb], bool]) -> Rgb:
    steps = (_mixed(color, towards, step / STEPS) for step in range(STEPS + 1))
    return next(moved for moved in steps if enough(moved))


def _mixed(color: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (
        round(mine + (theirs - mine) * share) for mine, theirs in zip(color, other, strict=True)
    )
    return red, green, blue


def _contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Rgb) -> float:
    """The relative luminance of WCAG 2.2."""
    red, green, blue = (_linear(part / 255) for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _hex(color: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
