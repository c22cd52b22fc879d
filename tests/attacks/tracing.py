"""The system calls of a service, as strace saw them: every way by which bytes can leave a process.

What writes bytes is recorded with the bytes and where they went. Calls that move bytes unseen (from one descriptor
to another, or by a ring that the kernel reads itself) are recorded as such; the service needs none of them. A file
that is mapped shared and writable can be changed without any call: such mappings are recorded, too, and the test
reads those files instead.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import missing

WRITING = (
    "write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg", "process_vm_writev",
    "mq_timedsend", "msgsnd", "setxattr", "lsetxattr", "fsetxattr",
)  # fmt: skip
UNSEEN = (
    "sendfile", "splice", "tee", "vmsplice", "copy_file_range", "io_uring_setup", "io_uring_enter", "io_submit",
    "userfaultfd",
)  # fmt: skip
OTHER = ("mmap", "dup2", "dup3", "execve")

LONGEST = 16 * 1024 * 1024
"""Bytes of one call that are recorded: more than any piece of ours. A cut call is an error, never a silent gap."""

CHILD = b"from watermark.child import"
"""Stands on the command line of the confined child."""

_BYTES = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_CALL = re.compile(r"(\w+)\((?:(-?\d+)(?:<((?:->|[^<>]|<[^<>]*>)*)>)?)?")
_TCP = re.compile(r"TCP(?:v6)?:\[.*:(\d+)->.*:(\d+)\]")


def strace(output: Path) -> list[str]:
    """What a command begins with to be traced into the files `output`.PID. Skips where that cannot be."""
    program = shutil.which("strace")
    if program is None:
        missing("strace", "apt install strace")
    tried = subprocess.run([program, "-o", "/dev/null", "true"], capture_output=True, check=False)
    if tried.returncode:
        missing(
            "the right to trace processes", "run the tests with CAP_SYS_PTRACE (docker: --cap-add SYS_PTRACE)"
        )
    calls = ",".join(f"?{name}" for name in (*WRITING, *UNSEEN, *OTHER))
    options = ["-D", "-f", "-ff", "--seccomp-bpf", "-yy", "-v", "-xx", "-s", str(LONGEST)]
    return [program, *options, "-e", f"trace={calls}", "-e", "signal=none", "-o", str(output)]


@dataclass(frozen=True)
class Target:
    """Where bytes went: a process, the number of its descriptor, and what that is (a path, a socket, a pipe)."""

    process: int
    descriptor: str
    what: str

    def accepted_by(self, port: int) -> bool:
        """Whether it is a connection that a client made to this port of ours."""
        found = _TCP.fullmatch(self.what)
        return found is not None and int(found[1]) == port


@dataclass
class Trace:
    """All that was recorded."""

    written: dict[Target, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    unseen: list[str] = field(default_factory=list)
    mapped: set[str] = field(default_factory=set)
    child_pipes: set[str] = field(default_factory=set)
    """The pipes that are standard input or output of a confined child."""


def read_trace(output: Path) -> Trace:
    """What the files `output`.PID say. Raises `ValueError` for a line that cannot be understood whole."""
    trace = Trace()
    for file in sorted(output.parent.glob(f"{output.name}.*")):
        process = int(file.suffix[1:])
        _read_process(trace, process, file.read_text(encoding="ascii").splitlines())
    return trace


def _read_process(trace: Trace, process: int, lines: list[str]) -> None:
    standard: dict[str, str] = {}
    confined = False
    for line in lines:
        call = _CALL.match(line)
        if call is None:
            if line.startswith(("+++", "---")):
                continue
            raise ValueError(f"not understood: {line[:200]}")
        name, descriptor, what = call[1], call[2] or "", _plain(call[3] or "")
        if name in UNSEEN:
            trace.unseen.append(line[:200])
        elif name in WRITING:
            trace.written[Target(process, descriptor, what)] += _data(line)
        elif name == "mmap":
            _note_mapping(trace, line)
        elif name == "execve":
            confined = confined or CHILD in b"".join(_data(line))
        elif name in ("dup2", "dup3"):
            standard.setdefault(line[call.end() :].strip(" ,").split("<")[0].split(",")[0].rstrip(")"), what)
    if confined:
        trace.child_pipes |= {what for number, what in standard.items() if number in "01" and "pipe:" in what}


def _note_mapping(trace: Trace, line: str) -> None:
    _, protection, flags, *rest = line.split(", ", 1)[1].split(", ")
    file = _CALL.match("x(" + rest[0])
    if "MAP_SHARED" in flags and "PROT_WRITE" in protection and file is not None and file[3]:
        trace.mapped.add(_plain(file[3]))


def _data(line: str) -> Iterator[bytes]:
    for text, cut in _BYTES.findall(line):
        if cut:
            raise ValueError(f"more than {LONGEST} bytes in one call: {line[:100]}")
        yield bytes.fromhex(text.replace("\\x", ""))


def _plain(text: str) -> str:
    """A descriptor's name, of which strace writes each byte as a number where it is a path."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), text)
