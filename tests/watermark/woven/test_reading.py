"""Every bit of an unattacked copy comes back, however the file was rewritten; and names the copy, or nobody."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pikepdf
import pypdf
import pytest
from numpy.typing import NDArray

from service.demo.report import make_report
from tests.shared_folder import require_shared, shared_folder
from tests.watermark import hostile
from tests.watermark.builders import (
    ANA,
    WEAVE_KEY,
    copy_of,
    report,
    table_and_fill,
    template_of,
    with_content,
)
from tests.watermark.builders import reading as reader_of
from tests.watermark.woven.rewriting import (
    REWRITES,
    SANITIZED,
    made_a_form,
    only_page,
    saved,
    without_mark_strings,
)
from watermark import sandbox
from watermark.errors import RefusalReason, Refused, TemplateError
from watermark.stamp import stamp
from watermark.template import SlotTable
from watermark.woven.capacity import least_words
from watermark.woven.code import copy_bits
from watermark.woven.letters import LetterReader
from watermark.woven.naming import UNSEEN, name
from watermark.woven.reading import LeakPage, letters_of, read, read_leak, read_task, recognise
from watermark.woven.reference import Reference, _paired

SENTENCES = b"BT /F1 12 Tf 14 TL 90 Tz 72 700 Td %s ET" % b"".join(
    b"(Every line has a few words that may move %d) ' " % number for number in range(9)
)
COPIES = [f"cpy_{number:026d}" for number in range(100_000)]
OURS = COPIES[31_416]


CORPUS = {
    "word": "ASVS__OWASP_Application_Security_Verification_Standard_4.0.3-en.pdf",
    "latex": "public-pentesting-reports__X41-OSTIF-Gitlab-Git-Security-Audit-20230117-public.pdf",
    "skia": "publications__DFINITY.pdf",
}
LONG = ["demo", *(pytest.param(name, marks=pytest.mark.corpus) for name in CORPUS if shared_folder())]


def random_bits(template: bytes) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 2, SlotTable.decode(template).words, np.uint8)


def stamped(template: bytes, bits: NDArray[np.uint8]) -> bytes:
    table, fill = table_and_fill(template)
    return b"".join(stamp(table, fill, reader_of(template), bits=bits))


@pytest.fixture(scope="module")
def template() -> bytes:
    return template_of(report(3))


@pytest.fixture(scope="module")
def copy(template: bytes) -> bytes:
    return stamped(template, random_bits(template))


@pytest.mark.parametrize("rewrite", [*REWRITES, "mutool-sanitized", "without-mark-strings", "made-a-form"])
def test_every_bit_of_a_rewritten_copy_comes_back(
    template: bytes, copy: bytes, rewrite: str, tmp_path: Path
) -> None:
    more = {
        "mutool-sanitized": SANITIZED,
        "without-mark-strings": without_mark_strings,
        "made-a-form": made_a_form,
    }
    bits = random_bits(template)
    assert len(bits) > 1000
    found = read(template, (REWRITES | more)[rewrite](copy, tmp_path))
    assert (found.bits == bits).all()
    assert sum(page.seen for page in found.pages) == len(bits)


def test_a_page_by_itself_gives_its_own_words_and_says_which_page_it_is(template: bytes, copy: bytes) -> None:
    bits = random_bits(template)
    found = read(template, only_page(copy, 1))
    seen = np.flatnonzero(found.bits != UNSEEN)
    assert found.pages == (LeakPage(1, len(seen)),)
    assert len(seen) > 300
    assert (found.bits[seen] == bits[seen]).all()


@pytest.mark.parametrize("entries", [{}, {"Rotate": 90}, {"UserUnit": 2.5}, {"MediaBox": [-9, -9, 586, 833]}])
def test_what_pages_are_like_does_not_matter(entries: dict[str, object]) -> None:
    pdf = with_content(
        SENTENCES,
        **{name: pikepdf.Array(v) if isinstance(v, list) else v for name, v in entries.items()},
    )
    template = template_of(pdf)
    bits = random_bits(template)
    assert len(bits) >= 60
    assert (read(template, stamped(template, bits)).bits == bits).all()


def test_pages_of_equal_text_are_read_where_all_are_there() -> None:
    with pikepdf.open(BytesIO(report(2))) as pdf:
        pdf.pages.append(pdf.pages[0])
        template = template_of(saved(pdf))
    bits = random_bits(template)
    copy = stamped(template, bits)
    assert (read(template, copy).bits == bits).all()
    assert read(template, only_page(copy, 0)).pages == (LeakPage(None, 0),)


def test_two_copies_put_together_show_no_bit_where_they_differ(template: bytes, copy: bytes) -> None:
    other = stamped(template, 1 - random_bits(template))
    with pikepdf.open(BytesIO(copy)) as first, pikepdf.open(BytesIO(other)) as second:
        first.pages.append(second.pages[0])
        found = read(template, saved(first))
    bits = random_bits(template)
    words = found.pages[0].seen
    assert (found.bits[:words] == UNSEEN).all()
    assert (found.bits[words:] == bits[words:]).all()


@pytest.mark.parametrize("shown", ["source", "another text", "scaled"])
def test_nothing_is_seen_where_nothing_is_woven(template: bytes, copy: bytes, shown: str) -> None:
    if shown == "scaled":
        with pikepdf.open(BytesIO(copy)) as pdf:
            for page in pdf.pages:
                page.contents_add(b"0.9 0 0 0.9 0 0 cm ", prepend=True)
            leak = saved(pdf)
    elif shown == "another text":
        leak = copy_of(template_of(with_content(SENTENCES)))
    else:
        leak = report(3)
    found = read(template, leak).bits
    assert (found == UNSEEN).all()
    named = name(WEAVE_KEY, found, COPIES[:100])
    assert named.copy_id is None
    assert "No attribution" in named.statement


def test_another_version_of_the_same_report_names_nobody(template: bytes) -> None:
    """Its words stand where those of this version do, but the key is another."""
    found = read(template, copy_of(template_of(report(4)))).bits
    assert name(bytes(32), found, COPIES[:1000]).copy_id is None


def test_a_template_without_words_has_no_bits() -> None:
    template = template_of(with_content(b"0 0 9 9 re f"))
    found = read(template, copy_of(template))
    assert (len(found.bits), found.pages) == (0, (LeakPage(None, 0),))


def test_the_child_reads_as_this_process_does(template: bytes, copy: bytes) -> None:
    table = SlotTable.decode(template)
    found = read_leak(table, [template[:999], template[999:]], [copy])
    assert (found.bits == random_bits(template)).all()
    assert found.pages == read(template, copy).pages
    facts, payload = read_task(template + copy, {})
    assert payload == found.bits.tobytes()
    assert [LeakPage(*page) for page in facts["pages"]] == list(found.pages)


@pytest.mark.parametrize(
    ("leak", "reason"),
    [
        (b"", RefusalReason.DAMAGED),
        (b"%PDF-1.7 and no more", RefusalReason.DAMAGED),
        ("locked", RefusalReason.NEEDS_PASSWORD),
        ("long", RefusalReason.TOO_MANY_PAGES),
    ],
    ids=["empty", "damaged", "locked", "long"],
)
def test_a_leak_that_cannot_be_read_is_refused(
    template: bytes, copy: bytes, leak: bytes | str, reason: RefusalReason
) -> None:
    if leak == "locked":
        writer = pypdf.PdfWriter(BytesIO(copy))
        writer.encrypt("secret", algorithm="RC4-128")
        written = BytesIO()
        writer.write(written)
        leak = written.getvalue()
    given = copy if isinstance(leak, str) else leak
    with pytest.raises(Refused) as caught:
        read_leak(SlotTable.decode(template), [template], [given], max_pages=2)
    assert caught.value.reason == reason
    with pytest.raises(Refused) as caught:
        read(template, given, max_pages=2)
    assert caught.value.reason == reason


def test_a_leak_with_more_text_than_time_allows_is_refused(template: bytes) -> None:
    with pikepdf.open(BytesIO(with_content(b"BT /F1 1 Tf 9 9 Td (%s) Tj ET" % (b"a" * 300_000)))) as pdf:
        for _ in range(1000):
            pdf.pages.append(pdf.pages[0])
        leak = saved(pdf)
    with pytest.raises(Refused) as caught:
        read_leak(SlotTable.decode(template), [template], [leak], limits=sandbox.ChildLimits(cpu_seconds=3))
    assert caught.value.reason == RefusalReason.TOO_COSTLY


@pytest.mark.parametrize(
    ("facts", "payload"),
    [({}, b""), ({"pages": []}, b"\0"), ({"pages": [[0]]}, b"\0"), ({"pages": []}, b"\2" * 1032)],
)
def test_a_child_that_answers_oddly_is_not_believed(
    template: bytes, monkeypatch: pytest.MonkeyPatch, facts: dict[str, object], payload: bytes
) -> None:
    answer = sandbox.ChildResult(facts, payload)
    monkeypatch.setattr("watermark.woven.reading.run_in_child", lambda *_, **__: answer)
    with pytest.raises(Refused):
        read_leak(SlotTable.decode(template), [template], [b""])


def test_what_is_no_template_is_an_error_of_the_caller(copy: bytes) -> None:
    with pytest.raises(TemplateError):
        read_task(copy, {})


def test_letters_that_change_places_in_the_text_are_still_paired() -> None:
    first, second = (np.frombuffer(text, np.uint8).astype(np.uint32) for text in (b"abcdef", b"abdcef"))
    one, other = _paired(first, second)
    assert len(one) >= 5
    assert (first[one] == second[other]).all()


def test_a_page_that_pdfium_cannot_open_has_no_letters() -> None:
    reader = LetterReader(hostile.plain(b"[1 2]"))
    assert (reader.page_count, len(reader.letters(0))) == (1, 0)


def test_a_letter_that_stands_nowhere_is_none() -> None:
    nowhere = b"BT /F1 12 Tf 72 700 Td (here) Tj 99999999 0 Td (far) Tj ET"
    assert bytes(LetterReader(with_content(nowhere)).letters(0).codes.tolist()) == b"here"


def test_the_copy_is_named_among_a_hundred_thousand_by_one_page(template: bytes) -> None:
    copy = copy_of(template, replace(ANA, copy_id=OURS))
    found = read(template, only_page(copy, 2)).bits
    seen = np.flatnonzero(found != UNSEEN)
    found[seen[least_words(len(COPIES)) :]] = UNSEEN
    named = name(WEAVE_KEY, found, COPIES)
    assert (named.copy_id, named.seen) == (OURS, least_words(len(COPIES)))
    assert named.odds > 6
    assert name(WEAVE_KEY, found, [copy_id for copy_id in COPIES if copy_id != OURS]).copy_id is None


@pytest.mark.slow
@pytest.mark.parametrize("source", LONG)
def test_every_bit_of_a_long_report_comes_back_and_names_the_copy(source: str, tmp_path: Path) -> None:
    pdf = make_report() if source == "demo" else require_shared("corpus", CORPUS[source]).read_bytes()
    template = template_of(pdf)
    bits = copy_bits(WEAVE_KEY, OURS, SlotTable.decode(template).words)
    assert len(bits) > 10_000
    copy = stamped(template, bits)
    reference = Reference(template, SlotTable.decode(template))
    for rewrite in REWRITES.values():
        found = recognise(letters_of(rewrite(copy, tmp_path)), reference).bits
        assert (found == bits).all()
    assert name(WEAVE_KEY, found, COPIES).copy_id == OURS
    assert name(WEAVE_KEY, found, [copy_id for copy_id in COPIES if copy_id != OURS]).copy_id is None
    # mutool's -s (1.21) takes the mark's font for one that was set before it and is used after it; what is shown with
    # that becomes other letters, for every reader.
    sanitized = recognise(letters_of(SANITIZED(copy, tmp_path)), reference).bits
    seen = sanitized != UNSEEN
    assert seen.mean() > 0.99
    assert (sanitized[seen] == bits[seen]).all()
    assert (recognise(letters_of(pdf), reference).bits == UNSEEN).all()
