"""The child can compute and answer, and nothing else; whatever it does, the parent lives and gets a typed end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.watermark.hostile_tasks import SECRET
from watermark import sandbox, seccomp
from watermark.errors import RefusalReason, Refused, SandboxUnavailable, Unmarkable
from watermark.sandbox import ChildLimits, ForeignTask, run_in_child

pytestmark = pytest.mark.skipif(
    not seccomp.network_filter_available(),
    reason="this platform has no system call filter; run the tests on Linux",
)

QUICK = ChildLimits(memory_bytes=1 << 30, cpu_seconds=20, wall_seconds=30.0)


@pytest.fixture(autouse=True)
def hostile_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("echo", "attempts", "misbehave"):
        monkeypatch.setitem(sandbox.TASKS, name, f"tests.watermark.hostile_tasks:{name}")


def refusal(how: str, limits: ChildLimits = QUICK, **parameters: object) -> Refused:
    with pytest.raises(Refused) as caught:
        run_in_child("misbehave", [b"hostile"], {"how": how, **parameters}, limits)
    return caught.value


def children() -> set[str]:
    """The numbers of this process's children, the collected ones not among them."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_a_task_gets_the_bytes_and_parameters_and_its_answer_comes_back() -> None:
    pieces = [b"", b"a" * 700_000, b"", b"b" * 300_000]
    result = run_in_child("echo", pieces, {"max_pages": 7})
    assert result.payload == b"".join(pieces)
    assert result.facts["parameters"] == {"max_pages": 7}


def test_a_task_of_another_room_is_run_like_our_own(tmp_path: Path) -> None:
    result = run_in_child(ForeignTask("tests.watermark.hostile_tasks:echo"), [b"a table"], {"rows": 7})
    assert (result.payload, result.facts["parameters"]) == (b"a table", {"rows": 7})
    confined = ForeignTask("tests.watermark.hostile_tasks:attempts")
    facts = run_in_child(confined, [b"hostile"], {"path": str(tmp_path / "written")}).facts
    assert "worked" not in facts.values()


def test_the_environment_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALMARK_KEY", "file:/secret")
    assert run_in_child("echo", [b"x"], {}).facts["environment"] == {}


def test_no_network_no_file_no_process_is_within_reach(tmp_path: Path) -> None:
    path = tmp_path / "written"
    facts = run_in_child("attempts", [b"hostile"], {"path": str(path)}).facts
    assert {name: outcome for name, outcome in facts.items() if outcome == "worked"} == {}
    assert len(facts) == 14
    assert not path.exists()


def test_a_loop_ends_when_the_wall_clock_says_so_and_leaves_no_process() -> None:
    before = children()
    assert refusal("loop", ChildLimits(wall_seconds=3.0)).reason == RefusalReason.TOO_COSTLY
    assert children() == before


def test_a_loop_ends_when_its_processor_time_is_used_up() -> None:
    assert refusal("loop", ChildLimits(cpu_seconds=2, wall_seconds=60.0)).reason == RefusalReason.TOO_COSTLY


def test_waiting_for_nothing_ends_too() -> None:
    assert refusal("sleep", ChildLimits(wall_seconds=3.0)).reason == RefusalReason.TOO_COSTLY


def test_what_the_child_had_started_dies_with_it() -> None:
    program = "import os, time; child = os.fork(); print(child or '', flush=True, end=''); time.sleep(600)"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    grandchild = int(os.read(process.stdout.fileno(), 20))
    assert sandbox._end_session(process) == -signal.SIGKILL
    process.stdout.close()
    for _ in range(500):
        if not Path(f"/proc/{grandchild}").exists() or ") Z" in Path(f"/proc/{grandchild}/stat").read_text():
            break
        time.sleep(0.01)
    else:
        pytest.fail("the grandchild lives on")


def test_too_much_memory_is_a_refusal() -> None:
    assert refusal("eat memory").reason == RefusalReason.TOO_COSTLY


def test_an_answer_beyond_the_limit_is_a_refusal() -> None:
    limits = ChildLimits(output_bytes=1000)
    assert refusal("flood", limits, size=1001).reason == RefusalReason.TOO_COSTLY
    assert (
        len(run_in_child("misbehave", [b"hostile"], {"how": "flood", "size": 1000}, limits).payload) == 1000
    )


