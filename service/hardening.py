"""What a process that holds keys and plaintext denies itself: core dumps, debuggers, files that others can read."""

from __future__ import annotations

import ctypes
import resource
import sys

PRIVATE_UMASK = 0o077
"""Files that we make are for this user only."""

PR_SET_DUMPABLE = 4
"""Of prctl(2), linux/prctl.h."""


def refuse_core_dumps() -> None:
    """Afterwards this process and its children leave no core file; on Linux no other process of this user may attach.

    Raises `OSError` when the system does not let us.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")
