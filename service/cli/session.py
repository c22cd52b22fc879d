"""The service of one command: put together from the environment, checked, closed again; and who acts."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from service.audit import Actor

if TYPE_CHECKING:
    from service.app import Sealmark


@contextmanager
def opened(*, sealing: bool = False) -> Iterator[Sealmark]:
    """The service that the environment describes, its schema proven to be ours.

    With `sealing` (the command seals, signs or opens something) the store must know the master key too. Raises what
    `service.cli.failures` foresees.
    """
    from service import settings
    from service.adapters.sql.migrate import require_current
    from service.app import build

    sealmark = build(settings.load(os.environ))
    try:
        if sealing:
            sealmark.require_ready()
        else:
            require_current(sealmark.database)
        yield sealmark
    finally:
        sealmark.close()


def system_user() -> Actor:
    """The user of the system who runs this process: by the process, not by a variable that anybody can set."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    return Actor("cli", name=name)
