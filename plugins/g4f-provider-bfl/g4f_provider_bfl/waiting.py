"""Waiting for a job that the service has taken: it is asked for again and again, and never begun again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from g4f.errors import APIError, APITimeoutError
from g4f.images import Images

FIRST_WAIT = 0.25
LONGEST_WAIT = 4.0
_GROWTH = 1.4
_MAX_FAILURES = 10  # one after the other


async def wait_for(ask: Callable[[], Awaitable[Images | None]], *, job: str, end: float | None) -> Images:
    """Ask until there is an answer, with longer and longer pauses.

    What may pass is asked over, after the pause that the service wishes.

    Args:
        ask: Asks once; None says that it takes longer.
        job: The job's id, for the error.
        end: When to give up, by the loop's clock; None is never.

    Raises:
        APITimeoutError: It takes too long.
        APIError: The job failed, or it cannot be asked for.
    """
    pause, failures = FIRST_WAIT, 0
    while True:
        wished = 0.0
        try:
            answer = await ask()
        except APIError as error:
            failures += 1
            if not error.retryable or failures > _MAX_FAILURES:
                raise
            wished = error.retry_after or 0.0
        else:
            failures = 0
            if answer is not None:
                return answer
        await _pause(max(pause, wished), job, end)
        pause = min(pause * _GROWTH, LONGEST_WAIT)


async def _pause(seconds: float, job: str, end: float | None) -> None:
    """Sleep, unless there would be no time to ask again."""
    if end is not None and asyncio.get_running_loop().time() + seconds >= end:
        raise APITimeoutError(
            f"The picture did not come in time; its job {job} goes on at the service.", request_id=job, retryable=False
        )
    await asyncio.sleep(seconds)
