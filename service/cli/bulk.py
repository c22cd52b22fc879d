"""`sealmark shares bulk`: a CSV file of people, shared with as one batch that can be gone on with."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.audit import timestamp
from service.batches import Person, Progress, number_of
from service.cli.failures import RefusedHere
from service.cli.output import answer, json_option, note
from service.cli.people_file import Listed, read_people, results
from service.cli.progress import progress
from service.cli.session import opened, system_user
from service.cli.values import AHEAD, SPAN
from service.errors import ManyInvalid
from service.records import NdaMode
from service.sharing import Terms

if TYPE_CHECKING:
    from service.app import Sealmark

PAGE = 200
"""Rows whose links are made in one transaction."""

LOOK_EVERY = 0.2
"""Seconds between two looks at a batch that another process works on."""


@click.command(short_help="Share a document with all people of a CSV file.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--document", help="The document (doc_…). Required but with --batch.")
@click.option(
    "--purpose", help="What it is lent for, where the file has no purpose. Required but with --batch."
)
@click.option(
    "--expires", "expires_at", type=AHEAD, help="When the shares end. Default: in 30d; at most 366d."
)
@click.option(
    "--downloads", "download_limit", type=int, help="At most so many downloads each. Default: no limit."
)
@click.option(
    "--version", "pinned", metavar="ID", help="Only this version (ver_…). Default: the newest ready one."
)
@click.option(
    "--nda",
    type=click.Choice([str(one) for one in NdaMode]),
    default=str(NdaMode.REQUIRE),
    show_default=True,
    help="ask: where no agreement is in force, let the recipient sign one on the page first.",
)
@click.option("--view-only", is_flag=True, help="Let the report be read on the page, not downloaded.")
@click.option(
    "--mail-check/--no-mail-check",
    default=None,
    help="Mail each recipient a code first. Default: by document.",
)
@click.option(
    "--link-life", type=SPAN, default="72h", show_default=True, help="How long a link opens: at most 7d."
)
@click.option("--send", is_flag=True, help="Mail the links to the recipients. They are not printed.")
@click.option("--no-links", is_flag=True, help="Make no links now.")
@click.option(
    "--skip-problems", is_flag=True, help="Leave out rows that cannot be shared with, and share the others."
)
@click.option("--again", is_flag=True, help="Share once more with a file that was shared with before.")
@click.option(
    "--batch", "batch_id", metavar="ID", help="Go on with this batch (bat_…), which was made of FILE."
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the answer to this file, as CSV."
)
@json_option
def bulk(
    file: Path,
    document: str | None,
    purpose: str | None,
    expires_at: datetime | None,
    download_limit: int | None,
    pinned: str | None,
    nda: str,
    view_only: bool,
    mail_check: bool | None,
    link_life: timedelta,
    send: bool,
    no_links: bool,
    skip_problems: bool,
    again: bool,
    batch_id: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Share with all people of FILE, a CSV with the columns mail, name and, if you like, company and purpose.

    The file is checked as a whole first. Broken off, the same command goes on where it stopped: each person is shared
    with once. What came of each is printed as CSV, with their links.
    """
    listed = read_people(file)
    terms = Terms(
        expires_at=expires_at,
        download_limit=download_limit,
        pinned_version_id=pinned,
        nda=NdaMode(nda),
        view_only=view_only,
        mail_check=mail_check,
    )
    with opened(sealing=True) as sealmark:
        if batch_id is None:
            if document is None or purpose is None:
                raise click.UsageError(
                    "Say which --document, and for what --purpose; or go on with a --batch."
                )
            asked: dict[str, Any] = {
                "document_id": document,
                "purpose": purpose,
                "terms": terms,
                "send": send,
            }
            batch_id = _begun(sealmark, listed, skip_problems=skip_problems, again=again, **asked)
            note(f"batch {batch_id}")
        done = _worked(sealmark, batch_id, listed)
        rows = _rows(sealmark, batch_id, listed)
        if not (send or no_links):
            _add_links(sealmark, batch_id, rows, link_life)
    _answer(done, rows, output, as_json)


