"""What a file is, what its copies can carry, and what would be removed from it. Both answers come from the child."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.standalone.child import in_child
from service.standalone.source import read_source
from watermark.errors import RefusalReason, Refused
from watermark.inspection import DEFAULT_PDF_LIMITS, FONT_KINDS, MAX_COORDINATE, PageGeometry
from watermark.producer import PRODUCERS
from watermark.removal import Removed, removed_of
from watermark.woven.capacity import Capacity, capacity_of

SEED = bytes(32).hex()
"""Where marks would stand is nobody's secret here: the template is thrown away."""

MAX_FONTS = 100_000_000
"""A file of the largest size accepted holds fewer objects."""

MAX_UNIT = 1e12
"""Points a unit: with it, the narrowest box that floats of this size tell apart reaches the largest page accepted."""

_Edge = Annotated[float, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, le=MAX_FONTS)]


class _Believed(BaseModel):
    """What the child may answer, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SeenPage(_Believed):
    """The geometry of a page, as `watermark.inspection.PageGeometry`."""

    box: tuple[_Edge, _Edge, _Edge, _Edge]
    rotation: Literal[0, 90, 180, 270]
    user_unit: Annotated[float, Field(gt=0, le=MAX_UNIT, allow_inf_nan=False)]
    default_box: bool

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points, as the page is shown."""
        return PageGeometry(self.box, self.rotation, self.user_unit, self.default_box).size


class Seen(_Believed):
    """What a sound PDF is, as `watermark.inspection.Inspection`."""

    pages: Annotated[tuple[SeenPage, ...], Field(min_length=1, max_length=DEFAULT_PDF_LIMITS.max_pages)]
    version: Annotated[str, Field(pattern=r"^([0-9]\.[0-9]|unknown)$")]
    encrypted: bool
    producer: Annotated[str, Field(max_length=20)]
    tagged: bool
    outline: bool
    form: bool
    removes: dict[str, int]
    fonts: Annotated[dict[str, _Count], Field(max_length=len(FONT_KINDS))]


@dataclass(frozen=True)
class Inspected:
    """What was found before the file was refused, if it was. Of a file that was too large to read, only its size."""

    path: Path
    size: int
    sha256: str | None
    seen: Seen | None
    removed: tuple[Removed, ...]
    capacity: Capacity | None
    refused: Refused | None


def inspect_file(path: Path, *, allow_unconfined: bool = False) -> Inspected:
    """Look at the file, then compile it as `mark` would; the template is thrown away.

    A refusal is an answer. Raises `FileUnusable`, `SandboxUnavailable`.
    """
    try:
        source = read_source(path)
    except Refused as refused:
        return Inspected(path, path.stat().st_size, None, None, (), None, refused)
    seen: Seen | None = None
    removed: tuple[Removed, ...] = ()
    capacity: Capacity | None = None
    why: Refused | None = None
    try:
        answered = in_child("inspect", source.data, {}, allow_unconfined=allow_unconfined).facts
        seen = _believed(answered)
        removed = removed_of(seen.removes)
        compiled = in_child("compile", source.data, {"seed": SEED}, allow_unconfined=allow_unconfined)
        capacity = capacity_of(compiled.facts)
    except Refused as refused:
        why = refused
    return Inspected(path, len(source.data), source.sha256.hex(), seen, removed, capacity, why)


def _believed(answered: dict[str, object]) -> Seen:
    try:
        seen = Seen.model_validate(answered)
        if seen.producer not in PRODUCERS or not seen.fonts.keys() <= FONT_KINDS:
            raise Refused(RefusalReason.DAMAGED, where="the child's inspection")
        return seen
    except ValidationError as error:
        raise Refused(RefusalReason.DAMAGED, where="the child's inspection") from error
