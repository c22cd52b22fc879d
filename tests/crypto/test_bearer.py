"""What is kept for a bearer opens with their token only."""

from __future__ import annotations

import pytest

from crypto.bearer import open_as_bearer, seal_for_bearer
from crypto.errors import AnswerBroken, WrongLength

PAGE = b"a page of the report"
SEALED = seal_for_bearer("v1.token", b"dlv_1:4", PAGE, nonce=bytes(12))


def test_who_brings_the_token_gets_what_was_kept() -> None:
    assert open_as_bearer("v1.token", b"dlv_1:4", SEALED) == PAGE


def test_what_is_kept_shows_nothing_of_it() -> None:
    assert b"page" not in SEALED
    assert len(SEALED) == 12 + len(PAGE) + 16


@pytest.mark.parametrize(
    ("token", "context"), [("v1.tokem", b"dlv_1:4"), ("v1.token", b"dlv_1:5"), ("", b"")]
)
def test_another_token_or_page_opens_nothing(token: str, context: bytes) -> None:
    with pytest.raises(AnswerBroken):
        open_as_bearer(token, context, SEALED)


def test_what_was_changed_or_cut_opens_nothing() -> None:
    changed = [SEALED[:length] for length in range(len(SEALED))]
    changed += [SEALED[:at] + bytes([SEALED[at] ^ 1]) + SEALED[at + 1 :] for at in range(len(SEALED))]
    for sealed in changed:
        with pytest.raises(AnswerBroken):
            open_as_bearer("v1.token", b"dlv_1:4", sealed)


def test_a_nonce_has_twelve_bytes() -> None:
    with pytest.raises(WrongLength):
        seal_for_bearer("v1.token", b"", b"", nonce=bytes(11))
