"""Leaving a provider that keeps failing alone for a while, where another one can be asked instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from g4f.errors import APIError

FAILURES = 3
SECONDS = 60.0
_MOST = 1000


class Cooldown:
    """Remembers who failed again and again; a client owns one, and nothing of it is kept elsewhere.

    It is no middleware, since only `dispatch.py` knows whether there is anybody else to ask.

    Args:
        failures: How many calls in a row must fail before a provider rests.
        seconds: How long it rests then; longer where it asks for that itself. One call after that tries it again, and
            one more failure lets it rest anew.
        clock: Tells the seconds.
    """

    def __init__(
        self, failures: int = FAILURES, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._failures = failures
        self._seconds = seconds
        self._clock = clock
        self._counts: dict[Hashable, int] = {}
        self._rests: dict[Hashable, float] = {}

    def note(self, who: Hashable, error: Exception | None) -> None:
        """Note how a call ended; what another call might not meet, as a wrong request, says nothing of the provider."""
        if error is None:
            if self._counts and who in self._counts:  # whose key need not be looked at while all is well
                self._counts.pop(who, None)
                self._rests.pop(who, None)
        elif isinstance(error, APIError) and error.retryable:
            if len(self._counts) >= _MOST:  # as with a key for each call: who goes on failing is soon found again
                self._counts.clear()
                self._rests.clear()
            count = self._counts[who] = self._counts.get(who, 0) + 1
            if count >= self._failures:
                self._rests[who] = self._clock() + max(self._seconds, error.retry_after or 0.0)

    def find_rest(self, who: Hashable) -> float:
        """Return for how many seconds it still rests; 0 for who may be asked."""
        return max(0.0, self._rests[who] - self._clock()) if who in self._rests else 0.0
