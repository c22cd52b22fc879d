"""The commands of docs/witness.md work as they stand: every block marked `sh run`, in order, in one shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from crypto.logcheck import Checkpoint, NoteKey
from tests.servers.process import free_port
from tests.witnesses import OUTER, ALog, entries

PAGE = Path("docs/witness.md")
LOG = ALog(entries(9))

BEFORE = """
sealmark migrate > /dev/null
sealmark keys init > /dev/null
"""
KEY = """
WITNESS_KEY=$(head -1 said | awk '{print $2}')
"""
AFTER = """
python - <<'END'
import http.client, os, time
for _ in range(300):
    try:
        there = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]))
        there.request("POST", "/add-checkpoint", open("request", "rb").read())
    except OSError:
        time.sleep(0.1)
    else:
        answer = there.getresponse()
        assert answer.status == 200, answer.status
        open("signature", "wb").write(answer.read())
        break
END
kill %1
wait
"""


def test_the_commands_run_as_written_and_the_witness_signs(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    blocks = re.findall(r"^```sh run\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    blocks[0] = blocks[0].rstrip("\n") + " > said\n" + KEY
    (tmp_path / "request").write_bytes(LOG.request(0, 9))
    port = str(free_port())
    script = "\n".join([BEFORE, *blocks, AFTER]).replace("127.0.0.1:8090", f"127.0.0.1:{port}")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={
            **OUTER,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PORT": port,
            "LOG_KEY": LOG.key.encode(),
            "SEALMARK_URL": "http://127.0.0.1:8080",
            "SEALMARK_DATA": str(tmp_path / "data"),
            "SEALMARK_KEY": f"file:{tmp_path}/keys/master.key",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    vkey = NoteKey.decode((tmp_path / "witnesses").read_text().split(" ")[0])
    note = LOG.note(9) + (tmp_path / "signature").read_text("utf-8")
    assert Checkpoint.decode(note).signed_by(vkey)
    (kept,) = (tmp_path / "witness-state").glob("*.note")
    assert Checkpoint.decode(kept.read_text("utf-8")).signed_by(vkey)
    assert "4711" not in done.stdout + done.stderr


def test_each_status_that_is_answered_is_named() -> None:
    from service.witness.application import _REASONS

    named = set(
        re.findall(
            r"\b[2-5][0-9]{2}\b", PAGE.read_text("utf-8").split("### What it answers")[1].split("##")[0]
        )
    )
    assert {str(status) for status in _REASONS} - named == {"405"}
