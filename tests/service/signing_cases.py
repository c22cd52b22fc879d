"""Short ways to a share that waits for a signature, and to its signature."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from crypto import tokens
from service.audit import Actor
from service.decision import Allowed, Denial, decide
from service.records import Document, Nda, NdaMode, NdaText, Session, Share
from tests.service.acting import a_document, a_share, a_version, token_of
from tests.service_fixture import OPERATOR, Service

TEXT = """\
# Mutual *non-disclosure* agreement

You get a report that is **confidential**. See [the policy](https://lender.example/policy).

1. Do not pass it on.
2. Destroy it when you are done:
   - the file,
   - every print.

Questions: <legal@lender.example>
"""
CONSENTS = ("I have read it and agree.", "I sign electronically.")
SIGNER = Actor("recipient", request="req_s", address="198.51.100.9", agent="Firefox/140 (test)")


@dataclass
class Waiting:
    """A share that waits, and what its recipient would sign it with."""

    service: Service
    document: Document
    share: Share
    token: str
    link_hash: str
    text: NdaText
    session: Session

    def sign(self, **changes: Any) -> Nda:
        """Sign it, as Ana would."""
        given: dict[str, Any] = {
            "share_id": self.share.id,
            "link_hash": self.link_hash,
            "session": self.session,
            "text_id": self.text.id,
            "name": "Ana María Example",
            "consents": CONSENTS,
            "language": "en",
            **changes,
        }
        return self.service.sealmark.signing.sign(SIGNER, **given)

    def decided(self) -> Allowed | Denial:
        """What the link gives now to who has shown that the mail is theirs. A copy cannot be minted here."""
        now = self.service.clock()
        grant = self.service.sealmark.database.grant(self.share.id, self.link_hash, now)
        assert grant is not None
        return decide(grant, now, asking=True, checked=True)


def a_text(service: Service, markdown: str = TEXT, days: int | None = 365) -> NdaText:
    """A text of the agreement, offered from now on."""
    return service.sealmark.nda_texts.add(OPERATOR, markdown=markdown, days=days)


def a_session(service: Service, share: Share, mail: str, **changes: Any) -> Session:
    """What the mail check leaves when it has passed."""
    now = service.clock()
    made = Session(f"hash of {share.id}", share.id, share.recipient_id, mail, now, now + timedelta(hours=12))
    made = replace(made, **changes)
    with service.sealmark.database.write() as records:
        records.add(made)
    return made


def a_waiting_share(
    service: Service, *, text: NdaText | None = None, document: Document | None = None, **changes: Any
) -> Waiting:
    """A share for Ana of Acme that grants nothing until she has signed, her mail checked."""
    text = text or a_text(service)
    if document is None:
        document = a_document(service)
        a_version(service, document)
    share, link = a_share(service, document, **{"nda": NdaMode.ASK, **changes})
    token = token_of(link)
    named = tokens.verify(token, service.sealmark.keys.verifying("link"), int(service.clock().timestamp()))
    mail = service.sealmark.recipients.get(share.recipient_id).mail
    session = a_session(service, share, mail)
    return Waiting(service, document, share, token, tokens.link_hash(named.link_id), text, session)
