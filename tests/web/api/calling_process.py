"""A web process for `test_idempotency.py`: reads calls from its standard input, makes them at once on a word."""

from __future__ import annotations

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from service.app import build
from service.settings import load
from service.web.application import create_app


def main() -> None:
    """One line of JSON in (key, calls, now), `ready` out, a line in, and a list of [status, body] out."""
    given = json.loads(sys.stdin.readline())
    now = datetime.fromisoformat(given["now"])
    sealmark = build(load(os.environ), clock=lambda: now)
    app = create_app(sealmark)
    calls = given["calls"]
    barrier = threading.Barrier(len(calls))

    def call(one: tuple[dict[str, object], str]) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {given['key']}", "Idempotency-Key": one[1]}
        client = app.test_client()
        barrier.wait(60)
        answer = client.post("/v1/shares", json=one[0], headers=headers, base_url=sealmark.settings.url)
        return answer.status_code, answer.text

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(len(calls)) as pool:
        print(json.dumps(list(pool.map(call, calls))))
    sealmark.close()


if __name__ == "__main__":
    main()
