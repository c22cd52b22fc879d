"""Where the demo's mails arrive: an SMTP server on loopback that shows each on the console, and keeps none.

So the demo sends as a real installation does, and nothing leaves the machine.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

MAX_LINE = 2048
"""Bytes: RFC 5321 allows 512 of a command and 1,000 of a text line."""

MAX_MAIL = 1024 * 1024
"""Bytes of one mail; ours have some ten thousand."""

SILENT_SECONDS = 30.0

Show = Callable[[str], None]


@contextmanager
def inbox(show: Show) -> Iterator[int]:
    """The port where mails arrive inside the block; each is handed to `show` as text."""

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    class Handler(_Connection):
        on_mail = staticmethod(show)

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="demo-inbox", daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()


class _Connection(socketserver.StreamRequestHandler):
    """One SMTP session: as much of RFC 5321 as a sender needs."""

    timeout = SILENT_SECONDS
    on_mail: Show

    def handle(self) -> None:
        self._say("220 sealmark demo")
        while line := self.rfile.readline(MAX_LINE):
            command = line[:4].strip().upper()
            if command == b"QUIT":
                self._say("221 bye")
                return
            if command == b"DATA":
                self._say("354 go on")
                content = self._content()
                if content is None:
                    return
                self.on_mail(as_text(content))
                self._say("250 shown")
            elif command == b"EHLO":
                self._say("250-sealmark demo")
                self._say("250 SMTPUTF8")
            elif command in {b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP"}:
                self._say("250 OK")
            else:
                self._say("502 not here")

    def _content(self) -> bytes | None:
        lines: list[bytes] = []
        size = 0
        while line := self.rfile.readline(MAX_LINE):
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
            size += len(line)
            if size > MAX_MAIL:
                return None
        return None

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def as_text(content: bytes) -> str:
    """The mail for a console: to whom, what about, and its plain text."""
    mail = message_from_bytes(content, policy=policy.default)
    body = mail.get_body(("plain",)) if isinstance(mail, EmailMessage) else None
    text = body.get_content() if body is not None else ""
    attached = [part.get_filename() for part in mail.walk() if part.get_filename()]
    lines = [f"To: {mail['To']}", f"Subject: {mail['Subject']}", "", *str(text).rstrip().splitlines()]
    lines += [f"[attached: {name}]" for name in attached]
    return "\n".join(lines)
