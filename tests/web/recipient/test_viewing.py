"""Reading without a download: a sitting is asked for and charged as a download is, each page is decided over and an
entry, and the file itself goes to nobody."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas
from werkzeug.test import TestResponse

from service import viewing
from service.adapters.sql.transaction import SqlRecords
from service.facts import Facts
from service.granting import SITTING_LIFE
from service.limits import Limit
from service.ports import DatabaseUnavailable
from service.records import Copy, InboxEntry, Throttle
from service.tallies import sum_up
from service.web.recipient.viewing import shortened
from tests.service_fixture import OPERATOR, Service
from tests.watermark.readers import pictures
from tests.web.recipient.browsing import Person, text_of
from tests.web.recipient.lending import Lent, lend
from watermark.draw import draw_task
from watermark.drawn import Drawn, _checked
from watermark.errors import RefusalReason, Refused, SandboxUnavailable
from watermark.sandbox import ChildResult

SENTENCE = "The text goes on."


class DrawHere:
    """The real task, in this process: what is tested here is not the child's confinement. Notes what it drew."""

    def __init__(self) -> None:
        self.drew: list[tuple[int, int]] = []
        self._one = threading.Lock()  # PDFium is for one thread; a child has one
        self.before: Callable[[int, int], None] = lambda *_: None

    def __call__(self, copy: Iterator[bytes], first: int, many: int) -> Drawn:
        self.drew.append((first, many))
        pdf = b"".join(copy)
        self.before(first, many)
        with self._one:
            return _checked(ChildResult(*draw_task(pdf, {"first": first, "many": many})))


@pytest.fixture
def draw(service: Service, monkeypatch: pytest.MonkeyPatch) -> DrawHere:
    here = DrawHere()
    monkeypatch.setattr(service.sealmark.viewing, "_draw", here)
    return here


@pytest.fixture
def lent(service: Service, draw: DrawHere) -> Lent:
    """A share whose report may be read and not downloaded."""
    return lend(service, view_only=True)


def sitting(lent: Lent) -> str:
    """Press the button; the path of the sitting."""
    path = lent.granted()
    assert path.startswith("/v/")
    return path


def picture_of(page: TestResponse) -> str:
    """The path of the picture that a page shows."""
    found = re.search(r'<img src="(/v/[^"]+)"', page.text)
    assert found, page.text
    return found[1]


def details(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["details"])
    return found


def drawn_pages(lent: Lent) -> list[int]:
    return [details(row)["page"] for row in lent.service.entries("page.drawn")]


def copy_of(lent: Lent) -> tuple[Copy, bytes]:
    """The minted copy and its bytes."""
    with lent.service.sealmark.database.read() as records:
        (copy,) = records.find(Copy, share_id=lent.share.id)
    return copy, b"".join(lent.service.sealmark.copies.stream(copy, 0, copy.length))


def test_the_page_of_a_view_only_link_offers_reading_and_no_download(lent: Lent) -> None:
    page = text_of(lent.browser.get(lent.path).text)
    assert "Read it here 9 pages, shown one by one" in page
    assert "You can read it here, but not download it." in page
    assert "Download" not in page


def test_a_person_reads_page_after_page_and_each_is_an_entry_with_its_time(lent: Lent) -> None:
    clock = lent.service.clock
    lent.browser.get(lent.path)
    path = sitting(lent)
    times = []
    for number in range(1, 10):
        clock.advance(seconds=40)
        page = lent.browser.get(path if number == 1 else f"{path}/{number}")
        assert page.status_code == 200
        assert f"Page {number} of 9" in text_of(page.text)
        assert f"Page {number} of an invented report" in page.text
        picture = lent.browser.get(picture_of(page))
        assert picture.status_code == 200
        assert Image.open(BytesIO(picture.data)).size == (910, 1287)
        times.append(f"{clock.now:%Y-%m-%dT%H:%M:%S}")
    assert lent.kinds() == ["page.viewed", "download.granted", *["page.drawn"] * 9]
    rows = lent.service.entries("page.drawn")
    assert [details(row)["page"] for row in rows] == list(range(1, 10))
    assert [row["time"][:19] for row in rows] == times
    copy, _ = copy_of(lent)
    granted = lent.service.entries("download.granted")[0]
    for row in rows:
        assert (row["share"], row["copy"], row["delivery"]) == (lent.share.id, copy.id, granted["delivery"])
        assert (row["recipient"], row["version"]) == (lent.recipient.id, copy.version_id)
        assert (row["actor_type"], row["outcome"]) == ("recipient", "ok")


