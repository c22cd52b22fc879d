"""Recipients: people who may be lent a report. They are made by their first share or agreement."""

from __future__ import annotations

from pydantic import Field

from service.access import Scope
from service.errors import Problem
from service.records import Recipient
from service.web.api.callers import Call
from service.web.api.routing import Routes
from service.web.api.shapes import Answer, Form, Listed, Mail, Moment, Optional, Page, RecipientId, paged

routes = Routes("recipients", "People who may be lent a report, one for each mail address.")


class RecipientPath(Form):
    """The address of a recipient."""

    recipient_id: RecipientId


class RecipientsQuery(Page):
    """A page of recipients; with `mail`, the one of that address."""

    after: Optional[RecipientId] = None
    mail: Optional[Mail] = None


class RecipientAnswer(Answer):
    """A recipient."""

    id: RecipientId
    mail: str
    name: str
    company: str
    created_at: Moment
    erased_at: Moment | None = Field(description="Since when nothing is known of them but their id.")


class RecipientList(Listed[RecipientAnswer]):
    """Recipients in order of their id."""


def shown(recipient: Recipient) -> RecipientAnswer:
    """A recipient as the API shows them."""
    return RecipientAnswer.model_validate(recipient)


@routes.get("/v1/recipients", scope=Scope.RECIPIENTS_READ, answer=RecipientList)
def list_all(call: Call, query: RecipientsQuery) -> RecipientList:
    """List recipients, or find the one of a mail address."""
    found = call.sealmark.recipients.list(mail=query.mail, after=query.after, limit=query.limit + 1)
    items, following = paged(found, query.limit, lambda last: last.id)
    return RecipientList(items=[shown(item) for item in items], next=following)


@routes.get("/v1/recipients/<recipient_id>", scope=Scope.RECIPIENTS_READ, answer=RecipientAnswer)
def show(call: Call, path: RecipientPath) -> RecipientAnswer:
    """Show a recipient."""
    return shown(call.sealmark.recipients.get(path.recipient_id))


@routes.change(
    "post",
    "/v1/recipients/<recipient_id>/erase",
    scope=Scope.RECIPIENTS_ERASE,
    answer=RecipientAnswer,
    problems=(Problem.HELD,),
)
def erase(call: Call, path: RecipientPath) -> RecipientAnswer:
    """Erase a recipient for good, and close all that was lent to them.

    Values in old entries of the log follow within minutes. What was proven stays proven.
    """
    return shown(call.sealmark.erasing.begin(call.actor, path.recipient_id))
