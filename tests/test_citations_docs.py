"""The commands of docs/citations.md work as they stand, and say what it says."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

from service.records import Document
from tests.service.citing_cases import a_cited_document
from tests.service_fixture import URL, service_in

PAGE = Path("docs/citations.md")


def _run(folder: Path, document: Document, commands: str) -> str:
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SEALMARK_URL": URL,
        "SEALMARK_DATA": str(folder / "data"),
        "SEALMARK_KEY": f"file:{folder / 'keys' / 'master.key'}",
        "DOCUMENT": document.id,
        "PYTHONUTF8": "1",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=folder, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_commands_run_as_written_and_say_what_the_page_says(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    with service_in(tmp_path) as service:
        document = a_cited_document(service)
    for name, content in re.findall(r"^```csv file=(\S+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        (tmp_path / name).write_text(content)
    blocks = re.findall(r"^```(sh run|text said)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in blocks].count("text said") == 3
    said = ""
    for kind, block in blocks:
        if kind == "sh run":
            said = _run(tmp_path, document, block)
        else:
            assert said == block.strip().replace("doc_…", document.id)
    assert re.fullmatch(r"file +answered\.csv\ncited +2\nopen +1", said)
    rows = list(csv.reader((tmp_path / "answered.csv").read_text("utf-8").splitlines()))
    assert "for item 46: control OP-07, pages 31, 33. See " in rows[2][3]
