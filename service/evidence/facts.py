"""The readable facts of a pack of evidence, as JSON, and the text that says how to check it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from service.audit import timestamp
from service.evidence.dossier import About, Dossier
from service.records import Copy, Cut, Link, LoggedEntry, Nda, Recipient, Share, Version

FORMAT = "sealmark-evidence v1"

README = """\
Evidence about the {noun} {key}, pulled from the log of {organization}.

What is here
  summary.pdf      for reading; everything in it is also in the other files
  facts.json       people, agreements, shares, documents and versions, as the database has them
  copies.json      copies and links; a link is here by its hash only, so nobody can use it
  entries/         what the log has of it, with proofs; a file for each {files}, one for
                   agreements of companies
  nda/             the signed agreements, each named by its id; as .tsr a time stamp of it, where there is one
  checkpoint.txt   what the log signed of itself; all entries here are proven to be under it
  key.txt          the public keys of the log, one on each line
  logcheck.py      the program that checks entries; it can be read in ten minutes
  MANIFEST.txt     the SHA-256 of every other file

How to check it, offline. You need Python 3.11 or newer with its package "cryptography".

1. The files are as they were packed:
     sha256sum -c MANIFEST.txt
2. The entries are in the log that was signed, unchanged:
{commands}
   Each must end with "Genuine". A changed byte shows as "NOT genuine".
3. key.txt and logcheck.py came together with what they check. Compare them with ones that you have from elsewhere:
   keys at {url}/v1/log/keys, or kept since an earlier day.
4. An agreement is the one that was put into the log: its SHA-256 is "sha256" in the details of its entry
   "nda.evidence", and stands in facts.json.
     sha256sum nda/*.pdf
   Where it has a time stamp (RFC 3161), an authority says since when, with its own clock. You need its certificate:
     openssl ts -verify -in nda/ID.tsr -data nda/ID.pdf -CAfile ROOT.pem
5. A copy that was found somewhere is the one that was lent: its SHA-256 and length stand in copies.json, and its id on
   each of its pages.

The log has an entry "evidence.pulled" with the SHA-256 of this zip file.

What it does not show
  - That no entry is missing: the files hold chosen entries. The whole log shows that (sealmark log export, without a
    filter), and against a checkpoint that someone else holds, that its end was not cut off.
  - Who sat before the screen, or that anybody read the document: the log knows links, addresses and bytes.
  - That what people signed is valid: it shows which file was kept as the agreement, and since when.
  - That the clock was right: times are those of the server.
"""


def readme(about: About, organization: str, base_url: str, names: Sequence[str]) -> str:
    """How to check the pack; `names` are its files of entries."""
    return README.format(
        noun=about.noun,
        key=about.key,
        organization=organization,
        url=base_url,
        files="share (with its person) and document" if about.noun == "share" else "person and document",
        commands="\n".join(f"     python3 logcheck.py {name} --key key.txt" for name in names),
    )


def facts_json(dossier: Dossier, evidence: Mapping[str, LoggedEntry]) -> bytes:
    """People, agreements, shares, documents and versions. `evidence`: the entry of each agreement's evidence."""
    about = dossier.about
    return _json(
        {
            "format": FORMAT,
            "about": {about.noun: about.key},
            "recipients": [_recipient(recipient) for recipient in dossier.recipients],
            "agreements": [
                _agreement(nda, evidence.get(nda.id), nda.id in dossier.evidence) for nda in dossier.ndas
            ],
            "documents": [
                {
                    "id": document.id,
                    "name": document.name,
                    "kind": document.kind,
                    "classification": document.classification,
                    "owner": document.owner_mail,
                    "created": timestamp(document.created_at),
                    "revoked": timestamp(document.revoked_at) if document.revoked_at else None,
                }
                for document in dossier.documents
            ],
            "versions": [_version(version) for version in dossier.versions],
            "cuts": [_cut(cut) for cut in dossier.cuts],
            "shares": [_share(share) for share in dossier.shares],
        }
    )


def copies_json(dossier: Dossier) -> bytes:
    """Copies and links; of a link the hash."""
    return _json(
        {
            "format": FORMAT,
            "copies": [_copy(copy) for copy in dossier.copies],
            "links": [_link(link) for link in dossier.links],
        }
    )


def evidence_details(logged: LoggedEntry) -> dict[str, Any]:
    """`sha256` and `size` of the evidence, as its entry states them."""
    return dict(json.loads(logged.leaf)["details"])


def _recipient(recipient: Recipient) -> dict[str, Any]:
    if recipient.erased_at:
        return {"id": recipient.id, "erased": timestamp(recipient.erased_at)}
    return {
        "id": recipient.id,
        "name": recipient.name,
        "mail": recipient.mail,
        "company": recipient.company or None,
        "created": timestamp(recipient.created_at),
    }


def _agreement(nda: Nda, logged: LoggedEntry | None, kept: bool) -> dict[str, Any]:
    return {
        "id": nda.id,
        "recipient": nda.recipient_id,
        "company": nda.domain,
        "state": nda.state,
        "source": nda.source,
        "reference": nda.reference or None,
        "from": timestamp(nda.valid_from),
        "until": timestamp(nda.valid_until) if nda.valid_until else None,
        "approved": timestamp(nda.approved_at) if nda.approved_at else None,
        "revoked": timestamp(nda.revoked_at) if nda.revoked_at else None,
        "file": f"nda/{nda.id}.pdf" if kept else None,
        "evidence": {"entry": logged.id, **evidence_details(logged)} if logged else None,
    }


def _version(version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "document": version.document_id,
        "number": version.number,
        "sha256": version.sha256,
        "size": version.size,
        "pages": version.pages,
        "facts": version.facts,
        "uploaded": timestamp(version.uploaded_at) if version.uploaded_at else None,
    }


def _cut(cut: Cut) -> dict[str, Any]:
    return {"id": cut.id, "version": cut.version_id, "sections": cut.sections, "pages": cut.pages}


def _share(share: Share) -> dict[str, Any]:
    return {
        "id": share.id,
        "document": share.document_id,
        "recipient": share.recipient_id,
        "purpose": share.purpose or None,
        "created": timestamp(share.created_at),
        "expires": timestamp(share.expires_at),
        "download_limit": share.download_limit,
        "downloads_taken": share.downloads_taken,
        "pinned_version": share.pinned_version_id,
        "cut": share.cut_id,
        "revoked": timestamp(share.revoked_at) if share.revoked_at else None,
        "revoked_reason": share.revoked_reason,
        "with": share.with_id,
    }


def _copy(copy: Copy) -> dict[str, Any]:
    return {
        "id": copy.id,
        "share": copy.share_id,
        "version": copy.version_id,
        "template": copy.template_id,
        "recipient": copy.recipient_id,
        "issued": copy.issued.isoformat(),
        "stamp_version": copy.stamp_version,
        "length": copy.length,
        "sha256": copy.sha256,
        "minted": timestamp(copy.minted_at),
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "hash": link.hash,
        "share": link.share_id,
        "created": timestamp(link.created_at),
        "expires": timestamp(link.expires_at),
        "revoked": timestamp(link.revoked_at) if link.revoked_at else None,
    }


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()