def test_facts_beyond_the_limit_are_a_refusal() -> None:
    assert refusal("flood facts").reason == RefusalReason.TOO_COSTLY


@pytest.mark.parametrize("how", ["crash", "leave", "lie", "recurse"])
def test_a_crash_or_a_false_answer_is_a_damaged_document(how: str) -> None:
    assert refusal(how).reason == RefusalReason.DAMAGED


def test_a_refusal_crosses_the_pipe() -> None:
    refused = refusal("refuse")
    assert refused.reason == RefusalReason.NO_PAGES
    assert refused.message == Refused(RefusalReason.NO_PAGES).message


def test_an_unforeseen_failure_names_its_type_but_nothing_of_the_document() -> None:
    refused = refusal("fail")
    assert refused.reason == RefusalReason.CANNOT_MARK
    assert (refused.where or "").startswith("TypeError at ")
    assert SECRET not in f"{refused} {refused.where} {refused.__cause__}"


def test_what_a_task_prints_reaches_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_in_child("misbehave", [b"hostile"], {"how": "print"}).facts == {"printed": True}
    assert SECRET not in "".join(capfd.readouterr())


def test_an_input_beyond_the_limit_is_refused_while_it_arrives() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(1000)

    with pytest.raises(Refused) as caught:
        run_in_child("echo", endless(), {}, ChildLimits(input_bytes=100_000))
    assert caught.value.reason == RefusalReason.TOO_LARGE


def test_an_input_that_breaks_off_raises_its_own_error_and_leaves_no_process() -> None:
    class BrokenOffError(Exception):
        pass

    def source() -> Iterator[bytes]:
        yield b"half"
        raise BrokenOffError

    before = children()
    with pytest.raises(BrokenOffError):
        run_in_child("echo", source(), {})
    assert children() == before


def test_a_child_that_ends_before_the_input_does_not_block_its_writer() -> None:
    with pytest.raises(SandboxUnavailable):
        run_in_child("echo", [bytes(8 << 20)], {}, ChildLimits(memory_bytes=1 << 20))


def test_a_task_that_cannot_be_loaded_is_the_operators_concern(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sandbox.TASKS, "missing", "watermark.nowhere:task")
    with pytest.raises(SandboxUnavailable, match=r"ModuleNotFoundError watermark\.nowhere"):
        run_in_child("missing", [b"x"], {})


def test_only_the_registry_names_tasks() -> None:
    with pytest.raises(KeyError):
        run_in_child("os:system", [b"x"], {})


def test_without_a_filter_nothing_runs_unless_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "network_filter_available", lambda: False)
    with pytest.raises(SandboxUnavailable, match="network"):
        run_in_child("echo", [b"x"], {})
    assert run_in_child("echo", [b"x"], {}, unsafe_without_network_filter=True).payload == b"x"


def test_an_interpreter_that_does_not_start_is_the_operators_concern(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SandboxUnavailable, match="No such file"):
        run_in_child("echo", [b"x"], {})


def test_an_answer_that_is_no_object_or_lacks_a_part_is_false() -> None:
    for header in (b"[]", b"{}", b'{"refused": "nonsense", "message": null, "where": null}'):
        answer = sandbox._Answer(10)
        answer.add(b"R" + len(header).to_bytes(4, "big") + bytes(8) + header)
        with pytest.raises(Refused) as caught:
            sandbox._judge(answer, True, 0)
        assert caught.value.reason == RefusalReason.DAMAGED


def test_a_child_that_closed_its_pipe_but_does_not_end_is_not_waited_for() -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        assert not sandbox._ended_within(process, 0.01)
        sandbox._end_session(process)


def test_a_name_that_cannot_be_printed_is_told_by_field_and_font() -> None:
    error = Unmarkable("name", "font-missing", "Install a font.", font="Noto Sans Thai")
    assert (error.field, error.reason, error.message, error.font) == (
        "name",
        "font-missing",
        "Install a font.",
        "Noto Sans Thai",
    )
