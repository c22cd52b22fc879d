"""Names of every promised script are shaped, whole and in the order in which they are seen."""

from __future__ import annotations

import pytest

from tests.watermark.builders import NAMES
from watermark.bidi import visual_runs
from watermark.errors import Unmarkable
from watermark.fonts import system_fonts
from watermark.shaping import shape, width


def _shaped(text: str) -> list[str]:
    try:
        return [cluster.text for cluster in shape("name", text, system_fonts())]
    except Unmarkable as missing:
        if missing.reason == "missing-font":
            pytest.skip(missing.message)
        raise


@pytest.mark.fonts
@pytest.mark.parametrize("script", NAMES)
def test_every_character_of_a_name_is_in_exactly_one_cluster(script: str) -> None:
    name = NAMES[script]
    assert sorted("".join(_shaped(name))) == sorted(name)
    assert all(cluster.parts for cluster in shape("name", name, system_fonts()))
    assert width(shape("name", name, system_fonts())) > 200 * len(name.split())


@pytest.mark.fonts
def test_right_to_left_names_come_in_visual_order_and_arabic_letters_join() -> None:
    assert _shaped("שלום") == list("םולש")
    assert "".join(_shaped("Ana שלום 12 b")) == "Ana 12 םולש b"
    alone = shape("name", "م", system_fonts())
    joined = shape("name", "محمد", system_fonts())
    assert joined[-1].text == "م"
    assert joined[-1].parts[0].glyph != alone[0].parts[0].glyph


@pytest.mark.fonts
def test_devanagari_conjuncts_are_one_cluster() -> None:
    assert "र्मा" in _shaped("शर्मा")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", "abc"),
        ("אבג", "גבא"),
        ("אב 12 גד", "דג 12 בא"),
        ("a אב b", "a בא b"),
        ("א 1,234.5%", "1,234.5% א"),
        ("a (אב) c", "a (בא) c"),
        ("אב ab גד", "דג ab בא"),
        ("12 a", "12 a"),
        ("", ""),
    ],
)
def test_directions_are_ordered_as_the_bidirectional_algorithm_says(text: str, expected: str) -> None:
    seen = "".join(
        text[run.start : run.stop][::-1] if run.rtl else text[run.start : run.stop]
        for run in visual_runs(text)
    )
    assert seen == expected


@pytest.mark.fonts
@pytest.mark.parametrize("text", ["Acme (NDA)، شركة", "، Acme", "شركة Acme؟", "Acme、株式会社"])
def test_a_mark_that_only_some_scripts_share_is_drawn_whatever_stands_before_it(text: str) -> None:
    assert sorted("".join(_shaped(text))) == sorted(text)
    runs = system_fonts().runs("company", text)
    assert "".join(text[run.start : run.stop] for run in runs) == text
    assert all(run.face.covers(text[run.start : run.stop]) for run in runs)


def test_a_face_is_opened_once_and_runs_keep_marks_with_their_letters() -> None:
    fonts = system_fonts()
    first = fonts.runs("name", "Ana")[0].face
    assert fonts.runs("name", "Zo\u00eb Å\u030a")[0].face is first
    assert [(run.start, run.stop) for run in fonts.runs("name", "q\u0323x")] == [(0, 3)]
