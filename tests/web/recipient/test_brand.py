"""The lender's logo and colour: shown on every page, and legible whatever was chosen."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from service.settings import SettingError, load
from service.web.recipient import brand
from service.web.recipient.brand import LEAST_CONTRAST, MAX_LOGO_BYTES, color_rules, read_logo
from tests.service_fixture import service_in
from tests.web.recipient.browsing import Person
from tests.web.recipient.lending import compile_here, lend

COLORS = ["#000000", "#ffffff", "#ff0000", "#00ff00", "#0000ff", "#ffff00", "#777777", "#c0ffee", "#1f5f5b"]


def a_logo(width: int = 120, height: int = 56) -> bytes:
    written = BytesIO()
    Image.new("RGB", (width, height), "#c8102e").save(written, "PNG")
    return written.getvalue()


def rgb(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


@pytest.mark.parametrize("color", COLORS)
def test_text_on_buttons_can_be_read_in_light_and_dark_whatever_the_colour(color: str) -> None:
    rules = color_rules(color)
    found = re.findall(r"--accent: (#\w+); --accent-hover: (#\w+); --on-accent: (#\w+);", rules)
    assert len(found) == 2
    for accent, hover, on_accent in found:
        assert brand._contrast(rgb(accent), rgb(on_accent)) >= LEAST_CONTRAST
        assert brand._contrast(rgb(hover), rgb(on_accent)) >= LEAST_CONTRAST
    assert brand._contrast(rgb(found[1][0]), (0x14, 0x19, 0x1A)) >= LEAST_CONTRAST


def test_a_colour_that_can_be_read_is_not_touched() -> None:
    assert "--accent: #1f5f5b;" in color_rules("#1f5f5b")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    # WCAG 2.2: black on white has 21:1; #767676 is the lightest grey that passes on white.
    [("#000000", "#ffffff", 21.0), ("#767676", "#ffffff", 4.54), ("#ffffff", "#ffffff", 1.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert brand._contrast(rgb(one), rgb(other)) == pytest.approx(ratio, abs=0.01)


def test_logo_and_colour_stand_on_every_page(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(a_logo())
    environ = {"SEALMARK_LOGO": str(path), "SEALMARK_COLOR": "#C8102E"}
    with service_in(tmp_path, compile_in_child=compile_here, environ=environ) as service:
        lent = lend(service)
        person = Person(lent.app)
        for address in (lent.path, "/trust", "/s/x"):
            page = person.get(address).text
            found = re.search(r'<img src="(/static/\w+/logo\.png)" width="60" height="28" alt="">', page)
            assert found
            style = re.search(r'href="(/static/\w+/page\.css)"', page)
            assert style
            assert "--accent: #c8102e;" in person.get(style[1]).text
        answer = person.get(found[1])
        assert answer.data == a_logo()
        assert answer.content_type == "image/png"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is no PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "is no PNG"),
        (a_logo() + b"\0" * MAX_LOGO_BYTES, "at most 20000"),
        (a_logo(2001, 1), "2000 pixels"),
    ],
)
def test_a_logo_that_cannot_be_shown_is_said_in_one_line(tmp_path: Path, body: bytes, said: str) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(body)
    with pytest.raises(SettingError, match=said) as caught:
        read_logo(path)
    assert str(caught.value).startswith("SEALMARK_LOGO: ")


def test_a_logo_that_is_not_there_is_said_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot read") as caught:
        read_logo(tmp_path / "secret-place.png")
    assert "secret-place" not in str(caught.value)


@pytest.mark.parametrize("color", ["red", "#fff", "#12345g", "#1234567", "url(https://evil.example)"])
def test_a_colour_is_six_hexadecimal_digits(color: str) -> None:
    environ = {"SEALMARK_URL": "https://x.example", "SEALMARK_KEY": "file:/k", "SEALMARK_COLOR": color}
    with pytest.raises(SettingError, match="COLOR"):
        load(environ)


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("assurance@lender.example", '<a href="mailto:assurance@lender.example">'),
        ("https://lender.example/trust", '<a href="https://lender.example/trust">'),
        (
            "mailto:assurance@lender.example?subject=Report",
            'href="mailto:assurance@lender.example?subject=Report"',
        ),
        ("javascript:alert(1)", "javascript:alert(1)</p>"),
        ("Olga, on extension 17", "Olga, on extension 17</p>"),
    ],
)
def test_a_contact_is_a_link_only_where_it_is_an_address(tmp_path: Path, contact: str, shown: str) -> None:
    with service_in(tmp_path, environ={"SEALMARK_CONTACT": contact}) as service:
        lent = lend(service)
        page = lent.browser.get(lent.path).text
    assert shown in page
    assert 'href="javascript' not in page
