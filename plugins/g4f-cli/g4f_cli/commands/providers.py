"""`g4f providers`: what is installed and what it needs, found without importing any of it, and who is preferred."""

from __future__ import annotations

import json

import click

from g4f_cli.choosing import find_provider
from g4f_cli.group import DefaultGroup
from g4f_cli.options import complete_providers, debug_option, json_option
from g4f_cli.settings import change_setting, read_settings
from g4f_cli.surveying import survey
from g4f_cli.terminal import InputError, note


@click.group("providers", cls=DefaultGroup, default="list", short_help="List providers, or set the default.")
def command() -> None:
    """List the installed providers, or set the one that is preferred."""


@command.command("list", short_help="List the installed providers and what they need.")
@json_option
@debug_option
def list_providers(as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """List the installed providers, what they can, and what they need."""
    from g4f_doctor.package import find_package, load_registry
    from g4f_doctor.tables import find_width
    from g4f_doctor.text import format_providers

    providers = list(survey(load_registry(find_package())))
    if as_json:
        click.echo(json.dumps([provider._asdict() for provider in providers], indent=2))
    else:
        click.echo(format_providers(providers, find_width()))


@command.command("default", short_help="Show or set the provider that is preferred.")
@click.argument("name", required=False, shell_complete=complete_providers)
@click.option("--unset", is_flag=True, help="Prefer none any more.")
@json_option
@debug_option
def default(name: str | None, unset: bool, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Show the provider that is preferred where G4F_PROVIDERS names none, or set it to NAME."""
    if name is None and not unset:
        chosen = read_settings().provider
        click.echo(json.dumps({"provider": chosen}) if as_json else chosen or "none")
        return
    if name is not None and unset:
        raise InputError("Name a provider, or --unset, not both.")
    from g4f.registry import share_registry

    proper = None if name is None else find_provider(share_registry(), name).proper_name
    change_setting("provider", proper)
    note(f"The preferred provider is {proper}." if proper else "No provider is preferred any more.")
