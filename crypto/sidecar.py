"""The sidecar: what lies beside a payload, so that it opens with the master key alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from crypto import canonical
from crypto.context import FORMAT_VERSION, context
from crypto.errors import CanonicalError, ContextInvalid, SidecarInvalid

MAX_BYTES = 8192
"""Of one sidecar: ids, a number, and a wrapped key of at most 4 KiB in base64."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """One object's place, size and wrapped key. Not secret. Raises `SidecarInvalid`."""

    role: str
    owner_kind: str
    owner_id: str
    object_id: str
    sealed_size: int  # bytes of the payload
    master_id: str  # the master key that wrapped the data key
    wrapped_key: str  # as that kind of master key writes it: `WrappedKey.encode`, or a KMS's text

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not isinstance(value, int if one.name == "sealed_size" else str) or value == "":
                raise SidecarInvalid(f"a sidecar's {one.name} is missing or of another type")
        if self.sealed_size < 0:
            raise SidecarInvalid("a sidecar's sealed_size is negative")
        try:
            self.context()
        except ContextInvalid as error:
            raise SidecarInvalid("a sidecar names no possible place of an object") from error

    def context(self) -> bytes:
        """The context of the payload and of its wrapped key."""
        return context(self.role, self.owner_kind, self.owner_id, self.object_id)

    def encode(self) -> bytes:
        """Canonical JSON. Raises `SidecarInvalid` when it is over `MAX_BYTES` or cannot be written."""
        try:
            data = canonical.encode({"format": FORMAT_VERSION, **asdict(self)})
        except CanonicalError as error:
            raise SidecarInvalid("a sidecar's fields cannot be written as canonical JSON") from error
        if len(data) > MAX_BYTES:
            raise SidecarInvalid(f"a sidecar has {len(data)} bytes; at most {MAX_BYTES} fit")
        return data

    @classmethod
    def decode(cls, data: bytes) -> Sidecar:
        """The sidecar whose `encode` is exactly `data`. Raises `SidecarInvalid`."""
        if len(data) > MAX_BYTES:
            raise SidecarInvalid(f"a sidecar has {len(data)} bytes; at most {MAX_BYTES} fit")
        try:
            members = canonical.decode(data)
        except CanonicalError as error:
            raise SidecarInvalid("a sidecar is not canonical JSON: restore it from a backup") from error
        expected = {"format", *(one.name for one in fields(cls))}
        if (
            not isinstance(members, dict)
            or members.get("format") != FORMAT_VERSION
            or set(members) != expected
        ):
            raise SidecarInvalid("a sidecar is of another format: read it with the program that wrote it")
        return cls(**{name: value for name, value in members.items() if name != "format"})  # type: ignore[arg-type]
