"""The check of an export: what it follows, what it tells apart, and what it refuses to be fooled by."""

from __future__ import annotations

import base64
import io
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crypto import logcheck, logexport, merkle
from crypto.logcheck import (
    BLOCK,
    EMPTY_ROOT,
    MAX_HEADER,
    MAX_LINE,
    CheckFailed,
    Checkpoint,
    NoteKey,
    check_export,
    check_proof,
    leaf_hash,
    main,
    read_keys,
    read_lines,
)
from tests.crypto.logs import SyntheticLog, at, changed, log_key, random_id, spelled, witness_key

ANA, BO = random_id("rcp", "ana"), random_id("rcp", "bo")


def rotated(log: SyntheticLog, to: str) -> logexport.Step:
    """Let another key sign after an overlap; returns the step of a chain that says so."""
    public = base64.b64encode(log_key(to, log.origin).public).decode()
    index = log.add("key.rotated", details={"key": to, "purpose": "log", "public": public, "replaces": "key"})
    log.signers = [*log.signers, to]
    step = log.step(index)
    log.signers = [to]
    return step


def recovered(log: SyntheticLog, kept: int, origin: str) -> tuple[SyntheticLog, logexport.Step]:
    """The log that was restored with its first entries and goes on under another origin, and the step that says so."""
    again = SyntheticLog(origin, log.signers)
    for row in log.rows[:kept]:
        again.append(row.leaf, row.revealed)
    root = base64.b64encode(merkle.root(log.size, log.read_node)).decode()
    details = {"origin": origin, "lost_origin": log.origin, "lost_size": log.size, "lost_root": root}
    again.late = log.late + log.size - kept
    index = again.add("log.recovered", details=details)
    return again, again.step(index)


# ---------------------------------------------------------------- ranges


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 600])
def test_the_whole_of_a_log_of_any_size_is_genuine(size: int) -> None:
    log = SyntheticLog().fill(size)

    report = log.check(log.export())

    assert (report.problems, report.count, report.size, report.whole) == ([], size, size, True)


@pytest.mark.parametrize(
    ("first", "stop"),
    [(0, 0), (0, 1), (1, 2), (100, 100), (100, 400), (255, 257), (256, 512), (599, 600), (600, 600)],
)
def test_any_range_is_genuine_and_its_entries_are_those_of_their_places(first: int, stop: int) -> None:
    log = SyntheticLog().fill(600)
    lines = log.export(first, stop)

    assert log.check(lines).problems == []
    assert log.check([changed(lines[0], first=first + 1), *lines[1:]]).problems
    assert log.check([changed(lines[0], stop=stop + 1), *lines[1:]]).problems


@pytest.mark.parametrize(("first", "stop"), [(-1, 3), (3, 2), (0, 11), (2**60, 2**61)])
def test_a_range_that_cannot_be_is_refused(first: int, stop: int) -> None:
    log = SyntheticLog().fill(10)
    lines = log.export()

    problems = log.check([changed(lines[0], first=first, stop=stop), *lines[1:]]).problems

    assert problems == ["the header names a range that cannot be"]


def timed(log: SyntheticLog, first: int, stop: int, edges: list[int], **asked: str) -> list[str]:
    return log.check(log.export(first, stop, asked, edges=edges)).problems


def test_a_range_of_time_has_all_its_entries() -> None:
    log = SyntheticLog().fill(40)

    assert timed(log, 10, 20, [9, 20], since=at(10), until=at(20)) == []
    assert timed(log, 10, 20, [9, 20], since=at(9.5), until=at(19.5)) == []
    assert timed(log, 10, 40, [9], since=at(10)) == []
    assert timed(log, 0, 20, [20], until=at(20)) == []
    assert timed(log, 0, 40, [], since=at(-5), until=at(99)) == []
    assert timed(log, 40, 40, [39], since=at(99)) == []
    assert timed(log, 20, 20, [19, 20], since=at(19.2), until=at(19.8)) == []


def test_an_entry_left_out_at_the_end_of_a_range_of_time_is_named() -> None:
    log = SyntheticLog().fill(40)

    for first, stop, left_out in ((11, 20, 10), (10, 19, 19)):
        problems = timed(log, first, stop, [first - 1, stop], since=at(10), until=at(20))
        assert problems == [f"entry {left_out} is of the range of time, and was left out"]
    assert timed(log, 9, 20, [8, 20], since=at(10), until=at(20)) == [
        "entry 9 is not of the range of time that the export names"
    ]


