"""The bucket with Object Lock, on a real MinIO: a checkpoint that is there stays, also for the server's root user."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from minio import Minio
from minio.commonconfig import COMPLIANCE, GOVERNANCE
from minio.error import S3Error
from minio.retention import Retention

from service.adapters.lockedbucket import LockedBucket
from service.adapters.s3 import S3Store
from service.blobs import StoreError
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.minio

KEY = "log/checkpoints/log_1/0000000000000008"
NOTE = b"a note\n"
KEEP = timedelta(days=3)


def root(server: S3Server) -> Minio:
    return Minio(
        endpoint=server.endpoint,
        access_key=server.access_key,
        secret_key=server.secret_key,
        secure=False,
        region=server.region,
    )


def bucket(server: S3Server, *, locks: bool) -> tuple[str, LockedBucket]:
    name = server.fresh_bucket()
    root(server).make_bucket(bucket_name=name, object_lock=locks)
    store = S3Store(
        endpoint=server.endpoint,
        region=server.region,
        bucket=name,
        access_key=server.access_key,
        secret_key=server.secret_key,
        secure=False,
    )
    return name, LockedBucket(store, KEEP, lambda: datetime.now(UTC))


def versions(client: Minio, name: str) -> list[str]:
    return [
        item.version_id
        for item in client.list_objects(bucket_name=name, recursive=True, include_version=True)
    ]


def read(client: Minio, name: str, version: str) -> bytes:
    answer = client.get_object(bucket_name=name, object_name=KEY, version_id=version)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


HARMS: dict[str, Callable[[Minio, str, str], object]] = {
    "deleting that version": lambda client, name, version: client.remove_object(
        bucket_name=name, object_name=KEY, version_id=version
    ),
    "a shorter time": lambda client, name, version: client.set_object_retention(
        bucket_name=name,
        object_name=KEY,
        version_id=version,
        config=Retention(COMPLIANCE, datetime.now(UTC) + timedelta(days=1)),
    ),
    "a weaker mode": lambda client, name, version: client.set_object_retention(
        bucket_name=name,
        object_name=KEY,
        version_id=version,
        config=Retention(GOVERNANCE, datetime.now(UTC) + 2 * KEEP),
    ),
    "removing the bucket": lambda client, name, version: client.remove_bucket(bucket_name=name),
}


@pytest.mark.parametrize("harm", HARMS)
def test_even_root_is_refused(minio_server: S3Server, harm: str) -> None:
    name, locked = bucket(minio_server, locks=True)
    locked.put(KEY, NOTE)
    client = root(minio_server)
    (version,) = versions(client, name)
    with pytest.raises(S3Error):
        HARMS[harm](client, name, version)
    assert read(client, name, version) == NOTE
    kept = client.get_object_retention(bucket_name=name, object_name=KEY, version_id=version)
    assert kept.mode == COMPLIANCE
    assert kept.retain_until_date > datetime.now(UTC) + KEEP - timedelta(hours=1)


def test_overwriting_and_deleting_the_name_leave_the_version(minio_server: S3Server) -> None:
    name, locked = bucket(minio_server, locks=True)
    locked.put(KEY, NOTE)
    client = root(minio_server)
    (version,) = versions(client, name)
    client.put_object(bucket_name=name, object_name=KEY, data=io.BytesIO(b"other"), length=5)
    client.remove_object(bucket_name=name, object_name=KEY)
    assert version in versions(client, name)
    assert read(client, name, version) == NOTE


def test_a_bucket_that_does_not_lock_is_refused_and_takes_nothing(minio_server: S3Server) -> None:
    name, locked = bucket(minio_server, locks=False)
    with pytest.raises(StoreError):
        locked.put(KEY, NOTE)
    assert list(root(minio_server).list_objects(bucket_name=name, recursive=True)) == []
