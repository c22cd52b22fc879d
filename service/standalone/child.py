"""The confined child, as users without settings have it: with the limits that the service has by default."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from watermark.sandbox import ChildResult, run_in_child


def in_child(
    task: str, data: bytes, parameters: Mapping[str, Any], *, allow_unconfined: bool = False
) -> ChildResult:
    """The answer of this task over these bytes. Raises `Refused`, `SandboxUnavailable`.

    `allow_unconfined` lets it run where the platform has no system call filter, and nowhere else.
    """
    return run_in_child(
        task,
        [data],
        parameters,
        unsafe_without_network_filter=allow_unconfined and platform.system() != "Linux",
    )


def unconfined_is_allowed(environ: Mapping[str, str]) -> bool:
    """Whether the user has allowed it, by the service's own setting of that name."""
    return environ.get("SEALMARK_ALLOW_UNCONFINED_CHILD") == "yes"
