"""The reference pages leave nothing out: every name that the code knows and a user may meet stands there."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path

import click
import pytest

import g4f
from docs.commands import describe_commands, list_commands
from docs.pages import ROOT, Page, read_page
from docs.providers import list_providers, write_variables
from g4f import chat, embeddings, errors, images, manifest
from g4f.client import _arguments, _chat, _embeddings, _images, _models, _parse
from g4f.context import Call, Context, HttpRequest, Limits, Timeout
from g4f.hookspecs import ProviderHooks
from g4f.values import Value
from g4f.wire.dialect import Wire
from g4f_cli.group import EXIT_CODES
from g4f_cli.slash import COMMANDS as SLASH_COMMANDS

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


def read_words(text: str) -> set[str]:
    """Every word that stands in code in a text."""
    words = {word for code in _CODE.findall(text) for word in _WORD.findall(code)}
    return words | {part for word in words for part in word.split(".")}


def read_sections(name: str) -> dict[str, str]:
    """The prose of a reference page by heading, each up to the next heading of any level.

    A heading may name two things, and two headings one, as the calls for images and the answer `Images`.
    """
    parts = re.split(r"^#+ (.+)\n", read_page(REFERENCE / f"{name}.md").prose, flags=re.MULTILINE)
    sections: dict[str, str] = {}
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        for title in heading.replace("`", "").split(", "):
            sections[title] = sections.get(title, "") + text
    return sections


def read_rows(name: str, section: str) -> list[str]:
    """What the rows of a section's tables begin with."""
    return re.findall(r"^\| (`.+?) \|", read_sections(name)[section], re.MULTILINE)


def check_told(wanted: Iterable[str], page: str, section: str | None = None) -> None:
    """Each stands in the section, or anywhere on the page."""
    text = read_page(REFERENCE / f"{page}.md").prose if section is None else read_sections(page)[section]
    missing = sorted(set(wanted) - read_words(text))
    assert not missing, f"{page} {section or ''} should tell of {missing}"


def check_rows(wanted: Iterable[str], page: str, section: str) -> None:
    """Each has a row, and no row tells of what is not there."""
    told = sorted(read_name(code) for row in read_rows(page, section) for code in _CODE.findall(row))
    assert told == sorted(wanted), f"{page} {section}"


def read_name(code: str) -> str:
    """The name in `await fetch(url)` or `model`."""
    return code.removeprefix("await ").partition("(")[0]


def list_public(kind: type) -> list[str]:
    """The names of a class's own members."""
    return [name for name in vars(kind) if not name.startswith("_")]


def list_fields(kind: type) -> list[str]:
    """The public arguments of a class of values; one may refuse others in `__new__`."""
    make = kind if kind.__init__ is object.__init__ else kind.__init__
    return [name for name in inspect.signature(make).parameters if not name.startswith("_") and name != "self"]


def test_every_hook_has_a_row_with_its_arguments() -> None:
    """And no other has."""
    hooks = [(name, inspect.signature(getattr(ProviderHooks, name))) for name in list_public(ProviderHooks)]
    rows = [f"`{name}({', '.join(list(signature.parameters)[1:])})`" for name, signature in hooks]
    assert read_rows("hooks", "Hooks") == rows


def test_every_function_of_a_wire_has_a_row() -> None:
    """And no other has."""
    check_rows(list_fields(Wire), "hooks", "HttpProvider")
    check_told(list_public(Wire), "hooks", "HttpProvider")


def test_all_that_a_provider_gets_stands_in_its_section() -> None:
    """The requests, the context, and what goes over its transport."""
    for request in (chat.ChatRequest, images.ImageRequest, embeddings.EmbeddingRequest):
        check_told(list_fields(request), "hooks", request.__name__)
    methods = [name for name in list_public(Context) if callable(vars(Context)[name])]
    check_rows({*list_fields(Context), *methods}, "hooks", "Context")
    check_told(list_fields(HttpRequest), "hooks", "Context")
    check_told(list_fields(Call), "hooks", "Middleware")


def test_every_error_has_a_row_and_all_that_it_carries() -> None:
    """But the base of all, which the page begins with."""
    classes = [
        item.__name__
        for module in (errors, manifest)
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, errors.G4FError) and item.__module__ == module.__name__
    ]
    sections = ("Before anything is sent", "After something was sent")
    rows = [_CODE.findall(row)[0] for section in sections for row in read_rows("errors", section)]
    assert sorted(rows) == sorted(set(classes) - {"G4FError"})
    told = inspect.signature(errors.APIError).parameters | inspect.signature(errors.APIStatusError).parameters
    check_told([name for name in told if name != "common"], "errors", "What they carry")


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


def test_every_key_of_a_manifest_has_a_row_in_its_section() -> None:
    """And every capability."""
    top = {*list_fields(manifest.Manifest), "contract"} - {"models_open"}
    sections = {
        "Top level": top,
        "auth": list_fields(manifest.Auth),
        "settings": set(list_fields(manifest.Setting)) - {"name"},
        "models": list_fields(manifest.Model),
        "retired": list_fields(manifest.Retired),
        "capabilities": manifest.CAPABILITIES,
    }
    for section, keys in sections.items():
        check_rows(keys, "manifest", section)
    assert list_manifest_keys() <= {key for keys in sections.values() for key in keys}


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