def test_pages_are_turned_by_links_and_found_by_number(lent: Lent) -> None:
    path = sitting(lent)
    first, middle, last = (lent.browser.get(f"{path}/{number}").text for number in (1, 5, 9))
    assert "Previous page" not in first
    assert first.count(f'rel="next" href="{path}/2#page"') == 2
    assert f'rel="prev" href="{path}/4#page"' in middle
    assert f'rel="next" href="{path}/6#page"' in middle
    assert "Next page" not in last
    assert f'<a href="{path}/7#page" dir="auto">Tests &amp; results</a>' in first
    for asked, number in (("7", 7), ("0", 1), ("x", 1), ("", 1), ("٣", 1), ("99", 99)):
        answer = lent.browser.get(path, query_string={"page": asked})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}/{number}")
    assert drawn_pages(lent) == [1, 5, 9]


def test_a_page_beyond_the_end_leads_to_the_last_and_is_no_entry(lent: Lent, draw: DrawHere) -> None:
    path = sitting(lent)
    answer = lent.browser.get(f"{path}/10")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}/9")
    assert lent.browser.get(f"{path}/10.png").status_code == 404
    assert drawn_pages(lent) == []
    assert draw.drew == []  # no child is started for what is not there


def test_a_page_that_is_loaded_again_is_one_entry_a_minute(lent: Lent) -> None:
    path, clock = sitting(lent), lent.service.clock
    for seconds in (0, 20, 39.9, 0.1, 10):
        clock.advance(seconds=seconds)
        assert lent.browser.get(f"{path}/3").status_code == 200
        assert lent.browser.get(f"{path}/3.png").status_code == 200
    assert drawn_pages(lent) == [3, 3]  # at the first moment, and sixty seconds later


@pytest.mark.parametrize(
    "other",
    [{"environ_overrides": {"REMOTE_ADDR": "203.0.113.66"}}, {"headers": {"User-Agent": "Another/1"}}],
    ids=["address", "browser"],
)
def test_whoever_else_looks_at_a_page_within_the_minute_is_an_entry_of_their_own(
    lent: Lent, other: dict[str, Any]
) -> None:
    path = sitting(lent)
    for _ in range(2):
        assert lent.browser.get(f"{path}/1").status_code == 200
        assert Person(lent.app).get(f"{path}/1", **other).status_code == 200
    rows = lent.service.entries("page.drawn")
    assert len({(row["address"], row.get("agent")) for row in rows}) == len(rows) == 2
    with lent.service.sealmark.database.read() as records:
        assert "203.0.113.66" not in repr(records.find(Throttle))


def test_many_who_ask_for_a_page_at_once_make_one_entry(lent: Lent, draw: DrawHere) -> None:
    path = sitting(lent)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: Person(lent.app).get(f"{path}/3"), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert drawn_pages(lent) == [3]
    assert len(draw.drew) <= viewing.CHILDREN


def test_a_picture_alone_is_an_entry_too(lent: Lent) -> None:
    picture = lent.browser.get(f"{sitting(lent)}/2.png")
    assert Image.open(BytesIO(picture.data)).size == (910, 1287)
    assert drawn_pages(lent) == [2]


