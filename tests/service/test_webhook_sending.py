"""Sending webhooks to a real receiver: signed, in order, until they arrive, and nothing lost when somebody is away."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from service.app import build, utc_now
from service.audit import entry
from service.events import EventKind
from service.records import Event, Receiver
from service.settings import load
from service.webhook_sending import CLAIM, JITTER, SENDERS, TRIED_FOR, WAITS, WebhookSending
from service.webhooks import KEPT_FOR
from tests.migrated import migrated_postgresql
from tests.receiving import Got, ReceiverServer, documented_reader, posts, receiving
from tests.servers.postgresql import PostgresqlServer
from tests.service.acting import a_document, a_share, a_version, an_nda
from tests.service.asking import CRM
from tests.service.erasing_cases import on_postgresql
from tests.service_fixture import OPERATOR, START, URL, Service, SettableClock, service_in

read_webhook = documented_reader()

SLACK = 60.0
"""Seconds within which another process or thread has come so far, on a busy machine too."""


class Sending:
    """A service, its sender, and one receiver with the server behind it."""

    def __init__(self, service: Service, server: ReceiverServer) -> None:
        self.service, self.server = service, server
        sealmark = service.sealmark
        self.sender = WebhookSending(
            sealmark.database, sealmark.keys, posts(server.certificate), sealmark.clock, sealmark.random
        )
        self.receiver, self.secret = self.add(server.url)

    def add(self, url: str) -> tuple[Receiver, str]:
        return self.service.sealmark.webhooks.add(CRM, url=url, kinds=EventKind)

    def happen(self, count: int = 1) -> list[str]:
        """So many pages are viewed; the ids of all events of the receiver that wait now, in order."""
        for _ in range(count):
            with self.service.sealmark.database.write() as records:
                records.add(entry("page.viewed", OPERATOR, self.service.clock(), os.urandom))
        self.service.work()
        return [event.id for event in self.events() if not event.sent_at and not event.failed_at]

    def events(self) -> list[Event]:
        return list(self.service.sealmark.webhooks.events(self.receiver.id, limit=1000))

    def send_all(self) -> None:
        """All that is due now."""
        while self.sender.run_once():
            pass

    def let_time_pass(self, span: timedelta) -> None:
        """Sending what falls due, when it does."""
        until = self.service.clock() + span
        self.send_all()
        while self.service.clock() < until:
            due = [event.run_after for event in self.events() if not event.sent_at and not event.failed_at]
            following = min(due[:1], default=until)
            if following <= self.service.clock():  # it was tried just now, and is not first in the line
                following = self.service.clock() + timedelta(minutes=1)
            self.service.clock.now = min(following, until)
            self.send_all()

    def got(self) -> list[str]:
        return [got.id for got in self.server.got]


class SendingPromises:
    """What holds on every database. A subclass gives the fixture `service`."""

    @pytest.fixture
    def service(self) -> Service:
        raise NotImplementedError("given by the subclass")

    @pytest.fixture
    def sending(self, service: Service, tmp_path: Path) -> Iterator[Sending]:
        with receiving(tmp_path / "hooks") as server:
            yield Sending(service, server)

    def test_an_event_arrives_signed_as_the_documentation_verifies_it(self, sending: Sending) -> None:
        (expected,) = sending.happen()
        sending.send_all()
        (got,) = sending.server.got
        now = sending.service.clock().timestamp()
        event = read_webhook(sending.secret, got.headers, got.body, now)
        assert event["type"] == "share.viewed"
        assert got.path == "/hooks/sealmark?from=tests"
        assert got.headers["content-type"] == "application/json"
        assert (got.id, int(got.headers["webhook-timestamp"])) == (expected, int(now))
        (sent,) = sending.events()
        assert (sent.status, sent.attempts, sent.problem) == (204, 1, None)
        assert sent.sent_at == sending.service.clock()

    def test_what_was_not_signed_by_us_is_not_verified(self, sending: Sending) -> None:
        sending.happen()
        sending.send_all()
        (got,) = sending.server.got
        now = sending.service.clock().timestamp()
        for headers, body, at in (
            (got.headers, got.body + b" ", now),
            ({**got.headers, "webhook-id": "evt_other"}, got.body, now),
            ({**got.headers, "webhook-timestamp": str(int(now) + 1)}, got.body, now),
            (got.headers, got.body, now + 301),
        ):
            with pytest.raises(ValueError, match=r"signature|too long ago"):
                read_webhook(sending.secret, headers, body, at)
        with pytest.raises(ValueError, match="signature"):
            read_webhook(sending.add(sending.server.url)[1], got.headers, got.body, now)

    def test_of_a_receiver_that_was_away_for_an_hour_nothing_is_lost_doubled_or_out_of_order(
        self, sending: Sending
    ) -> None:
        sent = sending.happen(3)
        sending.send_all()
        sending.server.stop()
        for _ in range(60):
            sent += sending.happen(2)[-2:]
            sending.let_time_pass(timedelta(minutes=1))
        assert sending.got() == sent[:3]
        sending.server.start()
        sending.let_time_pass(timedelta(hours=3))
        assert sending.got() == sent
        assert len(set(sent)) == len(sent) == 123
        assert [event.id for event in sending.events()] == sent
        assert all(event.sent_at for event in sending.events())

    def test_an_answer_that_was_lost_brings_the_same_event_under_the_same_id(self, sending: Sending) -> None:
        ids = sending.happen(2)
        answers = iter([500, 204, 204])
        sending.server.answer = lambda _: next(answers)
        sending.let_time_pass(timedelta(minutes=1))
        assert sending.got() == [ids[0], ids[0], ids[1]]
        first, second, _ = sending.server.got
        assert first.body == second.body
        assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]

    def test_tries_follow_the_schedule_for_three_days_and_then_the_event_has_failed(
        self, sending: Sending
    ) -> None:
        start = sending.service.clock()
        times: list[datetime] = []

        def refuse(_: Got) -> int:
            times.append(sending.service.clock())
            return 503

        sending.server.answer = refuse
        (first,) = sending.happen()
        sending.service.clock.advance(hours=1)
        second = sending.happen()[-1]
        sending.service.clock.now = start
        sending.let_time_pass(timedelta(days=5))
        tries = [at for at, got in zip(times, sending.server.got, strict=True) if got.id == first]
        waits = [later - before for before, later in pairwise(tries)]
        for wait, planned in zip(waits[:-1], WAITS, strict=False):
            assert planned <= wait <= planned * (1 + JITTER)
        assert tries[0] == start
        assert tries[-1] == start + TRIED_FOR
        assert len(tries) == len(WAITS) + 1, (
            "the first, and one after each wait, of which the end cuts the last"
        )
        failed = sending.service.entries("webhook.failed")
        assert [json.loads(row["details"]) for row in failed] == [
            {"receiver": sending.receiver.id, "event": first, "attempts": len(tries)},
            {
                "receiver": sending.receiver.id,
                "event": second,
                "attempts": len(times) - len(tries),
            },
        ]
        assert {row["outcome"] for row in failed} == {"refused"}
        assert [(event.status, bool(event.failed_at)) for event in sending.events()] == [(503, True)] * 2
        assert sending.got().index(second) == len(tries)

    def test_a_receiver_that_hangs_holds_up_no_other(self, sending: Sending, tmp_path: Path) -> None:
        hang = threading.Event()
        sending.server.answer = lambda _: 204 if hang.wait(SLACK) else 500
        with receiving(tmp_path / "hooks") as other:  # with the same certificate
            quick, _ = sending.add(other.url)
            ids = sending.happen()
            stuck = threading.Thread(target=sending.send_all)
            stuck.start()
            until(lambda: sending.server.got)
            sending.send_all()
            assert len(other.got) == 1
            assert stuck.is_alive()
            hang.set()
            stuck.join(SLACK)
        assert sending.got() == ids
        (sent,) = sending.service.sealmark.webhooks.events(quick.id)
        assert sent.sent_at

    def test_two_senders_never_send_at_once_to_one_receiver(self, sending: Sending) -> None:
        running, most = 0, 0
        counting = threading.Lock()

        def answer(_: Got) -> int:
            nonlocal running, most
            with counting:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with counting:
                running -= 1
            return 204

        sending.server.answer = answer
        ids = sending.happen(20)
        end = time.monotonic() + SLACK

        def work() -> None:
            while len(sending.server.got) < 20 and time.monotonic() < end:
                sending.sender.run_once()

        threads = [threading.Thread(target=work) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SLACK)
        assert most == 1
        assert sending.got() == ids

    def test_redirects_are_failures(self, sending: Sending, tmp_path: Path) -> None:
        with receiving(tmp_path / "other") as other:
            sending.server.answer = lambda _: (307, {"Location": other.url})
            sending.happen()
            sending.send_all()
            assert other.got == []
        (event,) = sending.events()
        assert (event.status, event.sent_at, event.attempts) == (307, None, 1)

    def test_retry_after_is_waited_for_up_to_a_day(self, sending: Sending) -> None:
        sending.server.answer = lambda _: (429, {"Retry-After": "3600"})
        sending.happen()
        sending.send_all()
        assert sending.events()[0].run_after == sending.service.clock() + timedelta(hours=1)
        sending.server.answer = lambda _: (503, {"Retry-After": "99999999"})
        sending.let_time_pass(timedelta(hours=1))
        assert sending.events()[0].run_after == sending.service.clock() + timedelta(hours=24)
        sending.server.answer = lambda _: (503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
        sending.let_time_pass(timedelta(hours=24))
        assert sending.events()[0].attempts == 3

    def test_who_is_gone_is_removed(self, sending: Sending) -> None:
        sending.server.answer = lambda _: 410
        sending.happen(2)
        sending.send_all()
        assert len(sending.server.got) == 1
        (removed,) = sending.service.entries("webhook.removed")
        assert (removed["reason"], removed["actor_type"]) == ("gone", "worker")
        with sending.service.sealmark.database.read() as records:
            assert records.find(Event) == []
            (receiver,) = records.find(Receiver)
        assert (receiver.removed_at, receiver.secret) == (sending.service.clock(), "")

    def test_a_replay_sends_what_failed_again_under_its_ids_and_in_order(self, sending: Sending) -> None:
        sending.server.answer = lambda _: 500
        ids = sending.happen(3)
        sending.let_time_pass(TRIED_FOR + timedelta(hours=1))
        assert all(event.failed_at for event in sending.events())
        sending.server.answer = lambda _: 204
        sending.server.got.clear()
        assert sending.service.sealmark.webhooks.replay(CRM, sending.receiver.id) == 3
        sending.send_all()
        assert sending.got() == ids
        (replayed,) = sending.service.entries("webhook.replayed")
        assert json.loads(replayed["details"]) == {"receiver": sending.receiver.id, "events": 3}
        assert sending.service.sealmark.webhooks.replay(CRM, sending.receiver.id) == 0

    def test_a_replay_from_a_time_sends_all_since_then_again(self, sending: Sending) -> None:
        sending.happen(2)
        sending.send_all()
        sending.service.clock.advance(minutes=10)
        since = sending.service.clock()
        ids = [*sending.happen(2)]
        sending.send_all()
        sending.server.got.clear()
        assert sending.service.sealmark.webhooks.replay(CRM, sending.receiver.id, since=since) == 2
        sending.send_all()
        assert sending.got() == ids

    def test_a_replay_wakes_what_waits_for_its_next_try(self, sending: Sending) -> None:
        sending.server.stop()
        (event,) = sending.happen()
        sending.let_time_pass(timedelta(minutes=40))
        sending.server.start()
        sending.send_all()
        assert sending.got() == []
        sending.service.sealmark.webhooks.replay(CRM, sending.receiver.id)
        sending.send_all()
        assert sending.got() == [event]

    def test_a_replay_during_a_try_sends_again_when_that_has_ended(self, sending: Sending) -> None:
        before = sending.happen()
        sending.send_all()
        ids = [*before, *sending.happen(2)]
        hang = threading.Event()
        sending.server.answer = lambda _: 204 if hang.wait(SLACK) else 500
        trying = threading.Thread(target=sending.sender.run_once)
        trying.start()
        until(lambda: len(sending.server.got) == 2)
        assert sending.service.sealmark.webhooks.replay(CRM, sending.receiver.id, since=START) == 3
        for _ in range(2):
            assert not sending.sender.run_once(), "somebody is at this receiver"
        assert sending.got() == [ids[0], ids[1]]
        hang.set()
        trying.join(SLACK)
        sending.send_all()
        assert sending.got() == [ids[0], ids[1], *ids]

    def test_who_comes_back_after_the_claim_ran_out_notes_nothing(self, sending: Sending) -> None:
        first, second = sending.happen(2)
        hang, begun = threading.Event(), threading.Event()

        def slowly(_: Got) -> int:
            begun.set()
            hang.wait(SLACK)
            return 500

        sending.server.answer = slowly
        slow = threading.Thread(target=sending.sender.run_once)
        slow.start()
        assert begun.wait(SLACK)
        sending.service.clock.now += CLAIM
        sending.service.sealmark.webhooks.replay(CRM, sending.receiver.id)  # `attempts` is the same again
        sending.server.answer = lambda _: 204 if hang.wait(SLACK) else 500
        other = threading.Thread(target=sending.sender.run_once)
        other.start()
        until(lambda: len(sending.server.got) == 2)
        hang.set()
        slow.join(SLACK)
        other.join(SLACK)
        sending.send_all()
        assert sending.got() == [first, first, second]
        assert [event.status for event in sending.events()] == [204, 204]

    def test_a_replay_during_the_last_try_is_not_undone_by_its_failure(self, sending: Sending) -> None:
        sending.server.answer = lambda _: 500
        (event,) = sending.happen()
        sending.send_all()
        sending.service.clock.now += TRIED_FOR

        def replayed(_: Got) -> int:
            sending.service.sealmark.webhooks.replay(CRM, sending.receiver.id, since=START)
            return 500

        sending.server.answer = replayed
        assert sending.sender.run_once()
        assert sending.service.entries("webhook.failed") == []
        sending.server.answer = lambda _: 204
        sending.send_all()
        assert sending.got()[-1] == event
        assert [(one.failed_at, one.status) for one in sending.events()] == [(None, 204)]

    def test_a_receiver_that_is_removed_while_it_says_that_it_is_gone_is_removed_once(
        self, sending: Sending
    ) -> None:
        def removed(_: Got) -> int:
            sending.service.sealmark.webhooks.remove(CRM, sending.receiver.id)
            return 410

        sending.happen()
        sending.server.answer = removed
        sending.send_all()
        (entry,) = sending.service.entries("webhook.removed")
        assert entry["actor_type"] == "api-key"

    def test_a_replayed_event_has_three_days_again(self, sending: Sending) -> None:
        sending.server.answer = lambda _: 500
        sending.happen()
        sending.let_time_pass(TRIED_FOR + timedelta(hours=1))
        sending.service.sealmark.webhooks.replay(CRM, sending.receiver.id)
        sending.let_time_pass(TRIED_FOR - timedelta(hours=1))
        assert sending.events()[0].failed_at is None
        sending.let_time_pass(timedelta(hours=2))
        assert sending.events()[0].failed_at

    def test_a_name_that_was_erased_is_not_sent(self, sending: Sending) -> None:
        sending.happen()
        with sending.service.sealmark.database.write() as records:
            records.change(records.find(Event)[0], body="")  # as erasing does
        sending.send_all()
        assert sending.got() == []
        (failed,) = sending.service.entries("webhook.failed")
        assert failed["reason"] == "erased"
        assert sending.events()[0].problem == "erased"
        assert sending.service.sealmark.webhooks.replay(CRM, sending.receiver.id) == 0

    def test_events_are_forgotten_after_thirty_days_once_they_ended(self, sending: Sending) -> None:
        sending.happen()
        sending.send_all()
        sending.server.stop()
        sending.happen()
        sending.service.clock.now += KEPT_FOR - timedelta(seconds=1)
        sending.service.sealmark.sweeping.forget_old_rows()
        assert len(sending.events()) == 2
        sending.service.clock.advance(seconds=1)
        sending.service.sealmark.sweeping.forget_old_rows()
        assert [event.sent_at for event in sending.events()] == [None]

    def test_no_secret_and_no_address_is_in_a_row_an_entry_or_a_log_line(
        self, sending: Sending, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        sending.server.stop()
        sending.happen()
        sending.send_all()
        bare = sending.secret.removeprefix("whsec_")
        assert bare not in repr(sending.service.sealmark.webhooks.get(sending.receiver.id))
        said = caplog.text + repr(sending.service.entries())
        assert bare not in said
        assert "hooks.crm" not in said
        assert sending.events()[0].problem == "not reached"


class TestOnSqlite(SendingPromises):
    """On SQLite."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> Iterator[Service]:
        with service_in(tmp_path) as made:
            yield made