@pytest.mark.parametrize(
    ("first", "stop", "edges", "asked"),
    [
        (10, 20, [20], {"since": at(10), "until": at(20)}),
        (10, 20, [9], {"since": at(10), "until": at(20)}),
        (10, 20, [9, 9, 20], {"since": at(10), "until": at(20)}),
        (10, 20, [20, 9], {"since": at(10), "until": at(20)}),
        (10, 20, [8, 20], {"since": at(10), "until": at(20)}),
        (10, 20, [9], {"since": at(10)}),
        (10, 20, [20], {"until": at(20)}),
        (10, 20, [9, 20], {}),
    ],
)
def test_a_range_of_time_without_what_stands_beside_it_is_refused(
    first: int, stop: int, edges: list[int], asked: dict[str, str]
) -> None:
    log = SyntheticLog().fill(40)

    assert timed(log, first, stop, edges, **asked) == [
        "the export does not show what stands beside its range of time"
    ]


def test_an_entry_beside_a_range_is_one_of_the_log() -> None:
    log = SyntheticLog().fill(40)
    header, *rest = log.export(10, 20, {"since": at(10), "until": at(20)}, edges=[9, 20])
    edges = json.loads(header)["edges"]
    edges[0]["leaf"] = edges[0]["leaf"].replace('"ok"', '"no"')

    assert log.check([changed(header, edges=edges), *rest]).problems == [
        "entry 9 is not in the log of 40 entries that was signed"
    ]


def test_times_that_go_back_are_told() -> None:
    log = SyntheticLog().fill(5)
    log.add(when=at(2))

    assert log.check(log.export()).problems == ["entry 5 has a time before that of the one before it"]


@pytest.mark.parametrize("when", ["2026-01-01T00:00:00Z", "now", "9999-99-99T00:00:00.000000Z"])
def test_a_time_in_another_spelling_is_told_with_its_entry(when: str) -> None:
    log = SyntheticLog().fill(3)
    log.add(when=when)

    (problem,) = log.check(log.export()).problems

    assert problem.startswith("entry 3 ")


def test_silence_is_told_once_for_each_time() -> None:
    log = SyntheticLog().fill(3)
    log.add(when="2026-01-01T09:00:00.000000Z")
    log.add(when="2026-01-01T10:00:00.000000Z")

    assert log.check(log.export()).notes == [
        "Before entry 3 the log was silent for 8:59:58: it did not run then."
    ]


def test_no_more_is_remarked_than_someone_would_read() -> None:
    log = SyntheticLog()
    for day in range(120):
        log.add(when=at(day * 86400))

    assert len(log.check(log.export()).notes) == 100


# ---------------------------------------------------------------- filtered exports


def test_a_filtered_export_shows_that_its_entries_are_genuine_and_says_what_it_cannot_show() -> None:
    log = SyntheticLog().fill(50)
    document = random_id("doc", 1)
    chosen = [index for index in range(10, 40) if index % 3 == 1]

    report = log.check(log.export(10, 40, {"document": document, "since": at(0)}, chosen=chosen))

    assert (report.problems, report.count, report.whole) == ([], 10, False)
    assert any("cannot show that none is missing" in line for line in report.lines())
    assert log.check(log.export(asked={"kind": "page.viewed"}, chosen=[])).problems == []


@pytest.mark.parametrize(
    ("chosen", "asked", "problem"),
    [
        ([3, 4], {"document": random_id("doc", 0)}, "entry 4 is none that the filter chooses"),
        ([3], {"share": random_id("shr", 0)}, "entry 3 is none that the filter chooses"),
        ([4, 3], {"outcome": "ok"}, "entry 3 "),
        ([3, 3], {"outcome": "ok"}, "entry 3 stands after 3, or out of range"),
        ([1], {"outcome": "ok"}, "entry 1 stands after 1, or out of range"),
        ([8], {"outcome": "ok"}, "entry 8 stands after 1, or out of range"),
        ([3], {"outcome": "ok", "until": at(3)}, "entry 3 is not of the range of time that the export names"),
    ],
)
def test_a_filtered_export_with_what_does_not_belong_is_refused(
    chosen: list[int], asked: dict[str, str], problem: str
) -> None:
    log = SyntheticLog().fill(10)

    (found,) = log.check(log.export(2, 8, asked, chosen=chosen)).problems

    assert found.startswith(problem)


