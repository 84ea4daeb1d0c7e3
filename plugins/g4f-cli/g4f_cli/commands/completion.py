"""`g4f completion`: prints what lets a shell complete commands, options, models and providers with the Tab key."""

from __future__ import annotations

import click

from g4f_cli.options import debug_option

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion", short_help="Print what lets a shell complete commands.")
@click.argument("shell", type=click.Choice(_SHELLS))
@debug_option
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print what lets SHELL complete commands with the Tab key.

    \b
    bash   add to ~/.bashrc                    eval "$(g4f completion bash)"
    zsh    add to ~/.zshrc, after compinit     eval "$(g4f completion zsh)"
    fish   add to ~/.config/fish/config.fish   g4f completion fish | source
    """  # noqa: D301 - \b keeps click from filling the list
    from click import shell_completion

    kinds = {
        "bash": shell_completion.BashComplete,
        "zsh": shell_completion.ZshComplete,
        "fish": shell_completion.FishComplete,
    }
    click.echo(kinds[shell](context.find_root().command, {}, "g4f", "_G4F_COMPLETE").source())
