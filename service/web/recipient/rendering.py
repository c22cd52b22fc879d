"""How a page becomes an answer: templates, pages with one message, and pages that say why not."""

from __future__ import annotations

from flask import Response, g, render_template

from service.decision import Denial
from service.limits import TooMany
from service.opening import Denied
from service.web.recipient import wording

NOT_READY_RETRY_AFTER = "120"
"""Seconds: about as long as compiling a long report takes."""

STATUS = {
    Denial.NDA_ENDED: 403,
    Denial.MAIL_CHECK: 403,
    Denial.NDA_ASKED: 403,
    Denial.VIEW_ONLY: 403,
    Denial.NOT_READY: 503,
}
"""The status of a denial where it is not 410 Gone."""


def html(template: str, status: int, **values: object) -> Response:
    """The page of this template, `templates/recipient/<template>.html`."""
    text = render_template(f"recipient/{template}.html", **values)
    return Response(text, status=status, content_type="text/html; charset=utf-8")


def message(status: int, sentence: str, *, hint: str = "", numbered: bool = False) -> Response:
    """A page with one message. `numbered`: with the request's id, by which the log is found."""
    return html(
        "message",
        status,
        title=wording.say(sentence),
        text=wording.say(f"{sentence}.text"),
        hint=wording.say(hint) if hint else "",
        request_id=g.request_id if numbered else "",
    )


def denied(why: Denied) -> Response:
    """The page of an authentic link that does not open."""
    title, text, hint = wording.denial(why.reason)
    status = STATUS.get(why.reason, 410)
    answer = html("message", status, title=title, text=text, hint=hint)
    if status == 503:
        answer.headers["Retry-After"] = NOT_READY_RETRY_AFTER
    return answer


def wrong_method(allowed: str) -> Response:
    """The page for a method that an address does not answer to."""
    answer = message(405, "method")
    answer.headers["Allow"] = allowed
    return answer


def limited(error: TooMany) -> Response:
    """The page for who asks too often, with when to ask again."""
    answer = message(429, "limited")
    answer.headers["Retry-After"] = str(error.seconds)
    return answer


def see_other(path: str) -> Response:
    """Go to a page of ours after a form was taken; `path` is never made of what the client sent."""
    return Response(status=303, headers={"Location": path})
