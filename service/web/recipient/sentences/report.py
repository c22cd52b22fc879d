"""The sentences of the page of a link and of the pages that say why not."""

from __future__ import annotations

from service.decision import Denial
from service.facts import Criteria, Opinion
from service.records import Kind

KINDS = {
    Kind.SOC2_TYPE1: "SOC 2 Type I report",
    Kind.SOC2_TYPE2: "SOC 2 Type II report",
    Kind.SOC3: "SOC 3 report",
    Kind.ISO27001: "ISO/IEC 27001 certification",
    Kind.PENTEST: "Penetration test",
    Kind.BRIDGE_LETTER: "Bridge letter",
    Kind.OVERVIEW: "Overview",
    Kind.OTHER: "Document",
}

OPINIONS = {
    Opinion.UNQUALIFIED: (
        "Unqualified opinion",
        "The auditor agrees with management’s statements in all material respects, without reservation.",
    ),
    Opinion.QUALIFIED: (
        "Qualified opinion",
        "The auditor agrees with management’s statements except for the matters that the opinion names. "
        "Read those first.",
    ),
    Opinion.ADVERSE: (
        "Adverse opinion",
        "The auditor does not agree with management’s statements: what was found is material and widespread.",
    ),
    Opinion.DISCLAIMER: (
        "Disclaimer of opinion",
        "The auditor could not obtain enough evidence, and therefore gives no opinion.",
    ),
}

CRITERIA = {
    Criteria.SECURITY: "Security",
    Criteria.AVAILABILITY: "Availability",
    Criteria.PROCESSING_INTEGRITY: "Processing integrity",
    Criteria.CONFIDENTIALITY: "Confidentiality",
    Criteria.PRIVACY: "Privacy",
}

SENTENCES = {
    "title": "{document} · for {name}",
    "lent_by": "{organization} shares this document with you",
    "skip": "Skip to the download",
    # The facts at the top.
    "period": "Period",
    "period.value": "{start} to {end}",
    "as_of": "As of",
    "auditor": "Auditor",
    "criteria": "Criteria",
    "for": "For",
    "expires": "Link works until",
    "downloads": "Downloads",
    "downloads.one": "1 left",
    "downloads.many": "{count} left",
    # The download.
    "get": "Your copy",
    "button": "Download your copy",
    "button.size": "PDF, {size}, {pages}",
    "pages.one": "1 page",
    "pages.many": "{count} pages",
    "running": "Your last download is open until {until}. Until then, downloading again does not count as another.",
    "marked.nda": "This copy is made for you alone: your name, your mail address and its number stand on every page. "
    "It is confidential under your non-disclosure agreement; please do not pass it on.",
    "marked.public": "This copy is made for you: your name, your mail address and its number stand on every page.",
    "logged": "Opening this page and each download are recorded with the time and the network address.",
    # What goes along with it.
    "along": "With it",
    "along.lead": "This belongs to the report. Your copy is made for you too, and does not count as a download of the "
    "report.",
    "along.button": "Download “{document}”",
    "along.read": "Read “{document}”",
    # A share of some sections only.
    "extract": "This is an extract",
    "extract.with_opinion": "You are given these sections of the report, not the whole of it. Its auditor’s opinion is "
    "about the whole report.",
    "extract.without_opinion": "You are given these sections of the report, not the whole of it. This extract does not "
    "include the auditor’s opinion.",
    "extract.exceptions.one": "The pages of this extract tell of 1 exception that the auditor’s tests found.",
    "extract.exceptions.many": "The pages of this extract tell of {count} exceptions that the auditor’s tests found.",
    # What it says.
    "opinion": "The auditor’s opinion",
    "opinion.read": "Read it on {pages}.",
    "exceptions": "Exceptions",
    "exceptions.lead.one": "The auditor’s tests found 1 exception.",
    "exceptions.lead.many": "The auditor’s tests found {count} exceptions.",
    "exceptions.none": "This report lists no exceptions.",
    "exceptions.more.one": "The report names 1 more.",
    "exceptions.more.many": "The report names {count} more.",
    "exception.of": "Control {control}",
    "exception.criterion": "Criterion {criterion}",
    "exception.deviation": "What deviated",
    "exception.response": "Management’s response",
    "exception.no_response": "No response is given.",
    "exception.remediated": "Remediated",
    "exception.open": "Not remediated",
    "exception.pages": "In the report: {pages}",
    "page": "page {pages}",
    "pages": "pages {pages}",
    "start": "Where to start",
    "sections": "Sections",
    "section.title": "Section",
    "section.pages": "Pages",
    "sections.more": "The report’s own contents list the rest.",
    "summary": "This summary comes from {organization} and is no part of the document. What the document says counts.",
    "ask": "Questions?",
    # Pages that say why not.
    "open_again": "Open your link again, from the message in which you received it, to download the document.",
    "ask_for_link": "If you still need the document, ask whoever sent you the link for a new one.",
    "ask_sender": "If you think this is a mistake, ask whoever sent you the link.",
    "not_found": "This link does not work",
    "not_found.text": "It may be incomplete. Open it again from the message in which you received it, "
    "or copy it whole: it is long, and mail programs sometimes break it.",
    "unavailable": "We cannot answer just now",
    "unavailable.text": "Something that we need to serve you did not respond. Nothing was used up. "
    "Please try again in a moment.",
    "failed": "Something went wrong on our side",
    "failed.text": "Nothing was sent. Please try again; if it happens again, tell whoever sent you the link.",
    "method": "This cannot be done here",
    "method.text": "Open the link in a browser.",
    "misdirected": "This is not our address",
    "misdirected.text": "Open the link exactly as you received it.",
    "changed": "The file is another one than yours",
    "changed.text": "The part of a file that you asked to continue belongs to another copy.",
    "range": "There is no such part of the file",
    "range.text": "The part that was asked for begins after the end of the file.",
    "request": "Number of this request: {request}",
    "moment": "{day}, {time} UTC",
    "languages": "Language",
    "separator": ", ",
    "reader.reviewer": "Security reviewer",
    "reader.architect": "Architect",
    "reader.engineer": "Engineer",
    "reader.procurement": "Procurement",
}

