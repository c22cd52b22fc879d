"""The client over real HTTP: what it makes, what it tries again, what it raises, and what it never shows."""

from __future__ import annotations

import hashlib
import io
import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from sealmark import errors
from sealmark.calls import Calls
from sealmark.client import KEY_FILE, Client
from tests.client.conftest import Served
from tests.service.acting import A_PDF
from tests.service_fixture import OPERATOR

KEY = "smk_secret-of-the-caller"
ANA = {"mail": "ana@acme.example", "name": "Ana Sample", "company": "Acme"}


def _ready(client: Client) -> str:
    """A report that is ready, with an agreement for all of acme.example."""
    document = client.documents.create(name="SOC 2", kind="soc2-type2", owner_mail="trust@lender.example")
    version = client.versions.create(document["id"], facts={})
    uploaded = client.versions.upload(document["id"], version["id"], io.BytesIO(A_PDF), prefer="wait=9")
    assert uploaded["state"] == "ready"
    client.ndas.create(domain="acme.example", source="contracts", approved=True)
    return document["id"]


def test_a_report_is_lent_from_the_upload_to_the_link(served: Served, client: Client) -> None:
    document = _ready(client)
    made = client.shares.create(document=document, recipient=ANA, purpose="Vendor review")  # type: ignore[arg-type]
    assert made["recipient"]["mail"] == "ana@acme.example"
    assert (made["link"]["url"] or "").startswith(f"{served.url}/s/v1.")
    assert client.shares.show(made["id"])["state"] == "active"
    assert client.shares.revoke(made["id"])["state"] == "revoked"
    assert [entry["share"] for entry in served.service.entries("share.created")] == [made["id"]]


def test_a_list_is_read_over_its_pages(served: Served, client: Client) -> None:
    made = {
        client.documents.create(name=f"Report {at}", kind="other", owner_mail="trust@lender.example")["id"]
        for at in range(7)
    }
    assert {document["id"] for document in client.documents.list(limit=3)} == made
    assert client.documents.create(
        name="Again", kind="other", owner_mail="trust@lender.example", idempotency_key="one"
    ) == client.documents.create(
        name="Again", kind="other", owner_mail="trust@lender.example", idempotency_key="one"
    )
    assert len(list(client.documents.list())) == 8


def test_a_batch_is_begun_waited_for_and_its_links_are_read(served: Served, client: Client) -> None:
    document = _ready(client)
    rows: Any = [{"mail": f"p{at}@acme.example", "name": f"Person {at}"} for at in range(5)]
    batch = client.batches.create(document=document, rows=rows, purpose="Renewal")
    seen: list[str] = []
    done = client.batch_done(
        batch["id"],
        seen=lambda found: seen.append(found["state"]),
        pause=lambda seconds: bool(served.service.sealmark.batch_working.run_once()) and None,
    )
    assert (done["size"], done["problems"], seen) == (5, 0, ["working", "done"])
    links = list(client.batch_links(batch["id"], limit=2, link_life=3600))
    assert [link["number"] for link in links] == [0, 1, 2, 3, 4]
    assert {row["share"] for row in client.batches.rows(batch["id"])} == {link["share"] for link in links}


def test_a_problem_is_an_error_of_its_own_kind(served: Served, client: Client) -> None:
    document = _ready(client)
    with pytest.raises(errors.NdaRequired) as caught:
        client.shares.create(document=document, recipient={**ANA, "mail": "a@other.example"}, purpose="x")  # type: ignore[typeddict-item]
    assert (caught.value.status, caught.value.fields["mail_domain"]) == (409, "other.example")
    assert caught.value.request.startswith("req_")
    with pytest.raises(errors.Invalid, match=r"purpose") as invalid:
        client.shares.create(document=document, recipient=ANA, purpose="")  # type: ignore[arg-type]
    assert invalid.value.errors[0]["where"] == "purpose"
    with pytest.raises(errors.Unauthenticated):
        list(Client(served.url, "smk_nobody").documents.list())


@contextmanager
def _answering(*answers: tuple[int, dict[str, str], bytes] | None) -> Iterator[tuple[str, list[Any]]]:
    """A server that gives these answers one after the other (None: it hangs up), and what it was asked."""
    left, asked = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append((self.command, self.path, dict(self.headers), body))
            given = left.pop(0)
            if given is None:
                self.close_connection = True
                return
            status, fields, content = given
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _problem(status: int, kind: str, **fields: str) -> tuple[int, dict[str, str], bytes]:
    body = {
        "type": f"https://x/problems/{kind}",
        "title": "T",
        "status": status,
        "detail": "D",
        "instance": "req_1",
    }
    return status, {"Content-Type": "application/problem+json", **fields}, json.dumps(body).encode()


