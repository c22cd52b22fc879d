"""BlobStore in a bucket of MinIO or any other S3, through the `minio` SDK.

An object of more than one part goes up as a multipart upload, which shows nothing before it is completed.
One that fails is aborted; what a crash leaves is invisible but takes room, so give the bucket a lifecycle
rule that aborts incomplete uploads after a day (`AbortIncompleteMultipartUpload`).
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import MinioException, S3Error
from minio.retention import Retention
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from service.blobs import (
    MAX_PIECE,
    BlobInfo,
    BlobMissing,
    StoreError,
    StoreUnavailable,
    check_key,
    check_prefix,
    check_range,
)

PART_SIZE = 8 * 1024 * 1024
"""Bytes of one part, and of the largest object that goes up in one request. S3 takes 5 MiB to 5 GiB, and
10,000 parts; a put holds about four parts in memory."""

CONNECTIONS = 32
"""Idle connections kept for reuse, for as many threads. More may be open at once: a slow reader holds one."""

CONNECT_SECONDS = 5.0
"""To open a connection, and to send one part over it: a store lies in the same data centre."""

READ_SECONDS = 20.0
"""Silence of the store that ends a request. Completing a large upload is the slowest answer."""

RETRIES = 2
"""Repeats of a request that is safe to repeat: its time limit is three times the above, and the pauses."""

PAUSE_SECONDS = 0.2
"""Before the second repeat; doubles. A server's own wish (`Retry-After`) is not followed: it has no bound."""

_BUSY = frozenset({429, 500, 502, 503, 504})
_REFUSED = frozenset({400, 401, 403, 404})
"""400: a wrong region. 404: versitygw's answer to an access key that it does not know."""


