"""Settings: read once from the environment, typed, frozen. No secret has a default.

`SETTINGS` is the one list of them with their meaning; README and `sealmark doctor` print it. A secret comes as the
path of a file that holds it (`SEALMARK_…_FILE`), never in a URL. No error repeats a value, since somebody may have put
a secret there all the same.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import SplitResult, parse_qs, urlsplit

from service.errors import DomainError
from service.mail import parse_address

PREFIX = "SEALMARK_"

ELSEWHERE = frozenset({"SHARED", "API_KEY_FILE"})
"""Variables that are no settings: the tests' shared folder, and the key of the client, which many export for good."""

SETTINGS: Mapping[str, str] = {
    "URL": "Public base of the service as recipients see it, such as https://reports.acme.example. Required.",
    "DATA": "Folder of the embedded store and database. Default: .data",
    "STORE": "Where sealed objects rest: `folder:PATH`, or `s3://BUCKET?endpoint=HOST:PORT&region=REGION` "
    "(&tls=no only for loopback). Default: a folder below DATA",
    "STORE_ACCESS_KEY_FILE": "File with the access key of the S3 store. Required for s3://",
    "STORE_SECRET_KEY_FILE": "File with the secret key of the S3 store. Required for s3://",
    "STORE_CA_FILE": "File with the certificate authority of the S3 store, if it is one of your own",
    "STORE_CREATE": "`yes`: make the bucket at start when it is missing. Default: no",
    "LOG_LOCK": "Bucket with Object Lock to which each checkpoint of the log goes too, written as STORE is: "
    "`s3://BUCKET?endpoint=HOST:PORT&region=REGION`. Default: none",
    "LOG_LOCK_ACCESS_KEY_FILE": "File with the access key of that bucket; it needs to put objects only",
    "LOG_LOCK_SECRET_KEY_FILE": "File with its secret key",
    "LOG_LOCK_CA_FILE": "File with the certificate authority of that store, if it is one of your own",
    "LOG_LOCK_DAYS": "How many days the bucket keeps a checkpoint (COMPLIANCE mode). Default: 400",
    "DATABASE": "`sqlite:PATH`, or `postgresql+psycopg://USER@HOST/NAME` (?sslmode=…&sslrootcert=PATH). "
    "Default: SQLite below DATA",
    "DATABASE_PASSWORD_FILE": "File with the database user's password, for PostgreSQL",
    "KEY": "Master key: `file:PATH`, outside DATA, mode 0600. Required; `sealmark keys init` makes it",
    "TRUSTED_PROXIES": "Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8, comma-separated. "
    "Default: none",
    "MAX_FILE_BYTES": "Largest report that is accepted. Default: 104857600 (100 MiB)",
    "MAX_PAGES": "Longest report that is accepted. Default: 2000",
    "LISTEN": "Address and port of the service. Default: 127.0.0.1:8080",
    "METRICS": "Address and port of the Prometheus metrics, an address of their own. Default: none",
    "PROCESSES": "Web processes. Default: 2",
    "THREADS": "Threads of a web process: how many downloads it sends at once. Default: 16",
    "ORGANIZATION": "Name of who lends the reports, shown on the pages. Default: the host of URL",
    "LOGO": "File with your logo, a PNG of at most 20 kB, shown 28 pixels high on the pages. Default: ours",
    "COLOR": "Colour of the pages' buttons, such as #1f5f5b; made darker or lighter where it could not be read. "
    "Default: ours",
    "CONTACT": "Mail address or URL that the pages name for questions. Default: none",
    "CALL_URL": "Where the trust page leads who wants to discuss it in a call: an https URL. Default: none",
    "SMTP": "Server that mails are handed to: `smtp://HOST:PORT?tls=starttls`, `implicit` or (loopback only) `no`. "
    "Default: none; what needs a mail is refused",
    "SMTP_USER": "Name to sign in with at that server. Default: none, without signing in",
    "SMTP_PASSWORD_FILE": "File with the password of that name. Required with it",
    "SMTP_CA_FILE": "File with the certificate authority of that server, if it is one of your own",
    "MAIL_FROM": "Address that mails come from, such as reports@acme.example. Required for SMTP",
    "MAIL_TEMPLATES": "Folder with your own templates of mails, which replace ours one by one. Default: none",
    "CHECKPOINT_MAILS": "Addresses that are mailed the log's newest checkpoint once a day, comma-separated. "
    "Default: none",
    "SILENT_SECONDS": "After how many silent seconds a download counts as ended (unknown): longer than a "
    "stalled piece may take and the time between two signs of life, so at least 25. Default: 30",
    "EVIDENCE_DAYS": "Days that the signed agreement of an erased person is kept after its end, or after the "
    "erasing where it has none. Default: 2555 (seven years)",
    "LOG_VALUES_DAYS": "Days after which personal values of the log move from the database to sealed archives in "
    "the store. Default: none, they stay",
    "WITNESSES_FILE": "File with the witnesses that countersign checkpoints, `VKEY URL` a line. Default: none",
    "CHECKPOINT_POSTS_FILE": "File with the URLs that checkpoints are posted to, one a line. Default: none",
    "REQUESTS_A_MINUTE": "Requests without an API key, downloads among them, that one network address may make a "
    "minute. Default: 600",
    "TSA": "URL of an authority that stamps signed agreements with the time (RFC 3161), https. Default: none",
    "TSA_CA_FILE": "File with the certificates (PEM) that the authority's lead to. Required with TSA",
    "OIDC_ISSUER": "OpenID Connect provider at which your people sign in to the console, an https URL. "
    "Default: none, and no console",
    "OIDC_CLIENT_ID": "What the provider calls this service. Required with OIDC_ISSUER",
    "OIDC_CLIENT_SECRET_FILE": "File with the secret that the provider gave it. Required with OIDC_ISSUER",
    "OIDC_ROLES_CLAIM": "Claim of the ID token whose values are roles of the console: viewer, sharer, approver, "
    "auditor. Default: roles",
    "ALLOW_UNCONFINED_CHILD": "`yes`: compile without a system call filter where the platform has none. Default: no",
}