DONE = (201, {"Content-Type": "application/json"}, b'{"id": "doc_1"}')


def _create(client: Client) -> Any:
    return client.documents.create(name="N", kind="other", owner_mail="o@lender.example")


def test_a_call_is_tried_again_with_its_key_and_after_the_time_that_was_asked_for() -> None:
    waits: list[float] = []
    answers = (
        _problem(503, "unavailable", **{"Retry-After": "5"}),
        None,
        (502, {"Content-Type": "text/html"}, b"<html>"),
        _problem(409, "idempotency-running", **{"Retry-After": "900"}),
        DONE,
    )
    with _answering(*answers) as (url, asked):
        assert _create(Client(url, KEY, pause=waits.append, chance=lambda: 1.0)) == {"id": "doc_1"}
    assert waits == [5.0, 1.0, 2.0, 30.0]
    keys = {headers["Idempotency-Key"] for _, _, headers, _ in asked}
    assert (len(asked), len(keys)) == (5, 1)
    assert {json.loads(body)["name"] for *_, body in asked} == {"N"}
    assert {"expires_at", "mail_check"}.isdisjoint(json.loads(asked[0][3]))


def test_an_upload_that_is_tried_again_sends_the_whole_file_again() -> None:
    with _answering(_problem(503, "busy"), (200, {"Content-Type": "application/json"}, b"{}")) as (
        url,
        asked,
    ):
        file = io.BytesIO(b"head%PDF whole")
        file.seek(4)
        Client(url, KEY, pause=lambda seconds: None).versions.upload("doc_1", "ver_1", file)
    assert [body for *_, body in asked] == [b"%PDF whole"] * 2


def _lose_an_answer(monkeypatch: pytest.MonkeyPatch, path_end: str) -> list[str]:
    """The first answer of a call to such a path is lost; the paths of all such calls."""
    once, asked = Calls._once, []

    def lossy(self: Calls, method: str, path: str, *rest: Any) -> bytes:
        answer = once(self, method, path, *rest)
        if path.endswith(path_end):
            asked.append(path)
            if len(asked) == 1:
                raise errors.Unreachable("the answer was lost")
        return answer

    monkeypatch.setattr(Calls, "_once", lossy)
    return asked


