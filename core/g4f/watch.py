"""The watchdog of a stream: it ends the waiting, and nothing else; and whose a cancellation is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from g4f.errors import APITimeoutError

if TYPE_CHECKING:
    import asyncio


def ends_task(error: BaseException) -> bool:
    """Tell what a task, or the program, ends with from errors and from cancellations that nobody asked for.

    A provider may raise one, or wait for what was canceled; it would look like the caller's own. SystemExit ends the
    program whoever raises it: a signal does so wherever the program is.
    """
    if isinstance(error, Exception):
        return False
    import asyncio  # here because a program that only imports the client need not pay for it

    task = asyncio.current_task() if isinstance(error, asyncio.CancelledError) else None
    return task is None or task.cancelling() > 0


def forget_origin(error: BaseException) -> None:
    """Take from what ends a task where it came from: what waited may hold a key, and reports show frames' variables.

    Of what came before it cancellations are kept, since frameworks look for their own among them (anyio does).
    """
    before = error.__context__
    error.__cause__ = error.__context__ = error.__traceback__ = None
    if type(before) is type(error):
        forget_origin(before)
        error.__context__ = before


def name_error(error: BaseException) -> Exception:
    """Return an error that stands for a cancellation that nobody asked for, and every other one itself."""
    return error if isinstance(error, Exception) else RuntimeError("CancelledError, though nobody canceled the call")


class Watch:
    """Stops waiting for something: when it did not come within `seconds`, or when another task wants it to.

    For a stream `pause` and `resume` leave the consumer's own time out, and content moves the date. One timer does for
    a whole stream: to move a date costs a hundredth of a timer. `with` around the waiting; after it `stopped` says what
    happened.

    Attributes:
        stopped: `late` or `closed` where this watch ended the block, None where it ended by itself.
    """

    __slots__ = (
        "_cancelling", "_date", "_due", "_get_task", "_handle", "_loop", "_paused", "_seconds", "_task", "_waiting",
        "_why", "stopped",
    )  # fmt: skip

    def __init__(self, seconds: float | None) -> None:
        self.stopped: Literal["late", "closed"] | None = None
        self._seconds = seconds
        self._why: Literal["late", "closed"] | None = None
        self._handle: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        import asyncio  # here because a program that only imports the client need not pay for it

        self._loop = asyncio.get_running_loop()
        self._get_task = asyncio.current_task
        self._task = task = self._get_task(self._loop)
        self._cancelling = task.cancelling() if task else 0
        self._waiting = True
        if self._seconds is not None:
            self._due = self._date = self._loop.time() + self._seconds
            self._handle = self._loop.call_at(self._date, self._check)
        return self

    def pause(self) -> None:
        """Note that something came."""
        self._waiting = False
        if self._seconds is not None:
            self._paused = self._loop.time()

    def resume(self, *, content: bool) -> None:
        """Note that the source is waited for again, by the task that runs; `content` gives it all of the time anew."""
        self._waiting = True
        self._task = task = self._get_task(self._loop)
        self._cancelling = task.cancelling() if task else 0
        if self._seconds is not None:
            self._date = self._loop.time() + (self._seconds if content else self._date - self._paused)
            if self._handle is None or self._due > self._date:
                self._set_timer()

    def _set_timer(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._due = self._date  # kept here, since not every loop's handles know theirs
        self._handle = self._loop.call_at(self._date, self._check)

    def _check(self) -> None:
        if self._is_late():  # look again once the loop has handed over what came while something held it up
            self._handle = self._loop.call_at(self._date, self._check_again)

    def _check_again(self) -> None:
        if self._is_late():
            self._stop("late")

    def _is_late(self) -> bool:
        """Tell whether it is over; where it is not, look again when it may be."""
        self._handle = None
        if not self._waiting:
            return False  # `resume` sets the timer anew
        if self._date > self._loop.time():
            self._set_timer()
            return False
        return True

    def interrupt(self) -> bool:
        """Stop the task that waits, if another one does."""
        if not self._waiting or self._task is None or self._task is self._get_task():
            return False
        self._stop("closed")
        return True

    def _stop(self, why: Literal["late", "closed"]) -> None:
        if self._why is None and self._task is not None:
            self._why = why
            self._task.cancel()

    def raise_if_late(self, message: str) -> None:
        """Raise APITimeoutError with the seconds in its message, if that is what ended the block."""
        if self.stopped == "late":
            raise APITimeoutError(message.format(self._seconds))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        """Take the cancellation back if it is this watch's own, and nobody else's besides."""
        self._waiting = False
        if self._handle is not None:
            self._handle.cancel()
        task, self._task = self._task, None  # its result may be the stream that holds this watch: a circle
        if self._why is None or task is None:
            return False
        own = task.uncancel() <= self._cancelling
        if kind is not None and kind.__name__ == "CancelledError" and own:
            self.stopped = self._why
            return True
        return False
