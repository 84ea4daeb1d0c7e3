"""The command `g4f` itself: its commands by name, its own options and its help."""

from __future__ import annotations

import click

from g4f_cli.group import CommandGroup
from g4f_cli.options import debug_option

COMMANDS = {
    "ask": "g4f_cli.commands.ask",
    "chat": "g4f_cli.commands.chat",
    "image": "g4f_cli.commands.image",
    "models": "g4f_cli.commands.models",
    "providers": "g4f_cli.commands.providers",
    "keys": "g4f_cli.commands.keys",
    "logs": "g4f_cli.commands.logs",
    "doctor": "g4f_cli.commands.doctor",
    "install": "g4f_cli.commands.install",
    "uninstall": "g4f_cli.commands.uninstall",
    "completion": "g4f_cli.commands.completion",
    "new-provider": "g4f_cli.commands.new_provider",
}


def _show_version(context: click.Context, _: click.Parameter, wanted: object) -> None:
    if wanted:
        click.echo(f"g4f {_read_version('g4f-cli')} (g4f-core {_read_version('g4f-core')})")
        context.exit()


def _read_version(distribution: str) -> str:
    # From the metadata: importing g4f to ask it would run whatever project has that name here.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


@click.group(
    "g4f",
    cls=CommandGroup,
    homes=COMMANDS,
    default="ask",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the versions and exit.",
)
@debug_option
def cli() -> None:
    """Ask AI services, and have them draw, from the command line.

    What is no command is a prompt: g4f "Why is the sky blue?" is short for g4f ask "Why is the sky blue?".
    """
