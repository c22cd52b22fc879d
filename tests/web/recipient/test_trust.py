"""The trust page and its downloads: what the owner lets be said, and nothing else; and requests for access after the
mail check."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest

from service.adapters.sql.database import SqlDatabase
from service.blobs import StoreUnavailable
from service.outbox import Mail
from service.ports import DatabaseUnavailable
from service.public_files import DOWNLOADS
from service.records import (
    AccessRequest,
    Classification,
    Document,
    Kind,
    Listing,
    Message,
    RequestState,
    RuleKind,
)
from service.tallies import sum_up
from service.web.application import create_app
from tests.service.acting import a_document, a_version, an_nda
from tests.service.asking import said
from tests.service.test_public_files import a_public_document
from tests.service_fixture import OPERATOR, Service, service_in
from tests.web.recipient.browsing import Forms, Person, mailed_code, text_of
from tests.web.recipient.lending import FACTS, HOST, PAGES, compile_here, report_pdf

FORM = {"name": "Ana Lindqvist", "company": "Acme Freight", "purpose": "Vendor review\nof your service"}
CALL = "https://calls.lender.example/book?team=security"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    environ = {"SEALMARK_CONTACT": "assurance@lender.example", "SEALMARK_CALL_URL": CALL}
    with service_in(tmp_path, compile_in_child=compile_here, environ=environ) as made:
        yield made


@pytest.fixture
def person(service: Service) -> Person:
    return Person(create_app(service.sealmark))


def a_report(service: Service, listing: Listing, **changes: Any) -> Document:
    """A confidential report with all its facts, ready."""
    document = a_document(service, **changes)
    a_version(service, document, report_pdf(), **FACTS)
    return service.sealmark.documents.change(OPERATOR, document.id, listing=listing)


def requests_of(service: Service) -> list[AccessRequest]:
    with service.sealmark.database.read() as records:
        return records.find(AccessRequest)


def messages(service: Service) -> list[tuple[str, str]]:
    with service.sealmark.database.read() as records:
        return [(one.kind, one.mail) for one in records.find(Message, kind__ne=Mail.CODE)]


class TestPage:
    """What `/trust` says."""

    def test_a_report_is_named_with_its_facts_only_where_the_owner_lets_them_be_shown(
        self, service: Service, person: Person
    ) -> None:
        a_report(service, Listing.NAMED, name="Named report")
        named = text_of(person.get("/trust").text)
        assert "SOC 2 Type II report Named report" in named
        for fact in ("1 January 2025", "Larkspur", "Qualified"):
            assert fact not in named
        a_report(service, Listing.FACTS, name="Told report")
        told = text_of(person.get("/trust").text)
        for fact in (
            "Period 1 January 2025 to 31 December 2025",
            "Auditor Larkspur &amp; Vane LLP",
            "Opinion Qualified opinion",
        ):
            assert fact in told
        for secret in ("AC-03", "grants", "Controls in place", "acme", "owner@", "trust@lender"):
            assert secret not in told

    def test_what_is_hidden_revoked_not_ready_or_over_is_not_there(
        self, service: Service, person: Person
    ) -> None:
        a_report(service, Listing.HIDDEN, name="Hidden report")
        revoked = a_report(service, Listing.FACTS, name="Revoked report")
        service.sealmark.documents.revoke(OPERATOR, revoked.id)
        empty = a_document(service, name="Empty report")
        service.sealmark.documents.change(OPERATOR, empty.id, listing=Listing.FACTS)
        over = a_report(service, Listing.FACTS, name="Old report")
        with service.sealmark.database.write() as records:
            records.change(over, ends_on=service.clock().date())
        service.clock.advance(days=1)
        page = person.get("/trust")
        assert page.status_code == 200
        assert "There is nothing here" in page.text
        assert " report" not in page.text
        assert "doc_" not in page.text

    def test_a_confidential_report_leads_to_its_address_and_a_public_one_to_its_file(
        self, service: Service, person: Person
    ) -> None:
        report = a_report(service, Listing.NAMED, name="Zeta report")
        public = a_public_document(service, name="Alpha & überblick")
        page = person.get("/trust").text
        assert f'href="/r/{report.id}" aria-label="Request access to Zeta report"' in page
        assert f'href="/trust/{public.id}/Alpha-uberblick.pdf"' in page
        assert page.index("For everybody") < page.index("Alpha") < page.index("Available under NDA")
        assert page.index("Available under NDA") < page.index("Zeta")
        assert person.get(f"/r/{report.id}").status_code == 200

    def test_it_names_a_contact_and_a_call(self, person: Person) -> None:
        page = person.get("/trust").text
        assert f'<a href="{CALL}" rel="noreferrer">Discuss it in a call</a>' in page
        assert 'Write to us: <a href="mailto:assurance@lender.example">' in page

    def test_looking_at_it_is_no_entry_and_sets_no_cookie(self, service: Service, person: Person) -> None:
        before = len(service.entries())
        page = person.get("/trust")
        assert "Set-Cookie" not in page.headers
        assert page.headers["Cache-Control"] == "no-store"
        assert person.head("/trust").status_code == 200
        assert len(service.entries()) == before

    def test_another_method_is_refused_with_a_page(self, person: Person) -> None:
        answer = person.post("/trust")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert "This cannot be done here" in answer.text

    def test_sixty_documents_stay_below_fifty_kilobytes(self, service: Service, person: Person) -> None:
        with service.sealmark.database.read() as records:
            assert records.find(Document) == []
        name = "A report with a name that is as long as names of reports are, and a little longer"
        first = a_report(service, Listing.FACTS, name=name)
        version = service.sealmark.documents.versions(first.id)[0]
        with service.sealmark.database.write() as records:
            for number in range(70):
                key = f"{number:026}"
                records.add(replace(first, id=f"doc_{key}", name=f"{name} {number}"))
                records.add(replace(version, id=f"ver_{key}", document_id=f"doc_{key}"))
        page = person.get("/trust")
        assert page.text.count("<article") == 60
        assert len(page.data) < 50_000


class TestDownload:
    """`/trust/<document id>/<name>.pdf`."""

    @pytest.fixture
    def document(self, service: Service) -> Document:
        return a_public_document(service)

    @pytest.fixture
    def path(self, document: Document) -> str:
        return f"/trust/{document.id}/Overview.pdf"

    def test_the_link_on_the_page_gives_a_file_that_says_public_on_every_page(
        self, service: Service, person: Person, path: str
    ) -> None:
        assert f'href="{path}"' in person.get("/trust").text
        answer = person.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.headers["Content-Length"] == str(len(answer.data))
        assert answer.headers["Content-Disposition"] == (
            "attachment; filename=\"Overview-public.pdf\"; filename*=UTF-8''Overview%20%28public%29.pdf"
        )
        assert answer.headers["Cache-Control"] == "no-store"
        pages = pypdf.PdfReader(io.BytesIO(answer.data)).pages
        assert len(pages) == PAGES
        assert all("Public · Lender Example Ltd" in page.extract_text() for page in pages)
        (entry,) = said(service, "public.downloaded")
        assert (entry["first"], entry["last"]) == (0, len(answer.data) - 1)
        assert f'"{entry["sha256"]}"' == answer.headers["ETag"]
        assert (entry["actor_type"], entry["address"]) == ("stranger", "192.0.2.7")

    def test_ranges_and_conditions_are_answered_and_only_what_is_sent_is_an_entry(
        self, service: Service, person: Person, path: str
    ) -> None:
        whole = person.get(path)
        etag = whole.headers["ETag"]
        part = person.get(path, headers={"Range": "bytes=10-19", "If-Range": etag})
        assert (part.status_code, part.data) == (206, whole.data[10:20])
        assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.data)}"
        head = person.head(path)
        assert (head.status_code, head.data) == (200, b"")
        assert head.headers["Content-Length"] == str(len(whole.data))
        assert head.headers["ETag"] == etag
        others = [
            person.get(path, headers={"If-None-Match": etag}).status_code,
            person.get(path, headers={"If-Match": '"other"'}).status_code,
            person.get(path, headers={"Range": f"bytes={len(whole.data)}-"}).status_code,
            person.post(path).status_code,
        ]
        assert others == [304, 412, 416, 405]
        assert [(one["first"], one["last"]) for one in said(service, "public.downloaded")] == [
            (0, len(whole.data) - 1),
            (10, 19),
        ]

    @pytest.mark.parametrize("listing", [*Listing])
    def test_nothing_of_an_nda_document_leaves_by_this_route(
        self, service: Service, person: Person, listing: Listing
    ) -> None:
        report = a_report(service, listing, name="Overview")
        answer = person.get(f"/trust/{report.id}/Overview.pdf")
        unknown = person.get("/trust/doc_00000000000000000000000000/Overview.pdf")
        assert (answer.status_code, answer.text) == (404, unknown.text)
        assert service.entries("public.downloaded") == []

    def test_a_file_that_was_public_is_gone_once_it_is_classified_anew(
        self, service: Service, person: Person, document: Document, path: str
    ) -> None:
        assert person.get(path).status_code == 200
        service.sealmark.documents.classify(OPERATOR, document.id, Classification.NDA)
        assert person.get(path).status_code == person.head(path).status_code == 404
        assert person.get(path, headers={"Range": "bytes=0-9"}).status_code == 404

    @pytest.mark.parametrize(
        "name", ["Other.pdf", "Overview", "overview.pdf", "x%0d%0aSet-Cookie: a=b", "%2e%2e"]
    )
    def test_called_otherwise_it_leads_to_its_own_name_without_an_entry(
        self, service: Service, person: Person, document: Document, path: str, name: str
    ) -> None:
        answer = person.get(f"/trust/{document.id}/{name}")
        assert (answer.status_code, answer.headers["Location"]) == (303, path)
        assert "Set-Cookie" not in answer.headers
        assert service.entries("public.downloaded") == []

    def test_the_sixty_first_of_a_minute_waits_and_the_minute_has_one_summary(
        self, service: Service, person: Person, path: str
    ) -> None:
        part = {"Range": "bytes=0-9"}
        assert [person.get(path, headers=part).status_code for _ in range(DOWNLOADS.number)] == [206] * 60
        service.clock.advance(seconds=15)
        refused = [person.get(path, headers=part) for _ in range(3)]
        assert [answer.status_code for answer in refused] == [429] * 3
        assert refused[0].headers["Retry-After"] == "45"
        assert "asked for very often" in refused[0].text
        assert person.head(path).status_code == 200
        assert len(service.entries("public.downloaded")) == 60
        service.sealmark.tallies.hand_over()
        sum_up(service.sealmark.database, service.clock(), service.sealmark.random)
        (entry,) = said(service, "public.throttled")
        assert entry["count"] == 3
        service.clock.advance(seconds=45)
        assert person.get(path, headers=part).status_code == 206

    def test_without_store_or_database_nothing_is_served_and_nothing_recorded(
        self, service: Service, person: Person, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object, **__: object) -> Iterator[bytes]:
            raise StoreUnavailable("away")

        with monkeypatch.context() as patched:
            patched.setattr(service.sealmark.store, "read", away)
            answer = person.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")

        def gone(*_: object) -> None:
            raise DatabaseUnavailable("gone")

        assert person.head(path).status_code == 200
        with monkeypatch.context() as patched:
            patched.setattr(SqlDatabase, "write", gone)
            assert person.get(path).status_code == 503
        assert service.entries("public.downloaded") == []


class TestAsking:
    """The form at a document's address, after the mail check."""

    @pytest.fixture
    def document(self, service: Service) -> Document:
        return a_report(service, Listing.NAMED, name="Relay report")

    @pytest.fixture
    def page(self, service: Service, person: Person, document: Document) -> Any:
        page = person.follow(person.send(person.get(f"/r/{document.id}"), "/check", mail="Ana@acme.example"))
        return person.follow(person.send(page, "/code", code=mailed_code(service)))

    def test_who_has_shown_their_mail_asks_and_is_told_that_it_waits(
        self, service: Service, person: Person, document: Document, page: Any
    ) -> None:
        assert "Ask for this document" in page.text
        answer = person.send(page, "/ask", **FORM)
        assert answer.status_code == 200
        assert "The answer comes by mail to ana@acme.example" in answer.text
        (request,) = requests_of(service)
        assert (request.name, request.company, request.purpose, request.state) == (
            "Ana Lindqvist",
            "Acme Freight",
            "Vendor review of your service",
            RequestState.PENDING,
        )
        (entry,) = said(service, "access.requested")
        assert (entry["mail"], entry["address"], entry["actor_type"]) == (
            "ana@acme.example",
            "192.0.2.7",
            "recipient",
        )
        again = person.get(f"/r/{document.id}")
        assert "on its way" in again.text
        assert Forms(again.text).forms == []
        assert person.send(page, "/ask", **FORM).text == answer.text  # sent twice, it is one request
        assert requests_of(service) == [request]

    def test_a_rule_approves_at_once_and_the_link_goes_by_mail_not_to_the_browser(
        self, service: Service, person: Person, document: Document, page: Any
    ) -> None:
        an_nda(service)
        service.sealmark.access_rules.add(OPERATOR, kind=RuleKind.NDA)
        answer = person.send(page, "/ask", **FORM)
        assert "Your request is approved" in answer.text
        assert "/s/" not in answer.text
        assert messages(service) == [(Mail.APPROVED, "ana@acme.example")]
        assert "Mail me a fresh link" in person.get(f"/r/{document.id}").text

    def test_an_approval_mails_a_link_that_opens_for_who_asked(
        self, service: Service, person: Person, page: Any
    ) -> None:
        an_nda(service)
        person.send(page, "/ask", **FORM)
        (request,) = requests_of(service)
        service.mails()
        service.sealmark.access_requests.approve(OPERATOR, request.id)
        (letter,) = service.mails()
        assert letter.to == "ana@acme.example"
        link = re.search(rf"https://{HOST}(/s/\S+)", letter.text)
        assert link is not None
        opened = person.get(link[1])
        assert opened.status_code == 200
        assert "Ana Lindqvist" in opened.text
        kinds = [row["kind"] for row in service.entries()]
        decided = kinds[kinds.index("access.requested") :]
        assert [kind for kind in decided if kind != "checkpoint"] == [
            "access.requested",
            *("share.created", "access.approved"),
            *("link.created", "mail.sent"),
            "page.viewed",
        ]

    def test_a_denial_is_told_by_mail_without_a_link(
        self, service: Service, person: Person, page: Any
    ) -> None:
        person.send(page, "/ask", **FORM)
        service.mails()
        service.sealmark.access_requests.deny(OPERATOR, requests_of(service)[0].id)
        (letter,) = service.mails()
        assert letter.to == "ana@acme.example"
        assert "/s/" not in letter.text
        kinds = [row["kind"] for row in service.entries()]
        assert kinds[-3:] == ["access.requested", "access.denied", "mail.sent"]

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"name": " "}, "Give your name."),
            ({"name": "x" * 201}, "at most 200 characters"),
            ({"name": "Ana \U0001f600"}, "cannot be printed on your copy"),
            ({"name": "A\u202eb"}, "cannot be printed on your copy"),
            ({"company": ""}, "Give the name of your company."),
            ({"company": "\x07Acme"}, "company’s name holds something"),
            ({"purpose": ""}, "Say what you need the document for."),
            ({"purpose": "x" * 501}, "at most 500 characters"),
            ({"purpose": "a\x00b"}, "holds something that is no text"),
        ],
        ids=str,
    )
    def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_is_kept(
        self, service: Service, person: Person, page: Any, changes: dict[str, str], sentence: str
    ) -> None:
        answer = person.send(page, "/ask", **{**FORM, **changes})
        (field,) = changes
        assert answer.status_code == 422
        assert text_of(answer.text).count(sentence) == 2  # in the summary and at the field
        assert f'<a href="#{field}">' in answer.text
        assert f'aria-describedby="{field}-error' in answer.text
        kept = {name: value for name, value in FORM.items() if name != field}
        for value in kept.values():
            assert " ".join(value.split()) in answer.text
        assert requests_of(service) == []
        assert service.entries("access.requested") == []

    def test_all_that_is_wrong_is_said_at_once(self, person: Person, page: Any) -> None:
        answer = person.send(page, "/ask", name="", company="", purpose="")
        assert answer.text.count('aria-invalid="true"') == 3

    def test_what_is_typed_is_never_markup(self, person: Person, page: Any) -> None:
        answer = person.send(page, "/ask", **{**FORM, "name": "", "purpose": '"><script>x</script>'})
        assert "<script" not in answer.text
        assert "&lt;script&gt;" in answer.text

    def test_without_the_mail_check_or_from_elsewhere_nothing_is_taken(
        self, service: Service, person: Person, document: Document, page: Any
    ) -> None:
        stranger = Person(create_app(service.sealmark))
        token = Forms(stranger.get(f"/r/{document.id}").text).forms[0][1]["token"]
        unchecked = stranger.post(f"/r/{document.id}/ask", data={**FORM, "token": token})
        assert (unchecked.status_code, unchecked.headers["Location"]) == (303, f"/r/{document.id}")
        assert person.post(f"/r/{document.id}/ask", data=FORM).status_code == 403
        foreign = {"Sec-Fetch-Site": "cross-site"}
        fields = Forms(page.text).forms[0][1]
        answer = person.post(f"/r/{document.id}/ask", data={**fields, **FORM}, headers=foreign)
        assert answer.status_code == 403
        assert person.get(f"/r/{document.id}/ask").status_code == 405
        assert requests_of(service) == []

    def test_a_check_for_one_document_is_none_for_another(
        self, service: Service, person: Person, page: Any
    ) -> None:
        other = a_report(service, Listing.NAMED, name="Other report")
        token = Forms(page.text).forms[0][1]["token"]
        answer = person.post(f"/r/{other.id}/ask", data={**FORM, "token": token})
        assert answer.headers["Location"] == f"/r/{other.id}"
        assert requests_of(service) == []

    def test_a_twenty_first_request_of_a_day_is_not_taken(
        self, service: Service, person: Person, document: Document, page: Any
    ) -> None:
        answers = []
        for _ in range(21):
            answers.append(person.send(page, "/ask", **FORM).status_code)
            for request in requests_of(service):
                if request.state == RequestState.PENDING:
                    service.sealmark.access_requests.deny(OPERATOR, request.id)
        assert answers == [200] * 20 + [429]
        assert len(requests_of(service)) == 20


def test_a_public_overview_in_another_kind_says_what_it_is(service: Service, person: Person) -> None:
    a_public_document(service, name="Bridge", kind=Kind.BRIDGE_LETTER)
    assert "Bridge letter Bridge" in text_of(person.get("/trust").text)
