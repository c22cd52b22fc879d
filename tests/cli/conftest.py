"""The command line over a service of its own: SQLite, a folder, a key file, all below a temporary folder."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String
from reportlab.pdfgen.canvas import Canvas

from service import cli
from service.settings import load
from service.standalone import register
from tests.migrated import migrated_sqlite
from tests.service_fixture import MAIL

ANA_ALONE = ("--for", "Ana Lima <ana@acme.example>", "--company", "Acme")
"""For whom files are marked without a service."""


@dataclass(frozen=True)
class Result:
    """What one command left."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class CommandLine:
    """Runs commands in this process."""

    folder: Path
    environ: dict[str, str]
    _run: Callable[..., Result]

    def __call__(self, *arguments: object) -> Result:
        """Run one command, whatever comes of it."""
        return self._run([str(argument) for argument in arguments])

    def ok(self, *arguments: object) -> str:
        """What the command says, which succeeds."""
        result = self(*arguments)
        assert result.status == 0, result.err
        return result.out

    def json(self, *arguments: object) -> Any:
        """What the command answers with `--json`, which is all of standard output."""
        return json.loads(self.ok(*arguments, "--json"))

    def refused(self, *arguments: object, status: int) -> str:
        """The one line in which the command fails."""
        result = self(*arguments)
        assert result.status == status, result
        lines = result.err.splitlines()
        assert len(lines) == 1, result.err
        assert lines[0].startswith("sealmark: ")
        return lines[0]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Settings alone: nothing is made yet."""
    environ = {
        "SEALMARK_URL": "https://reports.lender.example",
        "SEALMARK_DATA": str(tmp_path / "data"),
        "SEALMARK_KEY": f"file:{tmp_path / 'keys' / 'master.key'}",
        **MAIL,
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def run(arguments: list[str]) -> Result:
        capsys.readouterr()
        status = cli.run(arguments)
        said = capsys.readouterr()
        return Result(status, said.out, said.err)

    return CommandLine(tmp_path, environ, run)


@pytest.fixture
def alone(bare: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line of a user without a service: no setting at all."""
    for name in list(os.environ):
        if name.startswith("SEALMARK_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(bare.folder / "config"))
    monkeypatch.chdir(bare.folder)
    return bare


@pytest.fixture
def sealmark(bare: CommandLine) -> CommandLine:
    """A service with its schema and keys."""
    migrated_sqlite(Path(load(bare.environ).database.removeprefix("sqlite:///")))
    bare.ok("keys", "init")
    return bare


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    """A report of one page."""
    path = tmp_path / "report.pdf"
    path.write_bytes(a_page("A report"))
    return path


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """Facts of a report of one page."""
    path = tmp_path / "facts.json"
    section = {"kind": "auditors-opinion", "title": "Opinion", "first_page": 1, "last_page": 1}
    path.write_text(json.dumps({"auditor": "Pellworth LLP", "opinion": "unqualified", "sections": [section]}))
    return path


def a_page(text: str) -> bytes:
    """A sound PDF of one page."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    canvas.drawString(72, 720, text)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def a_signed_page() -> bytes:
    """A sound PDF of one page with a field that is signed."""
    with pikepdf.open(io.BytesIO(a_page("A signed report"))) as opened:
        signature = Dictionary(Type=Name.Sig, ByteRange=Array([0, 1, 2, 3]), Contents=String(b"\x00"))
        field = opened.make_indirect(
            Dictionary(FT=Name.Sig, T=String("s"), V=opened.make_indirect(signature))
        )
        opened.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)
        written = io.BytesIO()
        opened.save(written)
    return written.getvalue()


def key_of(alone: CommandLine) -> Path:
    return alone.folder / "config" / "sealmark" / "mark.key"


def lines_of(key: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in register.register_path(key).read_text("utf-8").splitlines()]


def there(alone: CommandLine) -> set[str]:
    """All files below the folder."""
    return {str(path.relative_to(alone.folder)) for path in alone.folder.rglob("*") if path.is_file()}
