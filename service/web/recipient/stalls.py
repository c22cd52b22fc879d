"""A client that stops reading must not hold a thread, nor a download that would outlive its revocation unseen."""

from __future__ import annotations

from flask import request

STALL_SECONDS = 60.0
"""How long one piece (at most 256 KiB) may take to leave: slower than 4 KB/s, a report does not arrive anyway."""


def end_stalls() -> None:
    """Bound how long the server waits for this request's client to take a piece; then the send ends, broken off.

    Works under gunicorn, which hands its socket on; other servers have limits of their own.
    """
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(STALL_SECONDS)
