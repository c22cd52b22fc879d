"""`sealmark completion bash|zsh`"""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, ZshComplete

SHELLS = {"bash": BashComplete, "zsh": ZshComplete}
VARIABLE = "_SEALMARK_COMPLETE"
"""What click derives from the program's name and looks for."""


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion for a shell.

    \b
    bash:  sealmark completion bash > ~/.local/share/bash-completion/completions/sealmark
    zsh:   sealmark completion zsh > "${fpath[1]}/_sealmark"
    """
    root = ctx.find_root().command
    made = SHELLS[shell](root, {}, "sealmark", VARIABLE)
    click.echo(made.source_template % made.source_vars())
