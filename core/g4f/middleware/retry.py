"""Repeating what may succeed the next time: the only place where g4f repeats a request."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Hashable

from g4f.context import Answered, Call, CallNext
from g4f.errors import APIError, RateLimitError

MAX_WAIT = 60.0
_FIRST_WAIT = 0.5
_LONGEST_BACKOFF = 8.0
_FREE = 10.0
_EARNED_PER_CALL = 0.19
_FORGOTTEN_AFTER = 60.0  # seconds without a repeat
_LOOK_AGAIN = 0.1  # seconds between two looks at what came of others
_MOST = 1000
_SPENT = "g4f did not repeat this: the service failed so often that only every fifth call is (g4f.middleware.Budget)."


class Budget:
    """How often accounts may still be asked again, for all who share this: clients, loops and threads.

    Ten repeats are free for each account; after them only every fifth call earns one, so that a dead service gets at
    most 20 % more requests over 1,000 calls that follow each other within ten seconds. Repeats that helped are given
    back, so that a service which only stumbles never uses them up. A minute without a repeat makes ten free again.

    Args:
        clock: Tells the time in seconds.

    Attributes:
        answers: How many answers came, of those accounts that ever said when to come again.
        doubted: Those who said so and did not answer then: their word counts for nothing until they answer.
        trying: The calls that have come again at such a time, and have no answer yet.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[Hashable, float] = {}  # of those who ever took one
        self._repeated: dict[Hashable, float] = {}
        self.answers: dict[Hashable, int] = {}
        self.doubted: set[Hashable] = set()
        self.trying: dict[Hashable, set[int]] = {}

    def earn(self, who: Hashable) -> None:
        """Note a call."""
        left = self._left.get(who) if self._left else None  # to hash a key costs, and mostly nothing ever failed
        if left is not None:
            self._left[who] = min(_FREE, left + _EARNED_PER_CALL)

    def spend(self, who: Hashable) -> bool:
        """Take a repeat, and tell whether there was one."""
        now = self._clock()
        if len(self._left) >= _MOST:  # as with a key for each call: who goes on failing is soon found again
            for kept in (self._left, self._repeated, self.answers, self.doubted, self.trying):
                kept.clear()
        if now - self._repeated.get(who, now) > _FORGOTTEN_AFTER:
            self._left.pop(who, None)
            self.doubted.discard(who)
        left = self._left.get(who, _FREE)
        if left < 1.0:
            return False
        self._left[who] = left - 1.0
        self._repeated[who] = now
        return True

    def give_back(self, who: Hashable, repeats: int) -> None:
        """Note an answer, and that so many repeats which were taken led to it."""
        self.doubted.discard(who)
        if who in self.answers:
            self.answers[who] = self.answers.get(who, 0) + 1
        self._left[who] = min(_FREE, self._left.get(who, _FREE) + repeats)


class Retry:
    """Repeats a failed try at the same target while nothing has been delivered.

    What the service asks to wait is obeyed up to 60 seconds; above that the error is raised. Otherwise the wait is
    random between zero and a limit that doubles ("full jitter").

    A repeat at the time that a 429 names takes nothing of the budget where the service lives: where it has answered
    anybody since then. Else some come out of the budget, and the other calls that were told the same wait for what
    comes of those: an answer lets all of them go, a failure none.

    Args:
        max_retries: How often one call is repeated at most.
        budget: How often all calls are; None makes one for those that this object sees.
    """

    def __init__(self, max_retries: int = 2, budget: Budget | None = None) -> None:
        self.max_retries = max_retries
        self.budget = budget or Budget()

    async def __call__(self, call: Call, call_next: CallNext) -> Answered:
        """Try, and try again."""
        who = call.target.provider if call.account is None else call.account
        budget = self.budget
        budget.earn(who)
        tries = taken = 0
        seen: int | None = None  # how many answers there were when a time was named for this try
        while True:
            try:
                answer = await (call_next(call) if seen is None else self._come_again(who, call, call_next))
            except APIError as error:
                if seen is not None and seen == budget.answers.get(who):
                    budget.doubted.add(who)
                wait = self._find_wait(error, tries)
                if wait is None:
                    raise
                named = isinstance(error, RateLimitError) and error.retry_after is not None
                seen = budget.answers.setdefault(who, 0) if named else None
                price = await self._wait(who, wait, seen)
                if price is None:
                    error.add_note(_SPENT)
                    raise
            else:
                if taken or (budget.answers and who in budget.answers):
                    budget.give_back(who, taken)
                return answer
            taken += price
            tries += 1

    async def _come_again(self, who: Hashable, call: Call, call_next: CallNext) -> Answered:
        trying = self.budget.trying.setdefault(who, set())
        trying.add(id(call))
        try:
            return await call_next(call)
        finally:
            trying.discard(id(call))

    async def _wait(self, who: Hashable, seconds: float, seen: int | None) -> int | None:
        """Wait for the next try, and return how many repeats of the budget it takes; None where it may not be."""
        import asyncio  # here because a program that only imports the client need not pay for it

        budget = self.budget
        if seen is None or who in budget.doubted:
            if not budget.spend(who):
                return None
            await asyncio.sleep(seconds)
            return 1
        await asyncio.sleep(seconds)
        waited = 0.0
        while who not in budget.doubted and waited < MAX_WAIT:
            if seen != budget.answers.get(who):
                return 0
            if budget.spend(who):
                return 1
            if not budget.trying.get(who):
                return 0  # somebody has to find out
            waited += _LOOK_AGAIN
            await asyncio.sleep(_LOOK_AGAIN)
        return 1 if budget.spend(who) else None

    def _find_wait(self, error: APIError, tries: int) -> float | None:
        if not error.retryable or tries >= self.max_retries:
            return None
        if error.retry_after is None:
            return random.uniform(0.0, min(_LONGEST_BACKOFF, _FIRST_WAIT * 2**tries))  # noqa: S311 - spreads load only
        return error.retry_after if error.retry_after <= MAX_WAIT else None