def test_a_filtered_export_with_an_edited_entry_names_it() -> None:
    log = SyntheticLog().fill(20)
    header, first, second, end = log.export(asked={"outcome": "ok"}, chosen=[5, 9])
    entry = json.loads(second)
    leaf = entry["leaf"].replace("granted", "revoked")
    forged = changed(second, leaf=leaf, hash=base64.b64encode(leaf_hash(leaf.encode())).decode())
    proof = changed(second, proof=entry["proof"][::-1])
    broken = changed(second, proof=["*"])
    short = changed(second, proof=["AAAA"])

    for line in (forged, proof):
        problem = "entry 9 is not in the log of 20 entries that was signed"
        assert log.check([header, first, line, end]).problems == [problem]
    for line in (broken, short):
        assert log.check([header, first, line, end]).problems[0].startswith("entry 9 is not of the form")


def test_a_filtered_export_cannot_pass_for_a_whole_one() -> None:
    log = SyntheticLog().fill(20)
    whole, filtered = log.export(), log.export(asked={"outcome": "ok"}, chosen=range(20))

    assert log.check([changed(filtered[0], filter={}), *filtered[1:]]).problems
    assert log.check([changed(whole[0], filter={"outcome": "ok"}), *whole[1:]]).problems == [
        "a filtered export has no proof of its range"
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": None}, {"kind": 1}, {"since": ""}, {"since": "2026-01-01T00:00:00Z"}, {"until": 5}, {"mail": "a"},
        {"outcome": "ok", "kind": "download.granted"}, {"kind": ["a"]},
    ],
)  # fmt: skip
def test_a_filter_that_the_format_does_not_have_is_refused(asked: Mapping[str, object]) -> None:
    log = SyntheticLog().fill(3)
    lines = log.export()

    (problem,) = log.check([changed(lines[0], filter=asked), *lines[1:]]).problems

    assert problem.startswith(("the header names a filter that cannot be", "the header is not of the form"))


# ---------------------------------------------------------------- what was held


@pytest.mark.parametrize("size", [0, 1, 100, 255, 256, 300, 512, 599, 600])
def test_a_held_checkpoint_is_compared_by_the_entries_of_the_whole_log(size: int) -> None:
    log = SyntheticLog().fill(600)

    report = log.check(log.export(), [log.held(size)])

    assert report.problems == []
    assert report.notes == [f"Compared with the checkpoint of {size} entries that you hold."]


def test_a_held_checkpoint_is_compared_by_a_proof_or_within_the_range() -> None:
    log = SyntheticLog().fill(600)
    held = [log.held(size) for size in (17, 300, 450)]

    assert log.check(log.export(290, 460, held=[17]), held).problems == []
    assert log.check(log.export(290, 460), held).problems == [
        "this cannot be compared with a checkpoint of 17: pull it with --held, or the whole log"
    ]
    filtered = log.export(asked={"outcome": "ok"}, chosen=[3], held=[17, 300, 450])
    assert log.check(filtered, held).problems == []
    assert (
        "cannot be compared" in log.check(log.export(asked={"outcome": "ok"}, chosen=[3]), held).problems[0]
    )


def test_a_checkpoint_that_another_log_signed_compares_with_nothing() -> None:
    log, other = SyntheticLog().fill(10), SyntheticLog("reports.acme.example/log_b", ["other"])
    other.late = 1
    other.fill(20)

    assert log.check(log.export(), [other.held(5)]).problems == [
        "no key of the log reports.acme.example/log_b was given: it is another, or its key is missing"
    ]
    assert check_export(log.export(), [*log.keys, *other.keys], [other.held(5)]).problems == [
        "a fork: the first 5 entries are others than those that you hold"
    ]


# ---------------------------------------------------------------- keys and origins


def test_rotated_keys_are_followed_from_any_that_signed() -> None:
    log = SyntheticLog().fill(10)
    keys, chain = [log.keys], []
    for name in ("second", "third"):
        chain.append(rotated(log, name))
        keys.append(log.keys)
        log.fill(log.size + 10)
    lines = log.export(chain=chain)

    for given in keys:
        assert check_export(lines, given).problems == []
    assert check_export(log.export(chain=chain[1:]), keys[0]).problems == [
        "no key that is believed signed the checkpoint of 32 entries: a wrong key?"
    ]


def test_a_key_names_another_only_under_its_own_signature() -> None:
    log = SyntheticLog().fill(5)
    given = log.keys
    public = base64.b64encode(log_key("thief", log.origin).public).decode()
    index = log.add("key.rotated", details={"key": "k", "purpose": "log", "public": public})
    log.signers = ["thief"]

    problems = check_export(log.export(chain=[log.step(index)]), given).problems

    assert problems == ["no key that is believed signed the checkpoint of 6 entries: a wrong key?"]


