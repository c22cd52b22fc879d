"""One person about whom everything is known, by one word that stands nowhere else; and where the word is looked for."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from service.adapters.sql.tables import metadata
from service.audit import Actor
from service.erased import Revealed
from service.records import (
    Batch,
    BatchRow,
    Check,
    Classification,
    Event,
    Kind,
    LoggedEntry,
    Message,
    Receiver,
    Recipient,
    RuleKind,
    Session,
    Signature,
)
from tests.servers.postgresql import PostgresqlServer
from tests.service_fixture import OPERATOR, URL, Service
from tests.web.recipient.lending import Lent, lend

WORD = "qz7xkestrel"
PERSON = {"mail": f"{WORD}@{WORD}.example", "name": f"Ana {WORD}", "company": f"{WORD} Ltd"}
ADDRESS = "203.0.113.77"


@dataclass
class Known:
    """The service, the person, and the path of their link."""

    service: Service
    lent: Lent
    key: str
    asked: dict[str, Any]
    recipient: str = ""
    nda: str = ""
    path: str = ""

    @property
    def entries(self) -> list[LoggedEntry]:
        """All entries that concern the person, in order."""
        with self.service.sealmark.database.read() as records:
            return records.find(LoggedEntry, order="index", recipient=self.recipient)

    @property
    def record(self) -> Recipient:
        return self.service.sealmark.recipients.get(self.recipient)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Call the API, always with the same Idempotency-Key for the same path."""
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Idempotency-Key": path,
            "User-Agent": "deal desk",
        }
        return self.lent.app.test_client().post(path, json=body, base_url=URL, headers=headers)

    def visit(self) -> None:
        """Look at the page and download, from a browser that says the word."""
        fields = {"User-Agent": f"Browser {WORD}"}
        overrides = {"REMOTE_ADDR": ADDRESS}
        self.lent.browser.get(self.path, headers=fields, environ_overrides=overrides)
        asked = self.lent.browser.post(self.path, headers=fields, environ_overrides=overrides)
        assert asked.status_code == 303
        sent = self.lent.browser.get(asked.headers["Location"], headers=fields, environ_overrides=overrides)
        assert sent.status_code == 200

    def erase(self) -> Recipient:
        """Erase the person, and all that is left of them."""
        erased = self.service.sealmark.erasing.begin(OPERATOR, self.recipient)
        assert self.service.sealmark.erasing.finish(self.recipient)
        while self.service.sealmark.discarding.run_once():
            pass
        return erased


def everything_about_one(service: Service) -> Known:
    """A person with an agreement, its evidence, a share, copies, downloads, kept answers, a request, a hold that was
    released, entries in an archive, in the tree and in the inbox. Beside them a person of whom nothing may go."""
    lent = lend(service)
    asked = {"document": lent.document.id, "recipient": PERSON, "purpose": f"for {WORD}"}
    known = Known(service, lent, service.api_key(), asked)
    agreement = {"recipient": PERSON, "source": "paper", "reference": f"no {WORD}", "approved": True}
    known.nda = made(known.post("/v1/ndas", agreement))["id"]
    service.sealmark.ndas.attach_evidence(OPERATOR, known.nda, [f"%PDF-1.7 {WORD}".encode()])
    share = made(known.post("/v1/shares", asked))
    known.recipient = share["recipient"]["id"]
    known.path = share["link"]["url"].removeprefix(URL)
    with service.sealmark.database.write() as records:
        records.change(known.record, language=WORD)
    service.sealmark.sharing.send(OPERATOR, share["id"])
    hold = service.sealmark.holds.place(OPERATOR, recipient=known.recipient, reason=f"about {WORD}")
    service.sealmark.holds.release(OPERATOR, hold.id)
    _ask_for_access(service, lent)
    _leave_all_else(service, known)
    known.visit()
    lent.browser.get(lent.path)
    service.work()
    service.clock.now += timedelta(days=2)
    while service.sealmark.archives.run_once():
        pass
    known.visit()
    service.work()
    known.visit()  # its entries wait in the inbox
    return known


