"""What schemathesis does not know of this API: its raw bodies, and that a 422 has two meanings.

schemathesis loads this file by its configuration (see `test_schemathesis.py`).
"""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, GenerationMode, Response

SCHEMA_DETAIL = "The request does not have the form that /openapi.json describes."


@schemathesis.serializer(
    "application/pdf", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)
def raw(ctx: Any, value: Any) -> Any:
    """The body as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(ctx: Any, case: Case, kwargs: dict[str, Any]) -> None:
    """In a sequence of calls each is a new one: an answer that was kept for a key may name what was removed since."""
    if case.meta is not None and case.meta.phase.name == "stateful" and case.headers:
        case.headers.pop("Idempotency-Key", None)


@schemathesis.check
def described_form_is_accepted(ctx: CheckContext, response: Response, case: Case) -> None:
    """What has the described form may break a rule (422), but is never refused for its form."""
    if (
        case.meta is None
        or case.meta.generation.mode != GenerationMode.POSITIVE
        or response.status_code != 422
    ):
        return
    assert response.json()["detail"] != SCHEMA_DETAIL, response.text
