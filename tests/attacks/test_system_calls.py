"""No bytes of a report are written anywhere but to the client and to the confined child: watched by strace."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from service.records import Copy
from tests.attacks.recognizing import Report, first_known, recognizable_report, runs, runs_of_report
from tests.attacks.running import (
    Client,
    Installation,
    agree,
    ask,
    fetch,
    install,
    lend,
    link_path,
    must,
    share,
)
from tests.attacks.tracing import Trace, read_trace, strace
from tests.servers.postgresql import PostgresqlServer
from tests.servers.process import free_port
from tests.servers.s3 import S3Server
from tests.shared_folder import PROJECT

pytestmark = [pytest.mark.strace, pytest.mark.long]


def test_embedded_parts_see_no_report(tmp_path: Path) -> None:
    _watch(install(tmp_path))


@pytest.mark.minio
@pytest.mark.postgresql
def test_servers_see_no_report(
    tmp_path: Path, minio_server: S3Server, postgresql_server: PostgresqlServer
) -> None:
    _watch(
        install(
            tmp_path,
            database=postgresql_server.fresh_database(),
            environment=s3_settings(tmp_path, minio_server),
        )
    )


LEAKING = """
import os, service.objects
over = service.objects.Digest.over
def leaking(self, chunks):
    for chunk in over(self, chunks):
        os.write(2, bytes(chunk[-300:-200]))
        yield chunk
service.objects.Digest.over = leaking
"""
"""A fault that is planted when the service's Python starts: a line of debugging that nobody took out."""


def test_a_service_that_leaks_is_caught(tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / "sitecustomize.py").write_text(LEAKING)
    installation = install(tmp_path, environment={"PYTHONPATH": f"{planted}:{PROJECT}"})

    with pytest.raises(AssertionError, match=r"bytes of the report went to .*descriptor='2'"):
        _watch(installation)


def s3_settings(folder: Path, server: S3Server) -> Mapping[str, str]:
    """The settings for a bucket of its own on this server."""
    for name, secret in (("access", server.access_key), ("secret", server.secret_key)):
        (folder / f"{name}-key").write_text(secret)
    where = f"{server.fresh_bucket()}?endpoint={server.endpoint}&region={server.region}&tls=no"
    return {
        "SEALMARK_STORE": f"s3://{where}",
        "SEALMARK_STORE_CREATE": "yes",
        "SEALMARK_STORE_ACCESS_KEY_FILE": str(folder / "access-key"),
        "SEALMARK_STORE_SECRET_KEY_FILE": str(folder / "secret-key"),
    }


def _watch(installation: Installation) -> None:
    """The way of a report through a traced service; then the judgement over all that was written on it."""
    report = recognizable_report()
    output = installation.folder / "trace"
    metrics = {"SEALMARK_METRICS": f"127.0.0.1:{free_port()}"}
    with installation.served("--with-worker", before=strace(output), environment=metrics):
        client = Client(installation.port, installation.host, installation.api_key())
        copies = _the_whole_way(client, report)
        files = {file: file.read_bytes() for file in installation.folder.rglob("*") if _is_kept(file, output)}
    known = runs_of_report(report) | _runs_of_template(installation, copies)
    known -= runs_of_report(recognizable_report())  # what any PDF has
    trace = read_trace(output)

    _judge(trace, known, installation)
    for file, content in files.items():
        assert first_known(known, [content]) is None, f"{file} holds bytes of the report"


def _is_kept(file: Path, output: Path) -> bool:
    return file.is_file() and not file.name.startswith(f"{output.name}.")


def _the_whole_way(client: Client, report: Report) -> list[bytes]:
    """Upload, two shares, downloads whole and in part, one broken off, evidence; returns both copies."""
    lent = lend(client, report.pdf)
    other = must(share(client, lent.document, "ben@borrower.example"), 201)
    first, second = ask(client, lent.link), ask(client, link_path(other["link"]["url"]))
    copies = [fetch(client, first), fetch(client, second)]
    part = client.call("GET", first, headers={"Range": "bytes=5000-9999"})
    assert (part.status, part.body) == (206, copies[0][5000:10000])
    connection, answer = client.begin(first)
    with closing(connection):
        answer.read(10)
    evidence = f"/v1/ndas/{agree(client, 'second.example')}/evidence"
    assert must(client.call("PUT", evidence, report.pdf), 200)["evidence"]
    return copies


