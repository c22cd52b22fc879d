"""What the pages say, how they are built, and what they carry along."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from service.decision import Denial
from service.facts import Criteria, Opinion, SectionKind
from service.records import Classification, Kind
from service.web.recipient import wording
from service.web.recipient.assets import load_assets
from service.web.recipient.headers import SECURITY, attachment
from tests.service_fixture import OPERATOR, Service
from tests.web.recipient.lending import FACTS, Lent, lend

MAX_PAGE_BYTES = 50_000
VOID = {"meta", "link", "img", "br", "input", "!doctype"}


class Outline(HTMLParser):
    """The tags of a page in order; fails when they are not nested well."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def text_of(page: str) -> str:
    """What is read: no tags, single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_page_says_no_later_end_than_the_last_day(service: Service) -> None:
    lent = lend(service)
    service.sealmark.documents.change(OPERATOR, lent.document.id, ends=date(2026, 3, 3))
    assert "Link works until 4 March 2026, 00:00 UTC" in text_of(lent.browser.get(lent.path).text)


def test_the_page_says_what_is_lent_to_whom_and_until_when(service: Service) -> None:
    lent = lend(service, limit=3)
    said = text_of(lent.browser.get(lent.path).text)
    for expected in (
        "Lender Example Ltd shares this document with you",
        "SOC 2 Type II report Relay report",
        "Period 1 January 2025 to 31 December 2025",
        "Auditor Larkspur &amp; Vane LLP",
        "Criteria Security, Availability",
        "For Ana Lindqvist Acme Freight",
        "Link works until 5 March 2026, 09:00 UTC",
        "Downloads 3 left",
        "9 pages",
        "confidential under your non-disclosure agreement",
        "assurance@lender.example",
    ):
        assert expected in said
    assert "secret purpose" not in said


def test_the_opinion_comes_first_then_exceptions_then_where_to_start_and_sections(lent: Lent) -> None:
    said = text_of(lent.browser.get(lent.path).text)
    in_order = (
        "Qualified opinion The auditor agrees with management’s statements except",
        "Read it on pages 1–2.",
        "The auditor’s tests found 2 exceptions.",
        "Control AC-03 Criterion CC6.2 Remediated What deviated For 2 of 40 grants",
        "A second approval is now enforced. In the report: pages 7–8",
        "Control AV-04 Criterion A1.3 Not remediated",
        "No response is given. In the report: page 9",
        "Security reviewer Independent auditor’s report pages 1–2 Exceptions pages 7–9 Tests &amp; results pages 7–9",
        "Architect The system pages 4–5",
        "Engineer Controls in place page 6 Tests &amp; results pages 7–9",
        "Procurement Independent auditor’s report pages 1–2 Assertion page 3",
        "Sections",
    )
    places = [said.index(expected) for expected in in_order]
    assert places == sorted(places)


@pytest.mark.parametrize("kind", [Kind.OVERVIEW, Kind.PENTEST, Kind.BRIDGE_LETTER, Kind.OTHER])
def test_a_document_without_facts_leaves_out_what_it_does_not_say(service: Service, kind: Kind) -> None:
    lent = lend(service, kind=kind, facts={}, classification=Classification.PUBLIC)
    said = text_of(lent.browser.get(lent.path).text)
    assert wording.kind(kind) in said
    for absent in (
        "opinion",
        "Exceptions",
        "Where to start",
        "Sections",
        "Period",
        "Downloads",
        "non-disclosure",
    ):
        assert absent not in said


def test_a_report_as_of_a_date_says_the_date(service: Service) -> None:
    lent = lend(service, kind=Kind.SOC2_TYPE1, facts={"as_of": "2026-01-31"})
    assert "As of 31 January 2026" in text_of(lent.browser.get(lent.path).text)


def test_tests_without_exceptions_are_said_to_have_none(service: Service) -> None:
    lent = lend(service, facts={**FACTS, "exceptions": []})
    assert "This report lists no exceptions." in text_of(lent.browser.get(lent.path).text)


def test_a_running_delivery_is_named_so_that_nobody_fears_a_second_charge(lent_once: Lent) -> None:
    lent_once.granted()
    said = text_of(lent_once.browser.get(lent_once.path).text)
    assert "Downloads 0 left" in said
    assert "Your last download is open until 2 March 2026, 09:10 UTC." in said


def test_what_comes_from_outside_is_escaped(service: Service) -> None:
    hostile = "<script>alert('x')</script>\"&"
    facts: dict[str, Any] = {
        **FACTS,
        "auditor": hostile,
        "exceptions": [{**FACTS["exceptions"][0], "deviation": hostile}],
    }
    lent = lend(service, facts=facts, document=hostile, name="<b>Ana</b>")
    page = lent.browser.get(lent.path).text
    assert "<script" not in page
    assert "<b>" not in page
    assert page.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34;&amp;") >= 3


def test_pages_are_well_formed_and_hold_nothing_inline_and_nothing_from_elsewhere(lent: Lent) -> None:
    for page in (lent.browser.get(lent.path).text, lent.browser.get("/s/x").text):
        outline = Outline(page)
        assert not outline.named("script")
        assert not outline.named("style")
        for _, attributes in outline.tags:
            assert "style" not in attributes
            assert not [name for name in attributes if name.startswith("on")]
            for name in ("src", "href", "action"):
                target = attributes.get(name)
                assert target is None or target.startswith(
                    ("/static/", "#", "mailto:assurance@", "?language=")
                )


def test_pages_have_the_structure_that_readers_of_screens_need(lent: Lent) -> None:
    outline = Outline(lent.browser.get(lent.path).text)
    assert outline.named("html") == [{"lang": "en", "dir": "ltr"}]
    assert len(outline.named("h1")) == len(outline.named("main")) == 1
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = [attributes["aria-labelledby"] for attributes in outline.named("section")]
    assert set(labelled) <= set(ids)
    assert outline.named("a")[0]["href"] == "#copy"
    assert all("alt" in attributes for attributes in outline.named("img"))
    assert all("scope" in attributes for attributes in outline.named("th"))
    assert len(outline.named("form")) == len(outline.named("button")) == 1
    assert "width=device-width" in str(outline.named("meta"))


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_every_text_has_the_contrast_that_wcag_asks(scheme: int) -> None:
    style = load_assets()["page.css"].body.decode()
    blocks = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", block))
        for block in re.findall(r":root \{([^}]*)\}", style)
    ]
    assert len(blocks) == 3
    colours = blocks[0] | blocks[scheme]
    for ground in ("ground", "card"):
        for ink in ("ink", "quiet", "link", "good", "warn", "bad"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        assert contrast(colours["accent"], colours[ground]) >= 3
    for accent in ("accent", "accent-hover"):
        assert contrast(colours["on-accent"], colours[accent]) >= 4.5


def test_the_largest_summary_stays_small(service: Service) -> None:
    words = "deviated " * 400
    large = {**FACTS["exceptions"][0], "deviation": words, "response": words, "pages": [1, 3, 5, 7, 9]}
    many = [{**large, "control": f"AC-{number}"} for number in range(300)]
    sections = [{"kind": "other", "title": f"Part {n}", "first_page": 1, "last_page": 9} for n in range(300)]
    lent = lend(service, facts={**FACTS, "exceptions": many, "sections": sections})
    page = lent.browser.get(lent.path)
    assets = sum(len(asset.body) for asset in load_assets().values())
    assert len(page.data) + assets <= MAX_PAGE_BYTES
    said = text_of(page.text)
    assert "The auditor’s tests found 300 exceptions." in said
    assert "The report names 280 more." in said
    assert "The report’s own contents list the rest." in said


def test_security_headers_stand_on_every_answer(lent: Lent) -> None:
    delivery = lent.granted()
    asset = load_assets()["page.css"].path
    answers = [
        lent.browser.get(lent.path),
        lent.browser.post(lent.path),
        lent.browser.get(delivery),
        lent.browser.get(delivery, headers={"If-None-Match": "*"}),
        lent.browser.get(delivery, headers={"Range": "bytes=99999999-"}),
        lent.browser.get("/s/x"),
        lent.browser.get("/d/x"),
        lent.browser.put(lent.path),
        lent.browser.get(asset),
        lent.browser.get("/static/x/y"),
    ]
    lent.service.sealmark.sharing.revoke(OPERATOR, lent.share.id)
    answers.append(lent.browser.get(lent.path))
    for answer in answers:
        for name, value in SECURITY.items():
            assert answer.headers[name] == value
        assert (answer.headers["Cache-Control"] == "no-store") is (answer.request.path != asset)
        assert "Set-Cookie" not in answer.headers
    assert "unsafe" not in SECURITY["Content-Security-Policy"]


def test_static_files_are_kept_for_long_under_an_address_that_their_content_gives(lent: Lent) -> None:
    page = lent.browser.get(lent.path).text
    for asset in load_assets().values():
        if asset.name == "console.css":  # of the console's pages alone
            continue
        assert asset.path in page
        answer = lent.browser.get(asset.path)
        assert (answer.data, answer.content_type) == (asset.body, asset.content_type)
        assert "immutable" in answer.headers["Cache-Control"]
        assert lent.browser.get(asset.path.replace(asset.digest, "0" * 16)).status_code == 404
        assert lent.browser.post(asset.path).status_code == 405
    assert lent.kinds() == ["page.viewed"]


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ("SOC 2 (2025)", "SOC-2-2025", "SOC%202%20%282025%29"),
        ("Bericht Größe", "Bericht-Groe", "Bericht%20Gr%C3%B6%C3%9Fe"),
        ("報告", "report", "%E5%A0%B1%E5%91%8A"),
        ('../a"b\r\nX: y', "a-bX-y", "a%20bX%20y"),
        ("\u202efdp.exe", "fdp.exe", "fdp.exe"),
        ("...", "report", "report"),
    ],
)
def test_the_file_name_is_safe_in_a_header_and_on_every_file_system(
    name: str, plain: str, encoded: str
) -> None:
    assert attachment(name, "cpy_0000000000000000000123456789abcdef") == (
        f"attachment; filename=\"{plain}-89abcdef.pdf\"; filename*=UTF-8''{encoded}%20%2889abcdef%29.pdf"
    )


def test_every_denial_kind_opinion_and_category_has_its_words() -> None:
    said = [
        *(part for reason in Denial for part in wording.denial(reason)),
        *(wording.kind(kind) for kind in Kind),
        *(part for opinion in Opinion for part in wording.opinion(opinion)),
        *(wording.criteria(item) for item in Criteria),
        *(wording.say(who) for who, _ in wording.READERS),
    ]
    assert all(said)
    parts = {part for _, wanted in wording.READERS for part in wanted}
    assert parts <= {*SectionKind, "exceptions"}


@pytest.mark.parametrize(
    ("numbers", "said"),
    [([], ""), ([4], "page 4"), ([4, 4], "page 4"), ([6, 4, 5, 9], "pages 4–6, 9"), ([1, 2], "pages 1–2")],
)
def test_pages_are_named_with_neighbours_joined(numbers: list[int], said: str) -> None:
    assert wording.pages(numbers) == said


@pytest.mark.parametrize(
    ("length", "said"),
    [(1, "1 kB"), (640_000, "640 kB"), (999_499, "999 kB"), (999_999, "1.0 MB"), (2_149_000, "2.1 MB")],
)
def test_sizes_are_said_as_systems_show_them(length: int, said: str) -> None:
    assert wording.size(length) == said
