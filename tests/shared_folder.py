"""Where the shared folder of vectors and real PDFs is, for every test that needs it.

The one setting is SEALMARK_SHARED; by default the folder lies beside the project. On a visitor's machine a missing
folder skips the tests that need it; in CI (CI=true) it fails them, so that nothing is silently left out.
"""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


def shared_folder() -> Path | None:
    """The folder, or None where there is none. Usable while tests are collected. Fails in CI instead of None."""
    setting = os.environ.get("SEALMARK_SHARED", "../shared")
    folder = (PROJECT / setting).resolve()
    if folder.is_dir():
        return folder
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(
            f"In CI the shared folder must be there; SEALMARK_SHARED={setting} names {folder}.", pytrace=False
        )
    return None


def require_shared(*parts: str) -> Path:
    """A file or folder inside the shared folder. Skips the test (in CI: fails it) when it is missing."""
    folder = shared_folder()
    if folder is None:
        pytest.skip(
            "No shared folder: put the shared files beside the project or set SEALMARK_SHARED to them."
        )
    path = folder.joinpath(*parts)
    if not path.exists():
        pytest.fail(f"The shared folder has no {path.relative_to(folder)}: it is incomplete.", pytrace=False)
    return path
