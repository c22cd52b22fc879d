"""A process that holds keys leaves no core file, and says when the system does not let it promise that."""

from __future__ import annotations

import ctypes
import resource
import subprocess
import sys

import pytest

from service import hardening


class Refusing:
    """A C library whose prctl fails."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def prctl(self, *_: int) -> int:
        ctypes.set_errno(1)
        return -1


def test_a_system_that_does_not_refuse_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", Refusing)

    with pytest.raises(OSError, match="PR_SET_DUMPABLE"):
        hardening.refuse_core_dumps()


def test_elsewhere_the_limit_alone_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *given: limits.append(given))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", Refusing)

    hardening.refuse_core_dumps()

    assert limits == [(resource.RLIMIT_CORE, (0, 0))]


def test_a_process_and_its_children_may_leave_no_core() -> None:
    program = (
        "import resource, subprocess, sys; from service.hardening import refuse_core_dumps; refuse_core_dumps();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), flush=True); subprocess.run(['sh', '-c', 'ulimit -Hc'])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert said.splitlines() == ["(0, 0)", "0"]