DEFAULT_MAX_FILE_BYTES = 100 * 1024 * 1024
DEFAULT_MAX_PAGES = 2000

DEFAULT_LOG_LOCK_DAYS = 400
"""A SOC 2 period and the audit after it."""

DEFAULT_SILENT_SECONDS = 30
LEAST_SILENT_SECONDS = 25
"""More than a running download can be silent: a piece of it may stall (`web.recipient.stalls.STALL_SECONDS`) just
before its next sign of life is due (`sending.TOUCH_EVERY`), together 20 seconds. The rest is for a write that waits
for the database and for clocks that differ between hosts. Where that is not enough, the send is cut off when it next
says that it lives: no byte leaves unrecorded."""

DEFAULT_EVIDENCE_DAYS = 2555
"""Seven years: six in which a breach of contract can be sued over (England; elsewhere often less), and one in which the
claim may be served."""

DEFAULT_REQUESTS_A_MINUTE = 600
"""Ten a second: a company whose people share one address reads on, a script that guesses does not."""

MAX_DAYS = 36525
"""A hundred years; more is a slip of the hand."""

_POSTGRESQL = re.compile(
    r"postgresql\+psycopg://(?:[^\s:/?#@]+@)?(?:\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]]+)(?::[0-9]{1,5})?"
    r"/[^\s:/?#@]+(?:\?[^\s#]*)?"
)
"""The whole form, with no place for a password however it is written: other readers of URLs than ours find one where
`urlsplit` does not (`//user:pass/word@host/name`)."""

_DATABASE_QUERY = frozenset({"sslmode", "sslrootcert"})
"""What a database URL may ask for. A closed list: libpq takes `password`, `sslpassword` and `passfile` there too."""


class SettingError(Exception):
    """A setting is missing or cannot be; the message is one line that says what to do. Nothing was started."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"{PREFIX}{name}: {detail}")
        self.name = PREFIX + name


@dataclass(frozen=True)
class FolderStore:
    """The embedded store: a local folder."""

    path: Path


@dataclass(frozen=True)
class S3Store:
    """An S3 store. The keys are read when it is opened."""

    bucket: str
    endpoint: str
    region: str
    secure: bool
    access_key_file: Path
    secret_key_file: Path
    ca_file: Path | None
    create: bool


Tls = Literal["starttls", "implicit", "no"]

SMTP_PORTS: Mapping[str, int] = {"starttls": 587, "implicit": 465, "no": 25}
"""RFC 8314 for submission; 25 for a server on this machine."""


@dataclass(frozen=True)
class SmtpServer:
    """The server that mails are handed to. The password is read when it is opened."""

    host: str
    port: int
    tls: Tls
    user: str | None
    password_file: Path | None
    ca_file: Path | None


@dataclass(frozen=True)
class Oidc:
    """Where the lender's people sign in. The secret is read when it is opened."""

    issuer: str
    client_id: str
    client_secret_file: Path
    roles_claim: str