def test_every_variable_of_the_environment_has_a_row() -> None:
    """Whoever reads it: the core, or a plugin of this project."""
    variables = set(list_variables()) - _NO_VARIABLES.keys()
    assert {"G4F_PROVIDERS", "OPENAI_API_KEY", "CUSTOM_BASE_URL"} <= variables
    rows = {
        word
        for section in read_sections("environment")
        for row in read_rows("environment", section)
        for word in read_words(row)
    }
    assert sorted(variables - rows) == []


def test_the_rows_of_the_providers_variables_are_what_their_manifests_say() -> None:
    """`scripts/docs` writes them."""
    page = read_page(REFERENCE / "environment.md").text
    assert write_variables(page, list_providers()) == page, "run scripts/docs, and commit what it wrote"
    assert "| `OPENAI_API_KEY` | `OpenaiChat` |" in page


def test_the_values_of_parse_are_among_the_values() -> None:
    """They are imported only where they are needed."""
    assert _parse.ParsedCompletion in list_values()


def test_every_argument_of_a_client_has_a_row() -> None:
    """And every field of the values that it takes, and every method of a registry."""
    check_rows(set(inspect.signature(g4f.AsyncClient).parameters) - {"unknown"}, "client", "Arguments of a client")
    check_rows(list_fields(Timeout), "client", "Timeout")
    check_rows(list_fields(Limits), "client", "Limits")
    check_rows(["Registry", *list_public(g4f.Registry)], "client", "Registry")


def test_every_argument_of_a_call_is_told_in_the_section_of_the_call() -> None:
    """Those that every call takes, in one of their own."""
    of_every = {*_arguments.CallArguments.__annotations__, "model", "provider"}
    check_rows(of_every, "client", "Arguments of every call")
    sections: dict[str, list[type | Callable[..., object]]] = {
        "Chat": [_arguments.ChatArguments, _chat.Completions.create, _chat.Completions.parse],
        "Images": [
            _images.ImageArguments,
            _images.ImagesResource.generate,
            _images.ImagesResource.edit,
            _images.ImagesResource.create_variation,
        ],
        "Embeddings": [_embeddings.EmbeddingArguments, _embeddings.EmbeddingsResource.create],
        "Models": [_models.Models.list, _models.Models.retrieve],
    }
    for section, kinds in sections.items():
        named = {name for kind in kinds for name in list_arguments(kind)}
        check_told(named - of_every, "client", section)


def list_arguments(kind: type | Callable[..., object]) -> set[str]:
    """What a call takes, or the names that stand for its keywords."""
    if isinstance(kind, type):
        return set(kind.__annotations__)
    return set(inspect.signature(kind).parameters) - {"self", "arguments"}


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
    told = {word for path in REFERENCE.glob("*.md") for word in read_words(read_page(path).prose)}
    assert sorted(g4f._HOMES.keys() - told) == []
    check_told(["g4f.Provider", "g4f.models.default"], "client")


def list_options(command: click.Command) -> Iterator[list[str]]:
    """The names of each option of a command."""
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield [*parameter.opts, *parameter.secondary_opts]


COMMANDS = dict(list_commands())


@pytest.mark.parametrize("path", [path for path in COMMANDS if path != "g4f"])
def test_every_command_and_option_is_told_in_the_section_of_the_command(path: str) -> None:
    """One of a group, where the section of the group names it; of an option's two names one is enough there."""
    sections = read_sections("command-line")
    titles = [title for title in sections if f"{path} ".startswith(f"{title} ")]
    assert titles, f"command-line should have a section `{path}`"
    title = max(titles, key=len)
    passages = [sections[title]]
    if path != title:
        name = path.rpartition(" ")[2]
        passages = [passage for passage in list_passages(sections[title]) if name in read_words(passage)]
        assert passages, f"command-line should tell of {path}"
    told = read_words("\n".join(passages)) | {"--debug"}  # which the page tells of for all commands
    assert [names for names in list_options(COMMANDS[path]) if not told.intersection(names)] == []


def list_passages(text: str) -> Iterator[str]:
    """A section's paragraphs, and the rows of its tables, each with the head of its table."""
    for part in re.split(r"\n{2,}", text.strip()):
        head, *rows = part.splitlines()
        yield from [f"{head}\n{row}" for row in rows[1:]] if head.startswith("|") else [part]


def test_every_name_of_an_option_is_told() -> None:
    """And what `g4f` itself takes, and what a chat does."""
    names = [name for command in COMMANDS.values() for names in list_options(command) for name in names]
    check_told([*names, "--help", "-h", "--version"], "command-line")
    check_told([name.removeprefix("/") for name in SLASH_COMMANDS], "command-line", "g4f chat")


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_stands_in_the_help_of_its_command(path: str) -> None:
    """The page of the site with all commands shows it."""
    shown = re.split(r"^## ", describe_commands(), flags=re.MULTILINE)
    (section,) = [part for part in shown if part.startswith(f"`{path}`\n")]
    options = [option for option in COMMANDS[path].params if isinstance(option, click.Option) and not option.hidden]
    assert [option.name for option in options if option.opts[-1] not in re.findall(r"[\w-]+", section)] == []


def test_the_exit_codes_are_those_of_the_help() -> None:
    """The help of `g4f` lists them too."""
    page: Page = read_page(REFERENCE / "command-line.md")
    assert len(EXIT_CODES) >= 5
    for code, meaning in EXIT_CODES.items():
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
