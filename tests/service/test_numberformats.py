"""Numbers as spreadsheets show them; the values are what Excel shows in a column that is wide enough."""

from __future__ import annotations

import pytest

from service.numberformats import shown


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (45, "45"),
        (45.0, "45"),
        (100, "100"),
        (1.1, "1.1"),
        (1.1 + 0.1 + 0.1, "1.3"),
        (-1.5, "-1.5"),
        (99.99999999, "99.99999999"),
        (99.999999999, "100"),
        (1 / 3, "0.333333333"),
        (12345.678901, "12345.6789"),
        (0.0001234567, "0.000123457"),
        (1234567890.5, "1234567891"),
        (12345678901, "12345678901"),
    ],
)
def test_a_general_number_has_eleven_characters_at_most(number: float, text: str) -> None:
    assert shown(number, "General") == shown(number, "GENERAL") == shown(number, "@") == text


@pytest.mark.parametrize("number", [123456789012, 99999999999.5, 0.00001, -0.00001, 1e300])
def test_a_general_number_with_an_exponent_is_not_known(number: float) -> None:
    assert shown(number, "General") is None


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [
        (1.1, "0.00", "1.10"),
        (1.1, "0", "1"),
        (7, "000", "007"),
        (7.5, "00.00", "07.50"),
        (-7, "000", "-007"),
        (1.3000000000000003, "0.0000000000000000", "1.3000000000000000"),
        (1.005, "0.00", "1.01"),  # stored as 1.00499…: 15 digits are rounded, half away from zero
        (2.5, "0", "3"),
        (-2.5, "0", "-3"),
        (45, "0_)", "45"),
        (45, "0.0_ ", "45.0"),
        (123456789012345, "0", "123456789012345"),
        (999999999999999.9, "0." + "0" * 30, "1000000000000000." + "0" * 30),
    ],
)
def test_a_number_has_the_places_of_its_format(number: float, code: str, text: str) -> None:
    assert shown(number, code) == text


@pytest.mark.parametrize("number", [10**15, -(10**15), 10**4000, float("inf"), float("nan")])
def test_a_number_with_more_digits_than_spreadsheets_know_is_not_known(number: float) -> None:
    assert shown(number, "0") is None


@pytest.mark.parametrize(
    "code", ["", "#", "#,##0", "0%", "0.00E+00", "0;(0)", '"Q"0', "0.0.0", "0" * 31, "0." + "0" * 31, "yyyy"]
)
def test_other_formats_are_not_known(code: str) -> None:
    assert shown(45, code) is None
