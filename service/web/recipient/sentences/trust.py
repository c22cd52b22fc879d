"""The sentences of the trust page and of requests for access."""

from __future__ import annotations

SENTENCES = {
    # The trust page.
    "trust": "Security documents of {organization}",
    "trust.skip": "Skip to the documents",
    "trust.lead": "Download what is public, and ask for what is confidential.",
    "trust.empty": "There is nothing here at the moment.",
    "trust.public": "For everybody",
    "trust.public.text": "These documents may be passed on. Each download is recorded with the time and the network "
    "address.",
    "trust.nda": "Available under NDA",
    "trust.nda.text": "These documents are lent to named people under a non-disclosure agreement. Show by a code that "
    "your work mail address is yours, and say what you need the document for.",
    "trust.opinion": "Opinion",
    "trust.download": "Download",
    "trust.download.of": "Download {document}",
    "trust.size": "PDF, {size}, {pages}",
    "trust.request": "Request access",
    "trust.request.of": "Request access to {document}",
    "trust.talk": "Talk to us",
    "trust.call": "Discuss it in a call",
    "trust.contact": "Write to us:",
    "trust.throttled": "This document is asked for very often just now",
    "trust.throttled.text": "So many people are downloading it that we have to make you wait for a moment.",
    "trust.gone": "There is no such document",
    "trust.gone.text": "It is not here, or not here any more. The trust page lists what there is.",
    "trust.to": "See all documents",
    # The form of a request, after the mail check.
    "ask.start": "Ask for this document",
    "ask.start.text": "It is not shared with {mail} yet. Say who you are and what you need it for; the answer comes to "
    "this address.",
    "ask.name": "Your full name",
    "ask.name.hint": "As it is to stand on each page of your copy.",
    "ask.company": "Company",
    "ask.purpose": "What do you need it for?",
    "ask.purpose.hint": "A sentence or two, such as: vendor review of your service for our bank.",
    "ask.send": "Send the request",
    "ask.logged": "Your request is recorded with the time and the network address.",
    # What is wrong with it.
    "ask.wrong": "Please look at this again",
    "ask.name.empty": "Give your name.",
    "ask.name.long": "Give your name in at most {most} characters.",
    "ask.name.odd": "Your name holds something that cannot be printed on your copy. Write it in plain letters.",
    "ask.company.empty": "Give the name of your company.",
    "ask.company.long": "Give the name of your company in at most {most} characters.",
    "ask.company.odd": "The company’s name holds something that cannot be printed on your copy. Write it in plain "
    "letters.",
    "ask.purpose.empty": "Say what you need the document for.",
    "ask.purpose.long": "Say what you need the document for in at most {most} characters.",
    "ask.purpose.odd": "What you need it for holds something that is no text. Write it anew.",
    # What became of it.
    "ask.pending": "Your request is on its way",
    "ask.pending.text": "Somebody at {organization} will look at it. The answer comes by mail to {mail}.",
    "ask.approved": "Your request is approved",
    "ask.approved.text": "A link to the document comes by mail to {mail} within a minute.",
}
