"""`g4f chat`: a conversation at a terminal, or with what is piped in, line by line."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Unpack

import click

from g4f_cli.choosing import add_default_model, check_choice, read_choice
from g4f_cli.keeping import choose_as_before, find_conversation
from g4f_cli.options import (
    ChoiceOptions,
    Invocation,
    ParameterOptions,
    choice_options,
    conversation_options,
    debug_option,
    parameter_options,
)
from g4f_cli.parameters import read_parameters
from g4f_cli.settings import read_settings
from g4f_cli.terminal import note
from g4f_cli.text import clean_argument

if TYPE_CHECKING:
    from g4f_cli.chatting import Chat
    from g4f_cli.reading import Reader

_REMEMBERED = 100  # conversations whose prompts the up arrow brings back


class ChatOptions(ChoiceOptions, ParameterOptions):
    """The options of `chat`, as click hands them over."""

    system: str | None
    plain: bool
    go_on: bool
    cid: str | None
    no_log: bool


@click.command("chat", short_help="Hold a conversation.")
@choice_options
@click.option("-s", "--system", metavar="TEXT", help="Instructions that stand before all prompts.")
@parameter_options("-o", "--option")
@click.option("--plain", is_flag=True, help="Print answers as they are, not as Markdown.")
@conversation_options
@debug_option
@click.pass_context
def command(context: click.Context, **options: Unpack[ChatOptions]) -> None:
    """Hold a conversation; /help lists what can be done in it, Ctrl-C stops an answer, Ctrl-D ends.

    Without a terminal each line of standard input is a prompt.
    """
    from g4f_cli.chatting import Chat, Manner
    from g4f_cli.slash import tell_choice

    conversation = find_conversation(last=options["go_on"], name=options["cid"])
    choice = add_default_model(choose_as_before(read_choice(options), conversation))
    check_choice(choice)
    if options["system"]:
        conversation.set_system(clean_argument(options["system"]))
    arguments = read_parameters(options["parameters"], options["provider_parameters"])
    debug = context.ensure_object(Invocation).debug
    chat = Chat(conversation, choice, arguments, Manner(not options["no_log"], options["plain"], debug))
    if sys.stdin is not None and sys.stdin.isatty():
        note(f"Going on with: {conversation.title}" if conversation.kept else "/help lists the commands, Ctrl-D ends.")
        tell_choice(chat)
        _talk_at_terminal(chat, keeps=not options["no_log"])
    else:
        from g4f_cli.reading import PipedReader
        from g4f_cli.running import run

        run(chat.talk(PipedReader()))
        context.exit(chat.code)


def _talk_at_terminal(chat: Chat, *, keeps: bool) -> None:
    """Talk, while Ctrl-C stops answers and not the program."""
    import asyncio  # as in running.py

    from g4f_cli.reading import TerminalReader
    from g4f_cli.slash import COMMANDS

    reader: Reader = TerminalReader(_list_earlier() if keeps and read_settings().log else [], COMMANDS)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        before = signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(chat.interrupt))
        try:
            runner.run(chat.talk(reader))
        finally:
            signal.signal(signal.SIGINT, before)


def _list_earlier() -> list[str]:
    """Return the prompts of the latest conversations, the latest last."""
    from g4f_cli.history import HistoryError, find_database, open_history

    if not find_database().exists():
        return []
    try:
        with open_history() as history:
            conversations = list(history.list(_REMEMBERED))
    except HistoryError:
        return []  # it is told when an answer is to be kept
    return [text for one in reversed(conversations) for role, text in one.list_texts() if role == "user"]
