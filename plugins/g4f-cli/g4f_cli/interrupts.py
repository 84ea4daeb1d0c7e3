"""What Ctrl-C does. Imported before all else, so it imports next to nothing itself.

While modules are imported Ctrl-C ends the program at once: an exception would come out wherever Python happens to be,
and is lost in some of these places. A command's own work is interrupted by `KeyboardInterrupt`, so that it cleans up.
What happens before, while Python itself starts, is not ours: it ends with words and a code of Python's.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # which type checkers know by its name, without the module `typing`
if TYPE_CHECKING:
    from collections.abc import Callable
    from sys import UnraisableHookArgs
    from types import FrameType
    from typing import NoReturn

    Handler = Callable[[int, FrameType | None], object]

INTERRUPTED = 130


def leave_interrupted(*_: object) -> NoReturn:
    """Exit at once: a thread that still looks up a name or reads a file would hold a normal exit up."""
    try:
        if os.isatty(2):
            os.write(2, b"\n")  # after the terminal's ^C; past the buffers, which may be in use
    finally:
        leave_at_once()


def leave_at_once() -> NoReturn:
    """Exit as interrupted, where the line after the terminal's ^C has begun."""
    os._exit(INTERRUPTED)


def end_at_once() -> None:
    """Let Ctrl-C end the program at once, unless somebody else decides what it does, as `nohup`.

    One that was held back while Python started, as `scripts/g4f` has it, counts now.
    """
    _replace(signal.default_int_handler, leave_interrupted)
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def clean_up_first() -> None:
    """Let Ctrl-C raise `KeyboardInterrupt`, if `end_at_once` was called."""
    sys.unraisablehook = _leave_if_interrupted
    _replace(leave_interrupted, signal.default_int_handler)


def _leave_if_interrupted(lost: UnraisableHookArgs) -> None:
    """Exit where the exception came while an object was freed, which Python would only write about."""
    if lost.exc_type is KeyboardInterrupt:
        leave_interrupted()
    sys.__unraisablehook__(lost)


def outlast() -> None:
    """Let Ctrl-C do nothing any more: all is done, and Python, which only ends itself, would die of it."""
    _replace(leave_interrupted, signal.SIG_IGN)


def _replace(before: Handler, after: Handler | signal.Handlers) -> None:
    if signal.getsignal(signal.SIGINT) is before:
        signal.signal(signal.SIGINT, after)