@pytest.mark.postgresql
class TestOnPostgresql(SendingPromises):
    """On a real PostgreSQL."""

    @pytest.fixture
    def service(self, tmp_path: Path, postgresql_server: PostgresqlServer) -> Iterator[Service]:
        url = migrated_postgresql(postgresql_server)
        with service_in(tmp_path, environ=on_postgresql(postgresql_server, tmp_path, url)) as made:
            yield made


def until(condition: Callable[[], object]) -> None:
    """Wait for it."""
    end = time.monotonic() + SLACK
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def send_in_process(environ: dict[str, str], certificate: str, count: int) -> None:
    """A worker of its own: send until so many were, or until it is killed."""
    sealmark = build(load(environ))
    sender = WebhookSending(
        sealmark.database, sealmark.keys, posts(Path(certificate)), sealmark.clock, sealmark.random
    )
    end = time.monotonic() + SLACK
    while time.monotonic() < end:
        if not sender.run_once():
            with sealmark.database.read() as records:
                if len(records.find(Event, sent_at__ne=None)) >= count:
                    break
            time.sleep(0.01)
    sealmark.close()


def environ_of(folder: Path, environ: dict[str, str]) -> dict[str, str]:
    return {
        "SEALMARK_URL": URL,
        "SEALMARK_DATA": str(folder / "data"),
        "SEALMARK_KEY": f"file:{folder / 'keys' / 'master.key'}",
        **environ,
    }


