"""Waiting for a job that the service has taken: it is asked for again and again, and never begun again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from g4f.errors import APIError, APITimeoutError
from g4f.images import Images

FIRST_WAIT = 0.25
LONGEST_WAIT = 4.0
_GROWTH = 1.4
MAX_FAILURES = 10  # one after the other


async def wait_for(
    ask: Callable[[], Awaitable[Images | None]],
    job: str,
    count_left: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Images:
    """Ask until there is an answer, with longer and longer pauses.

    What may pass is asked over, after the pause that the service wishes.

    Args:
        ask: Asks once; None says that it takes longer.
        job: The job's id, for the error.
        count_left: Counts the seconds that are left.
        sleep: Pauses for so many seconds.

    Raises:
        APITimeoutError: It takes too long.
        APIError: The job failed, or it cannot be asked for; or it could not the last time that there was time for it.
    """
    pause, failures = FIRST_WAIT, 0
    while True:
        wait = pause
        try:
            answer = await ask()
        except APIError as error:
            failures += 1
            wait = max(pause, error.retry_after or 0.0)
            if not error.retryable or failures > MAX_FAILURES or wait >= count_left():
                raise
        else:
            failures = 0
            if answer is not None:
                return answer
            if wait >= count_left():  # there would be no time to ask again
                raise APITimeoutError(f"The picture did not come in time; its job {job} goes on at the service.")
        await sleep(wait)
        pause = min(pause * _GROWTH, LONGEST_WAIT)
