"""The child's half of the sandbox: give up every power, then read one hostile PDF and answer once.

Standard input holds a frame of parameters, then the PDF as frames with an empty one at its end, so that an input
broken off is never taken for a whole. A frame is its length (4 bytes, big-endian) and its bytes. Standard output
holds one answer: `READY` (sent before the document is read) or `UNAVAILABLE`, the lengths of a JSON header (4 bytes)
and of a payload (8 bytes), and both.
"""

import ctypes
import importlib
import json
import os
import resource
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NoReturn

from watermark.errors import RefusalReason, Refused, SandboxUnavailable
from watermark.seccomp import install_filter

Task = Callable[[bytes, dict[str, Any]], tuple[dict[str, Any], bytes]]

READY = b"R"
UNAVAILABLE = b"U"
FRAME_LENGTH = struct.Struct(">I")
ANSWER_LENGTHS = struct.Struct(">IQ")

# Loading modules opens a few files at once; the PDF itself needs none.
MAX_OPEN_FILES = 64
# linux/prctl.h
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4

# A page with a word on it. The task runs once over it before the filter closes, to load what it loads late.
WARM_UP_PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length 37>>stream
BT /F 12 Tf 72 720 Td (Warm up) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""
# Codecs that a parser may name only when it meets a file that needs them.
_CODECS = (
    "ascii",
    "latin-1",
    "cp1252",
    "mac-roman",
    "utf-16",
    "utf-16-be",
    "utf-16-le",
    "utf-8-sig",
    "utf-32",
)


@dataclass(frozen=True)
class Order:
    """What the parent asks for; on the command line, so it holds nothing confidential."""

    target: str
    parent: int
    memory_bytes: int
    cpu_seconds: int
    filtered: bool


class InputBrokenOff(Exception):
    """The parent's pipe ended before the last frame: the parent is dead or has given up."""


def main(order: Order) -> NoReturn:
    """Carry out the order and end the process. Never returns, never raises."""
    answers = os.dup(1)
    # Native code that prints must not write into the answer.
    os.dup2(2, 1)
    try:
        limit_resources(order)
        task = load_task(order.target)
        parameters = json.loads(read_frame(0))
        warm_up(task, parameters)
        if order.filtered:
            install_filter()
            prove_confined()
    except InputBrokenOff:
        os._exit(1)
    except BaseException as error:
        detail = str(error) if isinstance(error, SandboxUnavailable) else describe(error)
        write_all(answers, UNAVAILABLE)
        write_answer(answers, {"unavailable": detail}, b"")
        os._exit(1)
    write_all(answers, READY)
    try:
        pdf = read_document(0)
    except InputBrokenOff:
        os._exit(1)
    header, payload = carry_out(task, pdf, parameters)
    write_answer(answers, header, payload)
    os._exit(0)


def limit_resources(order: Order) -> None:
    """Set every limit that outlives hostile code: memory, processor time, no file written, no core dump.

    The process dies with the thread that started it. Raises `SandboxUnavailable` if that one is gone already.
    """
    os.umask(0o777)
    for kind, amount in (
        (resource.RLIMIT_AS, order.memory_bytes),
        (resource.RLIMIT_CPU, order.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
    ):
        _, ceiling = resource.getrlimit(kind)
        lowest = amount if ceiling == resource.RLIM_INFINITY else min(amount, ceiling)
        try:
            resource.setrlimit(kind, (lowest, lowest))
        except (ValueError, OSError):
            # macOS has RLIMIT_AS but does not let it be set; there, running at all was an explicit choice.
            if sys.platform.startswith("linux"):
                raise
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if os.getppid() != order.parent:
        raise SandboxUnavailable("The process that asked for this work is gone.")


def load_task(target: str) -> Task:
    """The task at `module:function`, with the modules it needs. One thread: the limits are for one."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    module, _, function = target.partition(":")
    task: Task = getattr(importlib.import_module(module), function)
    os.environ.clear()
    return task


def warm_up(task: Task, parameters: dict[str, Any]) -> None:
    """Run the task over a harmless page, so that what it imports or opens late is there when nothing opens any more.

    Over the inputs of its module's own (`WARM_UP`) where there are some.
    """
    for codec in _CODECS:
        b"".decode(codec)
    own: tuple[bytes, ...] = getattr(sys.modules.get(task.__module__), "WARM_UP", ())
    for harmless in own:
        with suppress(Exception):
            task(harmless, parameters)
    if own:
        return
    if "pages" in parameters:  # of a document; this one has one
        parameters = {**parameters, "pages": [1]}
    with suppress(Exception):
        task(WARM_UP_PDF, parameters)
    with suppress(Exception):
        task(_encrypted(WARM_UP_PDF), parameters)


def _encrypted(pdf: bytes) -> bytes:
    """The same with AES-256 and an empty password: for such files qpdf opens the system's random source, once."""
    import pikepdf  # only in the child, and under its limits

    written = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as opened:
        opened.save(written, encryption=pikepdf.Encryption(owner="", user="", R=6))
    return written.getvalue()


def prove_confined() -> None:
    """Try what must fail. Raises `SandboxUnavailable` if a file can still be opened."""
    try:
        descriptor = os.open(os.devnull, os.O_RDONLY)
    except PermissionError:
        return
    os.close(descriptor)
    raise SandboxUnavailable("The system call filter of the child does not hold.")


def carry_out(task: Task, pdf: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The header and payload of the answer. Whatever the task raises becomes a header without the document's bytes."""
    try:
        facts, payload = task(pdf, parameters)
        return {"facts": facts}, payload
    except Refused as refused:
        return {"refused": refused.reason, "message": refused.message, "where": refused.where}, b""
    except MemoryError:
        return {"refused": RefusalReason.TOO_COSTLY, "message": None, "where": None}, b""
    except RecursionError as error:
        return {"refused": RefusalReason.DAMAGED, "message": None, "where": describe(error)}, b""
    except Exception as error:
        return {"refused": RefusalReason.CANNOT_MARK, "message": None, "where": describe(error)}, b""


def describe(error: BaseException) -> str:
    """The type of an error and the innermost line of our code it passed; not its message, which may quote the PDF."""
    place = "?"
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "?")
        if module.startswith("watermark."):
            place = f"{module}:{line}"
    missing = f" {error.name}" if isinstance(error, ImportError) and error.name else ""
    return f"{type(error).__name__}{missing} at {place}"


def read_document(descriptor: int) -> bytes:
    """The frames up to the empty one, joined. Raises `InputBrokenOff`."""
    document = bytearray()
    while piece := read_frame(descriptor):
        document += piece
    return bytes(document)


def read_frame(descriptor: int) -> bytes:
    """One frame. Raises `InputBrokenOff` if the pipe ends before it does."""
    (length,) = FRAME_LENGTH.unpack(_read_exactly(descriptor, FRAME_LENGTH.size))
    return _read_exactly(descriptor, length)


def write_answer(descriptor: int, header: dict[str, Any], payload: bytes) -> None:
    """Write one answer, whole."""
    encoded = json.dumps(header).encode()
    write_all(descriptor, ANSWER_LENGTHS.pack(len(encoded), len(payload)) + encoded)
    write_all(descriptor, payload)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, however little the pipe takes at once."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _read_exactly(descriptor: int, length: int) -> bytes:
    pieces = []
    while length:
        piece = os.read(descriptor, length)
        if not piece:
            raise InputBrokenOff
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
