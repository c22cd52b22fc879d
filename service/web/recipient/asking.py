"""The form by which somebody whose mail address was checked asks for a document: what is typed, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from flask import request

from service.access_requests import AccessRequests
from service.audit import Actor
from service.errors import DomainError, Problem
from service.limits import Limit, Limits, network
from service.recipients import MAX_NAME
from service.records import AccessRequest, Session
from service.terms import MAX_PURPOSE
from service.web.recipient import wording

ASKED_BY = Limit("requests-by", 20, timedelta(days=1))
"""Requests of one mail address: of all documents that a lender has, once or twice."""

ASKED_FROM = Limit("requests-from-network", 60, timedelta(hours=1))
"""From one network address: a department that asks at once, but no machine."""

LONGEST = {"name": MAX_NAME, "company": MAX_NAME, "purpose": MAX_PURPOSE}
"""Characters that each field takes; the fields in the order of the form."""


@dataclass(frozen=True)
class RequestForm:
    """What was typed, and for each field that cannot be taken the sentence that says why."""

    name: str = ""
    company: str = ""
    purpose: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    def limits(self) -> dict[str, int]:
        """How much each field takes, for the template."""
        return LONGEST


class Asking:
    """Takes the form in."""

    def __init__(self, requests: AccessRequests, limits: Limits) -> None:
        self._requests = requests
        self._limits = limits

    def take(self, actor: Actor, document_id: str, session: Session) -> AccessRequest | RequestForm:
        """The request that this form made, or the form again with what is wrong. The form is proven to be our own.

        Raises `TooMany`, and `DomainError` for what the person can do nothing about.
        """
        form = read_form()
        if form.errors:
            return form
        self._limits.require((ASKED_BY, session.mail), (ASKED_FROM, network(request.remote_addr)))
        try:
            return self._requests.ask(
                actor,
                document_id=document_id,
                mail=session.mail,
                name=form.name,
                company=form.company,
                purpose=form.purpose,
                language=wording.language(),
            )
        except DomainError as error:
            where = str(error.fields.get("where", ""))
            if error.problem not in {Problem.INVALID, Problem.UNMARKABLE_NAME} or where not in LONGEST:
                raise
            errors = {where: wording.say(f"ask.{where}.odd")}
            return RequestForm(form.name, form.company, form.purpose, errors)


def read_form() -> RequestForm:
    """What was typed in the current request; what is empty or too long is said for all fields at once."""
    typed = {name: " ".join(request.form.get(name, "").split()) for name in LONGEST}
    errors = {}
    for name, most in LONGEST.items():
        if not typed[name]:
            errors[name] = wording.say(f"ask.{name}.empty")
        elif len(typed[name]) > most:
            errors[name] = wording.say(f"ask.{name}.long", most=most)
    return RequestForm(**typed, errors=errors)
