"""`--url`: the commands over the API of a service that runs elsewhere, with nothing but a key in a file."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.access import Scope
from service.cli import bulk_sides
from tests.cli.conftest import CommandLine, alone, bare
from tests.client.conftest import Served, served
from tests.service.acting import a_document, a_version, an_nda

__all__ = ["alone", "bare", "served"]

ANA = ("--mail", "ana@acme.example", "--name", "Ana Example", "--company", "Acme")


@pytest.fixture
def document(served: Served) -> str:
    """A report that is ready, with an agreement for all of acme.example."""
    made = a_document(served.service)
    a_version(served.service, made)
    an_nda(served.service)
    return made.id


@pytest.fixture
def remote(alone: CommandLine, served: Served, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A command line that has nothing but a key."""
    file = alone.folder / "api-key"
    file.write_text(served.service.api_key() + "\n")
    monkeypatch.setenv("SEALMARK_API_KEY_FILE", str(file))
    monkeypatch.setattr(
        bulk_sides.Elsewhere,
        "work",
        lambda self, batch: served.service.sealmark.batch_working.run_once(batch),
    )
    return alone


def test_documents_and_shares_of_another_service(remote: CommandLine, served: Served, document: str) -> None:
    url = ("--url", served.url)
    made = remote.json(
        "documents", "add", "Pentest", "--kind", "pentest", "--owner", "o@lender.example", *url
    )
    listed = remote.json("documents", "list", "--limit", 1, *url)
    rest = remote.json("documents", "list", "--after", listed["next"], *url)
    assert {one["id"] for one in listed["items"] + rest["items"]} == {document, made["id"]}
    assert remote.json("documents", "show", made["id"], *url)["kind"] == "pentest"
    assert remote.json("documents", "revoke", made["id"], *url)["revoked_at"]

    share = remote.json("share", document, *ANA, "--purpose", "Vendor review", "--downloads", 3, *url)
    assert (share["mail"], share["download_limit"]) == ("ana@acme.example", 3)
    assert share["link"].startswith(f"{served.url}/s/v1.")
    assert remote.json("shares", "link", share["id"], *url)["link"] != share["link"]
    assert remote.json("shares", "link", share["id"], "--send", *url)["message"].startswith("msg_")
    assert "active" in remote.ok("shares", "list", "--active", *url)
    assert remote.json("shares", "revoke", share["id"], *url)["state"] == "revoked"
    assert remote.json("shares", "list", "--active", *url)["items"] == []
    assert remote.json("shares", "show", share["id"], *url)["revoked_reason"] == "revoked"
    assert remote.json("requests", "list", *url) == {"items": [], "next": None}
    entries = served.service.entries("share.created")
    assert [entry["actor_type"] for entry in entries] == ["api-key"]


def test_a_file_is_shared_with_by_another_service_once_and_goes_on(
    remote: CommandLine, served: Served, document: str
) -> None:
    path = remote.folder / "people.csv"
    path.write_text("mail,name\np1@acme.example,One\np2@acme.example,Two\nbad,Bad\n")
    bulk = ("shares", "bulk", path, "--document", document, "--purpose", "Renewal", "--url", served.url)
    refused = remote(*bulk)
    assert refused.status == 1
    assert refused.err.startswith("line 4, mail: A mail address looks like")
    assert "--skip-problems" in refused.err

    first = remote(*bulk, "--skip-problems")
    assert first.status == 0, first.err
    rows = list(csv.DictReader(io.StringIO(first.out)))
    assert [bool(row["link"]) for row in rows] == [True, True, False]
    assert rows[2]["problem"] == "invalid"
    batch = re.search(r"bat_\w{26}", first.err)
    assert batch
    again = json.loads(remote.ok(*bulk, "--skip-problems", "--no-links", "--json"))
    assert again["id"] == batch[0]
    assert [item["share"] or "" for item in again["items"]] == [row["share"] for row in rows]
    assert len(served.service.entries("share.created")) == 2

    path.write_text("mail,name\np2@acme.example,Two\np1@acme.example,One\nbad,Bad\n")
    going_on = ("shares", "bulk", path, "--batch", batch[0], "--url", served.url)
    refused = remote(*going_on)
    assert (refused.status, refused.out) == (1, "")
    assert "has somebody else in the place of line 2" in refused.err
    file = remote.folder / "api-key"
    file.write_text(served.service.api_key(Scope.SHARES_READ, Scope.SHARES_WRITE))
    assert "needs the scope recipients:read" in remote.refused(*going_on, status=1)
    path.write_text("mail,name\np3@acme.example,Three\n")
    assert "/s/v1." in remote.ok(*bulk)


