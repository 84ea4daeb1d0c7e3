"""The prompt: the words of the command line, joined with what is piped in."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from g4f_cli.terminal import InputError, note
from g4f_cli.text import clean_argument, read_text

STANDARD_INPUT = "-"
_PATIENCE = 5.0  # seconds of silence that look like a program that hangs


def read_prompt(words: Sequence[str], *, join_input: bool, example: str) -> str:
    """Make the prompt.

    Args:
        words: The words of the command line; "-" alone stands for standard input.
        join_input: Whether what is piped in follows the words.
        example: A command that would do, for the error.

    Raises:
        InputError: There is none, or what is piped in is no text.
    """
    from_input = tuple(words) == (STANDARD_INPUT,)
    said = "" if from_input else clean_argument(" ".join(words))
    piped = _read_piped_text() if from_input or (join_input and not _is_terminal()) else ""
    prompt = "\n\n".join(part for part in (said, piped) if part.strip())
    if not prompt:
        raise InputError(f"There is no prompt: write one, as {example}.")
    return prompt


def read_input() -> bytes:
    """Read standard input to its end; one that is closed is empty."""
    if sys.stdin is None:
        return b""
    with _explaining_a_wait():
        return sys.stdin.buffer.read()


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _read_piped_text() -> str:
    from g4f.media import sniff_image

    data = read_input()
    if sniff_image(data) or data.startswith(b"%PDF-"):
        raise InputError("Standard input is no text: attach it with -a -.")
    return read_text(data)


@contextmanager
def _explaining_a_wait() -> Iterator[None]:
    text = "Waiting for the end of standard input; with </dev/null there is none."
    timer = threading.Timer(_PATIENCE, note, (text,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