@pytest.mark.parametrize(
    ("kind", "purpose"), [("share.created", "log"), ("key.created", "log"), ("key.rotated", "links")]
)
def test_no_other_entry_names_a_key(kind: str, purpose: str) -> None:
    log = SyntheticLog().fill(5)
    public = base64.b64encode(log_key("second", log.origin).public).decode()
    index = log.add(kind, details={"purpose": purpose, "public": public})

    assert log.check(log.export(chain=[log.step(index)])).problems == ["the chain has another entry"]


def test_an_entry_without_what_a_chain_needs_is_named() -> None:
    log = SyntheticLog().fill(5)
    for members in (
        {},
        {"details": {}},
        {"details": {"purpose": "log"}},
        {"details": {"purpose": "log", "public": "A"}},
    ):
        index = log.add("key.rotated", **members)

        (problem,) = log.check(log.export(chain=[log.step(index)])).problems

        assert problem.startswith(f"entry {index}, in the chain is not of the form")


@pytest.mark.parametrize("member", ["index", "leaf", "proof", "consistency", "checkpoint"])
def test_a_step_of_a_chain_that_was_changed_is_refused(member: str) -> None:
    log = SyntheticLog().fill(9)
    given = log.keys
    chain = [rotated(log, "second")]
    log.fill(20)
    header, *rest = log.export(chain=chain)
    (step,) = json.loads(header)["chain"]
    assert check_export([header, *rest], given).problems == []
    other = {
        "index": step["index"] - 1,
        "leaf": step["leaf"].replace("key.rotated", "log.rotated"),
        "proof": step["proof"][1:],
        "consistency": step["consistency"][::-1],
        "checkpoint": step["checkpoint"].replace("\n10\n", "\n11\n"),
    }

    assert check_export([changed(header, chain=[{**step, member: other[member]}]), *rest], given).problems


def test_a_recovered_log_is_followed_and_the_loss_is_told() -> None:
    old = SyntheticLog().fill(30)
    new, step = recovered(old, 20, "reports.acme.example/log_b")
    new.fill(50)
    lines = new.export(chain=[step])

    report = check_export(lines, old.keys, [old.held(20), old.held(7)])

    assert report.problems == []
    assert report.origin == "reports.acme.example/log_b"
    assert report.notes[0] == (
        "NOTE: entry 20 says that the database was restored, and the last 10 signed entries of "
        "reports.acme.example/log_a are lost."
    )
    assert check_export(new.export(), new.keys).notes == report.notes[:1]


def test_what_was_lost_of_a_held_checkpoint_is_a_problem_whatever_the_log_says() -> None:
    old = SyntheticLog().fill(30)
    new, step = recovered(old, 20, "reports.acme.example/log_b")
    new.fill(50)

    problems = check_export(new.export(chain=[step]), old.keys, [old.held(25)]).problems

    assert problems == ["entries 20 to 24 of the checkpoint you hold are lost: see entry 20"]


def test_a_log_recovered_twice_with_a_key_rotated_between_is_followed_from_its_first_key() -> None:
    first = SyntheticLog().fill(30)
    second, one = recovered(first, 20, "reports.acme.example/log_b")
    second.fill(40)
    two = rotated(second, "later")
    second.fill(60)
    third, three = recovered(second, 50, "reports.acme.example/log_c")
    third.fill(80)
    chain = [one, two, three]

    report = check_export(third.export(chain=chain), first.keys, [first.held(15), first.held(20)])

    assert report.problems == []
    assert len([note for note in report.notes if note.startswith("NOTE")]) == 2
    assert check_export(third.export(chain=chain[::-1]), first.keys).problems != []


def test_no_log_takes_over_the_name_of_another_whose_key_was_given_too() -> None:
    """An auditor of two customers gives both keys; neither customer can speak for the other."""
    mine, other = SyntheticLog("a.example/log", ["a"]).fill(5), SyntheticLog("b.example/log", ["b"]).fill(5)
    both = [*mine.keys, *other.keys]
    forged = SyntheticLog("b.example/log", ["a"]).fill(9)
    assert "no key that is believed" in check_export(forged.export(), both).problems[0]

    claimed, step = recovered(other, 3, "a.example/log")
    claimed.signers = ["a"]
    step = claimed.step(step.index)
    header, *rest = claimed.export(chain=[step])
    assert check_export([header, *rest], both).problems == []
    assert check_export(forged.export(chain=[]), both).problems
    assert check_export([header, *rest], both, [Checkpoint.decode(forged.checkpoint(3))]).problems == [
        "no key that is believed signed the checkpoint of 3 entries: a wrong key?"
    ]