class S3Store:
    """Objects of one bucket. `endpoint` is host and port, no scheme; `ca_file` replaces the system's roots.

    Make one in each process, after forking: it holds connections.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        region: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        secure: bool = True,
        ca_file: Path | None = None,
        connections: int = CONNECTIONS,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        retries: int = RETRIES,
    ) -> None:
        self._bucket = bucket
        self._where = f"the object store at {endpoint}"
        pool = PoolManager(
            maxsize=connections,
            timeout=Timeout(connect=connect_seconds, read=read_seconds),
            retries=Retry(
                total=retries,
                backoff_factor=PAUSE_SECONDS,
                status_forcelist=_BUSY,
                respect_retry_after_header=False,
                redirect=False,  # a redirect would send the signed request to a host that nobody configured
            ),
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(ca_file) if ca_file else None,
        )
        try:
            self._client = Minio(
                endpoint=endpoint,
                access_key=access_key,
                secret_key=secret_key,
                secure=secure,
                region=region,
                http_client=pool,
            )
        except ValueError as exc:
            raise StoreError(
                f"{endpoint!r} is no endpoint: write host:port, without a scheme ({exc})"
            ) from exc

    def ensure_bucket(self, create: bool) -> None:
        """Afterwards the bucket exists. Raises `StoreUnavailable` where it is absent and not to be made."""
        with self._translated():
            if self._client.bucket_exists(bucket_name=self._bucket):
                return
            if create:
                self._make_bucket()
                return
        raise StoreUnavailable(
            f"{self._where} has no bucket {self._bucket!r}: make it, or allow the service to make it"
        )

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        check_key(key)
        source = _Source(chunks)
        try:
            with self._translated():
                self._client.put_object(
                    bucket_name=self._bucket,
                    object_name=key,
                    data=source,
                    length=-1,
                    part_size=PART_SIZE,
                    num_parallel_uploads=1,  # bounds the memory; parts of other uploads run beside it anyway
                )
        except Exception:
            if source.failure is not None:
                raise source.failure from None
            raise
        return source.size

    def put_locked(self, key: str, content: bytes, until: datetime) -> None:
        """Store the object so that no one can delete this version of it, or shorten its time, before `until`.

        Raises `StoreError` where the bucket was not made with Object Lock; then nothing is stored.
        """
        check_key(key)
        with self._translated():
            self._client.put_object(
                bucket_name=self._bucket,
                object_name=key,
                data=io.BytesIO(content),
                length=len(content),
                retention=Retention(COMPLIANCE, until),
            )

    def read(self, key: str, start: int = 0, stop: int | None = None) -> Generator[bytes, None, None]:
        check_key(key)
        check_range(start, stop)
        pieces = self._pieces(key, start, stop)
        next(pieces)  # opens the object, so that a missing one raises here and an early close() releases it
        return pieces

    def size(self, key: str) -> int:
        check_key(key)
        try:
            with self._translated(key):
                size: int = self._client.stat_object(bucket_name=self._bucket, object_name=key).size
        except BlobMissing:
            self.ensure_bucket(
                create=False
            )  # the answer to a HEAD has no code: it may be the bucket that is missing
            raise
        return size

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        check_prefix(prefix)
        with self._translated():
            for item in self._client.list_objects(bucket_name=self._bucket, prefix=prefix, recursive=True):
                yield BlobInfo(item.object_name, item.size, item.last_modified.astimezone(UTC))

    def delete(self, key: str) -> None:
        check_key(key)
        try:
            with self._translated(key):
                self._client.remove_object(bucket_name=self._bucket, object_name=key)
        except BlobMissing:
            return

    def _make_bucket(self) -> None:
        try:
            self._client.make_bucket(bucket_name=self._bucket)
        except S3Error:
            # Another process may have made it in this moment.
            if not self._client.bucket_exists(bucket_name=self._bucket):
                raise

    def _pieces(self, key: str, start: int, stop: int | None) -> Generator[bytes, None, None]:
        response = self._open(key, start, stop)
        if response is None:
            yield b""  # taken by read()
            return
        try:
            yield b""
            stream = response.stream(MAX_PIECE, decode_content=False)
            while True:
                with self._translated(key):
                    piece: bytes = next(stream, b"")
                if not piece:
                    return
                yield piece
        finally:
            response.close()  # ends the connection, unless it was read to the end and is back in the pool
            response.release_conn()

    def _open(self, key: str, start: int, stop: int | None) -> BaseHTTPResponse | None:
        """The answer to a GET of this range; None for an empty one, which HTTP cannot ask for."""
        if start == stop:
            self.size(key)
            return None
        with self._translated(key):
            try:
                response: BaseHTTPResponse = self._client.get_object(
                    bucket_name=self._bucket,
                    object_name=key,
                    offset=start,
                    length=0 if stop is None else stop - start,
                )
            except S3Error as exc:
                if exc.code == "InvalidRange":
                    return None
                raise
        if response.status != 206 and (start > 0 or stop is not None):
            response.close()
            response.release_conn()
            raise StoreUnavailable(f"{self._where} sent all of {key!r} when asked for a range: it is no S3")
        return response

    @contextmanager
    def _translated(self, key: str | None = None) -> Iterator[None]:
        """Turn errors of the SDK and of HTTP into the port's."""
        try:
            yield
        except S3Error as exc:
            raise self._answered(exc, key) from exc
        except (MinioException, HTTPError) as exc:
            raise StoreUnavailable(
                f"{self._where} did not answer as it should ({type(exc).__name__}). Check that it runs, that "
                "its address and scheme are right, and that network and certificate let it through"
            ) from exc

    def _answered(self, exc: S3Error, key: str | None) -> StoreError:
        if exc.code == "NoSuchKey" and key is not None:
            return BlobMissing(key)
        if exc.code == "NoSuchBucket":
            return StoreUnavailable(f"{self._where} has no bucket {self._bucket!r}: make it")
        if exc.response.status in _REFUSED:
            return StoreUnavailable(
                f"{self._where} refused the access key ({exc.code}). Check the key and its secret, what its "
                f"policy allows on bucket {self._bucket!r}, the region, and this machine's clock"
            )
        if exc.response.status in _BUSY:
            return StoreUnavailable(f"{self._where} failed ({exc.code}). Look into its log; ask again later")
        return StoreError(f"{self._where} refused the request ({exc.code}: {exc.message})")


class _Source:
    """Chunks as the file that the SDK wants to read. Counts their bytes, and keeps the exception that they
    raised, so that it is not taken for one of the store's."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.size = 0
        self.failure: BaseException | None = None
        self._chunks = iter(chunks)
        self._rest = bytearray()

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer only at the end."""
        while len(self._rest) < size:
            try:
                chunk = next(self._chunks)
            except StopIteration:
                break
            except BaseException as exc:
                self.failure = exc
                raise
            self._rest += chunk
        piece = bytes(self._rest[:size])
        del self._rest[:size]
        self.size += len(piece)
        return piece
