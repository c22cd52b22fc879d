"""Signing in at the console: who is let in and for how long, who is not, and what the log says of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.records import StaffSession
from service.staff import NotBelieved, ProviderUnavailable
from service.web.application import create_app
from service.web.console.gate import FLOW_LIFE, SIGN_INS_FROM
from tests.service_fixture import Service, service_in
from tests.web.console.acting import ISSUER, SUBJECT, Colleague, ToldProvider, identity
from tests.web.recipient.browsing import Person


def staff_entries(service: Service) -> list[dict[str, object]]:
    return [row for row in service.entries() if str(row["kind"]).startswith("staff.")]


def sessions(service: Service) -> list[StaffSession]:
    with service.sealmark.database.read() as records:
        return records.find(StaffSession)


def test_without_a_provider_there_is_no_console(tmp_path: Path) -> None:
    with service_in(tmp_path) as service:
        person = Person(create_app(service.sealmark))
        for path in ("/console", "/console/sign-in", "/console/log"):
            assert person.get(path).status_code == 404


def test_who_has_a_role_is_signed_in_and_the_log_names_issuer_and_subject(service: Service) -> None:
    olga = Colleague(service, "viewer", "auditor")
    page = olga.get("/console")
    assert page.status_code == 200
    assert "Signed in as Olga Example (viewer, auditor) until 2026-03-02 17:00 UTC." in page.text
    (entry,) = staff_entries(service)
    assert (entry["kind"], entry["outcome"], entry["actor_type"]) == ("staff.signed-in", "ok", "staff")
    assert entry["actor"] == f"{ISSUER} {SUBJECT}"
    assert entry["name"] == "Olga Example"
    assert json.loads(str(entry["details"])) == {"roles": "viewer auditor"}
    (session,) = sessions(service)
    assert olga.cookie() not in repr(session)


def test_what_is_personal_of_staff_enters_the_leaf_as_a_commitment_only(service: Service) -> None:
    Colleague(service, "viewer")
    service.work()
    (entry,) = staff_entries(service)
    from service.records import LoggedEntry

    with service.sealmark.database.read() as records:
        (logged,) = records.find(LoggedEntry, id=entry["id"])
    for value in (SUBJECT, "Olga"):
        assert value.encode() not in logged.leaf


@pytest.mark.parametrize("roles", [(), ("admin",), ("Viewer", "viewer ", "viewer,auditor")])
def test_who_has_no_role_is_not_let_in_and_it_is_recorded(service: Service, roles: tuple[str, ...]) -> None:
    olga = Colleague(service)
    answer = olga.sign_in(identity(*roles))
    assert answer.status_code == 403
    assert "You may not use the console" in answer.text
    assert sessions(service) == []
    assert "Sign in" in olga.get("/console").text
    (entry,) = staff_entries(service)
    assert (entry["kind"], entry["outcome"], entry["reason"]) == ("staff.denied", "denied", "no-role")
    assert (entry["actor"], entry["name"]) == (f"{ISSUER} {SUBJECT}", "Olga Example")


def test_a_session_ends_after_eight_hours(service: Service) -> None:
    olga = Colleague(service, "viewer")
    service.clock.advance(hours=8, seconds=-1)
    assert olga.get("/console/ndas").status_code == 200
    service.clock.advance(seconds=1)
    assert olga.get("/console/ndas").headers["Location"] == "/console"
    assert "Sign in" in olga.get("/console").text
    service.sealmark.sweeping.forget_old_rows()
    assert sessions(service) == []


def test_who_signs_out_is_out_at_once_with_every_copy_of_the_cookie(service: Service) -> None:
    olga = Colleague(service, "viewer")
    old = olga.cookie()
    answer = olga.send(olga.get("/console"), "/sign-out")
    assert answer.status_code == 200
    assert "You are signed out here" in answer.text
    assert olga.cookie() != old
    assert service.sealmark.staff.session(old) is None
    assert [row["kind"] for row in staff_entries(service)] == ["staff.signed-in", "staff.signed-out"]
    assert staff_entries(service)[-1]["actor"] == f"{ISSUER} {SUBJECT}"


def test_signing_in_changes_the_cookie_so_that_no_planted_one_is_signed_in(service: Service) -> None:
    olga = Colleague(service)
    state = olga.leave()
    planted = olga.cookie()
    olga.provider.codes["code"] = identity("viewer")
    assert olga.come_back(state).status_code == 303
    assert olga.cookie() != planted
    assert service.sealmark.staff.session(planted) is None
    assert service.sealmark.staff.session(olga.cookie()) is not None


def test_the_cookie_is_kept_to_this_host_https_and_no_script(service: Service) -> None:
    olga = Colleague(service)
    answer = olga.get("/console/sign-in")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-sealmark-staff=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=28800"):
        assert part in cookie
    assert "Domain" not in cookie


def test_each_flow_has_a_state_nonce_and_challenge_of_its_own(service: Service) -> None:
    provider = ToldProvider()
    for _ in range(2):
        Colleague(service, provider=provider).leave()
    one, other = provider.asked
    assert one["redirect_uri"] == other["redirect_uri"] == "https://reports.lender.example/console/callback"
    for name in ("state", "nonce", "challenge"):
        assert one[name] != other[name]
        assert len(one[name]) >= 43


def test_the_verifier_that_comes_back_is_that_of_the_challenge(service: Service) -> None:
    import base64
    import hashlib

    olga = Colleague(service, "viewer")
    begun, ended = olga.provider.asked
    digest = hashlib.sha256(ended["verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == begun["challenge"]
    assert begun["nonce"] == ended["nonce"]
    assert len(ended["verifier"]) == 43  # RFC 7636: 43 to 128


@pytest.mark.parametrize("forged", ["", "x", "1772442000.", "{}.AAAA", "²{}", "9" * 40])
def test_a_forged_state_signs_nobody_in_and_asks_the_provider_nothing(service: Service, forged: str) -> None:
    olga = Colleague(service)
    state = olga.leave()
    olga.provider.codes["code"] = identity("viewer")
    answer = olga.come_back(forged.replace("{}", state.partition(".")[0]))
    assert answer.status_code == 403
    assert len(olga.provider.asked) == 1
    assert sessions(service) == []
    assert staff_entries(service) == []


def test_the_state_of_another_browser_signs_nobody_in(service: Service) -> None:
    provider = ToldProvider({"code": identity("viewer")})
    mallory, olga = Colleague(service, provider=provider), Colleague(service, provider=provider)
    olga.leave()
    assert olga.come_back(mallory.leave()).status_code == 403
    assert Colleague(service, provider=provider).come_back(mallory.leave()).status_code == 403
    assert sessions(service) == []


def test_a_flow_is_over_after_ten_minutes(service: Service) -> None:
    olga = Colleague(service)
    state = olga.leave()
    olga.provider.codes["code"] = identity("viewer")
    service.clock.now += FLOW_LIFE
    assert olga.come_back(state).status_code == 303
    state = Colleague.leave(other := Colleague(service, provider=olga.provider))
    service.clock.advance(minutes=10, seconds=1)
    assert other.come_back(state).status_code == 403


def test_an_answer_is_taken_once(service: Service) -> None:
    olga = Colleague(service)
    state = olga.leave()
    olga.provider.codes["code"] = identity("viewer")
    assert olga.come_back(state).status_code == 303
    assert olga.come_back(state).status_code == 403
    assert len(sessions(service)) == 1


def test_the_answer_of_another_provider_is_not_taken(service: Service) -> None:
    olga = Colleague(service)
    state = olga.leave()
    olga.provider.codes["code"] = identity("viewer")
    assert olga.come_back(state, iss="https://evil.example").status_code == 403
    assert sessions(service) == []
    assert olga.come_back(state, iss=ISSUER).status_code == 303


@pytest.mark.parametrize("reason", ["token", "code"])
def test_what_is_not_believed_is_refused_and_recorded(service: Service, reason: str) -> None:
    olga = Colleague(service)
    answer = olga.sign_in(NotBelieved(reason, "of the tests"))  # type: ignore[arg-type]
    assert answer.status_code == 403
    assert "could not be verified" in answer.text
    assert sessions(service) == []
    (entry,) = staff_entries(service)
    assert (entry["kind"], entry["outcome"], entry["reason"]) == ("staff.denied", "denied", reason)


def test_a_provider_that_is_away_lets_nobody_in(service: Service) -> None:
    olga = Colleague(service)
    answer = olga.sign_in(ProviderUnavailable("away"))
    assert answer.status_code == 503
    assert sessions(service) == []
    assert staff_entries(service) == []


def test_a_provider_that_is_away_when_somebody_leaves_for_it_is_said(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    class Away(ToldProvider):
        def authorization_url(self, **given: str) -> str:
            raise ProviderUnavailable("its configuration is not there")

    answer = Colleague(service, provider=Away()).get("/console/sign-in")
    assert answer.status_code == 503
    assert "its configuration is not there" not in answer.text
    assert [getattr(record, "detail", "") for record in caplog.records].count(
        "its configuration is not there"
    ) == 1
    assert staff_entries(service) == []


def test_who_is_signed_in_is_not_sent_to_the_provider_again(service: Service) -> None:
    olga = Colleague(service, "viewer")
    cookie, asked = olga.cookie(), len(olga.provider.asked)
    answer = olga.get("/console/sign-in")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console")
    assert (olga.cookie(), len(olga.provider.asked)) == (cookie, asked)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/console", "GET, HEAD"),
        ("POST", "/console/sign-in", "GET, HEAD"),
        ("POST", "/console/callback", "GET"),
        ("HEAD", "/console/callback", "GET"),  # what looks ahead must not use up the provider's code
        ("GET", "/console/sign-out", "POST"),  # nor may a picture on some page sign anybody out
    ],
)
def test_a_method_that_an_address_of_signing_in_does_not_answer_to_changes_nothing(
    service: Service, method: str, path: str, allowed: str
) -> None:
    olga = Colleague(service, "viewer")
    cookie, asked = olga.cookie(), len(olga.provider.asked)
    answer = getattr(olga, method.lower())(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert (olga.cookie(), len(olga.provider.asked)) == (cookie, asked)
    assert [row["kind"] for row in staff_entries(service)] == ["staff.signed-in"]
    assert service.sealmark.staff.session(cookie) is not None


def test_who_turns_back_at_the_provider_is_told_so(service: Service) -> None:
    olga = Colleague(service)
    answer = olga.get("/console/callback", query_string={"state": olga.leave(), "error": "access_denied"})
    assert answer.status_code == 403
    assert "was not completed" in answer.text


def test_signing_in_is_limited_by_address(service: Service) -> None:
    olga = Colleague(service)
    for _ in range(SIGN_INS_FROM.number):
        another = Colleague(service, provider=olga.provider)
        assert another.sign_in(identity("viewer")).headers["Location"] == "/console"
        service.clock.advance(seconds=20)  # for the limit of pages
    answer = olga.get("/console/sign-in")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert olga.come_back("0.x").status_code == 429


@pytest.mark.parametrize("name", ["Olga\x00", "Olga\nExample", "\ud800", ""])
def test_a_name_that_fits_on_no_line_is_passed_over_for_the_subject(service: Service, name: str) -> None:
    assert Colleague(service).sign_in(identity("viewer", name=name)).status_code == 303
    assert [found.name for found in sessions(service)] == [SUBJECT]
