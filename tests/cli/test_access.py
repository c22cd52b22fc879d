"""`sealmark requests` and `sealmark rules`."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.audit import Actor
from service.cli.session import opened
from service.records import AccessRequest
from tests.cli.conftest import CommandLine
from tests.cli.test_commands import a_ready_document


def ask(document: str, mail: str = "ana@acme.example") -> AccessRequest:
    """Somebody whose mail was checked asks on the page."""
    with opened() as service:
        return service.access_requests.ask(
            Actor("recipient"),
            document_id=document,
            mail=mail,
            name="Ana Example",
            company="Acme",
            purpose="vendor review",
            language="",
        )


@pytest.fixture
def document(sealmark: CommandLine, pdf: Path, facts: Path) -> str:
    made = a_ready_document(sealmark, pdf, facts)
    sealmark.ok("documents", "policy", made, "--listing", "named")
    sealmark.ok("ndas", "add", "--domain", "acme.example", "--source", "paper", "--approved")
    return made


def test_requests_are_listed_shown_approved_and_denied(sealmark: CommandLine, document: str) -> None:
    first, second = ask(document), ask(document, "bo@acme.example")
    pending = sealmark.json("requests", "list", "--state", "pending", "--document", document)
    assert {(item["id"], item["mail"]) for item in pending["items"]} == {
        (first.id, "ana@acme.example"),
        (second.id, "bo@acme.example"),
    }

    approved = sealmark.json(
        "requests", "approve", first.id, "--downloads", 2, "--expires", "5d", "--view-only"
    )
    denied = sealmark.json("requests", "deny", second.id)

    assert (approved["state"], denied["state"]) == ("approved", "denied")
    assert sealmark.json("requests", "show", first.id) == approved
    share = sealmark.json("shares", "show", approved["share_id"])
    assert (share["download_limit"], share["view_only"], share["purpose"]) == (2, True, "vendor review")
    assert sealmark.json("requests", "list", "--state", "pending")["items"] == []
    assert "wrong" not in sealmark.refused("requests", "deny", first.id, status=1)
    table = sealmark.ok("requests", "list")
    assert table.startswith("id ")
    assert "ana@acme.example" in table


def test_an_approval_that_cannot_be_is_one_line_and_leaves_the_request_pending(
    sealmark: CommandLine, document: str
) -> None:
    request = ask(document, "bo@other.example")

    line = sealmark.refused("requests", "approve", request.id, status=1)

    assert "none is in force for this recipient" in line
    assert sealmark.json("requests", "show", request.id)["state"] == "pending"


def test_rules_are_added_listed_shown_and_removed(sealmark: CommandLine, document: str) -> None:
    rule = sealmark.json(
        *("rules", "add", "--kind", "domain", "--domain", "ACME.example", "--document", document),
        *("--days", 9, "--downloads", 3, "--view-only", "--nda", "ask"),
    )

    assert (rule["domain"], rule["days"], rule["download_limit"], rule["view_only"], rule["nda"]) == (
        "acme.example",
        9,
        3,
        True,
        "ask",
    )
    assert ask(document).rule_id == rule["id"]
    assert sealmark.json("rules", "show", rule["id"]) == rule
    assert sealmark.json("rules", "list")["items"] == [rule]
    assert sealmark.json("rules", "remove", rule["id"])["removed_at"] is not None
    assert sealmark.json("rules", "list", "--in-force")["items"] == []
    assert "no company" in sealmark.refused(
        "rules", "add", "--kind", "domain", "--domain", "gmail.com", status=1
    )


def test_a_list_is_put_added_to_and_taken_from_by_files(
    sealmark: CommandLine, document: str, tmp_path: Path
) -> None:
    rule = sealmark.json("rules", "add", "--kind", "list")["id"]
    whole, more = tmp_path / "whole", tmp_path / "more"
    whole.write_text("ANA@acme.example\n\nbo@acme.example\n")
    more.write_text("  cy@acme.example  \n")

    assert sealmark.json("rules", "members", rule, "put", whole) == {"id": rule, "members": 2}
    assert sealmark.json("rules", "members", rule, "add", more)["members"] == 3
    assert sealmark.json("rules", "members", rule, "remove", whole)["members"] == 1

    (left,) = sealmark.json("rules", "members", rule)["items"]
    assert left["mail"] == "cy@acme.example"
    assert ask(document, "cy@acme.example").rule_id == rule
    whole.write_text("nobody\n")
    assert "ana@acme.example" in sealmark.refused("rules", "members", rule, "put", whole, status=1)
