"""A checkpoint gets each valid signature of a witness and no other; what others do not do holds up nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto import notes
from crypto.errors import WitnessRefusal
from crypto.logcheck import CheckFailed, Checkpoint
from crypto.witness import WitnessKey, decode
from service.adapters.witness_http import HttpPosts
from service.records import LogCheckpoint
from service.standalone.errors import FileUnusable
from service.witness.application import Witness
from service.witness.state import State
from service.witnessing import (
    MAX_POSTS,
    MAX_WITNESSES,
    SIZE_TYPE,
    Address,
    Answer,
    NoAnswer,
    Others,
    Posting,
    Witnessing,
    read_posts,
    read_witnesses,
)
from tests.service.test_checkpoints import published, settled, with_parts
from tests.service_fixture import Service
from tests.witnesses import ALog, entries, running_witness

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LOG = ALog(entries(40))
FORK = ALog(entries(40, fork_at=5))
KEYS = [WitnessKey(f"witness.example/w{n}", bytes([n + 10]) * 32) for n in range(3)]
TOKEN = "s3cr3t-token"
"""In the URLs of these tests: it may be in no log line."""

Answering = Callable[[str, bytes], Answer]


class Fake:
    """Answers by the first part of the URL's path; keeps what it was asked."""

    def __init__(self, answering: Mapping[str, Answering]) -> None:
        self._answering = answering
        self.asked: list[tuple[str, int]] = []
        self.sent: list[tuple[str, str, bytes, int]] = []

    def post(self, url: str, kind: str, body: bytes, wanted: int) -> Answer:
        self.sent.append((url, kind, body, wanted))
        name = url.split("/")[3]
        if wanted:
            assert url.endswith(f"/{TOKEN}/add-checkpoint")
            self.asked.append((name, decode(body).old))
        return self._answering[name](url, body)


def real(folder: Path, key: WitnessKey, log: ALog = LOG) -> Answering:
    """A witness as it ships, without its process."""
    state = State(folder / key.name.replace("/", "-"), key.public)
    state.take()
    witness = Witness(key, [log.key], state, lambda: NOW)

    def answer(_: str, body: bytes) -> Answer:
        try:
            return Answer(200, "text/plain", witness.add_checkpoint(body).encode())
        except WitnessRefusal as refusal:
            if refusal.size is not None:
                return Answer(refusal.status, SIZE_TYPE, f"{refusal.size}\n".encode())
            return Answer(refusal.status, "text/plain", b"no\n")

    return answer


def away(_: str, __: bytes) -> Answer:
    raise NoAnswer("too slow")


def always(status: int, kind: str = "text/plain", body: bytes = b"") -> Answering:
    return lambda _, __: Answer(status, kind, body)


def checkpoint(size: int, log: ALog = LOG, note: str | None = None) -> LogCheckpoint:
    return LogCheckpoint("chk_1", log.origin, size, log.root(size), note or log.note(size), NOW)


def witnessing(fake: Fake, count: int = 1) -> Witnessing:
    lines = [f"{key.public.encode()} https://w.example/w{n}/{TOKEN}/" for n, key in enumerate(KEYS[:count])]
    return Witnessing(read_witnesses("\n".join(lines)), fake)


def signers(note: str) -> list[str]:
    """Whose valid signatures the note has, those of the log aside."""
    read = Checkpoint.decode(note)
    assert read.signed_by(LOG.key) == 0
    assert len(read.lines) == 1 + sum(read.signed_by(key.public) is not None for key in KEYS)
    return [key.name[-2:] for key in KEYS if read.signed_by(key.public) is not None]


def proof(size: int, log: ALog = LOG) -> Callable[[int], list[bytes]]:
    return lambda old: log.proof(old, size)


