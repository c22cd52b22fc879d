"""On what terms a share is made: its policy, what no share can have, and when a mail check belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.errors import invalid
from service.lines import is_line
from service.records import Document, MailCheck, NdaMode

DEFAULT_SHARE_LIFE = timedelta(days=30)
MAX_SHARE_LIFE = timedelta(days=366)
"""A report covers a year and is replaced by the next; a share does not outlive it by much."""

MAX_DOWNLOADS = 1000
"""The highest download limit; more is no limit in effect, and is said by leaving it out."""

MAX_PURPOSE = 500
"""Characters of a purpose: a sentence or two."""


@dataclass(frozen=True)
class Terms:
    """The policy of a share that is to be made."""

    expires_at: datetime | None = None  # None: after `DEFAULT_SHARE_LIFE`
    download_limit: int | None = None
    pinned_version_id: str | None = None
    nda: NdaMode = NdaMode.REQUIRE
    view_only: bool = False
    mail_check: bool | None = None  # None: the document's policy
    cut_id: str | None = None  # of the pinned version: it covers these sections only


def check_terms(terms: Terms, purpose: str, now: datetime) -> None:
    """Raise `DomainError` (invalid) for a policy or a purpose that no share can have."""
    until = terms.expires_at or now + DEFAULT_SHARE_LIFE
    if not now < until <= now + MAX_SHARE_LIFE:
        raise invalid("expires_at", f"A share ends in the future, within {MAX_SHARE_LIFE.days} days.")
    if terms.download_limit is not None and not 1 <= terms.download_limit <= MAX_DOWNLOADS:
        raise invalid("download_limit", f"A limit is 1 to {MAX_DOWNLOADS}; leave it out for none.")
    check_purpose(purpose)


def check_purpose(purpose: str) -> None:
    """Raise `DomainError` (invalid) for a purpose that no share can have."""
    if not 1 <= len(purpose.strip()) <= MAX_PURPOSE or not is_line(purpose.strip()):
        detail = f"Say on one line, in 1 to {MAX_PURPOSE} characters, what the report is lent for."
        raise invalid("purpose", detail)


def mail_checked(document: Document, nda: NdaMode, limit: int | None, asked: bool | None) -> bool:
    """Whether the recipient must show that the mail address is theirs. Where downloads are counted a scanner that
    opens links could use them up; who signs is known by nothing else."""
    if nda == NdaMode.ASK or document.mail_check == MailCheck.ALWAYS:
        return True
    if asked is not None:
        return asked
    return document.mail_check == MailCheck.LIMITED and limit is not None


def why_checked(document: Document, nda: NdaMode) -> str:
    """What to do where a mail check is asked for and no mail can be sent: without it nobody could open the share."""
    begin = (
        "The recipient would have to enter a code that is mailed to them, and no mail can be sent here. Set "
    )
    if nda == NdaMode.ASK:
        return f"{begin}SEALMARK_SMTP and SEALMARK_MAIL_FROM; who signs on the page is known by nothing else."
    if document.mail_check == MailCheck.ALWAYS:
        return f"{begin}SEALMARK_SMTP and SEALMARK_MAIL_FROM, or change the document's policy, which says `always`."
    return f"{begin}SEALMARK_SMTP and SEALMARK_MAIL_FROM, or say `mail_check: false`."
