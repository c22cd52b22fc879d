"""A bridge letter on the page of its report: its own copy with its own mark, decided, recorded and not counted."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser
from pypdf import PdfReader

from service.facts import Facts
from service.records import Classification, Copy, Kind, Link, Share
from service.web.application import create_app
from tests.service.acting import a_document
from tests.service_fixture import OPERATOR, Service
from tests.web.recipient.chromium import (
    SIZES,
    launched,
    listening,
    memoryless,
    overflows,
    service_at,
    shot,
    violations,
)
from tests.web.recipient.lending import Lent, lend, report_pdf

NAME = "Bridge letter, first quarter"


def with_letter(service: Service, **options: Any) -> tuple[Lent, Share]:
    """A report that is lent with a bridge letter, and the letter's share."""
    lent = lend(service, **options)
    letter = a_document(service, name=NAME, kind=Kind.BRIDGE_LETTER, owner_mail="owner@lender.example")
    documents = service.sealmark.documents
    version = documents.add_version(OPERATOR, letter.id, Facts())
    documents.upload(OPERATOR, letter.id, version.id, [report_pdf()])
    service.work()
    documents.change(OPERATOR, letter.id, report=lent.document.id)
    while service.sealmark.along.run_once():
        pass
    with service.sealmark.database.read() as records:
        (share,) = records.find(Share, with_id=lent.share.id)
    return lent, share


def path_of(lent: Lent, share: Share) -> str:
    """Where the letter's copy is asked for."""
    return f"{lent.path}/with/{share.id}"


def test_the_page_offers_the_letter_and_its_copy_is_marked_recorded_and_not_counted(service: Service) -> None:
    lent, letter = with_letter(service, limit=1)
    page = lent.browser.get(lent.path)
    assert f'action="{path_of(lent, letter)}"' in page.text
    assert f"Download “{NAME}”" in page.text

    for _ in range(2):
        asked = lent.browser.post(path_of(lent, letter))
        assert asked.status_code == 303
        service.clock.advance(minutes=11)
    service.clock.advance(minutes=-11)
    answer = lent.browser.get(asked.headers["Location"])
    assert answer.status_code == 200
    assert "Ana Lindqvist" in PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()

    with service.sealmark.database.read() as records:
        (copy,) = records.find(Copy)
        taken = {share.id: share.downloads_taken for share in records.find(Share)}
    assert copy.share_id == letter.id
    assert taken == {lent.share.id: 0, letter.id: 2}
    granted = service.entries("download.granted")
    assert [(row["share"], row["document"]) for row in granted] == [(letter.id, letter.document_id)] * 2
    assert [json.loads(row["details"]) for row in granted] == [{"number": 1}, {"number": 2}]
    ended = service.entries("download.ended")
    assert [(row["outcome"], row["copy"]) for row in ended] == [("complete", copy.id)]

    own = lent.browser.get(lent.granted())  # the report's one download is still there
    assert own.data != answer.data
    assert service.entries("download.granted")[2]["share"] == lent.share.id


def test_a_copy_of_the_letter_is_not_the_reports_copy(service: Service) -> None:
    lent, letter = with_letter(service)
    one = lent.browser.get(lent.browser.post(path_of(lent, letter)).headers["Location"])
    other = lent.browser.get(lent.granted())
    assert one.headers["ETag"] != other.headers["ETag"]
    assert one.headers["Content-Disposition"] != other.headers["Content-Disposition"]


def test_a_link_opens_only_what_goes_along_with_its_own_share(service: Service) -> None:
    lent, letter = with_letter(service)
    sealmark = service.sealmark
    other, _, link = sealmark.sharing.create(
        OPERATOR,
        document_id=lent.document.id,
        mail="bo@acme.example",
        name="Bo",
        purpose="another",
    )
    path = link.url.split("example", 1)[1]  # type: ignore[union-attr]
    for share in (letter.id, lent.share.id, other.id, "shr_" + "0" * 26, "x"):
        assert lent.browser.post(f"{path}/with/{share}").status_code == 404
    assert service.entries("download.granted") == []


def test_asked_for_otherwise_it_leads_to_the_reports_page(service: Service) -> None:
    lent, letter = with_letter(service)
    answer = lent.browser.get(path_of(lent, letter))
    assert (answer.status_code, answer.headers["Location"]) == (303, lent.path)
    assert lent.browser.put(path_of(lent, letter)).status_code == 405
    assert lent.browser.post(f"/s/nothing/with/{letter.id}").status_code == 404


def test_a_foreign_form_gets_no_copy(service: Service) -> None:
    lent, letter = with_letter(service)
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert lent.browser.post(path_of(lent, letter), headers=foreign).status_code == 403
    assert service.entries("download.granted") == []


