"""Keys and sealed objects: who opens what, rotation that can break off, nothing that opens in another place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from crypto.context import context
from crypto.errors import CryptoError, KeyInUse, SealBroken
from crypto.keys import Keyring, MasterKey, WrappedKey
from crypto.sealing import open_stream
from crypto.sidecar import Sidecar
from service.adapters.folder import FolderStore
from service.adapters.keyfile import KeyFile
from service.errors import DomainError, Problem
from service.keys import SIGNS_AFTER, VERIFY_FOR
from service.masterkeys import RETIRE_AFTER
from service.objects import SIDECAR, payload_key, sidecar_key
from service.records import NamedKey, SealedObject
from tests.service.acting import a_document, a_share, a_version, an_nda, stored_keys, token_of
from tests.service_fixture import OPERATOR, Service, service_in


def an_object(service: Service, content: bytes = b"confidential" * 5000) -> SealedObject:
    stored, _ = service.sealmark.objects.put("original", "version", "ver_1", [content])
    with service.sealmark.database.write() as records:
        records.add(stored)
    return stored


def plain(service: Service, stored: SealedObject) -> bytes:
    return b"".join(service.sealmark.objects.open(stored).read())


def test_an_object_opens_with_the_store_and_the_master_key_alone(service: Service) -> None:
    stored = an_object(service)
    store = FolderStore(service.sealmark.settings.data / "store")
    sidecar = Sidecar.decode(b"".join(store.read(sidecar_key("original", stored.id))))
    keyring = KeyFile(service.sealmark.settings.key_file).keyring()
    key = keyring.unwrap(WrappedKey.decode(sidecar.master_id, sidecar.wrapped_key), sidecar.context())
    sealed = store.read(payload_key("original", stored.id))
    assert b"".join(open_stream(key, sidecar.context(), sealed)) == b"confidential" * 5000


def test_no_plaintext_reaches_the_store(service: Service) -> None:
    an_object(service)
    for path in (service.sealmark.settings.data / "store").rglob("*"):
        assert not path.is_file() or b"confidential" not in path.read_bytes()


def test_objects_do_not_open_in_each_others_place(service: Service) -> None:
    first, second = an_object(service, b"a" * 40_000), an_object(service, b"b" * 40_000)
    store = service.sealmark.store
    swapped = b"".join(store.read(payload_key("original", second.id)))
    store.put(payload_key("original", first.id), [swapped])
    with pytest.raises(SealBroken):
        plain(service, first)
    with pytest.raises(CryptoError):
        plain(service, replace(second, wrapped_key=first.wrapped_key))
    with pytest.raises(CryptoError):
        plain(service, replace(second, owner_id="ver_2"))
    with pytest.raises(CryptoError):
        plain(service, replace(second, role="template"))


@pytest.mark.parametrize("cut", [0, 1, 55, 56, 57, 16_456, -1, -17])
def test_a_truncated_object_does_not_open(service: Service, cut: int) -> None:
    stored = an_object(service, b"x" * 40_000)
    key = payload_key("original", stored.id)
    sealed = b"".join(service.sealmark.store.read(key))
    service.sealmark.store.put(key, [sealed[:cut]])
    with pytest.raises(SealBroken):
        plain(service, stored)


def test_a_source_that_fails_leaves_no_object(service: Service) -> None:
    def failing() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise OSError("the client went away")

    with pytest.raises(OSError, match="went away"):
        service.sealmark.objects.put("original", "version", "ver_1", failing())
    assert stored_keys(service) == []


def test_init_makes_what_is_missing_and_can_be_run_again(service: Service) -> None:
    sealmark = service.sealmark
    before = sealmark.keys.listed()
    assert {key.purpose for key in before} == {"link", "log", "service"}
    again = sealmark.master_keys.init(OPERATOR)
    assert sealmark.keys.listed() == before
    assert again == sealmark.keyfile.keyring().current
    sealmark.master_keys.require_known()
    assert len(service.entries("key.created")) == 4


def test_a_lost_key_file_is_not_replaced_by_one_that_opens_nothing(service: Service) -> None:
    service.sealmark.keyfile.path.unlink()
    with pytest.raises(DomainError, match="restore"):
        service.sealmark.master_keys.init(OPERATOR)
    assert not service.sealmark.keyfile.exists()


def test_a_key_that_the_store_does_not_know_is_refused(service: Service) -> None:
    service.sealmark.keyfile.replace(Keyring(MasterKey(bytes(32))))
    with pytest.raises(DomainError, match="does not know"):
        service.sealmark.master_keys.require_known()
    with pytest.raises(DomainError, match="sealed under"):
        service.sealmark.master_keys.init(OPERATOR)


def test_rotating_rewraps_everything_and_rewrites_no_payload(service: Service) -> None:
    stored = an_object(service)
    payload = b"".join(service.sealmark.store.read(payload_key("original", stored.id)))
    old = service.sealmark.keyfile.keyring().current.id
    secret = service.sealmark.keys.signing("link")
    new = service.sealmark.master_keys.rotate(OPERATOR)
    assert new.id != old
    uses = {use.id: use for use in service.sealmark.master_keys.list()}
    assert (uses[old].named_keys, uses[old].objects) == (0, 0)
    assert (uses[new.id].named_keys, uses[new.id].objects, uses[new.id].current) == (3, 1, True)
    assert b"".join(service.sealmark.store.read(payload_key("original", stored.id))) == payload
    with service.sealmark.database.read() as records:
        row = records.get(SealedObject, stored.id)
    assert row is not None
    assert plain(service, row) == b"confidential" * 5000
    service.clock.now += RETIRE_AFTER
    service.sealmark.master_keys.retire(OPERATOR, old)
    assert plain(service, row) == b"confidential" * 5000
    assert service.sealmark.keys.signing("link") == secret
    kinds = [entry["kind"] for entry in service.entries() if entry["kind"].startswith("key.")][-2:]
    assert kinds == ["key.rotated", "key.retired"]


def test_a_rotation_that_broke_off_is_finished_by_the_next(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = [an_object(service) for _ in range(4)]
    old = service.sealmark.keyfile.keyring().current.id

    def stop(done: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.sealmark.master_keys.rotate(OPERATOR, stop)
    service.clock.now += RETIRE_AFTER
    with pytest.raises(DomainError, match="keys rotate") as caught:
        service.sealmark.master_keys.retire(OPERATOR, old)
    assert caught.value.problem == Problem.WRONG_STATE
    broken_off = service.sealmark.keyfile.keyring().current.id
    assert service.sealmark.master_keys.rotate(OPERATOR).id == broken_off
    service.sealmark.master_keys.retire(OPERATOR, old)
    with service.sealmark.database.read() as records:
        rows = [records.get(SealedObject, stored.id) for stored in objects]
    assert all(row and plain(service, row) == b"confidential" * 5000 for row in rows)


def test_a_key_that_was_just_replaced_does_not_retire(service: Service) -> None:
    old = service.sealmark.keyfile.keyring().current.id
    service.sealmark.master_keys.rotate(OPERATOR)
    service.clock.now += RETIRE_AFTER - timedelta(seconds=1)
    service.sealmark.sweeping.forget_old_rows()
    with pytest.raises(DomainError, match="less than an hour") as caught:
        service.sealmark.master_keys.retire(OPERATOR, old)
    assert caught.value.problem == Problem.WRONG_STATE
    service.clock.advance(seconds=1)
    service.sealmark.master_keys.retire(OPERATOR, old)
    assert old not in service.sealmark.keyfile.keyring().ids


def test_an_upload_outlives_the_retiring_of_the_key_it_began_under(service: Service) -> None:
    def slow() -> Iterator[bytes]:
        yield b"first half, "
        rotated_and_retired(service)
        yield b"second half"

    stored, _ = service.sealmark.objects.put("original", "version", "ver_1", slow())
    assert plain(service, stored) == b"first half, second half"


def test_a_key_that_retires_while_the_sidecar_is_stored_is_not_kept(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = service.sealmark.store.put
    begun = []

    def slow_sidecar(key: str, chunks: Iterable[bytes]) -> int:
        if key.endswith(SIDECAR) and not begun:
            begun.append(key)
            rotated_and_retired(service)
        return put(key, chunks)

    monkeypatch.setattr(service.sealmark.store, "put", slow_sidecar)
    stored = an_object(service, b"kept")
    assert plain(service, stored) == b"kept"
    sidecar = Sidecar.decode(b"".join(service.sealmark.store.read(begun[0])))
    assert sidecar.master_id == stored.master_id == service.sealmark.keyfile.keyring().current.id


def rotated_and_retired(service: Service) -> None:
    old = service.sealmark.keyfile.keyring().current.id
    service.sealmark.master_keys.rotate(OPERATOR)
    service.clock.now += RETIRE_AFTER
    service.sealmark.master_keys.retire(OPERATOR, old)


def test_the_current_key_does_not_retire(service: Service) -> None:
    with service.sealmark.database.write() as records:
        records.remove(NamedKey, purpose__in=["link", "log", "service"])
    with pytest.raises(KeyInUse):
        service.sealmark.master_keys.retire(OPERATOR, service.sealmark.keyfile.keyring().current.id)


def test_links_outlive_the_rotation_of_their_key(service: Service) -> None:
    document = a_document(service)
    a_version(service, document)
    an_nda(service)
    keys = service.sealmark.keys
    service.clock.advance(minutes=1)
    _, before = a_share(service, document)
    first = keys.signing("link").id
    keys.rotate(OPERATOR, "link")
    assert keys.signing("link").id == first  # other processes must see the new key before it signs
    service.clock.advance(seconds=SIGNS_AFTER.total_seconds())
    assert keys.signing("link").id != first
    _, after = a_share(service, document)
    from service.audit import Actor
    from service.opening import Denied

    for link in (before, after):
        shown = service.sealmark.deliveries.page(token_of(link), Actor("recipient"), record=False)
        assert not isinstance(shown, Denied)
    service.clock.advance(seconds=VERIFY_FOR.total_seconds() + 1)
    assert set(keys.verifying("link")) == {keys.signing("link").id}


def test_only_keys_that_may_rotate_by_hand_do(service: Service) -> None:
    with pytest.raises(DomainError):
        service.sealmark.keys.rotate(OPERATOR, "service")


def test_without_named_keys_nothing_is_signed(tmp_path: Path) -> None:
    with service_in(tmp_path) as service:
        with service.sealmark.database.write() as records:
            records.remove(NamedKey, purpose="link")
        service.clock.advance(minutes=1)
        with pytest.raises(DomainError) as caught:
            service.sealmark.keys.signing("link")
        assert caught.value.problem == Problem.UNAVAILABLE


def test_a_wrapped_key_is_bound_to_its_place(service: Service) -> None:
    stored = an_object(service)
    wrapped = WrappedKey.decode(stored.master_id, stored.wrapped_key)
    keyring = service.sealmark.keyfile.keyring()
    with pytest.raises(CryptoError):
        keyring.unwrap(wrapped, context("original", "version", "ver_1", "obj_" + "0" * 26))


def test_objects_without_a_row_go_to_the_trash_after_a_day(service: Service) -> None:
    kept = an_object(service)
    orphan, _ = service.sealmark.objects.put("original", "version", "ver_2", [b"nobody's"])
    assert service.sealmark.sweeping.trash_orphans() == 0  # too young
    service.clock.now = service.sealmark.clock() + timedelta(days=4000)
    assert service.sealmark.sweeping.trash_orphans() == 2
    keys = stored_keys(service)
    assert payload_key("original", kept.id) in keys
    assert payload_key("original", orphan.id) not in keys
    assert sum(key.startswith("trash/") for key in keys) == 2
    (entry,) = service.entries("store.swept")
    assert entry["details"] == '{"objects": 2}'


def test_a_rotation_that_broke_off_before_its_key_was_known_makes_it_known(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = an_object(service)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(service.sealmark.master_keys, "_introduce", stop)
        with pytest.raises(KeyboardInterrupt):
            service.sealmark.master_keys.rotate(OPERATOR)
    broken_off = service.sealmark.keyfile.keyring().current.id
    with pytest.raises(DomainError, match="does not know"):
        service.sealmark.master_keys.require_known()

    assert service.sealmark.master_keys.rotate(OPERATOR).id == broken_off
    service.sealmark.master_keys.require_known()
    with service.sealmark.database.read() as records:
        row = records.get(SealedObject, stored.id)
    assert row is not None
    assert row.master_id == broken_off
    assert plain(service, row) == b"confidential" * 5000


def test_a_row_that_a_broken_rotation_left_behind_its_sidecar_follows_at_the_next(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = an_object(service)
    put = service.sealmark.store.put

    def put_and_stop(key: str, chunks: Iterable[bytes]) -> object:
        put(key, chunks)
        if key.endswith(SIDECAR):
            raise KeyboardInterrupt
        return None

    with monkeypatch.context() as patch:
        patch.setattr(service.sealmark.store, "put", put_and_stop)
        with pytest.raises(KeyboardInterrupt):
            service.sealmark.master_keys.rotate(OPERATOR)
    new = service.sealmark.keyfile.keyring().current.id
    with service.sealmark.database.read() as records:
        left_behind = records.get(SealedObject, stored.id)
    assert left_behind is not None
    assert left_behind.master_id != new

    assert service.sealmark.master_keys.rotate(OPERATOR).id == new
    with service.sealmark.database.read() as records:
        row = records.get(SealedObject, stored.id)
    assert row is not None
    assert row.master_id == new
    assert plain(service, row) == b"confidential" * 5000


def test_an_object_that_has_no_row_yet_is_rewrapped_too(service: Service) -> None:
    stored, _ = service.sealmark.objects.put("original", "version", "ver_1", [b"arriving"])
    new = service.sealmark.master_keys.rotate(OPERATOR)
    sidecar = Sidecar.decode(b"".join(service.sealmark.store.read(sidecar_key("original", stored.id))))
    assert sidecar.master_id == new.id