def test_neighbours_are_drawn_together_and_kept(lent: Lent, draw: DrawHere) -> None:
    path = sitting(lent)
    for number in (2, 1, 3, 4, 5, 6, 2):
        lent.browser.get(f"{path}/{number}")
        lent.browser.get(f"{path}/{number}.png")
    assert draw.drew == [(1, 4), (5, 4)]


def test_every_page_carries_the_mark_and_is_the_copys_own(service: Service, lent: Lent) -> None:
    path = sitting(lent)
    copy, pdf = copy_of(lent)
    for number, expected in enumerate(pictures(pdf, 110), 1):
        page = lent.browser.get(f"{path}/{number}")
        for marked in ("Ana Lindqvist", "ana@acme.example", "Acme Freight", copy.id):
            assert marked in text_of(page.text.replace("&lt;", "").replace("&gt;", ""))
        picture = Image.open(BytesIO(lent.browser.get(picture_of(page)).data))
        grey = np.asarray(picture.convert("RGB")).sum(axis=2, dtype=np.int16) // 3
        if picture.format == "PNG":
            assert (grey == expected).all()
        else:
            assert np.abs(grey - expected).mean() < 12


def test_two_recipients_see_two_pictures_of_one_page(service: Service, lent: Lent, draw: DrawHere) -> None:
    _, _, link = service.sealmark.sharing.create(
        OPERATOR,
        document_id=lent.document.id,
        mail="bo@acme.example",
        name="Bo Ek",
        company="Acme Freight",
        purpose="x",
        view_only=True,
    )
    other = lent.browser.post(link.url.removeprefix("https://reports.lender.example")).headers["Location"]
    seen = [lent.browser.get(f"{path}/2.png").data for path in (sitting(lent), other)]
    assert seen[0] != seen[1]
    assert "Bo Ek" in lent.browser.get(f"{other}/2").text
    assert "Ana" not in lent.browser.get(f"{other}/2").text


def test_a_sitting_counts_one_download_however_often_the_button_is_pressed(service: Service) -> None:
    lent = lend(service, view_only=True, limit=2)
    first = sitting(lent)
    service.clock.advance(hours=1, minutes=59)
    assert sitting(lent) == first
    page = text_of(lent.browser.get(lent.path).text)
    assert "Readings 1 left" in page
    assert "Your last reading is open until 2 March 2026, 11:00 UTC." in page
    service.clock.advance(minutes=1)
    assert sitting(lent) != first
    service.clock.advance(hours=2)
    answer = lent.ask()
    assert answer.status_code == 410
    assert [details(row)["number"] for row in service.entries("download.granted")] == [1, 2]
    assert service.entries("download.denied")[0]["reason"] == "used-up"


def test_a_sitting_ends_two_hours_after_it_began(lent: Lent) -> None:
    path, clock = sitting(lent), lent.service.clock
    clock.advance(hours=2, seconds=-1)
    assert lent.browser.get(f"{path}/2").status_code == 200
    clock.advance(seconds=1)
    for address in (path, f"{path}/2", f"{path}/2.png"):
        answer = lent.browser.get(address)
        assert answer.status_code == 410
        assert "This reading is over" in answer.text
        assert "invented report" not in answer.text
    assert lent.kinds()[-2:] == ["page.drawn", "download.denied"]
    assert lent.service.entries("download.denied")[0]["reason"] == "delivery-over"


def test_a_sitting_never_outlives_its_share(service: Service, draw: DrawHere) -> None:
    lent = lend(service, view_only=True)
    service.clock.now = lent.share.expires_at - timedelta(minutes=5)
    link = service.sealmark.sharing.link(OPERATOR, lent.share.id)
    path = lent.browser.post(link.url.removeprefix("https://reports.lender.example")).headers["Location"]
    assert lent.browser.get(path).status_code == 200
    service.clock.now = lent.share.expires_at
    assert lent.browser.get(path).status_code == 410
    assert timedelta(hours=2) == SITTING_LIFE


