"""`g4f install`: adds providers from a checkout or a folder, and from the package index only when the user agrees."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from g4f_cli.options import complete_known_providers, debug_option
from g4f_cli.terminal import InputError, note


@click.command("install", short_help="Install providers.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_known_providers)
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="A folder of wheels, or a checkout. Default: the checkout that g4f was installed from.",
)
@click.option("--index", is_flag=True, help="Take what is not there from the package index, without asking.")
@debug_option
def command(names: tuple[str, ...], folder: Path | None, index: bool) -> None:  # noqa: FBT001 - click's way
    """Install providers, as g4f install gemini.

    NAME is a provider, or a package. Where it comes from is said before it is installed.
    """
    from g4f_cli.installing import Source, find_package, find_source, install

    found: dict[str, Source] = {}
    for name in names:
        package = find_package(name)
        found[package] = find_source(package, folder)
        if not (found[package].is_local or index):
            _ask_for_index(package)
    for package, source in found.items():
        note(f"Installing {package} from {source.requirement if source.is_local else 'the package index'}.")
        install(source)
        note(f"{package} is installed.")
    for name in names:
        _tell_needs(name, find_package(name))


def _ask_for_index(package: str) -> None:
    """Go on only if the user wants a stranger's package.

    Raises:
        InputError: There is nobody to ask.
        click.Abort: The user does not.
    """
    risk = f"{package} is in no checkout here, and at the package index anybody may have taken its name."
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError(f"{risk} Name a folder with --from, or agree with --index.")
    if not click.confirm(f"{risk} Install it from there?", err=True):
        raise click.Abort


def _tell_needs(name: str, package: str) -> None:
    """Say which keys are needed: by the provider that was named, or by all of the package that was."""
    from g4f.known import find_proper_name, read_known_providers

    rows = [row for row in read_known_providers() if row.get("package") == package]
    proper = (find_proper_name(name) or name).lower()
    named = [row for row in rows if row["name"].lower() == proper]
    for row in named or rows:
        if row.get("variables"):
            variables = " or ".join(row["variables"])
            note(f"{row['name']} needs a key: set {variables}, or run g4f keys set {row['name']}.")
