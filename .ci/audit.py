"""Ask advisory services for known vulnerabilities of the locked packages, and believe only a whole answer.

pip-audit ends with status 0 when a service knows nothing of a package ("not found on PyPI and could not be
audited"). Here a package counts as audited only when the service answered for exactly the locked version.

Exit status: 0 when each package was audited and has no known vulnerability, and also, after a loud NOT AUDITED,
where no service could be reached; 1 for a vulnerability, a package left out, or a broken tool.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

SERVICES = ("pypi", "osv")
"""Asked in this order until one answers. Each alone carries the advisories of the Python Packaging Authority."""

SERVICE_SECONDS = 300
"""For one question; a service that takes longer is not reachable."""

REASON_LENGTH = 300
"""Characters of pip-audit's own words that are passed on: it quotes whole lock files."""

UNREACHABLE = re.compile(
    r"NameResolutionError|ConnectionError|ConnectTimeout|ReadTimeout|ServiceError|ProxyError|SSLError"
)

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


class Verdict(Enum):
    """What one service's answers come to."""

    AUDITED = "AUDITED"
    VULNERABLE = "VULNERABLE"
    INCOMPLETE = "INCOMPLETE"
    BROKEN = "BROKEN"
    NOT_AUDITED = "NOT AUDITED"


Pins = Mapping[str, str]
"""Version by normalised name."""


@dataclass(frozen=True)
class Answer:
    """What pip-audit left after one question: the pins asked for, exit status, both outputs."""

    asked: Pins
    status: int
    output: str
    errors: str = ""


def questions(lock: str) -> list[Pins]:
    """All pins of a lock file, those for other platforms too, with one version of a package in each question
    (pip-audit takes no more; a lock file may pin several for different versions of Python)."""
    rounds: list[dict[str, str]] = []
    for found in _PINNED.finditer(lock):
        name, version = _normal(found[1]), found[2]
        free = next((pins for pins in rounds if pins.get(name, version) == version), None)
        if free is None:
            free = {}
            rounds.append(free)
        free[name] = version
    return list(rounds)


def judge(answers: Sequence[Answer]) -> tuple[Verdict, list[str]]:
    """The verdict on one service's answers to all questions, and the lines that give its reasons."""
    vulnerable: list[str] = []
    left_out: list[str] = []
    for answer in answers:
        try:
            entries = {_normal(entry["name"]): entry for entry in json.loads(answer.output)["dependencies"]}
        except (ValueError, KeyError, TypeError):
            return _no_report(answer)
        for name, version in answer.asked.items():
            entry = entries.get(name)
            reason = _left_out(version, entry)
            if reason is not None:
                left_out.append(f"{name} {version}: {reason}")
        vulnerable += [
            f"{name} {entry.get('version')}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'none'}"
            for name, entry in entries.items()
            for found in entry.get("vulns", [])
        ]
    count = sum(len(answer.asked) for answer in answers)
    if vulnerable:
        return Verdict.VULNERABLE, vulnerable + left_out
    if count and len(left_out) == count:
        return Verdict.NOT_AUDITED, [f"it knows none of the {count} packages", left_out[0]]
    if left_out:
        return Verdict.INCOMPLETE, left_out
    if not count or any(answer.status for answer in answers):
        return Verdict.BROKEN, [f"pip-audit found fault, but none with any of the {count} packages"]
    return Verdict.AUDITED, [f"{count} packages, no known vulnerability"]


def _no_report(answer: Answer) -> tuple[Verdict, list[str]]:
    last = (answer.errors.strip().splitlines() or ["nothing"])[-1][:REASON_LENGTH]
    verdict = Verdict.NOT_AUDITED if UNREACHABLE.search(answer.errors) else Verdict.BROKEN
    return verdict, [f"pip-audit ended with status {answer.status} and said: {last}"]


def _left_out(version: str, entry: Mapping[str, Any] | None) -> str | None:
    """Why the service has not answered for this version; None when it has."""
    if entry is None:
        return "not in the answer"
    if "skip_reason" in entry:
        return str(entry["skip_reason"])
    if entry.get("version") != version or "vulns" not in entry:
        return f"the answer is for {entry.get('version')}"
    return None


def _normal(name: str) -> str:
    """The name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def ask(service: str, pins: Pins) -> Answer:
    """Have pip-audit ask one service. Nothing is downloaded or installed for it."""
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements), "--no-deps"]
        command += ["--disable-pip", "--vulnerability-service", service]
        command += ["--format", "json", "--progress-spinner", "off"]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command over a file that this wrote
                command, capture_output=True, text=True, timeout=SERVICE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return Answer(pins, 1, "", f"ReadTimeout: no whole answer within {SERVICE_SECONDS} s")
    return Answer(pins, done.returncode, done.stdout, done.stderr)


def main(arguments: Sequence[str]) -> int:
    """Audit the lock file named by the one argument."""
    pins = questions(Path(arguments[0]).read_text())
    for service in SERVICES:
        verdict, reasons = judge([ask(service, question) for question in pins])
        print(f"{verdict.value}: {arguments[0]} by {service}")
        for reason in reasons:
            print(f"  {reason}")
        if verdict is not Verdict.NOT_AUDITED:
            return 0 if verdict is Verdict.AUDITED else 1
    print(f"NOT AUDITED: no advisory service was reachable for {arguments[0]}. Run this where one is.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
