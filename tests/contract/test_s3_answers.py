"""An S3 server that misbehaves is given up within the limits, said to be unavailable, and never believed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from service.adapters.s3 import S3Store
from service.blobs import BlobMissing, StoreError, StoreUnavailable
from tests.contract.blobstore import KEY, SOON

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """Answers every request in one way, and counts them."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.answer: Answer = lambda request: None
        self.ended = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                outer.requests.append(f"{self.command} {self.path}")
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.close_connection = True
                outer.answer(self)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True

    def store(self, retries: int = 1) -> S3Store:
        return S3Store(
            endpoint=f"127.0.0.1:{self.http.server_port}",
            region="eu-test-1",
            bucket="bucket",
            access_key="key",
            secret_key="secret",
            secure=False,
            read_seconds=0.3,
            retries=retries,
        )


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.ended.set()
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def answer(status: int, body: bytes = b"", length: int | None = None, **headers: str) -> Answer:
    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body) if length is None else length))
        request.send_header("Connection", "close")
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return send


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>because</Message></Error>".encode()


ASKS: dict[str, Callable[[S3Store], object]] = {
    "put": lambda store: store.put(KEY, [b"content"]),
    "read": lambda store: store.read(KEY),
    "size": lambda store: store.size(KEY),
    "list": lambda store: list(store.list("")),
    "delete": lambda store: store.delete(KEY),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
def test_one_that_accepts_and_never_answers_is_given_up(
    server: Server, ask: Callable[[S3Store], object]
) -> None:
    server.answer = lambda request: void(server.ended.wait(SOON))
    begun = time.monotonic()

    with pytest.raises(StoreUnavailable):
        ask(server.store())

    assert time.monotonic() - begun < SOON


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
def test_one_that_is_busy_is_asked_again_at_once_and_not_when_it_likes(
    server: Server, ask: Callable[[S3Store], object]
) -> None:
    server.answer = answer(503, error("SlowDown"), Content_Type="application/xml", Retry_After="3600")
    begun = time.monotonic()

    with pytest.raises(StoreUnavailable):
        ask(server.store())

    assert len(server.requests) == 2
    assert time.monotonic() - begun < SOON


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS.keys())
def test_one_that_is_no_s3_is_not_believed(server: Server, ask: Callable[[S3Store], object]) -> None:
    server.answer = answer(404, b"<html>not here</html>", Content_Type="text/html")

    with pytest.raises(StoreError) as caught:
        ask(server.store())

    # A HEAD has no body: its 404 is believed, once the bucket has answered, which here it does not either.
    assert not isinstance(caught.value, BlobMissing)


def test_a_redirect_is_not_followed(server: Server) -> None:
    elsewhere = f"http://localhost:{server.http.server_port}/elsewhere"
    server.answer = answer(
        307, error("TemporaryRedirect"), Content_Type="application/xml", Location=elsewhere
    )

    with pytest.raises(StoreError):
        server.store().read(KEY)

    assert not any("elsewhere" in request for request in server.requests)


def test_a_body_that_breaks_off_fails_the_read(server: Server) -> None:
    server.answer = answer(200, b"half", length=8)
    reader = server.store().read(KEY)

    with pytest.raises(StoreUnavailable):
        list(reader)


def test_a_body_that_stalls_fails_the_read(server: Server) -> None:
    def stall(request: BaseHTTPRequestHandler) -> None:
        answer(200, b"half", length=8)(request)
        server.ended.wait(SOON)

    server.answer = stall
    reader = server.store().read(KEY)
    begun = time.monotonic()

    with pytest.raises(StoreUnavailable):
        list(reader)

    assert time.monotonic() - begun < SOON


def test_a_connection_that_was_not_read_to_its_end_is_not_used_again(server: Server) -> None:
    def begin(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "8")
        request.end_headers()
        server.ended.wait(SOON)

    store = server.store(retries=0)
    server.answer = begin
    store.read(KEY).close()
    server.answer = answer(200, b"content")

    assert b"".join(store.read(KEY)) == b"content"


@pytest.mark.parametrize("bounds", [(2, None), (0, 3), (2, 4)])
def test_the_whole_object_in_place_of_a_range_is_refused(
    server: Server, bounds: tuple[int, int | None]
) -> None:
    server.answer = answer(200, b"content")

    with pytest.raises(StoreUnavailable, match="range"):
        server.store().read(KEY, *bounds)


def test_a_refusal_is_passed_on_with_its_code(server: Server) -> None:
    server.answer = answer(409, error("OperationAborted"), Content_Type="application/xml")

    with pytest.raises(StoreError, match="OperationAborted"):
        server.store().delete(KEY)


def test_an_endpoint_with_a_scheme_is_refused_with_what_to_write() -> None:
    with pytest.raises(StoreError, match="host:port"):
        S3Store(endpoint="http://store.example/path", region="r", bucket="b", access_key="k", secret_key="s")


def void(_: object) -> None:
    """Discard a value, in a lambda that must return None."""