@pytest.fixture(autouse=True)
def no_token(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert TOKEN not in "".join(str(record.__dict__) for record in caplog.records)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """The level and the reason of each line of the log."""
    ours = [record for record in caplog.records if record.name == "sealmark.witnessing"]
    return [(record.levelname, str(record.__dict__["why"])) for record in ours]


def test_all_witnesses_sign_and_the_next_checkpoint_goes_on_from_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake = Fake({f"w{n}": real(tmp_path, key) for n, key in enumerate(KEYS)})
    asking = witnessing(fake, 3)
    assert signers(asking.cosign(checkpoint(9), proof(9))) == ["w0", "w1", "w2"]
    assert signers(asking.cosign(checkpoint(17), proof(17))) == ["w0", "w1", "w2"]
    assert sorted(fake.asked) == sorted((f"w{n}", old) for n in range(3) for old in (0, 9))
    assert told(caplog) == []


def test_after_a_start_the_witness_names_the_size_that_it_holds_and_is_asked_once_again(
    tmp_path: Path,
) -> None:
    fake = Fake({"w0": real(tmp_path, KEYS[0])})
    witnessing(fake).cosign(checkpoint(9), proof(9))
    assert signers(witnessing(fake).cosign(checkpoint(17), proof(17))) == ["w0"]
    assert fake.asked == [("w0", 0), ("w0", 0), ("w0", 9)]


def test_a_checkpoint_that_was_signed_meanwhile_is_signed_again_and_one_that_has_the_signature_is_not_asked_for(
    tmp_path: Path,
) -> None:
    fake = Fake({"w0": real(tmp_path, KEYS[0])})
    note = witnessing(fake).cosign(checkpoint(9), proof(9))
    assert signers(witnessing(fake).cosign(checkpoint(9), proof(9))) == ["w0"]
    asked = len(fake.asked)
    assert witnessing(fake).cosign(checkpoint(9, note=note), proof(9)) == note
    assert len(fake.asked) == asked


def test_a_witness_that_is_away_is_left_out_and_asked_with_the_next_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answering = {"w0": away, "w1": real(tmp_path, KEYS[1])}
    asking = witnessing(Fake(answering), 2)
    assert signers(asking.cosign(checkpoint(9), proof(9))) == ["w1"]
    assert told(caplog) == [("WARNING", "no answer: too slow")]
    answering["w0"] = real(tmp_path, KEYS[0])
    assert signers(asking.cosign(checkpoint(17), proof(17))) == ["w0", "w1"]


OTHER_LINE = KEYS[0].cosign(LOG.text(8), 1)


@pytest.mark.parametrize(
    ("answer", "level", "why"),
    [
        (always(200, body=b"thanks\n"), "ERROR", ""),
        (always(200), "ERROR", ""),
        (always(200, body=OTHER_LINE.encode()), "ERROR", "the signature of witness.example/w0"),
        (always(200, body=KEYS[1].cosign(LOG.text(9), 1).encode()), "ERROR", "the witness did not sign"),
        (always(302), "WARNING", "it refused with status 302"),
        (always(404), "WARNING", "it refused with status 404"),
        (always(500, SIZE_TYPE, b"3\n"), "WARNING", "it refused with status 500"),
        (always(422), "ERROR", "it refused with status 422"),
        (always(409, body=b"3\n"), "ERROR", "it refused with status 409"),
        (always(409, SIZE_TYPE, b"3"), "ERROR", "it refused with status 409"),
        (always(409, SIZE_TYPE, b"0\n"), "ERROR", "it holds another tree of this size"),
        (always(409, SIZE_TYPE, b"10\n"), "ERROR", "it holds a larger log than ours"),
        (always(409, SIZE_TYPE, b"-1\n"), "ERROR", "it refused with status 409"),
    ],
)
def test_what_is_no_signature_of_the_witness_is_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: Answering, level: str, why: str
) -> None:
    fake = Fake({"w0": answer, "w1": real(tmp_path, KEYS[1])})
    assert signers(witnessing(fake, 2).cosign(checkpoint(9), proof(9))) == ["w1"]
    assert [said for said, _ in told(caplog)] == [level]
    assert why in told(caplog)[0][1]
    assert [name for name, _ in fake.asked].count("w0") == 1


def test_a_witness_whose_size_moves_each_time_is_asked_twice_only(caplog: pytest.LogCaptureFixture) -> None:
    sizes = iter(range(1, 9))
    fake = Fake({"w0": lambda _, __: Answer(409, SIZE_TYPE, f"{next(sizes)}\n".encode())})
    assert signers(witnessing(fake).cosign(checkpoint(9), proof(9))) == []
    assert fake.asked == [("w0", 0), ("w0", 1)]
    assert told(caplog) == [("WARNING", "another process had it sign meanwhile")]


def test_a_witness_that_saw_another_branch_refuses_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake = Fake({"w0": real(tmp_path, KEYS[0])})
    witnessing(fake).cosign(checkpoint(9, FORK), proof(9, FORK))
    assert signers(witnessing(fake).cosign(checkpoint(9), proof(9))) == []
    assert signers(witnessing(fake).cosign(checkpoint(17), proof(17))) == []
    assert told(caplog)[-1] == ("ERROR", "it refused with status 422")
    assert "another tree of this size" in "".join(why for _, why in told(caplog))


