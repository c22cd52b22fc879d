"""The MinIO of the deployment: prepared twice with the same end, and its user can do its work and no more."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from minio import Minio
from minio.error import S3Error

from deploy.minio.setup import LOG, REPORTS, prepare
from service.adapters.s3 import S3Store
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.minio
USER = ("sealmark-service", "a-secret-of-the-test")


@pytest.fixture(scope="module")
def prepared(minio_server: S3Server) -> Minio:
    root = (minio_server.access_key, minio_server.secret_key)
    for _ in range(2):
        prepare(minio_server.endpoint, False, root, USER, minio_server.region)
    return Minio(
        endpoint=minio_server.endpoint,
        access_key=USER[0],
        secret_key=USER[1],
        secure=False,
        region=minio_server.region,
    )


def put(client: Minio, bucket: str) -> None:
    client.put_object(bucket_name=bucket, object_name="objects/x", data=io.BytesIO(b"sealed"), length=6)


def test_the_least_policy_suffices_for_the_store(prepared: Minio, minio_server: S3Server) -> None:
    store = S3Store(
        endpoint=minio_server.endpoint,
        region=minio_server.region,
        bucket=REPORTS,
        access_key=USER[0],
        secret_key=USER[1],
        secure=False,
    )
    store.ensure_bucket(create=False)
    store.put("objects/original/obj_1", [bytes(6 * 1024 * 1024)] * 2)
    assert store.size("objects/original/obj_1") == 12 * 1024 * 1024
    assert b"".join(store.read("objects/original/obj_1", 5, 9)) == bytes(4)
    assert [blob.key for blob in store.list("objects/")] == ["objects/original/obj_1"]
    store.delete("objects/original/obj_1")


REFUSED: dict[str, Callable[[Minio], object]] = {
    "delete of what the log keeps": lambda client: client.remove_object(
        bucket_name=LOG, object_name="objects/x"
    ),
    "another bucket": lambda client: client.make_bucket(bucket_name="another"),
    "the end of a bucket": lambda client: client.remove_bucket(bucket_name=REPORTS),
    "a change of the policy": lambda client: client.set_bucket_policy(bucket_name=REPORTS, policy="{}"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_least_policy_refuses(prepared: Minio, what: str) -> None:
    put(prepared, LOG)
    with pytest.raises(S3Error) as caught:
        REFUSED[what](prepared)
    assert caught.value.code in {"AccessDenied", "MalformedPolicy"}


def test_the_logs_bucket_has_object_lock(prepared: Minio, minio_server: S3Server) -> None:
    root = Minio(
        endpoint=minio_server.endpoint,
        access_key=minio_server.access_key,
        secret_key=minio_server.secret_key,
        secure=False,
        region=minio_server.region,
    )
    assert root.get_object_lock_config(bucket_name=LOG) is not None
    with pytest.raises(S3Error):
        root.get_object_lock_config(bucket_name=REPORTS)


def test_no_secret_stands_in_the_deployment() -> None:
    for path in Path("deploy").rglob("*"):
        if path.is_file() and not {"secrets", "__pycache__"} & set(path.parts):
            text = path.read_text(encoding="utf-8")
            assert "PASSWORD:" not in text.replace("PASSWORD_FILE:", "")
            assert "BEGIN" not in text
