"""Time stamps of signed records, by a real authority: what does not verify is not kept, and nothing waits for them."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from service.adapters.tsa import Rfc3161Authority
from service.adapters.witness_http import HttpPosts
from service.app import build
from service.errors import DomainError, Problem
from service.records import Nda, Signature
from service.settings import SettingError, load
from service.timestamps import FIRST_RETRY, LAST_RETRY, NoTimestamp, Timestamps
from tests.servers.tsa import Tsa, running_tsa
from tests.service.signing_cases import Waiting, a_waiting_share
from tests.service_fixture import OPERATOR, URL, Service, service_in

BASE = {"SEALMARK_URL": URL, "SEALMARK_KEY": "file:/etc/sealmark/master.key"}


@pytest.fixture
def tsa(tmp_path: Path) -> Iterator[Tsa]:
    with running_tsa(tmp_path / "tsa") as running:
        yield running


def settings_for(tsa: Tsa) -> dict[str, str]:
    return {"SEALMARK_TSA": tsa.url, "SEALMARK_TSA_CA_FILE": str(tsa.root)}


@pytest.fixture
def service(tmp_path: Path, tsa: Tsa) -> Iterator[Service]:
    with service_in(tmp_path, environ=settings_for(tsa)) as made:
        yield made


@pytest.fixture
def signed(service: Service) -> tuple[Waiting, Nda]:
    waiting = a_waiting_share(service)
    return waiting, waiting.sign()


def stamp_of(service: Service, nda: Nda) -> bytes | None:
    with service.sealmark.database.read() as records:
        (found,) = records.find(Signature, nda_id=nda.id)
    return found.timestamp


def record_of(service: Service, nda: Nda) -> bytes:
    return b"".join(service.sealmark.nda_files.pull(OPERATOR, nda.id).pieces)


def test_after_the_signing_the_worker_has_the_record_stamped_and_openssl_agrees(
    service: Service, signed: tuple[Waiting, Nda], tsa: Tsa
) -> None:
    _, nda = signed
    assert tsa.asked == []
    with pytest.raises(DomainError) as caught:
        service.sealmark.nda_files.timestamp(nda.id)
    assert caught.value.problem == Problem.NOT_FOUND
    assert service.sealmark.timestamps.run_once()
    assert not service.sealmark.timestamps.run_once()
    stamp, record = service.sealmark.nda_files.timestamp(nda.id), record_of(service, nda)
    assert tsa.verifies(stamp, record)
    assert not tsa.verifies(stamp, record + b" ")
    (entry,) = service.entries("nda.timestamped")
    with service.sealmark.database.read() as records:
        (signature,) = records.find(Signature, nda_id=nda.id)
    assert json.loads(entry["details"]) == {"signature": signature.id, "record": signature.record_sha256}
    assert (entry["nda"], entry["recipient"], entry["actor_type"]) == (nda.id, nda.recipient_id, "worker")
    assert signature.record_sha256 in {asked.hex()[at : at + 64] for asked in tsa.asked for at in range(200)}


def test_a_pack_of_evidence_has_the_record_with_its_time_stamp(
    service: Service, signed: tuple[Waiting, Nda], tsa: Tsa
) -> None:
    waiting, nda = signed
    for stamped in (False, True):
        service.entries()
        pack = service.sealmark.evidence.pull(OPERATOR, share=waiting.share.id)
        with zipfile.ZipFile(io.BytesIO(b"".join(pack.pieces))) as opened:
            names = [name for name in opened.namelist() if name.startswith("nda/")]
            record = opened.read(f"nda/{nda.id}.pdf")
            assert (f"nda/{nda.id}.tsr" in names) == stamped
            if stamped:
                assert tsa.verifies(opened.read(f"nda/{nda.id}.tsr"), record)
            agreement = json.loads(opened.read("facts.json"))["agreements"][0]
        assert agreement["evidence"]["sha256"] == hashlib.sha256(record).hexdigest()
        service.sealmark.timestamps.run_once()


def test_the_worker_does_it(service: Service, signed: tuple[Waiting, Nda], tsa: Tsa) -> None:
    assert "timestamps" in [task.name for task in service.sealmark.worker()._tasks]


FAULTS = {
    "cut": lambda tsa: setattr(tsa, "distort", lambda reply: reply[:-10]),
    "nothing": lambda tsa: setattr(tsa, "distort", lambda reply: b""),
    "a bit of the signature": lambda tsa: setattr(
        tsa, "distort", lambda reply: reply[:-5] + bytes([reply[-5] ^ 1]) + reply[-4:]
    ),
    "not found": lambda tsa: setattr(tsa, "status", 404),
    "a page": lambda tsa: setattr(tsa, "kind", "text/html"),
    "longer than any": lambda tsa: setattr(tsa, "distort", lambda reply: reply + bytes(70_000)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_verify_is_not_kept_and_asked_for_again_later(
    service: Service, signed: tuple[Waiting, Nda], tsa: Tsa, fault: str
) -> None:
    _, nda = signed
    FAULTS[fault](tsa)
    assert not service.sealmark.timestamps.run_once()
    assert len(tsa.asked) == 1
    assert not service.sealmark.timestamps.run_once()  # not yet
    assert len(tsa.asked) == 1
    assert stamp_of(service, nda) is None
    assert service.entries("nda.timestamped") == []
    tsa.distort, tsa.status, tsa.kind = lambda reply: reply, 200, "application/timestamp-reply"
    service.clock.now += FIRST_RETRY
    assert service.sealmark.timestamps.run_once()
    assert tsa.verifies(stamp_of(service, nda) or b"", record_of(service, nda))


def test_a_good_stamp_over_another_request_is_not_kept(
    service: Service, signed: tuple[Waiting, Nda], tsa: Tsa
) -> None:
    _, nda = signed
    replies: list[bytes] = []

    def replayed(reply: bytes) -> bytes:
        replies.append(reply)
        return replies[0]

    tsa.distort = replayed
    with service.sealmark.database.write() as records:
        (signature,) = records.find(Signature, nda_id=nda.id)
    assert service.sealmark.timestamps.run_once()
    with service.sealmark.database.write() as records:
        records.change(signature, timestamp=None)
    assert not service.sealmark.timestamps.run_once()  # the same record, the nonce of the first request
    assert stamp_of(service, nda) is None


def test_a_stamp_of_an_authority_that_is_not_ours_is_not_kept(
    service: Service, signed: tuple[Waiting, Nda], tsa: Tsa, tmp_path: Path
) -> None:
    with running_tsa(tmp_path / "other") as other:
        tsa.distort = lambda _: other.reply(tsa.asked[-1])
        assert not service.sealmark.timestamps.run_once()
    assert stamp_of(service, signed[1]) is None


def test_an_authority_that_refuses_is_asked_again(tmp_path: Path) -> None:
    with (
        running_tsa(tmp_path / "tsa", digests="sha512") as tsa,
        service_in(tmp_path, environ=settings_for(tsa)) as service,
    ):
        nda = a_waiting_share(service).sign()
        assert not service.sealmark.timestamps.run_once()
        assert len(tsa.asked) == 1
        assert stamp_of(service, nda) is None


def test_an_authority_may_send_its_certificates_in_any_order(tmp_path: Path) -> None:
    for number in range(4):  # the order is that of random keys
        folder = tmp_path / str(number)
        with (
            running_tsa(folder / "tsa", chain=True) as tsa,
            service_in(folder, environ=settings_for(tsa)) as service,
        ):
            nda = a_waiting_share(service).sign()
            assert service.sealmark.timestamps.run_once()
            assert tsa.verifies(stamp_of(service, nda) or b"", record_of(service, nda))


def test_an_authority_that_is_away_gives_no_stamp(tsa: Tsa) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    roots = x509.load_pem_x509_certificates(tsa.root.read_bytes())
    with pytest.raises(NoTimestamp, match="not reached"):
        Rfc3161Authority(url, roots, HttpPosts()).stamp(b"content")


def test_a_stamp_over_another_hash_is_none(tsa: Tsa) -> None:
    roots = x509.load_pem_x509_certificates(tsa.root.read_bytes())
    authority = Rfc3161Authority(tsa.url, roots, HttpPosts())
    asked = TimestampRequestBuilder().data(b"x").hash_algorithm(HashAlgorithm.SHA512).build()
    config = tsa.folder / "tsa.cnf"
    config.write_text(config.read_text().replace("digests = sha256", "digests = sha256, sha512"))
    tsa.distort = lambda _: tsa.reply(asked.as_bytes())
    with pytest.raises(NoTimestamp, match="another hash"):
        authority.stamp(b"x")


@pytest.mark.parametrize(
    "reply", [b"", b"0", b"0\x80", b"0\x03\x02\x01\x00", b"\x04\x00", b"0\x84\xff\xff\xff\xff", b"0\x00"]
)
def test_what_is_no_reply_is_refused(tsa: Tsa, reply: bytes) -> None:
    tsa.distort = lambda _: reply
    roots = x509.load_pem_x509_certificates(tsa.root.read_bytes())
    with pytest.raises(NoTimestamp):
        Rfc3161Authority(tsa.url, roots, HttpPosts()).stamp(b"content")


def test_retries_come_less_and_less_often(service: Service, signed: tuple[Waiting, Nda], tsa: Tsa) -> None:
    tsa.status = 503
    wait = FIRST_RETRY
    for number in range(1, 12):
        assert not service.sealmark.timestamps.run_once()
        assert len(tsa.asked) == number
        service.clock.now += wait - timedelta(microseconds=1)
        assert not service.sealmark.timestamps.run_once()
        assert len(tsa.asked) == number
        service.clock.now += timedelta(microseconds=1)
        wait = min(2 * wait, LAST_RETRY)


def test_a_record_that_cannot_be_had_holds_up_no_other(
    service: Service, signed: tuple[Waiting, Nda], tsa: Tsa
) -> None:
    waiting, first = signed
    other = a_waiting_share(
        service, text=waiting.text, document=waiting.document, mail="bob@acme.example", name="Bob"
    ).sign()
    nda = service.sealmark.ndas.get(first.id)
    with service.sealmark.database.write() as records:
        objects = [blob.key for blob in service.sealmark.store.list("objects/evidence/")]
        assert records.get(Nda, nda.id)
    (key,) = [key for key in objects if key.endswith(str(nda.evidence_id))]
    service.sealmark.store.put(key, [b"broken"])
    done = []
    for _ in range(3):
        done.append(service.sealmark.timestamps.run_once())
        service.clock.now += LAST_RETRY
    assert True in done
    assert (stamp_of(service, nda), stamp_of(service, other) is None) == (None, False)


def test_of_two_workers_one_stamp_is_kept_with_one_entry(
    service: Service, signed: tuple[Waiting, Nda], tsa: Tsa, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, nda = signed
    sealmark = service.sealmark
    authority = sealmark.timestamps._authority
    second = Timestamps(sealmark.database, sealmark.objects, authority, sealmark.clock, sealmark.random)
    assert authority is not None
    ask = authority.stamp
    monkeypatch.setattr(authority, "stamp", lambda content: (second.run_once(), ask(content))[1])
    monkeypatch.setattr(second, "_authority", type("Once", (), {"stamp": staticmethod(ask)})())
    assert sealmark.timestamps.run_once()
    assert len(service.entries("nda.timestamped")) == 1
    assert tsa.verifies(stamp_of(service, nda) or b"", record_of(service, nda))


def test_without_an_authority_nothing_is_asked_and_one_that_comes_later_stamps_what_was_signed_before(
    tmp_path: Path, tsa: Tsa
) -> None:
    with service_in(tmp_path) as before:
        nda = a_waiting_share(before).sign()
        assert not before.sealmark.timestamps.run_once()
    with service_in(tmp_path, environ=settings_for(tsa)) as after:
        assert after.sealmark.timestamps.run_once()
        assert tsa.verifies(stamp_of(after, nda) or b"", record_of(after, nda))


def test_an_authority_is_named_with_its_certificates_and_asked_over_https(tmp_path: Path, tsa: Tsa) -> None:
    assert load(BASE).tsa is None
    chosen = load({**BASE, "SEALMARK_TSA": "https://tsa.example/x", "SEALMARK_TSA_CA_FILE": "/ca.pem"})
    assert (chosen.tsa, chosen.tsa_ca_file) == ("https://tsa.example/x", Path("/ca.pem"))
    for wrong in (
        "http://tsa.example/x",
        "https://user:pass@tsa.example/x",
        "tsa.example",
        "ftp://tsa.example",
        "https://[bad",
    ):
        with pytest.raises(SettingError, match="SEALMARK_TSA:"):
            load({**BASE, "SEALMARK_TSA": wrong, "SEALMARK_TSA_CA_FILE": "/ca.pem"})
    with pytest.raises(SettingError, match="SEALMARK_TSA_CA_FILE: is missing"):
        load({**BASE, "SEALMARK_TSA": "https://tsa.example/x"})
    data = {**BASE, "SEALMARK_DATA": str(tmp_path / "data"), "SEALMARK_TSA": tsa.url}
    for content in ("no certificate", (tsa.folder / "tsa.pem").read_text()):
        (tmp_path / "ca.pem").write_text(content)
        with pytest.raises(SettingError, match="SEALMARK_TSA_CA_FILE: the file"):
            build(load({**data, "SEALMARK_TSA_CA_FILE": str(tmp_path / "ca.pem")}))
