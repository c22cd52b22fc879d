"""The one place where parts are put together: settings in, a whole service out. Web, CLI and worker use it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from service.access import ApiKeys
from service.access_requests import AccessRequests
from service.access_rules import AccessRules
from service.adapters.confined_sheets import ConfinedSheets
from service.adapters.keyfile import KeyFile
from service.adapters.sql.database import SqlDatabase
from service.adapters.sql.migrate import require_current
from service.adapters.webhook_http import PinnedPosts
from service.along import Along
from service.announcing import Announcing
from service.answers import Answers
from service.archives import Archives
from service.audit import Clock, Random
from service.batch_working import BatchWorking
from service.batches import Batches
from service.blobs import BlobStore
from service.checkpoints import Checkpoints
from service.citations import Citations
from service.compiling import Compiling
from service.copies import Copies, check_markable
from service.cuts import Cuts
from service.delivery import Deliveries
from service.denials import Denials
from service.discarding import Discarding
from service.documents import Documents
from service.erasing import Erasing
from service.evidence.packs import Evidence
from service.exporting import Exports
from service.fresh_links import FreshLinks
from service.holdings import Holdings
from service.holds import Holds
from service.keys import NamedKeys
from service.letters import Issue, Letters
from service.limits import Limits
from service.log import Log
from service.mail_texts import MailTexts, TemplateBroken
from service.mailchecks import MailChecks
from service.mailing import Mailing
from service.masterkeys import MasterKeys
from service.nda_texts import NdaTexts
from service.ndafiles import NdaFiles
from service.ndas import Ndas
from service.objects import SealedObjects
from service.opening import Opening
from service.outbox import require_mail
from service.parts import (
    compiler,
    drawer,
    host_of,
    open_authority,
    open_database,
    open_locked,
    open_mailer,
    open_others,
    open_provider,
    open_store,
)
from service.ports import Mailer
from service.public_files import PublicFiles
from service.questionnaires import Questionnaires
from service.recipients import Recipients
from service.reminding import Reminding
from service.reporting import Reporting
from service.rollback import Rollback
from service.sequencer import Sequencer
from service.settings import SettingError, Settings
from service.share_endings import ShareEndings
from service.sharing import Sharing
from service.signing import Signing
from service.staff import Provider, Staff
from service.sweeping import Sweeping
from service.tallies import Tallies, sum_up
from service.timestamps import Timestamps
from service.trust import TrustPage
from service.viewing import Viewing
from service.webhook_sending import SENDERS, WebhookSending
from service.webhooks import Webhooks
from service.worker import Task, Worker


def utc_now() -> datetime:
    """The service's clock: aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Sealmark:
    """A whole service without its web: the domain over its adapters."""

    settings: Settings
    clock: Clock
    random: Random
    database: SqlDatabase
    store: BlobStore
    keyfile: KeyFile
    objects: SealedObjects
    keys: NamedKeys
    master_keys: MasterKeys
    api_keys: ApiKeys
    answers: Answers
    documents: Documents
    cuts: Cuts
    citations: Citations
    questionnaires: Questionnaires
    compiling: Compiling
    recipients: Recipients
    ndas: Ndas
    nda_texts: NdaTexts
    nda_files: NdaFiles
    signing: Signing
    timestamps: Timestamps
    sharing: Sharing
    batches: Batches
    batch_working: BatchWorking
    access_rules: AccessRules
    access_requests: AccessRequests
    copies: Copies
    public_files: PublicFiles
    trust_page: TrustPage
    denials: Denials
    tallies: Tallies
    limits: Limits
    mail_checks: MailChecks
    fresh_links: FreshLinks
    deliveries: Deliveries
    viewing: Viewing
    log: Log
    exports: Exports
    evidence: Evidence
    sequencer: Sequencer
    sweeping: Sweeping
    archives: Archives
    discarding: Discarding
    erasing: Erasing
    holds: Holds
    rollback: Rollback
    checkpoints: Checkpoints
    mailing: Mailing
    announcing: Announcing
    along: Along
    reminding: Reminding
    reporting: Reporting
    webhooks: Webhooks
    webhook_sending: WebhookSending
    share_endings: ShareEndings
    holdings: Holdings
    staff: Staff
    provider: Provider | None

    def require_ready(self) -> None:
        """Raise, with one clear line, unless the schema is ours and the store knows the master key."""
        require_current(self.database)
        self.master_keys.require_known()

    def worker(self) -> Worker:
        """What runs beside requests. Any number may run."""
        return Worker(
            [
                Task("sequencer", lambda: self.sequencer.run_once() > 0, every=0.2),
                Task("checkpoints", _forever(self.checkpoints.run_once), every=1.0),
                Task("compile", self.compiling.run_once, every=0.5),
                Task("batches", self.batch_working.run_once, every=0.5),
                Task("mail", self.mailing.run_once, every=0.5),
                Task("endings", self.announcing.endings, every=900.0),
                Task("bridge-letters", self.along.run_once, every=2.0),
                Task("periods", self.reminding.run_once, every=3600.0),
                Task("new-versions", self.announcing.new_versions, every=20.0),
                Task("checkpoint-mails", self.announcing.checkpoint, every=300.0),
                Task("sends", lambda: self.sweeping.end_silent_sends() > 99, every=5.0),
                Task("timestamps", self.timestamps.run_once, every=5.0),
                Task("ndas", lambda: self.sweeping.end_expired_ndas() > 0, every=30.0),
                *(
                    Task(f"webhooks-{number}", lambda: self.webhook_sending.run_once(), every=1.0)
                    for number in range(1, SENDERS + 1)
                ),
                Task("share-endings", self.share_endings.run_once, every=900.0),
                Task("tallies", lambda: sum_up(self.database, self.clock(), self.random) < 0, every=60.0),
                Task("rows", _forever(self.sweeping.forget_old_rows), every=600.0),
                Task("erasures", self.erasing.run_once, every=2.0),
                Task("erased", lambda: self.erasing.apply_again() < 0, every=600.0),
                Task("discards", self.discarding.run_once, every=10.0),
                Task("archives", self.archives.run_once, every=6 * 3600.0),
                Task("evidence", lambda: self.sweeping.erase_evidence() > 99, every=3600.0),
                Task("orphans", lambda: self.sweeping.trash_orphans() < 0, every=3600.0),
            ]
        )

    def close(self) -> None:
        """Put back the work that is held, hand over what is counted and close the database's connections."""
        self.compiling.release()
        self.tallies.hand_over()
        self.database.dispose()


