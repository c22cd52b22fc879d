"""The state of shares, as one query: it runs at every request for a link and each second of a download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, case, exists, func, or_, select

from service.adapters.sql.statements import filled_up
from service.adapters.sql.tables import (
    copies,
    cuts,
    documents,
    links,
    nda_texts,
    ndas,
    recipients,
    shares,
    templates,
    versions,
)
from service.adapters.sql.types import Line, Moment
from service.ports import Grant
from service.records import (
    Copy,
    Cut,
    Document,
    Link,
    Nda,
    NdaState,
    Recipient,
    Share,
    Template,
    Version,
    VersionState,
)

_NOW = bindparam("now", type_=Moment())

_text = nda_texts.alias("any_text")
_TEXT = select(_text.c.id).order_by(_text.c.number.desc()).limit(1).scalar_subquery()

_nda = ndas.alias("any_nda")
_THEIRS = or_(_nda.c.recipient_id == recipients.c.id, _nda.c.domain == recipients.c.domain)
_NDA_IN_FORCE = (
    select(_nda.c.id)
    .where(
        _THEIRS,
        or_(_nda.c.text_id.is_(None), _nda.c.text_id == _TEXT),  # an older text is to be signed anew
        _nda.c.state == NdaState.APPROVED,
        _nda.c.valid_from <= _NOW,
        or_(_nda.c.valid_until.is_(None), _nda.c.valid_until > _NOW),
    )
    .order_by(_nda.c.valid_until.desc().nulls_first(), _nda.c.id)  # the one that lasts longest
    .limit(1)
    .correlate(recipients)
    .scalar_subquery()
)

_REVOKED = exists().where(_THEIRS, _nda.c.state == NdaState.REVOKED).correlate(recipients)
_SIGNED = (
    exists().where(_nda.c.recipient_id == recipients.c.id, _nda.c.text_id.is_not(None)).correlate(recipients)
)

_version = versions.alias("any_version")
_VERSION = (
    select(_version.c.id)
    .where(
        _version.c.document_id == shares.c.document_id,
        _version.c.state == VersionState.READY,
        or_(shares.c.pinned_version_id.is_(None), _version.c.id == shares.c.pinned_version_id),
    )
    .order_by(_version.c.number.desc())
    .limit(1)
    .correlate(shares)
    .scalar_subquery()
)

_PARTS: tuple[tuple[type[Any], Table], ...] = (
    (Share, shares),
    (Recipient, recipients),
    (Document, documents),
    (Link, links),
    (Nda, ndas),
    (Version, versions),
    (Template, templates),
    (Copy, copies),
    (Cut, cuts),
)

# A share of a cut never falls back to the whole.
_NEWEST = case((shares.c.cut_id.is_not(None), cuts.c.template_id), else_=versions.c.template_id)

_QUERY = (
    select(*(table for _, table in _PARTS), _TEXT, _REVOKED, _SIGNED)
    .select_from(
        shares.join(recipients, recipients.c.id == shares.c.recipient_id)
        .join(documents, documents.c.id == shares.c.document_id)
        .outerjoin(
            links,
            and_(
                links.c.hash.in_(bindparam("links", type_=Line, expanding=True)),
                links.c.share_id == func.coalesce(shares.c.with_id, shares.c.id),  # what goes along has none
            ),
        )
        .outerjoin(ndas, ndas.c.id == _NDA_IN_FORCE)
        .outerjoin(versions, versions.c.id == _VERSION)
        .outerjoin(copies, and_(copies.c.share_id == shares.c.id, copies.c.version_id == versions.c.id))
        .outerjoin(cuts, and_(cuts.c.id == shares.c.cut_id, cuts.c.version_id == versions.c.id))
        .outerjoin(templates, templates.c.id == func.coalesce(copies.c.template_id, _NEWEST))
    )
    .where(shares.c.id.in_(bindparam("shares", type_=Line, expanding=True)))
)

_PLACES: list[tuple[type[Any], slice]] = []
for _kind, _table in _PARTS:
    _start = _PLACES[-1][1].stop if _PLACES else 0
    _PLACES.append((_kind, slice(_start, _start + len(_table.columns))))


NO_LINK = ""
"""The hash of no link."""


def load(connection: Connection, asked: Mapping[str, str | None], now: datetime) -> dict[str, Grant]:
    """What `Database.grants` promises.

    A pinned version that is not ready gives none, never another. The template is the one that the copy was
    minted from, and the newest of the version, or of the share's cut of it, where there is no copy yet.
    """
    hashes = [named or NO_LINK for named in asked.values()]
    found: dict[str, Grant] = {}
    for row in connection.execute(
        _QUERY, {"shares": filled_up(list(asked)), "links": filled_up(hashes), "now": now}
    ):
        values = tuple(row)
        # The key comes first and is never NULL, so a NULL says that there is no such record.
        parts: list[Any] = [
            None if values[place.start] is None else kind(*values[place]) for kind, place in _PLACES
        ]
        *parts, cut = parts
        text_id, revoked, signed = values[-3:]
        grant = replace(
            Grant(*parts), text_id=text_id, nda_revoked=bool(revoked), nda_signed=bool(signed), cut=cut
        )
        named = asked[grant.share.id]
        if grant.link is not None and grant.link.hash != named:  # another's, with which this was not asked
            grant = replace(grant, link=None)
        if grant.link is not None or grant.share.id not in found:
            found[grant.share.id] = grant
    return found
