"""Every sound file of the corpus is compiled and proved; every long report is; each copy is sound. One line a file."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import subprocess
import time
from io import BytesIO
from pathlib import Path

import pypdf
import pytest

from tests.watermark.builders import ANA, SEED, bits_of, inflated_streams, reading
from watermark.compile import compile_pdf
from watermark.errors import Refused
from watermark.mint import mint
from watermark.stamp import stamp
from watermark.template import SlotTable

SHARED = Path(os.environ.get("SEALMARK_SHARED", Path(__file__).parents[2] / ".." / "shared"))
MANIFEST = SHARED / "corpus" / "MANIFEST.csv"
ROWS = list(csv.DictReader(MANIFEST.open())) if MANIFEST.is_file() else []
# WATERMARK.md's bar for long reports.
MOST_GROWTH = 1.5

pytestmark = [
    pytest.mark.long,
    pytest.mark.corpus,
    pytest.mark.skipif(not ROWS, reason="the corpus is not here; SEALMARK_SHARED names its folder"),
]


@pytest.mark.parametrize("row", ROWS, ids=[row["file"][:60] for row in ROWS])
def test_a_file_of_the_corpus_is_marked_or_refused_with_a_reason(row: dict[str, str], tmp_path: Path) -> None:
    pdf = (SHARED / "corpus" / row["file"]).read_bytes()
    started = time.perf_counter()
    reason = ""
    try:
        facts, template = compile_pdf(pdf, SEED)
    except Refused as refused:
        reason = refused.reason
    if reason:
        print(f"\n{row['file'][:60]}: refused, {reason}")
        assert row["category"] not in {"report-long", "report-short"}
        assert reason != "cannot-mark"
        return
    compiled = time.perf_counter() - started
    table = SlotTable.decode(template)
    fill = mint(table, ANA)
    bits = bits_of(table)
    started = time.perf_counter()
    digest = hashlib.sha256()
    for piece in stamp(table, fill, reading(template), bits=bits):
        digest.update(piece)
    stamped = time.perf_counter() - started
    copy = b"".join(stamp(table, fill, reading(template), bits=bits))
    assert hashlib.sha256(copy).digest() == digest.digest()
    print(
        f"\n{row['file'][:60]}: {facts['pages']} pages, compile {compiled:.1f} s, stamp {stamped * 1000:.2f} ms, "
        f"{len(template) / facts['sizes']['cleaned']:.2f} of the cleaned size, moved {facts['verified']['moved']}"
    )
    assert facts["pages"] == len(pypdf.PdfReader(BytesIO(copy), strict=True).pages)
    if row["category"] == "report-long":
        assert len(template) <= MOST_GROWTH * facts["sizes"]["cleaned"]
        assert list(inflated_streams(copy))
        if shutil.which("qpdf"):
            path = tmp_path / "copy.pdf"
            path.write_bytes(copy)
            checked = subprocess.run(["qpdf", "--check", path], capture_output=True, check=False)
            assert checked.returncode == 0, checked.stderr[-300:]
