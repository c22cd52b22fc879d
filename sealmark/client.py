"""The client: `Client(url, key)`, with a resource for each of the API's, and a method for each operation.

    from sealmark.client import Client

    client = Client("https://reports.acme.example", key)
    made = client.shares.create(document="doc_…", recipient={"mail": …, "name": …}, purpose="Vendor review")
    for share in client.shares.list(active="true"):
        ...

Each call that makes or decides something carries an idempotency key, so that trying it again does nothing twice; pass
one of your own (`idempotency_key="deal-17"`) to be safe when your program dies and is run again within 24 hours. What
fails raises `sealmark.errors.SealmarkError`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sealmark.calls import Calls
from sealmark.errors import SealmarkError
from sealmark.operations import BatchAnswer, Resources, RowLinkAnswer

KEY_FILE = "SEALMARK_API_KEY_FILE"

LOOK_EVERY = 1.0
"""Seconds between two looks at what is waited for."""


class Client(Resources):
    """One service, one API key. Safe to use from many threads."""

    def __init__(self, url: str, key: str, **options: Any) -> None:
        """`options` are those of `sealmark.calls.Calls`, such as `ca_file`. Raises `SealmarkError`."""
        self._calls = Calls(url, key, **options)
        super().__init__(self._calls)

    @classmethod
    def with_key_file(cls, url: str, file: str | Path | None = None, **options: Any) -> Client:
        """A client whose key stands in a file: this one, or the one that `SEALMARK_API_KEY_FILE` names."""
        named = file or os.environ.get(KEY_FILE)
        if not named:
            raise SealmarkError(f"Say in {KEY_FILE} which file holds the API key.")
        try:
            key = Path(named).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SealmarkError(f"The file that {KEY_FILE} names cannot be read.") from None
        return cls(url, key, **options)

    def __repr__(self) -> str:
        return f"<Client {self._calls.url}>"

    def batch_done(
        self,
        batch_id: str,
        *,
        seen: Callable[[BatchAnswer], None] = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> BatchAnswer:
        """Wait until all rows of a batch have their answer; `seen` is told how far it is."""
        while True:
            batch = self.batches.show(batch_id)
            seen(batch)
            if batch["state"] == "done":
                return batch
            pause(LOOK_EVERY)

    def batch_links(
        self, batch_id: str, *, limit: int = 200, link_life: int | None = None
    ) -> Iterator[RowLinkAnswer]:
        """A new link for each share of a batch, page after page."""
        life = {} if link_life is None else {"link_life": link_life}
        after: int | None = None
        while True:
            page = self.batches.link(batch_id, after=after, limit=limit, **life)  # type: ignore[arg-type]
            yield from page["items"]
            after = page["next"]
            if after is None:
                return
