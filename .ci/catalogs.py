"""Bring the catalogues of `service/translations` up to date with the English sentences: `make catalogs`.

New sentences come in without a translation, those that are gone go, and one whose English has changed loses its
translation, so that nobody reads what is not said any more. With `--check`, nothing is written: ends with 1 where
something would be, or where a sentence is not translated or has other values than the English one.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from service import mail_sentences
from service.languages import ENGLISH, FOLDER, LANGUAGES
from service.web.recipient.sentences import PLURALS, SENTENCES

WIDTH = 110
VALUE = re.compile(r"\{([a-z_]*)\}")


def english() -> dict[str, str | tuple[str, str]]:
    """Every sentence by its context; those that depend on a number as a pair."""
    mails = {f"mail.{name}": text for name, text in mail_sentences.SENTENCES.items()}
    plurals = {f"{name}.count": pair for name, pair in PLURALS.items()}
    return {**SENTENCES, **plurals, **mails}


def current(language: str) -> Catalog:
    """The catalogue as it is."""
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def renewed(language: str) -> Catalog:
    """The catalogue as it should be, with the translations that still belong to their sentence."""
    old = {message.context: message for message in current(language) if message.id}
    new = Catalog(locale=language, header_comment=f"# Sealmark in {LANGUAGES[language]}.", fuzzy=False)
    for context, text in english().items():
        before = old.get(context)
        kept = before.string if before is not None and before.id == text else None
        empty = ("",) * new.num_plurals if isinstance(text, tuple) else ""
        new.add(text, kept if kept is not None else empty, context=context)
    return new


def written(catalog: Catalog) -> bytes:
    """The bytes of the file: no dates and no places, so that only sentences make a difference."""
    out = io.BytesIO()
    write_po(out, catalog, width=WIDTH, no_location=True, omit_header=False)
    lines = out.getvalue().decode().splitlines(keepends=True)
    skipped = (
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Last-Translator",
        "Generated-By",
        "Project-Id-Version",
        "Report-",
    )
    kept = [line for line in lines if not line.startswith(tuple(f'"{name}' for name in skipped))]
    return "".join(kept).encode()


def faults(catalog: Catalog) -> Iterator[str]:
    """What is not translated, and what has other values than the English sentence."""
    for message in catalog:
        if message.id:
            yield from _faults(message, catalog.num_plurals)


def _faults(message: Message, forms: int) -> Iterator[str]:
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    if not all(texts) or (isinstance(message.id, tuple | list) and len(texts) != forms):
        yield f"{message.context}: is not translated"
        return
    plural = isinstance(message.id, tuple | list)
    wanted = set(VALUE.findall(message.id[1] if plural else message.id))
    for text in texts:
        found = set(VALUE.findall(text))
        if found != wanted and not (plural and found == wanted - {"count"}):
            yield f"{message.context}: has {sorted(found)} where the English one has {sorted(wanted)}"


def main(check: bool) -> int:
    """Write the catalogues, or say what is wrong with them; the exit status."""
    wrong = 0
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        path, catalog = FOLDER / f"{language}.po", renewed(language)
        if not check:
            path.write_bytes(written(catalog))
        found = list(faults(catalog))
        if check and (not path.exists() or path.read_bytes() != written(catalog)):
            found.append("is not up to date: run `make catalogs`")
        for fault in found:
            print(f"{path.name}: {fault}")
        wrong += len(found)
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
