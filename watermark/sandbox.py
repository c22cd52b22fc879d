"""Runs a named task over an untrusted PDF in a child process that can do nothing but compute.

The parent's half: it starts the child, streams the PDF through a pipe while it reads the answer, and kills the
child's whole session when a limit is hit. Nothing touches the disk. `watermark.child` is the other half.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from watermark.child import ANSWER_LENGTHS, FRAME_LENGTH, READY, Order
from watermark.errors import RefusalReason, Refused, SandboxUnavailable
from watermark.seccomp import network_filter_available

__all__ = [
    "DEFAULT_LIMITS",
    "TASKS",
    "ChildLimits",
    "ChildResult",
    "ForeignTask",
    "network_filter_available",
    "run_in_child",
]

MIB = 1024 * 1024

# What a child may be asked to do. A task is `callable(pdf: bytes, parameters: dict) -> tuple[dict, bytes]`.
# What it reads may be more than the PDF: `read` takes a template, which knows its length, with the PDF behind it.
TASKS: dict[str, str] = {
    "compile": "watermark.compile:compile_pdf",
    "draw": "watermark.draw:draw_task",
    "cut": "watermark.cut.document:compile_cut",
    "inspect": "watermark.inspection:inspect_task",
    "read": "watermark.woven.reading:read_task",
}

# Address space, not resident memory: numpy, PDFium and Python reserve some 400 MiB of it before they work, and
# a 100 MiB report is held about three times (input, object graph, output). 2,000 pages of 650 words, each of which can
# move, hold 2.2 GiB.
DEFAULT_MEMORY_BYTES = 3072 * MIB
# The same took 171 s with their proof, page by page; the costliest real report, 0.4 s a page.
DEFAULT_CPU_SECONDS = 900
# Longer than the processor time, since jobs share the cores of the machine with downloads.
DEFAULT_WALL_SECONDS = 1200.0
# The largest accepted PDF at the worst measured growth of a template (1.4), with room to spare.
DEFAULT_OUTPUT_BYTES = 256 * MIB
# The upload limit of the service.
DEFAULT_INPUT_BYTES = 100 * MIB

# The facts of 2,000 pages are below 1 MiB.
MAX_FACTS_BYTES = 8 * MIB
# A pipe of Linux holds 64 KiB; larger pieces save turns of the loop, not copies.
PIECE_BYTES = 256 * 1024
# Characters kept of the place in our code that a child names; it goes into the operator's log only.
MAX_WHERE = 200
# How often a child that has closed its pipe is asked whether it has ended.
POLL_SECONDS = 0.005

# Isolated from the environment and the working directory; the parent's own paths, so that it finds the same code.
_BOOTSTRAP = (
    "import sys, json; paths, order = json.loads(sys.argv[1]); sys.path[:] = paths; "
    "from watermark.child import Order, main; main(Order(**order))"
)
# The kernel's answers to too much memory and too much processor time. Other signals are crashes.
_COSTLY_SIGNALS = (signal.SIGKILL, signal.SIGXCPU)


@dataclass(frozen=True)
class ChildLimits:
    """What a child may use: bytes, seconds of one core, seconds of wall clock without the wait for the source."""

    memory_bytes: int = DEFAULT_MEMORY_BYTES
    cpu_seconds: int = DEFAULT_CPU_SECONDS
    wall_seconds: float = DEFAULT_WALL_SECONDS
    output_bytes: int = DEFAULT_OUTPUT_BYTES
    input_bytes: int = DEFAULT_INPUT_BYTES


DEFAULT_LIMITS = ChildLimits()


@dataclass(frozen=True)
class ForeignTask:
    """A task that this room does not have, over something that is no PDF: `module:function` of the caller's.

    Its module may have `WARM_UP`: harmless inputs, in place of PDFs, that make it load what it loads late.
    """

    target: str


@dataclass(frozen=True)
class ChildResult:
    """What a task answered: JSON-able facts, and one payload (empty if the task has none)."""

    facts: dict[str, Any]
    payload: bytes


def run_in_child(
    task: str | ForeignTask,
    source: Iterable[bytes],
    parameters: Mapping[str, Any],
    limits: ChildLimits = DEFAULT_LIMITS,
    *,
    unsafe_without_network_filter: bool = False,
) -> ChildResult:
    """Run the task of this name over the bytes of `source` and return its answer.

    Raises `Refused` for a document that the task refuses, that breaks a limit or that crashes the child;
    `SandboxUnavailable` where the child cannot be confined. What `source` raises comes through unchanged. In each
    case the child is dead and collected afterwards. `KeyError` for an unknown task. Blocks the calling thread,
    which must be the one that iterates `source`.
    """
    target = task.target if isinstance(task, ForeignTask) else TASKS[task]
    filtered = network_filter_available()
    if not filtered and not unsafe_without_network_filter:
        raise SandboxUnavailable(
            "This platform has no system call filter, so the child could reach the network. "
            "Run the service on Linux, or allow it explicitly for development."
        )
    feed = _Feed(_frames(json.dumps(dict(parameters)).encode(), source, limits.input_bytes))
    answer = _Answer(limits.output_bytes)
    with _started(target, limits, filtered) as process:
        try:
            in_time = _exchange(process, feed, answer, limits.wall_seconds)
        finally:
            status = _end_session(process)
    return _judge(answer, in_time, status)


class _Feed:
    """The frames on their way to the child, and how many seconds their source let us wait."""

    def __init__(self, frames: Iterator[bytes]) -> None:
        self._frames = frames
        self._pending = memoryview(b"")
        self.waited = 0.0

    def push(self, descriptor: int) -> bool:
        """Write what the pipe takes. False once there is nothing more to write or nobody who reads."""
        if not self._pending:
            asked = time.monotonic()
            self._pending = memoryview(next(self._frames, b""))
            self.waited += time.monotonic() - asked
        if not self._pending:
            return False
        try:
            self._pending = self._pending[os.write(descriptor, self._pending) :]
        except BrokenPipeError:
            return False
        return True


class _Answer:
    """What the child has sent so far: a letter, the lengths of header and payload, and both."""

    _START = len(READY) + ANSWER_LENGTHS.size

    def __init__(self, output_bytes: int) -> None:
        self._data = bytearray()
        self._output_bytes = output_bytes

    @property
    def ready(self) -> bool:
        """Whether the child had confined itself before it read the document."""
        return self._data[:1] == READY

    @property
    def whole(self) -> bool:
        """Whether all of it is here."""
        return len(self._data) >= self._START and len(self._data) >= self._START + sum(self._lengths())

    def add(self, piece: bytes) -> None:
        """Take what arrived. Raises `Refused` as soon as the answer is announced larger than allowed."""
        self._data += piece
        if len(self._data) >= self._START:
            header, payload = self._lengths()
            if header > MAX_FACTS_BYTES or payload > self._output_bytes:
                raise Refused(RefusalReason.TOO_COSTLY)

    def parts(self) -> tuple[dict[str, Any], bytes]:
        """Header and payload of a whole answer. Raises `ValueError` if the header is not a JSON object."""
        middle = self._START + self._lengths()[0]
        header = json.loads(self._data[self._START : middle])
        if not isinstance(header, dict):
            raise ValueError("the header of an answer is an object")
        return header, bytes(memoryview(self._data)[middle : middle + self._lengths()[1]])

    def _lengths(self) -> tuple[int, int]:
        header, payload = ANSWER_LENGTHS.unpack_from(self._data, len(READY))
        return header, payload


def _started(target: str, limits: ChildLimits, filtered: bool) -> "subprocess.Popen[bytes]":
    order = Order(target, os.getpid(), limits.memory_bytes, limits.cpu_seconds, filtered)
    paths = [os.path.abspath(path) for path in sys.path]
    try:
        return subprocess.Popen(  # noqa: S603  # our own interpreter, no shell, nothing of the caller's on the line
            [sys.executable, "-I", "-B", "-c", _BOOTSTRAP, json.dumps([paths, asdict(order)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={},
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailable(f"No child process can be started here: {error.strerror}.") from error


def _frames(parameters: bytes, source: Iterable[bytes], input_bytes: int) -> Iterator[bytes]:
    """What goes to the child, in the order that `watermark.child` reads. Raises `Refused` beyond the limit."""
    yield FRAME_LENGTH.pack(len(parameters)) + parameters
    total = 0
    for chunk in source:
        total += len(chunk)
        if total > input_bytes:
            raise Refused(RefusalReason.TOO_LARGE)
        for start in range(0, len(chunk), PIECE_BYTES):
            piece = chunk[start : start + PIECE_BYTES]
            yield FRAME_LENGTH.pack(len(piece)) + piece
    yield FRAME_LENGTH.pack(0)


def _exchange(process: "subprocess.Popen[bytes]", feed: _Feed, answer: _Answer, wall_seconds: float) -> bool:
    """Write the frames while reading the answer, until it is whole or the child has ended.

    False if the time was over first.
    """
    if process.stdin is None or process.stdout is None:
        raise AssertionError("the child was started with pipes")
    stdin, stdout = process.stdin.fileno(), process.stdout.fileno()
    os.set_blocking(stdin, False)
    began = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(stdin, selectors.EVENT_WRITE)
        selector.register(stdout, selectors.EVENT_READ)
        while not answer.whole:
            left = began + wall_seconds + feed.waited - time.monotonic()
            if left <= 0:
                return False
            for key, _ in selector.select(left):
                if key.fd == stdin:
                    if not feed.push(stdin):
                        selector.unregister(stdin)
                    continue
                piece = os.read(stdout, PIECE_BYTES)
                if not piece:
                    return _ended_within(process, left)
                answer.add(piece)
    return True


def _ended_within(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Wait for the end of the child without collecting it, so that its number still names its session."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return True
        time.sleep(POLL_SECONDS)
    return False


def _end_session(process: "subprocess.Popen[bytes]") -> int:
    """Kill the child and all that it started, collect it, and return its status (negative: the signal)."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _judge(answer: _Answer, in_time: bool, status: int) -> ChildResult:
    """The result, or the error that the child's answer or its end stands for."""
    if answer.whole:
        try:
            header, payload = answer.parts()
            if "facts" in header:
                return ChildResult(header["facts"], payload)
            if "unavailable" in header:
                raise SandboxUnavailable(f"The child process could not begin: {header['unavailable']}")
            # The message is ours, by the reason: a parser that was taken over may have written the child's.
            raise Refused(
                RefusalReason(header["refused"]), where=str(header["where"] or "")[:MAX_WHERE] or None
            )
        except (ValueError, KeyError) as error:
            # Only a child whose parser was taken over answers like this.
            raise Refused(RefusalReason.DAMAGED) from error
    if not answer.ready:
        raise SandboxUnavailable(
            f"The child process ended before it had read anything (status {status}). "
            "Check the installation and the memory limit of the child."
        )
    if not in_time or -status in _COSTLY_SIGNALS:
        raise Refused(RefusalReason.TOO_COSTLY)
    raise Refused(RefusalReason.DAMAGED, where=f"the child ended with status {status}")