@pytest.mark.parametrize("what", ["report", "letter", "document"])
def test_an_end_cuts_off_the_letter_too_and_says_why(service: Service, what: str) -> None:
    lent, letter = with_letter(service)
    path = lent.browser.post(path_of(lent, letter)).headers["Location"]
    if what == "document":
        service.sealmark.documents.revoke(OPERATOR, letter.document_id)
    else:
        service.sealmark.sharing.revoke(OPERATOR, letter.id if what == "letter" else lent.share.id)
    assert lent.browser.get(path).status_code == 410
    service.clock.advance(minutes=1)
    assert lent.browser.post(path_of(lent, letter)).status_code == 410
    page = lent.browser.get(lent.path)
    assert page.status_code == (410 if what == "report" else 200)
    assert NAME not in page.text
    reasons = [row["reason"] for row in service.entries("download.denied")]
    assert set(reasons) == {"document-revoked" if what == "document" else "share-revoked"}


def test_a_link_that_was_withdrawn_cuts_off_the_letter_too(service: Service) -> None:
    lent, letter = with_letter(service)
    path = lent.browser.post(path_of(lent, letter)).headers["Location"]
    with service.sealmark.database.write() as records:
        (link,) = records.find(Link)
        records.change(link, revoked_at=service.clock())
    assert lent.browser.get(path).status_code == 410


def test_the_mail_check_of_the_report_is_the_letters(service: Service) -> None:
    lent, letter = with_letter(service, mail_check=True)
    assert letter.mail_check
    page = lent.browser.get(lent.path)
    assert NAME not in page.text
    assert lent.browser.post(path_of(lent, letter)).status_code == 403
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token
    form = {"token": token[1]}
    headers = {"Origin": "https://reports.lender.example"}
    assert lent.browser.post(f"{lent.path}/check", data=form, headers=headers).status_code == 303
    (letter_mail,) = service.mails()
    code = re.search(r"\b(\d{6})\b", letter_mail.text)
    assert code
    done = lent.browser.post(f"{lent.path}/code", data={**form, "code": code[1]}, headers=headers)
    assert done.status_code == 303
    assert NAME in lent.browser.get(lent.path).text
    path = lent.browser.post(path_of(lent, letter)).headers["Location"]
    assert lent.browser.get(path).status_code == 200


def test_a_letter_under_nda_with_a_public_report_needs_its_agreement(service: Service) -> None:
    lent, letter = with_letter(service, kind=Kind.SOC3, classification=Classification.PUBLIC)
    assert NAME in lent.browser.get(lent.path).text
    service.sealmark.ndas.revoke(OPERATOR, lent.nda.id)
    page = lent.browser.get(lent.path)
    assert page.status_code == 200
    assert NAME not in page.text
    assert lent.browser.post(path_of(lent, letter)).status_code in (403, 410)


def test_with_a_report_that_is_only_read_the_letter_is_only_read_too(service: Service) -> None:
    lent, letter = with_letter(service, view_only=True)
    assert letter.view_only
    assert f"Read “{NAME}”" in lent.browser.get(lent.path).text
    sitting = lent.browser.post(path_of(lent, letter)).headers["Location"]
    assert sitting.startswith("/v/")
    assert lent.browser.get(sitting.replace("/v/", "/d/")).status_code == 403
    assert lent.browser.get(f"{sitting}/1").status_code == 200


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("scripts", [True, False])
def test_in_a_browser_the_letter_comes_with_one_press(
    tmp_path: Path, size: str, language: str, scripts: bool
) -> None:
    with launched() as browser, service_at(tmp_path) as (service, url):
        lent, letter = with_letter(service, limit=1)
        app: Flask = create_app(service.sealmark)
        _press(service, lent, letter, browser, app, url, size, language, scripts)


def _press(
    service: Service,
    lent: Lent,
    letter: Share,
    browser: Browser,
    app: Flask,
    url: str,
    size: str,
    language: str,
    scripts: bool,
) -> None:
    path = re.sub(r"^https?://[^/]+", "", lent.path)
    with listening(app, url), memoryless(browser, url, size, scripts=scripts, locale=language) as (_, page):
        page.goto(url + path)
        button = page.get_by_role("button", name=NAME)
        if scripts:
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                assert violations(page) == []
                shot(page, f"along-{size}-{language}-{scheme}")
            assert not overflows(page)
        with page.expect_download() as begun:
            button.click()
        saved = Path(str(begun.value.path())).read_bytes()
    assert "Ana Lindqvist" in PdfReader(io.BytesIO(saved)).pages[0].extract_text()
    assert [row["share"] for row in service.entries("download.granted")] == [letter.id]
    assert service.sealmark.sharing.get(lent.share.id).downloads_taken == 0
    assert service.entries("download.ended")[0]["outcome"] == "complete"
