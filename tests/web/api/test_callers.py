"""Every route of the API asks for a key, and for its one scope."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask_openapi.openapi import OpenAPI
from werkzeug.routing import Rule

from service.access import Scope
from service.web.application import create_app
from tests.service_fixture import OPERATOR, URL, Service, service_in
from tests.web.api.conftest import Caller

ROUTES = 67

EXPECTED: dict[str, Scope | None] = {
    "POST /v1/documents": Scope.DOCUMENTS_WRITE,
    "GET /v1/documents": Scope.DOCUMENTS_READ,
    "GET /v1/documents/<document_id>": Scope.DOCUMENTS_READ,
    "PUT /v1/documents/<document_id>/classification": Scope.DOCUMENTS_CLASSIFY,
    "PUT /v1/documents/<document_id>/policy": Scope.DOCUMENTS_WRITE,
    "POST /v1/documents/<document_id>/revoke": Scope.DOCUMENTS_REVOKE,
    "GET /v1/documents/<document_id>/citation": Scope.DOCUMENTS_READ,
    "POST /v1/documents/<document_id>/questionnaire.csv": Scope.DOCUMENTS_READ,
    "POST /v1/documents/<document_id>/questionnaire.xlsx": Scope.DOCUMENTS_READ,
    "POST /v1/documents/<document_id>/versions": Scope.DOCUMENTS_WRITE,
    "GET /v1/documents/<document_id>/versions": Scope.DOCUMENTS_READ,
    "GET /v1/documents/<document_id>/versions/<version_id>": Scope.DOCUMENTS_READ,
    "PUT /v1/documents/<document_id>/versions/<version_id>/file": Scope.DOCUMENTS_WRITE,
    "POST /v1/documents/<document_id>/versions/<version_id>/cuts": Scope.SHARES_WRITE,
    "GET /v1/documents/<document_id>/versions/<version_id>/cuts": Scope.DOCUMENTS_READ,
    "GET /v1/documents/<document_id>/versions/<version_id>/cuts/<cut_id>": Scope.DOCUMENTS_READ,
    "GET /v1/recipients": Scope.RECIPIENTS_READ,
    "GET /v1/recipients/<recipient_id>": Scope.RECIPIENTS_READ,
    "POST /v1/recipients/<recipient_id>/erase": Scope.RECIPIENTS_ERASE,
    "POST /v1/holds": Scope.HOLDS_WRITE,
    "GET /v1/holds": Scope.HOLDS_WRITE,
    "POST /v1/holds/<hold_id>/release": Scope.HOLDS_WRITE,
    "POST /v1/ndas": Scope.NDAS_WRITE,
    "GET /v1/ndas": Scope.NDAS_READ,
    "GET /v1/ndas/<nda_id>": Scope.NDAS_READ,
    "POST /v1/ndas/<nda_id>/approve": Scope.NDAS_APPROVE,
    "POST /v1/ndas/<nda_id>/revoke": Scope.NDAS_APPROVE,
    "PUT /v1/ndas/<nda_id>/evidence": Scope.NDAS_WRITE,
    "GET /v1/ndas/<nda_id>/evidence": Scope.NDAS_READ,
    "GET /v1/ndas/<nda_id>/timestamp": Scope.NDAS_READ,
    "POST /v1/nda-texts": Scope.NDAS_APPROVE,
    "GET /v1/nda-texts": Scope.NDAS_READ,
    "GET /v1/nda-texts/<text_id>": Scope.NDAS_READ,
    "POST /v1/shares": Scope.SHARES_WRITE,
    "GET /v1/shares": Scope.SHARES_READ,
    "GET /v1/shares/<share_id>": Scope.SHARES_READ,
    "POST /v1/shares/<share_id>/links": Scope.SHARES_WRITE,
    "POST /v1/shares/<share_id>/revoke": Scope.SHARES_REVOKE,
    "POST /v1/batches": Scope.SHARES_WRITE,
    "GET /v1/batches": Scope.SHARES_READ,
    "GET /v1/batches/<batch_id>": Scope.SHARES_READ,
    "GET /v1/batches/<batch_id>/rows": Scope.SHARES_READ,
    "POST /v1/batches/<batch_id>/links": Scope.SHARES_WRITE,
    "GET /v1/access-requests": Scope.REQUESTS_READ,
    "GET /v1/access-requests/<request_id>": Scope.REQUESTS_READ,
    "POST /v1/access-requests/<request_id>/approve": Scope.REQUESTS_DECIDE,
    "POST /v1/access-requests/<request_id>/deny": Scope.REQUESTS_DECIDE,
    "POST /v1/rules": Scope.RULES_WRITE,
    "GET /v1/rules": Scope.RULES_WRITE,
    "GET /v1/rules/<rule_id>": Scope.RULES_WRITE,
    "POST /v1/rules/<rule_id>/remove": Scope.RULES_WRITE,
    "GET /v1/rules/<rule_id>/members": Scope.RULES_WRITE,
    "PUT /v1/rules/<rule_id>/members": Scope.RULES_WRITE,
    "POST /v1/rules/<rule_id>/members": Scope.RULES_WRITE,
    "DELETE /v1/rules/<rule_id>/members": Scope.RULES_WRITE,
    "GET /v1/log/entries": Scope.LOG_READ,
    "GET /v1/log/entries/<entry_id>/proof": Scope.LOG_READ,
    "GET /v1/evidence": Scope.LOG_READ,
    "GET /v1/report": Scope.LOG_READ,
    "POST /v1/webhooks": Scope.WEBHOOKS_WRITE,
    "GET /v1/webhooks": Scope.WEBHOOKS_READ,
    "GET /v1/webhooks/<receiver_id>": Scope.WEBHOOKS_READ,
    "POST /v1/webhooks/<receiver_id>/remove": Scope.WEBHOOKS_WRITE,
    "GET /v1/webhooks/<receiver_id>/events": Scope.WEBHOOKS_READ,
    "POST /v1/webhooks/<receiver_id>/replay": Scope.WEBHOOKS_WRITE,
    "GET /v1/log/checkpoint": None,
    "GET /v1/log/keys": None,
}
"""Who may do what, once more and by hand: a route that changes its scope changes it here too. None: everybody."""

GUARDED = [route for route, scope in EXPECTED.items() if scope is not None]


def _routes(app: OpenAPI) -> dict[str, Rule]:
    """Every route below /v1 by method and address, out of the url map itself."""
    return {
        f"{method} {rule.rule}": rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1")
        for method in sorted((rule.methods or set()) - {"HEAD"})
    }


def _path(rule: Rule) -> str:
    prefixes = {
        "document_id": "doc",
        "version_id": "ver",
        "cut_id": "cut",
        "recipient_id": "rcp",
        "nda_id": "nda",
        "text_id": "txt",
        "share_id": "shr",
        "hold_id": "hld",
        "batch_id": "bat",
        "request_id": "acc",
        "rule_id": "rul",
        "entry_id": "ent",
        "receiver_id": "whr",
    }
    return re.sub(r"<(\w+)>", lambda found: f"{prefixes[found[1]]}_{'0' * 26}", rule.rule)


def test_every_route_is_known_by_hand_with_its_scope(app: OpenAPI) -> None:
    scopes = app.extensions["sealmark-scopes"]
    found = {route: scopes.get(rule.endpoint) for route, rule in _routes(app).items()}
    assert found == EXPECTED
    assert len(found) == ROUTES


@pytest.mark.parametrize("route", GUARDED)
def test_without_a_key_a_route_answers_401_with_a_challenge(app: OpenAPI, caller: Caller, route: str) -> None:
    rule = _routes(app)[route]
    for key in (None, "smk_", "smk_" + "0" * 26 + "_" + "A" * 43):
        answer = Caller(caller.client, key).call(route.split()[0], _path(rule))
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json["type"].endswith("/problems/unauthenticated")  # type: ignore[index]


@pytest.mark.parametrize("route", GUARDED)
def test_a_route_opens_to_its_own_scope_and_to_no_other(
    app: OpenAPI, caller: Caller, service: Service, route: str
) -> None:
    method, path = route.split()[0], _path(_routes(app)[route])
    for scope in Scope:
        answer = Caller(caller.client, service.api_key(scope)).call(method, path)
        if scope == EXPECTED[route]:
            assert answer.status_code not in {401, 403}
        else:
            assert answer.status_code == 403
            assert answer.json["fields"]["scope"] == EXPECTED[route]  # type: ignore[index]
            assert f'scope="{EXPECTED[route]}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("route", [route for route in EXPECTED if route not in GUARDED])
def test_what_is_published_needs_no_key(app: OpenAPI, caller: Caller, route: str) -> None:
    answer = Caller(caller.client, None).call(route.split()[0], _path(_routes(app)[route]))
    assert answer.status_code in {200, 404}


def test_all_other_scopes_together_do_not_open_a_route(
    app: OpenAPI, caller: Caller, service: Service
) -> None:
    for route, rule in [(route, rule) for route, rule in _routes(app).items() if route in GUARDED]:
        others = [scope for scope in Scope if scope != EXPECTED[route]]
        answer = Caller(caller.client, service.api_key(*others)).call(route.split()[0], _path(rule))
        assert answer.status_code == 403


@pytest.mark.parametrize("key", [None, "smk_" + "0" * 26 + "_" + "A" * 43])
def test_who_shows_no_key_is_counted_with_the_visitors_of_the_pages(tmp_path: Path, key: str | None) -> None:
    with service_in(tmp_path, environ={"SEALMARK_REQUESTS_A_MINUTE": "5"}) as service:
        client = create_app(service.sealmark).test_client()
        stranger, caller = Caller(client, key), Caller(client, service.api_key(Scope.LOG_READ))
        paths = ("/v1/log/checkpoint", "/v1/log/keys", "/v1/shares", "/v1/log/entries")
        answers = [stranger.get(path) for path in paths]
        assert [answer.status_code for answer in answers] == [404, 404, 401, 401]
        assert client.get("/trust", base_url=URL).status_code == 200
        for path in (*paths, "/trust"):
            answer = stranger.get(path)
            assert answer.status_code == 429
            assert int(answer.headers["Retry-After"]) > 0
        assert [caller.get("/v1/log/entries").status_code for _ in range(9)] == [200] * 9


def test_a_route_of_the_api_without_a_scope_answers_nobody(app: OpenAPI, caller: Caller) -> None:
    app._got_first_request = False
    app.add_url_rule("/v1/forgotten", "forgotten", lambda: "open")
    assert caller.get("/v1/forgotten").status_code == 500


def test_the_key_is_asked_for_before_anything_is_read(caller: Caller) -> None:
    answer = Caller(caller.client, None).call("POST", "/v1/documents", data=b"{", content_type="text/plain")
    assert answer.status_code == 401


def test_a_revoked_and_an_expired_key_open_nothing(caller: Caller, service: Service) -> None:
    keys = service.sealmark.api_keys
    record, text = keys.create(OPERATOR, "a", [Scope.LOG_READ], service.clock() + timedelta(days=2))
    other = keys.create(OPERATOR, "b", [Scope.LOG_READ], service.clock() + timedelta(days=1))[1]
    assert Caller(caller.client, text).get("/v1/log/entries").status_code == 200
    keys.revoke(OPERATOR, record.id)
    assert Caller(caller.client, text).get("/v1/log/entries").status_code == 401
    assert Caller(caller.client, other).get("/v1/log/entries").status_code == 200
    service.clock.advance(days=1)
    assert Caller(caller.client, other).get("/v1/log/entries").status_code == 401


def test_the_scheme_of_authorization_is_read_whatever_its_case_and_no_other_is(caller: Caller) -> None:
    bare = Caller(caller.client, None)
    for header, status in (
        (f"bearer {caller.key}", 200),
        (f"BEARER {caller.key}", 200),
        (f"Basic {caller.key}", 401),
        (f"{caller.key}", 401),
        ("Bearer", 401),
    ):
        answer = bare.call("GET", "/v1/documents", headers={"Authorization": header})
        assert answer.status_code == status, header


def test_making_something_public_or_in_force_needs_the_second_scope_too(
    caller: Caller, service: Service
) -> None:
    writer = Caller(caller.client, service.api_key(Scope.DOCUMENTS_WRITE, Scope.NDAS_WRITE))
    document = {
        "name": "Overview",
        "kind": "overview",
        "owner_mail": "o@lender.example",
        "classification": "public",
    }
    nda = {"domain": "acme.example", "source": "crm", "approved": True}
    refused = [writer.post("/v1/documents", document), writer.post("/v1/ndas", nda)]
    assert [answer.status_code for answer in refused] == [403, 403]
    assert [answer.json["fields"]["scope"] for answer in refused] == ["documents:classify", "ndas:approve"]  # type: ignore[index]
    assert writer.post("/v1/documents", {**document, "classification": "nda"}).status_code == 201
    assert writer.post("/v1/ndas", {**nda, "approved": False}).status_code == 201


def test_an_effect_names_the_key_the_request_and_where_it_came_from(caller: Caller, service: Service) -> None:
    answer = caller.post(
        "/v1/documents",
        {"name": "Report", "kind": "other", "owner_mail": "o@lender.example"},
        headers={"User-Agent": "crm/1.0"},
    )
    (entry,) = service.entries("document.created")
    assert caller.key is not None
    assert caller.key.startswith(str(entry["actor"]))
    assert entry["actor_type"] == "api-key"
    assert entry["request"] == answer.headers["X-Request-Id"]
    assert entry["address"] == "127.0.0.1"
    assert entry["agent"] == "crm/1.0"
