"""Packs of evidence over the real service: what the zip holds, and that an auditor's own tools confirm it."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from crypto import identifiers
from service.access import Scope
from service.audit import Actor
from service.errors import DomainError, Problem
from service.evidence.dossier import MAX_SHARES
from service.evidence.packing import EPOCH, MANIFEST, PIECE, Part, as_measured, measured, zipped
from service.evidence.packs import Pack
from service.records import LoggedEntry, Recipient
from tests.service_fixture import OPERATOR, Service
from tests.web.recipient.lending import ADDRESS, Lent, lend

SIGNED = b"%PDF-1.7 signed by Ana" + b"x" * 40_000


def pull(service: Service, **about: str) -> Pack:
    service.entries()
    return service.sealmark.evidence.pull(OPERATOR, **about)


def unpacked(pack: Pack, folder: Path) -> Path:
    """The pack in a folder of its own, unzipped by a program that is not Python's."""
    folder.mkdir()
    file = folder.with_suffix(".zip")
    content = b"".join(pack.pieces)
    assert (len(content), hashlib.sha256(content).hexdigest()) == (pack.size, pack.sha256)
    file.write_bytes(content)
    subprocess.run(["unzip", "-q", file, "-d", folder], check=True)
    return folder


def checked(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    """What the packed program says of a file: nothing of Sealmark within reach, and no environment."""
    return subprocess.run(
        [sys.executable, "-I", "logcheck.py", name, "--key", "key.txt"],
        cwd=folder,
        env={},
        capture_output=True,
        text=True,
    )


def entry_files(folder: Path) -> list[str]:
    return sorted(f"entries/{path.name}" for path in (folder / "entries").iterdir())


def leaves(folder: Path, name: str) -> list[dict[str, Any]]:
    lines = (folder / name).read_text("utf-8").splitlines()
    return [json.loads(json.loads(line)["leaf"]) for line in lines[1:-1]]


def text_of(folder: Path) -> str:
    said = subprocess.run(
        ["pdftotext", "-layout", "summary.pdf", "-"], cwd=folder, check=True, capture_output=True, text=True
    )
    return " ".join(said.stdout.split())


@pytest.fixture
def lived(lent: Lent) -> Lent:
    """A share that was viewed, downloaded and revoked, under an agreement with its evidence."""
    lent.service.sealmark.ndas.attach_evidence(OPERATOR, lent.nda.id, [SIGNED])
    lent.browser.get(lent.path, headers={"User-Agent": "Browser/9"})
    lent.service.clock.advance(minutes=1)
    assert len(lent.browser.get(lent.granted()).data) > 1_000_000
    lent.service.clock.advance(minutes=1)
    lent.service.sealmark.sharing.revoke(OPERATOR, lent.share.id)
    assert lent.ask().status_code == 410
    return lent


@pytest.fixture
def folder(lived: Lent, tmp_path: Path) -> Path:
    """The pack of the share."""
    return unpacked(pull(lived.service, share=lived.share.id), tmp_path / "pack")


def test_a_pack_holds_every_entry_of_the_share_its_person_agreement_and_document(
    lived: Lent, folder: Path
) -> None:
    share, document = f"entries/{lived.share.id}.ndjson", f"entries/{lived.document.id}.ndjson"
    assert entry_files(folder) == sorted([share, document, "entries/agreements.ndjson"])
    kinds = {name: [leaf["kind"] for leaf in leaves(folder, name)] for name in entry_files(folder)}
    assert kinds == {
        share: [
            *[
                "recipient.created",
                "share.created",
                "link.created",
                "page.viewed",
                "download.granted",
                "download.begun",
            ],
            *["download.ended", "share.revoked", "download.denied"],
        ],
        document: ["document.created", "version.created", "version.uploaded", "version.ready"],
        "entries/agreements.ndjson": ["nda.created", "nda.approved", "nda.evidence"],
    }


def test_the_packed_program_finds_each_file_genuine_and_each_changed_byte(folder: Path, lived: Lent) -> None:
    for name in entry_files(folder):
        said = checked(folder, name)
        assert (said.returncode, said.stderr) == (0, ""), said.stdout
        assert "Genuine: " in said.stdout
        assert "cannot show that none is missing" in said.stdout
    name = f"entries/{lived.share.id}.ndjson"
    content = (folder / name).read_bytes()
    for old, new in ((b"page.viewed", b"page.vieweD"), (ADDRESS.encode(), b"192.0.2.8"), (b"download", b"")):
        assert old in content
        (folder / name).write_bytes(content.replace(old, new, 1))
        said = checked(folder, name)
        assert said.returncode == 1, said.stdout
        assert "NOT genuine" in said.stdout


def test_the_agreement_and_the_copy_are_those_of_the_log(lived: Lent, folder: Path) -> None:
    signed = (folder / "nda" / f"{lived.nda.id}.pdf").read_bytes()
    assert signed == SIGNED
    (entry,) = [
        leaf for leaf in leaves(folder, "entries/agreements.ndjson") if leaf["kind"] == "nda.evidence"
    ]
    assert entry["details"] == {"sha256": hashlib.sha256(signed).hexdigest(), "size": len(signed)}
    (copy,) = json.loads((folder / "copies.json").read_bytes())["copies"]
    (granted,) = [
        leaf
        for leaf in leaves(folder, f"entries/{lived.share.id}.ndjson")
        if leaf["kind"] == "download.granted"
    ]
    assert (copy["id"], copy["version"]) == (granted["copy"], granted["version"])


def test_the_copys_hash_is_that_of_the_bytes_which_the_recipient_got(lent: Lent, tmp_path: Path) -> None:
    got = lent.browser.get(lent.granted()).data
    folder = unpacked(pull(lent.service, share=lent.share.id), tmp_path / "pack")
    (copy,) = json.loads((folder / "copies.json").read_bytes())["copies"]
    assert (copy["sha256"], copy["length"]) == (hashlib.sha256(got).hexdigest(), len(got))


def test_the_manifest_names_every_other_file_by_its_hash(folder: Path) -> None:
    subprocess.run(["sha256sum", "--strict", "--quiet", "-c", MANIFEST], cwd=folder, check=True)
    named = {line.split("  ")[1] for line in (folder / MANIFEST).read_text().splitlines()}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there - named == {MANIFEST}


def test_no_file_of_a_pack_holds_a_link_that_opens(lived: Lent, folder: Path) -> None:
    token = lived.path.rsplit("/", 1)[1]
    for path in folder.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes()
    (link,) = json.loads((folder / "copies.json").read_bytes())["links"]
    assert len(link["hash"]) == 64


def test_the_summary_names_who_what_and_when_and_what_it_does_not_prove(folder: Path) -> None:
    text = text_of(folder)
    for said in (
        *[
            "Ana Lindqvist",
            "ana@acme.example",
            "Acme Freight",
            "Relay report",
            "secret purpose of the lender",
        ],
        *[
            "page opened",
            "2026-03-02 09:00:00 Z",
            "download granted",
            "2026-03-02 09:01:00 Z",
            "share ended",
            "complete, ",
        ],
        *["all people of acme.example", ADDRESS, "Browser/9", "Lender Example Ltd"],
        *["does not prove that no entry is missing", "does not prove who sat before the screen"],
    ):
        assert said in text, said


@pytest.mark.fonts
@pytest.mark.parametrize(
    "name",
    ["王小明 (Wang)", "محمد علي", "Ольга Ђурић", "नेहा शर्मा", "김민준", "Ǻnä Þ. Łukaśzewicz", "சுந்தர் பிச்சை"],
)
def test_any_name_is_printed_and_can_be_searched_in_the_summary(
    service: Service, tmp_path: Path, name: str
) -> None:
    lent = lend(service, name=name)
    folder = unpacked(pull(service, share=lent.share.id), tmp_path / "pack")
    text = "".join(
        character for character in text_of(folder) if character not in "\u200e\u200f\u202a\u202b\u202c"
    )
    assert all(word in text for word in name.split())


def test_what_no_font_draws_stands_by_its_code_point(service: Service, tmp_path: Path) -> None:
    lent = lend(service)
    with service.sealmark.database.write() as records:
        records.change(lent.share, purpose="audit \U0001f600 and\nmore & <b>")
    folder = unpacked(pull(service, share=lent.share.id), tmp_path / "pack")
    assert "audit [U+1F600] and more & <b>" in text_of(folder)


def test_a_pull_is_an_entry_with_the_hash_of_the_zip_before_its_first_byte(lived: Lent) -> None:
    pack = pull(lived.service, share=lived.share.id)
    (entry,) = lived.service.entries("evidence.pulled")
    assert json.loads(entry["details"]) == {
        "about": lived.share.id,
        "size": pack.size,
        "sha256": pack.sha256,
    }
    assert (entry["share"], entry["recipient"]) == (lived.share.id, lived.recipient.id)
    assert hashlib.sha256(b"".join(pack.pieces)).hexdigest() == pack.sha256


def test_an_earlier_pull_stands_in_the_next_pack(lived: Lent, tmp_path: Path) -> None:
    pull(lived.service, share=lived.share.id)
    lived.service.clock.advance(minutes=1)
    folder = unpacked(pull(lived.service, share=lived.share.id), tmp_path / "next")
    kinds = [leaf["kind"] for leaf in leaves(folder, f"entries/{lived.share.id}.ndjson")]
    assert kinds[-1] == "evidence.pulled"


def test_the_same_state_gives_the_same_bytes(lived: Lent) -> None:
    lived.service.entries()
    first, second = (lived.service.sealmark.evidence.pull(OPERATOR, share=lived.share.id) for _ in range(2))
    assert (first.size, first.sha256) == (second.size, second.sha256)


def test_without_its_entry_nothing_leaves(lived: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
    lived.service.entries()
    database = lived.service.sealmark.database

    def no_write() -> Any:
        raise DomainError(Problem.UNAVAILABLE, "no write")

    lived.service.sealmark.checkpoints.cover()
    monkeypatch.setattr(database, "write", no_write)
    with pytest.raises(DomainError, match="no write"):
        lived.service.sealmark.evidence.pull(OPERATOR, share=lived.share.id)


def test_a_pack_that_would_not_be_what_the_entry_says_ends_before_its_directory(lived: Lent) -> None:
    pack = pull(lived.service, recipient=lived.recipient.id)
    with lived.service.sealmark.database.write() as records:
        for logged in records.find(LoggedEntry, recipient=lived.recipient.id):
            records.change(logged, revealed={})
    got = io.BytesIO()
    with pytest.raises(DomainError, match="pull it again"):
        got.writelines(pack.pieces)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(got)


def test_a_pack_of_a_company_holds_all_of_its_people(lived: Lent, tmp_path: Path) -> None:
    sealmark = lived.service.sealmark
    share, bob, _ = sealmark.sharing.create(
        OPERATOR, document_id=lived.document.id, mail="bob@acme.example", name="Bob Ode", purpose="renewal"
    )
    sealmark.ndas.add(OPERATOR, domain="other.example", source="paper", approved=True)
    other, _, _ = sealmark.sharing.create(
        OPERATOR, document_id=lived.document.id, mail="eve@other.example", name="Eve Other", purpose="own"
    )
    folder = unpacked(pull(lived.service, company="Acme.example"), tmp_path / "company")
    assert {f"entries/{bob.id}.ndjson", f"entries/{lived.recipient.id}.ndjson"} < set(entry_files(folder))
    assert all(checked(folder, name).returncode == 0 for name in entry_files(folder))
    text = text_of(folder)
    assert "Ana Lindqvist" in text
    assert "Bob Ode" in text
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"other.example" not in everything
    assert other.id.encode() not in everything
    assert share.id.encode() in everything
    (entry,) = lived.service.entries("evidence.pulled")
    assert json.loads(entry["details"])["about"] == "company"
    assert entry["company"] == "acme.example"


def test_a_pack_of_a_company_with_an_agreement_alone_is_a_pack(service: Service, tmp_path: Path) -> None:
    service.sealmark.ndas.add(OPERATOR, domain="new.example", source="paper", approved=True)
    folder = unpacked(pull(service, company="new.example"), tmp_path / "new")
    assert entry_files(folder) == ["entries/agreements.ndjson"]
    assert checked(folder, "entries/agreements.ndjson").returncode == 0


def test_a_share_whose_recipient_was_erased_says_so_and_is_still_a_pack(lived: Lent, tmp_path: Path) -> None:
    lived.service.sealmark.erasing.begin(OPERATOR, lived.recipient.id)
    assert lived.service.sealmark.erasing.finish(lived.recipient.id)
    folder = unpacked(pull(lived.service, share=lived.share.id), tmp_path / "erased")
    assert all(checked(folder, name).returncode == 0 for name in entry_files(folder))
    (person,) = json.loads((folder / "facts.json").read_bytes())["recipients"]
    assert person == {"id": lived.recipient.id, "erased": "2026-03-02T09:02:00.000000Z"}
    assert "name and mail are gone" in text_of(folder)
    assert " 0 withheld" in checked(folder, f"entries/{lived.share.id}.ndjson").stdout
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for value in ("Lindqvist", "ana@acme", ADDRESS, "secret purpose"):
        assert value.encode() not in everything
        assert value not in text_of(folder)
    with pytest.raises(DomainError, match=r"erased\.invalid"):
        pull(lived.service, company="erased.invalid")


@pytest.mark.parametrize("noun", ["share", "recipient", "company"])
def test_what_is_not_there_is_not_found_and_no_entry_is_made(lent: Lent, noun: str) -> None:
    prefix = {"share": "shr", "recipient": "rcp"}
    key = "none.example" if noun == "company" else identifiers.new_id(prefix[noun], bytes(16))
    with pytest.raises(DomainError) as refused:
        pull(lent.service, **{noun: key})
    assert refused.value.problem == Problem.NOT_FOUND
    assert lent.service.entries("evidence.pulled") == []


def test_a_company_with_more_people_than_a_pack_holds_is_refused(lent: Lent) -> None:
    now = lent.service.clock()
    with lent.service.sealmark.database.write() as records:
        for number in range(MAX_SHARES):
            made = identifiers.new_id("rcp", number.to_bytes(16, "big"))
            records.add(Recipient(made, f"p{number}@acme.example", "acme.example", "P", "", now))
    with pytest.raises(DomainError) as refused:
        pull(lent.service, company="acme.example")
    assert refused.value.problem == Problem.TOO_LARGE


def test_over_the_api_a_pack_needs_both_scopes_and_one_thing_to_be_about(lived: Lent) -> None:
    def ask(key: str, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        return lived.browser.get("/v1/evidence", headers=headers, query_string=query)

    lived.service.entries()
    both = lived.service.api_key(Scope.LOG_READ, Scope.NDAS_READ)
    answer = ask(both, share=lived.share.id)
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="evidence-{lived.share.id}.zip"'
    assert answer.content_length == len(answer.data)
    assert zipfile.ZipFile(io.BytesIO(answer.data)).testzip() is None
    for scope in (Scope.LOG_READ, Scope.NDAS_READ):
        refused = ask(lived.service.api_key(scope), share=lived.share.id)
        assert (refused.status_code, refused.json["type"].rpartition("/")[2]) == (403, "forbidden")
    assert ask(both).status_code == 422
    assert ask(both, share=lived.share.id, company="acme.example").status_code == 422
    assert ask(both, share=identifiers.new_id("shr", bytes(16))).status_code == 404
    assert len(lived.service.entries("evidence.pulled")) == 1


def test_memory_holds_a_piece_of_a_zip_and_not_the_parts() -> None:
    noise = [hashlib.sha256(b"%d" % number).digest() * 2048 for number in range(8)]

    def pieces() -> Any:
        for number in range(400):
            yield noise[number % 8]

    parts = [Part("large", pieces, large=True)]
    assert max(len(piece) for piece in zipped(parts)) < 2 * PIECE
    content = b"".join(as_measured(parts, measured(parts)))
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.read("large") == b"".join(pieces())
    assert {item.date_time for item in archive.infolist()} == {EPOCH}


def test_an_actor_of_the_api_stands_in_the_entry(lived: Lent) -> None:
    lived.service.entries()
    lived.service.sealmark.evidence.pull(Actor("api-key", "smk_x"), recipient=lived.recipient.id)
    (entry,) = lived.service.entries("evidence.pulled")
    assert (entry["actor_type"], entry["actor"]) == ("api-key", "smk_x")
