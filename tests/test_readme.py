"""The README's commands work as they stand: every block marked `sh run`, in order, in one shell."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.demo.facts import make_sample

pytestmark = pytest.mark.long

README = Path("README.md")


def test_the_readmes_commands_run_as_written(tmp_path: Path) -> None:
    if shutil.which("jq") is None:
        how = "jq is missing: apt install jq"
        pytest.fail(how) if os.environ.get("CI") else pytest.skip(how)
    blocks = re.findall(
        r"^```sh run\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 4
    sample = make_sample()
    (tmp_path / "report.pdf").write_bytes(sample.pdf)
    (tmp_path / "facts.json").write_text(json.dumps(sample.facts))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "http://127.0.0.1:8080/s/v1." in done.stdout
    assert ",share.created," in done.stdout
    assert "\nGenuine: nothing was edited" in done.stdout
    register = tmp_path / ".config" / "sealmark" / "mark.key.register.jsonl"
    assert json.loads(register.read_text("utf-8"))["mail"] == "ana@acme.example"
    assert (tmp_path / "report-ana.pdf").read_bytes().startswith(b"%PDF")


def test_the_readme_names_only_what_is_there() -> None:
    text = README.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z]+(?:/[A-Za-z_.]+)+/?)`", text))
    assert named, "the README names files"
    missing = [path for path in named if not Path(path).exists() and not path.startswith("keys/")]
    assert missing == []
