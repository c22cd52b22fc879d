"""OpenID Connect: Authorization Code with PKCE (S256) at the lender's own provider, found by discovery.

What comes back is believed only after it was verified: the ID token's signature by the provider's keys, its issuer,
audience, nonce and end. Keys are fetched for each sign-in, so one that the provider has withdrawn is not believed.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from service.audit import Clock
from service.lines import is_line
from service.staff import MAX_IDENTIFIER, Identity, NotBelieved, ProviderUnavailable
from service.witnessing import Answer, NoAnswer, is_loopback

DISCOVERY = "/.well-known/openid-configuration"
DISCOVERY_AGE = timedelta(minutes=10)
"""How long the provider's addresses are remembered: who only opens the page of sign-in does not make us ask it."""

MAX_ANSWER = 256 * 1024
"""Bytes of an answer: a discovery document and a set of keys have some KB, a token with many groups some tens."""

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
"""Signatures by a key pair only: with a shared secret, whoever holds it could name anybody."""

LEEWAY_SECONDS = 60
"""By which the provider's clock may differ from ours."""

SCOPE = "openid profile"
FORM = "application/x-www-form-urlencoded"


class Exchanges(Protocol):
    """How requests go out; `HttpPosts`."""

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, wanted: int
    ) -> Answer:
        """One request, no redirect, https but to loopback, within bounded time. Raises `NoAnswer`."""


class OidcProvider:
    """One provider, at which the service is a confidential client. Safe to use from many threads."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        roles_claim: str,
        exchanges: Exchanges,
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._roles_claim = roles_claim
        self._exchanges = exchanges
        self._clock = clock
        self._found: tuple[datetime, dict[str, Any]] | None = None

    def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """See `Provider.authorization_url`."""
        endpoint = self._endpoint("authorization_endpoint")
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def identify(self, *, code: str, redirect_uri: str, nonce: str, verifier: str) -> Identity:
        """See `Provider.identify`."""
        claims = self._verified(self._id_token(code, redirect_uri, verifier), nonce)
        name = next((claims[key] for key in ("name", "preferred_username") if claims.get(key)), "")
        roles = claims.get(self._roles_claim, [])
        listed = [roles] if isinstance(roles, str) else roles if isinstance(roles, list) else []
        return Identity(
            self._issuer,
            claims["sub"],
            name if isinstance(name, str) else "",
            tuple(role for role in listed if isinstance(role, str)),
        )

    def _id_token(self, code: str, redirect_uri: str, verifier: str) -> str:
        """1. The code, once, for the ID token; the verifier shows that the same browser began."""
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": FORM, "Accept": "application/json"}
        methods = self._discovered().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in methods:
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._client_secret)}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            given |= {"client_id": self._client_id, "client_secret": self._client_secret}
        status, answer = self._json(
            "POST", self._endpoint("token_endpoint"), headers, urlencode(given).encode()
        )
        if status == 400 and answer.get("error") == "invalid_grant":
            raise NotBelieved("code", "the provider does not take the code")
        if status != 200:
            raise ProviderUnavailable(f"the provider's token endpoint answers {status}")
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotBelieved("token", "there is no ID token")
        return token

    def _verified(self, token: str, nonce: str) -> dict[str, Any]:
        """2. The ID token's claims: signature, issuer, audience, end, nonce (OpenID Connect Core 1.0, 3.1.3.7)."""
        status, keys = self._json("GET", self._endpoint("jwks_uri"), {"Accept": "application/json"}, None)
        if status != 200:
            raise ProviderUnavailable(f"the provider's keys answer {status}")
        now = int(self._clock().timestamp())
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True},
        )
        try:
            claims = jwt.decode(token, KeySet(_for_signatures(keys)), algorithms=ALGORITHMS).claims
            registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise NotBelieved("token", f"the ID token does not verify: {type(error).__name__}") from None
        given, subject = claims["nonce"], claims["sub"]
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
            raise NotBelieved("token", "the ID token has another nonce")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else self._client_id) != self._client_id:
            raise NotBelieved("token", "the ID token was made for somebody else")
        if not isinstance(subject, str) or not 1 <= len(subject) <= MAX_IDENTIFIER or not is_line(subject):
            raise NotBelieved("token", "the ID token has no subject")
        return dict(claims)

    def _endpoint(self, name: str) -> str:
        address = self._discovered().get(name)
        parts = urlsplit(address) if isinstance(address, str) else None
        secure = parts is not None and (
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        )
        if not secure:
            raise ProviderUnavailable(f"the provider names no {name} over https")
        return str(address)

    def _discovered(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0, section 4)."""
        now, kept = self._clock(), self._found
        if kept is not None and now - kept[0] < DISCOVERY_AGE:
            return kept[1]
        address = self._issuer.rstrip("/") + DISCOVERY
        status, found = self._json("GET", address, {"Accept": "application/json"}, None)
        if status != 200 or found.get("issuer") != self._issuer:
            raise ProviderUnavailable("the provider does not name itself as the configured issuer")
        self._found = (now, found)
        return found

    def _json(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, Any]]:
        try:
            answer = self._exchanges.exchange(method, url, headers, body, MAX_ANSWER)
        except NoAnswer as error:
            raise ProviderUnavailable(f"the provider: {error}") from None
        try:
            found = json.loads(answer.body)
        except ValueError:
            raise ProviderUnavailable("the provider answers what is no JSON") from None
        if not isinstance(found, dict):
            raise ProviderUnavailable("the provider answers what is no JSON object")
        return answer.status, found


def _for_signatures(keys: Mapping[str, Any]) -> list[Key]:
    """The keys that may sign: without those of other uses, shared secrets, which no provider publishes, and keys that
    are not understood here, such as of another curve (RFC 7517, section 5: they are ignored)."""
    listed = keys.get("keys")
    found = []
    for key in listed if isinstance(listed, list) else []:
        if (
            isinstance(key, dict)
            and key.get("use", "sig") == "sig"
            and key.get("kty") in {"RSA", "EC", "OKP"}
        ):
            with suppress(JoseError, ValueError, TypeError, KeyError):
                found.append(JWKRegistry.import_key(key))
    return found
