"""The pauses, by a clock of our own: it is only sleep that makes time pass."""

from __future__ import annotations

import math
from collections.abc import Iterator

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f.errors import APIConnectionError, APIError, APITimeoutError, BadRequestError, RateLimitError
from g4f.images import Images
from g4f_provider_bfl.waiting import FIRST_WAIT, LONGEST_WAIT, MAX_FAILURES, wait_for

PICTURE = Images.from_dict({"data": [{"url": "https://example.org/cat.png"}]})
BROKEN = APIConnectionError("broken")


@attrs.define
class Clock:
    """A job's life: what each question brings, and the pauses between them.

    Attributes:
        answers: An error, None for "not yet", or the picture, in turn.
        seconds: How long there is.
    """

    answers: Iterator[APIError | Images | None]
    seconds: float = math.inf
    pauses: list[float] = attrs.field(factory=list)
    asked: int = 0

    async def ask(self) -> Images | None:
        self.asked += 1
        answer = next(self.answers)
        if isinstance(answer, APIError):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def wait(self) -> Images:
        return await wait_for(self.ask, "task-1", lambda: self.seconds - sum(self.pauses), self.sleep)


def make_clock(*answers: APIError | Images | None, seconds: float = math.inf) -> Clock:
    return Clock(iter(answers), seconds)


async def test_a_picture_that_is_there_is_not_waited_for() -> None:
    """One question, no pause."""
    clock = make_clock(PICTURE)
    assert await clock.wait() is PICTURE
    assert clock.pauses == []


async def test_pauses_grow_to_the_longest() -> None:
    """Quick pictures come quickly, and slow ones are not asked for in a rush."""
    clock = make_clock(*[None] * 15, PICTURE)
    assert await clock.wait() is PICTURE
    assert clock.pauses[0] == FIRST_WAIT
    assert clock.pauses == sorted(clock.pauses)
    assert clock.pauses[-1] == LONGEST_WAIT


async def test_the_pause_that_the_service_wishes_is_kept() -> None:
    """But for one that is shorter than ours."""
    long, short = (RateLimitError("slower", retry_after=seconds) for seconds in (30.0, 0.0))
    clock = make_clock(long, short, PICTURE)
    await clock.wait()
    assert clock.pauses[0] == 30.0
    assert clock.pauses[1] > FIRST_WAIT


async def test_failures_one_after_the_other_end_it() -> None:
    """Where there is no deadline, too; an answer between them begins the count anew."""
    clock = make_clock(*[BROKEN] * MAX_FAILURES, None, *[BROKEN] * MAX_FAILURES, PICTURE)
    assert await clock.wait() is PICTURE
    clock = make_clock(*[BROKEN] * 99)
    with pytest.raises(APIConnectionError):
        await clock.wait()
    assert clock.asked == MAX_FAILURES + 1


async def test_what_does_not_pass_ends_it_at_once() -> None:
    """Without a pause."""
    clock = make_clock(None, BadRequestError("no", status_code=400))
    with pytest.raises(BadRequestError):
        await clock.wait()
    assert len(clock.pauses) == 1


async def test_a_pause_that_leaves_no_time_is_not_made() -> None:
    """What the service said is told before the deadline, instead of a late one after it."""
    clock = make_clock(RateLimitError("slower", retry_after=60.0), seconds=59.0)
    with pytest.raises(RateLimitError, match="slower"):
        await clock.wait()
    assert clock.pauses == []


async def test_a_picture_that_is_not_drawn_in_time_leaves_the_name_of_its_job() -> None:
    """The service goes on with it, and it is paid for."""
    clock = make_clock(*[None] * 99, seconds=3.0)
    with pytest.raises(APITimeoutError, match="job task-1 goes on"):
        await clock.wait()


@given(st.floats(0.01, 1000))
def test_there_is_always_an_end(seconds: float) -> None:
    """Within the time that there is, and never without a pause."""
    clock = Clock(iter(lambda: None, 0), seconds)
    coroutine = clock.wait()
    with pytest.raises(APITimeoutError):
        coroutine.send(None)
    assert sum(clock.pauses) < seconds
    assert all(FIRST_WAIT <= pause <= LONGEST_WAIT for pause in clock.pauses)
    assert clock.asked == len(clock.pauses) + 1