def test_an_upload_whose_answer_was_lost_is_there_once(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = client.documents.create(name="SOC 2", kind="soc2-type2", owner_mail="trust@lender.example")
    version = client.versions.create(document["id"], facts={})
    nda = client.ndas.create(domain="acme.example", source="contracts")
    asked = _lose_an_answer(monkeypatch, "/file")
    uploaded = client.versions.upload(document["id"], version["id"], io.BytesIO(A_PDF), prefer="wait=9")
    assert (uploaded["state"], len(asked)) == ("ready", 2)
    with pytest.raises(errors.WrongState):
        client.versions.upload(document["id"], version["id"], b"%PDF another")
    asked = _lose_an_answer(monkeypatch, "/evidence")
    assert client.ndas.attach_evidence(nda["id"], io.BytesIO(A_PDF))["evidence"]
    assert len(asked) == 2
    assert [len(served.service.entries(kind)) for kind in ("version.uploaded", "nda.evidence")] == [1, 1]


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_a_decision_whose_answer_was_lost_is_made_once(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch, decision: str
) -> None:
    request = served.service.sealmark.access_requests.ask(
        OPERATOR,
        document_id=_ready(client),
        mail="ana@acme.example",
        name="Ana",
        company="Acme",
        purpose="review",
        language="",
    )
    asked = _lose_an_answer(monkeypatch, f"/{decision}")
    decided = getattr(client.access_requests, decision)(request.id)
    assert decided == client.access_requests.show(request.id)
    assert (decided["state"][:4], len(asked)) == (decision.replace("y", "i")[:4], 2)
    assert len(served.service.mails()) == 1
    with pytest.raises(errors.WrongState):  # with a key of its own it is another decision
        client.access_requests.approve(request.id)


def test_an_idempotency_key_may_be_in_any_alphabet(served: Served, client: Client) -> None:
    keys = ["łukasz@acme.example", "deal №17", "x" * 256, "deal-17"]
    hashed = f"sha256-{hashlib.sha256('deal №17'.encode()).hexdigest()}"  # does not stand for what it is the hash of
    made = [
        client.documents.create(name="N", kind="other", owner_mail="o@lender.example", idempotency_key=key)[
            "id"
        ]
        for key in [*keys, *keys, hashed]
    ]
    assert made[:4] == made[4:8]
    assert len(set(made)) == 5


def test_what_does_not_pass_is_not_tried_again_and_what_stays_is_raised() -> None:
    with (
        _answering(_problem(409, "wrong-state")) as (url, asked),
        pytest.raises(errors.WrongState),
    ):
        _create(Client(url, KEY))
    assert len(asked) == 1
    with _answering(*[_problem(429, "too-many")] * 3) as (url, asked), pytest.raises(errors.TooMany):
        _create(Client(url, KEY, tries=3, pause=lambda seconds: None))
    assert len(asked) == 3
    with _answering(None, None) as (url, _), pytest.raises(errors.Unreachable):
        _create(Client(url, KEY, tries=2, pause=lambda seconds: None))


def test_a_redirect_is_not_followed_and_no_sealmark_is_said_to_be_none() -> None:
    with (
        _answering((302, {"Location": "http://127.0.0.1:1/"}, b"")) as (url, _),
        pytest.raises(errors.AnswerUnreadable),
    ):
        _create(Client(url, KEY))
    with (
        _answering((200, {"Content-Type": "text/html"}, b"<html>")) as (url, _),
        pytest.raises(errors.AnswerUnreadable),
    ):
        _create(Client(url, KEY))
    with _answering(_problem(418, "of-tomorrow")) as (url, _), pytest.raises(errors.ProblemError) as caught:
        _create(Client(url, KEY))
    assert (type(caught.value), caught.value.type) == (errors.ProblemError, "of-tomorrow")


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Type": "application/json"}, b"1" * 4001),
        (409, {"Content-Type": "application/problem+json"}, b"[1]"),
    ],
    ids=["too large", "no problem"],
)
def test_what_no_sealmark_answers_is_said_to_be_unreadable(
    answer: tuple[int, dict[str, str], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealmark.calls.MAX_ANSWER", 4000)
    with _answering(answer) as (url, asked), pytest.raises(errors.AnswerUnreadable):
        _create(Client(url, KEY))
    assert len(asked) == 1


def test_the_key_is_in_no_repr_and_in_no_error() -> None:
    client = Client("http://127.0.0.1:1", KEY, tries=1)
    shown = repr(client) + repr(vars(client)["_calls"]) + str(client)
    with pytest.raises(errors.Unreachable) as caught:
        _create(client)
    error = caught.value
    shown += "".join(traceback.format_exception(error)) + repr(error.__cause__)
    with (
        _answering(_problem(401, "unauthenticated")) as (url, _),
        pytest.raises(errors.Unauthenticated) as refused,
    ):
        _create(Client(url, KEY))
    assert KEY not in shown + "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://reports.acme.example", KEY),
        ("ftp://reports.acme.example", KEY),
        ("https://user:pass@reports.acme.example", KEY),
        ("https://[::1", KEY),
        ("https://reports.acme.example:99999", KEY),
        ("https://reports.acme.example", ""),
        ("https://reports.acme.example", "smk_a\nX: y"),
    ],
)
def test_a_key_does_not_go_in_the_clear_nor_into_another_header(url: str, key: str) -> None:
    with pytest.raises(errors.SealmarkError) as caught:
        Client(url, key)
    assert not key or key not in str(caught.value)


def test_the_key_comes_out_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_FILE, raising=False)
    with pytest.raises(errors.SealmarkError, match=KEY_FILE):
        Client.with_key_file("http://127.0.0.1:1")
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "key"))
    with pytest.raises(errors.SealmarkError, match="cannot be read"):
        Client.with_key_file("http://127.0.0.1:1")
    (tmp_path / "key").write_text(f"{KEY}\n")
    with _answering((200, {"Content-Type": "application/json"}, b'{"items": [], "next": null}')) as (
        url,
        asked,
    ):
        assert list(Client.with_key_file(url).documents.list()) == []
    assert asked[0][2]["Authorization"] == f"Bearer {KEY}"
