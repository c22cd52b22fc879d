"""The sentences of the mail check, and of the address that lasts."""

from __future__ import annotations

SENTENCES = {
    # What is known of the document before the check.
    "hidden": "A confidential document",
    "check.title": "Check your mail address · {document}",
    # Asking for a code.
    "check.start": "Show that this mail address is yours",
    "check.start.text": "We mail a code of six digits to the address that this document was shared with. "
    "Enter it here, and the document opens in this browser.",
    "check.send": "Mail me a code",
    # Entering it.
    "check.enter": "Enter the code from your mail",
    "check.enter.text": "It has six digits, comes within a minute, and holds for ten. Look into the folder for "
    "unwanted mail, too.",
    "check.code": "Code",
    "check.go": "Open the document",
    "check.again": "Mail me another code",
    "check.wrong": "This is not the code. Look at it again: a code allows five tries.",
    "check.over": "This code is over. Ask for another one.",
    "check.logged": "That a code was entered is recorded with the time and the network address.",
    # The address that lasts.
    "stable.title": "{document}",
    "stable.start": "Get your link",
    "stable.start.text": "Give your work mail address. If this document is shared with you, a fresh link comes there "
    "by mail; if not, you can ask for it.",
    "stable.mail": "Work mail address",
    "stable.mail.wrong": "This is no mail address. One looks like ana@acme.example.",
    "stable.enter.text": "We mailed a code of six digits to {mail}. It comes within a minute, and holds for ten. "
    "Look into the folder for unwanted mail, too.",
    "stable.go": "Go on",
    "stable.other": "Use another address",
    "stable.sent": "Your link is on its way",
    "stable.sent.text": "It comes by mail within a minute, to {mail}.",
    "stable.send": "Mail me a fresh link",
    "stable.send.text": "This document is shared with {mail}.",
    # What keeps a form from being taken.
    "limited": "That was too often",
    "limited.text": "Please wait a while, then try again. Nothing was lost.",
    "foreign": "This form cannot be taken",
    "foreign.text": "It came from another page, or your browser sent no cookie. Allow cookies for this address, open "
    "your link again and send the form from there.",
    "too_large": "That is too much",
    "too_large.text": "The form holds more than we can take. Please write less.",
    "no_mail": "We cannot mail you a code",
    "no_mail.text": "No mail is sent from here just now. Tell whoever sent you the link.",
    "error.title": "Please look at this again",
}
