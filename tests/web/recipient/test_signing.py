"""The agreement on the page: shown after the mail check, signed by name and two consents, and its record handed out."""

from __future__ import annotations

import hashlib
import io
import re

import pytest
from pypdf import PdfReader
from werkzeug.test import Client

from service.records import Listing, Nda, Signature
from service.signing import SIGNINGS
from service.web.recipient.sentences import SENTENCES
from tests.service_fixture import OPERATOR, Service
from tests.web.recipient.lending import HOST, _At, lend
from tests.web.recipient.signing import TEXT, Asked, ask

CONSENTS = [
    "I have read the agreement, text number 1, and I agree to it.",
    "I agree to sign it electronically. My typed name is my signature. The time, my mail address, my network address "
    "and the name of my browser are kept with it as evidence.",
]


@pytest.fixture
def asked(service: Service) -> Asked:
    """The mail is checked; the agreement is asked for."""
    made = ask(service)
    made.check_mail()
    return made


def signatures(service: Service) -> list[Signature]:
    with service.sealmark.database.read() as records:
        return records.find(Signature)


def test_the_link_leads_over_mail_check_and_agreement_to_the_report_with_an_entry_for_each(
    service: Service,
) -> None:
    asked = ask(service)
    assert "Mail me a code" in asked.get().text
    asked.check_mail()
    page = asked.get()
    assert page.status_code == 200
    assert "An agreement comes first" in page.text
    assert asked.browser.post(asked.path).status_code == 403  # no download
    answer = asked.sign()
    assert (answer.status_code, answer.headers["Location"]) == (303, asked.path)
    report = asked.get()
    assert "Download your copy" in report.text
    assert "Ana Lindqvist" in report.text
    granted = asked.browser.post(asked.path)
    assert granted.status_code == 303
    assert asked.browser.get(granted.headers["Location"]).status_code == 200
    kinds = [kind for kind in asked.kinds() if kind != "page.viewed"]
    assert kinds == [
        *["mail-check.passed", "download.denied"],
        *["nda.created", "nda.evidence", "nda.approved", "nda.signed"],
        *["download.granted", "download.begun", "download.ended"],
    ]
    viewed = [entry for entry in service.entries("page.viewed") if entry.get("reason") == "nda-asked"]
    assert viewed
    assert all(entry["share"] == asked.share.id for entry in viewed)


def test_what_is_kept_is_what_the_page_showed_and_the_form_said(asked: Asked) -> None:
    asked.browser.post(
        f"{asked.path}/sign",
        data=asked.form(name="Ana  Lindqvist"),
        headers={"User-Agent": "Browser/7"},
    )
    (signature,) = signatures(asked.service)
    assert (signature.name, signature.mail, signature.company) == (
        "Ana  Lindqvist",
        "ana@acme.example",
        "Acme Freight",
    )
    assert (signature.address, signature.agent) == ("192.0.2.7", "Browser/7")
    assert signature.consents == CONSENTS
    assert (signature.text_id, signature.share_id) == (asked.text.id, asked.share.id)
    (entry,) = asked.service.entries("nda.signed")
    assert (entry["actor_type"], entry["address"], entry["name"]) == (
        "recipient",
        "192.0.2.7",
        "Ana  Lindqvist",
    )


def test_the_page_shows_text_number_and_hash_below_its_own_heading_and_two_boxes_without_ticks(
    asked: Asked,
) -> None:
    page = asked.get().text
    assert page.count("<h1") == 1
    assert '<h2 dir="ltr">Non-disclosure agreement</h2>' in page
    assert '<h3 dir="ltr">1. What is confidential</h3>' in page
    assert '<p dir="rtl">אין להעביר את הדוח.</p>' in page
    assert hashlib.sha256(TEXT.encode()).hexdigest() in page
    assert "Text number 1" in page
    assert "holds for 365 days" in page
    boxes = re.findall(r'<input [^>]*type="checkbox"[^>]*>', page)
    assert [re.search(r'name="(\w+)"', box)[1] for box in boxes] == ["agree", "electronic"]  # type: ignore[index]
    assert not any("checked" in box for box in boxes)
    for sentence in CONSENTS:
        assert sentence in page.replace("&#39;", "'")