@dataclass(frozen=True)
class Settings:
    """All settings, checked for form; what they point to is checked when it is opened (and by `doctor`)."""

    url: str
    data: Path
    store: FolderStore | S3Store
    log_lock: S3Store | None
    log_lock_days: int
    database: str
    database_password_file: Path | None
    key_file: Path
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    max_file_bytes: int
    max_pages: int
    listen: str
    metrics: str | None
    processes: int
    threads: int
    organization: str
    logo: Path | None
    color: str | None
    contact: str | None
    call_url: str | None
    smtp: SmtpServer | None
    mail_from: str | None
    mail_templates: Path | None
    checkpoint_mails: tuple[str, ...]
    silent_seconds: int
    evidence_days: int
    log_values_days: int | None
    witnesses_file: Path | None
    checkpoint_posts_file: Path | None
    requests_a_minute: int
    tsa: str | None
    tsa_ca_file: Path | None
    oidc: Oidc | None
    allow_unconfined_child: bool

    @property
    def can_mail(self) -> bool:
        """Whether there is a server that mails are handed to."""
        return self.smtp is not None


def load(environ: Mapping[str, str]) -> Settings:
    """The settings of this environment. Raises `SettingError` for the first that cannot be.

    An unknown `SEALMARK_…` is an error too: a misspelt limit must not be a limit that is off.
    """
    given = {name[len(PREFIX) :]: value for name, value in environ.items() if name.startswith(PREFIX)}
    unknown = sorted(given.keys() - SETTINGS.keys() - ELSEWHERE)
    if unknown:
        raise SettingError(unknown[0], "there is no such setting; see `sealmark doctor --list`")
    url = _base_url(_required(given, "URL"))
    data = Path(given.get("DATA", ".data")).absolute()
    key_file = _key_file(_required(given, "KEY"), data)
    return Settings(
        url=url,
        data=data,
        store=_store(given, data),
        log_lock=_s3(given, "LOG_LOCK", given["LOG_LOCK"]) if given.get("LOG_LOCK") else None,
        log_lock_days=_number(given, "LOG_LOCK_DAYS", DEFAULT_LOG_LOCK_DAYS, 1, 36500),
        database=_database(given.get("DATABASE", f"sqlite:{data / 'sealmark.db'}")),
        database_password_file=_path(given, "DATABASE_PASSWORD_FILE"),
        key_file=key_file,
        trusted_proxies=_networks(given.get("TRUSTED_PROXIES", "")),
        max_file_bytes=_number(given, "MAX_FILE_BYTES", DEFAULT_MAX_FILE_BYTES, 1, 1024**3),
        max_pages=_number(given, "MAX_PAGES", DEFAULT_MAX_PAGES, 1, 20000),
        listen=_address(given, "LISTEN", "127.0.0.1:8080"),
        metrics=_address(given, "METRICS", "") or None,
        processes=_number(given, "PROCESSES", 2, 1, 64),
        threads=_number(given, "THREADS", 16, 1, 256),
        organization=given.get("ORGANIZATION") or urlsplit(url).hostname or url,
        logo=_path(given, "LOGO"),
        color=_color(given.get("COLOR", "")),
        contact=given.get("CONTACT") or None,
        call_url=_call_url(given.get("CALL_URL", "")),
        smtp=_smtp(given),
        mail_from=_mail(given["MAIL_FROM"], "MAIL_FROM") if given.get("MAIL_FROM") else None,
        mail_templates=_path(given, "MAIL_TEMPLATES"),
        checkpoint_mails=_checkpoint_mails(given),
        silent_seconds=_number(given, "SILENT_SECONDS", DEFAULT_SILENT_SECONDS, LEAST_SILENT_SECONDS, 3600),
        evidence_days=_number(given, "EVIDENCE_DAYS", DEFAULT_EVIDENCE_DAYS, 0, MAX_DAYS),
        log_values_days=_number(given, "LOG_VALUES_DAYS", 1, 1, MAX_DAYS)
        if given.get("LOG_VALUES_DAYS")
        else None,
        witnesses_file=_path(given, "WITNESSES_FILE"),
        checkpoint_posts_file=_path(given, "CHECKPOINT_POSTS_FILE"),
        requests_a_minute=_number(given, "REQUESTS_A_MINUTE", DEFAULT_REQUESTS_A_MINUTE, 1, 10**6),
        tsa=_tsa(given["TSA"]) if given.get("TSA") else None,
        tsa_ca_file=Path(_required(given, "TSA_CA_FILE")) if given.get("TSA") else None,
        oidc=_oidc(given),
        allow_unconfined_child=_flag(given, "ALLOW_UNCONFINED_CHILD"),
    )


