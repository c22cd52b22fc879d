"""`sealmark log verify`: offline, without a setting, and the same answer as the one file that an auditor carries."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crypto import logcheck, logexport
from tests.cli.conftest import CommandLine
from tests.crypto.logs import SyntheticLog, changed

SEALMARK = Path(sys.executable).parent / "sealmark"


@pytest.fixture
def exported(alone: CommandLine) -> Path:
    """A folder with a genuine export and one that was tampered with, a key, checkpoints, an entry and its proof."""
    log = SyntheticLog().fill(40)
    lines, folder = log.export(), alone.folder
    (folder / "export").write_bytes(b"".join(lines))
    (folder / "edited").write_bytes(b"".join([*lines[:8], changed(lines[8], hash="AAAA"), *lines[9:]]))
    (folder / "key").write_text(log.keys[0].encode() + "\n")
    (folder / "held").write_text(log.checkpoint(30))
    (folder / "newer").write_text(SyntheticLog().fill(50).checkpoint())
    (folder / "entry").write_bytes(log.rows[3].leaf)
    (folder / "proof").write_text(logexport.entry_proof(3, log.checkpoint(), log.read_node))
    return folder


CASES = {
    "genuine": ("export --key key --against held", 0),
    "proof": ("entry --key key --proof proof", 0),
    "edited": ("edited --key key", 1),
    "rolled back": ("export --key key --against newer", 1),
    "no key": ("export --key held", 2),
    "no export": ("missing --key key", 2),
}


@pytest.mark.parametrize("case", CASES)
def test_the_status_tells_what_was_found(exported: Path, alone: CommandLine, case: str) -> None:
    arguments, status = CASES[case]

    result = alone("log", "verify", *arguments.split())

    assert result.status == status, result
    assert result.err.startswith("sealmark: ") if status == 2 else not result.err


def test_it_says_in_words_and_in_json_what_it_found(exported: Path, alone: CommandLine) -> None:
    assert alone.ok("log", "verify", "export", "--key", "key").splitlines()[-1] == (
        "Genuine: nothing was edited, added, left out or moved."
    )
    good = alone.json("log", "verify", "export", "--key", "key")
    assert (good["genuine"], good["count"], good["size"], good["whole"]) == (True, 40, 40, True)
    bad = alone("log", "verify", "edited", "--key", "key", "--json")
    said = json.loads(bad.out)
    assert (bad.status, said["genuine"]) == (1, False)
    assert said["problems"] == ["entry 7 was edited: its leaf does not have its hash"]


@pytest.mark.parametrize("case", CASES)
def test_the_command_and_the_one_file_alone_say_the_same_with_an_empty_environment(
    exported: Path, case: str
) -> None:
    carried = exported / "carried"
    carried.mkdir()
    (carried / "logcheck.py").write_bytes(Path(logcheck.__file__).read_bytes())
    arguments, status = CASES[case]

    def run(*command: object) -> subprocess.CompletedProcess[str]:
        line = [*map(str, command), *arguments.split()]
        return subprocess.run(line, cwd=exported, env={}, capture_output=True, text=True, timeout=60)

    ours = run(SEALMARK, "log", "verify")
    alone = run(sys.executable, "-I", carried / "logcheck.py")

    assert (ours.returncode, alone.returncode) == (status, status), (ours, alone)
    assert ours.stdout == alone.stdout
    assert bool(ours.stderr) == bool(alone.stderr) == (status == 2)
    assert "Traceback" not in ours.stderr + alone.stderr
