"""Standard input, output and error: how they are set up, written and left. What is said is left to the commands."""

from __future__ import annotations

import errno
import logging
import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO, cast

import click

from g4f_cli.text import hide_controls, take_whole


class InputError(click.ClickException):
    """What the user handed in cannot be used; the text says why."""

    exit_code = 2


class OutputError(Exception):
    """Standard output cannot be written; the text says why, and is empty where its reader simply left."""


def prepare_streams() -> None:
    """Let any text be written whatever the locale, and stand in for streams that are closed.

    From here on standard output raises `OutputError`, whoever writes to it.
    """
    closed = sys.stdout is None
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, _open_nothing())
        elif hasattr(stream, "reconfigure"):
            ascii_only = stream.encoding.lower() in ("ascii", "us-ascii", "ansi_x3.4-1968")
            # An ASCII locale is nobody's wish, but PYTHONIOENCODING is.
            wanted = "utf-8" if ascii_only and "PYTHONIOENCODING" not in os.environ else None
            stream.reconfigure(encoding=wanted, errors="replace")
    sys.stdout = cast("TextIO", _Output(sys.stdout, closed=closed))


class _Output:
    """Standard output, whose errors are told from those of other files."""

    def __init__(self, stream: TextIO, *, closed: bool) -> None:
        self._stream = stream
        self._closed = closed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text."""
        if text == "":
            return 0  # so click tries which kind of stream it is, and takes an error for an answer
        with _telling_output():
            if self._closed:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            return self._stream.write(text)

    def flush(self) -> None:
        """Write what is in the buffers."""
        with _telling_output():
            self._stream.flush()


@contextmanager
def _telling_output() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _discard_output()
        reason = "" if isinstance(error, BrokenPipeError) else error.strerror or str(error)
        raise OutputError(reason) from None


def can_draw() -> bool:
    """Tell whether standard output is a terminal on which lines can be drawn anew."""
    kind = os.environ.get("TERM", "dumb" if os.name == "posix" else "")
    return sys.stdout.isatty() and kind not in ("dumb", "unknown")


@contextmanager
def hide_interrupt_mark() -> Iterator[None]:
    """Let a terminal write no ^C, which would move the cursor where lines are drawn anew."""
    try:
        import termios
    except ImportError:  # on Windows
        yield
        return
    place = sys.stdout.fileno()
    if os.tcgetpgrp(place) != os.getpgrp():  # who is in the background would be stopped
        yield
        return
    before = termios.tcgetattr(place)
    quiet = [*before[:3], before[3] & ~termios.ECHOCTL, *before[4:]]
    termios.tcsetattr(place, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(place, termios.TCSANOW, before)


def _open_nothing() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def show(text: str) -> None:
    """Write lines to standard error as they are."""
    with suppress(OSError):  # nobody is there to be told
        shown = hide_controls(text) if sys.stderr.isatty() else text
        print(shown.rstrip("\n"), file=sys.stderr, flush=True)


def complain(text: str) -> None:
    """Say what went wrong."""
    _say(f"Error: {text}")


def warn(text: str) -> None:
    """Say what the user should know about an answer."""
    _say(f"Warning: {text}")


def note(text: str) -> None:
    """Say what is good to know."""
    _say(f"Note: {text}")


def _say(sentences: str) -> None:
    """Write sentences to standard error."""
    show(_break_lines(sentences))


def _break_lines(sentences: str) -> str:
    """Return sentences of which at a terminal no line ends in the middle of a word."""
    with suppress(OSError):  # it is no terminal
        width = os.get_terminal_size(sys.stderr.fileno()).columns
        if width > 0:
            return "\n".join(
                textwrap.fill(line, width, replace_whitespace=False, break_long_words=False, break_on_hyphens=False)
                for line in sentences.split("\n")
            )
    return sentences


def confirm(risk: str, question: str, *, remedy: str, otherwise: str) -> None:
    """Go on only if the user wants to.

    Args:
        risk: What would happen.
        question: What is asked after it.
        remedy: What to do where there is nobody to ask.
        otherwise: What is said where the user does not.

    Raises:
        InputError: There is nobody to ask.
        click.exceptions.Exit: The user does not; to say no is no failure.
        click.Abort: The user pressed Ctrl-C or Ctrl-D.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError(f"{risk} {remedy}")
    if not click.confirm(_break_lines(f"{risk} {question}"), err=True):
        note(otherwise)
        raise click.exceptions.Exit(0)


class AnswerWriter:
    """Writes an answer to standard output piece by piece, each at once, and ends its last line.

    Attributes:
        text: What was written so far.

    Raises:
        OutputError: It cannot be written.
    """

    def __init__(self) -> None:
        self.text = ""
        self._line_open = False
        self._held = ""
        self._guarded = sys.stdout.isatty()
        self._watched: list[logging.Handler] = []

    def write(self, text: str) -> None:
        """Write a piece; half a character is held back until its other half comes."""
        self.text += text
        whole, self._held = take_whole(self._held + text)
        if whole:
            self._put(whole)

    def _put(self, text: str) -> None:
        sys.stdout.write(hide_controls(text) if self._guarded else text)
        sys.stdout.flush()
        self._line_open = not text.endswith("\n")

    def _end_line(self, *_: object) -> bool:
        if self._line_open:
            self._put("\n")
        return True

    def __enter__(self) -> Self:
        if self._guarded and sys.stderr.isatty():
            self._watched = logging.getLogger("g4f").handlers[:]
            for handler in self._watched:
                handler.addFilter(self._end_line)  # a line of the log is not to follow the answer on its last line
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for handler in self._watched:
            handler.removeFilter(self._end_line)
        if kind is None or not issubclass(kind, OutputError):
            self._end_line()


def _discard_output() -> None:
    """Send what is left in the buffers nowhere, or Python complains about it when it exits."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
