"""What was removed is said with closed codes, each with words."""

from __future__ import annotations

import inspect
import re

import pytest

from watermark import clean
from watermark.errors import RefusalReason, Refused
from watermark.removal import MEANINGS, Removal, Removed, removed_of


def test_every_code_of_cleaning_is_in_the_closed_list_with_words_and_no_other() -> None:
    tables = (clean._ACTION_CODES, clean._REMOVED_ANNOTATIONS, clean._CATALOG_KEYS, clean._NAME_TREE_KEYS)
    counted = re.findall(r'removed\["([a-z-]+)"\]', inspect.getsource(clean))
    codes = {clean._OTHER_ACTION, *counted, *(code for table in tables for code in table.values())}

    assert codes == set(Removal)
    assert set(MEANINGS) == set(Removal)


def test_what_was_removed_is_listed_by_code() -> None:
    found = removed_of({"xfa": 1, "signatures": 3, "info": 0})

    assert found == (Removed(Removal.SIGNATURES, 3), Removed(Removal.XFA, 1))
    assert "a mark would break" in found[0].meaning


@pytest.mark.parametrize("wrong", [None, [], {"evil": 1}, {"xfa": -1}, {"xfa": "1"}, {"xfa": True}, {5: 1}])
def test_what_cleaning_never_answers_is_not_believed(wrong: object) -> None:
    with pytest.raises(Refused) as refused:
        removed_of(wrong)
    assert refused.value.reason == RefusalReason.DAMAGED
