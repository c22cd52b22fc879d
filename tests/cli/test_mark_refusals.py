"""What `sealmark mark` refuses or cannot write is one line, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crypto.markkey import MarkKey
from service.standalone import files, marking, register
from service.standalone.errors import FileUnusable
from service.standalone.key import keep_key
from tests.cli.conftest import ANA_ALONE as ANA
from tests.cli.conftest import CommandLine, Result, key_of, lines_of, there
from watermark.sandbox import ChildResult, run_in_child

REFUSED, USAGE, UNAVAILABLE = 1, 2, 3


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append(path: Path, line: dict[str, Any]) -> None:
        register.append(path, line)
        Path("ana.pdf").write_text("theirs")

    monkeypatch.setattr(marking, "append", append)

    assert "--force" in alone.refused("mark", pdf, *ANA, "-o", "ana.pdf", status=REFUSED)
    assert Path("ana.pdf").read_text() == "theirs"
    assert not [name for name in there(alone) if name.endswith(".part")]


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_file_key_and_register_are_never_the_place_of_the_copy(
    alone: CommandLine, pdf: Path, force: tuple[str, ...]
) -> None:
    alone.ok("mark", pdf, *ANA, "-o", "first.pdf")
    key = key_of(alone)
    (alone.folder / "link.pdf").symlink_to(pdf)
    before = {name: (alone.folder / name).read_bytes() for name in there(alone)}

    for out, what in (
        (pdf, "is the file itself"),
        ("link.pdf", "is the file itself"),
        (f"../{alone.folder.name}/report.pdf", "is the file itself"),
        (key, "is the key"),
        (register.register_path(key), "is the register"),
    ):
        assert what in alone.refused("mark", pdf, *ANA, "-o", out, *force, status=REFUSED)

    assert {name: (alone.folder / name).read_bytes() for name in there(alone)} == before


def test_a_place_that_can_hold_no_copy_is_refused_before_anything_is_compiled(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "in_child", None)

    assert "is no folder" in alone.refused("mark", pdf, *ANA, "-o", "no/where.pdf", status=UNAVAILABLE)
    line = alone.refused("mark", pdf, *ANA, "-o", "/dev/null", "--force", status=REFUSED)
    assert "no file that can be replaced" in line
    assert Path("/dev/null").is_char_device()
    assert "no file" in alone.refused("mark", pdf, *ANA, "-o", ".", "--force", status=REFUSED)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(alone: CommandLine, pdf: Path, mode: int) -> None:
    alone.ok("mark", pdf, *ANA, "-o", "first.pdf")
    key_of(alone).chmod(mode)

    line = alone.refused("mark", pdf, *ANA, "-o", "ana.pdf", status=UNAVAILABLE)

    assert f"has mode {mode:04o}" in line
    assert f"chmod 600 {key_of(alone)}" in line
    assert not Path("ana.pdf").exists()
    assert len(lines_of(key_of(alone))) == 1


def test_a_register_that_others_can_read_is_refused(alone: CommandLine, pdf: Path) -> None:
    alone.ok("mark", pdf, *ANA, "-o", "first.pdf")
    register.register_path(key_of(alone)).chmod(0o644)

    assert "has mode 0644" in alone.refused("mark", pdf, *ANA, "-o", "ana.pdf", status=UNAVAILABLE)
    assert not Path("ana.pdf").exists()


@pytest.mark.parametrize("content", [b"", b"secret\n", b"\xff", MarkKey(bytes(32)).render().encode() * 2])
def test_what_is_no_key_is_refused_and_not_replaced(alone: CommandLine, pdf: Path, content: bytes) -> None:
    key = alone.folder / "my.key"
    key.write_bytes(content)
    key.chmod(0o600)

    line = alone.refused("mark", pdf, *ANA, "-o", "ana.pdf", "--key", key, status=UNAVAILABLE)

    assert f"{key} is no marking key: " in line
    assert key.read_bytes() == content
    assert there(alone) == {"report.pdf", "my.key"}


@pytest.mark.parametrize(
    ("person", "company", "said"),
    [
        ("Ana Lima", "", "--for: Write the name and the mail address"),
        ("ana@acme.example", "", "--for: Write the name"),
        ("<ana@acme.example>", "", "--for: Give 1 to 200 characters"),
        ("Ana <ana>", "", "--for: A mail address looks like"),
        ("Ana <a@b.example> <c@d.example>", "", "--for: Write the name"),
        ("A\u202ena <a@b.example>", "", "U+202E"),
        ("Ana <a@b.example>", "x" * 201, "--company: Give 1 to 200"),
    ],
)
def test_a_person_whom_no_mark_can_name_is_refused(
    alone: CommandLine, pdf: Path, person: str, company: str, said: str
) -> None:
    line = alone.refused("mark", pdf, "--for", person, "--company", company, "-o", "x.pdf", status=REFUSED)

    assert said in line
    assert there(alone) == {"report.pdf"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"Dear Ana", "The file is not a PDF."),
        (b"", "The file is not a PDF."),
        (b"%PDF-1.7\nno more", "damaged"),
    ],
)
def test_a_file_that_cannot_be_marked_is_one_line_and_leaves_nothing(
    alone: CommandLine, pdf: Path, content: bytes, said: str
) -> None:
    pdf.write_bytes(content)

    assert said in alone.refused("mark", pdf, *ANA, "-o", "ana.pdf", status=REFUSED)
    assert there(alone) == {"report.pdf"}


def test_a_file_beyond_the_limit_is_refused_unread(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.standalone.source.DEFAULT_INPUT_BYTES", 100)

    assert "more than 100 bytes" in alone.refused("mark", pdf, *ANA, "-o", "ana.pdf", status=REFUSED)


def test_a_copy_that_cannot_be_placed_leaves_no_part(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("ana.pdf").write_text("earlier")
    monkeypatch.setattr(Path, "replace", _full)

    line = alone.refused("mark", pdf, *ANA, "-o", "ana.pdf", "--force", status=UNAVAILABLE)

    assert "cannot write ana.pdf: No space left on device" in line
    assert Path("ana.pdf").read_text() == "earlier"
    assert not [name for name in there(alone) if name.endswith(".part")]


def test_a_key_that_cannot_be_kept_makes_no_copy(alone: CommandLine, pdf: Path) -> None:
    (alone.folder / "config").write_text("a file, no folder")

    line = alone.refused("mark", pdf, *ANA, "-o", "ana.pdf", status=UNAVAILABLE)

    assert "the key" in line
    assert there(alone) == {"report.pdf", "config"}
    with pytest.raises(FileUnusable, match="cannot write the key"):
        keep_key(key_of(alone), MarkKey(bytes(32)))


@pytest.mark.parametrize("command", [("mark", *ANA, "-o", "ana.pdf"), ("inspect",)])
def test_a_file_that_cannot_be_read_is_said(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    line = alone.refused(command[0], pdf, *command[1:], status=UNAVAILABLE)

    assert "Permission denied" in line


@pytest.mark.parametrize(
    ("module", "name"),
    [(files.os, "fsync"), (files.NewFile, "write"), (marking, "keep_key"), (marking, "append")],
    ids=["fsync", "write", "key", "register"],
)
def test_where_something_cannot_be_written_no_copy_is_left(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    def failing(*arguments: object) -> None:
        if module is files.os:
            _full()
        raise FileUnusable("cannot write: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, name, failing)
        line = alone.refused("mark", pdf, *ANA, "-o", "ana.pdf", status=UNAVAILABLE)

    assert "No space left on device" in line
    left = there(alone) - {"config/sealmark/mark.key"}
    assert left == {"report.pdf"}
    alone.ok("mark", pdf, *ANA, "-o", "ana.pdf")


def test_breaking_off_leaves_nothing(alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(marking, "keep_key", broken_off)

    assert alone("mark", pdf, *ANA, "-o", "ana.pdf").status == 130
    assert there(alone) == {"report.pdf"}


def test_a_key_that_another_command_made_meanwhile_is_not_replaced(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = MarkKey(bytes(32)).render()

    def late(*arguments: Any, **options: Any) -> ChildResult:
        key_of(alone).parent.mkdir(parents=True)
        key_of(alone).write_text(theirs)
        return run_in_child("compile", [arguments[1]], arguments[2])

    monkeypatch.setattr(marking, "in_child", late)

    assert "run this one again" in alone.refused("mark", pdf, *ANA, "-o", "ana.pdf", status=UNAVAILABLE)
    assert key_of(alone).read_text() == theirs
    assert not Path("ana.pdf").exists()


@pytest.mark.parametrize(
    ("task", "facts"), [("mark", {"pages": "many"}), ("mark", {"pages": 1}), ("inspect", {"pages": 1})]
)
def test_a_child_that_lies_is_not_believed(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch, task: str, facts: dict[str, Any]
) -> None:
    def lying(*_: object, **__: object) -> ChildResult:
        return ChildResult(facts, b"no template")

    monkeypatch.setattr("service.standalone.marking.in_child", lying)
    monkeypatch.setattr("service.standalone.inspecting.in_child", lying)
    more = (*ANA, "-o", "ana.pdf") if task == "mark" else ()

    result: Result = alone(task, pdf, *more)

    assert result.status == REFUSED
    assert "damaged" in result.err
    assert there(alone) == {"report.pdf"}
