"""Asking and sending: what a download gives, costs and leaves in the log."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO

import pytest
from pypdf import PdfReader

from service import sending
from service.decision import Allowed
from service.facts import Facts
from service.records import Copy, Send
from service.sending import BYTES_PER_DELIVERY
from tests.service_fixture import OPERATOR
from tests.web.recipient.lending import ADDRESS, PAGES, Lent, report_pdf


def test_a_download_is_the_marked_copy_and_its_whole_way_is_in_the_log(lent: Lent) -> None:
    assert lent.browser.get(lent.path).status_code == 200
    answer = lent.browser.get(lent.granted())
    assert answer.status_code == 200
    pdf = PdfReader(BytesIO(answer.data))
    assert len(pdf.pages) == PAGES
    assert "Ana Lindqvist" in pdf.pages[0].extract_text()
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.data).hexdigest()}"'
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.content_type == "application/pdf"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert lent.kinds() == ["page.viewed", "download.granted", "download.begun", "download.ended"]
    ended = lent.service.entries("download.ended")[0]
    assert ended["outcome"] == "complete"
    assert json.loads(ended["details"]) == {"sent": len(answer.data)}
    assert ended["address"] == ADDRESS


def test_a_broken_off_download_resumes_byte_by_byte_and_is_charged_once(lent_once: Lent) -> None:
    path = lent_once.granted()
    running = lent_once.begin(path)
    first = next(running.body)
    running.close()
    assert lent_once.service.entries("download.ended")[0]["outcome"] == "broken-off"
    etag = running.headers["ETag"]
    lent_once.service.clock.advance(minutes=9)
    rest = lent_once.browser.get(path, headers={"Range": f"bytes={len(first)}-", "If-Range": etag})
    assert rest.status_code == 206
    length = int(running.headers["Content-Length"])
    assert rest.headers["Content-Range"] == f"bytes {len(first)}-{length - 1}/{length}"
    assert f'"{hashlib.sha256(first + rest.data).hexdigest()}"' == etag
    assert len(lent_once.service.entries("download.granted")) == 1


def test_bytes_that_were_not_sent_are_given_back(lent: Lent) -> None:
    path = lent.granted()
    for _ in range(3 * BYTES_PER_DELIVERY):
        running = lent.begin(path)
        next(running.body)
        running.close()
    assert lent.browser.get(path).status_code == 200


def test_a_client_that_leaves_before_the_first_byte_ends_its_send(lent: Lent) -> None:
    lent.begin(lent.granted()).close()
    ended = lent.service.entries("download.ended")
    assert [(row["outcome"], row["details"]) for row in ended] == [("broken-off", '{"sent": 0}')]
    with lent.service.sealmark.database.read() as records:
        assert records.find(Send, ended_at=None) == []


def test_a_delivery_sends_five_times_the_file_and_no_more(lent: Lent) -> None:
    path = lent.granted()
    for _ in range(BYTES_PER_DELIVERY):
        assert len(lent.browser.get(path).data) > 0
    refused = lent.browser.get(path, headers={"Range": "bytes=0-0"})
    assert refused.status_code == 410
    assert b"repeated too often" in refused.data
    assert lent.service.entries("download.denied")[0]["reason"] == "too-many-bytes"


@pytest.mark.parametrize("what", ["share", "document", "nda"])
def test_a_revocation_cuts_a_running_download_within_a_second(lent: Lent, what: str) -> None:
    sealmark = lent.service.sealmark
    path = lent.granted()
    running = lent.begin(path)
    next(running.body)
    if what == "share":
        sealmark.sharing.revoke(OPERATOR, lent.share.id)
    elif what == "document":
        sealmark.documents.revoke(OPERATOR, lent.document.id)
    else:
        sealmark.ndas.revoke(OPERATOR, lent.nda.id)
    lent.service.clock.advance(seconds=1)
    # The connection is broken, so that nobody takes the part for the whole or waits for the rest.
    with pytest.raises(ConnectionResetError):
        next(running.body)
    running.close()
    assert [row["outcome"] for row in lent.service.entries("download.ended")] == ["revoked"]
    assert lent.browser.get(path).status_code in {403, 410}


def test_a_running_download_ends_when_its_link_expires_and_not_before(lent: Lent) -> None:
    lent.service.clock.advance(hours=71, minutes=59)
    path = lent.granted()
    lent.service.clock.advance(minutes=5)
    assert lent.browser.get(lent.path).status_code == 410
    assert lent.browser.get(path).status_code == 200


def test_asking_twice_gives_the_same_delivery_and_costs_nothing(lent_once: Lent) -> None:
    first = lent_once.granted()
    lent_once.service.clock.advance(minutes=9, seconds=59)
    assert lent_once.granted() == first
    assert len(lent_once.service.entries("download.granted")) == 1


def test_asking_in_the_last_second_gives_a_delivery_that_still_sends(lent: Lent) -> None:
    lent.service.clock.advance(microseconds=700_000)
    lent.granted()
    lent.service.clock.advance(minutes=9, seconds=59, microseconds=800_000)
    assert lent.browser.get(lent.granted()).status_code == 200


def test_the_second_download_of_one_is_used_up_after_ten_minutes(lent_once: Lent) -> None:
    path = lent_once.granted()
    lent_once.service.clock.advance(minutes=10)
    for answer in (lent_once.ask(), lent_once.browser.get(lent_once.path)):
        assert answer.status_code == 410
        assert b"All downloads of this link are used" in answer.data
    over = lent_once.browser.get(path)
    assert over.status_code == 410
    assert b"Open your link again" in over.data


def test_looking_costs_nothing(lent_once: Lent) -> None:
    for _ in range(20):
        assert lent_once.browser.get(lent_once.path).status_code == 200
        assert lent_once.browser.head(lent_once.path).status_code == 200
    assert lent_once.kinds() == ["page.viewed"] * 20
    assert b"1 left" in lent_once.browser.get(lent_once.path).data
    assert lent_once.ask().status_code == 303


def test_head_of_a_delivery_says_what_get_would_and_records_nothing(lent: Lent) -> None:
    path = lent.granted()
    head = lent.browser.head(path, headers={"Range": "bytes=0-9"})
    before = lent.kinds()
    got = lent.browser.get(path)
    assert head.data == b""
    assert head.status_code == 200
    own = {"X-Request-Id"}
    assert {k: v for k, v in head.headers if k not in own} == {k: v for k, v in got.headers if k not in own}
    assert before == ["download.granted"]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [("If-None-Match", "*", 304), ("Range", "bytes=99999999-", 416), ("If-Match", '"other"', 412)],
)
def test_an_answer_without_the_file_costs_nothing(lent: Lent, field: str, value: str, status: int) -> None:
    path = lent.granted()
    answer = lent.browser.get(path, headers={field: value})
    assert answer.status_code == status
    assert lent.kinds() == ["download.granted"]
    if status == 416:
        length = lent.browser.head(path).headers["Content-Length"]
        assert answer.headers["Content-Range"] == f"bytes */{length}"


def test_several_ranges_get_the_whole_file(lent: Lent) -> None:
    answer = lent.browser.get(lent.granted(), headers={"Range": "bytes=0-1,5-9"})
    assert answer.status_code == 200
    assert len(answer.data) == int(answer.headers["Content-Length"])


def test_pieces_are_bytes_as_servers_take_them(lent: Lent) -> None:
    running = lent.begin(lent.granted())
    assert {type(piece) for piece in running.body} == {bytes}
    running.close()


def test_a_copy_stays_the_one_that_was_granted_when_a_newer_version_is_ready(lent: Lent) -> None:
    path = lent.granted()
    etag = lent.browser.head(path).headers["ETag"]
    old = lent.service.entries("download.granted")[0]["version"]
    documents = lent.service.sealmark.documents
    newer = documents.add_version(OPERATOR, lent.document.id, Facts())
    documents.upload(OPERATOR, lent.document.id, newer.id, [report_pdf()])
    lent.service.work()
    assert f'"{hashlib.sha256(lent.browser.get(path).data).hexdigest()}"' == etag
    assert [row["version"] for row in lent.service.entries("download.begun")] == [old]
    assert [row["version"] for row in lent.service.entries("download.ended")] == [old]
    assert lent.granted() != path


def test_a_clock_that_is_set_back_does_not_let_a_revoked_download_go_on(lent: Lent) -> None:
    running = lent.begin(lent.granted())
    next(running.body)
    lent.service.clock.advance(hours=-1)
    lent.service.sealmark.sharing.revoke(OPERATOR, lent.share.id)
    with pytest.raises(ConnectionResetError):
        list(running.body)
    running.close()
    assert lent.service.entries("download.ended")[0]["outcome"] == "revoked"


def test_a_send_that_the_worker_took_for_dead_sends_nothing_more(lent: Lent) -> None:
    running = lent.begin(lent.granted())
    next(running.body)
    lent.service.clock.advance(seconds=300)
    assert lent.service.sealmark.sweeping.end_silent_sends() == 1
    with pytest.raises(ConnectionResetError):
        list(running.body)
    running.close()
    assert [entry["outcome"] for entry in lent.service.entries("download.ended")] == ["unknown"]


def test_a_download_is_not_asked_for_in_endless_parts(lent: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MAX_SENDS", 5)
    path = lent.granted()
    for _ in range(5):
        assert lent.browser.get(path, headers={"Range": "bytes=0-0"}).status_code == 206
    assert lent.browser.get(path, headers={"Range": "bytes=0-0"}).status_code == 410
    assert lent.service.entries("download.denied")[0]["reason"] == "too-many-sends"
    assert len(lent.service.entries("download.begun")) == 5


def test_what_is_revoked_while_the_copy_is_minted_is_not_granted(
    lent: Lent, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = lent.service.sealmark.copies
    mint = copies.mint

    def slowly(allowed: Allowed) -> Copy:
        minted = mint(allowed)
        lent.service.sealmark.documents.revoke(OPERATOR, lent.share.document_id)
        return minted

    monkeypatch.setattr(copies, "mint", slowly)
    assert lent.browser.post(lent.path).status_code == 410
    assert lent.service.entries("download.granted") == []
    assert lent.service.entries("download.denied")[0]["reason"] == "document-revoked"
