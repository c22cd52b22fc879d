"""What is outside, opened as the settings say: database, store, mail server, witnesses, authority, sign-ins, child.

The only module beside `app.py` that knows every adapter. Nothing here is asked anything before it is used, but the
store. All raise `SettingError` for what a setting names and cannot be.
"""

from __future__ import annotations

import platform
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cryptography import x509

from service.adapters.folder import FolderStore as FolderBlobs
from service.adapters.lockedbucket import LockedBucket
from service.adapters.oidc import OidcProvider
from service.adapters.s3 import S3Store as S3Blobs
from service.adapters.smtp import SmtpMailer
from service.adapters.sql.database import SqlDatabase
from service.adapters.tsa import Rfc3161Authority
from service.adapters.witness_http import HttpPosts
from service.audit import Clock
from service.blobs import BlobStore
from service.checkpoints import LockedStore
from service.compiling import Compiled
from service.errors import DomainError, Problem
from service.mail_texts import as_mail
from service.ports import Mailer
from service.settings import FolderStore, S3Store, SettingError, Settings, SmtpServer, read_secret
from service.staff import Provider
from service.timestamps import TimestampAuthority
from service.viewing import Draw
from service.witnessing import Others, Posting, Witnessing, read_posts, read_witnesses
from watermark.drawn import DRAW_LIMITS, Drawn, draw_pages
from watermark.errors import SandboxUnavailable
from watermark.sandbox import DEFAULT_LIMITS, ChildLimits, run_in_child

T = TypeVar("T")


def open_provider(settings: Settings, clock: Clock) -> Provider | None:
    """Where staff sign in, if the settings say where; it is not asked yet. Raises `SettingError`."""
    oidc = settings.oidc
    if oidc is None:
        return None
    secret = read_secret(oidc.client_secret_file, "OIDC_CLIENT_SECRET_FILE")
    return OidcProvider(oidc.issuer, oidc.client_id, secret, oidc.roles_claim, HttpPosts(), clock)


def open_mailer(settings: Settings) -> Mailer | None:
    """The mail server that the settings name, if they name one; it is not asked yet. Raises `SettingError`."""
    server = settings.smtp
    if server is None or settings.mail_from is None:
        return None
    try:
        return SmtpMailer(
            host=server.host,
            port=server.port,
            tls=server.tls,
            sender=settings.mail_from,
            organization=settings.organization,
            helo=host_of(settings),
            reply_to=as_mail(settings.contact),
            login=_login(server),
            ca_file=server.ca_file,
        )
    except (OSError, ssl.SSLError):
        raise SettingError("SMTP_CA_FILE", "the file that it names cannot be read as certificates") from None


def _login(server: SmtpServer) -> tuple[str, str] | None:
    if server.user is None or server.password_file is None:
        return None
    return server.user, read_secret(server.password_file, "SMTP_PASSWORD_FILE")


def host_of(settings: Settings) -> str:
    """The host of the public base."""
    return urlsplit(settings.url).hostname or ""


def open_database(settings: Settings) -> SqlDatabase:
    """The database that the settings name."""
    password = None
    if settings.database_password_file:
        password = read_secret(settings.database_password_file, "DATABASE_PASSWORD_FILE")
    return SqlDatabase(settings.database, password=password, threads=settings.threads)


def open_store(settings: Settings) -> BlobStore:
    """The store that the settings name. Raises `StoreError` when it is not there and may not be made."""
    if isinstance(settings.store, FolderStore):
        folder = FolderBlobs(settings.store.path)
        folder.ensure_folder(create=True)
        return folder
    blobs = _s3(settings.store, "STORE")
    blobs.ensure_bucket(create=settings.store.create)
    return blobs


def open_locked(settings: Settings, clock: Clock) -> LockedStore | None:
    """The bucket with Object Lock that the settings name, if they name one. It is not asked yet."""
    if settings.log_lock is None:
        return None
    return LockedBucket(_s3(settings.log_lock, "LOG_LOCK"), timedelta(days=settings.log_lock_days), clock)


def _s3(chosen: S3Store, name: str) -> S3Blobs:
    return S3Blobs(
        endpoint=chosen.endpoint,
        region=chosen.region,
        bucket=chosen.bucket,
        access_key=read_secret(chosen.access_key_file, f"{name}_ACCESS_KEY_FILE"),
        secret_key=read_secret(chosen.secret_key_file, f"{name}_SECRET_KEY_FILE"),
        secure=chosen.secure,
        ca_file=chosen.ca_file,
    )


def open_others(settings: Settings) -> Others:
    """Who is sent checkpoints. Raises `SettingError`."""
    posts = HttpPosts()
    return Others(
        Witnessing(_listed(settings.witnesses_file, "WITNESSES_FILE", read_witnesses), posts),
        Posting(_listed(settings.checkpoint_posts_file, "CHECKPOINT_POSTS_FILE", read_posts), posts),
    )


def open_authority(settings: Settings) -> TimestampAuthority | None:
    """Who stamps signed agreements, if anybody does. Raises `SettingError`."""
    if settings.tsa is None or settings.tsa_ca_file is None:
        return None
    pem = read_secret(settings.tsa_ca_file, "TSA_CA_FILE").encode()
    try:
        return Rfc3161Authority(settings.tsa, x509.load_pem_x509_certificates(pem), HttpPosts())
    except ValueError as error:
        raise SettingError("TSA_CA_FILE", f"the file that it names: {error}") from None


def _listed(path: Path | None, name: str, read: Callable[[str], tuple[T, ...]]) -> tuple[T, ...]:
    """What a file lists, nothing where none is named. Raises `SettingError`."""
    try:
        return read(read_secret(path, name)) if path else ()
    except ValueError as error:
        raise SettingError(name, f"the file that it names: {error}") from None


def compiler(settings: Settings) -> Callable[[Iterator[bytes], dict[str, Any]], Compiled]:
    """What compiles, in a child process with the limits of the settings."""
    limits = ChildLimits(
        memory_bytes=DEFAULT_LIMITS.memory_bytes,
        input_bytes=settings.max_file_bytes,
        output_bytes=max(DEFAULT_LIMITS.output_bytes, 2 * settings.max_file_bytes),
    )

    def compile_in_child(source: Iterator[bytes], parameters: dict[str, Any]) -> Compiled:
        bounded = {**parameters, "max_bytes": settings.max_file_bytes, "max_pages": settings.max_pages}
        result = run_in_child(
            "cut" if "pages" in parameters else "compile",
            source,
            bounded,
            limits,
            unsafe_without_network_filter=settings.allow_unconfined_child and platform.system() != "Linux",
        )
        return Compiled(result.facts, result.payload)

    return compile_in_child


def drawer(settings: Settings) -> Draw:
    """What draws pages, in a child process."""
    # A copy is larger than the file that it is made of, if only by its marks.
    limits = replace(DRAW_LIMITS, input_bytes=2 * max(DRAW_LIMITS.input_bytes, settings.max_file_bytes))

    def draw(copy: Iterator[bytes], first: int, many: int) -> Drawn:
        try:
            return draw_pages(
                copy,
                first,
                many,
                limits=limits,
                unsafe_without_network_filter=settings.allow_unconfined_child
                and platform.system() != "Linux",
            )
        except SandboxUnavailable as error:
            raise DomainError(Problem.UNAVAILABLE, "No page can be drawn here just now.") from error

    return draw
