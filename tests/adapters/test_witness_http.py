"""A request to another's server ends in time and size, goes where it was told, and tells nobody its address."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crypto.logcheck import Checkpoint
from crypto.witness import WitnessKey
from service.adapters.witness_http import HttpPosts
from service.records import LogCheckpoint
from service.witnessing import Answer, NoAnswer, Posting, Witnessing, read_posts, read_witnesses
from tests.witnesses import ALog, entries

TOKEN = "s3cr3t-token"
QUICK = 0.6
"""Seconds that these tests wait for a slow server."""

SLACK = 3.0
"""Seconds within which something that is bounded by `QUICK` has ended, on a busy machine too."""

LOG = ALog(entries(9))
KEY = WitnessKey("witness.example/w1", bytes([9]) * 32)

Behaving = Callable[[socket.socket], None]


@contextmanager
def serving(behave: Behaving, tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A server on loopback that does this with each connection once it has read a request: its port, the requests."""
    requests: list[bytes] = []
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        over = threading.Event()

        def one(connection: socket.socket) -> None:
            with suppress(OSError), ExitStack() as open_:
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                open_.enter_context(closing(connection))
                requests.append(_request(connection))
                behave(connection)

        def accept() -> None:
            while not over.is_set():
                with suppress(OSError):
                    connection, _ = listener.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], requests
        over.set()