def kill_one_in_the_middle(folder: Path, environ: dict[str, str]) -> None:
    spawn = multiprocessing.get_context("spawn")
    clock = SettableClock(utc_now())
    with (
        service_in(folder, environ=environ, clock=clock) as service,
        receiving(folder / "hooks") as server,
    ):
        sending = Sending(service, server)
        hang = threading.Event()
        server.answer = lambda _: 204 if hang.wait(SLACK) else 500
        ids = sending.happen(3)
        arguments = (environ_of(folder, environ), str(server.certificate), 3)
        doomed = spawn.Process(target=send_in_process, args=arguments)
        doomed.start()
        until(lambda: server.got)
        doomed.kill()
        doomed.join(SLACK)
        hang.set()
        clock.now = utc_now()
        sending.send_all()
        assert sending.got() == ids[:1], "the claim of the dead holds, and nobody jumps the line"
        clock.now = utc_now() + CLAIM + timedelta(seconds=1)
        sending.send_all()
        assert sending.got() == [ids[0], *ids]
        assert [event.attempts for event in sending.events()] == [2, 1, 1]


def two_processes(folder: Path, environ: dict[str, str]) -> None:
    spawn = multiprocessing.get_context("spawn")
    count = 30
    clock = SettableClock(utc_now())
    with (
        service_in(folder, environ=environ, clock=clock) as service,
        receiving(folder / "hooks") as server,
    ):
        sending = Sending(service, server)
        ids = sending.happen(count)
        arguments = (environ_of(folder, environ), str(server.certificate), count)
        processes = [spawn.Process(target=send_in_process, args=arguments) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(2 * SLACK)
            assert process.exitcode == 0
        assert sending.got() == ids


def test_the_worker_sends_what_happens_and_only_where_anybody_could(tmp_path: Path) -> None:
    with service_in(tmp_path) as service, receiving(tmp_path / "hooks") as server:
        sealmark = service.sealmark
        document = a_document(service)
        an_nda(service)
        a_version(service, document)
        share, _ = a_share(service, document)
        _, secret = sealmark.webhooks.add(CRM, url=server.url, kinds=[EventKind.SHARE_REVOKED])
        inside, _ = sealmark.webhooks.add(
            CRM, url=f"https://localhost:{server.port}/", kinds=[EventKind.SHARE_REVOKED]
        )
        sealmark.sharing.revoke(OPERATOR, share.id)
        service.work()
        while sealmark.webhook_sending.run_once():  # the one that `build` makes
            pass
        assert server.got == []
        (refused,) = sealmark.webhooks.events(inside.id)
        assert (refused.problem, refused.status) == ("not a public address", None)

        service.clock.advance(seconds=10)
        told = WebhookSending(
            sealmark.database, sealmark.keys, posts(server.certificate), sealmark.clock, sealmark.random
        )
        worker = replace(sealmark, webhook_sending=told).worker()
        worker.start()
        try:
            until(lambda: server.got)
        finally:
            worker.stop()
        (got,) = server.got
        event = read_webhook(secret, got.headers, got.body, service.clock().timestamp())
        assert (event["type"], event["data"]["share"]) == ("share.revoked", share.id)


def test_a_sender_that_is_killed_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    kill_one_in_the_middle(tmp_path, {})


@pytest.mark.postgresql
def test_a_sender_that_is_killed_in_the_middle_loses_nothing_on_postgresql(
    tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    url = migrated_postgresql(postgresql_server)
    kill_one_in_the_middle(tmp_path, on_postgresql(postgresql_server, tmp_path, url))


def test_two_workers_send_each_event_once_and_in_order(tmp_path: Path) -> None:
    two_processes(tmp_path, {})


@pytest.mark.postgresql
def test_two_workers_send_each_event_once_and_in_order_on_postgresql(
    tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    url = migrated_postgresql(postgresql_server)
    two_processes(tmp_path, on_postgresql(postgresql_server, tmp_path, url))