def _begun(
    sealmark: Sealmark,
    listed: Listed,
    *,
    document_id: str,
    purpose: str,
    terms: Terms,
    send: bool,
    skip_problems: bool,
    again: bool,
) -> str:
    """The batch of this file: the one that was begun before with the same people and policy, or a new one."""
    policy = {**asdict(terms), "expires_at": None}  # `30d` is another moment each time
    same = json.dumps([document_id, purpose, policy, send, [asdict(person) for person in listed.people]])
    try:
        return sealmark.batches.begin(
            system_user(),
            document_id=document_id,
            people=listed.people,
            purpose=purpose,
            terms=terms,
            send=send,
            skip_problems=skip_problems,
            same=None if again else hashlib.sha256(same.encode()).hexdigest(),
        ).id
    except ManyInvalid as error:
        for where, detail in error.places:
            _, number, *field = where.split(".")
            note(f"line {listed.lines[int(number)]}{', ' if field else ''}{' '.join(field)}: {detail}")
        raise RefusedHere(error.detail.replace("`skip_problems`", "--skip-problems")) from None


def _worked(sealmark: Sealmark, batch_id: str, listed: Listed) -> Progress:
    """The batch once it is done: worked here, or by a worker that has it."""
    seen = sealmark.batches.get(batch_id)
    if seen.batch.size != len(listed.people):
        raise RefusedHere(
            f"The batch {batch_id} has {seen.batch.size} rows, and the file {len(listed.people)} people: go on with "
            "the file that it was made of."
        )
    with progress() as line:
        while seen.batch.done_at is None:
            line.say(f"{seen.worked} of {seen.batch.size} shared with")
            if not sealmark.batches.run_once(batch_id):
                time.sleep(LOOK_EVERY)
            seen = sealmark.batches.get(batch_id)
    return seen


def _rows(sealmark: Sealmark, batch_id: str, listed: Listed) -> list[dict[str, Any]]:
    """What came of each row, beside what the file says of it."""
    rows = []
    for number, row in enumerate(
        _pages(lambda after: sealmark.batches.rows(batch_id, after=after, limit=PAGE))
    ):
        person: Person = listed.people[number]
        found = {
            "line": listed.lines[number],
            "mail": person.mail,
            "name": person.name,
            "company": person.company,
        }
        rows.append({**found, "share": row.share_id, "problem": row.problem})
    return rows


def _pages(page: Callable[[int | None], list[Any]]) -> Iterator[Any]:
    after: int | None = None
    while found := page(after):
        yield from found
        after = number_of(found[-1])


def _add_links(sealmark: Sealmark, batch_id: str, rows: list[dict[str, Any]], life: timedelta) -> None:
    after: int | None = None
    with progress() as line:
        while made := sealmark.batches.links(system_user(), batch_id, after=after, limit=PAGE, life=life):
            after = made[-1].number
            line.say(f"links: {after + 1} of {len(rows)}")
            for one in made:
                if one.link is None:
                    rows[one.number]["problem"] = one.problem
                else:
                    rows[one.number]["link"] = one.link.url
                    rows[one.number]["link_expires_at"] = timestamp(one.link.expires_at)


def _answer(done: Progress, rows: list[dict[str, Any]], output: Path | None, as_json: bool) -> None:
    shared = done.batch.size - done.problems
    note(
        f"{shared} of {done.batch.size} people are shared with"
        + (f"; {done.problems} are not" if done.problems else "")
    )
    if output is not None:
        try:
            output.write_text(results(rows), encoding="utf-8")
        except OSError as error:
            raise RefusedHere(
                f"{output} cannot be written: {error.strerror}. Go on with --batch {done.batch.id}."
            ) from None
    if as_json:
        answer({"id": done.batch.id, "shares": shared, "problems": done.problems, "items": rows}, as_json)
    elif output is None:
        click.echo(results(rows), nl=False)
