"""The witness over HTTP (c2sp.org/tlog-witness): `POST /add-checkpoint`, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from crypto import notes
from crypto.errors import WitnessRefusal
from crypto.logcheck import NoteKey
from crypto.witness import MAX_REQUEST, WitnessKey, admit, decode, judge
from service.standalone.errors import FileUnusable
from service.witness.state import State

Clock = Callable[[], datetime]

PATH = "/add-checkpoint"

TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"

_REASONS = {
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 409: "Conflict", 413: "Content Too Large", 422: "Unprocessable Content",
    503: "Service Unavailable",
}  # fmt: skip

log = logging.getLogger("sealmark.witness")


class Witness:
    """Countersigns checkpoints of the logs whose keys it knows."""

    def __init__(self, key: WitnessKey, logs: Sequence[NoteKey], state: State, clock: Clock) -> None:
        self._key = key
        self._logs = logs
        self._state = state
        self._clock = clock

    def add_checkpoint(self, body: bytes) -> str:
        """The cosignature over the checkpoint of this request. What is signed is remembered durably before.

        Of all that this key ever signed of a log, each is the beginning of the next, with times that never decrease.
        Raises `WitnessRefusal`, and `FileUnusable` when the state cannot be read or kept; then nothing is signed.
        """
        submission = decode(body)
        lines = admit(submission, self._logs)
        checkpoint = submission.checkpoint
        seen = {"origin": checkpoint.origin, "size": checkpoint.size}
        with self._state.of(checkpoint.origin) as remembered:
            try:
                judge(submission, remembered.held)
            except WitnessRefusal as refusal:
                if refusal.forked:
                    log.error("the log has forked: both its checkpoints are kept", extra=seen)
                    remembered.keep_fork(notes.note(checkpoint.text, *lines))
                raise
            time = max(int(self._clock().timestamp()), remembered.held.time)
            line = self._key.cosign(checkpoint.text, time)
            remembered.keep(notes.note(checkpoint.text, *lines, line))
        if not remembered.note:
            log.warning("the first checkpoint of this log, believed as it is", extra=seen)
        log.info("signed", extra=seen)
        return line


class Application:
    """The WSGI application around a witness."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        status, kind, text = self._answer(environ)
        body = text.encode()
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        if status == 405:
            headers.append(("Allow", "POST"))
        if status == 408:
            headers.append(("Connection", "close"))
        start_response(f"{status} {_REASONS[status]}", headers)
        return [body]

    def _answer(self, environ: Mapping[str, Any]) -> tuple[int, str, str]:
        if environ.get("PATH_INFO") != PATH:
            return 404, TEXT, f"a witness answers to POST {PATH} only\n"
        if environ["REQUEST_METHOD"] != "POST":
            return 405, TEXT, f"a witness answers to POST {PATH} only\n"
        try:
            body: bytes = environ["wsgi.input"].read(MAX_REQUEST + 1)
        except OSError:  # the server stops reading from who stalls
            return 408, TEXT, "the request did not come to its end\n"
        if len(body) > MAX_REQUEST:
            return 413, TEXT, f"a request has at most {MAX_REQUEST} bytes\n"
        try:
            return 200, TEXT, self._witness.add_checkpoint(body)
        except WitnessRefusal as refusal:
            log.info("refused", extra={"status": refusal.status})
            if refusal.size is not None:
                return refusal.status, SIZE, f"{refusal.size}\n"
            return refusal.status, TEXT, f"{refusal}\n"
        except FileUnusable:
            log.exception("the state cannot be read or kept; nothing is signed")
            return 503, TEXT, "this witness cannot remember now, so it does not sign\n"