def _request(connection: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read:
        read += connection.recv(65536)
    head, _, body = read.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def says(answer: bytes) -> Behaving:
    return lambda connection: connection.sendall(answer)


def drips(head: bytes, piece: bytes) -> Behaving:
    """Sends a piece each tenth of a second without an end, so that no single read takes long."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(0.1)

    return behave


def floods(head: bytes) -> Behaving:
    def behave(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(b"x" * 65536)

    return behave


def silent(connection: socket.socket) -> None:
    connection.recv(1)


def quick(**named: float) -> HttpPosts:
    return HttpPosts(**{"connect_seconds": QUICK, "exchange_seconds": QUICK, **named})  # type: ignore[arg-type]


def test_a_request_and_its_answer_are_what_they_are() -> None:
    with serving(
        says(b"HTTP/1.1 409 Conflict\r\nContent-Type: Text/X.tlog.size; a=b\r\nContent-Length: 3\r\n\r\n12\n")
    ) as (
        port,
        requests,
    ):
        url = f"http://127.0.0.1:{port}/{TOKEN}/add-checkpoint?x=1"
        answer = quick(exchange_seconds=20).post(url, "text/plain; charset=utf-8", b"old 0\n", 100)
    assert answer == Answer(409, "text/x.tlog.size", b"12\n")
    head, _, body = requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == f"POST /{TOKEN}/add-checkpoint?x=1 HTTP/1.1"
    assert f"Host: 127.0.0.1:{port}" in lines
    assert "Content-Type: text/plain; charset=utf-8" in lines
    assert body == b"old 0\n"


def test_no_more_of_an_answer_is_read_than_is_wanted() -> None:
    with serving(floods(b"HTTP/1.1 200 OK\r\n\r\n")) as (port, _):
        assert (
            len(quick(exchange_seconds=20).post(f"http://127.0.0.1:{port}", "text/plain", b"", 5000).body)
            == 5000
        )
        assert quick(exchange_seconds=20).post(f"http://127.0.0.1:{port}", "text/plain", b"", 0).body == b""


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with serving(says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as (elsewhere, asked):
        answer = f"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:{elsewhere}/\r\nContent-Length: 0\r\n\r\n"
        with serving(says(answer.encode())) as (port, _):
            assert quick().post(f"http://127.0.0.1:{port}", "text/plain", b"x", 10).status == 307
        assert asked == []


SLOW: dict[str, Behaving] = {
    "silent": silent,
    "status in drops": drips(b"HTTP/1.1 200 O", b"k"),
    "headers without an end": drips(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "continue without an end": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body in drops": drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "chunks without an end": drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_slow_server_is_left_in_time(name: str) -> None:
    with serving(SLOW[name]) as (port, _):
        begun = time.monotonic()
        with pytest.raises(NoAnswer, match=r"too slow|not HTTP"):
            quick().post(f"http://127.0.0.1:{port}/{TOKEN}", "text/plain", b"x", 10000)
        assert time.monotonic() - begun < SLACK


@pytest.mark.parametrize(
    "answer",
    [b"", b"hello\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
     b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70000 + b"\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)  # fmt: skip
def test_what_is_no_answer_is_told_without_the_address(answer: bytes) -> None:
    with serving(says(answer)) as (port, _), pytest.raises(NoAnswer) as failed:
        quick(exchange_seconds=20).post(f"http://127.0.0.1:{port}/{TOKEN}", "text/plain", b"x", 10000)
    assert str(failed.value) in {"not HTTP", "not reached"}
    assert failed.value.__suppress_context__


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://192.0.2.1/x", "not https"),
        ("http://witness.example/x", "not https"),
        ("ftp://127.0.0.1.example/x", "not https"),
        ("https://nowhere.invalid/x", "not reached"),
        ("http://127.0.0.1:1/x", "not reached"),
        (f"https://{'a' * 70}.example/", "not reached"),
    ],
)
def test_nothing_is_sent_in_the_clear_or_to_nobody(url: str, why: str) -> None:
    with pytest.raises(NoAnswer, match=why):
        quick().post(url, "text/plain", b"x", 10)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that nobody vouches for, with its key."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "witness")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = secret.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_tls_is_believed_only_from_a_trusted_authority_and_for_its_name(certificate: Path) -> None:
    answer = says(b"HTTP/1.1 204 No Content\r\n\r\n")
    with serving(answer, server_context(certificate)) as (port, requests):
        trusting = ssl.create_default_context(cafile=str(certificate))
        posts = HttpPosts(tls=trusting, exchange_seconds=20)
        assert posts.post(f"https://127.0.0.1:{port}/x", "text/plain", b"x", 10).status == 204
        assert len(requests) == 1
        for url, client in (
            (f"https://127.0.0.1:{port}/x", HttpPosts()),
            (f"https://localhost:{port}/x", posts),
        ):
            with pytest.raises(NoAnswer, match="no trusted TLS"):
                client.post(url, "text/plain", b"x", 10)
        assert len(requests) == 1
    with (
        serving(answer) as (port, requests),
        pytest.raises(NoAnswer, match=r"no trusted TLS|too slow|not reached"),
    ):
        quick().post(f"https://127.0.0.1:{port}/x", "text/plain", b"x", 10)


def test_a_tls_server_that_stalls_is_left_in_time(certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    for behave, tls in (
        (silent, server_context(certificate)),
        (SLOW["body in drops"], server_context(certificate)),
    ):
        with serving(behave, tls) as (port, _):
            begun = time.monotonic()
            with pytest.raises(NoAnswer, match="too slow"):
                HttpPosts(tls=trusting, exchange_seconds=QUICK).post(
                    f"https://127.0.0.1:{port}/x", "text/plain", b"x", 10000
                )
            assert time.monotonic() - begun < SLACK
    with socket.create_server(("127.0.0.1", 0)) as mute:  # never answers the handshake
        begun = time.monotonic()
        with pytest.raises(NoAnswer, match="too slow"):
            quick().post(f"https://127.0.0.1:{mute.getsockname()[1]}/x", "text/plain", b"x", 10)
        assert time.monotonic() - begun < SLACK


def answering(line: str) -> Behaving:
    return says(f"HTTP/1.1 200 OK\r\nContent-Length: {len(line.encode())}\r\n\r\n{line}".encode())


BAD: dict[str, Behaving] = {
    **SLOW,
    "wrong signature": answering(KEY.cosign(LOG.text(8), 1)),
    "another's signature": answering(WitnessKey("other.example", bytes(32)).cosign(LOG.text(9), 1)),
    "redirect": says(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
    "endless": floods(b"HTTP/1.1 200 OK\r\n\r\n" + KEY.cosign(LOG.text(9), 1).encode()),
    "broken off": says(
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + KEY.cosign(LOG.text(9), 1).encode()[:-30]
    ),
}


def test_no_bad_server_adds_anything_or_holds_up_a_good_one() -> None:
    good = WitnessKey("witness.example/good", bytes([8]) * 32)
    with ExitStack() as stack:
        lines = []
        for number, behave in enumerate(BAD.values()):
            port, _ = stack.enter_context(serving(behave))
            key = (
                KEY
                if "signature" in list(BAD)[number]
                else WitnessKey(f"w{number}", bytes([number + 100]) * 32)
            )
            if any(key.public.encode() in line for line in lines):
                key = WitnessKey(f"w{number}", bytes([number + 100]) * 32)
            lines.append(f"{key.public.encode()} http://127.0.0.1:{port}/{TOKEN}")
        port, _ = stack.enter_context(serving(answering(good.cosign(LOG.text(9), 7))))
        lines.append(f"{good.public.encode()} http://127.0.0.1:{port}")
        checkpoint = LogCheckpoint("chk_1", LOG.origin, 9, LOG.root(9), LOG.note(9), datetime.now(UTC))
        begun = time.monotonic()
        note = Witnessing(read_witnesses("\n".join(lines)), quick()).cosign(checkpoint, lambda _: [])
        assert time.monotonic() - begun < SLACK
    assert note == LOG.note(9) + good.cosign(LOG.text(9), 7)
    assert Checkpoint.decode(note).signed_by(good.public) == 7


def test_posting_ends_in_time_with_any_server(caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as stack:
        ports = [stack.enter_context(serving(behave))[0] for behave in BAD.values()]
        urls = "\n".join(f"http://127.0.0.1:{port}/?t={TOKEN}" for port in ports)
        begun = time.monotonic()
        Posting(read_posts(urls), quick()).post(LOG.note(9))
        assert time.monotonic() - begun < SLACK
    assert caplog.records
    assert TOKEN not in "".join(str(record.__dict__) for record in caplog.records)


def test_nothing_in_the_clients_defaults_keeps_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as (proxy, asked):
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        with serving(says(b"HTTP/1.1 204 No Content\r\n\r\n")) as (port, _):
            assert (
                quick(exchange_seconds=20).post(f"http://127.0.0.1:{port}", "text/plain", b"", 0).status
                == 204
            )
        assert asked == []
    assert http.client.HTTPConnection.default_port == 80
