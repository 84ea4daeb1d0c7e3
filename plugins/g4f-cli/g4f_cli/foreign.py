"""What people type who come from ollama, llm and gpt4free: what it is here, or what does the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import click

# Commands that people type, how many words they may have with their own, and what they are here.
COMMANDS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "pull": (2, ("download",)),
    "rm": (2, ("download", "remove")),
    "show": (2, ("models",)),
    "list": (1, ("models",)),
    "ls": (1, ("models",)),
    "ps": (1, ("providers",)),
    "plugins": (1, ("providers",)),
}
# Those that are none here, with how many words they may have with their own.
LACKING: Mapping[str, int] = {
    **dict.fromkeys(("agent", "api", "gui", "mcp", "serve", "signin", "signout"), 1),
    **dict.fromkeys(("collections", "create", "embed", "embed-models", "fragments", "launch", "openai"), 2),
    **dict.fromkeys(("push", "schemas", "similar", "stop", "templates", "tools"), 2),
    **dict.fromkeys(("cp", "embed-multi"), 3),
    "aliases": 4,
}
# What is like some of these all the same.
_LIKE: Mapping[str, str] = {
    "aliases": "g4f models default MODEL sets the model that is asked by default",
    "create": 'g4f chat -m MODEL -s "…" gives a model instructions',
}
# Commands that packages of ours bring which may not be installed.
ABSENT: Mapping[str, str] = {"auth": "g4f-provider-copilot", "download": "g4f-provider-local"}
# What these do, so that nobody is imported for the help.
HELP: Mapping[str, str] = {
    "auth": "Sign in to a service; g4f auth --help lists which.",
    "download": "Fetch a model for the provider Local.",
}
# Options of `llm logs` that say what is to be done, and the commands of `g4f logs` that do it.
LOGS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("-c", "--current", "--cid", "--conversation"), ("show",)),
    **dict.fromkeys(("-r", "--response", "-cr", "-rc"), ("show", "--response")),
    **dict.fromkeys(("-q", "--query"), ("search",)),
    **dict.fromkeys(("-s", "--short"), ("list",)),
}
_MODEL = re.compile(r"\S*[0-9:/._-]\S*")

_TEMPLATES = 'there are no templates: keep instructions in a file, and write -s "$(cat FILE)".'
_TOOLS = "functions are called by programs, not here: g4f.Client takes them as tools=[…]."
_DATABASE = "there is one database, which g4f logs status names; -n keeps nothing in it."
_FEW = "g4f models TEXT -p PROVIDER tells which there are and what they can."
# Options that are none here: of which commands, their names, and what to do.
_OPTIONS: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (("ask", "chat"), ("-t", "--template", "--save", "--param"), _TEMPLATES),
    (("ask", "chat"), ("-q", "--query"), "g4f models TEXT lists the models whose names hold a text; -m takes one."),
    (("ask", "chat"), ("--at", "--attachment-type"), "use -a FILE; what it is is read from the file."),
    (("ask", "chat"), ("-T", "--tool", "--functions", "--td", "--tools-debug", "--ta", "--cl"), _TOOLS),
    (("ask", "chat", "list", "search", "show"), ("-d", "--database"), _DATABASE),
    (("ask", "chat"), ("--sf", "--system-fragment"), 'write -s "$(cat FILE)".'),
    (("ask", "chat"), ("--async",), "leave it out; it would change nothing."),
    (("ask", "chat"), ("-R", "--hide-reasoning", "--hidethinking"), "leave it out; no reasoning is shown."),
    (("ask", "chat"), ("--log",), "conversations are kept unless you said g4f logs off; g4f logs on keeps them again."),
    (("ask", "chat"), ("--verbose",), "use -u, which tells how many tokens it took, of g4f ask."),
    (("ask", "chat"), ("--think",), "use -o reasoning_effort low, medium or high."),
    (("ask",), ("--format",), "use --schema FIELDS for JSON with these fields, or --json for all that was answered."),
    (("ask", "chat"), ("--nowordwrap",), "use --plain, which prints the answer as it is."),
    (
        ("chat",),
        ("-f", "--fragment", "-a", "--attach"),
        "say /image PATH in the chat, or write g4f -f FILE, g4f -a FILE.",
    ),
    (("ask",), ("--schema-multi",), "use --schema FIELDS, and ask for a list in the prompt."),
    (("ask",), ("-V",), "g4f --version shows the versions."),
    (("set",), ("--value", "--key"), "pipe the key in, as g4f keys set NAME < FILE; others see what stands here."),
    (("image",), ("-s", "--system"), "say it in the prompt."),
    (("list",), ("--options", "--schemas", "--tools", "--async"), _FEW),
    (("list",), ("-m", "--model"), "g4f logs search TEXT finds a text; g4f logs lists the model of each."),
    (
        ("list",),
        ("-r", "--response", "-x", "--extract", "--xl", "--extract-last"),
        "g4f logs show --response prints the last answer.",
    ),
    (
        ("list",),
        ("-u", "--usage", "-t", "--truncate", "--tl", "-l", "--latest", "--expand"),
        "leave it out; g4f logs show prints all.",
    ),
    (("providers", "list"), ("--all",), "leave it out; all are listed."),
    (("install",), ("-U", "--upgrade", "--force-reinstall"), "leave it out; the newest that is there is installed."),
    (("install",), ("-e", "--editable"), "use your installer, as pip install -e FOLDER."),
)
# Commands of groups that are none here, and what to do.
_GROUPED: Mapping[tuple[str, str], str] = {
    ("keys", "get"): "No command shows a key; g4f keys path names their file.",
    ("logs", "path"): "g4f logs status tells where they are.",
    ("models", "options"): "Options are given with -o, each time.",
}


def names_model(rest: Sequence[str]) -> bool:
    """Tell whether what follows `run` is a model, or a model and a prompt that is one argument, and no prompt alone."""
    if len(rest) == 2:
        return " " in rest[1] or rest[1].startswith("-") or _MODEL.fullmatch(rest[0]) is not None
    return len(rest) == 1


def explain_lacking(word: str) -> str:
    """Return what to do in place of a command that is none here."""
    if word == "run":
        return "After 'run' comes a model alone, or a model and a prompt in quotes."
    return f"There is no command {word!r} here; {_LIKE.get(word, 'nothing is like it')}."


def explain_command(group: str, word: str) -> str:
    """Return what to do in place of a group's command that is none here, or nothing."""
    return _GROUPED.get((group, word), "")


def explain_option(error: click.ClickException) -> click.ClickException:
    """Return what says more of an option that is none here, where we know it; else the error itself."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return error
    name, command = error.option_name, error.ctx.info_name
    sentence = next((text for commands, names, text in _OPTIONS if command in commands and name in names), None)
    return click.UsageError(f"There is no option {name} here: {sentence}", error.ctx) if sentence else error
