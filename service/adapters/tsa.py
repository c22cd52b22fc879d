"""A time-stamping authority over HTTP (RFC 3161, section 3.4). What it answers is believed only when it verifies."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from service.timestamps import NoTimestamp
from service.witnessing import NoAnswer, Posts

QUERY = "application/timestamp-query"
REPLY = "application/timestamp-reply"

_SEQUENCE, _CONTEXT_0 = 0x30, 0xA0
"""Tags of DER."""

MAX_REPLY = 64 * 1024
"""Bytes of an answer: a signature and a chain of certificates, some 6 KB."""


class Rfc3161Authority:
    """Asks the authority at one URL for stamps whose certificates lead to `certificates`."""

    def __init__(self, url: str, certificates: Sequence[x509.Certificate], posts: Posts) -> None:
        """Certificates that sign themselves are trusted, the others may stand in between.

        Raises `ValueError` when none is to be trusted.
        """
        self._url = url
        self._posts = posts
        self._roots = [known for known in certificates if known.issuer == known.subject]
        self._between = [known for known in certificates if known.issuer != known.subject]
        if not self._roots:
            raise ValueError("no certificate there signs itself: add the authority's root")

    def stamp(self, content: bytes) -> bytes:
        """See `TimestampAuthority.stamp`."""
        asked = (
            TimestampRequestBuilder()
            .data(content)
            .hash_algorithm(HashAlgorithm.SHA256)
            .nonce(nonce=True)
            .cert_request(cert_request=True)
            .build()
        )
        try:
            answer = self._posts.post(self._url, QUERY, asked.as_bytes(), MAX_REPLY)
        except NoAnswer as error:
            raise NoTimestamp(str(error)) from None
        if answer.status != 200 or answer.kind != REPLY:
            raise NoTimestamp(f"status {answer.status}")
        self._verify(asked, content, answer.body)
        return answer.body

    def _verify(self, asked: TimeStampRequest, content: bytes, reply: bytes) -> None:
        """Raise `NoTimestamp` unless the reply is signed by the authority, for this content and this request."""
        verifier = VerifierBuilder(
            roots=list(self._roots), intermediates=list(self._between), nonce=asked.nonce
        ).build()
        try:
            response = decode_timestamp_response(_sorted(reply))
            imprint = response.tst_info.message_imprint
            if imprint.hash_algorithm != asked.message_imprint.hash_algorithm:
                raise NoTimestamp("another hash")
            verifier.verify_message(response, content)
        except (VerificationError, ValueError, IndexError):
            raise NoTimestamp("does not verify") from None


def _sorted(reply: bytes) -> bytes:
    """The same reply, its certificates in the order that DER has for a SET.

    Authorities send them in any order, and the reader takes no other; they are not under the signature. Raises
    `ValueError`, `IndexError` for what is no reply.
    """
    *_, token = _within(reply, _elements(reply, 0, len(reply))[0])
    *_, content = _within(reply, token)
    signed = _within(reply, _within(reply, content)[0])
    for tag, _, start, stop in signed:
        if tag == _CONTEXT_0:
            found = sorted(reply[begin:end] for _, begin, _, end in _elements(reply, start, stop))
            return reply[:start] + b"".join(found) + reply[stop:]
    return reply


def _within(data: bytes, element: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    tag, _, start, stop = element
    if tag not in {_SEQUENCE, _CONTEXT_0}:
        raise ValueError("no reply of an authority")
    return _elements(data, start, stop)


def _elements(data: bytes, start: int, stop: int) -> list[tuple[int, int, int, int]]:
    """(tag, where it begins, where its content begins, where it ends) of each element of DER in [start, stop)."""
    found = []
    while start < stop:
        length, content = data[start + 1], start + 2
        if length & 0x80:
            content += length & 0x7F
            length = int.from_bytes(data[start + 2 : content], "big")
        if content + length > stop:
            raise ValueError("cut off")
        found.append((data[start], start, content, content + length))
        start = content + length
    return found
