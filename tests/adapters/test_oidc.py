"""The provider's answer is believed only when it verifies: what is wrong in a claim or a signature is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from service.adapters.oidc import DISCOVERY_AGE, LEEWAY_SECONDS, OidcProvider
from service.staff import Identity, NotBelieved, ProviderUnavailable
from service.witnessing import Answer, NoAnswer
from tests.service_fixture import START, SettableClock

ISSUER = "https://id.lender.example/realm"
CLIENT, SECRET = "sealmark", "p:a ss+"
NONCE = "the nonce of this flow"
NOW = int(START.timestamp())
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
CURVE = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})


def claims(**changes: Any) -> dict[str, Any]:
    given = {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": "subject-7",
        "nonce": NONCE,
        "iat": NOW,
        "exp": NOW + 300,
        "name": "Olga Example",
        "roles": ["viewer", "else"],
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def signed(given: Mapping[str, Any], key: Any = KEY, **header: Any) -> str:
    chosen = {"alg": "RS256", "kid": "one", **header}
    return jwt.encode(chosen, dict(given), key, algorithms=[chosen["alg"]])


@dataclass
class Wire:
    """What a provider answers, by path; keeps what it was asked."""

    token: Any = None
    status: int = 200
    keys: list[dict[str, Any]] = field(default_factory=lambda: [KEY.as_dict(private=False)])
    found: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, Mapping[str, str], bytes | None]] = field(default_factory=list)
    failure: NoAnswer | None = None

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, wanted: int
    ) -> Answer:
        self.asked.append((method, url, headers, body))
        if self.failure is not None:
            raise self.failure
        path = urlsplit(url).path
        if path.endswith("/openid-configuration"):
            base = {
                name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
            }
            return self._json(200, {"issuer": ISSUER, **base, **self.found})
        if path.endswith("/jwks_uri"):
            return self._json(200, {"keys": self.keys})
        return self._json(self.status, self.token)

    def _json(self, status: int, body: Any) -> Answer:
        return Answer(status, "application/json", json.dumps(body).encode())


def provider(wire: Wire, clock: SettableClock | None = None) -> OidcProvider:
    return OidcProvider(ISSUER, CLIENT, SECRET, "roles", wire, clock or SettableClock())


def identify(wire: Wire) -> Identity:
    return provider(wire).identify(
        code="the code", redirect_uri="https://us.example/console/callback", nonce=NONCE, verifier="v" * 43
    )


def test_a_token_that_verifies_says_who_it_is() -> None:
    wire = Wire({"id_token": signed(claims())})
    assert identify(wire) == Identity(ISSUER, "subject-7", "Olga Example", ("viewer", "else"))
    method, url, headers, body = next(asked for asked in wire.asked if asked[1].endswith("token_endpoint"))
    assert (method, url) == ("POST", f"{ISSUER}/token_endpoint")
    assert (
        base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode() == "sealmark:p%3Aa+ss%2B"
    )
    assert parse_qs((body or b"").decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["the code"],
        "redirect_uri": ["https://us.example/console/callback"],
        "code_verifier": ["v" * 43],
    }


def test_a_provider_that_takes_the_secret_in_the_form_only_is_sent_it_there() -> None:
    wire = Wire({"id_token": signed(claims())})
    wire.found["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    identify(wire)
    _, _, headers, body = next(asked for asked in wire.asked if asked[1].endswith("token_endpoint"))
    assert "Authorization" not in headers
    assert parse_qs((body or b"").decode())["client_secret"] == [SECRET]


@pytest.mark.parametrize(
    ("given", "roles"),
    [
        ("viewer", ("viewer",)),
        (None, ()),
        ([], ()),
        ({"viewer": 1}, ()),
        (["auditor", 7, None], ("auditor",)),
        (7, ()),
    ],
)
def test_roles_are_the_texts_of_the_claim(given: Any, roles: tuple[str, ...]) -> None:
    assert identify(Wire({"id_token": signed(claims(roles=given))})).roles == roles


def test_an_elliptic_key_signs_too() -> None:
    wire = Wire({"id_token": signed(claims(), CURVE, alg="ES256", kid="two")})
    wire.keys.append(CURVE.as_dict(private=False))
    assert identify(wire).subject == "subject-7"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://id.lender.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"azp": "another"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"nonce": "of another flow"},
        {"nonce": None},
        {"nonce": 7},
        {"exp": NOW - LEEWAY_SECONDS - 1},
        {"exp": None},
        {"exp": "later"},
        {"iat": NOW + LEEWAY_SECONDS + 1},
        {"iat": None},
        {"nbf": NOW + LEEWAY_SECONDS + 1},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_not_believed(changes: dict[str, Any]) -> None:
    with pytest.raises(NotBelieved) as caught:
        identify(Wire({"id_token": signed(claims(**changes))}))
    assert caught.value.reason == "token"


def test_several_audiences_are_believed_when_it_was_made_for_us() -> None:
    assert identify(Wire({"id_token": signed(claims(aud=[CLIENT, "another"], azp=CLIENT))})).subject


def unsigned(alg: str) -> str:
    parts = ({"alg": alg, "kid": "one"}, claims())
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return f"{head}.{body}."


@pytest.mark.parametrize(
    "token",
    [
        signed(claims(), OTHER),
        signed(claims(), OctKey.import_key(SECRET * 8), alg="HS256"),
        unsigned("none"),
        unsigned("RS256"),
        signed(claims())[:-6] + "AAAAAA",
        "no token",
        "",
        None,
        7,
    ],
    ids=[
        "another-key",
        "shared-secret",
        "alg-none",
        "no-signature",
        "changed",
        "no-token",
        "empty",
        "none",
        "number",
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_not_believed(token: Any) -> None:
    with pytest.raises(NotBelieved) as caught:
        identify(Wire({"id_token": token}))
    assert caught.value.reason == "token"


def test_a_shared_secret_among_the_keys_is_none() -> None:
    wire = Wire({"id_token": signed(claims(), OctKey.import_key("s" * 40), alg="HS256")})
    wire.keys = [OctKey.import_key("s" * 40, {"kid": "one"}).as_dict(private=True)]
    with pytest.raises(NotBelieved):
        identify(wire)


@pytest.mark.parametrize("subject", ["a\nb", "a\x00b"])
def test_a_subject_that_fits_on_no_line_is_not_believed(subject: str) -> None:
    with pytest.raises(NotBelieved):
        identify(Wire({"id_token": signed(claims(sub=subject))}))


def test_a_key_that_is_not_understood_locks_nobody_out() -> None:
    odd = {"kty": "EC", "crv": "BP-256", "x": "AA", "y": "AA", "kid": "odd", "use": "sig"}
    wire = Wire({"id_token": signed(claims())}, keys=[odd, KEY.as_dict(private=False), {"kty": "RSA"}])
    assert identify(wire).subject == "subject-7"


def test_a_key_that_was_withdrawn_is_not_believed() -> None:
    wire = Wire({"id_token": signed(claims())})
    mine = provider(wire)
    given = {"code": "c", "redirect_uri": "https://us.example/c", "nonce": NONCE, "verifier": "v" * 43}
    mine.identify(**given)
    wire.keys = [CURVE.as_dict(private=False)]
    with pytest.raises(NotBelieved):
        mine.identify(**given)


def test_a_code_that_the_provider_does_not_take_is_named_as_that() -> None:
    with pytest.raises(NotBelieved) as caught:
        identify(Wire({"error": "invalid_grant"}, status=400))
    assert caught.value.reason == "code"


@pytest.mark.parametrize(
    "wire",
    [
        Wire({"error": "invalid_client"}, status=401),
        Wire({}, status=500),
        Wire([]),
        Wire({}, found={"issuer": "https://another.example"}),
        Wire({}, found={"token_endpoint": "http://id.lender.example/token"}),
        Wire({}, found={"token_endpoint": None}),
        Wire({"id_token": signed(claims())}, found={"jwks_uri": "file:///etc/keys"}),
        Wire({}, failure=NoAnswer("too slow")),
    ],
    ids=["client", "broken", "no-object", "issuer", "not-https", "no-endpoint", "no-keys", "away"],
)
def test_a_provider_that_does_not_work_is_unavailable_and_nothing_of_it_is_said(wire: Wire) -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        identify(wire)
    assert "the code" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_the_browser_is_sent_with_a_challenge_and_nothing_secret() -> None:
    wire = Wire(found={"authorization_endpoint": f"{ISSUER}/auth?tenant=1"})
    url = provider(wire).authorization_url(
        redirect_uri="https://us.example/c", state="s", nonce="n", challenge="c"
    )
    assert parse_qs(urlsplit(url).query) == {
        "tenant": ["1"],
        "response_type": ["code"],
        "client_id": [CLIENT],
        "redirect_uri": ["https://us.example/c"],
        "scope": ["openid profile"],
        "state": ["s"],
        "nonce": ["n"],
        "code_challenge": ["c"],
        "code_challenge_method": ["S256"],
    }


def test_the_provider_is_asked_for_its_addresses_once_in_ten_minutes() -> None:
    wire, clock = Wire(), SettableClock()
    mine = provider(wire, clock)
    given = {"redirect_uri": "https://us.example/c", "state": "s", "nonce": "n", "challenge": "c"}
    for _ in range(3):
        mine.authorization_url(**given)
    assert len(wire.asked) == 1
    clock.now += DISCOVERY_AGE
    mine.authorization_url(**given)
    assert len(wire.asked) == 2
