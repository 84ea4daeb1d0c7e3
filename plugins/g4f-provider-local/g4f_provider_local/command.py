"""`g4f download`: fetches weights ahead, lists what is there, and removes it.

The command line brings click and finds this by the entry point `download` of the group `g4f.commands`.
"""

from __future__ import annotations

import asyncio
import json

import click
from click.shell_completion import CompletionItem

from g4f_provider_local.catalogue import read_catalogue
from g4f_provider_local.download import ensure_model, list_models, remove_model
from g4f_provider_local.progress import ProgressLine


def _complete_model(_: click.Context, __: click.Parameter | None, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in read_catalogue() if name.startswith(incomplete)]


class _Group(click.Group):
    """Takes what is no command for the name of a model."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command, or a model."""
        return [*super().shell_complete(ctx, incomplete), *_complete_model(ctx, None, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `get` before a model, or before nothing at all."""
        known = {*self.commands, *ctx.help_option_names}
        named = args[0] in known if args else ctx.resilient_parsing  # a shell asks what may follow
        return super().parse_args(ctx, args if named else ["get", *args])


@click.group("download", cls=_Group, subcommand_metavar="[MODEL] | list | remove MODEL")
def command() -> None:
    """Fetch the weights of a local model ahead of its first use; of the default one where none is named.

    A fetch that was interrupted goes on where it ended.
    """


@command.command("get", hidden=True)
@click.argument("model", required=False, shell_complete=_complete_model)
def get(model: str | None) -> None:
    """Fetch the weights of MODEL, and print the path of their file."""
    name = model or next(iter(read_catalogue()))
    with ProgressLine(f"Local: {name}") as progress:
        path = asyncio.run(ensure_model(name, progress))
    click.echo(path)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_models(*, as_json: bool) -> None:
    """List the models that can be fetched, and where those that were are."""
    models = list_models()
    if as_json:
        click.echo(json.dumps(models, indent=2))
        return
    for model in models:
        click.echo(
            f"{model['id']:30}{model['size'] / 1e6:6.0f} MB  {model['license']:12}{model['path'] or ''}".rstrip()
        )


@command.command("remove")
@click.argument("model", shell_complete=_complete_model)
def remove(model: str) -> None:
    """Remove the weights of MODEL, or what was fetched of them."""
    freed = remove_model(model)
    click.echo(f"{freed / 1e6:.0f} MB are free again.")
