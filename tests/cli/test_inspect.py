"""`sealmark inspect` says what a PDF is, can carry and would lose, or why it is refused."""

from __future__ import annotations

import hashlib
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from service.standalone import inspecting
from tests.cli.conftest import CommandLine, Result, a_page, a_signed_page, there
from watermark.errors import RefusalReason, Refused
from watermark.sandbox import ChildResult

REFUSED = 1
CHILD = inspecting.in_child


def saved(opened: pikepdf.Pdf, **options: Any) -> bytes:
    written = BytesIO()
    opened.save(written, **options)
    return written.getvalue()


def a_rich_file() -> bytes:
    """Three pages, one turned; tagged, with an outline, a form and a script; locked with an empty password."""
    with pikepdf.open(BytesIO(a_page("A report"))) as opened:
        for _ in range(2):
            opened.pages.append(opened.pages[0])
        opened.pages[1].obj.Rotate = 90
        root = opened.Root
        root.StructTreeRoot = Dictionary(Type=Name.StructTreeRoot)
        item = opened.make_indirect(Dictionary(Title="One", Dest=Array([opened.pages[0].obj, Name.Fit])))
        root.Outlines = Dictionary(First=item, Last=item, Count=1)
        root.AcroForm = Dictionary(Fields=Array([]))
        root.OpenAction = Dictionary(S=Name.JavaScript, JS="evil")
        opened.docinfo["/Producer"] = "Microsoft Word"
        return saved(opened, encryption=pikepdf.Encryption(owner="", user="", R=6))


def lines_of(result: Result) -> dict[str, str]:
    return dict(re.split("  +", line, maxsplit=1) for line in result.out.splitlines())


def test_it_says_what_a_file_is_and_what_would_be_removed(alone: CommandLine, pdf: Path) -> None:
    pdf.write_bytes(a_rich_file())

    said = alone.json("inspect", pdf)

    assert (said["size"], said["refused"]) == (pdf.stat().st_size, None)
    assert said["sha256"] == hashlib.sha256(pdf.read_bytes()).hexdigest()
    what = said["pdf"]
    assert (what["producer"], what["version"]) == ("word", "1.7")
    assert [what[trait] for trait in ("encrypted", "tagged", "outline", "form")] == [True] * 4
    assert what["fonts"] == {"Type1": 1}
    assert [(page["number"], page["rotation"]) for page in what["pages"]] == [(1, 0), (2, 90), (3, 0)]
    portrait, turned, _ = what["pages"]
    assert (turned["width"], turned["height"]) == (portrait["height"], portrait["width"])
    codes = {one["code"]: one["count"] for one in said["removes"]}
    assert codes == {"encryption": 1, "info": 1, "open-action": 1}
    assert all(one["meaning"] for one in said["removes"])
    assert [page["number"] for page in said["capacity"]["pages"]] == [1, 2, 3]
    assert said["capacity"]["statement"]
    assert there(alone) == {"report.pdf"}


def test_people_read_it_in_lines(alone: CommandLine, pdf: Path) -> None:
    pdf.write_bytes(a_rich_file())

    said = lines_of(alone("inspect", pdf))

    assert "made by word, encrypted (opens without a password), tagged, with an outline" in said["is"]
    assert said["pages"] == "3"
    assert said["page sizes"].endswith("(page 2)")
    assert "(pages 1 and 3)" in said["page sizes"]
    assert said["fonts"] == "1 Type1"
    assert "what opening the document would do (1)" in said["removes"]
    assert "mark" in said["carries"]


def test_a_plain_file_is_said_plainly(alone: CommandLine, pdf: Path) -> None:
    with pikepdf.open(BytesIO(a_page("A report"))) as opened:
        del opened.trailer["/Info"]
        pdf.write_bytes(saved(opened))

    said = lines_of(alone("inspect", pdf))

    assert said["is"].startswith("PDF 1.")
    assert "," not in said["is"]
    assert "(" not in said["page sizes"]
    assert said["removes"] == "nothing"


def test_signatures_are_said_to_be_removed(alone: CommandLine, pdf: Path) -> None:
    pdf.write_bytes(a_signed_page())

    assert "which a mark would break" in lines_of(alone("inspect", pdf))["removes"]
    assert "signatures" in {one["code"] for one in alone.json("inspect", pdf)["removes"]}


