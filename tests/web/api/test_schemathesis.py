"""schemathesis holds the running API to its own description, with all of its checks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from service.web.application import create_app
from service.web.problems import SCHEMA_DETAIL
from tests.servers.process import free_port
from tests.service_fixture import Service, service_in
from tests.web.api import schemathesis_hooks
from tests.web.api.test_callers import ROUTES

pytestmark = pytest.mark.long

EVERYDAY_EXAMPLES = 8
THOROUGH_EXAMPLES = 60

CONFIG = """
hooks = "{hooks}"
[checks.positive_data_acceptance]
# Beyond the form there are rules, such as an expiry in the future; `described_form_is_accepted` holds 422 to that.
expected-statuses = ["2xx", "401", "403", "404", "409", "422"]
"""


class _Quiet(WSGIRequestHandler):
    """Keeps its requests to itself."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Service, str]]:
    """The service on loopback, and its address."""
    url = f"http://127.0.0.1:{free_port()}"
    with service_in(
        tmp_path / "service", environ={"SEALMARK_URL": url, "SEALMARK_REQUESTS_A_MINUTE": "1000000"}
    ) as service:
        app = create_app(service.sealmark, pause=lambda seconds: service.work())
        port = int(url.rpartition(":")[2])
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield service, url
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _run(running: tuple[Service, str], folder: Path, examples: int) -> str:
    service, url = running
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG.format(hooks=schemathesis_hooks.__file__))
    command = [
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
        "--config-file", str(config), "run", f"{url}/openapi.json",
        "--header", f"Authorization: Bearer {service.api_key()}",
        "--checks", "all", "--max-examples", str(examples),
        "--generation-deterministic", "--no-color",
    ]  # fmt: skip
    environ = {"PATH": os.defpath, "HOME": str(folder), "PYTHONUTF8": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environ)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def _cases(report: str) -> tuple[int, int]:
    found = re.search(r"(\d+) generated, (\d+) passed", report)
    assert found, report
    return int(found[1]), int(found[2])


def test_the_running_api_is_as_its_description_says(running: tuple[Service, str], tmp_path: Path) -> None:
    report = _run(running, tmp_path, EVERYDAY_EXAMPLES)
    generated, passed = _cases(report)
    assert passed == generated > 500
    assert f"Selected: {ROUTES}/{ROUTES}" in report


@pytest.mark.slow
def test_the_running_api_is_as_its_description_says_after_a_long_search(
    running: tuple[Service, str], tmp_path: Path
) -> None:
    generated, passed = _cases(_run(running, tmp_path, THOROUGH_EXAMPLES))
    assert passed == generated > 2000


def test_the_check_of_described_forms_knows_the_words_of_the_problem() -> None:
    assert schemathesis_hooks.SCHEMA_DETAIL == SCHEMA_DETAIL
