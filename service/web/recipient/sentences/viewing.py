"""The sentences of the pages on which a report is read and not downloaded."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    # On the page of the link, in place of those about a download.
    "read.skip": "Skip to reading",
    "read.get": "Read your copy",
    "read.button": "Read it here",
    "read.button.size": "{pages}, shown one by one",
    "readings": "Readings",
    "readings.one": "1 left",
    "readings.many": "{count} left",
    "read.running": "Your last reading is open until {until}. Until then, reading on does not count as another.",
    "read.marked.nda": "This copy is made for you alone: your name, your mail address and its number stand on every "
    "page. You can read it here, but not download it. It is confidential under your non-disclosure agreement; please "
    "do not pass it on.",
    "read.marked.public": "This copy is made for you: your name, your mail address and its number stand on every page. "
    "You can read it here, but not download it.",
    "read.logged": "Opening this page, and each page that you read, is recorded with the time and the network address.",
    # A page of the report.
    "read.title": "{place} · {document}",
    "read.place": "Page {number} of {count}",
    "read.place.label": "Page {label}, {number} of {count}",
    "read.pages": "Pages",
    "read.pages.below": "Pages, below the picture",
    "read.previous": "Previous page",
    "read.next": "Next page",
    "read.jump": "Go to page",
    "read.go": "Go",
    "read.sections": "Sections",
    "read.skip.page": "Skip to the page",
    "read.picture": "Picture of page {number}. Its text follows the picture.",
    "read.picture.bare": "Picture of page {number}. It holds no text that could be read out.",
    "read.alone": "Open the picture by itself, to enlarge it",
    "read.text": "Text of page {number}",
    "read.text.cut": "The text goes on. It is too long to be shown here as a whole; the picture has all of it.",
    "read.text.none": "This page is a picture only: it holds no text that could be read out. If you need it as text, "
    "ask whoever sent you the link.",
    "read.until": "You can read until {until}. Each page that you open is recorded with the time and the network "
    "address.",
    # What is not shown, and why.
    "read.again": "Open your link again, from the message in which you received it, to read the document.",
    "read.over": "This reading is over",
    "read.over.text": "Pages are shown for two hours after the reading was begun.",
    "read.undrawable": "This page cannot be shown",
    "read.undrawable.text": "It could not be drawn. Please tell whoever sent you the link which page it is.",
    "read.undrawable.back": "Go back to the page before it, or open your link again.",
    "read.no_page": "There is no such page",
    "read.no_page.text": "The document ends before it.",
}
