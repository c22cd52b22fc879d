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
            response = decode_timestamp_response(reply)
            imprint = response.tst_info.message_imprint
            if imprint.hash_algorithm != asked.message_imprint.hash_algorithm:
                raise NoTimestamp("another hash")
            verifier.verify_message(response, content)
        except (VerificationError, ValueError):
            raise NoTimestamp("does not verify") from None
