"""The child's half, step by step in this process, where its powers are watched instead of given up."""

import errno
import json
import os
import resource
import struct
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.watermark import hostile_tasks
from tests.watermark.hostile_tasks import SECRET
from watermark import child, sandbox, seccomp
from watermark.errors import RefusalReason, Refused, SandboxUnavailable

ORDER = child.Order("tests.watermark.hostile_tasks:echo", os.getppid(), 1 << 30, 20, True)


class EndedError(BaseException):
    """What `os._exit` is here."""


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[int, int]]:
    """The limits that the child would have set."""
    found: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", found.__setitem__)
    monkeypatch.setattr(os, "umask", lambda mask: 0)
    monkeypatch.setattr(
        child.ctypes, "CDLL", lambda *a, **k: SimpleNamespace(prctl=lambda *a: 0, syscall=lambda *a: 0)
    )
    return found


def run_main(monkeypatch: pytest.MonkeyPatch, order: child.Order, sent: bytes) -> bytes:
    """What `main` writes as its answer to these bytes of input."""
    written = bytearray()
    source = bytearray(sent)

    def read(descriptor: int, size: int) -> bytes:
        piece = bytes(source[:size])
        del source[:size]
        return piece

    def write(descriptor: int, data: bytes) -> int:
        written.extend(bytes(data[:3]))
        return min(3, len(data))

    def leave(status: int) -> None:
        raise EndedError

    fake = SimpleNamespace(**{name: getattr(os, name) for name in dir(os) if not name.startswith("__")})
    fake.read, fake.write, fake._exit = read, write, leave
    fake.dup, fake.dup2, fake.environ = (lambda fd: 9), (lambda *a: None), {}
    monkeypatch.setattr(child, "os", fake)
    monkeypatch.setattr(child, "install_filter", lambda: None)
    monkeypatch.setattr(child, "prove_confined", lambda: None)
    with pytest.raises(EndedError):
        child.main(order)
    return bytes(written)


def frames(*pieces: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(piece)) + piece for piece in pieces)


def test_the_child_answers_ready_then_facts_then_payload(
    monkeypatch: pytest.MonkeyPatch, limits: dict[int, tuple[int, int]]
) -> None:
    answer = sandbox._Answer(1000)
    answer.add(run_main(monkeypatch, ORDER, frames(b'{"a": 1}', b"ab", b"c", b"")))
    assert answer.ready
    header, payload = answer.parts()
    assert header["facts"]["parameters"] == {"a": 1}
    assert payload == b"abc"


