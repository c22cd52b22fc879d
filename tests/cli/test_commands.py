"""Each noun and verb does what it says, and with `--json` says it in JSON alone."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import click
import pytest

from crypto.logcheck import Checkpoint, NoteKey
from service.cli import cli
from service.cli.session import opened
from service.masterkeys import HELD
from service.records import Link, LogCheckpoint, Message, Throttle
from tests.cli.conftest import CommandLine, a_signed_page

ANA = ("--mail", "ana@acme.example", "--name", "Ana Example", "--company", "Acme")


def a_document(sealmark: CommandLine, *more: str) -> str:
    made = sealmark.json(
        "documents", "add", "SOC 2", "--kind", "soc2-type2", "--owner", "trust@lender.example", *more
    )
    return str(made["id"])


def a_ready_document(sealmark: CommandLine, pdf: Path, facts: Path) -> str:
    document = a_document(sealmark)
    version = sealmark.json("versions", "add", document, pdf, "--facts", facts, "--compile")
    assert version["state"] == "ready"
    return document


def sequence() -> None:
    with opened() as service:
        while service.sequencer.run_once():
            pass


def test_documents_are_added_listed_shown_classified_and_revoked(sealmark: CommandLine) -> None:
    secret = a_document(sealmark)
    overview = sealmark.json(
        "documents", "add", "Overview", "--kind", "overview", "--owner", "trust@lender.example"
    )
    assert overview["classification"] == "nda"

    assert sealmark.json("documents", "classify", overview["id"], "public")["classification"] == "public"
    assert sealmark.json("documents", "revoke", secret)["revoked_at"] is not None
    assert sealmark.json("documents", "show", secret)["kind"] == "soc2-type2"
    listed = sealmark.json("documents", "list")
    assert {item["id"] for item in listed["items"]} == {secret, overview["id"]}
    assert listed["next"] is None


def test_a_list_goes_on_where_it_ended(sealmark: CommandLine) -> None:
    made = {a_document(sealmark) for _ in range(3)}

    first = sealmark.json("documents", "list", "--limit", 2)
    second = sealmark.json("documents", "list", "--limit", 2, "--after", first["next"])

    assert {item["id"] for item in first["items"] + second["items"]} == made
    assert second["next"] is None


def test_a_list_for_people_is_a_table_whose_hint_stands_beside_it(sealmark: CommandLine) -> None:
    a_document(sealmark)
    a_document(sealmark)

    result = sealmark("documents", "list", "--limit", 1)

    assert result.out.startswith("id ")
    assert len(result.out.splitlines()) == 2
    assert "--after doc_" in result.err


def test_a_version_is_compiled_here_when_asked_and_then_shown_and_listed(
    sealmark: CommandLine, pdf: Path, facts: Path
) -> None:
    document = a_document(sealmark)

    made = sealmark.json("versions", "add", document, pdf, "--facts", facts, "--compile")

    assert (made["state"], made["pages"], made["number"]) == ("ready", 1, 1)
    assert made["facts"]["auditor"] == "Pellworth LLP"
    assert sealmark.json("versions", "show", document, made["id"]) == made
    assert made["capacity"]["statement"]
    assert [page["number"] for page in made["capacity"]["pages"]] == [1]
    assert [one["code"] for one in made["removed"]] == ["info"]
    listed = {name: value for name, value in made.items() if name not in {"capacity", "removed"}}
    assert sealmark.json("versions", "list", document)["items"] == [listed]


def test_a_person_is_told_what_a_version_carries_and_that_its_signatures_are_gone(
    sealmark: CommandLine, facts: Path, tmp_path: Path
) -> None:
    document = a_document(sealmark)
    file = tmp_path / "signed.pdf"
    file.write_bytes(a_signed_page())

    result = sealmark("versions", "add", document, file, "--facts", facts, "--compile")

    assert result.status == 0
    lines = dict(re.split("  +", line, maxsplit=1) for line in result.out.splitlines())
    assert "mark" in lines["carries"]
    assert "digital signatures and what belongs to them, which a mark would break" in lines["removed"]
    assert result.err.startswith("The source's digital signatures are removed")


def test_a_refused_file_is_an_answer_a_line_and_a_status(
    sealmark: CommandLine, tmp_path: Path, facts: Path
) -> None:
    document = a_document(sealmark)
    file = tmp_path / "letter.txt"
    file.write_text("Dear Ana")

    result = sealmark("versions", "add", document, file, "--facts", facts, "--compile", "--json")

    assert result.status == 1
    assert json.loads(result.out)["reason"] == "not-a-pdf"
    assert result.err.startswith("sealmark: the file is refused (not-a-pdf): ")


def test_without_a_worker_the_wait_ends_and_says_so(
    sealmark: CommandLine, pdf: Path, facts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.cli.versions.PATIENCE", 0.0)
    document = a_document(sealmark)

    result = sealmark("versions", "add", document, pdf, "--facts", facts, "--wait", "1s")

    assert result.status == 3
    waiting, failed = result.err.splitlines()
    assert waiting.startswith("waiting for a worker: start `sealmark worker`")
    assert failed.startswith("sealmark: No worker has taken it")
    assert sealmark.json("versions", "list", document)["items"][0]["state"] == "compiling"


def test_an_agreement_is_recorded_with_its_evidence_approved_and_revoked(
    sealmark: CommandLine, pdf: Path
) -> None:
    made = sealmark.json(
        "ndas", "add", *ANA, "--source", "ironclad", "--reference", "N-7", "--until", "30d", "--evidence", pdf
    )
    assert (made["state"], made["evidence"]) == ("pending", True)
    person = sealmark.json("recipients", "list", "--mail", "ana@acme.example")["items"][0]
    assert sealmark.json("recipients", "show", person["id"]) == person

    assert sealmark.json("ndas", "approve", made["id"])["state"] == "approved"
    assert sealmark.json("ndas", "list", "--recipient", person["id"], "--state", "approved")["items"]
    assert sealmark.json("ndas", "revoke", made["id"])["state"] == "revoked"
    assert sealmark.json("ndas", "show", made["id"])["revoked_at"] is not None


def test_an_agreement_approved_at_once_is_in_force_only_with_its_evidence(
    sealmark: CommandLine, pdf: Path, tmp_path: Path
) -> None:
    company = ("ndas", "add", "--domain", "acme.example", "--source", "paper", "--approved")
    no_pdf = tmp_path / "scan.txt"
    no_pdf.write_text("scan")

    sealmark.refused(*company, "--evidence", no_pdf, status=1)
    assert [nda["state"] for nda in sealmark.json("ndas", "list")["items"]] == ["pending"]
    assert sealmark.json(*company, "--evidence", pdf)["state"] == "approved"


def test_a_share_is_made_linked_listed_and_revoked(sealmark: CommandLine, pdf: Path, facts: Path) -> None:
    document = a_ready_document(sealmark, pdf, facts)
    sealmark.ok("ndas", "add", "--domain", "acme.example", "--source", "paper", "--approved")

    made = sealmark.json(
        "shares", "create", document, *ANA, "--purpose", "review", "--downloads", 3, "--expires", "7d"
    )
    other = sealmark.json("share", document, *ANA, "--purpose", "review", "--link-life", "1h")

    assert made["link"].startswith("https://reports.lender.example/s/v1.")
    assert made["download_limit"] == 3
    assert sealmark.json("shares", "link", made["id"], "--link-life", "5m")["link"] != made["link"]
    shown = sealmark.json("shares", "show", made["id"])
    assert shown["recipient_id"] == other["recipient_id"]
    assert sealmark.json("shares", "revoke", made["id"])["revoked_reason"] == "revoked"
    active = sealmark.json("shares", "list", "--document", document, "--active")["items"]
    assert [share["id"] for share in active] == [other["id"]]


def test_a_link_is_mailed_and_not_printed(sealmark: CommandLine, pdf: Path, facts: Path) -> None:
    document = a_ready_document(sealmark, pdf, facts)
    sealmark.ok("ndas", "add", "--domain", "acme.example", "--source", "paper", "--approved")

    made = sealmark.json("shares", "create", document, *ANA, "--purpose", "review", "--send")
    again = sealmark.json("shares", "link", made["id"], "--send")

    assert {"link", "link_expires_at"} & (made.keys() | again.keys()) == set()
    with opened() as service, service.database.read() as records:
        waiting = records.find(Message, order="created_at")
        assert records.find(Link) == []
    assert [message.id for message in waiting] == [made["message"], again["message"]]
    assert {(message.about, message.mail) for message in waiting} == {(made["id"], "ana@acme.example")}


def test_without_a_mail_server_what_needs_one_is_refused_with_what_to_do(
    sealmark: CommandLine, pdf: Path, facts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = a_ready_document(sealmark, pdf, facts)
    sealmark.ok("ndas", "add", "--domain", "acme.example", "--source", "paper", "--approved")
    monkeypatch.delenv("SEALMARK_SMTP")
    create = ("shares", "create", document, *ANA, "--purpose", "review")

    assert "SEALMARK_SMTP" in sealmark.refused(*create, "--send", status=1)
    assert "mail_check: false" in sealmark.refused(*create, "--downloads", 1, status=1)
    made = sealmark.json(*create, "--downloads", 1, "--no-mail-check")
    assert made["link"].startswith("https://")
    assert "SEALMARK_SMTP" in sealmark.refused("shares", "link", made["id"], "--send", status=1)


def test_without_an_agreement_a_share_is_refused_with_what_to_do(
    sealmark: CommandLine, pdf: Path, facts: Path
) -> None:
    document = a_ready_document(sealmark, pdf, facts)

    line = sealmark.refused("share", document, *ANA, "--purpose", "review", status=1)

    assert "only under NDA" in line


def test_keys_are_rotated_retired_and_listed(sealmark: CommandLine) -> None:
    before = sealmark.json("keys", "list")
    [old] = before["master_keys"]

    new = sealmark.json("keys", "rotate")["id"]
    link = sealmark.json("keys", "rotate", "--purpose", "link")
    assert f"{new} wraps" in sealmark.refused("keys", "retire", new, status=1)
    assert "less than an hour ago" in sealmark.refused("keys", "retire", old["id"], status=1)
    with opened() as service, service.database.write() as records:
        records.remove(Throttle, key=f"{HELD}{old['id']}")  # the hour is over
    sealmark.ok("keys", "retire", old["id"])

    after = sealmark.json("keys", "list")
    assert [key["id"] for key in after["master_keys"]] == [new]
    assert link["id"] in {key["id"] for key in after["named_keys"]}
    assert "wrapped_key" not in after["named_keys"][0]


def test_an_api_key_works_until_it_is_revoked(sealmark: CommandLine) -> None:
    made = sealmark.json("api-keys", "create", "crm", "--scope", "log:read", "--expires", "30d")
    with opened() as service:
        assert service.api_keys.authenticate(made["key"]).scopes == ["log:read"]

    assert sealmark.json("api-keys", "revoke", made["id"])["revoked_at"] is not None
    assert [key["id"] for key in sealmark.json("api-keys", "list")["items"]] == [made["id"]]


def test_the_log_names_the_user_of_the_system_and_is_filtered(sealmark: CommandLine) -> None:
    document = a_document(sealmark)
    sequence()

    page = sealmark.json("log", "list", "--kind", "document.created", "--since", "1h")

    [item] = page["items"]
    leaf = json.loads(item["leaf"])
    assert (leaf["actor_type"], leaf["document"]) == ("cli", document)
    assert item["revealed"]["actor"]["value"]
    assert sealmark.json("log", "list", "--document", document, "--until", "1h")["items"] == []


def test_the_log_is_read_part_by_part_as_one_log(sealmark: CommandLine) -> None:
    a_document(sealmark)
    sequence()

    first = sealmark.json("log", "list", "--limit", 2)
    a_document(sealmark)
    sequence()
    rest = sealmark.json("log", "list", "--after", first["next"], "--size", first["size"])

    assert rest["size"] == first["size"]
    assert len(first["items"]) + len(rest["items"]) == first["size"]


def test_the_log_is_exported_to_standard_output_and_to_a_new_file(
    sealmark: CommandLine, tmp_path: Path
) -> None:
    a_document(sealmark)
    sequence()
    lines = sealmark.ok("log", "export").splitlines()
    table = tmp_path / "log.csv"

    said = sealmark.json("log", "export", "--format", "csv", "--output", table)

    lines = lines[1:-1]  # without header and footer
    assert [json.loads(line)["index"] for line in lines] == list(range(len(lines)))
    assert said == {"file": str(table), "format": "csv", "bytes": table.stat().st_size}
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert len(rows) == len(lines) + 1  # the first export is an entry, too
    assert table.stat().st_mode & 0o777 == 0o600


def test_the_log_prints_its_checkpoint_and_the_keys_that_check_it(
    sealmark: CommandLine, tmp_path: Path
) -> None:
    a_document(sealmark)
    said = sealmark.json("log", "checkpoint")
    [key] = sealmark.json("log", "keys", "list")["keys"]

    note = Checkpoint.decode(said["note"])

    assert (note.origin, note.size) == (said["origin"], said["size"])
    assert note.signed_by(NoteKey.decode(key)) == 0
    assert sealmark.ok("log", "checkpoint") == said["note"]
    assert sealmark.ok("log", "keys", "list").strip() == key
    rotated = sealmark.json("log", "keys", "rotate", "--overlap", "7")
    assert rotated["purpose"] == "log"
    assert len(sealmark.json("log", "keys", "list")["keys"]) == 2
    assert "nothing is lost" in sealmark.refused("log", "recover", status=1)


def test_a_database_that_went_back_is_recovered_by_a_command(sealmark: CommandLine) -> None:
    a_document(sealmark)
    lost = sealmark.json("log", "checkpoint")
    with opened() as service, service.database.write() as records:
        records.remove(LogCheckpoint, size=lost["size"])
    assert "sealmark log recover" in sealmark.refused("keys", "rotate", "--purpose", "link", status=3)

    origin = sealmark.json("log", "recover")["origin"]

    assert origin != lost["origin"]
    assert sealmark.json("log", "checkpoint")["origin"] == origin
    a_document(sealmark)


def test_evidence_is_packed_into_a_new_file_that_checks(
    sealmark: CommandLine, pdf: Path, tmp_path: Path
) -> None:
    sealmark.ok(
        "ndas", "add", "--domain", "acme.example", "--source", "paper", "--evidence", pdf, "--approved"
    )
    pack = tmp_path / "pack.zip"
    said = sealmark.json("evidence", "--company", "acme.example", "-o", pack)
    assert said == {
        "file": str(pack),
        "bytes": pack.stat().st_size,
        "sha256": hashlib.sha256(pack.read_bytes()).hexdigest(),
    }
    assert pack.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(pack) as opened_pack:
        (signed,) = [name for name in opened_pack.namelist() if name.startswith("nda/")]
        assert opened_pack.read(signed) == pdf.read_bytes()
    sealmark.refused("evidence", "--company", "acme.example", "-o", pack, status=1)
    sealmark.refused("evidence", "--company", "none.example", "-o", tmp_path / "none.zip", status=1)
    assert not (tmp_path / "none.zip").exists()
    sealmark.refused("evidence", "-o", tmp_path / "none.zip", status=1)


def test_an_export_overwrites_nothing(sealmark: CommandLine, tmp_path: Path) -> None:
    there = tmp_path / "log.csv"
    there.write_text("earlier")

    sealmark.refused("log", "export", "--output", there, status=1)

    assert there.read_text() == "earlier"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in group.commands.items():
        inner = (*path, name)
        found += commands(command, inner) if isinstance(command, click.Group) else [(inner, command)]
    return found


@pytest.mark.parametrize(
    ("path", "command"), commands(cli), ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_each_command_explains_itself_and_each_option(path: tuple[str, ...], command: click.Command) -> None:
    assert command.help
    assert command.get_short_help_str(limit=200)[:1].isupper()
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            assert option.help, option.name


WITHOUT_ANSWER = {("serve",), ("worker",), ("completion",)}


def test_each_command_that_answers_answers_in_json_when_asked() -> None:
    for path, command in commands(cli):
        offered = any("--json" in option.opts for option in command.params)
        assert offered == (path not in WITHOUT_ANSWER), path


def test_a_recipient_is_erased_unless_a_hold_stands(sealmark: CommandLine) -> None:
    made = sealmark.json("ndas", "add", *ANA, "--source", "paper")
    recipient = made["recipient_id"]
    hold = sealmark.json("holds", "place", "--recipient", recipient, "--reason", "matter 7")
    assert hold["reason"] == "matter 7"
    assert "hold" in sealmark.refused("recipients", "erase", recipient, status=1)
    assert [item["id"] for item in sealmark.json("holds", "list", "--standing")["items"]] == [hold["id"]]
    assert sealmark.json("holds", "release", hold["id"])["released_at"]
    erased = sealmark.json("recipients", "erase", recipient)
    assert (erased["mail"], erased["name"]) == (f"{recipient}@erased.invalid", "")
    assert erased["erased_at"]
    assert sealmark.json("recipients", "show", recipient) == erased
    assert sealmark.json("recipients", "list", "--mail", "ana@acme.example")["items"] == []


def test_a_receiver_of_webhooks_is_added_followed_and_removed(
    sealmark: CommandLine, pdf: Path, facts: Path
) -> None:
    url = "https://crm.lender.example/hooks"
    made = sealmark.json("webhooks", "add", url, "--kind", "share.revoked", "--personal")
    assert made["secret"].startswith("whsec_")
    assert (made["url"], made["kinds"], made["personal"]) == (url, ["share.revoked"], True)
    (listed,) = sealmark.json("webhooks", "list")["items"]
    assert {**listed, "secret": made["secret"]} == made
    everything = sealmark.json("webhooks", "add", url)
    assert "share.viewed" in everything["kinds"]
    assert "not public" in sealmark.refused("webhooks", "add", "https://10.0.0.1/", status=1)

    sealmark.ok("ndas", "add", "--domain", "acme.example", "--source", "paper", "--approved")
    share = sealmark.json("share", a_ready_document(sealmark, pdf, facts), *ANA, "--purpose", "review")
    sealmark.ok("shares", "revoke", share["id"])
    sequence()
    (event,) = sealmark.json("webhooks", "events", made["id"], "--state", "waiting")["items"]
    assert (event["kind"], event["state"], event["attempts"]) == ("share.revoked", "waiting", 0)
    assert "ana@acme.example" in event["body"]
    assert "share.revoked" in sealmark.ok("webhooks", "events", made["id"])
    assert sealmark.json("webhooks", "events", made["id"], "--after", event["id"])["items"] == []
    assert sealmark.json("webhooks", "replay", made["id"])["events"] == 1
    assert sealmark.json("webhooks", "replay", made["id"], "--since", "1d")["events"] == 1
    assert sealmark.json("webhooks", "remove", made["id"])["removed_at"]
    assert "no receiver" in sealmark.refused("webhooks", "events", made["id"], status=1)
