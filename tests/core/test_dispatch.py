"""Dispatch: middleware in order, fallback before the first content, errors that name their provider."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import attrs
import pytest

from g4f import AsyncClient, Client, HttpProvider, Manifest, hookimpl
from g4f.chat import ChatRequest, Chunk, Completion
from g4f.context import Answered, Call, CallNext, Context, Timeout
from g4f.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    G4FError,
    InternalServerError,
    InvalidInputError,
    ProviderBrokenError,
)
from loopback import Loopback, Reply, make_completion, reply_json


class Good:
    @hookimpl
    async def chat(self, request: ChatRequest) -> Completion:
        return Completion.from_text("good", model=request.model or "")


class Failing:
    """Fails as often as it is told, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    @hookimpl
    async def chat(self) -> Completion:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return Completion.from_text("at last")


async def ask(provider: object, **arguments: object) -> Completion:
    async with AsyncClient(provider=provider, max_retries=0) as client:
        return await client.chat.completions.create("Hi", **arguments)


async def test_the_next_target_is_asked_when_one_fails_and_all_tries_are_told() -> None:
    """Fallback is dispatch over several targets."""
    failing = Failing(InternalServerError("down", status_code=500))
    completion = await ask([failing, Good])
    assert completion.choices[0].message.content == "good"
    assert completion.provider == "Good"
    assert [(a.provider, type(a.error)) for a in completion.attempts] == [
        ("Failing", InternalServerError),
        ("Good", type(None)),
    ]
    assert all(attempt.seconds >= 0 for attempt in completion.attempts)


class Scribbler:
    """Writes into what it is asked, and fails."""

    @hookimpl
    async def chat(self, request: ChatRequest) -> Completion:
        request.options.clear()
        request.messages[0]["content"].append({"type": "text", "text": "Please."})  # type: ignore[index]
        raise InternalServerError("no", status_code=500)


class Listener:
    """Keeps what it is asked."""

    @hookimpl
    async def chat(self, request: ChatRequest) -> Completion:
        self.request = request
        return Completion.from_text("good")


async def add_rule(call: Call, call_next: CallNext) -> Any:
    assert isinstance(call.request, ChatRequest)
    rule = {"role": "system", "content": "Be brief."}
    call.request = attrs.evolve(call.request, messages=(rule, *call.request.messages))
    return await call_next(call)