def test_a_log_that_went_back_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fake = Fake({"w0": real(tmp_path, KEYS[0])})
    asking = witnessing(fake)
    asking.cosign(checkpoint(17), proof(17))
    assert signers(asking.cosign(checkpoint(9), proof(9))) == []
    assert told(caplog) == [("WARNING", "it signed a larger checkpoint already")]
    assert signers(witnessing(fake).cosign(checkpoint(9), proof(9))) == []
    assert told(caplog)[-1][0] == "ERROR"


def test_a_new_origin_begins_at_nothing(tmp_path: Path) -> None:
    other = ALog(entries(40), origin="reports.lender.example/log_2")
    asking = witnessing(Fake({"w0": real(tmp_path, KEYS[0])}))
    asking.cosign(checkpoint(17), proof(17))
    (tmp_path / "two").mkdir()
    fake = Fake({"w0": real(tmp_path / "two", KEYS[0], other)})
    asking._posts = fake
    note = asking.cosign(checkpoint(3, other), proof(3, other))
    assert Checkpoint.decode(note).signed_by(KEYS[0].public)
    assert fake.asked == [("w0", 0)]


def test_a_proof_too_long_for_a_witness_is_not_sent_and_one_that_fails_is_our_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake = Fake({"w0": real(tmp_path, KEYS[0])})
    asking = witnessing(fake)
    asking.cosign(checkpoint(9), proof(9))
    assert signers(asking.cosign(checkpoint(17), lambda _: [bytes(32)] * 64)) == []
    assert "too long" in told(caplog)[-1][1]

    def broken(_: int) -> list[bytes]:
        raise FileUnusable("away")

    with pytest.raises(FileUnusable):
        asking.cosign(checkpoint(17), broken)


def test_without_witnesses_nothing_changes() -> None:
    assert Witnessing((), Fake({})).cosign(checkpoint(9), proof(9)) == LOG.note(9)
    Posting((), Fake({})).post(LOG.note(9))


def test_a_checkpoint_is_posted_as_it_is_to_each_url_and_failures_are_told_by_their_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake = Fake({"a": always(204), "b": away, "c": always(301), "d": always(200)})
    addresses = read_posts("".join(f"https://h.example/{name}/{TOKEN}?t={TOKEN}\n" for name in "abcd"))
    assert TOKEN not in repr(addresses)
    Posting(addresses, fake).post(LOG.note(9))
    assert sorted(url for url, *_ in fake.sent) == [address.url for address in addresses]
    assert {rest for _, *rest_ in fake.sent for rest in [tuple(rest_)]} == {
        ("text/plain; charset=utf-8", LOG.note(9).encode(), 0)
    }
    lines = [(record.__dict__["line"], record.__dict__["why"]) for record in caplog.records]
    assert lines == [(2, "too slow"), (3, "status 301")]


