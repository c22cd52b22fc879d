"""One query gives all that a decision needs, and nothing that does not count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from service.adapters.sql.database import SqlDatabase
from service.ports import Grant
from service.records import Cut, CutState, NdaState, VersionState
from tests.adapters.sql.samples import (
    HOUR,
    NOW,
    copy,
    document,
    key,
    link,
    nda,
    nda_text,
    recipient,
    sealed,
    share,
    template,
    version,
)
from tests.migrated import migrated_postgresql, migrated_sqlite
from tests.servers.postgresql import PostgresqlServer

MOMENT = timedelta(microseconds=1)


class GrantPromises:
    """What holds on both databases. A subclass gives the fixture `url`: an empty, migrated database."""

    @pytest.fixture
    def url(self) -> str:
        raise NotImplementedError("given by the subclass")

    @pytest.fixture
    def database(self, url: str) -> Iterator[SqlDatabase]:
        database = SqlDatabase(url)
        with database.write() as records:
            records.add(document(), sealed(), version(), template(), recipient(), share(), link())
        yield database
        database.dispose()

    def grant(self, database: SqlDatabase, *added: object, **changed: Any) -> Grant:
        with database.write() as records:
            records.add(*added)
            if changed:
                records.change(share(), **changed)
        found = database.grant(key("shr"), link().hash, NOW)
        assert found is not None
        return found

    def test_it_is_all_there_in_one_statement(self, database: SqlDatabase) -> None:
        said: list[str] = []
        with database.write() as records:
            records.add(nda(), copy())
        event.listen(
            database.engines.asking,
            "before_cursor_execute",
            lambda *args: said.append(args[2]),
        )

        found = database.grant(key("shr"), link().hash, NOW)

        assert found == Grant(share(), recipient(), document(), link(), nda(), version(), template(), copy())
        assert len([statement for statement in said if statement.startswith("SELECT")]) == 1

    def test_an_unknown_share_gives_none(self, database: SqlDatabase) -> None:
        assert database.grant(key("shr", 2), link().hash, NOW) is None

    def test_what_is_absent_is_none(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.change(version(), state=VersionState.COMPILING)

        assert database.grant(key("shr"), None, NOW) == Grant(
            share(), recipient(), document(), None, None, None, None, None
        )

    def test_what_ended_is_given_for_the_decision_to_say_why(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.change(document(), revoked_at=NOW)
            records.change(share(), revoked_at=NOW, expires_at=NOW - HOUR)
            records.change(link(), revoked_at=NOW)

        found = database.grant(key("shr"), link().hash, NOW)

        assert found is not None
        assert found.link is not None
        assert [found.document.revoked_at, found.share.revoked_at, found.link.revoked_at] == [NOW] * 3

    def test_within_a_write_it_sees_that_write(self, database: SqlDatabase) -> None:
        with database.write() as records:
            records.change(share(), revoked_at=NOW)
            found = database.grant(key("shr"), None, NOW)

        assert found is not None
        assert found.share.revoked_at == NOW

    def test_several_shares_are_there_in_one_query_each_with_its_own_link(
        self, database: SqlDatabase
    ) -> None:
        mine, other, copied = share(2), link(2, share_id=key("shr", 2)), copy()
        with database.write() as records:
            records.add(mine, other, link(3), copied)
        asked = {key("shr"): other.hash, mine.id: other.hash, key("shr", 9): link().hash}

        found = database.grants(asked, NOW)

        assert found.keys() == {key("shr"), mine.id}
        assert found[mine.id].link == other
        assert found[mine.id].copy is None
        assert found[key("shr")] == database.grant(key("shr"), other.hash, NOW)
        assert found[key("shr")].link is None
        assert found[key("shr")].copy == copied
        assert database.grants({key("shr"): link(3).hash, mine.id: link().hash}, NOW)[
            key("shr")
        ].link == link(3)

    def test_a_link_of_another_share_is_none(self, database: SqlDatabase) -> None:
        found = self.grant(database, share(2), link(2, share_id=key("shr", 2)))
        other = database.grant(key("shr"), link(2).hash, NOW)

        assert found.link == link()
        assert other is not None
        assert other.link is None

    @pytest.mark.parametrize(
        "counts",
        [
            nda(),
            nda(valid_from=NOW),
            nda(valid_until=NOW + MOMENT),
            nda(valid_until=None),
            nda(recipient_id=None, domain="buyer.example"),
        ],
        ids=["person", "from now", "a moment left", "for ever", "company"],
    )
    def test_an_nda_in_force_counts(self, database: SqlDatabase, counts: Any) -> None:
        assert self.grant(database, counts).nda == counts

    @pytest.mark.parametrize(
        "other",
        [
            nda(state=NdaState.PENDING),
            nda(state=NdaState.REVOKED, revoked_at=NOW),
            nda(valid_from=NOW + MOMENT),
            nda(valid_until=NOW),
            nda(recipient_id=key("rcp", 2)),
            nda(recipient_id=None, domain="sub.buyer.example"),
            nda(recipient_id=None, domain="example"),
            nda(recipient_id=None, domain="Buyer.example"),
        ],
        ids=["pending", "revoked", "not yet", "over", "other person", "part", "whole", "case"],
    )
    def test_no_other_nda_counts(self, database: SqlDatabase, other: Any) -> None:
        assert self.grant(database, recipient(2), other).nda is None

    def test_of_what_was_signed_on_the_page_only_the_newest_text_counts(self, database: SqlDatabase) -> None:
        old, new = nda_text(1), nda_text(2)
        paper, signed = nda(1), nda(2, text_id=old.id)

        found = self.grant(database, old, new, signed)
        assert (found.nda, found.text_id, found.nda_signed, found.nda_revoked) == (None, new.id, True, False)

        assert self.grant(database, paper).nda == paper
        again = nda(3, text_id=new.id, valid_until=None)
        assert self.grant(database, again).nda == again

    @pytest.mark.parametrize(
        ("other", "signed", "revoked"),
        [
            (nda(2, state=NdaState.REVOKED), False, True),
            (nda(2, recipient_id=None, domain="buyer.example", state=NdaState.REVOKED), False, True),
            (nda(2, recipient_id=key("rcp", 2), state=NdaState.REVOKED), False, False),
            (nda(2, recipient_id=key("rcp", 2), text_id=key("txt")), False, False),
            (nda(2, valid_until=NOW - HOUR, text_id=key("txt")), True, False),
        ],
    )
    def test_it_says_what_the_recipient_signed_before_and_whether_an_agreement_was_revoked(
        self, database: SqlDatabase, other: Any, signed: bool, revoked: bool
    ) -> None:
        found = self.grant(database, recipient(2, domain="other.example"), nda_text(), other)
        assert (found.nda_signed, found.nda_revoked) == (signed, revoked)

    def test_of_several_ndas_in_force_the_one_that_lasts_longest_is_given(
        self, database: SqlDatabase
    ) -> None:
        ndas = [nda(n, valid_until=NOW + n * HOUR) for n in (1, 3, 2)]
        assert self.grant(database, *ndas).nda == ndas[1]

        endless = nda(4, valid_until=None)
        assert self.grant(database, endless).nda == endless

    def test_the_newest_ready_version_is_given(self, database: SqlDatabase) -> None:
        newer = [
            version(2, template_id=None),
            version(3, state=VersionState.COMPILING),
            version(4, state=VersionState.REFUSED),
            document(2),
            version(5, document_id=key("doc", 2)),
        ]

        assert self.grant(database, *newer).version == newer[0]

    def test_a_pinned_version_is_given_and_no_other(self, database: SqlDatabase) -> None:
        newer = version(2, state=VersionState.COMPILING)

        found = self.grant(database, newer, pinned_version_id=newer.id)
        assert found.version is None
        found = self.grant(database, version(3), pinned_version_id=version().id)
        assert found.version == version()

    def test_a_pinned_version_of_another_document_is_none(self, database: SqlDatabase) -> None:
        other = version(2, document_id=key("doc", 2))

        assert self.grant(database, document(2), other, pinned_version_id=other.id).version is None

    def test_the_copy_is_of_this_share_and_version(self, database: SqlDatabase) -> None:
        newer, others = version(2), copy(2, share_id=key("shr", 2))
        with database.write() as records:
            records.add(share(2), others)
        assert self.grant(database).copy is None
        assert self.grant(database, copy()).copy == copy()

        assert self.grant(database, newer).copy is None

    def test_a_copy_keeps_the_template_it_was_minted_from(self, database: SqlDatabase) -> None:
        better = replace(template(2), version_id=key("ver"))
        with database.write() as records:
            records.add(sealed(2), better)
            records.change(version(), template_id=better.id)

        assert self.grant(database).template == better
        assert self.grant(database, copy()).template == template()

    def test_a_share_of_a_cut_gets_the_template_of_the_cut_and_never_that_of_the_version(
        self, database: SqlDatabase
    ) -> None:
        cut = Cut(key("cut"), key("ver"), [1], CutState.COMPILING, NOW)
        with database.write() as records:
            records.change(version(), template_id=template().id)
        found = self.grant(database, cut, cut_id=cut.id, pinned_version_id=key("ver"))
        assert (found.cut, found.template) == (cut, None)

        own = replace(template(2), version_id=key("ver"), cut_id=cut.id)
        with database.write() as records:
            records.add(sealed(2), own)
            ready = records.change(cut, state=CutState.READY, template_id=own.id)
        found = self.grant(database)
        assert (found.cut, found.template, found.version) == (ready, own, version(template_id=template().id))

        minted = copy(template_id=own.id)
        found = self.grant(database, minted)
        assert (found.copy, found.template) == (minted, own)

    def test_a_cut_that_is_missing_or_of_another_version_gives_no_template(
        self, database: SqlDatabase
    ) -> None:
        with database.write() as records:
            records.change(version(), template_id=template().id)
        assert self.grant(database, cut_id=key("cut")).template is None
        others = Cut(key("cut"), key("ver", 2), [1], CutState.READY, NOW, template().id, 3)
        found = self.grant(database, version(2, state=VersionState.REFUSED), others)
        assert (found.cut, found.template) == (None, None)


class TestSqlite(GrantPromises):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return migrated_sqlite(tmp_path / "sealmark.sqlite")


@pytest.mark.postgresql
class TestPostgresql(GrantPromises):
    @pytest.fixture
    def url(self, postgresql_server: PostgresqlServer) -> str:
        return migrated_postgresql(postgresql_server)