def test_a_new_origin_stands_in_the_log_that_it_begins() -> None:
    old = SyntheticLog().fill(30)
    new, step = recovered(old, 20, "reports.acme.example/log_b")
    moved = SyntheticLog("reports.acme.example/log_c", new.signers)
    for row in new.rows:
        moved.append(row.leaf, row.revealed)

    problems = check_export(moved.export(chain=[moved.step(step.index)]), old.keys).problems

    assert problems == ["the chain has a new origin that stands in another log"]


def test_witnesses_are_told_and_a_wrong_signature_of_one_fails() -> None:
    log = SyntheticLog().fill(3)
    log.witnesses = ["w.example/1"]
    lines = log.export()
    keys = [*log.keys, witness_key("w.example/1"), witness_key("w.example/2")]

    assert check_export(lines, keys).notes == [
        "The checkpoint and the witness w.example/1: signed it at 1767225600, in seconds since 1970.",
        "The checkpoint and the witness w.example/2: did not sign it.",
    ]
    line = log.checkpoint().splitlines()[-1]
    wrong = log.checkpoint().replace(line, line[:40] + ("A" if line[40] != "A" else "B") + line[41:])
    assert (
        "w.example/1 under the checkpoint is wrong"
        in check_export(log.export(checkpoint=wrong), keys).problems[0]
    )


def test_a_witness_alone_is_no_key_of_the_log() -> None:
    log = SyntheticLog().fill(3)
    log.witnesses = ["w.example/1"]

    assert "no key of the log" in check_export(log.export(), [witness_key("w.example/1")]).problems[0]


# ---------------------------------------------------------------- personal values


def erasing_log(*, erasing: str | None, said: str) -> SyntheticLog:
    """Two values of Ana, of which one names an entry that erased it; and perhaps such an entry."""
    log = SyntheticLog()
    log.add(
        "recipient.created", {"mail": "ana@acme.example", "name": "Ana"}, recipient=ANA, erased={"mail": said}
    )
    log.add("share.created", {"purpose": "review"}, withheld=["purpose"])
    if erasing:
        log.add("recipient.erased", recipient=erasing)
    return log


@pytest.mark.parametrize(
    ("erasing", "said", "counted"),
    [(ANA, random_id("ent", 2), (1, 1)), (BO, random_id("ent", 2), (0, 2)), (None, random_id("ent", 2), (0, 2)),
     (ANA, random_id("ent", 1), (0, 2))],
    ids=["erased", "another person's erasing", "no erasing entry", "an entry that erases nothing"],
)  # fmt: skip
def test_erased_is_what_an_entry_says_and_all_else_is_withheld(
    erasing: str | None, said: str, counted: tuple[int, int]
) -> None:
    log = erasing_log(erasing=erasing, said=said)

    report = log.check(log.export())

    assert (report.problems, report.erased, report.withheld) == ([], *counted)
    assert (
        f"Personal values not shown: {counted[0]} erased (an entry says so), {counted[1]} withheld."
        in report.lines()
    )


def test_a_value_without_a_named_person_counts_as_erased_by_the_entry_that_it_names() -> None:
    log = SyntheticLog()
    log.add("nda.created", {"company": "Acme"}, erased={"company": random_id("ent", 1)})
    log.add("recipient.erased", recipient=ANA)

    assert log.check(log.export()).erased == 1


def test_more_erasures_than_memory_should_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logcheck, "MAX_ERASURES", 2)
    log = SyntheticLog()
    for index in range(4):
        log.add("share.created", {"mail": "a@b.example"}, erased={"mail": random_id("ent", 100 + index)})

    assert log.check(log.export()).problems == [
        "entry 2 names more erasures than are counted: export a shorter range"
    ]


# ---------------------------------------------------------------- spelling, types, sizes


def first_changed(log: SyntheticLog, line: int, **members: Any) -> str:
    lines = log.export()
    lines[line] = changed(lines[line], **members)
    (problem,) = log.check(lines).problems
    return problem