def test_it_says_what_pages_can_carry(alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def woven(task: str, *arguments: Any, **options: Any) -> ChildResult:
        result = CHILD(task, *arguments, **options)
        weave = {"weave": {"pages": [{"words": 120, "woven": 100}]}} if task == "compile" else {}
        return ChildResult({**result.facts, **weave}, result.payload)

    monkeypatch.setattr(inspecting, "in_child", woven)

    assert alone.json("inspect", pdf)["capacity"]["total"] == 100
    assert lines_of(alone("inspect", pdf))["carries"].startswith(
        "100 words on its page carry the woven mark."
    )


def locked() -> bytes:
    with pikepdf.open(BytesIO(a_page("A report"))) as opened:
        return saved(opened, encryption=pikepdf.Encryption(owner="o", user="u", R=6))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"Dear Ana", "not-a-pdf"),
        (b"", "not-a-pdf"),
        (locked(), "needs-password"),
        (b"%PDF-1.7\nno more", "damaged"),
    ],
)
def test_a_refused_file_is_an_answer_a_line_and_a_status(
    alone: CommandLine, pdf: Path, content: bytes, reason: str
) -> None:
    pdf.write_bytes(content)

    result = alone("inspect", pdf, "--json")

    said = json.loads(result.out)
    assert result.status == REFUSED
    assert said["refused"]["reason"] == reason
    assert (said["pdf"], said["removes"], said["capacity"]) == (None, None, None)
    assert result.err == f"sealmark: the file is refused ({reason}): {said['refused']['message']}\n"
    assert "sha256" in lines_of(alone("inspect", pdf))


def test_a_file_beyond_the_limit_is_an_answer_too(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.standalone.source.DEFAULT_INPUT_BYTES", 100)

    result = alone("inspect", pdf, "--json")

    said = json.loads(result.out)
    assert (result.status, said["refused"]["reason"], said["sha256"]) == (REFUSED, "too-large", None)
    assert said["size"] == pdf.stat().st_size


def test_a_file_that_cannot_be_marked_is_still_said_what_it_is(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unmarkable(task: str, *arguments: Any, **options: Any) -> ChildResult:
        if task == "compile":
            raise Refused(RefusalReason.CANNOT_MARK)
        return CHILD(task, *arguments, **options)

    monkeypatch.setattr(inspecting, "in_child", unmarkable)

    result = alone("inspect", pdf, "--json")
    said = json.loads(result.out)
    assert result.status == REFUSED
    assert (said["refused"]["reason"], said["capacity"]) == ("cannot-mark", None)
    assert len(said["pdf"]["pages"]) == 1
    assert "carries" not in lines_of(alone("inspect", pdf))


PAGE = {"box": [0, 0, 595, 842], "rotation": 0, "user_unit": 1.0, "default_box": False}
SOUND = {
    "pages": [PAGE], "version": "1.7", "encrypted": False, "producer": "word", "tagged": False, "outline": False,
    "form": False, "removes": {}, "fonts": {"Type1": 1},
}  # fmt: skip


@pytest.mark.parametrize(
    "lie",
    [
        {"producer": "\x1b[2J"},
        {"version": "1.7\n"},
        {"version": "evil"},
        {"fonts": {"\x1b": 1}},
        {"fonts": {"Type1": -1}},
        {"removes": {"evil": 1}},
        {"pages": []},
        {"pages": [PAGE] * 2001},
        {"pages": [{**PAGE, "box": [0, 0, float("nan"), 1]}]},
        {"pages": [{**PAGE, "box": [0, 0, 1e300, 1]}]},
        {"pages": [{**PAGE, "rotation": 45}]},
        {"pages": [{**PAGE, "user_unit": float("inf")}]},
        {"more": 1},
    ],
)
def test_what_inspection_never_answers_is_not_believed(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch, lie: dict[str, Any]
) -> None:
    def lying(task: str, *_: object, **__: object) -> ChildResult:
        return ChildResult({**SOUND, **lie}, b"")

    monkeypatch.setattr(inspecting, "in_child", lying)

    result = alone("inspect", pdf)

    assert result.status == REFUSED
    assert "(damaged)" in result.err
    assert "\x1b" not in result.out + result.err


def test_many_page_sizes_are_not_named_without_end(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [{**PAGE, "box": [0, 0, 595 + number, 842]} for number in range(100)]

    def many(task: str, *_: object, **__: object) -> ChildResult:
        return ChildResult({**SOUND, "pages": pages} if task == "inspect" else {"pages": 100}, b"")

    monkeypatch.setattr(inspecting, "in_child", many)

    assert lines_of(alone("inspect", pdf))["page sizes"].endswith("599 × 842 pt (page 5); and more")