def _ask_for_access(service: Service, lent: Lent) -> None:
    """A request of theirs that waits, and a list on which they stand, for another document."""
    sealmark = service.sealmark
    rule = sealmark.access_rules.add(OPERATOR, kind=RuleKind.LIST, document_id=lent.document.id)
    sealmark.access_rules.put_members(OPERATOR, rule.id, [PERSON["mail"], "beside@acme.example"])
    other = sealmark.documents.create(
        OPERATOR,
        name="Another report",
        kind=Kind.PENTEST,
        classification=Classification.NDA,
        owner_mail="owner@lender.example",
    )
    sealmark.access_requests.ask(
        STRANGER, document_id=other.id, **PERSON, purpose=f"for {WORD}", language=WORD
    )


def _leave_all_else(service: Service, known: Known) -> None:
    """A row of theirs in each table that holds them in the course of something only."""
    now, mail = service.clock(), PERSON["mail"]
    later = now + timedelta(days=30)
    text = service.sealmark.nda_texts.add(OPERATOR, markdown="# Terms\n\nKeep it to yourself.")
    whose: dict[str, Any] = {"recipient_id": known.recipient, "mail": mail}
    batch = Batch("bat_1", known.lent.document.id, 1, now)
    receiver = Receiver("whr_1", "https://crm.lender.example/hook", [], "sealed", now)
    with service.sealmark.database.write() as records:
        records.add(
            Message("msg_1", "link", "shr_1", **whose, language=f"x-{WORD}", created_at=now, run_after=later),
            Check("mck_1", known.lent.document.id, **whose, browser="hash", created_at=now),
            Session("hash", known.lent.document.id, **whose, created_at=now, until=later),
            Signature(
                "sig_1",
                known.nda,
                text.id,
                known.recipient,
                known.lent.share.id,
                name=WORD,
                mail=mail,
                company=WORD,
                address=WORD,
                agent=WORD,
                consents=[],
                signed_at=now,
                record_sha256="",
            ),
            batch,
            receiver,
        )
        records.add(
            BatchRow("bat_1:00000000", "bat_1", {"mail": mail}, known.recipient),
            Event(
                "evt_1",
                None,
                "whr_1",
                "share.viewed",
                known.recipient,
                f'{{"who":"{WORD}"}}',
                now,
                now,
                later,
            ),
        )


def made(answer: Any) -> Any:
    """What a creating call answered."""
    assert answer.status_code == 201, answer.text
    return answer.json


def rows(service: Service, kind: str) -> list[dict[str, Any]]:
    """The leaves of the entries of this kind, in order, after sequencing."""
    service.work()
    with service.sealmark.database.read() as records:
        found = records.find(LoggedEntry, order="index", kind=kind)
    return [json.loads(logged.leaf) for logged in found]


def holders(service: Service, word: str = WORD) -> set[str]:
    """The columns of the database in which the word stands, as `table.column`, whatever the case."""
    found = set()
    with service.sealmark.database.engines.reading.begin() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for name, value in row.items():
                    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    if word in text.casefold():
                        found.add(f"{table.name}.{name}")
    return found


def archived(service: Service) -> dict[int, Revealed]:
    """All values that archives hold."""
    return dict(service.sealmark.archives.revealed(0, service.sealmark.log.size()))


def stored_with(service: Service, word: str = WORD) -> list[str]:
    """Keys of the objects of the store whose bytes, as they lie there, hold the word."""
    store = service.sealmark.store
    return [
        blob.key
        for blob in store.list("")
        if word in blob.key or word.encode() in b"".join(store.read(blob.key))
    ]


def file_of(service: Service) -> Path:
    return Path(service.sealmark.settings.database.removeprefix("sqlite:///"))


def bytes_of_files(service: Service) -> bytes:
    """The SQLite file and its log as they lie on the disk, after a checkpoint."""
    path = file_of(service)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    log = path.with_name(path.name + "-wal")
    return path.read_bytes() + (log.read_bytes() if log.exists() else b"")


def on_postgresql(server: PostgresqlServer, folder: Path, url: str) -> dict[str, str]:
    """The settings that name this database."""
    secret = folder / "password"
    secret.write_text(server.password)
    return {
        "SEALMARK_DATABASE": url.replace(f":{server.password}@", "@"),
        "SEALMARK_DATABASE_PASSWORD_FILE": str(secret),
    }


STRANGER = Actor("recipient", request="req_x", address=ADDRESS, agent=f"Browser {WORD}")
