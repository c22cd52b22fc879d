"""What an answer with a file carries, whole or in part; and what of it a request wants."""

from __future__ import annotations

from flask import Response, request

from service.web.recipient.headers import attachment
from service.web.recipient.ranges import Conditions, Selection


def conditions() -> Conditions:
    """The header fields of the current request that choose."""
    fields = request.headers
    return Conditions(
        range=fields.get("Range") if request.method == "GET" else None,  # RFC 9110 14.2: of GET only
        if_range=fields.get("If-Range"),
        if_match=fields.get("If-Match"),
        if_none_match=fields.get("If-None-Match"),
    )


def as_file(
    answer: Response, chosen: Selection, *, name: str, label: str, etag: str, length: int
) -> Response:
    """This answer with the header fields of a PDF, or of a part of it.

    `name` is the document's; `label` tells this file of it from others (`headers.attachment`).
    """
    answer.status_code = chosen.status
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Length"] = str(chosen.stop - chosen.start)
    answer.headers["Content-Disposition"] = attachment(name, label)
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["ETag"] = etag
    if chosen.status == 206:
        answer.headers["Content-Range"] = f"bytes {chosen.start}-{chosen.stop - 1}/{length}"
    return answer
