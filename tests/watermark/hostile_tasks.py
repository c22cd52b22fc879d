"""Tasks that misbehave inside the child, each in one way, so that tests can watch the sandbox hold."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watermark.errors import RefusalReason, Refused

Answer = tuple[dict[str, Any], bytes]
SECRET = "the-auditor-found-nothing"


def echo(pdf: bytes, parameters: dict[str, Any]) -> Answer:
    return {"parameters": parameters, "environment": dict(os.environ), "size": len(pdf)}, pdf


WARM_UP: tuple[bytes, ...] = ()
"""A module may have harmless inputs of its own; this one has none, unless a test gives it some."""


def attempts(pdf: bytes, parameters: dict[str, Any]) -> Answer:
    """Try everything that must not work; the facts say what happened. Not in the warm-up, when it does work."""
    if not pdf.startswith(b"hostile"):
        return {}, b""
    tries: dict[str, Callable[[], object]] = {
        "socket": socket.socket,
        "socket pair": socket.socketpair,
        "read a file": Path("/etc/passwd").read_bytes,
        "write a file": lambda: Path(parameters["path"]).write_text("x"),
        "remove a file": lambda: os.unlink(parameters["path"]),
        "make a folder": lambda: os.mkdir(parameters["path"]),
        "look up a file": lambda: os.stat("/etc/passwd"),
        "list a folder": lambda: os.listdir("/"),
        "fork": os.fork,
        "start a program": lambda: subprocess.run(["true"], check=True),
        "start a thread": threading.Thread(target=print).start,
        "signal the parent": lambda: os.kill(os.getppid(), 0),
        "leave the session": os.setsid,
        "make a file in memory": lambda: os.memfd_create("x"),
    }
    facts = {}
    for name, attempt in tries.items():
        try:
            attempt()
        except (OSError, RuntimeError) as error:
            facts[name] = type(error).__name__
        else:
            facts[name] = "worked"
    return facts, b""


def misbehave(pdf: bytes, parameters: dict[str, Any]) -> Answer:
    """Do the one thing that `parameters["how"]` names, but not in the warm-up."""
    if not pdf.startswith(b"hostile"):
        return {}, b""
    how = parameters["how"]
    if how == "loop":
        while True:
            pass
    if how == "sleep":
        threading.Event().wait()
    if how == "eat memory":
        return {"size": len(bytearray(64 << 30))}, b""
    if how == "flood":
        return {}, bytes(parameters["size"])
    if how == "flood facts":
        return {"x": "y" * (9 << 20)}, b""
    if how == "crash":
        import ctypes

        ctypes.string_at(0)
    if how == "leave":
        os._exit(0)
    if how == "lie":
        os.write(3, b"\0\0\0\4" + bytes(8) + b"nope")
        os._exit(0)
    if how == "recurse":
        return misbehave(pdf, parameters)
    if how == "print":
        sys.stdout.write(SECRET)
        os.write(1, SECRET.encode())
        os.write(2, SECRET.encode())
    if how == "refuse":
        raise Refused(RefusalReason.NO_PAGES)
    if how == "fail":
        raise TypeError(SECRET)
    return {"printed": True}, b""
