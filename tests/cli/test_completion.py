"""Completion: shells take what is printed, and get the words of this command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.cli.conftest import CommandLine


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_shell_takes_it(bare: CommandLine, shell: str) -> None:
    printed = bare.ok("completion", shell)

    assert "_SEALMARK_COMPLETE" in printed
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=printed, text=True, check=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("sealmark docu", {"documents"}),
        ("sealmark api-keys ", {"create", "list", "revoke"}),
        ("sealmark documents classify doc_x ", {"public", "nda"}),
        ("sealmark versions add --comp", {"--compile"}),
        ("sealmark mar", {"mark"}),
        ("sealmark insp", {"inspect"}),
        ("sealmark mark report.pdf --f", {"--for", "--force"}),
        ("sealmark inspect --j", {"--json"}),
    ],
)
def test_bash_is_told_the_words(words: str, expected: set[str]) -> None:
    environ = {
        **os.environ,
        "_SEALMARK_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    program = "from service.cli import main; main()"

    told = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )

    assert {line.partition(",")[2] for line in told.stdout.splitlines()} == expected