def read_secret(path: Path, name: str) -> str:
    """The secret in this file, without the line end.

    Raises `SettingError`, whose message holds neither the secret nor the path: the secret may stand in its place.
    """
    try:
        secret = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(name, f"cannot read the file that it names: {type(error).__name__}") from None
    if not secret:
        raise SettingError(name, "the file that it names is empty")
    return secret


def _required(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    if not value:
        raise SettingError(name, f"is missing. {SETTINGS[name]}")
    return value


def _split(name: str, text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise SettingError(name, f"cannot be read as a URL. {SETTINGS[name]}") from None


def _base_url(text: str) -> str:
    parts = _split("URL", text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise SettingError("URL", "must be the public base, such as https://reports.acme.example")
    if parts.username or parts.password:
        raise SettingError("URL", "must hold no user or password")
    if parts.path not in {"", "/"}:
        raise SettingError("URL", "must be the root of a host, without a path")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise SettingError("URL", "must be https (http only for loopback)")
    return f"{parts.scheme}://{parts.netloc}"


def _call_url(text: str) -> str | None:
    if not text:
        return None
    parts = _split("CALL_URL", text)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise SettingError("CALL_URL", f"cannot be this. {SETTINGS['CALL_URL']}")
    return text


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _store(given: Mapping[str, str], data: Path) -> FolderStore | S3Store:
    text = given.get("STORE", f"folder:{data / 'store'}")
    scheme, _, rest = text.partition(":")
    if scheme == "folder" and rest:
        return FolderStore(Path(rest).absolute())
    return _s3(given, "STORE", text)


def _s3(given: Mapping[str, str], name: str, text: str) -> S3Store:
    parts = _split(name, text)
    if parts.scheme != "s3" or not parts.hostname:
        raise SettingError(name, f"cannot be this. {SETTINGS[name]}")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    endpoint = query.pop("endpoint", "")
    if "@" in parts.netloc + endpoint:
        raise SettingError(
            name, f"must hold no keys: give them by {name}_ACCESS_KEY_FILE and {name}_SECRET_KEY_FILE"
        )
    region = query.pop("region", "us-east-1")
    secure = query.pop("tls", "yes") != "no"
    if not endpoint or query:
        raise SettingError(name, f"must name an endpoint and nothing unknown. {SETTINGS[name]}")
    if not secure and not _loopback(_split(name, f"//{endpoint}").hostname or ""):
        raise SettingError(name, "tls=no is only for a store on loopback")
    return S3Store(
        bucket=parts.hostname,
        endpoint=endpoint,
        region=region,
        secure=secure,
        access_key_file=Path(_required(given, f"{name}_ACCESS_KEY_FILE")),
        secret_key_file=Path(_required(given, f"{name}_SECRET_KEY_FILE")),
        ca_file=_path(given, f"{name}_CA_FILE"),
        create=_flag(given, f"{name}_CREATE") if name == "STORE" else False,
    )


def _smtp(given: Mapping[str, str]) -> SmtpServer | None:
    if not given.get("SMTP"):
        return None
    parts = _split("SMTP", given["SMTP"])
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    tls = query.pop("tls", "starttls")
    if "@" in parts.netloc:
        raise SettingError(
            "SMTP", "must hold no user or password: give them by SMTP_USER, SMTP_PASSWORD_FILE"
        )
    if parts.scheme != "smtp" or not host or parts.path not in {"", "/"} or parts.fragment or query:
        raise SettingError("SMTP", f"cannot be this. {SETTINGS['SMTP']}")
    if tls not in get_args(Tls):
        raise SettingError("SMTP", "asks for a tls that is none of starttls, implicit and no")
    if tls == "no" and not _loopback(host):
        raise SettingError("SMTP", "tls=no is only for a server on loopback")
    _required(given, "MAIL_FROM")
    user = given.get("SMTP_USER") or None
    return SmtpServer(
        host=host,
        port=port or SMTP_PORTS[tls],
        tls=cast(Tls, tls),
        user=user,
        password_file=Path(_required(given, "SMTP_PASSWORD_FILE")) if user else None,
        ca_file=_path(given, "SMTP_CA_FILE"),
    )


def _checkpoint_mails(given: Mapping[str, str]) -> tuple[str, ...]:
    listed = [part.strip() for part in given.get("CHECKPOINT_MAILS", "").split(",")]
    addresses = tuple(dict.fromkeys(_mail(part, "CHECKPOINT_MAILS") for part in listed if part))
    if addresses and not given.get("SMTP"):
        raise SettingError("CHECKPOINT_MAILS", "needs a mail server: set SEALMARK_SMTP too")
    return addresses


def _mail(text: str, name: str) -> str:
    """The address in its one form."""
    try:
        return parse_address(text, name).mail
    except DomainError:
        raise SettingError(name, f"names what is no mail address. {SETTINGS[name]}") from None


def _database(text: str) -> str:
    if text.startswith("sqlite:"):
        path = text.removeprefix("sqlite:")
        if not path or path.startswith("//"):
            raise SettingError(
                "DATABASE", "must be sqlite:PATH, such as sqlite:/var/lib/sealmark/sealmark.db"
            )
        return f"sqlite:///{Path(path).absolute()}"
    if not _POSTGRESQL.fullmatch(text):
        raise SettingError(
            "DATABASE", f"cannot be this; a password comes by DATABASE_PASSWORD_FILE. {SETTINGS['DATABASE']}"
        )
    query = parse_qs(_split("DATABASE", text).query, keep_blank_values=True)
    if not query.keys() <= _DATABASE_QUERY:
        allowed = " and ".join(sorted(_DATABASE_QUERY))
        raise SettingError(
            "DATABASE", f"may ask for {allowed} only; a password comes by DATABASE_PASSWORD_FILE"
        )
    return text


def _key_file(text: str, data: Path) -> Path:
    scheme, _, rest = text.partition(":")
    if scheme != "file" or not rest:
        raise SettingError("KEY", f"must be file:PATH. {SETTINGS['KEY']}")
    path = Path(rest).absolute()
    if path.resolve().is_relative_to(data.resolve()):
        raise SettingError(
            "KEY", "lies inside the data folder, whose backup would hold key and locks: move it out"
        )
    return path


def _tsa(text: str) -> str:
    parts = _split("TSA", text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment or "@" in parts.netloc:
        raise SettingError("TSA", "must be the URL of the authority, without user or password")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise SettingError("TSA", "must be https (http only for loopback)")
    return text


def _oidc(given: Mapping[str, str]) -> Oidc | None:
    issuer = given.get("OIDC_ISSUER", "")
    if not issuer:
        return None
    parts = _split("OIDC_ISSUER", issuer)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise SettingError("OIDC_ISSUER", "must be the provider's URL, without a query")
    if "@" in parts.netloc:
        raise SettingError("OIDC_ISSUER", "must hold no user or password")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise SettingError("OIDC_ISSUER", "must be https (http only for loopback)")
    return Oidc(
        issuer=issuer,
        client_id=_required(given, "OIDC_CLIENT_ID"),
        client_secret_file=Path(_required(given, "OIDC_CLIENT_SECRET_FILE")),
        roles_claim=given.get("OIDC_ROLES_CLAIM") or "roles",
    )


def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise SettingError(
            "TRUSTED_PROXIES", f"names what is no network. {SETTINGS['TRUSTED_PROXIES']}"
        ) from None


def _path(given: Mapping[str, str], name: str) -> Path | None:
    return Path(given[name]) if given.get(name) else None


def _number(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = given.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise SettingError(name, f"must be a whole number from {least} to {most}")
    return int(text)


def _color(text: str) -> str | None:
    if text and not re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        raise SettingError("COLOR", f"must be a colour. {SETTINGS['COLOR']}")
    return text.lower() or None


def _flag(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "no")
    if text not in {"yes", "no"}:
        raise SettingError(name, "must be yes or no")
    return text == "yes"


def _address(given: Mapping[str, str], name: str, default: str) -> str:
    text = given.get(name, default)
    host, colon, port = text.rpartition(":")
    if text and (not colon or not host or not port.isdigit() or int(port) > 65535):
        raise SettingError(name, "must be ADDRESS:PORT, such as 127.0.0.1:8080")
    return text
