"""A link or an API key is printed where it is the answer, and nowhere else; master keys never."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import CommandLine
from tests.cli.test_commands import ANA, a_ready_document, sequence

LISTS = (
    ("documents", "list"), ("recipients", "list"), ("ndas", "list"), ("shares", "list"), ("keys", "list"),
    ("api-keys", "list"), ("log", "list"), ("log", "export"), ("log", "export", "--format", "csv"), ("doctor",),
)  # fmt: skip


def test_what_opens_something_is_only_in_the_answer_that_hands_it_out(
    sealmark: CommandLine, pdf: Path, facts: Path
) -> None:
    document = a_ready_document(sealmark, pdf, facts)
    sealmark.ok("ndas", "add", "--domain", "acme.example", "--source", "paper", "--approved")
    share = sealmark("share", document, *ANA, "--purpose", "review")
    token = next(line for line in share.out.splitlines() if line.startswith("link ")).rsplit("/", 1)[1]
    key = sealmark.json("api-keys", "create", "crm", "--scope", "log:read")["key"]
    master = (sealmark.folder / "keys" / "master.key").read_text().splitlines()[-1].split()[-1]
    secrets = [token, token.rsplit(".", 1)[1], key, key[31:], master]
    sequence()

    said = share.err
    for command in LISTS:
        for more in ((), ("--json",)):
            if command[:2] == ("log", "export") and more:
                continue
            result = sealmark(*command, *more)
            said += result.out + result.err
    said += "".join(
        path.read_text(errors="replace") for path in (sealmark.folder / "data").rglob("*") if path.is_file()
    )

    assert all(len(secret) > 20 for secret in secrets)
    assert [secret for secret in secrets if secret in said] == []
