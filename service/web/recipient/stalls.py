"""A client that stops reading must not hold a thread, nor a download that would outlive its revocation unseen."""

from __future__ import annotations

from flask import request

STALL_SECONDS = 15.0
"""How long one piece (`sending.PIECE`, 32 KiB) may take to leave: below 2 KB/s a report does not arrive anyway, and
what a lost mobile connection sends again comes within it. The connection's own buffer is full by then.

With the time between two signs of life (`sending.TOUCH_EVERY`) it stays below the least silence that the worker
takes for a crash (SEALMARK_SILENT_SECONDS)."""


def end_stalls() -> None:
    """Bound how long the server waits for this request's client to take a piece; then the send ends, broken off.

    Works under gunicorn, which hands its socket on; other servers have limits of their own.
    """
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(STALL_SECONDS)