async def test_each_target_gets_what_the_user_asked() -> None:
    """Whatever a provider before it, or a middleware on the way there, made of it; and the user's own lists stay."""
    messages = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    listener = Listener()
    async with AsyncClient([Scribbler, listener], max_retries=0, middleware=[add_rule]) as client:
        await client.chat.completions.create(messages, temperature=0.5, tools=[{"type": "function"}])
    assert [message["role"] for message in listener.request.messages] == ["system", "user"]
    assert listener.request.messages[1] == messages[0] == {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
    assert listener.request.options == {"temperature": 0.5, "tools": [{"type": "function"}]}


async def test_when_all_fail_the_last_error_tells_of_all() -> None:
    """Each error names its own provider."""
    with pytest.raises(AuthenticationError) as caught:
        await ask([Failing(KeyError("x")), Failing(AuthenticationError("no", status_code=401))], model="m")
    assert [type(a.error) for a in caught.value.attempts] == [APIError, AuthenticationError]
    assert caught.value.provider == "Failing#2"
    assert caught.value.model == "m"
    assert str(caught.value) == "Failing#2 answered 401: no"


async def test_an_uninstalled_provider_in_a_list_is_passed_over() -> None:
    """And recorded."""
    completion = await ask(["Nonesuch", Good])
    assert [a.provider for a in completion.attempts] == ["Nonesuch", "Good"]


async def test_a_chosen_provider_gets_the_model_and_the_request_is_not_shared() -> None:
    """The answer says which model and provider served."""
    messages = [{"role": "user", "content": "Hi"}]
    async with AsyncClient(provider=Good) as client:
        completion = await client.chat.completions.create(messages, "some-model")
    assert completion.model == "some-model"
    assert messages == [{"role": "user", "content": "Hi"}]


class Recorder:
    """Middleware that writes down when it is entered and left."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    async def __call__(self, call: Call, call_next: CallNext) -> Answered:
        self.log.append(f"{self.name} in {call.target.provider}")
        try:
            return await call_next(call)
        finally:
            self.log.append(f"{self.name} out")


async def test_middleware_runs_in_the_order_of_the_list_around_every_target() -> None:
    """Retries are innermost, unless the user places them."""
    log: list[str] = []
    failing = Failing(BadRequestError("no", status_code=400))
    async with AsyncClient([failing, Good], middleware=[Recorder("a", log), Recorder("b", log)]) as client:
        await client.chat.completions.create("Hi")
    once = ["a in {0}", "b in {0}", "b out", "a out"]
    assert log == [line.format(name) for name in ("Failing", "Good") for line in once]


async def test_retries_happen_inside_of_the_users_middleware() -> None:
    """One entry, three tries."""
    log: list[str] = []
    failing = Failing(*[APIConnectionError("gone", retry_after=0.0)] * 2)
    async with AsyncClient(failing, middleware=[Recorder("a", log)]) as client:
        completion = await client.chat.completions.create("Hi")
    assert log == ["a in Failing", "a out"]
    assert failing.calls == 3
    assert len(completion.attempts) == 3


async def test_middleware_may_answer_by_itself_and_see_streams() -> None:
    """It gets a completion or a ChatStream, as the user asked."""
    seen: list[type] = []

    async def watch(call: Call, call_next: CallNext) -> Answered:
        answer = await call_next(call)
        seen.append(type(answer))
        return answer

    async def cache(call: Call, call_next: CallNext) -> Answered:
        return Completion.from_text("cached")

    async with AsyncClient(Good, middleware=[watch]) as client:
        await client.chat.completions.create("Hi")
        async for _ in client.chat.completions.create("Hi", stream=True):
            pass
        cached = await client.with_options(middleware=[cache]).chat.completions.create("Hi")
    assert [kind.__name__ for kind in seen] == ["Completion", "ChatStream"]
    assert cached.choices[0].message.content == "cached"


class Streaming:
    """Streams some text and then fails."""

    def __init__(self, *texts: str, error: Exception | None = None) -> None:
        self.texts, self.error = texts, error

    @hookimpl
    async def stream(self) -> AsyncIterator[Chunk]:
        yield Chunk.from_dict({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        for text in self.texts:
            yield Chunk.from_text(text)
        if self.error is not None:
            raise self.error


async def test_a_stream_falls_back_before_its_first_content_and_never_after() -> None:
    """After it, the error carries the text so far."""
    error = APIConnectionError("gone", retryable=False)
    async with AsyncClient([Streaming(error=error), Streaming("one ", "two")]) as client:
        stream = client.chat.completions.create("Hi", stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == "one two"
    assert len(stream.attempts) == 2
    later = Streaming("one ", "two", error=APIConnectionError("gone", retry_after=0.0))
    seen = []
    async with AsyncClient([later, Streaming("other")]) as client:
        with pytest.raises(APIConnectionError) as caught:
            async for chunk in client.chat.completions.create("Hi", stream=True):
                seen.append(chunk.choices[0].delta.content)
    assert "".join(seen) == "one two"
    assert caught.value.partial == "one two"
    assert caught.value.provider == "Streaming"
    assert [attempt.error for attempt in caught.value.attempts] == [caught.value]  # it began well, and failed then


async def test_a_provider_whose_streams_break_again_and_again_is_passed_over() -> None:
    """Also where each began well; a stream that is left by its user says nothing against who gave it."""
    breaking = Streaming("one ", error=APIConnectionError("gone", retryable=True))
    served = []
    async with AsyncClient([breaking, Streaming("other")], max_retries=0) as client:
        async for _ in client.chat.completions.create("Hi", stream=True):
            break
        for _ in range(4):
            stream = client.chat.completions.create("Hi", stream=True)
            with suppress(APIConnectionError):
                async for _ in stream:
                    pass
            served.append(stream.provider)
    assert served == ["Streaming", "Streaming", "Streaming", "Streaming#2"]


class Stuck:
    """Never answers."""

    @hookimpl
    async def chat(self) -> Completion:
        await asyncio.Event().wait()
        raise AssertionError

    @hookimpl
    async def stream(self) -> AsyncIterator[Chunk]:
        await asyncio.Event().wait()
        yield Chunk.from_text("never")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_never_answers_meets_a_deadline(stream: bool) -> None:
    """Also one that does not go through the transport."""
    async with AsyncClient(Stuck, timeout=0.05, max_retries=0) as client:
        with pytest.raises(APITimeoutError, match=r"within 0\.05 s"):
            await client.chat.completions.create("Hi", stream=stream)
        with pytest.raises(APITimeoutError):
            await client.with_options(timeout=30).chat.completions.create(
                "Hi", stream=stream, timeout=Timeout(total=0.05, first_content=0.05)
            )


class Printer:
    """Takes a job that is charged for, and fails or hangs afterwards."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.calls = 0

    @hookimpl
    async def chat(self, context: Context) -> Completion:
        self.calls += 1
        context.commit()
        context.commit("job-1")
        if self.error is None:
            await asyncio.Event().wait()
        raise self.error or AssertionError


@pytest.mark.parametrize("error", [APIConnectionError("broken"), InternalServerError("busy", status_code=503), None])
async def test_a_job_that_was_begun_is_not_begun_again(error: Exception | None) -> None:
    """Whatever fails afterwards, our own deadline included; the error names the job."""
    printer = Printer(error)
    async with AsyncClient(printer, max_retries=2, timeout=0.1) as client:
        with pytest.raises(APIError) as caught:
            await client.chat.completions.create("Hi")
    assert printer.calls == 1
    assert (caught.value.retryable, caught.value.request_id) == (False, "job-1")


async def test_a_job_that_was_not_taken_after_all_may_be_offered_again() -> None:
    """As what failed before there was a word of one."""
    calls = []

    class Full:
        @hookimpl
        async def chat(self, context: Context) -> Completion:
            context.commit()
            calls.append(context.jobs)
            context.withdraw()
            raise APIConnectionError("full", retry_after=0)

    async with AsyncClient(Full, max_retries=2) as client:
        with pytest.raises(APIConnectionError) as caught:
            await client.chat.completions.create("Hi")
    assert (len(calls), caught.value.request_id, caught.value.retryable) == (3, None, True)


class Cautious:
    @hookimpl
    async def chat(self, context: Context) -> Completion:
        context.warn("seed was left out.")
        context.warn("seed was left out.")
        return Completion.from_text("hi")


async def test_warnings_reach_the_answer_once() -> None:
    """What a provider leaves out is never left out silently."""
    assert (await ask(Cautious)).warnings == ["seed was left out."]


async def test_one_line_is_logged_for_a_call_and_neither_prompt_nor_answer(caplog: pytest.LogCaptureFixture) -> None:
    """With provider, model, tokens and seconds."""
    caplog.set_level(logging.DEBUG)
    async with AsyncClient(Good) as client:
        await client.chat.completions.create("the prompt", "m")
        async for _ in client.chat.completions.create("the prompt", "m", stream=True):
            pass
        with pytest.raises(G4FError):
            await client.chat.completions.create("the prompt", provider=Failing(APIError("the prompt was bad")))
        async with client.chat.completions.create("the prompt", "m", stream=True):
            pass
    records = [record for record in caplog.records if record.name == "g4f"]
    lines = [record.getMessage() for record in records if record.levelno == logging.INFO]
    assert [line.rpartition(" ")[2] for line in lines] == [
        "outcome=ok", "outcome=ok", "outcome=APIError", "outcome=left",
    ]  # fmt: skip
    assert lines[0].startswith("chat provider=Good model=m tokens=- seconds=0.")
    assert not any("prompt" in record.getMessage() or "good" in record.getMessage() for record in records)


class Slow:
    """Needs longer to get ready than an answer may take."""

    prepared = 0

    @hookimpl
    async def prepare(self, request: ChatRequest) -> None:
        await asyncio.sleep(0.15)
        self.prepared += 1

    @hookimpl
    async def chat(self) -> Completion:
        return Completion.from_text("ready" if self.prepared else "not ready")


@pytest.mark.parametrize("stream", [False, True])
async def test_no_deadline_runs_while_a_provider_prepares(stream: bool) -> None:
    """A first download of weights is no slow answer."""
    async with AsyncClient(Slow, timeout=0.05, max_retries=0) as client:
        answer = await client.chat.completions.create("Hi", stream=stream)
        text = (
            answer.choices[0].message.content
            if isinstance(answer, Completion)
            else "".join([chunk.choices[0].delta.content or "" async for chunk in answer])
        )
    assert text == "ready"


class Unready:
    @hookimpl
    async def prepare(self) -> None:
        raise OSError("no disk")

    @hookimpl
    async def chat(self) -> Completion:
        raise AssertionError


async def test_a_provider_that_cannot_get_ready_fails_like_any_other() -> None:
    """And the next one is asked."""
    completion = await ask([Unready, Good])
    assert completion.provider == "Good"
    assert str(completion.attempts[0].error) == "Unready failed: OSError: no disk"


async def test_a_middleware_that_gives_no_answer_says_so_and_a_cached_answer_serves_a_stream() -> None:
    """A cache keeps whole answers, and is asked for streams too."""

    async def cache(call: Call, call_next: CallNext) -> Answered:
        return Completion.from_text("from the cache")

    async def forget(call: Call, call_next: CallNext) -> Answered:
        await call_next(call)

    async with AsyncClient(Good, middleware=[cache]) as client:
        chunks = [chunk async for chunk in client.chat.completions.create("Hi", stream=True)]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "from the cache"
        forgetful = client.with_options(middleware=[forget])
        with pytest.raises(InvalidInputError, match="A middleware must return an answer; it returned a NoneType"):
            await forgetful.chat.completions.create("Hi")
        with pytest.raises(InvalidInputError, match="must return a ChatStream"):
            await forgetful.chat.completions.create("Hi", stream=True)


class Needy:
    def __init__(self, url: str) -> None:
        self.url = url

    @hookimpl
    async def chat(self) -> Completion:
        return Completion.from_text(self.url)


@pytest.mark.parametrize("provider", [5, {"a": 1}, {1}, b"x"])
async def test_what_is_no_provider_is_said_to_be_none(provider: object) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidInputError, match="is no provider: pass a name, a class, an object, or a list"):
        await ask(provider)


