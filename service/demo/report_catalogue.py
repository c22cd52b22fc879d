"""The sample report's controls, tests and exceptions as data, read from the text of the control modules."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from service.demo.report_controls_governance import GOVERNANCE_CONTROLS
from service.demo.report_controls_technical import TECHNICAL_CONTROLS
from service.demo.report_criteria import CRITERIA

NO_EXCEPTIONS = "No exceptions noted."

_HEAD = re.compile(r"\[(?P<id>[A-Z]{2}-\d\d)\] (?P<criteria>.+)")


@dataclass
class Control:
    """One control: what management says it does, and each procedure by which the auditor tested it."""

    id: str
    criteria: tuple[str, ...]
    description: str = ""
    tests: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Family:
    """Controls that stand under one heading."""

    title: str
    controls: tuple[Control, ...]


@dataclass(frozen=True)
class Deviation:
    """One exception: the test (counted from 0) that found it, and what management answers."""

    control: str
    criterion: str
    test: int
    text: str
    effect: str
    response: str
    remediated: bool
    action: str
    owner: str
    due: str


def read_families(text: str) -> tuple[Family, ...]:
    """The families of a control text, in its order. Raises ValueError on a criterion that does not exist,
    on a control without description or test, and on text that belongs to no control."""
    families: list[Family] = []
    for block in re.split(r"^# ", text, flags=re.M)[1:]:
        title, _, body = block.partition("\n")
        controls = tuple(_read_control(part) for part in re.split(r"\n\s*\n", body.strip()))
        families.append(Family(title.strip(), controls))
    return tuple(families)


def _read_control(text: str) -> Control:
    head, *lines = text.splitlines()
    match = _HEAD.fullmatch(head)
    if match is None:
        raise ValueError(f"a control begins with [XX-00] and its criteria, not with {head!r}")
    control = Control(match["id"], tuple(match["criteria"].split()))
    unknown = [criterion for criterion in control.criteria if criterion not in CRITERIA]
    if unknown:
        raise ValueError(f"{control.id} names criteria that do not exist: {', '.join(unknown)}")
    description, *tests = " ".join(lines).split("> ")
    control.description = description.strip()
    control.tests = [test.strip() for test in tests]
    if not control.description or not control.tests:
        raise ValueError(f"{control.id} needs a description and at least one test")
    return control


FAMILIES: tuple[Family, ...] = read_families(GOVERNANCE_CONTROLS) + read_families(TECHNICAL_CONTROLS)
CONTROLS: tuple[Control, ...] = tuple(control for family in FAMILIES for control in family.controls)

DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        control="AC-03",
        criterion="CC6.2",
        test=0,
        text="For 2 of the 40 grants of access that were tested, the approval of the system’s owner was "
        "recorded one and three working days after the access had been provisioned.",
        effect="Both grants were to the analytics workspace, which holds no customer data. The owner "
        "approved both afterwards, and no activity fell in the time between.",
        response="Management agrees. Both grants were made by hand while the provisioning connector was "
        "down in December 2025. Since February 2026 a grant cannot be made without both approvals, "
        "by hand or otherwise; all 312 grants of the period were examined and no further case was found.",
        remediated=True,
        action="Provisioning demands both approvals, by connector or by hand",
        owner="Director of Identity",
        due="Done February 9, 2026",
    ),
    Deviation(
        control="CM-02",
        criterion="CC8.1",
        test=0,
        text="For 1 of the 12 emergency changes that were tested, the full review was completed nine "
        "working days after deployment, against a limit of two.",
        effect="The change, a correction of a time-out in the notification service, had been tested and "
        "approved by chat before deployment. The late review led to no correction.",
        response="Management agrees. The review was assigned to an engineer on leave. Reviews of emergency "
        "changes are now assigned to the duty manager, who receives a reminder after one working day "
        "and an escalation after two.",
        remediated=True,
        action="Reviews assigned to the duty manager, with reminder and escalation",
        owner="VP Engineering",
        due="Done June 22, 2026",
    ),
    Deviation(
        control="AV-04",
        criterion="A1.3",
        test=0,
        text="For 1 of the 4 quarters, January to March 2026, the restore test of the search index class "
        "was not performed. The tests of the five other classes were performed and met the objectives.",
        effect="The search index can be rebuilt from the document store, whose restore test was performed "
        "in that quarter. The tests of the search index in the other three quarters met the objectives.",
        response="Management agrees. The test was postponed because the index was being moved to a new "
        "version, and was not scheduled again. A scheduler that opens the test’s ticket by itself, and "
        "reports a missed one to the availability forum, is being introduced.",
        remediated=False,
        action="Restore tests opened and watched by a scheduler",
        owner="Head of Reliability",
        due="Due December 18, 2026",
    ),
)


def deviation_of(control: str) -> Deviation | None:
    """The exception that was noted for this control, if there is one."""
    return next((deviation for deviation in DEVIATIONS if deviation.control == control), None)
