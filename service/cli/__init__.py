"""The command line: `sealmark <plural noun> <verb>`, in this process, as the user of the system.

`sealmark mark`, `sealmark inspect` and `sealmark witness` need no service, and no settings.

Answers go to standard output, everything else to standard error. Exit status: 0 done, 1 refused, 2 wrong usage or
settings, 3 something that is needed is not available, 130 broken off by Ctrl-C.
"""

from __future__ import annotations

import os
import sys

import click

from service.cli import (
    access_requests,
    access_rules,
    api_keys,
    completion,
    cuts,
    documents,
    evidence,
    holds,
    inspect,
    keys,
    log,
    mark,
    ndas,
    operate,
    recipients,
    report,
    shares,
    versions,
    webhooks,
    witness,
)
from service.cli.failures import USAGE, explain
from service.hardening import PRIVATE_UMASK, refuse_core_dumps

INTERRUPTED = 128 + 2
"""What shells report for a program that Ctrl-C ended."""

EPILOG = (
    "Settings come from the environment (SEALMARK_…); `sealmark doctor --list` prints them. Exit status: 0 done, "
    "1 refused, 2 wrong usage or settings, 3 something needed is not available."
)


@click.group(
    epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="sealmark", prog_name="sealmark")
def cli() -> None:
    """Lend confidential PDF reports to named people: sealed at rest, marked per recipient, every access logged."""


for command in (
    documents.documents,
    versions.versions,
    cuts.cuts,
    recipients.recipients,
    ndas.ndas,
    holds.holds,
    shares.shares,
    access_requests.requests,
    access_rules.rules,
    webhooks.webhooks,
    log.log,
    evidence.evidence,
    report.report,
    mark.mark,
    inspect.inspect,
    witness.witness,
    keys.keys,
    api_keys.api_keys,
    operate.serve,
    operate.worker,
    operate.demo,
    operate.migrate,
    operate.doctor,
    completion.completion,
):
    cli.add_command(command)
cli.add_command(shares.create, "share")


def main() -> None:
    """Run the command of this process's arguments, and end the process with its status."""
    os.umask(PRIVATE_UMASK)
    refuse_core_dumps()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns its exit status. A failure that is foreseen is one line on standard error."""
    try:
        return int(cli.main(arguments, prog_name="sealmark", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.ClickException as error:
        return _fail(error.format_message(), USAGE)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        explained = explain(error) or _unreadable(error, arguments)
        if explained is None:
            raise
        return _fail(*explained)


def _unreadable(error: Exception, arguments: list[str]) -> tuple[str, int] | None:
    """What to say where an argument is no text. Names of files may be none, so that is seen where it is used."""
    if isinstance(error, ValueError):
        for argument in arguments:
            if "\0" in argument or any("\ud800" <= character <= "\udfff" for character in argument):
                return f"The argument {argument!r} is no text in UTF-8.", USAGE
    return None


def _fail(message: str, status: int) -> int:
    click.echo(f"sealmark: {' '.join(message.split())}", err=True)
    return status
