"""Texts of the agreement that is signed on the page. The newest is offered; none is ever changed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from service.access import Scope
from service.errors import Problem
from service.nda_markdown import MAX_BYTES
from service.nda_texts import MAX_DAYS
from service.records import NdaText
from service.web.api.callers import Call
from service.web.api.routing import Routes
from service.web.api.shapes import Answer, Form, Listed, Moment, Optional, Page, TextId, paged

routes = Routes(
    "nda-texts", "Texts of the agreement that recipients sign on the page. The newest is offered."
)

Place = Annotated[str, Field(pattern="^[0-9]{1,9}$")]


class TextPath(Form):
    """The address of a text."""

    text_id: TextId


class TextsQuery(Page):
    """A page of texts."""

    after: Annotated[Optional[Place], Field(description="`next` of the page before.")] = None


class NewText(Form):
    """A text of the agreement."""

    markdown: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_BYTES,
            description=f"Markdown (CommonMark) without HTML and pictures, at most {MAX_BYTES} bytes in UTF-8; links "
            "lead to https or mailto. Kept byte for byte.",
            examples=["# Non-disclosure agreement\n\n1. …\n"],
        ),
    ]
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = Field(
        default=None, description="How long a signature holds. Default: without an end."
    )


class TextAnswer(Answer):
    """A text of the agreement."""

    id: TextId
    number: int = Field(description="1, 2, …: the highest is offered.")
    sha256: str = Field(description="Of the text in UTF-8, in hex; signers are shown it.")
    days: int | None
    created_at: Moment
    markdown: str


class TextList(Listed[TextAnswer]):
    """Texts in order of their number."""


def shown(text: NdaText) -> TextAnswer:
    """A text as the API shows it."""
    return TextAnswer.model_validate(text)


@routes.create(
    "/v1/nda-texts",
    scope=Scope.NDAS_APPROVE,
    answer=TextAnswer,
    location="/v1/nda-texts/{id}",
    links={"nda-texts_show": {"text_id": "#/id"}},
    problems=(Problem.WRONG_STATE,),
)
def create(call: Call, body: NewText) -> TextAnswer:
    """Offer a new text from now on. Who signed an older one on the page is asked again."""
    return shown(call.sealmark.nda_texts.add(call.actor, markdown=body.markdown, days=body.days))


@routes.get("/v1/nda-texts", scope=Scope.NDAS_READ, answer=TextList)
def list_all(call: Call, query: TextsQuery) -> TextList:
    """List texts."""
    after = int(query.after) if query.after else 0
    found = call.sealmark.nda_texts.list(after=after, limit=query.limit + 1)
    items, following = paged(found, query.limit, lambda last: last.number)
    return TextList(items=[shown(item) for item in items], next=following)


@routes.get("/v1/nda-texts/<text_id>", scope=Scope.NDAS_READ, answer=TextAnswer)
def show(call: Call, path: TextPath) -> TextAnswer:
    """Show a text."""
    return shown(call.sealmark.nda_texts.get(path.text_id))
