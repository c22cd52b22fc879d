"""A client that stops reading: gunicorn's socket gets a time limit before the first byte of a download leaves."""

from __future__ import annotations

from service.web.recipient.stalls import STALL_SECONDS
from tests.web.recipient.lending import Lent


class Connection:
    """Stands in for gunicorn's socket."""

    limit: float | None = None

    def settimeout(self, seconds: float) -> None:
        self.limit = seconds


def test_a_download_bounds_how_long_a_piece_may_wait_for_its_client(lent: Lent) -> None:
    connection = Connection()
    answer = lent.browser.get(lent.granted(), environ_overrides={"gunicorn.socket": connection})
    assert answer.status_code == 200
    assert connection.limit == STALL_SECONDS


def test_a_page_does_not_touch_the_socket(lent: Lent) -> None:
    connection = Connection()
    assert lent.browser.get(lent.path, environ_overrides={"gunicorn.socket": connection}).status_code == 200
    assert connection.limit is None