async def test_a_class_that_needs_arguments_is_passed_as_an_object() -> None:
    """The error says so."""
    with pytest.raises(ProviderBrokenError, match=r"Needy cannot be made: TypeError.*You can pass an object of it"):
        await ask(Needy)
    assert (await ask(Needy("x"))).choices[0].message.content == "x"


async def test_repeats_of_a_call_carry_the_same_idempotency_key() -> None:
    """So that a service that knows it does no work twice; another call has another."""
    replies = iter([reply_json({"error": {"message": "busy"}}, 503, retry_after="0")] * 2)
    good, models = reply_json(make_completion()), reply_json({"data": [{"id": "m"}]})
    with Loopback(lambda request: models if request.method == "GET" else next(replies, good)) as server:
        manifest = Manifest(title="Service", base_url=server.url, models_open=True)
        service = type("Service", (HttpProvider,), {"manifest": manifest})
        async with AsyncClient(service) as client:
            await client.chat.completions.create("Hi", "m")
            await client.chat.completions.create("Hi", "m")
            await client.models.list()
    keys = [request.headers.get("idempotency-key") for request in server.requests]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert keys[4] is None


async def test_a_calls_proxy_serves_the_download_of_its_picture_too() -> None:
    """Else the user's address would show where it should not."""
    picture = b"\x89PNG\r\n\x1a\n"
    named = reply_json({"data": [{"url": "http://pictures.example/cat.png"}]})
    with Loopback(
        lambda request: named if request.method == "POST" else Reply(200, {"content-type": "image/png"}, picture)
    ) as proxy:
        manifest = Manifest(title="Painter", base_url="http://service.example/v1", models_open=True)
        painter = type("Painter", (HttpProvider,), {"manifest": manifest})
        async with AsyncClient(painter) as client:
            images = await client.images.generate("a cat", "m", response_format="b64_json", proxy=proxy.url)
    assert base64.b64decode(images.data[0].b64_json or "") == picture
    assert [request.method for request in proxy.requests] == ["POST", "GET"]