def test_an_end_that_is_said_as_a_moment_is_the_ends_of_the_share(
    remote: CommandLine, served: Served, document: str
) -> None:
    ends = f"{served.service.clock() + timedelta(days=20):%Y-%m-%dT%H:%M:%SZ}"
    made = remote.json(
        *("share", document, *ANA, "--purpose", "Review", "--expires", ends, "--url", served.url)
    )
    assert made["expires_at"].startswith(ends[:-1])
    (created,) = served.service.entries("share.created")
    assert created["share"] == made["id"]


def test_a_row_whose_share_has_ended_gets_no_link_from_another_service(
    remote: CommandLine, served: Served, document: str
) -> None:
    path = remote.folder / "people.csv"
    path.write_text("mail,name\np1@acme.example,One\np2@acme.example,Two\n")
    bulk = ("shares", "bulk", path, "--document", document, "--purpose", "Renewal", "--url", served.url)
    first = list(csv.DictReader(io.StringIO(remote.ok(*bulk))))
    remote.ok("shares", "revoke", first[0]["share"], "--url", served.url)
    rows = list(csv.DictReader(io.StringIO(remote.ok(*bulk))))
    assert [(row["link"] != "", row["problem"]) for row in rows] == [(False, "wrong-state"), (True, "")]


def test_what_is_wrong_beside_the_rows_is_no_rows_fault(
    remote: CommandLine, served: Served, document: str
) -> None:
    path = remote.folder / "people.csv"
    path.write_text("mail,name\np1@acme.example,One\n")
    bulk = ("shares", "bulk", path, "--document", document, "--url", served.url)
    said = remote.refused(*bulk, "--purpose", "Renewal", "--downloads", 0, status=1)
    assert "download" in said
    assert "line " not in said
    assert served.service.entries("share.created") == []


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("shares", "show", f"shr_{'0' * 26}"), 1, "There is no share"),
        (("requests", "approve", f"acc_{'0' * 26}"), 1, "There is no"),
        (("requests", "deny", f"acc_{'0' * 26}"), 1, "There is no"),
    ],
)
def test_what_the_service_refuses_is_one_line(
    remote: CommandLine, served: Served, words: Any, status: int, said: str
) -> None:
    assert said in remote.refused(*words, "--url", served.url, status=status)


def test_the_clients_key_stops_no_command_on_this_machine(
    sealmark: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALMARK_API_KEY_FILE", str(sealmark.folder / "key"))  # docs/client.md: `export …`
    run = sealmark("shares", "list")
    assert run.status == 0, run.err


def test_an_argument_that_is_no_text_is_one_line(remote: CommandLine, served: Served) -> None:
    for words in (("shares", "show", "shr_\udcff"), ("shares", "list", "--document", "doc_\udcff")):
        assert "\\udcff' is no text in UTF-8" in remote.refused(*words, "--url", served.url, status=2)


def test_without_a_key_or_a_service_there_is_one_line_that_says_so(
    remote: CommandLine, served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    show = ("documents", "list", "--url")
    assert "over https only" in remote.refused(*show, "http://reports.lender.example", status=3)
    for broken in ("https://[::1", "https://a:99999", "https://a\u2100b"):
        assert "URL looks like" in remote.refused(*show, broken, status=3)
    (tmp_path / "other").write_text("smk_nobody")
    monkeypatch.setenv("SEALMARK_API_KEY_FILE", str(tmp_path / "other"))
    line = remote.refused(*show, served.url, status=1)
    assert "smk_nobody" not in line
    monkeypatch.delenv("SEALMARK_API_KEY_FILE")
    assert "SEALMARK_API_KEY_FILE" in remote.refused(*show, served.url, status=3)
