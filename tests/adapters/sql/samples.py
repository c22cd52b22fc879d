"""Records to store: small, invented, and each as its defaults say unless a test says otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from service import records as r

NOW = datetime(2026, 11, 2, 9, 30, 15, 123457, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def key(prefix: str, number: int = 1) -> str:
    """An identifier of the right form; greater numbers sort later."""
    digits = ""
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits = ALPHABET[digit] + digits
    return f"{prefix}_{digits}"


def document(number: int = 1, /, **fields: Any) -> r.Document:
    values = {
        "id": key("doc", number),
        "name": f"SOC 2 report {number}",
        "kind": r.Kind.SOC2_TYPE2,
        "classification": r.Classification.NDA,
        "owner_mail": "owner@seller.example",
        "created_at": NOW,
    }
    return r.Document(**{**values, **fields})


def version(number: int = 1, /, **fields: Any) -> r.Version:
    values = {
        "id": key("ver", number),
        "document_id": key("doc"),
        "number": number,
        "state": r.VersionState.READY,
        "facts": {"auditor": "Müller & Čapek", "controls": [{"id": "CC6.1", "pages": [3, 4]}]},
        "created_at": NOW,
        "template_id": key("tpl", number),
    }
    return r.Version(**{**values, **fields})


def sealed(number: int = 1, /, **fields: Any) -> r.SealedObject:
    values = {
        "id": key("obj", number),
        "role": "template",
        "owner_kind": "version",
        "owner_id": key("ver", number),
        "size": 5_000_000_000,
        "wrapped_key": "d3JhcHBlZA",
        "master_id": key("mst"),
        "created_at": NOW,
    }
    return r.SealedObject(**{**values, **fields})


def template(number: int = 1, /, **fields: Any) -> r.Template:
    values = {
        "id": key("tpl", number),
        "version_id": key("ver", number),
        "object_id": key("obj", number),
        "format": 1,
        "size": 4_999_000_000,
        "created_at": NOW,
    }
    return r.Template(**{**values, **fields})


def recipient(number: int = 1, /, **fields: Any) -> r.Recipient:
    values = {
        "id": key("rcp", number),
        "mail": f"ana{number}@buyer.example",
        "domain": "buyer.example",
        "name": "Ana Søndergård",
        "company": "Buyer",
        "created_at": NOW,
    }
    return r.Recipient(**{**values, **fields})


def nda(number: int = 1, /, **fields: Any) -> r.Nda:
    values = {
        "id": key("nda", number),
        "recipient_id": key("rcp"),
        "domain": None,
        "state": r.NdaState.APPROVED,
        "valid_from": NOW - HOUR,
        "valid_until": NOW + HOUR,
        "source": "legal",
        "reference": f"NDA-{number}",
        "created_at": NOW,
    }
    return r.Nda(**{**values, **fields})


def nda_text(number: int = 1, /, **fields: Any) -> r.NdaText:
    values = {
        "id": key("txt", number),
        "number": number,
        "markdown": "# Agreement\n\nKeep it to yourself – §1.",
        "sha256": "cd" * 32,
        "days": 730,
        "created_at": NOW,
    }
    return r.NdaText(**{**values, **fields})


def share(number: int = 1, /, **fields: Any) -> r.Share:
    values = {
        "id": key("shr", number),
        "document_id": key("doc"),
        "recipient_id": key("rcp"),
        "purpose": "vendor review",
        "expires_at": NOW + HOUR,
        "download_limit": 3,
        "downloads_taken": 0,
        "pinned_version_id": None,
        "created_at": NOW,
    }
    return r.Share(**{**values, **fields})


def link(number: int = 1, /, **fields: Any) -> r.Link:
    values = {
        "hash": f"{number:064x}",
        "share_id": key("shr"),
        "expires_at": NOW + HOUR,
        "created_at": NOW,
    }
    return r.Link(**{**values, **fields})


def copy(number: int = 1, /, **fields: Any) -> r.Copy:
    values = {
        "id": key("cpy", number),
        "share_id": key("shr"),
        "version_id": key("ver"),
        "template_id": key("tpl"),
        "recipient_id": key("rcp"),
        "name": "Ana Søndergård",
        "mail": "ana1@buyer.example",
        "company": "Buyer",
        "issued": date(2026, 11, 2),
        "stamp_version": 1,
        "length": 5_000_000_001,
        "sha256": "ab" * 32,
        "fill": bytes(range(256)),
        "minted_at": NOW,
    }
    return r.Copy(**{**values, **fields})


def job(number: int = 1, /, **fields: Any) -> r.Job:
    values = {
        "id": key("job", number),
        "kind": "compile",
        "subject": key("ver", number),
        "created_at": NOW,
        "run_after": NOW,
    }
    return r.Job(**{**values, **fields})


def tally(**fields: Any) -> r.Tally:
    values = {"key": "unauthentic:1:2", "name": "unauthentic", "count": 12, "since": NOW}
    return r.Tally(**{**values, **fields})


def inbox(number: int = 1, /, **fields: Any) -> r.InboxEntry:
    values = {
        "id": key("ent", number),
        "position": None,
        "leaf": b'{"v":1}',
        "revealed": {"mail": {"value": "ana1@buyer.example", "salt": "00" * 32}},
    }
    return r.InboxEntry(**{**values, **fields})


def logged(index: int, /, **fields: Any) -> r.LoggedEntry:
    values = {
        "index": index,
        "id": key("ent", index),
        "leaf": b'{"v":1}',
        "leaf_hash": bytes(32),
        "revealed": {},
        "kind": "share.created",
        "time": NOW,
        "sequenced": NOW,
    }
    return r.LoggedEntry(**{**values, **fields})


def whole_share() -> list[object]:
    """One share with all that its grant needs: document, version, template, recipient, nda, link, copy."""
    return [document(), sealed(), version(), template(), recipient(), nda(), share(), link(), copy()]


def one_of_each() -> list[object]:
    """A record of every kind, every optional field filled."""
    return [
        document(
            revoked_at=NOW,
            mail_check=r.MailCheck.ALWAYS,
            listing=r.Listing.FACTS,
            report_id=key("doc"),
            ends_on=date(2027, 1, 31),
            citation="See our {kind}.",
        ),
        sealed(),
        version(
            original_id=key("obj"),
            size=7,
            sha256="cd" * 32,
            pages=40,
            capacity={"pages": [1, 2]},
            reason="too-small",
            message="Too small.",
            uploaded_at=NOW,
            settled_at=NOW + HOUR,
        ),
        template(cut_id=key("cut")),
        r.Cut(
            *(key("cut"), key("ver"), [0, 2], r.CutState.REFUSED, NOW, key("tpl"), 9),
            reason="too-small",
            settled_at=NOW,
        ),
        recipient(erased_at=NOW, language="de"),
        nda(evidence_id=key("obj"), approved_at=NOW, revoked_at=NOW + HOUR, text_id=key("txt")),
        nda_text(),
        share(
            pinned_version_id=key("ver"),
            revoked_at=NOW,
            revoked_reason="asked",
            nda=r.NdaMode.ASK,
            mail_check=True,
            view_only=True,
            cut_id=key("cut"),
            with_id=key("shr"),
        ),
        r.Signature(
            *(key("sig"), key("nda"), key("txt"), key("rcp"), key("shr")),
            *("Ana Søndergård", "ana1@buyer.example", "Buyer", "203.0.113.7", "Browser"),
            consents=["I agree."],
            signed_at=NOW,
            record_sha256="ab" * 32,
            timestamp=b"\x30\x00",
        ),
        r.PublicCopy(key("ver"), key("tpl"), date(2026, 11, 2), 1, 9, "ab" * 32, b"\x00", NOW),
        r.AccessRequest(
            *(
                key("acc"),
                key("doc"),
                key("rcp"),
                "Ana",
                "Buyer",
                "review",
                "de",
                r.RequestState.APPROVED,
                NOW,
            ),
            decided_at=NOW + HOUR,
            rule_id=key("rul"),
            share_id=key("shr"),
        ),
        r.AccessRule(
            *(key("rul"), r.RuleKind.DOMAIN, key("doc"), "buyer.example", r.NdaMode.ASK, True, 3, 30, NOW),
            removed_at=NOW,
        ),
        r.RuleMember(key("mbr"), key("rul"), "ana1@buyer.example", NOW),
        r.Check(
            *(key("mck"), key("shr"), key("rcp"), "ana1@buyer.example", "ab" * 32, NOW),
            code=b"\x01" * 32,
            until=NOW + HOUR,
            tries=2,
            ended_at=NOW,
            outcome="passed",
        ),
        r.Session("ab" * 32, key("shr"), key("rcp"), "ana1@buyer.example", NOW, NOW + HOUR),
        r.RateWindow("page:ab:1", "ab", 60, NOW),
        r.Receiver(
            key("whr"), "https://crm.buyer.example/hook", ["share.revoked"], "c2VhbGVk", NOW, NOW, True
        ),
        r.Event(
            *(key("evt"), 1, key("whr"), "downloaded", key("rcp"), '{"a":1}', NOW, NOW, NOW),
            attempts=3,
            status=503,
            problem="not reached",
            sent_at=NOW,
            failed_at=NOW,
        ),
        r.Batch(key("bat"), key("doc"), 2, NOW, NOW, "2592000 s"),
        r.BatchRow(
            f"{key('bat')}:00000000",
            key("bat"),
            {"mail": "a@b.example"},
            key("rcp"),
            key("shr"),
            "invalid",
            NOW,
        ),
        r.StaffSession("ab" * 32, "https://id.example", "sub-1", "Olga", ["viewer"], NOW, NOW),
        r.Message(
            *(key("msg"), "link", key("shr"), key("rcp"), "ana1@buyer.example", "de", NOW, NOW),
            attempts=2,
            link_hash=link().hash,
            sent_at=NOW,
            failed_at=NOW,
        ),
        link(revoked_at=NOW),
        copy(),
        r.Delivery(key("dlv"), key("shr"), key("cpy"), link().hash, NOW, NOW + HOUR, bytes_sent=2**40),
        r.Send(key("snd"), key("dlv"), NOW, NOW, 10, sent=10, ended_at=NOW, outcome="complete"),
        r.ApiKey(key("api"), "crm", "ef" * 32, ["shares:write"], NOW, NOW + HOUR, NOW, NOW),
        r.NamedKey(key("key"), "link", key("ver"), "d3JhcHBlZA", key("mst"), NOW, NOW + HOUR),
        r.Answer("api:hash", "aa" * 32, NOW, status=201, sealed=b"\x00\xff", recipient_id=key("rcp")),
        job(attempts=2, done_at=NOW),
        r.Throttle("denied:1", NOW),
        tally(),
        inbox(position=1),
        logged(
            2**40,
            document=key("doc"),
            version=key("ver"),
            share=key("shr"),
            recipient=key("rcp"),
            nda=key("nda"),
            outcome="ok",
        ),
        r.TreeNode("3:1", b"\x01" * 32),
        r.LogState("log", 8, b"\x02" * 32, NOW, "reports.example/log_1", 3),
        r.LogCheckpoint(key("chk"), "reports.example/log_1", 8, b"\x02" * 32, "note\n", NOW, NOW, NOW),
        r.LogArchive(key("arc"), key("obj"), 0, 500, NOW),
        r.Hold(key("hld"), "company", "buyer.example", "a lawsuit", NOW, NOW + HOUR),
    ]
