"""`g4f uninstall`: removes providers, after it has named all that go with them."""

from __future__ import annotations

import click

from g4f_cli.options import complete_providers, debug_option
from g4f_cli.terminal import confirm, note


@click.command("uninstall", short_help="Remove providers.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_providers)
@click.option("-y", "--yes", is_flag=True, help="Remove them without asking.")
@debug_option
def command(names: tuple[str, ...], yes: bool) -> None:  # noqa: FBT001 - click's way
    """Remove the package of a provider, with all providers in it; NAME is what g4f install takes."""
    from g4f_cli.installing import find_installed, list_providers_of, uninstall

    packages = {package: list_providers_of(package) for package in map(find_installed, names)}
    if not yes:
        for package, providers in packages.items():
            loss = f"{package} goes with all that is in it: {', '.join(providers) or 'no provider'}."
            confirm(loss, "Remove it?", remedy="Agree with --yes.", otherwise="Nothing was removed.")
    for package, providers in packages.items():
        note(f"Removing {package}.")
        uninstall(package)
        note(f"{', '.join(providers) or package} {'are' if len(providers) > 1 else 'is'} removed.")