@pytest.mark.parametrize("listing", Listing)
def test_before_the_signature_the_page_says_no_more_than_the_trust_page(
    service: Service, listing: Listing
) -> None:
    asked = ask(service, listing=listing)
    asked.check_mail()
    for page in (asked.get().text, asked.sign(name=" ").text):
        assert ("Relay report" in page) == (listing != Listing.HIDDEN)
        assert ("SOC 2 Type II" in page) == (listing != Listing.HIDDEN)
        for hidden in ("Ana", "Lindqvist", "ana@", "Acme", "Larkspur", "secret purpose", "AC-03"):
            assert hidden not in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "  "}, ["name"]),
        ({"name": None}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": "A\u202eb"}, ["name"]),
        ({"name": "\u200b\u00ad"}, ["name"]),
        ({"agree": None}, ["agree"]),
        ({"electronic": None}, ["electronic"]),
        ({"agree": "no", "electronic": "on"}, ["agree", "electronic"]),
        ({"name": "", "agree": None, "electronic": None}, ["name", "agree", "electronic"]),
    ],
)
def test_what_is_missing_is_said_at_its_field_and_in_a_summary_and_what_was_typed_is_kept(
    asked: Asked, changes: dict[str, str | None], said: list[str]
) -> None:
    answer = asked.sign(**changes)
    page = answer.text
    assert answer.status_code == 422
    assert "<title>Not signed yet" in page
    summary = page[page.index('id="errors"') : page.index("</div>", page.index('id="errors"'))]
    assert 'role="alert" tabindex="-1" autofocus' in summary
    assert re.findall(r'href="#(\w+)"', summary) == said
    for field in ("name", "agree", "electronic"):
        box = re.search(rf'<input id="{field}"[^>]*>', page)[0]  # type: ignore[index]
        assert ('aria-invalid="true"' in box) == (field in said)
        assert (f"{field}-error" in box) == (field in said)
        assert (f'id="{field}-error"' in page) == (field in said)
    if "name" not in changes:
        assert 'value="Ana Lindqvist"' in page
    for consent in ("agree", "electronic"):
        ticked = re.search(rf'<input id="{consent}"[^>]* checked', page) is not None
        assert ticked == (consent not in said)
    assert signatures(asked.service) == []
    assert asked.service.entries("nda.created") == []


def test_what_was_typed_is_shown_again_escaped(asked: Asked) -> None:
    page = asked.sign(name='"><script>x</script>', agree=None).text
    assert "<script" not in page
    assert "&#34;&gt;&lt;script&gt;" in page


def test_a_text_that_changed_is_shown_and_what_was_ticked_does_not_count_for_it(asked: Asked) -> None:
    newer = asked.service.sealmark.nda_texts.add(OPERATOR, markdown="# Another text\n")
    answer = asked.sign()
    assert answer.status_code == 409
    assert "Another text" in answer.text
    assert "has changed since you opened this page" in answer.text
    assert 'value="Ana Lindqvist"' in answer.text
    assert "required checked" not in answer.text
    assert signatures(asked.service) == []
    assert asked.sign(text=newer.id).status_code == 303
    assert [signature.text_id for signature in signatures(asked.service)] == [newer.id]


def test_the_sentences_of_the_evidence_are_those_of_the_page_whatever_was_chosen_elsewhere(
    asked: Asked,
) -> None:
    fields = asked.form()
    asked.browser.get("/trust?language=de")  # in another tab
    assert asked.browser.post(f"{asked.path}/sign", data=fields).status_code == 303
    (signature,) = signatures(asked.service)
    assert signature.consents == CONSENTS


