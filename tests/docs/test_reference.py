"""The reference pages leave nothing out: every name that the code knows and a user may meet stands there."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import click
import pytest

import g4f
from docs.pages import ROOT, Page, read_page
from g4f import chat, embeddings, errors, images, manifest
from g4f.client import _arguments, _chat, _embeddings, _images, _models, _parse
from g4f.context import Call, Context, HttpRequest, Limits, Timeout
from g4f.hookspecs import ProviderHooks
from g4f.values import Value
from g4f.wire.dialect import Wire
from g4f_cli.cli import cli
from g4f_cli.slash import COMMANDS

REFERENCE = ROOT / "docs" / "reference"
_CODE = re.compile(r"`([^`]+)`")
_WORD = re.compile(r"[\w.-]+")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
# Words in capitals that are no variables which anybody sets for g4f.
_GEMINI_WORDS = (
    "API_KEY_INVALID",
    "IMAGE_OTHER",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "IMAGE_SAFETY",
    "INVALID_ARGUMENT",
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "MAX_TOKENS",
    "MODEL_ARMOR",
    "PROHIBITED_CONTENT",
    "PUP_LIMITED_DISABLED",
    "RESOURCE_EXHAUSTED",
    "UNEXPECTED_TOOL_CALL",
)
_NO_VARIABLES = {
    "COPILOT_GITHUB_TELEMETRY_DISABLED": "set by CopilotAccount for its program alone",
    "OMP_WAIT_POLICY": "set by Local for its runtime alone",
    "O_BINARY": "a flag of os.open",
    "PIP_REQUIRE_HASHES": "set by Local for the pip that it runs",
    "PIP_REQUIRE_VIRTUALENV": "set by Local for the pip that it runs",
    "WHEEL_PKG_DIR": "a setting that Python was built with",
    **dict.fromkeys(_GEMINI_WORDS, "a word of the Gemini API"),
}


def read_words(*names: str) -> set[str]:
    """Every word that stands in code, in the prose of reference pages."""
    pages = [read_page(REFERENCE / f"{name}.md") for name in names]
    codes = {code for page in pages for code in _CODE.findall(page.prose)}
    words = {word for code in codes for word in _WORD.findall(code)}
    return words | {part for word in words for part in word.split(".")}


def check_told(wanted: Iterable[str], *pages: str) -> None:
    missing = sorted(set(wanted) - read_words(*pages))
    assert not missing, f"{', '.join(pages)} should tell of {missing}"


def list_public(kind: type) -> list[str]:
    """The names of a class's own members."""
    return [name for name in vars(kind) if not name.startswith("_")]


def list_fields(kind: type) -> list[str]:
    """The public arguments of an attrs class."""
    return [name for name in inspect.signature(kind).parameters if not name.startswith("_")]


def test_every_hook_is_told() -> None:
    """With what it gets and what it may use."""
    check_told(list_public(ProviderHooks), "hooks")
    requests = (chat.ChatRequest, images.ImageRequest, embeddings.EmbeddingRequest)
    check_told([name for request in requests for name in list_fields(request)], "hooks")
    context = set(list_fields(Context)) - {"fetch", "secret"} | {"warn", "fetch", "secret"}
    check_told([*context, *list_fields(Call), *list_fields(HttpRequest)], "hooks")
    check_told(list_public(Wire), "hooks")


def test_every_error_is_told() -> None:
    """With all that it carries."""
    classes = [
        item
        for module in (errors, manifest)
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, errors.G4FError)
    ]
    told = inspect.signature(errors.APIError).parameters | inspect.signature(errors.APIStatusError).parameters
    check_told([*(item.__name__ for item in classes), *(name for name in told if name != "common")], "errors")


def test_the_tree_of_errors_is_the_one_in_the_code() -> None:
    """It is drawn once in the module and once in the reference."""
    page = read_page(REFERENCE / "errors.md").text
    drawn = [line.removeprefix("    ") for line in (errors.__doc__ or "").splitlines() if re.search("[├└│]", line)]
    assert len(drawn) > 10
    assert "\n".join(drawn) in page


async def read_nothing() -> AsyncIterator[g4f.Chunk]:
    return
    yield


def test_all_that_a_stream_knows_is_told() -> None:
    """Beside those of a completion."""
    made = g4f.ChatStream(read_nothing())
    own = {name for name in vars(type(made)) if not name.startswith("_")}
    check_told(own - {"begin_later"}, "client")


