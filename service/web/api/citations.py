"""Citations: the sentence for a questionnaire, and whole questionnaires with a citation for each question."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from service.access import Scope
from service.citing import MAX_ITEMS
from service.errors import Problem
from service.questionnaires import Form as FileForm
from service.questions import Columns
from service.web.api.callers import Call
from service.web.api.documents import DocumentPath
from service.web.api.routing import Routes
from service.web.api.shapes import Answer, Form, Line, Optional, VersionId
from service.web.api.uploads import raw_body
from service.workbooks import MAX_BYTES

routes = Routes("citations", "How a questionnaire refers to a report: one sentence, or a whole file.")

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

REFUSALS = (
    Problem.INVALID,
    Problem.MALFORMED,
    Problem.WRONG_STATE,
    Problem.FILE_REFUSED,
    Problem.TOO_LARGE,
    Problem.UNSUPPORTED_MEDIA_TYPE,
)


class CitationQuery(Form):
    """For what the report is cited."""

    items: Annotated[
        Optional[Annotated[str, Field(max_length=MAX_ITEMS)]],
        Field(description="Items of the questionnaire, such as `45-72,80`.", examples=["45-72"]),
    ] = None
    criteria: Annotated[
        Optional[Annotated[str, Field(max_length=MAX_ITEMS)]],
        Field(description="Criteria of the report, such as `CC6.1,CC6.2`: they add controls and pages."),
    ] = None


class QuestionnaireQuery(Form):
    """The columns of the file, by their headers; what is left out is looked for."""

    item_column: Annotated[Optional[Line], Field(description="The column of the items, such as `No.`.")] = (
        None
    )
    criteria_column: Annotated[
        Optional[Line], Field(description="The column of the criteria that each question asks for.")
    ] = None

    sheet: Annotated[
        Optional[Line],
        Field(description="The only sheet of a workbook to cite in; left out: all with such columns."),
    ] = None

    def columns(self) -> Columns:
        """As the domain takes them."""
        return Columns(self.item_column, self.criteria_column, self.sheet)


class CitationAnswer(Answer):
    """A sentence for a questionnaire, and of what it is made."""

    sentence: str
    kind: str = Field(description="What the report is, in words.")
    period: str = Field(description="Its period or date in words; empty where the facts name none.")
    address: str = Field(
        description="The address that lasts: who may have the report gets a fresh link there."
    )
    version: VersionId = Field(description="The version that is cited: the newest that is ready.")
    items: str = Field(description="The items in words.")
    criteria: list[str]
    controls: list[str] = Field(description="The controls that serve these criteria.")
    pages: list[int] = Field(description="The pages, from 1, that speak of them.")


@routes.get(
    "/v1/documents/<document_id>/citation",
    scope=Scope.DOCUMENTS_READ,
    answer=CitationAnswer,
    problems=(Problem.WRONG_STATE,),
)
def show(call: Call, path: DocumentPath, query: CitationQuery) -> CitationAnswer:
    """Cite a document: the sentence for a questionnaire, in the owner's wording."""
    criteria = [one.strip() for one in (query.criteria or "").split(",") if one.strip()]
    cited = call.sealmark.citations.cite(path.document_id, items=query.items or "", criteria=criteria)
    return CitationAnswer.model_validate(cited)


@routes.upload(
    "/v1/documents/<document_id>/questionnaire.csv",
    scope=Scope.DOCUMENTS_READ,
    takes=CSV,
    answers={200: {CSV: None}},
    problems=REFUSALS,
    method="post",
)
def csv_file(call: Call, path: DocumentPath, query: QuestionnaireQuery) -> Response:
    """Cite a document throughout a questionnaire in CSV (UTF-8): the same file, with a column *Citation*."""
    return _cited(call, path, query, "csv", CSV, f"{CSV}; charset=utf-8; header=present")


@routes.upload(
    "/v1/documents/<document_id>/questionnaire.xlsx",
    scope=Scope.DOCUMENTS_READ,
    takes=XLSX,
    answers={200: {XLSX: None}},
    problems=REFUSALS,
    method="post",
)
def xlsx_file(call: Call, path: DocumentPath, query: QuestionnaireQuery) -> Response:
    """Cite a document throughout a questionnaire in XLSX: the same workbook, with a column *Citation*."""
    return _cited(call, path, query, "xlsx", XLSX, XLSX)


def _cited(
    call: Call, path: DocumentPath, query: QuestionnaireQuery, form: FileForm, takes: str, answers: str
) -> Response:
    content = raw_body(takes, MAX_BYTES)
    cited = call.sealmark.questionnaires.cite(path.document_id, form, content, query.columns())
    response = Response(cited.content, content_type=answers)
    response.headers["Content-Disposition"] = f'attachment; filename="questionnaire.{form}"'
    return response
