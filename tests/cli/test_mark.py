"""`sealmark mark` marks a file without a service, and names every copy in its register."""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest

from crypto.markkey import MarkKey
from service.standalone import files, marking, register
from tests.cli.conftest import ANA_ALONE as ANA
from tests.cli.conftest import CommandLine, a_signed_page, key_of, lines_of, there
from watermark.sandbox import ChildResult


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

    assert "--force" in alone.refused("mark", pdf, *ANA, "-o", out, status=1)
    assert out.read_text() == "earlier"
    assert there(alone) == {"report.pdf", "ana.pdf"}

    alone.ok("mark", pdf, *ANA, "-o", out, "--force")
    assert out.read_bytes().startswith(b"%PDF")


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