def build(settings: Settings, *, clock: Clock = utc_now, random: Random = os.urandom) -> Sealmark:
    """Put the parts together. Opens nothing that could fail but the database's file and the store's client."""
    database = open_database(settings)
    store = open_store(settings)
    keyfile = KeyFile(settings.key_file)
    objects = SealedObjects(store, keyfile.keyring, clock, random)
    keys = NamedKeys(database, keyfile.keyring, clock, random)
    copies = Copies(database, objects, keys, clock, random)
    denials = Denials(database, random)
    tallies = Tallies(database, random)
    limits = Limits(database, keys, tallies, settings.requests_a_minute, clock)
    deliveries = Deliveries(database, keys, copies, denials, tallies, limits, clock, random)
    keep = timedelta(days=settings.log_values_days) if settings.log_values_days else None
    archives = Archives(database, store, objects, keep, clock, random)
    rollback = Rollback(database, store, clock)
    database.guard = rollback
    sequencer = Sequencer(database, clock)
    checkpoints = Checkpoints(
        database,
        store,
        keys,
        rollback,
        sequencer,
        urlsplit(settings.url).netloc,
        clock,
        random,
        locked=open_locked(settings, clock),
        cosigner=open_others(settings),
    )
    exports = Exports(database, checkpoints, archives, clock, random)

    def check_mark(name: str, mail: str, company: str) -> None:
        check_markable(name, mail, company, clock().date())

    citations = Citations(database, settings.url, clock)
    sharing = Sharing(database, keys, check_mark, settings.url, clock, random, can_mail=settings.can_mail)

    def mail_needed() -> None:
        require_mail(settings)

    def check_mail(mail: str) -> None:
        check_mark("Anybody", mail, "")

    mail_checks = MailChecks(database, keys, limits, mail_needed, check_mail, clock, random)
    return Sealmark(
        settings=settings,
        clock=clock,
        random=random,
        database=database,
        store=store,
        keyfile=keyfile,
        objects=objects,
        keys=keys,
        master_keys=MasterKeys(database, store, keyfile, keys, clock, random),
        api_keys=ApiKeys(database, clock, random),
        answers=Answers(database, keys, clock, random),
        documents=Documents(database, objects, settings.max_file_bytes, clock, random),
        cuts=Cuts(database, clock, random),
        citations=citations,
        questionnaires=Questionnaires(
            citations, ConfinedSheets(settings.allow_unconfined_child and platform.system() != "Linux")
        ),
        compiling=Compiling(database, objects, keys, compiler(settings), clock, random),
        recipients=Recipients(database),
        ndas=Ndas(database, objects, check_mark, clock, random),
        sharing=sharing,
        batches=Batches(database, keys, sharing, check_mark, mail_needed, clock, random),
        batch_working=BatchWorking(database, sharing, clock, random, time.sleep),
        access_rules=AccessRules(database, clock, random),
        access_requests=AccessRequests(database, sharing, check_mark, mail_needed, clock, random),
        nda_texts=NdaTexts(database, clock, random),
        nda_files=NdaFiles(
            database, objects, Opening(database, keys, denials, tallies, limits, clock), limits, clock, random
        ),
        signing=Signing(database, objects, limits, settings.organization, settings.url, clock, random),
        timestamps=Timestamps(database, objects, open_authority(settings), clock, random),
        copies=copies,
        public_files=PublicFiles(
            database, copies, limits, settings.organization, settings.url, clock, random
        ),
        trust_page=TrustPage(database, clock),
        denials=denials,
        tallies=tallies,
        limits=limits,
        mail_checks=mail_checks,
        fresh_links=FreshLinks(database, sharing, limits, mail_needed, clock, random),
        deliveries=deliveries,
        viewing=Viewing(database, deliveries, copies, drawer(settings), limits, clock, random),
        log=Log(database, archives, clock, random),
        exports=exports,
        evidence=Evidence(
            database,
            objects,
            checkpoints,
            exports,
            archives,
            settings.organization,
            settings.url,
            clock,
            random,
        ),
        sequencer=sequencer,
        sweeping=Sweeping(
            database,
            store,
            rollback,
            archives,
            timedelta(seconds=settings.silent_seconds),
            timedelta(days=settings.evidence_days),
            clock,
            random,
        ),
        archives=archives,
        discarding=Discarding(database, objects, clock),
        erasing=Erasing(database, store, archives, keys, limits, clock, random, time.sleep),
        holds=Holds(database, clock, random),
        rollback=rollback,
        checkpoints=checkpoints,
        mailing=open_mailing(
            settings, database, sharing, mail_checks.issue, clock, random, open_mailer(settings)
        ),
        announcing=Announcing(
            database,
            checkpoints.published,
            settings.checkpoint_mails,
            clock,
            random,
            can_mail=settings.can_mail,
        ),
        along=Along(database, clock, random, can_mail=settings.can_mail),
        reminding=Reminding(database, clock, random, can_mail=settings.can_mail),
        reporting=Reporting(database, clock, random),
        webhooks=Webhooks(database, keys, clock, random),
        webhook_sending=WebhookSending(database, keys, PinnedPosts(), clock, random),
        share_endings=ShareEndings(database, clock),
        holdings=Holdings(database, clock),
        staff=Staff(database, clock, random),
        provider=open_provider(settings, clock),
    )


def open_mailing(
    settings: Settings,
    database: SqlDatabase,
    sharing: Sharing,
    issue: Issue,
    clock: Clock,
    random: Random,
    mailer: Mailer | None,
) -> Mailing:
    """What sends the outbox by this mailer. Raises `SettingError` for templates that cannot be used."""
    host = host_of(settings)
    try:
        texts = MailTexts(settings.organization, settings.contact, host, settings.mail_templates)
    except TemplateBroken as error:
        raise SettingError("MAIL_TEMPLATES", str(error)) from None
    letters = Letters(sharing, issue, settings.url, clock)
    return Mailing(database, sharing, letters, texts, mailer, host, clock, random)


def _forever(task: Callable[[], None]) -> Callable[[], bool]:
    def run() -> bool:
        task()
        return False

    return run