@pytest.mark.parametrize("language", ["en", "de"])
def test_sentences_that_changed_since_the_page_was_sent_are_shown_before_they_are_signed(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    asked.browser.get(f"/trust?language={language}")
    fields = asked.form()
    with monkeypatch.context() as before:
        before.setitem(SENTENCES, "sign.agree", "I agree to something else.")  # as an older release said it
        before.setattr("service.languages._catalog", lambda _: None)
        older = asked.form()
    assert older["sentences"] != fields["sentences"]
    answer = asked.browser.post(f"{asked.path}/sign", data=older)
    assert answer.status_code == 409
    assert f'<html lang="{language}"' in answer.text
    assert "required checked" not in answer.text
    assert signatures(asked.service) == []
    assert asked.browser.post(f"{asked.path}/sign", data=fields).status_code == 303


@pytest.mark.parametrize(
    "changes", [{"language": "de"}, {"language": "xx", "sentences": None}, {"sentences": "é" * 64}]
)
def test_a_form_that_names_other_sentences_than_its_page_signs_nothing(
    asked: Asked, changes: dict[str, str | None]
) -> None:
    answer = asked.sign(**changes)
    assert answer.status_code == 409
    assert signatures(asked.service) == []


def test_a_text_that_changes_in_the_very_moment_is_shown_too(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealmark = asked.service.sealmark
    put = sealmark.objects.put

    def slowly(*arguments: object) -> object:
        made = put(*arguments)  # type: ignore[arg-type]
        sealmark.nda_texts.add(OPERATOR, markdown="# Another text\n")
        return made

    monkeypatch.setattr(sealmark.objects, "put", slowly)
    answer = asked.sign()
    assert answer.status_code == 409
    assert "Another text" in answer.text
    assert signatures(asked.service) == []


def test_who_signs_too_often_is_told_to_wait(asked: Asked) -> None:
    for _ in range(SIGNINGS.number):
        assert asked.sign(name="A\u202eb").status_code == 422
    fields = asked.form()
    for _ in range(SIGNINGS.number):
        asked.service.sealmark.limits.take((SIGNINGS.of(asked.share.id), "ana@acme.example"))
    answer = asked.browser.post(f"{asked.path}/sign", data=fields)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert signatures(asked.service) == []


def test_a_share_that_ends_in_the_very_moment_leads_to_the_page_that_says_so(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealmark = asked.service.sealmark
    put = sealmark.objects.put

    def slowly(*arguments: object) -> object:
        made = put(*arguments)  # type: ignore[arg-type]
        sealmark.sharing.revoke(OPERATOR, asked.share.id)
        return made

    monkeypatch.setattr(sealmark.objects, "put", slowly)
    answer = asked.sign()
    assert (answer.status_code, answer.headers["Location"]) == (303, asked.path)
    assert asked.get().status_code == 410
    assert signatures(asked.service) == []


def test_a_form_of_another_site_or_browser_signs_nothing(asked: Asked) -> None:
    own = asked.form()
    assert asked.browser.post(f"{asked.path}/sign", data=asked.form(token=None)).status_code == 403
    wrong = {**own, "token": "A" * 43}
    assert asked.browser.post(f"{asked.path}/sign", data=wrong).status_code == 403
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert asked.browser.post(f"{asked.path}/sign", data=own, headers=foreign).status_code == 403
    assert signatures(asked.service) == []


def test_who_has_the_link_but_not_the_mail_neither_reads_nor_signs_nor_gets_the_record(asked: Asked) -> None:
    asked.sign()
    stranger = Asked(
        asked.service,
        asked.app,
        _At(Client(asked.app)),
        asked.document,
        asked.share,
        asked.recipient,
        asked.text,
        asked.path,
    )
    page = stranger.get().text
    assert "Mail me a code" in page
    assert "Non-disclosure" not in page
    assert stranger.sign().headers["Location"] == asked.path
    answer = stranger.get("/record")
    assert (answer.status_code, answer.headers["Location"]) == (303, asked.path)
    assert len(signatures(asked.service)) == 1
    assert asked.service.entries("nda.record-pulled") == []


def test_signing_twice_leads_to_the_report_twice_and_is_one_agreement(asked: Asked) -> None:
    fields = asked.form()
    for _ in range(2):
        answer = asked.browser.post(f"{asked.path}/sign", data=fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, asked.path)
    assert len(signatures(asked.service)) == 1


def test_a_share_that_was_revoked_is_not_signed_for(asked: Asked) -> None:
    fields = asked.form()
    asked.service.sealmark.sharing.revoke(OPERATOR, asked.share.id)
    assert asked.browser.post(f"{asked.path}/sign", data=fields).status_code == 410
    assert asked.get("/record").status_code == 410
    assert signatures(asked.service) == []


def test_a_revoked_agreement_is_not_offered_again(asked: Asked) -> None:
    asked.sign()
    with asked.service.sealmark.database.read() as records:
        (nda,) = records.find(Nda)
    asked.service.sealmark.ndas.revoke(OPERATOR, nda.id)
    assert asked.get().status_code == 410
    asked.service.sealmark.ndas.add(OPERATOR, domain="acme.example", source="paper", approved=True)
    page = asked.get()
    assert page.status_code == 410  # a later one is for shares of its own
    assert "agreement comes first" not in page.text


def test_a_new_text_asks_again_says_why_and_what_was_signed_can_still_be_had(asked: Asked) -> None:
    asked.sign()
    asked.service.sealmark.nda_texts.add(OPERATOR, markdown="# Another text\n")
    page = asked.get()
    assert "Another text" in page.text
    assert "You have signed here before." in page.text
    assert f'href="{asked.path}/record"' in page.text
    assert asked.browser.post(asked.path).status_code == 403
    assert asked.get("/record").status_code == 200


def test_the_signer_downloads_the_record_and_the_lender_the_same(asked: Asked) -> None:
    assert asked.get("/record").status_code == 404
    asked.sign()
    assert f'href="{asked.path}/record"' in asked.get().text
    answer = asked.get("/record")
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert re.fullmatch(
        r'attachment; filename="agreement-[0-9a-z]{8}\.pdf"', answer.headers["Content-Disposition"]
    )
    assert answer.headers["Cache-Control"] == "no-store"
    (signature,) = signatures(asked.service)
    assert hashlib.sha256(answer.data).hexdigest() == signature.record_sha256
    words = " ".join(
        " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages).split()
    )
    for said in ("Ana Lindqvist", "ana@acme.example", signature.id, *CONSENTS):
        assert said in words
    key = asked.service.api_key()
    fields = {"Authorization": f"Bearer {key}"}
    pulled = asked.browser.get(f"/v1/ndas/{signature.nda_id}/evidence", headers=fields)
    assert (pulled.status_code, pulled.content_type) == (200, "application/pdf")
    assert pulled.data == answer.data
    pulls = asked.service.entries("nda.record-pulled")
    assert [entry["actor_type"] for entry in pulls] == ["recipient", "api-key"]
    assert all(entry["nda"] == signature.nda_id for entry in pulls)


def test_a_tampered_record_is_given_to_nobody(asked: Asked) -> None:
    asked.sign()
    store = asked.service.sealmark.store
    (key,) = [blob.key for blob in store.list("objects/evidence/") if not blob.key.endswith(".key")]
    sealed = bytearray(b"".join(store.read(key)))
    sealed[100] ^= 1
    store.put(key, [bytes(sealed)])
    assert asked.get("/record").status_code == 503
    (signature,) = signatures(asked.service)
    fields = {"Authorization": f"Bearer {asked.service.api_key()}"}
    assert asked.browser.get(f"/v1/ndas/{signature.nda_id}/evidence", headers=fields).status_code >= 500
    assert asked.service.entries("nda.record-pulled") == []


def test_other_methods_get_a_page_that_says_so(asked: Asked) -> None:
    assert asked.get("/sign").headers["Allow"] == "POST"
    assert asked.browser.post(f"{asked.path}/record").headers["Allow"] == "GET"


def test_a_forged_link_signs_nothing_and_has_no_record(asked: Asked) -> None:
    forged = asked.path[:-4] + "AAAA"
    assert asked.browser.get(f"{forged}/record").status_code == 404
    assert asked.browser.post(f"{forged}/sign", data=asked.form()).status_code == 404


def test_who_never_signed_here_sees_no_link_to_a_record(service: Service) -> None:
    lent = lend(service)
    assert "/record" not in lent.browser.get(lent.path).text
    assert HOST in service.sealmark.settings.url
