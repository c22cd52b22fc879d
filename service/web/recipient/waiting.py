"""A link whose recipient has to do something first: what the forms of that page are sent for."""

from __future__ import annotations

from flask import Response

from service.decision import Denial
from service.delivery import Deliveries, Waiting
from service.mailchecks import MailChecks
from service.opening import Denied
from service.web.recipient.rendering import denied, see_other
from service.web.requests import actor


def waiting_for(
    missing: Denial, deliveries: Deliveries, checks: MailChecks, token: str, browser: str
) -> Waiting | Response:
    """What the link waits for, if it is `missing`; else the answer to who sent the form. Consumes and records nothing.

    Raises what `Deliveries.page` raises.
    """
    page = deliveries.page(
        token,
        actor("recipient"),
        record=False,
        checked=lambda share: checks.checked(share, browser),
    )
    if isinstance(page, Denied):
        return denied(page)
    if isinstance(page, Waiting) and page.missing == missing:
        return page
    return see_other(f"/s/{token}")
