"""`g4f uninstall`: removes providers."""

from __future__ import annotations

import click

from g4f_cli.options import debug_option
from g4f_cli.terminal import note


@click.command("uninstall", short_help="Remove providers.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@debug_option
def command(names: tuple[str, ...]) -> None:
    """Remove the package of a provider, with all providers in it; NAME is a provider, or a package."""
    from g4f_cli.installing import find_installed, uninstall

    for package in dict.fromkeys(map(find_installed, names)):
        note(f"Removing {package}.")
        uninstall(package)
