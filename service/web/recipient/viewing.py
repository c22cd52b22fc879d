"""Reading without a download: `/v/<delivery token>` begins with the first page, `…/<n>` shows a page with its text,
`…/<n>.<form>` its picture. Without scripts: links, and one form that asks for a page by its number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Response, request
from markupsafe import escape

from service.app import Sealmark
from service.cuts import facts_of
from service.decision import Denial
from service.delivery import Checked
from service.facts import Facts
from service.opening import Denied, Unauthentic
from service.records import Cut, Template, Version
from service.viewing import NoSuchPage, Shown, Undrawable
from service.web.recipient import wording
from service.web.recipient.rendering import denied, html, message, see_other, wrong_method
from service.web.recipient.summary import SHOWN_SECTIONS
from service.web.requests import actor
from watermark.drawn import DrawnPage

SHOWN_TEXT_BYTES = 20_000
"""Of a page's text as it stands in the HTML, so that all of it stays below 50 KB: three times the densest real page."""

SHOWN_TITLE = 80
"""Characters of a section's title in the list to jump to."""

TYPES = {"png": "image/png", "jpeg": "image/jpeg"}

_NUMBER = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class PageView:
    """One page of the report as the template shows it."""

    title: str
    document: str
    place: str
    number: int
    count: int
    sitting: str  # path of the sitting; the page's and its picture's begin with it
    form: str
    width: int
    height: int
    alt: str
    text: str
    cut: bool
    sections: tuple[tuple[str, int], ...]  # title and first page
    until: str


class Reading:
    """The views of sittings. They raise what `Viewing` raises."""

    def __init__(self, sealmark: Sealmark, checked: Checked) -> None:
        self._viewing = sealmark.viewing
        self._database = sealmark.database
        self._checked = checked

    def begin(self, token: str) -> Response:
        """The first page; or, for the form that names a page by its number, the way to that."""
        asked = request.args.get("page")
        if asked is None or request.method not in _READING:
            return self.page(token, "1")
        begun = self._viewing.begin(token, actor("recipient"), self._checked)
        if isinstance(begun, Denied):
            return _denied(begun)
        return see_other(f"/v/{token}/{asked if _NUMBER.fullmatch(asked) else 1}")

    def page(self, token: str, number: str) -> Response:
        """A page with its text. HEAD shows nothing, and is no entry."""
        answer = self._answer(token, number)
        return html("reading", 200, view=self._view(answer, token)) if isinstance(answer, Shown) else answer

    def picture(self, token: str, number: str, form: str) -> Response:
        """The picture of a page. The ending is for who keeps it; what it is says the picture itself."""
        if form not in TYPES:
            raise Unauthentic
        answer = self._answer(token, number)
        if not isinstance(answer, Shown):
            return answer
        picture = answer.picture
        name = f'inline; filename="page-{number}.{picture.form}"'
        return Response(picture.data, content_type=TYPES[picture.form], headers={"Content-Disposition": name})

    def _answer(self, token: str, number: str) -> Shown | Response:
        """The page, whose entry is durable, or the answer where it is not shown."""
        if not _NUMBER.fullmatch(number):
            raise Unauthentic
        if request.method not in _READING:
            return wrong_method("GET, HEAD")
        asker = actor("recipient")
        if request.method == "HEAD":
            begun = self._viewing.begin(token, asker, self._checked)
            return _denied(begun) if isinstance(begun, Denied) else Response()
        try:
            shown = self._viewing.show(token, int(number), asker, self._checked)
        except NoSuchPage as missing:
            if request.endpoint == "recipient.reading":
                return see_other(f"/v/{token}/{missing.count}")
            return message(404, "read.no_page", hint="read.again")
        except Undrawable:
            return message(500, "read.undrawable", hint="read.undrawable.back", numbered=True)
        return _denied(shown) if isinstance(shown, Denied) else shown

    def _view(self, shown: Shown, token: str) -> PageView:
        page, document = shown.page, shown.sitting.allowed.document
        place = _place(page, shown.count)
        text, cut = shortened(page.text, SHOWN_TEXT_BYTES)
        alt = "read.picture" if text else "read.picture.bare"
        return PageView(
            title=wording.say("read.title", place=place, document=document.name),
            document=document.name,
            place=place,
            number=page.number,
            count=shown.count,
            sitting=f"/v/{token}",
            form=shown.picture.form,
            width=shown.picture.width,
            height=shown.picture.height,
            alt=wording.say(alt, number=page.number),
            text=text,
            cut=cut or not page.whole,
            sections=self._sections(shown),
            until=wording.say("read.until", until=wording.moment(shown.sitting.delivery.until)),
        )

    def _sections(self, shown: Shown) -> tuple[tuple[str, int], ...]:
        """Of the version that the copy is of: there may be a newer one by now. Of a cut, those that are in it alone."""
        copy = shown.sitting.copy
        with self._database.read() as records:
            version = records.get(Version, copy.version_id)
            template = records.get(Template, copy.template_id)
            cut = records.get(Cut, template.cut_id) if template and template.cut_id else None
        if version is None or template is None or (template.cut_id and cut is None):
            return ()
        facts = Facts.model_validate(version.facts)
        if cut is not None:
            facts = facts_of(facts, cut.sections)
        return tuple(
            (section.title[:SHOWN_TITLE], section.first_page) for section in facts.sections[:SHOWN_SECTIONS]
        )


def _place(page: DrawnPage, count: int) -> str:
    if page.label and page.label != str(page.number):
        return wording.say("read.place.label", label=page.label, number=page.number, count=count)
    return wording.say("read.place", number=page.number, count=count)


def shortened(text: str, most: int) -> tuple[str, bool]:
    """As many whole lines, or else characters, as take no more bytes than that in HTML; and whether there are more."""
    kept: list[str] = []
    left = most
    for line in text.split("\n"):
        size = _size(line) + bool(kept)
        if size > left:
            break
        kept.append(line)
        left -= size
    else:
        return text, False
    if not kept:
        first = text.split("\n", 1)[0]
        while _size(first) > most:
            first = first[: len(first) * most // _size(first) or -1]
        kept = [first]
    return "\n".join(kept), True


def _size(text: str) -> int:
    return len(escape(text).encode())


def _denied(why: Denied) -> Response:
    """The page that says why no page is shown; a reading has an end of its own."""
    if why.reason == Denial.DELIVERY_OVER:
        return message(410, "read.over", hint="read.again")
    return denied(why)
