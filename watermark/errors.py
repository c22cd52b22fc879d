"""What can go wrong in this room, as types.

Every error derives from `WatermarkError`. Messages name the defect and what to do about it; they never hold a
byte of the document, a recipient's name or a key, so they may be shown and logged.
"""

from enum import StrEnum


class RefusalReason(StrEnum):
    """Why a PDF is refused. A closed list: it is part of the API and of log entries."""

    NEEDS_PASSWORD = "needs-password"  # noqa: S105  # a code, not a password
    DAMAGED = "damaged"
    NO_PAGES = "no-pages"
    PAGE_TOO_SMALL = "page-too-small"
    TOO_LARGE = "too-large"
    TOO_MANY_PAGES = "too-many-pages"
    TOO_COSTLY = "too-costly"
    NOT_A_PDF = "not-a-pdf"
    CANNOT_MARK = "cannot-mark"
    CANNOT_CUT = "cannot-cut"


_WHAT_TO_DO = {
    RefusalReason.NEEDS_PASSWORD: (
        "The PDF opens only with a password or a certificate. Save it without encryption and try again."
    ),
    RefusalReason.DAMAGED: (
        "The PDF is damaged and cannot be read in full. Export it again from its source, "
        "or print it to a new PDF, and use that."
    ),
    RefusalReason.NO_PAGES: "The PDF has no pages. Choose the file that holds the report.",
    RefusalReason.PAGE_TOO_SMALL: (
        "A page is too small for a legible mark. Enlarge or remove that page and try again."
    ),
    RefusalReason.TOO_LARGE: (
        "The file is larger than is accepted here. Reduce its images, or ask the operator to raise the limit."
    ),
    RefusalReason.TOO_MANY_PAGES: (
        "The PDF has more pages than are accepted here. "
        "Split the report into volumes, or ask the operator to raise the limit."
    ),
    RefusalReason.TOO_COSTLY: (
        "Reading the PDF took more memory or time than is allowed. Print it to a new PDF and use that, "
        "or ask the operator to raise the limits."
    ),
    RefusalReason.NOT_A_PDF: "The file is not a PDF. Save the report as a PDF and try again.",
    RefusalReason.CANNOT_MARK: (
        "The mark could not be put on every page of this PDF. Print it to a new PDF and use that."
    ),
    RefusalReason.CANNOT_CUT: (
        "The sections could not be cut out of this PDF so that nothing of its other pages remains. "
        "Print those sections to a PDF of their own, and use that."
    ),
}


class WatermarkError(Exception):
    """Root of every error of this room."""


class Refused(WatermarkError):
    """A PDF that must not be lent: `reason` says why, the message what to do.

    `where` names the place in our code when the cause was not foreseen, for the operator; else it is None.
    """

    def __init__(
        self, reason: RefusalReason, message: str | None = None, *, where: str | None = None
    ) -> None:
        self.reason = reason
        self.message = message or _WHAT_TO_DO[reason]
        self.where = where
        super().__init__(self.message)


class Unmarkable(WatermarkError):
    """A recipient whose `field` (such as `name`) cannot be printed on the mark.

    `reason` is a closed code of the module that raises it; `font` names the missing font, if that is the cause.
    """

    def __init__(self, field: str, reason: str, message: str, font: str | None = None) -> None:
        self.field = field
        self.reason = reason
        self.message = message
        self.font = font
        super().__init__(message)


class SandboxUnavailable(WatermarkError):
    """The child process cannot be run safely here. The operator must act; the document is not to blame."""


class TemplateError(WatermarkError):
    """These bytes are no template of this format, or what a copy needs was made for another one."""
