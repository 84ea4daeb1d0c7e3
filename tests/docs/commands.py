"""The page of the site that shows the help of every command, as the command line prints it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from g4f_cli.cli import cli


def list_commands(command: click.Command = cli, path: str = "g4f") -> Iterator[tuple[str, click.Command]]:
    """Yield a command with what is typed for it, and all that stand below it."""
    yield path, command
    context = click.Context(command)
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        below = command.get_command(context, name)
        assert below is not None
        if not below.hidden:
            yield from list_commands(below, f"{path} {name}")


def describe_commands() -> str:
    """Write the page: a section for each command."""
    intro = "What `--help` says of each. [The command line](command-line.md) tells what they are for, with examples."
    sections = [f"## `{path}`\n\n```text\n{write_help(path, command)}\n```" for path, command in list_commands()]
    return "\n\n".join(["# Every command and option", intro, *sections]) + "\n"


def write_help(path: str, command: click.Command) -> str:
    """What a terminal of 80 columns shows."""
    return command.get_help(click.Context(command, info_name=path, terminal_width=80, color=False))
