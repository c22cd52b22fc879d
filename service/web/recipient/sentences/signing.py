"""The sentences of the page on which the agreement is signed.

The consents are kept with the signature as they were shown, so they name nobody.
"""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "sign.title": "Sign the agreement · {document}",
    "sign.title.error": "Not signed yet · {document}",
    "sign.skip": "Skip to signing",
    "sign.start": "An agreement comes first",
    "sign.start.text": "This document is lent under a non-disclosure agreement with {organization}. Read it, and sign "
    "it at its end. The document then opens at once, in this browser.",
    "sign.again": "You have signed here before. That agreement has run out, or its text has changed, so it is asked "
    "for again. What you signed is kept, and you can still have it.",
    # The text.
    "sign.text": "The agreement",
    "sign.number": "Text number {number}",
    "sign.holds.one": "Your signature holds for 1 day.",
    "sign.holds.many": "Your signature holds for {count} days.",
    "sign.holds.always": "Your signature holds without an end date.",
    "sign.sha256": "SHA-256 of the text",
    # The form.
    "sign.form": "Your signature",
    "sign.name": "Your full name",
    "sign.name.hint": "Type it as you sign: first name and last name. You sign with the mail address that was checked "
    "before.",
    "sign.consents": "You agree to each by itself",
    "sign.agree": "I have read the agreement, text number {number}, and I agree to it.",
    "sign.electronic": "I agree to sign it electronically. My typed name is my signature. The time, my mail address, "
    "my network address and the name of my browser are kept with it as evidence.",
    "sign.go": "Sign the agreement",
    "sign.copy": "You and {organization} can each download a record of what you sign.",
    "sign.leave": "If you do not agree, close this page. Nothing is signed then.",
    # What is wrong.
    "sign.error.name": "Type your full name, in at most 200 characters.",
    "sign.error.agree": "Tick that you agree to the agreement, if you do.",
    "sign.error.electronic": "Tick that you agree to sign electronically, if you do.",
    "sign.error.changed": "The text of the agreement has changed since you opened this page. Read it again before you "
    "sign.",
    # The record.
    "sign.record": "Download what you signed (PDF)",
    "sign.record.none": "Nothing was signed here",
    "sign.record.none.text": "There is no agreement of yours that was signed on this page.",
}
