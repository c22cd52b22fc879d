"""`sealmark shares bulk`: a file of people, each shared with once, however often the command is run."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest

from service.batch_working import BatchWorking
from service.cli import bulk as module
from service.cli.people_file import read_people
from tests.cli.conftest import CommandLine

PEOPLE = (
    "Name,Mail,Deal,Company\n"
    "Ana Lima,ana@acme.example,17,Acme\n"
    "\n"
    'Bo Berg,"bo@acme.example",18,Acme\n'
    "=cmd,cy@acme.example,19,\n"
)


@pytest.fixture
def document(sealmark: CommandLine, pdf: Path, facts: Path) -> str:
    """A report that is ready, with an agreement for all of acme.example."""
    made: str = sealmark.json(
        "documents", "add", "SOC 2", "--kind", "soc2-type2", "--owner", "trust@lender.example"
    )["id"]
    sealmark.ok("versions", "add", made, pdf, "--facts", facts, "--compile")
    sealmark.ok("ndas", "add", "--domain", "acme.example", "--source", "paper", "--approved")
    return made


def _file(sealmark: CommandLine, text: str = PEOPLE) -> Path:
    path = sealmark.folder / "people.csv"
    path.write_text(text, encoding="utf-8")
    return path


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _shares(sealmark: CommandLine) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = sealmark.json("shares", "list")["items"]
    return items


def test_a_file_is_shared_with_and_each_row_gets_its_link(sealmark: CommandLine, document: str) -> None:
    bulk = ("shares", "bulk", _file(sealmark), "--document", document, "--purpose", "renewal")
    first = sealmark(*bulk)
    assert first.status == 0, first.err
    rows = _rows(first.out)
    assert [(row["line"], row["mail"]) for row in rows] == [
        ("2", "ana@acme.example"),
        ("4", "bo@acme.example"),
        ("5", "cy@acme.example"),
    ]
    assert rows[2]["name"] == "'=cmd"  # no spreadsheet runs it
    assert all("/s/v1." in row["link"] for row in rows)
    assert {row["share"] for row in rows} == {share["id"] for share in _shares(sealmark)}
    batch = re.search(r"bat_\w{26}", first.err)
    assert batch
    assert "3 of 3 people are shared with" in first.err

    again = _rows(sealmark.ok(*bulk, "--no-links"))
    assert [row["share"] for row in again] == [row["share"] for row in rows]
    assert [row["link"] for row in again] == ["", "", ""]
    resumed = sealmark.json("shares", "bulk", _file(sealmark), "--batch", batch[0], "--no-links")
    assert [item["share"] for item in resumed["items"]] == [row["share"] for row in rows]
    assert len(_shares(sealmark)) == 3
    sealmark.ok(*bulk, "--again", "--no-links")
    assert len(_shares(sealmark)) == 6


def test_a_command_that_is_broken_off_goes_on_where_it_stopped(
    sealmark: CommandLine, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.batch_working.CHUNK", 1)
    bulk = (
        *("shares", "bulk", _file(sealmark), "--document", document, "--purpose", "renewal"),
        *("--no-links", "--expires", "30d"),
    )
    worked = module._worked

    def broken_off(side: Any, batch_id: str, listed: Any) -> Any:
        side.work(batch_id)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_worked", broken_off)
    assert sealmark(*bulk).status == 130
    assert len(_shares(sealmark)) == 1
    monkeypatch.setattr(module, "_worked", worked)
    rows = _rows(sealmark.ok(*bulk))
    assert len(_shares(sealmark)) == len({row["share"] for row in rows}) == 3


def test_what_is_wrong_in_a_file_is_said_by_its_lines(sealmark: CommandLine, document: str) -> None:
    path = _file(sealmark, "mail;name\nana@acme.example;Ana\nbo;Bo\neve@other.example;Eve\n")
    bulk = ("shares", "bulk", path, "--document", document, "--purpose", "renewal")
    refused = sealmark(*bulk)
    assert refused.status == 1
    lines = refused.err.splitlines()
    assert lines[0].startswith("line 3, mail: A mail address looks like")
    assert lines[1].startswith("line 4: This document goes out only under NDA")
    assert "2 of 3 rows cannot be shared with" in lines[2]
    assert "--skip-problems" in lines[2]
    assert _shares(sealmark) == []

    rows = _rows(sealmark.ok(*bulk, "--skip-problems"))
    assert [row["problem"] for row in rows] == ["", "invalid", "nda-required"]
    assert len(_shares(sealmark)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "mail;name;notes, remarks, and so on, if any\nana@acme.example;Ana Lima;a, b\n",
        "mail\tname\tnotes; remarks, if any\nana@acme.example\tAna Lima\tx\n",
        '"notes; remarks; and so on",mail,name\nx,ana@acme.example,Ana Lima\n',
        '"mail";"name";"notes,\nmore, and more"\n"ana@acme.example";"Ana Lima";"x"\n',
    ],
    ids=["semicolons", "tabs", "commas", "quotes"],
)
def test_what_stands_between_the_cells_of_a_file_is_told_from_its_columns(tmp_path: Path, text: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    assert [(one.mail, one.name) for one in read_people(path).people] == [("ana@acme.example", "Ana Lima")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"mail;nme,full\nana@acme.example;Ana\n", "has no column 'name'"),
        (b"name,company\nAna,Acme\n", "has no column 'mail'"),
        (b"", "has no column 'mail'"),
        (b"mail,name\n", "names nobody"),
        (b"mail,name\nana@acme.example,\xff\n", "not in UTF-8"),
        (b'mail,name\nana@acme.example,"A"na\n', "line 2: this is no CSV"),
        (b"mail,name,company\n\nana@acme.example,Lima, Ana,Acme\n", "line 3: this row has more cells"),
        (b"mail,name\nana@acme.example,Lima,\n", "line 2: this row has more cells"),
        (b"mail,name\n,,Ana\n", "line 2: this row has more cells"),
        (b"mail,name,Mail \nana@acme.example,Ana,bo@acme.example\n", "has two columns 'mail'"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(sealmark: CommandLine, content: bytes, said: str) -> None:
    path = sealmark.folder / "people.csv"
    path.write_bytes(content)
    line = sealmark.refused(
        "shares", "bulk", path, "--document", f"doc_{'0' * 26}", "--purpose", "x", status=1
    )
    assert said in line


def test_an_output_file_takes_the_answer_and_a_batch_wants_its_own_file(
    sealmark: CommandLine, document: str
) -> None:
    output = sealmark.folder / "answers.csv"
    done = sealmark(
        *("shares", "bulk", _file(sealmark), "--document", document, "--purpose", "x", "--output", output)
    )
    assert (done.status, done.out) == (0, "")
    assert len(_rows(output.read_text("utf-8"))) == 3
    batch = re.search(r"bat_\w{26}", done.err)
    assert batch
    other = _file(sealmark, "mail,name\nana@acme.example,Ana Lima\n")
    assert "has 3 rows" in sealmark.refused("shares", "bulk", other, "--batch", batch[0], status=1)
    assert sealmark("shares", "bulk", other).status == 2


def test_a_row_of_empty_cells_is_an_empty_line_however_many_they_are(
    sealmark: CommandLine, document: str
) -> None:
    path = _file(sealmark, "mail,name\nana@acme.example,Ana\n,,,\n")
    rows = _rows(sealmark.ok("shares", "bulk", path, "--document", document, "--purpose", "x", "--no-links"))
    assert [row["mail"] for row in rows] == ["ana@acme.example"]


def test_a_batch_goes_on_with_nobody_elses_file(sealmark: CommandLine, document: str) -> None:
    path = _file(sealmark, "mail,name\nana@acme.example,Ana\nBo@ACME.example,Bo\nbad,Bad\n")
    bulk = ("shares", "bulk", path, "--document", document, "--purpose", "x", "--no-links", "--skip-problems")
    batch = re.search(r"bat_\w{26}", sealmark(*bulk).err)
    assert batch
    again = _rows(sealmark.ok("shares", "bulk", path, "--batch", batch[0]))
    assert [bool(row["link"]) for row in again] == [True, True, False]
    path = _file(sealmark, "mail,name\nbo@acme.example,Bo\nana@acme.example,Ana\nbad,Bad\n")
    refused = sealmark("shares", "bulk", path, "--batch", batch[0])
    assert (refused.status, refused.out) == (1, "")
    assert "has somebody else in the place of line 2" in refused.err
    assert len(sealmark.json("log", "list", "--kind", "link.created")["items"]) == 2


def test_a_file_that_was_shared_with_is_said_to_be_and_shared_with_once_more_only_when_asked(
    sealmark: CommandLine, document: str
) -> None:
    bulk = ("shares", "bulk", _file(sealmark), "--document", document, "--purpose", "x", "--send")
    sealmark.ok(*bulk)
    for share in _shares(sealmark):
        sealmark.ok("shares", "revoke", share["id"])
    again = sealmark(*bulk)
    assert again.status == 0
    assert re.search(
        r"already done on 2\d{3}-\S+Z, when 3 of 3 people were shared with; --again shares", again.err
    )
    assert "are shared with" not in again.err
    more = sealmark(*bulk, "--again")
    assert "3 of 3 people are shared with" in more.err
    assert len(_shares(sealmark)) == 6


def test_another_end_than_before_is_refused_and_the_same_span_goes_on(
    sealmark: CommandLine, document: str
) -> None:
    bulk = ("shares", "bulk", _file(sealmark), "--document", document, "--purpose", "x", "--no-links")
    first = _rows(sealmark.ok(*bulk, "--expires", "300d"))
    assert [row["share"] for row in _rows(sealmark.ok(*bulk, "--expires", "300d"))] == [
        row["share"] for row in first
    ]
    for other in (("--expires", "2d"), (), ("--expires", "300d", "--skip-problems")):
        refused = sealmark(*bulk, *other)
        assert (refused.status, refused.out) == (1, "")
        assert "with another --expires or --skip-problems" in refused.err
    assert len(_shares(sealmark)) == 3
    assert "is no time: write it like" in sealmark.refused(*bulk, "--expires", "soon", status=2)


def test_a_row_whose_share_has_ended_gets_no_link_and_says_why(sealmark: CommandLine, document: str) -> None:
    bulk = ("shares", "bulk", _file(sealmark), "--document", document, "--purpose", "renewal")
    first = _rows(sealmark.ok(*bulk))
    sealmark.ok("shares", "revoke", first[1]["share"])
    rows = _rows(sealmark.ok(*bulk))
    assert [row["share"] for row in rows] == [row["share"] for row in first]
    assert [(row["link"] != "", row["problem"]) for row in rows] == [
        (True, ""),
        (False, "wrong-state"),
        (True, ""),
    ]


def test_a_document_that_is_not_there_is_no_rows_fault(sealmark: CommandLine) -> None:
    bulk = ("shares", "bulk", _file(sealmark), "--document", f"doc_{'0' * 26}", "--purpose", "renewal")
    assert "There is no document" in sealmark.refused(*bulk, status=1)


def test_a_batch_that_a_worker_works_on_is_waited_for(
    sealmark: CommandLine, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_once = BatchWorking.run_once

    def by_another(self: BatchWorking, batch_id: str | None = None) -> bool:
        assert run_once(self, batch_id)
        return run_once(self, batch_id)  # nothing is left for this process

    monkeypatch.setattr(BatchWorking, "run_once", by_another)
    rows = _rows(
        sealmark.ok("shares", "bulk", _file(sealmark), "--document", document, "--purpose", "renewal")
    )
    assert {row["share"] for row in rows} == {share["id"] for share in _shares(sealmark)}
    assert len(rows) == 3
