"""Each role does what it may in the console and nothing else; each act is an entry with its staff actor."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from crypto.logcheck import check_export
from service.log import LogFilter
from service.records import AccessRequest, Document, Kind, LoggedEntry, Nda, NdaState, RequestState, Share
from service.web.console import auditing
from service.web.console.gate import COOKIE
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.service.acting import a_document, a_version, an_nda
from tests.service.asking import a_listed_document, ask
from tests.service.erasing_cases import on_postgresql
from tests.service_fixture import OPERATOR, Service, service_in
from tests.web.console.acting import ISSUER, SUBJECT, Colleague, ToldProvider, environ, identity
from tests.web.recipient.browsing import text_of
from tests.web.recipient.lending import FACTS

ROLES = ("viewer", "sharer", "approver", "auditor")

MAY = {
    "GET /console/documents/{document}": ("viewer", "sharer"),
    "GET /console/shares/{share}": ("viewer", "sharer"),
    "GET /console/requests": ("approver",),
    "GET /console/ndas": ("viewer", "sharer", "approver"),
    "GET /console/log": ("auditor",),
    "GET /console/report": ("auditor",),
    "GET /console/report.csv": ("auditor",),
    "GET /console/log/export?form=ndjson": ("auditor",),
    "GET /console/log/export?form=csv": ("auditor",),
    "GET /console/log/export?form=ocsf": ("auditor",),
    "GET /console/log/entries/{entry}/proof": ("viewer", "sharer", "auditor"),
    "POST /console/documents/{document}/shares": ("sharer",),
    "POST /console/shares/{share}/link": ("sharer",),
    "POST /console/shares/{share}/send": ("sharer",),
    "POST /console/shares/{share}/revoke": ("sharer",),
    "POST /console/requests/{request}/approve": ("approver",),
    "POST /console/requests/{request}/deny": ("approver",),
    "POST /console/ndas/{pending}/approve": ("approver",),
    "POST /console/ndas/{nda}/revoke": ("approver",),
    "POST /console/log/check": ("auditor",),
}
"""Which roles may do what, written down a second time."""

OPEN_TO_ALL = {
    *("/console", "/console/", "/console/<path:rest>"),
    *("/console/sign-in", "/console/sign-out", "/console/callback"),
}

TYPED = {
    "name": "Bob Example",
    "mail": "bob@acme.example",
    "company": "Acme",
    "purpose": "vendor review",
    "confirm": "yes",
}


@dataclass
class Office:
    """A service with something to do in it."""

    service: Service
    provider: ToldProvider
    document: Document
    share: Share
    nda: Nda
    pending: Nda
    request: AccessRequest

    def colleague(self, *roles: str) -> Colleague:
        return Colleague(self.service, *roles, provider=self.provider)

    def path(self, route: str) -> str:
        entry = self.service.entries("share.created")[0]["id"]
        return route.format(
            document=self.document.id,
            share=self.share.id,
            request=self.request.id,
            nda=self.nda.id,
            pending=self.pending.id,
            entry=entry,
        )

    def do(self, colleague: Colleague, route: str, **typed: str) -> Any:
        """Get the page, or send its form as a page of ours does."""
        method, path = self.path(route).split(" ")
        if method == "GET":
            return colleague.get(path)
        return colleague.post(path, data={"token": token(colleague), **TYPED, **typed})

    def by_staff(self) -> list[str]:
        """The kinds of the entries that staff made, but signing in and out; all by the one who is signed in."""
        rows = [row for row in self.service.entries() if row["actor_type"] == "staff"]
        assert {row["actor"] for row in rows} <= {f"{ISSUER} {SUBJECT}"}
        assert all(row["request"].startswith("req_") and row["address"] for row in rows)
        return [row["kind"] for row in rows if not row["kind"].startswith("staff.")]


def token(colleague: Colleague) -> str:
    """The hidden field of the form that every page has for who is signed in."""
    page = colleague.get("/console/nowhere")
    if "/console/sign-out" in page.text:
        return page.text.split('name="token" value="')[1].split('"')[0]
    for path in ("/console", "/console/requests", "/console/log"):
        page = colleague.get(path)
        if 'name="token"' in page.text:
            return page.text.split('name="token" value="')[1].split('"')[0]
    return ""


@pytest.fixture
def office(service: Service) -> Office:
    return office_of(service)


def office_of(service: Service) -> Office:
    """Something for every role to do."""
    document = a_listed_document(service, name="Relay report")
    nda = an_nda(service, valid_until=service.clock() + timedelta(days=59))
    later = an_nda(service, domain="later.example", valid_until=service.clock() + timedelta(days=61))
    assert later.id
    pending = an_nda(service, domain="pending.example", approved=False)
    share, _, _ = service.sealmark.sharing.create(
        OPERATOR,
        document_id=document.id,
        mail="ana@acme.example",
        name="Ana Example",
        company="Acme",
        purpose="vendor review of the relay",
        download_limit=3,
    )
    request = ask(service, document, mail="carla@acme.example", name="Carla Example")
    service.work()
    service.sealmark.checkpoints.cover()
    return Office(service, ToldProvider(), document, share, nda, pending, request)


def console_routes(app: Flask) -> set[str]:
    return {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/console")}


def test_no_route_of_the_console_is_left_out_here(office: Office) -> None:
    office.colleague()
    named = {
        route.split(" ")[1]
        .split("?")[0]
        .replace("{", "<")
        .replace("}", "_id>")
        .replace("<pending_id>", "<nda_id>")
        for route in MAY
    }
    assert console_routes(office.provider.app) == named | OPEN_TO_ALL


@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_what_it_may_and_nothing_else(office: Office, role: str) -> None:
    colleague = office.colleague(role)
    for route, roles in MAY.items():
        before = office.service.entries()
        state = office.service.sealmark.sharing.get(office.share.id)
        answer = office.do(colleague, route)
        if role in roles:
            assert answer.status_code in {200, 303, 409}, (route, answer.text)
            continue
        assert answer.status_code == 403, route
        assert "Your roles do not allow this" in answer.text
        assert office.service.entries() == before, route
        assert office.service.sealmark.sharing.get(office.share.id) == state


@pytest.mark.postgresql
def test_who_has_all_roles_does_all_of_it_on_postgresql(
    tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    database = on_postgresql(postgresql_server, tmp_path, migrated_postgresql(postgresql_server))
    with service_in(tmp_path, environ={**environ(tmp_path), **database}) as service:
        office = office_of(service)
        colleague = office.colleague(*ROLES)
        answers = {route: office.do(colleague, route).status_code for route in MAY}
        refused = {route for route, status in answers.items() if status not in {200, 303}}
        # The share ends before its request is decided: what was done is done.
        assert refused <= {"POST /console/requests/{request}/deny"}, answers
        assert {"share.created", "share.revoked", "nda.approved", "log.pulled"} <= set(office.by_staff())


@pytest.mark.parametrize("route", MAY)
def test_who_is_not_signed_in_does_nothing(office: Office, route: str) -> None:
    stranger = office.colleague()
    before = office.service.entries()
    answer = office.do(stranger, route)
    assert answer.status_code == (303 if route.startswith("GET") else 403)
    assert answer.headers.get("Location", "/console") == "/console"
    assert office.service.entries() == before


@pytest.mark.parametrize("route", [route for route in MAY if route.startswith("POST")])
def test_a_form_of_another_site_does_nothing(office: Office, route: str) -> None:
    colleague = office.colleague(*ROLES)
    before = office.service.entries()
    path = office.path(route).split(" ")[1]
    good = token(colleague)
    for data, headers in (
        (TYPED, {}),
        ({**TYPED, "token": "A" * 43}, {}),
        ({**TYPED, "token": good}, {"Sec-Fetch-Site": "cross-site"}),
        ({**TYPED, "token": good}, {"Origin": "https://evil.example"}),
    ):
        answer = colleague.post(path, data=data, headers=headers)
        assert answer.status_code == 403
        assert "not sent from a page of ours" in answer.text
    assert colleague.get(path).status_code == 405
    assert office.service.entries() == before


def test_sign_out_by_another_site_does_nothing(office: Office) -> None:
    colleague = office.colleague("viewer")
    assert colleague.post("/console/sign-out", data={}).status_code == 403
    assert colleague.get("/console").status_code == 200


def test_a_cookie_of_the_recipients_pages_is_none_of_the_console(office: Office) -> None:
    colleague = office.colleague("viewer")
    assert COOKIE in "__Host-sealmark-staff"
    assert office.service.sealmark.staff.session(colleague.cookie() + "x") is None


def test_a_viewer_sees_who_has_what_and_the_story_of_a_share(office: Office) -> None:
    viewer = office.colleague("viewer")
    overview = viewer.get("/console").text
    for said in ("Relay report", "Ana Example", "ana@acme.example", "0 of 3", office.share.id):
        assert said in overview
    story = office.do(viewer, "GET /console/shares/{share}").text
    for said in ("The share was made", "A link was made", "vendor review of the relay", "Proof of entry"):
        assert said in story
    for button in ("/link", "/send", "/revoke"):
        assert f"{office.share.id}{button}" not in story
    assert office.by_staff() == ["log.pulled"]
    (pull,) = office.service.entries("log.pulled")
    assert office.share.id in pull["details"]


def test_a_sharer_makes_a_share_whose_link_is_shown_once_and_opens(office: Office) -> None:
    sharer = office.colleague("sharer")
    page = office.do(sharer, "GET /console/documents/{document}")
    answer = sharer.send(page, "/shares", **{**TYPED, "days": "7", "limit": "2"})
    assert answer.status_code == 200, answer.text
    url = answer.text.split('readonly value="')[1].split('"')[0]
    assert sharer.get(url.removeprefix("https://reports.lender.example")).status_code == 200
    (made,) = [s for s in office.service.sealmark.sharing.list() if s.id != office.share.id]
    assert made.download_limit == 2
    assert made.expires_at == office.service.clock() + timedelta(days=7)
    assert office.by_staff() == ["recipient.created", "share.created", "link.created"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_sharer_mails_the_link_of_a_new_share(office: Office) -> None:
    sharer = office.colleague("sharer")
    page = office.do(sharer, "GET /console/documents/{document}")
    answer = sharer.send(page, "/shares", **{**TYPED, "send": "yes"})
    assert "Bob Example" in sharer.follow(answer).text
    (letter,) = [one for one in office.service.mails() if one.to == "bob@acme.example"]
    assert "/s/" in letter.text


def test_a_sharer_chooses_among_the_cuts_of_the_newest_version(office: Office) -> None:
    document, cuts = office.document, office.service.sealmark.cuts
    old, new = (a_version(office.service, document, **FACTS) for _ in range(2))
    made = {version.id: cuts.ask(OPERATOR, version.id, [0, 4]) for version in (old, new)}
    office.service.work()
    cuts.ask(OPERATOR, new.id, [1])  # not compiled yet
    sharer = office.colleague("sharer")
    page = office.do(sharer, "GET /console/documents/{document}")
    only = page.text.split('<select id="cut"')[1].split("</select>")[0]
    assert re.findall('value="(.*?)"', only) == ["", made[new.id].id]
    assert "Only Independent auditor’s report, Tests &amp; results (pages: " in only
    gone = office.do(sharer, "POST /console/documents/{document}/shares", cut=made[old.id].id)
    assert (gone.status_code, "there is a newer version" in gone.text) == (422, True)
    assert office.by_staff() == []
    answer = sharer.send(page, "/shares", **{**TYPED, "cut": made[new.id].id})
    assert answer.status_code == 200, answer.text
    (share,) = [s for s in office.service.sealmark.sharing.list() if s.id != office.share.id]
    assert (share.cut_id, share.pinned_version_id) == (made[new.id].id, new.id)
    assert (
        "Independent auditor’s report, Tests &amp; results" in sharer.get(f"/console/shares/{share.id}").text
    )
    assert "Sections only" in sharer.get(f"/console/documents/{document.id}").text


def test_a_letter_that_goes_along_has_no_link_of_its_own_to_make(office: Office) -> None:
    letter = a_document(office.service, name="Letter", kind=Kind.BRIDGE_LETTER)
    a_version(office.service, letter)
    office.service.sealmark.documents.change(OPERATOR, letter.id, report=office.document.id)
    while office.service.sealmark.along.run_once():
        pass
    (along,) = [one for one in office.service.sealmark.sharing.list() if one.document_id == letter.id]
    page = office.colleague("sharer").get(f"/console/shares/{along.id}").text
    assert f'href="/console/shares/{office.share.id}"' in page
    assert ("/link" in page, "/send" in page, "/revoke" in page) == (False, False, True)


def test_a_share_that_cannot_be_is_said_at_the_field_and_nothing_typed_is_lost(office: Office) -> None:
    sharer = office.colleague("sharer")
    page = office.do(sharer, "GET /console/documents/{document}")
    before = office.service.entries()
    for typed, sentence in (
        ({"days": "0"}, "Give a whole number from 1 to 365."),
        ({"limit": "many"}, "Give a whole number from 1 to 1000."),
        ({"mail": "bob"}, ""),
        ({"mail": "bob@elsewhere.example"}, "only under NDA"),
        ({"name": "Bob \U0001f600"}, ""),
        ({"purpose": "kept <purpose>\x00"}, "on one line"),
        ({"purpose": "kept <purpose>\nand more"}, "on one line"),
    ):
        answer = sharer.send(page, "/shares", **{**TYPED, "purpose": "kept <purpose>", **typed})
        assert answer.status_code in {409, 422}, (typed, answer.status_code)
        assert 'role="alert"' in answer.text
        assert sentence in answer.text
        assert "kept &lt;purpose&gt;" in answer.text
    assert office.service.entries() == before


def test_a_sharer_makes_and_mails_links_and_ends_the_share(office: Office) -> None:
    sharer = office.colleague("sharer")
    page = office.do(sharer, "GET /console/shares/{share}")
    assert "https://reports.lender.example/s/" in sharer.send(page, "/link").text
    assert "A new link goes to ana@acme.example" in sharer.follow(sharer.send(page, "/send")).text
    assert [one.to for one in office.service.mails()][-1] == "ana@acme.example"
    unsure = office.do(sharer, "POST /console/shares/{share}/revoke", confirm="")
    assert unsure.status_code == 303  # the box was there, whatever its value
    assert office.service.sealmark.sharing.get(office.share.id).revoked_at is not None
    assert office.by_staff() == ["log.pulled", "link.created", "link.queued", "log.pulled", "share.revoked"]


def test_nothing_is_ended_without_the_box_that_confirms(office: Office) -> None:
    colleague = office.colleague(*ROLES)
    for route in ("POST /console/shares/{share}/revoke", "POST /console/ndas/{nda}/revoke"):
        path = office.path(route).split(" ")[1]
        answer = colleague.post(path, data={"token": token(colleague)})
        assert answer.status_code == 422
    assert office.service.sealmark.sharing.get(office.share.id).revoked_at is None
    assert office.service.sealmark.ndas.get(office.nda.id).state == NdaState.APPROVED


def test_an_approver_approves_a_request_with_a_policy(office: Office) -> None:
    approver = office.colleague("approver")
    assert approver.get("/console").headers["Location"] == "/console/requests"
    page = approver.get("/console/requests")
    assert "Carla Example, Acme" in page.text
    answer = approver.send(page, "/approve", days="5", limit="1", view_only="yes")
    assert "No request waits" in approver.follow(answer).text
    decided = office.service.sealmark.access_requests.get(office.request.id).request
    assert decided.state == RequestState.APPROVED
    share = office.service.sealmark.sharing.get(str(decided.share_id))
    assert (share.download_limit, share.view_only) == (1, True)
    assert share.expires_at == office.service.clock() + timedelta(days=5)
    assert office.by_staff() == ["share.created", "access.approved"]
    again = office.do(approver, "POST /console/requests/{request}/approve")
    assert again.status_code == 409
    assert "decided once" in again.text


def test_an_approver_denies_a_request(office: Office) -> None:
    approver = office.colleague("approver")
    approver.send(approver.get("/console/requests"), "/deny")
    assert office.service.sealmark.access_requests.get(office.request.id).request.state == RequestState.DENIED
    assert office.by_staff() == ["access.denied"]


def test_an_approver_puts_an_agreement_in_force_and_ends_one_with_its_shares(office: Office) -> None:
    approver = office.colleague("approver")
    page = approver.get("/console/ndas")
    for said in ("Everybody at acme.example", "Everybody at pending.example", "Ending within 60 days"):
        assert said in page.text
    assert "later.example" not in page.text
    approver.send(page, f"{office.pending.id}/approve")
    approver.send(page, f"{office.nda.id}/revoke", confirm="yes")
    ndas = office.service.sealmark.ndas
    assert ndas.get(office.pending.id).state == NdaState.APPROVED
    assert ndas.get(office.nda.id).state == NdaState.REVOKED
    assert office.by_staff() == ["nda.approved", "nda.revoked", "share.revoked"]


def test_a_viewer_sees_the_agreements_that_end_without_a_button(office: Office) -> None:
    page = office.colleague("viewer").get("/console/ndas").text
    assert "Everybody at acme.example" in page
    assert "<button" not in page.split("<footer>")[0]


def test_an_auditor_filters_the_log(office: Office) -> None:
    auditor = office.colleague("auditor")
    page = auditor.get(
        f"/console/log?kind=share.created&share={office.share.id}&from=2026-03-02&until=2026-03-02"
    )
    assert page.status_code == 200
    assert page.text.count("Proof of entry") == 1
    assert office.by_staff() == ["log.pulled"]
    for wrong in ("kind=nothing", "share=ana@acme.example", "from=yesterday", "until=9999-12-31", "after=-1"):
        before = office.by_staff()
        answer = auditor.get(f"/console/log?{wrong}")
        assert answer.status_code == 422, wrong
        assert office.by_staff() == before


def test_an_auditor_turns_the_pages_of_one_log(office: Office) -> None:
    for _ in range(120):
        office.service.sealmark.recipients.list()
        office.service.sealmark.log.page(OPERATOR, LogFilter())
    office.service.work()
    auditor = office.colleague("auditor")
    page = auditor.get("/console/log?kind=log.pulled")
    following = page.text.split('href="/console/log?')[1].split('"')[0].replace("&amp;", "&")
    assert "kind=log.pulled" in following
    assert page.text.count("Proof of entry") == 100
    second = auditor.get(f"/console/log?{following}")
    assert second.text.count("Proof of entry") == 20


def test_exports_are_those_of_the_api_and_genuine(office: Office) -> None:
    auditor = office.colleague("auditor")
    answer = auditor.get("/console/log/export?form=ndjson")
    keys = office.service.sealmark.checkpoints.public_keys()
    report = check_export(iter(answer.data.splitlines(keepends=True)), keys)
    assert (report.problems, report.whole) == ([], True)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sealmark-log.ndjson"'
    csv = auditor.get("/console/log/export?form=csv&kind=share.created")
    assert csv.mimetype == "text/csv"
    assert csv.text.count("share.created") == 1
    assert auditor.get("/console/log/export?form=xml").status_code == 422
    assert office.by_staff() == ["log.pulled", "log.pulled"]


def test_the_check_says_what_logcheck_says(office: Office) -> None:
    auditor = office.colleague("auditor")
    page = auditor.get("/console/log")
    published = office.service.sealmark.checkpoints.published()
    assert published is not None
    assert published.note in html.unescape(page.text)
    answer = auditor.send(page, "/check")
    assert "The log is genuine" in answer.text, text_of(answer.text)
    assert "nothing was edited, added, left out or moved" in answer.text


def test_the_check_finds_an_entry_that_was_edited(office: Office) -> None:
    auditor = office.colleague("auditor")
    with office.service.sealmark.database.write() as records:
        logged = records.find(LoggedEntry, kind="share.created")[0]
        records.change(logged, leaf=logged.leaf.replace(b'"ok"', b'"no"'))
    answer = auditor.send(auditor.get("/console/log"), "/check")
    assert "NOT genuine" in answer.text
    assert "The log is genuine" not in answer.text


def test_a_log_that_is_too_long_to_be_checked_while_somebody_waits_is_not_called_good(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = office.service.sealmark.log.size()
    monkeypatch.setattr(auditing, "MAX_CHECKED", size - 1)
    auditor = office.colleague("auditor")
    answer = auditor.send(auditor.get("/console/log"), "/check")
    assert answer.status_code == 200
    assert "The log is genuine" not in answer.text
    assert "NOT genuine" not in answer.text
    assert str(size - 1) in re.sub(r"[,\s\u202f\xa0](?=\d)", "", text_of(answer.text))
    assert office.by_staff() == ["log.pulled"]  # the page alone: nothing was exported


def test_a_proof_is_that_of_the_entry(office: Office) -> None:
    auditor = office.colleague("auditor")
    answer = office.do(auditor, "GET /console/log/entries/{entry}/proof")
    assert answer.mimetype == "text/plain"
    assert answer.text.startswith("c2sp.org/tlog-proof@v1")
    assert auditor.get("/console/log/entries/nothing/proof").status_code == 404


def test_every_page_is_kept_by_nobody_and_runs_nothing(office: Office) -> None:
    colleague = office.colleague(*ROLES)
    for path in ("/console", "/console/log", "/console/requests", "/console/ndas", "/console/nowhere"):
        answer = colleague.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        policy = answer.headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"):
            assert part in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy


def test_what_recipients_and_the_provider_say_is_never_markup(office: Office) -> None:
    office.provider.codes["code"] = identity(*ROLES, name="<script>alert(1)</script>")
    colleague = office.colleague()
    colleague.sign_in(office.provider.codes["code"])  # type: ignore[arg-type]
    ask(office.service, office.document, mail="eve@acme.example", name="Eve", purpose="<img src=x> & more")
    for path in ("/console", "/console/requests", "/console/ndas"):
        text = colleague.get(path).text
        assert "<script>" not in text
        assert "<img src=x>" not in text


@pytest.mark.parametrize(
    "path", ["documents/x", "shares/x", "shares/shr_00000000000000000000000000", "nowhere"]
)
def test_what_is_not_there_is_a_page_that_says_so(office: Office, path: str) -> None:
    answer = office.colleague("viewer").get(f"/console/{path}")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_requests_are_limited_together_with_the_recipients_pages(tmp_path: Any) -> None:
    given = {**environ(tmp_path), "SEALMARK_REQUESTS_A_MINUTE": "3"}
    with service_in(tmp_path, environ=given) as service:
        colleague = Colleague(service)
        for _ in range(3):
            assert colleague.get("/console").status_code == 200
        assert colleague.get("/console").status_code == 429