class SignedIn:
    """A provider with a token of its own, which the service sends back in its error."""

    @hookimpl
    async def chat(self, context: Context) -> Completion:
        context.conceal("token-of-a-sign-in")
        raise AuthenticationError("token-of-a-sign-in is wrong", status_code=401, body={"got": ["token-of-a-sign-in"]})

    @hookimpl
    async def stream(self, context: Context) -> AsyncIterator[Chunk]:
        yield Chunk.from_text("Hi")
        await self.chat(context)

    @hookimpl
    async def models(self, context: Context) -> list[dict[str, object]]:
        await self.chat(context)
        return []


async def test_a_key_that_a_provider_got_by_itself_is_taken_out_of_errors_too() -> None:
    """Of whole answers, of streams that have begun, and of the list of models."""
    async with AsyncClient(provider=SignedIn, max_retries=0) as client:
        for ask in (
            lambda: client.chat.completions.create("Hi"),
            lambda: collect(client.chat.completions.stream("Hi")),
            client.models.list,
        ):
            with pytest.raises(AuthenticationError, match=r"\[redacted\] is wrong") as caught:
                await ask()
            assert caught.value.body == {"got": ["[redacted]"]}


async def collect(stream: AsyncIterator[Chunk]) -> list[Chunk]:
    return [chunk async for chunk in stream]


