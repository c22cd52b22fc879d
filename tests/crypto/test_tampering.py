"""Whole exports that were tampered with: every case is detected, and the entry or its block is named."""

from __future__ import annotations

import base64
import functools
import hmac
import io
import json
import re

import pytest

from crypto import canonical
from crypto.logcheck import BLOCK, BLOCK_LEVEL, Checkpoint, check_export, leaf_hash, perfect, read_lines
from tests.crypto.logs import SyntheticLog, at, changed, log_key

SIZE = 300
FLIPPED_ENTRIES = 1000

LOG = SyntheticLog().fill(SIZE)
EXPORT = LOG.export()


def found(lines: list[bytes], log: SyntheticLog = LOG) -> str:
    """The only problem of an export, as its bytes lie in a file."""
    report = check_export(read_lines(io.BytesIO(b"".join(lines))), log.keys)
    assert len(report.problems) == 1, report
    return report.problems[0]


def names(problem: str, what: str) -> bool:
    """Whether a problem names this, and not only something that begins so."""
    return re.search(rf"\b{re.escape(what)}\b", problem) is not None


def place(line: int) -> str:
    """What a line of the export is called."""
    return {0: "the header", SIZE + 1: "the end"}.get(line, f"entry {line - 1}")


def block(index: int, size: int = SIZE) -> str:
    """How an export from 0 to `size` names the block of an entry."""
    for level, number in perfect(0, size, BLOCK_LEVEL):
        if index >> level == number and level:
            return f"one of the entries {number << level} to {(number + 1 << level) - 1}"
    return f"entry {index}"


def forged(index: int, log: SyntheticLog = LOG) -> bytes:
    """The line of an entry whose leaf says something else, with the hash of that."""
    line = json.loads(log.export(index, index + 1)[1])
    leaf = line["leaf"].replace('"outcome":"ok"', '"outcome":"no"')
    return changed(
        json.dumps(line).encode(), leaf=leaf, hash=base64.b64encode(leaf_hash(leaf.encode())).decode()
    )


def flipped(line: bytes, place: int) -> bytes:
    """The line with one bit of one byte turned, each time another one of the eight."""
    return line[:place] + bytes([line[place] ^ 1 << place % 8]) + line[place + 1 :]


