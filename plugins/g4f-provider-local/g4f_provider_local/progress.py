"""Showing how a long download goes: the protocol that others may implement, and a line on a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Protocol, TextIO

_REDRAW_SECONDS = 0.1
_LINE_SECONDS = 30.0  # between lines of a log, where nothing can be redrawn


class Progress(Protocol):
    """Told again and again how far a download is."""

    def __call__(self, done: int, total: int, note: str) -> None:
        """Take note.

        Args:
            done: Bytes that are there.
            total: Bytes that there will be.
            note: What is going on, as "from the package index" or "waiting for another process".
        """


def ignore_progress(done: int, total: int, note: str) -> None:
    """Show nothing."""


class ProgressLine:
    """Draws on a terminal one line that changes; writes to anything else a line now and then.

    Use it as a context manager, so that the terminal's line is ended.
    """

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._title = title
        self._stream = stream if stream is not None else sys.stderr  # None in programs without a console
        self._live = self._stream is not None and self._stream.isatty()
        self._begun = self._done = 0
        self._start = self._shown = 0.0
        self._note = ""
        self._width = 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._width:
            self._write("\n")
            self._width = 0

    def __call__(self, done: int, total: int, note: str) -> None:
        """Show how far it is, unless it was shown just now."""
        now = time.monotonic()
        if note != self._note:  # each source has its own speed
            self._begun, self._start, self._done = done, now, done
        elif now - self._shown < (_REDRAW_SECONDS if self._live else _LINE_SECONDS):
            return
        self._note, self._shown = note, now
        self._done = done = max(done, self._done)  # an installer counts what it moves for a moment twice
        about = f"{describe_progress(done, total)}{self._describe_speed(done, now)}"
        if self._live:
            self._draw(f"{self._title}: {about}, {note}", f"{self._title}: {about}", about)
        else:
            self._write(f"{self._title}: {about}, {note}\n")

    def _draw(self, *texts: str) -> None:
        """Draw the first text that fits on the terminal's line: on a second one it could not be redrawn."""
        room = shutil.get_terminal_size().columns - 1
        text = next((text for text in texts if len(text) <= room), texts[-1][:room])
        self._write(f"\r{text:<{min(self._width, room)}}")
        self._width = len(text)

    def _describe_speed(self, done: int, now: float) -> str:
        seconds = now - self._start
        return f", {(done - self._begun) / seconds / 1e6:.1f} MB/s" if seconds > 1 else ""

    def _write(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()


def describe_progress(done: int, total: int) -> str:
    """Return bytes as people read them, as in `12 % of 491 MB`."""
    return f"{done * 100 // max(total, 1)} % of {total / 1e6:.0f} MB"
