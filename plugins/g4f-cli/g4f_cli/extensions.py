"""Commands that other packages bring, as entry points of the group `g4f.commands`; nothing is imported to find them.

The files of the entry points are read by hand (the packaging specification "Entry points"): to import
`importlib.metadata` alone takes half as long as all of `g4f --help`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click

from g4f_cli.text import end_sentence

GROUP = "g4f.commands"
NAME = re.compile(r"[a-z][a-z0-9-]*")
_SECTION = f"[{GROUP}]"


class Extension(NamedTuple):
    """A command of another package.

    Attributes:
        name: Its name; in `auth.copilot` what stands before the dot is the group that it is in.
        home: Where it is, as `module:attribute`.
        distribution: The distribution that brings it.
    """

    name: str
    home: str
    distribution: str

    def load(self) -> click.Command:
        """Import it; in place of one that is broken comes a command that says so."""
        try:
            return self.import_command()
        except ExtensionError as error:
            return _make_failing(self.name.rpartition(".")[2], error)

    def import_command(self) -> click.Command:
        """Import it.

        Raises:
            ExtensionError: It is broken.
        """
        module, _, attribute = self.home.partition(":")
        try:
            found = getattr(import_module(module), attribute)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise ExtensionError(self, f"{type(error).__name__}: {error}") from error
        if not isinstance(found, click.Command):
            raise ExtensionError(self, f"{self.home} is no command of click's")
        return found


class ExtensionError(click.ClickException):
    """A command of another package cannot be used; the text says why."""

    exit_code = 1

    def __init__(self, extension: Extension, why: str) -> None:
        reason = end_sentence(" ".join(why.split()))
        super().__init__(
            f"The command {extension.name} of {extension.distribution} cannot be used: {reason} "
            "Update or uninstall that package."
        )


def _make_failing(name: str, failure: ExtensionError) -> click.Command:
    def fail(words: tuple[str, ...]) -> None:  # noqa: ARG001 - click gives them by name
        raise failure

    return click.Command(
        name,
        callback=fail,
        params=[click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True},
        short_help="Cannot be used.",
        add_help_option=False,
    )


def list_extensions(places: Iterable[str] | None = None) -> list[Extension]:
    """Return the commands of all installed distributions; one that is there twice is found where Python finds it.

    Args:
        places: The folders to look into; default is Python's path.
    """
    found: dict[str, list[Extension]] = {}
    for place in sys.path if places is None else places:
        for file in _list_files(place or os.curdir):
            name = _read_distribution(file)
            if name not in found:
                found[name] = list(_read_file(file, name))
    return [extension for extensions in found.values() for extension in extensions]


def _list_files(place: str) -> Iterator[Path]:
    with suppress(OSError), os.scandir(place) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.endswith((".dist-info", ".egg-info")):
                yield Path(entry.path, "entry_points.txt")


def _read_distribution(file: Path) -> str:
    return re.sub(r"[-_.]+", "-", file.parent.stem.partition("-")[0]).lower()


def _read_file(file: Path, distribution: str) -> Iterator[Extension]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return  # most distributions have no such file
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line
        elif section == _SECTION and "=" in line and not line.startswith(("#", ";")):
            name, home = (part.strip() for part in line.split("=", 1))
            yield Extension(name, home.partition(" ")[0], distribution)