def revoked(lent: Lent, what: str) -> str:
    """Revoke it; the reason that is then given."""
    sealmark = lent.service.sealmark
    if what == "share":
        sealmark.sharing.revoke(OPERATOR, lent.share.id)
    elif what == "document":
        sealmark.documents.revoke(OPERATOR, lent.document.id)
    else:
        sealmark.ndas.revoke(OPERATOR, lent.nda.id)
    return {"share": "share-revoked", "document": "document-revoked", "nda": "share-revoked"}[what]


@pytest.mark.parametrize("what", ["share", "document", "nda"])
def test_a_revocation_cuts_a_sitting_off_pages_that_are_kept_included(lent: Lent, what: str) -> None:
    path = sitting(lent)
    assert lent.browser.get(f"{path}/1").status_code == 200
    reason = revoked(lent, what)
    for address in (f"{path}/1", f"{path}/1.png", f"{path}/2", path):
        answer = lent.browser.get(address)
        assert answer.status_code == 410
        assert b"invented report" not in answer.data
    assert drawn_pages(lent) == [1]
    assert [row["reason"] for row in lent.service.entries("download.denied")] == [reason]


def test_what_is_revoked_while_a_page_is_drawn_is_not_shown(lent: Lent, draw: DrawHere) -> None:
    path = sitting(lent)
    draw.before = lambda *_: (revoked(lent, "share"), None)[1]
    answer = lent.browser.get(f"{path}/1.png")
    assert answer.status_code == 410
    assert drawn_pages(lent) == []
    assert lent.service.entries("download.denied")[0]["reason"] == "share-revoked"
    assert lent.service.sealmark.viewing._kept._pages == {}


def test_the_file_itself_goes_to_nobody_and_asking_for_it_is_an_entry(lent: Lent, draw: DrawHere) -> None:
    path = sitting(lent).replace("/v/", "/d/")
    for method in ("GET", "HEAD"):
        answer = lent.browser.open(path, method=method)
        assert answer.status_code == 403
        assert b"%PDF" not in answer.data
    assert "This document cannot be downloaded" in lent.browser.get(path).text
    assert lent.kinds() == ["download.granted", "download.denied"]
    assert lent.service.entries("download.denied")[0]["reason"] == "view-only"
    assert draw.drew == []


def test_head_and_other_methods_show_nothing_and_are_no_entry(lent: Lent, draw: DrawHere) -> None:
    path = sitting(lent)
    for address in (path, f"{path}/2", f"{path}/2.png"):
        head = lent.browser.head(address)
        assert (head.status_code, head.data) == (200, b"")
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            answer = lent.browser.open(address, method=method)
            assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert draw.drew == []
    assert lent.kinds() == ["download.granted"]


def test_scanners_that_look_at_the_link_leave_the_reading_to_the_person(
    service: Service, draw: DrawHere
) -> None:
    lent = lend(service, view_only=True, limit=1)
    for number in range(20):
        lent.browser.open(lent.path, method="HEAD" if number % 2 else "GET")
    assert "download.granted" not in lent.kinds()
    service.clock.advance(minutes=15)
    assert lent.browser.get(sitting(lent)).status_code == 200


def test_pages_are_for_the_browser_in_which_the_mail_was_checked(service: Service, draw: DrawHere) -> None:
    lent = lend(service, view_only=True, limit=1, mail_check=None)
    ana, other = Person(lent.app), Person(lent.app)
    page = ana.get(lent.path).text
    assert "Read it here" not in page
    assert ana.post(lent.path).status_code == 403
    ana.show_mail(service, lent.path)
    path = ana.post(lent.path).headers["Location"]
    assert ana.get(path).status_code == 200
    for address in (path, f"{path}/2", f"{path}/1.png"):
        answer = other.get(address)
        assert answer.status_code == 403
        assert b"invented report" not in answer.data
    assert drawn_pages(lent) == [1]
    reasons = [row["reason"] for row in service.entries("download.denied")]
    assert set(reasons) == {"mail-check"}