@pytest.fixture
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a signature is found to be is remembered, which makes a million checks quick."""
    monkeypatch.setattr(Checkpoint, "signed_by", functools.cache(Checkpoint.signed_by))


def test_what_nobody_touched_is_genuine() -> None:
    report = check_export(read_lines(io.BytesIO(b"".join(EXPORT))), LOG.keys)

    assert (report.problems, report.count, report.whole) == ([], SIZE, True)


@pytest.mark.parametrize("line", [0, 1, 2, 150, SIZE, SIZE + 1])
def test_a_line_left_out_says_so_in_words(line: int) -> None:
    problem = found(EXPORT[:line] + EXPORT[line + 1 :])

    assert problem.startswith(
        {
            0: "the header is missing",
            SIZE: f"entry {SIZE - 1} is missing",
            SIZE + 1: "the export ends before the end",
        }.get(line, f"entry {line} is in the place of entry {line - 1}: left out")
    )


def test_every_line_deleted_is_detected_and_named() -> None:
    for line in range(SIZE + 2):
        assert names(found(EXPORT[:line] + EXPORT[line + 1 :]), place(line)), line


def test_every_line_doubled_is_detected_and_named() -> None:
    for line in range(SIZE + 1):
        problem = found([*EXPORT[: line + 1], *EXPORT[line:]])
        assert names(problem, place(line + 1)), problem
    assert found([*EXPORT, EXPORT[-1]]) == f"the export says that it has {SIZE} entries: it has others"


def test_every_line_swapped_with_its_neighbour_is_detected_and_named() -> None:
    for line in range(SIZE + 1):
        problem = found([*EXPORT[:line], EXPORT[line + 1], EXPORT[line], *EXPORT[line + 2 :]])
        assert names(problem, place(line)), problem


def test_a_deletion_that_renumbers_what_follows_is_told_within_its_block() -> None:
    for gone in range(0, SIZE - 1, 7):
        following = [changed(line, index=index) for index, line in enumerate(EXPORT[gone + 2 : -1], gone)]
        invented = changed(forged(SIZE - 1), index=SIZE - 1)

        problems = LOG.check([*EXPORT[: gone + 1], *following, invented, EXPORT[-1]]).problems

        assert problems[0] == f"{block(gone)} is another than was signed"


@pytest.mark.parametrize("index", [0, 1, 17, 255, 256, 290, SIZE - 1])
def test_an_entry_edited_together_with_its_hash_is_told_within_its_block(index: int) -> None:
    problem = found([*EXPORT[: index + 1], forged(index), *EXPORT[index + 2 :]])

    assert problem == f"{block(index)} is another than was signed"


def test_an_edited_entry_that_is_exported_alone_is_told_by_its_index() -> None:
    lines = LOG.export(17, 18)

    assert found([lines[0], forged(17), lines[2]]) == "entry 17 is another than was signed"


def test_an_entry_edited_alone_is_told_by_its_index() -> None:
    for index in range(0, SIZE, 13):
        line = EXPORT[index + 1].replace(b"download.granted", b"download.refused")
        problem = found([*EXPORT[: index + 1], line, *EXPORT[index + 2 :]])
        assert problem == f"entry {index} was edited: its leaf does not have its hash"


def test_each_block_with_an_edited_entry_is_told() -> None:
    log = SyntheticLog().fill(3 * BLOCK)
    lines = log.export()
    for index in (5, 2 * BLOCK + 9):
        lines[index + 1] = forged(index, log)

    problems = log.check(lines).problems

    assert [re.findall(r"\d+ to \d+", problem) for problem in problems] == [["0 to 255"], ["512 to 767"]]


def test_no_more_blocks_are_told_than_someone_would_read() -> None:
    log = SyntheticLog().fill(BLOCK * 24)
    lines = log.export()
    for index in range(0, log.size, BLOCK):
        lines[index + 1] = forged(index, log)

    problems = log.check(lines).problems

    assert len(problems) == 21
    assert problems[-1] == "and what follows was not checked"


def test_an_invented_entry_is_told_where_it_stands() -> None:
    inserted = [*EXPORT[:11], forged(9), *EXPORT[11:]]
    renumbered = [*EXPORT[:11], changed(forged(9), index=10), *EXPORT[12:]]

    assert found(inserted).startswith("entry 9 is in the place of entry 10")
    assert found(renumbered) == f"{block(10)} is another than was signed"


def test_a_personal_value_that_was_edited_moved_or_invented_is_told_with_its_field() -> None:
    line = json.loads(EXPORT[4])
    shown, other = line["revealed"], json.loads(EXPORT[8])["revealed"]

    def problem(revealed: object) -> str:
        return found([*EXPORT[:4], changed(EXPORT[4], revealed=revealed), *EXPORT[5:]])

    edited = {**shown, "mail": {**shown["mail"], "value": "eve@acme.example"}}
    assert problem(edited) == "entry 3 does not commit to the mail that is shown: it was edited"
    assert problem({**shown, "mail": other["mail"]}).startswith("entry 3 does not commit to the mail")
    assert problem({**shown, "mail": shown["name"]}).startswith("entry 3 does not commit to the mail")
    assert problem({**shown, "reference": shown["mail"]}).startswith("entry 3 shows values")


@pytest.mark.parametrize("salt", [bytes(31), bytes(33), bytes(64), b""], ids=len)
def test_another_salt_with_which_the_code_is_the_same_is_refused(salt: bytes) -> None:
    log = SyntheticLog()
    log.add(personal={"mail": "ana@acme.example"})
    leaf = json.loads(log.rows[0].leaf)
    leaf["commitments"]["mail"] = hmac.digest(bytes(32), b"mail\x00ana@acme.example", "sha256").hex()
    zero = SyntheticLog()
    shown = {"mail": {"value": "ana@acme.example", "salt": bytes(32).hex()}}
    zero.append(canonical.encode(leaf), shown)
    lines = zero.export()
    assert zero.check(lines).problems == []
    assert hmac.digest(salt, b"mail\x00ana@acme.example", "sha256").hex() == leaf["commitments"]["mail"]

    other = changed(lines[1], revealed={"mail": {**shown["mail"], "salt": salt.hex()}})

    assert found([lines[0], other, lines[2]], zero).startswith("entry 0 does not commit to the mail")


def test_every_length_to_which_an_export_is_cut_is_detected(remembering: None) -> None:
    log = SyntheticLog().fill(4)
    data = b"".join(log.export())
    for length in range(len(data)):
        assert check_export(read_lines(io.BytesIO(data[:length])), log.keys).problems, length


def test_a_cut_in_an_entry_names_it() -> None:
    for index in (0, 5, SIZE - 1):
        cut = [*EXPORT[: index + 1], EXPORT[index + 1][:-5]]
        assert found(cut).startswith(f"the export ends before entry {index}, or in it")


def test_a_log_that_was_rolled_back_is_detected_against_a_held_checkpoint() -> None:
    held = [LOG.held()]
    old = LOG.checkpoint(200)

    problems = LOG.check(LOG.export(checkpoint=old), held).problems

    assert problems == [
        "you hold a checkpoint of 300 entries, this log has 200: its end was cut off, it was rolled back, or the "
        "export is the older one"
    ]


def test_a_log_cut_and_grown_again_is_detected_as_a_fork() -> None:
    forked = SyntheticLog()
    for row in LOG.rows[:250]:
        forked.append(row.leaf, row.revealed)
    forked.fill(280)
    forked.add("share.created")
    forked.fill(400)
    held = [LOG.held(300)]

    by_entries = forked.check(forked.export(), held).problems
    by_proof = forked.check(forked.export(390, held=[300]), held).problems

    assert by_entries == ["a fork: the first 300 entries are others than those that you hold"]
    assert by_proof == ["a fork: the log of 400 entries does not begin with the 300 that were signed before"]


def test_two_held_checkpoints_of_one_size_that_differ_are_a_fork_whatever_the_export_says() -> None:
    other = Checkpoint.decode(LOG.checkpoint(100, root=bytes(32)))

    assert LOG.check(EXPORT, [LOG.held(100), other]).problems == ["a fork: you hold two logs of 100"]
    assert "a fork" in LOG.check(EXPORT, [other]).problems[0]
    assert (
        "a fork" in LOG.check(EXPORT, [Checkpoint.decode(LOG.checkpoint(SIZE, root=bytes(32)))]).problems[0]
    )


def test_another_key_of_the_same_name_is_detected() -> None:
    assert found(EXPORT, SyntheticLog(signers=["second"])) == (
        f"no key that is believed signed the checkpoint of {SIZE} entries: a wrong key?"
    )


def test_every_byte_of_a_header_flipped_is_detected_but_in_signatures_of_keys_that_nobody_gave(
    remembering: None,
) -> None:
    log = SyntheticLog().fill(200)
    given = log.keys
    new = base64.b64encode(log_key("second", log.origin).public).decode()
    log.add("key.rotated", details={"key": "key_2", "purpose": "log", "public": new, "replaces": "key_1"})
    chain, held = [log.step(200)], [log.held(150)]
    log.signers, log.witnesses = ["second"], ["w.example/unknown"]
    log.fill(400)
    asked = {"since": at(20), "until": at(30)}
    header, *rest = log.export(20, 30, asked, chain=chain, held=[150], edges=[19, 30])
    assert check_export([header, *rest], given, held).problems == []

    missed = set()
    for place in range(len(header)):
        file = io.BytesIO(b"".join([flipped(header, place), *rest]))
        if not check_export(read_lines(file), given, held).problems:
            missed.add(place)

    signature = re.search(rb"\xe2\x80\x94 w\.example/unknown [^\\]+", header)
    assert signature
    allowed = set(range(*signature.span())) | digits_of_times(header)
    assert missed <= allowed


def digits_of_times(header: bytes) -> set[int]:
    """Where a bound of time says a second or less: with another one it still holds, if no entry is between."""
    return {
        place
        for found in re.finditer(rb":([0-9]{2}\.[0-9]{6})Z\"[,}]", header)
        for place in range(*found.span(1))
    }


@pytest.mark.slow
def test_every_byte_of_a_thousand_entries_flipped_is_detected_and_names_the_entry(remembering: None) -> None:
    """Each in an export of its entry alone, which is checked whole."""
    log = SyntheticLog().fill(FLIPPED_ENTRIES)
    flips = 0
    for index in range(FLIPPED_ENTRIES):
        header, line, footer = log.export(index, index + 1)
        named = re.compile(rf"\bentry {index}\b")
        assert log.check([header, line, footer]).problems == []
        for place in range(len(line)):
            file = io.BytesIO(header + flipped(line, place) + footer)
            problems = check_export(read_lines(file), log.keys).problems
            assert problems, (index, place)
            assert named.search(problems[0]), problems
        flips += len(line)
    assert flips > 600 * FLIPPED_ENTRIES
