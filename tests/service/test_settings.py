"""Settings: typed, frozen, no default for a secret, one clear line for what cannot be."""

from __future__ import annotations

import traceback
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from sealmark.client import KEY_FILE
from service.app import build
from service.sending import TOUCH_EVERY
from service.settings import (
    LEAST_SILENT_SECONDS,
    SETTINGS,
    FolderStore,
    S3Store,
    SettingError,
    SmtpServer,
    load,
    read_secret,
)
from service.web.recipient.stalls import STALL_SECONDS

LEAST = {"SEALMARK_URL": "https://reports.acme.example", "SEALMARK_KEY": "file:/etc/sealmark/master.key"}
S3 = {
    "SEALMARK_STORE": "s3://reports?endpoint=minio.acme.example:9000&region=eu-central-1",
    "SEALMARK_STORE_ACCESS_KEY_FILE": "/run/secrets/access",
    "SEALMARK_STORE_SECRET_KEY_FILE": "/run/secrets/secret",
}
SMTP = {
    "SEALMARK_SMTP": "smtp://smtp.acme.example",
    "SEALMARK_SMTP_USER": "sealmark",
    "SEALMARK_SMTP_PASSWORD_FILE": "/run/secrets/smtp",
    "SEALMARK_MAIL_FROM": "reports@acme.example",
}


def test_two_settings_are_enough_and_the_rest_is_embedded() -> None:
    settings = load({**LEAST, "PATH": "/bin"})
    assert settings.url == "https://reports.acme.example"
    assert isinstance(settings.store, FolderStore)
    assert settings.database.startswith("sqlite:////")
    assert settings.trusted_proxies == ()
    assert settings.max_file_bytes == 100 * 1024 * 1024
    assert settings.max_pages == 2000
    assert settings.organization == "reports.acme.example"


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        load(LEAST).url = "https://other.example"  # type: ignore[misc]


