"""Texts of the agreement: what cannot stay is refused with its line, what stays is kept byte for byte."""

from __future__ import annotations

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.errors import DomainError, Problem
from service.nda_markdown import MAX_BYTES, MAX_HTML, as_blocks, as_html, check
from service.nda_texts import MAX_DAYS
from service.ports import Taken
from service.records import NdaText
from tests.service.signing_cases import TEXT, a_text
from tests.service_fixture import Service


def test_a_text_is_numbered_hashed_kept_as_it_is_and_an_entry(service: Service) -> None:
    crlf = TEXT.replace("\n", "\r\n")
    first, second = a_text(service, crlf, days=None), a_text(service)
    assert (first.number, second.number) == (1, 2)
    texts = service.sealmark.nda_texts
    assert texts.get(first.id).markdown == crlf
    assert first.sha256 == hashlib.sha256(crlf.encode()).hexdigest()
    assert texts.current() == second
    assert texts.list() == [first, second]
    assert texts.list(after=1) == [second]
    details = [json.loads(entry["details"]) for entry in service.entries("nda-text.created")]
    assert details == [
        {"text": first.id, "number": 1, "sha256": first.sha256},
        {"text": second.id, "number": 2, "sha256": second.sha256, "days": 365},
    ]


@pytest.mark.parametrize(
    ("markdown", "line", "said"),
    [
        ("One.\n\n<p>two</p>\n", 3, "HTML"),
        ("One\ntwo <b>three</b>", 2, "HTML"),
        ("One\ntwo  \nthree <!-- four -->", 3, "HTML"),
        ("One.\n\n<script>\nalert(1)\n</script>", 3, "HTML"),
        ("> - a\n> - b <i>", 2, "HTML"),
        ("One ![two](https://x.example/p.png)", 1, "pictures"),
        ("[a](javascript:alert(1))", 1, "link"),
        ("[a](data:text/html,x)", 1, "link"),
        ("One.\n\n[a](/relative)", 3, "link"),
        ("[a](#place)", 1, "link"),
        ("[a][b]\n\n[b]: http://x.example", 1, "link"),
        ("<http://x.example>", 1, "link"),
        ("One\u202etwo", 1, "control"),
        ("One\ntwo\u2067", 2, "control"),
        ("One\x00", 1, "control"),
        ("One\n\x0ctwo", 2, "control"),
        ("One\rtwo", 1, "control"),
        ("One\u2028two", 1, "control"),
        ("", 1, "empty"),
        (" \n\n***\n", 1, "empty"),
        ("\ud800", 1, "UTF-8"),
    ],
)
def test_what_cannot_stay_is_refused_with_its_line(
    service: Service, markdown: str, line: int, said: str
) -> None:
    with pytest.raises(DomainError) as caught:
        a_text(service, markdown)
    error = caught.value
    assert (error.problem, error.fields) == (Problem.INVALID, {"where": "markdown", "line": line})
    assert error.detail.startswith(f"Line {line}: ")
    assert said in error.detail
    assert service.sealmark.nda_texts.list() == []
    assert service.entries("nda-text.created") == []


@pytest.mark.parametrize("markdown", ["é" * (MAX_BYTES // 2 + 1), "- a\n" * (MAX_BYTES // 4)])
def test_a_text_that_is_too_long_for_the_page_is_refused(markdown: str) -> None:
    with pytest.raises(DomainError) as caught:
        check(markdown)
    assert caught.value.problem == Problem.TOO_LARGE
    assert caught.value.fields["limit"] in {MAX_BYTES, MAX_HTML}


def test_the_longest_text_passes() -> None:
    check("word " * (MAX_BYTES // 5))


@pytest.mark.parametrize("days", [0, -1, MAX_DAYS + 1])
def test_days_that_cannot_be_are_refused(service: Service, days: int) -> None:
    with pytest.raises(DomainError) as caught:
        a_text(service, days=days)
    assert caught.value.fields["where"] == "days"


def test_the_same_text_again_asks_nobody_again_but_other_days_are_another_text(service: Service) -> None:
    a_text(service)
    with pytest.raises(DomainError) as caught:
        a_text(service)
    assert caught.value.problem == Problem.WRONG_STATE
    assert a_text(service, days=30).number == 2
    assert a_text(service).number == 3


def test_texts_that_are_added_at_once_get_numbers_of_their_own(service: Service) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda number: a_text(service, f"Text {number}"), range(8)))
    assert sorted(text.number for text in made) == list(range(1, 9))


def test_a_number_that_others_take_again_and_again_is_busy(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_: object) -> NdaText:
        raise Taken("number")

    monkeypatch.setattr(service.sealmark.nda_texts, "_add", taken)
    with pytest.raises(DomainError) as caught:
        a_text(service)
    assert caught.value.problem == Problem.BUSY


def test_an_unknown_text_is_not_found(service: Service) -> None:
    with pytest.raises(DomainError) as caught:
        service.sealmark.nda_texts.get("txt_" + "0" * 26)
    assert caught.value.problem == Problem.NOT_FOUND
    assert service.sealmark.nda_texts.current() is None


def test_on_the_page_headings_come_below_the_first_level_and_nothing_is_left_unescaped() -> None:
    made = as_html(
        '# One\n\n###### Six\n\na < b & "c" [x](https://x.example/?a=1&b=2)\n\n```js"\ncode <b>\n```\n'
    )
    assert '<h2 dir="ltr">One</h2>' in made
    assert '<h6 dir="ltr">Six</h6>' in made
    assert 'a &lt; b &amp; &quot;c&quot; <a href="https://x.example/?a=1&amp;b=2"' in made
    assert "code &lt;b&gt;" in made
    assert "<h1" not in made


def test_each_block_has_the_direction_of_its_first_letters() -> None:
    made = as_html("One\n\n1 שלום\n\n1. ב\n2. a\n\n> - א\n\n42\n")
    assert re.findall(r"<(\w+)(?: dir=\"(\w+)\")?>", made) == [
        ("p", "ltr"),
        ("p", "rtl"),
        ("ol", "rtl"),
        ("li", "rtl"),
        ("li", "ltr"),
        ("blockquote", "rtl"),
        ("ul", "rtl"),
        ("li", "rtl"),
        ("p", ""),
    ]


def test_as_blocks_all_words_are_there_with_what_links_lead_to() -> None:
    text = TEXT + "\n> quoted  \n> broken\n\n---\n\n    code\n\n9) nine\n10) ten\n\n- \n"
    blocks = as_blocks(text)
    assert [block.text for block in blocks] == [
        "Mutual non-disclosure agreement",
        "You get a report that is confidential. See the policy (https://lender.example/policy).",
        "Do not pass it on.",
        "Destroy it when you are done:",
        "the file,",
        "every print.",
        "Questions: legal@lender.example",
        "quoted\nbroken",
        "",
        "code",
        "nine",
        "ten",
    ]
    assert [block.marker for block in blocks if block.marker] == ["1.", "2.", "•", "•", "9)", "10)"]
    assert [block.heading for block in blocks][:2] == [1, 0]
    assert [block.depth for block in blocks][2:8] == [1, 1, 2, 2, 0, 1]
    assert [block.rule for block in blocks].count(True) == 1
