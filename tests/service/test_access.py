"""API keys: what a key may be, and that its end is one end, once in the log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crypto import api_keys
from service.access import LAST_USE_EVERY, MAX_LIFE, Scope
from service.errors import DomainError, Problem
from tests.service_fixture import OPERATOR, Service

DAY = timedelta(days=1)


@pytest.mark.parametrize("name", ["", "x" * 101])
def test_a_key_has_a_name_that_says_who_uses_it(service: Service, name: str) -> None:
    with pytest.raises(DomainError) as caught:
        service.sealmark.api_keys.create(OPERATOR, name, [Scope.LOG_READ], service.clock() + DAY)

    assert (caught.value.problem, caught.value.fields["where"]) == (Problem.INVALID, "name")


@pytest.mark.parametrize("life", [-DAY, timedelta(0), MAX_LIFE + timedelta(seconds=1)])
def test_a_key_ends_within_the_longest_life(service: Service, life: timedelta) -> None:
    with pytest.raises(DomainError) as caught:
        service.sealmark.api_keys.create(OPERATOR, "crm", [Scope.LOG_READ], service.clock() + life)

    assert caught.value.fields["where"] == "expires_at"
    assert service.sealmark.api_keys.list() == []


def test_a_key_that_may_nothing_is_not_made(service: Service) -> None:
    with pytest.raises(DomainError) as caught:
        service.sealmark.api_keys.create(OPERATOR, "crm", [], service.clock() + DAY)

    assert caught.value.fields["where"] == "scopes"
    assert all(str(scope) in caught.value.detail for scope in Scope)


def test_a_key_that_is_revoked_twice_ends_once(service: Service) -> None:
    text = service.api_key(Scope.LOG_READ)
    known = service.sealmark.api_keys
    key_id = api_keys.api_key_id(text)
    first = known.revoke(OPERATOR, key_id)
    service.clock.advance(hours=1)

    assert known.revoke(OPERATOR, key_id).revoked_at == first.revoked_at is not None
    assert len(service.entries("api-key.revoked")) == 1
    with pytest.raises(DomainError) as caught:
        known.authenticate(text)
    assert caught.value.problem == Problem.UNAUTHENTICATED


def test_a_key_that_is_not_there_cannot_be_revoked(service: Service) -> None:
    with pytest.raises(DomainError) as caught:
        service.sealmark.api_keys.revoke(OPERATOR, "nothing")

    assert caught.value.problem == Problem.NOT_FOUND
    assert service.entries("api-key.revoked") == []


def test_the_last_use_of_a_key_is_recorded_and_not_at_every_call(service: Service) -> None:
    known = service.sealmark.api_keys
    text = service.api_key(Scope.LOG_READ)
    assert known.list()[0].last_used_at is None

    first = service.clock()
    known.authenticate(text)
    service.clock.now += LAST_USE_EVERY - timedelta(seconds=1)
    known.authenticate(text)
    assert known.list()[0].last_used_at == first

    service.clock.advance(seconds=1)
    known.authenticate(text)
    assert known.list()[0].last_used_at == first + LAST_USE_EVERY


def test_a_key_rests_as_a_hash_alone(service: Service) -> None:
    secret = service.api_key(Scope.LOG_READ)[api_keys.ID_LENGTH + 1 :]
    assert len(secret) > 40
    service.work()

    for path in service.sealmark.settings.data.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes()
