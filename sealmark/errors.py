"""What calls raise: one root, one class for each type of problem that the API states.

None holds the API key, or anything else of the request that was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SealmarkError(Exception):
    """The root of all that the client raises."""


class Unreachable(SealmarkError):
    """No answer came, in all tries. What was asked for may have been done: ask again, with the same idempotency key."""


class AnswerUnreadable(SealmarkError):
    """Something answered that is no Sealmark, or was cut off: a proxy, most often."""


class ProblemError(SealmarkError):
    """The service says why not (RFC 9457). The message says what to do."""

    def __init__(self, status: int, body: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.type = str(body.get("type", "")).rpartition("/")[2]
        self.title = str(body.get("title", ""))
        self.detail = str(body.get("detail", ""))
        self.request = str(body.get("instance", ""))
        """The request's id, as in the service's log and in the entries of what it did."""
        self.errors: list[dict[str, str]] = list(body.get("errors", []))
        """The place and the detail of each value that cannot be."""
        self.fields: dict[str, str | int | None] = dict(body.get("fields", {}))
        self.retry_after = retry_after
        places = "; ".join(f"{one['where']}: {one['detail']}" for one in self.errors[:3] if one.get("where"))
        super().__init__(f"{self.detail}{f' ({places})' if places else ''}")


class Invalid(ProblemError):
    """A value cannot be; `errors` names each."""


class Malformed(ProblemError):
    """The request cannot be read."""


class Misdirected(ProblemError):
    """The address names another host than the service's own."""


class Unauthenticated(ProblemError):
    """The API key has ended, was revoked, or is none."""


class Forbidden(ProblemError):
    """The API key lacks the scope that `fields["scope"]` names."""


class NotFound(ProblemError):
    """There is no such thing."""


class MethodNotAllowed(ProblemError):
    """The address does not answer to this method: the service is older than this client."""


class NdaRequired(ProblemError):
    """The document goes out only under NDA, and none is in force for the recipient."""


class WrongState(ProblemError):
    """The thing is in a state that does not allow this."""


class Held(ProblemError):
    """A hold forbids it."""


class MailNotConfigured(ProblemError):
    """It needs a mail, and the service can send none."""


class RecipientConflict(ProblemError):
    """The address is known under another name or company."""


class UnmarkableName(ProblemError):
    """The mark cannot print the name, the company or the mail address."""


class FileRefused(ProblemError):
    """The PDF cannot be lent."""


class TooLarge(ProblemError):
    """The body is larger than is accepted."""


class UnsupportedMediaType(ProblemError):
    """The body is of another media type than is accepted."""


class NotAcceptable(ProblemError):
    """The answer exists in none of the media types that were asked for."""


class IdempotencyMismatch(ProblemError):
    """The idempotency key was used for another request."""


class IdempotencyRunning(ProblemError):
    """The first call with this idempotency key has not ended."""


class TooMany(ProblemError):
    """A limit is used up, for longer than is waited."""


class Busy(ProblemError):
    """Something else is at it, for longer than is waited."""


class Unavailable(ProblemError):
    """The service, or a part that it needs, cannot be reached for longer than is waited."""


class Internal(ProblemError):
    """The service failed; its operator finds the cause by `request`."""


def _type(name: str) -> str:
    """The last part of the type's URI: `NdaRequired` is `nda-required`."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


PROBLEMS: Mapping[str, type[ProblemError]] = {
    _type(kind.__name__): kind for kind in ProblemError.__subclasses__()
}
"""Each type's class, by the last part of its URI."""


def problem(status: int, body: Mapping[str, Any], retry_after: float | None) -> ProblemError:
    """The error of an answer; of a type that this client does not know yet, the general one."""
    kind = PROBLEMS.get(str(body.get("type", "")).rpartition("/")[2], ProblemError)
    return kind(status, body, retry_after)