def _runs_of_template(installation: Installation, copies: list[bytes]) -> set[bytes]:
    """Runs that both copies have, so that are of the report and not of a mark; as files, and inflated."""
    common = set(runs(copies[0])) & set(runs(copies[1]))
    with installation.opened() as sealmark, sealmark.database.read() as records:
        fills = [copy.fill for copy in records.find(Copy)]
    assert len(fills) == 2
    for fill in fills:  # what the mark itself is made of is kept: it is no part of the report
        common -= set(runs(fill))
    for copy in copies:
        with pikepdf.open(BytesIO(copy)) as opened:
            images = list(opened.pages[0].get_images().values())
            assert {len(image.read_bytes()) for image in images} == {64 * 64 * 3}
            for image in images:
                common |= set(runs(image.read_raw_bytes()))
    return common


def _judge(trace: Trace, known: set[bytes], installation: Installation) -> None:
    carried = {"client": False, "child": False}
    for target, pieces in trace.written.items():
        found = first_known(known, pieces)
        if target.accepted_by(installation.port):
            carried["client"] |= found is not None
        elif target.what in trace.child_pipes:
            carried["child"] |= found is not None
        else:
            assert found is None, f"bytes of the report went to {target}: {found!r}"
    assert carried == {"client": True, "child": True}, "the report was not recognised where it must be"
    assert not trace.unseen
    assert any(what.endswith("-shm") for what in trace.mapped) == (
        "SEALMARK_DATABASE" not in installation.environment
    )
    for what in trace.mapped:
        # SQLite's index of the log, which holds page numbers, and prometheus_client's measurements: read above.
        assert what.endswith("-shm") or "/sealmark-metrics-" in what, f"mapped shared and writable: {what}"


LEAKS = {
    "a file": "open('leak', 'wb', 0).write(bytes(3) + leaked)",
    "byte by byte": "f = open('leak', 'wb', 0); [f.write(leaked[i:i+1]) for i in range(len(leaked))]",
    "at a place": "os.pwrite(os.open('leak', os.O_RDWR | os.O_CREAT), leaked, 100)",
    "gathered": "os.writev(os.open('leak', os.O_RDWR | os.O_CREAT), [leaked[:10], leaked[10:]])",
    "standard error": "os.write(2, b'error: ' + leaked)",
    "standard output": "print(leaked.decode())",
    "a socket": "a, b = socket.socketpair(); a.send(leaked)",
    "a message": "a, b = socket.socketpair(); a.sendmsg([leaked])",
    "a pipe": "r, w = os.pipe(); os.write(w, leaked)",
    "a child": "subprocess.run(['cat'], input=leaked, stdout=subprocess.DEVNULL)",
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_leak_would_be_seen(leak: str, tmp_path: Path) -> None:
    report = recognizable_report(1)
    at = report.pdf.index(report.words[7].encode())
    trace = _traced(leak, report.pdf[at : at + WORD], tmp_path)

    seen = [target for target, pieces in trace.written.items() if first_known(runs_of_report(report), pieces)]

    assert seen
    assert not any(target.accepted_by(1) or target.what in trace.child_pipes for target in seen)


UNSEEN_WAYS = {
    "from file to file": "os.sendfile(os.open('to', os.O_RDWR | os.O_CREAT), os.open('from', os.O_RDONLY), 0, 100)",
    "copied": "os.copy_file_range(os.open('from', os.O_RDONLY), os.open('to', os.O_RDWR | os.O_CREAT), 100)",
    "spliced": "r, w = os.pipe(); os.splice(os.open('from', os.O_RDONLY), w, 100)",
}


@pytest.mark.parametrize("way", UNSEEN_WAYS.values(), ids=UNSEEN_WAYS)
def test_a_way_that_shows_no_bytes_would_be_seen(way: str, tmp_path: Path) -> None:
    (tmp_path / "from").write_bytes(bytes(200))

    assert _traced(way, b"", tmp_path).unseen


def test_a_file_that_is_mapped_to_be_written_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "leak").write_bytes(bytes(4096))

    trace = _traced("mmap.mmap(os.open('leak', os.O_RDWR), 4096)[:9] = leaked[:9]", b"some bytes", tmp_path)

    assert str(tmp_path / "leak") in trace.mapped


WORD = 24
"""Bytes of the report that such a program gives away."""


def _traced(program: str, leaked: bytes, folder: Path) -> Trace:
    output = folder / "trace"
    prelude = f"import mmap, os, socket, subprocess; leaked = bytes.fromhex('{leaked.hex()}'); "
    script = folder / "script"
    script.write_text(prelude + program)
    tracer = [word for word in strace(output) if word != "-D"]  # so that it ends before we read
    subprocess.run([*tracer, sys.executable, str(script)], cwd=folder, check=True, capture_output=True)
    return read_trace(output)