@pytest.mark.parametrize(
    ("line", "members"),
    [
        (0, {"first": False}), (0, {"first": 0.0}), (0, {"size": 2.0}), (0, {"held": {}}), (0, {"chain": [[]]}),
        (0, {"held": [{"size": True, "proof": []}]}), (0, {"edges": [{}]}), (0, {"before": [""]}), (0, {"blocks": [5]}),
        (0, {"after": "x"}), (0, {"more": 1}), (0, {"checkpoint": "x"}), (0, {"format": "sealmark-log-export v2"}),
        (0, {"origin": "elsewhere"}), (0, {"filter": []}), (1, {"index": False}), (2, {"index": True}),
        (2, {"index": 1.0}),        (1, {"hash": 5}), (1, {"revealed": []}), (1, {"revealed": None}),
        (1, {"proof": []}), (1, {"leaf": {}}),
        (2, {"revealed": {"mail": None}}), (2, {"revealed": {"mail": "x"}}), (2, {"revealed": {"mail": {}}}),
        (2, {"revealed": {"mail": {"salt": "", "value": ""}}}), (2, {"revealed": {"mail": {"value": 1, "salt": "00"}}}),
        (2, {"revealed": {"mail": {"value": "a", "salt": "x"}}}), (2, {"revealed": {"mail": {"erased": 1}}}),
        (3, {"count": 2.0}), (3, {"count": "2"}), (3, {"count": 3}), (3, {"more": 1}),
    ],
    ids=str,
)  # fmt: skip
def test_values_of_another_type_or_form_are_refused_where_they_stand(
    line: int, members: dict[str, Any]
) -> None:
    problem = first_changed(SyntheticLog().fill(2), line, **members)

    names = ["header", "entry 0", "entry 1", "end"][line]
    assert names in problem or "the export says that it has" in problem or "checkpoint" in problem


def test_a_number_is_not_the_text_that_was_committed_to_and_nothing_stands_beside_it() -> None:
    log = SyntheticLog()
    log.add(personal={"reference": "5"})
    (shown,) = json.loads(log.export()[1])["revealed"].values()

    for other in ({**shown, "value": 5}, {**shown, "note": "x"}, {"salt": shown["salt"], "value": "5"}):
        problem = first_changed(log, 1, revealed={"reference": other})
        assert problem == "the reference of entry 0 is not of the form that the format has"


def test_true_is_not_one() -> None:
    log = SyntheticLog()
    log.add()
    lines = log.export()

    assert log.check([*lines[:2], spelled({"count": True})]).problems != []


@pytest.mark.parametrize(
    "spelling",
    [
        lambda line: line.replace(b'"index":1', b'"index": 1'),
        lambda line: line.replace(b'"index":1', b'"index":01'),
        lambda line: line.replace(b'"index":1', b'"index":1e0'),
        lambda line: line.replace(b'{"index":1', b'{"index":0,"index":1'),
        lambda line: line.replace(b"mail", b"m\\u0061il", 1),
        lambda line: line.replace(b"\n", b"\r\n"),
        lambda line: line.replace(b"\n", b" \n"),
        lambda line: b"\xef\xbb\xbf" + line,
        lambda line: line[:-1].decode().encode("utf-16-be") + b"\n",
        lambda line: line.replace(b"acme", b"\xff"),
        lambda line: line.replace(b"acme", b"\\ud800"),
        lambda line: spelled(dict(sorted(json.loads(line).items()))),
        lambda line: b"[" * 100_000 + b"\n",
        lambda line: b'{"index":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
        lambda line: b'{"index":' + b"1" * 10_000 + b"}\n",
        lambda line: b'{"index":NaN}\n',
        lambda line: b"1\n",
        lambda line: b"\n",
    ],
)
def test_a_line_in_another_spelling_is_named(spelling: Any) -> None:
    log = SyntheticLog().fill(3)
    lines = log.export()
    other = spelling(lines[2])
    assert other != lines[2]

    problems = log.check([*lines[:2], other, *lines[3:]]).problems

    assert len(problems) == 1
    assert problems[0].startswith("entry 1 ")


@pytest.mark.parametrize(
    "leaf",
    [
        b"", b"[]", b'{"a":1,"a":2}', b'{"sequenced":"2026-01-01T00:00:05.000000Z","kind":"k"}', b'{"kind":"k"}',
        b'{"kind":"k","sequenced":5}', b'{"kind":"k", "sequenced":"2026-01-01T00:00:05.000000Z"}',
        b'{"commitments":[],"kind":"k","sequenced":"2026-01-01T00:00:05.000000Z"}', b"[" * 100_000,
        b'{"commitments":{"mail":"x"},"kind":"k","kind":"k","sequenced":"2026-01-01T00:00:05.000000Z"}',
        b'{"kind":"k","n":1.5,"sequenced":"2026-01-01T00:00:05.000000Z"}',
        b'{"kind":"recipient.erased","sequenced":"2026-01-01T00:00:05.000000Z"}',
        b'{"details":{},"kind":"log.recovered","sequenced":"2026-01-01T00:00:05.000000Z"}',
        b'{"details":{"lost_origin":"a","lost_size":"5"},"kind":"log.recovered","sequenced":"2026-01-01T00:00:05.000000Z"}',
    ],
)  # fmt: skip
def test_a_leaf_that_a_log_should_not_have_signed_is_named(leaf: bytes) -> None:
    """What two readers could read in two ways is no evidence, even under a good signature."""
    log = SyntheticLog().fill(3)
    log.append(leaf)

    (problem,) = log.check(log.export()).problems

    assert problem.startswith("entry 3 ")


