"""Agreements, shares and links over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crypto import tokens
from service.web.api.ndas import MAX_EVIDENCE
from service.web.application import create_app
from tests.service.test_mailing import NO_MAIL
from tests.service_fixture import URL, Service, service_in
from tests.web.api.conftest import FILE, Caller, problem

PDF = "application/pdf"
ANA = {"mail": "ana@acme.example", "name": "Ana Sample", "company": "Acme"}


def _nda(caller: Caller, **values: Any) -> Any:
    return caller.post("/v1/ndas", {"source": "contracts", **values})


def test_one_call_makes_recipient_share_and_link(caller: Caller, service: Service) -> None:
    document = caller.ready_document()
    assert _nda(caller, domain="acme.example", approved=True).status_code == 201
    made = caller.share(document, "Ana@ACME.example", download_limit=3)
    assert made.status_code == 201
    body: Any = made.json
    assert body["recipient"]["mail"] == "ana@acme.example"
    assert (body["share"]["state"], body["share"]["download_limit"], body["share"]["downloads_taken"]) == (
        "active",
        3,
        0,
    )
    assert body["share"]["expires_at"] == "2026-04-01T09:00:00Z"
    token = tokens.verify(
        body["link"]["url"].removeprefix(f"{URL}/s/"),
        service.sealmark.keys.verifying("link"),
        int(service.clock().timestamp()),
    )
    assert token.share_id == body["id"]
    assert made.headers["Location"] == f"/v1/shares/{body['id']}"
    assert caller.get(made.headers["Location"]).json == body["share"]
    recipient = body["recipient"]["id"]
    assert caller.get(f"/v1/recipients/{recipient}").json == body["recipient"]
    assert caller.get("/v1/recipients?mail=ANA@acme.example").json["items"] == [body["recipient"]]
    assert caller.get("/v1/recipients?mail=nobody@acme.example").json["items"] == []
    kinds = [entry["kind"] for entry in service.entries()]
    assert [kinds.count(kind) for kind in ("recipient.created", "share.created", "link.created")] == [1, 1, 1]


def test_a_link_can_be_mailed_instead_of_answered_with(caller: Caller, service: Service) -> None:
    document = caller.ready_document()
    _nda(caller, domain="acme.example", approved=True)
    headers = {"Idempotency-Key": "deal-1"}
    made = caller.share(document, send=True, headers=headers)
    assert made.status_code == 201, made.text
    assert made.json == caller.share(document, send=True, headers=headers).json
    body: Any = made.json
    assert (body["link"]["url"], body["link"]["expires_at"]) == (None, None)
    assert "/s/" not in made.text

    (letter,) = service.mails()
    again: Any = caller.post(f"/v1/shares/{body['id']}/links", {"send": True})
    assert (again.status_code, again.json["url"]) == (201, None)
    (other,) = service.mails()

    assert letter.to == other.to == "ana@acme.example"
    assert letter.id.startswith(f"{body['link']['message']}.")
    assert other.id.startswith(f"{again.json['message']}.")
    assert [row["share"] for row in service.entries("mail.sent")] == [body["id"]] * 2


def test_how_long_a_mailed_link_lives_is_not_for_the_caller_to_say(caller: Caller) -> None:
    document = caller.ready_document()
    _nda(caller, domain="acme.example", approved=True)
    answer = caller.share(document, send=True, link_life=3600)
    assert problem(answer) == (422, "invalid")
    assert answer.json["errors"][0]["where"] == "link_life"  # type: ignore[index]
    share: Any = caller.share(document).json
    answer = caller.post(f"/v1/shares/{share['id']}/links", {"send": True, "link_life": 3600})
    assert problem(answer) == (422, "invalid")


def test_without_a_mail_server_what_needs_one_is_a_conflict_that_says_what_to_do(tmp_path: Path) -> None:
    with service_in(tmp_path, environ=NO_MAIL) as service:
        work = lambda seconds: service.work()  # noqa: E731
        app = create_app(service.sealmark, pause=work, seconds=lambda: service.clock.now.timestamp())
        caller = Caller(app.test_client(), service.api_key())
        document = caller.ready_document()
        _nda(caller, domain="acme.example", approved=True)
        for asked in ({"send": True}, {"mail_check": True}, {"download_limit": 1}):
            answer = caller.share(document, **asked)
            assert problem(answer) == (409, "mail-not-configured")
            assert "SEALMARK_SMTP" in answer.json["detail"]  # type: ignore[index]
        share: Any = caller.share(document, download_limit=1, mail_check=False)
        assert share.status_code == 201
        answer = caller.post(f"/v1/shares/{share.json['id']}/links", {"send": True})
        assert problem(answer) == (409, "mail-not-configured")
        assert [row["share"] for row in service.entries("share.created")] == [share.json["id"]]
        assert service.entries("mail.sent") == []


def test_without_an_nda_in_force_the_answer_says_what_to_do(caller: Caller, service: Service) -> None:
    document = caller.ready_document()
    answer = caller.share(document)
    assert problem(answer) == (409, "nda-required")
    assert "POST /v1/ndas" in answer.json["detail"]  # type: ignore[index]
    assert answer.json["fields"] == {"document": document, "mail_domain": "acme.example"}  # type: ignore[index]
    assert service.entries("recipient.created") == []
    nda = _nda(caller, recipient=ANA).json
    assert nda["state"] == "pending"
    assert problem(caller.share(document)) == (409, "nda-required")
    assert caller.post(f"/v1/ndas/{nda['id']}/approve").json["state"] == "approved"
    assert caller.share(document).status_code == 201


def test_a_public_document_needs_no_nda(caller: Caller) -> None:
    document = caller.ready_document(kind="overview", classification="public")
    assert caller.share(document).status_code == 201


def test_a_revoked_nda_ends_what_it_covered_and_stays_revoked(caller: Caller) -> None:
    document = caller.ready_document()
    nda = _nda(caller, domain="acme.example", approved=True).json["id"]
    share = caller.share(document).json["id"]  # type: ignore[index]
    assert caller.post(f"/v1/ndas/{nda}/revoke").json["state"] == "revoked"
    ended = caller.get(f"/v1/shares/{share}").json
    assert (ended["state"], ended["revoked_reason"]) == ("revoked", "nda-ended")
    assert problem(caller.post(f"/v1/ndas/{nda}/approve")) == (409, "wrong-state")
    assert problem(caller.post(f"/v1/shares/{share}/links", {})) == (409, "wrong-state")


def test_an_nda_that_has_run_out_is_shown_as_expired(caller: Caller, service: Service) -> None:
    made = _nda(caller, domain="acme.example", approved=True, valid_until="2026-03-02T11:00:00+01:00").json
    assert (made["state"], made["valid_until"]) == ("approved", "2026-03-02T10:00:00Z")
    service.clock.advance(hours=1)
    assert caller.get(f"/v1/ndas/{made['id']}").json["state"] == "expired"
    assert caller.get("/v1/ndas?domain=ACME.example").json["items"][0]["state"] == "expired"


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"domain": "gmail.com"}, "domain"),
        ({"domain": "acme"}, "domain"),
        ({}, "body"),
        ({"domain": "acme.example", "recipient": ANA}, "body"),
        ({"domain": "acme.example", "source": "Not A Code"}, "source"),
        ({"domain": "acme.example", "valid_until": "2020-01-01T00:00:00Z"}, "valid_until"),
        ({"domain": "acme.example", "valid_until": "2027-01-01"}, "valid_until"),
        ({"recipient": {**ANA, "mail": "no address"}}, "recipient.mail"),
    ],
)
def test_an_agreement_that_cannot_be_is_refused_with_its_place(
    caller: Caller, values: dict[str, Any], where: str
) -> None:
    answer = _nda(caller, **values)
    assert problem(answer) == (422, "invalid")
    assert [place["where"] for place in answer.json["errors"]] == [where]


def test_evidence_is_kept_once_sealed(caller: Caller, service: Service) -> None:
    path = _nda(caller, domain="acme.example").headers["Location"]
    assert problem(caller.put(f"{path}/evidence", data=b"no pdf", content_type=PDF)) == (422, "invalid")
    assert problem(caller.put(f"{path}/evidence", data=FILE)) == (415, "unsupported-media-type")
    huge = caller.put(
        f"{path}/evidence",
        data=b"",
        content_type=PDF,
        environ_overrides={"CONTENT_LENGTH": str(MAX_EVIDENCE + 1)},
    )
    assert problem(huge) == (413, "too-large")
    kept = caller.put(f"{path}/evidence", data=FILE, content_type=PDF)
    assert (kept.status_code, kept.json["evidence"]) == (200, True)
    other = caller.put(f"{path}/evidence", data=FILE + b"2", content_type=PDF)
    assert problem(other) == (409, "wrong-state")
    again = caller.put(f"{path}/evidence", data=FILE, content_type=PDF)
    assert (again.status_code, again.json) == (200, kept.json)
    assert len(service.entries("nda.evidence")) == 1
    stored = [blob.key for blob in service.sealmark.store.list("objects/evidence/")]
    assert len(stored) == 2
    assert all(FILE not in b"".join(service.sealmark.store.read(key)) for key in stored)


def test_one_address_with_two_names_is_a_conflict(caller: Caller) -> None:
    document = caller.ready_document(kind="overview", classification="public")
    known = caller.share(document).json["recipient"]["id"]  # type: ignore[index]
    answer = caller.share(document, recipient={**ANA, "name": "Anna Sample"})
    assert problem(answer) == (409, "recipient-conflict")
    assert answer.json["fields"] == {"recipient": known}  # type: ignore[index]


@pytest.mark.parametrize("name", ["Ana \u202eelpmaS", "Ana\ufffe", "Ana \U0010fffd"])
def test_a_name_that_cannot_be_printed_is_refused(caller: Caller, name: str) -> None:
    document = caller.ready_document(kind="overview", classification="public")
    answer = caller.share(document, recipient={**ANA, "name": name})
    assert problem(answer) == (422, "unmarkable-name")
    assert answer.json["fields"]["field"] == "name"  # type: ignore[index]


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"expires_at": "2026-03-02T09:00:00Z"}, "expires_at"),
        ({"expires_at": "2028-03-02T09:00:00Z"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"download_limit": 0}, "download_limit"),
        ({"download_limit": "3"}, "download_limit"),
        ({"download_limit": True}, "download_limit"),
        ({"purpose": "   "}, "purpose"),
        ({"link_life": 59}, "link_life"),
        ({"link_life": 604801}, "link_life"),
        ({"recipient": {**ANA, "name": "a\nb"}}, "recipient.name"),
        ({"recipient": {**ANA, "name": "x" * 201}}, "recipient.name"),
        ({"recipient": {**ANA, "mail": "a@b@c"}}, "recipient.mail"),
        ({"note": "x"}, "note"),
    ],
)
def test_a_share_that_cannot_be_is_refused_with_its_place(
    caller: Caller, values: dict[str, Any], where: str
) -> None:
    document = caller.ready_document(kind="overview", classification="public")
    answer = caller.share(document, **values)
    assert problem(answer) == (422, "invalid")
    assert [place["where"] for place in answer.json["errors"]] == [where]  # type: ignore[index]


def test_only_a_ready_document_that_is_not_revoked_is_shared(caller: Caller) -> None:
    assert problem(caller.share("doc_" + "0" * 26)) == (404, "not-found")
    waiting = caller.document(kind="overview", classification="public")
    assert problem(caller.share(waiting)) == (409, "wrong-state")
    ready = caller.ready_document(kind="overview", classification="public")
    pinned = caller.version(ready).rpartition("/")[2]
    assert problem(caller.share(ready, version=pinned)) == (409, "wrong-state")
    caller.post(f"/v1/documents/{ready}/revoke")
    assert problem(caller.share(ready)) == (409, "wrong-state")


def test_a_share_gets_further_links_until_it_is_revoked(caller: Caller) -> None:
    document = caller.ready_document(kind="overview", classification="public")
    first: Any = caller.share(document, link_life=60).json
    assert first["link"]["expires_at"] == "2026-03-02T09:01:00Z"
    path = f"/v1/shares/{first['id']}"
    second = caller.post(f"{path}/links", {"link_life": 3600})
    assert second.status_code == 201
    assert second.json["url"] != first["link"]["url"]  # type: ignore[index]
    assert caller.post(f"{path}/revoke").json["state"] == "revoked"
    assert problem(caller.post(f"{path}/links", {})) == (409, "wrong-state")


def test_shares_are_listed_by_document_recipient_and_whether_they_are_active(
    caller: Caller, service: Service
) -> None:
    document = caller.ready_document(kind="overview", classification="public")
    shares: list[Any] = [
        caller.share(document, f"person{n}@acme.example", expires_at=f"2026-03-0{3 + n}T09:00:00Z").json
        for n in range(3)
    ]
    caller.post(f"/v1/shares/{shares[2]['id']}/revoke")
    service.clock.advance(days=1)

    def listed(query: str) -> set[str]:
        return {item["id"] for item in caller.get(f"/v1/shares?{query}").json["items"]}

    everything = {share["id"] for share in shares}
    assert listed(f"document={document}") == everything
    assert listed("active=true") == {shares[1]["id"]}
    assert listed(f"recipient={shares[0]['recipient']['id']}") == {shares[0]["id"]}
    assert listed(f"document=doc_{'0' * 26}") == set()
    assert caller.get(f"/v1/shares/{shares[0]['id']}").json["state"] == "expired"
    page = caller.get("/v1/shares?limit=2").json
    rest = caller.get(f"/v1/shares?limit=2&after={page['next']}").json
    assert {item["id"] for item in page["items"] + rest["items"]} == everything
    assert rest["next"] is None
