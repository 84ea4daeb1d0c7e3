"""`g4f models`: which models can be asked for, found without importing a provider, and which one is the default."""

from __future__ import annotations

import json
from typing import Any, TypedDict, Unpack

import click

from g4f_cli.choosing import Choice, check_prefix, find_provider, make_client, make_registry
from g4f_cli.failures import say_in_options
from g4f_cli.group import DefaultGroup
from g4f_cli.options import (
    FILLED,
    MODEL,
    base_url_option,
    complete_models,
    complete_providers,
    debug_option,
    json_option,
)
from g4f_cli.running import run
from g4f_cli.settings import change_setting, read_settings
from g4f_cli.surveying import survey
from g4f_cli.terminal import InputError, note


class ListOptions(TypedDict):
    """The options of `list`, as click hands them over."""

    provider: str | None
    base_url: str | None
    live: bool
    as_json: bool


@click.group("models", cls=DefaultGroup, default="list", short_help="List models, or set the default.")
def command() -> None:
    """List the models of the installed providers, or set the one that is asked by default."""


@command.command("list", short_help="List the models of the installed providers.")
@click.argument("text", required=False)
@click.option(
    "-q", "--query", "texts", multiple=True, metavar="TEXT", help="As TEXT; may be repeated, and all must hold."
)
@click.option(
    "-p",
    "--provider",
    type=FILLED,
    metavar="PROVIDER",
    shell_complete=complete_providers,
    help="Only those of this provider.",
)
@click.option("--live", is_flag=True, help="Ask the provider's service which ones it has now; needs -p.")
@base_url_option
@json_option
@debug_option
def list_models(text: str | None, texts: tuple[str, ...], **options: Unpack[ListOptions]) -> None:
    """List the models of the installed providers, or those whose names hold TEXT."""
    provider, base_url = options["provider"], options["base_url"]
    if options["live"] and not (provider or base_url):
        raise InputError("Say whose service is to be asked: g4f models --live -p PROVIDER.")
    if options["live"] or base_url:
        models = run(_ask_service(Choice(providers=(provider,) if provider else (), base_url=base_url)))
    else:
        models = _read_manifests(provider)
    wanted = [one.lower() for one in (text, *texts) if one]
    found = [model for model in models if all(_has_name_like(model, one) for one in wanted)]
    if options["as_json"]:
        click.echo(json.dumps(found, indent=2))
    elif found:
        click.echo(_format_models(found))
    elif wanted:
        note("There is no such model; g4f providers lists who takes any name.")
    else:
        note("No models are listed; g4f models --live -p PROVIDER asks a service, and some take any name.")


@command.command("default", short_help="Show or set the model that is asked by default.")
@click.argument("model", type=MODEL, required=False, shell_complete=complete_models)
@click.option("--unset", is_flag=True, help="Have none any more.")
@json_option
@debug_option
def default(model: str | None, unset: bool, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Show the model that is asked where neither -m nor -p is given, or set it to MODEL.

    It may be written as Provider/model.
    """
    if model is None and not unset:
        chosen = read_settings().model
        click.echo(json.dumps({"model": chosen}) if as_json else chosen or "none")
        return
    if model is not None and unset:
        raise InputError("Name a model, or --unset, not both.")
    change_setting("model", None if model is None else _check_model(model))
    note(f"The default model is {model}." if model else "There is no default model any more.")


def _check_model(model: str) -> str:
    """Return the name of a model that somebody serves.

    Raises:
        InputError: No installed provider lists it, and none is named before it.
    """
    from g4f.known import describe_missing_model

    registry = make_registry()
    names = registry.list_names()
    provider, slash, rest = model.partition("/")
    named = slash and rest and provider.lower() in map(str.lower, names)
    if not named and not registry.find_claimants(model):
        missing = say_in_options(describe_missing_model(model, "chat", names))
        raise InputError(f"{missing} Or write it as Provider/{model}.")
    check_prefix(Choice(model), registry)
    return model


async def _ask_service(choice: Choice) -> list[dict[str, Any]]:
    async with make_client(choice) as client:
        return [model.to_dict() for model in await client.models.list()]


def _read_manifests(provider: str | None) -> list[dict[str, Any]]:
    registry = make_registry()
    only = find_provider(registry, provider).proper_name if provider else None
    states = {report.name: report.state for report in survey(registry)}
    return [
        {
            "id": model.id,
            "provider": ref.name,
            "aliases": list(model.aliases),
            "capabilities": {
                name: manifest.supports(name, model) for name in {**manifest.capabilities, **model.capabilities}
            },
            "context_tokens": model.context_tokens,
            "output_tokens": model.output_tokens,
            "ready": states[ref.name] == "ready",
        }
        for ref, manifest in registry.list_usable()
        for model in manifest.models
        if model.id and only in (None, ref.name)
    ]


def _has_name_like(model: dict[str, Any], text: str) -> bool:
    names = (f"{model['provider']}/{model['id']}", *model.get("aliases", ()))
    return any(text in name.lower() for name in names)


def _format_models(models: list[dict[str, Any]]) -> str:
    from g4f_doctor.tables import find_width, format_table

    rows = [
        (
            model["id"],
            model["provider"],
            "yes" if model.get("ready", True) else "no",
            ", ".join(model.get("aliases", ())),
            ", ".join(name for name, can in model.get("capabilities", {}).items() if can == "yes"),
        )
        for model in models
    ]
    return "\n".join(format_table([("MODEL", "PROVIDER", "READY", "ALSO CALLED", "CAN"), *rows], find_width()))
