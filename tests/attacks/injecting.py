"""strace on a running process: calls that fail on purpose, and the order in which calls were made."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import missing

ATTACH_SECONDS = 20.0

_CALL = re.compile(r"(?:\d+ +)?(?:<\.\.\. )?(\w+)[( ]")


@dataclass(frozen=True)
class Call:
    """One system call, as its line in the trace says it."""

    name: str
    line: str

    @property
    def injected(self) -> bool:
        """Whether it failed because we said so."""
        return "(INJECTED)" in self.line

    def on(self, *parts: str) -> bool:
        """Whether the line names all of these, such as a path."""
        return all(part in self.line for part in parts)


@contextmanager
def traced(
    output: Path, pids: Sequence[int], calls: Sequence[str], *, paths: Sequence[Path] = (), inject: str = ""
) -> Iterator[None]:
    """Within the block these calls of the processes and of all their threads are written to `output`.

    With `paths`, only calls on these files. `inject` is as strace has it, such as `fsync:error=EIO:when=2`, where a
    thread counts its own calls. Skips the test where there is no strace, or no right to it.
    """
    program = shutil.which("strace")
    if program is None:
        missing("strace", "apt install strace")
    options = ["-f", "-yy", "-s", "64", "-e", "signal=none", "-o", str(output)]
    options += ["-e", "trace=" + ",".join(f"?{name}" for name in calls)]
    for path in paths:
        options += ["-P", str(path)]
    if inject:
        options += ["-e", f"inject={inject}"]
    for pid in pids:
        options += ["-p", str(pid)]
    process = subprocess.Popen([program, *options], stderr=subprocess.DEVNULL)
    try:
        _wait_for(process, pids)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def read_calls(output: Path) -> list[Call]:
    """The calls in the order in which they ended; one that was not over when it was cut off is left out."""
    begun: dict[str, str] = {}
    calls = []
    for line in output.read_text(errors="replace").splitlines():
        found = _CALL.match(line)
        if found is None:
            continue
        thread = line.split()[0]
        if line.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>")
            continue
        if "resumed>" in line:
            line = begun.pop(thread, "") + line.split("resumed>", 1)[1]
        calls.append(Call(found[1], line))
    return calls


def _wait_for(process: subprocess.Popen[bytes], pids: Sequence[int]) -> None:
    end = time.monotonic() + ATTACH_SECONDS
    while not all(_is_traced(pid) for pid in pids):
        if process.poll() is not None:
            missing("the right to trace processes", "run the tests with CAP_SYS_PTRACE")
        assert time.monotonic() < end, "strace does not attach"
        time.sleep(0.01)


def _is_traced(pid: int) -> bool:
    """Whether all threads of the process are."""
    return all(
        "TracerPid:\t0\n" not in (task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()
    )
