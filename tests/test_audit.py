"""A package counts as audited only when a service answered for its locked version; all else is said."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PINS = {"flask": "3.1.3", "numpy": "2.4.6"}


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


audit = load("audit")
skips = load("skips")
Verdict = audit.Verdict


def sound(name: str, version: str) -> dict[str, Any]:
    return {"name": name, "version": version, "vulns": []}


def skipped(name: str, version: str) -> dict[str, Any]:
    reason = f"Dependency not found on PyPI and could not be audited: {name} ({version})"
    return {"name": name, "skip_reason": reason}


def vulnerable(name: str, version: str) -> dict[str, Any]:
    found = {"id": "PYSEC-2026-1", "fix_versions": ["3.1.4"], "aliases": [], "description": "why"}
    return {"name": name, "version": version, "vulns": [found]}


def answered(*entries: dict[str, Any], status: int = 0, asked: dict[str, str] = PINS) -> Any:
    return audit.Answer(asked, status, json.dumps({"dependencies": entries, "fixes": []}))


def test_an_answer_for_every_locked_version_is_an_audit() -> None:
    verdict, reasons = audit.judge([answered(sound("Flask", "3.1.3"), sound("numpy", "2.4.6"))])

    assert verdict is Verdict.AUDITED
    assert reasons == ["2 packages, no known vulnerability"]


def test_a_vulnerability_is_named_with_its_mending() -> None:
    verdict, reasons = audit.judge(
        [answered(vulnerable("flask", "3.1.3"), sound("numpy", "2.4.6"), status=1)]
    )

    assert verdict is Verdict.VULNERABLE
    assert reasons == ["flask 3.1.3: PYSEC-2026-1, mended in 3.1.4"]


def test_a_vulnerability_counts_also_where_others_were_left_out() -> None:
    verdict, _ = audit.judge([answered(vulnerable("flask", "3.1.3"), skipped("numpy", "2.4.6"), status=1)])

    assert verdict is Verdict.VULNERABLE


@pytest.mark.parametrize(
    "entries",
    [
        [sound("flask", "3.1.3"), skipped("numpy", "2.4.6")],
        [sound("flask", "3.1.3")],
        [sound("flask", "3.1.3"), sound("numpy", "2.4.5")],
        [sound("flask", "3.1.3"), {"name": "numpy", "version": "2.4.6"}],
    ],
    ids=["skipped", "absent", "another version", "without its findings"],
)
def test_one_package_left_out_is_an_incomplete_audit(entries: list[dict[str, Any]]) -> None:
    verdict, reasons = audit.judge([answered(*entries)])

    assert verdict is Verdict.INCOMPLETE
    assert len(reasons) == 1
    assert reasons[0].startswith("numpy 2.4.6: ")


def test_a_service_that_knows_no_package_is_none_although_the_status_is_0() -> None:
    verdict, reasons = audit.judge([answered(*(skipped(*pin) for pin in PINS.items()), status=0)])

    assert verdict is Verdict.NOT_AUDITED
    assert "could not be audited" in reasons[1]


def test_one_question_of_several_left_out_is_incomplete_not_unreachable() -> None:
    second = answered(skipped("numpy", "2.5.5"), asked={"numpy": "2.5.5"})

    verdict, _ = audit.judge([answered(*(sound(*pin) for pin in PINS.items())), second])

    assert verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ("requests.exceptions.ConnectionError: NameResolutionError: no such host", Verdict.NOT_AUDITED),
        ("ReadTimeout: no whole answer within 300 s", Verdict.NOT_AUDITED),
        ("ERROR:pip_audit._cli:package numpy has duplicate requirements", Verdict.BROKEN),
        ("No module named pip_audit", Verdict.BROKEN),
        ("", Verdict.BROKEN),
    ],
)
def test_without_a_report_only_a_connection_that_failed_counts_as_unreachable(
    errors: str, expected: Any
) -> None:
    verdict, reasons = audit.judge([audit.Answer(PINS, 1, "", errors)])

    assert verdict is expected
    assert len(reasons) == 1


def test_a_status_without_a_finding_is_no_audit() -> None:
    verdict, _ = audit.judge([answered(*(sound(*pin) for pin in PINS.items()), status=1)])

    assert verdict is Verdict.BROKEN


def test_an_empty_lock_file_is_no_audit() -> None:
    assert audit.judge([]) == (Verdict.BROKEN, ["pip-audit found fault, but none with any of the 0 packages"])


def test_questions_hold_every_pin_of_the_lock_file_once() -> None:
    lock = (
        "# numpy==0.0.1\n"
        "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:00\n"
        "numpy==2.5.5 ; python_full_version >= '3.12' \\\n    --hash=sha256:00\n"
        "Colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n    # via click\n"
        "flask-openapi[swagger]==5.0.0\n"
    )

    first = {"numpy": "2.4.6", "colorama": "0.4.6", "flask-openapi": "5.0.0"}

    assert audit.questions(lock) == [first, {"numpy": "2.5.5"}]


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        (["AUDITED"], 0),
        (["VULNERABLE"], 1),
        (["INCOMPLETE"], 1),
        (["BROKEN"], 1),
        (["NOT_AUDITED", "AUDITED"], 0),
        (["NOT_AUDITED", "VULNERABLE"], 1),
        (["NOT_AUDITED", "NOT_AUDITED"], 0),
    ],
)
def test_the_exit_status_follows_the_first_service_that_answers(
    verdicts: list[str],
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text("flask==3.1.3\n")
    left = [(Verdict[name], ["because"]) for name in verdicts]
    monkeypatch.setattr(audit, "ask", lambda service, pins: None)
    monkeypatch.setattr(audit, "judge", lambda answers: left.pop(0))

    assert audit.main([str(lock)]) == status

    assert left == []
    printed = capsys.readouterr().out
    assert ("NOT AUDITED: no advisory service was reachable" in printed) == (set(verdicts) == {"NOT_AUDITED"})


def report(kind: str, reason: str) -> str:
    return (
        "<testsuites><testsuite><testcase classname='tests.a' name='test_b'>"
        f"<skipped type='{kind}' message='{reason}'/></testcase></testsuite></testsuites>"
    )


def test_a_test_left_out_fails_ci_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.xml"
    path.write_text(report("pytest.skip", "missing: the server"))

    assert skips.main([str(path)]) == 1
    assert "tests.a::test_b: missing: the server" in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "reason"), [("pytest.skip", "only on macOS"), ("pytest.xfail", "known")])
def test_what_belongs_elsewhere_or_is_known_to_fail_is_not_left_out(
    kind: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.xml"
    path.write_text(report(kind, reason))

    assert skips.main([str(path)]) == 0
