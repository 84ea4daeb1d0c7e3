"""Options that several commands share, and what they write down for the program as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


class Invocation:
    """One run of the program.

    Attributes:
        debug: Whether errors are shown with their traceback.
    """

    def __init__(self) -> None:
        self.debug = False


class PositiveNumber(click.ParamType[float]):
    """A number that is neither 0 nor endless.

    Args:
        kind: `int` or `float`.
        name: What it is, for the error.
    """

    def __init__(self, kind: type[float], name: str) -> None:
        self._kind = kind
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read what was written."""
        try:
            number = self._kind(value)
        except ValueError:
            number = 0
        if not 0 < number < float("inf"):
            self.fail(f"{value!r} is no {self.name}.", param, ctx)
        return number


class Filled(click.ParamType[str]):
    """A text that is not empty, as that of a shell's variable is which is not set."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read what was written."""
        if not str(value).strip():
            self.fail("it is empty: write one, or leave it out.", param, ctx)
        return str(value)


class FilledPath(click.Path):
    """A path that is not empty."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read what was written."""
        return super().convert(FILLED.convert(os.fspath(value), param, ctx), param, ctx)


FILLED = Filled()


class _Model(Filled):
    """A model's name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read what was written."""
        if str(value).endswith("/"):
            self.fail(
                f"no model stands behind the slash of {value!r}; to name a provider alone: -p PROVIDER.", param, ctx
            )
        return super().convert(value, param, ctx)


MODEL = _Model()


def _set_debug(context: click.Context, _: click.Parameter, wanted: object) -> None:
    if wanted:
        context.ensure_object(Invocation).debug = True


def debug_option(function: F) -> F:
    """Add `--debug`, which may stand before and after a command's name."""
    return click.option(
        "--debug",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_set_debug,
        help="Show the traceback of an error, without keys.",
    )(function)


class ChoiceOptions(TypedDict):
    """What `choice_options` hands over."""

    model: str | None
    providers: tuple[str, ...]
    base_url: str | None
    timeout: float | None
    key: str | None


def choice_options(function: F) -> F:
    """Add the options that say who serves: `-m`, `-p`, `--base-url`, `--key` and `--timeout`."""
    for add in reversed((_model_option, _provider_option, base_url_option, _key_option, _timeout_option)):
        function = add(function)
    return function


def complete_models(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """List the models that the installed providers know by name."""
    from g4f.registry import share_registry

    usable = share_registry().list_usable()
    names = [
        name for ref, manifest in usable for model in manifest.models for name in (model.id, f"{ref.name}/{model.id}")
    ]
    return [name for name in names if name.startswith(incomplete) and not name.endswith("/")]


def complete_providers(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """List the installed providers."""
    from g4f.registry import share_registry

    return _select(share_registry().list_names(), incomplete)


def complete_known_providers(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """List the providers that have a package, installed or not."""
    from g4f.known import read_known_providers

    return _select((row["name"] for row in read_known_providers() if "package" in row), incomplete)


def complete_conversations(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """List the conversations that are kept, the latest first."""
    from click.shell_completion import CompletionItem

    from g4f_cli.history import find_database, open_history

    if not find_database().exists():
        return []
    with open_history() as history:
        return [CompletionItem(one.id, help=one.title) for one in history.list() if one.id.startswith(incomplete)]


def _complete_parameters(context: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from g4f.chat import ChatOptions
    from g4f.images import ImageOptions

    known = ImageOptions if context.info_name == "image" else ChatOptions
    return _select(known.__annotations__, incomplete)


def _select(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.lower().startswith(incomplete.lower())]


def _model_option(function: F) -> F:
    return click.option(
        "-m",
        "--model",
        type=MODEL,
        shell_complete=complete_models,
        metavar="MODEL",
        help='The model, as "gpt-5" or "Provider/model"; default is that of `g4f models default`, or the provider\'s.',
    )(function)


def _split_names(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for text in given for name in (part.strip() for part in text.split(",")) if name)


def _provider_option(function: F) -> F:
    return click.option(
        "-p",
        "--provider",
        "providers",
        type=FILLED,
        multiple=True,
        callback=_split_names,
        shell_complete=complete_providers,
        metavar="PROVIDER",
        help="Who serves. Give it again, or A,B, to say who is tried next when one fails.",
    )(function)


def base_url_option(function: F) -> F:
    """Add `--base-url`."""
    return click.option(
        "--base-url",
        type=FILLED,
        metavar="URL",
        help="A server of your own that speaks OpenAI's dialect, or another address of the provider.",
    )(function)


def _key_option(function: F) -> F:
    return click.option(
        "--key",
        metavar="KEY",
        help="A key for this once, which other users can see while it runs; `g4f keys set` hides one.",
    )(function)


def _timeout_option(function: F) -> F:
    return click.option(
        "--timeout",
        type=PositiveNumber(float, "number of seconds above 0, as 30 or 0.5"),
        metavar="SECONDS",
        help="How long to wait for the connection, for the answer, and between its pieces.",
    )(function)


def attach_option(what: str) -> Callable[[F], F]:
    """Add `-a/--attach`; `what` says what the picture is for."""
    return click.option(
        "-a",
        "--attach",
        type=FilledPath(allow_dash=True),
        multiple=True,
        metavar="FILE",
        help=f'{what}: a path, a URL, or "-" for standard input. May be repeated.',
    )


class ParameterOptions(TypedDict):
    """What `parameter_options` hands over."""

    parameters: tuple[tuple[str, str], ...]
    provider_parameters: tuple[tuple[str, str], ...]


def parameter_options(*names: str) -> Callable[[F], F]:
    """Add an option of these names for parameters of the service, and `--provider-option`."""

    def add(function: F) -> F:
        return service(provider(function))

    service = click.option(
        *names,
        "parameters",
        type=(str, str),
        shell_complete=_complete_parameters,
        multiple=True,
        metavar="NAME VALUE",
        help="A parameter of the service, as temperature 0.2. May be repeated.",
    )
    provider = click.option(
        "--provider-option",
        "provider_parameters",
        type=(str, str),
        multiple=True,
        metavar="NAME VALUE",
        help="An option that only the provider knows, as n_ctx 4096 of Local. May be repeated.",
    )
    return add


def conversation_options(function: F) -> F:
    """Add `-c`, `--cid` and `--no-log`."""
    no_log = click.option("-n", "--no-log", is_flag=True, help="Keep nothing of this conversation.")
    name = click.option(
        "--cid",
        type=FILLED,
        metavar="ID",
        shell_complete=complete_conversations,
        help="Go on with the conversation of this id; g4f logs lists them.",
    )
    last = click.option("-c", "--continue", "go_on", is_flag=True, help="Go on with the last conversation.")
    return last(name(no_log(function)))


def json_option(function: F) -> F:
    """Add `--json`, passed on as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)
