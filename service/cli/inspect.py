"""`sealmark inspect`: what a PDF is and can carry, without a service."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.failures import RefusedHere
from service.cli.output import answer, json_option
from service.cli.progress import progress

if TYPE_CHECKING:
    from service.standalone.inspecting import Inspected, Seen, SeenPage

MAX_SIZES = 5
"""Page sizes named for people; `--json` has those of all pages."""


@click.command(short_help="Say what a PDF is, what it can carry, and what would be removed.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def inspect(file: Path, as_json: bool) -> None:
    """Say what FILE (a PDF) is, what its copies can carry, and what would be removed from it; or why it is refused.

    Nothing is written, and no service is needed.
    """
    from service.standalone.child import unconfined_is_allowed
    from service.standalone.inspecting import inspect_file

    with progress() as line:
        line.say("inspecting and compiling …")
        found = inspect_file(file, allow_unconfined=unconfined_is_allowed(os.environ))
    answer(_values(found) if as_json else _lines(found), as_json)
    if found.refused is not None:
        raise RefusedHere(f"the file is refused ({found.refused.reason}): {found.refused}")


def _values(found: Inspected) -> dict[str, Any]:
    from service.cli.carrying import capacity_values, removed_values

    seen, refused = found.seen, found.refused
    return {
        **_file(found),
        "refused": None if refused is None else {"reason": str(refused.reason), "message": str(refused)},
        "pdf": None if seen is None else _pdf(seen),
        "removes": None if seen is None else removed_values(found.removed),
        "capacity": None if found.capacity is None else capacity_values(found.capacity),
    }


def _pdf(seen: Seen) -> dict[str, Any]:
    pages = []
    for number, page in enumerate(seen.pages, 1):
        width, height = page.size
        pages.append(
            {
                "number": number,
                "width": round(width, 2),
                "height": round(height, 2),
                "rotation": page.rotation,
            }
        )
    return {
        "version": seen.version,
        "producer": seen.producer,
        "encrypted": seen.encrypted,
        "tagged": seen.tagged,
        "outline": seen.outline,
        "form": seen.form,
        "fonts": seen.fonts,
        "pages": pages,
    }


def _lines(found: Inspected) -> dict[str, Any]:
    from service.cli.carrying import removed_text

    lines: dict[str, Any] = _file(found)
    seen = found.seen
    if seen is not None:
        traits = {
            "encrypted (opens without a password)": seen.encrypted,
            "tagged": seen.tagged,
            "with an outline": seen.outline,
            "with a form": seen.form,
        }
        made_by = [] if seen.producer in {"unknown", "other"} else [f"made by {seen.producer}"]
        is_ = [f"PDF {seen.version}", *made_by, *(trait for trait, holds in traits.items() if holds)]
        lines |= {
            "is": ", ".join(is_),
            "pages": len(seen.pages),
            "page_sizes": _sizes(seen.pages),
            "fonts": ", ".join(f"{count} {kind}" for kind, count in seen.fonts.items()),
            "removes": removed_text(found.removed) or "nothing",
        }
    if found.capacity is not None:
        lines["carries"] = found.capacity.statement
    return lines


def _file(found: Inspected) -> dict[str, Any]:
    return {"file": str(found.path), "size": found.size, "sha256": found.sha256}


def _sizes(pages: Sequence[SeenPage]) -> str:
    """The sizes in points, each with its pages; the most frequent first."""
    from watermark.woven.capacity import page_ranges

    by_size: dict[str, list[int]] = {}
    for number, page in enumerate(pages, 1):
        width, height = page.size
        by_size.setdefault(f"{width:.0f} × {height:.0f} pt", []).append(number)
    if len(by_size) == 1:
        return next(iter(by_size))
    ordered = sorted(by_size.items(), key=lambda item: -len(item[1]))
    texts = [
        f"{size} (page{'s' * (len(numbers) > 1)} {page_ranges(numbers)})"
        for size, numbers in ordered[:MAX_SIZES]
    ]
    return "; ".join([*texts, *(["and more"] if len(ordered) > MAX_SIZES else [])])
