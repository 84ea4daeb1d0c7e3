"""`g4f logs`: the conversations that were kept, and whether any are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from g4f_cli.files import write_private
from g4f_cli.foreign import LOGS
from g4f_cli.group import DefaultGroup
from g4f_cli.options import FILLED, PositiveNumber, complete_conversations, debug_option, json_option
from g4f_cli.settings import change_setting, read_settings
from g4f_cli.terminal import AnswerWriter, InputError, confirm, note
from g4f_cli.text import shorten

if TYPE_CHECKING:
    from g4f_cli.history import Conversation

_TITLE_WIDTH = 60


@click.group(
    "logs", cls=DefaultGroup, default="list", foreign=LOGS, short_help="List, search and export conversations."
)
def command() -> None:
    """List, search and export the conversations that were kept, or keep none any more."""


@command.command("list", short_help="List the latest conversations.")
@click.option(
    "-n",
    "--number",
    type=PositiveNumber(int, "whole number above 0, as 2"),
    default=20,
    show_default=True,
    metavar="COUNT",
    help="How many.",
)
@json_option
@debug_option
def list_conversations(number: int, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """List the latest conversations."""
    _show(_read(number), as_json=as_json)


@command.command("search", short_help="List the conversations in which a text stands.")
@click.argument("text")
@json_option
@debug_option
def search(text: str, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """List the conversations in which TEXT stands."""
    from g4f_cli.history import open_history

    with open_history() as history:
        found = list(history.search(text))
    _show(found, as_json=as_json)


@command.command("show", short_help="Print a conversation.")
@click.argument("name", type=FILLED, metavar="[ID]", required=False, shell_complete=complete_conversations)
@click.option("-r", "--response", is_flag=True, help="Print its last answer alone.")
@json_option
@debug_option
def show(name: str | None, response: bool, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Print the conversation ID, or the last one."""
    (conversation,) = _find([name] if name else [])[:1]
    if response:
        _print([text for _, text in conversation.list_texts()][-1])  # what is kept ends with an answer
    else:
        _print(_write_json([conversation]) if as_json else write_markdown(conversation))


@command.command("export", short_help="Write conversations as Markdown or JSON.")
@click.argument("names", type=FILLED, metavar="[ID]...", nargs=-1, shell_complete=complete_conversations)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["markdown", "json"]),
    help="Default is JSON for a file whose name ends in .json, else Markdown.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="The file to write.")
@click.option("-f", "--force", is_flag=True, help="Overwrite a file of that name.")
@debug_option
def export(
    names: tuple[str, ...],
    kind: str | None,
    output: Path | None,
    force: bool,  # noqa: FBT001 - click passes it by name
) -> None:
    """Write the conversations with these IDs, or all, to standard output or a file."""
    if output == Path("-"):
        output = None
    if output is not None and output.is_file() and not force:
        raise InputError(f"{output} exists: choose another name, or overwrite it with -f.")
    found = _find(names) if names else _read(-1)
    as_json = kind == "json" if kind else output is not None and output.suffix.lower() == ".json"
    text = _write_json(found) if as_json else "\n\n".join(map(write_markdown, found))
    if output is None:
        _print(text)
    else:
        write_private(output, text + "\n")


@command.command("delete", short_help="Remove conversations for good.")
@click.argument("names", type=FILLED, metavar="[ID]...", nargs=-1, shell_complete=complete_conversations)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("-y", "--yes", is_flag=True, help="Remove all without asking.")
@debug_option
def delete(names: tuple[str, ...], everything: bool, yes: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Remove the conversations with these IDs, or all, for good."""
    from g4f_cli.history import open_history

    if bool(names) == everything:
        raise InputError("Say which conversations are to be removed: their ids, or --all.")
    found = _find(names) if names else _read(-1)
    if everything and found and not yes:
        confirm(
            f"All conversations that were kept, {len(found)}, go for good.",
            "Remove them?",
            remedy="Agree with --yes.",
            otherwise="Nothing was removed.",
        )
    with open_history() as history:
        for conversation in found:
            history.delete(conversation)
    note(f"{len(found)} removed.")


@command.command("on", short_help="Keep conversations again.")
@debug_option
def turn_on() -> None:
    """Keep conversations again."""
    change_setting("log", None)  # the default


@command.command("off", short_help="Keep no conversation any more.")
@debug_option
def turn_off() -> None:
    """Keep no conversation any more; those that were kept stay until g4f logs delete --all."""
    change_setting("log", value=False)


@command.command("status", short_help="Tell whether conversations are kept, and where.")
@json_option
@debug_option
def status(as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Tell whether conversations are kept, how many there are, and where."""
    from g4f_cli.history import find_database

    kept, count, place = read_settings().log, len(_read(-1)), find_database()
    if as_json:
        click.echo(json.dumps({"kept": kept, "count": count, "path": str(place)}))
    else:
        click.echo(f"Conversations are {'kept' if kept else 'not kept'}.")
        click.echo(f"{count} in {place}")


def _read(count: int) -> list[Conversation]:
    from g4f_cli.history import find_database, open_history

    if not find_database().exists():
        return []
    with open_history() as history:
        return list(history.list(count))


def _find(names: Iterable[str]) -> list[Conversation]:
    """Return the conversations of these ids, or where none is named the last one.

    Raises:
        InputError: One is not there.
    """
    from g4f_cli.history import open_history

    with open_history() as history:
        found = [history.find(name) for name in names] or list(history.list(1))
    if not found:
        raise InputError("No conversation was kept yet.")
    return found


def _show(conversations: list[Conversation], *, as_json: bool) -> None:
    from g4f_doctor.tables import find_width, format_table

    if as_json:
        click.echo(json.dumps([_describe(conversation) for conversation in conversations], indent=2))
    elif not conversations:
        note("There is none.")
    else:
        rows = [
            (one.id, _write_time(one.updated), one.provider or "", one.model or "", shorten(one.title, _TITLE_WIDTH))
            for one in conversations
        ]
        _print("\n".join(format_table([("ID", "WHEN", "PROVIDER", "MODEL", "PROMPT"), *rows], find_width())))


def _print(text: str) -> None:
    with AnswerWriter() as writer:  # what was said may hold anything
        writer.write(text)


def _describe(conversation: Conversation) -> dict[str, Any]:
    names = ("id", "created", "updated", "provider", "model", "base_url", "title")
    return {name: getattr(conversation, name) for name in names}


def _write_json(conversations: list[Conversation]) -> str:
    data = [{**_describe(conversation), "messages": conversation.messages} for conversation in conversations]
    return json.dumps(data, indent=2, ensure_ascii=False)


def _write_time(stamp: str) -> str:
    return datetime.fromisoformat(stamp).astimezone().strftime("%Y-%m-%d %H:%M")


def write_markdown(conversation: Conversation) -> str:
    """Return a conversation as Markdown."""
    when = _write_time(conversation.updated) if conversation.updated else ""  # it was never kept
    about = ", ".join(part for part in (conversation.id, when, conversation.provider, conversation.model) if part)
    said = [f"## {role.capitalize()}\n\n{text}" for role, text in conversation.list_texts()]
    return "\n\n".join([f"# {shorten(conversation.title, _TITLE_WIDTH)}", about, *said])
