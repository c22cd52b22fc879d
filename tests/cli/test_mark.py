"""`sealmark mark` marks a file without a service, names every copy in its register, and leaves nothing when refused."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest

from crypto.markkey import MarkKey
from service.standalone import files, marking, register
from service.standalone.errors import FileUnusable
from service.standalone.key import default_key_path, keep_key
from tests.cli.conftest import CommandLine, Result, a_signed_page
from watermark.sandbox import ChildResult, run_in_child

ANA = ("--for", "Ana Lima <ana@acme.example>", "--company", "Acme")
REFUSED, USAGE, UNAVAILABLE = 1, 2, 3


@pytest.fixture
def alone(bare: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line of a user without a service: no setting at all."""
    for name in list(os.environ):
        if name.startswith("SEALMARK_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(bare.folder / "config"))
    monkeypatch.chdir(bare.folder)
    return bare


def key_of(alone: CommandLine) -> Path:
    return alone.folder / "config" / "sealmark" / "mark.key"


def lines_of(key: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in register.register_path(key).read_text("utf-8").splitlines()]


def there(alone: CommandLine) -> set[str]:
    """All files below the folder."""
    return {str(path.relative_to(alone.folder)) for path in alone.folder.rglob("*") if path.is_file()}


def test_a_file_is_marked_for_one_person_without_a_service(alone: CommandLine, pdf: Path) -> None:
    made = alone.json("mark", pdf, *ANA, "-o", "ana.pdf")

    copy = Path("ana.pdf").read_bytes()
    text = pypdf.PdfReader(BytesIO(copy), strict=True).pages[0].extract_text()
    for shown in ("Ana Lima", "<ana@acme.example>", "Acme", made["copy"], made["issued"], "A report"):
        assert shown in text
    assert hashlib.sha256(copy).hexdigest() == made["sha256"]
    assert (made["size"], made["pages"], made["key_is_new"]) == (len(copy), 1, True)
    assert made["capacity"]["statement"]
    assert [one["code"] for one in made["removed"]] == ["info"]
    assert there(alone) == {
        "report.pdf",
        "ana.pdf",
        "config/sealmark/mark.key",
        "config/sealmark/mark.key.register.jsonl",
    }
    assert Path("ana.pdf").stat().st_mode & 0o777 == 0o600


def test_the_register_names_each_copy_and_the_key_is_made_once(alone: CommandLine, pdf: Path) -> None:
    first = alone("mark", pdf, *ANA, "-o", "1.pdf")
    second = alone("mark", pdf, "--for", '"Lee, Bo" <BO@acme.example>', "-o", "2.pdf")

    key = key_of(alone)
    assert f"Made your key {key}" in first.err
    assert "Made your key" not in second.err
    assert key.stat().st_mode & 0o777 == register.register_path(key).stat().st_mode & 0o777 == 0o600
    ana, bo = lines_of(key)
    assert (ana["name"], ana["mail"], ana["company"]) == ("Ana Lima", "ana@acme.example", "Acme")
    assert (bo["name"], bo["mail"], bo["company"]) == ("Lee, Bo", "bo@acme.example", "")
    assert ana["copy"] != bo["copy"]
    for line, file in ((ana, "1.pdf"), (bo, "2.pdf")):
        assert line["source"] == hashlib.sha256(pdf.read_bytes()).hexdigest()
        assert line["sha256"] == hashlib.sha256(Path(file).read_bytes()).hexdigest()
        assert line["key"] == MarkKey.parse(key.read_text("ascii")).id
        assert line["copy"] in pypdf.PdfReader(file).pages[0].extract_text()


def test_a_person_reads_whose_copy_it_is_what_it_carries_and_that_signatures_are_gone(
    alone: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "signed.pdf").write_bytes(a_signed_page())

    result = alone("mark", "signed.pdf", *ANA, "-o", "ana.pdf")

    assert result.status == 0
    assert "Ana Lima" in result.out
    assert "mark" in next(line for line in result.out.splitlines() if line.startswith("carries "))
    assert "The source's digital signatures are removed: a mark would break them." in result.err


def test_the_same_file_and_key_give_the_same_template_and_another_file_another(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates: list[bytes] = []
    seeds: list[str] = []

    def spied(task: str, data: bytes, parameters: dict[str, str], **options: Any) -> ChildResult:
        result = child(task, data, parameters, **options)
        templates.append(result.payload)
        seeds.append(parameters["seed"])
        return result

    child = marking.in_child
    monkeypatch.setattr(marking, "in_child", spied)
    other = pdf.with_name("other.pdf")
    other.write_bytes(pdf.read_bytes() + b"\n")
    for number, source in enumerate((pdf, pdf, other)):
        alone.ok("mark", source, *ANA, "-o", f"{number}.pdf")
    alone.ok("mark", pdf, *ANA, "-o", "3.pdf", "--key", "other.key")

    assert templates[0] == templates[1]
    assert seeds[0] == seeds[1]
    assert len(set(seeds)) == 3


def test_it_says_what_the_woven_mark_carries(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def woven(*arguments: Any, **options: Any) -> ChildResult:
        result = child(*arguments, **options)
        return ChildResult({**result.facts, "weave": {"pages": [{"words": 0, "woven": 0}]}}, result.payload)

    child = marking.in_child
    monkeypatch.setattr(marking, "in_child", woven)

    made = alone.json("mark", pdf, *ANA, "-o", "ana.pdf")

    assert made["capacity"]["textless_pages"] == [1]
    assert made["capacity"]["statement"].startswith("The page carries no woven mark (it has no text).")


def test_the_file_is_parsed_in_the_child_only(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("a PDF was parsed in this process")

    monkeypatch.setattr(pikepdf, "open", parsed)
    monkeypatch.setattr(pypdf, "PdfReader", parsed)

    alone.ok("mark", pdf, *ANA, "-o", "ana.pdf")
    alone.ok("inspect", pdf)


def test_the_copy_is_in_place_only_after_it_and_its_line_are_durable(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, link = os.fsync, os.link

    def synced(handle: int) -> None:
        done.append(f"sync {Path(os.readlink(f'/proc/self/fd/{handle}')).name}")
        sync(handle)

    def linked(source: Path, target: Path) -> None:
        done.append(f"place {target.name} from {source.name}")
        link(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "link", linked)
    alone.ok("mark", pdf, *ANA, "-o", "ana.pdf")

    (placed,) = (step for step in done if step.startswith("place ana.pdf"))
    part = placed.rpartition(" ")[2]
    before = done[: done.index(placed)]
    assert f"sync {part}" in before
    assert "sync mark.key.register.jsonl" in before
    assert next(step for step in before if step.startswith("place mark.key from"))
    assert done[-1] == f"sync {alone.folder.name}"


def test_it_overwrites_only_when_told_to(alone: CommandLine, pdf: Path) -> None:
    out = alone.folder / "ana.pdf"
    out.write_text("earlier")

    assert "--force" in alone.refused("mark", pdf, *ANA, "-o", out, status=REFUSED)
    assert out.read_text() == "earlier"
    assert there(alone) == {"report.pdf", "ana.pdf"}

    alone.ok("mark", pdf, *ANA, "-o", out, "--force")
    assert out.read_bytes().startswith(b"%PDF")


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


def test_a_new_file_that_cannot_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileUnusable, match="No such file"):
        files.NewFile(tmp_path / "no" / "where")
    full = Path("/dev/full")
    monkeypatch.setattr(files, "_new", lambda path: os.open(full, os.O_WRONLY))
    with pytest.raises(FileUnusable, match="No space left"), files.NewFile(tmp_path / "x") as new:
        new.write(bytes(1 << 20))
    with files.NewFile(tmp_path / "x") as new:
        new.write(b"x")
        with pytest.raises(FileUnusable, match="No space left"):
            new.finish()


@pytest.mark.parametrize("command", [("mark", *ANA, "-o", "ana.pdf"), ("inspect",)])
def test_a_file_that_cannot_be_read_is_said(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    line = alone.refused(command[0], pdf, *command[1:], status=UNAVAILABLE)

    assert "Permission denied" in line


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


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


def test_without_hard_links_the_copy_is_placed_too_and_overwrites_nothing(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", unknown)
    alone.ok("mark", pdf, *ANA, "-o", "ana.pdf")
    assert Path("ana.pdf").read_bytes().startswith(b"%PDF")

    Path("beside").write_text("new")
    with pytest.raises(FileExistsError):
        files.put_new(Path("beside"), Path("ana.pdf"))


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


@pytest.mark.parametrize("task", ["mark", "inspect"])
def test_a_child_that_lies_is_not_believed(
    alone: CommandLine, pdf: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    def lying(*_: object, **__: object) -> ChildResult:
        return ChildResult({"pages": "many"}, b"")

    monkeypatch.setattr("service.standalone.marking.in_child", lying)
    monkeypatch.setattr("service.standalone.inspecting.in_child", lying)
    more = (*ANA, "-o", "ana.pdf") if task == "mark" else ()

    result: Result = alone(task, pdf, *more)

    assert result.status == REFUSED
    assert "damaged" in result.err
    assert there(alone) == {"report.pdf"}


def test_a_register_line_that_a_crash_broke_off_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "register.jsonl"
    register.append(path, {"copy": "1"})
    with path.open("a") as file:
        file.write('{"v":1,"copy":')
    register.append(path, {"copy": "2"})

    first, broken, second = path.read_text().splitlines()
    assert (json.loads(first)["copy"], json.loads(second)["copy"]) == ("1", "2")
    assert broken == '{"v":1,"copy":'


def test_a_line_that_cannot_be_made_durable_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "register.jsonl"
    register.append(path, {"copy": "1"})
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", _full)

    with pytest.raises(FileUnusable):
        register.append(path, {"copy": "2"})

    assert path.read_bytes() == before


def test_commands_at_once_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "register.jsonl"

    def many(name: str) -> None:
        for _ in range(20):
            register.append(path, {"copy": name * 500})

    threads = [threading.Thread(target=many, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    copies = [json.loads(line)["copy"] for line in path.read_text().splitlines()]
    assert sorted(copies) == sorted(name * 500 for name in "abcd" * 20)


@pytest.mark.parametrize("relative", ["", "config"])
def test_the_key_lies_in_the_configuration_folder(
    relative: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    expected = tmp_path / ".config" / "sealmark" / "mark.key"

    assert default_key_path({"XDG_CONFIG_HOME": relative}) == expected
    assert default_key_path({}) == expected
    assert default_key_path({"XDG_CONFIG_HOME": "/c"}) == Path("/c/sealmark/mark.key")


def test_a_user_without_a_home_names_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)

    with pytest.raises(FileUnusable, match="--key"):
        default_key_path({})