@pytest.mark.parametrize(
    ("own", "expected"), [((), child.WARM_UP_PDF), ((b"a table", b"another"), b"a table")]
)
def test_a_task_is_warmed_up_over_its_modules_own_inputs_where_it_has_some(
    own: tuple[bytes, ...], expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def watched(given: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        seen.append(given)
        raise ValueError

    watched.__module__ = hostile_tasks.__name__
    monkeypatch.setattr(hostile_tasks, "WARM_UP", own)
    child.warm_up(watched, {})
    assert seen[0] == expected
    assert len(seen) == 2
    assert (child.WARM_UP_PDF in seen) is not bool(own)


@pytest.mark.parametrize("sent", [b"", b"\0\0", frames(b"{}", b"half")[:-1], frames(b"{}", b"half")])
def test_an_input_broken_off_is_never_taken_for_a_whole(
    sent: bytes, monkeypatch: pytest.MonkeyPatch, limits: dict[int, tuple[int, int]]
) -> None:
    assert run_main(monkeypatch, ORDER, sent) in (b"", child.READY)


def test_a_child_that_cannot_begin_says_why(
    monkeypatch: pytest.MonkeyPatch, limits: dict[int, tuple[int, int]]
) -> None:
    orphan = child.Order(ORDER.target, -1, 1 << 30, 20, False)
    assert b"is gone" in run_main(monkeypatch, orphan, frames(b"{}"))
    broken = child.Order("watermark.nowhere:task", ORDER.parent, 1 << 30, 20, False)
    assert b"ModuleNotFoundError watermark.nowhere" in run_main(monkeypatch, broken, frames(b"{}"))


def test_every_limit_is_set_and_none_is_raised(
    limits: dict[int, tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (10, 10 if kind == resource.RLIMIT_CPU else -1))
    child.limit_resources(ORDER)
    assert limits == {
        resource.RLIMIT_AS: (1 << 30, 1 << 30),
        resource.RLIMIT_CPU: (10, 10),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (child.MAX_OPEN_FILES, child.MAX_OPEN_FILES),
    }


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_only_another_platform_may_lack_a_limit(
    platform: str, limits: dict[int, tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(kind: int, pair: tuple[int, int]) -> None:
        raise ValueError

    monkeypatch.setattr(resource, "setrlimit", refuse)
    monkeypatch.setattr(sys, "platform", platform)
    if platform == "linux":
        with pytest.raises(ValueError, match=r"^$"):
            child.limit_resources(ORDER)
    else:
        child.limit_resources(ORDER)


def task(error: BaseException) -> Callable[[bytes, dict[str, Any]], tuple[dict[str, Any], bytes]]:
    def fail(pdf: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Refused(RefusalReason.NO_PAGES), "no-pages"),
        (MemoryError(SECRET), "too-costly"),
        (RecursionError(SECRET), "damaged"),
        (KeyError(SECRET), "cannot-mark"),
    ],
)
def test_what_a_task_raises_becomes_a_typed_refusal_without_its_text(error: Exception, reason: str) -> None:
    header, payload = child.carry_out(task(error), b"", {})
    assert header["refused"] == reason
    assert payload == b""
    assert SECRET not in json.dumps(header)


def test_the_warm_up_bears_a_task_that_fails() -> None:
    seen: list[bytes] = []

    def fail(pdf: bytes, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        seen.append(pdf)
        raise ValueError

    child.warm_up(fail, {})
    assert len(seen) == 2
    assert b"/Encrypt" in seen[1]


@pytest.mark.parametrize("program", [seccomp.filter_program("x86_64"), seccomp.filter_program("aarch64")])
def test_the_filter_allows_reading_and_denies_by_default(program: bytes) -> None:
    instructions = list(struct.iter_unpack("=HBBI", program))
    assert instructions[-1] == (0x06, 0, 0, 0x00050000 | errno.EPERM)
    arch = instructions[1][3]
    read, socket = (0, 41) if arch == 0xC000003E else (63, 198)

    def outcome(call: int, machine: int = arch) -> int:
        loaded, position = 0, 0
        while True:
            code, yes, no, value = instructions[position]
            position += 1
            if code == 0x20:
                loaded = machine if value == 4 else call
            elif code == 0x15:
                position += yes if loaded == value else no
            else:
                return int(value)

    assert outcome(read) == 0x7FFF0000
    assert outcome(socket) == outcome(read | 0x40000000) == 0x00050000 | errno.EPERM
    assert outcome(read, machine=0x40000003) == 0x80000000


def test_a_filter_that_does_not_hold_is_noticed() -> None:
    with pytest.raises(SandboxUnavailable, match="does not hold"):
        child.prove_confined()


def test_confinement_is_proven_by_a_denied_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", deny)
    child.prove_confined()


@pytest.mark.parametrize("failing", ["prctl", "syscall"])
def test_a_kernel_without_the_filter_is_noticed(failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = {"prctl": lambda *a: 0, "syscall": lambda *a: 0, failing: lambda *a: -1}
    monkeypatch.setattr(seccomp, "_libc", lambda: SimpleNamespace(**calls))
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "x86_64")
    with pytest.raises(SandboxUnavailable):
        seccomp.install_filter()
    assert seccomp.network_filter_available() is (failing == "prctl")


def test_a_kernel_with_the_filter_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "_libc", lambda: SimpleNamespace(prctl=lambda *a: 0, syscall=lambda *a: 0))
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "aarch64")
    seccomp.install_filter()


def test_another_machine_has_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "riscv64")
    assert not seccomp.network_filter_available()
