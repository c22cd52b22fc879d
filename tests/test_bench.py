"""The bench: it runs, promises the shape of its answer, and its rivals really mark. No speed is tested."""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
from numpy.typing import NDArray
from reportlab.pdfgen.canvas import Canvas

from bench.carrying import NotMarked, require_marked
from bench.compiling import cleaned, compiled
from bench.figures import Figure, alone, rate_against, table, time_against, write_json
from bench.lent import MARK, LentVersion, sealed, sealed_objects
from bench.load import LoadFailed, Order, carry_out
from bench.mark_pages import mark_pages
from bench.reports import SAMPLE, filled_up, sample
from bench.rivals import PIKEPDF, PYPDF, QPDF, Rival, rivals
from bench.runs import QUICK, run
from bench.steps import STEPS
from bench.timing import LEAST_TURNS, SECONDS_EACH, race

pytestmark = pytest.mark.long

SERVERS = ("plain_server", "service", "minio", "postgres")


@dataclass(frozen=True)
class Ran:
    """What a quick run gave."""

    figures: list[Figure]
    notes: list[str]
    servers_before: set[int]


@pytest.fixture(scope="module")
def ran() -> Ran:
    notes: list[str] = []
    before = servers_of_this_process()
    return Ran(run(QUICK, notes.append), notes, before)


def servers_of_this_process() -> set[int]:
    """The numbers of this process's children that are servers: those of other tests' fixtures are among them."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if parent == os.getpid() and any(name in word for word in words for name in SERVERS):
            found.add(int(folder.name))
    return found


@pytest.fixture(scope="module")
def odd_pages() -> bytes:
    """Pages turned each way, one with its corner away from the origin."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(420, 595))
    for turn in (0, 90, 180, 270, 0):
        canvas.drawString(100, 300, f"A page that is turned by {turn} degrees.")
        canvas.showPage()
    canvas.save()
    with pikepdf.open(io.BytesIO(buffer.getvalue())) as document:
        for page, turn in zip(document.pages, (0, 90, 180, 270, 90), strict=True):
            page.Rotate = turn
        document.pages[4].MediaBox = pikepdf.Array([-50, 40, 370, 500])
        out = io.BytesIO()
        document.save(out)
    return out.getvalue()


