"""A click group whose commands are imported when they are used, and that takes other words for a default command."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click


class CommandGroup(click.Group):
    """A group of commands that live in modules of their own.

    Args:
        homes: The module of each command, which holds it as `command`.
        default: The command that gets the words when the first of them names none.
    """

    def __init__(self, *arguments: Any, homes: Mapping[str, str], default: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._homes = homes
        self._default = default

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """Return the names in the order in which help shows them."""
        return list(self._homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click gives it
        """Import a command."""
        return self._load(cmd_name) if cmd_name in self._homes else None

    def _load(self, name: str) -> click.Command:
        command: click.Command = import_module(self._homes[name]).command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the group's own options, and put the default command before what is no command."""
        return super().parse_args(ctx, self._place_default(ctx, args))

    def _place_default(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        at = next((at for at, word in enumerate(args) if word not in own), len(args))
        if at == len(args):
            return args if args or _is_terminal() else [self._default]
        if args[at] in self._homes:
            return _ask_command_for_help(args, at, ctx.help_option_names)
        self._refuse_misspelled(ctx, args[at])
        return [*args[:at], self._default, *args[at:]]

    def _refuse_misspelled(self, ctx: click.Context, word: str) -> None:
        """Stop a misspelled command from being sent to a service as a prompt.

        Raises:
            click.UsageError: The word is nearly a command.
        """
        from difflib import get_close_matches

        others = [name for name in self._homes if name != self._default]
        close = get_close_matches(word, others, 1, cutoff=0.8)
        if close:
            raise click.UsageError(
                f"There is no command {word!r}. Did you mean {close[0]!r}? To ask it: g4f {self._default} {word} …",
                ctx,
            )

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show both ways to call it."""
        formatter.write_usage(ctx.command_path, "[OPTIONS] PROMPT...")
        formatter.write_usage(ctx.command_path, "COMMAND [OPTIONS] ...", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the options of the default command too: they need no command before them."""
        own = self.get_params(ctx)
        names = {option.name for option in own}
        extra = [option for option in self._load(self._default).params if option.name not in names]
        options = [option for option in (*extra, *own) if isinstance(option, click.Option)]
        rows = [option.get_help_record(ctx) for option in options]
        with formatter.section("Options"):
            formatter.write_dl([row for row in rows if row is not None])
        self.format_commands(ctx, formatter)


class DefaultGroup(click.Group):
    """A group that takes what names none of its commands for words of a default one: `g4f logs` is `g4f logs list`.

    Args:
        default: That command.
    """

    def __init__(self, *arguments: Any, default: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command before what is no command."""
        own = {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if args and args[0] in own else [self._default, *args])


def _ask_command_for_help(args: list[str], at: int, wishes: Sequence[str]) -> list[str]:
    """Put a wish for help behind the command that it stands before: the command's help is meant."""
    before, asked = ([word for word in args[:at] if (word in wishes) == wished] for wished in (False, True))
    return [*before, args[at], *asked, *args[at + 1 :]]


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
