"""The worker: a task that fails is tried again and takes no other with it."""

from __future__ import annotations

import logging
import threading

import pytest

from service import worker as module
from service.worker import Task, Worker


def test_a_failing_task_is_logged_tried_again_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    tries: list[int] = []
    recovered, steady = threading.Event(), threading.Event()

    def failing() -> bool:
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("the database is away")
        recovered.set()
        return False

    def working() -> bool:
        steady.set()
        return False

    worker = Worker([Task("failing", failing, 60), Task("working", working, 60)])
    with caplog.at_level(logging.ERROR):
        worker.start()
        assert recovered.wait(10)
        assert steady.wait(10)
        worker.stop(5)
    assert len([record for record in caplog.records if "worker task failed" in record.message]) == 2


def test_a_task_with_more_to_do_runs_again_at_once() -> None:
    runs: list[int] = []
    done = threading.Event()

    def busy() -> bool:
        runs.append(1)
        if len(runs) == 5:
            done.set()
        return len(runs) < 5

    worker = Worker([Task("busy", busy, 3600)])
    worker.start()
    assert done.wait(10)
    worker.stop(5)
    assert len(runs) == 5


def test_run_blocks_until_it_is_told_to_stop() -> None:
    worker = Worker([Task("idle", lambda: False, 3600)])
    thread = threading.Thread(target=worker.run)
    thread.start()
    worker.stop(5)
    thread.join(5)
    assert not thread.is_alive()
