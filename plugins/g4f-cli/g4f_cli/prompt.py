"""The prompt: the words of the command line, joined with what is piped in."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from g4f_cli.terminal import InputError, note
from g4f_cli.text import clean_argument, read_text

STANDARD_INPUT = "-"
_PATIENCE = 5.0  # seconds of silence that look like a program that hangs


class Words(NamedTuple):
    """What a prompt is made of.

    Attributes:
        said: The words of the command line; "-" alone stands for standard input.
        files: The files whose texts follow them.
        join_input: Whether what is piped in follows.
    """

    said: Sequence[str]
    files: Sequence[str] = ()
    join_input: bool = False


def read_prompt(words: Words, *, example: str) -> str:
    """Make the prompt.

    Args:
        words: What it is made of.
        example: A command that would do, for the error.

    Raises:
        InputError: There is none, or a file, or what is piped in, is no text.
    """
    from_input = tuple(words.said) == (STANDARD_INPUT,)
    said = "" if from_input else clean_argument(" ".join(words.said))
    files = [_read_file(name) for name in words.files if name != STANDARD_INPUT]  # which is joined in any case
    piped = _read_piped_text() if from_input or (words.join_input and not _is_terminal()) else ""
    prompt = "\n\n".join(part for part in (said, *files, piped) if part.strip())
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
    return _check_text(read_input(), "Standard input", STANDARD_INPUT)


def _read_file(name: str) -> str:
    if name.startswith(("http://", "https://")):
        raise InputError(f"{name} is no file: pipe it in, as curl -s {name} | g4f PROMPT.")
    try:
        return _check_text(Path(name).read_bytes(), name, name)
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def _check_text(data: bytes, what: str, name: str) -> str:
    from g4f.media import sniff_image

    if sniff_image(data) or data.startswith(b"%PDF-"):
        raise InputError(f"{what} is no text: attach it with -a {name}.")
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
