"""docs/log.md: the check by hand works as it stands, and finds what was edited."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCUMENT = Path("docs/log.md")

SAID = """entry 0 has its hash
entry 1 has its hash
entry 2 has its hash
the entries are those of the checkpoint
Signature Verified Successfully
the mail is the one that was logged
"""


def by_hand(folder: Path, edit: str = "") -> subprocess.CompletedProcess[str]:
    """What the document's blocks marked `sh by-hand` do, in order, in one shell; `edit` comes after the first."""
    missing = [name for name in ("jq", "openssl") if shutil.which(name) is None]
    if missing:
        how = f"missing: apt install {' '.join(missing)}"
        pytest.fail(how) if os.environ.get("CI") else pytest.skip(how)
    (folder / "crypto").symlink_to(Path("crypto").resolve())
    blocks = re.findall(r"^```sh by-hand\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join([blocks[0], edit, *blocks[1:]])],
        cwd=folder,
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_check_by_hand_works_as_written_and_the_program_agrees(tmp_path: Path) -> None:
    done = by_hand(tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(SAID)
    assert re.search(r"^ent_\w+ recipient\.erased$", done.stdout, re.MULTILINE)
    assert done.stdout.splitlines()[-1] == "Genuine: nothing was edited, added, left out or moved."


@pytest.mark.parametrize(
    ("edit", "not_said"),
    [
        ("sed -i '3s/recipient.created/recipient.updated/' export.ndjson", "entry 1 has its hash"),
        ("sed -i 3d export.ndjson", "the entries are those of the checkpoint"),
        ("sed -i '2s/ana@acme/eve@acme/' export.ndjson", "the mail is the one that was logged"),
        ("sed -i '2s/^3$/4/' checkpoint", "Signature Verified Successfully"),
    ],
    ids=["an entry", "an entry left out", "a mail", "a checkpoint"],
)
def test_the_check_by_hand_finds_what_was_edited(tmp_path: Path, edit: str, not_said: str) -> None:
    done = by_hand(tmp_path, edit)

    assert done.returncode != 0
    assert not_said not in done.stdout


def test_what_the_document_names_is_there() -> None:
    named = set(re.findall(r"`(crypto/[\w.]+)`", DOCUMENT.read_text("utf-8")))

    assert named == {"crypto/FORMAT.md", "crypto/logcheck.py"}
    assert "docs/log.md" in Path("README.md").read_text("utf-8")
