"""A terminal with a program in it: what is typed goes to the program, and what it prints is seen on a screen."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SECONDS = 30  # a machine with much to do takes its time


class Terminal:
    """A pseudo-terminal, and a screen with its history, as a terminal's window has them."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: dict[str, str], size: tuple[int, int] = (24, 80)
    ) -> None:
        import pexpect  # not on Windows
        import pyte

        self._ended = (pexpect.EOF, pexpect.TIMEOUT)
        self._screen = pyte.HistoryScreen(size[1], size[0], history=10_000, ratio=0.5)
        self._stream = pyte.Stream(self._screen)
        self._screen.write_process_input = self._answer
        self.raw = ""
        self.process: Any = pexpect.spawn(
            command[0], list(command[1:]), cwd=folder, env=environment, dimensions=size, encoding="utf-8"
        )

    @property
    def text(self) -> str:
        """All that can be seen, scrolling back included."""
        past = ["".join(line[at].data for at in range(self._screen.columns)) for line in self._screen.history.top]
        return "\n".join(line.rstrip() for line in (*past, *self._screen.display)).rstrip()

    @property
    def lines(self) -> list[str]:
        """The lines of `text` that are not empty."""
        return [line for line in self.text.splitlines() if line]

    def type(self, text: str) -> None:
        """Type."""
        self.process.send(text)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send("\x03")

    def wait_for(self, wanted: str | Callable[[str], object]) -> str:
        """Wait until a text can be seen, or what can be seen fulfils a condition; return what can be seen.

        Raises:
            AssertionError: It does not come.
        """
        fulfils = (lambda text: wanted in text) if isinstance(wanted, str) else wanted
        end = time.monotonic() + SECONDS
        while not fulfils(self.text):
            assert time.monotonic() < end, f"{wanted!r} never came; what came is:\n{self.text}"
            if not self._read() and not fulfils(self.text):
                raise AssertionError(f"The program ended before {wanted!r}; what came is:\n{self.text}")
        return self.text

    def wait(self) -> int:
        """Wait for the program's end, and return its exit code, or for a signal minus its number."""
        end = time.monotonic() + SECONDS
        while self._read():
            assert time.monotonic() < end, f"The program does not end; what came is:\n{self.text}"
        self.process.wait()
        code: int | None = self.process.exitstatus
        return -int(self.process.signalstatus) if code is None else code

    def close(self) -> None:
        """Close the window."""
        if self.process.isalive():
            self.process.kill(signal.SIGKILL)
        self.process.close(force=True)

    def _read(self) -> bool:
        """Take what the program printed, and tell whether more may come."""
        try:
            data = self.process.read_nonblocking(4096, timeout=0.1)
        except self._ended as error:
            return type(error) is not self._ended[0]
        self.raw += data
        self._stream.feed(data.replace("\x03", ""))  # which terminals pass over, and pyte takes for a letter
        return True

    def _answer(self, data: str) -> None:
        """Tell the program what it asks of its terminal, as where the cursor is."""
        self.process.send(data)
