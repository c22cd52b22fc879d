"""Every sentence of a mail, each whole, so that it can be translated as one.

`{…}` are the values of the mail. A sentence that names the document has a second form, `….unnamed`, for who may not
know its name yet. Owners' templates use them by name too: none is renamed without need.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from service import languages

SENTENCES: Mapping[str, str] = {
    # In several.
    "moment": "{day}, {time} UTC",
    "hello": "Hello {name},",
    "open": "Open the document",
    "open.text": "Open it here:",
    "until": "This link works until {link_until}.",
    "share_until": "You have access until {share_until}. Once the link has ended, have a new one mailed to you here:",
    "stable": "Have a new link mailed to you",
    "checked": "When you open the link, we mail you a code, to make sure that it is you.",
    "sign": "The page first asks you to read and sign a confidentiality agreement.",
    "view_only": "The document can be read on the page. It cannot be downloaded.",
    "marked": "Your copy carries your name on every page. Please pass on neither the copy nor this mail.",
    "questions": "Questions? Write to {contact}.",
    "questions.link": "Questions? See {contact}.",
    "automatic": "This mail was sent automatically by {organization}, from {host}.",
    # A link to a share.
    "link.subject": "{organization} shares “{document}” with you",
    "link.subject.unnamed": "{organization} shares a document with you",
    "link.shared": "{organization} shares “{document}” with you.",
    "link.shared.unnamed": "{organization} shares a confidential document with you.",
    # The code of a mail check.
    "code.subject": "Your code for {organization}",
    "code.enter": "Enter this code on the page that asked for it:",
    "code.until": "It works for {minutes} minutes, once, and only in the browser that asked for it.",
    "code.unasked": "You did not ask for it? Then somebody typed your address, and you need do nothing. Tell nobody "
    "the code: we never ask for it in a mail or a call.",
    # Somebody asked for a document.
    "approved.subject": "Your access to “{document}” is approved",
    "approved.subject.unnamed": "Your access is approved",
    "approved.granted": "{organization} has approved your request for “{document}”.",
    "approved.granted.unnamed": "{organization} has approved your request for a document.",
    "denied.subject": "Your request for “{document}”",
    "denied.subject.unnamed": "Your request for a document",
    "denied.sorry": "{organization} cannot give you access to “{document}” at present.",
    "denied.sorry.unnamed": "{organization} cannot give you access to the document that you asked for at present.",
    # What happens to a share.
    "expiring.subject": "Your access to “{document}” ends on {share_day}",
    "expiring.subject.unnamed": "Your access to a document of {organization} ends on {share_day}",
    "expiring.ends": "Your access to “{document}”, which {organization} shares with you, ends on {share_until}.",
    "expiring.ends.unnamed": "Your access to a document that {organization} shares with you ends on {share_until}.",
    "expiring.until_then": "If you still need it until then, have a link mailed to you here:",
    "expiring.longer": "If you need it for longer, ask whoever gave you access.",
    "new-version.subject": "A new version of “{document}”",
    "new-version.subject.unnamed": "A new version of a document of {organization}",
    "new-version.there": "There is a new version of “{document}”, which {organization} shares with you.",
    "new-version.there.unnamed": "There is a new version of a document that {organization} shares with you.",
    "new-version.older": "A copy that you have downloaded before is of the version before it.",
    # To the owner of a document.
    "period-ending.subject": "The period of “{document}” will be a year old on {year_day}",
    "period-ending.ended": "The period that “{document}” covers ended on {period_day}. On {year_day} that will be a "
    "year ago, and readers will ask for something newer.",
    "period-ending.newer": "No newer version is there so far. Until there is one, a bridge letter can go along with "
    "the report wherever it is shared.",
    "period-ending.owner": "You get this mail because you are named as the owner of the document.",
    # To an auditor.
    "checkpoint.subject": "Checkpoint of the access log of {host}: {size} entries",
    "checkpoint.newest": "This is the newest checkpoint of the access log of {organization} at {host}, signed on "
    "{signed_at}. It covers the first {size} entries.",
    "checkpoint.keep": "Please keep it: with it you can show later that nothing in the log before it was changed. The "
    "attached file holds the same lines.",
    "checkpoint.check": "How to check an export of the log against it stands in docs/log.md of Sealmark.",
}


def say(sentence: str, language: str, values: Mapping[str, object]) -> str:
    """The sentence of this name with its values; its `….unnamed` form where the mail names no document.

    Raises `KeyError` for a sentence that there is not, or that needs a value which this mail has not.
    """
    unnamed = f"{sentence}.unnamed"
    chosen = unnamed if not values.get("document") and unnamed in SENTENCES else sentence
    return languages.fill(language, languages.say(language, f"mail.{chosen}", SENTENCES[chosen]), values)


def moment(value: datetime, language: str) -> str:
    """`30 September 2026, 14:05 UTC`; seconds are cut, so nothing is promised that is over."""
    day_and_time = {"day": day(value, language), "time": languages.time_of_day(language, value)}
    return say("moment", language, day_and_time)


def day(value: date, language: str) -> str:
    """`30 September 2026`, the day in UTC."""
    return languages.day(language, value)
