import asyncio
import threading
from typing import Any

import pytest

from g4f import AsyncClient, ChatCompletion, hookimpl
from g4f.chat import ChatRequest, Completion
from g4f.context import Call, Target
from g4f.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    G4FError,
    InternalServerError,
    InvalidInputError,
    RateLimitError,
    StreamTruncatedError,
)
from g4f.middleware import Budget, Retry
from g4f.middleware.retry import MAX_WAIT


class Service:
    """Fails with these errors, one a try, and then answers; the last error repeats where `dead`."""

    def __init__(self, *errors: Exception, dead: bool = False) -> None:
        self.errors = list(errors)
        self.dead = dead
        self.tries = 0
        self.calls: list[Call] = []

    async def __call__(self, call: Call) -> str:
        self.tries += 1
        self.calls.append(call)
        if self.errors:
            raise self.errors[0] if self.dead else self.errors.pop(0)
        return "answer"


def make_call(provider: str = "Somebody") -> Call:
    return Call(ChatRequest(()), Target(provider, "m"))


def at_once(kind: type[APIError] = InternalServerError, **fields: Any) -> APIError:
    """An error that asks for no wait, so that nobody waits in a test."""
    return kind("no", **{"retry_after": 0.0, **fields})


async def test_an_answer_is_passed_on() -> None:
    """One try is enough where it succeeds."""
    service = Service()

    assert await Retry()(make_call(), service) == "answer"
    assert service.tries == 1


@pytest.mark.parametrize(
    "kind", [APIConnectionError, APITimeoutError, RateLimitError, InternalServerError, StreamTruncatedError]
)
async def test_what_may_succeed_the_next_time_is_repeated(kind: type[APIError]) -> None:
    """The same call at the same target."""
    service, call = Service(at_once(kind), at_once(kind)), make_call()

    assert await Retry()(call, service) == "answer"
    assert [seen is call for seen in service.calls] == [True] * 3