def test_a_hash_moved_between_the_parts_of_the_header_is_refused() -> None:
    log = SyntheticLog().fill(10)
    header, *rest = log.export(4, 6)
    parts = json.loads(header)
    before, blocks, after = parts["before"], parts["blocks"], parts["after"]

    for moved in (
        {"before": [*before, *blocks[:1]], "blocks": blocks[1:]},
        {"blocks": [*blocks, *after[:1]], "after": after[1:]},
        {"before": before[1:]},
        {"after": [*after, after[0]]},
        {"blocks": []},
    ):
        assert log.check([changed(header, **moved), *rest]).problems


def test_a_header_of_hashes_that_fit_no_signed_log_is_told_before_any_entry_is_read() -> None:
    log = SyntheticLog().fill(10)
    header = changed(log.export()[0], blocks=[base64.b64encode(bytes(32)).decode()] * 2)

    assert log.check([header]).problems == ["the hashes in the header are not those of the signed log"]


def test_a_signed_size_of_astronomic_height_costs_no_memory_or_time() -> None:
    log = SyntheticLog().fill(2)
    note = Checkpoint.decode(log.checkpoint(10**15, root=EMPTY_ROOT))
    header = changed(
        log.export()[0],
        size=10**15,
        stop=10**15,
        checkpoint=note.text + "\n" + log.checkpoint(10**15, EMPTY_ROOT).split("\n\n")[1],
    )

    (problem,) = log.check([header]).problems

    assert problem.startswith("the header is not of the form")


