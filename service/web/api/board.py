"""Answers for the board, as JSON or as a table. Each pull is an entry."""

from __future__ import annotations

from flask import Response, request
from pydantic import Field

from service.access import Scope
from service.board import as_csv
from service.errors import DomainError, Problem
from service.records import Kind
from service.web.api.callers import Call
from service.web.api.log import CSV
from service.web.api.reading import JSON
from service.web.api.routing import Routes
from service.web.api.shapes import Answer, Day, DocumentId, Form, Moment, Optional

routes = Routes("report", "Answers for the board: what is out, to whom, how often it is opened.")


class ReportQuery(Form):
    """Of which days, in UTC: [first, last]. Default: the last 26 weeks, at most 1830 days."""

    first: Optional[Day] = None
    last: Optional[Day] = None


class OutAnswer(Answer):
    """A document that is lent now."""

    document: DocumentId
    name: str
    kind: Kind
    shares: int = Field(description="Its open shares.")
    people: int


class CompanyAnswer(Answer):
    """A mail domain to whose people something is lent now."""

    domain: str
    name: str = Field(
        description="The company that most of its people name; empty where anybody has an address."
    )
    shares: int
    people: int


class WeekAnswer(Answer):
    """The accesses of one week, from Monday, in UTC."""

    monday: Day
    downloads: int = Field(description="Granted downloads; of a view-only share, sittings.")
    views: int = Field(description="Openings of a link's page that showed its report.")
    public: int = Field(description="Downloads of public files.")


class RequestsAnswer(Answer):
    """The requests for access of these days, as they stand now."""

    asked: int
    approved: int
    denied: int
    pending: int
    median_seconds: int | None = Field(description="From request to first link; null: there is no link yet.")


class ExceptionAnswer(Answer):
    """An exception whose pages were shown."""

    document: DocumentId
    name: str
    version: int
    control: str
    criterion: str
    shown: int = Field(
        description="How often pages that speak of it were shown in view-only shares. What is read in a copy that was "
        "downloaded is not known."
    )


class BoardAnswer(Answer):
    """What is out is so at `made_at`; the rest is of the days [first, last]."""

    made_at: Moment
    first: Day
    last: Day
    out: list[OutAnswer]
    companies: list[CompanyAnswer]
    weeks: list[WeekAnswer]
    requests: RequestsAnswer
    exceptions: list[ExceptionAnswer]


@routes.get(
    "/v1/report",
    scope=Scope.LOG_READ,
    answer={JSON: BoardAnswer, CSV: None},
    problems=(Problem.NOT_ACCEPTABLE,),
)
def show(call: Call, query: ReportQuery) -> BoardAnswer | Response:
    """Get the numbers for the board; by `Accept` as JSON or text/csv."""
    wanted = request.accept_mimetypes.best_match([JSON, CSV]) if request.accept_mimetypes else JSON
    if wanted is None:
        raise DomainError(Problem.NOT_ACCEPTABLE, f"The report comes as {JSON} or {CSV}.")
    made = call.sealmark.reporting.report(call.actor, query.first, query.last)
    if wanted == CSV:
        return Response(as_csv(made), content_type="text/csv; charset=utf-8; header=present")
    return BoardAnswer.model_validate(made)
