"""What cleaning takes out of a PDF, as closed codes, with words for people. `watermark.clean` counts them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from watermark.errors import RefusalReason, Refused

# A file of the largest size accepted holds fewer objects.
MAX_COUNT = 100_000_000


class Removal(StrEnum):
    """What was removed. A closed list: it is part of the API and of log entries."""

    ADDITIONAL_ACTIONS = "additional-actions"
    EMBEDDED_FILES = "embedded-files"
    EMBEDDED_GOTO = "embedded-goto"
    ENCRYPTION = "encryption"
    EXTERNAL_FILES = "external-files"
    IMPORT_DATA = "import-data"
    INFO = "info"
    JAVASCRIPT = "javascript"
    LAUNCH = "launch"
    MACHINE_METADATA = "machine-metadata"
    METADATA = "metadata"
    OPEN_ACTION = "open-action"
    OTHER_ACTION = "other-action"
    PORTFOLIO = "portfolio"
    PRIVATE_DATA = "private-data"
    REMOTE_GOTO = "remote-goto"
    RICH_MEDIA = "rich-media"
    SIGNATURES = "signatures"
    SUBMIT_FORM = "submit-form"
    THUMBNAILS = "thumbnails"
    UNSAFE_URI = "unsafe-uri"
    XFA = "xfa"


MEANINGS: Mapping[Removal, str] = {
    Removal.ADDITIONAL_ACTIONS: "actions that run by themselves on an event",
    Removal.EMBEDDED_FILES: "attached files",
    Removal.EMBEDDED_GOTO: "links into attached files",
    Removal.ENCRYPTION: "encryption, whose password was empty",
    Removal.EXTERNAL_FILES: "contents that lie in other files",
    Removal.IMPORT_DATA: "actions that import form data",
    Removal.INFO: "the document information: author, producer, dates (the title stays)",
    Removal.JAVASCRIPT: "scripts",
    Removal.LAUNCH: "actions that start programs",
    Removal.MACHINE_METADATA: "traces of the author's machine: paths of included files, captured pages of the web",
    Removal.METADATA: "XMP metadata: author, tools, history",
    Removal.OPEN_ACTION: "what opening the document would do",
    Removal.OTHER_ACTION: "other actions",
    Removal.PORTFOLIO: "the view as a collection of files",
    Removal.PRIVATE_DATA: "private data of editors, and pages that are not among the document's",
    Removal.REMOTE_GOTO: "links to other files",
    Removal.RICH_MEDIA: "sound, film and 3D",
    Removal.SIGNATURES: "digital signatures and what belongs to them, which a mark would break; their look stays",
    Removal.SUBMIT_FORM: "actions that send form data away",
    Removal.THUMBNAILS: "thumbnails of pages",
    Removal.UNSAFE_URI: "links that are no web or mail address",
    Removal.XFA: "XFA forms",
}


@dataclass(frozen=True)
class Removed:
    """One kind of thing that was removed, and how often."""

    code: Removal
    count: int

    @property
    def meaning(self) -> str:
        """The code in words for people."""
        return MEANINGS[self.code]


def removed_of(counts: object) -> tuple[Removed, ...]:
    """Counts by code, as `clean` answers them, in order of their codes; those of zero are left out.

    Raises `Refused` (damaged) for what `clean` never answers: the child that said so is not to be believed.
    """
    if not isinstance(counts, Mapping):
        raise Refused(RefusalReason.DAMAGED, where="what was removed")
    found: list[Removed] = []
    for code, count in counts.items():
        if code not in MEANINGS or not _is_count(count):
            raise Refused(RefusalReason.DAMAGED, where="what was removed")
        if count:
            found.append(Removed(Removal(code), count))
    return tuple(sorted(found, key=lambda one: one.code))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT
