"""`g4f new-provider`: writes a provider's package that installs and passes its tests before a line is changed."""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword
from pathlib import Path, PurePosixPath
from typing import Any

import click

from g4f_cli.options import debug_option
from g4f_cli.scaffold import DIALECTS, derive_names, is_provider_name, render_package
from g4f_cli.terminal import InputError

_TAKEN = ("g4f", "none", "provider", "providers")


class _Dialect(click.Choice[str]):
    """A dialect for which there is a template."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read what was written."""
        if value in ("anthropic", "gemini"):
            self.fail(
                f"there is no template of it: begin with custom, and look at wire.py of g4f-provider-{value}.",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


@click.command("new-provider", short_help="Write the package of a provider of your own.")
@click.argument("name")
@click.option(
    "--dialect",
    type=_Dialect(DIALECTS),
    default=DIALECTS[0],
    show_default=True,
    help="What the service speaks: OpenAI's dialect, or one of its own, which begins as an example.",
)
@click.option(
    "--base-url",
    metavar="URL",
    default="https://api.example.org/v1",
    show_default=True,
    help="Where the service is.",
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to write the package's folder; default is here.",
)
@debug_option
def command(name: str, dialect: str, base_url: str, directory: Path) -> None:
    """Write a package for the provider NAME, as BigCloud: what people will type to choose it.

    It has a manifest, code, tests, a README, a license and a file for CI. Install it, and its tests pass.
    """
    _check_name(name)
    _check_base_url(base_url)
    names = derive_names(name, base_url, _find_year())
    from g4f_cli.sources import is_installed

    folder = directory / names["distribution"]
    _write_files(folder, render_package(dialect, names))
    # Named first: else pip would take what is called so at the package index, where anybody may have the name.
    kit = () if is_installed("g4f-testkit") else ("  g4f install g4f-testkit",)
    steps = (f"  cd {folder}", *kit, '  python -m pip install -e ".[test]"', "  python -m pytest")
    click.echo("\n".join([f"Wrote {folder}. Go on with:", *steps, "and then with its README.md."]))


def _check_name(name: str) -> None:
    if not is_provider_name(name):
        raise InputError(f"{name!r} cannot be a provider's name: write letters and digits, as BigCloud.")
    if iskeyword(name):
        raise InputError(f"{name!r} cannot be a provider's name: Python has a meaning for it. Write one as BigCloud.")
    if name.lower() in _TAKEN:
        raise InputError(f"{name!r} cannot be a provider's name: g4f has a meaning for it. Write one as BigCloud.")
    from g4f.known import read_known_providers
    from g4f.registry import share_registry

    if share_registry().find_names(name):
        raise InputError(f"A provider {name!r} is installed already: choose another name.")
    known = (word for row in read_known_providers() for word in (row["name"], *row.get("aliases", ())))
    if name.lower() in map(str.lower, known):
        raise InputError(f"{name!r} is the name of a provider that g4f has itself: choose another name.")


def _check_base_url(url: str) -> None:
    from g4f.credentials import check_base_url

    check_base_url(url)


def _find_year() -> int:
    from datetime import date

    return date.today().year  # noqa: DTZ011 - the author's own day is meant


def _write_files(folder: Path, texts: Mapping[PurePosixPath, str]) -> None:
    """Write a new folder; one that is there keeps what it has."""
    try:
        folder.mkdir(parents=True)
        for path, text in texts.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
    except FileExistsError:
        raise InputError(f"{folder} is there already: remove it, or name another --directory.") from None
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.") from None
