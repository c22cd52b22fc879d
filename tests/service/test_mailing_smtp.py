"""The whole way of a mail over a real SMTP server: away and back, refusing, and a sender that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.app import Sealmark, build
from service.audit import Actor
from service.decision import Allowed, Denial
from service.mailing import CLAIM, Mailing
from service.parts import open_mailer
from service.ports import Letter
from service.records import Link, Message, Share
from service.settings import PREFIX
from tests.migrated import migrated_postgresql
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import free_port
from tests.servers.smtp import SmtpServer, Taken, smtp_server
from tests.service.acting import a_document, a_share, a_version, an_nda
from tests.service.erasing_cases import on_postgresql
from tests.service.test_mailing import link_in, mail_entries, opens
from tests.service_fixture import OPERATOR, Service, SettableClock, mailing_by, service_in

SENDERS, MANY = 4, 20

KILLED_WITHIN = 60.0
"""Seconds within which a worker that has just been started sends."""


@contextmanager
def lending(
    folder: Path, port: int, more: dict[str, str] | None = None
) -> Iterator[tuple[Service, Mailing, Share]]:
    """A service that mails to this port, now, with a link that waits to be mailed."""
    environ = {
        "SEALMARK_SMTP": f"smtp://127.0.0.1:{port}?tls=no",
        "SEALMARK_CONTACT": "trust@lender.example",
        **(more or {}),
    }
    with service_in(folder, environ=environ, clock=SettableClock(datetime.now(UTC))) as service:
        document = a_document(service)
        a_version(service, document)
        an_nda(service)
        share, _ = a_share(service, document, send=True)
        mailer = open_mailer(service.sealmark.settings)
        assert mailer is not None
        yield service, mailing_by(mailer, service.sealmark), share


def as_letter(taken: Taken) -> Letter:
    """What arrived, as it was sent."""
    mail = taken.mail
    parts = taken.part("text/plain"), taken.part("text/html")
    return Letter(mail["Message-ID"], mail["To"], mail["Subject"], *parts, date=mail["Date"].datetime)


def test_a_link_arrives_and_opens(tmp_path: Path) -> None:
    with smtp_server() as server, lending(tmp_path, server.port) as (service, mailing, share):
        assert mailing.run_once()
        (taken,) = server.taken
        assert isinstance(opens(service, link_in(as_letter(taken))), Allowed)
        assert (taken.sender, taken.to) == ("reports@lender.example", ["ana@acme.example"])
        assert taken.mail["From"] == "Lender Example Ltd <reports@lender.example>"
        assert taken.mail["Reply-To"] == "trust@lender.example"
        assert mail_entries(service) == [("mail.sent", "ok", "", 1)]
        assert [row["share"] for row in service.entries("mail.sent")] == [share.id]


def test_a_server_that_was_away_gets_it_when_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    with lending(tmp_path, port) as (service, mailing, _):
        assert not mailing.run_once()
        with smtp_server(port=port) as server:
            assert not mailing.run_once()  # not due yet
            service.clock.advance(minutes=1)
            assert mailing.run_once()
        assert isinstance(opens(service, link_in(as_letter(server.taken[0]))), Allowed)
        assert mail_entries(service) == [("mail.sent", "ok", "", 2)]


@pytest.mark.parametrize(
    ("answer", "ended"),
    [("550 5.1.1 no such user", [("mail.failed", "refused", "refused", 1)]), ("451 4.7.1 greylisted", [])],
)
def test_a_refusal_for_good_ends_it_and_one_that_passes_does_not(
    tmp_path: Path, answer: str, ended: list[Any]
) -> None:
    with smtp_server() as server, lending(tmp_path, server.port) as (service, mailing, _):
        server.answers["RCPT"] = answer
        mailing.run_once()
        assert mail_entries(service) == ended
        server.answers.clear()
        service.clock.advance(minutes=1)
        assert mailing.run_once() is not bool(ended)
        assert len(server.taken) == (0 if ended else 1)


def test_a_worker_that_is_killed_while_it_sends_is_followed_by_one_whose_link_replaces_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived: list[bytes] = []
    take = SmtpServer.handle_DATA

    async def hold(self: SmtpServer, server: Any, session: Any, envelope: Any) -> str:
        """Keep the mail and never say so."""
        if arrived:
            return await take(self, server, session, envelope)
        arrived.append(envelope.content)
        await asyncio.sleep(KILLED_WITHIN)
        return "451 too late"

    monkeypatch.setattr(SmtpServer, "handle_DATA", hold)
    with smtp_server() as server, lending(tmp_path, server.port) as (service, mailing, share):
        settings = {
            "SEALMARK_URL": service.sealmark.settings.url,
            "SEALMARK_DATA": str(service.sealmark.settings.data),
            "SEALMARK_KEY": f"file:{service.sealmark.settings.key_file}",
            "SEALMARK_SMTP": f"smtp://127.0.0.1:{server.port}?tls=no",
            "SEALMARK_MAIL_FROM": "reports@lender.example",
        }
        outer = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        worker = subprocess.Popen(
            [sys.executable, "-m", "service", "worker"], env={**outer, **settings}, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + KILLED_WITHIN
        while not arrived and worker.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        assert arrived
        with service.sealmark.database.read() as records:
            (message,) = records.find(Message)
            (link,) = records.find(Link, share_id=share.id)
        assert (message.sent_at, message.attempts, message.link_hash) == (None, 1, link.hash)
        first = Taken("", [], arrived[0], False, None)
        service.clock.now = datetime.now(UTC)
        assert isinstance(opens(service, link_in(as_letter(first))), Allowed)

        assert not mailing.run_once()
        service.clock.now = datetime.now(UTC) + CLAIM
        assert mailing.run_once()

        (taken,) = server.taken
        assert opens(service, link_in(as_letter(first))) == Denial.LINK_REVOKED
        assert isinstance(opens(service, link_in(as_letter(taken))), Allowed)
        assert mail_entries(service) == [("mail.sent", "ok", "", 2)]


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_many_senders_at_once_send_each_mail_once(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    environ = {}
    if database == "postgresql":
        postgresql: PostgresqlServer = request.getfixturevalue("postgresql_server")
        environ = on_postgresql(postgresql, tmp_path, migrated_postgresql(postgresql))
    with smtp_server() as server, lending(tmp_path, server.port, environ) as (service, _, share):
        for number in range(MANY - 1):
            service.clock.advance(seconds=1)
            if number % 2:
                service.sealmark.sharing.send(OPERATOR, share.id)
            else:
                begin(service, share, f"browser {number}")
        services = [build(service.sealmark.settings, clock=service.clock) for _ in range(SENDERS)]
        with ThreadPoolExecutor(SENDERS) as pool:
            for done in [pool.submit(send_all, sealmark) for sealmark in services]:
                done.result()
        for sealmark in services:
            sealmark.close()

        assert len(server.taken) == MANY
        assert len({taken.mail["Message-ID"] for taken in server.taken}) == MANY
        assert mail_entries(service) == [("mail.sent", "ok", "", 1)] * MANY
        with service.sealmark.database.read() as records:
            assert records.find(Message, sent_at=None) == []


def begin(service: Service, share: Share, browser: str) -> None:
    stranger = Actor("stranger", address="192.0.2.9")
    service.sealmark.mail_checks.begin(
        stranger,
        subject=f"{share.document_id}{browser[-2:].strip()}",  # one each: codes are limited
        browser=browser,
        recipient_id=share.recipient_id,
        mail=f"{browser[-2:].strip()}@acme.example",
    )


def send_all(sealmark: Sealmark) -> None:
    while sealmark.mailing.run_once():
        pass
