"""Groups whose commands are imported when they are used, and that take other words for a default command."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from itertools import takewhile
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import click

from g4f_cli.extensions import NAME, Extension, list_extensions
from g4f_cli.foreign import ABSENT, COMMANDS, HELP, LACKING, explain_command, explain_lacking, names_model
from g4f_cli.interrupts import clean_up_first

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


EXIT_CODES = {
    0: "done",
    1: "the service or the provider failed, or the answer could not be written",
    2: "the command line or an input cannot be used",
    3: "a key is missing or refused",
    130: "interrupted",
}
_NARROW = 52  # columns; click writes no help that is narrower


class HelpFormatter(click.HelpFormatter):
    """Keeps help within narrow terminals too."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        columns = get_terminal_size().columns
        narrow = max(columns - 2, 20) if columns < _NARROW else None
        super().__init__(indent_increment, width or narrow, max_width)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write a list of words and what they mean; the words get a third of a narrow terminal."""
        super().write_dl(rows, col_max if self.width > _NARROW - 2 else self.width // 3, col_spacing)


class _Context(click.Context):
    formatter_class = HelpFormatter


class CommandGroup(click.Group):
    """The program: its own commands, which live in modules of their own, and those that other packages bring.

    Args:
        homes: The module of each command, which holds it as `command`.
        default: The command that gets the words when the first of them names none.
    """

    context_class = _Context

    def __init__(self, *arguments: Any, homes: Mapping[str, str], default: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._homes = homes
        self._default = default

    @cached_property
    def _brought(self) -> Mapping[str, Extension | ExtensionGroup]:
        return arrange_extensions(list_extensions(), self._homes)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """Return the names in the order in which help shows them."""
        return [*self._homes, *sorted(self._brought)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click gives it
        """Import a command."""
        if cmd_name in self._homes:
            return self._load(cmd_name)
        brought = self._brought.get(cmd_name)
        return brought.load() if isinstance(brought, Extension) else brought

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command to run; from here on it cleans up when it is interrupted."""
        found = super().resolve_command(ctx, args)
        clean_up_first()
        return found

    def _load(self, name: str) -> click.Command:
        command: click.Command = import_module(self._homes[name]).command
        command.context_class = _Context
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the group's own options, and put the default command before what is no command."""
        return super().parse_args(ctx, self._place_default(ctx, args))

    def _place_default(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {name for parameter in self.get_params(ctx) for name in parameter.opts}
        at = next((at for at, word in enumerate(args) if word not in own), len(args))
        if not args and not ctx.resilient_parsing:
            return ["--help"] if _is_terminal() else [self._default]
        if at == len(args):
            return args
        if args[at].startswith("-"):
            if not ctx.resilient_parsing:  # a shell asks what may follow
                self._refuse_late_command(ctx, args[at:])
            return [*args[:at], self._default, *args[at:]]
        if self._is_command(args[at]):
            return _ask_command_for_help(args, at, ctx.help_option_names)
        if args[at] in ("help", "version") and len(args) <= at + 2 and all(map(self._is_command, args[at + 1 :])):
            return [*args[:at], *args[at + 1 :], f"--{args[at]}"]
        self._refuse_misspelled(ctx, args[at])
        self._refuse_absent(ctx, args[at], args[at])
        return [*args[:at], *(self._translate_foreign(ctx, args[at:]) or [self._default, *args[at:]])]

    def _is_command(self, word: str) -> bool:
        # Most prompts are no names, so that nobody looks for the commands of other packages.
        return word in self._homes or (NAME.fullmatch(word) is not None and word in self._brought)

    def _refuse_late_command(self, ctx: click.Context, args: list[str]) -> None:
        """Stop a command that stands behind options from being sent to a service as a prompt.

        Raises:
            click.UsageError: There is one.
        """
        words = self._list_words(args)
        before = args[: len(args) - len(words)]
        if not words or before[-1:] == ["--"]:  # which says that a prompt comes
            return
        self._refuse_absent(ctx, words[0], words[0])
        if self._is_command(words[0]) or self._translate_foreign(ctx, words):
            raise click.UsageError(
                f"{words[0]!r} is a command, and its options follow it, as g4f {words[0]} …; "
                f"to ask it: g4f {self._default} …",
                ctx,
            )

    def _list_words(self, args: list[str]) -> list[str]:
        """Return what follows the options of the default command; what is wrong with those is told by the command."""
        read = self._load(self._default).make_context(
            self._default, args[:], resilient_parsing=True, allow_interspersed_args=False
        )
        return list(read.params.get("words") or ())

    def _refuse_absent(self, ctx: click.Context, command: str, said: str) -> None:
        """Stop a word from being sent to a service that means a command whose package is not installed.

        Raises:
            click.UsageError: It does.
        """
        package = ABSENT.get(command)
        if package is not None and not self._is_command(command):
            raise click.UsageError(
                f"The command {command!r} comes with {package}: run g4f install {package}. "
                f"To ask it: g4f {self._default} {said} …",
                ctx,
            )

    def _refuse_misspelled(self, ctx: click.Context, word: str) -> None:
        """Stop a misspelled command from being sent to a service as a prompt.

        Raises:
            click.UsageError: The word is nearly a command.
        """
        from difflib import get_close_matches

        others = [name for name in self._homes if name != self._default]
        swapped = [name for name in others if name != word and sorted(name) == sorted(word)]
        close = swapped or get_close_matches(word, others, 1, cutoff=0.8)
        if close:
            raise click.UsageError(
                f"There is no command {word!r}. Did you mean {close[0]!r}? To ask it: g4f {self._default} {word} …",
                ctx,
            )

    def _translate_foreign(self, ctx: click.Context, words: list[str]) -> list[str] | None:
        """Return our words for a command of ollama, llm or gpt4free; None for a prompt.

        Raises:
            click.UsageError: There is nothing like it here.
        """
        first, *rest = words
        if first.startswith("-"):
            return None
        count = len(list(takewhile(lambda word: not word.startswith("-"), words)))
        if first == "client" and (len(words) <= 2 or rest[0].startswith("-")):
            return [self._default, *rest]
        if first == "run" and rest and rest[0].startswith("-"):
            return ["chat", *rest]
        if first == "run" and names_model(rest):
            return ["chat", "-m", *rest] if len(rest) == 1 else [self._default, "-m", *rest]
        most, ours = COMMANDS.get(first, (0, ()))
        if count <= most:
            self._refuse_absent(ctx, ours[0], first)
            return [*ours, *rest]
        if count <= LACKING.get(first, 0) or (first == "run" and len(rest) in (0, 2)):
            raise click.UsageError(f"{explain_lacking(first)} To ask it: g4f {self._default} {first} …", ctx)
        return None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands, and the options of the default command, which needs not be named."""
        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            found += self._load(self._default).shell_complete(ctx, incomplete)
        return list({item.value: item for item in found}.values())

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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Show the commands; of those that other packages bring, none is imported."""
        own = [(name, self._load(name).get_short_help_str(limit=200)) for name in self._homes]
        brought = [(name, _describe(name, self._brought[name])) for name in sorted(self._brought)]
        with formatter.section("Commands"):
            formatter.write_dl([*own, *brought])
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])


