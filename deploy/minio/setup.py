"""Prepare a MinIO for Sealmark: its bucket, a bucket with Object Lock for the log, and a user with the least policy.

Run once, with the root's keys, and again whenever you like: what is there stays. MinIO itself deletes the parts of
uploads that nobody ended, after a day; give another S3 a lifecycle rule for that. Reads from the environment
MINIO_ENDPOINT (host:port), MINIO_TLS (yes or no), and the paths of files that hold keys: MINIO_ROOT_USER_FILE,
MINIO_ROOT_PASSWORD_FILE, SEALMARK_STORE_ACCESS_KEY_FILE, SEALMARK_STORE_SECRET_KEY_FILE.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from minio import Minio
from minio.credentials import StaticProvider
from minio.minioadmin import MinioAdmin

REPORTS = "sealmark"
LOG = "sealmark-log"
POLICY = "sealmark"
REGION = "us-east-1"


def least_policy() -> dict[str, object]:
    """What the service does in its buckets, and no more: nothing is deleted from the log's bucket."""
    reports, log = f"arn:aws:s3:::{REPORTS}", f"arn:aws:s3:::{LOG}"
    object_actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
                "Resource": [reports, log],
            },
            {"Effect": "Allow", "Action": object_actions, "Resource": [f"{reports}/*"]},
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:PutObjectRetention", "s3:GetObjectRetention"],
                "Resource": [f"{log}/*"],
            },
        ],
    }


def prepare(
    endpoint: str, secure: bool, root: tuple[str, str], user: tuple[str, str], region: str = REGION
) -> None:
    """Make what is missing. Raises the SDK's errors as they are."""
    client = Minio(endpoint=endpoint, access_key=root[0], secret_key=root[1], secure=secure, region=region)
    if not client.bucket_exists(bucket_name=REPORTS):
        client.make_bucket(bucket_name=REPORTS)
    if not client.bucket_exists(bucket_name=LOG):
        client.make_bucket(bucket_name=LOG, object_lock=True)
    admin = MinioAdmin(
        endpoint=endpoint,
        credentials=StaticProvider(access_key=root[0], secret_key=root[1]),
        region=region,
        secure=secure,
    )
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(least_policy(), file)
        file.flush()
        admin.policy_add(POLICY, policy_file=file.name)
    admin.user_add(*user)
    attached = json.loads(admin.get_policy_entities(users=[user[0]], groups=[], policies=[]))
    names = [policy for mapping in attached.get("userMappings") or [] for policy in mapping["policies"]]
    if POLICY not in names:
        admin.attach_policy([POLICY], user=user[0])


def _secret(name: str) -> str:
    return Path(os.environ[name]).read_text(encoding="utf-8").rstrip("\r\n")


def main() -> None:
    """Prepare the MinIO that the environment names."""
    prepare(
        os.environ["MINIO_ENDPOINT"],
        os.environ.get("MINIO_TLS", "yes") != "no",
        (_secret("MINIO_ROOT_USER_FILE"), _secret("MINIO_ROOT_PASSWORD_FILE")),
        (_secret("SEALMARK_STORE_ACCESS_KEY_FILE"), _secret("SEALMARK_STORE_SECRET_KEY_FILE")),
    )
    print(f"Buckets {REPORTS} and {LOG}, the policy and its user are there.")


if __name__ == "__main__":
    main()
