"""The local folder, MinIO and a second S3 server keep the promises of a BlobStore, and of their own kind."""

from __future__ import annotations

import os
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from service.adapters.folder import FolderStore
from service.adapters.s3 import PART_SIZE, S3Store
from service.blobs import MAX_PIECE, BlobMissing, BlobStore, StoreError, StoreUnavailable
from tests.contract.blobstore import CONNECTIONS, KEY, BlobStorePromises, content_of, keys_of, pattern
from tests.servers.s3 import S3Server


class TestFolder(BlobStorePromises):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FolderStore:
        store = FolderStore(tmp_path / "store")
        store.ensure_folder(create=True)
        return store

    @pytest.fixture
    def away(self, tmp_path: Path) -> FolderStore:
        return FolderStore(tmp_path / "not-mounted")

    def left_over(self, store: BlobStore) -> list[str]:
        assert isinstance(store, FolderStore)
        return [str(path) for path in store.root.rglob(".*")]

    def test_its_folder_is_only_made_where_that_is_allowed(self, tmp_path: Path) -> None:
        store = FolderStore(tmp_path / "new" / "store")

        with pytest.raises(StoreUnavailable, match="mounted"):
            store.ensure_folder(create=False)
        store.ensure_folder(create=True)
        store.ensure_folder(create=False)

        assert stat.S_IMODE(store.root.stat().st_mode) == 0o700

    def test_only_its_user_may_look_into_it(self, store: FolderStore) -> None:
        store.put(KEY, [b"content"])

        modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in store.root.rglob("*")}

        assert modes == {True: 0o700, False: 0o600}

    def test_what_a_crash_left_is_neither_listed_nor_read(self, store: FolderStore) -> None:
        store.put("a/b", [b"content"])
        (store.root / "a" / ".put-0123").write_bytes(b"half")
        (store.root / "a" / "Not a key").write_bytes(b"foreign")

        assert keys_of(store, "") == ["a/b"]
        assert keys_of(store, "a/") == ["a/b"]

    def test_links_are_never_followed(self, store: FolderStore, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "secret").write_bytes(b"secret")
        (store.root / "folder").symlink_to(outside)
        (store.root / "file").symlink_to(outside / "secret")

        for key in ("folder/secret", "file"):
            with pytest.raises(StoreError, match="symbolic link"):
                store.read(key)
            with pytest.raises(StoreError, match="symbolic link"):
                store.size(key)
        with pytest.raises(StoreError, match="symbolic link"):
            store.put("folder/secret", [b"overwritten"])
        with pytest.raises(StoreError, match="symbolic link"):
            store.delete("folder/secret")
        store.delete("file")
        store.put("file", [b"a file now"])

        assert (outside / "secret").read_bytes() == b"secret"
        assert [path.name for path in outside.iterdir()] == ["secret"]
        assert keys_of(store, "") == ["file"]

    def test_what_is_no_file_is_no_object_and_blocks_nobody(self, store: FolderStore) -> None:
        os.mkfifo(store.root / "pipe")

        with pytest.raises(BlobMissing):
            store.read("pipe")
        assert keys_of(store, "") == []

    def test_a_key_and_a_folder_do_not_share_a_name(self, store: FolderStore) -> None:
        store.put("a/b", [b"content"])

        with pytest.raises(StoreError, match="folder"):
            store.put("a", [b"content"])
        with pytest.raises(StoreError, match="object"):
            store.put("a/b/c", [b"content"])

        assert keys_of(store, "") == ["a/b"]
        assert self.left_over(store) == []

    def test_a_file_that_shrinks_under_its_reader_fails_the_read(self, store: FolderStore) -> None:
        store.put(KEY, [pattern(MAX_PIECE * 3)])
        reader = store.read(KEY)
        next(reader)
        os.truncate(store.root / KEY, MAX_PIECE)

        with pytest.raises(StoreUnavailable, match="shorter"):
            list(reader)

    def test_a_full_disk_is_said_and_leaves_nothing(
        self, store: FolderStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(handle: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("service.adapters.folder._sync", full)
        with pytest.raises(StoreUnavailable, match="No space left"):
            store.put("flat", [b"content"])
        monkeypatch.undo()

        assert keys_of(store, "") == []
        assert self.left_over(store) == []

    def test_an_object_is_on_the_disk_before_it_has_its_name_and_its_name_before_put_returns(
        self, store: FolderStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        steps: list[str] = []
        replace = os.replace

        def sync(handle: int) -> None:
            steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")

        def rename(*args: Any, **kwargs: Any) -> None:
            steps.append("rename")
            replace(*args, **kwargs)

        monkeypatch.setattr("service.adapters.folder._sync", sync)
        monkeypatch.setattr(os, "replace", rename)
        store.put("a/b/c", [b"content"])

        assert steps == ["folder", "folder", "file", "rename", "folder"]


class S3Promises(BlobStorePromises):
    """What only S3 servers can be asked. Inherited by one class a server, each with its own `server`."""

    @pytest.fixture
    def server(self) -> S3Server:
        raise NotImplementedError

    @pytest.fixture
    def store(self, server: S3Server) -> S3Store:
        store = connect(server)
        store.ensure_bucket(create=True)
        return store

    @pytest.fixture
    def away(self) -> S3Store:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        return S3Store(
            endpoint=f"127.0.0.1:{port}",
            region="eu-test-1",
            bucket="nowhere",
            access_key="key",
            secret_key="secret",
            secure=False,
        )

    def left_over(self, store: BlobStore) -> list[str]:
        assert isinstance(store, S3Store)
        uploads = store._client._list_multipart_uploads(store._bucket)
        return [upload.object_name for upload in uploads.uploads]

    def test_its_bucket_is_only_made_where_that_is_allowed(self, server: S3Server) -> None:
        store = connect(server)

        with pytest.raises(StoreUnavailable, match="no bucket"):
            store.ensure_bucket(create=False)
        store.ensure_bucket(create=True)
        store.ensure_bucket(create=False)
        store.ensure_bucket(create=True)

    def test_processes_that_make_one_bucket_at_once_all_get_it(self, server: S3Server) -> None:
        bucket = server.fresh_bucket()
        stores = [connect(server, bucket=bucket) for _ in range(8)]

        with ThreadPoolExecutor(len(stores)) as threads:
            list(threads.map(lambda store: store.ensure_bucket(create=True), stores))

        stores[0].put(KEY, [b"content"])
        assert content_of(stores[7], KEY) == b"content"

    def test_without_its_bucket_nothing_is_called_missing(self, server: S3Server) -> None:
        store = connect(server)

        with pytest.raises(StoreUnavailable, match="no bucket"):
            store.size(KEY)
        with pytest.raises(StoreUnavailable, match="no bucket"):
            store.read(KEY)
        with pytest.raises(StoreUnavailable, match="no bucket"):
            store.put(KEY, [b"content"])
        with pytest.raises(StoreUnavailable, match="no bucket"):
            list(store.list(""))

    @pytest.mark.parametrize(
        "changed", [{"access_key": "other"}, {"secret_key": "not-the-secret"}, {"region": "elsewhere"}]
    )
    def test_a_key_that_is_refused_is_said_without_the_secret(
        self, server: S3Server, store: S3Store, changed: dict[str, str]
    ) -> None:
        refused = connect(server, bucket=store._bucket, **changed)

        with pytest.raises(StoreUnavailable, match="access key") as caught:
            refused.put(KEY, [b"content"])

        assert not any(secret in str(caught.value) for secret in (server.secret_key, "not-the-secret"))

    def test_a_list_goes_on_after_its_first_page(self, store: S3Store) -> None:
        keys = [f"many/{number:04}" for number in range(1005)]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda key: store.put(key, [b""]), keys))

        assert keys_of(store, "many/") == keys

    def test_connections_are_used_again(self, server: S3Server, store: S3Store) -> None:
        store.put(KEY, [pattern(MAX_PIECE * 3)])
        for _ in range(20):
            content_of(store, KEY)

        pools = store._client._http.pools
        [pool] = [pools.get(key) for key in pools.keys()]  # noqa: SIM118 - it is no mapping
        assert pool.num_connections == 1

    def test_more_readers_than_kept_connections_do_not_wait_for_each_other(self, store: S3Store) -> None:
        store.put(KEY, [pattern(PART_SIZE)])

        readers = [store.read(KEY) for _ in range(CONNECTIONS * 3)]

        assert all(len(next(reader)) > 0 for reader in readers)
        assert all(sum(map(len, reader)) > PART_SIZE // 2 for reader in readers)


def connect(server: S3Server, **changed: Any) -> S3Store:
    settings: dict[str, Any] = {
        "endpoint": server.endpoint,
        "region": server.region,
        "bucket": server.fresh_bucket(),
        "access_key": server.access_key,
        "secret_key": server.secret_key,
        "secure": False,
        "connections": CONNECTIONS,
    }
    return S3Store(**(settings | changed))


@pytest.mark.minio
class TestMinio(S3Promises):
    @pytest.fixture
    def server(self, minio_server: S3Server) -> S3Server:
        return minio_server


@pytest.mark.versitygw
class TestVersitygw(S3Promises):
    @pytest.fixture
    def server(self, versitygw_server: S3Server) -> S3Server:
        return versitygw_server