def test_a_newer_version_changes_nothing_for_a_sitting_that_runs(service: Service, lent: Lent) -> None:
    path = sitting(lent)
    written = BytesIO()
    canvas = Canvas(written, invariant=True)
    canvas.drawString(72, 720, "A newer report")
    canvas.save()
    version = service.sealmark.documents.add_version(OPERATOR, lent.document.id, Facts())
    service.sealmark.documents.upload(OPERATOR, lent.document.id, version.id, [written.getvalue()])
    service.work()
    page = lent.browser.get(f"{path}/8")
    assert "Page 8 of an invented report" in page.text
    assert "Tests &amp; results" in page.text
    assert service.entries("page.drawn")[0]["version"] != version.id


def test_the_named_number_of_pages_is_shown_and_one_more_is_429(
    service: Service, lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Limit("pages-shown", 600, timedelta(hours=1)) == viewing.PAGES_SHOWN
    monkeypatch.setattr(viewing, "PAGES_SHOWN", Limit("pages-shown", 3, timedelta(hours=1)))
    path = sitting(lent)
    answers = [lent.browser.get(f"{path}/{number}") for number in (1, 2, 3, 3, 4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert "Retry-After" in answers[-1].headers
    assert "invented report" not in answers[-1].text
    assert lent.browser.get(f"{path}/4.png").status_code == 429
    assert drawn_pages(lent) == [1, 2, 3]
    service.sealmark.tallies.hand_over()
    sum_up(service.sealmark.database, service.clock(), service.sealmark.random)
    assert details(service.entries("requests.limited")[0])["limit"] == "pages-shown"


def test_without_the_database_nothing_is_shown(lent: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
    path, add = sitting(lent), SqlRecords.add

    def lost(self: SqlRecords, *records: object) -> None:
        if any(isinstance(record, InboxEntry) for record in records):
            raise DatabaseUnavailable
        add(self, *records)

    with monkeypatch.context() as patched:
        patched.setattr(SqlRecords, "add", lost)
        for address in (f"{path}/1", f"{path}/1.png"):
            answer = lent.browser.get(address)
            assert answer.status_code == 503
            assert b"invented report" not in answer.data
            assert not answer.data.startswith((b"\x89PNG", b"\xff\xd8"))
    assert drawn_pages(lent) == []
    assert lent.browser.get(f"{path}/1").status_code == 200
    assert drawn_pages(lent) == [1]


def test_a_neighbour_that_is_too_much_does_not_keep_a_page_from_being_shown(
    lent: Lent, draw: DrawHere
) -> None:
    def together(_: int, many: int) -> None:
        if many > 1:
            raise Refused(RefusalReason.TOO_COSTLY)

    draw.before = together
    path = sitting(lent)
    assert lent.browser.get(f"{path}/2").status_code == 200
    assert draw.drew == [(1, 4), (2, 1)]


def test_a_page_that_cannot_be_drawn_is_said_so_and_is_no_entry(lent: Lent, draw: DrawHere) -> None:
    def never(*_: int) -> None:
        raise Refused(RefusalReason.TOO_COSTLY)

    draw.before = never
    path = sitting(lent)
    answer = lent.browser.get(f"{path}/2")
    assert answer.status_code == 500
    assert "This page cannot be shown" in answer.text
    assert drawn_pages(lent) == []


@contextmanager
def all_children_busy(service: Service) -> Iterator[None]:
    children = service.sealmark.viewing._children
    for _ in range(viewing.CHILDREN):
        assert children.acquire(timeout=1)
    yield
    for _ in range(viewing.CHILDREN):
        children.release()


def test_who_waits_too_long_for_a_child_is_told_to_try_again(
    service: Service, lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sitting(lent)
    lent.browser.get(f"{path}/1")
    monkeypatch.setattr(viewing, "WAIT_SECONDS", 0.05)
    with all_children_busy(service):
        assert lent.browser.get(f"{path}/2").status_code == 200  # is kept
        answer = lent.browser.get(f"{path}/6")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert drawn_pages(lent) == [1, 2]
    assert lent.browser.get(f"{path}/6").status_code == 200


def test_the_child_draws_what_this_process_only_passes_on(service: Service) -> None:
    lent = lend(service, view_only=True)
    path = sitting(lent)
    page = lent.browser.get(path)
    assert "Page 1 of an invented report" in page.text
    assert lent.browser.get(picture_of(page)).status_code == 200


def test_without_a_child_that_is_confined_nothing_is_drawn(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> Drawn:
        raise SandboxUnavailable("no filter here")

    monkeypatch.setattr("service.parts.draw_pages", never)
    lent = lend(service, view_only=True)
    answer = lent.browser.get(sitting(lent))
    assert answer.status_code == 503
    assert drawn_pages(lent) == []


def long_page(line: str) -> bytes:
    """One page with far more text than a page of ours shows."""
    written = BytesIO()
    canvas = Canvas(written, invariant=True, pagesize=(5000, 5000))
    for number in range(600):
        canvas.drawString(10, 4990 - 8 * number, f"{number} {line}")
    canvas.save()
    return written.getvalue()


def test_a_long_text_is_cut_where_a_sentence_says_so_and_the_page_stays_below_50_kb(
    service: Service, draw: DrawHere
) -> None:
    lent = lend(service, view_only=True, facts={}, pdf=long_page("<b>&amp; & 'quoted' \"text\"</b> " * 4))
    page = lent.browser.get(sitting(lent))
    assert SENTENCE in page.text
    assert "<b>" not in page.text
    assert "0 &lt;b&gt;&amp;amp; &amp; &#39;quoted&#39;" in page.text
    style = lent.browser.get(re.search(r'href="(/static/[^"]+\.css)"', page.text)[1])  # type: ignore[index]
    assert len(page.data) + len(style.data) < 50_000
    assert SENTENCE not in lend(service, view_only=True, document="Short").browser.get(lent.path).text


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("one\ntwo", 7, ("one\ntwo", False)),
        ("one\ntwo", 6, ("one", True)),
        ("<<<", 12, ("<<<", False)),
        ("<<<", 11, ("<<", True)),
        ("ééé", 5, ("éé", True)),
        ("", 5, ("", False)),
    ],
)
def test_text_is_cut_at_lines_and_by_its_bytes_in_html(text: str, most: int, shown: tuple[str, bool]) -> None:
    assert shortened(text, most) == shown


def test_a_page_without_text_says_so(
    service: Service, draw: DrawHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    lent = lend(service, view_only=True)
    path = sitting(lent)
    shown = service.sealmark.viewing

    def bare(copy: Iterator[bytes], first: int, many: int) -> Drawn:
        from dataclasses import replace

        drawn = draw(copy, first, many)
        return Drawn(drawn.count, tuple(replace(page, text="") for page in drawn.pages))

    monkeypatch.setattr(shown, "_draw", bare)
    page = lent.browser.get(path).text
    assert "It holds no text that could be read out." in page
    assert "This page is a picture only" in page


def test_nothing_of_a_reading_is_kept_by_a_browser_and_a_picture_stays_on_its_page(lent: Lent) -> None:
    path = sitting(lent)
    page, picture = lent.browser.get(path), lent.browser.get(f"{path}/2.png")
    for answer in (page, picture):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "script" not in answer.headers["Content-Security-Policy"]
    form = (Image.open(BytesIO(picture.data)).format or "").lower()
    assert picture.headers["Content-Type"] == f"image/{form}"
    assert picture.headers["Content-Disposition"] == f'inline; filename="page-2.{form}"'
