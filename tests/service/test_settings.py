"""Settings: typed, frozen, no default for a secret, one clear line for what cannot be."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from service.settings import SETTINGS, FolderStore, S3Store, SettingError, load, read_secret

LEAST = {"SEALMARK_URL": "https://reports.acme.example", "SEALMARK_KEY": "file:/etc/sealmark/master.key"}
S3 = {
    "SEALMARK_STORE": "s3://reports?endpoint=minio.acme.example:9000&region=eu-central-1",
    "SEALMARK_STORE_ACCESS_KEY_FILE": "/run/secrets/access",
    "SEALMARK_STORE_SECRET_KEY_FILE": "/run/secrets/secret",
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
        ({"SEALMARK_TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES"),
        ({"SEALMARK_MAX_PAGES": "0"}, "MAX_PAGES"),
        ({"SEALMARK_MAX_PAGES": "many"}, "MAX_PAGES"),
        ({"SEALMARK_STORE_CREATE": "true"}, "STORE_CREATE"),
        ({"SEALMARK_LISTEN": "8080"}, "LISTEN"),
        ({"SEALMARK_MAX_PAGE": "5"}, "MAX_PAGE"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_stops_the_start_with_one_line_that_names_it(
    change: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingError) as caught:
        load({**LEAST, **S3, **change})
    assert caught.value.name == f"SEALMARK_{named}"
    assert "\n" not in str(caught.value)
    assert "secret@" not in str(caught.value)


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


def test_each_setting_says_what_it_means() -> None:
    assert all(len(meaning) > 20 for meaning in SETTINGS.values())