@pytest.mark.parametrize(
    "error",
    [
        at_once(BadRequestError),
        at_once(AuthenticationError),
        at_once(RateLimitError, retryable=False),
        InvalidInputError("no"),
        G4FError("no"),
        ValueError("no"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_will_not_succeed_is_raised_at_once(error: Exception) -> None:
    """Errors of the caller, and whatever says so itself."""
    service = Service(error)
    with pytest.raises(type(error)) as caught:
        await Retry()(make_call(), service)

    assert caught.value is error
    assert service.tries == 1


@pytest.mark.parametrize(("how_often", "tries"), [((0,), 1), ((1,), 2), ((), 3), ((5,), 6)])
async def test_a_call_is_repeated_so_often_and_not_more(how_often: tuple[int, ...], tries: int) -> None:
    """Then the last error is raised; twice where nobody says how often."""
    service = Service(at_once(), dead=True)
    with pytest.raises(InternalServerError):
        await Retry(*how_often)(make_call(), service)

    assert service.tries == tries


async def test_cancellation_is_not_an_error_to_repeat() -> None:
    """Neither in a try nor in the wait between two."""
    waiting = asyncio.Event()

    async def fail(call: Call) -> str:
        waiting.set()
        raise at_once(retry_after=50.0)

    task = asyncio.create_task(Retry()(make_call(), fail))
    await waiting.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("seconds", [MAX_WAIT + 0.1, 3600.0, 1e300])
async def test_a_wait_that_is_too_long_is_not_waited(seconds: float) -> None:
    """The error says how long it would have been."""
    service = Service(at_once(RateLimitError, retry_after=seconds))
    with pytest.raises(RateLimitError) as caught:
        await Retry()(make_call(), service)

    assert caught.value.retry_after == seconds
    assert service.tries == 1


async def test_a_wait_that_the_service_asks_for_is_kept() -> None:
    """It is not asked again before."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    await Retry()(make_call(), Service(at_once(retry_after=0.2)))

    assert loop.time() - started >= 0.19


def test_waits_are_random_below_a_limit_that_doubles() -> None:
    """Up to eight seconds, so that many clients do not come back together."""
    retry = Retry(max_retries=100)
    for tries, limit in enumerate([0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]):
        waits = [retry._find_wait(InternalServerError("no"), tries) or 0.0 for _ in range(500)]
        assert 0 <= min(waits) < 0.2 * limit
        assert 0.8 * limit < max(waits) <= limit
    assert retry._find_wait(InternalServerError("no"), 99) is not None
    assert retry._find_wait(InternalServerError("no"), 100) is None
    assert retry._find_wait(at_once(retry_after=MAX_WAIT), 0) == MAX_WAIT


@pytest.mark.parametrize("kind", [InternalServerError, RateLimitError])
@pytest.mark.parametrize("max_retries", [1, 2, 10])
async def test_a_dead_service_gets_a_fifth_more_requests_at_most(max_retries: int, kind: type[APIError]) -> None:
    """Over a thousand calls, also where it says when to come again; ten repeats are free, so that no hiccup counts."""
    retry, service = Retry(max_retries), Service(at_once(kind), dead=True)
    for _ in range(1000):
        with pytest.raises(kind):
            await retry(make_call(), service)

    assert 1100 < service.tries <= 1200


async def test_the_first_ten_repeats_are_free_and_calls_earn_new_ones() -> None:
    """Calls that succeed earn as well."""
    retry, dead = Retry(max_retries=20), Service(at_once(), dead=True)
    with pytest.raises(InternalServerError):
        await retry(make_call(), dead)
    assert dead.tries == 11

    for _ in range(100):
        await retry(make_call(), Service())
    again = Service(at_once(), dead=True)
    with pytest.raises(InternalServerError):
        await retry(make_call(), again)
    assert again.tries == 11


@pytest.mark.parametrize(("pause", "tries"), [(59.0, 1), (61.0, 11)])
async def test_a_minute_without_a_repeat_makes_ten_free_again(pause: float, tries: int) -> None:
    """A client that lives for days does not lose its repeats for ever."""
    now = [0.0]
    retry = Retry(max_retries=20, budget=Budget(lambda: now[0]))
    for expected in (11, tries):
        service = Service(at_once(), dead=True)
        with pytest.raises(InternalServerError):
            await retry(make_call(), service)
        assert service.tries == expected
        now[0] += pause


async def test_a_service_that_only_stumbles_is_repeated_without_end() -> None:
    """What helped is given back."""
    retry = Retry(max_retries=1)
    for _ in range(100):
        assert await retry(make_call(), Service(at_once())) == "answer"


async def test_many_calls_that_are_told_when_to_come_again_all_do() -> None:
    """A service that counts requests is not dead."""
    retry = Retry(max_retries=1)
    calls = [retry(make_call(), Service(at_once(RateLimitError))) for _ in range(100)]
    assert await asyncio.gather(*calls) == ["answer"] * 100


async def test_calls_that_begin_together_flood_no_dead_service() -> None:
    """Each is told when to come again, some do, and the others see what came of those."""
    retry, service = Retry(max_retries=2), Service(at_once(RateLimitError, retry_after=0.01), dead=True)

    async def try_slowly(call: Call) -> str:
        await asyncio.sleep(0.02)
        return await service(call)

    calls = [retry(make_call(), try_slowly) for _ in range(1000)]
    errors = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(error) for error in errors} == {RateLimitError}
    assert 1000 < service.tries <= 1200


class Counter:
    """A service that answers so many calls a round, and tells the others to come in the next one."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.begun = 0
        self.tries = 0

    async def __call__(self, call: Call) -> str:
        self.tries += 1
        self.begun += 1
        if self.begun > self.most:
            raise at_once(RateLimitError, retry_after=0.1)
        await asyncio.sleep(0.05)
        return "answer"

    async def count(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            self.begun = 0


async def test_a_service_that_answers_some_is_asked_by_the_others_until_it_answers_them() -> None:
    """It lives: no repeat at the time that it names comes out of the budget."""
    retry, service = Retry(max_retries=50), Counter(20)
    counting = asyncio.create_task(service.count())
    answers = await asyncio.gather(*(retry(make_call(), service) for _ in range(100)))
    counting.cancel()
    assert answers == ["answer"] * 100


@pytest.mark.parametrize("another_answers", [False, True])
async def test_who_waits_for_what_comes_of_others_goes_once_they_are_gone(
    monkeypatch: pytest.MonkeyPatch, another_answers: bool
) -> None:
    """A call that was to find out keeps others waiting for a minute, till it is canceled or another is answered."""
    retry = Retry(max_retries=1)
    for _ in range(11):  # nothing is left
        with pytest.raises(InternalServerError):
            await retry(make_call(), Service(at_once(), dead=True))
    begun = asyncio.Event()

    async def hang(call: Call) -> str:
        if begun.is_set():
            await asyncio.Event().wait()
        begun.set()
        raise at_once(RateLimitError)

    first = asyncio.create_task(retry(make_call(), hang))
    await begun.wait()
    await asyncio.sleep(0)
    with monkeypatch.context() as patched, pytest.raises(RateLimitError):
        patched.setattr("g4f.middleware.retry.MAX_WAIT", 0.2)  # in place of a minute
        await retry(make_call(), Service(at_once(RateLimitError)))
    second = asyncio.create_task(retry(make_call(), Service(at_once(RateLimitError))))
    done, _ = await asyncio.wait([second], timeout=0.3)
    assert not done
    if another_answers:
        await retry(make_call(), Service())
    else:
        first.cancel()
    assert await second == "answer"
    first.cancel()
    assert not retry.budget.spend("Somebody"), "nothing was given back that was not taken"


async def test_a_call_that_was_not_told_to_come_again_keeps_nobody_waiting() -> None:
    """Somebody has to find out, and that one does not."""
    retry = Retry(max_retries=1)
    for _ in range(12):  # nothing is left, and two calls earn too little
        with pytest.raises(InternalServerError):
            await retry(make_call(), Service(at_once(), dead=True))
    begun = asyncio.Event()

    async def hang(call: Call) -> None:
        begun.set()
        await asyncio.Event().wait()

    other = asyncio.create_task(retry(make_call(), hang))
    await begun.wait()
    assert await retry(make_call(), Service(at_once(RateLimitError))) == "answer"
    other.cancel()


async def test_who_waited_in_vain_takes_a_repeat_if_there_is_one() -> None:
    """The service did not come back when it said, but calls have earned one since."""
    retry = Retry(max_retries=1)
    for _ in range(11):  # nothing is left
        with pytest.raises(InternalServerError):
            await retry(make_call(), Service(at_once(), dead=True))
    begun, go = asyncio.Event(), asyncio.Event()

    async def fail_twice(call: Call) -> str:
        if begun.is_set():
            await go.wait()
            raise at_once()
        begun.set()
        raise at_once(RateLimitError)

    first = asyncio.create_task(retry(make_call(), fail_twice))
    await begun.wait()
    await asyncio.sleep(0)
    second = asyncio.create_task(retry(make_call(), Service(at_once(RateLimitError))))
    await asyncio.wait([second], timeout=0.05)
    go.set()
    for _ in range(4):
        with pytest.raises(BadRequestError):
            await retry(make_call(), Service(at_once(BadRequestError)))
    with pytest.raises(InternalServerError):
        await first
    assert await second == "answer"
    assert [retry.budget.spend("Somebody") for _ in range(2)] == [True, False]


@pytest.mark.parametrize("kind", [InternalServerError, RateLimitError])
async def test_what_helped_is_given_back_and_no_more(kind: type[APIError]) -> None:
    """Whatever the service said; and an answer alone gives nothing."""
    retry = Retry(max_retries=2)
    for _ in range(5):
        assert retry.budget.spend("Somebody")
    assert await retry(make_call(), Service(at_once(kind), at_once(kind))) == "answer"
    await retry(make_call(), Service())
    assert [retry.budget.spend("Somebody") for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize("how", ["", "it answered", "a minute passed"])
async def test_a_service_that_named_a_wrong_time_is_believed_again_later(how: str) -> None:
    """Once it answered or a minute passed; until then such repeats come out of the budget as others do."""
    now = [0.0]
    retry = Retry(max_retries=1, budget=Budget(lambda: now[0]))
    for _ in range(14):  # the first finds out, ten are free, and these calls earn two
        with pytest.raises(RateLimitError):
            await retry(make_call(), Service(at_once(RateLimitError), dead=True))
    if how == "it answered":
        await retry(make_call(), Service())
    now[0] += 61.0 if how == "a minute passed" else 59.0
    calls = [retry(make_call(), Service(at_once(RateLimitError))) for _ in range(100)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert (answers == ["answer"] * 100) is bool(how)


async def test_an_error_that_follows_a_named_time_is_doubted_whatever_it_is() -> None:
    """A service that names a time and then breaks down gets no more requests than another."""
    retry, tries = Retry(max_retries=1), 0
    for _ in range(1000):
        service = Service(at_once(RateLimitError), at_once())
        with pytest.raises((RateLimitError, InternalServerError)):
            await retry(make_call(), service)
        tries += service.tries
    assert 1100 < tries <= 1200


async def test_an_error_says_that_nothing_was_left_to_repeat_it() -> None:
    """So that nobody looks for it in `max_retries`."""
    retry, notes = Retry(max_retries=10), []
    for _ in range(2):
        error = at_once()
        with pytest.raises(InternalServerError):
            await retry(make_call(), Service(error, dead=True))
        notes.append(getattr(error, "__notes__", []))
    assert notes[0] == []
    assert [note.partition(":")[0] for note in notes[1]] == ["g4f did not repeat this"]


class Dead:
    """A provider whose service fails."""

    def __init__(self) -> None:
        self.calls = 0

    @hookimpl
    async def chat(self) -> Completion:
        self.calls += 1
        raise at_once()


@pytest.mark.parametrize("made", ["copied", "with the same retries", "with the same budget", "for each call"])
async def test_clients_that_are_made_for_each_call_share_a_budget(made: str) -> None:
    """Copies of one do by themselves, and so does `ChatCompletion`; others do where they are given the same."""
    dead, retry, client = Dead(), Retry(), AsyncClient(max_retries=1)
    budget = Budget()

    async def ask() -> Completion:
        if made == "for each call":
            return await ChatCompletion.create_async("m", "Hi", dead)
        if made == "copied":
            other = client.with_options(max_retries=2)
        else:
            middleware = [retry if made == "with the same retries" else Retry(budget=budget)]
            other = AsyncClient(middleware=middleware)
        async with other:
            return await other.chat.completions.create("Hi", "m", dead)

    for _ in range(1000):
        with pytest.raises(InternalServerError):
            await ask()
    assert 1100 < dead.calls <= 1200


async def test_each_client_has_its_own_budget() -> None:
    """What one client met is no other's business."""
    dead = Dead()
    for expected in (11, 22):
        async with AsyncClient(max_retries=20) as client:
            with pytest.raises(InternalServerError):
                await client.chat.completions.create("Hi", "m", dead)
        assert dead.calls == expected


async def test_each_provider_has_its_own_budget() -> None:
    """One that is dead takes nothing from the others."""
    retry = Retry(max_retries=20)
    for provider in ("Dead", "Alive"):
        service = Service(at_once(), dead=True)
        with pytest.raises(InternalServerError):
            await retry(make_call(provider), service)
        assert service.tries == 11


async def test_each_account_has_its_own_budget() -> None:
    """Another key, or another address, is another one: who is out of repeats here may have some there."""
    retry, dead = Retry(max_retries=20), Dead()
    for expected, settings in (
        (11, {"api_key": "sk-1"}),
        (22, {"api_key": "sk-2"}),
        (33, {"api_key": "sk-1", "base_url": "http://127.0.0.1:1"}),
        (34, {"api_key": "sk-1"}),
    ):
        async with AsyncClient(dead, middleware=[retry], **settings) as client:
            with pytest.raises(InternalServerError):
                await client.chat.completions.create("Hi", "m")
        assert dead.calls == expected


async def test_accounts_without_end_are_not_all_remembered() -> None:
    """As those of a service that has a key for each of its users."""
    budget = Budget()
    for at in range(5000):
        budget.earn(at)
        assert budget.spend(at)
    assert len(budget._left) <= 1000


async def test_an_error_that_is_raised_after_repeats_has_no_other_behind_it() -> None:
    """Each try's error stands for itself."""
    first, last = at_once(), at_once(BadRequestError)
    with pytest.raises(BadRequestError) as caught:
        await Retry()(make_call(), Service(first, last))

    assert caught.value.__context__ is None


def test_threads_may_share_a_budget() -> None:
    """As clients do that share their middleware."""
    retry, service = Retry(), Service(at_once(), dead=True)

    async def call_often() -> None:
        for _ in range(100):
            with pytest.raises(InternalServerError):
                await retry(make_call(), service)

    threads = [threading.Thread(target=asyncio.run, args=(call_often(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert service.tries <= 4 * 100 * 1.25 + 10