def test_what_the_service_publishes_and_posts_has_the_signature_of_a_real_witness(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake = Fake({"auditor": always(204)})
    settled(service, 3)
    service.sealmark.checkpoints.cover()  # gives the log its origin and key, before there was a witness
    (log_key,) = service.sealmark.checkpoints.public_keys()
    with running_witness(tmp_path, log_key) as witness:
        listed = read_witnesses(f"{witness.key.public.encode()} {witness.url}")
        posting = Posting(read_posts(f"https://h.example/auditor/{TOKEN}"), fake)
        checkpoints = with_parts(service, cosigner=Others(Witnessing(listed, HttpPosts()), posting))
        for _ in range(3):
            settled(service, 7)
            service.clock.advance(seconds=2)
            checkpoints.cover()
            checkpoints.run_once()
            found = published(service)
            assert found is not None
            assert found.size == len(service.entries())
            assert found.signed_by(log_key) == 0
            assert found.signed_by(witness.key.public)
            assert Checkpoint.decode(fake.sent[-1][2].decode()) == found
    assert told(caplog) == []


VKEY, OTHER = KEYS[0].public.encode(), KEYS[1].public.encode()


def test_the_list_of_witnesses_is_read() -> None:
    text = f"# ours\n\n{VKEY} https://w.example/prefix\n{OTHER}   http://127.0.0.1:8090\n"
    first, second = read_witnesses(text)
    assert (first.key, first.address) == (KEYS[0].public, Address(3, "https://w.example/prefix"))
    assert second.address == Address(4, "http://127.0.0.1:8090")
    assert read_posts("http://localhost/x?y=1\nhttp://[::1]:80/\n# no\n") == (
        Address(1, "http://localhost/x?y=1"),
        Address(2, "http://[::1]:80/"),
    )


SAME_KEY = WitnessKey("witness.example/again", KEYS[0].secret).public.encode()
SAME_NAME = WitnessKey(KEYS[0].name, bytes(32)).public.encode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{TOKEN}\n", "line 1 does not begin with the public key of a witness"),
        (f"# x\n{LOG.key.encode()} https://w.example\n", "line 2 does not begin"),
        (f"{VKEY[:-4]} https://w.example\n", "line 1 does not begin"),
        (VKEY, "line 1 holds no URL"),
        (f"{VKEY} ftp://w.example/{TOKEN}", "line 1 must be https"),
        (f"{VKEY} http://w.example/{TOKEN}", "line 1 must be https"),
        (f"{VKEY} https://a:{TOKEN}@w.example/", "line 1 holds a user or password"),
        (f"{VKEY} https://w.example/{TOKEN}#x", "line 1 holds no URL"),
        (f"{VKEY} https://w.example/{TOKEN} x", "line 1 holds no URL"),
        (f"{VKEY} https://w.example/{TOKEN}\x7f", "line 1 holds no URL"),
        (f"{VKEY} https://w.example:99999/{TOKEN}", "line 1 holds no URL"),
        (f"{VKEY} https://[w/{TOKEN}", "line 1 holds no URL"),
        (f"{VKEY} https://wé.example/{TOKEN}", "line 1 holds no URL"),
        (f"{VKEY} https://w.example/?t={TOKEN}", "line 1 names a prefix with a query"),
        (f"{VKEY} https://w.example\n{VKEY} https://x.example\n", "line 2 names a witness"),
        (f"{VKEY} https://w.example\n{SAME_KEY} https://x.example\n", "line 2 names a witness"),
        (f"{VKEY} https://w.example\n{SAME_NAME} https://x.example\n", "line 2 names a witness"),
    ],
)
def test_a_list_that_cannot_be_is_refused_by_its_line_and_not_repeated(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        read_witnesses(text)
    assert TOKEN not in str(refused.value)
    assert refused.value.__cause__ is None


def test_lists_have_an_end() -> None:
    many = [WitnessKey(f"w{n}", bytes([n]) * 32).public.encode() for n in range(MAX_WITNESSES + 1)]
    lines = [f"{vkey} https://w.example" for vkey in many]
    assert len(read_witnesses("\n".join(lines[:-1]))) == MAX_WITNESSES
    with pytest.raises(ValueError, match="more than 14 witnesses"):
        read_witnesses("\n".join(lines))
    with pytest.raises(ValueError, match="more than 16 URLs"):
        read_posts("https://w.example\n" * (MAX_POSTS + 1))


def test_a_real_witness_over_real_http_signs_and_refuses_a_fork(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_witness(tmp_path, LOG.key) as witness:
        listed = read_witnesses(f"{witness.key.public.encode()} {witness.url}")
        asking = Witnessing(listed, HttpPosts())
        for size in (5, 9, 40):
            note = asking.cosign(checkpoint(size), proof(size))
            assert Checkpoint.decode(note).signed_by(witness.key.public)
        again = Witnessing(listed, HttpPosts())
        assert Checkpoint.decode(again.cosign(checkpoint(40), proof(40))).signed_by(witness.key.public)
        assert told(caplog) == []
        forked = again.cosign(checkpoint(40, FORK), proof(40, FORK))
        assert forked == FORK.note(40)
    assert told(caplog) == [("ERROR", "it holds another tree of this size: a fork?")]
    assert asking.cosign(checkpoint(40), proof(40)) == LOG.note(40)
    assert told(caplog)[-1] == ("WARNING", "no answer: not reached")


def test_a_key_that_signed_wrongly_in_our_own_note_is_a_failure() -> None:
    broken = notes.note(LOG.text(9), notes.sign(LOG.text(9), LOG.origin, LOG.secret), OTHER_LINE)
    with pytest.raises(CheckFailed):
        witnessing(Fake({})).cosign(checkpoint(9, note=broken), proof(9))