READERS = (
    ("reader.reviewer", ("auditors-opinion", "exceptions", "test-results")),
    ("reader.architect", ("system-description",)),
    ("reader.engineer", ("controls", "test-results")),
    ("reader.procurement", ("auditors-opinion", "managements-assertion")),
)
"""Who reads such reports, by the name of a sentence, and the parts that answer their questions, first things first."""

DENIALS = {
    Denial.LINK_EXPIRED: ("This link has expired", "It was valid for a limited time.", "ask_for_link"),
    Denial.SHARE_EXPIRED: (
        "Your access has ended",
        "The document was shared with you until a date that has passed.",
        "ask_for_link",
    ),
    Denial.LINK_REVOKED: ("This link was withdrawn", "It does not open the document any more.", "ask_sender"),
    Denial.SHARE_REVOKED: (
        "Your access was withdrawn",
        "The document is no longer shared with you.",
        "ask_sender",
    ),
    Denial.DOCUMENT_REVOKED: (
        "This document was withdrawn",
        "It is no longer shared with anyone.",
        "ask_sender",
    ),
    Denial.DOCUMENT_ENDED: (
        "This document is no longer shared",
        "It was shared until a date that has passed. There may be a newer one.",
        "ask_for_link",
    ),
    Denial.NDA_ENDED: (
        "There is no agreement in force",
        "This document is shared only under a non-disclosure agreement, and none is in force for you now.",
        "ask_sender",
    ),
    Denial.MAIL_CHECK: (
        "Show that this address is yours",
        "Open your link in the browser in which you entered the code that we mailed you.",
        "open_again",
    ),
    Denial.NDA_ASKED: (
        "There is no agreement in force",
        "This document is shared only under a non-disclosure agreement, which you can sign on its page.",
        "open_again",
    ),
    Denial.VIEW_ONLY: (
        "This document cannot be downloaded",
        "It is shared with you to be read on its page.",
        "read.again",
    ),
    Denial.NOT_READY: (
        "This document is not ready",
        "It is being prepared. Please try again in a few minutes.",
        "ask_sender",
    ),
    Denial.USED_UP: (
        "All downloads of this link are used",
        "The document could be downloaded a limited number of times, and that number is reached.",
        "ask_for_link",
    ),
    Denial.DELIVERY_OVER: (
        "This download is over",
        "A download can be continued for ten minutes after it was started.",
        "open_again",
    ),
    Denial.TOO_MANY_BYTES: (
        "This download was repeated too often",
        "The file was sent several times over already.",
        "open_again",
    ),
    Denial.TOO_MANY_SENDS: (
        "This download was repeated too often",
        "The file was asked for in very many parts.",
        "open_again",
    ),
}
"""For each reason: what happened, why, and the name of the sentence that says what to do."""

HINTS = {reason: hint for reason, (_, _, hint) in DENIALS.items()}

SENTENCES |= {f"kind.{kind}": text for kind, text in KINDS.items()}
SENTENCES |= {f"criteria.{item}": text for item, text in CRITERIA.items()}
SENTENCES |= {f"opinion.{item}": title for item, (title, _) in OPINIONS.items()}
SENTENCES |= {f"opinion.{item}.meaning": meaning for item, (_, meaning) in OPINIONS.items()}
SENTENCES |= {f"denial.{reason}": title for reason, (title, _, _) in DENIALS.items()}
SENTENCES |= {f"denial.{reason}.text": text for reason, (_, text, _) in DENIALS.items()}