def test_the_real_parts_are_read() -> None:
    settings = load(
        {
            **LEAST,
            **S3,
            "SEALMARK_DATABASE": "postgresql+psycopg://sealmark@db.acme.example/sealmark",
            "SEALMARK_DATABASE_PASSWORD_FILE": "/run/secrets/database",
            "SEALMARK_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8",
        }
    )
    assert settings.store == S3Store(
        bucket="reports",
        endpoint="minio.acme.example:9000",
        region="eu-central-1",
        secure=True,
        access_key_file=Path("/run/secrets/access"),
        secret_key_file=Path("/run/secrets/secret"),
        ca_file=None,
        create=False,
    )
    assert settings.database == "postgresql+psycopg://sealmark@db.acme.example/sealmark"
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SEALMARK_URL": ""}, "URL"),
        ({"SEALMARK_URL": "reports.acme.example"}, "URL"),
        ({"SEALMARK_URL": "http://reports.acme.example"}, "URL"),
        ({"SEALMARK_URL": "https://me:secret@reports.acme.example"}, "URL"),
        ({"SEALMARK_URL": "https://reports.acme.example/base"}, "URL"),
        ({"SEALMARK_KEY": ""}, "KEY"),
        ({"SEALMARK_KEY": "/etc/key"}, "KEY"),
        ({"SEALMARK_KEY": "file:/srv/data/master.key", "SEALMARK_DATA": "/srv/data"}, "KEY"),
        ({"SEALMARK_KEY": "file:/srv/data/../data/k", "SEALMARK_DATA": "/srv/data"}, "KEY"),
        ({"SEALMARK_STORE": "ftp://x"}, "STORE"),
        ({"SEALMARK_STORE": "s3://reports"}, "STORE"),
        ({"SEALMARK_STORE": "s3://key:secret@reports?endpoint=h:1"}, "STORE"),
        ({"SEALMARK_STORE": "s3://reports?endpoint=h:1&typo=1"}, "STORE"),
        ({"SEALMARK_STORE": "s3://reports?endpoint=minio.acme.example:9000&tls=no"}, "STORE"),
        ({"SEALMARK_STORE_ACCESS_KEY_FILE": ""}, "STORE_ACCESS_KEY_FILE"),
        ({"SEALMARK_DATABASE": "postgresql+psycopg://u:secret@h/n"}, "DATABASE"),
        ({"SEALMARK_DATABASE": "mysql://h/n"}, "DATABASE"),
        ({"SEALMARK_DATABASE": "sqlite:"}, "DATABASE"),
        ({"SEALMARK_SILENT_SECONDS": "24"}, "SILENT_SECONDS"),
        ({"SEALMARK_TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES"),
        ({"SEALMARK_MAX_PAGES": "0"}, "MAX_PAGES"),
        ({"SEALMARK_MAX_PAGES": "many"}, "MAX_PAGES"),
        ({"SEALMARK_STORE_CREATE": "true"}, "STORE_CREATE"),
        ({"SEALMARK_LISTEN": "8080"}, "LISTEN"),
        ({"SEALMARK_MAX_PAGE": "5"}, "MAX_PAGE"),
        ({"SEALMARK_CALL_URL": "http://calls.acme.example"}, "CALL_URL"),
        ({"SEALMARK_CALL_URL": "javascript:alert(1)"}, "CALL_URL"),
        ({"SEALMARK_CALL_URL": "https://user@calls.acme.example"}, "CALL_URL"),
        ({"SEALMARK_SMTP": "smtp.acme.example:587"}, "SMTP"),
        ({"SEALMARK_SMTP": "http://smtp.acme.example"}, "SMTP"),
        ({"SEALMARK_SMTP": "smtp://"}, "SMTP"),
        ({"SEALMARK_SMTP": "smtp://smtp.acme.example:99999"}, "SMTP"),
        ({"SEALMARK_SMTP": "smtp://smtp.acme.example/x"}, "SMTP"),
        ({"SEALMARK_SMTP": "smtp://smtp.acme.example?tls=maybe"}, "SMTP"),
        ({"SEALMARK_SMTP": "smtp://smtp.acme.example?tls="}, "SMTP"),
        ({"SEALMARK_SMTP": "smtp://smtp.acme.example?typo=1"}, "SMTP"),
        ({"SEALMARK_SMTP": "smtp://smtp.acme.example?tls=no"}, "SMTP"),
        ({"SEALMARK_SMTP": "smtp://10.0.0.7?tls=no"}, "SMTP"),
        ({"SEALMARK_MAIL_FROM": ""}, "MAIL_FROM"),
        ({"SEALMARK_MAIL_FROM": "Acme <reports@acme.example>"}, "MAIL_FROM"),
        ({"SEALMARK_MAIL_FROM": "reports@acme.example\nBcc: eve@evil.example"}, "MAIL_FROM"),
        ({"SEALMARK_SMTP_PASSWORD_FILE": ""}, "SMTP_PASSWORD_FILE"),
        ({"SEALMARK_CHECKPOINT_MAILS": "bo@auditor.example, nobody"}, "CHECKPOINT_MAILS"),
        ({"SEALMARK_SMTP": "", "SEALMARK_CHECKPOINT_MAILS": "bo@auditor.example"}, "CHECKPOINT_MAILS"),
        ({"SEALMARK_OIDC_ISSUER": "id.acme.example"}, "OIDC_ISSUER"),
        ({"SEALMARK_OIDC_ISSUER": "https://"}, "OIDC_ISSUER"),
        ({"SEALMARK_OIDC_ISSUER": "https://id.acme.example/?realm=acme"}, "OIDC_ISSUER"),
        ({"SEALMARK_OIDC_ISSUER": "https://me:secret@id.acme.example"}, "OIDC_ISSUER"),
        ({"SEALMARK_OIDC_ISSUER": "http://id.acme.example"}, "OIDC_ISSUER"),
        ({"SEALMARK_OIDC_ISSUER": "https://id.acme.example"}, "OIDC_CLIENT_ID"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_stops_the_start_with_one_line_that_names_it(
    change: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingError) as caught:
        load({**LEAST, **S3, **SMTP, **change})
    assert caught.value.name == f"SEALMARK_{named}"
    assert "\n" not in str(caught.value)
    assert "secret@" not in str(caught.value)


SECRET = "Zq9-canary"
DATABASE = "postgresql+psycopg://u@db.acme.example/sealmark"


@pytest.mark.parametrize(
    "change",
    [
        {"SEALMARK_DATABASE": f"{DATABASE}?password={SECRET}"},
        {"SEALMARK_DATABASE": f"{DATABASE}?sslmode=require&sslpassword={SECRET}"},
        {"SEALMARK_DATABASE": f"{DATABASE}?passfile={SECRET}"},
        {"SEALMARK_DATABASE": f"{DATABASE}?%70assword={SECRET}"},
        {"SEALMARK_DATABASE": f"{DATABASE}?PASSWORD={SECRET}"},
        {"SEALMARK_DATABASE": f"{DATABASE}?{SECRET}"},
        {"SEALMARK_DATABASE": f"postgresql+psycopg://u:{SECRET}@h/n"},
        {"SEALMARK_DATABASE": f"postgresql+psycopg://u:a/{SECRET}@h/n"},
        {"SEALMARK_DATABASE": f"postgresql://u:{SECRET}@h/n"},
        {"SEALMARK_DATABASE": f"postgresql+psycopg://[{SECRET}/n"},
        {"SEALMARK_STORE": f"{SECRET}:x"},
        {"SEALMARK_STORE": f"s3:{SECRET}"},
        {"SEALMARK_STORE": f"s3://[{SECRET}"},
        {"SEALMARK_STORE": f"s3://reports?endpoint=key:{SECRET}@h:9000"},
        {"SEALMARK_STORE": f"s3://reports?endpoint=h:9000&secret={SECRET}"},
        {"SEALMARK_SMTP": f"smtp://sealmark:{SECRET}@smtp.acme.example"},
        {"SEALMARK_SMTP": f"smtp://{SECRET}@smtp.acme.example"},
        {"SEALMARK_SMTP": f"smtp://smtp.acme.example?password={SECRET}"},
        {"SEALMARK_SMTP": f"smtp://[{SECRET}"},
        {"SEALMARK_SMTP": f"smtp://smtp.acme.example:{SECRET}"},
        {"SEALMARK_SMTP": SECRET},
        {"SEALMARK_MAIL_FROM": SECRET},
        {"SEALMARK_CHECKPOINT_MAILS": f"bo@auditor.example,{SECRET}"},
        {"SEALMARK_TRUSTED_PROXIES": f"10.0.0.0/8,{SECRET}"},
        {"SEALMARK_URL": f"https://[{SECRET}"},
        {"SEALMARK_KEY": SECRET},
        {"SEALMARK_LISTEN": SECRET},
        {"SEALMARK_METRICS": SECRET},
        {"SEALMARK_THREADS": SECRET},
        {"SEALMARK_STORE_CREATE": SECRET},
    ],
    ids=str,
)
def test_a_secret_where_none_belongs_is_refused_and_not_repeated(change: dict[str, str]) -> None:
    with pytest.raises(SettingError) as caught:
        load({**LEAST, **S3, **SMTP, **change})
    assert caught.value.name in change
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_misspelt_setting_is_refused_and_the_clients_key_file_is_none() -> None:
    with pytest.raises(SettingError, match="no such setting"):
        load({**LEAST, "SEALMARK_MAX_PAGE": "3"})
    assert load({**LEAST, KEY_FILE: "/run/secrets/sealmark-key"}) == load(LEAST)


@pytest.mark.parametrize(
    ("given", "host", "port", "tls"),
    [
        ("smtp://smtp.acme.example", "smtp.acme.example", 587, "starttls"),
        ("smtp://smtp.acme.example:25?tls=starttls", "smtp.acme.example", 25, "starttls"),
        ("smtp://smtp.acme.example/?tls=implicit", "smtp.acme.example", 465, "implicit"),
        ("smtp://[::1]?tls=no", "::1", 25, "no"),
        ("smtp://localhost:1025?tls=no", "localhost", 1025, "no"),
    ],
)
def test_a_mail_server_is_spoken_to_with_tls_unless_it_is_on_this_machine(
    given: str, host: str, port: int, tls: str
) -> None:
    settings = load({**LEAST, **SMTP, "SEALMARK_SMTP": given})
    assert settings.smtp == SmtpServer(host, port, tls, "sealmark", Path("/run/secrets/smtp"), None)
    assert settings.can_mail
    assert not load(LEAST).can_mail


def test_a_database_may_be_asked_for_tls() -> None:
    url = f"{DATABASE}?sslmode=verify-full&sslrootcert=/etc/ssl/db.pem"
    assert load({**LEAST, "SEALMARK_DATABASE": url}).database == url
    for host in ("127.0.0.1:5432", "[::1]:5432", "db-1.acme.example"):
        assert load({**LEAST, "SEALMARK_DATABASE": f"postgresql+psycopg://u@{host}/n_1"}).database


def test_a_running_download_is_never_silent_for_as_long_as_counts_as_ended() -> None:
    assert STALL_SECONDS + TOUCH_EVERY.total_seconds() < LEAST_SILENT_SECONDS
    assert load(LEAST).silent_seconds >= LEAST_SILENT_SECONDS


def test_a_key_file_behind_a_link_into_the_data_folder_is_seen(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").symlink_to(tmp_path / "data")
    with pytest.raises(SettingError):
        load(
            {
                **LEAST,
                "SEALMARK_DATA": str(tmp_path / "data"),
                "SEALMARK_KEY": f"file:{tmp_path}/elsewhere/k",
            }
        )


def test_a_secret_is_read_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("correct horse \n")
    assert read_secret(path, "X") == "correct horse "


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_secret_that_is_missing_or_empty_is_an_error_without_its_content(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingError) as caught:
        read_secret(path, "DATABASE_PASSWORD_FILE")
    assert caught.value.name == "SEALMARK_DATABASE_PASSWORD_FILE"
    assert str(path) not in "".join(traceback.format_exception(caught.value, chain=True)).replace(
        __file__, ""
    )


def test_each_setting_says_what_it_means() -> None:
    assert all(len(meaning) > 20 for meaning in SETTINGS.values())


def test_witnesses_and_posts_come_from_files_that_are_named(tmp_path: Path) -> None:
    assert (load(LEAST).witnesses_file, load(LEAST).checkpoint_posts_file) == (None, None)
    settings = load(
        {**LEAST, "SEALMARK_WITNESSES_FILE": "/run/w", "SEALMARK_CHECKPOINT_POSTS_FILE": "/run/posts"}
    )
    assert settings.witnesses_file == Path("/run/w")
    assert settings.checkpoint_posts_file == Path("/run/posts")


@pytest.mark.parametrize("name", ["WITNESSES_FILE", "CHECKPOINT_POSTS_FILE"])
def test_a_list_of_others_that_cannot_be_stops_the_start_and_is_not_repeated(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "list"
    environ = {
        **LEAST,
        "SEALMARK_DATA": str(tmp_path / "data"),
        "SEALMARK_KEY": f"file:{tmp_path / 'master.key'}",
        f"SEALMARK_{name}": str(path),
    }
    (tmp_path / "data").mkdir()
    for text, said in ((None, "cannot read"), ("", "empty"), ("ftp://s3cr3t.example/t", "line 1")):
        if text is not None:
            path.write_text(text)
        with pytest.raises(SettingError, match=said) as refused:
            build(load(environ))
        assert str(refused.value).startswith(f"SEALMARK_{name}: ")
        assert "s3cr3t" not in "".join(traceback.format_exception(refused.value))