class ExtensionGroup(click.Group):
    """The commands of other packages whose names begin with one word and a dot, as `auth.copilot`."""

    def __init__(self, name: str, extensions: Mapping[str, Extension]) -> None:
        super().__init__(name, short_help=", ".join(extensions))
        self.extensions = extensions

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """Return the names of the commands."""
        return sorted(self.extensions)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click gives it
        """Import a command."""
        found = self.extensions.get(cmd_name)
        return found.load() if found else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Show the commands; none is imported."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, _describe(name, extension)) for name, extension in sorted(self.extensions.items())]
            )


def arrange_extensions(extensions: Iterable[Extension], own: Iterable[str]) -> dict[str, Extension | ExtensionGroup]:
    """Return extensions by the name that users type first; none takes the place of a command of ours.

    Of two with one name the first counts; `g4f doctor` tells of the other.
    """
    top: dict[str, Extension | ExtensionGroup] = {}
    groups: dict[str, dict[str, Extension]] = {}
    for extension in extensions:
        group, dot, name = extension.name.partition(".")
        if NAME.fullmatch(group) is None or (dot and NAME.fullmatch(name) is None) or group in own:
            continue
        if dot:
            groups.setdefault(group, {}).setdefault(name, extension)
        else:
            top.setdefault(group, extension)
    return {name: ExtensionGroup(name, found) for name, found in groups.items()} | top


def _describe(name: str, brought: Extension | ExtensionGroup) -> str:
    extensions = brought.extensions.values() if isinstance(brought, ExtensionGroup) else (brought,)
    if any(extension.distribution == ABSENT.get(name) for extension in extensions):
        return HELP[name]
    if isinstance(brought, ExtensionGroup):
        return f"With {', '.join(sorted(brought.extensions))}."
    return f"Of {brought.distribution}."


class DefaultGroup(click.Group):
    """A group that takes what names none of its commands for words of a default one: `g4f logs` is `g4f logs list`.

    Args:
        default: That command.
        foreign: Words that other programs know here, and ours for them.
    """

    def __init__(
        self, *arguments: Any, default: str, foreign: Mapping[str, Sequence[str]] | None = None, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._default = default
        self._foreign = foreign or {}

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Take a command in; its help is written as all of ours."""
        cmd.context_class = _Context
        super().add_command(cmd, name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command before what is no command."""
        own = {*self.commands, *ctx.help_option_names}
        args = [*self._foreign.get(args[0], args[:1]), *args[1:]] if args else args
        named = args[0] in own if args else ctx.resilient_parsing  # a shell asks what may follow
        if not named and not ctx.resilient_parsing:
            self._refuse_unknown(ctx, list(takewhile(lambda word: not word.startswith("-"), args)))
        return super().parse_args(ctx, args if named else [self._default, *args])

    def _refuse_unknown(self, ctx: click.Context, words: list[str]) -> None:
        """Say that the first word is no command where the default one does not take so many.

        Raises:
            click.UsageError: It does not.
        """
        taken = [one for one in self.commands[self._default].params if isinstance(one, click.Argument)]
        if len(words) > len(taken):
            there = f"There is no command {words[0]!r} of {ctx.command_path}: there are {', '.join(self.commands)}."
            raise click.UsageError(f"{there} {explain_command(self.name or '', words[0])}".rstrip(), ctx)


def _ask_command_for_help(args: list[str], at: int, wishes: Sequence[str]) -> list[str]:
    """Put a wish for help behind the command that it stands before: the command's help is meant."""
    before, asked = ([word for word in args[:at] if (word in wishes) == wished] for wished in (False, True))
    return [*before, args[at], *asked, *args[at + 1 :]]


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
