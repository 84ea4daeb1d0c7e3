import pytest

from g4f import AsyncClient, hookimpl
from g4f.chat import Completion
from g4f.errors import APIError, BadRequestError, InternalServerError, RateLimitError
from g4f.middleware.cooldown import FAILURES, SECONDS, Cooldown


class Clock:
    """A clock that stands still."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Moody:
    """Fails while it is told to."""

    def __init__(self) -> None:
        self.error: Exception | None = InternalServerError("down", status_code=500)
        self.calls = 0

    @hookimpl
    async def chat(self) -> Completion:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return Completion.from_text("at last")


class Good:
    @hookimpl
    async def chat(self) -> Completion:
        return Completion.from_text("good")


class Bad(Moody):
    """A second one that fails."""


def fail(**fields: float) -> APIError:
    return RateLimitError("no", status_code=429, **fields)


def test_who_fails_once_is_not_left_alone() -> None:
    """Only failures in a row count: an answer between them begins anew."""
    cooldown = Cooldown(failures=2)
    for _ in range(5):
        cooldown.note("a", fail())
        assert cooldown.find_rest("a") == 0
        cooldown.note("a", None)


def test_who_fails_in_a_row_rests_for_a_while_and_then_gets_one_try() -> None:
    """Another failure lets it rest anew, an answer ends it."""
    clock = Clock()
    cooldown = Cooldown(failures=2, seconds=30, clock=clock)
    cooldown.note("a", fail())
    cooldown.note("a", fail())
    assert (cooldown.find_rest("a"), cooldown.find_rest("b")) == (30, 0)
    clock.now += 30
    assert cooldown.find_rest("a") == 0
    cooldown.note("a", fail())
    assert cooldown.find_rest("a") == 30
    clock.now += 30
    cooldown.note("a", None)
    cooldown.note("a", fail())
    assert cooldown.find_rest("a") == 0


def test_an_answer_ends_a_rest_at_once() -> None:
    """As where a provider was asked all the same, since there was nobody else."""
    cooldown = Cooldown(failures=1, clock=Clock())
    cooldown.note("a", fail())
    assert cooldown.find_rest("a") == SECONDS
    cooldown.note("a", None)
    assert cooldown.find_rest("a") == 0


def test_a_rest_may_be_as_short_as_one_likes() -> None:
    """No minimum is hidden anywhere."""
    cooldown = Cooldown(failures=1, seconds=0.25, clock=Clock())
    cooldown.note("a", fail())
    assert cooldown.find_rest("a") == 0.25


def test_a_thousand_are_remembered_at_most() -> None:
    """As with a key for each call: memory does not grow with them."""
    cooldown = Cooldown(failures=1)
    for who in range(2500):
        cooldown.note(who, fail())
        assert len(cooldown._counts) <= 1000
        assert len(cooldown._rests) <= 1000
        assert cooldown.find_rest(who) > 0


def test_who_asks_for_more_time_gets_it() -> None:
    """`Retry-After` counts where it is longer."""
    cooldown = Cooldown(failures=1, seconds=30, clock=Clock())
    cooldown.note("a", fail(retry_after=3600.0))
    cooldown.note("b", fail(retry_after=1.0))
    assert (cooldown.find_rest("a"), cooldown.find_rest("b")) == (3600, 30)


@pytest.mark.parametrize("error", [BadRequestError("no", status_code=400), ValueError("no")])
def test_what_another_call_might_not_meet_does_not_count(error: Exception) -> None:
    """A wrong request says nothing of who refused it."""
    cooldown = Cooldown(failures=1)
    cooldown.note("a", error)
    assert cooldown.find_rest("a") == 0


async def test_the_next_provider_is_asked_at_once_while_one_rests() -> None:
    """The answer's `attempts` tell who was passed over, and why."""
    moody = Moody()
    async with AsyncClient(provider=[moody, Good], max_retries=0) as client:
        for _ in range(FAILURES):
            await client.chat.completions.create("Hi")
        completion = await client.chat.completions.create("Hi")
    assert moody.calls == FAILURES
    passed, answered = completion.attempts
    assert (passed.provider, answered.provider, answered.error) == ("Moody", "Good", None)
    assert (passed.passed_over, answered.passed_over) == (True, False)
    assert isinstance(passed.error, APIError)
    assert "left alone" in str(passed.error)
    assert 0 < (passed.error.retry_after or 0) <= SECONDS


async def test_who_is_the_only_one_is_asked_whatever_happened() -> None:
    """Alone, or where all others rest as well."""
    moody, bad = Moody(), Bad()
    async with AsyncClient(provider=moody, max_retries=0) as client:
        for _ in range(FAILURES + 2):
            with pytest.raises(InternalServerError):
                await client.chat.completions.create("Hi")
        moody.error = None
        await client.chat.completions.create("Hi")
        moody.error = InternalServerError("down", status_code=500)
        for _ in range(FAILURES + 2):
            with pytest.raises(InternalServerError) as caught:
                await client.chat.completions.create("Hi", provider=[moody, bad])
    assert bad.calls == FAILURES + 2
    assert [attempt.provider for attempt in caught.value.attempts] == ["Moody", "Bad"]


async def test_each_client_remembers_by_itself() -> None:
    """What one client met is no other's business."""
    moody = Moody()
    for _ in range(FAILURES + 2):
        async with AsyncClient(provider=[moody, Good], max_retries=0) as client:
            await client.chat.completions.create("Hi")
    assert moody.calls == FAILURES + 2
