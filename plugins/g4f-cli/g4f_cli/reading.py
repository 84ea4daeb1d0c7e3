"""Reads what the user says in a chat: at a terminal with a line to edit, else line by line from standard input."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import create_output

from g4f_cli.text import clean_argument

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer

    from g4f_cli.slash import Command

_QUOTES = {'"""': '"""', "!multi": "!end"}  # before and after a prompt of several lines


class Reader(Protocol):
    """Reads prompts."""

    async def read(self) -> str | None:
        """Return the next prompt, or None where there is no more; a line that was thrown away is empty."""


class PipedReader:
    """Reads prompts from standard input, one a line."""

    async def read(self) -> str | None:
        """Return the next prompt, or None at the end."""
        prompt = await _read_line()
        if not prompt:
            return None
        while is_open(prompt.strip()) and (line := await _read_line()):
            prompt += line
        return strip_quotes(clean_argument(prompt))


async def _read_line() -> str:
    # In a thread, since else Ctrl-C would wait for the line's end.
    return await asyncio.to_thread(sys.stdin.readline) if sys.stdin is not None else ""


class TerminalReader:
    """Reads prompts from a terminal.

    Args:
        earlier: What was said before, which the up arrow brings back; the latest last.
        commands: What the Tab key completes.
    """

    def __init__(self, earlier: Sequence[str], commands: Mapping[str, Command]) -> None:
        self._session: PromptSession[str] = PromptSession(
            ">>> ",
            history=InMemoryHistory(earlier),
            completer=_CommandCompleter(commands),
            complete_while_typing=False,
            key_bindings=_bind_keys(),
            multiline=True,
            prompt_continuation="... ",
            output=create_output(always_prefer_tty=True),
        )

    async def read(self) -> str | None:
        """Return the next prompt, or None where Ctrl-D ends the chat; Ctrl-C throws the line away."""
        try:
            return strip_quotes(await self._session.prompt_async(handle_sigint=False))
        except KeyboardInterrupt:
            return ""
        except EOFError:
            return None


def is_open(prompt: str) -> bool:
    """Tell whether a prompt of several lines began and has not ended."""
    opening, text = _split_opening(prompt)
    return bool(opening) and not text.rstrip().endswith(_QUOTES[opening])


def strip_quotes(prompt: str) -> str:
    """Return a prompt of several lines without what stands before and after it."""
    opening, text = _split_opening(prompt.strip())
    return text.removesuffix(_QUOTES[opening]).strip() if opening else text


def _split_opening(prompt: str) -> tuple[str, str]:
    opening = next((one for one in _QUOTES if prompt.startswith(one)), "")
    return opening, prompt.removeprefix(opening)


def _bind_keys() -> KeyBindings:
    """Let Enter send, unless quotes are open, and Alt-Enter begin another line."""
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer: Buffer = event.current_buffer
        if is_open(buffer.text):
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


class _CommandCompleter(Completer):
    def __init__(self, commands: Mapping[str, Command]) -> None:
        self._commands = commands

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Complete a command, or what follows it."""
        name, space, word = document.text_before_cursor.partition(" ")
        command = self._commands.get(name)
        if not space:
            yield from _complete(name, self._commands if name.startswith("/") else ())
        elif command is not None and command.complete is None:
            yield from PathCompleter(expanduser=True).get_completions(Document(word), complete_event)
        elif command is not None and command.complete is not None:
            yield from _complete(word, command.complete())


def _complete(word: str, choices: Iterable[str]) -> Iterable[Completion]:
    for choice in choices:
        if choice.lower().startswith(word.lower()):
            yield Completion(choice, start_position=-len(word))
