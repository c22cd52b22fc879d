"""One server process of the tests: found, started in a group of its own, waited for, ended."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

BUILT = Path(__file__).parents[2] / "build" / "servers"
"""Where servers lie that were built for this working copy alone."""

START_SECONDS = 60.0
"""A server that takes longer to answer is taken for broken. Generous: CI machines share their disks."""

STOP_SECONDS = 15.0
"""After a polite signal; then the process group is killed."""


class NotStarted(Exception):
    """The server ended, or did not answer in time. The message carries the end of its log."""


def find(name: str) -> Path | None:
    """The program `name`: from `SEALMARK_TEST_<NAME>`, the PATH, Go's programs, or the build cache."""
    override = os.environ.get(f"SEALMARK_TEST_{name.upper()}")
    if override:
        return Path(override)
    gopath = Path(os.environ.get("GOPATH") or Path.home() / "go")
    folders = [*os.get_exec_path(), str(gopath / "bin"), str(BUILT)]
    found = shutil.which(name, path=os.pathsep.join(folders))
    return Path(found) if found else None


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str],
    *,
    log: Path,
    ready: Callable[[], bool],
    environment: Mapping[str, str],
    folder: Path,
    user: str | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """The command runs, and was `ready`, inside the block; afterwards no process of its group does.

    The process sees only `environment`. `user` (given when the tests run as root) runs it as that user.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*_with_its_parent(), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
        )
    try:
        _wait(process, ready, log)
        yield
    finally:
        _end(process, stop)


def _with_its_parent() -> list[str]:
    """Begins a command that must not outlive these tests, not even when they are killed. Linux only."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            tail = log.read_text(errors="replace")[-2000:]
            raise NotStarted(f"{process.args!r} did not come up (exit status {process.returncode}):\n{tail}")
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    if process.poll() is None:
        os.kill(process.pid, stop)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # whatever of its group is left
    process.wait()
