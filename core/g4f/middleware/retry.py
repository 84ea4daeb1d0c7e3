"""Repeating what may succeed the next time: the only place where g4f repeats a request."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from g4f.context import Answered, Call, CallNext
from g4f.errors import APIError, RateLimitError

MAX_WAIT = 60.0
_FIRST_WAIT = 0.5
_LONGEST_BACKOFF = 8.0
_FREE = 10.0
_EARNED_PER_CALL = 0.19
_FORGOTTEN_AFTER = 60.0  # seconds without a repeat
_SPENT = "g4f did not repeat this: the service failed so often that only every fifth call is (g4f.middleware.Budget)."


class Budget:
    """How often a provider may still be asked again, for all who share this: clients, loops and threads.

    Ten repeats are free for each provider; after them only every fifth call earns one, so that a dead service gets at
    most 20 % more requests over 1,000 calls. Repeats that helped are given back, so that a service which only stumbles
    never uses them up. A minute without a repeat makes ten free again.

    `doubted` are the providers that said when to come again, and failed then: their word counts for nothing until they
    answer.

    Args:
        clock: Tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[str, float] = {}
        self.doubted: set[str] = set()
        self._repeated: dict[str, float] = {}

    def earn(self, provider: str) -> None:
        """Note a call."""
        self._left[provider] = min(_FREE, self._left.get(provider, _FREE) + _EARNED_PER_CALL)

    def spend(self, provider: str) -> bool:
        """Take a repeat, and tell whether there was one."""
        now = self._clock()
        if now - self._repeated.get(provider, now) > _FORGOTTEN_AFTER:
            self._left[provider] = _FREE
            self.doubted.discard(provider)
        if self._left[provider] < 1.0:
            return False
        self._left[provider] -= 1.0
        self._repeated[provider] = now
        return True

    def give_back(self, provider: str, repeats: int) -> None:
        """Note an answer, and that so many repeats which were taken led to it."""
        self.doubted.discard(provider)
        self._left[provider] = min(_FREE, self._left[provider] + repeats)


class Retry:
    """Repeats a failed try at the same target while nothing has been delivered.

    What the service asks to wait is obeyed up to 60 seconds; above that the error is raised. Otherwise the wait is
    random between zero and a limit that doubles ("full jitter"). A repeat at the time that a 429 names takes nothing of
    the budget: such a service lives, and will answer then. Where one fails the next ones do, until an answer comes.

    Args:
        max_retries: How often one call is repeated at most.
        budget: How often all calls are; None makes one for those that this object sees.
    """

    def __init__(self, max_retries: int = 2, budget: Budget | None = None) -> None:
        self.max_retries = max_retries
        self.budget = budget or Budget()

    async def __call__(self, call: Call, call_next: CallNext) -> Answered:
        """Try, and try again."""
        provider = call.target.provider
        self.budget.earn(provider)
        tries = taken = 0
        named = False  # whether this try comes at a time that the service named
        while True:
            try:
                answer = await call_next(call)
            except APIError as error:
                if named:
                    self.budget.doubted.add(provider)
                wait = self._find_wait(error, tries)
                if wait is None:
                    raise
                named = isinstance(error, RateLimitError) and error.retry_after is not None
                free = named and provider not in self.budget.doubted
                if not free and not self.budget.spend(provider):
                    error.add_note(_SPENT)
                    raise
                taken += not free
            else:
                if taken or provider in self.budget.doubted:
                    self.budget.give_back(provider, taken)
                return answer
            tries += 1
            import asyncio  # here because a program that only imports the client need not pay for it

            await asyncio.sleep(wait)

    def _find_wait(self, error: APIError, tries: int) -> float | None:
        if not error.retryable or tries >= self.max_retries:
            return None
        if error.retry_after is None:
            return random.uniform(0.0, min(_LONGEST_BACKOFF, _FIRST_WAIT * 2**tries))  # noqa: S311 - spreads load only
        return error.retry_after if error.retry_after <= MAX_WAIT else None
