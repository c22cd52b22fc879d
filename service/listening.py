"""Whether an address can be listened on, found out before a server is started: gunicorn would try again for seconds."""

from __future__ import annotations

import socket


class CannotListen(Exception):
    """The address cannot be bound; the message is one line that says what to do."""


def require_free(address: str, mend: str) -> None:
    """Raise `CannotListen`, which ends with what to `mend`, when `ADDRESS:PORT` cannot be bound now."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise CannotListen(f"cannot listen on {address}: {error.strerror}. {mend}") from error