class Anywhere(HttpProvider):
    """A provider that says whether it is asked at a foreign address."""

    manifest = Manifest(title="Anywhere", base_url="http://127.0.0.1:9/v1", models_open=True)

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        return Completion.from_text(str(context.foreign))


@pytest.mark.parametrize(
    ("base_url", "foreign"), [(None, "False"), ("http://127.0.0.1:9/v2", "False"), ("http://127.0.0.1:8", "True")]
)
async def test_a_provider_learns_whether_it_is_asked_at_an_address_of_the_users_own(
    base_url: str, foreign: str
) -> None:
    """What it keeps for its service does not belong there."""
    async with AsyncClient(provider=Anywhere, base_url=base_url) as client:
        completion = await client.chat.completions.create("Hi")
    assert completion.choices[0].message.content == foreign


# --- What ends tasks and programs -------------------------------------------------------------------------------------


class Raising:
    """Raises this, as a whole or after so many chunks."""

    def __init__(self, error: BaseException, chunks: int) -> None:
        self.error = error
        self.chunks = chunks

    @hookimpl
    async def chat(self) -> Completion:
        raise self.error

    @hookimpl
    async def stream(self) -> AsyncIterator[Chunk]:
        for _ in range(self.chunks):
            yield Chunk.from_text("Hi")
        raise self.error

    @hookimpl
    async def close(self) -> None:
        if isinstance(self.error, asyncio.CancelledError):
            raise self.error


async def use(provider: object, *, stream: bool) -> str:
    client, text = AsyncClient(provider, max_retries=0), ""
    if not stream:
        await client.chat.completions.create("Hi")
    async for chunk in client.chat.completions.stream("Hi"):
        text += chunk.choices[0].delta.content or ""
    return text


@pytest.mark.parametrize(("stream", "chunks"), [(False, 0), (True, 0), (True, 2)])
async def test_a_cancellation_that_nobody_asked_for_is_an_error(stream: bool, chunks: int) -> None:
    """A provider that raises one, or waits for what was canceled, does not look like the caller's own `cancel`."""
    provider = Raising(asyncio.CancelledError(), chunks)
    with pytest.raises(APIError, match=r"^Raising failed: .*nobody canceled the call$") as caught:
        await use(provider, stream=stream)
    assert caught.value.partial == ("Hi" * chunks or None)
    if not chunks:
        async with AsyncClient([provider, Good]) as client:
            answer = await client.chat.completions.create("Hi")
        assert answer.choices[0].message.content == "good"  # the next one is asked
    async with AsyncClient(provider) as client:
        with pytest.raises(APIError):
            await client.chat.completions.create("Hi")


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize(("stream", "chunks"), [(False, 0), (True, 0), (True, 2)])
def test_what_ends_a_program_ends_it(kind: type[BaseException], stream: bool, chunks: int) -> None:
    """Whoever raises it: a signal's handler does so in the middle of whatever runs, a provider too."""
    with pytest.raises(kind):
        asyncio.run(use(Raising(kind(3), chunks), stream=stream))
    with Client(Raising(kind(3), chunks)) as client, pytest.raises(kind):
        for _ in client.chat.completions.create("Hi", stream=True) if stream else ():
            pass
        client.chat.completions.create("Hi")
