"""FORMAT.md: every worked example in it is what this package writes and reads."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import pytest

import crypto
from crypto import (
    api_keys,
    base64url,
    canonical,
    commitments,
    erasures,
    logexport,
    merkle,
    notes,
    replay,
    tokens,
    webhooks,
)
from crypto.context import context, key_context
from crypto.identifiers import new_id, parse_id
from crypto.keys import Keyring, MasterKey, WrappedKey
from crypto.logcheck import WITNESS_KEY, Checkpoint, NoteKey, check_export, check_proof
from crypto.markkey import MarkKey
from crypto.sealing import CHUNK, open_stream, seal
from crypto.sidecar import Sidecar
from crypto.witness import Held, WitnessKey, decode, encode, judge
from tests.crypto.logs import SyntheticLog, random_id, secret

FORMAT = (Path(crypto.__file__).parent / "FORMAT.md").read_text("utf-8")
Example = dict[str, str]


def examples() -> dict[str, Example]:
    """Name → field → value of each block that begins with ```worked <name>."""
    found: dict[str, Example] = {}
    for name, body in re.findall(r"^```worked ([\w-]+)\n(.*?)^```$", FORMAT, re.DOTALL | re.MULTILINE):
        assert name not in found, name
        found[name] = dict(line.split(" = ", 1) for line in body.splitlines())
    return found


EXAMPLES = examples()
h = bytes.fromhex


def identifier(e: Example) -> None:
    assert new_id(e["prefix"], h(e["bytes"])) == e["text"]
    assert parse_id(e["text"]) == (e["prefix"], h(e["bytes"]))


def context_(e: Example) -> None:
    assert context(e["role"], e["owner_kind"], e["owner_id"], e["object_id"]) == h(e["context"])


def named_key_context(e: Example) -> None:
    assert key_context(e["purpose"], e["key_id"], e["owner_id"]) == h(e["context"])


def sealed_object(e: Example) -> None:
    key, bound, salt = h(e["key"]), h(e["context"]), h(e["salt"])
    sealed = b"".join(seal(key, bound, [h(e["plaintext"])], salt=salt))
    assert sealed == h(e["sealed"])
    assert sealed[:56] == salt + h(e["commitment"])
    assert b"".join(open_stream(key, bound, [sealed])) == h(e["plaintext"])


def sealed_full_chunk(e: Example) -> None:
    plaintext = b"a" * CHUNK
    assert hashlib.sha256(plaintext).digest() == h(e["plaintext_sha256"])
    sealed = b"".join(seal(h(e["key"]), h(e["context"]), [plaintext], salt=h(e["salt"])))
    assert len(sealed) == int(e["sealed_size"])
    assert hashlib.sha256(sealed).digest() == h(e["sealed_sha256"])
    assert sealed[-16:] == h(e["last_16_bytes"])


def wrapped_key(e: Example) -> None:
    master = MasterKey(h(e["master_key"]))
    assert master.id == e["master_id"]
    wrapped = master.wrap(h(e["key"]), h(e["context"]), nonce=h(e["nonce"]))
    assert wrapped.encode() == e["text"]
    assert WrappedKey.decode(e["master_id"], e["text"]) == wrapped
    assert master.unwrap(wrapped, h(e["context"])) == h(e["key"])


def key_file(e: Example) -> None:
    text = "\n".join((e["line_1"], e["line_2"], e["line_3"]))
    keyring = Keyring.parse(text)
    assert keyring == Keyring(MasterKey(h(e["master_key"])), (MasterKey(h(e["older_key"])),))
    assert [line for line in keyring.render().splitlines() if not line.startswith("#")] == text.splitlines()


def sidecar(e: Example) -> None:
    made = Sidecar(
        role=e["role"],
        owner_kind=e["owner_kind"],
        owner_id=e["owner_id"],
        object_id=e["object_id"],
        sealed_size=int(e["sealed_size"]),
        master_id=e["master_id"],
        wrapped_key=e["wrapped_key"],
    )
    assert made.encode() == e["json"].encode()
    assert Sidecar.decode(e["json"].encode()) == made


def link_token(e: Example) -> None:
    token = tokens.LinkToken(
        e["key_id"], e["share_id"], e["link_id"], tokens.Action(e["action"]), int(e["expires"])
    )
    assert tokens.sign(token, h(e["key"])) == e["token"]
    assert tokens.verify(e["token"], {e["key_id"]: h(e["key"])}, token.expires - 1) == token
    assert base64url.decode(e["token"][3:])[-32:] == h(e["mac"])


def link_hash(e: Example) -> None:
    assert tokens.link_hash(e["link_id"]) == e["hash"]


def api_key(e: Example) -> None:
    made = api_keys.new_api_key({16: h(e["id_bytes"]), 32: h(e["secret"])}.__getitem__)
    assert made == e["text"]
    assert api_keys.hash_secret(made) == e["hash"]
    assert api_keys.matches(made, e["hash"])


def kept_answer(e: Example) -> None:
    place = h(e["service_key"]), e["idempotency_key"], h(e["context"])
    assert replay.seal_answer(*place, h(e["answer"]), nonce=h(e["nonce"])) == h(e["sealed"])
    assert replay.open_answer(*place, h(e["sealed"])) == h(e["answer"])
    assert replay.idempotency_hash(h(e["service_key"]), e["idempotency_key"]) == e["stored_hash"]


def webhook(e: Example) -> None:
    secret = b64decode(e["secret"].removeprefix(webhooks.PREFIX))
    assert webhooks.show(secret) == e["secret"]
    assert webhooks.sign(secret, e["id"], int(e["timestamp"]), e["body"].encode()) == e["signature"]


def webhook_secret(e: Example) -> None:
    place = h(e["service_key"]), e["receiver"]
    assert webhooks.seal(*place, h(e["secret"]), nonce=h(e["nonce"])) == e["sealed"]
    assert webhooks.open_sealed(*place, e["sealed"]) == h(e["secret"])


def canonical_json(e: Example) -> None:
    value = json.loads(e["loose"])
    assert canonical.encode(value) == h(e["canonical"])
    assert canonical.decode(h(e["canonical"])) == value


def commitment(e: Example) -> None:
    assert commitments.commit(e["name"], e["value"], h(e["salt"])) == e["commitment"]


def marking_key(e: Example) -> None:
    key, source = MarkKey(h(e["key"])), h(e["source_sha256"])
    text = "\n".join((e["line_1"], e["line_3"]))
    assert MarkKey.parse(text) == key
    assert [line for line in key.render().splitlines() if not line.startswith("#")] == text.splitlines()
    assert key.seed(source) == h(e["seed"])
    assert key.weave_key(source) == h(e["weave_key"])


def tree(e: Example) -> None:
    leaves = [merkle.leaf_hash(h(leaf.strip('"'))) for leaf in e["leaves"].split(" ")]
    nodes, size = merkle.append_nodes(0, leaves, lambda level, index: None)
    stored = {(node.level, node.index): node.hash for node in nodes}
    assert size == 8
    assert stored[0, 0] == h(e["leaf_hash_0"])
    assert stored[1, 0] == h(e["node_1_0"])
    for count in (0, 1, 5, 8):
        assert merkle.root(count, lambda level, index: stored[level, index]) == h(e[f"root_{count}"])


def checkpoint(e: Example) -> None:
    secret, origin = h(e["secret"]), e["origin"]
    key, witness = NoteKey.decode(e["key"]), NoteKey.decode(e["witness_key"])
    assert key == notes.public_key(origin, secret)
    assert witness == notes.public_key(e["witness"], secret, WITNESS_KEY)
    text = notes.checkpoint_text(origin, int(e["size"]), h(e["root"]))
    lines = [notes.sign(text, origin, secret), notes.cosign(text, e["witness"], secret, int(e["time"]))]
    assert lines == [e["line"] + "\n", e["witness_line"] + "\n"]
    read = Checkpoint.decode(notes.note(text, *lines))
    assert (read.origin, read.size, read.root) == (origin, int(e["size"]), h(e["root"]))
    assert (read.signed_by(key), read.signed_by(witness)) == (0, int(e["time"]))


def log_export(e: Example) -> None:
    log = SyntheticLog(e["key"].partition("+")[0])
    ana, bo = random_id("rcp", "a"), random_id("rcp", "b")
    log.add("recipient.created", {"mail": "ana@acme.example"}, recipient=ana)
    erased = {"mail": random_id("ent", 2)}
    log.add("recipient.created", {"mail": "bo@acme.example"}, recipient=bo, erased=erased)
    log.add("recipient.erased", recipient=bo)
    filtered = log.export(asked={"recipient": ana, "kind": "recipient.created"}, chosen=[0])
    proof = logexport.entry_proof(0, log.checkpoint(), log.read_node)
    assert secret("first") == h(e["secret"])
    assert b"".join(log.export()).decode() == _lines(e, "export")
    assert b"".join(filtered).decode() == _lines(e, "filtered")
    assert proof == _lines(e, "proof")

    keys = [NoteKey.decode(e["key"])]
    whole, part = check_export(log.export(), keys), check_export(filtered, keys)
    assert (whole.problems, whole.whole, whole.count, whole.erased, whole.withheld) == ([], True, 3, 1, 0)
    assert (part.problems, part.whole, part.count, part.erased, part.withheld) == ([], False, 1, 0, 0)
    assert check_proof(proof, log.rows[0].leaf, keys).problems == []


def _lines(e: Example, name: str) -> str:
    return "".join(f"{value}\n" for field, value in e.items() if field.startswith(f"{name}_"))


def witness(e: Example) -> None:
    key = WitnessKey(e["name"], h(e["secret"]))
    assert key.encode() == e["key_file"] + "\n"
    assert WitnessKey.decode(key.encode()) == key
    note = EXAMPLES["checkpoint"]
    text = notes.checkpoint_text(e["origin"], int(note["size"]), h(note["root"]))
    signed = notes.note(text, note["line"] + "\n")
    hashes = [h(value) for value in e["proof"].split(" ")]
    request = encode(int(e["old"]), hashes, signed)
    assert hashlib.sha256(request).hexdigest() == e["request_sha256"]
    read = decode(request)
    judge(read, Held(int(e["old"]), h(e["old_root"])))
    assert read.checkpoint == Checkpoint.decode(signed)


def erasure(e: Example) -> None:
    key, recipient, entry = h(e["service_key"]), e["recipient"], e["entry"]
    assert erasures.encode(key, recipient, entry).decode() == e["text"]
    assert erasures.decode(key, e["text"].encode()) == (recipient, entry)


CHECKS: dict[str, Callable[[Example], None]] = {
    "identifier": identifier,
    "context": context_,
    "named-key-context": named_key_context,
    "sealed-object": sealed_object,
    "sealed-full-chunk": sealed_full_chunk,
    "wrapped-key": wrapped_key,
    "key-file": key_file,
    "sidecar": sidecar,
    "link-token": link_token,
    "link-hash": link_hash,
    "api-key": api_key,
    "kept-answer": kept_answer,
    "canonical-json": canonical_json,
    "commitment": commitment,
    "marking-key": marking_key,
    "tree": tree,
    "checkpoint": checkpoint,
    "log-export": log_export,
    "witness": witness,
    "erasure": erasure,
    "webhook": webhook,
    "webhook-secret": webhook_secret,
}


@pytest.mark.parametrize("name", CHECKS)
def test_worked_bytes_are_what_the_code_does(name: str) -> None:
    CHECKS[name](EXAMPLES[name])


def test_every_example_is_run() -> None:
    assert set(EXAMPLES) == set(CHECKS)
    assert FORMAT.count("```worked") == len(CHECKS)