def test_every_figure_has_the_promised_fields_in_json(ran: Ran, tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"

    write_json(ran.figures, path)

    rows = json.loads(path.read_text())
    assert len(rows) == len(ran.figures)
    for row in rows:
        assert list(row) == ["name", "value", "unit", "rival", "rival_value", "ratio"]
        assert isinstance(row["name"], str)
        assert isinstance(row["unit"], str)
        assert isinstance(row["value"], int | float)
        against = [row["rival"], row["rival_value"], row["ratio"]]
        assert against == [None, None, None] or (isinstance(against[0], str) and min(against[1:]) > 0)


def test_the_table_shows_every_figure_under_its_headings(ran: Ran) -> None:
    lines = table(ran.figures).splitlines()

    assert lines[0].split() == ["name", "value", "unit", "rival", "rival's", "value", "ratio"]
    assert len(lines) == len(ran.figures) + 2
    for line, figure in zip(lines[2:], ran.figures, strict=True):
        assert line.startswith(figure.name)
        assert figure.unit in line
        assert (figure.rival or "") in line


def test_stamping_is_measured_against_each_rival_that_is_here(ran: Ran) -> None:
    with _rivals_here() as here:
        expected = {"open and hash only", *here}

    measured = {figure.rival for figure in ran.figures if figure.name == f"stamp: {SAMPLE}"}

    assert measured == expected


def test_downloads_are_measured_with_all_their_steps(ran: Ran) -> None:
    names = [figure.name for figure in ran.figures]

    assert "downloads: folder, SQLite" in names
    for step in STEPS:
        assert f"{step} (folder, SQLite)" in names


def test_grants_are_measured_against_the_disk_itself(ran: Ran) -> None:
    found = {figure.name: figure for figure in ran.figures if figure.name.startswith("grants")}

    assert set(found) == {"grants: SQLite", "grants: SQLite, the worker beside"}
    assert all(figure.unit == "grants/s" and "fdatasync" in (figure.rival or "") for figure in found.values())


def test_a_batch_is_measured_against_one_call_each(ran: Ran) -> None:
    found = {figure.name: figure for figure in ran.figures if figure.name.startswith("a batch")}

    assert set(found) == {"a batch of 40, shared with: SQLite", "a batch with its links: SQLite"}
    assert found["a batch with its links: SQLite"].rival == "one call each"


def test_memory_and_sizes_are_told_without_a_rival(ran: Ran) -> None:
    told = {figure.name: figure for figure in ran.figures if figure.rival is None}

    assert told["memory: growth of the peak while a copy of 1 MB is stamped"].unit == "MB"
    assert told[f"template: {SAMPLE}"].value > 1
    assert {f"compile: {SAMPLE}", f"mint: {SAMPLE}"} <= told.keys()


def test_the_run_says_on_what_machine_and_under_what_load(ran: Ran) -> None:
    assert "load average" in ran.notes[0]
    assert "cores" in ran.notes[0]
    assert "load average" in ran.notes[-1]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only on Linux")
def test_no_server_is_left_running(ran: Ran) -> None:
    assert servers_of_this_process() - ran.servers_before == set()


@pytest.mark.parametrize("name", [PYPDF, PIKEPDF, QPDF])
def test_a_rival_marks_every_page_in_footer_and_diagonal(name: str, odd_pages: bytes) -> None:
    with _rivals_here(odd_pages) as here:
        if name not in here:
            pytest.skip("qpdf is not installed")
        made = here[name].copy()

    require_marked(name, made, MARK, 5)
    document = pypdfium2.PdfDocument(made)
    for page in document:
        text = "".join(page.get_textpage().get_text_bounded().split())
        for field in (MARK.name.replace(" ", ""), MARK.mail, MARK.copy_id, MARK.issued.isoformat()):
            assert text.count(field) == 2
    document.close()


def test_all_rivals_mark_at_the_same_places(odd_pages: bytes) -> None:
    with _rivals_here(odd_pages) as here:
        drawn = {name: _drawn(rival.copy()) for name, rival in here.items()}

    unmarked = _drawn(odd_pages)
    first = drawn.pop(PYPDF)
    for number, page in enumerate(first):
        assert _differing(page, unmarked[number]) > 0.02
        for name, pages in drawn.items():
            assert _differing(page, pages[number]) < 0.001, (name, number)


def test_an_unmarked_copy_is_found_out(odd_pages: bytes) -> None:
    with pytest.raises(NotMarked, match="page 1 does not carry"):
        require_marked("nobody", odd_pages, MARK, 5)


def test_a_copy_with_too_few_pages_is_found_out(odd_pages: bytes) -> None:
    with pytest.raises(NotMarked, match="5 pages instead of 6"):
        require_marked("nobody", odd_pages, MARK, 6)


def test_our_copy_is_marked_and_its_bytes_are_those_that_pass_by(odd_pages: bytes, tmp_path: Path) -> None:
    objects, master = sealed_objects(tmp_path)
    record = sealed(objects, compiled(odd_pages).template)

    copy = LentVersion(objects, record).copy()
    again = LentVersion(sealed_objects(tmp_path, master)[0], record).pass_by()

    require_marked("stamp", copy, MARK, 5)
    assert hashlib.sha256(copy).hexdigest() == again


def test_another_mark_is_not_taken_for_ours(odd_pages: bytes) -> None:
    other = replace(MARK, copy_id="cpy_" + "z" * 26)
    with _rivals_here(odd_pages) as here:
        made = here[PIKEPDF].copy()

    with pytest.raises(NotMarked, match=other.copy_id):
        require_marked("pikepdf", made, other, 5)


def test_a_report_is_filled_up_with_pages_of_noise() -> None:
    report = sample()

    filled = filled_up(report, 1_000_000, page_bytes=250_000)

    assert 950_000 < len(filled.pdf) < 1_050_000
    with pikepdf.open(io.BytesIO(filled.pdf)) as document, pikepdf.open(io.BytesIO(report.pdf)) as before:
        assert len(document.pages) > len(before.pages)


def test_above_one_a_ratio_says_that_we_are_ahead() -> None:
    assert time_against("stamp", 2.0, "slower", 100.0).ratio == 50
    assert rate_against("downloads", 40.0, "quicker", 50.0).ratio == 0.8
    assert alone("size", 12345.6, "bytes") == Figure("size", 12350.0, "bytes", None, None, None)


def test_contenders_take_turns_and_the_first_turn_is_not_counted() -> None:
    turns: list[str] = []

    best = race({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, 2)

    assert turns == ["a", "b"] * 3
    assert set(best) == {"a", "b"}


def test_a_slow_contender_gets_fewer_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.timing.milliseconds", lambda run: (run(), SECONDS_EACH * 1000)[1])
    turns: list[str] = []

    race({"slow": lambda: turns.append("slow")}, LEAST_TURNS + 5)

    assert len(turns) == 1 + LEAST_TURNS


def test_a_download_that_is_not_granted_fails_the_round() -> None:
    with _answering(410) as port, pytest.raises(LoadFailed, match="410"):
        carry_out(Order("127.0.0.1", port, ("/s/a", "/s/b", "/s/c"), 2))


def _rivals_here(report: bytes | None = None) -> AbstractContextManager[dict[str, Rival]]:
    original = cleaned(report or sample().pdf)
    return rivals(original, mark_pages(original, MARK))


def _drawn(pdf: bytes) -> list[NDArray[np.int16]]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=1, grayscale=True).to_numpy().astype(np.int16) for page in document]
    finally:
        document.close()


def _differing(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    """The share of pixels that differ visibly; all of them where the sizes do."""
    return 1.0 if one.shape != other.shape else float(np.mean(np.abs(one - other) > 8))


@contextmanager
def _answering(status: int) -> Iterator[int]:
    """The port of a server that answers every POST with this status."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