class Endless(io.RawIOBase):
    """A file that has a line without an end; counts what is asked of it."""

    def __init__(self, begin: bytes) -> None:
        self.begin, self.asked = begin, 0

    def readline(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert 0 < size <= MAX_HEADER
        self.asked += size
        found, self.begin = self.begin, b""
        return found or b"x" * size


def test_a_line_without_an_end_is_not_read_on() -> None:
    log = SyntheticLog().fill(3)
    in_header, in_entry = Endless(b""), Endless(log.export()[0])

    assert "the export ends before the header" in log.check(read_lines(in_header)).problems[0]  # type: ignore[arg-type]
    assert "the export ends before entry 0" in log.check(read_lines(in_entry)).problems[0]  # type: ignore[arg-type]
    assert (in_header.asked, in_entry.asked) == (MAX_HEADER, MAX_HEADER + MAX_LINE)


def test_nothing_that_a_log_says_reaches_the_terminal_as_a_command() -> None:
    log = SyntheticLog().fill(2)
    details = {"origin": log.origin, "lost_origin": "\x1b]0;x\x07\u202e", "lost_size": 5, "lost_root": ""}
    log.add("log.recovered", details=details)

    report = log.check(log.export())

    assert report.problems == []
    assert all(line.isprintable() for line in report.lines())


def test_an_export_writes_what_a_database_gives_in_any_order_as_the_format_has_it() -> None:
    log = SyntheticLog()
    log.add(personal={"name": "Ana", "mail": "a@b.example"})
    row = log.rows[0]
    turned = {name: dict(reversed(shown.items())) for name, shown in reversed(row.revealed.items())}
    header, line, end = log.export()

    assert logexport.entry_line(0, row.leaf, row.hash, turned) == line
    assert log.check([header, line, end]).problems == []
    assert json.loads(log.export(asked={"until": at(9), "since": at(0)})[0])["filter"] == {
        "since": at(0),
        "until": at(9),
    }


# ---------------------------------------------------------------- one entry


@pytest.mark.parametrize("size", [1, 2, 7, 300])
def test_the_proof_of_each_entry_holds_for_it_and_for_no_other(size: int) -> None:
    log = SyntheticLog().fill(size)
    for index in {0, size // 2, size - 1}:
        proof = logexport.entry_proof(index, log.checkpoint(), log.read_node)

        report = check_proof(proof, log.rows[index].leaf, log.keys)

        assert (report.problems, report.first, report.size) == ([], index, size)
        assert check_proof(proof, log.rows[index].leaf + b"\n", log.keys).problems == [
            f"entry {index} is not in the log of {size} entries that was signed"
        ]
        assert check_proof(proof, log.rows[index].leaf, [log_key("other", log.origin)]).problems


def test_every_byte_of_a_proof_flipped_is_refused() -> None:
    log = SyntheticLog().fill(5)
    proof, leaf = logexport.entry_proof(2, log.checkpoint(), log.read_node).encode(), log.rows[2].leaf
    for place in range(len(proof)):
        other = (proof[:place] + bytes([proof[place] ^ 1]) + proof[place + 1 :]).decode("utf-8", "replace")
        try:
            assert check_proof(other, leaf, log.keys).problems, place
        except ValueError:
            continue


def test_what_a_proof_says_beside_is_passed_over() -> None:
    log = SyntheticLog().fill(5)
    proof = logexport.entry_proof(2, log.checkpoint(), log.read_node)

    assert (
        check_proof(proof.replace("\nindex", "\nextra AAAA\nindex"), log.rows[2].leaf, log.keys).problems
        == []
    )
    for other in (
        "",
        proof.replace("@v1", "@v2"),
        proof.replace("index 2", "index 02"),
        proof.split("\n\n")[0],
    ):
        with pytest.raises(CheckFailed):
            check_proof(other, log.rows[2].leaf, log.keys)


# ---------------------------------------------------------------- the program


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """An export, its keys, checkpoints, one entry and its proof, as someone may have got them."""
    log = SyntheticLog().fill(BLOCK + 5)
    (tmp_path / "export.ndjson").write_bytes(b"".join(log.export()))
    (tmp_path / "keys").write_text(f"{log.keys[0].encode()}\n\n{witness_key('w.example/1').encode()}\n")
    (tmp_path / "held").write_text(log.checkpoint(99))
    (tmp_path / "newer").write_text(SyntheticLog().fill(BLOCK + 9).checkpoint())
    (tmp_path / "entry").write_bytes(log.rows[7].leaf)
    (tmp_path / "proof").write_text(logexport.entry_proof(7, log.checkpoint(), log.read_node))
    (tmp_path / "key").write_text(log.keys[0].encode())
    return tmp_path


def test_the_program_tells_what_it_found_by_its_status(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export, key = str(files / "export.ndjson"), (files / "key").read_text()

    assert main([export, "--key", key, "--against", str(files / "held")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "The checkpoint: 261 entries of the log reports.acme.example/log_a."
    assert said[-1] == "Genuine: nothing was edited, added, left out or moved."
    assert main([export, "--key", key, "--against", str(files / "newer")]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-2].startswith("WRONG: you hold a checkpoint of 265 entries, this log has 261")
    assert said[-1] == "NOT genuine."
    assert main([str(files / "entry"), "--key", str(files / "keys"), "--proof", str(files / "proof")]) == 0
    assert "from 7 to before 8, 1 in all" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing", "--key", "keys"],
        ["export.ndjson", "--key", "no key"],
        ["export.ndjson", "--key", "export.ndjson"],
        ["export.ndjson", "--key", "keys", "--against", "keys"],
        ["export.ndjson", "--key", "keys", "--against", "missing"],
        ["entry", "--key", "keys", "--proof", "held"],
        ["entry", "--key", "keys", "--proof", "proof", "--against", "held"],
        ["export.ndjson", "--key", "a\0b"],
    ],
)
def test_what_cannot_be_checked_is_neither_genuine_nor_not(
    files: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(files)

    assert main(arguments) == 2

    assert capsys.readouterr().err.startswith("cannot check: ")


def test_the_file_is_a_program(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [str(files / "entry"), "--key", str(files / "key"), "--proof", str(files / "proof")]
    monkeypatch.setattr(sys, "argv", ["logcheck.py", *arguments])

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(logcheck.__file__), run_name="__main__")

    assert ended.value.code == 0


def test_keys_come_as_text_and_as_files(files: Path) -> None:
    key, witness = read_keys([str(files / "keys")])

    assert read_keys([key.encode(), str(files / "key")]) == [key, key]
    assert isinstance(witness, NoteKey)


def test_the_one_file_works_alone_with_nothing_of_ours_around_it(files: Path) -> None:
    alone = files / "alone"
    alone.mkdir()
    (alone / "logcheck.py").write_bytes(Path(logcheck.__file__).read_bytes())
    command = [sys.executable, "-I", str(alone / "logcheck.py"), "export.ndjson", "--key", "keys"]

    done = subprocess.run(command, cwd=files, env={}, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "Genuine: nothing was edited, added, left out or moved."
    broken = (files / "export.ndjson").read_bytes().replace(b'"Ana 7"', b'"Eva 7"', 1)
    (files / "export.ndjson").write_bytes(broken)
    done = subprocess.run(command, cwd=files, env={}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "WRONG: entry 7 does not commit to the name that is shown: it was edited" in done.stdout
    assert os.listdir(alone) == ["logcheck.py"]