def list_manifest_keys() -> set[str]:
    """The keys that the reader of manifests asks for."""
    tree = ast.parse(Path(manifest.__file__).read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    readers = {name for name in vars(manifest._Table) if not name.startswith("_")}
    return {
        call.args[0].value
        for call in calls
        if call.func.attr in readers and call.args and isinstance(call.args[0], ast.Constant)
    }


def test_every_key_of_a_manifest_is_told() -> None:
    """And every capability."""
    keys = list_manifest_keys()
    assert {"contract", "models", "first_party", "base_url_variable"} <= keys
    check_told([*keys, *manifest.CAPABILITIES], "manifest")


def test_the_example_of_a_manifest_is_one() -> None:
    """It is read without an error, and shows every key but those that few need."""
    example = next(block for block in read_page(REFERENCE / "manifest.md").blocks if block.language == "toml")
    manifest.parse_manifest(example.code)
    shown = set(re.findall(r"\w+", example.code))
    assert list_manifest_keys() - shown == {
        "base_url_path",
        "base_url_required",
        "dialect",
        "hosts",
        "kind",
        "prefix",
        "required",
        "service",
        "sign_in",
    }


def list_variables() -> Iterator[str]:
    """The environment variables that code or manifests name."""
    for path in [*ROOT.glob("core/**/*.py"), *ROOT.glob("plugins/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _VARIABLE.fullmatch(node.value):
                yield node.value
    for path in ROOT.glob("plugins/*/*/*.toml"):
        yield from _find_variables(tomllib.loads(path.read_text("utf-8")))


def _find_variables(value: object) -> Iterator[str]:
    if isinstance(value, str) and _VARIABLE.fullmatch(value):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _find_variables(item)


def test_every_variable_of_the_environment_is_told() -> None:
    """Whoever reads it: the core, or a plugin of this project."""
    variables = set(list_variables()) - _NO_VARIABLES.keys()
    assert {"G4F_PROVIDERS", "OPENAI_API_KEY", "CUSTOM_BASE_URL"} <= variables
    check_told(variables, "environment")


def test_the_values_of_parse_are_among_the_values() -> None:
    """They are imported only where they are needed."""
    assert _parse.ParsedCompletion in list_values()


def test_every_argument_of_the_clients_is_told() -> None:
    """Those of a client, and those of each call."""
    kinds = (
        _arguments.ClientArguments,
        _arguments.ChatArguments,
        _arguments.ImageArguments,
        _arguments.EmbeddingArguments,
        _arguments.CallArguments,
    )
    named = {name for kind in kinds for name in kind.__annotations__}
    calls = (
        _chat.Completions.create,
        _chat.Completions.parse,
        _images.ImagesResource.generate,
        _images.ImagesResource.edit,
        _images.ImagesResource.create_variation,
        _embeddings.EmbeddingsResource.create,
        _models.Models.list,
        _models.Models.retrieve,
        g4f.AsyncClient,
    )
    positional = {name for call in calls for name in inspect.signature(call).parameters} - {"self", "arguments"}
    check_told([*named, *positional, *list_fields(Timeout), *list_fields(Limits), *list_public(g4f.Registry)], "client")


def list_values() -> list[type[Value]]:
    """Every kind of answer, and of what is in one."""
    found: dict[type[Value], None] = {}
    pending: list[type[Value]] = [Value]
    while pending:
        kind = pending.pop()
        found[kind] = None
        pending += kind.__subclasses__()
    return list(found)


@pytest.mark.parametrize("kind", list_values())
def test_every_field_of_an_answer_is_told(kind: type[Value]) -> None:
    """And what can be done with every value."""
    assert kind.__module__.startswith("g4f")
    check_told([*kind._names, *(name for name in list_public(kind) if not hasattr(Value, name))], "client")
    check_told(list_public(Value), "client")


def test_everything_that_g4f_exports_is_told() -> None:
    """Somewhere in the reference."""
    check_told(g4f._HOMES, *(path.stem for path in REFERENCE.glob("*.md")))
    check_told(["g4f.Provider", "g4f.models.default"], "client")


def list_commands(command: click.Command = cli) -> Iterator[click.Command]:
    """A command, and all that stand below it."""
    yield command
    context = click.Context(command)
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        below = command.get_command(context, name)
        assert below is not None
        if not below.hidden:
            yield from list_commands(below)


def test_every_command_and_option_is_told() -> None:
    """In the page about the command line."""
    names = [str(command.name) for command in list_commands()]
    options = [
        option
        for command in list_commands()
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    ]
    check_told([*names, *options, "--help", "-h"], "command-line")
    check_told([name.removeprefix("/") for name in COMMANDS], "command-line")


def test_the_exit_codes_are_those_of_the_help() -> None:
    """The help of `g4f` lists them too."""
    page: Page = read_page(REFERENCE / "command-line.md")
    lines = re.findall(r"^ +(\d+) +(\S.+)$", cli.help or "", re.MULTILINE)
    assert len(lines) >= 5
    for code, meaning in lines:
        assert f"| {code} | {meaning} |" in page.text


def test_the_messages_of_the_troubleshooting_are_those_that_are_said() -> None:
    """Whoever changes one finds its remedy; `…` stands for what varies."""
    page = read_page(ROOT / "docs" / "how-to" / "troubleshooting.md")
    messages = re.findall(r"^\| `([^`]+)`", page.prose, re.MULTILINE)
    said = " ".join(_list_texts())
    parts = [part.strip(" '") for message in messages for part in message.split("…") if len(part) > 3]
    assert len(parts) > 20
    assert [part for part in parts if part not in said] == []


def _list_texts() -> Iterator[str]:
    """The texts in the code, those with values in them without their braces, and the scripts."""
    for path in [*ROOT.glob("core/**/*.py"), *ROOT.glob("plugins/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"\{[^{}]*\}", "", node.value)
    yield (ROOT / "scripts" / "setup").read_text("utf-8")
