"""From text to placed glyphs: HarfBuzz run by run, in the order in which it is seen."""

from dataclasses import dataclass

import uharfbuzz as hb

from watermark.bidi import visual_runs
from watermark.fonts import Face, Fonts

# All lengths here are in thousandths of an em.
EM = 1000


@dataclass(frozen=True)
class Part:
    """A glyph of a face, its origin moved by (x, y) thousandths of an em."""

    face: Face
    glyph: int
    x: int
    y: int


@dataclass(frozen=True)
class Cluster:
    """What cannot be taken apart: the text of a letter with its marks or of a ligature, its glyphs, its advance."""

    text: str
    parts: tuple[Part, ...]
    advance: int
    rtl: bool = False


def shape(field: str, text: str, fonts: Fonts, rtl: bool | None = None) -> list[Cluster]:
    """The clusters of the text from left to right; `rtl` as in `bidi.visual_runs`.

    Raises `Unmarkable` for what no font draws.
    """
    clusters: list[Cluster] = []
    for directed in visual_runs(text, rtl):
        piece = text[directed.start : directed.stop]
        runs = fonts.runs(field, piece)
        for run in reversed(runs) if directed.rtl else runs:
            clusters += _shape_run(piece[run.start : run.stop], run.face, run.script, directed.rtl)
    return clusters


def width(clusters: list[Cluster]) -> int:
    """How far the clusters reach, in thousandths of an em."""
    return sum(cluster.advance for cluster in clusters)


def _shape_run(text: str, face: Face, script: str, rtl: bool) -> list[Cluster]:
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.direction = "rtl" if rtl else "ltr"
    buffer.script = script
    hb.shape(face.font, buffer)
    scale = EM / face.units_per_em
    starts = sorted({info.cluster for info in buffer.glyph_infos})
    stop_of = dict(zip(starts, [*starts[1:], len(text)], strict=True))
    clusters: list[Cluster] = []
    parts: list[Part] = []
    pen = 0.0
    infos, positions = buffer.glyph_infos, buffer.glyph_positions
    for index, (info, position) in enumerate(zip(infos, positions, strict=True)):
        parts.append(
            Part(
                face,
                info.codepoint,
                round((pen + position.x_offset) * scale),
                round(position.y_offset * scale),
            )
        )
        pen += position.x_advance
        if index + 1 == len(infos) or infos[index + 1].cluster != info.cluster:
            covered = text[info.cluster : stop_of[info.cluster]]
            clusters.append(Cluster(covered, tuple(parts), round(pen * scale), rtl))
            parts, pen = [], 0.0
    return clusters
