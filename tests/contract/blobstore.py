"""What a BlobStore promises, kept by the local folder, MinIO and a second S3 server alike."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from urllib3.exceptions import HTTPError

from service.adapters.s3 import PART_SIZE
from service.blobs import (
    MAX_KEY_LENGTH,
    MAX_KEY_SEGMENT,
    MAX_PIECE,
    BlobMissing,
    BlobStore,
    InvalidBlobKey,
    StoreUnavailable,
)

KEY = "documents/doc_0/versions/ver_0/original"
CONNECTIONS = 4
SOON = 30.0
"""Seconds within which a store that is away must have been given up: far above the limits that the tests set,
far below those of a socket without any."""


class Broken(Exception):
    """What a source of chunks raises half way."""


def pattern(size: int) -> bytes:
    """`size` bytes in which each position can be told from its neighbours."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


def chunked(content: bytes, size: int = 100_000) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def breaking_after(content: bytes) -> Iterator[bytes]:
    yield from chunked(content)
    raise Broken


def content_of(store: BlobStore, key: str, *bounds: int | None) -> bytes:
    return b"".join(store.read(key, *bounds))  # type: ignore[arg-type]


def keys_of(store: BlobStore, prefix: str) -> list[str]:
    return [info.key for info in store.list(prefix)]


