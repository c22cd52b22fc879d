"""`sealmark shares bulk`: a CSV file of people, shared with as one batch that can be gone on with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from service.access import Scope
from service.batch_rows import Person
from service.cli.bulk_sides import Asked, Elsewhere, Here, Row, RowsWrong, Seen, Side
from service.cli.failures import RefusedHere
from service.cli.output import answer, json_option, note
from service.cli.people_file import Listed, read_people, results
from service.cli.progress import progress
from service.cli.remote import client_of, url_option
from service.cli.sections import check_pinned, section_option, sections_of
from service.cli.session import opened
from service.cli.terms import terms_options
from service.cli.values import SPAN, Said, said_moment
from service.errors import DomainError
from service.mail import parse_address
from service.records import NdaMode
from service.terms import Terms


@click.command(short_help="Share a document with all people of a CSV file.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--document", help="The document (doc_…). Required but with --batch.")
@click.option(
    "--purpose", help="What it is lent for, where the file has no purpose. Required but with --batch."
)
@click.option(
    "--expires",
    metavar="TIME",
    callback=said_moment,
    help="When the shares end. Default: in 30d; at most 366d.",
)
@terms_options
@section_option(required=False)
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
@url_option
def bulk(
    file: Path,
    document: str | None,
    purpose: str | None,
    expires: Said | None,
    download_limit: int | None,
    pinned: str | None,
    sections: tuple[str, ...],
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
    url: str | None,
) -> None:
    """Share with all people of FILE, a CSV with the columns mail, name and, if you like, company and purpose.

    The file is checked as a whole first. Broken off, the same command goes on where it stopped: each person is shared
    with once. What came of each is printed as CSV, with their links. With --section only these sections of --version
    are shared (`sealmark cuts create` first).
    """
    listed = read_people(file)
    if batch_id is None and (document is None or purpose is None):
        raise click.UsageError("Say which --document, and for what --purpose; or go on with a --batch.")
    check_pinned(sections, pinned)
    terms = Terms(
        expires_at=expires.moment if expires else None,
        download_limit=download_limit,
        pinned_version_id=pinned,
        nda=NdaMode(nda),
        view_only=view_only,
        mail_check=mail_check,
    )
    with _side(url) as side:
        named = batch_id is not None
        if batch_id is None:
            batch_id = _begun(
                side,
                listed,
                Asked(
                    document or "",
                    purpose or "",
                    terms,
                    sections_of(sections),
                    send=send,
                    skip_problems=skip_problems,
                    end=expires.text if expires else "",
                ),
                again=again,
            )
            note(f"batch {batch_id}")
        before = side.look(batch_id).done_at is not None
        done = _worked(side, batch_id, listed)
        rows = _rows(side, batch_id, listed, named=named)
        if not (send or no_links):
            _add_links(side, batch_id, rows, link_life)
    _tell(done, before=before, named=named)
    _answer(done, rows, output, as_json)


@contextmanager
def _side(url: str | None) -> Iterator[Side]:
    """Where the batch is worked: by the service of the environment, or by one that is asked over its API."""
    if url is not None:
        yield Elsewhere(client_of(url))
        return
    with opened(sealing=True) as sealmark:
        yield Here(sealmark)


def _begun(side: Side, listed: Listed, asked: Asked, *, again: bool) -> str:
    """The batch of this file: the one that was begun before with the same people and policy, or a new one."""
    policy = {**asdict(asked.terms), "expires_at": None}  # another end is no other batch: a side refuses it
    people = [asdict(person) for person in listed.people]
    same = json.dumps([asked.document, asked.purpose, policy, asked.sections, asked.send, people])
    try:
        return side.begin(asked, listed.people, None if again else hashlib.sha256(same.encode()).hexdigest())
    except RowsWrong as error:
        for where, detail in error.places:
            _, number, *field = where.split(".")
            note(f"line {listed.lines[int(number)]}{', ' if field else ''}{' '.join(field)}: {detail}")
        raise RefusedHere(str(error).replace("`skip_problems`", "--skip-problems")) from None


def _worked(side: Side, batch_id: str, listed: Listed) -> Seen:
    """The batch once it is done."""
    seen = side.look(batch_id)
    if seen.size != len(listed.people):
        raise RefusedHere(
            f"The batch {batch_id} has {seen.size} rows, and the file {len(listed.people)} people: go on with the "
            "file that it was made of."
        )
    with progress() as line:
        while seen.done_at is None:
            line.say(f"{seen.worked} of {seen.size} shared with")
            side.work(batch_id)
            seen = side.look(batch_id)
    return seen


def _rows(side: Side, batch_id: str, listed: Listed, *, named: bool) -> list[dict[str, Any]]:
    """What came of each row, beside what the file says of it. Raises `RefusedHere` where it says it of another.

    Of a batch that was `named`, not found by its file, whose each row is must be known.
    """
    rows = []
    for number, row in enumerate(side.rows(batch_id)):
        person = listed.people[number]
        if row.recipient is not None and (named or row.mail is not None):
            _check_whose(row, person, batch_id, listed.lines[number])
        said = {"mail": person.mail, "name": person.name, "company": person.company}
        rows.append({"line": listed.lines[number], **said, "share": row.share, "problem": row.problem})
    return rows


def _check_whose(row: Row, person: Person, batch_id: str, line: int) -> None:
    if row.mail is None:
        raise RefusedHere(
            f"Nobody can tell whether the batch {batch_id} was made of this file: the API key needs the scope "
            f"{Scope.RECIPIENTS_READ}."
        )
    if row.mail != _address(person):
        raise RefusedHere(
            f"The batch {batch_id} was made of another file: it has somebody else in the place of line {line}. Go on "
            "with the file that it was made of, its rows in their order."
        )


def _address(person: Person) -> str | None:
    try:
        return parse_address(person.mail).mail
    except DomainError:
        return None


def _add_links(side: Side, batch_id: str, rows: list[dict[str, Any]], life: timedelta) -> None:
    with progress() as line:
        for number, made in side.links(batch_id, life):
            line.say(f"links: {number + 1} of {len(rows)}")
            rows[number].update(made)


def _tell(done: Seen, *, before: bool, named: bool) -> None:
    """Say what was done. `before`: it was all done already; `named`: it was asked for as a batch."""
    shared = f"{done.size - done.problems} of {done.size} people"
    others = f"; {done.problems} are not" if done.problems else ""
    if not before:
        note(f"{shared} are shared with{others}")
    else:
        again = "" if named else "; --again shares once more"
        note(f"already done on {done.done_at}, when {shared} were shared with{again}")


def _answer(done: Seen, rows: list[dict[str, Any]], output: Path | None, as_json: bool) -> None:
    shared = done.size - done.problems
    if output is not None:
        try:
            output.write_text(results(rows), encoding="utf-8")
        except OSError as error:
            raise RefusedHere(
                f"{output} cannot be written: {error.strerror}. Go on with --batch {done.id}."
            ) from None
    if as_json:
        answer({"id": done.id, "shares": shared, "problems": done.problems, "items": rows}, as_json)
    elif output is None:
        click.echo(results(rows), nl=False)
