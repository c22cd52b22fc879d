"""Mail addresses and domains: one spelling each, nothing folded that is the receiving server's business."""

from __future__ import annotations

import pytest

from service.errors import DomainError
from service.freemail import FREE_MAIL, PUBLIC_SUFFIXES, is_shared
from service.mail import parse_address, parse_domain


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ana@Acme.Example", "ana@acme.example"),
        ("ANA.B+soc2@acme.example", "ana.b+soc2@acme.example"),
        ("ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
        ("ana@bu\u0308cher.example", "ana@xn--bcher-kva.example"),
        ("ÄNNE@acme.example", "änne@acme.example"),
        ('"ana b"@acme.example', '"ana b"@acme.example'),
        ('"ana"@acme.example', "ana@acme.example"),
        (r'"\A\n\a"@acme.example', "ana@acme.example"),
        ('"ana.b"@acme.example', "ana.b@acme.example"),
        ('"ana..b"@acme.example', '"ana..b"@acme.example'),
        (r'"ana\ b"@acme.example', '"ana b"@acme.example'),
        (r'"a\"b\\c\@d"@acme.example', r'"a\"b\\c@d"@acme.example'),
        ('"A\\\u0308nne"@acme.example', "änne@acme.example"),
        ("o'neil@acme.example", "o'neil@acme.example"),
        ("a" * 64 + "@acme.example", "a" * 64 + "@acme.example"),
    ],
)
def test_an_address_has_one_spelling(given: str, kept: str) -> None:
    assert parse_address(given).mail == kept
    assert parse_address(kept).mail == kept


def test_dots_and_plus_signs_are_not_folded() -> None:
    assert parse_address("a.b@acme.example") != parse_address("ab@acme.example")
    assert parse_address("a+x@acme.example") != parse_address("a@acme.example")


@pytest.mark.parametrize(
    "given",
    [
        "",
        "ana",
        "@acme.example",
        "ana@",
        "ana@acme",
        "ana b@acme.example",
        "ana..b@acme.example",
        ".ana@acme.example",
        "ana\n@acme.example",
        "ana\u202e@acme.example",
        "ana@acme.example\n",
        "ana@ac me.example",
        "ana@-acme.example",
        "ana@acme.example.",
        "a" * 65 + "@acme.example",
        "ana@" + "a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 60,
        "ana,bob@acme.example",
        "<ana@acme.example>",
        '""@acme.example',
        '"ana@acme.example',
        '"ana"b@acme.example',
        '"a"na"@acme.example',
        '"ana\\"@acme.example',
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(DomainError):
        parse_address(given)


def test_a_domain_is_exact_and_in_its_ascii_form() -> None:
    assert parse_domain("Bücher.Example") == "xn--bcher-kva.example"
    with pytest.raises(DomainError):
        parse_domain("acme")


def test_the_list_of_free_mail_is_in_the_form_that_domains_are_compared_in() -> None:
    assert {parse_domain(domain) for domain in FREE_MAIL} == FREE_MAIL
    assert {parse_domain(domain) for domain in PUBLIC_SUFFIXES} == PUBLIC_SUFFIXES
    assert "gmail.com" in FREE_MAIL


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com",
        "mail.gmail.com",
        "a.b.gmail.com",
        "yahoo.co.uk",
        "co.uk",
        "com.au",
        "co.jp",
        "com.br",
        "co.in",
        "co.nz",
        "co.za",
        "com.cn",
        "com.mx",
        "com.tr",
        "or.jp",
        "ac.uk",
        "gov.uk",
        "org.uk",
    ],
)
def test_a_domain_that_many_share_stands_for_no_company(domain: str) -> None:
    assert is_shared(parse_domain(domain))


@pytest.mark.parametrize(
    "domain", ["acme.example", "acme.co.uk", "mail.acme.com.au", "notgmail.com", "gmail.com.acme.example"]
)
def test_a_domain_that_one_company_can_own_is_not_shared(domain: str) -> None:
    assert not is_shared(parse_domain(domain))
