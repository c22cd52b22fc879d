"""A webhook goes over trusted TLS to a public address that was looked at, ends in time, and nowhere else."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from ipaddress import ip_address
from pathlib import Path

import pytest

from service.adapters import webhook_http
from service.adapters.webhook_http import MAX_ADDRESSES, PinnedPosts, resolve_by_system
from service.webhook_address import is_public
from service.webhook_sending import HookAnswer, NoAnswer
from tests.receiving import HOST, ReceiverServer, make_certificate, posts, receiving

QUICK = 0.6
SLACK = 5.0

PRIVATE = [
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
    *("168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1"),
    *("192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *(
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:8.8.8.8",
    ),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:db8::1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::", "3fff::1", "4000::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
    *("fec0::1", "ff02::1", "ff0e::1"),
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::200e"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ReceiverServer]:
    with receiving(tmp_path) as made:
        yield made


def refusal(hooks: PinnedPosts, url: str) -> str:
    with pytest.raises(NoAnswer) as refused:
        hooks.post(url, {}, b"{}")
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return str(refused.value)


def test_it_arrives_as_it_is_and_the_answer_is_its_status(server: ReceiverServer) -> None:
    server.answer = lambda _: (503, {"Retry-After": "7"})
    answer = posts(server.certificate).post(server.url, {"webhook-id": "evt_1"}, b'{"a":1}')
    assert answer == HookAnswer(503, 7)
    (got,) = server.got
    assert (got.path, got.body, got.id) == ("/hooks/sealmark?from=tests", b'{"a":1}', "evt_1")
    assert got.headers["host"] == f"{HOST}:{server.port}"


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_public_is_refused(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public_is_not_refused(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", PRIVATE)
def test_nothing_connects_where_a_name_resolves_to_what_is_not_public(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_connection", _never)
    for found in ([text], ["8.8.8.8", text], [text, "8.8.8.8"]):
        hooks = PinnedPosts(resolve=lambda *_, found=found: found)  # type: ignore[misc]
        assert refusal(hooks, f"https://{HOST}/") == "not a public address"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::1]", "localhost"])
def test_no_spelling_of_loopback_gets_by(host: str, server: ReceiverServer) -> None:
    assert refusal(PinnedPosts(), f"https://{host}:{server.port}/") in {"not a public address", "not reached"}
    assert server.got == []


def test_a_name_that_answers_differently_the_second_time_gains_nothing(server: ReceiverServer) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    asked = []

    def rebinding(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    allowed = {ip_address("127.0.0.1")}
    hooks = posts(server.certificate, resolve=rebinding, may_connect=allowed.__contains__)
    assert hooks.post(server.url, {}, b"{}").status == 204
    assert asked == [HOST], "the name is resolved once a try, and what was looked at is connected to"
    assert refusal(hooks, server.url) == "not a public address"
    assert len(server.got) == 1


def test_the_connection_goes_to_the_number_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    went: list[tuple[str, int]] = []

    def connect(place: tuple[str, int], _: float) -> socket.socket:
        went.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    found = ["2606:4700:4700::1111", "8.8.8.8", "8.8.4.4", "1.1.1.1"]
    assert refusal(PinnedPosts(resolve=lambda *_: found), f"https://{HOST}/") == "not reached"
    assert went == [(address, 443) for address in found[:MAX_ADDRESSES]]


def test_an_address_that_is_away_gives_way_to_the_next(server: ReceiverServer) -> None:
    hooks = posts(server.certificate, resolve=lambda *_: ["::1", "127.0.0.1"])
    assert hooks.post(server.url, {}, b"{}").status == 204


def test_a_certificate_must_be_trusted_and_of_the_name(server: ReceiverServer, tmp_path: Path) -> None:
    assert refusal(posts(server.certificate, tls=None), server.url) == "no trusted TLS"
    other = server.url.replace(HOST, "other.example")
    assert refusal(posts(server.certificate, resolve=lambda *_: ["127.0.0.1"]), other) == "no trusted TLS"
    stranger = make_certificate(tmp_path / "stranger.pem")
    assert refusal(posts(stranger), server.url) == "no trusted TLS"
    assert server.got == []


def test_only_https_is_spoken() -> None:
    assert refusal(PinnedPosts(), f"http://{HOST}/") == "not https"


def test_a_name_that_is_not_there_is_not_reached() -> None:
    def unknown(*_: object) -> Sequence[str]:
        raise socket.gaierror("Name or service not known")

    assert refusal(PinnedPosts(resolve=unknown), f"https://{HOST}/") == "not reached"
    assert refusal(PinnedPosts(resolve=lambda *_: []), f"https://{HOST}/") == "not reached"


@pytest.mark.parametrize("stall", ["handshake", "head", "drops"])
def test_a_server_that_stalls_is_left_in_time(tmp_path: Path, stall: str) -> None:
    certificate = make_certificate(tmp_path / "hooks.pem")
    with _behaving(certificate, stall) as port:
        hooks = posts(certificate, connect_seconds=QUICK, exchange_seconds=QUICK)
        begun = time.monotonic()
        assert refusal(hooks, f"https://{HOST}:{port}/") == "too slow"
        assert time.monotonic() - begun < SLACK


def test_what_is_not_http_is_said_so(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "hooks.pem")
    with _behaving(certificate, "nonsense") as port:
        assert refusal(posts(certificate), f"https://{HOST}:{port}/") == "not HTTP"


def test_no_proxy_of_the_environment_is_used(server: ReceiverServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert posts(server.certificate).post(server.url, {}, b"{}").status == 204


def test_the_system_resolves_numbers_to_themselves() -> None:
    assert resolve_by_system("127.0.0.1", 443) == ["127.0.0.1"]


def test_nothing_but_the_constructor_widens_where_webhooks_go() -> None:
    assert webhook_http.PinnedPosts()._may_connect is is_public


def _never(*_: object) -> socket.socket:
    raise AssertionError("it connected")


class _behaving:
    """A TLS server on loopback that does this with each connection; its port."""

    def __init__(self, certificate: Path, how: str) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._how, self._over = how, threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.close()

    def _serve(self) -> None:
        doing: dict[str, Callable[[ssl.SSLSocket], None]] = {
            "head": lambda _: None,
            "drops": self._drip,
            "nonsense": lambda connection: connection.sendall(b"SSH-2.0-something\r\n\r\n"),
        }
        with suppress(OSError):
            plain, _ = self._listener.accept()
            with closing(plain):
                if self._how != "handshake":
                    with closing(self._context.wrap_socket(plain, server_side=True)) as connection:
                        connection.recv(65536)
                        doing[self._how](connection)
                        self._over.wait(SLACK)
                self._over.wait(SLACK)

    def _drip(self, connection: ssl.SSLSocket) -> None:
        connection.sendall(b"HTTP/1.1 204 No Content\r\n")
        while not self._over.is_set():
            connection.sendall(b"X-A: b\r\n")
            time.sleep(0.1)
