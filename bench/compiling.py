"""What compile makes of a report, and what the rivals begin with."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import Any

import pikepdf

from watermark.clean import clean
from watermark.inspection import open_sound_pdf
from watermark.sandbox import run_in_child


@dataclass(frozen=True)
class Compiled:
    """A template, what compile said of it, and how long the child took in milliseconds."""

    template: bytes
    facts: dict[str, Any]
    milliseconds: float


def compiled(pdf: bytes) -> Compiled:
    """The report as the service compiles it, in a child process."""
    begin = time.perf_counter()
    result = run_in_child("compile", [pdf], {"seed": bytes(32).hex()})
    return Compiled(result.payload, result.facts, (time.perf_counter() - begin) * 1000)


def cleaned(pdf: bytes) -> bytes:
    """The report as compile begins with it: cleaned, unsealed, unmarked. The rivals mark this one."""
    with open_sound_pdf(pdf) as document:
        clean(document)
        buffer = io.BytesIO()
        document.save(
            buffer,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            compress_streams=True,
            encryption=False,
            min_version="1.5",
        )
    return buffer.getvalue()
