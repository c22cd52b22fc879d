"""`sealmark serve | worker | demo | migrate | doctor`"""

from __future__ import annotations

import os
from pathlib import Path

import click

from service.cli.failures import UNAVAILABLE
from service.cli.output import answer, json_option, table


@click.command()
@click.option("--with-worker", is_flag=True, help="Run the worker inside, too: for small installations.")
def serve(with_worker: bool) -> None:
    """Serve the API and the recipients' pages until SIGTERM."""
    from service import settings
    from service.serving import serve as serve_forever

    serve_forever(settings.load(os.environ), with_worker=with_worker)


@click.command()
def worker() -> None:
    """Run what works beside requests, until SIGTERM.

    It compiles, gives entries of the log their place, and sweeps. Any number may run.
    """
    from service import settings
    from service.serving import run_worker

    run_worker(settings.load(os.environ))


@click.command()
@json_option
def migrate(as_json: bool) -> None:
    """Bring the database to this program's schema."""
    from service import settings
    from service.adapters.sql.migrate import migrate as bring
    from service.settings import read_secret

    chosen = settings.load(os.environ)
    password = None
    if chosen.database_password_file:
        password = read_secret(chosen.database_password_file, "DATABASE_PASSWORD_FILE")
    answer({"revision": bring(chosen.database, password)}, as_json)


@click.command(short_help="Check each part, and say what to mend.")
@click.option(
    "--list", "list_settings", is_flag=True, help="Print all settings with their meaning, and check nothing."
)
@json_option
@click.pass_context
def doctor(ctx: click.Context, list_settings: bool, as_json: bool) -> None:
    """Check settings, store, database, keys, clock, child process and fonts, and say what to mend."""
    from service.doctor import FAILED, examine
    from service.settings import PREFIX, SETTINGS

    if list_settings:
        rows = [{"setting": PREFIX + name, "meaning": meaning} for name, meaning in SETTINGS.items()]
        if as_json:
            answer({"settings": rows}, as_json)
        else:
            table(rows, ("setting", "meaning"))
        return
    findings = examine(os.environ)
    if as_json:
        answer({"checks": [finding.__dict__ for finding in findings]}, as_json)
    else:
        width = max(len(finding.check) for finding in findings)
        for finding in findings:
            click.echo(f"{finding.state:<7}  {finding.check:<{width}}  {finding.detail}")
            if finding.mend:
                click.echo(f"{'':<7}  {'':<{width}}  mend: {finding.mend}")
    if any(finding.state == FAILED for finding in findings):
        ctx.exit(UNAVAILABLE)


@click.command()
@click.option(
    "--store",
    type=click.Choice(["folder", "minio"]),
    default="folder",
    show_default=True,
    help="Where sealed objects rest.",
)
@click.option(
    "--database",
    type=click.Choice(["sqlite", "postgresql"]),
    default="sqlite",
    show_default=True,
    help="Where records live.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".data"),
    show_default=True,
    help="Where the demo's data lies.",
)
@click.option("--exit-after-ready", is_flag=True, hidden=True)
@json_option
def demo(store: str, database: str, folder: Path, exit_after_ready: bool, as_json: bool) -> None:
    """Try Sealmark with a sample report; Ctrl-C ends it."""
    from service.demo.command import run_demo

    run_demo(store, database, folder, exit_after_ready=exit_after_ready, as_json=as_json)
