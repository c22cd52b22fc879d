"""The client's address, the request id and the host: what a request may say of itself, and what not."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest

from service.web.application import create_app
from service.web.requests import client_address
from tests.service_fixture import URL, Service, service_in

INNER = tuple(ipaddress.ip_network(network) for network in ("10.0.0.0/8", "fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", ["198.51.100.7"], "203.0.113.9"),  # a stranger may say what they like
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        (
            "10.0.0.1",
            ["192.0.2.66, 198.51.100.7"],
            "198.51.100.7",
        ),  # what the client put before it does not count
        ("10.0.0.1", ["198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", ["192.0.2.66", "198.51.100.7,10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("fd00::1", ["[2001:db8::5]:4711"], "2001:db8::5"),
        ("::ffff:10.0.0.1", ["2001:db8::5"], "2001:db8::5"),
        ("10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        (None, ["198.51.100.7"], None),
        ("", ["198.51.100.7"], None),
    ],
)
def test_an_address_is_believed_only_from_trusted_proxies(
    peer: str | None, forwarded: list[str], found: str | None
) -> None:
    assert client_address(peer, forwarded, INNER) == found


def test_without_trusted_proxies_the_peer_is_the_client() -> None:
    assert client_address("10.0.0.1", ["198.51.100.7"], ()) == "10.0.0.1"


@pytest.mark.parametrize(("trusted", "found"), [("127.0.0.0/8", "198.51.100.7"), ("10.0.0.0/8", "127.0.0.1")])
def test_entries_hold_the_address_that_is_believed(tmp_path: Path, trusted: str, found: str) -> None:
    with service_in(tmp_path, environ={"SEALMARK_TRUSTED_PROXIES": trusted}) as service:
        headers = {"Authorization": f"Bearer {service.api_key()}", "X-Forwarded-For": "198.51.100.7"}
        body = {"name": "R", "kind": "other", "owner_mail": "o@lender.example"}
        client = create_app(service.sealmark).test_client()
        assert client.post("/v1/documents", json=body, headers=headers, base_url=URL).status_code == 201
        assert [entry["address"] for entry in service.entries("document.created")] == [found]


def test_a_request_id_is_ours_whatever_the_request_says(service: Service) -> None:
    client = create_app(service.sealmark).test_client()
    answers = [client.get("/healthz", headers={"X-Request-Id": "mine"}) for _ in range(2)]
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(ids) == 2
    assert all(re.fullmatch("req_[0-9a-z]{26}", found) for found in ids)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("reports.lender.example", 401),
        ("REPORTS.lender.example", 401),
        ("reports.lender.example:443", 401),
        ("reports.lender.example:8443", 421),
        ("other.example", 421),
        ("127.0.0.1", 421),
        ("", 421),
        ("user@reports.lender.example", 421),
        ("reports.lender.example:x", 421),
    ],
)
def test_only_the_services_own_host_is_answered(service: Service, host: str, status: int) -> None:
    client = create_app(service.sealmark).test_client()
    answer = client.get("/v1/documents", headers={"Host": host}, base_url=URL)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


def test_probes_answer_to_any_host(service: Service) -> None:
    client = create_app(service.sealmark).test_client()
    for path in ("/healthz", "/readyz"):
        assert client.get(path, headers={"Host": "10.1.2.3:8080"}).status_code == 200