class BlobStorePromises:
    """Inherited by one class a store, each with its own `store` and `away` (a store that does not answer)."""

    @pytest.fixture
    def store(self) -> BlobStore:
        raise NotImplementedError

    @pytest.fixture
    def away(self) -> BlobStore:
        raise NotImplementedError

    @pytest.mark.parametrize(
        "size", [0, 1, MAX_PIECE, MAX_PIECE + 1, PART_SIZE, PART_SIZE + 1, 2 * PART_SIZE + 5]
    )
    def test_what_was_put_is_read_back(self, store: BlobStore, size: int) -> None:
        content = pattern(size)

        assert store.put(KEY, chunked(content)) == size

        assert store.size(KEY) == size
        assert content_of(store, KEY) == content

    def test_a_source_without_chunks_and_one_of_empty_chunks_are_empty_objects(
        self, store: BlobStore
    ) -> None:
        assert store.put("a/none", []) == 0
        assert store.put("a/empty", [b"", b"", b""]) == 0
        assert store.put("a/some", [b"", b"x", b""]) == 1

        assert [content_of(store, key) for key in keys_of(store, "a/")] == [b"", b"", b"x"]

    def test_pieces_are_never_empty_nor_above_the_limit(self, store: BlobStore) -> None:
        store.put(KEY, [pattern(3 * MAX_PIECE + 7)])

        lengths = [len(piece) for piece in store.read(KEY)]

        assert min(lengths) > 0
        assert max(lengths) <= MAX_PIECE

    def test_a_put_replaces_the_whole_object(self, store: BlobStore) -> None:
        store.put(KEY, [pattern(PART_SIZE + 100)])
        store.put(KEY, [b"shorter"])

        assert content_of(store, KEY) == b"shorter"
        assert store.size(KEY) == 7
        assert keys_of(store, "") == [KEY]

    @pytest.mark.parametrize(
        ("start", "stop"),
        [
            (0, None),
            (0, 1000),
            (0, 1),
            (999, 1000),
            (500, None),
            (250, 750),
            (0, 0),
            (400, 400),
            (1000, 1000),
            (1000, None),
            (900, 5000),
            (1000, 5000),
            (4000, 5000),
            (4000, None),
        ],
    )
    def test_a_range_is_the_slice_of_the_object(self, store: BlobStore, start: int, stop: int | None) -> None:
        content = pattern(1000)
        store.put(KEY, [content])

        assert content_of(store, KEY, start, stop) == content[start:stop]

    def test_a_range_of_an_empty_object_is_empty(self, store: BlobStore) -> None:
        store.put(KEY, [])

        assert content_of(store, KEY, 0, 10) == b""

    @pytest.mark.parametrize(("start", "stop"), [(-1, None), (5, 4), (0, -1)])
    def test_what_is_no_range_is_refused(self, store: BlobStore, start: int, stop: int | None) -> None:
        store.put(KEY, [b"content"])

        with pytest.raises(ValueError, match="no range"):
            store.read(KEY, start, stop)

    @pytest.mark.parametrize("bounds", [(0, None), (10, 20), (0, 0)])
    def test_reading_a_missing_object_fails_at_the_call(
        self, store: BlobStore, bounds: tuple[int, int | None]
    ) -> None:
        with pytest.raises(BlobMissing) as caught:
            store.read(KEY, *bounds)

        assert caught.value.key == KEY

    def test_a_missing_object_has_no_size(self, store: BlobStore) -> None:
        with pytest.raises(BlobMissing):
            store.size(KEY)

    @pytest.mark.parametrize("key", ["documents", "documents/doc_0", KEY + "/below"])
    def test_neither_a_folder_of_keys_nor_what_is_below_an_object_is_one(
        self, store: BlobStore, key: str
    ) -> None:
        store.put(KEY, [b"content"])

        with pytest.raises(BlobMissing):
            store.read(key)
        with pytest.raises(BlobMissing):
            store.size(key)
        store.delete(key)
        assert content_of(store, KEY) == b"content"

    def test_a_deleted_object_is_missing(self, store: BlobStore) -> None:
        store.put(KEY, [b"content"])

        store.delete(KEY)

        assert keys_of(store, "") == []
        with pytest.raises(BlobMissing):
            store.read(KEY)

    def test_deleting_again_is_fine(self, store: BlobStore) -> None:
        store.put(KEY, [b"content"])

        store.delete(KEY)
        store.delete(KEY)
        store.delete("never/there")

    def test_a_list_is_in_order_of_key(self, store: BlobStore) -> None:
        keys = [
            "a",
            "a-b/x",
            "a.b",
            "a0",
            "a_b",
            "ab/c",
            "ab/c.key",
            "ab-/d",
            "b/1/2/3",
            "b/10",
            "b/2",
            "z-",
            "z/0",
        ]
        for key in reversed(keys):
            store.put(key, [key.encode()])

        assert keys_of(store, "") == sorted(keys)

    def test_a_list_gives_size_and_time(self, store: BlobStore) -> None:
        before = datetime.now(UTC)
        store.put(KEY, [b"content"])

        [info] = store.list("")

        assert (info.key, info.size) == (KEY, 7)
        assert info.modified.utcoffset() == timedelta(0)
        assert abs(info.modified - before) < timedelta(minutes=1)

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("", ["a/1", "a/2/x", "ab/1", "b"]),
            ("a", ["a/1", "a/2/x", "ab/1"]),
            ("a/", ["a/1", "a/2/x"]),
            ("a/2", ["a/2/x"]),
            ("a/2/x", ["a/2/x"]),
            ("b", ["b"]),
            ("b/", []),
            ("c", []),
            ("a/1/", []),
        ],
    )
    def test_a_prefix_is_any_beginning_of_a_key(
        self, store: BlobStore, prefix: str, expected: list[str]
    ) -> None:
        for key in ["a/1", "a/2/x", "ab/1", "b"]:
            store.put(key, [b"content"])

        assert keys_of(store, prefix) == expected

    def test_what_is_listed_can_be_deleted_on_the_way(self, store: BlobStore) -> None:
        keys = [f"many/{number:04}/object" for number in range(30)]
        for key in keys:
            store.put(key, [b"content"])

        seen = []
        for info in store.list("many/"):
            seen.append(info.key)
            store.delete(info.key)

        assert seen == keys
        assert keys_of(store, "") == []

    @pytest.mark.parametrize("size", [0, 10, PART_SIZE + 10, 2 * PART_SIZE + 10])
    def test_a_put_whose_source_breaks_leaves_nothing(self, store: BlobStore, size: int) -> None:
        with pytest.raises(Broken):
            store.put(KEY, breaking_after(pattern(size)))

        assert keys_of(store, "") == []
        assert self.left_over(store) == []

    @pytest.mark.parametrize("size", [10, 2 * PART_SIZE + 10])
    def test_a_put_whose_source_breaks_leaves_the_older_object(self, store: BlobStore, size: int) -> None:
        store.put(KEY, [b"older"])

        with pytest.raises(Broken):
            store.put(KEY, breaking_after(pattern(size)))

        assert content_of(store, KEY) == b"older"
        assert self.left_over(store) == []

    def left_over(self, store: BlobStore) -> list[str]:
        """What a put that failed has left in the store, invisible to its promise."""
        raise NotImplementedError

    @pytest.mark.parametrize("error", [OSError("source"), BlobMissing("other"), HTTPError("source")])
    def test_the_error_of_a_source_comes_through_as_it_is(self, store: BlobStore, error: Exception) -> None:
        def source() -> Iterator[bytes]:
            yield b"content"
            raise error

        with pytest.raises(type(error)) as caught:
            store.put(KEY, source())

        assert caught.value is error

    def test_one_object_is_the_source_of_another(self, store: BlobStore) -> None:
        store.put(KEY, [pattern(PART_SIZE + 10)])

        store.put("copy", store.read(KEY))

        assert content_of(store, "copy") == pattern(PART_SIZE + 10)

    def test_nothing_is_seen_before_the_put_has_ended(self, store: BlobStore) -> None:
        seen: list[list[str]] = []

        def source() -> Iterator[bytes]:
            for chunk in chunked(pattern(2 * PART_SIZE), PART_SIZE // 2):
                yield chunk
                seen.append(keys_of(store, ""))

        store.put(KEY, source())

        assert seen == [[]] * 4

    def test_memory_does_not_grow_with_the_object(self, store: BlobStore) -> None:
        parts = 8
        chunk = bytes(MAX_PIECE)
        tracemalloc.start()
        try:
            store.put(KEY, (chunk for _ in range(parts * PART_SIZE // len(chunk))))
            putting = tracemalloc.get_traced_memory()[1]
            tracemalloc.reset_peak()
            size = sum(map(len, store.read(KEY)))
            reading = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

        assert size == parts * PART_SIZE
        assert putting < 5 * PART_SIZE
        assert reading < PART_SIZE

    def test_of_concurrent_puts_of_one_key_one_is_left_whole(self, store: BlobStore) -> None:
        contents = [bytes([number]) * (PART_SIZE + 1000 * number) for number in range(4)]
        with ThreadPoolExecutor(len(contents)) as threads:
            sizes = list(threads.map(lambda content: store.put(KEY, chunked(content, 1 << 20)), contents))

        assert sizes == [len(content) for content in contents]
        assert content_of(store, KEY) in contents
        assert self.left_over(store) == []

    def test_a_reader_gets_the_old_or_the_new_object_whole(self, store: BlobStore) -> None:
        contents = [bytes([number]) * (MAX_PIECE * 2) for number in range(20)]
        store.put(KEY, [contents[0]])
        with ThreadPoolExecutor(1) as threads:
            puts = threads.submit(lambda: [store.put(KEY, [content]) for content in contents])
            while not puts.done():
                assert content_of(store, KEY) in contents
            puts.result()

    def test_threads_share_a_store(self, store: BlobStore) -> None:
        def way(number: int) -> bool:
            key = f"threads/{number}"
            store.put(key, [key.encode()])
            same = content_of(store, key) == key.encode()
            store.delete(key)
            return same

        with ThreadPoolExecutor(16) as threads:
            assert all(threads.map(way, range(64)))

        assert keys_of(store, "threads/") == []

    @pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="only on systems that list open files")
    def test_readers_that_stop_early_hold_nothing(self, store: BlobStore) -> None:
        store.put(KEY, [pattern(PART_SIZE)])
        before = len(os.listdir("/dev/fd"))

        readers = [store.read(KEY) for _ in range(50)]
        for number, reader in enumerate(readers):
            if number % 2:
                assert len(next(reader)) > 0
            reader.close()

        assert len(os.listdir("/dev/fd")) <= before + CONNECTIONS
        with closing(store.read(KEY)) as reader:
            assert next(reader)[:4] == b"\0\0\0\0"

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/../b",
            "a..b",
            ".",
            "./a",
            "a/./b",
            ".hidden",
            "a/.put-0",
            "a.",
            "A",
            "a b",
            "a\\b",
            "a\0b",
            "a\n",
            "é",
            "a?versionid=1",
            "%2e%2e",
            "a" * (MAX_KEY_SEGMENT + 1),
            "/".join(["a" * 63] * 9),
        ],
    )
    def test_a_key_outside_the_alphabet_is_refused_everywhere(self, store: BlobStore, key: str) -> None:
        with pytest.raises(InvalidBlobKey):
            store.put(key, [b"content"])
        with pytest.raises(InvalidBlobKey):
            store.read(key)
        with pytest.raises(InvalidBlobKey):
            store.size(key)
        with pytest.raises(InvalidBlobKey):
            store.delete(key)

        assert keys_of(store, "") == []

    def test_the_longest_key_is_a_key(self, store: BlobStore) -> None:
        key = "/".join(
            ["k" * MAX_KEY_SEGMENT, "l" * MAX_KEY_SEGMENT, "m" * (MAX_KEY_LENGTH - 2 * MAX_KEY_SEGMENT - 2)]
        )
        assert len(key) == MAX_KEY_LENGTH

        store.put(key, [b"content"])

        assert keys_of(store, "") == [key]
        assert content_of(store, key) == b"content"

    @pytest.mark.parametrize("prefix", ["/", "..", "a//", "../a", "A", "a/.", ".put"])
    def test_what_begins_no_key_is_refused_as_a_prefix(self, store: BlobStore, prefix: str) -> None:
        with pytest.raises(InvalidBlobKey):
            list(store.list(prefix))

    def test_a_store_that_is_away_says_so_and_what_to_check(self, away: BlobStore) -> None:
        begun = time.monotonic()
        for ask in (
            lambda: away.put(KEY, [b"content"]),
            lambda: away.read(KEY),
            lambda: away.size(KEY),
            lambda: list(away.list("")),
            lambda: away.delete(KEY),
        ):
            with pytest.raises(StoreUnavailable, match=r"[Cc]heck"):
                ask()

        assert time.monotonic() - begun < SOON
